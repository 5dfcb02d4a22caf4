/*
 * How soon the job server has plans, and how soon it reacts: `bench_planner STAGES MICROBATCHES NOISE` prints a JSON
 * object with the time from asking for a shape to its first plan and to its whole table, of a lookup, of freeing a
 * planner in the middle of a frontier, and of the detector's step of 64 pipelines.
 */
#include "job.h"
#include "measure.h"
#include "random.h"
#include "synthetic.h"

#include "base/clock.h"
#include "server/detector.h"
#include "server/planner.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

enum { LOOKUPS = 1000000, RUNS = 5, PIPELINES = 64, STEPS = 20000, MAX_ROWS = 100000 };

static struct perseus_measurement rows[MAX_ROWS];

/* The rows that a synthetic profile was made of, out of its classes' choices. */
static size_t
fill_rows(const struct perseus_profile *profile)
{
	size_t n = 0;
	for (int32_t c = 0; c < perseus_profile_n_classes(profile); c++) {
		const struct perseus_class *class_ = perseus_profile_class(profile, c);
		for (int32_t k = 0; k < class_->n_choices && n < MAX_ROWS; k++)
			rows[n++] = (struct perseus_measurement){.stage = class_->stage,
				.instruction = class_->name,
				.frequency_mhz = class_->choices[k].frequency_mhz,
				.time_s = 1e-9 * (double)class_->choices[k].time_ns,
				.energy_j = 1e-9 * (double)class_->choices[k].energy_nj};
	}
	return n;
}

struct answer {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct perseus__shape *shape;
	bool is_there;
};

static void
on_done(void *user, struct perseus__shape *shape, const struct perseus_error *err)
{
	struct answer *answer = user;
	if (err && err->status != PERSEUS_CANCELLED)
		bench_die("shape", err);
	(void)pthread_mutex_lock(&answer->mutex);
	answer->shape = shape ? perseus__shape_ref(shape) : NULL;
	answer->is_there = true;
	(void)pthread_cond_signal(&answer->changed);
	(void)pthread_mutex_unlock(&answer->mutex);
}

static struct perseus__planner *
new_planner(void)
{
	struct perseus__planner_settings settings = perseus__planner_settings_default();
	settings.n_threads = 1;
	struct perseus__planner *planner = NULL;
	struct perseus_error err = {0};
	if (perseus__planner_new(&settings, &planner, &err) != PERSEUS_OK)
		bench_die("planner", &err);
	return planner;
}

static void
ask(struct perseus__planner *planner, const struct perseus__shape_request *request, struct answer *answer)
{
	struct perseus_error err = {0};
	*answer = (struct answer){.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	if (perseus__planner_ask(planner, request, on_done, answer, &err) != PERSEUS_OK)
		bench_die("asking", &err);
}

static void
await(struct answer *answer)
{
	(void)pthread_mutex_lock(&answer->mutex);
	while (!answer->is_there)
		(void)pthread_cond_wait(&answer->changed, &answer->mutex);
	(void)pthread_mutex_unlock(&answer->mutex);
}

static double
lookup_s(const struct perseus__shape *shape)
{
	const struct perseus__shape_info info = perseus__shape_info(shape);
	const int64_t range_ns = (info.t_star_ns - info.t_min_ns) / 10 * 11;
	double times_s[RUNS];
	for (int32_t run = 0; run < RUNS; run++) {
		int64_t sum_nj = 0;
		uint64_t state = 1;
		const double begin_s = bench_processor_s();
		for (int32_t i = 0; i < LOOKUPS; i++) {
			const int64_t deadline_ns = info.t_min_ns + (int64_t)(random_next(&state) >> 24) % (range_ns + 1);
			sum_nj += perseus__shape_plan(shape, deadline_ns)->outcome.energy_nj;
		}
		times_s[run] = (bench_processor_s() - begin_s) / LOOKUPS;
		if (sum_nj <= 0)
			bench_die("a plan without energy", NULL);
	}
	return bench_median(times_s, RUNS);
}

static double
detector_step_s(void)
{
	struct perseus__detector *detector = NULL;
	struct perseus_error err = {0};
	if (perseus__detector_new(PIPELINES, NULL, &detector, &err) != PERSEUS_OK)
		bench_die("detector", &err);
	double time_s[PIPELINES];
	double expected_s[PIPELINES];
	uint64_t state = 1;
	const double begin_s = bench_processor_s();
	for (int32_t step = 0; step < STEPS; step++) {
		for (int32_t p = 0; p < PIPELINES; p++) {
			expected_s[p] = 1;
			time_s[p] = 1 + 0.04 * random_fraction(&state);
		}
		(void)perseus__detector_step(detector, step, time_s, expected_s);
	}
	const double seconds = (bench_processor_s() - begin_s) / STEPS;
	perseus__detector_free(detector);
	return seconds;
}

/* How long freeing takes while a frontier is at half of `make_s`. */
static double
free_s(const struct perseus__shape_request *request, double make_s)
{
	struct perseus__planner *planner = new_planner();
	struct answer answer;
	ask(planner, request, &answer);
	const struct timespec half = {
		.tv_sec = (time_t)(make_s / 2), .tv_nsec = (long)(1e9 * (make_s / 2 - (double)(time_t)(make_s / 2)))};
	(void)nanosleep(&half, NULL);
	const int64_t begin_ns = perseus__clock_mono_ns();
	perseus__planner_free(planner);
	const double seconds = 1e-9 * (double)(perseus__clock_mono_ns() - begin_ns);
	perseus__shape_unref(answer.shape);
	return seconds;
}

int
main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: bench_planner STAGES MICROBATCHES NOISE\n");
		return 2;
	}
	struct bench_job job = bench_job_make(argv + 1);
	const double blocking_w = SYNTHETIC_BLOCKING_POWER_W;
	struct perseus__shape_request request = {
		.rows = rows,
		.n_rows = fill_rows(job.profile),
		.profile = perseus_profile_settings_default(),
		.order = {.name = job.schedule->name,
			.n_ranks = job.schedule->n_ranks,
			.rank_begin = job.schedule->rank_begin,
			.instructions = job.schedule->instructions},
		.granularity = PERSEUS_GRANULARITY_AUTO,
	};
	request.profile.blocking_power_w = &blocking_w;
	request.profile.n_blocking_power = 1;
	struct perseus__planner *planner = new_planner();
	struct answer answer;
	const int64_t begin_ns = perseus__clock_mono_ns();
	ask(planner, &request, &answer);
	await(&answer);
	const double first_s = 1e-9 * (double)(perseus__clock_mono_ns() - begin_ns);
	const struct timespec ms = {.tv_nsec = 1000000};
	while (!perseus__shape_info(answer.shape).is_complete)
		(void)nanosleep(&ms, NULL);
	const double table_s = 1e-9 * (double)(perseus__clock_mono_ns() - begin_ns);
	const struct perseus__shape_info info = perseus__shape_info(answer.shape);
	printf("{\"what\": \"planner\", \"stages\": %d, \"microbatches\": %d, \"deadlines\": %d, \"first_plan_s\": %.6f, "
		   "\"table_s\": %.6f, \"lookup_us\": %.4f, \"free_s\": %.6f, \"detector_us\": %.4f}\n",
			(int)job.schedule->n_stages, (int)job.schedule->n_microbatches, (int)info.n_deadlines, first_s, table_s,
			1e6 * lookup_s(answer.shape), free_s(&request, first_s), 1e6 * detector_step_s());
	perseus__shape_unref(answer.shape);
	perseus__planner_free(planner);
	bench_job_fini(&job);
	return 0;
}
