/*
 * The parametric sweep. A step pushes flow along the longest path of the residual graph until an arc of it saturates;
 * what hung below that arc in the tree of longest paths moves earlier, rigidly, until residual arcs stop it piece by
 * piece. The work beyond one pass over the moving part is proportional to the pieces.
 */
#include "flow/sweep.h"

#include "base/error.h"
#include "base/memory.h"

#include <assert.h>
#include <string.h>

enum { NONE = -1 };

/* Earlier than any event, and far enough from the ends of the range to be subtracted from. */
#define NO_FLOOR (-PERSEUS__UNBOUNDED)

/*
 * `mark` of an event: N_MARKS · epoch + a sum of these while the step of that epoch moves it, 0 when it has stopped;
 * anything up to N_MARKS · epoch: at rest.
 */
enum {
	MOVING = 1,
	WATCHED = 2, /* some event that moves after it must be told when it stops */
	LOOKED = 4,  /* its obstacles are known: floor_ns says what those at rest allow, margin_ns how far it keeps away
	              * from those that move along */
	N_MARKS = 8,
};

/* The step in progress. */
struct step {
	int64_t shift_ns; /* how far the moving part has moved */
	int64_t horizon_ns; /* events whose floor is further away are not in the heap */
	int32_t n_moving;   /* length of sweep->moving: events of this step, parents before children */
	int32_t n_left;     /* those still moving */
};

static bool
is_moving(const struct perseus__sweep *sweep, int32_t v)
{
	return sweep->events[v].mark > N_MARKS * sweep->epoch;
}

static const int64_t *
slopes_of(const struct perseus__sweep *sweep, const struct perseus__arc_state *arc)
{
	return sweep->network->slope + arc->curve;
}

/* Recomputes the residual lengths after a change of flow. */
static void
set_residual(struct perseus__sweep *sweep, int32_t a)
{
	const struct perseus__arc_state *arc = &sweep->arcs[a];
	const int64_t *length_ns = sweep->network->length_ns + arc->curve;
	const bool inside = arc->flow > slopes_of(sweep, arc)[arc->level + 1];
	const int32_t back = inside ? arc->level : arc->level + 1;
	sweep->residuals[a].forward_ns = length_ns[arc->level];
	sweep->residuals[a].backward_ns = back < arc->n_lengths ? length_ns[back] : PERSEUS__UNBOUNDED;
}

/* How much more the tree arc above `v` can carry towards `v` before its length changes. */
static int64_t
tree_capacity(const struct perseus__sweep *sweep, int32_t v)
{
	const int32_t a = sweep->events[v].tree_arc;
	const struct perseus__arc_state *arc = &sweep->arcs[a];
	const int64_t *slope = slopes_of(sweep, arc) + arc->level;
	if (sweep->residuals[a].head == v)
		return arc->level == 0 ? PERSEUS__UNBOUNDED : slope[0] - arc->flow;
	/* A backward residual arc in the tree exists: the flow can sink to the next slope. */
	return arc->flow > slope[1] ? arc->flow - slope[1] : slope[1] - slope[2];
}

static void
push_flow(struct perseus__sweep *sweep, int32_t v, int64_t amount)
{
	const int32_t a = sweep->events[v].tree_arc;
	struct perseus__arc_state *arc = &sweep->arcs[a];
	const int64_t *slope = slopes_of(sweep, arc);
	if (sweep->residuals[a].head == v) {
		arc->flow += amount;
		if (arc->flow == slope[arc->level])
			arc->level--;
	} else {
		if (arc->flow == slope[arc->level + 1])
			arc->level++;
		arc->flow -= amount;
	}
	set_residual(sweep, a);
}

static void
unlink_event(struct perseus__sweep *sweep, int32_t v)
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

static void
link_event(struct perseus__sweep *sweep, int32_t v, int32_t parent, int32_t arc)
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

/* Puts the event in the heap, or brings it forward to an earlier key. */
static void
heap_bring_forward(struct perseus__sweep *sweep, int32_t v, int64_t key)
{
	const struct perseus__heap_entry entry = {.key = key, .event = v};
	const int32_t index = sweep->heap_index[v];
	if (index == 0)
		heap_sift_up(sweep, sweep->heap_size++, entry);
	else if (key < sweep->heap[index - 1].key)
		heap_sift_up(sweep, index - 1, entry);
}

static struct perseus__heap_entry
heap_pop(struct perseus__sweep *sweep)
{
	const struct perseus__heap_entry top = sweep->heap[0];
	sweep->heap_index[top.event] = 0;
	const struct perseus__heap_entry last = sweep->heap[--sweep->heap_size];
	if (sweep->heap_size > 0)
		heap_sift_down(sweep, 0, last);
	return top;
}

static void
heap_clear(struct perseus__sweep *sweep)
{
	for (int32_t i = 0; i < sweep->heap_size; i++)
		sweep->heap_index[sweep->heap[i].event] = 0;
	sweep->heap_size = 0;
}

/* What stops a moving event, as far as is known. */
struct obstacle {
	int64_t resting_ns; /* earliest time that residual arcs with a tail at rest allow */
	int64_t moving_ns;  /* the same of those with a tail that moves along, where it is now */
	int32_t tail;       /* of the arc that gives resting_ns */
	int32_t arc;
};

/* Takes into account the residual arc `a` of `length` from `tail`. */
static void
meet(struct perseus__sweep *sweep, const struct step *step, int32_t tail, int32_t a, int64_t length,
		struct obstacle *obstacle)
{
	struct perseus__event *event = &sweep->events[tail];
	const bool moves = is_moving(sweep, tail);
	const int64_t at = event->time_ns - (moves ? step->shift_ns : 0) + length;
	if (moves) {
		/* No obstacle before it stops; it tells when it does. */
		event->mark |= WATCHED;
		if (at > obstacle->moving_ns)
			obstacle->moving_ns = at;
	} else if (at > obstacle->resting_ns) {
		obstacle->resting_ns = at;
		obstacle->tail = tail;
		obstacle->arc = a;
	}
}

/* Looks at every residual arc into `v` but those of the tree, as they are after the shift so far. */
static struct obstacle
look_around(struct perseus__sweep *sweep, const struct step *step, int32_t v)
{
	const struct perseus__network *network = sweep->network;
	const int32_t tree_arc = sweep->events[v].tree_arc;
	struct obstacle obstacle = {.resting_ns = NO_FLOOR, .moving_ns = NO_FLOOR, .tail = NONE, .arc = NONE};
	for (int32_t k = network->in_begin[v]; k < network->in_begin[v + 1]; k++) {
		const int32_t a = sweep->in_places[k];
		const struct perseus__residual *residual = &sweep->residuals[a];
		if (a != tree_arc && sweep->events[residual->tail].tree_arc != a)
			meet(sweep, step, residual->tail, a, residual->forward_ns, &obstacle);
	}
	for (int32_t a = network->out_begin[v]; a < network->out_begin[v + 1]; a++) {
		const struct perseus__residual *residual = &sweep->residuals[a];
		if (residual->backward_ns != PERSEUS__UNBOUNDED && a != tree_arc
				&& sweep->events[residual->head].tree_arc != a)
			meet(sweep, step, residual->head, a, -residual->backward_ns, &obstacle);
	}
	return obstacle;
}

/* An event that moves on learns that `at_ns` is as far as a new residual arc lets it. */
static void
lower_bound_event(struct perseus__sweep *sweep, const struct step *step, int32_t v, int64_t at_ns)
{
	struct perseus__event *event = &sweep->events[v];
	if (at_ns > event->floor_ns)
		event->floor_ns = at_ns;
	const int64_t key = event->time_ns - at_ns;
	if (is_moving(sweep, v) && key < step->horizon_ns)
		heap_bring_forward(sweep, v, key > step->shift_ns ? key : step->shift_ns);
}

/* The arc between `child` and its former parent is no tree arc any more: it binds both like any other. */
static void
untie(struct perseus__sweep *sweep, const struct step *step, int32_t child, int32_t parent, int32_t a)
{
	const struct perseus__residual *residual = &sweep->residuals[a];
	const bool forward = residual->head == child;
	const int64_t there = forward ? residual->forward_ns : -residual->backward_ns;
	const int64_t back = forward ? residual->backward_ns : -residual->forward_ns;
	const int64_t child_ns = sweep->events[child].time_ns - (is_moving(sweep, child) ? step->shift_ns : 0);
	const int64_t parent_ns = sweep->events[parent].time_ns - (is_moving(sweep, parent) ? step->shift_ns : 0);
	if (there != -PERSEUS__UNBOUNDED)
		lower_bound_event(sweep, step, child, parent_ns + there);
	if (back != PERSEUS__UNBOUNDED)
		lower_bound_event(sweep, step, parent, child_ns - back);
}

/* `v` has stopped and others were counting on its moving on: they learn how far they can still go. */
static void
tell_watchers(struct perseus__sweep *sweep, const struct step *step, int32_t v)
{
	const struct perseus__network *network = sweep->network;
	const int64_t time_ns = sweep->events[v].time_ns;
	for (int32_t a = network->out_begin[v]; a < network->out_begin[v + 1]; a++) {
		const struct perseus__residual *residual = &sweep->residuals[a];
		const int32_t head = residual->head;
		if (is_moving(sweep, head) && sweep->events[head].tree_arc != a)
			lower_bound_event(sweep, step, head, time_ns + residual->forward_ns);
	}
	for (int32_t k = network->in_begin[v]; k < network->in_begin[v + 1]; k++) {
		const int32_t a = sweep->in_places[k];
		const struct perseus__residual *residual = &sweep->residuals[a];
		const int32_t tail = residual->tail;
		if (residual->backward_ns != PERSEUS__UNBOUNDED && is_moving(sweep, tail)
				&& sweep->events[tail].tree_arc != a)
			lower_bound_event(sweep, step, tail, time_ns - residual->backward_ns);
	}
}

/* The event stops where it is. What moved along with it keeps its distance or has gone further. */
static void
stop_event(struct perseus__sweep *sweep, struct step *step, int32_t v)
{
	struct perseus__event *event = &sweep->events[v];
	const int32_t mark = event->mark;
	event->time_ns -= step->shift_ns;
	event->mark = 0;
	step->n_left--;
	if ((mark & LOOKED) && event->time_ns - sweep->margin_ns[v] > event->floor_ns)
		event->floor_ns = event->time_ns - sweep->margin_ns[v];
	if (mark & WATCHED)
		tell_watchers(sweep, step, v);
}

/* Stops `top` and all that hangs below it, parents before children. */
static void
stop_subtree(struct perseus__sweep *sweep, struct step *step, int32_t top)
{
	int32_t *queue = sweep->near; /* what was near has been surveyed by now */
	int32_t n = 0;
	queue[n++] = top;
	for (int32_t i = 0; i < n; i++) {
		const int32_t v = queue[i];
		for (int32_t child = sweep->events[v].first_child; child != NONE; child = sweep->events[child].next_sibling)
			queue[n++] = child;
		stop_event(sweep, step, v);
	}
}

/* `v` has reached what stops it: it hangs there from now on. */
static void
attach(struct perseus__sweep *sweep, struct step *step, int32_t v, const struct obstacle *obstacle)
{
	const int32_t old_parent = sweep->tree[v].parent;
	const int32_t old_arc = sweep->events[v].tree_arc;
	if (old_parent != NONE)
		unlink_event(sweep, v);
	stop_subtree(sweep, step, v);
	link_event(sweep, v, obstacle->tail, obstacle->arc);
	if (old_parent != NONE)
		untie(sweep, step, v, old_parent, old_arc);
}

/* Learns the obstacles of a moving event: exactly from what rests, as a margin from what moves along. */
static struct obstacle
survey_event(struct perseus__sweep *sweep, const struct step *step, int32_t v)
{
	struct perseus__event *event = &sweep->events[v];
	const struct obstacle obstacle = look_around(sweep, step, v);
	event->floor_ns = obstacle.resting_ns;
	event->mark |= LOOKED;
	sweep->margin_ns[v] = event->time_ns - step->shift_ns - obstacle.moving_ns;
	return obstacle;
}

/* Puts an event into the heap if something at rest stops it within the horizon. */
static void
survey_if_near(struct perseus__sweep *sweep, const struct step *step, int32_t v)
{
	const struct perseus__event *event = &sweep->events[v];
	if (event->time_ns - event->floor_ns >= step->horizon_ns)
		return;
	if (!(event->mark & LOOKED))
		(void)survey_event(sweep, step, v);
	const int64_t key = event->time_ns - event->floor_ns;
	if (key < step->horizon_ns)
		heap_bring_forward(sweep, v, key > step->shift_ns ? key : step->shift_ns);
}

/* Marks the roots' subtrees, parents before children, and surveys them. Roots come first in sweep->moving. */
static void
collect_moving(struct perseus__sweep *sweep, struct step *step)
{
	const int32_t moving = N_MARKS * sweep->epoch + MOVING;
	int32_t n_near = 0;
	for (int32_t i = 0; i < step->n_moving; i++) {
		const int32_t v = sweep->moving[i];
		struct perseus__event *event = &sweep->events[v];
		event->mark = moving;
		if (event->time_ns - event->floor_ns < step->horizon_ns)
			sweep->near[n_near++] = v;
		for (int32_t child = event->first_child; child != NONE; child = sweep->events[child].next_sibling)
			sweep->moving[step->n_moving++] = child;
	}
	step->n_left = step->n_moving;
	for (int32_t i = 0; i < n_near; i++)
		survey_if_near(sweep, step, sweep->near[i]);
}

/* Surveys what still moves, further ahead. */
static void
survey_further(struct perseus__sweep *sweep, struct step *step)
{
	step->horizon_ns = step->horizon_ns < PERSEUS__UNBOUNDED / 4 ? step->horizon_ns * 4 : INT64_MAX;
	for (int32_t i = 0; i < step->n_moving; i++)
		if (is_moving(sweep, sweep->moving[i]))
			survey_if_near(sweep, step, sweep->moving[i]);
}

/* Pushes flow up to the first saturated arc; what hung on saturated arcs becomes roots of the moving part. */
static bool
augment(struct perseus__sweep *sweep, struct step *step)
{
	const int32_t sink = sweep->network->n_nodes - 1;
	int64_t amount = PERSEUS__UNBOUNDED;
	for (int32_t v = sink; v != 0; v = sweep->tree[v].parent) {
		const int64_t capacity = tree_capacity(sweep, v);
		if (capacity < amount)
			amount = capacity;
	}
	if (amount == PERSEUS__UNBOUNDED)
		return false;
	for (int32_t v = sink; v != 0;) {
		const int32_t parent = sweep->tree[v].parent;
		const int32_t a = sweep->events[v].tree_arc;
		const bool saturated = tree_capacity(sweep, v) == amount;
		push_flow(sweep, v, amount);
		if (saturated) {
			unlink_event(sweep, v);
			untie(sweep, step, v, parent, a);
			sweep->moving[step->n_moving++] = v;
		}
		v = parent;
	}
	sweep->flow += amount;
	return true;
}

/* Moves the moving part until every piece of it is stopped. */
static void
settle(struct perseus__sweep *sweep, struct step *step)
{
	while (step->n_left > 0) {
		if (sweep->heap_size == 0) {
			survey_further(sweep, step);
			continue;
		}
		const struct perseus__heap_entry top = heap_pop(sweep);
		if (!is_moving(sweep, top.event))
			continue;
		step->shift_ns = top.key;
		const struct obstacle obstacle = survey_event(sweep, step, top.event);
		assert(obstacle.resting_ns == sweep->events[top.event].time_ns - step->shift_ns);
		attach(sweep, step, top.event, &obstacle);
	}
	heap_clear(sweep);
}

/* Marks stay unique for 2^28 steps; then they start again. */
static void
next_epoch(struct perseus__sweep *sweep)
{
	if (sweep->epoch < INT32_MAX / N_MARKS - 1) {
		sweep->epoch++;
		return;
	}
	for (int32_t v = 0; v < sweep->network->n_nodes; v++)
		sweep->events[v].mark = 0;
	sweep->epoch = 1;
}

bool
perseus__sweep_step(struct perseus__sweep *sweep)
{
	next_epoch(sweep);
	struct step step = {.horizon_ns = sweep->reach_ns};
	if (!augment(sweep, &step))
		return false;
	collect_moving(sweep, &step);
	settle(sweep, &step);
	/* Follow what is usual, so that the heap neither starves nor drowns. */
	sweep->reach_ns = (3 * sweep->reach_ns + step.shift_ns) / 4 + 1;
	const int64_t time_ns = sweep->events[sweep->network->n_nodes - 1].time_ns;
	sweep->saved += (perseus__wide)sweep->flow * (sweep->time_ns - time_ns);
	sweep->time_ns = time_ns;
	sweep->n_augmentations++;
	return true;
}

/* Recomputes what is derived from times, flows and the tree: residual lengths, children and floors. */
static void
derive(struct perseus__sweep *sweep)
{
	const int32_t n = sweep->network->n_nodes;
	for (int32_t a = 0; a < sweep->network->n_arcs; a++)
		set_residual(sweep, a);
	for (int32_t v = 0; v < n; v++)
		sweep->events[v].first_child = NONE;
	for (int32_t v = n - 1; v > 0; v--)
		link_event(sweep, v, sweep->tree[v].parent, sweep->events[v].tree_arc);
	next_epoch(sweep);
	const struct step step = {0};
	for (int32_t v = 0; v < n; v++)
		sweep->events[v].floor_ns = look_around(sweep, &step, v).resting_ns;
	sweep->time_ns = sweep->events[n - 1].time_ns;
}

/* Longest paths with everything at its greatest length. */
static void
start(struct perseus__sweep *sweep)
{
	const struct perseus__network *network = sweep->network;
	sweep->tree[0] = (struct perseus__tree_link){.parent = NONE, .previous_sibling = NONE};
	sweep->events[0].tree_arc = NONE;
	for (int32_t v = 1; v < network->n_nodes; v++) {
		int64_t latest_ns = INT64_MIN;
		for (int32_t k = network->in_begin[v]; k < network->in_begin[v + 1]; k++) {
			const int32_t a = sweep->in_places[k];
			const struct perseus__arc_state *arc = &sweep->arcs[a];
			const int64_t at_ns = sweep->events[sweep->residuals[a].tail].time_ns
					+ network->length_ns[arc->curve + arc->level];
			if (at_ns <= latest_ns)
				continue;
			latest_ns = at_ns;
			sweep->tree[v].parent = sweep->residuals[a].tail;
			sweep->events[v].tree_arc = a;
		}
		sweep->events[v].time_ns = latest_ns;
	}
	derive(sweep);
	sweep->reach_ns = sweep->time_ns / 1000 + 1;
}

/* Copies the network's arcs, by tail, without flow and at their greatest length. */
static void
place_arcs(struct perseus__sweep *sweep)
{
	const struct perseus__network *network = sweep->network;
	for (int32_t k = 0; k < network->n_arcs; k++) {
		const struct perseus__arc *arc = &network->arcs[network->out_arcs[k]];
		sweep->place[network->out_arcs[k]] = k;
		sweep->residuals[k] = (struct perseus__residual){.tail = arc->tail, .head = arc->head};
		sweep->arcs[k] = (struct perseus__arc_state){
				.curve = arc->curve, .n_lengths = arc->n_lengths, .level = arc->n_lengths - 1};
	}
	for (int32_t k = 0; k < network->n_arcs; k++)
		sweep->in_places[k] = sweep->place[network->in_arcs[k]];
}

enum perseus_status
perseus__sweep_init(struct perseus__sweep *sweep, const struct perseus__network *network, struct perseus_error *err)
{
	struct perseus__sweep built = {.network = network};
	const size_t n_nodes = (size_t)network->n_nodes;
	const size_t n_arcs = (size_t)network->n_arcs;
	built.events = perseus__new_array(n_nodes, sizeof *built.events);
	built.tree = perseus__new_array(n_nodes, sizeof *built.tree);
	built.residuals = perseus__new_array(n_arcs, sizeof *built.residuals);
	built.arcs = perseus__new_array(n_arcs, sizeof *built.arcs);
	built.place = perseus__new_array(n_arcs, sizeof *built.place);
	built.in_places = perseus__new_array(n_arcs, sizeof *built.in_places);
	built.moving = perseus__new_array(n_nodes, sizeof *built.moving);
	built.near = perseus__new_array(n_nodes, sizeof *built.near);
	built.margin_ns = perseus__new_array(n_nodes, sizeof *built.margin_ns);
	built.heap = perseus__new_array(n_nodes, sizeof *built.heap);
	built.heap_index = perseus__new_array(n_nodes, sizeof *built.heap_index);
	if (!built.events || !built.tree || !built.residuals || !built.arcs || !built.place || !built.in_places
			|| !built.moving || !built.near || !built.margin_ns || !built.heap || !built.heap_index) {
		perseus__sweep_fini(&built);
		return perseus__no_memory(err);
	}
	place_arcs(&built);
	start(&built);
	*sweep = built;
	return PERSEUS_OK;
}

void
perseus__sweep_fini(struct perseus__sweep *sweep)
{
	perseus__free(sweep->events);
	perseus__free(sweep->tree);
	perseus__free(sweep->residuals);
	perseus__free(sweep->arcs);
	perseus__free(sweep->place);
	perseus__free(sweep->in_places);
	perseus__free(sweep->moving);
	perseus__free(sweep->near);
	perseus__free(sweep->margin_ns);
	perseus__free(sweep->heap);
	perseus__free(sweep->heap_index);
	*sweep = (struct perseus__sweep){0};
}

/* A saved state: header, then times, arc flows, tree and levels, each array whole. */
struct saved_header {
	int64_t flow;
	int64_t reach_ns;
	int64_t n_augmentations;
	perseus__wide saved;
};

struct saved_tree {
	int32_t parent;
	int32_t arc;
};

size_t
perseus__sweep_state_bytes(const struct perseus__network *network)
{
	const size_t bytes = sizeof(struct saved_header)
			+ (size_t)network->n_nodes * (sizeof(int64_t) + sizeof(struct saved_tree))
			+ (size_t)network->n_arcs * (sizeof(int64_t) + sizeof(int32_t));
	const size_t alignment = _Alignof(struct saved_header);
	return (bytes + alignment - 1) / alignment * alignment;
}

void
perseus__sweep_save(const struct perseus__sweep *sweep, void *state)
{
	const struct perseus__network *network = sweep->network;
	struct saved_header *header = state;
	*header = (struct saved_header){.flow = sweep->flow, .reach_ns = sweep->reach_ns,
			.n_augmentations = sweep->n_augmentations, .saved = sweep->saved};
	int64_t *time_ns = (int64_t *)(header + 1);
	int64_t *arc_flow = time_ns + network->n_nodes;
	struct saved_tree *tree = (struct saved_tree *)(arc_flow + network->n_arcs);
	int32_t *arc_level = (int32_t *)(tree + network->n_nodes);
	for (int32_t v = 0; v < network->n_nodes; v++) {
		time_ns[v] = sweep->events[v].time_ns;
		tree[v] = (struct saved_tree){.parent = sweep->tree[v].parent, .arc = sweep->events[v].tree_arc};
	}
	for (int32_t a = 0; a < network->n_arcs; a++) {
		arc_flow[a] = sweep->arcs[a].flow;
		arc_level[a] = sweep->arcs[a].level;
	}
}

void
perseus__sweep_restore(struct perseus__sweep *sweep, const void *state)
{
	const struct perseus__network *network = sweep->network;
	const struct saved_header *header = state;
	sweep->flow = header->flow;
	sweep->reach_ns = header->reach_ns;
	sweep->saved = header->saved;
	sweep->n_augmentations = header->n_augmentations;
	const int64_t *time_ns = (const int64_t *)(header + 1);
	const int64_t *arc_flow = time_ns + network->n_nodes;
	const struct saved_tree *tree = (const struct saved_tree *)(arc_flow + network->n_arcs);
	const int32_t *arc_level = (const int32_t *)(tree + network->n_nodes);
	for (int32_t v = 0; v < network->n_nodes; v++) {
		sweep->events[v].time_ns = time_ns[v];
		sweep->events[v].tree_arc = tree[v].arc;
		sweep->tree[v].parent = tree[v].parent;
	}
	for (int32_t a = 0; a < network->n_arcs; a++) {
		sweep->arcs[a].flow = arc_flow[a];
		sweep->arcs[a].level = arc_level[a];
	}
	derive(sweep);
}

int64_t
perseus__sweep_flow(const struct perseus__sweep *sweep, int32_t arc)
{
	return sweep->arcs[sweep->place[arc]].flow;
}
