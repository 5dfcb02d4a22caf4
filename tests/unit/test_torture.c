/*
 * Every allocation of every constructor fails in turn, alone and with all that follow it: NO_MEMORY comes back, the
 * output is untouched, and nothing leaks (which LeakSanitizer sees where the build has it).
 */
#include "failing_alloc.h"
#include "suite.h"
#include "torture.h"

#include <perseus/perseus.h>

#include <check.h>
#include <stdlib.h>

enum { MAX_RANKS = 4, N_CLOCKS = 5, MAX_INSTRUCTIONS = 1024 };

static const double TOLERANCE = 1e-9; /* relative, of the energy; what the frontier promises */

static const char *const class_names[] = {"forward", "backward", "input", "weight", "recompute"};
enum { N_CLASSES = sizeof class_names / sizeof class_names[0] };

static struct perseus_measurement rows[2 * MAX_RANKS * N_CLASSES * N_CLOCKS];
enum { N_ROWS = sizeof rows / sizeof rows[0] };

/* What the constructors under test are given; made with an allocator that works. */
static struct {
	struct perseus_schedule_settings shape;
	struct perseus_profile *profile;
	const struct perseus_schedule *schedule;
	struct perseus_frontier *frontier;
	int64_t deadline_ns;
	enum perseus_baseline baseline;
	struct perseus_certificate *certificate;
	struct perseus_plan_settings planning;
	struct perseus_plan *plan;
	int32_t frequency_mhz[MAX_INSTRUCTIONS]; /* 0: the highest of the class */
} given;

/* Time falls and energy rises with the clock, differently for every class. */
static void
fill_rows(void)
{
	size_t n = 0;
	for (int32_t stage = 0; stage < 2 * MAX_RANKS; stage++)
		for (int32_t class_ = 0; class_ < N_CLASSES; class_++)
			for (int32_t clock = 0; clock < N_CLOCKS; clock++) {
				const double speed = 1 + 0.2 * clock;
				rows[n++] = (struct perseus_measurement){
					.stage = stage,
					.instruction = class_names[class_],
					.frequency_mhz = 1000 + 100 * clock,
					.time_s = 0.01 * (3 + class_ + 0.5 * stage) / speed,
					.energy_j = (2 + class_) * (0.5 + 0.3 * speed * speed),
				};
			}
	ck_assert_uint_eq(n, N_ROWS);
}

static enum perseus_status
make_profile(void **out, struct perseus_error *err)
{
	const double blocking_w = 70;
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	struct perseus_profile *profile = *out;
	const enum perseus_status status = perseus_profile_new(rows, N_ROWS, &settings, &profile, err);
	*out = profile;
	return status;
}

static void
destroy_profile(void *profile)
{
	perseus_profile_free(profile);
}

static enum perseus_status
make_schedule(void **out, struct perseus_error *err)
{
	const struct perseus_schedule *schedule = *out;
	const enum perseus_status status = perseus_schedule_generate(&given.shape, &schedule, err);
	*out = (void *)(uintptr_t)schedule;
	return status;
}

static void
destroy_schedule(void *schedule)
{
	perseus_schedule_free(schedule);
}

static enum perseus_status
make_frontier(void **out, struct perseus_error *err)
{
	struct perseus_frontier *frontier = *out;
	const enum perseus_status status = perseus_frontier_new(given.profile, given.schedule, NULL, &frontier, err);
	*out = frontier;
	return status;
}

static void
destroy_frontier(void *frontier)
{
	perseus_frontier_free(frontier);
}

static enum perseus_status
make_certificate(void **out, struct perseus_error *err)
{
	struct perseus_certificate *certificate = *out;
	const enum perseus_status status =
			perseus_frontier_certificate(given.frontier, given.deadline_ns, &certificate, err);
	*out = certificate;
	return status;
}

static enum perseus_status
make_operating_curve(void **out, struct perseus_error *err)
{
	struct perseus_operating_curve *curve = *out;
	const enum perseus_status status = perseus_operating_curve_new(given.frontier, 2, 4, 0.01, &curve, err);
	*out = curve;
	return status;
}

static enum perseus_status
make_family(void **out, struct perseus_error *err)
{
	struct perseus_baseline_family *family = *out;
	const enum perseus_status status = perseus_baseline_family_new(given.frontier, given.baseline, &family, err);
	*out = family;
	return status;
}

static void
destroy_family(void *family)
{
	perseus_baseline_family_free(family);
}

static enum perseus_status
make_baseline_plan(void **out, struct perseus_error *err)
{
	struct perseus_plan *plan = *out;
	const enum perseus_status status = perseus_baseline_plan(
			given.frontier, given.baseline, perseus_frontier_info(given.frontier).t_star_ns * 2, &plan, err);
	*out = plan;
	return status;
}

static void
destroy_operating_curve(void *curve)
{
	perseus_operating_curve_free(curve);
}

static enum perseus_status
draw_events(void **out, struct perseus_error *err)
{
	const struct perseus_straggler_process process = {PERSEUS_STRAGGLER_THERMAL, 3, 3, 1.1, 1.5};
	const struct perseus_straggler_settings settings = {&process, 1, 9, 50, 1};
	struct perseus_straggler_event *events = *out;
	int64_t n_events = 0;
	const enum perseus_status status = perseus_straggler_events_draw(&settings, &events, &n_events, err);
	*out = events;
	return status;
}

static void
destroy_events(void *events)
{
	perseus_straggler_events_free(events);
}

/* Two policies, and answers so late that what has happened piles up. A simulation's output are its totals. */
static enum perseus_status
simulate(void **out, struct perseus_error *err)
{
	static struct perseus_simulated_total totals[2];
	struct perseus_straggler_event events[100];
	for (int32_t e = 0; e < 100; e++)
		events[e] = (struct perseus_straggler_event){.iteration = e, .pipeline = e % 4, .degree = 1 + e % 3};
	const struct perseus_policy_plan plan = perseus_policy_plan_of(given.frontier, given.plan);
	const struct perseus_policy policies[] = {{"one", &plan, 1}, {"other", &plan, 1}};
	const struct perseus_simulation simulation = {
		.frontier = given.frontier,
		.n_pipelines = 4,
		.gpus_per_stage = 1,
		.n_iterations = 200,
		.reaction_ns = INT64_MAX,
		.events = events,
		.n_events = 100,
		.policies = policies,
		.n_policies = 2,
	};
	const enum perseus_status status = perseus_simulate(&simulation, NULL, NULL, totals, err);
	if (status == PERSEUS_OK)
		*out = totals;
	return status;
}

static void
destroy_certificate(void *certificate)
{
	perseus_certificate_free(certificate);
}

static enum perseus_status
make_import(void **out, struct perseus_error *err)
{
	const struct perseus_order order = {
		.name = "imported",
		.n_ranks = given.schedule->n_ranks,
		.rank_begin = given.schedule->rank_begin,
		.instructions = given.schedule->instructions,
	};
	const struct perseus_schedule *schedule = *out;
	const enum perseus_status status = perseus_schedule_import(&order, &schedule, err);
	*out = (void *)(uintptr_t)schedule;
	return status;
}

/* A checker makes nothing that lasts: its output is that it was content. */
static enum perseus_status
check_certificate(void **out, struct perseus_error *err)
{
	const enum perseus_status status =
			perseus_certificate_check(given.certificate, given.profile, given.schedule, TOLERANCE, NULL, NULL, err);
	if (status == PERSEUS_OK)
		*out = given.certificate;
	return status;
}

static enum perseus_status
check_schedule(void **out, struct perseus_error *err)
{
	const enum perseus_status status = perseus_schedule_check(given.schedule, err);
	if (status == PERSEUS_OK)
		*out = &given;
	return status;
}

static void
destroy_nothing(void *object)
{
	(void)object;
}

static enum perseus_status
make_plan(void **out, struct perseus_error *err)
{
	struct perseus_plan *plan = *out;
	const enum perseus_status status = perseus_plan_new(given.frontier, &given.planning, &plan, err);
	*out = plan;
	return status;
}

static enum perseus_status
make_evaluation(void **out, struct perseus_error *err)
{
	struct perseus_plan *plan = *out;
	const enum perseus_status status =
			perseus_plan_evaluate(given.frontier, given.frequency_mhz, &given.planning, &plan, err);
	*out = plan;
	return status;
}

/* The output is that a time was found. */
static enum perseus_status
find_shortest(void **out, struct perseus_error *err)
{
	int64_t shortest_ns = 0;
	const enum perseus_status status = perseus_plan_shortest(given.frontier, &given.planning, &shortest_ns, err);
	if (status == PERSEUS_OK)
		*out = &given;
	return status;
}

static void
destroy_plan(void *plan)
{
	perseus_plan_free(plan);
}

static enum perseus_status
make_power_trace(void **out, struct perseus_error *err)
{
	struct perseus_power_trace *trace = *out;
	const enum perseus_status status = perseus_power_trace_new(given.frontier, given.plan, 2, 4, &trace, err);
	*out = trace;
	return status;
}

static void
destroy_power_trace(void *trace)
{
	perseus_power_trace_free(trace);
}

/* A cap that the first plan keeps: each more has the same allocations again. */
static enum perseus_status
make_capped_plan(void **out, struct perseus_error *err)
{
	struct perseus_capped_plan capped = {.plan = *out};
	const double cap_w = 1e9;
	const enum perseus_status status =
			perseus_plan_under_power(given.frontier, &given.planning, 1, 1, cap_w, &capped, err);
	*out = capped.plan;
	return status;
}

static enum perseus_status
make_table(void **out, struct perseus_error *err)
{
	struct perseus_plan_table *table = *out;
	const enum perseus_status status = perseus_plan_table_new(given.frontier, &given.planning, 2, &table, err);
	*out = table;
	return status;
}

static void
destroy_table(void *table)
{
	perseus_plan_table_free(table);
}

static enum perseus_status
check_plan(void **out, struct perseus_error *err)
{
	const enum perseus_status status = perseus_plan_check(given.plan, given.frontier, err);
	if (status == PERSEUS_OK)
		*out = given.plan;
	return status;
}

/* A shape that the schedule allows: some need two stages per rank, some want as many stages as ranks. */
static void
choose_shape(const char *name, int32_t n_ranks, int32_t n_microbatches)
{
	given.shape = perseus_schedule_settings_default();
	given.shape.name = name;
	given.shape.n_ranks = n_ranks;
	given.shape.n_microbatches = n_microbatches;
	struct perseus_error err = {.status = PERSEUS_OK};
	for (given.shape.stages_per_rank = 0; given.shape.stages_per_rank <= 2; given.shape.stages_per_rank++) {
		const struct perseus_schedule *schedule;
		if (perseus_schedule_generate(&given.shape, &schedule, &err) == PERSEUS_OK) {
			perseus_schedule_free(schedule);
			return;
		}
	}
	ck_abort_msg("%s: %s", name, err.message);
}

START_TEST(profiles)
{
	const struct torture_scenario scenario = {"profile_new", make_profile, destroy_profile};
	torture_run(&scenario, (enum failing_alloc_mode)_i);
}
END_TEST

START_TEST(schedules)
{
	int n = 0;
	for (const char *const *name = perseus_schedule_names(); *name; name++, n++) {
		choose_shape(*name, MAX_RANKS, 2 * MAX_RANKS);
		const struct torture_scenario scenario = {*name, make_schedule, destroy_schedule};
		torture_run(&scenario, (enum failing_alloc_mode)_i);
	}
	ck_assert_int_gt(n, 0);
}
END_TEST

static void
require(enum perseus_status status, const struct perseus_error *err)
{
	ck_assert_msg(status == PERSEUS_OK, "%s", err->message);
}

/* Profile, schedule and frontier of one small job, and a deadline in the middle. */
static void
give_job(const char *schedule, int32_t n_ranks, int32_t n_microbatches)
{
	struct perseus_error err;
	void *profile = NULL;
	require(make_profile(&profile, &err), &err);
	given.profile = profile;
	choose_shape(schedule, n_ranks, n_microbatches);
	require(perseus_schedule_generate(&given.shape, &given.schedule, &err), &err);
	require(perseus_frontier_new(given.profile, given.schedule, NULL, &given.frontier, &err), &err);
	const struct perseus_frontier_info info = perseus_frontier_info(given.frontier);
	given.deadline_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) / 3;
	require(perseus_frontier_certificate(given.frontier, given.deadline_ns, &given.certificate, &err), &err);
}

static void
take_job_back(void)
{
	perseus_certificate_free(given.certificate);
	perseus_frontier_free(given.frontier);
	perseus_schedule_free(given.schedule);
	perseus_profile_free(given.profile);
}

/* dualpipev has overlapped pairs, whose classes are composed where the profile lacks them. */
static const char *const job_schedules[] = {"1f1b", "zbv", "dualpipev"};
enum { N_JOB_SCHEDULES = sizeof job_schedules / sizeof job_schedules[0] };

START_TEST(frontiers)
{
	give_job(job_schedules[_i / 2], MAX_RANKS, 2 * MAX_RANKS);
	const struct torture_scenario scenarios[] = {
		{"frontier_new", make_frontier, destroy_frontier},
		{"frontier_certificate", make_certificate, destroy_certificate},
		{"certificate_check", check_certificate, destroy_nothing},
		{"operating_curve_new", make_operating_curve, destroy_operating_curve},
		{"straggler_events_draw", draw_events, destroy_events},
		{"schedule_import", make_import, destroy_schedule},
		{"schedule_check", check_schedule, destroy_nothing},
	};
	for (size_t k = 0; k < sizeof scenarios / sizeof scenarios[0]; k++)
		torture_run(&scenarios[k], (enum failing_alloc_mode)(_i % 2));
	take_job_back();
}
END_TEST

/* Each baseline on each of those schedules. */
START_TEST(baselines)
{
	give_job(job_schedules[_i / 2 % N_JOB_SCHEDULES], MAX_RANKS, 2 * MAX_RANKS);
	given.baseline = (enum perseus_baseline)(_i / 2 / N_JOB_SCHEDULES);
	const char *name = perseus_baseline_name(given.baseline);
	const struct torture_scenario scenarios[] = {
		{name, make_family, destroy_family},
		{name, make_baseline_plan, destroy_plan},
	};
	for (size_t k = 0; k < sizeof scenarios / sizeof scenarios[0]; k++)
		torture_run(&scenarios[k], (enum failing_alloc_mode)(_i % 2));
	take_job_back();
}
END_TEST

/* Granularities, with and without a latency: some fail where another would do, so AUTO meets most of the code. */
static const struct {
	enum perseus_granularity granularity;
	int64_t latency_ns;
} plannings[] = {
	{PERSEUS_GRANULARITY_INSTRUCTION, 0},
	{PERSEUS_GRANULARITY_ENDS, 0},
	{PERSEUS_GRANULARITY_STAGE, 1000000},
	{PERSEUS_GRANULARITY_INSTRUCTION, 1000000},
	{PERSEUS_GRANULARITY_AUTO, 1000000},
};
enum { N_PLANNINGS = sizeof plannings / sizeof plannings[0] };

START_TEST(plans)
{
	give_job("1f1b", 2, 2);
	ck_assert_int_le(given.schedule->n_instructions, MAX_INSTRUCTIONS);
	given.planning = perseus_plan_settings_default();
	given.planning.granularity = plannings[_i / 2].granularity;
	given.planning.switch_latency_ns = plannings[_i / 2].latency_ns;
	given.planning.deadline_ns = perseus_frontier_info(given.frontier).t_star_ns;
	struct perseus_error err;
	require(perseus_plan_new(given.frontier, &given.planning, &given.plan, &err), &err);
	const struct torture_scenario scenarios[] = {
		{"plan_new", make_plan, destroy_plan},
		{"plan_evaluate", make_evaluation, destroy_plan},
		{"plan_table_new", make_table, destroy_table},
		{"plan_check", check_plan, destroy_nothing},
		{"simulate", simulate, destroy_nothing},
		{"plan_shortest", find_shortest, destroy_nothing},
		{"power_trace_new", make_power_trace, destroy_power_trace},
		{"plan_under_power", make_capped_plan, destroy_plan},
	};
	for (size_t k = 0; k < sizeof scenarios / sizeof scenarios[0]; k++)
		torture_run(&scenarios[k], (enum failing_alloc_mode)(_i % 2));
	perseus_plan_free(given.plan);
	take_job_back();
}
END_TEST

/* The tool itself: what is armed fires, once or from then on, and only while armed. */
START_TEST(failing_allocator)
{
	failing_alloc_arm(1, FAILING_ALLOC_ONE);
	void *volatile first = malloc(1);
	void *volatile second = calloc(1, 1);
	void *volatile third = malloc(1);
	const bool one_fired = failing_alloc_disarm();
	failing_alloc_arm(0, FAILING_ALLOC_REST);
	void *volatile fourth = malloc(1);
	void *volatile fifth = realloc(NULL, 1);
	const bool rest_fired = failing_alloc_disarm();
	void *volatile sixth = malloc(1);
	failing_alloc_arm(5, FAILING_ALLOC_ONE);
	const bool unused_fired = failing_alloc_disarm();
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(second);
	ck_assert_ptr_nonnull(third);
	ck_assert(one_fired);
	ck_assert_ptr_null(fourth);
	ck_assert_ptr_null(fifth);
	ck_assert(rest_fired);
	ck_assert_ptr_nonnull(sixth);
	ck_assert(!unused_fired);
	free(first);
	free(third);
	free(sixth);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("torture");
	TCase *tests = tcase_create("every allocation fails in turn");
	tcase_add_unchecked_fixture(tests, fill_rows, NULL);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, failing_allocator);
	tcase_add_loop_test(tests, profiles, FAILING_ALLOC_ONE, FAILING_ALLOC_REST + 1);
	tcase_add_loop_test(tests, schedules, FAILING_ALLOC_ONE, FAILING_ALLOC_REST + 1);
	tcase_add_loop_test(tests, frontiers, 0, 2 * N_JOB_SCHEDULES);
	tcase_add_loop_test(tests, baselines, 0, 2 * N_JOB_SCHEDULES * PERSEUS_N_BASELINES);
	tcase_add_loop_test(tests, plans, 0, 2 * N_PLANNINGS);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
