/*
 * Plans: from settings to the choices that the planner finds, and what a plan says of itself.
 */
#include "base/error.h"
#include "base/memory.h"
#include "plan/evaluate.h"
#include "plan/planner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Longest deadline and latency, about 31 years: sums of a few of them stay in 64 bits. */
#define MAX_DEADLINE_NS INT64_C(1000000000000000000)

enum { SECONDS_BYTES = 32 };

/* What a plan holds read-only, for who fills it. */
struct plan_arrays {
	int32_t *changes;
	struct perseus_step *steps;
};

const char *
perseus_granularity_name(enum perseus_granularity granularity)
{
	switch (granularity) {
#define X(name, text)                \
	case PERSEUS_GRANULARITY_##name: \
		return text;
		PERSEUS_GRANULARITY_MAP(X)
#undef X
	}
	return "unknown";
}

struct perseus_plan_settings
perseus_plan_settings_default(void)
{
	return (struct perseus_plan_settings){.granularity = PERSEUS_GRANULARITY_AUTO};
}

void
perseus_plan_free(struct perseus_plan *plan)
{
	if (!plan)
		return;
	perseus__free(plan->clock_changes);
	perseus__free(plan->steps);
	perseus__free(plan);
}

static enum perseus_status
check_settings(const struct perseus_plan_settings *settings, struct perseus_error *err)
{
	if (settings->deadline_ns < 0 || settings->deadline_ns > MAX_DEADLINE_NS)
		return perseus__fail(err, PERSEUS_INVALID, "deadline of %" PRId64 " ns is out of range: expected 0 to %" PRId64,
				settings->deadline_ns, (int64_t)MAX_DEADLINE_NS);
	if (settings->switch_latency_ns < 0 || settings->switch_latency_ns > MAX_DEADLINE_NS)
		return perseus__fail(err, PERSEUS_INVALID,
				"switch latency of %" PRId64 " ns is out of range: expected 0 to %" PRId64, settings->switch_latency_ns,
				(int64_t)MAX_DEADLINE_NS);
	return PERSEUS_OK;
}

/* What the certificate's flow proves at a time, where the frontier itself is only near the optimum. */
static enum perseus_status
proven_effective_j(
		const struct perseus_frontier *frontier, int64_t time_ns, double *effective_j, struct perseus_error *err)
{
	struct perseus_certificate *certificate = NULL;
	enum perseus_status status = perseus_frontier_certificate(frontier, time_ns, &certificate, err);
	if (status != PERSEUS_OK)
		return status;
	/* Only the bound is wanted, however far from the energy it is. */
	status = perseus_certificate_check(certificate, perseus_frontier_profile(frontier),
			perseus_frontier_schedule(frontier), 1.0, effective_j, NULL, err);
	perseus_certificate_free(certificate);
	return status;
}

/* Least energy of any choice of clocks at a period: relaxed optimum, blocking of all ranks, transfers. */
static enum perseus_status
find_lower_bound(
		const struct perseus_frontier *frontier, int64_t period_ns, double *lower_bound_j, struct perseus_error *err)
{
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	const int64_t time_ns = period_ns < info.t_star_ns ? period_ns : info.t_star_ns;
	double effective_j = 0;
	if (info.loss_bound > 0) {
		const enum perseus_status status = proven_effective_j(frontier, time_ns, &effective_j, err);
		if (status != PERSEUS_OK)
			return status;
	} else {
		effective_j = perseus_frontier_effective_energy_j(frontier, time_ns);
	}
	const double blocking_j = (double)workload->blocking_uw * 1e-6 * ((double)period_ns * 1e-9);
	const double transfers_j = (double)workload->transfer_nj * 1e-9;
	*lower_bound_j = effective_j + blocking_j + transfers_j;
	return PERSEUS_OK;
}

/* Writes a time as seconds, exact to the nanosecond: "2.836510754". */
static void
write_seconds(int64_t time_ns, char text[SECONDS_BYTES])
{
	(void)snprintf(text, SECONDS_BYTES, "%" PRId64 ".%09" PRId64, time_ns / 1000000000, time_ns % 1000000000);
}

/* A plan with room in its arrays, which it owns; NULL where there is no memory. */
static struct perseus_plan *
new_plan(const struct perseus_frontier *frontier, const struct perseus_plan_settings *settings,
		struct plan_arrays *arrays)
{
	const struct perseus_schedule *schedule = perseus_frontier_schedule(frontier);
	struct perseus_plan *plan = perseus__new_array(1, sizeof *plan);
	if (!plan)
		return NULL;
	*plan = (struct perseus_plan){.deadline_ns = settings->deadline_ns,
		.switch_latency_ns = settings->switch_latency_ns,
		.n_ranks = schedule->n_ranks,
		.n_instructions = schedule->n_instructions};
	plan->clock_changes = arrays->changes = perseus__new_array((size_t)schedule->n_ranks, sizeof *arrays->changes);
	plan->steps = arrays->steps = perseus__new_array((size_t)schedule->n_instructions, sizeof *arrays->steps);
	if (plan->clock_changes && plan->steps)
		return plan;
	perseus_plan_free(plan);
	return NULL;
}

static void
fill_steps(const struct plan_arrays *arrays, const struct perseus__evaluator *evaluator, const int32_t *choice)
{
	for (int32_t i = 0; i < evaluator->workload->schedule->n_instructions; i++)
		arrays->steps[i] = (struct perseus_step){
			.frequency_mhz = evaluator->workload->class_of[i]->choices[choice[i]].frequency_mhz,
			.choice = choice[i],
			.start_ns = evaluator->start_ns[i],
			.time_ns = evaluator->time_ns[i],
			.energy_nj = evaluator->energy_nj[i]};
	perseus__count_changes(evaluator->workload, choice, arrays->changes);
}

/* Every instruction at its class's highest clock, as a GPU left alone runs: without latency. */
static struct perseus__evaluation
evaluate_baseline(struct perseus__evaluator *evaluator, int32_t *scratch)
{
	memset(scratch, 0, (size_t)evaluator->workload->schedule->n_instructions * sizeof *scratch);
	return perseus__evaluate_plain(evaluator, scratch);
}

/* Evaluates `choice`, which is overwritten, and says all a plan says. */
static enum perseus_status
assemble(const struct perseus_frontier *frontier, struct perseus__evaluator *evaluator, int32_t *choice,
		struct perseus_plan *plan, const struct plan_arrays *arrays, struct perseus_error *err)
{
	const struct perseus__evaluation evaluation = perseus__evaluate(evaluator, choice);
	fill_steps(arrays, evaluator, choice);
	const struct perseus__evaluation baseline = evaluate_baseline(evaluator, choice);
	if (evaluation.overflows || baseline.overflows)
		return perseus__fail(
				err, PERSEUS_INVALID, "the energy of one iteration of %" PRId64 " ns is too large", plan->deadline_ns);
	plan->outcome = (struct perseus_outcome){evaluation.makespan_ns, evaluation.energy_nj};
	plan->baseline = (struct perseus_outcome){baseline.makespan_ns, baseline.energy_nj};
	const int64_t period_ns = evaluation.makespan_ns > plan->deadline_ns ? evaluation.makespan_ns : plan->deadline_ns;
	const enum perseus_status status = find_lower_bound(frontier, period_ns, &plan->lower_bound_j, err);
	if (status != PERSEUS_OK)
		return status;
	const double energy_j = (double)plan->outcome.energy_nj * 1e-9;
	const double baseline_j = (double)plan->baseline.energy_nj * 1e-9;
	plan->gap = plan->lower_bound_j > 0 ? (energy_j - plan->lower_bound_j) / plan->lower_bound_j : 0;
	plan->saving = baseline_j > 0 ? 1 - energy_j / baseline_j : 0;
	return PERSEUS_OK;
}

/* Why no plan was found, with the shortest time that was. */
static enum perseus_status
fail_infeasible(
		const struct perseus__planner *planner, const struct perseus_plan_settings *settings, struct perseus_error *err)
{
	char deadline[SECONDS_BYTES];
	char shortest[SECONDS_BYTES];
	char latency[SECONDS_BYTES];
	write_seconds(settings->deadline_ns, deadline);
	write_seconds(planner->shortest_ns, shortest);
	write_seconds(settings->switch_latency_ns, latency);
	if (planner->shortest_ns == INT64_MAX)
		return perseus__fail(err, PERSEUS_INFEASIBLE,
				"no plan of granularity %s with a switch latency of %s s repeats steadily within a deadline of %s s",
				perseus_granularity_name(settings->granularity), latency, deadline);
	return perseus__fail(err, PERSEUS_INFEASIBLE,
			"no plan of granularity %s with a switch latency of %s s keeps a deadline of %s s: the shortest iteration "
			"time found is %s s",
			perseus_granularity_name(settings->granularity), latency, deadline, shortest);
}

static enum perseus_status
fail_below_t_min(const struct perseus_frontier *frontier, int64_t deadline_ns, struct perseus_error *err)
{
	char deadline[SECONDS_BYTES];
	char t_min[SECONDS_BYTES];
	write_seconds(deadline_ns, deadline);
	write_seconds(perseus_frontier_info(frontier).t_min_ns, t_min);
	return perseus__fail(err, PERSEUS_INFEASIBLE,
			"a deadline of %s s is below T_min, the shortest possible iteration time: %s s", deadline, t_min);
}

static enum perseus_status
run_planner(const struct perseus_frontier *frontier, const struct perseus_plan_settings *settings,
		struct perseus_plan **out, struct perseus_error *err)
{
	struct perseus_plan *plan = NULL;
	struct plan_arrays arrays;
	struct perseus__planner planner;
	enum perseus_status status =
			perseus__planner_init(&planner, frontier, settings->deadline_ns, settings->switch_latency_ns, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__planner_run(&planner, settings->granularity, err);
	if (status == PERSEUS_OK && !planner.has_best)
		status = fail_infeasible(&planner, settings, err);
	if (status != PERSEUS_OK)
		goto fail;
	plan = new_plan(frontier, settings, &arrays);
	if (!plan) {
		status = perseus__no_memory(err);
		goto fail;
	}
	plan->granularity = planner.granularity;
	status = assemble(frontier, &planner.evaluator, planner.best, plan, &arrays, err);
	if (status != PERSEUS_OK)
		goto fail;
	perseus__planner_fini(&planner);
	*out = plan;
	return PERSEUS_OK;
fail:
	perseus_plan_free(plan);
	perseus__planner_fini(&planner);
	return status;
}

enum perseus_status
perseus_plan_new(const struct perseus_frontier *frontier, const struct perseus_plan_settings *settings,
		struct perseus_plan **out, struct perseus_error *err)
{
	const enum perseus_status status = check_settings(settings, err);
	if (status != PERSEUS_OK)
		return status;
	if (settings->deadline_ns < perseus_frontier_info(frontier).t_min_ns)
		return fail_below_t_min(frontier, settings->deadline_ns, err);
	return run_planner(frontier, settings, out, err);
}

enum perseus_status
perseus_plan_shortest(const struct perseus_frontier *frontier, const struct perseus_plan_settings *settings,
		int64_t *shortest_ns, struct perseus_error *err)
{
	struct perseus__planner planner;
	struct perseus_plan_settings fastest = *settings;
	fastest.deadline_ns = perseus_frontier_info(frontier).t_min_ns;
	enum perseus_status status = check_settings(&fastest, err);
	if (status == PERSEUS_OK)
		status = perseus__planner_init(&planner, frontier, fastest.deadline_ns, fastest.switch_latency_ns, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__planner_run(&planner, fastest.granularity, err);
	if (status == PERSEUS_OK && planner.shortest_ns == INT64_MAX)
		status = fail_infeasible(&planner, &fastest, err);
	if (status == PERSEUS_OK)
		*shortest_ns = planner.shortest_ns;
	perseus__planner_fini(&planner);
	return status;
}

/* Translates clocks to choices; 0 is the highest. */
static enum perseus_status
find_choices(const struct perseus__workload *workload, const int32_t *frequency_mhz, int32_t *choice,
		struct perseus_error *err)
{
	for (int32_t i = 0; i < workload->schedule->n_instructions; i++) {
		const struct perseus_class *class_ = workload->class_of[i];
		choice[i] = frequency_mhz[i] == 0 ? 0 : perseus__class_choice(class_, frequency_mhz[i]);
		if (choice[i] >= 0)
			continue;
		char text[64];
		perseus_instruction_text(&workload->schedule->instructions[i], text, sizeof text);
		return perseus__fail(err, PERSEUS_INVALID,
				"instruction %" PRId32 " (%s): stage %" PRId32 " %s was not measured at %" PRId32
				" MHz; it was at %" PRId32 " clocks from %" PRId32 " to %" PRId32 " MHz",
				i, text, class_->stage, class_->name, frequency_mhz[i], class_->n_choices,
				class_->choices[class_->n_choices - 1].frequency_mhz, class_->choices[0].frequency_mhz);
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus_plan_evaluate(const struct perseus_frontier *frontier, const int32_t *frequency_mhz,
		const struct perseus_plan_settings *settings, struct perseus_plan **out, struct perseus_error *err)
{
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	struct perseus__evaluator evaluator = {0};
	struct perseus_plan *plan = NULL;
	struct plan_arrays arrays;
	int32_t *choice = NULL;
	enum perseus_status status = check_settings(settings, err);
	if (status != PERSEUS_OK)
		return status;
	choice = perseus__new_array((size_t)workload->schedule->n_instructions, sizeof *choice);
	plan = new_plan(frontier, settings, &arrays);
	if (!choice || !plan) {
		status = perseus__no_memory(err);
		goto done;
	}
	plan->granularity = PERSEUS_GRANULARITY_INSTRUCTION;
	status = find_choices(workload, frequency_mhz, choice, err);
	if (status != PERSEUS_OK)
		goto done;
	status = perseus__evaluator_init(&evaluator, workload, settings->deadline_ns, settings->switch_latency_ns, err);
	if (status != PERSEUS_OK)
		goto done;
	status = assemble(frontier, &evaluator, choice, plan, &arrays, err);
	if (status != PERSEUS_OK)
		goto done;
	*out = plan;
	plan = NULL;
done:
	perseus__evaluator_fini(&evaluator);
	perseus__free(choice);
	perseus_plan_free(plan);
	return status;
}
