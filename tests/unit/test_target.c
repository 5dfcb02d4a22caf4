/* Deadlines that follow from targets and stragglers, and announcements of stragglers. */
#include "random.h"
#include "suite.h"
#include "torture.h"

#include "server/announced.h"
#include "server/target.h"

#include <check.h>
#include <math.h>

/*
 * A pipeline of T_min 1 s and T* 2 s whose plans need 100 J less for each second more, 300 J at T_min, beside 50 W of
 * blocking: total energy 300 - 100 (t - 1) + 50 t, least at T*; t_min_energy is said to be 1.4 s to tell it from that.
 */
static double
effective_j(const void *user, int64_t deadline_ns)
{
	(void)user;
	return 300 - 100 * (1e-9 * (double)deadline_ns - 1);
}

static const struct perseus__target_facts facts = {
	.t_min_ns = 1000000000,
	.t_star_ns = 2000000000,
	.t_min_energy_ns = 1400000000,
	.blocking_power_uw = 50000000,
	.n_gpus_per_stage = 1,
	.effective_j = effective_j,
};

static const struct {
	const char *name;
	struct perseus__target target;
	int32_t n_pipelines;
	double degree[3];
	double deadline_s[3];
	double base_s;
	double iteration_s;
	double power_w;
} cases[] = {
	{"time", {.kind = PERSEUS__TARGET_TIME}, 2, {1, 1}, {1, 1}, 1, 1, 700},
	{"straggler", {.kind = PERSEUS__TARGET_TIME}, 2, {1, 1.25}, {1.25, 1}, 1, 1.25, (275 + 300) / 1.25 + 100},
	{"beyond T*", {.kind = PERSEUS__TARGET_TIME}, 2, {1, 4}, {2, 1}, 1, 4, (200 + 300) / 4.0 + 100},
	{"below 1 counts as 1", {.kind = PERSEUS__TARGET_TIME}, 2, {0.5, 1}, {1, 1}, 1, 1, 700},
	{"two stragglers", {.kind = PERSEUS__TARGET_TIME}, 3, {1.2, 1, 1.5}, {1.25, 1.5, 1}, 1, 1.5,
		(275 + 250 + 300) / 1.5 + 150},
	{"slowdown", {.kind = PERSEUS__TARGET_SLOWDOWN, .slowdown = 1.1}, 2, {1, 1}, {1.1, 1.1}, 1.1, 1.1, 580 / 1.1 + 100},
	{"slowdown up to least energy", {.kind = PERSEUS__TARGET_SLOWDOWN, .slowdown = 3}, 1, {1}, {1.4}, 1.4, 1.4,
		260 / 1.4 + 50},
	{"slowdown hides a straggler", {.kind = PERSEUS__TARGET_SLOWDOWN, .slowdown = 1.3}, 2, {1, 1.25}, {1.3, 1.04}, 1.3,
		1.3, (270 + 296) / 1.3 + 100},
	{"straggler beyond a slowdown", {.kind = PERSEUS__TARGET_SLOWDOWN, .slowdown = 1.1}, 2, {1.6, 1}, {1, 1.6}, 1.1,
		1.6, (300 + 240) / 1.6 + 100},
	{"energy", {.kind = PERSEUS__TARGET_ENERGY}, 2, {1, 1}, {1.4, 1.4}, 1.4, 1.4, 520 / 1.4 + 100},
	/* 2 (400 - 100 t) / t + 100 = 600: t = 800 / 700. */
	{"power", {.kind = PERSEUS__TARGET_POWER, .power_w = 600}, 2, {1, 1}, {8 / 7.0, 8 / 7.0}, 8 / 7.0, 8 / 7.0, 600},
	{"power not needed", {.kind = PERSEUS__TARGET_POWER, .power_w = 1000}, 2, {1, 1}, {1, 1}, 1, 1, 700},
	/* A straggler lowers the power: (275 + 300) / 1.25 + 100 = 560. */
	{"power with a straggler", {.kind = PERSEUS__TARGET_POWER, .power_w = 600}, 2, {1, 1.25}, {1.25, 1}, 1, 1.25, 560},
};

START_TEST(deadlines)
{
	int64_t deadline_ns[3] = {0};
	struct perseus__target_answer answer;
	ck_assert_int_eq(perseus__target_check(&cases[_i].target, NULL), PERSEUS_OK);
	perseus__target_deadlines(&cases[_i].target, &facts, cases[_i].degree, cases[_i].n_pipelines, deadline_ns, &answer);
	/* Whole nanoseconds, and sums of a few doubles. */
	const double tolerance_s = 2e-9;
	for (int32_t p = 0; p < cases[_i].n_pipelines; p++)
		ck_assert_msg(fabs(1e-9 * (double)deadline_ns[p] - cases[_i].deadline_s[p]) < tolerance_s,
				"%s: pipeline %d has %lld ns", cases[_i].name, (int)p, (long long)deadline_ns[p]);
	ck_assert(answer.is_feasible);
	ck_assert_double_eq_tol(1e-9 * (double)answer.base_ns, cases[_i].base_s, tolerance_s);
	ck_assert_double_eq_tol(1e-9 * (double)answer.iteration_ns, cases[_i].iteration_s, tolerance_s);
	ck_assert_double_eq_tol(answer.power_w, cases[_i].power_w, 1e-5);
	ck_assert_double_le(answer.least_power_w, answer.power_w);
}
END_TEST

/* At T* each pipeline draws 200 J / 2 s + 50 W; with 2 GPUs a stage, twice that. */
START_TEST(least_power)
{
	const double degree[] = {1, 1};
	int64_t deadline_ns[2] = {0};
	struct perseus__target_answer answer;
	struct perseus__target target = {.kind = PERSEUS__TARGET_POWER, .power_w = 299};
	struct perseus__target_facts own = facts;
	perseus__target_deadlines(&target, &own, degree, 2, deadline_ns, &answer);
	ck_assert(!answer.is_feasible);
	ck_assert_double_eq_tol(answer.least_power_w, 300, 1e-6);
	ck_assert_double_eq_tol(answer.power_w, 300, 1e-6);
	ck_assert_int_eq(deadline_ns[0], own.t_star_ns);
	ck_assert_int_eq(deadline_ns[1], own.t_star_ns);
	own.n_gpus_per_stage = 2;
	target.power_w = 600;
	perseus__target_deadlines(&target, &own, degree, 2, deadline_ns, &answer);
	ck_assert(answer.is_feasible);
	ck_assert_double_eq_tol(answer.power_w, 600, 1e-6);
}
END_TEST

/* What is not computing belongs to the iteration: 10 % of 1.5 s are allowed, and its power is that of waiting. */
START_TEST(overhead_counts)
{
	const double degree[] = {1};
	int64_t deadline_ns = 0;
	struct perseus__target_answer answer;
	struct perseus__target_facts own = facts;
	own.overhead_ns = 500000000;
	const struct perseus__target target = {.kind = PERSEUS__TARGET_SLOWDOWN, .slowdown = 1.1};
	perseus__target_deadlines(&target, &own, degree, 1, &deadline_ns, &answer);
	ck_assert_double_eq_tol(1e-9 * (double)deadline_ns, 1.15, 2e-9);
	ck_assert_double_eq_tol(answer.power_w, 285 / 1.65 + 50, 1e-6);
}
END_TEST

/* Whatever stragglers there are: within bounds, nobody is slower than the slowest, and nobody faster than needed. */
START_TEST(properties)
{
	uint64_t state = 5;
	for (int round = 0; round < 2000; round++) {
		double degree[3];
		double worst = 1;
		for (int p = 0; p < 3; p++) {
			degree[p] = random_below(&state, 2) ? 1 : 1 + 3 * random_fraction(&state);
			worst = fmax(worst, degree[p]);
		}
		const struct perseus__target target = {.kind = (enum perseus__target_kind)(round % 4),
			.slowdown = 1 + 0.001 * round,
			.power_w = 200 + 0.5 * round};
		int64_t deadline_ns[3];
		struct perseus__target_answer answer;
		perseus__target_deadlines(&target, &facts, degree, 3, deadline_ns, &answer);
		ck_assert_int_ge(answer.base_ns, facts.t_min_ns);
		ck_assert_int_le(answer.base_ns, facts.t_star_ns);
		ck_assert_double_ge(1.0000001 * (double)answer.iteration_ns, worst * (double)facts.t_min_ns);
		for (int p = 0; p < 3; p++) {
			ck_assert_int_ge(deadline_ns[p], facts.t_min_ns);
			ck_assert_int_le(deadline_ns[p], facts.t_star_ns);
			const double takes_ns = degree[p] * (double)deadline_ns[p];
			ck_assert(takes_ns <= 1 + (double)answer.iteration_ns || deadline_ns[p] == facts.t_min_ns);
			ck_assert(takes_ns >= (double)answer.iteration_ns - degree[p] - 1 || deadline_ns[p] == facts.t_star_ns);
		}
		ck_assert(!answer.is_feasible || target.kind != PERSEUS__TARGET_POWER || answer.power_w <= target.power_w);
	}
}
END_TEST

static const struct {
	struct perseus__target target;
	const char *message;
} bad[] = {
	{{.kind = PERSEUS__TARGET_SLOWDOWN, .slowdown = 0.9}, "slowdown: 0.9 is not between 1 and 100"},
	{{.kind = PERSEUS__TARGET_SLOWDOWN, .slowdown = 101}, "slowdown: 101 is not between 1 and 100"},
	{{.kind = PERSEUS__TARGET_SLOWDOWN, .slowdown = NAN}, "slowdown: nan is not between 1 and 100"},
	{{.kind = PERSEUS__TARGET_POWER, .power_w = 0}, "power_w: 0 is not a positive number of watts"},
	{{.kind = PERSEUS__TARGET_POWER, .power_w = INFINITY}, "power_w: inf is not a positive number of watts"},
};

START_TEST(bad_targets)
{
	struct perseus_error err;
	ck_assert_int_eq(perseus__target_check(&bad[_i].target, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad[_i].message);
}
END_TEST

START_TEST(kinds_have_names)
{
	enum perseus__target_kind kind = PERSEUS__TARGET_TIME;
	for (int k = PERSEUS__TARGET_TIME; k <= PERSEUS__TARGET_POWER; k++) {
		ck_assert(perseus__target_kind_find(perseus__target_kind_name((enum perseus__target_kind)k), &kind));
		ck_assert_int_eq(kind, k);
	}
	ck_assert(!perseus__target_kind_find("haste", &kind));
	ck_assert_int_eq(kind, PERSEUS__TARGET_POWER);
}
END_TEST

static void
add(struct perseus__announced *announced, int32_t pipeline, double degree, int64_t from_ms)
{
	const struct perseus__announcement item = {.pipeline = pipeline, .degree = degree, .from_ms = from_ms};
	ck_assert_int_eq(perseus__announced_add(announced, item, 4, NULL), PERSEUS_OK);
}

START_TEST(announcements)
{
	struct perseus__announced announced = {0};
	ck_assert_double_eq(perseus__announced_degree(&announced, 0, 100), 1);
	ck_assert(perseus__announced_next_ms(&announced, 0) == INT64_MAX);
	add(&announced, 1, 1.2, 50);
	add(&announced, 1, 1, 80);
	add(&announced, 2, 1.5, 60);
	const struct {
		int64_t now_ms;
		double degree[3];
		int64_t next_ms;
	} moments[] = {
		{49, {1, 1, 1}, 50},
		{50, {1, 1.2, 1}, 60},
		{60, {1, 1.2, 1.5}, 80},
		{79, {1, 1.2, 1.5}, 80},
		{80, {1, 1, 1.5}, INT64_MAX},
	};
	for (size_t k = 0; k < sizeof moments / sizeof moments[0]; k++) {
		perseus__announced_trim(&announced, moments[k].now_ms);
		for (int32_t p = 0; p < 3; p++)
			ck_assert_double_eq(perseus__announced_degree(&announced, p, moments[k].now_ms), moments[k].degree[p]);
		ck_assert(perseus__announced_next_ms(&announced, moments[k].now_ms) == moments[k].next_ms);
	}
	/* What says nothing any more is gone: that pipeline 1 straggled, and that it ended. */
	ck_assert_int_eq(announced.n, 1);
	/* The newest word holds. */
	add(&announced, 3, 1.3, 200);
	add(&announced, 3, 1.4, 150);
	ck_assert_double_eq(perseus__announced_degree(&announced, 3, 150), 1.4);
	ck_assert_double_eq(perseus__announced_degree(&announced, 3, 250), 1.4);
	perseus__announced_fini(&announced);
	ck_assert_int_eq(announced.n, 0);
}
END_TEST

START_TEST(bad_announcements)
{
	static const struct {
		struct perseus__announcement item;
		const char *message;
	} wrong[] = {
		{{-1, 1.2, 0}, "pipeline: -1 is not between 0 and 3"},
		{{4, 1.2, 0}, "pipeline: 4 is not between 0 and 3"},
		{{0, 0.5, 0}, "degree: 0.5 is not between 1 and 100"},
		{{0, 1000, 0}, "degree: 1000 is not between 1 and 100"},
	};
	struct perseus__announced announced = {0};
	struct perseus_error err;
	for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
		ck_assert_int_eq(perseus__announced_add(&announced, wrong[k].item, 4, &err), PERSEUS_INVALID);
		ck_assert_str_eq(err.message, wrong[k].message);
	}
	for (int64_t k = 0; k < 4096; k++)
		add(&announced, 0, 1.5, k);
	ck_assert(!perseus__announced_has_room(&announced));
	perseus__announced_trim(&announced, 5000);
	ck_assert_int_eq(announced.n, 1);
	ck_assert(perseus__announced_has_room(&announced));
	perseus__announced_fini(&announced);
}
END_TEST

static enum perseus_status
make(void **out, struct perseus_error *err)
{
	static struct perseus__announced announced;
	const struct perseus__announcement item = {.pipeline = 0, .degree = 2, .from_ms = 0};
	const enum perseus_status status = perseus__announced_add(&announced, item, 1, err);
	if (status == PERSEUS_OK)
		*out = &announced;
	return status;
}

static void
destroy(void *announced)
{
	perseus__announced_fini(announced);
}

START_TEST(without_memory)
{
	const struct torture_scenario scenario = {"announced", make, destroy};
	torture_run(&scenario, FAILING_ALLOC_ONE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("target");
	TCase *tcase = tcase_create("target");
	tcase_add_loop_test(tcase, deadlines, 0, sizeof cases / sizeof cases[0]);
	tcase_add_test(tcase, least_power);
	tcase_add_test(tcase, overhead_counts);
	tcase_add_test(tcase, properties);
	tcase_add_loop_test(tcase, bad_targets, 0, sizeof bad / sizeof bad[0]);
	tcase_add_test(tcase, kinds_have_names);
	tcase_add_test(tcase, announcements);
	tcase_add_test(tcase, bad_announcements);
	tcase_add_test(tcase, without_memory);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
