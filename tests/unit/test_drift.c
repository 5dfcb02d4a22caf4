/* Drift: no false alarm in noise, changes found soon and named, outliers and single pipelines left alone. */
#include "server/drift.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "random.h"

static struct perseus__drift *
make(int32_t n_series)
{
	struct perseus__drift_settings settings = perseus__drift_settings_default();
	settings.n_series = n_series;
	struct perseus__drift *drift = perseus__drift_new(&settings);
	ck_assert_ptr_nonnull(drift);
	return drift;
}

/* What happens to a series, step by step. */
struct scene {
	const char *name;
	double noise;
	double bias;         /* of the profile, relative */
	double outliers;     /* share of steps that take double or half */
	int64_t change_step; /* -1: never */
	double change;       /* factor from then on */
	int64_t within;      /* it must be seen within so many steps */
};

static const struct scene scenes[] = {
	{"calm", 0, 0, 0, -1, 1, 0},
	{"noise of 2 %", 0.02, 0, 0, -1, 1, 0},
	{"noise of 2 %, a profile 1 % off", 0.02, 0.01, 0, -1, 1, 0},
	{"noise of 2 %, one step of 30 is odd", 0.02, 0, 0.033, -1, 1, 0},
	{"noise of 5 %", 0.05, 0, 0, -1, 1, 0},
	{"noise of 2 %, 5 % slower", 0.02, 0, 0, 400, 1.05, 40},
	{"noise of 2 %, 5 % faster", 0.02, 0, 0, 400, 0.95, 40},
	{"noise of 0.5 %, 5 % slower", 0.005, 0, 0, 400, 1.05, 15},
	{"noise of 2 %, twice as slow", 0.02, 0, 0, 400, 2, 8},
	{"noise of 2 %, one step of 30 is odd, 5 % slower", 0.02, 0, 0.033, 400, 1.05, 60},
	{"at once", 0.02, 0, 0, 0, 1.1, 20},
};

enum { N_SEEDS = 40, N_STEPS = 1000 };

static double
draw(const struct scene *scene, int64_t step, uint64_t *random)
{
	double ratio = (1 + scene->bias) * (1 + scene->noise * random_normal(random));
	if (scene->change_step >= 0 && step >= scene->change_step)
		ratio *= scene->change;
	if (random_fraction(random) < scene->outliers)
		ratio *= random_below(random, 2) ? 2 : 0.5;
	return ratio;
}

START_TEST(sees_changes_and_nothing_else)
{
	const struct scene *scene = &scenes[_i];
	int64_t latest = 0;
	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		struct perseus__drift *drift = make(1);
		uint64_t random = seed;
		int64_t seen_step = -1;
		for (int64_t step = 0; step < N_STEPS && seen_step < 0; step++) {
			const double ratio = draw(scene, step, &random);
			if (perseus__drift_add(drift, 0, step, &ratio, 1))
				seen_step = step;
		}
		const struct perseus__drift_verdict verdict = perseus__drift_verdict(drift, 0);
		ck_assert_msg((seen_step >= 0) == verdict.has_drifted, "%s", scene->name);
		if (scene->change_step < 0) {
			ck_assert_msg(seen_step < 0, "%s, seed %d: alarm at step %d: %.17g since %d", scene->name, (int)seed,
					(int)seen_step, verdict.ratio, (int)verdict.since_step);
			ck_assert(verdict.ratio == 1 && verdict.since_step == -1);
		} else {
			const int64_t after = seen_step - scene->change_step;
			ck_assert_msg(after >= 0 && after <= scene->within, "%s, seed %d: seen at %d", scene->name, (int)seed,
					(int)seen_step);
			/* The median of as many samples as were seen: four standard errors, and the median's 1.25. */
			const double tolerance = 0.005 + 5 * scene->noise / sqrt((double)(seen_step - verdict.since_step + 1));
			ck_assert_msg(fabs(verdict.ratio / scene->change - 1) <= tolerance, "%s, seed %d: ratio %.17g after %d",
					scene->name, (int)seed, verdict.ratio, (int)after);
			ck_assert_msg(llabs(verdict.since_step - scene->change_step) <= scene->within, "%s, seed %d: since %d",
					scene->name, (int)seed, (int)verdict.since_step);
			latest = after > latest ? after : latest;
		}
		perseus__drift_free(drift);
	}
	if (scene->change_step >= 0)
		printf("# %s: seen after %d steps at most\n", scene->name, (int)latest);
}
END_TEST

/* One pipeline that straggles, or lacks reports, is no drift; what all show is, by the least of them. */
START_TEST(counts_what_pipelines_have_in_common)
{
	struct perseus__drift *drift = make(3);
	uint64_t random = 5;
	for (int64_t step = 0; step < 300; step++) {
		const double noise[] = {
			0.01 * random_normal(&random), 0.01 * random_normal(&random), 0.01 * random_normal(&random)};
		const double one_slow[] = {1.3 + noise[0], 1 + noise[1], 1 + noise[2]};
		const double silent[] = {(double)NAN, 1 + noise[1], (double)NAN};
		const double all_slow[] = {1.3 + noise[0], 1.06 + noise[1], 1.2 + noise[2]};
		ck_assert(!perseus__drift_add(drift, 0, step, one_slow, 3));
		ck_assert(!perseus__drift_add(drift, 1, step, silent, 3));
		(void)perseus__drift_add(drift, 2, step, all_slow, 3);
	}
	ck_assert(!perseus__drift_verdict(drift, 0).has_drifted);
	ck_assert(!perseus__drift_verdict(drift, 1).has_drifted);
	const struct perseus__drift_verdict verdict = perseus__drift_verdict(drift, 2);
	ck_assert(verdict.has_drifted);
	ck_assert_double_eq_tol(verdict.ratio, 1.06, 0.02);
	perseus__drift_free(drift);
}
END_TEST

/* The same numbers give the same verdict whatever their scale in time, and one series says nothing of another. */
START_TEST(keeps_series_apart_and_forgets)
{
	struct perseus__drift *drift = make(2);
	for (int64_t step = 0; step < 100; step++) {
		const double slow = 1.2;
		const double none = (double)NAN;
		const bool is_news = perseus__drift_add(drift, 0, 1000 * step, &slow, 1);
		ck_assert(!is_news || perseus__drift_verdict(drift, 0).has_drifted);
		ck_assert(!perseus__drift_add(drift, 1, step, &none, 1));
	}
	ck_assert(perseus__drift_verdict(drift, 0).has_drifted);
	ck_assert_double_eq_tol(perseus__drift_verdict(drift, 0).ratio, 1.2, 1e-12);
	ck_assert(!perseus__drift_verdict(drift, 1).has_drifted);
	perseus__drift_reset(drift);
	ck_assert(!perseus__drift_verdict(drift, 0).has_drifted);
	perseus__drift_free(drift);
	perseus__drift_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("drift");
	TCase *tcase = tcase_create("drift");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, sees_changes_and_nothing_else, 0, sizeof scenes / sizeof *scenes);
	tcase_add_test(tcase, counts_what_pipelines_have_in_common);
	tcase_add_test(tcase, keeps_series_apart_and_forgets);
	return run_suite(suite);
}
