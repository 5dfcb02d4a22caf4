/* The invariants of a sweep between two steps. */
#include "flow/sweep.h"

#include "base/error.h"
#include "base/memory.h"

static enum perseus_status
violated(struct perseus_error *err, const char *what, int32_t where)
{
	return perseus__fail(err, PERSEUS_INTERNAL, "sweep: %s at %d", what, (int)where);
}

static enum perseus_status
check_arcs(const struct perseus__sweep *sweep, struct perseus_error *err)
{
	const struct perseus__network *network = sweep->network;
	for (int32_t a = 0; a < network->n_arcs; a++) {
		const struct perseus__residual arc = sweep->residuals[a];
		const int64_t *length_ns = network->length_ns + sweep->arcs[a].curve;
		const int64_t *slope = network->slope + sweep->arcs[a].curve;
		const int32_t level = sweep->arcs[a].level;
		const int64_t flow = sweep->arcs[a].flow;
		if (level < 0 || level >= sweep->arcs[a].n_lengths || flow < slope[level + 1] || flow >= slope[level])
			return violated(err, "flow does not fit its level", a);
		const int64_t span_ns = sweep->events[arc.head].time_ns - sweep->events[arc.tail].time_ns;
		if (span_ns < length_ns[level])
			return violated(err, "arc shorter than its residual length", a);
		if (flow > slope[level + 1] && span_ns > length_ns[level])
			return violated(err, "arc longer than its flow allows", a);
		if (flow == slope[level + 1] && level + 1 < sweep->arcs[a].n_lengths && span_ns > length_ns[level + 1])
			return violated(err, "arc longer than its next length", a);
	}
	return PERSEUS_OK;
}

static enum perseus_status
check_conservation(const struct perseus__sweep *sweep, struct perseus_error *err)
{
	const struct perseus__network *network = sweep->network;
	for (int32_t v = 0; v < network->n_nodes; v++) {
		int64_t balance = 0;
		for (int32_t k = network->in_begin[v]; k < network->in_begin[v + 1]; k++)
			balance += perseus__sweep_flow(sweep, network->in_arcs[k]);
		for (int32_t k = network->out_begin[v]; k < network->out_begin[v + 1]; k++)
			balance -= perseus__sweep_flow(sweep, network->out_arcs[k]);
		const int64_t expected = v == 0 ? -sweep->flow : v == network->n_nodes - 1 ? sweep->flow : 0;
		if (balance != expected)
			return violated(err, "flow not conserved", v);
	}
	return PERSEUS_OK;
}

/* Is the tree arc above v tight and does it exist in the residual graph? Arcs themselves were checked before. */
static bool
is_tight(const struct perseus__sweep *sweep, int32_t v)
{
	const struct perseus__network *network = sweep->network;
	const int32_t a = sweep->events[v].tree_arc;
	const struct perseus__residual arc = sweep->residuals[a];
	const int64_t *length_ns = network->length_ns + sweep->arcs[a].curve;
	const int64_t *slope = network->slope + sweep->arcs[a].curve;
	const int32_t level = sweep->arcs[a].level;
	const int64_t span_ns = sweep->events[arc.head].time_ns - sweep->events[arc.tail].time_ns;
	if (arc.head == v)
		return arc.tail == sweep->tree[v].parent && span_ns == length_ns[level];
	if (arc.head != sweep->tree[v].parent)
		return false;
	if (sweep->arcs[a].flow > slope[level + 1])
		return span_ns == length_ns[level];
	return level + 1 < sweep->arcs[a].n_lengths && span_ns == length_ns[level + 1];
}

static enum perseus_status
check_tree(const struct perseus__sweep *sweep, struct perseus_error *err)
{
	const int32_t n = sweep->network->n_nodes;
	for (int32_t v = 1; v < n; v++)
		if (sweep->tree[v].parent < 0 || !is_tight(sweep, v))
			return violated(err, "tree arc not tight", v);
	/* Every event is reached from the source exactly once. */
	int32_t *queue = perseus__new_array((size_t)n, sizeof *queue);
	if (!queue)
		return perseus__no_memory(err);
	int32_t n_reached = 1;
	for (int32_t i = 0; i < n_reached && n_reached <= n; i++)
		for (int32_t v = sweep->events[queue[i]].first_child; v >= 0 && n_reached < n;
				v = sweep->events[v].next_sibling)
			queue[n_reached++] = v;
	perseus__free(queue);
	return n_reached == n ? PERSEUS_OK : violated(err, "tree does not span", n_reached);
}

/* The true bound of every residual arc outside the tree is at most the floor. */
static enum perseus_status
check_floors(const struct perseus__sweep *sweep, struct perseus_error *err)
{
	const struct perseus__network *network = sweep->network;
	for (int32_t a = 0; a < network->n_arcs; a++) {
		const struct perseus__residual arc = sweep->residuals[a];
		if (sweep->events[arc.head].tree_arc == a || sweep->events[arc.tail].tree_arc == a)
			continue;
		const int64_t *length_ns = network->length_ns + sweep->arcs[a].curve;
		const int64_t *slope = network->slope + sweep->arcs[a].curve;
		const int32_t level = sweep->arcs[a].level;
		if (sweep->events[arc.head].floor_ns < sweep->events[arc.tail].time_ns + length_ns[level])
			return violated(err, "floor below a forward arc", a);
		const bool inside = sweep->arcs[a].flow > slope[level + 1];
		if (!inside && level + 1 >= sweep->arcs[a].n_lengths)
			continue;
		if (sweep->events[arc.tail].floor_ns < sweep->events[arc.head].time_ns - length_ns[level + !inside])
			return violated(err, "floor below a backward arc", a);
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__sweep_check(const struct perseus__sweep *sweep, struct perseus_error *err)
{
	enum perseus_status status = check_arcs(sweep, err);
	if (status == PERSEUS_OK)
		status = check_conservation(sweep, err);
	if (status == PERSEUS_OK)
		status = check_tree(sweep, err);
	if (status == PERSEUS_OK)
		status = check_floors(sweep, err);
	return status;
}
