/* Computation DAG in compressed sparse rows. */
#include "dag/dag.h"

#include "base/error.h"
#include "base/memory.h"

/* Counting sort of the edges by one end; the other end and the index go into `links`. */
static void
fill_rows(const struct perseus__dag *dag, const struct perseus_edge *edges, int32_t *begin, struct perseus__link *links,
		int by_target)
{
	for (int32_t e = 0; e < dag->n_edges; e++)
		begin[(by_target ? edges[e].to : edges[e].from) + 1]++;
	for (int32_t v = 0; v < dag->n_nodes; v++)
		begin[v + 1] += begin[v];
	for (int32_t e = dag->n_edges - 1; e >= 0; e--) {
		const int32_t near = by_target ? edges[e].to : edges[e].from;
		const int32_t far = by_target ? edges[e].from : edges[e].to;
		links[--begin[near + 1]] = (struct perseus__link){.node = far, .edge = e};
	}
	/* begin[v+1] is now where row v starts: shift back by one. */
	for (int32_t v = 0; v < dag->n_nodes; v++)
		begin[v] = begin[v + 1];
	begin[dag->n_nodes] = dag->n_edges;
}

/* Kahn 1962; `order` serves as the queue. */
static enum perseus_status
sort_topologically(struct perseus__dag *dag, struct perseus_error *err)
{
	int32_t *waits_for = perseus__new_array((size_t)dag->n_nodes, sizeof *waits_for);
	if (!waits_for)
		return perseus__no_memory(err);
	int32_t n = 0;
	for (int32_t v = 0; v < dag->n_nodes; v++) {
		waits_for[v] = dag->predecessor_begin[v + 1] - dag->predecessor_begin[v];
		if (waits_for[v] == 0)
			dag->order[n++] = v;
	}
	for (int32_t i = 0; i < n; i++) {
		const int32_t v = dag->order[i];
		for (int32_t k = dag->successor_begin[v]; k < dag->successor_begin[v + 1]; k++)
			if (--waits_for[dag->successors[k].node] == 0)
				dag->order[n++] = dag->successors[k].node;
	}
	dag->n_ordered = n;
	perseus__free(waits_for);
	return PERSEUS_OK;
}

enum perseus_status
perseus__dag_init(struct perseus__dag *dag, int32_t n_nodes, const struct perseus_edge *edges, int32_t n_edges,
		struct perseus_error *err)
{
	struct perseus__dag built = {.n_nodes = n_nodes, .n_edges = n_edges};
	built.successor_begin = perseus__new_array((size_t)n_nodes + 1, sizeof *built.successor_begin);
	built.predecessor_begin = perseus__new_array((size_t)n_nodes + 1, sizeof *built.predecessor_begin);
	built.successors = perseus__new_array((size_t)n_edges, sizeof *built.successors);
	built.predecessors = perseus__new_array((size_t)n_edges, sizeof *built.predecessors);
	built.order = perseus__new_array((size_t)n_nodes, sizeof *built.order);
	enum perseus_status status = PERSEUS_OK;
	if (!built.successor_begin || !built.predecessor_begin || !built.successors || !built.predecessors
			|| !built.order) {
		status = perseus__no_memory(err);
		goto fail;
	}
	fill_rows(&built, edges, built.successor_begin, built.successors, 0);
	fill_rows(&built, edges, built.predecessor_begin, built.predecessors, 1);
	status = sort_topologically(&built, err);
	if (status != PERSEUS_OK)
		goto fail;
	*dag = built;
	return PERSEUS_OK;
fail:
	perseus__dag_fini(&built);
	return status;
}

void
perseus__dag_fini(struct perseus__dag *dag)
{
	perseus__free(dag->successor_begin);
	perseus__free(dag->predecessor_begin);
	perseus__free(dag->successors);
	perseus__free(dag->predecessors);
	perseus__free(dag->order);
	*dag = (struct perseus__dag){0};
}

int64_t
perseus__dag_earliest(
		const struct perseus__dag *dag, const int64_t *duration_ns, const int64_t *lag_ns, int64_t *start_ns)
{
	int64_t makespan_ns = 0;
	for (int32_t i = 0; i < dag->n_ordered; i++) {
		const int32_t v = dag->order[i];
		int64_t start = 0;
		for (int32_t k = dag->predecessor_begin[v]; k < dag->predecessor_begin[v + 1]; k++) {
			const struct perseus__link link = dag->predecessors[k];
			const int64_t ready = start_ns[link.node] + duration_ns[link.node] + (lag_ns ? lag_ns[link.edge] : 0);
			if (ready > start)
				start = ready;
		}
		start_ns[v] = start;
		if (start + duration_ns[v] > makespan_ns)
			makespan_ns = start + duration_ns[v];
	}
	return makespan_ns;
}

int64_t
perseus__dag_tails(const struct perseus__dag *dag, const int64_t *duration_ns, const int64_t *lag_ns, int64_t *tail_ns)
{
	int64_t makespan_ns = 0;
	for (int32_t i = dag->n_ordered - 1; i >= 0; i--) {
		const int32_t v = dag->order[i];
		int64_t after = 0;
		for (int32_t k = dag->successor_begin[v]; k < dag->successor_begin[v + 1]; k++) {
			const struct perseus__link link = dag->successors[k];
			const int64_t tail = tail_ns[link.node] + (lag_ns ? lag_ns[link.edge] : 0);
			if (tail > after)
				after = tail;
		}
		tail_ns[v] = after + duration_ns[v];
		if (tail_ns[v] > makespan_ns)
			makespan_ns = tail_ns[v];
	}
	return makespan_ns;
}
