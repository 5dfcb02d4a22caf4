/* Operating curves: hand-worked, the frontier's energies at their vertices, lookups, and what the check refuses. */
#include "random_job.h"
#include "suite.h"

#include <perseus/perseus.h>

#include <check.h>
#include <math.h>

static struct perseus_error err;

/* One rank that runs one instruction. */
static struct perseus_frontier *
solve_single(const struct perseus_measurement *rows, size_t n_rows, double blocking_w, struct perseus_profile **profile,
		const struct perseus_schedule **schedule)
{
	static const struct perseus_instruction instruction = {
		.kind = PERSEUS_KIND_OTHER, .microbatch = 0, .class_name = "a", .n_parts = 1};
	static const int32_t rank_begin[] = {0, 1};
	static const struct perseus_order order = {.name = "single",
		.n_ranks = 1,
		.rank_begin = rank_begin,
		.instructions = &instruction,
		.explicit_edges_only = true};
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	struct perseus_frontier *frontier = NULL;
	ck_assert_int_eq(perseus_profile_new(rows, n_rows, &settings, profile, &err), PERSEUS_OK);
	ck_assert_msg(perseus_schedule_import(&order, schedule, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(perseus_frontier_new(*profile, *schedule, NULL, &frontier, &err), PERSEUS_OK);
	return frontier;
}

/*
 * 1 s 10 J or 3 s 4 J, 1 W waiting, 1 s overhead, 6 GPUs: (10 + 1) J in 2 s is 5.5 W a GPU, (4 + 1) J in 4 s is 1.25 W.
 * Halfway in rate, 3/8 per second, an iteration takes 8/3 s, 5/3 s of it working: 10 - 3 · 2/3 = 8 J, 1 J more makes
 * 9 J · 3/8 = 3.375 W a GPU.
 */
START_TEST(is_worked_by_hand)
{
	static const struct perseus_measurement rows[] = {{0, "a", 2, 1.0, 10.0, 0}, {0, "a", 1, 3.0, 4.0, 0}};
	struct perseus_profile *profile = NULL;
	const struct perseus_schedule *schedule = NULL;
	struct perseus_frontier *frontier = solve_single(rows, 2, 1.0, &profile, &schedule);
	struct perseus_operating_curve *curve = NULL;
	ck_assert_int_eq(perseus_operating_curve_new(frontier, 2, 3, 1.0, &curve, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus_operating_curve_check(curve, &err), PERSEUS_OK);
	ck_assert_int_eq(curve->n_points, 2);
	ck_assert_double_eq(curve->points[0].rate_hz, 0.25);
	ck_assert_double_eq(curve->points[0].power_w, 7.5);
	ck_assert_double_eq(curve->points[1].rate_hz, 0.5);
	ck_assert_double_eq(curve->points[1].power_w, 33.0);
	ck_assert_double_eq_tol(perseus_operating_power_w(curve, 0.375), 20.25, 1e-12);
	ck_assert_double_eq_tol(perseus_operating_rate_hz(curve, 20.25), 0.375, 1e-15);
	ck_assert_double_eq(perseus_operating_power_w(curve, 0.25), 7.5);
	ck_assert_double_eq(perseus_operating_power_w(curve, 0.5), 33.0);
	ck_assert_double_eq(perseus_operating_rate_hz(curve, 7.5), 0.25);
	ck_assert_double_eq(perseus_operating_rate_hz(curve, 1e9), 0.5);
	ck_assert(isnan(perseus_operating_power_w(curve, 0.2499)));
	ck_assert(isnan(perseus_operating_power_w(curve, 0.5001)));
	ck_assert(isnan(perseus_operating_power_w(curve, NAN)));
	ck_assert(isnan(perseus_operating_rate_hz(curve, 7.4999)));
	ck_assert(isnan(perseus_operating_rate_hz(curve, NAN)));
	perseus_operating_curve_free(curve);
	perseus_frontier_free(frontier);
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
}
END_TEST

/* 1 s 1 J or 2 s 10 J where waiting takes 100 W: the frontier has both, and nobody would run the slower one. */
START_TEST(leaves_out_what_is_slower_and_takes_more)
{
	static const struct perseus_measurement rows[] = {{0, "a", 2, 1.0, 1.0, 0}, {0, "a", 1, 2.0, 10.0, 0}};
	struct perseus_profile *profile = NULL;
	const struct perseus_schedule *schedule = NULL;
	struct perseus_frontier *frontier = solve_single(rows, 2, 100.0, &profile, &schedule);
	ck_assert_int_eq(perseus_frontier_info(frontier).n_breakpoints, 2);
	struct perseus_operating_curve *curve = NULL;
	ck_assert_int_eq(perseus_operating_curve_new(frontier, 1, 1, 0, &curve, &err), PERSEUS_OK);
	ck_assert_int_eq(curve->n_points, 1);
	ck_assert_double_eq(curve->points[0].rate_hz, 1.0);
	ck_assert_double_eq(curve->points[0].power_w, 1.0);
	ck_assert_double_eq(perseus_operating_power_w(curve, 1.0), 1.0);
	ck_assert_double_eq(perseus_operating_rate_hz(curve, 5.0), 1.0);
	perseus_operating_curve_free(curve);
	perseus_frontier_free(frontier);
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
}
END_TEST

/* On random jobs the curve is valid, ends as the frontier does, and is at T what the frontier's energy is over T. */
START_TEST(agrees_with_the_frontier)
{
	uint64_t state = 1 + (uint64_t)_i;
	struct perseus_profile *profile = random_profile(&state, 4, _i % 2, _i % 3 == 0);
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.name = "1f1b";
	shape.n_ranks = 4;
	shape.n_microbatches = 6;
	const struct perseus_schedule *schedule = NULL;
	struct perseus_frontier *frontier = NULL;
	ck_assert_int_eq(perseus_schedule_generate(&shape, &schedule, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus_frontier_new(profile, schedule, NULL, &frontier, &err), PERSEUS_OK);
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	struct perseus_operating_curve *curve = NULL;
	ck_assert_int_eq(perseus_operating_curve_new(frontier, 7, 3, 0, &curve, &err), PERSEUS_OK);
	ck_assert_msg(perseus_operating_curve_check(curve, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_double_eq_tol(1 / curve->points[curve->n_points - 1].rate_hz, (double)info.t_min_ns / 1e9, 1e-12);
	for (int percent = 0; percent <= 100; percent++) {
		const int64_t time_ns = info.t_star_ns - (info.t_star_ns - info.t_min_ns) * percent / 100;
		const double expected_w = 21 * perseus_frontier_energy_j(frontier, time_ns) / ((double)time_ns / 1e9);
		const double power_w = perseus_operating_power_w(curve, 1e9 / (double)time_ns);
		if (isnan(power_w)) /* only where that takes more power than a faster point */
			ck_assert_double_ge(expected_w, curve->points[0].power_w * (1 - 1e-12));
		else
			ck_assert_double_eq_tol(power_w, expected_w, 1e-9 * expected_w);
	}
	perseus_operating_curve_free(curve);
	perseus_frontier_free(frontier);
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
}
END_TEST

START_TEST(refuses_bad_arguments)
{
	static const struct perseus_measurement row = {0, "a", 2, 1.0, 10.0, 0};
	struct perseus_profile *profile = NULL;
	const struct perseus_schedule *schedule = NULL;
	struct perseus_frontier *frontier = solve_single(&row, 1, 0, &profile, &schedule);
	struct perseus_operating_curve *curve = NULL;
	ck_assert_int_eq(perseus_operating_curve_new(frontier, 0, 1, 0, &curve, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus_operating_curve_new(frontier, 1, 0, 0, &curve, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus_operating_curve_new(frontier, 1, 1, -1e-9, &curve, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus_operating_curve_new(frontier, 1, 1, INFINITY, &curve, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus_operating_curve_new(frontier, 1, 1, NAN, &curve, &err), PERSEUS_INVALID);
	ck_assert_ptr_null(curve);
	perseus_operating_curve_free(NULL);
	perseus_frontier_free(frontier);
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
}
END_TEST

START_TEST(check_finds_every_violation)
{
	static const struct {
		int32_t n_points;
		struct perseus_operating_point points[3];
		enum perseus_status status;
	} cases[] = {
		{3, {{1, 1}, {2, 2}, {3, 4}}, PERSEUS_OK},
		{1, {{1, 0}}, PERSEUS_OK},
		{0, {{1, 1}}, PERSEUS_INVALID},
		{2, {{0, 1}, {2, 2}}, PERSEUS_INVALID},
		{2, {{1, -1}, {2, 2}}, PERSEUS_INVALID},
		{2, {{1, 1}, {1, 2}}, PERSEUS_INVALID},
		{2, {{1, 1}, {2, 1}}, PERSEUS_INVALID},
		{3, {{1, 1}, {2, 2}, {3, 3}}, PERSEUS_INVALID},
		{3, {{1, 1}, {2, 3}, {3, 4}}, PERSEUS_INVALID},
		{2, {{1, 1}, {INFINITY, 2}}, PERSEUS_INVALID},
		{2, {{1, 1}, {2, INFINITY}}, PERSEUS_INVALID},
		{1, {{1, NAN}}, PERSEUS_INVALID},
	};
	struct perseus_operating_point points[3];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		for (int32_t k = 0; k < 3; k++)
			points[k] = cases[i].points[k];
		const struct perseus_operating_curve curve = {.n_points = cases[i].n_points, .points = points};
		ck_assert_msg(perseus_operating_curve_check(&curve, &err) == cases[i].status, "case %zu", i);
	}
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("operating");
	tcase_add_test(tcase, is_worked_by_hand);
	tcase_add_test(tcase, leaves_out_what_is_slower_and_takes_more);
	tcase_add_loop_test(tcase, agrees_with_the_frontier, 0, 60);
	tcase_add_test(tcase, refuses_bad_arguments);
	tcase_add_test(tcase, check_finds_every_violation);
	Suite *suite = suite_create("operating");
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
