/* The planners document as JSON. */
#include "format/planners_json.h"

#include "format/frontier_sample.h"
#include "format/json_writer.h"
#include "format/plan_document.h"
#include "format/plan_json.h"

static void
write_head(struct perseus__json *json, const struct perseus__planners *planners, double scale)
{
	const struct perseus_frontier_info info = perseus_frontier_info(planners->frontier);
	perseus__json_job(
			json, perseus_frontier_schedule(planners->frontier), planners->gpus_per_stage, planners->n_pipelines);
	perseus__json_nano(json, "t_min_s", info.t_min_ns);
	perseus__json_nano(json, "t_star_s", info.t_star_ns);
	perseus__json_nano(json, "deadline_s", planners->deadline_ns);
	perseus__json_nano(json, "switch_latency_s", planners->switch_latency_ns);
	perseus__json_number(json, "lower_bound_j", planners->lower_bound_j * scale);
	perseus__json_number(json, "loss_bound", info.loss_bound);
}

static void
write_numbers(struct perseus__json *json, const struct perseus_plan *plan, double scale)
{
	perseus__json_nano(json, "deadline_s", plan->deadline_ns);
	perseus__json_nano(json, "iteration_time_s", plan->outcome.iteration_time_ns);
	perseus__json_number(json, "energy_j", (double)plan->outcome.energy_nj * scale / 1e9);
	perseus__json_number(json, "saving", plan->saving);
	perseus__json_number(json, "average_power_w", perseus__average_power_w(plan) * scale);
	perseus__json_number(json, "lower_bound_j", plan->lower_bound_j * scale);
	perseus__json_number(json, "gap", plan->gap);
	perseus__json_integer(json, "clock_changes_per_iteration", perseus__clock_changes(plan));
	perseus__json_null(json, "reason");
}

static void
write_no_numbers(struct perseus__json *json, const char *reason)
{
	static const char *const keys[] = {"deadline_s", "iteration_time_s", "energy_j", "saving", "average_power_w",
		"lower_bound_j", "gap", "clock_changes_per_iteration"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		perseus__json_null(json, keys[i]);
	perseus__json_string(json, "reason", reason);
}

static void
write_row(struct perseus__json *json, const struct perseus__planners *planners, const struct perseus__compared *row,
		double scale)
{
	perseus__json_open_object(json, NULL, false);
	perseus__json_string(json, "planner", row->is_baseline ? perseus_baseline_name(row->baseline) : "perseus");
	if (row->is_baseline)
		perseus__json_null(json, "granularity");
	else
		perseus__json_string(json, "granularity", perseus_granularity_name(row->granularity));
	if (row->plan && row->is_baseline && perseus__knob_key(row->baseline))
		perseus__json_number(json, perseus__knob_key(row->baseline), row->knob);
	perseus__json_boolean(json, "keeps_deadline", perseus__compared_keeps(planners, row));
	if (row->plan)
		write_numbers(json, row->plan, scale);
	else
		write_no_numbers(json, row->why.message);
	perseus__json_close_object(json);
}

static void
write_family(struct perseus__json *json, const struct perseus_baseline_family *family, double scale)
{
	perseus__json_open_object(json, NULL, false);
	perseus__json_string(json, "planner", perseus_baseline_name(family->baseline));
	perseus__json_open_array(json, "points", false);
	for (int32_t k = 0; k < family->n_members; k++) {
		const struct perseus_baseline_member *member = &family->members[k];
		perseus__json_open_object(json, NULL, true);
		if (perseus__knob_key(family->baseline))
			perseus__json_number(json, perseus__knob_key(family->baseline), member->knob);
		perseus__json_nano(json, "iteration_time_s", member->plan->outcome.iteration_time_ns);
		perseus__json_number(json, "energy_j", (double)member->plan->outcome.energy_nj * scale / 1e9);
		perseus__json_close_object(json);
	}
	perseus__json_close_array(json);
	perseus__json_close_object(json);
}

static void
write_own_frontier(struct perseus__json *json, const struct perseus__planners *planners, double scale)
{
	const int32_t n =
			planners->n_samples ? planners->n_samples : perseus_frontier_info(planners->frontier).n_breakpoints;
	perseus__json_open_object(json, NULL, false);
	perseus__json_string(json, "planner", "perseus");
	perseus__json_open_array(json, "points", false);
	for (int32_t i = 0; i < n; i++) {
		const struct perseus__frontier_sample sample =
				perseus__frontier_sample(planners->frontier, planners->n_samples, i, scale);
		perseus__json_open_object(json, NULL, true);
		perseus__json_nano(json, "iteration_time_s", sample.time_ns);
		perseus__json_number(json, "energy_j", sample.energy_j);
		perseus__json_close_object(json);
	}
	perseus__json_close_array(json);
	perseus__json_close_object(json);
}

void
perseus__planners_json(struct perseus__text *text, const struct perseus__planners *planners)
{
	struct perseus__json json = perseus__json_init(text);
	const double scale = perseus__planners_scale(planners);
	perseus__json_open_object(&json, NULL, false);
	write_head(&json, planners, scale);
	perseus__json_open_array(&json, "plans", false);
	for (int32_t i = 0; i < planners->n_rows; i++)
		write_row(&json, planners, &planners->rows[i], scale);
	perseus__json_close_array(&json);
	perseus__json_open_array(&json, "frontiers", false);
	for (int b = 0; b < PERSEUS_N_BASELINES; b++)
		if (planners->families[b])
			write_family(&json, planners->families[b], scale);
	write_own_frontier(&json, planners, scale);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
