/* The plan document as JSON. */
#include "format/plan_json.h"

#include "format/json_writer.h"

#include <string.h>

void
perseus__json_job(struct perseus__json *json, const struct perseus_schedule *schedule, int32_t gpus_per_stage,
		int32_t n_pipelines)
{
	perseus__json_integer(json, "version", 1);
	perseus__json_string(json, "schedule", schedule->name);
	perseus__json_open_object(json, "job", true);
	perseus__json_integer(json, "ranks", schedule->n_ranks);
	perseus__json_integer(json, "stages", schedule->n_stages);
	perseus__json_integer(json, "microbatches", schedule->n_microbatches);
	perseus__json_integer(json, "gpus_per_stage", gpus_per_stage);
	perseus__json_integer(json, "pipelines", n_pipelines);
	perseus__json_close_object(json);
}

static void
write_outcome(struct perseus__json *json, const struct perseus__plan_document *document)
{
	const struct perseus_frontier_info info = perseus_frontier_info(document->frontier);
	const struct perseus_plan *plan = document->plan;
	const double scale = perseus__plan_scale(document);
	perseus__json_nano(json, "t_min_s", info.t_min_ns);
	perseus__json_nano(json, "t_star_s", info.t_star_ns);
	perseus__json_nano(json, "t_min_energy_s", info.t_min_energy_ns);
	perseus__json_nano(json, "deadline_s", plan->deadline_ns);
	perseus__json_nano(json, "iteration_time_s", plan->outcome.iteration_time_ns);
	perseus__json_number(json, "energy_j", (double)plan->outcome.energy_nj * scale / 1e9);
	perseus__json_number(json, "lower_bound_j", plan->lower_bound_j * scale);
	perseus__json_number(json, "gap", plan->gap);
	perseus__json_number(json, "saving", plan->saving);
	perseus__json_open_object(json, "baseline", true);
	perseus__json_nano(json, "iteration_time_s", plan->baseline.iteration_time_ns);
	perseus__json_number(json, "energy_j", (double)plan->baseline.energy_nj * scale / 1e9);
	perseus__json_close_object(json);
	perseus__json_string(json, "granularity", perseus_granularity_name(plan->granularity));
	perseus__json_nano(json, "switch_latency_s", plan->switch_latency_ns);
	perseus__json_integer(json, "clock_changes_per_iteration", perseus__clock_changes(plan));
	perseus__json_number(json, "loss_bound", info.loss_bound);
	perseus__json_boolean(json, "used_fallback", info.used_fallback);
}

static void
write_blocking_power(struct perseus__json *json, const struct perseus__plan_document *document)
{
	const struct perseus_profile *profile = perseus_frontier_profile(document->frontier);
	const int32_t n_stages = perseus_frontier_schedule(document->frontier)->n_stages;
	perseus__json_open_array(json, "blocking_power_w", true);
	for (int32_t stage = 0; stage < n_stages; stage++)
		perseus__json_number(json, NULL, (double)perseus_profile_blocking_power_uw(profile, stage) / 1e6);
	perseus__json_close_array(json);
}

static void
write_microbatch(struct perseus__json *json, int32_t microbatch)
{
	if (microbatch < 0)
		perseus__json_null(json, "microbatch");
	else
		perseus__json_integer(json, "microbatch", microbatch);
}

static void
write_parts(struct perseus__json *json, const struct perseus_instruction *instruction)
{
	perseus__json_open_array(json, "parts", true);
	for (int32_t i = 0; i < instruction->n_parts; i++) {
		perseus__json_open_object(json, NULL, true);
		perseus__json_string(json, "kind", perseus_kind_name(instruction->part[i].kind));
		perseus__json_integer(json, "stage", instruction->part[i].stage);
		write_microbatch(json, instruction->part[i].microbatch);
		perseus__json_close_object(json);
	}
	perseus__json_close_array(json);
}

static void
write_instruction(
		struct perseus__json *json, const struct perseus_instruction *instruction, const struct perseus_step *step)
{
	const char *kind = perseus__kind_text(instruction);
	perseus__json_open_object(json, NULL, true);
	perseus__json_string(json, "kind", kind);
	if (strcmp(kind, instruction->class_name) != 0)
		perseus__json_string(json, "class", instruction->class_name);
	perseus__json_integer(json, "stage", instruction->stage);
	write_microbatch(json, instruction->microbatch);
	perseus__json_integer(json, "frequency_mhz", step->frequency_mhz);
	perseus__json_nano(json, "start_s", step->start_ns);
	perseus__json_nano(json, "time_s", step->time_ns);
	perseus__json_nano(json, "energy_j", step->energy_nj);
	if (instruction->n_parts > 1)
		write_parts(json, instruction);
	perseus__json_close_object(json);
}

static void
write_rank(struct perseus__json *json, const struct perseus__plan_document *document, int32_t rank)
{
	const struct perseus_schedule *schedule = perseus_frontier_schedule(document->frontier);
	const struct perseus__rank_usage usage = perseus__rank_usage(document->frontier, document->plan, rank);
	const struct perseus__rank_usage before = perseus__rank_usage(document->frontier, document->baseline, rank);
	const double scale = perseus__plan_scale(document);
	perseus__json_open_object(json, NULL, false);
	perseus__json_integer(json, "rank", rank);
	perseus__json_open_array(json, "stages", true);
	for (int32_t stage = -1; (stage = perseus__rank_stage_after(schedule, rank, stage)) >= 0;)
		perseus__json_integer(json, NULL, stage);
	perseus__json_close_array(json);
	perseus__json_integer(json, "clock_changes", document->plan->clock_changes[rank]);
	perseus__json_nano(json, "busy_s", usage.busy_ns);
	perseus__json_nano(json, "idle_s", usage.idle_ns);
	perseus__json_number(json, "energy_j", usage.energy_j * scale);
	perseus__json_number(json, "baseline_energy_j", before.energy_j * scale);
	perseus__json_open_array(json, "instructions", false);
	for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++)
		write_instruction(json, &schedule->instructions[i], &document->plan->steps[i]);
	perseus__json_close_array(json);
	perseus__json_close_object(json);
}

void
perseus__plan_json(struct perseus__text *text, const struct perseus__plan_document *document, const double *solve_s)
{
	struct perseus__json json = perseus__json_init(text);
	const int32_t n_ranks = perseus_frontier_schedule(document->frontier)->n_ranks;
	perseus__json_open_object(&json, NULL, false);
	perseus__json_job(
			&json, perseus_frontier_schedule(document->frontier), document->gpus_per_stage, document->n_pipelines);
	write_outcome(&json, document);
	write_blocking_power(&json, document);
	if (document->power)
		perseus__plan_power_json(&json, document->power);
	if (solve_s)
		perseus__json_number(&json, "solve_s", *solve_s);
	perseus__json_open_array(&json, "ranks", false);
	for (int32_t rank = 0; rank < n_ranks; rank++)
		write_rank(&json, document, rank);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
