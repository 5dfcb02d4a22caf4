/*
 * Longest paths over cell times.
 */
#include "plan/longest.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

static void
fill(struct perseus__longest *longest, const struct perseus__coarse *coarse, int32_t *place)
{
	const struct perseus__workload *workload = coarse->workload;
	const struct perseus__dag *dag = &workload->dag;
	int32_t n_edges = 0;
	for (int32_t v = 0; v < longest->n_nodes; v++) {
		const int32_t i = dag->order[v];
		place[i] = v;
		longest->cell[v] = coarse->cell_of[i];
		for (int32_t k = dag->predecessor_begin[i]; k < dag->predecessor_begin[i + 1]; k++)
			longest->edges[n_edges++] = (struct perseus__longest_edge){
				.from = place[dag->predecessors[k].node], .lag_ns = workload->lag_ns[dag->predecessors[k].edge]};
		longest->begin[v + 1] = n_edges;
	}
}

enum perseus_status
perseus__longest_init(struct perseus__longest *longest, const struct perseus__coarse *coarse, struct perseus_error *err)
{
	const size_t n = (size_t)coarse->workload->dag.n_nodes;
	struct perseus__longest made = {.n_nodes = coarse->workload->dag.n_nodes, .n_cells = coarse->n_cells};
	int32_t *place = perseus__new_array(n, sizeof *place);
	made.cell = perseus__new_array(n, sizeof *made.cell);
	made.begin = perseus__new_array(n + 1, sizeof *made.begin);
	made.edges = perseus__new_array((size_t)coarse->workload->dag.n_edges, sizeof *made.edges);
	made.finish_ns = perseus__new_array(n, sizeof *made.finish_ns);
	made.time_ns = perseus__new_array((size_t)coarse->n_cells, sizeof *made.time_ns);
	if (!place || !made.cell || !made.begin || !made.edges || !made.finish_ns || !made.time_ns) {
		perseus__free(place);
		perseus__longest_fini(&made);
		return perseus__no_memory(err);
	}
	fill(&made, coarse, place);
	perseus__free(place);
	*longest = made;
	return PERSEUS_OK;
}

void
perseus__longest_fini(struct perseus__longest *longest)
{
	perseus__free(longest->cell);
	perseus__free(longest->begin);
	perseus__free(longest->edges);
	perseus__free(longest->finish_ns);
	perseus__free(longest->time_ns);
	*longest = (struct perseus__longest){0};
}

int64_t
perseus__longest_makespan(struct perseus__longest *longest)
{
	int64_t makespan_ns = 0;
	int32_t k = 0;
	for (int32_t v = 0; v < longest->n_nodes; v++) {
		int64_t start_ns = 0;
		for (const int32_t end = longest->begin[v + 1]; k < end; k++) {
			const int64_t ready_ns = longest->finish_ns[longest->edges[k].from] + longest->edges[k].lag_ns;
			start_ns = ready_ns > start_ns ? ready_ns : start_ns;
		}
		longest->finish_ns[v] = start_ns + longest->time_ns[longest->cell[v]];
		makespan_ns = longest->finish_ns[v] > makespan_ns ? longest->finish_ns[v] : makespan_ns;
	}
	return makespan_ns;
}

int64_t
perseus__longest_path(const struct perseus__longest *longest, int32_t *count)
{
	memset(count, 0, (size_t)longest->n_cells * sizeof *count);
	int32_t v = 0;
	for (int32_t w = 1; w < longest->n_nodes; w++)
		if (longest->finish_ns[w] > longest->finish_ns[v])
			v = w;
	int64_t lags_ns = 0;
	for (int32_t via = v; via >= 0;) {
		v = via;
		via = -1;
		count[longest->cell[v]]++;
		const int64_t start_ns = longest->finish_ns[v] - longest->time_ns[longest->cell[v]];
		for (int32_t k = longest->begin[v]; k < longest->begin[v + 1] && via < 0; k++)
			if (longest->finish_ns[longest->edges[k].from] + longest->edges[k].lag_ns == start_ns) {
				via = longest->edges[k].from;
				lags_ns += longest->edges[k].lag_ns;
			}
	}
	return lags_ns;
}
