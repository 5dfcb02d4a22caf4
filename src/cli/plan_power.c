/* Power in perseus plan. */
#include "cli/plan_power.h"

#include "base/error.h"
#include "cli/progress.h"
#include "cli/quantity.h"

#include <math.h>
#include <stdio.h>

static enum perseus_status
plan_fastest(struct perseus__power *power, const struct perseus__job *job, const struct perseus_plan_settings *settings,
		double cap_w, struct perseus_plan **plan, struct perseus_error *err)
{
	struct perseus__progress progress = perseus__progress_init("planning under the cap");
	struct perseus_plan_settings shown = *settings;
	shown.progress = perseus__progress_show;
	shown.user = &progress;
	struct perseus_capped_plan capped;
	const enum perseus_status status =
			perseus_plan_under_power(job->frontier, &shown, job->n_pipelines, job->gpus_per_stage, cap_w, &capped, err);
	perseus__progress_fini(&progress);
	if (status != PERSEUS_OK)
		return status;
	*plan = capped.plan;
	power->document.cap_w = cap_w;
	power->document.shortest_ns = capped.bound_ns;
	power->document.is_binding = capped.is_binding;
	return PERSEUS_OK;
}

/* Why a plan for a deadline does not keep the cap as well. */
static enum perseus_status
fail_both(const struct perseus__job *job, const struct perseus_plan *plan, const char *option, double cap_w,
		struct perseus_error *err)
{
	const int64_t time_ns = plan->outcome.iteration_time_ns;
	const double period_s = (double)(plan->deadline_ns > time_ns ? plan->deadline_ns : time_ns) / 1e9;
	const double power_w = perseus_plan_power_w(plan, job->n_pipelines, job->gpus_per_stage);
	const double least_w = power_w / ((double)plan->outcome.energy_nj / 1e9) * plan->lower_bound_j;
	char under[128]; /* what the cap means without the deadline */
	int64_t shortest_ns = 0;
	const enum perseus_status status =
			perseus_power_cap_bound(job->frontier, job->n_pipelines, job->gpus_per_stage, cap_w, &shortest_ns, err);
	if (status == PERSEUS_OK)
		(void)snprintf(under, sizeof under, "under %.10g W an iteration takes %.9g s at least", cap_w,
				(double)shortest_ns / 1e9);
	else if (status == PERSEUS_INFEASIBLE)
		(void)snprintf(under, sizeof under, "without waiting all iterations take more than %.10g W", cap_w);
	else
		return status;
	return perseus__fail(err, PERSEUS_INFEASIBLE,
			"--power-cap and %s cannot both be kept: the plan for %.9g s takes %.10g W, no clocks take less than %.10g "
			"W there, and %s",
			option, period_s, power_w, floor(least_w * 1e3) / 1e3, under);
}

static enum perseus_status
plan_for_deadline(struct perseus__power *power, const struct perseus__job *job,
		const struct perseus_plan_settings *settings, const char *option, double cap_w, struct perseus_plan **plan,
		struct perseus_error *err)
{
	struct perseus_plan *found = NULL;
	enum perseus_status status = perseus_plan_new(job->frontier, settings, &found, err);
	if (status != PERSEUS_OK)
		return status;
	if (cap_w > 0 && perseus_plan_power_w(found, job->n_pipelines, job->gpus_per_stage) > cap_w) {
		status = fail_both(job, found, option, cap_w, err);
		perseus_plan_free(found);
		return status;
	}
	power->document.cap_w = cap_w;
	*plan = found;
	return PERSEUS_OK;
}

enum perseus_status
perseus__power_plan(struct perseus__power *power, const struct perseus__job *job,
		const struct perseus_plan_settings *settings, const char *option, double cap_w, struct perseus_plan **plan,
		struct perseus_error *err)
{
	if (cap_w > 0 && !option)
		return plan_fastest(power, job, settings, cap_w, plan, err);
	return plan_for_deadline(power, job, settings, option, cap_w, plan, err);
}

enum perseus_status
perseus__power_trace(struct perseus__power *power, const struct perseus__job *job, const struct perseus_plan *plan,
		const struct perseus_plan *baseline, struct perseus_error *err)
{
	enum perseus_status status =
			perseus_power_trace_new(job->frontier, plan, job->n_pipelines, job->gpus_per_stage, &power->plan, err);
	if (status == PERSEUS_OK)
		status = perseus_power_trace_new(
				job->frontier, baseline, job->n_pipelines, job->gpus_per_stage, &power->baseline, err);
	power->document.plan = power->plan;
	power->document.baseline = power->baseline;
	return status;
}

void
perseus__power_fini(struct perseus__power *power)
{
	perseus_power_trace_free(power->plan);
	perseus_power_trace_free(power->baseline);
	*power = (struct perseus__power){0};
}

static void
add_change(struct perseus__text *text, const char *before, double from_w, double to_w, const char *after,
		struct perseus__column_unit unit)
{
	perseus__text_addf(text, "%s", before);
	perseus__quantity_add(text, from_w, unit);
	perseus__text_addf(text, " -> ");
	perseus__quantity_add(text, to_w, unit);
	perseus__text_addf(text, "%s", after);
}

void
perseus__power_print(const struct perseus__plan_power *power, double time_s, struct perseus__text *text)
{
	const struct perseus_power_trace *from = power->baseline;
	const struct perseus_power_trace *to = power->plan;
	const struct perseus__column_unit unit = perseus__power_column(fmax(from->peak_w, to->peak_w));
	add_change(text, "power           ", from->average_w, to->average_w, " on average, ", unit);
	add_change(text, "", from->peak_w, to->peak_w, " at most, ", unit);
	add_change(text, "", from->least_w, to->least_w, " at least\n", unit);
	add_change(text, "largest steps   ", from->rise.change_w, to->rise.change_w, " up, ", unit);
	add_change(text, "", 0.0 - from->fall.change_w, 0.0 - to->fall.change_w, " down\n", unit);
	if (power->cap_w <= 0)
		return;
	perseus__text_addf(text, "power cap       ");
	perseus__quantity_add(text, power->cap_w, unit);
	if (power->shortest_ns == 0)
		perseus__text_addf(text, ": kept\n");
	else if (!power->is_binding)
		perseus__text_addf(text, ": above what the fastest plan takes\n");
	else
		perseus__text_addf(text,
				": an iteration takes %.9g s at least under it, proven: the plan is within %.2f %% of that\n",
				(double)power->shortest_ns / 1e9, 100 * (time_s / ((double)power->shortest_ns / 1e9) - 1));
}
