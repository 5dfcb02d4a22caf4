/* From files to paced jobs. */
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "cli/duration.h"
#include "cli/pace.h"
#include "format/intensity_file.h"
#include "format/number.h"
#include "format/price_csv.h"
#include "format/utc_time.h"

#include <math.h>

static const double ROUNDING = 1e-9; /* of the whole: less is nothing */
static const int64_t MAX_HOURS = 1000000;

/* The beginning and the deadline, Unix time. */
struct span {
	int64_t begin_ms;
	int64_t deadline_ms;
};

/* The files that hours can come from. */
struct source {
	struct perseus__intensity_table *intensities;
	struct perseus__price_table *prices;
};

static enum perseus_status
read_source(const struct perseus__pace_options *options, struct source *source, struct perseus_error *err)
{
	return options->carbon ? perseus__intensity_table_read(options->carbon, &source->intensities, err)
						   : perseus__price_table_read(options->price, &source->prices, err);
}

static void
source_fini(struct source *source)
{
	perseus__intensity_table_free(source->intensities);
	perseus__price_table_free(source->prices);
}

static enum perseus_status
find_hours(const struct source *source, const struct perseus__hours_query *query, struct perseus__hours *hours,
		struct perseus_error *err)
{
	return source->intensities ? perseus__intensity_hours(source->intensities, query, hours, err)
							   : perseus__price_hours(source->prices, query, hours, err);
}

static enum perseus_status
find_begin(const struct perseus__pace_options *options, const struct source *source, int64_t *begin_ms,
		struct perseus_error *err)
{
	const struct perseus__hours_query query = {
		.zone = options->zone, .first = PERSEUS__FIRST_HOUR, .n_needed = 1, .n_wanted = 1};
	struct perseus__hours first = {.n = 0};
	*begin_ms = options->from_ms;
	if (options->from_ms >= 0)
		return PERSEUS_OK;
	const enum perseus_status status = find_hours(source, &query, &first, err);
	*begin_ms = first.first * PERSEUS__MS_PER_HOUR;
	perseus__hours_fini(&first);
	return status;
}

/* A number is hours; else it is a moment, or a length of time with units. */
static enum perseus_status
find_deadline(const char *text, int64_t begin_ms, int64_t *deadline_ms, struct perseus_error *err)
{
	struct perseus__decimal hours;
	int64_t seconds = 0;
	bool is_good = true;
	if (perseus__decimal_parse(text, &hours))
		is_good = perseus__decimal_times(hours, PERSEUS__MS_PER_HOUR, deadline_ms);
	else if (perseus__duration_parse(text, &seconds))
		*deadline_ms = seconds * 1000;
	else if (perseus__utc_parse(text, deadline_ms))
		*deadline_ms -= begin_ms;
	else
		return perseus__fail(err, PERSEUS_INVALID,
				"--deadline takes hours, a length of time such as '3d 12h' or a moment such as 2026-08-01T13:00Z, not "
				"'%.100s'",
				text);
	if (!is_good || *deadline_ms > MAX_HOURS * PERSEUS__MS_PER_HOUR)
		return perseus__fail(err, PERSEUS_INVALID, "--deadline is more than %lld hours away", (long long)MAX_HOURS);
	if (*deadline_ms < 0)
		return perseus__fail(err, PERSEUS_INVALID, "--deadline is before the beginning");
	*deadline_ms += begin_ms;
	return PERSEUS_OK;
}

static int64_t
hour_of(int64_t time_ms)
{
	return time_ms / PERSEUS__MS_PER_HOUR;
}

/* Hours that are touched on the way from the beginning to `end_ms`; none where that is the beginning. */
static int32_t
count_hours(const struct span *span, int64_t end_ms)
{
	return end_ms > span->begin_ms ? (int32_t)(hour_of(end_ms - 1) - hour_of(span->begin_ms) + 1) : 0;
}

static enum perseus_status
load_hours(const struct perseus__pace_options *options, struct span *span, struct perseus__hours *hours,
		struct perseus_error *err)
{
	struct source source = {0};
	enum perseus_status status = read_source(options, &source, err);
	if (status == PERSEUS_OK)
		status = find_begin(options, &source, &span->begin_ms, err);
	if (status == PERSEUS_OK)
		status = find_deadline(options->deadline, span->begin_ms, &span->deadline_ms, err);
	if (status == PERSEUS_OK) {
		const struct perseus__hours_query query = {
			.zone = options->zone,
			.first = hour_of(span->begin_ms),
			.n_needed = span->deadline_ms > span->begin_ms ? count_hours(span, span->deadline_ms) : 1,
			.n_wanted = count_hours(span, span->deadline_ms + PERSEUS__MS_PER_HOUR),
		};
		status = find_hours(&source, &query, hours, err);
	}
	source_fini(&source);
	return status;
}

/* Fills in the slots from the beginning to `end_ms`: parts of hours at its ends. */
static void
lay_slots(struct perseus__pace_run *run, const struct span *span, int64_t end_ms)
{
	run->problem.n_slots = count_hours(span, end_ms);
	for (int32_t i = 0; i < run->problem.n_slots; i++) {
		const int64_t from_ms = (run->hours.first + i) * PERSEUS__MS_PER_HOUR, to_ms = from_ms + PERSEUS__MS_PER_HOUR;
		const int64_t begin_ms = from_ms > span->begin_ms ? from_ms : span->begin_ms;
		run->slots[i] = (struct perseus_pace_slot){
			.duration_s = (double)((to_ms < end_ms ? to_ms : end_ms) - begin_ms) / 1e3,
			.factor_per_kwh = run->hours.values[i],
		};
	}
}

static void
set_problem(const struct perseus__pace_options *options, struct perseus__pace_run *run, double n_gpus)
{
	const double fastest_hz = run->curve->points[run->curve->n_points - 1].rate_hz;
	const double embodied_g_per_h = options->embodied_kg >= 0
			? perseus__pace_grams_per_gpu_h(options->embodied_kg, options->lifetime_years)
			: 0;
	run->problem = (struct perseus_pace_problem){
		.curve = run->curve,
		.slots = run->slots,
		.n_iterations =
				options->n_iterations > 0 ? options->n_iterations : options->duration_h * PERSEUS__S_PER_H * fastest_hz,
		.pue = options->pue,
		.may_pause = options->idle_power_w >= 0,
		.idle_power_w = options->idle_power_w * n_gpus,
		.reservation_per_h = n_gpus * (options->gpu_hour_price >= 0 ? options->gpu_hour_price : embodied_g_per_h),
	};
}

/* Hours at full speed may hold no iteration: then there is nothing to pace. */
static enum perseus_status
check_work(const struct perseus__pace_options *options, const struct perseus__pace_run *run, struct perseus_error *err)
{
	if (run->problem.n_iterations >= 1)
		return PERSEUS_OK;
	return perseus__fail(err, PERSEUS_INVALID, "--duration: %g h hold no iteration, which takes %g s at full speed",
			options->duration_h, 1 / run->curve->points[run->curve->n_points - 1].rate_hz);
}

/* Solves for an hour more of deadline, or for want of a file that has it, an hour less. */
static enum perseus_status
value_hour(struct perseus__pace_run *run, const struct span *span, struct perseus_error *err)
{
	struct perseus__hour_worth *worth = &run->document.an_hour;
	const int64_t more_ms = span->deadline_ms + PERSEUS__MS_PER_HOUR;
	worth->is_less = run->hours.n < count_hours(span, more_ms);
	const int64_t other_ms = worth->is_less ? span->deadline_ms - PERSEUS__MS_PER_HOUR : more_ms;
	if (other_ms <= span->begin_ms)
		return PERSEUS_OK;
	struct perseus_pace *other = NULL;
	lay_slots(run, span, other_ms);
	const enum perseus_status status = perseus_pace_new(&run->problem, &other, err);
	lay_slots(run, span, span->deadline_ms);
	if (status == PERSEUS_INFEASIBLE)
		return PERSEUS_OK;
	if (status != PERSEUS_OK)
		return status;
	const double gained = perseus__pace_total_grams(&run->pace->course) - perseus__pace_total_grams(&other->course);
	worth->is_known = true;
	const double saved = worth->is_less ? -gained : gained;
	worth->grams = saved > ROUNDING * fabs(perseus__pace_total_grams(&run->pace->course)) ? saved : 0;
	perseus_pace_free(other);
	return PERSEUS_OK;
}

static enum perseus_status
solve(struct perseus__pace_run *run, struct perseus_error *err)
{
	enum perseus_status status = perseus_pace_new(&run->problem, &run->pace, err);
	for (int i = 0; status == PERSEUS_OK && i < PERSEUS_N_PACE_BASELINES; i++) {
		status = perseus_pace_baseline_new(&run->problem, (enum perseus_pace_baseline)i, &run->baselines[i], err);
		run->document.baselines[i] = run->baselines[i];
	}
	double break_even_per_h = 0;
	if (status == PERSEUS_OK)
		status = perseus_pace_break_even(&run->problem, &break_even_per_h, err);
	run->document.pace = run->pace;
	run->document.break_even_per_gpu_h = break_even_per_h / (double)perseus__pace_n_gpus(&run->document);
	return status;
}

enum perseus_status
perseus__pace_run(const struct perseus__pace_options *options, struct perseus__pace_run *run, struct perseus_error *err)
{
	const struct perseus__job *job = &options->job;
	struct span span = {0};
	run->document = (struct perseus__pace_document){
		.schedule = job->schedule,
		.gpus_per_stage = job->gpus_per_stage,
		.n_pipelines = job->n_pipelines,
		.overhead_s = options->overhead_s,
		.problem = &run->problem,
		.hours = &run->hours,
		.is_price = options->price != NULL,
		.embodied_kg_per_gpu = options->embodied_kg,
		.lifetime_years = options->lifetime_years,
	};
	enum perseus_status status = load_hours(options, &span, &run->hours, err);
	if (status == PERSEUS_OK)
		status = perseus_operating_curve_new(
				job->frontier, job->n_pipelines, job->gpus_per_stage, options->overhead_s, &run->curve, err);
	if (status != PERSEUS_OK)
		return status;
	run->document.begin_ms = span.begin_ms;
	run->slots = perseus__new_array((size_t)run->hours.n, sizeof *run->slots);
	if (!run->slots)
		return perseus__no_memory(err);
	set_problem(options, run, (double)perseus__pace_n_gpus(&run->document));
	lay_slots(run, &span, span.deadline_ms);
	status = check_work(options, run, err);
	if (status == PERSEUS_OK)
		status = solve(run, err);
	return status == PERSEUS_OK ? value_hour(run, &span, err) : status;
}

void
perseus__pace_run_fini(struct perseus__pace_run *run)
{
	for (int i = 0; i < PERSEUS_N_PACE_BASELINES; i++)
		perseus_pace_course_free(run->baselines[i]);
	perseus_pace_free(run->pace);
	perseus_operating_curve_free(run->curve);
	perseus__free(run->slots);
	perseus__hours_fini(&run->hours);
}
