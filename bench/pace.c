/*
 * Pacing, timed: `bench_pace STAGES MICROBATCHES NOISE HOURS RUNS` prints one JSON object a case, for the curve of that
 * synthetic job and as many hours of a synthetic grid: days and seasons of solar power, and weather. Nine tenths of
 * what fits are to be done. The median processor time of RUNS, and the time to prove the answer.
 */
#include "job.h"
#include "measure.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double N_GPUS = 1024;

/* A case: what makes the problem other than the plainest. */
struct variant {
	const char *name;
	bool may_pause;
	double reservation_per_h;
	double offset; /* added to every factor, so that some are negative */
};

static const struct variant variants[] = {
	{"carbon", false, 0, 0},
	{"pausing", true, 0, 0},
	{"embodied", false, 5e3, 0},
	{"pausing, embodied", true, 5e3, 0},
	{"negative prices", true, 0, -150},
};

static struct perseus_pace_slot *
make_hours(int32_t n, double offset)
{
	struct perseus_pace_slot *slots = calloc((size_t)n, sizeof *slots);
	uint64_t state = 7;
	double weather = 0;
	if (!slots)
		bench_die("hours", NULL);
	for (int32_t h = 0; h < n; h++) {
		const double day = fmax(0, -cos(2 * M_PI * (h % 24) / 24.0)), season = -cos(2 * M_PI * h / 8760.0);
		weather = 0.97 * weather + 15 * (random_fraction(&state) - 0.5);
		slots[h].duration_s = 3600;
		slots[h].factor_per_kwh = fmax(10, 400 - 180 * day - 60 * season + 3 * weather) + offset;
	}
	return slots;
}

static void
measure(const struct variant *variant, const struct perseus_operating_curve *curve, int32_t n_hours, int32_t runs)
{
	struct perseus_pace_slot *slots = make_hours(n_hours, variant->offset);
	const struct perseus_pace_problem problem = {
		.curve = curve,
		.slots = slots,
		.n_slots = n_hours,
		.n_iterations = 0.9 * n_hours * 3600 * curve->points[curve->n_points - 1].rate_hz,
		.pue = 1.2,
		.may_pause = variant->may_pause,
		.idle_power_w = 70 * N_GPUS,
		.reservation_per_h = variant->reservation_per_h,
	};
	struct perseus_error err = {0};
	double times_s[BENCH_MAX_RUNS];
	struct perseus_pace *pace = NULL;
	for (int32_t i = 0; i < runs; i++) {
		perseus_pace_free(pace);
		pace = NULL;
		const double begin_s = bench_processor_s();
		if (perseus_pace_new(&problem, &pace, &err) != PERSEUS_OK)
			bench_die("pace", &err);
		times_s[i] = bench_processor_s() - begin_s;
	}
	const double begin_s = bench_processor_s();
	if (!pace || perseus_pace_check(pace, &problem, 1e-9, &err) != PERSEUS_OK)
		bench_die("check", &err);
	const double check_s = bench_processor_s() - begin_s;
	const double grams = pace->course.grams + pace->course.reservation_grams;
	printf("{\"what\": \"pace\", \"case\": \"%s\", \"hours\": %d, \"points\": %d, \"processor_s\": %.6f, "
		   "\"check_s\": %.6f, \"runs\": %d, \"prices\": %d, \"held_h\": %.1f, \"gap\": %.2g}\n",
			variant->name, (int)n_hours, (int)curve->n_points, bench_median(times_s, runs), check_s, (int)runs,
			(int)pace->n_prices, pace->course.held_s / 3600, pace->gap / grams);
	perseus_pace_free(pace);
	free(slots);
}

int
main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: bench_pace STAGES MICROBATCHES NOISE HOURS RUNS\n");
		return 2;
	}
	const int32_t n_hours = bench_integer(argv[4], "hours", 1, 1000000);
	const int32_t runs = bench_integer(argv[5], "runs", 1, BENCH_MAX_RUNS);
	struct bench_job job = bench_job_make(argv + 1);
	struct perseus_frontier *frontier = NULL;
	struct perseus_operating_curve *curve = NULL;
	struct perseus_error err = {0};
	if (perseus_frontier_new(job.profile, job.schedule, NULL, &frontier, &err) != PERSEUS_OK)
		bench_die("frontier", &err);
	const int32_t n_pipelines = (int32_t)(N_GPUS / job.schedule->n_stages);
	if (perseus_operating_curve_new(frontier, n_pipelines, 1, 0, &curve, &err) != PERSEUS_OK)
		bench_die("curve", &err);
	for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
		measure(&variants[i], curve, n_hours, runs);
	perseus_operating_curve_free(curve);
	perseus_frontier_free(frontier);
	bench_job_fini(&job);
	return 0;
}
