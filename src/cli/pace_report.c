/* The report of a paced job. */
#include "base/units.h"
#include "cli/pace.h"
#include "cli/quantity.h"
#include "cli/table.h"
#include "format/utc_time.h"

#include <math.h>
#include <stdio.h>

enum { MOMENT_BYTES = 24, MOST_HOURS = 48, MOST_DAYS = 62 };

/* "2026-08-01 13:00" */
static void
moment_text(int64_t time_ms, char text[MOMENT_BYTES])
{
	char utc[PERSEUS__UTC_BYTES];
	perseus__utc_text(time_ms, utc);
	(void)snprintf(text, MOMENT_BYTES, "%.10s %.5s", utc, utc + 11);
}

static struct perseus__column_unit
amount_unit(const struct perseus__pace_document *document, double largest)
{
	if (!document->is_price)
		return perseus__carbon_column(fabs(largest));
	const double size = fabs(largest);
	return (struct perseus__column_unit){document->hours->unit, 1,
		size >= 1e5            ? 0
				: size >= 10   ? 2
				: size >= 0.1  ? 4
				: size >= 1e-4 ? 6
							   : 9};
}

void
perseus__pace_amount(
		struct perseus__text *text, const struct perseus__pace_document *document, double largest, double grams)
{
	const struct perseus__column_unit unit = amount_unit(document, largest);
	perseus__text_addf(text, "%.*f%s%s", unit.decimals, grams / unit.divisor, *unit.name ? " " : "", unit.name);
}

static void
add_amount(struct perseus__table *table, const struct perseus__pace_document *document, double largest, double grams)
{
	const struct perseus__column_unit unit = amount_unit(document, largest);
	perseus__table_add(table, "%.*f%s%s", unit.decimals, grams / unit.divisor, *unit.name ? " " : "", unit.name);
}

static void
add_quantity(struct perseus__table *table, struct perseus__column_unit unit, double value)
{
	perseus__table_add(table, "%.*f %s", unit.decimals, value / unit.divisor, unit.name);
}

/* The largest of a sum over all courses, in absolute value, for units that suit a column. */
static double
largest_total(const struct perseus__pace_document *document)
{
	double largest = fabs(perseus__pace_total_grams(&document->pace->course));
	for (int i = 0; i < PERSEUS_N_PACE_BASELINES; i++)
		if (document->baselines[i])
			largest = fmax(largest, fabs(perseus__pace_total_grams(document->baselines[i])));
	return largest;
}

static double
highest_power_w(const struct perseus__pace_document *document)
{
	const struct perseus_operating_curve *curve = document->problem->curve;
	return curve->points[curve->n_points - 1].power_w;
}

static void
add_course(struct perseus__table *table, const struct perseus__pace_document *document, const char *name,
		const struct perseus_pace_course *course)
{
	const double largest = largest_total(document), paced = perseus__pace_total_grams(&document->pace->course);
	const double grams = perseus__pace_total_grams(course);
	char end[MOMENT_BYTES];
	moment_text(perseus__pace_end_ms(document, course), end);
	perseus__table_add(table, "%s", name);
	add_amount(table, document, largest, grams);
	if (course == &document->pace->course || !(grams > 0))
		perseus__table_add(table, "%s", "");
	else
		perseus__table_add(table, "%.2f %%", 0.0 - perseus__percent_change(grams, paced));
	if (document->problem->reservation_per_h > 0)
		add_amount(table, document, largest, course->reservation_grams);
	perseus__table_add(table, "%.2f h", course->held_s / PERSEUS__S_PER_H);
	perseus__table_add(table, "%s", end);
	add_quantity(table, perseus__energy_column(highest_power_w(document) * course->held_s),
			course->energy_j * document->problem->pue);
	add_quantity(table, perseus__power_column(highest_power_w(document)), course->energy_j / course->held_s);
}

static void
write_courses(const struct perseus__pace_document *document, struct perseus__text *text)
{
	const bool has_reservation = document->problem->reservation_per_h > 0;
	struct perseus__table table = perseus__table_init(has_reservation ? "lrrrrlrr" : "lrrrlrr");
	perseus__table_add(&table, "%s", "");
	perseus__table_add(&table, "%s", document->is_price ? "cost" : "emitted");
	perseus__table_add(&table, "%s", "pacing saves");
	if (has_reservation)
		perseus__table_add(&table, "%s", document->is_price ? "GPU hours" : "embodied");
	perseus__table_add(&table, "%s", "held");
	perseus__table_add(&table, "%s", "until (UTC)");
	perseus__table_add(&table, "%s", document->problem->pue > 1 ? "energy x PUE" : "energy");
	perseus__table_add(&table, "%s", "power");
	add_course(&table, document, "paced", &document->pace->course);
	for (int i = 0; i < PERSEUS_N_PACE_BASELINES; i++)
		if (document->baselines[i])
			add_course(&table, document, perseus_pace_baseline_name((enum perseus_pace_baseline)i),
					document->baselines[i]);
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
}

/* Sums of the slots that begin in one hour, day or week. */
struct bucket {
	double factor_s; /* factor times duration */
	double duration_s;
	double held_s;
	double paused_s;
	double n_iterations;
	double energy_j;
	double grams;
};

static void
add_slot(struct bucket *bucket, const struct perseus_pace_slot *slot, const struct perseus_paced_slot *paced)
{
	bucket->factor_s += slot->factor_per_kwh * slot->duration_s;
	bucket->duration_s += slot->duration_s;
	bucket->held_s += paced->held_s;
	bucket->paused_s += perseus__pace_paused_s(paced);
	bucket->n_iterations += paced->n_iterations;
	bucket->energy_j += paced->energy_j;
	bucket->grams += paced->grams;
}

static void
add_bucket(struct perseus__table *table, const struct perseus__pace_document *document, const struct bucket *bucket,
		int64_t begin_ms, double largest)
{
	const double slowest_s = 1 / document->problem->curve->points[0].rate_hz;
	const struct perseus__column_unit time = perseus__time_column(slowest_s);
	char begin[MOMENT_BYTES];
	moment_text(begin_ms, begin);
	perseus__table_add(table, "%s", begin);
	perseus__table_add(table, document->is_price ? "%.4f" : "%.1f", bucket->factor_s / bucket->duration_s);
	if (bucket->n_iterations > 0)
		add_quantity(table, time, (bucket->held_s - bucket->paused_s) / bucket->n_iterations);
	else
		perseus__table_add(table, "%s", bucket->held_s > 0 ? "paused" : "");
	if (!(bucket->held_s > 0)) { /* the job has ended */
		for (int i = 0; i < 3 + document->problem->may_pause; i++)
			perseus__table_add(table, "%s", "");
		return;
	}
	if (document->problem->may_pause)
		perseus__table_add(table, "%.1f %%", 100 * bucket->paused_s / bucket->held_s);
	perseus__table_add(table, "%.0f", bucket->n_iterations);
	add_quantity(table, perseus__power_column(highest_power_w(document)), bucket->energy_j / bucket->held_s);
	add_amount(table, document, largest, bucket->grams);
}

/* Calls `each` with every bucket that is used and when it begins. Days and weeks begin at midnight UTC. */
static void
walk_buckets(const struct perseus__pace_document *document, int64_t bucket_ms,
		void (*each)(void *user, const struct bucket *bucket, int64_t begin_ms), void *user)
{
	static const int64_t ms_per_day = 86400000;
	const struct perseus_pace_problem *problem = document->problem;
	const int64_t origin_ms = document->begin_ms / ms_per_day * ms_per_day;
	struct bucket bucket = {0};
	int64_t current = 0, begin_ms = document->begin_ms;
	double before_s = 0;
	for (int32_t i = 0; i < problem->n_slots; i++) {
		const int64_t slot_ms = document->begin_ms + llround(before_s * 1e3);
		const int64_t index = (slot_ms - origin_ms) / bucket_ms;
		if (i > 0 && index != current) {
			each(user, &bucket, begin_ms);
			bucket = (struct bucket){0};
			begin_ms = slot_ms;
		}
		current = index;
		add_slot(&bucket, &problem->slots[i], &document->pace->course.slots[i]);
		before_s += problem->slots[i].duration_s;
	}
	each(user, &bucket, begin_ms);
}

struct hours_table {
	struct perseus__table table;
	const struct perseus__pace_document *document;
	double largest;
};

static void
find_largest(void *user, const struct bucket *bucket, int64_t begin_ms)
{
	struct hours_table *hours = user;
	(void)begin_ms;
	hours->largest = fmax(hours->largest, fabs(bucket->grams));
}

static void
add_row(void *user, const struct bucket *bucket, int64_t begin_ms)
{
	struct hours_table *hours = user;
	add_bucket(&hours->table, hours->document, bucket, begin_ms, hours->largest);
}

static void
write_hours(const struct perseus__pace_document *document, struct perseus__text *text)
{
	const bool may_pause = document->problem->may_pause;
	const int32_t n = document->problem->n_slots;
	const int64_t hours = n <= MOST_HOURS ? 1 : n <= 24 * MOST_DAYS ? 24 : 168;
	struct hours_table rows = {.table = perseus__table_init(may_pause ? "lrrrrrr" : "lrrrrr"), .document = document};
	char factor[64];
	(void)snprintf(factor, sizeof factor, "%.20s%sper kWh", document->is_price ? document->hours->unit : "gCO2e",
			document->is_price && !*document->hours->unit ? "" : " ");
	perseus__table_add(&rows.table, "%s from (UTC)", hours == 1 ? "hour" : hours == 24 ? "day" : "week");
	perseus__table_add(&rows.table, "%s", factor);
	perseus__table_add(&rows.table, "%s", "iteration time");
	if (may_pause)
		perseus__table_add(&rows.table, "%s", "paused");
	perseus__table_add(&rows.table, "%s", "iterations");
	perseus__table_add(&rows.table, "%s", "power");
	perseus__table_add(&rows.table, "%s", document->is_price ? "energy cost" : "operational");
	walk_buckets(document, hours * PERSEUS__MS_PER_HOUR, find_largest, &rows);
	walk_buckets(document, hours * PERSEUS__MS_PER_HOUR, add_row, &rows);
	perseus__table_print(&rows.table, 0, text);
	perseus__table_fini(&rows.table);
}

static void
write_heading(const struct perseus__job *job, const struct perseus__pace_document *document, struct perseus__text *text)
{
	const struct perseus_pace_problem *problem = document->problem;
	char begin[MOMENT_BYTES], deadline[MOMENT_BYTES];
	moment_text(document->begin_ms, begin);
	moment_text(perseus__pace_slot_ms(document, problem->n_slots), deadline);
	perseus__job_describe(job, text);
	perseus__text_addf(text, "\n%.15g iterations from %s to %s UTC; ", round(problem->n_iterations), begin, deadline);
	perseus__text_addf(text, "%s of ", document->is_price ? "prices" : "carbon intensity");
	if (*document->hours->zone) {
		perseus__text_add_shown(text, document->hours->zone);
		perseus__text_addf(text, " in ");
	}
	perseus__text_add_shown(text, document->hours->source);
	perseus__text_addf(text, "\nPUE %.15g; ", problem->pue);
	if (problem->may_pause)
		perseus__text_addf(
				text, "a paused GPU takes %.15g W", problem->idle_power_w / (double)perseus__pace_n_gpus(document));
	else
		perseus__text_addf(text, "pausing is not considered (--idle-power)");
	if (document->embodied_kg_per_gpu >= 0)
		perseus__text_addf(text, "; %.15g kgCO2e embodied in a GPU, over %.15g years", document->embodied_kg_per_gpu,
				document->lifetime_years);
	else if (!document->is_price)
		perseus__text_addf(text, "; embodied carbon is left out (--embodied)");
	perseus__text_addf(text, "\n\n");
}

static void
write_worth(const struct perseus__pace_document *document, struct perseus__text *text)
{
	const struct perseus__hour_worth *worth = &document->an_hour;
	const double break_even = document->break_even_per_gpu_h;
	perseus__text_addf(text, "An hour %s of deadline: ", worth->is_less ? "less" : "more");
	if (!worth->is_known) {
		perseus__text_addf(text, "not known: the file has no hour more, and with an hour less it cannot be done\n");
	} else if (worth->grams > 0) {
		perseus__pace_amount(text, document, worth->grams, worth->grams);
		perseus__text_addf(text, " %s\n", worth->is_less ? "more (the file has no hour more)" : "less");
	} else {
		perseus__text_addf(text, "changes nothing%s\n", worth->is_less ? " (the file has no hour more)" : "");
	}
	if (!(break_even > 0)) {
		perseus__text_addf(text, "Break-even: running slower than the fastest is worth nothing here\n");
		return;
	}
	perseus__text_addf(text, "Break-even with the fastest: ");
	perseus__pace_amount(text, document, break_even, break_even);
	perseus__text_addf(text, " for an hour of a GPU");
	if (!document->is_price)
		perseus__text_addf(text, ", %.4g kgCO2e embodied in it over %.15g years",
				perseus__pace_kg_of(document, break_even), document->lifetime_years);
	perseus__text_addf(text, "\n");
}

void
perseus__pace_report(
		const struct perseus__job *job, const struct perseus__pace_document *document, struct perseus__text *text)
{
	write_heading(job, document, text);
	write_courses(document, text);
	perseus__text_addf(text, "\n");
	write_hours(document, text);
	perseus__text_addf(text, "\nOne more iteration: ");
	if (isfinite(document->pace->price))
		perseus__pace_amount(text, document, document->pace->price, document->pace->price);
	else
		perseus__text_addf(text, "does not fit");
	perseus__text_addf(text, "; no course takes less, proven by %d price%s of an iteration\n",
			(int)document->pace->n_prices, document->pace->n_prices == 1 ? "" : "s");
	write_worth(document, text);
}
