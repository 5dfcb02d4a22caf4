/* Every allocation of our own fails in turn, in profiling in vivo, drift and transfers; see torture.h. */
#include "suite.h"
#include "torture.h"

#include "server/drift.h"
#include "server/lag.h"
#include "server/walk.h"

#include <check.h>

static const int32_t clocks_mhz[] = {1400, 1300, 1200};
static const struct perseus__job_class classes[] = {
	{.stage = 0, .name = "forward", .pp = 0, .n_per_step = 2},
	{.stage = 0, .name = "backward", .pp = 0, .n_per_step = 2},
	{.stage = 0, .name = "optimizer_step", .pp = 0, .n_per_step = 1},
};
static const struct perseus_schedule *schedule;

static void
set_up(void)
{
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.n_ranks = 2;
	settings.n_microbatches = 2;
	ck_assert_int_eq(perseus_schedule_generate(&settings, &schedule, NULL), PERSEUS_OK);
}

static void
tear_down(void)
{
	perseus_schedule_free(schedule);
}

static struct perseus__walk_settings
settings_of_walk(void)
{
	struct perseus__walk_settings settings = perseus__walk_settings_default();
	settings.clocks_mhz = clocks_mhz;
	settings.n_clocks = 3;
	settings.classes = classes;
	settings.n_classes = 3;
	return settings;
}

static enum perseus_status
make_walk(void **out, struct perseus_error *err)
{
	const struct perseus__walk_settings settings = settings_of_walk();
	struct perseus__walk *walk = *out;
	const enum perseus_status status = perseus__walk_new(&settings, &walk, err);
	*out = walk;
	return status;
}

static void
destroy_walk(void *walk)
{
	perseus__walk_free(walk);
}

/* Reports at every clock, linked windows among them, shares of forward and backward that differ. */
static enum perseus_status
report(struct perseus__walk *walk, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	for (int32_t i = 0; i < 60 && !status; i++) {
		const int32_t mhz = clocks_mhz[i / 20];
		const struct perseus__walk_times times = {i % 2, mhz, 2, 0.01, 0.001};
		status = perseus__walk_add_times(walk, &times, err);
		const struct perseus__walk_term terms[] = {
			{0, mhz, 0.001 * (i % 7)}, {1, mhz, 0.002 * (i % 5)}, {2, mhz, 0.01}};
		const struct perseus__walk_window window = {
			.rank = i % 2,
			.time_s = 0.1,
			.energy_j = 20 + i % 3,
			.error_j = 0.1,
			.terms = terms,
			.n_terms = 3,
		};
		if (!status)
			status = perseus__walk_add_window(walk, &window, err);
	}
	return status;
}

/* A whole walk up to its result. */
static enum perseus_status
make_result(void **out, struct perseus_error *err)
{
	const struct perseus__walk_settings settings = settings_of_walk();
	struct perseus__walk *walk;
	enum perseus_status status = perseus__walk_new(&settings, &walk, err);
	if (status)
		return status;
	const struct perseus__walk_segment *segments;
	int32_t n;
	status = perseus__walk_next(walk, &segments, &n, err);
	if (!status)
		status = report(walk, err);
	for (; !status && n > 0; n--)
		perseus__walk_end_segment(walk, 2);
	if (!status)
		status = perseus__walk_next(walk, &segments, &n, err);
	struct perseus__walk_result *result = *out;
	if (!status)
		status = perseus__walk_result(walk, &result, err);
	perseus__walk_free(walk);
	*out = result;
	return status;
}

static void
destroy_result(void *result)
{
	perseus__walk_result_free(result);
}

static enum perseus_status
make_drift(void **out, struct perseus_error *err)
{
	const struct perseus__drift_settings settings = perseus__drift_settings_default();
	struct perseus__drift *drift = perseus__drift_new(&settings);
	if (!drift) {
		*err = (struct perseus_error){.status = PERSEUS_NO_MEMORY};
		return PERSEUS_NO_MEMORY;
	}
	*out = drift;
	return PERSEUS_OK;
}

static void
destroy_drift(void *drift)
{
	perseus__drift_free(drift);
}

static enum perseus_status
make_lag(void **out, struct perseus_error *err)
{
	static const int64_t duration_ns[] = {10, 10, 20, 20, 10, 20, 10, 20};
	static int64_t transfer_ns;
	int64_t predicted_ns;
	const enum perseus_status status =
			perseus__lag_calibrate(schedule, duration_ns, 1000, &transfer_ns, &predicted_ns, err);
	if (!status)
		*out = &transfer_ns;
	return status;
}

static void
destroy_nothing(void *transfer_ns)
{
	ck_assert_int_gt(*(int64_t *)transfer_ns, 0);
}

static const struct torture_scenario scenarios[] = {
	{"a walk", make_walk, destroy_walk},
	{"a result", make_result, destroy_result},
	{"drift", make_drift, destroy_drift},
	{"a transfer", make_lag, destroy_nothing},
};

START_TEST(survives_one_failure)
{
	torture_run(&scenarios[_i], FAILING_ALLOC_ONE);
}
END_TEST

START_TEST(survives_lasting_failure)
{
	torture_run(&scenarios[_i], FAILING_ALLOC_REST);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("torture_walk");
	TCase *tcase = tcase_create("torture_walk");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, survives_one_failure, 0, sizeof scenarios / sizeof *scenarios);
	tcase_add_loop_test(tcase, survives_lasting_failure, 0, sizeof scenarios / sizeof *scenarios);
	return run_suite(suite);
}
