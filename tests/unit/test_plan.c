/*
 * Plans: examples worked by hand, latency of clock changes included, coarse groups, messages, that the checker notices
 * tampering, and the table.
 */
#include "suite.h"

#include <perseus/perseus.h>

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MS INT64_C(1000000)   /* in ns */
#define J INT64_C(1000000000) /* in nJ */

/*
 * One stage; waiting draws 100 W. A data load takes 4 ms and 1 J at any clock.
 *
 *             1000 MHz       600 MHz       500 MHz
 *   forward   10 ms, 10 J                  20 ms,  6 J
 *   backward  20 ms, 24 J    28 ms, 16 J   30 ms, 15 J
 */
static const struct perseus_measurement one_stage[] = {
	{.stage = 0, .instruction = "forward", .frequency_mhz = 1000, .time_s = 0.010, .energy_j = 10},
	{.stage = 0, .instruction = "forward", .frequency_mhz = 500, .time_s = 0.020, .energy_j = 6},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 1000, .time_s = 0.020, .energy_j = 24},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 600, .time_s = 0.028, .energy_j = 16},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 500, .time_s = 0.030, .energy_j = 15},
	{.stage = 0, .instruction = "data_load", .frequency_mhz = 0, .time_s = 0.004, .energy_j = 1},
};

/* Two stages that differ, three clocks. */
static const struct perseus_measurement two_stages[] = {
	{.stage = 0, .instruction = "forward", .frequency_mhz = 1200, .time_s = 0.010, .energy_j = 3.5},
	{.stage = 0, .instruction = "forward", .frequency_mhz = 1000, .time_s = 0.012, .energy_j = 3.0},
	{.stage = 0, .instruction = "forward", .frequency_mhz = 800, .time_s = 0.015, .energy_j = 2.7},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 1200, .time_s = 0.020, .energy_j = 7.0},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 1000, .time_s = 0.024, .energy_j = 6.1},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 800, .time_s = 0.030, .energy_j = 5.6},
	{.stage = 1, .instruction = "forward", .frequency_mhz = 1200, .time_s = 0.013, .energy_j = 4.5},
	{.stage = 1, .instruction = "forward", .frequency_mhz = 1000, .time_s = 0.0155, .energy_j = 3.9},
	{.stage = 1, .instruction = "forward", .frequency_mhz = 800, .time_s = 0.019, .energy_j = 3.5},
	{.stage = 1, .instruction = "backward", .frequency_mhz = 1200, .time_s = 0.026, .energy_j = 9.1},
	{.stage = 1, .instruction = "backward", .frequency_mhz = 1000, .time_s = 0.031, .energy_j = 8.0},
	{.stage = 1, .instruction = "backward", .frequency_mhz = 800, .time_s = 0.038, .energy_j = 7.2},
};

struct job {
	struct perseus_profile *profile;
	const struct perseus_schedule *schedule;
	struct perseus_frontier *frontier;
};

#define ROWS(rows) rows, sizeof(rows) / sizeof((rows)[0])

static struct job
make_job(const struct perseus_measurement *rows, size_t n_rows, double blocking_w,
		struct perseus_schedule_settings schedule)
{
	struct job job = {NULL, NULL, NULL};
	struct perseus_error err = {.message = ""};
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	ck_assert_msg(perseus_profile_new(rows, n_rows, &settings, &job.profile, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_schedule_generate(&schedule, &job.schedule, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_frontier_new(job.profile, job.schedule, NULL, &job.frontier, &err) == PERSEUS_OK, "%s",
			err.message);
	return job;
}

static void
free_job(struct job *job)
{
	perseus_frontier_free(job->frontier);
	perseus_schedule_free(job->schedule);
	perseus_profile_free(job->profile);
}

static struct perseus_schedule_settings
shape(int32_t n_ranks, int32_t n_microbatches)
{
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.n_ranks = n_ranks;
	settings.n_microbatches = n_microbatches;
	return settings;
}

/* The two stages with transfers: 4 ms and 0.5 J out of stage 0, 6 ms and 0.25 J out of stage 1. */
static struct job
make_job_with_transfers(void)
{
	enum { N_ROWS = sizeof two_stages / sizeof *two_stages };
	struct perseus_measurement rows[N_ROWS + 2];
	memcpy(rows, two_stages, sizeof two_stages);
	rows[N_ROWS] = (struct perseus_measurement){
		.stage = 0, .instruction = PERSEUS_TRANSFER_CLASS, .time_s = 0.004, .energy_j = 0.5};
	rows[N_ROWS + 1] = (struct perseus_measurement){
		.stage = 1, .instruction = PERSEUS_TRANSFER_CLASS, .time_s = 0.006, .energy_j = 0.25};
	return make_job(rows, N_ROWS + 2, 60, shape(2, 1));
}

static struct perseus_plan_settings
asking(int64_t deadline_ns, enum perseus_granularity granularity, int64_t latency_ns)
{
	return (struct perseus_plan_settings){
		.deadline_ns = deadline_ns, .granularity = granularity, .switch_latency_ns = latency_ns};
}

static struct perseus_plan *
make_plan(const struct job *job, struct perseus_plan_settings settings)
{
	struct perseus_plan *plan = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_plan_new(job->frontier, &settings, &plan, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_plan_check(plan, job->frontier, &err) == PERSEUS_OK, "%s", err.message);
	return plan;
}

/* Times and energies that nobody measures, far apart: costs of options at the search's prices leave 64 bits. */
static const struct perseus_measurement far_apart[] = {
	{.stage = 0, .instruction = "forward", .frequency_mhz = 1410, .time_s = 300, .energy_j = 8},
	{.stage = 0, .instruction = "forward", .frequency_mhz = 1200, .time_s = 0.035, .energy_j = 7e6},
	{.stage = 0, .instruction = "forward", .frequency_mhz = 1005, .time_s = 0.04, .energy_j = 0},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 1410, .time_s = 0.03, .energy_j = 8},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 1200, .time_s = 0.035, .energy_j = 7},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 1005, .time_s = 0.04, .energy_j = 0},
	{.stage = 1, .instruction = "forward", .frequency_mhz = 1410, .time_s = 0.03, .energy_j = 0},
	{.stage = 1, .instruction = "forward", .frequency_mhz = 1200, .time_s = 350, .energy_j = 7},
	{.stage = 1, .instruction = "forward", .frequency_mhz = 1005, .time_s = 400, .energy_j = 6.5},
	{.stage = 1, .instruction = "backward", .frequency_mhz = 1410, .time_s = 0.03, .energy_j = 8},
	{.stage = 1, .instruction = "backward", .frequency_mhz = 1200, .time_s = 3.5e-7, .energy_j = 7},
	{.stage = 1, .instruction = "backward", .frequency_mhz = 1005, .time_s = 0.04, .energy_j = 0},
};

START_TEST(costs_may_leave_64_bits)
{
	struct job job = make_job(ROWS(far_apart), 80, shape(2, 4));
	const int64_t t_min_ns = perseus_frontier_info(job.frontier).t_min_ns;
	for (int percent = 100; percent <= 130; percent += 5) {
		const struct perseus_plan_settings settings = asking(t_min_ns * percent / 100, PERSEUS_GRANULARITY_KIND, 0);
		struct perseus_plan *plan = NULL;
		ck_assert_int_eq(perseus_plan_new(job.frontier, &settings, &plan, NULL), PERSEUS_OK);
		ck_assert_int_le(plan->outcome.iteration_time_ns, settings.deadline_ns);
		perseus_plan_free(plan);
	}
	free_job(&job);
}
END_TEST

/* Plans without latency: one microbatch on one stage, so that the answer can be read off the table above. */
static const struct {
	const char *name;
	int64_t deadline_ns;
	enum perseus_granularity granularity;
	int64_t iteration_time_ns;
	int64_t energy_nj;
	int64_t baseline_nj;
	double lower_bound_j;
	int32_t forward_mhz;
	int32_t backward_mhz;
	int32_t n_changes;
} planned[] = {
	/* B slow saves 1000 W, F slow 500 W; 40 ms leave room for one. */
	{"instruction at 40 ms", 40 * MS, PERSEUS_GRANULARITY_INSTRUCTION, 40 * MS, 25 * J, 35 * J, 25, 1000, 500, 2},
	{"auto at 40 ms", 40 * MS, PERSEUS_GRANULARITY_AUTO, 40 * MS, 25 * J, 35 * J, 25, 1000, 500, 2},
	{"kind at 40 ms", 40 * MS, PERSEUS_GRANULARITY_KIND, 40 * MS, 25 * J, 35 * J, 25, 1000, 500, 2},
	/* Both at 500 MHz take 50 ms. First forward and last backward are all there is. */
	{"ends at 40 ms", 40 * MS, PERSEUS_GRANULARITY_ENDS, 30 * MS, 35 * J, 35 * J, 25, 1000, 1000, 0},
	{"stage at 40 ms", 40 * MS, PERSEUS_GRANULARITY_STAGE, 30 * MS, 35 * J, 35 * J, 25, 1000, 1000, 0},
	{"job at 40 ms", 40 * MS, PERSEUS_GRANULARITY_JOB, 30 * MS, 35 * J, 35 * J, 25, 1000, 1000, 0},
	{"job at 50 ms", 50 * MS, PERSEUS_GRANULARITY_JOB, 50 * MS, 21 * J, 36 * J, 21, 500, 500, 0},
	{"all highest at T_min", 30 * MS, PERSEUS_GRANULARITY_AUTO, 30 * MS, 34 * J, 34 * J, 34, 1000, 1000, 0},
	/* Beyond T* = 50 ms nothing changes but the wait. */
	{"beyond T*", 70 * MS, PERSEUS_GRANULARITY_AUTO, 50 * MS, 23 * J, 38 * J, 23, 500, 500, 0},
};

START_TEST(finds_what_was_worked_by_hand)
{
	struct job job = make_job(ROWS(one_stage), 100, shape(1, 1));
	struct perseus_plan *plan = make_plan(&job, asking(planned[_i].deadline_ns, planned[_i].granularity, 0));
	ck_assert_msg(plan->outcome.iteration_time_ns == planned[_i].iteration_time_ns, "%s: takes %lld ns",
			planned[_i].name, (long long)plan->outcome.iteration_time_ns);
	ck_assert_msg(plan->outcome.energy_nj == planned[_i].energy_nj, "%s: %lld nJ", planned[_i].name,
			(long long)plan->outcome.energy_nj);
	ck_assert_int_eq(plan->baseline.energy_nj, planned[_i].baseline_nj);
	ck_assert_int_eq(plan->baseline.iteration_time_ns, 30 * MS);
	ck_assert_double_eq_tol(plan->lower_bound_j, planned[_i].lower_bound_j, 1e-6);
	ck_assert_double_eq_tol(plan->gap, (double)planned[_i].energy_nj / 1e9 / planned[_i].lower_bound_j - 1, 1e-8);
	ck_assert_double_eq_tol(plan->saving, 1 - (double)planned[_i].energy_nj / (double)planned[_i].baseline_nj, 1e-12);
	ck_assert_int_eq(plan->steps[0].frequency_mhz, planned[_i].forward_mhz);
	ck_assert_int_eq(plan->steps[1].frequency_mhz, planned[_i].backward_mhz);
	ck_assert_int_eq(plan->clock_changes[0], planned[_i].n_changes);
	ck_assert_int_eq(plan->deadline_ns, planned[_i].deadline_ns);
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

/* Evaluations with a latency; times and energies in ms and J as worked out in `why`. */
static const struct {
	const char *why;
	int32_t n_microbatches;
	bool data_load;
	int64_t latency_ns;
	int64_t deadline_ns;
	int32_t frequency_mhz[6];
	int64_t time_ns[6];
	int64_t energy_nj[6];
	int64_t iteration_time_ns;
	int64_t outcome_nj;
	int32_t n_changes;
} evaluated[] = {
	{"no latency", 1, false, 0, 45 * MS, {1000, 500}, {10 * MS, 30 * MS}, {10 * J, 15 * J}, 40 * MS, 25 * J + J / 2, 2},
	{"B: 5 + (1 - 5/20)·30 = 27.5; F: its change hides in the 7.5 ms of wait", 1, false, 5 * MS, 45 * MS, {1000, 500},
		{10 * MS, 27500000}, {10 * J, 17250000000}, 37500000, 28 * J, 2},
	{"40 ms leave no wait in the steady state: F: 5 + (1 - 5/20)·10 = 12.5, 1/4·6 + 3/4·10 = 9 J", 1, false, 5 * MS,
		40 * MS, {1000, 500}, {12500000, 27500000}, {9 * J, 17250000000}, 40 * MS, 26250000000, 2},
	{"a missed deadline: iterations repeat every 40 ms all the same", 1, false, 5 * MS, 39 * MS, {1000, 500},
		{12500000, 27500000}, {9 * J, 17250000000}, 40 * MS, 26250000000, 2},
	{"B at the old clock is over before the change; F wants that clock back: nothing ever changes", 1, false, 25 * MS,
		60 * MS, {1000, 500}, {10 * MS, 20 * MS}, {10 * J, 24 * J}, 30 * MS, 37 * J, 2},
	{"what B leaves of the change, 5 ms, carries over: F1 = 5 + (1 - 5/10)·20 = 15, 5 + 3 = 8 J", 2, false, 25 * MS,
		200 * MS, {1000, 500, 500, 500}, {10 * MS, 20 * MS, 15 * MS, 30 * MS}, {10 * J, 24 * J, 8 * J, 15 * J}, 75 * MS,
		69500000000, 2},
	{"equal clocks never wait for anything", 1, false, 25 * MS, 50 * MS, {500, 500}, {20 * MS, 30 * MS},
		{6 * J, 15 * J}, 50 * MS, 21 * J, 0},
	{"forward has no 600 MHz, so at that clock it runs as at 500: F = 5 + (1 - 5/20)·10; B = 5 + (1 - 5/20)·28", 1,
		false, 5 * MS, 38500000, {1000, 600}, {12500000, 26 * MS}, {9 * J, 18 * J}, 38500000, 27 * J, 2},
	{"B: 7 + (1 - 7/30)·28 = 28.4666666 and two thirds, rounded up; 7/30·15 + 23/30·16 J, rounded to nearest", 1, false,
		7 * MS, 100 * MS, {500, 600}, {20 * MS, 28466667}, {6 * J, 15766666667}, 48466667, 26919999967, 2},
	{"the data load, 4 ms, and 1 ms of wait hide F's change", 1, true, 5 * MS, 42500000, {0, 1000, 500},
		{4 * MS, 10 * MS, 27500000}, {J, 10 * J, 17250000000}, 41500000, 28350000000, 2},
};

START_TEST(evaluates_latency_as_worked_by_hand)
{
	struct perseus_schedule_settings settings = shape(1, evaluated[_i].n_microbatches);
	settings.data_load = evaluated[_i].data_load;
	struct job job = make_job(ROWS(one_stage), 100, settings);
	const struct perseus_plan_settings asked =
			asking(evaluated[_i].deadline_ns, PERSEUS_GRANULARITY_AUTO, evaluated[_i].latency_ns);
	struct perseus_plan *plan = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_plan_evaluate(job.frontier, evaluated[_i].frequency_mhz, &asked, &plan, &err) == PERSEUS_OK,
			"%s", err.message);
	for (int32_t i = 0; i < plan->n_instructions; i++) {
		ck_assert_msg(plan->steps[i].time_ns == evaluated[_i].time_ns[i], "%s: instruction %d takes %lld ns",
				evaluated[_i].why, i, (long long)plan->steps[i].time_ns);
		ck_assert_msg(plan->steps[i].energy_nj == evaluated[_i].energy_nj[i], "%s: instruction %d uses %lld nJ",
				evaluated[_i].why, i, (long long)plan->steps[i].energy_nj);
	}
	ck_assert_int_eq(plan->outcome.iteration_time_ns, evaluated[_i].iteration_time_ns);
	ck_assert_msg(plan->outcome.energy_nj == evaluated[_i].outcome_nj, "%s: %lld nJ", evaluated[_i].why,
			(long long)plan->outcome.energy_nj);
	ck_assert_int_eq(plan->clock_changes[0], evaluated[_i].n_changes);
	const bool is_late = evaluated[_i].iteration_time_ns > evaluated[_i].deadline_ns;
	const enum perseus_status status = perseus_plan_check(plan, job.frontier, &err);
	ck_assert_msg(status == (is_late ? PERSEUS_INVALID : PERSEUS_OK), "%s: %s", evaluated[_i].why, err.message);
	if (is_late)
		ck_assert_str_eq(err.message, "plan: takes 40000000 ns, longer than its deadline of 39000000 ns");
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

/* F0 10, transfer 4, F1 13, B1 26, transfer 6, B0 20: 79 ms. Waiting: 49 and 40 ms at 60 W, so 5.34 J. */
START_TEST(counts_transfers)
{
	struct job job = make_job_with_transfers();
	ck_assert_int_eq(perseus_frontier_info(job.frontier).t_min_ns, 79 * MS);
	static const enum perseus_granularity granularities[] = {
		PERSEUS_GRANULARITY_INSTRUCTION, PERSEUS_GRANULARITY_ENDS, PERSEUS_GRANULARITY_JOB};
	for (size_t k = 0; k < sizeof granularities / sizeof *granularities; k++) {
		struct perseus_plan *plan = make_plan(&job, asking(79 * MS, granularities[k], 0));
		ck_assert_int_eq(plan->outcome.iteration_time_ns, 79 * MS);
		/* 3.5 + 4.5 + 9.1 + 7.0 + 0.5 + 0.25 + 5.34 */
		ck_assert_int_eq(plan->outcome.energy_nj, 30190 * (J / 1000));
		ck_assert_double_eq_tol(plan->lower_bound_j, 30.19, 1e-6);
		perseus_plan_free(plan);
	}
	free_job(&job);
}
END_TEST

START_TEST(finds_plans_that_keep_their_deadline_with_a_latency)
{
	struct job job = make_job(ROWS(one_stage), 100, shape(1, 1));
	/* 40 ms: {1000, 500} fits in the steady state with 26.25 J and beats {1000, 1000} with 35 J. */
	struct perseus_plan *plan = make_plan(&job, asking(40 * MS, PERSEUS_GRANULARITY_AUTO, 5 * MS));
	ck_assert_int_eq(plan->outcome.energy_nj, 26250000000);
	ck_assert_int_eq(plan->outcome.iteration_time_ns, 40 * MS);
	perseus_plan_free(plan);
	plan = make_plan(&job, asking(30 * MS, PERSEUS_GRANULARITY_AUTO, 5 * MS));
	ck_assert_int_eq(plan->outcome.energy_nj, 34 * J);
	ck_assert_int_eq(plan->granularity, PERSEUS_GRANULARITY_JOB);
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

/* Stage 1 runs at any clock: nothing of its rank ever waits for a change. 5 ms are left to hide the one of stage 0. */
START_TEST(plans_beside_a_rank_without_clocks)
{
	static const struct perseus_measurement rows[] = {
		{.stage = 0, .instruction = "forward", .frequency_mhz = 1000, .time_s = 0.010, .energy_j = 10},
		{.stage = 0, .instruction = "forward", .frequency_mhz = 500, .time_s = 0.020, .energy_j = 6},
		{.stage = 0, .instruction = "backward", .frequency_mhz = 1000, .time_s = 0.020, .energy_j = 24},
		{.stage = 0, .instruction = "backward", .frequency_mhz = 500, .time_s = 0.030, .energy_j = 15},
		{.stage = 1, .instruction = "forward", .time_s = 0.010, .energy_j = 1},
		{.stage = 1, .instruction = "backward", .time_s = 0.010, .energy_j = 1},
	};
	struct job job = make_job(ROWS(rows), 0, shape(2, 1));
	struct perseus_plan *plan = make_plan(&job, asking(65 * MS, PERSEUS_GRANULARITY_AUTO, 5 * MS));
	ck_assert_int_eq(plan->outcome.iteration_time_ns, 60 * MS);
	ck_assert_int_eq(plan->outcome.energy_nj, 27 * J);
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

/* The longest latency there may be is longer than anything else: no change of clock is worth it. */
START_TEST(plans_with_the_longest_latency)
{
	struct job job = make_job(ROWS(one_stage), 100, shape(1, 1));
	struct perseus_plan *plan =
			make_plan(&job, asking(50 * MS, PERSEUS_GRANULARITY_AUTO, INT64_C(1000000000000000000)));
	ck_assert_int_eq(plan->clock_changes[0], 0);
	ck_assert_int_eq(plan->outcome.energy_nj, 21 * J);
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

/* Classes whose clocks have nothing in common, and one that is fastest below its highest clock. */
static const struct perseus_measurement odd_clocks[] = {
	{.stage = 0, .instruction = "forward", .frequency_mhz = 1000, .time_s = 0.010, .energy_j = 10},
	{.stage = 0, .instruction = "forward", .frequency_mhz = 900, .time_s = 0.009, .energy_j = 10},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 1000, .time_s = 0.020, .energy_j = 24},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 900, .time_s = 0.022, .energy_j = 24},
};
static const struct perseus_measurement no_common_clock[] = {
	{.stage = 0, .instruction = "forward", .frequency_mhz = 1000, .time_s = 0.010, .energy_j = 10},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 1100, .time_s = 0.020, .energy_j = 24},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 900, .time_s = 0.022, .energy_j = 20},
};

static const struct {
	const struct perseus_measurement *rows;
	size_t n_rows;
	struct perseus_plan_settings settings;
	enum perseus_status status;
	const char *message;
} refused[] = {
	{ROWS(one_stage), {.deadline_ns = 29999999}, PERSEUS_INFEASIBLE,
		"a deadline of 0.029999999 s is below T_min, the shortest possible iteration time: 0.030000000 s"},
	{ROWS(one_stage), {.deadline_ns = 0}, PERSEUS_INFEASIBLE,
		"a deadline of 0.000000000 s is below T_min, the shortest possible iteration time: 0.030000000 s"},
	{ROWS(one_stage), {.deadline_ns = -1}, PERSEUS_INVALID,
		"deadline of -1 ns is out of range: expected 0 to 1000000000000000000"},
	{ROWS(one_stage), {.deadline_ns = 40 * MS, .switch_latency_ns = -5}, PERSEUS_INVALID,
		"switch latency of -5 ns is out of range: expected 0 to 1000000000000000000"},
	{ROWS(one_stage), {.deadline_ns = INT64_MAX}, PERSEUS_INVALID,
		"deadline of 9223372036854775807 ns is out of range: expected 0 to 1000000000000000000"},
	{ROWS(odd_clocks), {.deadline_ns = 29 * MS, .granularity = PERSEUS_GRANULARITY_STAGE}, PERSEUS_INFEASIBLE,
		"no plan of granularity stage with a switch latency of 0.000000000 s keeps a deadline of 0.029000000 s: "
		"the shortest iteration time found is 0.030000000 s"},
	{ROWS(no_common_clock), {.deadline_ns = 40 * MS, .granularity = PERSEUS_GRANULARITY_STAGE}, PERSEUS_INVALID,
		"granularity stage needs a clock common to all instructions of a group, and there is none in the group from "
		"stage 0 backward (2 clocks, 900 to 1100 MHz) to stage 0 forward (1 clocks, 1000 to 1000 MHz)"},
};

START_TEST(refuses_with_a_message)
{
	struct job job = make_job(refused[_i].rows, refused[_i].n_rows, 100, shape(1, 1));
	struct perseus_plan *const untouched = (struct perseus_plan *)&job;
	struct perseus_plan *plan = untouched;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_plan_new(job.frontier, &refused[_i].settings, &plan, &err), refused[_i].status);
	ck_assert_str_eq(err.message, refused[_i].message);
	ck_assert_int_eq(err.status, refused[_i].status);
	ck_assert_ptr_eq(plan, untouched);
	ck_assert_int_eq(perseus_plan_new(job.frontier, &refused[_i].settings, &plan, NULL), refused[_i].status);
	free_job(&job);
}
END_TEST

/* What refuses_with_a_message reads in a message, as a number. */
static const struct {
	const struct perseus_measurement *rows;
	size_t n_rows;
	struct perseus_plan_settings settings;
	enum perseus_status status;
	int64_t shortest_ns;
} shortest[] = {
	{ROWS(one_stage), {.granularity = PERSEUS_GRANULARITY_INSTRUCTION}, PERSEUS_OK, 30 * MS},
	{ROWS(one_stage), {.granularity = PERSEUS_GRANULARITY_JOB, .deadline_ns = 5}, PERSEUS_OK, 30 * MS},
	/* T_min is 28 ms, at two clocks; at one it is more. */
	{ROWS(odd_clocks), {.granularity = PERSEUS_GRANULARITY_STAGE}, PERSEUS_OK, 30 * MS},
	{ROWS(no_common_clock), {.granularity = PERSEUS_GRANULARITY_STAGE}, PERSEUS_INVALID, 0},
	{ROWS(one_stage), {.switch_latency_ns = -5}, PERSEUS_INVALID, 0},
};

START_TEST(knows_the_shortest_time)
{
	struct job job = make_job(shortest[_i].rows, shortest[_i].n_rows, 100, shape(1, 1));
	int64_t found_ns = 0;
	ck_assert_int_eq(perseus_plan_shortest(job.frontier, &shortest[_i].settings, &found_ns, NULL), shortest[_i].status);
	ck_assert_int_eq(found_ns, shortest[_i].shortest_ns);
	free_job(&job);
}
END_TEST

START_TEST(refuses_a_clock_that_was_not_measured)
{
	struct job job = make_job(ROWS(one_stage), 100, shape(1, 1));
	const int32_t frequency_mhz[] = {1000, 700};
	const struct perseus_plan_settings settings = asking(40 * MS, PERSEUS_GRANULARITY_AUTO, 0);
	struct perseus_plan *plan = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_plan_evaluate(job.frontier, frequency_mhz, &settings, &plan, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message,
			"instruction 1 (0B0): stage 0 backward was not measured at 700 MHz; it was at 3 "
			"clocks from 500 to 1000 MHz");
	ck_assert_ptr_null(plan);
	free_job(&job);
}
END_TEST

/* Each change of a good plan, and what the checker says of it. The plan has the steps F0 F1 B0 B1 of two ranks. */
static void
tamper(struct perseus_plan *plan, struct perseus_step *steps, int32_t *changes, int which)
{
	switch (which) {
	case 0:
		plan->n_ranks++;
		break;
	case 1:
		steps[0].choice = 3;
		break;
	case 2:
		steps[0].frequency_mhz++;
		break;
	case 3:
		steps[0].start_ns = -1;
		break;
	case 4:
		steps[1].start_ns = 0;
		break;
	case 5:
		plan->outcome.iteration_time_ns++;
		break;
	case 6:
		plan->deadline_ns = plan->outcome.iteration_time_ns - 1;
		break;
	case 7:
		steps[0].time_ns--;
		break;
	case 8:
		steps[1].energy_nj++;
		break;
	case 9:
		plan->outcome.energy_nj--;
		break;
	case 10:
		plan->baseline.energy_nj++;
		break;
	case 11:
		plan->baseline.iteration_time_ns++;
		break;
	case 12:
		changes[1]++;
		break;
	case 13:
		plan->lower_bound_j *= 1.001;
		break;
	case 14:
		plan->gap += 1e-6;
		break;
	case 15:
		plan->saving += 1e-6;
		break;
	case 16:
		plan->granularity = PERSEUS_GRANULARITY_JOB;
		break;
	case 17:
		plan->switch_latency_ns = 3 * MS;
		break;
	case 18:
		steps[1].start_ns = INT64_MAX;
		break;
	case 19:
		plan->deadline_ns = INT64_MAX;
		break;
	default:
		ck_abort();
	}
}

static const char *const tamper_messages[] = {
	"plan: is of 3 ranks and 8 instructions, the schedule of 2 and 8",
	"plan: rank 0, instruction 0 (0F0): the choice is none of its class",
	"plan: rank 0, instruction 0 (0F0): the clock is not that of its choice",
	"plan: rank 0, instruction 0 (0F0): starts before the iteration",
	"plan: rank 0, instruction 1 (0F1): starts before what it waits for is done",
	"plan: the last instruction ends at",
	"plan: takes",
	"plan: rank 0, instruction 0 (0F0): time or energy do not follow from profile, clock and switch latency",
	"plan: rank 0, instruction 1 (0F1): time or energy do not follow from profile, clock and switch latency",
	"plan: the energy of the plan is said to be",
	"plan: the energy of the baseline is said to be",
	"plan: the baseline does not take",
	"plan: rank 1 changes its clock",
	"plan: the lower bound is said to be",
	"plan: the gap is not",
	"plan: the saving is not",
	"has another clock than the granularity allows",
	"time or energy do not follow from profile, clock and switch latency",
	"plan: rank 0, instruction 1 (0F1): start or time is out of range",
	"plan: the deadline or the switch latency is out of range",
};

START_TEST(the_checker_notices_tampering)
{
	struct job job = make_job(ROWS(two_stages), 60, shape(2, 2));
	const int64_t t_min_ns = perseus_frontier_info(job.frontier).t_min_ns;
	struct perseus_plan *plan = make_plan(&job, asking(t_min_ns + t_min_ns / 20, PERSEUS_GRANULARITY_INSTRUCTION, 0));
	ck_assert_int_gt(plan->clock_changes[0], 0);
	struct perseus_step steps[8];
	int32_t changes[2];
	memcpy(steps, plan->steps, sizeof steps);
	memcpy(changes, plan->clock_changes, sizeof changes);
	struct perseus_plan copy = *plan;
	copy.steps = steps;
	copy.clock_changes = changes;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_plan_check(&copy, job.frontier, &err), PERSEUS_OK);
	tamper(&copy, steps, changes, _i);
	ck_assert_int_eq(perseus_plan_check(&copy, job.frontier, &err), PERSEUS_INVALID);
	ck_assert_msg(strstr(err.message, tamper_messages[_i]), "%d: %s", _i, err.message);
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

/* B of the second example of `evaluated`, a nanosecond or a nanojoule off. */
START_TEST(the_checker_notices_tampering_with_latency)
{
	struct job job = make_job(ROWS(one_stage), 100, shape(1, 1));
	const int32_t frequency_mhz[] = {1000, 500};
	const struct perseus_plan_settings settings = asking(45 * MS, PERSEUS_GRANULARITY_AUTO, 5 * MS);
	struct perseus_plan *plan = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_plan_evaluate(job.frontier, frequency_mhz, &settings, &plan, &err), PERSEUS_OK);
	static const int64_t offs[][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
	for (size_t k = 0; k < sizeof offs / sizeof *offs; k++) {
		struct perseus_step steps[2] = {plan->steps[0], plan->steps[1]};
		struct perseus_plan copy = *plan;
		copy.steps = steps;
		steps[1].time_ns += offs[k][0];
		steps[1].energy_nj += offs[k][1];
		copy.outcome.iteration_time_ns += offs[k][0];
		ck_assert_int_eq(perseus_plan_check(&copy, job.frontier, &err), PERSEUS_INVALID);
		ck_assert_str_eq(err.message,
				"plan: rank 0, instruction 1 (0B0): time or energy do not follow from profile, "
				"clock and switch latency");
	}
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

START_TEST(the_table_answers_stragglers)
{
	struct job job = make_job(ROWS(one_stage), 100, shape(1, 1));
	const struct perseus_plan_settings settings = asking(0, PERSEUS_GRANULARITY_AUTO, 0);
	struct perseus_plan_table *table = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_plan_table_new(job.frontier, &settings, 5, &table, &err), PERSEUS_OK);
	/* T_min 30, then 35, 40, 45 and T* 50 ms. */
	ck_assert_ptr_null(perseus_plan_table_lookup(table, 30 * MS - 1));
	ck_assert_int_eq(perseus_plan_table_lookup(table, 30 * MS)->deadline_ns, 30 * MS);
	ck_assert_int_eq(perseus_plan_table_lookup(table, 35 * MS - 1)->deadline_ns, 30 * MS);
	ck_assert_int_eq(perseus_plan_table_lookup(table, 41 * MS)->deadline_ns, 40 * MS);
	ck_assert_int_eq(perseus_plan_table_lookup(table, 41 * MS)->outcome.energy_nj, 25 * J);
	ck_assert_int_eq(perseus_plan_table_lookup(table, INT64_MAX)->deadline_ns, 50 * MS);
	ck_assert_int_eq(perseus_plan_table_lookup(table, INT64_MAX)->outcome.energy_nj, 21 * J);
	perseus_plan_table_free(table);
	ck_assert_int_eq(perseus_plan_table_new(job.frontier, &settings, 1, &table, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus_plan_table_lookup(table, INT64_MAX)->deadline_ns, 30 * MS);
	perseus_plan_table_free(table);
	ck_assert_int_eq(perseus_plan_table_new(job.frontier, &settings, 0, &table, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "a plan table needs one deadline at least, not 0");
	perseus_plan_table_free(NULL);
	perseus_plan_free(NULL);
	free_job(&job);
}
END_TEST

START_TEST(names_granularities)
{
	ck_assert_str_eq(perseus_granularity_name(PERSEUS_GRANULARITY_ENDS), "ends");
	ck_assert_int_eq(perseus_plan_settings_default().granularity, PERSEUS_GRANULARITY_AUTO);
	ck_assert_int_eq(perseus_plan_settings_default().switch_latency_ns, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, costs_may_leave_64_bits);
	tcase_add_loop_test(tcase, finds_what_was_worked_by_hand, 0, sizeof planned / sizeof *planned);
	tcase_add_loop_test(tcase, evaluates_latency_as_worked_by_hand, 0, sizeof evaluated / sizeof *evaluated);
	tcase_add_test(tcase, counts_transfers);
	tcase_add_test(tcase, finds_plans_that_keep_their_deadline_with_a_latency);
	tcase_add_test(tcase, plans_beside_a_rank_without_clocks);
	tcase_add_test(tcase, plans_with_the_longest_latency);
	tcase_add_loop_test(tcase, refuses_with_a_message, 0, sizeof refused / sizeof *refused);
	tcase_add_loop_test(tcase, knows_the_shortest_time, 0, sizeof shortest / sizeof *shortest);
	tcase_add_test(tcase, refuses_a_clock_that_was_not_measured);
	tcase_add_loop_test(tcase, the_checker_notices_tampering, 0, sizeof tamper_messages / sizeof *tamper_messages);
	tcase_add_test(tcase, the_checker_notices_tampering_with_latency);
	tcase_add_test(tcase, the_table_answers_stragglers);
	tcase_add_test(tcase, names_granularities);
	return run_suite(suite);
}
