/*
 * Plans of random small instances: what the checker proves, order of the granularities, brute force over the clocks of
 * groups; and coarse plans of measured profiles against optima of an independent program (bench/ends_judge.py).
 */
#include "format/profile_csv.h"
#include "random.h"
#include "suite.h"

#include <perseus/perseus.h>

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MAX_STAGES = 8, MAX_CLOCKS = 5, MAX_GROUPS = 8, N_RANDOM = 400, N_BRUTE = 120 };

static const char *const class_names[] = {"forward", "backward", "input", "weight", "recompute"};
enum { N_CLASSES = sizeof class_names / sizeof *class_names };

static int32_t
between(uint64_t *state, int32_t low, int32_t high)
{
	return low + (int32_t)(random_next(state) % (uint64_t)(high - low + 1));
}

struct instance {
	struct perseus_profile *profile;
	const struct perseus_schedule *schedule;
	struct perseus_frontier *frontier;
};

/* Times rise and energies fall as the clock falls, mostly: some points are dominated, some times equal. */
static struct perseus_profile *
random_profile(uint64_t *seed, int32_t n_stages, int32_t n_clocks, bool same_clocks)
{
	struct perseus_measurement rows[MAX_STAGES * N_CLASSES * MAX_CLOCKS];
	size_t n = 0;
	for (int32_t stage = 0; stage < n_stages; stage++)
		for (int32_t c = 0; c < N_CLASSES; c++) {
			const double work = 1e-3 * between(seed, 5, 30);
			const double power = between(seed, 100, 300);
			const int32_t least = same_clocks ? 0 : between(seed, 0, n_clocks - 1);
			for (int32_t k = least; k < n_clocks; k++) {
				const double speed = 1 + 0.15 * k;
				const double noise = 1e-3 * between(seed, 980, 1020);
				rows[n++] = (struct perseus_measurement){.stage = stage,
					.instruction = class_names[c],
					.frequency_mhz = 1000 + 150 * k,
					.time_s = work / speed * noise,
					.energy_j = work / speed * power * (0.4 + 0.6 * speed * speed * speed) / noise};
			}
		}
	const double blocking_w = between(seed, 0, 120);
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	struct perseus_profile *profile = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_profile_new(rows, n, &settings, &profile, &err) == PERSEUS_OK, "%s", err.message);
	return profile;
}

/* False where the schedule does not take the shape that was drawn. */
static bool
random_instance(uint64_t *seed, struct instance *instance)
{
	static const char *const names[] = {"1f1b", "gpipe", "interleaved", "zb-h1", "zbv", "early-recompute-1f1b"};
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.name = names[random_next(seed) % (sizeof names / sizeof *names)];
	shape.n_ranks = between(seed, 1, 4);
	shape.n_microbatches = between(seed, 1, 3) * shape.n_ranks;
	*instance = (struct instance){NULL, NULL, NULL};
	if (perseus_schedule_generate(&shape, &instance->schedule, NULL) != PERSEUS_OK)
		return false;
	const int32_t n_clocks = between(seed, 1, MAX_CLOCKS);
	instance->profile = random_profile(seed, instance->schedule->n_stages, n_clocks, between(seed, 0, 1));
	struct perseus_error err = {.message = ""};
	const enum perseus_status status =
			perseus_frontier_new(instance->profile, instance->schedule, NULL, &instance->frontier, &err);
	ck_assert_msg(status == PERSEUS_OK, "%s: %s", shape.name, err.message);
	return true;
}

static void
free_instance(struct instance *instance)
{
	perseus_frontier_free(instance->frontier);
	perseus_schedule_free(instance->schedule);
	perseus_profile_free(instance->profile);
}

/* Plans one granularity; the energy of a checked plan, or -1 where there is none. */
static int64_t
plan_energy_nj(const struct instance *instance, const struct perseus_plan_settings *settings, const char *where)
{
	struct perseus_plan *plan = NULL;
	struct perseus_error err = {.message = ""};
	const enum perseus_status status = perseus_plan_new(instance->frontier, settings, &plan, &err);
	if (status != PERSEUS_OK) {
		const bool is_coarse = settings->granularity != PERSEUS_GRANULARITY_AUTO
				&& settings->granularity != PERSEUS_GRANULARITY_INSTRUCTION;
		ck_assert_msg(
				status == PERSEUS_INFEASIBLE || (status == PERSEUS_INVALID && is_coarse), "%s: %s", where, err.message);
		ck_assert_msg(is_coarse || settings->switch_latency_ns > 0, "%s: %s", where, err.message);
		return -1;
	}
	const enum perseus_status checked = perseus_plan_check(plan, instance->frontier, &err);
	ck_assert_msg(checked == PERSEUS_OK, "%s: %s", where, err.message);
	ck_assert_msg(plan->outcome.iteration_time_ns <= settings->deadline_ns, "%s: late", where);
	const double energy_j = (double)plan->outcome.energy_nj * 1e-9;
	ck_assert_msg(energy_j >= plan->lower_bound_j * (1 - 1e-9), "%s: %.17g J below the bound %.17g J", where, energy_j,
			plan->lower_bound_j);
	const int64_t energy_nj = plan->outcome.energy_nj;
	perseus_plan_free(plan);
	return energy_nj;
}

/* All granularities with and without latency: finer is never worse than what it contains. */
START_TEST(plans_of_random_instances_are_proven)
{
	uint64_t seed = (uint64_t)_i;
	struct instance instance;
	if (!random_instance(&seed, &instance))
		return;
	const struct perseus_frontier_info info = perseus_frontier_info(instance.frontier);
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = info.t_min_ns + (int64_t)((double)info.t_min_ns * 0.05 * between(&seed, 0, 12));
	settings.switch_latency_ns = _i % 2 == 0 ? 0 : INT64_C(1000000) * between(&seed, 1, 40);
	int64_t energy_nj[PERSEUS_GRANULARITY_JOB + 1];
	for (int g = PERSEUS_GRANULARITY_AUTO; g <= PERSEUS_GRANULARITY_JOB; g++) {
		char where[96];
		settings.granularity = (enum perseus_granularity)g;
		snprintf(where, sizeof where, "seed %d, %s, %s", _i, instance.schedule->name,
				perseus_granularity_name(settings.granularity));
		energy_nj[g] = plan_energy_nj(&instance, &settings, where);
	}
	for (int g = PERSEUS_GRANULARITY_INSTRUCTION; g <= PERSEUS_GRANULARITY_JOB; g++)
		if (energy_nj[g] >= 0 && settings.switch_latency_ns > 0)
			ck_assert_msg(
					energy_nj[PERSEUS_GRANULARITY_AUTO] >= 0 && energy_nj[PERSEUS_GRANULARITY_AUTO] <= energy_nj[g],
					"seed %d: auto uses %lld nJ, granularity %d %lld nJ", _i,
					(long long)energy_nj[PERSEUS_GRANULARITY_AUTO], g, (long long)energy_nj[g]);
	if (energy_nj[PERSEUS_GRANULARITY_STAGE] >= 0 && settings.switch_latency_ns == 0) {
		ck_assert_int_ge(energy_nj[PERSEUS_GRANULARITY_ENDS], 0);
		ck_assert_int_le(energy_nj[PERSEUS_GRANULARITY_ENDS], energy_nj[PERSEUS_GRANULARITY_STAGE]);
		ck_assert_int_le(energy_nj[PERSEUS_GRANULARITY_KIND], energy_nj[PERSEUS_GRANULARITY_STAGE]);
		if (energy_nj[PERSEUS_GRANULARITY_JOB] >= 0)
			ck_assert_int_le(energy_nj[PERSEUS_GRANULARITY_STAGE], energy_nj[PERSEUS_GRANULARITY_JOB]);
	}
	free_instance(&instance);
}
END_TEST

/* Group of an instruction of 1F1B, by the words of the header. */
static int32_t
group_of(const struct perseus_schedule *schedule, enum perseus_granularity granularity, int32_t i)
{
	const struct perseus_instruction *instruction = &schedule->instructions[i];
	const bool is_backward = instruction->kind == PERSEUS_KIND_BACKWARD;
	const bool is_end = instruction->microbatch == (is_backward ? schedule->n_microbatches - 1 : 0);
	switch (granularity) {
	case PERSEUS_GRANULARITY_KIND:
		return 2 * instruction->stage + is_backward;
	case PERSEUS_GRANULARITY_ENDS:
		return 2 * instruction->stage + is_end;
	case PERSEUS_GRANULARITY_STAGE:
		return instruction->stage;
	case PERSEUS_GRANULARITY_JOB:
		return 0;
	case PERSEUS_GRANULARITY_AUTO:
	case PERSEUS_GRANULARITY_INSTRUCTION:
		break;
	}
	ck_abort();
}

/* Least energy of all assignments of clocks to groups that keep the deadline; -1 where none does. */
static int64_t
brute_force_nj(const struct instance *instance, const struct perseus_plan_settings *settings, int32_t n_clocks)
{
	const struct perseus_schedule *schedule = instance->schedule;
	int32_t n_groups = 0;
	int32_t frequency_mhz[64];
	for (int32_t i = 0; i < schedule->n_instructions; i++) {
		const int32_t group = group_of(schedule, settings->granularity, i);
		n_groups = group + 1 > n_groups ? group + 1 : n_groups;
	}
	ck_assert_int_le(schedule->n_instructions, 64);
	int64_t n = 1;
	for (int32_t g = 0; g < n_groups; g++)
		n *= n_clocks;
	int64_t best_nj = -1;
	for (int64_t code = 0; code < n; code++) {
		int32_t clock[MAX_GROUPS];
		int64_t rest = code;
		for (int32_t g = 0; g < n_groups; g++, rest /= n_clocks)
			clock[g] = 1000 + 150 * (int32_t)(rest % n_clocks);
		for (int32_t i = 0; i < schedule->n_instructions; i++)
			frequency_mhz[i] = clock[group_of(schedule, settings->granularity, i)];
		struct perseus_plan *plan = NULL;
		ck_assert_int_eq(perseus_plan_evaluate(instance->frontier, frequency_mhz, settings, &plan, NULL), PERSEUS_OK);
		if (plan->outcome.iteration_time_ns <= settings->deadline_ns
				&& (best_nj < 0 || plan->outcome.energy_nj < best_nj))
			best_nj = plan->outcome.energy_nj;
		perseus_plan_free(plan);
	}
	return best_nj;
}

/*
 * Without latency coarse plans of small instances are optimal. With one they need not be: a clock that is no good by
 * itself, and so is not looked at, can be of use in what the instruction after it does until its own clock comes.
 */
START_TEST(coarse_plans_equal_brute_force)
{
	uint64_t seed = 7000 + (uint64_t)_i;
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	const int32_t n_clocks = between(&seed, 2, MAX_CLOCKS);
	shape.n_ranks = between(&seed, 1, n_clocks < MAX_CLOCKS ? 3 : 2); /* 4^6 assignments at most */
	shape.n_microbatches = between(&seed, 1, 5);
	struct instance instance;
	ck_assert_int_eq(perseus_schedule_generate(&shape, &instance.schedule, NULL), PERSEUS_OK);
	instance.profile = random_profile(&seed, shape.n_ranks, n_clocks, true);
	ck_assert_int_eq(
			perseus_frontier_new(instance.profile, instance.schedule, NULL, &instance.frontier, NULL), PERSEUS_OK);
	const struct perseus_frontier_info info = perseus_frontier_info(instance.frontier);
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) / 20 * between(&seed, 0, 24);
	settings.switch_latency_ns = _i % 3 == 0 ? INT64_C(1000000) * between(&seed, 1, 20) : 0;
	for (int g = PERSEUS_GRANULARITY_KIND; g <= PERSEUS_GRANULARITY_JOB; g++) {
		settings.granularity = (enum perseus_granularity)g;
		const int64_t best_nj = brute_force_nj(&instance, &settings, n_clocks);
		const int64_t found_nj = plan_energy_nj(&instance, &settings, perseus_granularity_name(settings.granularity));
		/* The search sums effective energies that were rounded to 1 nJ each. */
		const int64_t rounding_nj = instance.schedule->n_instructions;
		if (settings.switch_latency_ns == 0)
			ck_assert_msg(found_nj <= best_nj + rounding_nj && found_nj >= best_nj,
					"%d, %s: found %lld nJ, brute force %lld nJ", _i, perseus_granularity_name(settings.granularity),
					(long long)found_nj, (long long)best_nj);
		else if (found_nj >= 0)
			ck_assert_msg(found_nj >= best_nj && best_nj >= 0 && (double)found_nj <= 1.1 * (double)best_nj,
					"%d, %s: found %lld nJ, brute force %lld nJ", _i, perseus_granularity_name(settings.granularity),
					(long long)found_nj, (long long)best_nj);
	}
	free_instance(&instance);
}
END_TEST

enum { N_KNAPSACK = 40, KNAPSACK_STAGES = 6, KNAPSACK_MS = 2000 };

/*
 * One microbatch makes one path of all instructions, so plans of granularity kind are a multiple-choice knapsack:
 * solved here by dynamic programming over milliseconds, which all times are multiples of.
 */
START_TEST(plans_of_one_path_are_optimal_knapsacks)
{
	uint64_t seed = 9000 + (uint64_t)_i;
	struct perseus_measurement rows[2 * KNAPSACK_STAGES * MAX_CLOCKS];
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = KNAPSACK_STAGES;
	shape.n_microbatches = 1;
	static double least_j[KNAPSACK_MS];
	for (int ms = 0; ms < KNAPSACK_MS; ms++)
		least_j[ms] = 0;
	int32_t fastest_ms = 0;
	for (int32_t c = 0; c < 2 * KNAPSACK_STAGES; c++) {
		int32_t time_ms = between(&seed, 20, 60);
		double energy_j = between(&seed, 300, 600);
		fastest_ms += time_ms;
		double with_j[KNAPSACK_MS];
		for (int ms = 0; ms < KNAPSACK_MS; ms++)
			with_j[ms] = 1e9;
		for (int32_t k = 0; k < MAX_CLOCKS; k++) {
			rows[c * MAX_CLOCKS + k] = (struct perseus_measurement){.stage = c / 2,
				.instruction = class_names[c % 2],
				.frequency_mhz = 2000 - 100 * k,
				.time_s = 1e-3 * time_ms,
				.energy_j = energy_j};
			for (int ms = time_ms; ms < KNAPSACK_MS; ms++)
				if (least_j[ms - time_ms] + energy_j < with_j[ms])
					with_j[ms] = least_j[ms - time_ms] + energy_j;
			time_ms += between(&seed, 1, 15);
			energy_j -= between(&seed, 1, 50);
		}
		memcpy(least_j, with_j, sizeof with_j);
	}
	struct instance instance;
	ck_assert_int_eq(perseus_profile_new(rows, sizeof rows / sizeof *rows, NULL, &instance.profile, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus_schedule_generate(&shape, &instance.schedule, NULL), PERSEUS_OK);
	ck_assert_int_eq(
			perseus_frontier_new(instance.profile, instance.schedule, NULL, &instance.frontier, NULL), PERSEUS_OK);
	const int32_t deadline_ms = fastest_ms + between(&seed, 0, 150);
	const struct perseus_plan_settings settings = {
		.deadline_ns = INT64_C(1000000) * deadline_ms, .granularity = PERSEUS_GRANULARITY_KIND};
	const double found_j = 1e-9 * (double)plan_energy_nj(&instance, &settings, "knapsack");
	ck_assert_msg(found_j > least_j[deadline_ms] - 1e-6 && found_j < least_j[deadline_ms] + 1e-6,
			"%d: found %.9g J, least is %.9g J", _i, found_j, least_j[deadline_ms]);
	free_instance(&instance);
}
END_TEST

/* One profile and number of microbatches of GPT-3 175B on 8 stages, 1F1B. */
static const struct {
	const char *file;
	double blocking_w;
	int32_t n_microbatches;
	/* T/T_min 1, 1.02, 1.05, 1.1, 1.2: optimum of granularity ends in J, proven by HiGHS. */
	double optimum_j[5];
	double least_share; /* of the bound's saving at T_min */
} measured[] = {
	{"gpt3-175b+a100_sxm_bf16.csv", 83.64, 12, {6557.20, 6246.77, 6004.05, 5763.96, 5670.74}, 0.6},
	{"gpt3-175b+a100_sxm_bf16.csv", 83.64, 96, {47267.79, 45545.32, 43419.57, 41156.28, 39809.94}, 0.6},
	{"gpt3-175b+a40_bf16.csv", 70.38, 12, {11705.66, 11155.51, 10754.58, 10072.17, 10215.64}, 0},
	{"gpt3-175b+a40_bf16.csv", 70.38, 96, {82456.17, 79424.17, 76319.95, 72161.94, 69020.74}, 0},
};
static const double slowdowns[] = {1, 1.02, 1.05, 1.1, 1.2};

/* False where the data is not there. */
static bool
read_instance(const char *file, double blocking_w, int32_t n_microbatches, struct instance *instance)
{
	char path[512];
	struct perseus_error err = {.message = ""};
	struct perseus__measurements measurements;
	snprintf(path, sizeof path, "%s/sosp24/stage_profile/%s", PERSEUS_TEST_DATA, file);
	const enum perseus_status status = perseus__profile_csv_read(path, &measurements, &err);
	if (status == PERSEUS_IO)
		return false;
	ck_assert_msg(status == PERSEUS_OK, "%s", err.message);
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	ck_assert_int_eq(perseus_profile_new(measurements.rows, measurements.n_rows, &settings, &instance->profile, &err),
			PERSEUS_OK);
	perseus__measurements_fini(&measurements);
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = 8;
	shape.n_microbatches = n_microbatches;
	ck_assert_int_eq(perseus_schedule_generate(&shape, &instance->schedule, &err), PERSEUS_OK);
	ck_assert_int_eq(
			perseus_frontier_new(instance->profile, instance->schedule, NULL, &instance->frontier, &err), PERSEUS_OK);
	return true;
}

START_TEST(ends_plans_are_near_the_optimum)
{
	struct instance instance;
	if (!read_instance(measured[_i].file, measured[_i].blocking_w, measured[_i].n_microbatches, &instance)) {
		printf("# SKIP %s: not there\n", measured[_i].file);
		return;
	}
	const int64_t t_min_ns = perseus_frontier_info(instance.frontier).t_min_ns;
	for (int k = 0; k < 5; k++) {
		const struct perseus_plan_settings settings = {
			.granularity = PERSEUS_GRANULARITY_ENDS, .deadline_ns = (int64_t)((double)t_min_ns * slowdowns[k])};
		struct perseus_plan *plan = NULL;
		struct perseus_error err = {.message = ""};
		ck_assert_int_eq(perseus_plan_new(instance.frontier, &settings, &plan, &err), PERSEUS_OK);
		ck_assert_msg(perseus_plan_check(plan, instance.frontier, &err) == PERSEUS_OK, "%s", err.message);
		const double baseline_j = (double)plan->baseline.energy_nj * 1e-9;
		const double energy_j = (double)plan->outcome.energy_nj * 1e-9;
		/* The optima are known to 1e-6 relative. */
		ck_assert_double_ge(energy_j, measured[_i].optimum_j[k] * (1 - 2e-6));
		ck_assert_msg((energy_j - measured[_i].optimum_j[k]) / baseline_j < 0.01, "%s, %d, %g: %.2f J, optimum %.2f J",
				measured[_i].file, measured[_i].n_microbatches, slowdowns[k], energy_j, measured[_i].optimum_j[k]);
		if (k == 0)
			ck_assert_double_ge(plan->saving, measured[_i].least_share * (1 - plan->lower_bound_j / baseline_j));
		perseus_plan_free(plan);
	}
	free_instance(&instance);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("plan_random");
	TCase *tcase = tcase_create("plan_random");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, plans_of_random_instances_are_proven, 0, N_RANDOM);
	tcase_add_loop_test(tcase, coarse_plans_equal_brute_force, 0, N_BRUTE);
	tcase_add_loop_test(tcase, plans_of_one_path_are_optimal_knapsacks, 0, N_KNAPSACK);
	tcase_add_loop_test(tcase, ends_plans_are_near_the_optimum, 0, sizeof measured / sizeof *measured);
	return run_suite(suite);
}
