/* Power of a plan as JSON and CSV. */
#include "format/plan_power.h"

#include "format/csv_writer.h"
#include "format/json_writer.h"

static void
write_step(struct perseus__json *json, const char *key, const char *at_key, struct perseus_power_step step)
{
	perseus__json_number(json, key, step.change_w);
	if (step.change_w == 0)
		perseus__json_null(json, at_key);
	else
		perseus__json_nano(json, at_key, step.at_ns);
}

static void
write_trace(struct perseus__json *json, const struct perseus_power_trace *trace)
{
	perseus__json_number(json, "average_w", trace->average_w);
	perseus__json_number(json, "peak_w", trace->peak_w);
	perseus__json_number(json, "least_w", trace->least_w);
	write_step(json, "largest_rise_w", "largest_rise_at_s", trace->rise);
	write_step(json, "largest_fall_w", "largest_fall_at_s", trace->fall);
}

static void
write_cap(struct perseus__json *json, const struct perseus__plan_power *power)
{
	if (power->cap_w <= 0) {
		perseus__json_null(json, "cap");
		return;
	}
	perseus__json_open_object(json, "cap", true);
	perseus__json_number(json, "cap_w", power->cap_w);
	if (power->shortest_ns == 0)
		perseus__json_null(json, "shortest_iteration_time_s");
	else
		perseus__json_nano(json, "shortest_iteration_time_s", power->shortest_ns);
	perseus__json_boolean(json, "is_binding", power->is_binding);
	perseus__json_close_object(json);
}

void
perseus__plan_power_json(struct perseus__json *json, const struct perseus__plan_power *power)
{
	perseus__json_open_object(json, "power", false);
	write_trace(json, power->plan);
	perseus__json_open_object(json, "baseline", true);
	write_trace(json, power->baseline);
	perseus__json_close_object(json);
	write_cap(json, power);
	perseus__json_close_object(json);
}

static void
write_row(struct perseus__csv_writer *csv, int64_t time_ns, double power_w)
{
	perseus__csv_put_number(csv, true, (double)time_ns / 1e9);
	perseus__csv_put_number(csv, true, power_w);
	perseus__csv_end_row(csv);
}

void
perseus__power_csv(struct perseus__text *text, const struct perseus_power_trace *trace)
{
	struct perseus__csv_writer csv = perseus__csv_writer_init(text);
	perseus__csv_put_text(&csv, "time_s");
	perseus__csv_put_text(&csv, "power_w");
	perseus__csv_end_row(&csv);
	for (int32_t i = 0; i < trace->n_segments; i++)
		write_row(&csv, trace->segments[i].start_ns, trace->segments[i].power_w);
	write_row(&csv, trace->period_ns, trace->segments[0].power_w);
}
