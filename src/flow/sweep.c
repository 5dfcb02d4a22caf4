/*
 * The parametric sweep. A step pushes flow along the longest path of the residual graph until an arc of it saturates;
 * what hung below that arc in the tree of longest paths comes nearer to the source, rigidly, until residual arcs stop
 * it piece by piece.
 */
#include "flow/sweep_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/*
 * Pulling an event costs less than pushing one, since floors spare it most looks; the source's side is pushed where it
 * is this many times smaller.
 */
enum { PUSH_COST = 3 };

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

/* Is there more to push, and how much fits through every arc of the longest path? */
static bool
find_amount(const struct perseus__sweep *sweep, int64_t *amount)
{
	*amount = PERSEUS__UNBOUNDED;
	for (int32_t v = sweep->network->n_nodes - 1; v != 0; v = sweep->tree[v].parent) {
		const int64_t capacity = tree_capacity(sweep, v);
		if (capacity < *amount)
			*amount = capacity;
	}
	return *amount != PERSEUS__UNBOUNDED;
}

/*
 * Pushes flow along the longest path. The saturated arcs leave the tree; the path from the sink up to the last of them
 * is kept, as it is cut off.
 */
static void
augment(struct perseus__sweep *sweep, struct step *step, int64_t amount)
{
	int32_t n = 0;
	for (int32_t v = sweep->network->n_nodes - 1; v != 0;) {
		const int32_t parent = sweep->tree[v].parent;
		const int32_t a = sweep->events[v].tree_arc;
		const bool is_saturated = tree_capacity(sweep, v) == amount;
		push_flow(sweep, v, amount);
		sweep->path[n++] = (struct perseus__path_event){.event = v, .arc = a};
		if (is_saturated) {
			perseus__sweep_unlink(sweep, v);
			sweep->untied[step->n_untied++] = (struct perseus__untied){.child = v, .parent = parent, .arc = a};
			sweep->moving[step->n_moving++] = v;
			step->n_path = n;
			if (step->n_lowest == 0)
				step->n_lowest = n;
		}
		v = parent;
	}
	for (int32_t i = 0; i < step->n_lowest; i++)
		sweep->lowest_epoch[sweep->path[i].event] = sweep->epoch;
	sweep->flow += amount;
}

/* Lists all that hangs below the `*n` events listed, parents before children; false once that are more than `limit`. */
static bool
list_below(const struct perseus__sweep *sweep, int32_t *list, int32_t *n, int32_t limit)
{
	for (int32_t i = 0; i < *n; i++) {
		int32_t child = sweep->events[list[i]].first_child;
		for (; child != NONE; child = sweep->events[child].next_sibling)
			list[(*n)++] = child;
		if (*n > limit)
			return false;
	}
	return true;
}

/*
 * Lists the side that is less to touch: what hangs on the roots in sweep->moving, or what still hangs on the source in
 * sweep->resting. True where it is the source's. Where the path is cut early, most of the graph is cut off, so that the
 * right side is nearly always listed first.
 */
static bool
find_smaller_side(struct perseus__sweep *sweep, struct step *step)
{
	const int32_t n = sweep->network->n_nodes;
	const int32_t push_limit = n / (1 + PUSH_COST);
	const bool is_early = perseus__sweep_time(sweep, sweep->moving[step->n_moving - 1]) < sweep->time_ns / 2;
	sweep->resting[0] = 0;
	step->n_joined = 1;
	if (is_early && list_below(sweep, sweep->resting, &step->n_joined, push_limit))
		return true;
	if (list_below(sweep, sweep->moving, &step->n_moving, is_early ? n : n - push_limit))
		return false;
	return list_below(sweep, sweep->resting, &step->n_joined, n);
}

/* Marks stay unique for 2^27 steps; then they start again. */
static void
next_epoch(struct perseus__sweep *sweep)
{
	if (sweep->epoch < INT32_MAX / N_MARKS - 1) {
		sweep->epoch++;
		return;
	}
	for (int32_t v = 0; v < sweep->network->n_nodes; v++) {
		sweep->events[v].mark = 0;
		sweep->lowest_epoch[v] = 0;
	}
	sweep->epoch = 1;
}

static int64_t
iteration_time(const struct perseus__sweep *sweep)
{
	return perseus__sweep_time(sweep, sweep->network->n_nodes - 1);
}

bool
perseus__sweep_step(struct perseus__sweep *sweep)
{
	int64_t amount;
	if (!find_amount(sweep, &amount))
		return false;
	next_epoch(sweep);
	struct step step = {.horizon_ns = sweep->reach_ns};
	augment(sweep, &step, amount);
	if (find_smaller_side(sweep, &step))
		perseus__sweep_push(sweep, &step);
	else
		perseus__sweep_pull(sweep, &step);
	/* Follow what is usual, so that the heap neither starves nor drowns. */
	sweep->reach_ns = (3 * sweep->reach_ns + step.shift_ns) / 4 + 1;
	const int64_t time_ns = iteration_time(sweep);
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
		perseus__sweep_link(sweep, v, sweep->tree[v].parent, sweep->events[v].tree_arc);
	next_epoch(sweep);
	const struct step step = {0};
	for (int32_t v = 0; v < n; v++)
		sweep->events[v].floor_ns = perseus__sweep_look_around(sweep, &step, v).resting_ns;
	sweep->time_ns = iteration_time(sweep);
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
			const int64_t at_ns =
					sweep->events[sweep->residuals[a].tail].time_ns + network->length_ns[arc->curve + arc->level];
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
	built.resting = perseus__new_array(n_nodes, sizeof *built.resting);
	built.joined_ns = perseus__new_array(n_nodes, sizeof *built.joined_ns);
	built.met_arc = perseus__new_array(n_nodes, sizeof *built.met_arc);
	built.path = perseus__new_array(n_nodes, sizeof *built.path);
	built.lowest_epoch = perseus__new_array(n_nodes, sizeof *built.lowest_epoch);
	built.untied = perseus__new_array(n_nodes, sizeof *built.untied);
	built.heap = perseus__new_array(n_nodes, sizeof *built.heap);
	built.heap_index = perseus__new_array(n_nodes, sizeof *built.heap_index);
	if (!built.events || !built.tree || !built.residuals || !built.arcs || !built.place || !built.in_places
			|| !built.moving || !built.near || !built.margin_ns || !built.resting || !built.joined_ns || !built.met_arc
			|| !built.path || !built.lowest_epoch || !built.untied || !built.heap || !built.heap_index) {
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
	perseus__free(sweep->resting);
	perseus__free(sweep->joined_ns);
	perseus__free(sweep->met_arc);
	perseus__free(sweep->path);
	perseus__free(sweep->lowest_epoch);
	perseus__free(sweep->untied);
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
	*header = (struct saved_header){.flow = sweep->flow,
		.reach_ns = sweep->reach_ns,
		.n_augmentations = sweep->n_augmentations,
		.saved = sweep->saved};
	int64_t *time_ns = (int64_t *)(header + 1);
	int64_t *arc_flow = time_ns + network->n_nodes;
	struct saved_tree *tree = (struct saved_tree *)(arc_flow + network->n_arcs);
	int32_t *arc_level = (int32_t *)(tree + network->n_nodes);
	for (int32_t v = 0; v < network->n_nodes; v++) {
		time_ns[v] = perseus__sweep_time(sweep, v);
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

int64_t
perseus__sweep_time(const struct perseus__sweep *sweep, int32_t event)
{
	return sweep->events[event].time_ns - sweep->events[0].time_ns;
}
