/*
 * A computation DAG in compressed sparse rows: topological order, longest paths, slack. Knows nothing of clocks.
 */
#ifndef PERSEUS_DAG_DAG_H
#define PERSEUS_DAG_DAG_H

#include <stdint.h>

#include <perseus/schedule.h>
#include <perseus/status.h>

/* One end of an edge, seen from the other. */
struct perseus__link {
	int32_t node;
	int32_t edge; /* index of the edge it came from */
};

/*
 * Successors of node v are successors[successor_begin[v]] .. successors[successor_begin[v+1]-1]; predecessors alike.
 * `order` holds the n_ordered nodes that no cycle blocks, in topological order, ties by index.
 */
struct perseus__dag {
	int32_t n_nodes;
	int32_t n_edges;
	int32_t n_ordered;                  /* < n_nodes: the rest lie on a cycle or behind one */
	int32_t *successor_begin;           /* length n_nodes + 1 */
	int32_t *predecessor_begin;         /* length n_nodes + 1 */
	struct perseus__link *successors;   /* length n_edges */
	struct perseus__link *predecessors; /* length n_edges */
	int32_t *order;                     /* length n_nodes */
};

/*
 * Builds the DAG of `edges`, length `n_edges`, whose ends are in 0..n_nodes-1; edges are not kept.
 * A cycle is no error: see n_ordered. Errors: NO_MEMORY. O(nodes + edges).
 */
PERSEUS_MUST_USE enum perseus_status perseus__dag_init(struct perseus__dag *dag, int32_t n_nodes,
		const struct perseus_edge *edges, int32_t n_edges, struct perseus_error *err);

void perseus__dag_fini(struct perseus__dag *dag);

/*
 * Earliest starts: `start_ns[v]`, length n_nodes, is the longest path to v where node v takes duration_ns[v] and edge e
 * takes lag_ns[e] (NULL: no lags). Returns the makespan. The dag must have no cycle. O(nodes + edges).
 */
int64_t perseus__dag_earliest(
		const struct perseus__dag *dag, const int64_t *duration_ns, const int64_t *lag_ns, int64_t *start_ns);

/*
 * Tails: `tail_ns[v]`, length n_nodes, is the longest path from the start of v to the end, v's own duration included.
 * start + tail = makespan exactly where v is critical.
 */
int64_t perseus__dag_tails(
		const struct perseus__dag *dag, const int64_t *duration_ns, const int64_t *lag_ns, int64_t *tail_ns);

#endif
