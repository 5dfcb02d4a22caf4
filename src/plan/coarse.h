/*
 * Coarse plans: instructions in groups that share one clock. This file defines groups and what each clock costs them;
 * search.c finds the clocks.
 */
#ifndef PERSEUS_PLAN_COARSE_H
#define PERSEUS_PLAN_COARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "frontier/workload.h"

#include <perseus/plan.h>
#include <perseus/status.h>

/* The instructions of one class in one group. */
struct perseus__cell {
	const struct perseus_class *class_;
	int32_t group; /* n_groups for constant classes */
	int32_t count;
	int32_t table; /* where its row of `choice` and `time_ns` begins */
};

/*
 * The groups of a granularity. Option k of group g is one clock: global index option_begin[g] + k. Options are those
 * that no other of the group beats or equals in energy and in the time of every cell, highest clock first.
 */
struct perseus__coarse {
	const struct perseus__workload *workload; /* borrowed */
	enum perseus_granularity granularity;
	int32_t n_groups;
	int32_t n_cells;
	int32_t *cell_of;            /* length n_instructions */
	struct perseus__cell *cells; /* length n_cells, by group */
	int32_t *cell_begin;         /* length n_groups + 2: cells of each group; the last row is of constants */
	int32_t *option_begin;       /* length n_groups + 1 */
	int32_t *option_mhz;         /* length option_begin[n_groups] */
	int64_t *option_nj;          /* alike: effective energy of the group's instructions */
	int32_t *choice;             /* row of each cell: its class's choice at each option of its group */
	int64_t *time_ns;            /* alike: time of one instruction */
};

/*
 * Groups: KIND by stage and class, STAGE by stage, JOB all. ENDS two of each stage: its first instruction together with
 * its last backward or input gradient, which are what is critical in every stage on the way down and up the pipeline;
 * and the rest. (A stage without backward: its last instruction. A stage that two ranks run: the ends on both.)
 * Constant classes are in no group.
 * Errors: INVALID where a group has no clock common to all its classes (the message names two of them); energies that
 * leave 64 bits; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__coarse_init(struct perseus__coarse *coarse,
		const struct perseus__workload *workload, enum perseus_granularity granularity, struct perseus_error *err);

void perseus__coarse_fini(struct perseus__coarse *coarse);

/*
 * The option of `group` that stands for the clock: it, or the one that made it dispensable. -1 where the clock is not
 * common to the group. O(options).
 */
int32_t perseus__coarse_option(const struct perseus__coarse *coarse, int32_t group, int32_t frequency_mhz);

/* Spells options, length n_groups, as choices, length n_instructions. */
void perseus__coarse_spell(const struct perseus__coarse *coarse, const int32_t *option, int32_t *choice);

struct perseus__coarse_limits {
	int64_t max_visits; /* of instructions in longest paths */
	int64_t max_nodes;  /* of the branch and bound; 0: none */
};

/* Options to start from beside those that the search finds itself. */
struct perseus__coarse_seeds {
	const int32_t *options; /* n times n_groups */
	int32_t n;
};

struct perseus__coarse_answer {
	bool is_feasible;
	bool is_optimal;     /* proven */
	int64_t makespan_ns; /* where infeasible: the shortest that was found */
};

/*
 * Options of least effective energy whose makespan without latency is within the deadline. `option`, length n_groups:
 * answer, the shortest found where infeasible. `seeds` may be NULL.
 * Deterministic. Method: lazily generated path constraints; descent by one and two groups at a time, Lagrangian bound
 * by subgradients (Held, Wolfe and Crowder 1974), then branch and bound within `limits`.
 * Errors: NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__coarse_search(const struct perseus__coarse *coarse, int64_t deadline_ns,
		const struct perseus__coarse_seeds *seeds, const struct perseus__coarse_limits *limits, int32_t *option,
		struct perseus__coarse_answer *answer, struct perseus_error *err);

#endif
