/* The hours of a paced job as CSV. */
#include "format/csv_writer.h"
#include "format/pace_json.h"
#include "format/utc_time.h"

static void
put_hour(struct perseus__text *text, const struct perseus__pace_document *document, int32_t index, double before_s)
{
	const struct perseus_paced_slot *slot = &document->pace->course.slots[index];
	struct perseus__csv_writer csv = perseus__csv_writer_init(text);
	char begin[PERSEUS__UTC_BYTES];
	double iteration_s = 0, rate_hz = 1;
	const bool is_held = slot->held_s > 0;
	const bool has_time = perseus__pace_iteration_s(slot, &iteration_s),
			   is_one = perseus__pace_one_rate(slot, &rate_hz);
	perseus__utc_text(document->begin_ms + (int64_t)(before_s * 1e3 + 0.5), begin);
	perseus__csv_put_text(&csv, begin);
	perseus__csv_put_number(&csv, true, document->problem->slots[index].factor_per_kwh);
	perseus__csv_put_number(&csv, true, slot->held_s);
	perseus__csv_put_number(&csv, true, perseus__pace_paused_s(slot));
	perseus__csv_put_number(&csv, true, slot->n_iterations);
	perseus__csv_put_number(&csv, has_time, (double)perseus__pace_ns(iteration_s) / 1e9);
	perseus__csv_put_number(&csv, is_one, (double)perseus__pace_plan_ns(document, rate_hz) / 1e9);
	perseus__csv_put_number(&csv, true, slot->energy_j);
	perseus__csv_put_number(&csv, is_held, is_held ? slot->energy_j / slot->held_s : 0);
	perseus__csv_put_number(&csv, true, slot->grams);
	perseus__csv_end_row(&csv);
}

void
perseus__pace_csv(struct perseus__text *text, const struct perseus__pace_document *document)
{
	perseus__text_addf(text,
			"begin,%s,held_s,paused_s,iterations,iteration_time_s,plan_deadline_s,energy_j,power_w,%s\n",
			document->is_price ? "price_per_kwh" : "gco2e_per_kwh",
			document->is_price ? "energy_cost" : "operational_gco2e");
	double before_s = 0;
	for (int32_t i = 0; i < document->problem->n_slots; i++) {
		put_hour(text, document, i, before_s);
		before_s += document->problem->slots[i].duration_s;
	}
}
