/* Profiles: merging, Pareto points, hull, oddities, fit, the checker, and every bad input. */
#include "profile/class.h"
#include "random.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static enum perseus_status
build(const struct perseus_measurement *rows, size_t n, const struct perseus_profile_settings *settings,
		struct perseus_profile **out, struct perseus_error *err)
{
	return perseus_profile_new(rows, n, settings, out, err);
}

/* A profile that must come about, and pass the checker. */
static struct perseus_profile *
build_good(const struct perseus_measurement *rows, size_t n, const struct perseus_profile_settings *settings)
{
	struct perseus_profile *profile = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(build(rows, n, settings, &profile, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_profile_check(profile, &err) == PERSEUS_OK, "%s", err.message);
	return profile;
}

START_TEST(merges_rows_of_one_clock)
{
	const struct perseus_measurement rows[] = {
		{.stage = 0, .instruction = "forward", .frequency_mhz = 1410, .time_s = 0.010, .energy_j = 3.0},
		{.stage = 0, .instruction = "forward", .frequency_mhz = 1395, .time_s = 0.020, .energy_j = 2.5},
		{.stage = 0, .instruction = "forward", .frequency_mhz = 1410, .time_s = 0.012, .energy_j = 4.0},
		{.stage = 0, .instruction = "forward", .frequency_mhz = 1410, .time_s = 0.012, .energy_j = 4.000000003},
	};
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	const struct {
		enum perseus_merge merge;
		int64_t time_ns;
	} cases[] = {{PERSEUS_MERGE_MEAN, 11333333}, {PERSEUS_MERGE_SLOWEST, 12000000}};
	for (size_t i = 0; i < 2; i++) {
		settings.merge = cases[i].merge;
		struct perseus_profile *profile = build_good(rows, 4, &settings);
		const struct perseus_class *class_ = perseus_profile_class(profile, 0);
		ck_assert_int_eq(class_->n_measurements, 4);
		ck_assert_int_eq(class_->n_choices, 2);
		ck_assert_int_eq(class_->choices[0].frequency_mhz, 1410);
		ck_assert_int_eq(class_->choices[0].time_ns, cases[i].time_ns);
		ck_assert_int_eq(class_->choices[0].energy_nj, 3666666668); /* 3.666666667666… J */
		ck_assert_int_eq(class_->choices[1].frequency_mhz, 1395);
		perseus_profile_free(profile);
	}
}
END_TEST

START_TEST(subtracts_blocking_energy)
{
	ck_assert_int_eq(perseus__power_energy_nj(83640000, 1000000000), 83640000000); /* 83.64 W for 1 s */
	ck_assert_int_eq(perseus__power_energy_nj(1, 499999), 0);
	ck_assert_int_eq(perseus__power_energy_nj(1, 500000), 1);
	ck_assert_int_eq(perseus__power_energy_nj(1000000000000, 1000000000000), 1000000000000000000); /* 1 MW, 1000 s */
	const struct perseus_measurement rows[] = {
		{.stage = 0, .instruction = "forward", .frequency_mhz = 1410, .time_s = 0.5, .energy_j = 100},
		{.stage = 1, .instruction = "forward", .frequency_mhz = 1410, .time_s = 0.5, .energy_j = 100},
	};
	const double powers_w[] = {83.64, 10};
	for (int32_t n = 0; n <= 2; n++) {
		const struct perseus_profile_settings settings = {.blocking_power_w = powers_w, .n_blocking_power = n};
		struct perseus_profile *profile = build_good(rows, 2, &settings);
		for (int32_t s = 0; s < 2; s++) {
			const double power_w = n == 0 ? 0 : powers_w[n == 2 ? s : 0];
			ck_assert_int_eq(perseus_profile_blocking_power_uw(profile, s), llround(power_w * 1e6));
			ck_assert_int_eq(
					perseus_profile_class(profile, s)->choices[0].effective_nj, llround((100 - power_w * 0.5) * 1e9));
		}
		perseus_profile_free(profile);
	}
}
END_TEST

START_TEST(orders_and_finds_classes)
{
	const struct perseus_measurement rows[] = {
		{.stage = 1, .instruction = "forward", .frequency_mhz = 1, .time_s = 1, .energy_j = 1},
		{.stage = 0, .instruction = "weight", .frequency_mhz = 1, .time_s = 1, .energy_j = 1},
		{.stage = 0, .instruction = "backward", .frequency_mhz = 1, .time_s = 1, .energy_j = 1},
		{.stage = 1, .instruction = "backward", .frequency_mhz = 1, .time_s = 1, .energy_j = 1},
		{.stage = 0, .instruction = "forward", .frequency_mhz = 1, .time_s = 1, .energy_j = 1},
	};
	static const char *const expected[] = {"backward", "forward", "weight", "backward", "forward"};
	struct perseus_profile *profile = build_good(rows, 5, NULL);
	ck_assert_int_eq(perseus_profile_n_stages(profile), 2);
	ck_assert_int_eq(perseus_profile_n_classes(profile), 5);
	for (int32_t c = 0; c < 5; c++) {
		const struct perseus_class *class_ = perseus_profile_class(profile, c);
		ck_assert_int_eq(class_->stage, c >= 3);
		ck_assert_str_eq(class_->name, expected[c]);
		ck_assert_ptr_eq(perseus_profile_find(profile, class_->stage, class_->name), class_);
	}
	ck_assert_ptr_null(perseus_profile_find(profile, 1, "weight"));
	ck_assert_ptr_null(perseus_profile_find(profile, 2, "forward"));
	ck_assert_ptr_null(perseus_profile_find(profile, -1, "forward"));
	ck_assert_ptr_null(perseus_profile_find(profile, 0, ""));
	perseus_profile_free(profile);
	perseus_profile_free(NULL);
}
END_TEST

#define GOOD .stage = 0, .instruction = "forward", .frequency_mhz = 1410, .time_s = 1, .energy_j = 1
#define NAME_OF_65 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm"

/* The second row is the bad one, on line 3; fields not named stay as in GOOD. */
static const struct {
	struct perseus_measurement row;
	const char *message;
} bad_rows[] = {
	{{-1, "forward", 1410, 1, 1, 3}, "line 3: stage -1 must be in 0..65535"},
	{{65536, "forward", 1410, 1, 1, 3}, "line 3: stage 65536 must be in 0..65535"},
	{{0, "", 1410, 1, 1, 3}, "line 3, stage 0: instruction must not be empty"},
	{{0, NULL, 1410, 1, 1, 3}, "line 3, stage 0: instruction must not be empty"},
	{{0, "a\nb", 1410, 1, 1, 3}, "line 3, stage 0: instruction must not have control characters"},
	{{0, "a\x7f", 1410, 1, 1, 3}, "line 3, stage 0: instruction must not have control characters"},
	{{0, " a", 1410, 1, 1, 3}, "line 3, stage 0: instruction must not begin or end with a space"},
	{{0, NAME_OF_65, 1410, 1, 1, 3}, "line 3, stage 0: instruction must be at most 64 bytes long"},
	{{0, "a\xff", 1410, 1, 1, 3}, "line 3, stage 0: instruction must be UTF-8"},
	{{0, "\xc0\x80", 1410, 1, 1, 3}, "line 3, stage 0: instruction must be UTF-8"},
	{{0, "\xe0\x80\x80", 1410, 1, 1, 3}, "line 3, stage 0: instruction must be UTF-8"},
	{{0, "\xf4\x90\x80\x80", 1410, 1, 1, 3}, "line 3, stage 0: instruction must be UTF-8"},
	{{0, "\xed\xa0\x80", 1410, 1, 1, 3}, "line 3, stage 0: instruction must be UTF-8"},
	{{0, "\xe2\x82", 1410, 1, 1, 3}, "line 3, stage 0: instruction must be UTF-8"},
	{{0, "b", -1, 1, 1, 3}, "line 3, stage 0, b: frequency -1 MHz must be in 0..100000 MHz"},
	{{0, "b", 100001, 1, 1, 3}, "line 3, stage 0, b: frequency 100001 MHz must be in 0..100000 MHz"},
	{{0, "b", 15, 0, 1, 3}, "line 3, stage 0, b at 15 MHz: time 0 s must be above 0"},
	{{0, "b", 15, -2, 1, 3}, "line 3, stage 0, b at 15 MHz: time -2 s must be above 0"},
	{{0, "b", 15, 1e-10, 1, 3}, "line 3, stage 0, b at 15 MHz: time 1e-10 s must be at least 1 ns"},
	{{0, "b", 15, NAN, 1, 3}, "line 3, stage 0, b at 15 MHz: time nan s must be finite"},
	{{0, "b", 15, INFINITY, 1, 3}, "line 3, stage 0, b at 15 MHz: time inf s must be finite"},
	{{0, "b", 15, 1.5e5, 1, 3}, "line 3, stage 0, b at 15 MHz: time 150000 s must be at most 1e5 s"},
	{{0, "b", 15, 1, -1, 3}, "line 3, stage 0, b at 15 MHz: energy -1 J must not be negative"},
	{{0, "b", 15, 1, INFINITY, 3}, "line 3, stage 0, b at 15 MHz: energy inf J must be finite"},
	{{0, "b", 15, 1, 2e9, 3}, "line 3, stage 0, b at 15 MHz: energy 2e+09 J must be at most 1e9 J"},
	{{0, "b", 15, 1, 2e9, 0}, "row 1, stage 0, b at 15 MHz: energy 2e+09 J must be at most 1e9 J"},
	{{2, "b", 15, 1, 1, 3}, "stage 1 has no rows, but stage 2 has (line 3): stages must be 0, 1, 2, … without holes"},
	{{2, "b", 15, 1, 1, 0}, "stage 1 has no rows, but stage 2 has: stages must be 0, 1, 2, … without holes"},
	{{0, "forward", 0, 1, 1, 3},
		"stage 0, forward: frequency 0, for a clock that does not matter, beside others up to 1410 MHz"},
};

START_TEST(refuses_bad_rows)
{
	const struct perseus_measurement rows[] = {{GOOD, .line = 2}, bad_rows[_i].row};
	struct perseus_profile *profile = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(build(rows, 2, NULL, &profile, &err), PERSEUS_INVALID);
	ck_assert_int_eq(err.status, PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_rows[_i].message);
	ck_assert_ptr_null(profile);
	ck_assert_int_eq(build(rows, 2, NULL, &profile, NULL), PERSEUS_INVALID);
}
END_TEST

START_TEST(refuses_first_stage_missing_and_no_rows)
{
	const struct perseus_measurement row = {.stage = 1, .instruction = "a", .time_s = 1, .energy_j = 1, .line = 9};
	struct perseus_profile *profile = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(build(&row, 1, NULL, &profile, &err), PERSEUS_INVALID);
	ck_assert_str_eq(
			err.message, "stage 0 has no rows, but stage 1 has (line 9): stages must be 0, 1, 2, … without holes");
	ck_assert_int_eq(build(NULL, 0, NULL, &profile, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "a profile needs 1 to 2147483647 measurements, not 0");
	ck_assert_ptr_null(profile);
}
END_TEST

static const struct {
	int32_t n;
	double power_w;
	double time_s;
	const char *message;
} bad_powers[] = {
	{3, 1, 1, "3 blocking powers for 2 stages: give one for all stages or one for each"},
	{-1, 1, 1, "-1 blocking powers for 2 stages: give one for all stages or one for each"},
	{1, -1, 1, "stage 0: blocking power -1 W must be in 0..1e6 W"},
	{1, NAN, 1, "stage 0: blocking power nan W must be in 0..1e6 W"},
	{2, 2e6, 1, "stage 0: blocking power 2e+06 W must be in 0..1e6 W"},
	{1, 1e6, 1e4, "stage 0, a at 0 MHz: blocking power 1e+06 W for 10000 s must be at most 1e9 J"},
};

START_TEST(refuses_bad_blocking_powers)
{
	const double time_s = bad_powers[_i].time_s;
	const struct perseus_measurement rows[] = {
		{.stage = 0, .instruction = "a", .time_s = time_s, .energy_j = 1},
		{.stage = 1, .instruction = "a", .time_s = time_s, .energy_j = 1},
	};
	const double powers_w[] = {bad_powers[_i].power_w, 1, 1};
	const struct perseus_profile_settings settings = {
		.blocking_power_w = powers_w, .n_blocking_power = bad_powers[_i].n};
	struct perseus_profile *profile = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(build(rows, 2, &settings, &profile, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_powers[_i].message);
	ck_assert_ptr_null(profile);
}
END_TEST

/* The largest values that are taken keep every difference and product of the hull exact. */
START_TEST(takes_extreme_values)
{
	const struct perseus_measurement rows[] = {
		{.stage = 0, .instruction = "a", .frequency_mhz = 3, .time_s = 1e-9, .energy_j = 1e9},
		{.stage = 0, .instruction = "a", .frequency_mhz = 2, .time_s = 1, .energy_j = 10},
		{.stage = 0, .instruction = "a", .frequency_mhz = 1, .time_s = 1e5, .energy_j = 0},
	};
	const double power_w = 1e4;
	const struct perseus_profile_settings settings = {.blocking_power_w = &power_w, .n_blocking_power = 1};
	struct perseus_profile *profile = build_good(rows, 3, &settings);
	const struct perseus_class *class_ = perseus_profile_class(profile, 0);
	ck_assert_int_eq(class_->n_hull, 3);
	ck_assert_int_eq(class_->hull[2].effective_nj, -1000000000000000000);
	perseus_profile_free(profile);
}
END_TEST

/* Hand-drawn: dominated, equal, on a straight line, above the hull, on it. Times in s, energies in J. */
START_TEST(keeps_pareto_points_and_hull)
{
	static const struct {
		int32_t frequency_mhz;
		double time_s, energy_j;
	} points[] = {
		{100, 1, 20},
		{90, 2, 16},
		{80, 3, 12}, /* a straight line */
		{70, 4, 11}, /* above the line from (3, 12) to (6, 6) */
		{60, 5, 11}, /* dominated */
		{50, 6, 6},
		{40, 6, 6}, /* equal: the lower clock stays */
		{30, 6, 7},
		{20, 8, 5},
		{10, 9, 5},
	};
	static const int32_t pareto_mhz[] = {100, 90, 80, 70, 40, 20};
	static const int32_t hull_mhz[] = {100, 80, 40, 20};
	enum { N = sizeof points / sizeof *points };
	struct perseus_measurement rows[N];
	for (int i = 0; i < N; i++)
		rows[i] = (struct perseus_measurement){.instruction = "a",
			.frequency_mhz = points[i].frequency_mhz,
			.time_s = points[i].time_s,
			.energy_j = points[i].energy_j};
	struct perseus_profile *profile = build_good(rows, N, NULL);
	const struct perseus_class *class_ = perseus_profile_class(profile, 0);
	ck_assert_int_eq(class_->n_pareto, 6);
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(class_->pareto[i].frequency_mhz, pareto_mhz[i]);
	ck_assert_int_eq(class_->n_hull, 4);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(class_->hull[i].frequency_mhz, hull_mhz[i]);
	perseus_profile_free(profile);
}
END_TEST

/* Definition, not algorithm: nothing is at least as good in both and better in one, or equal with a lower clock. */
static bool
is_pareto(const struct perseus_choice *choices, int32_t n, int32_t i)
{
	const struct perseus_choice *a = &choices[i];
	for (int32_t j = 0; j < n; j++) {
		const struct perseus_choice *b = &choices[j];
		if (j == i || b->time_ns > a->time_ns || b->effective_nj > a->effective_nj)
			continue;
		if (b->time_ns < a->time_ns || b->effective_nj < a->effective_nj || b->frequency_mhz < a->frequency_mhz)
			return false;
	}
	return true;
}

/* An end, or strictly below every segment between a point before and a point behind it. Small numbers: int64 does. */
static bool
is_on_hull(const struct perseus_choice *pareto, int32_t n, int32_t i)
{
	for (int32_t j = 0; j < i; j++)
		for (int32_t k = i + 1; k < n; k++)
			if ((pareto[i].effective_nj - pareto[j].effective_nj) * (pareto[k].time_ns - pareto[j].time_ns)
					>= (pareto[k].effective_nj - pareto[j].effective_nj) * (pareto[i].time_ns - pareto[j].time_ns))
				return false;
	return true;
}

static void
compare_with_brute_force(const struct perseus_class *class_)
{
	int32_t n_pareto = 0;
	for (int32_t i = 0; i < class_->n_choices; i++)
		n_pareto += is_pareto(class_->choices, class_->n_choices, i);
	ck_assert_int_eq(class_->n_pareto, n_pareto);
	int32_t n_hull = 0;
	for (int32_t i = 0; i < n_pareto; i++) {
		int32_t at = 0;
		while (class_->choices[at].frequency_mhz != class_->pareto[i].frequency_mhz)
			at++;
		ck_assert(is_pareto(class_->choices, class_->n_choices, at));
		if (!is_on_hull(class_->pareto, n_pareto, i))
			continue;
		ck_assert_int_lt(n_hull, class_->n_hull);
		ck_assert_int_eq(class_->hull[n_hull].frequency_mhz, class_->pareto[i].frequency_mhz);
		n_hull++;
	}
	ck_assert_int_eq(class_->n_hull, n_hull);
}

/* Scaling both axes changes no hull, if nothing overflows on the way. */
static void
compare_with_scaled(const struct perseus_class *class_, struct perseus_choice *choices, int32_t n, int64_t time_factor,
		int64_t energy_factor)
{
	for (int32_t i = 0; i < n; i++) {
		choices[i].time_ns *= time_factor;
		choices[i].effective_nj *= energy_factor;
	}
	struct perseus_class scaled = {0};
	ck_assert_int_eq(perseus__class_from_choices(&scaled, 0, "a", choices, n, NULL), PERSEUS_OK);
	ck_assert_int_eq(scaled.n_pareto, class_->n_pareto);
	ck_assert_int_eq(scaled.n_hull, class_->n_hull);
	for (int32_t i = 0; i < scaled.n_hull; i++)
		ck_assert_int_eq(scaled.hull[i].frequency_mhz, class_->hull[i].frequency_mhz);
	perseus__class_fini(&scaled);
}

/* On coarse grids, where ties and straight lines are many, and on fine ones. */
START_TEST(hull_is_that_of_brute_force)
{
	uint64_t state = 20260901;
	for (int round = 0; round < 3000; round++) {
		struct perseus_choice choices[24];
		const int32_t n = 1 + (int32_t)(random_next(&state) % 24);
		const uint64_t grid = round % 3 == 0 ? 6 : round % 3 == 1 ? 30 : 1000000;
		for (int32_t i = 0; i < n; i++)
			choices[i] = (struct perseus_choice){
				.frequency_mhz = 15 * ((i * 7) % 24 + 1),
				.time_ns = 1 + (int64_t)(random_next(&state) % grid),
				.effective_nj = (int64_t)(random_next(&state) % grid) - (int64_t)(grid / 3),
			};
		struct perseus_class class_ = {0};
		ck_assert_int_eq(perseus__class_from_choices(&class_, 0, "a", choices, n, NULL), PERSEUS_OK);
		for (int32_t i = 1; i < n; i++)
			ck_assert_int_lt(class_.choices[i].frequency_mhz, class_.choices[i - 1].frequency_mhz);
		compare_with_brute_force(&class_);
		compare_with_scaled(&class_, choices, n, 50000000000000 / (int64_t)grid, 500000000000000000 / (int64_t)grid);
		perseus__class_fini(&class_);
	}
}
END_TEST

START_TEST(class_refuses_a_clock_twice)
{
	const struct perseus_choice choices[] = {{1410, 10, 10, 10}, {1395, 11, 9, 9}, {1410, 12, 8, 8}};
	struct perseus_class class_ = {.stage = 77};
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__class_from_choices(&class_, 3, "overlap", choices, 3, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "stage 3, overlap: two choices at 1410 MHz");
	ck_assert_int_eq(class_.stage, 77);
}
END_TEST

/* Time and energy of what is merged must not depend on the order of the rows, to the last bit. */
START_TEST(order_of_rows_does_not_matter)
{
	enum { N = 240 };
	struct perseus_measurement rows[N];
	uint64_t state = 5;
	static const char *const names[] = {"forward", "backward", "input"};
	for (int i = 0; i < N; i++)
		rows[i] = (struct perseus_measurement){.stage = i % 2,
			.instruction = names[i % 3],
			.frequency_mhz = 1410 - 15 * (i / 6 % 10),
			.time_s = 0.01 + random_fraction(&state),
			.energy_j = random_fraction(&state)};
	struct perseus_profile *first = build_good(rows, N, NULL);
	for (int i = N - 1; i > 0; i--) {
		const size_t j = random_next(&state) % (size_t)(i + 1);
		const struct perseus_measurement row = rows[i];
		rows[i] = rows[j];
		rows[j] = row;
	}
	struct perseus_profile *second = build_good(rows, N, NULL);
	ck_assert_int_eq(perseus_profile_n_classes(first), 6);
	ck_assert_int_eq(perseus_profile_n_classes(second), 6);
	for (int32_t c = 0; c < 6; c++) {
		const struct perseus_class *a = perseus_profile_class(first, c);
		const struct perseus_class *b = perseus_profile_class(second, c);
		ck_assert_int_eq(a->n_choices, 10);
		ck_assert_int_eq(b->n_choices, 10);
		for (int i = 0; i < 10; i++) {
			ck_assert_int_eq(a->choices[i].frequency_mhz, b->choices[i].frequency_mhz);
			ck_assert_int_eq(a->choices[i].time_ns, b->choices[i].time_ns);
			ck_assert_int_eq(a->choices[i].energy_nj, b->choices[i].energy_nj);
		}
		ck_assert_int_eq(a->n_hull, b->n_hull);
	}
	perseus_profile_free(first);
	perseus_profile_free(second);
}
END_TEST

/* Clocks as a list that ends in 0; times rise by 1 s from clock to clock unless `dip` names one that is faster. */
static const struct {
	int32_t clocks_mhz[6];
	int dip;
	unsigned oddities;
} odd_classes[] = {
	{{1410, 1395, 1380, 1365}, 0, 0},
	{{1410, 1395, 1380, 1365}, 2, PERSEUS_ODD_NON_MONOTONE},
	{{1410, 1395, 1365, 1350}, 0, PERSEUS_ODD_GAPS | PERSEUS_ODD_OTHER_CLOCKS},
	{{1410, 1403, 1395, 1388}, 0, PERSEUS_ODD_OTHER_CLOCKS},
	{{1410}, 0, PERSEUS_ODD_SINGLE_CLOCK},
	{{1410, 1380}, 0, PERSEUS_ODD_OTHER_CLOCKS},
	{{1410, 1395, 1365, 1350}, 3, PERSEUS_ODD_GAPS | PERSEUS_ODD_OTHER_CLOCKS | PERSEUS_ODD_NON_MONOTONE},
	{{1410, 1395, 1380, 1365}, 0, 0},
	{{1410}, 0, PERSEUS_ODD_SINGLE_CLOCK},
	{{1395}, 0, PERSEUS_ODD_SINGLE_CLOCK},
	{{1350}, 0, PERSEUS_ODD_SINGLE_CLOCK},
};

START_TEST(finds_what_is_odd)
{
	enum { N_CLASSES = sizeof odd_classes / sizeof *odd_classes };
	struct perseus_measurement rows[N_CLASSES * 6];
	size_t n = 0;
	for (int32_t c = 0; c < N_CLASSES; c++)
		for (int i = 0; odd_classes[c].clocks_mhz[i]; i++)
			rows[n++] = (struct perseus_measurement){.stage = c,
				.instruction = "a",
				.frequency_mhz = odd_classes[c].clocks_mhz[i],
				.time_s = 1 + i - (odd_classes[c].dip == i && i > 0 ? 1.5 : 0),
				.energy_j = 1};
	struct perseus_profile *profile = build_good(rows, n, NULL);
	for (int32_t c = 0; c < N_CLASSES; c++)
		ck_assert_msg(perseus_profile_class(profile, c)->oddities == odd_classes[c].oddities, "class %d: %#x, not %#x",
				c, perseus_profile_class(profile, c)->oddities, odd_classes[c].oddities);
	perseus_profile_free(profile);
}
END_TEST

struct curve {
	double a, b, c, first_s, last_s;
};

/* A class with 38 points of a·exp(b·t) + c, t from first_s to last_s, energies off by up to `noise_j`. */
static struct perseus_class
sample_curve(struct curve curve, double noise_j, uint64_t *state)
{
	enum { N = 38 };
	struct perseus_choice choices[N];
	for (int32_t i = 0; i < N; i++) {
		const double t_s = curve.first_s + (curve.last_s - curve.first_s) * i / (N - 1);
		const double noise = noise_j * (2 * random_fraction(state) - 1);
		choices[i].frequency_mhz = 2000 - i;
		choices[i].time_ns = llround(t_s * 1e9);
		choices[i].energy_nj =
				llround((curve.a * exp(curve.b * (double)choices[i].time_ns * 1e-9) + curve.c + noise) * 1e9);
		choices[i].effective_nj = choices[i].energy_nj;
	}
	struct perseus_class class_ = {0};
	ck_assert_int_eq(perseus__class_from_choices(&class_, 0, "a", choices, N, NULL), PERSEUS_OK);
	return class_;
}

static const struct curve curves[] = {
	{7, -60, 12, 0.01, 0.1},
	{300, -25, 40, 0.05, 0.12},
	{1e6, -8, -3, 1.5, 3},
	{50, -0.5, 1, 0.1, 1},
	{-0.5, 3, 90, 0.2, 1.2},
	{5e3, -200, 0.5, 0.03, 0.2},
};

START_TEST(fit_recovers_known_curves)
{
	uint64_t state = 1;
	struct perseus_class class_ = sample_curve(curves[_i], 0, &state);
	struct perseus_exp_fit fit;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_class_fit(&class_, &fit, &err) == PERSEUS_OK, "%s", err.message);
	char found[200];
	(void)snprintf(found, sizeof found, "%.17g·exp(%.17g·t) + %.17g", fit.a, fit.b, fit.c);
	/* Energies are rounded to 1 nJ, 1e-8 of the smallest of these ranges at most; b is 100 times as uncertain. */
	ck_assert_msg(fabs(fit.b / curves[_i].b - 1) < 1e-6, "%s", found);
	ck_assert_msg(fabs(fit.a / curves[_i].a - 1) < 1e-5, "%s", found);
	ck_assert_msg(fabs(fit.c - curves[_i].c) < 1e-5 * fabs(curves[_i].c), "%s", found);
	ck_assert_double_lt(fit.rmse_j, 1e-8);
	ck_assert_double_ge(fit.max_error_j, fit.rmse_j);
	perseus__class_fini(&class_);
}
END_TEST

/* Sum of squares of the best a and c for a given b, by the normal equations: independent of the code under test. */
static double
squares_at(const struct perseus_class *class_, double b)
{
	const double origin_s = (double)class_->pareto[0].time_ns * 1e-9;
	long double s1 = 0, su = 0, suu = 0, se = 0, sue = 0;
	for (int32_t i = 0; i < class_->n_pareto; i++) {
		const long double u = expl((long double)b * ((double)class_->pareto[i].time_ns * 1e-9 - origin_s));
		const long double e = (long double)class_->pareto[i].effective_nj * 1e-9L;
		s1 += 1, su += u, suu += u * u, se += e, sue += u * e;
	}
	const long double slope = (s1 * sue - su * se) / (s1 * suu - su * su);
	const long double offset = (se - slope * su) / s1;
	long double squares = 0;
	for (int32_t i = 0; i < class_->n_pareto; i++) {
		const long double u = expl((long double)b * ((double)class_->pareto[i].time_ns * 1e-9 - origin_s));
		const long double error = offset + slope * u - (long double)class_->pareto[i].effective_nj * 1e-9L;
		squares += error * error;
	}
	return (double)squares;
}

START_TEST(fit_of_noise_is_no_worse_than_a_dense_scan)
{
	uint64_t state = 77;
	for (int round = 0; round < 60; round++) {
		const double b = -5 - 60 * random_fraction(&state);
		const struct curve curve = {40, b, 10, 0.05, 0.15};
		struct perseus_class class_ = sample_curve(curve, 0.05 + random_fraction(&state), &state);
		struct perseus_exp_fit fit;
		if (class_.n_pareto >= 3) {
			ck_assert_int_eq(perseus_class_fit(&class_, &fit, NULL), PERSEUS_OK);
			double best = INFINITY;
			for (int quarters = -8000; quarters < 400; quarters++)
				best = fmin(best, quarters == 0 ? INFINITY : squares_at(&class_, quarters * 0.25));
			const double squares = fit.rmse_j * fit.rmse_j * class_.n_pareto;
			ck_assert_msg(squares <= best * (1 + 1e-6), "round %d: %.17g, scan %.17g", round, squares, best);
		}
		perseus__class_fini(&class_);
	}
}
END_TEST

/* Three points 1 ns apart at 1e5 s: exp(b·t) must neither overflow nor leave NaN behind. */
START_TEST(fit_stays_finite)
{
	const int64_t starts_ns[] = {1, 1000000, 100000000000000 - 2};
	for (size_t i = 0; i < 3; i++) {
		struct perseus_choice choices[3];
		for (int32_t k = 0; k < 3; k++)
			choices[k] = (struct perseus_choice){
				.frequency_mhz = 30 - k, .time_ns = starts_ns[i] + k, .effective_nj = 1000000000 / (k + 1)};
		struct perseus_class class_;
		ck_assert_int_eq(perseus__class_from_choices(&class_, 0, "a", choices, 3, NULL), PERSEUS_OK);
		struct perseus_exp_fit fit;
		ck_assert_int_eq(perseus_class_fit(&class_, &fit, NULL), PERSEUS_OK);
		ck_assert(isfinite(fit.a) && isfinite(fit.b) && isfinite(fit.c));
		ck_assert_msg(fit.rmse_j < 0.5, "%g", fit.rmse_j);
		perseus__class_fini(&class_);
	}
}
END_TEST

START_TEST(fit_needs_three_points)
{
	const struct perseus_choice choices[] = {{1410, 10, 10, 10}, {1395, 11, 9, 9}};
	struct perseus_class class_;
	ck_assert_int_eq(perseus__class_from_choices(&class_, 1, "forward", choices, 2, NULL), PERSEUS_OK);
	struct perseus_exp_fit fit;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_class_fit(&class_, &fit, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "stage 1, forward: an exponential fit needs at least 3 Pareto points, there are 2");
	perseus__class_fini(&class_);
}
END_TEST

static struct perseus_choice *
writable(const struct perseus_choice *choice)
{
	return (struct perseus_choice *)(uintptr_t)choice;
}

/* Behind the first; the block has room, as not all Pareto points are on the hull. */
static void
insert_hull_point(struct perseus_class *class_, struct perseus_choice point)
{
	memmove(writable(class_->hull) + 2, class_->hull + 1, (size_t)(class_->n_hull - 1) * sizeof point);
	writable(class_->hull)[1] = point;
	class_->n_hull++;
}

/* One profile, damaged in one place each time: the checker has to notice. */
static void
damage(struct perseus_class *class_, int how)
{
	switch (how) {
	case 0:
		writable(class_->choices)[1].frequency_mhz = 100;
		break;
	case 1:
		writable(class_->choices)[0].time_ns = 0;
		break;
	case 2:
		writable(class_->choices)[2].effective_nj -= 1;
		break;
	case 3:
		writable(class_->pareto)[1].energy_nj += 1;
		break;
	case 4:
		writable(class_->pareto)[1] = class_->pareto[0];
		break;
	case 5:
		class_->n_pareto--;
		break;
	case 6:
		class_->pareto++;
		class_->n_pareto--;
		break;
	case 7:
		class_->n_hull--;
		break;
	case 8:
		insert_hull_point(class_, class_->pareto[1]);
		break;
	case 9:
		writable(class_->hull)[1] = class_->hull[2];
		class_->n_hull = 2;
		break;
	case 10:
		class_->stage = 1;
		break;
	case 11:
		class_->n_measurements = 0;
		break;
	case 12:
		writable(class_->hull)[1].energy_nj += 1;
		break;
	case 13:
		writable(class_->hull)[1].time_ns += 1;
		break;
	case 14:
		insert_hull_point(class_, (struct perseus_choice){.time_ns = 1200000000, .effective_nj = 17900000000});
		break;
	}
}

static const char *const damage_messages[] = {
	"profile, stage 0, a, point 1: choices are not in descending order of clocks",
	"profile, stage 0, a, point 0: a choice takes no time, or negative energy",
	"profile, stage 0, a, point 2: effective energy is not energy minus blocking power times time",
	"profile, stage 0, a, point 1: a Pareto point is no choice",
	"profile, stage 0, a, point 1: Pareto points do not ascend in time and descend in effective energy",
	"profile, stage 0, a, point 4: a choice is not dominated by any Pareto point",
	"profile, stage 0, a, point 0: a choice is not dominated by any Pareto point",
	"profile, stage 0, a, point 0: the hull does not have the ends of the Pareto points",
	"profile, stage 0, a, point 1: the hull is not strictly convex",
	"profile, stage 0, a, point 1: a Pareto point is below the hull",
	"profile, stage 1, a, point 0: classes are not ordered by stage and name, or a stage has none",
	"profile, stage 0, a, point 0: fewer choices than one, or than measurements make",
	"profile, stage 0, a, point 2: the hull has a point that is no Pareto point",
	"profile, stage 0, a, point 1: a Pareto point is below the hull",
	"profile, stage 0, a, point 1: the hull has a point that is no Pareto point",
};

START_TEST(checker_notices_damage)
{
	static const double points[][3] = {{100, 1, 20}, {90, 2, 16}, {80, 3, 12}, {70, 4, 11}, {60, 6, 6}};
	struct perseus_measurement rows[5];
	/* Three on a straight line, one above the hull. */
	for (int i = 0; i < 5; i++)
		rows[i] = (struct perseus_measurement){.instruction = "a",
			.frequency_mhz = (int32_t)points[i][0],
			.time_s = points[i][1],
			.energy_j = points[i][2]};
	struct perseus_profile *profile = build_good(rows, 5, NULL);
	struct perseus_class *class_ = (struct perseus_class *)(uintptr_t)perseus_profile_class(profile, 0);
	const struct perseus_class before = *class_;
	damage(class_, _i);
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_profile_check(profile, &err), PERSEUS_INTERNAL);
	ck_assert_str_eq(err.message, damage_messages[_i]);
	*class_ = before;
	perseus_profile_free(profile);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("profile");
	TCase *tcase = tcase_create("profile");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, merges_rows_of_one_clock);
	tcase_add_test(tcase, subtracts_blocking_energy);
	tcase_add_test(tcase, orders_and_finds_classes);
	tcase_add_loop_test(tcase, refuses_bad_rows, 0, sizeof bad_rows / sizeof *bad_rows);
	tcase_add_test(tcase, refuses_first_stage_missing_and_no_rows);
	tcase_add_loop_test(tcase, refuses_bad_blocking_powers, 0, sizeof bad_powers / sizeof *bad_powers);
	tcase_add_test(tcase, takes_extreme_values);
	tcase_add_test(tcase, keeps_pareto_points_and_hull);
	tcase_add_test(tcase, hull_is_that_of_brute_force);
	tcase_add_test(tcase, class_refuses_a_clock_twice);
	tcase_add_test(tcase, order_of_rows_does_not_matter);
	tcase_add_test(tcase, finds_what_is_odd);
	tcase_add_loop_test(tcase, fit_recovers_known_curves, 0, sizeof curves / sizeof *curves);
	tcase_add_test(tcase, fit_of_noise_is_no_worse_than_a_dense_scan);
	tcase_add_test(tcase, fit_stays_finite);
	tcase_add_test(tcase, fit_needs_three_points);
	tcase_add_loop_test(tcase, checker_notices_damage, 0, sizeof damage_messages / sizeof *damage_messages);
	return run_suite(suite);
}
