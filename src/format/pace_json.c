/* The pacing document as JSON. */
#include "format/pace_json.h"

#include "base/units.h"
#include "format/json_writer.h"
#include "format/plan_json.h"
#include "format/utc_time.h"

/* Writes a number under one of two names. */
static void
put_grams(struct perseus__json *json, const struct perseus__pace_document *document, const char *carbon,
		const char *price, double value)
{
	perseus__json_number(json, document->is_price ? price : carbon, value);
}

static void
put_moment(struct perseus__json *json, const char *key, int64_t time_ms)
{
	char text[PERSEUS__UTC_BYTES];
	perseus__utc_text(time_ms, text);
	perseus__json_string(json, key, text);
}

static void
put_text(struct perseus__json *json, const char *key, const char *value)
{
	if (*value)
		perseus__json_string(json, key, value);
	else
		perseus__json_null(json, key);
}

static double
deadline_s(const struct perseus_pace_problem *problem)
{
	double sum_s = 0;
	for (int32_t i = 0; i < problem->n_slots; i++)
		sum_s += problem->slots[i].duration_s;
	return sum_s;
}

static void
write_head(struct perseus__json *json, const struct perseus__pace_document *document)
{
	const struct perseus_pace_problem *problem = document->problem;
	const struct perseus_operating_curve *curve = problem->curve;
	perseus__json_job(json, document->schedule, document->gpus_per_stage, document->n_pipelines);
	perseus__json_string(json, "factor", document->is_price ? "price" : "carbon");
	put_text(json, "zone", document->hours->zone);
	put_text(json, "currency", document->is_price ? document->hours->unit : "");
	put_text(json, "source", document->hours->source);
	put_moment(json, "begin", document->begin_ms);
	put_moment(json, "deadline", perseus__pace_slot_ms(document, problem->n_slots));
	perseus__json_number(json, "deadline_h", deadline_s(problem) / PERSEUS__S_PER_H);
	perseus__json_number(json, "iterations", problem->n_iterations);
	perseus__json_number(json, "overhead_s", document->overhead_s);
	perseus__json_number(json, "pue", problem->pue);
	if (problem->may_pause)
		perseus__json_number(json, "idle_power_w", problem->idle_power_w);
	else
		perseus__json_null(json, "idle_power_w");
	put_grams(json, document, "reservation_gco2e_per_h", "reservation_cost_per_h", problem->reservation_per_h);
	perseus__json_nano(json, "fastest_s", perseus__pace_ns(1 / curve->points[curve->n_points - 1].rate_hz));
	perseus__json_nano(json, "slowest_s", perseus__pace_ns(1 / curve->points[0].rate_hz));
}

static void
write_course(struct perseus__json *json, const struct perseus__pace_document *document,
		const struct perseus_pace_course *course)
{
	put_moment(json, "end", perseus__pace_end_ms(document, course));
	perseus__json_number(json, "held_h", course->held_s / PERSEUS__S_PER_H);
	perseus__json_number(json, "energy_j", course->energy_j);
	perseus__json_number(json, "facility_energy_j", course->energy_j * document->problem->pue);
	perseus__json_number(json, "power_w", course->energy_j / course->held_s);
	put_grams(json, document, "operational_gco2e", "energy_cost", course->grams);
	put_grams(json, document, "embodied_gco2e", "reservation_cost", course->reservation_grams);
	put_grams(json, document, "total_gco2e", "total_cost", perseus__pace_total_grams(course));
}

static void
write_baseline(struct perseus__json *json, const struct perseus__pace_document *document, int index)
{
	const struct perseus_pace_course *course = document->baselines[index];
	if (!course)
		return;
	const double paced = perseus__pace_total_grams(&document->pace->course), grams = perseus__pace_total_grams(course);
	perseus__json_open_object(json, NULL, false);
	perseus__json_string(json, "name", perseus_pace_baseline_name((enum perseus_pace_baseline)index));
	write_course(json, document, course);
	if (grams > 0)
		perseus__json_number(json, "saving", 1 - paced / grams);
	else
		perseus__json_null(json, "saving");
	put_grams(json, document, "saved_gco2e", "saved_cost", grams - paced);
	perseus__json_close_object(json);
}

static void
write_worth(struct perseus__json *json, const struct perseus__pace_document *document)
{
	const struct perseus__hour_worth *worth = &document->an_hour;
	if (worth->is_known) {
		perseus__json_open_object(json, "hour_of_deadline", true);
		put_grams(json, document, "saves_gco2e", "saves_cost", worth->grams);
		perseus__json_string(json, "against", worth->is_less ? "an hour less" : "an hour more");
		perseus__json_close_object(json);
	} else {
		perseus__json_null(json, "hour_of_deadline");
	}
	perseus__json_open_object(json, "break_even", true);
	put_grams(json, document, "gco2e_per_gpu_h", "cost_per_gpu_h", document->break_even_per_gpu_h);
	if (!document->is_price) {
		perseus__json_number(
				json, "embodied_kg_per_gpu", perseus__pace_kg_of(document, document->break_even_per_gpu_h));
		perseus__json_number(json, "lifetime_years", document->lifetime_years);
	}
	perseus__json_close_object(json);
}

static void
write_mode(
		struct perseus__json *json, const struct perseus__pace_document *document, const struct perseus_pace_mode *mode)
{
	perseus__json_open_object(json, NULL, true);
	if (mode->rate_hz > 0) {
		perseus__json_nano(json, "iteration_time_s", perseus__pace_ns(1 / mode->rate_hz));
		perseus__json_nano(json, "plan_deadline_s", perseus__pace_plan_ns(document, mode->rate_hz));
	} else {
		perseus__json_null(json, "iteration_time_s");
		perseus__json_null(json, "plan_deadline_s");
	}
	perseus__json_number(json, "time_s", mode->time_s);
	perseus__json_close_object(json);
}

static void
write_times(struct perseus__json *json, const struct perseus__pace_document *document,
		const struct perseus_paced_slot *slot)
{
	double iteration_s, rate_hz;
	if (perseus__pace_iteration_s(slot, &iteration_s))
		perseus__json_nano(json, "iteration_time_s", perseus__pace_ns(iteration_s));
	else
		perseus__json_null(json, "iteration_time_s");
	if (perseus__pace_one_rate(slot, &rate_hz))
		perseus__json_nano(json, "plan_deadline_s", perseus__pace_plan_ns(document, rate_hz));
	else
		perseus__json_null(json, "plan_deadline_s");
	perseus__json_open_array(json, "modes", true);
	for (int32_t i = 0; i < slot->n_modes; i++)
		write_mode(json, document, &slot->modes[i]);
	perseus__json_close_array(json);
}

static void
write_hours(struct perseus__json *json, const struct perseus__pace_document *document)
{
	const struct perseus_pace_problem *problem = document->problem;
	double before_s = 0;
	perseus__json_open_array(json, "hours", false);
	for (int32_t i = 0; i < problem->n_slots; i++) {
		const struct perseus_paced_slot *slot = &document->pace->course.slots[i];
		perseus__json_open_object(json, NULL, true);
		put_moment(json, "begin", document->begin_ms + (int64_t)(before_s * 1e3 + 0.5));
		put_grams(json, document, "gco2e_per_kwh", "price_per_kwh", problem->slots[i].factor_per_kwh);
		perseus__json_number(json, "held_s", slot->held_s);
		perseus__json_number(json, "paused_s", perseus__pace_paused_s(slot));
		perseus__json_number(json, "iterations", slot->n_iterations);
		write_times(json, document, slot);
		perseus__json_number(json, "energy_j", slot->energy_j);
		if (slot->held_s > 0)
			perseus__json_number(json, "power_w", slot->energy_j / slot->held_s);
		else
			perseus__json_null(json, "power_w");
		put_grams(json, document, "operational_gco2e", "energy_cost", slot->grams);
		perseus__json_close_object(json);
		before_s += problem->slots[i].duration_s;
	}
	perseus__json_close_array(json);
}

void
perseus__pace_json(struct perseus__text *text, const struct perseus__pace_document *document)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, false);
	write_head(&json, document);
	perseus__json_open_object(&json, "paced", false);
	write_course(&json, document, &document->pace->course);
	perseus__json_close_object(&json);
	perseus__json_open_array(&json, "baselines", false);
	for (int i = 0; i < PERSEUS_N_PACE_BASELINES; i++)
		write_baseline(&json, document, i);
	perseus__json_close_array(&json);
	put_grams(&json, document, "iteration_gco2e", "iteration_cost", document->pace->price);
	put_grams(&json, document, "lower_bound_gco2e", "lower_bound_cost", document->pace->lower_bound);
	put_grams(&json, document, "gap_gco2e", "gap_cost", document->pace->gap);
	write_worth(&json, document);
	write_hours(&json, document);
	perseus__json_close_object(&json);
}
