/* Pacing: courses worked by hand, its proofs on random problems and what they refuse, bad input, and torture. */
#include "failing_alloc.h"
#include "random.h"
#include "suite.h"
#include "torture.h"

#include <perseus/pace.h>

#include <check.h>
#include <math.h>
#include <string.h>

enum { MAX_SLOTS = 40, MAX_POINTS = 12 };

static struct perseus_error err;

/* 1, 2 or 3 iterations a second at 100, 220 or 400 W: 120 and 180 J for each more. */
static struct perseus_operating_point three_points[] = {{1, 100}, {2, 220}, {3, 400}};
static struct perseus_operating_curve three = {3, three_points};

/* Slots of 10 s; a factor of 3.6e6 is 1 g/J. */
struct worked {
	const char *name;
	double weight[4]; /* g/J; ends with NaN */
	double n_iterations;
	double idle_w; /* negative: may not pause */
	double reservation_per_s;
	double grams;
	double held_s;
	double rate_hz[3]; /* mean of each slot */
};

static const struct worked worked[] = {
	{"clean first, then slowest", {1, 2, NAN}, 40, -1, 0, 4000 + 2000, 20, {3, 1}},
	{"between two points", {1, 2, NAN}, 45, -1, 0, 4000 + 2 * 1600, 20, {3, 1.5}},
	{"ends early rather than hold a dirty slot", {1, 2, NAN}, 30, 10, 0, 4000, 10, {3, 0}},
	{"pauses in a dirty slot", {9, 1, NAN}, 20, 10, 0, 900 + 2200, 20, {0, 2}},
	{"pauses for part of a slot", {1, 9, NAN}, 5, 10, 0, 500, 5, {1, 0}},
	{"may not pause", {9, 1, NAN}, 20, -1, 0, 9000 + 1000, 20, {1, 1}},
	{"a reservation that costs makes it faster", {1, 1, NAN}, 20, -1, 30, 2200 + 300, 10, {2, 0}},
	{"paid for power: as fast as can be, then done", {-1, 1, NAN}, 25, -1, 0, -400 * 25.0 / 3, 25.0 / 3, {3, 0}},
	{"paid for power: pausing and fastest by turns", {-1, 1, NAN}, 25, 60, 0, -(60 * 5 + 400 * 25) / 3.0, 10, {2.5, 0}},
	{"paid in the last slot", {1, -1, NAN}, 35, -1, 0, 1000 - 400 * 25.0 / 3, 10 + 25.0 / 3, {1, 3}},
	{"all of the time is needed", {5, 1, NAN}, 60, 10, 0, 6 * 4000, 20, {3, 3}},
	{"nothing is emitted in one slot", {1, 0, NAN}, 40, -1, 0, 1000, 20, {1, 3}},
	{"three slots", {2, 1, 3, NAN}, 60, -1, 0, 2 * 2200 + 4000 + 3 * 1000, 30, {2, 3, 1}},
};
enum { N_WORKED = sizeof worked / sizeof *worked };

static struct perseus_pace_slot slots[MAX_SLOTS];

static struct perseus_pace_problem
problem_of(const struct worked *from)
{
	int32_t n = 0;
	for (; !isnan(from->weight[n]) && n < 3; n++)
		slots[n] = (struct perseus_pace_slot){.duration_s = 10, .factor_per_kwh = from->weight[n] * 3.6e6};
	return (struct perseus_pace_problem){
		.curve = &three,
		.slots = slots,
		.n_slots = n,
		.n_iterations = from->n_iterations,
		.pue = 1,
		.may_pause = from->idle_w >= 0,
		.idle_power_w = from->idle_w,
		.reservation_per_h = from->reservation_per_s * 3600,
	};
}

static struct perseus_pace *
solve(const struct perseus_pace_problem *problem)
{
	struct perseus_pace *pace = NULL;
	ck_assert_msg(perseus_pace_new(problem, &pace, &err) == PERSEUS_OK, "%s", err.message);
	return pace;
}

static double
total(const struct perseus_pace_course *course)
{
	return course->grams + course->reservation_grams;
}

START_TEST(is_worked_by_hand)
{
	const struct worked *expected = &worked[_i];
	const struct perseus_pace_problem problem = problem_of(expected);
	struct perseus_pace *pace = solve(&problem);
	ck_assert_msg(fabs(total(&pace->course) - expected->grams) <= 1e-9 * fabs(expected->grams), "%s: %.17g, not %.17g",
			expected->name, total(&pace->course), expected->grams);
	ck_assert_msg(fabs(pace->course.held_s - expected->held_s) <= 1e-9, "%s: held %.17g s, not %.17g", expected->name,
			pace->course.held_s, expected->held_s);
	for (int32_t i = 0; i < problem.n_slots; i++) {
		const struct perseus_paced_slot *slot = &pace->course.slots[i];
		const double rate_hz = slot->held_s > 0 ? slot->n_iterations / slot->held_s : 0;
		ck_assert_msg(fabs(rate_hz - expected->rate_hz[i]) <= 1e-9, "%s: slot %d at %.17g Hz, not %.17g",
				expected->name, (int)i, rate_hz, expected->rate_hz[i]);
	}
	ck_assert_msg(perseus_pace_check(pace, &problem, 1e-9, &err) == PERSEUS_OK, "%s: %s", expected->name, err.message);
	perseus_pace_free(pace);
}
END_TEST

/* Where the job alternates, the modes say so; where the frontier has a plan between two points, they do not. */
START_TEST(says_how_a_slot_runs)
{
	const struct perseus_pace_problem between = problem_of(&worked[1]);
	struct perseus_pace *pace = solve(&between);
	ck_assert_int_eq(pace->course.slots[1].n_modes, 1);
	ck_assert_double_eq_tol(pace->course.slots[1].modes[0].rate_hz, 1.5, 1e-12);
	ck_assert_double_eq_tol(pace->course.slots[1].energy_j, 1600, 1e-9);
	ck_assert_double_eq_tol(pace->price, 2 * 120, 1e-9);
	perseus_pace_free(pace);
	const struct perseus_pace_problem by_turns = problem_of(&worked[8]);
	pace = solve(&by_turns);
	ck_assert_int_eq(pace->course.slots[0].n_modes, 2);
	ck_assert_double_eq(pace->course.slots[0].modes[0].rate_hz, 0);
	ck_assert_double_eq_tol(pace->course.slots[0].modes[0].time_s, 10 - 25.0 / 3, 1e-9);
	ck_assert_double_eq(pace->course.slots[0].modes[1].rate_hz, 3);
	ck_assert_double_eq_tol(pace->course.slots[0].modes[1].time_s, 25.0 / 3, 1e-9);
	ck_assert_int_eq(pace->course.slots[1].n_modes, 0);
	perseus_pace_free(pace);
}
END_TEST

START_TEST(knows_that_no_more_fits)
{
	struct perseus_pace_problem problem = problem_of(&worked[10]);
	struct perseus_pace *pace = solve(&problem);
	ck_assert(isinf(pace->price));
	ck_assert_int_eq(perseus_pace_check(pace, &problem, 1e-9, &err), PERSEUS_OK);
	perseus_pace_free(pace);
	problem.n_iterations *= 0.999;
	pace = solve(&problem);
	ck_assert_double_eq_tol(pace->price, 5 * 180, 1e-9); /* in the slot of weight 5 */
	perseus_pace_free(pace);
}
END_TEST

/* PUE makes the grams more, and nothing else. */
START_TEST(multiplies_by_pue)
{
	struct perseus_pace_problem problem = problem_of(&worked[0]);
	problem.pue = 1.25;
	struct perseus_pace *pace = solve(&problem);
	ck_assert_double_eq_tol(pace->course.grams, 1.25 * 6000, 1e-9);
	ck_assert_double_eq_tol(pace->course.energy_j, 4000 + 1000, 1e-9);
	ck_assert_int_eq(perseus_pace_check(pace, &problem, 1e-9, &err), PERSEUS_OK);
	perseus_pace_free(pace);
}
END_TEST

static struct perseus_pace_course *
baseline(const struct perseus_pace_problem *problem, enum perseus_pace_baseline which)
{
	struct perseus_pace_course *course = NULL;
	ck_assert_msg(perseus_pace_baseline_new(problem, which, &course, &err) == PERSEUS_OK, "%s", err.message);
	return course;
}

START_TEST(baselines_are_worked_by_hand)
{
	static const struct worked job = {"", {1, 2, NAN}, 30, 10, 3, 0, 0, {0}};
	static const double grams[] = {
		[PERSEUS_PACE_FLAT] = 1600 + 2 * 1600, [PERSEUS_PACE_FASTEST] = 4000, [PERSEUS_PACE_STOP_START] = 4000};
	static const double held_s[] = {
		[PERSEUS_PACE_FLAT] = 20, [PERSEUS_PACE_FASTEST] = 10, [PERSEUS_PACE_STOP_START] = 10};
	struct perseus_pace_problem problem = problem_of(&job);
	for (int i = 0; i < PERSEUS_N_PACE_BASELINES; i++) {
		struct perseus_pace_course *course = baseline(&problem, (enum perseus_pace_baseline)i);
		ck_assert_double_eq_tol(course->grams, grams[i], 1e-9);
		ck_assert_double_eq_tol(course->held_s, held_s[i], 1e-9);
		ck_assert_double_eq_tol(course->reservation_grams, 3 * held_s[i], 1e-9);
		perseus_pace_course_free(course);
	}
	slots[0].factor_per_kwh = 3 * 3.6e6; /* the second is now the cleaner: 3 Hz there, and idle before */
	struct perseus_pace_course *course = baseline(&problem, PERSEUS_PACE_STOP_START);
	ck_assert_double_eq_tol(course->grams, 3 * 100 + 2 * 4000, 1e-9);
	ck_assert_double_eq_tol(course->held_s, 20, 1e-9);
	perseus_pace_course_free(course);
	problem.n_iterations = 45; /* and half of the first, which it idles for the other half of */
	course = baseline(&problem, PERSEUS_PACE_STOP_START);
	ck_assert_double_eq_tol(course->grams, 3 * (50 + 2000) + 2 * 4000, 1e-9);
	perseus_pace_course_free(course);
	problem.n_iterations = 5; /* slower than the curve goes: at 1 Hz it is done in 5 s */
	course = baseline(&problem, PERSEUS_PACE_FLAT);
	ck_assert_double_eq_tol(course->held_s, 5, 1e-9);
	perseus_pace_course_free(course);
	problem.may_pause = false;
	ck_assert_ptr_null(baseline(&problem, PERSEUS_PACE_STOP_START));
}
END_TEST

/* 20 iterations: 2 Hz saves 2666.7 - 2200 J and takes 3.3 s more than 3 Hz: 140 g/s; 1 Hz saves 50 g/s. */
START_TEST(break_even_is_worked_by_hand)
{
	static const struct worked job = {"", {1, 1, NAN}, 20, -1, 5, 0, 0, {0}};
	struct perseus_pace_problem problem = problem_of(&job);
	double break_even = NAN;
	ck_assert_int_eq(perseus_pace_break_even(&problem, &break_even, &err), PERSEUS_OK);
	ck_assert_double_eq_tol(break_even, 140.0 * 3600, 1e-6);
	problem.n_iterations = 60; /* there is no time to be slower */
	ck_assert_int_eq(perseus_pace_break_even(&problem, &break_even, &err), PERSEUS_OK);
	ck_assert_double_eq(break_even, 0);
}
END_TEST

static struct perseus_operating_point points[MAX_POINTS];

/* Convex curves, factors of either sign, deadlines within a slot, idle powers below and above the slowest. */
static struct perseus_pace_problem
random_problem(uint64_t *state, struct perseus_operating_curve *curve)
{
	*curve = (struct perseus_operating_curve){1 + (int32_t)random_below(state, MAX_POINTS), points};
	double slope = 10;
	points[0] = (struct perseus_operating_point){0.1 + random_below(state, 10) * 0.1, 50 + random_below(state, 200)};
	for (int32_t i = 1; i < curve->n_points; i++) {
		const double step_hz = 0.01 * (1 + random_below(state, 20));
		slope += 1 + random_below(state, 100);
		points[i].rate_hz = points[i - 1].rate_hz + step_hz;
		points[i].power_w = points[i - 1].power_w + slope * step_hz;
	}
	const int32_t n_slots = 1 + (int32_t)random_below(state, MAX_SLOTS);
	const uint32_t kind = random_below(state, 4); /* of factors */
	double most = 0;
	for (int32_t i = 0; i < n_slots; i++) {
		const double factor = kind == 0 ? 400 : 1.0 * random_below(state, kind == 1 ? 3 : 600);
		slots[i].duration_s = random_below(state, 2) ? 3600 : 1 + random_below(state, 7200);
		slots[i].factor_per_kwh = kind == 3 ? factor - 150 : factor;
		most += slots[i].duration_s * points[curve->n_points - 1].rate_hz;
	}
	return (struct perseus_pace_problem){
		.curve = curve,
		.slots = slots,
		.n_slots = n_slots,
		.n_iterations = most * (1 + random_below(state, 1000)) / 1000,
		.pue = 1 + 0.1 * random_below(state, 5),
		.may_pause = random_below(state, 2) != 0,
		.idle_power_w = random_below(state, 150),
		.reservation_per_h = random_below(state, 3) ? 0 : random_below(state, 100),
	};
}

START_TEST(is_proven_and_beaten_by_no_baseline)
{
	uint64_t state = 1000 + (uint64_t)_i;
	for (int round = 0; round < 200; round++) {
		struct perseus_operating_curve curve;
		const struct perseus_pace_problem problem = random_problem(&state, &curve);
		struct perseus_pace *pace = solve(&problem);
		ck_assert_msg(perseus_pace_check(pace, &problem, 1e-9, &err) == PERSEUS_OK, "seed %d round %d: %s", _i, round,
				err.message);
		double scale = pace->course.reservation_grams;
		for (int32_t i = 0; i < problem.n_slots; i++)
			scale += fabs(pace->course.slots[i].grams);
		for (int i = 0; i < PERSEUS_N_PACE_BASELINES; i++) {
			struct perseus_pace_course *course = baseline(&problem, (enum perseus_pace_baseline)i);
			ck_assert_msg(!course || total(course) >= total(&pace->course) - 1e-9 * scale, "seed %d round %d: %s", _i,
					round, perseus_pace_baseline_name((enum perseus_pace_baseline)i));
			perseus_pace_course_free(course);
		}
		perseus_pace_free(pace);
	}
}
END_TEST

/* At the break-even the best course emits what the fastest does, and just below it less. */
START_TEST(breaks_even_where_it_says)
{
	uint64_t state = 5000 + (uint64_t)_i;
	struct perseus_operating_curve curve;
	struct perseus_pace_problem problem = random_problem(&state, &curve);
	double break_even = NAN;
	ck_assert_int_eq(perseus_pace_break_even(&problem, &break_even, &err), PERSEUS_OK);
	for (int below = 0; below < 2; below++) {
		problem.reservation_per_h = break_even * (below ? 0.99 : 1);
		struct perseus_pace *pace = solve(&problem);
		struct perseus_pace_course *fastest = baseline(&problem, PERSEUS_PACE_FASTEST);
		const double worth = total(fastest) - total(&pace->course);
		const double rounding = 1e-9 * (fabs(total(fastest)) + fabs(fastest->grams));
		ck_assert_msg(worth >= -rounding, "seed %d: worth %.17g", _i, worth);
		if (below && break_even > 1e-6)
			ck_assert_msg(worth > 0, "seed %d: worth nothing below %.17g", _i, break_even);
		else
			ck_assert_msg(worth <= rounding, "seed %d: worth %.17g at %.17g", _i, worth, break_even);
		perseus_pace_course_free(fastest);
		perseus_pace_free(pace);
	}
}
END_TEST

/* X(name, what is done to the answer) */
#define DAMAGES(X)                                        \
	X(grams_of_a_slot, course.slots[0].grams *= 0.99)     \
	X(energy_of_a_slot, course.slots[0].energy_j *= 0.99) \
	X(iterations, course.slots[0].n_iterations *= 0.99)   \
	X(held, course.slots[0].held_s *= 0.99)               \
	X(held_too_long, course.slots[0].held_s *= 1.01)      \
	X(rate, course.slots[0].modes[0].rate_hz = 3.1)       \
	X(pause, course.slots[0].modes[0].rate_hz = 0)        \
	X(time, course.slots[0].modes[0].time_s *= 0.99)      \
	X(modes, course.slots[0].n_modes = 3)                 \
	X(slots, course.n_slots = 1)                          \
	X(sum_of_grams, course.grams *= 0.99)                 \
	X(sum_of_energy, course.energy_j *= 0.99)             \
	X(sum_of_time, course.held_s *= 0.99)                 \
	X(reservation, course.reservation_grams += 1)         \
	X(prices, prices[0] *= 0.9)                           \
	X(no_price, n_prices = 0)                             \
	X(bound, lower_bound *= 0.99)                         \
	X(gap, gap += 100)

static void
damage(struct perseus_pace *pace, int which)
{
	int i = 0;
#define X(name, change) \
	if (i++ == which)   \
		pace->change;
	DAMAGES(X)
#undef X
}

#define X(name, change) #name,
static const char *const damage_names[] = {DAMAGES(X)};
#undef X

START_TEST(check_refuses)
{
	const struct perseus_pace_problem problem = problem_of(&worked[1]);
	struct perseus_pace *pace = solve(&problem);
	if (strcmp(damage_names[_i], "prices") == 0) /* all of them */
		for (int32_t i = 1; i < pace->n_prices; i++)
			pace->prices[i] *= 0.9;
	damage(pace, _i);
	ck_assert_msg(perseus_pace_check(pace, &problem, 1e-9, &err) == PERSEUS_INVALID, "%s", damage_names[_i]);
	perseus_pace_free(pace);
}
END_TEST

/* A course that does the work, but another that is better is known of. */
START_TEST(check_refuses_what_is_not_best)
{
	const struct perseus_pace_problem problem = problem_of(&worked[1]);
	struct perseus_pace *pace = solve(&problem);
	struct perseus_pace_course *flat = baseline(&problem, PERSEUS_PACE_FLAT);
	struct perseus_pace other = *pace;
	other.course = *flat;
	ck_assert_int_eq(perseus_pace_check(&other, &problem, 1e-9, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "a course that ends in slot 1 could take"));
	perseus_pace_course_free(flat);
	perseus_pace_free(pace);
}
END_TEST

/* X(name, status, words of the message, what is done to the problem) */
#define BAD(X)                                                                            \
	X(slots, INVALID, "there cannot be -1 slots", n_slots = -1)                           \
	X(no_time, INFEASIBLE, "time for 0; they take", n_slots = 0)                          \
	X(no_work, INVALID, "more than 0 iterations", n_iterations = 0)                       \
	X(work_nan, INVALID, "more than 0 iterations", n_iterations = NAN)                    \
	X(pue, INVALID, "PUE must be 1 or more, not 0.9", pue = 0.9)                          \
	X(idle, INVALID, "idle power must be zero or more", idle_power_w = -1)                \
	X(reservation, INVALID, "must be zero or more, not -1 per h", reservation_per_h = -1) \
	X(too_much, INFEASIBLE, "time for 60; they take 0.006 h at least", n_iterations = 60.01)

START_TEST(refuses_bad_input)
{
	int i = 0;
#define X(name, expected, words, change)                                                 \
	if (i++ == _i) {                                                                     \
		struct perseus_pace_problem problem = problem_of(&worked[2]);                    \
		struct perseus_pace *pace = NULL;                                                \
		problem.change;                                                                  \
		ck_assert_int_eq(perseus_pace_new(&problem, &pace, &err), PERSEUS_##expected);   \
		ck_assert_ptr_null(pace);                                                        \
		ck_assert_msg(strstr(err.message, words) != NULL, "%s: %s", #name, err.message); \
	}
	BAD(X)
#undef X
}
END_TEST

START_TEST(names_a_bad_slot)
{
	struct perseus_pace *pace = NULL;
	const struct perseus_pace_problem problem = problem_of(&worked[0]);
	slots[1].duration_s = 0;
	ck_assert_int_eq(perseus_pace_new(&problem, &pace, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "slot 1: its duration"));
	slots[1] = (struct perseus_pace_slot){10, INFINITY};
	ck_assert_int_eq(perseus_pace_new(&problem, &pace, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "slot 1: its factor"));
}
END_TEST

static struct perseus_pace_problem tortured;

static enum perseus_status
make_pace(void **out, struct perseus_error *error)
{
	struct perseus_pace *pace = *out;
	const enum perseus_status status = perseus_pace_new(&tortured, &pace, error);
	*out = pace;
	return status;
}

static void
destroy_pace(void *pace)
{
	perseus_pace_free(pace);
}

static enum perseus_status
make_stop_start(void **out, struct perseus_error *error)
{
	struct perseus_pace_course *course = *out;
	const enum perseus_status status = perseus_pace_baseline_new(&tortured, PERSEUS_PACE_STOP_START, &course, error);
	*out = course;
	return status;
}

static void
destroy_course(void *course)
{
	perseus_pace_course_free(course);
}

/* The check allocates, too; the number stands for an object. */
static enum perseus_status
make_break_even(void **out, struct perseus_error *error)
{
	static double break_even;
	double found;
	const enum perseus_status status = perseus_pace_break_even(&tortured, &found, error);
	if (status == PERSEUS_OK) {
		break_even = found;
		*out = &break_even;
	}
	return status;
}

static struct perseus_pace *known;

static enum perseus_status
make_check(void **out, struct perseus_error *error)
{
	static int done;
	const enum perseus_status status = perseus_pace_check(known, &tortured, 1e-9, error);
	if (status == PERSEUS_OK)
		*out = &done;
	return status;
}

static void
keep(void *object)
{
	(void)object;
}

static const struct torture_scenario scenarios[] = {
	{"pace", make_pace, destroy_pace},
	{"stop and start", make_stop_start, destroy_course},
	{"break even", make_break_even, keep},
	{"check", make_check, keep},
};
enum { N_SCENARIOS = sizeof scenarios / sizeof *scenarios };

START_TEST(survives_torture)
{
	tortured = problem_of(&worked[3]);
	known = solve(&tortured);
	torture_run(&scenarios[_i / 2], _i % 2 ? FAILING_ALLOC_REST : FAILING_ALLOC_ONE);
	perseus_pace_free(known);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pace");
	TCase *tcase = tcase_create("pace");
#define X(name, change) +1
	const int n_damages = 0 DAMAGES(X);
#undef X
#define X(name, expected, words, change) +1
	const int n_bad = 0 BAD(X);
#undef X
	tcase_add_loop_test(tcase, is_worked_by_hand, 0, N_WORKED);
	tcase_add_test(tcase, says_how_a_slot_runs);
	tcase_add_test(tcase, knows_that_no_more_fits);
	tcase_add_test(tcase, multiplies_by_pue);
	tcase_add_test(tcase, baselines_are_worked_by_hand);
	tcase_add_test(tcase, break_even_is_worked_by_hand);
	tcase_add_loop_test(tcase, is_proven_and_beaten_by_no_baseline, 0, 10);
	tcase_add_loop_test(tcase, breaks_even_where_it_says, 0, 100);
	tcase_add_loop_test(tcase, check_refuses, 0, n_damages);
	tcase_add_test(tcase, check_refuses_what_is_not_best);
	tcase_add_loop_test(tcase, refuses_bad_input, 0, n_bad);
	tcase_add_test(tcase, names_a_bad_slot);
	tcase_add_loop_test(tcase, survives_torture, 0, 2 * N_SCENARIOS);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
