/* The tree of longest paths and the heap of a sweep. */
#include "flow/sweep_internal.h"

void
perseus__sweep_unlink(struct perseus__sweep *sweep, int32_t v)
{
	struct perseus__tree_link *link = &sweep->tree[v];
	const int32_t next = sweep->events[v].next_sibling;
	if (link->previous_sibling == NONE)
		sweep->events[link->parent].first_child = next;
	else
		sweep->events[link->previous_sibling].next_sibling = next;
	if (next != NONE)
		sweep->tree[next].previous_sibling = link->previous_sibling;
	link->parent = NONE;
	sweep->events[v].tree_arc = NONE;
}

void
perseus__sweep_link(struct perseus__sweep *sweep, int32_t v, int32_t parent, int32_t arc)
{
	const int32_t next = sweep->events[parent].first_child;
	sweep->tree[v] = (struct perseus__tree_link){.parent = parent, .previous_sibling = NONE};
	sweep->events[v].tree_arc = arc;
	sweep->events[v].next_sibling = next;
	if (next != NONE)
		sweep->tree[next].previous_sibling = v;
	sweep->events[parent].first_child = v;
}

/* Binary heap of moving events by (key, event). */
static bool
heap_less(struct perseus__heap_entry a, struct perseus__heap_entry b)
{
	return a.key != b.key ? a.key < b.key : a.event < b.event;
}

static void
heap_place(struct perseus__sweep *sweep, int32_t i, struct perseus__heap_entry entry)
{
	sweep->heap[i] = entry;
	sweep->heap_index[entry.event] = i + 1;
}

static void
heap_sift_up(struct perseus__sweep *sweep, int32_t i, struct perseus__heap_entry entry)
{
	while (i > 0 && heap_less(entry, sweep->heap[(i - 1) / 2])) {
		heap_place(sweep, i, sweep->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_place(sweep, i, entry);
}

static void
heap_sift_down(struct perseus__sweep *sweep, int32_t i, struct perseus__heap_entry entry)
{
	for (;;) {
		int32_t child = 2 * i + 1;
		if (child >= sweep->heap_size)
			break;
		if (child + 1 < sweep->heap_size && heap_less(sweep->heap[child + 1], sweep->heap[child]))
			child++;
		if (!heap_less(sweep->heap[child], entry))
			break;
		heap_place(sweep, i, sweep->heap[child]);
		i = child;
	}
	heap_place(sweep, i, entry);
}

bool
perseus__sweep_bring_forward(struct perseus__sweep *sweep, int32_t v, int64_t key)
{
	const struct perseus__heap_entry entry = {.key = key, .event = v};
	const int32_t index = sweep->heap_index[v];
	if (index == 0)
		heap_sift_up(sweep, sweep->heap_size++, entry);
	else if (key < sweep->heap[index - 1].key)
		heap_sift_up(sweep, index - 1, entry);
	else
		return false;
	return true;
}

struct perseus__heap_entry
perseus__sweep_pop(struct perseus__sweep *sweep)
{
	const struct perseus__heap_entry top = sweep->heap[0];
	sweep->heap_index[top.event] = 0;
	const struct perseus__heap_entry last = sweep->heap[--sweep->heap_size];
	if (sweep->heap_size > 0)
		heap_sift_down(sweep, 0, last);
	return top;
}

void
perseus__sweep_clear_heap(struct perseus__sweep *sweep)
{
	for (int32_t i = 0; i < sweep->heap_size; i++)
		sweep->heap_index[sweep->heap[i].event] = 0;
	sweep->heap_size = 0;
}

void
perseus__sweep_turn_path(struct perseus__sweep *sweep, const struct step *step, int32_t v,
		bool (*is_stopped)(const struct perseus__sweep *sweep, int32_t v))
{
	int32_t i = 0;
	while (sweep->path[i].event != v)
		i++;
	for (; i + 1 < step->n_path; i++) {
		const int32_t above = sweep->path[i + 1].event;
		/* A part of the path further up may stop at the same moment; what is above that is still to turn. */
		if (is_stopped(sweep, above))
			continue;
		if (sweep->tree[above].parent != NONE)
			perseus__sweep_unlink(sweep, above);
		perseus__sweep_link(sweep, above, sweep->path[i].event, sweep->path[i].arc);
	}
}
