/* What the documents about planners share. */
#include "format/planners.h"

double
perseus__planners_scale(const struct perseus__planners *planners)
{
	return (double)planners->gpus_per_stage * (double)planners->n_pipelines;
}

const char *
perseus__compared_name(const struct perseus__compared *row)
{
	static const char *const ours[] = {
#define X(name, text) "perseus-" text,
		PERSEUS_GRANULARITY_MAP(X)
#undef X
	};
	return row->is_baseline ? perseus_baseline_name(row->baseline) : ours[row->granularity];
}

bool
perseus__compared_keeps(const struct perseus__planners *planners, const struct perseus__compared *row)
{
	return row->plan && row->plan->outcome.iteration_time_ns <= planners->deadline_ns;
}

double
perseus__average_power_w(const struct perseus_plan *plan)
{
	const int64_t time_ns =
			plan->outcome.iteration_time_ns > plan->deadline_ns ? plan->outcome.iteration_time_ns : plan->deadline_ns;
	/* nJ / ns = W */
	return time_ns > 0 ? (double)plan->outcome.energy_nj / (double)time_ns : 0;
}

const char *
perseus__knob_key(enum perseus_baseline baseline)
{
	static const char *const keys[PERSEUS_N_BASELINES] = {
		[PERSEUS_BASELINE_SINGLE_CLOCK] = "frequency_mhz",
		[PERSEUS_BASELINE_BALANCED_STAGES] = "forward_time_s",
		[PERSEUS_BASELINE_POWER_LIMIT] = "power_limit_w",
	};
	return keys[baseline];
}
