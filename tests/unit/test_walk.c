/*
 * Profiling in vivo, on simulated training: how near the truth it comes and in how many steps, what it promises of its
 * program, and what it does where there is less to go by.
 *
 * PERSEUS_WALK_SEEDS=10 repeats the comparison with the truth for so many jobs of each kind.
 */
#include "server/walk.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "training.h"

enum { MAX_CLOCKS = 128, MAX_JOB_STEPS = 1000 };

/* Clocks in steps of 15 MHz down from the highest. */
static int32_t
fill_clocks(int32_t *clocks_mhz, int32_t highest_mhz, int32_t n)
{
	for (int32_t i = 0; i < n; i++)
		clocks_mhz[i] = highest_mhz - 15 * i;
	return n;
}

static struct perseus__walk *
make(const struct perseus__walk_settings *settings)
{
	struct perseus__walk *walk = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__walk_new(settings, &walk, &err) == PERSEUS_OK, "%s", err.message);
	return walk;
}

static struct perseus__walk_result *
result_of(struct perseus__walk *walk)
{
	struct perseus__walk_result *result = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__walk_result(walk, &result, &err) == PERSEUS_OK, "%s", err.message);
	return result;
}

static struct perseus__walk_settings
settings_of(const struct training *training, int32_t n_pp, const int32_t *clocks_mhz, int32_t n_clocks)
{
	struct perseus__walk_settings settings = perseus__walk_settings_default();
	settings.n_pp = n_pp;
	settings.clocks_mhz = clocks_mhz;
	settings.n_clocks = n_clocks;
	settings.classes = training_classes(training, &settings.n_classes);
	return settings;
}

/* Jobs of 4 ranks and 8 microbatches, instructions of 15 to 60 ms, 40 clocks. */
static const struct job {
	const char *schedule;
	int32_t stages_per_rank;
	const char *model;
	int32_t highest_mhz;
	double scale;
	bool has_constants;
	double outliers;
} jobs[] = {
	{"1f1b", 0, "a100", 1410, 1, false, 0},
	{"1f1b", 0, "a40", 1740, 1, true, 0},
	{"1f1b", 0, "a100", 1410, 1, false, 0.02},
	{"gpipe", 0, "a100", 1410, 1, false, 0},
	{"interleaved", 2, "a100", 1410, 2, false, 0},
	{"zb-h1", 0, "a100", 1410, 1, false, 0},
};

static int
n_seeds(void)
{
	const char *text = getenv("PERSEUS_WALK_SEEDS");
	return text ? (int)strtol(text, NULL, 10) : 1;
}

/* Every class at every clock within 2 % of the truth, in at most 150 steps for 40 clocks. */
START_TEST(comes_near_the_truth)
{
	const struct job *job = &jobs[_i];
	for (int seed = 1; seed <= n_seeds(); seed++) {
		struct training_settings scene = training_settings_default();
		scene.schedule = job->schedule;
		scene.stages_per_rank = job->stages_per_rank;
		scene.model = job->model;
		scene.scale = job->scale;
		scene.has_constants = job->has_constants;
		scene.outliers = job->outliers;
		scene.seed = (uint64_t)seed;
		struct training *training = training_new(&scene);
		int32_t clocks_mhz[MAX_CLOCKS];
		const int32_t n_clocks = fill_clocks(clocks_mhz, job->highest_mhz, 40);
		const struct perseus__walk_settings settings = settings_of(training, 4, clocks_mhz, n_clocks);
		struct perseus__walk *walk = make(&settings);
		const int32_t n_steps = training_follow(training, walk, MAX_JOB_STEPS);
		struct perseus__walk_result *result = result_of(walk);
		const struct training_errors errors = training_compare(training, result, 0.05);
		printf("# %s on %s, constants %d, outliers %.0f %%, seed %d: %d steps, %d clocks; energy off by %.2f %% at "
			   "worst, ",
				job->schedule, job->model, job->has_constants, 100 * job->outliers, seed, (int)n_steps,
				(int)errors.n_clocks, 100 * errors.worst_energy);
		printf("%.2f %% typically, %.2f standard errors, the largest %.2f %%; time %.2f %%, blocking %.2f %%\n",
				100 * errors.mean_square_energy, errors.mean_square_of_errors, 100 * errors.worst_reported,
				100 * errors.worst_time, 100 * errors.worst_blocking);
		ck_assert_int_eq(n_steps, result->n_steps);
		ck_assert_int_le(n_steps, 150);
		ck_assert_int_ge(errors.n_clocks, 38);
		ck_assert_int_eq(errors.n_unknown, 0);
		ck_assert_msg(errors.worst_energy <= 0.02, "%s, seed %d: energy off by %.17g", job->schedule, seed,
				errors.worst_energy);
		ck_assert_msg(errors.worst_blocking <= 0.02, "%s, seed %d: blocking power off by %.17g", job->schedule, seed,
				errors.worst_blocking);
		/* Of some 300 means of 24 instructions with 1 % noise the worst is 0.2 % times 3.5 off. */
		ck_assert_msg(
				errors.worst_time <= 0.015, "%s, seed %d: time off by %.17g", job->schedule, seed, errors.worst_time);
		/*
		 * What is said of the accuracy is about true; errors of neighbouring clocks go together, so that there are few.
		 */
		ck_assert_msg(errors.mean_square_of_errors > 0.6 && errors.mean_square_of_errors < 1.6,
				"%s, seed %d: %.17g standard errors", job->schedule, seed, errors.mean_square_of_errors);
		ck_assert_int_eq(perseus__walk_state(walk), PERSEUS__WALK_DONE);
		perseus__walk_result_free(result);
		perseus__walk_free(walk);
		training_free(training);
	}
}
END_TEST

/* A training that keeps the program, which is then looked at. */
struct record {
	int32_t n_segments;
	int32_t n_steps[MAX_JOB_STEPS];
	int32_t *class_mhz[MAX_JOB_STEPS];
};

/* Segments and reports by hand: each step is reported as soon as it has run. */
static void
follow(struct training *training, struct perseus__walk *walk, struct record *record, int32_t stop_after)
{
	struct perseus_error err = {.message = ""};
	int32_t run = 0;
	while (perseus__walk_state(walk) != PERSEUS__WALK_DONE && run < stop_after) {
		const struct perseus__walk_segment *segments = NULL;
		int32_t n = 0;
		ck_assert_msg(perseus__walk_next(walk, &segments, &n, &err) == PERSEUS_OK, "%s", err.message);
		for (int32_t i = 0; i < n; i++) {
			int32_t n_classes;
			(void)training_classes(training, &n_classes);
			ck_assert_int_lt(record->n_segments, MAX_JOB_STEPS);
			record->n_steps[record->n_segments] = segments[i].n_steps;
			int32_t *copy = calloc((size_t)n_classes, sizeof *copy);
			ck_assert_ptr_nonnull(copy);
			memcpy(copy, segments[i].class_mhz, (size_t)n_classes * sizeof *copy);
			record->class_mhz[record->n_segments++] = copy;
		}
		if (run < record->n_segments) {
			for (int32_t i = 0; i < record->n_steps[run]; i++)
				training_step(training, record->class_mhz[run], walk);
			perseus__walk_end_segment(walk, record->n_steps[run]);
			run++;
		} else {
			ck_assert(perseus__walk_state(walk) == PERSEUS__WALK_DONE);
		}
	}
}

static void
free_record(struct record *record)
{
	for (int32_t i = 0; i < record->n_segments; i++)
		free(record->class_mhz[i]);
	free(record);
}

static struct record *
new_record(void)
{
	struct record *record = calloc(1, sizeof *record);
	ck_assert_ptr_nonnull(record);
	return record;
}

static bool
is_listed(const struct perseus__walk_settings *settings, int32_t mhz)
{
	for (int32_t i = 0; i < settings->n_clocks; i++)
		if (settings->clocks_mhz[i] == mhz)
			return true;
	return settings->n_clocks == 0 && mhz == 0;
}

static bool
was_asked(const struct record *record, int32_t class_, int32_t mhz)
{
	for (int32_t i = 0; i < record->n_segments; i++)
		if (record->class_mhz[i][class_] == mhz)
			return true;
	return false;
}

static void
check_program(const struct perseus__walk_settings *settings, const struct record *record)
{
	int32_t n_steps = 0;
	for (int32_t i = 0; i < record->n_segments; i++) {
		ck_assert_int_ge(record->n_steps[i], 1);
		n_steps += record->n_steps[i];
		for (int32_t j = 0; j < settings->n_classes; j++) {
			const int32_t mhz = record->class_mhz[i][j];
			const bool is_constant = perseus__job_class_is_constant(settings->classes[j].name);
			ck_assert_msg(is_constant ? mhz == 0 : is_listed(settings, mhz), "class %d at %d MHz", (int)j, (int)mhz);
			/* One clock for a GPU at a time. */
			for (int32_t k = 0; k < j; k++)
				if (settings->classes[k].pp == settings->classes[j].pp && !is_constant
						&& !perseus__job_class_is_constant(settings->classes[k].name))
					ck_assert_int_eq(mhz, record->class_mhz[i][k]);
		}
	}
	ck_assert_int_le(n_steps, settings->max_steps);
	/* Clocks descend; they go up where a class has stopped, or where a pass through what is left begins. */
	for (int32_t j = 0; j < settings->n_classes; j++) {
		int32_t n_up = 0;
		for (int32_t i = 1; i < record->n_segments; i++)
			n_up += record->class_mhz[i][j] > record->class_mhz[i - 1][j];
		ck_assert_int_le(n_up, 9);
	}
	if (record->n_segments > 0 && settings->n_clocks > 0 && !perseus__job_class_is_constant(settings->classes[0].name))
		ck_assert_int_eq(record->class_mhz[0][0], settings->clocks_mhz[0]);
}

static void
check_rows(const struct perseus__walk_settings *settings, const struct record *record,
		const struct perseus__walk_result *result)
{
	for (int32_t i = 0; i < result->n_rows; i++) {
		const struct perseus__walk_row *row = &result->rows[i];
		const struct perseus__job_class *class_ = &settings->classes[row->class_];
		const int32_t mhz = row->measurement.frequency_mhz;
		ck_assert_msg(was_asked(record, row->class_, mhz), "class %d at %d MHz was not asked for", (int)row->class_,
				(int)mhz);
		ck_assert_int_eq(row->measurement.stage, class_->stage);
		ck_assert_str_eq(row->measurement.instruction, class_->name);
		ck_assert(row->measurement.time_s > 0 && isfinite(row->measurement.time_s));
		ck_assert(row->time_error_s >= 0 && isfinite(row->time_error_s));
		ck_assert(isfinite(row->energy_error_j) == isfinite(row->measurement.energy_j));
		ck_assert(!isfinite(row->energy_error_j) || row->energy_error_j >= 0);
		if (i > 0 && result->rows[i - 1].class_ == row->class_)
			ck_assert_int_gt(result->rows[i - 1].measurement.frequency_mhz, mhz);
		else if (i > 0)
			ck_assert_int_gt(row->class_, result->rows[i - 1].class_);
	}
}

/* What the walk promises, over random jobs and budgets. */
START_TEST(keeps_its_word)
{
	static const char *const schedules[] = {"1f1b", "gpipe", "interleaved", "zb-h1"};
	uint64_t random = 31 + (uint64_t)_i;
	for (int k = 0; k < 5; k++) {
		struct training_settings scene = training_settings_default();
		scene.schedule = schedules[random_below(&random, 4)];
		scene.stages_per_rank = scene.schedule[0] == 'i' ? 2 : 0;
		scene.n_ranks = 2 + (int32_t)random_below(&random, 2);
		scene.n_microbatches = scene.n_ranks * (1 + (int32_t)random_below(&random, 2));
		scene.n_pipelines = 1 + (int32_t)random_below(&random, 2);
		scene.has_constants = random_below(&random, 2);
		scene.scale = 0.2 + random_below(&random, 30) / 10.0;
		scene.noise = random_below(&random, 4) / 100.0;
		scene.lag_steps = 0;
		scene.seed = random;
		struct training *training = training_new(&scene);
		int32_t clocks_mhz[MAX_CLOCKS];
		const int32_t n_clocks = fill_clocks(clocks_mhz, 1410, (int32_t)random_below(&random, 14));
		struct perseus__walk_settings settings = settings_of(training, scene.n_ranks, clocks_mhz, n_clocks);
		settings.max_steps = 1 + (int32_t)random_below(&random, 60);
		settings.min_steps_per_clock = 1 + (int32_t)random_below(&random, 4);
		if (random_below(&random, 3) == 0)
			settings.blocking_power_w = training_blocking_w(training);
		struct perseus__walk *walk = make(&settings);
		struct record *record = new_record();
		follow(training, walk, record, MAX_JOB_STEPS);
		ck_assert_int_eq(perseus__walk_state(walk), PERSEUS__WALK_DONE);
		struct perseus__walk_result *result = result_of(walk);
		check_program(&settings, record);
		check_rows(&settings, record, result);
		ck_assert_int_ge(result->n_rows, 1);
		for (int32_t i = 0; i < result->n_pp && !isnan(settings.blocking_power_w); i++)
			ck_assert(result->blocking[i].power_w == settings.blocking_power_w && result->blocking[i].error_w == 0);
		perseus__walk_result_free(result);
		free_record(record);
		perseus__walk_free(walk);
		training_free(training);
	}
}
END_TEST

/* Where waiting takes little power there is a best clock, not far below which every class stops. */
START_TEST(stops_below_the_best_clock)
{
	struct training_settings scene = training_settings_default();
	scene.blocking_w = 15;
	struct training *training = training_new(&scene);
	int32_t clocks_mhz[MAX_CLOCKS];
	const int32_t n_clocks = fill_clocks(clocks_mhz, 1410, 80);
	struct perseus__walk_settings settings = settings_of(training, 4, clocks_mhz, n_clocks);
	settings.largest_slowdown = 100;
	struct perseus__walk *walk = make(&settings);
	(void)training_follow(training, walk, MAX_JOB_STEPS);
	struct perseus__walk_result *result = result_of(walk);
	ck_assert(result->has_stopped);
	for (int32_t class_ = 0; class_ < settings.n_classes; class_++) {
		int32_t best_mhz = 0;
		double least_j = (double)INFINITY;
		for (int32_t i = 0; i < n_clocks; i++) {
			const double effective_j = training_energy_j(training, class_, clocks_mhz[i])
					- training_blocking_w(training) * training_time_s(training, class_, clocks_mhz[i]);
			if (effective_j < least_j) {
				least_j = effective_j;
				best_mhz = clocks_mhz[i];
			}
		}
		int32_t lowest_mhz = INT32_MAX;
		double least_found_j = (double)INFINITY;
		for (int32_t i = 0; i < result->n_rows; i++) {
			const struct perseus__walk_row *row = &result->rows[i];
			if (row->class_ != class_)
				continue;
			const int32_t mhz = row->measurement.frequency_mhz;
			lowest_mhz = mhz < lowest_mhz ? mhz : lowest_mhz;
			least_found_j = fmin(least_found_j,
					training_energy_j(training, class_, mhz)
							- training_blocking_w(training) * training_time_s(training, class_, mhz));
		}
		printf("# class %d: best clock %d MHz, followed down to %d MHz\n", (int)class_, (int)best_mhz, (int)lowest_mhz);
		/* Energy is flat there: what counts is what is missed of it. */
		ck_assert_msg(
				least_found_j <= 1.01 * least_j, "class %d: %.17g J of %.17g J", (int)class_, least_found_j, least_j);
		/* 210 MHz would be six times slower. */
		ck_assert_msg(lowest_mhz >= 400, "class %d was followed down to %d MHz", (int)class_, (int)lowest_mhz);
	}
	perseus__walk_result_free(result);
	perseus__walk_free(walk);
	training_free(training);
}
END_TEST

/* Too slow is low enough, where waiting takes so much power that slower is ever better. */
START_TEST(stops_where_it_is_too_slow)
{
	struct training_settings scene = training_settings_default();
	struct training *training = training_new(&scene);
	int32_t clocks_mhz[MAX_CLOCKS];
	const int32_t n_clocks = fill_clocks(clocks_mhz, 1410, 80);
	struct perseus__walk_settings settings = settings_of(training, 4, clocks_mhz, n_clocks);
	settings.largest_slowdown = 1.5;
	struct perseus__walk *walk = make(&settings);
	(void)training_follow(training, walk, MAX_JOB_STEPS);
	struct perseus__walk_result *result = result_of(walk);
	ck_assert(result->has_stopped);
	for (int32_t i = 0; i < result->n_rows; i++) {
		const struct perseus__walk_row *row = &result->rows[i];
		/* Batches are ahead: some clocks more. */
		ck_assert_double_lt(row->measurement.time_s, 2.2 * training_time_s(training, row->class_, 1410));
	}
	perseus__walk_result_free(result);
	perseus__walk_free(walk);
	training_free(training);
}
END_TEST

/* No clocks to set: everything as it is, once, at clock 0. */
START_TEST(measures_where_clocks_cannot_be_set)
{
	struct training_settings scene = training_settings_default();
	scene.has_constants = true;
	struct training *training = training_new(&scene);
	const struct perseus__walk_settings settings = settings_of(training, 4, NULL, 0);
	struct perseus__walk *walk = make(&settings);
	const int32_t n_steps = training_follow(training, walk, MAX_JOB_STEPS);
	ck_assert_int_le(n_steps, 150);
	struct perseus__walk_result *result = result_of(walk);
	ck_assert_int_eq(result->n_rows, settings.n_classes);
	const struct training_errors errors = training_compare(training, result, 0.05);
	ck_assert_msg(errors.worst_energy <= 0.02 && errors.n_unknown == 0, "%.17g", errors.worst_energy);
	for (int32_t i = 0; i < result->n_rows; i++)
		ck_assert_int_eq(result->rows[i].measurement.frequency_mhz, 0);
	perseus__walk_result_free(result);
	perseus__walk_free(walk);
	training_free(training);
}
END_TEST

/*
 * A walk that goes on after a restart: what the first one was told is told to the second, which then asks for the other
 * clocks alone.
 */
START_TEST(goes_on_after_a_restart)
{
	struct training_settings scene = training_settings_default();
	scene.lag_steps = 0;
	struct training *training = training_new(&scene);
	int32_t clocks_mhz[MAX_CLOCKS];
	const int32_t n_clocks = fill_clocks(clocks_mhz, 1410, 10);
	struct perseus__walk_settings settings = settings_of(training, 4, clocks_mhz, n_clocks);
	struct perseus__walk *first = make(&settings);
	struct record *before = new_record();
	follow(training, first, before, 4);
	perseus__walk_free(first);
	/* The same reports, as the store has them. */
	training_free(training);
	training = training_new(&scene);
	settings.classes = training_classes(training, &settings.n_classes);
	struct perseus__walk *second = make(&settings);
	for (int32_t i = 0; i < 4; i++)
		for (int32_t j = 0; j < before->n_steps[i]; j++)
			training_step(training, before->class_mhz[i], second);
	struct record *after = new_record();
	follow(training, second, after, MAX_JOB_STEPS);
	ck_assert_int_ge(after->n_segments, n_clocks - 4);
	/* The clocks that were over are not the ones it begins with. */
	for (int32_t i = 0; i < 3; i++)
		for (int32_t j = 0; j < 3; j++)
			ck_assert_int_ne(after->class_mhz[i][0], before->class_mhz[j][0]);
	struct perseus__walk_result *result = result_of(second);
	const struct training_errors errors = training_compare(training, result, 0.05);
	ck_assert_int_eq(errors.n_clocks, n_clocks);
	ck_assert_msg(errors.worst_energy <= 0.02, "%.17g", errors.worst_energy);
	perseus__walk_result_free(result);
	free_record(before);
	free_record(after);
	perseus__walk_free(second);
	training_free(training);
}
END_TEST

static const struct perseus__job_class two_classes[] = {
	{.stage = 0, .name = "forward", .pp = 0, .n_per_step = 2},
	{.stage = 0, .name = "backward", .pp = 0, .n_per_step = 2},
};

static struct perseus__walk_settings
small_settings(const int32_t *clocks_mhz, int32_t n_clocks)
{
	struct perseus__walk_settings settings = perseus__walk_settings_default();
	settings.clocks_mhz = clocks_mhz;
	settings.n_clocks = n_clocks;
	settings.classes = two_classes;
	settings.n_classes = 2;
	return settings;
}

static void
add_times(struct perseus__walk *walk, int32_t class_, int32_t mhz, double mean_s)
{
	const struct perseus__walk_times times = {
		.class_ = class_, .frequency_mhz = mhz, .count = 2, .mean_s = mean_s, .deviation_s = 0.0001};
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__walk_add_times(walk, &times, &err) == PERSEUS_OK, "%s", err.message);
}

/* Windows that always see the same share of both: they have one power together, and that is said. */
START_TEST(says_what_it_cannot_tell_apart)
{
	static const int32_t clocks_mhz[] = {1400};
	const struct perseus__walk_settings settings = small_settings(clocks_mhz, 1);
	struct perseus__walk *walk = make(&settings);
	add_times(walk, 0, 1400, 0.001);
	add_times(walk, 1, 1400, 0.003);
	for (int32_t i = 0; i < 40; i++) {
		const double busy_s = 0.06 + 0.001 * (i % 10);
		/* Or next to the same. */
		const double forward_s = busy_s / 4 + _i * 1e-6 * (i % 7);
		const struct perseus__walk_term terms[] = {{0, 1400, forward_s}, {1, 1400, busy_s - forward_s}};
		const struct perseus__walk_window window = {
			.time_s = 0.1,
			.energy_j = 300 * busy_s + 80 * (0.1 - busy_s) + (i % 3 - 1) * 0.01,
			.error_j = 0.01,
			.terms = terms,
			.n_terms = 2,
		};
		ck_assert_int_eq(perseus__walk_add_window(walk, &window, NULL), PERSEUS_OK);
	}
	struct perseus__walk_result *result = result_of(walk);
	ck_assert_int_eq(result->n_rows, 2);
	for (int32_t i = 0; i < 2; i++) {
		const struct perseus__walk_row *row = &result->rows[i];
		ck_assert(row->is_shared_power);
		ck_assert_double_eq_tol(row->measurement.energy_j, 300 * row->measurement.time_s, 5 * row->measurement.time_s);
	}
	ck_assert_double_eq_tol(result->blocking[0].power_w, 80, 5);
	perseus__walk_result_free(result);
	perseus__walk_free(walk);
}
END_TEST

/* The same windows, of which each begins where the last one ended, tell more than windows of their own. */
START_TEST(links_the_windows_of_a_rank)
{
	static const int32_t clocks_mhz[] = {1400};
	const struct perseus__walk_settings settings = small_settings(clocks_mhz, 1);
	double error_w[2] = {0};
	for (int is_alone = 0; is_alone < 2; is_alone++) {
		struct perseus__walk *walk = make(&settings);
		add_times(walk, 0, 1400, 0.02);
		add_times(walk, 1, 1400, 0.04);
		uint64_t random = 3;
		double moved_j[2] = {0};
		for (int32_t i = 0; i < 600; i++) {
			/* Two ranks by turns. */
			const int32_t rank = i % 2;
			const double forward_s = 1e-6 * random_below(&random, 40000);
			const double backward_s = 1e-6 * random_below(&random, 50000);
			const double next_j = 1e-6 * random_below(&random, 600000);
			const struct perseus__walk_term terms[] = {{0, 1400, forward_s}, {1, 1400, backward_s}};
			const struct perseus__walk_window window = {
				.rank = rank,
				.is_first = is_alone,
				.time_s = 0.1,
				.energy_j = 300 * forward_s + 350 * backward_s + 80 * (0.1 - forward_s - backward_s) + next_j
						- moved_j[rank],
				.error_j = 0.1,
				.terms = terms,
				.n_terms = 2,
			};
			moved_j[rank] = next_j;
			ck_assert_int_eq(perseus__walk_add_window(walk, &window, NULL), PERSEUS_OK);
		}
		struct perseus__walk_result *result = result_of(walk);
		ck_assert_double_eq_tol(result->rows[0].measurement.energy_j, 300 * 0.02, 0.1);
		error_w[is_alone] = result->blocking[0].error_w;
		perseus__walk_result_free(result);
		perseus__walk_free(walk);
	}
	ck_assert_msg(error_w[0] < 0.7 * error_w[1], "%.17g linked, %.17g alone", error_w[0], error_w[1]);
}
END_TEST

/* No counter: times alone, and no energy made up. */
START_TEST(knows_times_without_windows)
{
	static const int32_t clocks_mhz[] = {1400, 1300};
	const struct perseus__walk_settings settings = small_settings(clocks_mhz, 2);
	struct perseus__walk *walk = make(&settings);
	const struct perseus__walk_segment *segments = NULL;
	int32_t n = 0;
	int32_t n_steps = 0;
	while (perseus__walk_state(walk) != PERSEUS__WALK_DONE) {
		ck_assert_int_eq(perseus__walk_next(walk, &segments, &n, NULL), PERSEUS_OK);
		for (int32_t i = 0; i < n; i++) {
			for (int32_t class_ = 0; class_ < 2; class_++)
				add_times(walk, class_, segments[i].class_mhz[class_], 0.01);
			n_steps += segments[i].n_steps;
			perseus__walk_end_segment(walk, segments[i].n_steps);
		}
	}
	ck_assert_int_le(n_steps, 20);
	struct perseus__walk_result *result = result_of(walk);
	ck_assert_int_eq(result->n_rows, 4);
	for (int32_t i = 0; i < 4; i++) {
		ck_assert(isnan(result->rows[i].measurement.energy_j) && isinf(result->rows[i].energy_error_j));
		ck_assert_double_eq_tol(result->rows[i].measurement.time_s, 0.01, 1e-12);
	}
	ck_assert(isnan(result->blocking[0].power_w));
	perseus__walk_result_free(result);
	perseus__walk_free(walk);
}
END_TEST

/* Nobody reports anything: it comes to an end, with nothing. */
START_TEST(ends_without_reports)
{
	int32_t clocks_mhz[MAX_CLOCKS];
	const int32_t n_clocks = fill_clocks(clocks_mhz, 1410, 81);
	const struct perseus__walk_settings settings = small_settings(clocks_mhz, n_clocks);
	struct perseus__walk *walk = make(&settings);
	const struct perseus__walk_segment *segments = NULL;
	int32_t n = 0;
	int32_t n_steps = 0;
	while (perseus__walk_state(walk) != PERSEUS__WALK_DONE) {
		ck_assert_int_eq(perseus__walk_next(walk, &segments, &n, NULL), PERSEUS_OK);
		for (int32_t i = 0; i < n; i++) {
			n_steps += segments[i].n_steps;
			perseus__walk_end_segment(walk, segments[i].n_steps);
		}
	}
	ck_assert_int_le(n_steps, 150);
	struct perseus__walk_result *result = result_of(walk);
	ck_assert_int_eq(result->n_rows, 0);
	perseus__walk_result_free(result);
	perseus__walk_free(walk);
}
END_TEST

/* A step that was slow for a reason of its own, among five. */
START_TEST(times_leave_odd_steps_out)
{
	static const int32_t clocks_mhz[] = {1400};
	const struct perseus__walk_settings settings = small_settings(clocks_mhz, 1);
	struct perseus__walk *walk = make(&settings);
	const double mean_s[] = {0.5, 0.0100, 0.0101, 0.0099, 0.0100};
	for (size_t i = 0; i < sizeof mean_s / sizeof *mean_s; i++)
		add_times(walk, 0, 1400, mean_s[i]);
	struct perseus__walk_result *result = result_of(walk);
	ck_assert_double_eq_tol(result->rows[0].measurement.time_s, 0.01, 0.0001);
	/* Clock 0 is no clock where clocks can be set. */
	add_times(walk, 0, 0, 3);
	perseus__walk_result_free(result);
	result = result_of(walk);
	ck_assert_int_eq(result->n_rows, 1);
	perseus__walk_result_free(result);
	perseus__walk_free(walk);
}
END_TEST

static const int32_t good_clocks_mhz[] = {1400, 1300};
static const int32_t bad_clocks_mhz[] = {1300, 1400};
static const struct perseus__job_class bad_class = {.stage = 3, .name = "forward", .pp = 1, .n_per_step = 1};

static const struct {
	struct perseus__walk_settings settings;
	const char *message;
} bad_settings[] = {
	{{0, 1, 2, 1, good_clocks_mhz, 2, two_classes, 2, (double)NAN}, "0 steps, 1 per clock: must be 1 or more"},
	{{10, 0, 2, 1, good_clocks_mhz, 2, two_classes, 2, (double)NAN}, "10 steps, 0 per clock: must be 1 or more"},
	{{10, 1, 1, 1, good_clocks_mhz, 2, two_classes, 2, (double)NAN}, "slowdown 1: must be above 1"},
	{{10, 1, 2, 0, good_clocks_mhz, 2, two_classes, 2, (double)NAN}, "0 positions, 2 classes: must be 1 or more"},
	{{10, 1, 2, 1, bad_clocks_mhz, 2, two_classes, 2, (double)NAN},
		"clock 1400 MHz: clocks must be above 0 and descend"},
	{{10, 1, 2, 1, good_clocks_mhz, -1, two_classes, 2, (double)NAN}, "-1 clocks"},
	{{10, 1, 2, 1, good_clocks_mhz, 2, two_classes, 0, (double)NAN}, "1 positions, 0 classes: must be 1 or more"},
	{{10, 1, 2, 1, good_clocks_mhz, 2, &bad_class, 1, (double)NAN},
		"class forward of stage 3: position 1 of 1, 1 in a step"},
	{{10, 1, 2, 1, good_clocks_mhz, 2, two_classes, 2, -1}, "blocking power -1 W: must be 0 to 1e+06"},
};

START_TEST(refuses_bad_settings)
{
	struct perseus__walk *walk = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__walk_new(&bad_settings[_i].settings, &walk, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_settings[_i].message);
	ck_assert_ptr_null(walk);
}
END_TEST

static const struct perseus__walk_times bad_times[] = {
	{2, 1400, 1, 0.1, 0},
	{-1, 1400, 1, 0.1, 0},
	{0, -1, 1, 0.1, 0},
	{0, 1400, 0, 0.1, 0},
	{0, 1400, 1, 0, 0},
	{0, 1400, 1, (double)NAN, 0},
	{0, 1400, 1, 0.1, -1},
	{0, 1400, 1, (double)INFINITY, 0},
};
static const struct perseus__walk_term good_term = {0, 1400, 0.05};
static const struct perseus__walk_term bad_terms[] = {{2, 1400, 0.05}, {0, 1400, -0.05}, {0, 1400, (double)NAN}};
static const struct perseus__walk_window bad_windows[] = {
	{.pp = 1, .time_s = 0.1, .energy_j = 1, .terms = &good_term, .n_terms = 1},
	{.rank = -1, .time_s = 0.1, .energy_j = 1, .terms = &good_term, .n_terms = 1},
	{.rank = PERSEUS__WALK_MAX_RANKS, .time_s = 0.1, .energy_j = 1, .terms = &good_term, .n_terms = 1},
	{.time_s = 0, .energy_j = 1, .terms = &good_term, .n_terms = 1},
	{.time_s = (double)NAN, .energy_j = 1, .terms = &good_term, .n_terms = 1},
	{.time_s = 0.1, .energy_j = -1, .terms = &good_term, .n_terms = 1},
	{.time_s = 0.1, .energy_j = 1, .error_j = -1, .terms = &good_term, .n_terms = 1},
	{.time_s = 0.1, .energy_j = 1, .unsettled_s = -1, .terms = &good_term, .n_terms = 1},
	{.time_s = 0.1, .energy_j = 1, .terms = &good_term, .n_terms = -1},
	{.time_s = 0.1, .energy_j = 1, .terms = &bad_terms[0], .n_terms = 1},
	{.time_s = 0.1, .energy_j = 1, .terms = &bad_terms[1], .n_terms = 1},
	{.time_s = 0.1, .energy_j = 1, .terms = &bad_terms[2], .n_terms = 1},
};

START_TEST(refuses_bad_reports)
{
	const struct perseus__walk_settings settings = small_settings(good_clocks_mhz, 2);
	struct perseus__walk *walk = make(&settings);
	for (size_t i = 0; i < sizeof bad_times / sizeof *bad_times; i++)
		ck_assert_msg(perseus__walk_add_times(walk, &bad_times[i], NULL) == PERSEUS_INVALID, "times %zu", i);
	for (size_t i = 0; i < sizeof bad_windows / sizeof *bad_windows; i++)
		ck_assert_msg(perseus__walk_add_window(walk, &bad_windows[i], NULL) == PERSEUS_INVALID, "window %zu", i);
	/* Fine, but of no use. */
	const struct perseus__walk_term free_term = {0, 0, 0.05};
	const struct perseus__walk_window useless[] = {
		{.time_s = 0.1, .energy_j = 1, .unsettled_s = 0.01, .terms = &good_term, .n_terms = 1},
		{.time_s = 0.04, .energy_j = 1, .terms = &good_term, .n_terms = 1},
		{.time_s = 0.1, .energy_j = 1, .terms = &free_term, .n_terms = 1},
	};
	for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
		ck_assert_int_eq(perseus__walk_add_window(walk, &useless[i], NULL), PERSEUS_OK);
	struct perseus__walk_result *result = result_of(walk);
	ck_assert_int_eq(result->n_rows, 0);
	ck_assert_int_eq(result->n_windows, 0);
	perseus__walk_result_free(result);
	perseus__walk_result_free(NULL);
	perseus__walk_free(walk);
	perseus__walk_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("walk");
	TCase *tcase = tcase_create("walk");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 280);
	tcase_add_loop_test(tcase, comes_near_the_truth, 0, sizeof jobs / sizeof *jobs);
	tcase_add_loop_test(tcase, keeps_its_word, 0, 4);
	tcase_add_test(tcase, stops_below_the_best_clock);
	tcase_add_test(tcase, stops_where_it_is_too_slow);
	tcase_add_test(tcase, measures_where_clocks_cannot_be_set);
	tcase_add_test(tcase, goes_on_after_a_restart);
	tcase_add_loop_test(tcase, says_what_it_cannot_tell_apart, 0, 2);
	tcase_add_test(tcase, links_the_windows_of_a_rank);
	tcase_add_test(tcase, knows_times_without_windows);
	tcase_add_test(tcase, ends_without_reports);
	tcase_add_test(tcase, times_leave_odd_steps_out);
	tcase_add_loop_test(tcase, refuses_bad_settings, 0, sizeof bad_settings / sizeof *bad_settings);
	tcase_add_test(tcase, refuses_bad_reports);
	return run_suite(suite);
}
