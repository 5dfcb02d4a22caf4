/* The allocation document. */
#include "format/allocation_json.h"

#include "format/json_writer.h"

#include <math.h>

static void
write_totals(struct perseus__json *json, const struct perseus__allocation_document *document)
{
	const struct perseus_allocation *allocation = document->allocation;
	const struct perseus_allocation *even = document->even;
	perseus__json_integer(json, "version", 1);
	perseus__json_string(json, "rule", perseus_allocation_rule_name(allocation->rule));
	perseus__json_number(json, "limit_w", allocation->limit_w);
	perseus__json_number(json, "power_w", allocation->power_w);
	perseus__json_number(json, "least_power_w", document->least_power_w);
	perseus__json_number(json, "full_power_w", allocation->full_power_w);
	perseus__json_number(json, "work", allocation->work);
	perseus__json_number(json, "full_work", allocation->full_work);
	perseus__json_number(json, "bound", allocation->bound);
	perseus__json_number(json, "gap", (allocation->bound - allocation->work) / allocation->bound);
	perseus__json_number(json, "price_per_kw", allocation->price_per_w * 1e3);
	perseus__json_number(json, "level", allocation->level);
	perseus__json_open_object(json, "even", true);
	perseus__json_number(json, "work", even->work);
	perseus__json_number(json, "power_w", even->power_w);
	perseus__json_number(json, "level", even->level);
	perseus__json_close_object(json);
}

static void
write_job(struct perseus__json *json, const struct perseus__allocation_document *document, int32_t j)
{
	const struct perseus_allotment *allotment = &document->allocation->jobs[j];
	const struct perseus_allotment *even = &document->even->jobs[j];
	const struct perseus_operating_curve *curve = document->jobs[j].curve;
	const struct perseus_operating_point fastest = curve->points[curve->n_points - 1];
	perseus__json_open_object(json, NULL, true);
	perseus__json_string(json, "job", document->rows->items[j].name);
	perseus__json_number(json, "weight", document->jobs[j].weight);
	perseus__json_number(json, "iteration_time_s", 1 / allotment->rate_hz);
	perseus__json_nano(
			json, "plan_deadline_s", llround((1 / allotment->rate_hz - document->rows->items[j].overhead_s) * 1e9));
	perseus__json_number(json, "fastest_iteration_time_s", 1 / fastest.rate_hz);
	perseus__json_number(json, "speed", allotment->speed);
	perseus__json_number(json, "power_w", allotment->power_w);
	perseus__json_number(json, "full_power_w", fastest.power_w);
	perseus__json_number(json, "share", allotment->power_w / document->allocation->power_w);
	perseus__json_open_object(json, "even", true);
	perseus__json_number(json, "iteration_time_s", 1 / even->rate_hz);
	perseus__json_number(json, "power_w", even->power_w);
	perseus__json_close_object(json);
	perseus__json_close_object(json);
}

void
perseus__allocation_json(struct perseus__text *text, const struct perseus__allocation_document *document)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, false);
	write_totals(&json, document);
	perseus__json_open_array(&json, "jobs", false);
	for (int32_t j = 0; j < document->rows->n; j++)
		write_job(&json, document, j);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
