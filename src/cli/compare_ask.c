/* What every planner makes of a deadline. */
#include "cli/compare.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/progress.h"

#include <string.h>

static const enum perseus_granularity granularities[] = {PERSEUS_GRANULARITY_INSTRUCTION, PERSEUS_GRANULARITY_KIND,
	PERSEUS_GRANULARITY_ENDS, PERSEUS_GRANULARITY_STAGE, PERSEUS_GRANULARITY_JOB};
enum { N_GRANULARITIES = sizeof granularities / sizeof *granularities };

/* Evaluates the clocks of `like`. */
static enum perseus_status
evaluate_like(const struct perseus_frontier *frontier, const struct perseus_plan *like,
		const struct perseus_plan_settings *settings, struct perseus_plan **out, struct perseus_error *err)
{
	int32_t *frequency_mhz = perseus__new_array((size_t)like->n_instructions, sizeof *frequency_mhz);
	if (!frequency_mhz)
		return perseus__no_memory(err);
	for (int32_t i = 0; i < like->n_instructions; i++)
		frequency_mhz[i] = like->steps[i].frequency_mhz;
	const enum perseus_status status = perseus_plan_evaluate(frontier, frequency_mhz, settings, out, err);
	perseus__free(frequency_mhz);
	return status;
}

/* Replaces a plan that is late by the same without a deadline: its own iteration time. */
static enum perseus_status
let_be_late(const struct perseus_frontier *frontier, struct perseus_plan **plan, struct perseus_error *err)
{
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.switch_latency_ns = (*plan)->switch_latency_ns;
	/* With a latency the iteration time depends on how long iterations wait: without waiting first. */
	for (int pass = 0; pass < 2; pass++) {
		struct perseus_plan *own = NULL;
		const enum perseus_status status = evaluate_like(frontier, *plan, &settings, &own, err);
		if (status != PERSEUS_OK)
			return status;
		perseus_plan_free(*plan);
		*plan = own;
		settings.deadline_ns = own->outcome.iteration_time_ns;
	}
	return PERSEUS_OK;
}

/* Whether `plan` is a better answer than `best`: it keeps the deadline with less energy, or is less late. */
static bool
is_better(const struct perseus_plan *plan, const struct perseus_plan *best, int64_t deadline_ns)
{
	const bool keeps = plan->outcome.iteration_time_ns <= deadline_ns;
	if (!best || keeps != (best->outcome.iteration_time_ns <= deadline_ns))
		return !best || keeps;
	return keeps ? plan->outcome.energy_nj < best->outcome.energy_nj
				 : plan->outcome.iteration_time_ns < best->outcome.iteration_time_ns;
}

/* The best member of a family under the latency of changing clocks. */
static enum perseus_status
choose_member(const struct perseus__compare_question *question, const struct perseus_baseline_family *family,
		struct perseus__compared *row, struct perseus_error *err)
{
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = question->deadline_ns;
	/* A GPU left alone, or under a power limit, chooses its clock itself and asks nobody for one. */
	const bool is_free =
			family->baseline == PERSEUS_BASELINE_MAX_CLOCK || family->baseline == PERSEUS_BASELINE_POWER_LIMIT;
	settings.switch_latency_ns = is_free ? 0 : question->switch_latency_ns;
	for (int32_t k = 0; k < family->n_members; k++) {
		struct perseus_plan *plan = NULL;
		const enum perseus_status status =
				evaluate_like(question->frontier, family->members[k].plan, &settings, &plan, err);
		if (status != PERSEUS_OK)
			return status;
		if (is_better(plan, row->plan, question->deadline_ns)) {
			struct perseus_plan *worse = row->plan;
			row->plan = plan;
			row->knob = family->members[k].knob;
			plan = worse;
		}
		perseus_plan_free(plan);
	}
	return PERSEUS_OK;
}

/* Where a planner has no answer its row says why, and all is well. */
static enum perseus_status
note_if_none(enum perseus_status status, struct perseus__compared *row, struct perseus_error *err)
{
	if (status == PERSEUS_OK || status == PERSEUS_INVALID || status == PERSEUS_INFEASIBLE)
		return PERSEUS_OK;
	if (err)
		*err = row->why;
	return status;
}

static enum perseus_status
ask_baseline(const struct perseus__compare_question *question, enum perseus_baseline baseline,
		struct perseus__planners *planners, struct perseus_error *err)
{
	struct perseus__compared *row = &planners->rows[planners->n_rows++];
	struct perseus_baseline_family *family = NULL;
	*row = (struct perseus__compared){.is_baseline = true, .baseline = baseline};
	enum perseus_status status = perseus_baseline_family_new(question->frontier, baseline, &family, &row->why);
	planners->families[baseline] = family;
	if (status == PERSEUS_OK && baseline == PERSEUS_BASELINE_POWER_LIMIT && question->power_limit_w > 0) {
		row->knob = question->power_limit_w;
		status = perseus_baseline_plan_at(
				question->frontier, baseline, row->knob, question->deadline_ns, &row->plan, &row->why);
	} else if (status == PERSEUS_OK) {
		status = choose_member(question, family, row, &row->why);
	}
	if (status == PERSEUS_OK && row->plan->outcome.iteration_time_ns > question->deadline_ns)
		status = let_be_late(question->frontier, &row->plan, &row->why);
	/* Without the highest clocks there is nothing to compare with. */
	if (baseline == PERSEUS_BASELINE_MAX_CLOCK && status != PERSEUS_OK) {
		if (err)
			*err = row->why;
		return status;
	}
	return note_if_none(status, row, err);
}

static enum perseus_status
ask_ourselves(const struct perseus__compare_question *question, enum perseus_granularity granularity,
		struct perseus__planners *planners, struct perseus_error *err)
{
	struct perseus__compared *row = &planners->rows[planners->n_rows++];
	*row = (struct perseus__compared){.granularity = granularity};
	struct perseus_plan_settings settings = {.deadline_ns = question->deadline_ns,
		.granularity = granularity,
		.switch_latency_ns = question->switch_latency_ns};
	enum perseus_status status = perseus_plan_new(question->frontier, &settings, &row->plan, &row->why);
	if (status == PERSEUS_INFEASIBLE) {
		struct perseus_error ignored;
		if (perseus_plan_shortest(question->frontier, &settings, &settings.deadline_ns, &ignored) == PERSEUS_OK)
			status = perseus_plan_new(question->frontier, &settings, &row->plan, &row->why);
	}
	return note_if_none(status, row, err);
}

/* The bound, which a plan without latency knows, however short the deadline may be. */
static enum perseus_status
find_bound(const struct perseus__compare_question *question, double *lower_bound_j, struct perseus_error *err)
{
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = question->deadline_ns;
	settings.granularity = PERSEUS_GRANULARITY_INSTRUCTION;
	struct perseus_plan *plan = NULL;
	const enum perseus_status status = perseus_plan_new(question->frontier, &settings, &plan, err);
	if (status == PERSEUS_OK)
		*lower_bound_j = plan->lower_bound_j;
	perseus_plan_free(plan);
	return status;
}

enum perseus_status
perseus__compare_ask(
		const struct perseus__compare_question *question, struct perseus__planners *planners, struct perseus_error *err)
{
	enum { N_PLANNERS = PERSEUS_N_BASELINES + N_GRANULARITIES };
	_Static_assert((int)N_PLANNERS <= (int)PERSEUS__MAX_COMPARED, "a row for each planner");
	struct perseus__progress progress = perseus__progress_init("Comparing");
	enum perseus_status status = find_bound(question, &planners->lower_bound_j, err);
	for (int i = 0; i < N_PLANNERS && status == PERSEUS_OK; i++) {
		perseus__progress_show((double)i / (double)N_PLANNERS, &progress);
		status = i < PERSEUS_N_BASELINES
				? ask_baseline(question, (enum perseus_baseline)i, planners, err)
				: ask_ourselves(question, granularities[i - PERSEUS_N_BASELINES], planners, err);
	}
	perseus__progress_fini(&progress);
	return status;
}

void
perseus__compare_fini(struct perseus__planners *planners)
{
	for (int32_t i = 0; i < planners->n_rows; i++)
		perseus_plan_free(planners->rows[i].plan);
	for (int b = 0; b < PERSEUS_N_BASELINES; b++)
		perseus_baseline_family_free(planners->families[b]);
}
