/* Sums over a plan. */
#include "format/plan_document.h"

double
perseus__plan_scale(const struct perseus__plan_document *document)
{
	return (double)document->gpus_per_stage * (double)document->n_pipelines;
}

struct perseus__rank_usage
perseus__rank_usage(const struct perseus_frontier *frontier, const struct perseus_plan *plan, int32_t rank)
{
	const struct perseus_schedule *schedule = perseus_frontier_schedule(frontier);
	const int64_t iteration_ns = plan->outcome.iteration_time_ns;
	const int64_t end_ns = plan->deadline_ns > iteration_ns ? plan->deadline_ns : iteration_ns;
	struct perseus__rank_usage usage = {0};
	double energy_nj = 0;
	for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
		usage.busy_ns += plan->steps[i].time_ns;
		energy_nj += (double)plan->steps[i].energy_nj;
	}
	usage.idle_ns = end_ns - usage.busy_ns;
	int64_t blocking_uw = 0; /* all stages of a rank have the same: perseus_frontier_new saw to it */
	if (schedule->rank_begin[rank] < schedule->rank_begin[rank + 1]) {
		const int32_t stage = schedule->instructions[schedule->rank_begin[rank]].stage;
		blocking_uw = perseus_profile_blocking_power_uw(perseus_frontier_profile(frontier), stage);
	}
	/* µW · ns = 10^-15 J */
	usage.energy_j = energy_nj / 1e9 + (double)blocking_uw * (double)usage.idle_ns / 1e15;
	return usage;
}

int32_t
perseus__rank_stage_after(const struct perseus_schedule *schedule, int32_t rank, int32_t after)
{
	int32_t next = -1;
	for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
		const struct perseus_instruction *instruction = &schedule->instructions[i];
		for (int part = 0; part < instruction->n_parts; part++) {
			const int32_t stage = instruction->part[part].stage;
			if (stage > after && (next < 0 || stage < next))
				next = stage;
		}
	}
	return next;
}

const char *
perseus__kind_text(const struct perseus_instruction *instruction)
{
	return instruction->kind == PERSEUS_KIND_OTHER ? instruction->class_name : perseus_kind_name(instruction->kind);
}

int64_t
perseus__clock_changes(const struct perseus_plan *plan)
{
	int64_t changes = 0;
	for (int32_t rank = 0; rank < plan->n_ranks; rank++)
		changes += plan->clock_changes[rank];
	return changes;
}
