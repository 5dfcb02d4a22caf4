/*
 * Longest paths of a workload whose instructions take the time of their cell: the inner loop of the coarse search.
 */
#ifndef PERSEUS_PLAN_LONGEST_H
#define PERSEUS_PLAN_LONGEST_H

#include <stdint.h>

#include "plan/coarse.h"

/* An edge into a node, seen from the node. */
struct perseus__longest_edge {
	int32_t from; /* node: place in topological order */
	int32_t pad;
	int64_t lag_ns;
};

/* Nodes are instructions renumbered in topological order, so that a pass reads memory in order. */
struct perseus__longest {
	int32_t n_nodes;
	int32_t n_cells;
	int32_t *cell;  /* length n_nodes */
	int32_t *begin; /* length n_nodes + 1: edges into each node */
	struct perseus__longest_edge *edges;
	int64_t *finish_ns; /* length n_nodes: of the last pass */
	int64_t *time_ns;   /* length n_cells: set before a pass */
};

PERSEUS_MUST_USE enum perseus_status perseus__longest_init(
		struct perseus__longest *longest, const struct perseus__coarse *coarse, struct perseus_error *err);

void perseus__longest_fini(struct perseus__longest *longest);

/* Makespan for the times in `time_ns`. */
int64_t perseus__longest_makespan(struct perseus__longest *longest);

/*
 * A path that took the makespan of the last pass: how often it goes through each cell, `count` of length n_cells.
 * Returns the sum of its lags. Ties go to the first node.
 */
int64_t perseus__longest_path(const struct perseus__longest *longest, int32_t *count);

#endif
