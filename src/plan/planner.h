/*
 * Finding the choices of a plan: one granularity after the other, each candidate evaluated under the latency of
 * changing clocks. Private to the planner.
 */
#ifndef PERSEUS_PLAN_PLANNER_H
#define PERSEUS_PLAN_PLANNER_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/evaluate.h"

#include <perseus/plan.h>

struct perseus__planner {
	const struct perseus_frontier *frontier;
	const struct perseus__workload *workload;
	struct perseus__evaluator evaluator; /* its deadline is the one to keep */
	int32_t *choice;                     /* length n_instructions: the candidate */
	int32_t *best;                       /* length n_instructions: the best that keeps the deadline */
	bool has_best;
	int64_t best_nj;
	enum perseus_granularity granularity; /* of the best */
	int64_t shortest_ns;                  /* least makespan of all candidates */
};

PERSEUS_MUST_USE enum perseus_status perseus__planner_init(struct perseus__planner *planner,
		const struct perseus_frontier *frontier, int64_t deadline_ns, int64_t latency_ns, struct perseus_error *err);

void perseus__planner_fini(struct perseus__planner *planner);

/*
 * Evaluates `planner->choice`; makes it the best where it keeps the deadline with less energy than the best so far.
 * Returns the evaluation.
 */
struct perseus__evaluation perseus__planner_consider(
		struct perseus__planner *planner, enum perseus_granularity granularity);

/*
 * Looks for plans of a granularity, or of all for AUTO. Nothing found is no error: see has_best.
 * Errors: INVALID where the granularity finds no common clock; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__planner_run(
		struct perseus__planner *planner, enum perseus_granularity granularity, struct perseus_error *err);

/* Instruction-level plans under a latency, from instruction-level ones without and from the best so far. */
PERSEUS_MUST_USE enum perseus_status perseus__planner_run_instructions(
		struct perseus__planner *planner, struct perseus_error *err);

/* Plans of a coarse granularity. */
PERSEUS_MUST_USE enum perseus_status perseus__planner_run_coarse(
		struct perseus__planner *planner, enum perseus_granularity granularity, struct perseus_error *err);

#endif
