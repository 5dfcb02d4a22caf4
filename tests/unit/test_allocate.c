/* Allocations of power: worked by hand, proven by their checker on random curves, and the checker notices tampering. */
#include "failing_alloc.h"
#include "random.h"
#include "suite.h"
#include "torture.h"

#include <perseus/perseus.h>

#include <check.h>
#include <math.h>

static struct perseus_error err;

/* Relative: what the issue of a proof is to hold to. */
static const double TOLERANCE = 1e-12;

/*
 * a: 1 /s at 100 W, 2 at 220, 3 at 400; b: 10 /s at 50 W, 20 at 110. A watt brings a job's worth of 1/360 and then
 * 1/540 to a, 1/120 to b. Slowest 150 W, full speed 510 W.
 */
static struct perseus_operating_point points_a[] = {{1, 100}, {2, 220}, {3, 400}};
static struct perseus_operating_point points_b[] = {{10, 50}, {20, 110}};
static const struct perseus_operating_curve curve_a = {3, points_a};
static const struct perseus_operating_curve curve_b = {2, points_b};

static const struct {
	enum perseus_allocation_rule rule;
	double limit_w;
	double weight_b;
	double power_w[2];
	double rate_hz[2];
	double price_per_w;
	double bound;
	double level;
} cases[] = {
	/* b's 60 W first, then 90 of a's first 120. */
	{PERSEUS_ALLOCATION_WORK, 300, 1, {190, 110}, {1.75, 20}, 1. / 360, 1 + 1.75 / 3, NAN},
	/* A tenth as much worth: b waits, a has 30 of its last 180 W. */
	{PERSEUS_ALLOCATION_WORK, 300, 0.1, {250, 50}, {2 + 1. / 6, 10}, 1. / 540, (2 + 1. / 6) / 3 + 0.05, NAN},
	/* All that bring more than 1/540 take 330 W: the next watt is a's. */
	{PERSEUS_ALLOCATION_WORK, 330, 1, {220, 110}, {2, 20}, 1. / 540, 2. / 3 + 1, NAN},
	{PERSEUS_ALLOCATION_WORK, 150, 1, {100, 50}, {1, 10}, 1. / 120, 1. / 3 + 0.5, NAN},
	{PERSEUS_ALLOCATION_WORK, 510, 1, {400, 110}, {3, 20}, 0, 2, NAN},
	{PERSEUS_ALLOCATION_WORK, 1e9, 1, {400, 110}, {3, 20}, 0, 2, NAN},
	/* At t above 2/3 they take 220 + 180·(3·t - 2) and 120·t - 10: 660·t - 150. */
	{PERSEUS_ALLOCATION_FAIR, 300, 1, {220 + 180 * (3 * 450. / 660 - 2), 120 * 450. / 660 - 10},
		{3 * 450. / 660, 20 * 450. / 660}, 1. / 360, 1 + 1.75 / 3, 450. / 660},
	/* b's slowest is half its full speed, so a has the other 110 W: 1 + 10/120 /s. */
	{PERSEUS_ALLOCATION_FAIR, 160, 1, {110, 50}, {1 + 1. / 12, 10}, 1. / 120, 1. / 3 + 0.5 + 10. / 120, 13. / 36},
	{PERSEUS_ALLOCATION_FAIR, 510, 1, {400, 110}, {3, 20}, 0, 2, 1},
	{PERSEUS_ALLOCATION_EVEN, 300, 1, {400 * 300. / 510, 110 * 300. / 510},
		{2 + (400 * 300. / 510 - 220) / 180, 10 + (110 * 300. / 510 - 50) / 6}, 1. / 360, 1 + 1.75 / 3, 300. / 510},
	/* b's slowest takes more than its share, so a has 110 W of 400. */
	{PERSEUS_ALLOCATION_EVEN, 160, 1, {110, 50}, {1 + 1. / 12, 10}, 1. / 120, 1. / 3 + 0.5 + 10. / 120, 0.275},
};

START_TEST(allocates_as_worked_by_hand)
{
	const struct perseus_allocation_job jobs[] = {{&curve_a, 1}, {&curve_b, cases[_i].weight_b}};
	struct perseus_allocation *allocation = NULL;
	ck_assert_int_eq(perseus_allocation_new(jobs, 2, cases[_i].limit_w, cases[_i].rule, &allocation, &err), PERSEUS_OK);
	ck_assert_int_eq(allocation->rule, cases[_i].rule);
	ck_assert_double_eq_tol(allocation->full_power_w, 510, 1e-12);
	ck_assert_double_eq_tol(allocation->price_per_w, cases[_i].price_per_w, 1e-15);
	ck_assert_double_eq_tol(allocation->bound, cases[_i].bound, 1e-12);
	if (cases[_i].rule == PERSEUS_ALLOCATION_WORK) {
		ck_assert_double_eq_tol(allocation->work, cases[_i].bound, 1e-12);
		ck_assert(isnan(allocation->level));
	} else {
		ck_assert_double_eq_tol(allocation->level, cases[_i].level, 1e-12);
	}
	for (int j = 0; j < 2; j++) {
		ck_assert_double_eq_tol(allocation->jobs[j].power_w, cases[_i].power_w[j], 1e-9);
		ck_assert_double_eq_tol(allocation->jobs[j].rate_hz, cases[_i].rate_hz[j], 1e-12);
		ck_assert_double_eq_tol(allocation->jobs[j].speed, cases[_i].rate_hz[j] / (j == 0 ? 3 : 20), 1e-12);
	}
	ck_assert_msg(perseus_allocation_check(allocation, jobs, TOLERANCE, &err) == PERSEUS_OK, "%s", err.message);
	perseus_allocation_free(allocation);
}
END_TEST

/* Of equals the first is served first. */
START_TEST(breaks_ties_by_order)
{
	const struct perseus_allocation_job jobs[] = {{&curve_a, 1}, {&curve_a, 1}};
	struct perseus_allocation *allocation = NULL;
	ck_assert_int_eq(perseus_allocation_new(jobs, 2, 300, PERSEUS_ALLOCATION_WORK, &allocation, &err), PERSEUS_OK);
	ck_assert_double_eq(allocation->jobs[0].power_w, 200);
	ck_assert_double_eq(allocation->jobs[1].power_w, 100);
	ck_assert_int_eq(perseus_allocation_check(allocation, jobs, TOLERANCE, &err), PERSEUS_OK);
	perseus_allocation_free(allocation);
}
END_TEST

static const struct {
	int32_t n_jobs;
	double limit_w;
	double weight;
	enum perseus_status status;
	const char *message;
} refused[] = {
	{2, 149.9, 1, PERSEUS_INFEASIBLE,
		"a limit of 149.9 W cannot be kept: at their slowest the jobs take 150 W together"},
	{0, 300, 1, PERSEUS_INVALID, "there is no job to allocate power to"},
	{2, 0, 1, PERSEUS_INVALID, "the limit must be above 0 W, not 0 W"},
	{2, INFINITY, 1, PERSEUS_INVALID, "the limit must be above 0 W, not inf W"},
	{2, 300, 0, PERSEUS_INVALID, "job 1: its weight must be above 0, not 0"},
	{2, 300, -1, PERSEUS_INVALID, "job 1: its weight must be above 0, not -1"},
	{2, 300, INFINITY, PERSEUS_INVALID, "job 1: its weight must be above 0, not inf"},
};

START_TEST(refuses)
{
	const struct perseus_allocation_job jobs[] = {{&curve_a, 1}, {&curve_b, refused[_i].weight}};
	struct perseus_allocation *allocation = NULL;
	const enum perseus_status status = perseus_allocation_new(
			jobs, refused[_i].n_jobs, refused[_i].limit_w, PERSEUS_ALLOCATION_WORK, &allocation, &err);
	ck_assert_int_eq(status, refused[_i].status);
	ck_assert_str_eq(err.message, refused[_i].message);
	ck_assert_ptr_null(allocation);
	perseus_allocation_free(NULL);
}
END_TEST

enum { MAX_POINTS = 40 };

/* A convex curve: slopes that grow by random factors. */
static void
random_curve(uint64_t *state, struct perseus_operating_point *points, int32_t n)
{
	double slope = 1 + random_below(state, 1000);
	points[0].rate_hz = 0.001 + random_below(state, 10000) / 1e4;
	points[0].power_w = 100 + random_below(state, 100000);
	for (int32_t k = 1; k < n; k++) {
		const double step_hz = points[0].rate_hz * (1 + random_below(state, 1000)) / 1e4;
		points[k].rate_hz = points[k - 1].rate_hz + step_hz;
		points[k].power_w = points[k - 1].power_w + slope * step_hz;
		slope *= 1.001 + random_below(state, 1000) / 1e4;
	}
}

START_TEST(proves_random_allocations)
{
	enum { N_JOBS = 25 };
	static struct perseus_operating_point points[N_JOBS][MAX_POINTS];
	struct perseus_operating_curve curves[N_JOBS];
	struct perseus_allocation_job jobs[N_JOBS];
	uint64_t state = 7 + (uint64_t)_i;
	double least_w = 0;
	double full_w = 0;
	const int32_t n_jobs = 1 + (int32_t)random_below(&state, N_JOBS);
	for (int32_t j = 0; j < n_jobs; j++) {
		curves[j] = (struct perseus_operating_curve){1 + (int32_t)random_below(&state, MAX_POINTS), points[j]};
		random_curve(&state, points[j], curves[j].n_points);
		ck_assert_msg(perseus_operating_curve_check(&curves[j], &err) == PERSEUS_OK, "%s", err.message);
		jobs[j] = (struct perseus_allocation_job){&curves[j], _i % 2 ? 1 : 1 + random_below(&state, 9)};
		least_w += points[j][0].power_w;
		full_w += points[j][curves[j].n_points - 1].power_w;
	}
	const double limit_w = least_w * (1 + 1e-9) + (full_w - least_w) * random_below(&state, 101) / 100;
	double most = 0;
	for (int rule = PERSEUS_ALLOCATION_WORK; rule <= PERSEUS_ALLOCATION_EVEN; rule++) {
		struct perseus_allocation *allocation = NULL;
		ck_assert_int_eq(
				perseus_allocation_new(jobs, n_jobs, limit_w, (enum perseus_allocation_rule)rule, &allocation, &err),
				PERSEUS_OK);
		const enum perseus_status status = perseus_allocation_check(allocation, jobs, TOLERANCE, &err);
		ck_assert_msg(status == PERSEUS_OK, "%s: %s", perseus_allocation_rule_name((enum perseus_allocation_rule)rule),
				err.message);
		if (rule == PERSEUS_ALLOCATION_WORK)
			most = allocation->work;
		ck_assert_double_le(allocation->work, most * (1 + TOLERANCE));
		perseus_allocation_free(allocation);
	}
}
END_TEST

/* What can be wrong with an allocation, and what the checker says of it. */
static void
tamper(struct perseus_allocation *allocation, int how)
{
	switch (how) {
	case 0:
		allocation->jobs[0].power_w += 1;
		break;
	case 1:
		allocation->jobs[0].rate_hz = 3.1;
		break;
	case 2:
		allocation->jobs[0].speed *= 1.1;
		break;
	case 3:
		allocation->power_w *= 1.1;
		break;
	case 4:
		allocation->work *= 1.1;
		break;
	case 5:
		allocation->full_power_w *= 1.1;
		break;
	case 6:
		allocation->full_work *= 1.1;
		break;
	case 7:
		allocation->bound *= 0.9;
		break;
	case 8:
		allocation->price_per_w = -1;
		break;
	case 9:
		allocation->limit_w = 1;
		allocation->bound -= allocation->price_per_w * 299;
		break;
	default:
		allocation->price_per_w *= 2;
		break;
	}
}

enum { N_TAMPERS = 11 };

START_TEST(the_checker_notices_tampering)
{
	const struct perseus_allocation_job jobs[] = {{&curve_a, 1}, {&curve_b, 1}};
	struct perseus_allocation *allocation = NULL;
	ck_assert_int_eq(perseus_allocation_new(jobs, 2, 300, PERSEUS_ALLOCATION_WORK, &allocation, &err), PERSEUS_OK);
	tamper(allocation, _i);
	ck_assert_int_eq(perseus_allocation_check(allocation, jobs, TOLERANCE, &err), PERSEUS_INVALID);
	perseus_allocation_free(allocation);
}
END_TEST

/* An allocation of one rule is not one of another, though it keeps the limit and its sums are right. */
START_TEST(the_checker_tells_rules_apart)
{
	const struct perseus_allocation_job jobs[] = {{&curve_a, 1}, {&curve_b, 1}};
	for (int made = PERSEUS_ALLOCATION_WORK; made <= PERSEUS_ALLOCATION_EVEN; made++)
		for (int claimed = PERSEUS_ALLOCATION_WORK; claimed <= PERSEUS_ALLOCATION_EVEN; claimed++) {
			struct perseus_allocation *allocation = NULL;
			ck_assert_int_eq(
					perseus_allocation_new(jobs, 2, 300, (enum perseus_allocation_rule)made, &allocation, &err),
					PERSEUS_OK);
			allocation->rule = (enum perseus_allocation_rule)claimed;
			if (made == PERSEUS_ALLOCATION_WORK && claimed != made)
				allocation->level = 0.6;
			ck_assert_int_eq(perseus_allocation_check(allocation, jobs, TOLERANCE, &err),
					made == claimed ? PERSEUS_OK : PERSEUS_INVALID);
			perseus_allocation_free(allocation);
		}
}
END_TEST

static enum perseus_status
make_allocation(void **out, struct perseus_error *error)
{
	const struct perseus_allocation_job jobs[] = {{&curve_a, 1}, {&curve_b, 1}};
	struct perseus_allocation *allocation = *out;
	const enum perseus_status status =
			perseus_allocation_new(jobs, 2, 300, PERSEUS_ALLOCATION_FAIR, &allocation, error);
	*out = allocation;
	return status;
}

static void
destroy_allocation(void *allocation)
{
	perseus_allocation_free(allocation);
}

START_TEST(survives_every_failed_allocation)
{
	const struct torture_scenario scenario = {"allocation_new", make_allocation, destroy_allocation};
	torture_run(&scenario, (enum failing_alloc_mode)_i);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("allocate");
	tcase_add_loop_test(tcase, allocates_as_worked_by_hand, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tcase, breaks_ties_by_order);
	tcase_add_loop_test(tcase, refuses, 0, sizeof refused / sizeof *refused);
	tcase_add_loop_test(tcase, proves_random_allocations, 0, 300);
	tcase_add_loop_test(tcase, the_checker_notices_tampering, 0, N_TAMPERS);
	tcase_add_test(tcase, the_checker_tells_rules_apart);
	tcase_add_loop_test(tcase, survives_every_failed_allocation, FAILING_ALLOC_ONE, FAILING_ALLOC_REST + 1);
	Suite *suite = suite_create("allocate");
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
