/* A plan as Chrome trace events. */
#include "format/trace_json.h"

#include "format/json_writer.h"

#include <stdio.h>

/* One way to run the iteration, as a group of processes. */
struct group {
	const char *name;
	const struct perseus_schedule *schedule;
	const struct perseus_profile *profile;
	const struct perseus_plan *plan;
	int32_t first_pid;
	int32_t first_sort_index;
};

static double
as_us(int64_t time_ns)
{
	return (double)time_ns / 1e3;
}

static void
open_event(struct perseus__json *json, const char *phase, const char *name, int32_t pid)
{
	perseus__json_open_object(json, NULL, true);
	perseus__json_string(json, "ph", phase);
	perseus__json_string(json, "name", name);
	perseus__json_integer(json, "pid", pid);
	perseus__json_integer(json, "tid", 0);
}

static void
write_process(struct perseus__json *json, const struct group *group, int32_t rank)
{
	const int32_t pid = group->first_pid + rank;
	char name[64];
	(void)snprintf(name, sizeof name, "%s: rank %d", group->name, rank);
	open_event(json, "M", "process_name", pid);
	perseus__json_open_object(json, "args", true);
	perseus__json_string(json, "name", name);
	perseus__json_close_object(json);
	perseus__json_close_object(json);

	open_event(json, "M", "process_sort_index", pid);
	perseus__json_open_object(json, "args", true);
	perseus__json_integer(json, "sort_index", group->first_sort_index + rank);
	perseus__json_close_object(json);
	perseus__json_close_object(json);
}

static void
write_counter(struct perseus__json *json, const char *name, int32_t pid, int64_t time_ns, double value)
{
	open_event(json, "C", name, pid);
	perseus__json_number(json, "ts", as_us(time_ns));
	perseus__json_open_object(json, "args", true);
	perseus__json_number(json, "value", value);
	perseus__json_close_object(json);
	perseus__json_close_object(json);
}

static double
power_w(const struct perseus_step *step)
{
	return step->time_ns > 0 ? (double)step->energy_nj / (double)step->time_ns : 0; /* nJ/ns = W */
}

static void
write_instruction(struct perseus__json *json, const struct perseus_instruction *instruction,
		const struct perseus_step *step, int32_t pid)
{
	char name[64];
	perseus_instruction_text(instruction, name, sizeof name);
	open_event(json, "X", name, pid);
	perseus__json_string(json, "cat", perseus__kind_text(instruction));
	perseus__json_number(json, "ts", as_us(step->start_ns));
	perseus__json_number(json, "dur", as_us(step->time_ns));
	perseus__json_open_object(json, "args", true);
	perseus__json_integer(json, "stage", instruction->stage);
	if (instruction->microbatch >= 0)
		perseus__json_integer(json, "microbatch", instruction->microbatch);
	perseus__json_integer(json, "frequency_mhz", step->frequency_mhz);
	perseus__json_nano(json, "energy_j", step->energy_nj);
	perseus__json_number(json, "power_w", power_w(step));
	perseus__json_close_object(json);
	perseus__json_close_object(json);
}

/* Counters hold their value until the next one: the power falls to that of waiting where the next does not follow. */
static void
write_counters(struct perseus__json *json, const struct group *group, int32_t index, int32_t end, int32_t pid)
{
	const struct perseus_step *step = &group->plan->steps[index];
	const int64_t step_end_ns = step->start_ns + step->time_ns;
	const int32_t stage = group->schedule->instructions[index].stage;
	if (step->frequency_mhz > 0)
		write_counter(json, "clock (MHz)", pid, step->start_ns, step->frequency_mhz);
	write_counter(json, "power (W)", pid, step->start_ns, power_w(step));
	if (index + 1 == end || group->plan->steps[index + 1].start_ns > step_end_ns)
		write_counter(json, "power (W)", pid, step_end_ns,
				(double)perseus_profile_blocking_power_uw(group->profile, stage) / 1e6);
}

static void
write_group(struct perseus__json *json, const struct group *group)
{
	for (int32_t rank = 0; rank < group->schedule->n_ranks; rank++) {
		const int32_t pid = group->first_pid + rank;
		const int32_t end = group->schedule->rank_begin[rank + 1];
		write_process(json, group, rank);
		for (int32_t i = group->schedule->rank_begin[rank]; i < end; i++) {
			write_instruction(json, &group->schedule->instructions[i], &group->plan->steps[i], pid);
			write_counters(json, group, i, end, pid);
		}
	}
}

void
perseus__trace_json(struct perseus__text *text, const struct perseus__plan_document *document)
{
	struct perseus__json json = perseus__json_init(text);
	const struct perseus_schedule *schedule = perseus_frontier_schedule(document->frontier);
	const struct perseus_profile *profile = perseus_frontier_profile(document->frontier);
	const struct group before = {"highest clocks", schedule, profile, document->baseline, schedule->n_ranks, 0};
	const struct group after = {"plan", schedule, profile, document->plan, 0, schedule->n_ranks};
	perseus__json_open_object(&json, NULL, false);
	perseus__json_string(&json, "displayTimeUnit", "ms");
	perseus__json_open_array(&json, "traceEvents", false);
	write_group(&json, &before);
	write_group(&json, &after);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
