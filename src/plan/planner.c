/*
 * The course of planning: candidates of every granularity asked for, the best that keeps the deadline.
 */
#include "plan/planner.h"

#include "base/error.h"
#include "base/memory.h"
#include "plan/instruction.h"

#include <string.h>

enum perseus_status
perseus__planner_init(struct perseus__planner *planner, const struct perseus_frontier *frontier, int64_t deadline_ns,
		int64_t latency_ns, struct perseus_error *err)
{
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	const size_t n = (size_t)workload->schedule->n_instructions;
	struct perseus__planner made = {.frontier = frontier, .workload = workload, .shortest_ns = INT64_MAX};
	made.choice = perseus__new_array(n, sizeof *made.choice);
	made.best = perseus__new_array(n, sizeof *made.best);
	enum perseus_status status = PERSEUS_OK;
	if (!made.choice || !made.best)
		status = perseus__no_memory(err);
	else
		status = perseus__evaluator_init(&made.evaluator, workload, deadline_ns, latency_ns, err);
	if (status != PERSEUS_OK) {
		perseus__planner_fini(&made);
		return status;
	}
	*planner = made;
	return PERSEUS_OK;
}

void
perseus__planner_fini(struct perseus__planner *planner)
{
	perseus__evaluator_fini(&planner->evaluator);
	perseus__free(planner->choice);
	perseus__free(planner->best);
	*planner = (struct perseus__planner){0};
}

struct perseus__evaluation
perseus__planner_consider(struct perseus__planner *planner, enum perseus_granularity granularity)
{
	const struct perseus__evaluation evaluation = perseus__evaluate(&planner->evaluator, planner->choice);
	if (!evaluation.is_steady)
		return evaluation;
	if (evaluation.makespan_ns < planner->shortest_ns)
		planner->shortest_ns = evaluation.makespan_ns;
	if (evaluation.makespan_ns > planner->evaluator.deadline_ns
			|| (planner->has_best && evaluation.energy_nj >= planner->best_nj))
		return evaluation;
	memcpy(planner->best, planner->choice, (size_t)planner->workload->schedule->n_instructions * sizeof *planner->best);
	planner->has_best = true;
	planner->best_nj = evaluation.energy_nj;
	planner->granularity = granularity;
	return evaluation;
}

/* Every instruction at its highest clock. */
static void
consider_highest(struct perseus__planner *planner)
{
	memset(planner->choice, 0, (size_t)planner->workload->schedule->n_instructions * sizeof *planner->choice);
	(void)perseus__planner_consider(planner, PERSEUS_GRANULARITY_INSTRUCTION);
}

/* A granularity that some class's clocks rule out is no reason for failure where others may do. */
static enum perseus_status
run_if_possible(struct perseus__planner *planner, enum perseus_granularity granularity, struct perseus_error *err)
{
	struct perseus_error own;
	const enum perseus_status status = perseus__planner_run_coarse(planner, granularity, &own);
	if (status == PERSEUS_OK || status == PERSEUS_INVALID)
		return PERSEUS_OK;
	if (err)
		*err = own;
	return status;
}

/* Coarsest first: a finer one must be better to be taken. */
static enum perseus_status
run_all(struct perseus__planner *planner, struct perseus_error *err)
{
	static const enum perseus_granularity coarse[] = {
		PERSEUS_GRANULARITY_JOB, PERSEUS_GRANULARITY_STAGE, PERSEUS_GRANULARITY_ENDS, PERSEUS_GRANULARITY_KIND};
	for (size_t k = 0; k < sizeof coarse / sizeof *coarse; k++) {
		const enum perseus_status status = run_if_possible(planner, coarse[k], err);
		if (status != PERSEUS_OK)
			return status;
	}
	consider_highest(planner);
	return perseus__planner_run_instructions(planner, err);
}

static enum perseus_status
run_without_latency(struct perseus__planner *planner, struct perseus_error *err)
{
	const enum perseus_status status =
			perseus__plan_instructions(planner->frontier, planner->evaluator.deadline_ns, planner->choice, err);
	if (status == PERSEUS_OK)
		(void)perseus__planner_consider(planner, PERSEUS_GRANULARITY_INSTRUCTION);
	return status;
}

enum perseus_status
perseus__planner_run(struct perseus__planner *planner, enum perseus_granularity granularity, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	switch (granularity) {
	case PERSEUS_GRANULARITY_AUTO:
		return planner->evaluator.latency_ns == 0 ? run_without_latency(planner, err) : run_all(planner, err);
	case PERSEUS_GRANULARITY_INSTRUCTION:
		if (planner->evaluator.latency_ns == 0)
			return run_without_latency(planner, err);
		status = run_all(planner, err);
		planner->granularity = PERSEUS_GRANULARITY_INSTRUCTION;
		return status;
	case PERSEUS_GRANULARITY_KIND:
	case PERSEUS_GRANULARITY_ENDS:
	case PERSEUS_GRANULARITY_STAGE:
	case PERSEUS_GRANULARITY_JOB:
		return perseus__planner_run_coarse(planner, granularity, err);
	}
	return perseus__fail(err, PERSEUS_INVALID, "unknown granularity %d", (int)granularity);
}
