/*
 * Baselines: families of a job worked by hand, messages, invariants over random jobs, and EnvPipe's published results
 * on measured profiles.
 */
#include "format/profile_csv.h"
#include "random.h"
#include "random_job.h"
#include "suite.h"

#include <perseus/perseus.h>

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000) /* in ns */
#define MJ INT64_C(1000000) /* in nJ */

enum { N_RANDOM = 300, MAX_MEMBERS = 4 };

/*
 * Two stages, 1F1B with two microbatches; waiting draws 50 W.
 *
 *                      1000 MHz                500 MHz
 *   stage 0  forward   10 ms, 3.0 J (300 W)    16 ms, 2.0 J (125 W)
 *            backward  20 ms, 6.0 J (300 W)    32 ms, 4.0 J (125 W)
 *   stage 1  forward   12 ms, 3.6 J (300 W)    20 ms, 2.4 J (120 W)
 *            backward  24 ms, 8.4 J (350 W)    40 ms, 4.8 J (120 W)
 */
static const struct perseus_measurement rows[] = {
	{.stage = 0, .instruction = "forward", .frequency_mhz = 1000, .time_s = 0.010, .energy_j = 3.0},
	{.stage = 0, .instruction = "forward", .frequency_mhz = 500, .time_s = 0.016, .energy_j = 2.0},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 1000, .time_s = 0.020, .energy_j = 6.0},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 500, .time_s = 0.032, .energy_j = 4.0},
	{.stage = 1, .instruction = "forward", .frequency_mhz = 1000, .time_s = 0.012, .energy_j = 3.6},
	{.stage = 1, .instruction = "forward", .frequency_mhz = 500, .time_s = 0.020, .energy_j = 2.4},
	{.stage = 1, .instruction = "backward", .frequency_mhz = 1000, .time_s = 0.024, .energy_j = 8.4},
	{.stage = 1, .instruction = "backward", .frequency_mhz = 500, .time_s = 0.040, .energy_j = 4.8},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

struct job {
	struct perseus_profile *profile;
	const struct perseus_schedule *schedule;
	struct perseus_frontier *frontier;
};

static struct job
make_job(const struct perseus_measurement *measurements, size_t n, double blocking_w, int32_t n_ranks,
		int32_t n_microbatches)
{
	struct job job = {NULL, NULL, NULL};
	struct perseus_error err = {.message = ""};
	const struct perseus_profile_settings settings = {.blocking_power_w = &blocking_w, .n_blocking_power = 1};
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = n_ranks;
	shape.n_microbatches = n_microbatches;
	ck_assert_msg(perseus_profile_new(measurements, n, &settings, &job.profile, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_schedule_generate(&shape, &job.schedule, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_frontier_new(job.profile, job.schedule, NULL, &job.frontier, &err) == PERSEUS_OK, "%s",
			err.message);
	return job;
}

/* `is_swapped`: stage 0 is the slower one. */
static struct job
make_small_job(bool is_swapped)
{
	struct perseus_measurement measurements[N_ROWS];
	memcpy(measurements, rows, sizeof rows);
	for (size_t i = 0; is_swapped && i < N_ROWS; i++)
		measurements[i].stage = 1 - measurements[i].stage;
	return make_job(measurements, N_ROWS, 50, 2, 2);
}

static void
free_job(struct job *job)
{
	perseus_frontier_free(job->frontier);
	perseus_schedule_free(job->schedule);
	perseus_profile_free(job->profile);
}

static struct perseus_baseline_family *
make_family(const struct job *job, enum perseus_baseline baseline)
{
	struct perseus_baseline_family *family = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_baseline_family_new(job->frontier, baseline, &family, &err) == PERSEUS_OK, "%s: %s",
			perseus_baseline_name(baseline), err.message);
	return family;
}

static const struct {
	const char *name;
	enum perseus_baseline baseline;
	bool is_swapped;
	int32_t n_members;
	struct {
		double knob;
		int64_t time_ns;
		int64_t energy_nj;
	} members[MAX_MEMBERS];
} small_families[] = {
	{"max clock", PERSEUS_BASELINE_MAX_CLOCK, false, 1, {{0, 102 * MS, 45600 * MJ}}},
	{"single clock", PERSEUS_BASELINE_SINGLE_CLOCK, false, 2,
		{{1000, 102 * MS, 45600 * MJ}, {500, 168 * MS, 32400 * MJ}}},
	/* The forwards' times are 10, 12, 16 and 20 ms; in 10 ms stage 1 cannot be. */
	{"balanced stages", PERSEUS_BASELINE_BALANCED_STAGES, false, 3,
		{{0.012, 102 * MS, 45600 * MJ}, {0.016, 120 * MS, 39600 * MJ}, {0.020, 168 * MS, 32400 * MJ}}},
	/* 300 W slow only the backward of stage 1; below 125 W stage 0 cannot go. */
	{"power limit", PERSEUS_BASELINE_POWER_LIMIT, false, 3,
		{{350, 102 * MS, 45600 * MJ}, {300, 134 * MS, 40000 * MJ}, {125, 168 * MS, 32400 * MJ}}},
	/* Stage 0 is slow but for its first forward and last backward, which hides behind stage 1. */
	{"envpipe", PERSEUS_BASELINE_ENVPIPE, false, 1, {{0, 102 * MS, 41700 * MJ}}},
	/* The first backward of the slower stage 0 makes it late and rises; its second forward still waits. */
	{"envpipe raises", PERSEUS_BASELINE_ENVPIPE, true, 1, {{0, 96 * MS, 43400 * MJ}}},
};

START_TEST(small_families_are_as_worked_by_hand)
{
	struct job job = make_small_job(small_families[_i].is_swapped);
	struct perseus_baseline_family *family = make_family(&job, small_families[_i].baseline);
	const char *name = small_families[_i].name;
	ck_assert_int_eq(family->baseline, small_families[_i].baseline);
	ck_assert_msg(family->n_members == small_families[_i].n_members, "%s: %d members", name, (int)family->n_members);
	for (int32_t k = 0; k < family->n_members; k++) {
		const struct perseus_baseline_member *member = &family->members[k];
		ck_assert_msg(member->knob == small_families[_i].members[k].knob, "%s: knob %.17g", name, member->knob);
		ck_assert_msg(member->plan->outcome.iteration_time_ns == small_families[_i].members[k].time_ns
						&& member->plan->outcome.energy_nj == small_families[_i].members[k].energy_nj,
				"%s, member %d: %lld ns, %lld nJ", name, (int)k, (long long)member->plan->outcome.iteration_time_ns,
				(long long)member->plan->outcome.energy_nj);
	}
	perseus_baseline_family_free(family);
	free_job(&job);
}
END_TEST

/* At a deadline the slowest member that keeps it waits for it; at a knob, whatever comes of it. */
static const struct {
	const char *name;
	enum perseus_baseline baseline;
	double knob; /* -1: the best for the deadline */
	int64_t deadline_ns;
	enum perseus_status status;
	int64_t time_ns; /* these where the status is OK */
	int64_t energy_nj;
	const char *message; /* this where it is not */
} answers[] = {
	{"balanced, 130 ms", PERSEUS_BASELINE_BALANCED_STAGES, -1, 130 * MS, PERSEUS_OK, 120 * MS, 40600 * MJ, NULL},
	{"single, 130 ms", PERSEUS_BASELINE_SINGLE_CLOCK, -1, 130 * MS, PERSEUS_OK, 102 * MS, 48400 * MJ, NULL},
	{"single, just kept", PERSEUS_BASELINE_SINGLE_CLOCK, -1, 168 * MS, PERSEUS_OK, 168 * MS, 32400 * MJ, NULL},
	{"single, missed by 1 ns", PERSEUS_BASELINE_SINGLE_CLOCK, -1, 168 * MS - 1, PERSEUS_OK, 102 * MS, 52200 * MJ - 100,
		NULL},
	{"too short", PERSEUS_BASELINE_POWER_LIMIT, -1, 100 * MS, PERSEUS_INFEASIBLE, 0, 0,
		"power-limit cannot keep a deadline of 0.100000000 s: its shortest iteration takes 0.102000000 s"},
	{"500 MHz, late", PERSEUS_BASELINE_SINGLE_CLOCK, 500, 100 * MS, PERSEUS_OK, 168 * MS, 32400 * MJ, NULL},
	{"750 MHz", PERSEUS_BASELINE_SINGLE_CLOCK, 750, 0, PERSEUS_INVALID, 0, 0,
		"'backward' of stage 0 was not measured at 750 MHz"},
	{"500.5 MHz", PERSEUS_BASELINE_SINGLE_CLOCK, 500.5, 0, PERSEUS_INVALID, 0, 0,
		"'backward' of stage 0 was not measured at 500.5 MHz"},
	{"1e30 MHz", PERSEUS_BASELINE_SINGLE_CLOCK, 1e30, 0, PERSEUS_INVALID, 0, 0,
		"'backward' of stage 0 was not measured at 1e+30 MHz"},
	{"200 W", PERSEUS_BASELINE_POWER_LIMIT, 200, 0, PERSEUS_OK, 168 * MS, 32400 * MJ, NULL},
	{"300 W", PERSEUS_BASELINE_POWER_LIMIT, 300, 0, PERSEUS_OK, 134 * MS, 40000 * MJ, NULL},
	{"1 MW", PERSEUS_BASELINE_POWER_LIMIT, 1e6, 0, PERSEUS_OK, 102 * MS, 45600 * MJ, NULL},
	{"120 W", PERSEUS_BASELINE_POWER_LIMIT, 120, 0, PERSEUS_INFEASIBLE, 0, 0,
		"a power limit of 120 W cannot be kept: 'backward' of stage 0 takes 125 W at least"},
	{"forward in 13 ms", PERSEUS_BASELINE_BALANCED_STAGES, 0.013, 0, PERSEUS_OK, 102 * MS, 45600 * MJ, NULL},
	{"forward in 1e300 s", PERSEUS_BASELINE_BALANCED_STAGES, 1e300, 0, PERSEUS_OK, 168 * MS, 32400 * MJ, NULL},
	{"forward in 11 ms", PERSEUS_BASELINE_BALANCED_STAGES, 0.011, 0, PERSEUS_INFEASIBLE, 0, 0,
		"not every stage can run its forward in 0.011 s: the slowest takes 0.012 s at least"},
	{"no knob", PERSEUS_BASELINE_ENVPIPE, 7, 0, PERSEUS_OK, 102 * MS, 41700 * MJ, NULL},
	{"not a number", PERSEUS_BASELINE_POWER_LIMIT, (double)NAN, 0, PERSEUS_INVALID, 0, 0,
		"a knob of nan is out of range"},
	{"below zero", PERSEUS_BASELINE_POWER_LIMIT, -2, 0, PERSEUS_INVALID, 0, 0, "a knob of -2 is out of range"},
	{"no such baseline", PERSEUS_N_BASELINES, -1, 0, PERSEUS_INVALID, 0, 0, "no baseline has the number 5"},
};

START_TEST(answers_are_as_worked_by_hand)
{
	struct job job = make_small_job(false);
	struct perseus_plan *plan = NULL;
	struct perseus_error err = {.message = ""};
	const char *name = answers[_i].name;
	const enum perseus_status status = answers[_i].knob == -1
			? perseus_baseline_plan(job.frontier, answers[_i].baseline, answers[_i].deadline_ns, &plan, &err)
			: perseus_baseline_plan_at(
					  job.frontier, answers[_i].baseline, answers[_i].knob, answers[_i].deadline_ns, &plan, &err);
	ck_assert_msg(status == answers[_i].status, "%s: status %d, %s", name, (int)status, err.message);
	if (status == PERSEUS_OK) {
		ck_assert_int_eq(plan->deadline_ns, answers[_i].deadline_ns);
		ck_assert_msg(plan->outcome.iteration_time_ns == answers[_i].time_ns
						&& plan->outcome.energy_nj == answers[_i].energy_nj,
				"%s: %lld ns, %lld nJ", name, (long long)plan->outcome.iteration_time_ns,
				(long long)plan->outcome.energy_nj);
	} else {
		ck_assert_ptr_null(plan);
		ck_assert_str_eq(err.message, answers[_i].message);
	}
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

/* A job whose profile is `measurements` without what one stage has of a class at a clock. */
static const struct {
	const char *name;
	int32_t stage;
	const char *instruction;
	int32_t frequency_mhz;
	int32_t renamed_mhz;
	enum perseus_baseline baseline;
	const char *message;
} lacking[] = {
	{"no common clock", 1, "forward", 1000, 900, PERSEUS_BASELINE_SINGLE_CLOCK,
		"no clock is common to the 'backward' of stage 0 and the 'forward' of stage 1, and those between"},
	{"no clock of the stage", 1, "forward", 1000, 900, PERSEUS_BASELINE_BALANCED_STAGES,
		"no clock is common to the 'backward' of stage 1 and the 'forward' of stage 1, and those between"},
};

START_TEST(what_a_profile_lacks_is_named)
{
	struct perseus_measurement measurements[N_ROWS];
	size_t n = 0;
	for (size_t i = 0; i < N_ROWS; i++) {
		measurements[n] = rows[i];
		if (rows[i].stage == lacking[_i].stage && strcmp(rows[i].instruction, lacking[_i].instruction) == 0) {
			if (rows[i].frequency_mhz != lacking[_i].frequency_mhz)
				continue;
			measurements[n].frequency_mhz = lacking[_i].renamed_mhz;
		}
		n++;
	}
	struct job job = make_job(measurements, n, 50, 2, 2);
	struct perseus_baseline_family *family = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_baseline_family_new(job.frontier, lacking[_i].baseline, &family, &err), PERSEUS_INVALID);
	ck_assert_ptr_null(family);
	ck_assert_str_eq(err.message, lacking[_i].message);
	free_job(&job);
}
END_TEST

/* What holds of every family of every job. */
static void
check_family(const struct job *job, enum perseus_baseline baseline, const char *where)
{
	struct perseus_baseline_family *family = make_family(job, baseline);
	struct perseus_error err = {.message = ""};
	const int64_t blocking_uw = perseus_frontier_info(job->frontier).blocking_power_uw;
	ck_assert_int_ge(family->n_members, 1);
	for (int32_t k = 0; k < family->n_members; k++) {
		const struct perseus_plan *plan = family->members[k].plan;
		ck_assert_int_eq(plan->deadline_ns, plan->outcome.iteration_time_ns);
		ck_assert_msg(perseus_plan_check(plan, job->frontier, &err) == PERSEUS_OK, "%s: %s", where, err.message);
		/* The bound is a double: of sums that are exact in 1e-9 J. */
		ck_assert_msg((double)plan->outcome.energy_nj >= plan->lower_bound_j * 1e9 * (1 - 1e-12) - 1,
				"%s: %lld nJ beat the bound of %.17g J", where, (long long)plan->outcome.energy_nj,
				plan->lower_bound_j);
		if (k == 0)
			continue;
		const struct perseus_plan *before = family->members[k - 1].plan;
		const int64_t longer_ns = plan->outcome.iteration_time_ns - before->outcome.iteration_time_ns;
		ck_assert_msg(longer_ns > 0, "%s: member %d does not take longer", where, (int)k);
		/* Rounded once per choice there, once per plan here. */
		const double saved_nj = (double)(before->outcome.energy_nj - plan->outcome.energy_nj)
				+ (double)blocking_uw * (double)longer_ns / 1e6;
		ck_assert_msg(saved_nj > -1.0 - job->schedule->n_instructions, "%s: member %d saves nothing", where, (int)k);
	}
	if (baseline == PERSEUS_BASELINE_MAX_CLOCK) {
		const struct perseus_plan *plan = family->members[0].plan;
		ck_assert_int_eq(family->n_members, 1);
		ck_assert_int_eq(plan->outcome.iteration_time_ns, plan->baseline.iteration_time_ns);
		ck_assert_int_eq(plan->outcome.energy_nj, plan->baseline.energy_nj);
	}
	if (baseline == PERSEUS_BASELINE_ENVPIPE)
		ck_assert_int_eq(family->n_members, 1);
	perseus_baseline_family_free(family);
}

static const char *const schedule_names[] = {
	"1f1b", "gpipe", "interleaved", "zb-h1", "zbv", "dualpipe", "early-recompute-1f1b"};
enum { N_SCHEDULES = sizeof schedule_names / sizeof *schedule_names };

/* False where the schedule does not take the shape that was drawn. */
static bool
make_random_job(uint64_t *state, struct job *job)
{
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	*job = (struct job){NULL, NULL, NULL};
	shape.name = schedule_names[random_below(state, N_SCHEDULES)];
	shape.n_ranks = 1 + (int32_t)random_below(state, 4);
	shape.n_microbatches = shape.n_ranks * (1 + (int32_t)random_below(state, 4));
	const int has_constants = (int)random_below(state, 2);
	shape.data_load = shape.grad_reduce = shape.optimizer_step = has_constants != 0;
	if (perseus_schedule_generate(&shape, &job->schedule, NULL) != PERSEUS_OK)
		return false;
	job->profile = random_profile(state, job->schedule->n_stages, (int)random_below(state, 2), has_constants);
	return job->profile && perseus_frontier_new(job->profile, job->schedule, NULL, &job->frontier, NULL) == PERSEUS_OK;
}

START_TEST(families_of_random_jobs_hold_what_they_promise)
{
	uint64_t state = (uint64_t)_i;
	struct job job;
	if (make_random_job(&state, &job))
		for (int b = 0; b < PERSEUS_N_BASELINES; b++) {
			char where[96];
			(void)snprintf(where, sizeof where, "seed %d, %s, %s", _i, job.schedule->name,
					perseus_baseline_name((enum perseus_baseline)b));
			check_family(&job, (enum perseus_baseline)b, where);
		}
	free_job(&job);
}
END_TEST

/* A plan of a deadline is the member that its family has for it. */
START_TEST(plans_are_the_best_members)
{
	uint64_t state = 9000 + (uint64_t)_i;
	struct job job;
	if (!make_random_job(&state, &job)) {
		free_job(&job);
		return;
	}
	for (int b = 0; b < PERSEUS_N_BASELINES; b++) {
		struct perseus_baseline_family *family = make_family(&job, (enum perseus_baseline)b);
		for (int32_t k = 0; k < family->n_members; k++) {
			const int64_t time_ns = family->members[k].plan->outcome.iteration_time_ns;
			struct perseus_plan *plan = NULL;
			ck_assert_int_eq(
					perseus_baseline_plan(job.frontier, (enum perseus_baseline)b, time_ns, &plan, NULL), PERSEUS_OK);
			ck_assert_int_eq(plan->outcome.iteration_time_ns, time_ns);
			ck_assert_int_eq(plan->outcome.energy_nj, family->members[k].plan->outcome.energy_nj);
			perseus_plan_free(plan);
		}
		struct perseus_plan *plan = NULL;
		const int64_t shortest_ns = family->members[0].plan->outcome.iteration_time_ns;
		ck_assert_int_eq(perseus_baseline_plan(job.frontier, (enum perseus_baseline)b, shortest_ns - 1, &plan, NULL),
				PERSEUS_INFEASIBLE);
		perseus_baseline_family_free(family);
	}
	free_job(&job);
}
END_TEST

/* Device and microbatches of the published rows; blocking powers are those of the publication. */
static const struct {
	const char *device;
	double blocking_w;
	int32_t n_microbatches;
} published[] = {
	{"a100_sxm", 83.64, 12},
	{"a100_sxm", 83.64, 24},
	{"a100_sxm", 83.64, 48},
	{"a100_sxm", 83.64, 96},
	{"a40", 70.38, 12},
	{"a40", 70.38, 24},
	{"a40", 70.38, 48},
	{"a40", 70.38, 96},
};

/* The published iteration time and energy: times 10, and 10 x 8 GPUs per stage. False where there is no file. */
static bool
read_published(const char *device, int32_t n_microbatches, double *time_s, double *energy_j)
{
	FILE *file = fopen(PERSEUS_TEST_DATA "/sosp24/envpipe_result.csv", "r");
	if (!file)
		return false;
	char line[256];
	char start[64];
	bool is_found = false;
	(void)snprintf(start, sizeof start, "gpt3-175b,bf16,%s,%d,", device, (int)n_microbatches);
	while (!is_found && fgets(line, sizeof line, file)) {
		const char *at = strncmp(line, start, strlen(start)) == 0 ? strchr(line + strlen(start), ',') : NULL;
		if (!at)
			continue;
		char *end = NULL;
		*time_s = strtod(at + 1, &end) / 10;
		*energy_j = strtod(end + 1, NULL) / 80;
		is_found = true;
	}
	(void)fclose(file);
	ck_assert_msg(is_found, "no row %s", start);
	return true;
}

static bool
read_job(const char *device, double blocking_w, int32_t n_microbatches, struct job *job)
{
	char path[512];
	struct perseus_error err = {.message = ""};
	struct perseus__measurements measurements;
	(void)snprintf(path, sizeof path, "%s/sosp24/stage_profile/gpt3-175b+%s_bf16.csv", PERSEUS_TEST_DATA, device);
	const enum perseus_status status = perseus__profile_csv_read(path, &measurements, &err);
	if (status == PERSEUS_IO)
		return false;
	ck_assert_msg(status == PERSEUS_OK, "%s", err.message);
	*job = make_job(measurements.rows, measurements.n_rows, blocking_w, 8, n_microbatches);
	perseus__measurements_fini(&measurements);
	return true;
}

/* Published to a tenth of a millisecond and to 13 mJ, once the scales are taken off. */
START_TEST(envpipe_is_as_published)
{
	const char *device = published[_i].device;
	const int32_t n_microbatches = published[_i].n_microbatches;
	double time_s = 0;
	double energy_j = 0;
	struct job job;
	if (!read_published(device, n_microbatches, &time_s, &energy_j)
			|| !read_job(device, published[_i].blocking_w, n_microbatches, &job)) {
		printf("# SKIP %s, %d: no published results\n", device, (int)n_microbatches);
		return;
	}
	struct perseus_baseline_family *family = make_family(&job, PERSEUS_BASELINE_ENVPIPE);
	const struct perseus_outcome outcome = family->members[0].plan->outcome;
	ck_assert_msg(fabs((double)outcome.iteration_time_ns * 1e-9 - time_s) < 1e-4, "%s, %d: %.6f s, published %.6f s",
			device, (int)n_microbatches, (double)outcome.iteration_time_ns * 1e-9, time_s);
	ck_assert_msg(fabs((double)outcome.energy_nj * 1e-9 / energy_j - 1) < 1e-6, "%s, %d: %.6f J, published %.6f J",
			device, (int)n_microbatches, (double)outcome.energy_nj * 1e-9, energy_j);
	perseus_baseline_family_free(family);
	free_job(&job);
}
END_TEST

START_TEST(baselines_have_names)
{
	ck_assert_str_eq(perseus_baseline_name(PERSEUS_BASELINE_BALANCED_STAGES), "balanced-stages");
	ck_assert_str_eq(perseus_baseline_name(PERSEUS_N_BASELINES), "unknown");
	perseus_baseline_family_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("baseline");
	TCase *tcase = tcase_create("baseline");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, small_families_are_as_worked_by_hand, 0, sizeof small_families / sizeof *small_families);
	tcase_add_loop_test(tcase, answers_are_as_worked_by_hand, 0, sizeof answers / sizeof *answers);
	tcase_add_loop_test(tcase, what_a_profile_lacks_is_named, 0, sizeof lacking / sizeof *lacking);
	tcase_add_loop_test(tcase, families_of_random_jobs_hold_what_they_promise, 0, N_RANDOM);
	tcase_add_loop_test(tcase, plans_are_the_best_members, 0, N_RANDOM / 3);
	tcase_add_loop_test(tcase, envpipe_is_as_published, 0, sizeof published / sizeof *published);
	tcase_add_test(tcase, baselines_have_names);
	return run_suite(suite);
}
