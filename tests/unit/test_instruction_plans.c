/*
 * Instruction-level plans without latency: random small instances against brute force over all clocks, invariants on
 * larger ones, and measured profiles against the lower bound.
 */
#include "format/profile_csv.h"
#include "plan/instruction.h"
#include "random.h"
#include "random_job.h"
#include "suite.h"

#include "frontier/workload.h"

#include <perseus/perseus.h>

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BRUTE_PLANS = 50000, N_BRUTE = 200, N_ODD = 50, N_LARGER = 100 };

struct instance {
	struct perseus_profile *profile;
	const struct perseus_schedule *schedule;
	struct perseus_frontier *frontier;
	int32_t n;
	int32_t *choice; /* length n */
	int64_t *time_ns;
	int64_t *start_ns;
	int64_t *tail_ns;
};

static void
instance_fini(struct instance *instance)
{
	free(instance->choice);
	free(instance->time_ns);
	free(instance->start_ns);
	free(instance->tail_ns);
	perseus_frontier_free(instance->frontier);
	perseus_schedule_free(instance->schedule);
	perseus_profile_free(instance->profile);
}

/* The rest of an instance that has a profile and a schedule. */
static void
instance_finish(struct instance *instance)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(
			perseus_frontier_new(instance->profile, instance->schedule, NULL, &instance->frontier, &err) == PERSEUS_OK,
			"%s", err.message);
	instance->n = instance->schedule->n_instructions;
	const size_t n = (size_t)instance->n;
	instance->choice = calloc(n, sizeof *instance->choice);
	instance->time_ns = calloc(n, sizeof *instance->time_ns);
	instance->start_ns = calloc(n, sizeof *instance->start_ns);
	instance->tail_ns = calloc(n, sizeof *instance->tail_ns);
	ck_assert(instance->choice && instance->time_ns && instance->start_ns && instance->tail_ns);
}

/* False where the schedule does not take the shape that was drawn. Profiles have transfers, so edges have lags. */
static bool
instance_random(uint64_t *state, uint32_t max_ranks, uint32_t max_rounds, struct instance *instance)
{
	static const char *const names[] = {"1f1b", "gpipe", "interleaved", "zb-h1", "zbv", "early-recompute-1f1b"};
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.name = names[random_below(state, sizeof names / sizeof *names)];
	shape.n_ranks = 1 + (int32_t)random_below(state, max_ranks);
	shape.n_microbatches = (1 + (int32_t)random_below(state, max_rounds)) * shape.n_ranks;
	*instance = (struct instance){0};
	if (perseus_schedule_generate(&shape, &instance->schedule, NULL) != PERSEUS_OK)
		return false;
	const int is_round = (int)random_below(state, 2);
	instance->profile = random_profile(state, instance->schedule->n_stages, is_round, 1);
	instance_finish(instance);
	return true;
}

/* T_min, T*, or between. */
static int64_t
random_deadline(uint64_t *state, const struct instance *instance)
{
	const struct perseus_frontier_info info = perseus_frontier_info(instance->frontier);
	return info.t_min_ns + (info.t_star_ns - info.t_min_ns) / 6 * (int64_t)random_below(state, 8);
}

static int64_t
makespan_ns(struct instance *instance, const int32_t *choice)
{
	const struct perseus__workload *workload = perseus__frontier_workload(instance->frontier);
	for (int32_t i = 0; i < instance->n; i++)
		instance->time_ns[i] = workload->class_of[i]->choices[choice[i]].time_ns;
	return perseus__dag_earliest(&workload->dag, instance->time_ns, workload->lag_ns, instance->start_ns);
}

static int64_t
effective_nj(const struct instance *instance, const int32_t *choice)
{
	int64_t sum_nj = 0;
	for (int32_t i = 0; i < instance->n; i++)
		sum_nj += perseus_frontier_class(instance->frontier, i)->choices[choice[i]].effective_nj;
	return sum_nj;
}

/* Plans into instance->choice; the deadline holds and the lower bound does. Effective energy. */
static int64_t
plan_nj(struct instance *instance, int64_t deadline_ns)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__plan_instructions(instance->frontier, deadline_ns, instance->choice, &err) == PERSEUS_OK,
			"%s", err.message);
	const int64_t makespan = makespan_ns(instance, instance->choice);
	ck_assert_msg(makespan <= deadline_ns, "%lld ns late", (long long)(makespan - deadline_ns));
	const int64_t energy_nj = effective_nj(instance, instance->choice);
	const double bound_j = perseus_frontier_effective_energy_j(instance->frontier, deadline_ns);
	ck_assert_msg((double)energy_nj * 1e-9 >= bound_j - 1e-6, "%.9f J below the bound %.9f J", (double)energy_nj * 1e-9,
			bound_j);
	return energy_nj;
}

/* Product of the numbers of choices, or 0 where it is too large. */
static int64_t
count_plans(const struct instance *instance)
{
	int64_t product = 1;
	for (int32_t i = 0; i < instance->n && product <= MAX_BRUTE_PLANS; i++)
		product *= perseus_frontier_class(instance->frontier, i)->n_choices;
	return product <= MAX_BRUTE_PLANS ? product : 0;
}

/* Least effective energy of all clocks of all instructions that keep the deadline. */
static int64_t
brute_force_nj(struct instance *instance, int64_t n_plans, int64_t deadline_ns)
{
	int32_t *choice = calloc((size_t)instance->n, sizeof *choice);
	ck_assert_ptr_nonnull(choice);
	int64_t least_nj = INT64_MAX;
	for (int64_t k = 0; k < n_plans; k++) {
		int64_t rest = k;
		for (int32_t i = 0; i < instance->n; i++) {
			const int32_t n_choices = perseus_frontier_class(instance->frontier, i)->n_choices;
			choice[i] = (int32_t)(rest % n_choices);
			rest /= n_choices;
		}
		const int64_t energy_nj = effective_nj(instance, choice);
		if (energy_nj < least_nj && makespan_ns(instance, choice) <= deadline_ns)
			least_nj = energy_nj;
	}
	free(choice);
	return least_nj;
}

/* Six instructions at most; three clocks of which any may be faster, or need less, than any other. */
static void
instance_odd(uint64_t *state, struct instance *instance)
{
	static const char *const names[] = {"forward", "backward"};
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = 1 + (int32_t)random_below(state, 2);
	shape.n_microbatches = shape.n_ranks == 1 ? 1 + (int32_t)random_below(state, 3) : 1;
	struct perseus_measurement rows[12];
	size_t n = 0;
	for (int32_t stage = 0; stage < shape.n_ranks; stage++)
		for (int k = 0; k < 2; k++)
			for (int32_t clock = 1; clock <= 3; clock++)
				rows[n++] = (struct perseus_measurement){.stage = stage,
					.instruction = names[k],
					.frequency_mhz = 500 * clock,
					.time_s = 1e-3 * (double)(1 + random_below(state, 1000)),
					.energy_j = (double)random_below(state, 300)};
	*instance = (struct instance){0};
	ck_assert_int_eq(perseus_schedule_generate(&shape, &instance->schedule, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus_profile_new(rows, n, NULL, &instance->profile, NULL), PERSEUS_OK);
	instance_finish(instance);
}

/*
 * Of 4000 such jobs these are the four whose plans were more than 1 %, up to 33 %, above the best before all plans were
 * looked at; and their successors.
 */
static const uint64_t odd_states[] = {
	3294757920884220046u, 16367926573138271743u, 6567633552288742397u, 10388320087299641393u};

START_TEST(odd_plans_are_optimal)
{
	uint64_t state = odd_states[_i];
	for (int k = 0; k < N_ODD; k++) {
		struct instance instance;
		instance_odd(&state, &instance);
		const int64_t deadline_ns = random_deadline(&state, &instance);
		const int64_t energy_nj = plan_nj(&instance, deadline_ns);
		const int64_t least_nj = brute_force_nj(&instance, count_plans(&instance), deadline_ns);
		ck_assert_msg(energy_nj >= least_nj
						&& (double)(energy_nj - least_nj)
								<= 2e-5 * 1e9 * perseus_frontier_energy_j(instance.frontier, deadline_ns),
				"%lld nJ, brute force %lld nJ", (long long)energy_nj, (long long)least_nj);
		instance_fini(&instance);
	}
}
END_TEST

START_TEST(small_plans_are_mostly_optimal)
{
	uint64_t state = 7;
	int n_equal = 0;
	int n_done = 0;
	double worst = 0;
	while (n_done < N_BRUTE) {
		struct instance instance;
		if (!instance_random(&state, 3, 2, &instance))
			continue;
		const int64_t n_plans = count_plans(&instance);
		if (n_plans > 1) {
			const int64_t deadline_ns = random_deadline(&state, &instance);
			const int64_t energy_nj = plan_nj(&instance, deadline_ns);
			const int64_t least_nj = brute_force_nj(&instance, n_plans, deadline_ns);
			ck_assert_msg(
					energy_nj >= least_nj, "%lld nJ, brute force %lld nJ", (long long)energy_nj, (long long)least_nj);
			const double loss =
					(double)(energy_nj - least_nj) / (1e9 * perseus_frontier_energy_j(instance.frontier, deadline_ns));
			worst = loss > worst ? loss : worst;
			n_equal += energy_nj == least_nj;
			n_done++;
		}
		instance_fini(&instance);
	}
	printf("# %d of %d small plans are optimal, the worst is %.2f %% above\n", n_equal, n_done, worst * 100);
	ck_assert_int_ge(n_equal, N_BRUTE * 85 / 100);
}
END_TEST

/* One Pareto point more for any instruction would miss the deadline. */
static void
assert_no_slack_left(struct instance *instance, int64_t deadline_ns)
{
	const struct perseus__workload *workload = perseus__frontier_workload(instance->frontier);
	(void)makespan_ns(instance, instance->choice);
	(void)perseus__dag_tails(&workload->dag, instance->time_ns, workload->lag_ns, instance->tail_ns);
	for (int32_t i = 0; i < instance->n; i++) {
		const struct perseus_class *class_ = workload->class_of[i];
		int32_t point = 0;
		while (point < class_->n_pareto && class_->pareto[point].time_ns <= instance->time_ns[i])
			point++;
		if (point == class_->n_pareto)
			continue;
		const int64_t longer_ns = class_->pareto[point].time_ns - instance->time_ns[i];
		ck_assert_msg(instance->start_ns[i] + instance->tail_ns[i] + longer_ns > deadline_ns,
				"instruction %d could be slower", i);
	}
}

START_TEST(larger_plans_keep_the_deadline_and_leave_no_slack)
{
	uint64_t state = 1000 + (uint64_t)_i;
	struct instance instance;
	if (!instance_random(&state, 6, 4, &instance))
		return;
	const int64_t deadline_ns = random_deadline(&state, &instance);
	const int64_t energy_nj = plan_nj(&instance, deadline_ns);
	assert_no_slack_left(&instance, deadline_ns);
	/* Again, over what the first time left in memory. */
	const size_t size = (size_t)instance.n * sizeof *instance.choice;
	int32_t *first = malloc(size);
	ck_assert_ptr_nonnull(first);
	memcpy(first, instance.choice, size);
	ck_assert(plan_nj(&instance, deadline_ns) == energy_nj);
	ck_assert_mem_eq(first, instance.choice, size);
	free(first);
	instance_fini(&instance);
}
END_TEST

START_TEST(deadline_below_t_min_is_infeasible)
{
	uint64_t state = 5;
	struct instance instance;
	ck_assert(instance_random(&state, 3, 2, &instance));
	const int64_t t_min_ns = perseus_frontier_info(instance.frontier).t_min_ns;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(
			perseus__plan_instructions(instance.frontier, t_min_ns - 1, instance.choice, &err), PERSEUS_INFEASIBLE);
	ck_assert_str_ne(err.message, "");
	instance_fini(&instance);
}
END_TEST

/*
 * Blocking powers (W) as published with the profiles. The relaxed optimum is not unique and plans follow it, so what is
 * held is the mean gap over the slowdowns, with some room, and the most that any gap may be.
 */
static const struct measured {
	const char *file;
	double blocking_w;
	int32_t n_microbatches;
	double most_mean_percent;
} measured[] = {
	{"gpt3-175b+a100_sxm_bf16.csv", 83.64, 12, 0.10},
	{"gpt3-175b+a100_sxm_bf16.csv", 83.64, 24, 0.12},
	{"gpt3-175b+a100_sxm_bf16.csv", 83.64, 48, 0.11},
	{"gpt3-175b+a100_sxm_bf16.csv", 83.64, 96, 0.10},
	{"gpt3-175b+a40_bf16.csv", 70.38, 12, 0.17},
	{"gpt3-175b+a40_bf16.csv", 70.38, 24, 0.24},
	{"gpt3-175b+a40_bf16.csv", 70.38, 48, 0.35},
	{"gpt3-175b+a40_bf16.csv", 70.38, 96, 0.35},
};
static const double most_percent = 0.6;
static const double slowdowns[] = {1, 1.02, 1.05, 1.1, 1.2};

/* False where the data is not there. */
static bool
instance_measured(const struct measured *row, struct instance *instance)
{
	char path[512];
	struct perseus_error err = {.message = ""};
	struct perseus__measurements measurements;
	(void)snprintf(path, sizeof path, "%s/sosp24/stage_profile/%s", PERSEUS_TEST_DATA, row->file);
	const enum perseus_status status = perseus__profile_csv_read(path, &measurements, &err);
	if (status == PERSEUS_IO)
		return false;
	ck_assert_msg(status == PERSEUS_OK, "%s", err.message);
	const struct perseus_profile_settings settings = {.blocking_power_w = &row->blocking_w, .n_blocking_power = 1};
	*instance = (struct instance){0};
	ck_assert_int_eq(perseus_profile_new(measurements.rows, measurements.n_rows, &settings, &instance->profile, &err),
			PERSEUS_OK);
	perseus__measurements_fini(&measurements);
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = 8;
	shape.n_microbatches = row->n_microbatches;
	ck_assert_int_eq(perseus_schedule_generate(&shape, &instance->schedule, &err), PERSEUS_OK);
	instance_finish(instance);
	return true;
}

START_TEST(measured_plans_are_near_the_bound)
{
	const struct measured *row = &measured[_i];
	struct instance instance;
	if (!instance_measured(row, &instance)) {
		printf("# SKIP %s: not there\n", row->file);
		return;
	}
	const int64_t t_min_ns = perseus_frontier_info(instance.frontier).t_min_ns;
	const size_t n = sizeof slowdowns / sizeof *slowdowns;
	double sum_percent = 0;
	for (size_t k = 0; k < n; k++) {
		const int64_t deadline_ns = (int64_t)((double)t_min_ns * slowdowns[k]);
		const double above_j = (double)plan_nj(&instance, deadline_ns) * 1e-9
				- perseus_frontier_effective_energy_j(instance.frontier, deadline_ns);
		const double percent = 100 * above_j / perseus_frontier_energy_j(instance.frontier, deadline_ns);
		printf("# %s, %d microbatches, %g: gap %.4f %%\n", row->file, row->n_microbatches, slowdowns[k], percent);
		ck_assert_msg(percent <= most_percent, "%s, %d microbatches, %g: gap %.4f %%, at most %g", row->file,
				row->n_microbatches, slowdowns[k], percent, most_percent);
		sum_percent += percent;
	}
	const double mean_percent = sum_percent / (double)n;
	ck_assert_msg(mean_percent <= row->most_mean_percent, "%s, %d microbatches: mean gap %.4f %%, at most %g",
			row->file, row->n_microbatches, mean_percent, row->most_mean_percent);
	instance_fini(&instance);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("instruction_plans");
	TCase *tcase = tcase_create("instruction_plans");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, small_plans_are_mostly_optimal);
	tcase_add_loop_test(tcase, odd_plans_are_optimal, 0, sizeof odd_states / sizeof *odd_states);
	tcase_add_loop_test(tcase, larger_plans_keep_the_deadline_and_leave_no_slack, 0, N_LARGER);
	tcase_add_test(tcase, deadline_below_t_min_is_infeasible);
	tcase_add_loop_test(tcase, measured_plans_are_near_the_bound, 0, sizeof measured / sizeof *measured);
	return run_suite(suite);
}
