/* Power of a plan over an iteration, and plans under a cap: worked by hand, and against brute force on random jobs. */
#include "random.h"
#include "random_job.h"
#include "suite.h"

#include <perseus/perseus.h>

#include <check.h>
#include <math.h>

#define S INT64_C(1000000000) /* in ns */

static struct perseus_error err;

struct job {
	struct perseus_profile *profile;
	const struct perseus_schedule *schedule;
	struct perseus_frontier *frontier;
};

static void
solve_job(struct job *job, const struct perseus_measurement *rows, size_t n_rows, double blocking_w,
		const struct perseus_order *order)
{
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	ck_assert_int_eq(perseus_profile_new(rows, n_rows, &settings, &job->profile, &err), PERSEUS_OK);
	ck_assert_msg(perseus_schedule_import(order, &job->schedule, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(perseus_frontier_new(job->profile, job->schedule, NULL, &job->frontier, &err), PERSEUS_OK);
}

static void
free_job(struct job *job)
{
	perseus_frontier_free(job->frontier);
	perseus_schedule_free(job->schedule);
	perseus_profile_free(job->profile);
}

static struct perseus_plan *
plan_for(const struct perseus_frontier *frontier, int64_t deadline_ns, int64_t latency_ns)
{
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = deadline_ns;
	settings.switch_latency_ns = latency_ns;
	struct perseus_plan *plan = NULL;
	ck_assert_msg(perseus_plan_new(frontier, &settings, &plan, &err) == PERSEUS_OK, "%s", err.message);
	return plan;
}

/* Rank 0 runs `a` twice, rank 1 `b` after both and a transfer. */
static const struct perseus_instruction instructions[] = {
	{.kind = PERSEUS_KIND_OTHER, .rank = 0, .stage = 0, .microbatch = 0, .class_name = "a", .n_parts = 1},
	{.kind = PERSEUS_KIND_OTHER, .rank = 0, .stage = 0, .microbatch = 1, .class_name = "a", .n_parts = 1},
	{.kind = PERSEUS_KIND_OTHER, .rank = 1, .stage = 1, .microbatch = 0, .class_name = "b", .n_parts = 1},
};
static const struct perseus_edge edges[] = {{1, 2, true}};
static const int32_t rank_begin[] = {0, 2, 3};
static const struct perseus_order pair = {
	.name = "pair",
	.n_ranks = 2,
	.rank_begin = rank_begin,
	.instructions = instructions,
	.extra_edges = edges,
	.n_extra_edges = 1,
	.explicit_edges_only = true,
};
static const int32_t single_begin[] = {0, 1};
static const struct perseus_order single = {
	.name = "single",
	.n_ranks = 1,
	.rank_begin = single_begin,
	.instructions = instructions,
	.explicit_edges_only = true,
};

/*
 * a 1 s 10 J, b 1 s 30 J, a transfer of 1 s 5 J, 1 W waiting: 2 s at 10 + 1 W, 1 s at 5 + 1 + 1 W, 1 s at 1 + 30 W, and
 * with a deadline of 5 s one at 1 + 1 W. The two a are one segment.
 */
static const struct {
	int64_t deadline_ns;
	double average_w, least_w;
	struct perseus_power_step rise, fall;
	int32_t n_segments;
	struct perseus_power_segment segments[4];
} traces[] = {
	{4 * S, 15, 7, {24, 3 * S}, {-20, 0}, 3, {{0, 11}, {2 * S, 7}, {3 * S, 31}}},
	{5 * S, 12.4, 2, {24, 3 * S}, {-29, 4 * S}, 4, {{0, 11}, {2 * S, 7}, {3 * S, 31}, {4 * S, 2}}},
};

START_TEST(traces_what_was_worked_by_hand)
{
	static const struct perseus_measurement rows[] = {
		{0, "a", 1, 1.0, 10.0, 0}, {1, "b", 1, 1.0, 30.0, 0}, {0, "transfer", 0, 1.0, 5.0, 0}};
	struct job job = {0};
	solve_job(&job, rows, 3, 1.0, &pair);
	struct perseus_plan *plan = plan_for(job.frontier, traces[_i].deadline_ns, 0);
	struct perseus_power_trace *trace = NULL;
	ck_assert_int_eq(perseus_power_trace_new(job.frontier, plan, 2, 3, &trace, &err), PERSEUS_OK);
	ck_assert_int_eq(trace->period_ns, traces[_i].deadline_ns);
	ck_assert_double_eq_tol(trace->average_w, 6 * traces[_i].average_w, 1e-12);
	ck_assert_double_eq_tol(perseus_plan_power_w(plan, 2, 3), 6 * traces[_i].average_w, 1e-12);
	ck_assert_double_eq(trace->peak_w, 6 * 31);
	ck_assert_double_eq(trace->least_w, 6 * traces[_i].least_w);
	ck_assert_double_eq(trace->rise.change_w, 6 * traces[_i].rise.change_w);
	ck_assert_int_eq(trace->rise.at_ns, traces[_i].rise.at_ns);
	ck_assert_double_eq(trace->fall.change_w, 6 * traces[_i].fall.change_w);
	ck_assert_int_eq(trace->fall.at_ns, traces[_i].fall.at_ns);
	ck_assert_int_eq(trace->n_segments, traces[_i].n_segments);
	for (int32_t k = 0; k < trace->n_segments; k++) {
		ck_assert_int_eq(trace->segments[k].start_ns, traces[_i].segments[k].start_ns);
		ck_assert_double_eq(trace->segments[k].power_w, 6 * traces[_i].segments[k].power_w);
	}
	perseus_power_trace_free(trace);
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

/* One GPU that never waits draws the same all the time. */
START_TEST(has_no_steps_where_power_is_constant)
{
	static const struct perseus_measurement row = {0, "a", 1, 1.0, 10.0, 0};
	struct job job = {0};
	solve_job(&job, &row, 1, 1.0, &single);
	struct perseus_plan *plan = plan_for(job.frontier, S, 0);
	struct perseus_power_trace *trace = NULL;
	ck_assert_int_eq(perseus_power_trace_new(job.frontier, plan, 1, 1, &trace, &err), PERSEUS_OK);
	ck_assert_int_eq(trace->n_segments, 1);
	ck_assert_double_eq(trace->peak_w, 10);
	ck_assert_double_eq(trace->least_w, 10);
	ck_assert_double_eq(trace->rise.change_w, 0);
	ck_assert_double_eq(trace->fall.change_w, 0);
	perseus_power_trace_free(trace);
	trace = NULL;
	ck_assert_int_eq(perseus_power_trace_new(job.frontier, plan, 0, 1, &trace, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus_power_trace_new(job.frontier, plan, 1, 0, &trace, &err), PERSEUS_INVALID);
	struct perseus_plan other = *plan;
	other.n_instructions++;
	ck_assert_int_eq(perseus_power_trace_new(job.frontier, &other, 1, 1, &trace, &err), PERSEUS_INVALID);
	ck_assert_ptr_null(trace);
	perseus_power_trace_free(NULL);
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

static void
random_1f1b(struct job *job, uint64_t *state, int is_round, int has_constants)
{
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = 3;
	shape.n_microbatches = 5;
	job->profile = random_profile(state, 3, is_round, has_constants);
	ck_assert_int_eq(perseus_schedule_generate(&shape, &job->schedule, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus_frontier_new(job->profile, job->schedule, NULL, &job->frontier, &err), PERSEUS_OK);
}

/* Power at a moment, all instructions and edges looked at. */
static double
power_at(const struct job *job, const struct perseus_plan *plan, double at_ns)
{
	double power_w = (double)perseus_frontier_info(job->frontier).blocking_power_uw / 1e6;
	for (int32_t i = 0; i < plan->n_instructions; i++) {
		const struct perseus_step *step = &plan->steps[i];
		const int32_t stage = job->schedule->instructions[i].stage;
		const double over_ns = at_ns - (double)step->start_ns;
		if (over_ns >= 0 && over_ns < (double)step->time_ns)
			power_w += (double)step->energy_nj / (double)step->time_ns
					- (double)perseus_profile_blocking_power_uw(job->profile, stage) / 1e6;
	}
	for (int32_t e = 0; e < job->schedule->n_edges; e++) {
		const struct perseus_edge *edge = &job->schedule->edges[e];
		const struct perseus_class *transfer =
				perseus_profile_find(job->profile, job->schedule->instructions[edge->from].stage, "transfer");
		const double end_ns = (double)(plan->steps[edge->from].start_ns + plan->steps[edge->from].time_ns);
		if (edge->is_transfer && transfer && at_ns >= end_ns && at_ns < end_ns + (double)transfer->choices[0].time_ns)
			power_w += (double)transfer->choices[0].energy_nj / (double)transfer->choices[0].time_ns;
	}
	return power_w;
}

/* Segments have the power that is there, hold all the energy, and the summary is theirs. */
START_TEST(traces_what_is_drawn)
{
	uint64_t state = 100 + (uint64_t)_i;
	struct job job = {0};
	random_1f1b(&job, &state, _i % 2, _i % 3 == 0);
	const struct perseus_frontier_info info = perseus_frontier_info(job.frontier);
	const int64_t deadline_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) * (_i % 5) / 3;
	struct perseus_plan *plan = plan_for(job.frontier, deadline_ns, 0);
	struct perseus_power_trace *trace = NULL;
	ck_assert_int_eq(perseus_power_trace_new(job.frontier, plan, 1, 1, &trace, &err), PERSEUS_OK);
	double energy_j = 0;
	double peak_w = 0;
	double rise_w = 0;
	double fall_w = 0;
	double before_w = power_at(&job, plan, (double)trace->period_ns - 0.5);
	for (int32_t k = 0; k < trace->n_segments; k++) {
		const struct perseus_power_segment *segment = &trace->segments[k];
		const int64_t end_ns = k + 1 < trace->n_segments ? segment[1].start_ns : trace->period_ns;
		const double middle_ns = ((double)segment->start_ns + (double)end_ns) / 2;
		ck_assert_int_lt(segment->start_ns, end_ns);
		ck_assert_double_eq_tol(segment->power_w, power_at(&job, plan, middle_ns), 1e-6);
		ck_assert(k == 0 || segment->power_w != segment[-1].power_w);
		energy_j += segment->power_w * (double)(end_ns - segment->start_ns) / 1e9;
		peak_w = fmax(peak_w, segment->power_w);
		rise_w = fmax(rise_w, segment->power_w - before_w);
		fall_w = fmin(fall_w, segment->power_w - before_w);
		before_w = segment->power_w;
	}
	ck_assert_double_eq_tol(energy_j, (double)plan->outcome.energy_nj / 1e9, 1e-9 * energy_j);
	ck_assert_double_eq_tol(trace->average_w, energy_j / ((double)trace->period_ns / 1e9), 1e-9 * trace->average_w);
	ck_assert_double_eq(trace->peak_w, peak_w);
	ck_assert_double_eq_tol(trace->rise.change_w, rise_w, 1e-6);
	ck_assert_double_eq_tol(trace->fall.change_w, fall_w, 1e-6);
	perseus_power_trace_free(trace);
	perseus_plan_free(plan);
	free_job(&job);
}
END_TEST

/*
 * 1 s 10 J, 2 s 8 J or 4 s 6 J: 10, 4 or 1.5 W a GPU, six of them. Between the first two the frontier is 12 - 2·T J, so
 * 6 W a GPU bound the time to 12 / (6 + 2) = 1.5 s, and the plan is the 2 s one.
 */
static const struct {
	double cap_w;
	enum perseus_status status;
	int64_t time_ns;
	double power_w;
	int64_t bound_ns;
	bool is_binding;
} caps[] = {
	{24, PERSEUS_OK, 2 * S, 24, 2 * S, true},
	{36, PERSEUS_OK, 2 * S, 24, 3 * S / 2, true},
	{9, PERSEUS_OK, 4 * S, 9, 4 * S, true},
	{8.9, PERSEUS_INFEASIBLE, 0, 0, 0, false},
	{59.9, PERSEUS_OK, 2 * S, 24, 1001390820, true},
	{60, PERSEUS_OK, S, 60, S, false},
	{1e9, PERSEUS_OK, S, 60, S, false},
	{0, PERSEUS_INVALID, 0, 0, 0, false},
	{-1, PERSEUS_INVALID, 0, 0, 0, false},
	{INFINITY, PERSEUS_INVALID, 0, 0, 0, false},
	{NAN, PERSEUS_INVALID, 0, 0, 0, false},
};

START_TEST(caps_what_was_worked_by_hand)
{
	static const struct perseus_measurement rows[] = {
		{0, "a", 3, 1.0, 10.0, 0}, {0, "a", 2, 2.0, 8.0, 0}, {0, "a", 1, 4.0, 6.0, 0}};
	struct job job = {0};
	solve_job(&job, rows, 3, 0, &single);
	const struct perseus_plan_settings settings = perseus_plan_settings_default();
	struct perseus_capped_plan capped = {0};
	const enum perseus_status status =
			perseus_plan_under_power(job.frontier, &settings, 3, 2, caps[_i].cap_w, &capped, &err);
	ck_assert_msg(status == caps[_i].status, "%s", err.message);
	if (status == PERSEUS_OK) {
		ck_assert_int_eq(capped.plan->outcome.iteration_time_ns, caps[_i].time_ns);
		ck_assert_int_eq(capped.plan->deadline_ns, caps[_i].time_ns);
		ck_assert_double_eq(capped.power_w, caps[_i].power_w);
		ck_assert_int_le(capped.bound_ns, caps[_i].bound_ns);
		ck_assert_int_ge(capped.bound_ns, caps[_i].bound_ns - 1);
		ck_assert_int_eq(capped.is_binding, caps[_i].is_binding);
		perseus_plan_free(capped.plan);
	} else {
		ck_assert_ptr_null(capped.plan);
	}
	free_job(&job);
}
END_TEST

static const enum perseus_granularity granularities[] = {
	PERSEUS_GRANULARITY_INSTRUCTION, PERSEUS_GRANULARITY_STAGE, PERSEUS_GRANULARITY_AUTO};

/* Never above the cap, never below the bound, a plan by its checker; no plan of a sweep is faster under the cap. */
START_TEST(keeps_caps)
{
	uint64_t state = 500 + (uint64_t)_i;
	struct job job = {0};
	random_1f1b(&job, &state, _i % 2, _i % 3 == 0);
	const struct perseus_frontier_info info = perseus_frontier_info(job.frontier);
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.granularity = granularities[_i % 3];
	settings.switch_latency_ns = _i % 4 == 3 ? info.t_min_ns / 100 : 0;
	struct perseus_operating_curve *curve = NULL;
	ck_assert_int_eq(perseus_operating_curve_new(job.frontier, 5, 2, 0, &curve, &err), PERSEUS_OK);
	const double low_w = curve->points[0].power_w;
	const double high_w = curve->points[curve->n_points - 1].power_w;
	const double cap_w = low_w * (1 + 1e-9) + (high_w - low_w) * (double)random_below(&state, 101) / 100;
	struct perseus_capped_plan capped = {0};
	const enum perseus_status status = perseus_plan_under_power(job.frontier, &settings, 5, 2, cap_w, &capped, &err);
	ck_assert_msg(status == PERSEUS_OK || status == PERSEUS_INFEASIBLE, "%s", err.message);
	ck_assert(status == PERSEUS_OK || settings.granularity != PERSEUS_GRANULARITY_INSTRUCTION
			|| settings.switch_latency_ns > 0);
	if (status == PERSEUS_OK) {
		ck_assert_msg(perseus_plan_check(capped.plan, job.frontier, &err) == PERSEUS_OK, "%s", err.message);
		ck_assert_double_le(capped.power_w, cap_w);
		ck_assert_double_eq(capped.power_w, perseus_plan_power_w(capped.plan, 5, 2));
		ck_assert_int_le(capped.bound_ns, capped.plan->outcome.iteration_time_ns);
	}
	/* With a latency, a plan may take longer where it does not wait for its deadline: nothing to compare with. */
	for (int k = 0; k <= 20 && settings.switch_latency_ns == 0; k++) {
		settings.deadline_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) * k / 20;
		struct perseus_plan *plan = NULL;
		if (perseus_plan_new(job.frontier, &settings, &plan, &err) != PERSEUS_OK)
			continue;
		const double waiting_j =
				(double)info.blocking_power_uw / 1e15 * (double)(plan->deadline_ns - plan->outcome.iteration_time_ns);
		const double power_w = 10 * ((double)plan->outcome.energy_nj / 1e9 - waiting_j)
				/ ((double)plan->outcome.iteration_time_ns / 1e9);
		if (power_w <= cap_w) {
			ck_assert_msg(status == PERSEUS_OK, "%s", err.message);
			ck_assert_int_le(capped.bound_ns, plan->outcome.iteration_time_ns);
			ck_assert_int_le(capped.plan->outcome.iteration_time_ns, plan->outcome.iteration_time_ns);
		}
		perseus_plan_free(plan);
	}
	perseus_plan_free(capped.plan);
	perseus_operating_curve_free(curve);
	free_job(&job);
}
END_TEST

struct shown {
	int n;
	double last;
};

static void
show(double fraction, void *user)
{
	struct shown *shown = user;
	ck_assert_double_ge(fraction, shown->last);
	ck_assert_double_lt(fraction, 1);
	*shown = (struct shown){shown->n + 1, fraction};
}

/* Every plan but the first is announced; with a latency, where one takes long, fewer are made. */
START_TEST(shows_progress)
{
	struct job job = {0};
	uint64_t state = 701;
	random_1f1b(&job, &state, true, false);
	const struct perseus_frontier_info info = perseus_frontier_info(job.frontier);
	struct shown shown[2] = {{0, 0}, {0, 0}};
	for (int k = 0; k < 2; k++) {
		struct perseus_plan_settings settings = perseus_plan_settings_default();
		settings.switch_latency_ns = k * info.t_min_ns / 10000;
		settings.progress = show;
		settings.user = &shown[k];
		struct perseus_capped_plan capped = {0};
		const double middle_w = perseus_frontier_energy_j(job.frontier, (info.t_min_ns + info.t_star_ns) / 2)
				/ ((double)(info.t_min_ns + info.t_star_ns) / 2e9);
		ck_assert_msg(perseus_plan_under_power(job.frontier, &settings, 1, 1, middle_w, &capped, &err) == PERSEUS_OK,
				"%s", err.message);
		perseus_plan_free(capped.plan);
	}
	ck_assert_int_ge(shown[0].n, 5);
	ck_assert_int_ge(shown[1].n, 1);
	ck_assert_int_lt(shown[1].n, shown[0].n);
	free_job(&job);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("power");
	tcase_add_loop_test(tcase, traces_what_was_worked_by_hand, 0, sizeof traces / sizeof *traces);
	tcase_add_test(tcase, has_no_steps_where_power_is_constant);
	tcase_add_loop_test(tcase, traces_what_is_drawn, 0, 60);
	tcase_add_loop_test(tcase, caps_what_was_worked_by_hand, 0, sizeof caps / sizeof *caps);
	tcase_add_loop_test(tcase, keeps_caps, 0, 120);
	tcase_add_test(tcase, shows_progress);
	Suite *suite = suite_create("power");
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
