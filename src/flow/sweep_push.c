/*
 * Pushing: the source's side moves later and takes along, rigidly, what it meets, until it meets the sink's piece. The
 * same step as pulling, seen from the other side; times count from the source's own.
 */
#include "flow/sweep_internal.h"

#include <assert.h>

static bool
has_joined(const struct perseus__sweep *sweep, int32_t v)
{
	return sweep->events[v].mark == N_MARKS * sweep->epoch + JOINED;
}

static void
offer(struct perseus__sweep *sweep, int32_t v, int64_t key, int32_t arc)
{
	if (perseus__sweep_bring_forward(sweep, v, key))
		sweep->met_arc[v] = arc;
}

/* Finds whom a joined event will meet. */
static void
look_ahead(struct perseus__sweep *sweep, int32_t v)
{
	const struct perseus__network *network = sweep->network;
	/* Where the event would have been at shift 0, had it been on its way since then. */
	const int64_t origin_ns = sweep->events[v].time_ns - sweep->joined_ns[v];
	for (int32_t a = network->out_begin[v]; a < network->out_begin[v + 1]; a++) {
		const struct perseus__residual *residual = &sweep->residuals[a];
		if (!has_joined(sweep, residual->head))
			offer(sweep, residual->head, sweep->events[residual->head].time_ns - residual->forward_ns - origin_ns, a);
	}
	for (int32_t k = network->in_begin[v]; k < network->in_begin[v + 1]; k++) {
		const int32_t a = sweep->in_places[k];
		const struct perseus__residual *residual = &sweep->residuals[a];
		if (residual->backward_ns != PERSEUS__UNBOUNDED && !has_joined(sweep, residual->tail))
			offer(sweep, residual->tail, sweep->events[residual->tail].time_ns + residual->backward_ns - origin_ns, a);
	}
}

/* The other end of the arc by which the event was met. */
static int32_t
met_by(const struct perseus__sweep *sweep, int32_t v)
{
	const struct perseus__residual *residual = &sweep->residuals[sweep->met_arc[v]];
	return residual->head == v ? residual->tail : residual->head;
}

static void
leave_tree(struct perseus__sweep *sweep, struct step *step, int32_t v)
{
	if (sweep->tree[v].parent == NONE)
		return;
	sweep->untied[step->n_untied++] =
			(struct perseus__untied){.child = v, .parent = sweep->tree[v].parent, .arc = sweep->events[v].tree_arc};
	perseus__sweep_unlink(sweep, v);
}

/* `top` and all that hangs below it go along from now on. */
static void
join(struct perseus__sweep *sweep, struct step *step, int32_t top)
{
	leave_tree(sweep, step, top);
	const int32_t first = step->n_joined;
	sweep->resting[step->n_joined++] = top;
	for (int32_t i = first; i < step->n_joined; i++) {
		const int32_t v = sweep->resting[i];
		sweep->events[v].mark = N_MARKS * sweep->epoch + JOINED;
		sweep->joined_ns[v] = step->shift_ns;
		for (int32_t child = sweep->events[v].first_child; child != NONE; child = sweep->events[child].next_sibling)
			sweep->resting[step->n_joined++] = child;
	}
	perseus__sweep_link(sweep, top, met_by(sweep, top), sweep->met_arc[top]);
	for (int32_t i = first; i < step->n_joined; i++)
		look_ahead(sweep, sweep->resting[i]);
}

/* Floors of those at rest learn where the joined ones are now. */
static void
raise_floors_ahead(struct perseus__sweep *sweep, int32_t v)
{
	const struct perseus__network *network = sweep->network;
	const int64_t time_ns = sweep->events[v].time_ns;
	const int32_t tree_arc = sweep->events[v].tree_arc;
	for (int32_t a = network->out_begin[v]; a < network->out_begin[v + 1]; a++) {
		const struct perseus__residual *residual = &sweep->residuals[a];
		if (!has_joined(sweep, residual->head) && a != tree_arc && sweep->events[residual->head].tree_arc != a)
			raise_floor(sweep, residual->head, time_ns + residual->forward_ns);
	}
	for (int32_t k = network->in_begin[v]; k < network->in_begin[v + 1]; k++) {
		const int32_t a = sweep->in_places[k];
		const struct perseus__residual *residual = &sweep->residuals[a];
		if (residual->backward_ns != PERSEUS__UNBOUNDED && !has_joined(sweep, residual->tail) && a != tree_arc
				&& sweep->events[residual->tail].tree_arc != a)
			raise_floor(sweep, residual->tail, time_ns - residual->backward_ns);
	}
}

/* Arcs that have left the tree, and did not come back, count for floors again. */
static void
raise_floors_of_untied(struct perseus__sweep *sweep, const struct perseus__untied *untied)
{
	if (sweep->events[untied->child].tree_arc == untied->arc || sweep->events[untied->parent].tree_arc == untied->arc)
		return;
	const struct perseus__residual *residual = &sweep->residuals[untied->arc];
	raise_floor(sweep, residual->head, sweep->events[residual->tail].time_ns + residual->forward_ns);
	if (residual->backward_ns != PERSEUS__UNBOUNDED)
		raise_floor(sweep, residual->tail, sweep->events[residual->head].time_ns - residual->backward_ns);
}

/*
 * Everyone arrives. Counted from the source, those at rest have come nearer and the joined ones no nearer than when
 * they joined, so that their floors, too, count from the source as before.
 */
static void
arrive(struct perseus__sweep *sweep, const struct step *step)
{
	for (int32_t i = 0; i < step->n_joined; i++) {
		const int32_t v = sweep->resting[i];
		sweep->events[v].time_ns += step->shift_ns - sweep->joined_ns[v];
		sweep->events[v].floor_ns += step->shift_ns;
	}
	for (int32_t i = 0; i < step->n_joined; i++)
		raise_floors_ahead(sweep, sweep->resting[i]);
	for (int32_t i = 0; i < step->n_untied; i++)
		raise_floors_of_untied(sweep, &sweep->untied[i]);
}

void
perseus__sweep_push(struct perseus__sweep *sweep, struct step *step)
{
	for (int32_t i = 0; i < step->n_joined; i++) {
		sweep->events[sweep->resting[i]].mark = N_MARKS * sweep->epoch + JOINED;
		sweep->joined_ns[sweep->resting[i]] = 0;
	}
	for (int32_t i = 0; i < step->n_joined; i++)
		look_ahead(sweep, sweep->resting[i]);
	for (;;) {
		/* Every event can be reached, so the heap is not empty before the sink's piece is met. */
		assert(sweep->heap_size > 0);
		const struct perseus__heap_entry top = perseus__sweep_pop(sweep);
		if (has_joined(sweep, top.event))
			continue;
		step->shift_ns = top.key;
		if (is_lowest(sweep, top.event)) {
			leave_tree(sweep, step, top.event);
			perseus__sweep_link(sweep, top.event, met_by(sweep, top.event), sweep->met_arc[top.event]);
			perseus__sweep_turn_path(sweep, step, top.event, has_joined);
			break;
		}
		join(sweep, step, top.event);
	}
	arrive(sweep, step);
	perseus__sweep_clear_heap(sweep);
}
