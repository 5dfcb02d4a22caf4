/* Building the reduced event graph. */
#include "flow/network.h"

#include "base/error.h"
#include "base/memory.h"
#include "flow/reduce.h"

/* A curve of the pool. */
struct pooled {
	int32_t begin;
	int32_t n;
};

/* Writes one curve to the pool; each takes n + 1 entries so that slope[n] has room. */
static struct pooled
pool_curve(struct perseus__network *network, int32_t begin, const struct perseus__curve *curve)
{
	for (int32_t k = 0; k < curve->n; k++)
		network->length_ns[begin + k] = curve->length_ns[k];
	for (int32_t k = 0; k <= curve->n; k++)
		network->slope[begin + k] = curve->slope[k];
	return (struct pooled){.begin = begin, .n = curve->n};
}

static struct pooled
pool_constant(struct perseus__network *network, int32_t begin, int64_t length_ns)
{
	const int64_t slope[2] = {PERSEUS__UNBOUNDED, 0};
	const struct perseus__curve curve = {.n = 1, .length_ns = &length_ns, .slope = slope};
	return pool_curve(network, begin, &curve);
}

/* Start and end of activity i are events 2i and 2i+1; then come source and sink. */
static int32_t
start_event(int32_t activity)
{
	return 2 * activity;
}

static int32_t
end_event(int32_t activity)
{
	return 2 * activity + 1;
}

/* Which activities wait for another, and which are waited for. */
struct ends {
	bool *waits;
	bool *awaited;
};

/* The graph before reduction: edges without a lag become precedences, those with one become activities. */
static enum perseus_status
expand(struct perseus__event_graph *graph, const struct perseus__activities *given, const struct ends *ends,
		struct perseus_error *err)
{
	const int32_t n = given->n_activities;
	int32_t n_lagged = 0;
	for (int32_t e = 0; e < given->n_edges; e++) {
		n_lagged += given->lag_ns[e] != 0;
		ends->awaited[given->edges[e].from] = true;
		ends->waits[given->edges[e].to] = true;
	}
	*graph = (struct perseus__event_graph){.n_events = 2 * n + 2, .source = 2 * n, .sink = 2 * n + 1};
	graph->activities = perseus__new_array((size_t)n + (size_t)n_lagged, sizeof *graph->activities);
	graph->precedences = perseus__new_array((size_t)given->n_edges + 2 * (size_t)n, sizeof *graph->precedences);
	if (!graph->activities || !graph->precedences)
		return perseus__no_memory(err);

	for (int32_t i = 0; i < n; i++) {
		graph->activities[graph->n_activities++] = (struct perseus__pair){.tail = start_event(i), .head = end_event(i)};
		if (!ends->waits[i])
			graph->precedences[graph->n_precedences++] =
					(struct perseus__pair){.tail = graph->source, .head = start_event(i)};
		if (!ends->awaited[i])
			graph->precedences[graph->n_precedences++] =
					(struct perseus__pair){.tail = end_event(i), .head = graph->sink};
	}
	for (int32_t e = 0; e < given->n_edges; e++) {
		const struct perseus__pair pair = {
			.tail = end_event(given->edges[e].from), .head = start_event(given->edges[e].to)};
		if (given->lag_ns[e] != 0)
			graph->activities[graph->n_activities++] = pair;
		else
			graph->precedences[graph->n_precedences++] = pair;
	}
	return PERSEUS_OK;
}

static void
fill_incidence(struct perseus__network *network, int32_t *begin, int32_t *arcs, bool by_head)
{
	for (int32_t a = 0; a < network->n_arcs; a++)
		begin[(by_head ? network->arcs[a].head : network->arcs[a].tail) + 1]++;
	for (int32_t v = 0; v < network->n_nodes; v++)
		begin[v + 1] += begin[v];
	for (int32_t a = network->n_arcs - 1; a >= 0; a--)
		arcs[--begin[(by_head ? network->arcs[a].head : network->arcs[a].tail) + 1]] = a;
	for (int32_t v = 0; v < network->n_nodes; v++)
		begin[v] = begin[v + 1];
	begin[network->n_nodes] = network->n_arcs;
}

/* Gives every arc its curve; pools each curve once. */
static void
assign_curves(struct perseus__network *network, const struct perseus__activities *given,
		const struct perseus__event_graph *graph, struct pooled *pooled)
{
	int32_t begin = 0;
	for (int32_t c = 0; c < given->n_curves; c++) {
		pooled[c] = pool_curve(network, begin, &given->curves[c]);
		begin += given->curves[c].n + 1;
	}
	const struct pooled precedence = pool_constant(network, begin, 0);
	begin += 2;
	int32_t a = 0;
	for (; a < given->n_activities; a++) {
		network->arcs[a].curve = pooled[given->curve_of[a]].begin;
		network->arcs[a].n_lengths = pooled[given->curve_of[a]].n;
	}
	for (int32_t e = 0; e < given->n_edges; e++) {
		if (given->lag_ns[e] == 0)
			continue;
		network->arcs[a].curve = pool_constant(network, begin, given->lag_ns[e]).begin;
		network->arcs[a++].n_lengths = 1;
		begin += 2;
	}
	for (; a < network->n_arcs; a++) {
		network->arcs[a].curve = precedence.begin;
		network->arcs[a].n_lengths = precedence.n;
	}
	for (int32_t i = 0; i < network->n_arcs; i++) {
		const struct perseus__pair pair =
				i < graph->n_activities ? graph->activities[i] : graph->precedences[i - graph->n_activities];
		network->arcs[i].tail = pair.tail;
		network->arcs[i].head = pair.head;
	}
}

/* Renumbers the surviving events in topological order, source first and sink last. */
static enum perseus_status
renumber(struct perseus__network *network, const struct perseus__event_graph *graph, struct perseus_error *err)
{
	const int32_t n_events = graph->n_events;
	int32_t *waits_for = perseus__new_array((size_t)n_events, sizeof *waits_for);
	int32_t *begin = perseus__new_array((size_t)n_events + 1, sizeof *begin);
	int32_t *by_tail = perseus__new_array((size_t)network->n_arcs, sizeof *by_tail);
	int32_t *queue = perseus__new_array((size_t)n_events, sizeof *queue);
	int32_t *number = perseus__new_array((size_t)n_events, sizeof *number);
	enum perseus_status status = PERSEUS_OK;
	if (!waits_for || !begin || !by_tail || !queue || !number) {
		status = perseus__no_memory(err);
		goto out;
	}
	for (int32_t a = 0; a < network->n_arcs; a++) {
		waits_for[network->arcs[a].head]++;
		begin[network->arcs[a].tail + 1]++;
	}
	for (int32_t v = 0; v < n_events; v++)
		begin[v + 1] += begin[v];
	for (int32_t a = network->n_arcs - 1; a >= 0; a--)
		by_tail[--begin[network->arcs[a].tail + 1]] = a;
	/* begin[v + 1] is now the start of row v; its end is begin[v + 2], or the number of arcs. */
	int32_t n = 0;
	queue[n++] = graph->source;
	for (int32_t i = 0; i < n; i++) {
		const int32_t v = queue[i];
		const int32_t end = v + 2 <= n_events ? begin[v + 2] : network->n_arcs;
		for (int32_t k = begin[v + 1]; k < end; k++) {
			const int32_t head = network->arcs[by_tail[k]].head;
			if (--waits_for[head] == 0)
				queue[n++] = head;
		}
	}
	for (int32_t i = 0; i < n; i++)
		number[queue[i]] = i;
	for (int32_t a = 0; a < network->n_arcs; a++) {
		network->arcs[a].tail = number[network->arcs[a].tail];
		network->arcs[a].head = number[network->arcs[a].head];
	}
	network->n_nodes = n;
out:
	perseus__free(waits_for);
	perseus__free(begin);
	perseus__free(by_tail);
	perseus__free(queue);
	perseus__free(number);
	return status;
}

static enum perseus_status
build(struct perseus__network *network, const struct perseus__activities *given,
		const struct perseus__event_graph *graph, struct perseus_error *err)
{
	network->n_activities = given->n_activities;
	network->n_lagged = graph->n_activities - given->n_activities;
	network->n_arcs = graph->n_activities + graph->n_precedences;
	size_t n_pool = 2 + 2 * (size_t)network->n_lagged;
	for (int32_t c = 0; c < given->n_curves; c++)
		n_pool += (size_t)given->curves[c].n + 1;
	struct pooled *pooled = perseus__new_array((size_t)given->n_curves, sizeof *pooled);
	network->arcs = perseus__new_array((size_t)network->n_arcs, sizeof *network->arcs);
	network->length_ns = perseus__new_array(n_pool, sizeof *network->length_ns);
	network->slope = perseus__new_array(n_pool, sizeof *network->slope);
	enum perseus_status status = PERSEUS_OK;
	if (!pooled || !network->arcs || !network->length_ns || !network->slope) {
		status = perseus__no_memory(err);
		goto out;
	}
	assign_curves(network, given, graph, pooled);
	status = renumber(network, graph, err);
	if (status != PERSEUS_OK)
		goto out;
	network->out_begin = perseus__new_array((size_t)network->n_nodes + 1, sizeof *network->out_begin);
	network->in_begin = perseus__new_array((size_t)network->n_nodes + 1, sizeof *network->in_begin);
	network->out_arcs = perseus__new_array((size_t)network->n_arcs, sizeof *network->out_arcs);
	network->in_arcs = perseus__new_array((size_t)network->n_arcs, sizeof *network->in_arcs);
	if (!network->out_begin || !network->in_begin || !network->out_arcs || !network->in_arcs) {
		status = perseus__no_memory(err);
		goto out;
	}
	fill_incidence(network, network->out_begin, network->out_arcs, false);
	fill_incidence(network, network->in_begin, network->in_arcs, true);
out:
	perseus__free(pooled);
	return status;
}

enum perseus_status
perseus__network_init(
		struct perseus__network *network, const struct perseus__activities *activities, struct perseus_error *err)
{
	struct perseus__network built = {0};
	struct perseus__event_graph graph = {0};
	const struct ends ends = {.waits = perseus__new_array((size_t)activities->n_activities, sizeof *ends.waits),
		.awaited = perseus__new_array((size_t)activities->n_activities, sizeof *ends.awaited)};
	enum perseus_status status = ends.waits && ends.awaited ? PERSEUS_OK : perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = expand(&graph, activities, &ends, err);
	if (status == PERSEUS_OK)
		status = perseus__reduce(&graph, err);
	if (status == PERSEUS_OK)
		status = build(&built, activities, &graph, err);
	if (status == PERSEUS_OK)
		*network = built;
	else
		perseus__network_fini(&built);
	perseus__free(graph.activities);
	perseus__free(graph.precedences);
	perseus__free(ends.waits);
	perseus__free(ends.awaited);
	return status;
}

void
perseus__network_fini(struct perseus__network *network)
{
	perseus__free(network->arcs);
	perseus__free(network->length_ns);
	perseus__free(network->slope);
	perseus__free(network->out_begin);
	perseus__free(network->out_arcs);
	perseus__free(network->in_begin);
	perseus__free(network->in_arcs);
	*network = (struct perseus__network){0};
}
