/*
 * The planner: its plans are those of perseus_plan_new, the same content is one shape, every ask is answered once, and
 * work ends soon when nobody wants it. Run under the thread sanitizer, too (tests/meson.build has the suite).
 */
#include "random.h"
#include "suite.h"
#include "torture.h"

#include "base/clock.h"
#include "server/planner.h"
#include "server/shape_internal.h"

#include <perseus/perseus.h>

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_STAGES = 8, N_CLOCKS = 6, MAX_ROWS = MAX_STAGES * 2 * N_CLOCKS };

/* A request that tests may change before they ask. */
struct job {
	struct perseus_measurement rows[MAX_ROWS];
	double blocking_w;
	const struct perseus_schedule *schedule;
	struct perseus__shape_request request;
};

/* Time falls and energy rises with the clock; the middle stages are slower, so that the others have time to save in. */
static void
fill_rows(struct job *job, int32_t n_stages)
{
	static const char *const names[] = {"forward", "backward"};
	size_t n = 0;
	for (int32_t stage = 0; stage < n_stages; stage++)
		for (int32_t k = 0; k < 2; k++)
			for (int32_t clock = 0; clock < N_CLOCKS; clock++) {
				const double speed = 0.7 + 0.06 * clock;
				const double work = (1 + k) * (1 + 0.1 * stage * (n_stages - 1 - stage));
				job->rows[n++] = (struct perseus_measurement){
					.stage = stage,
					.instruction = names[k],
					.frequency_mhz = 900 + 100 * clock,
					.time_s = 0.01 * work / speed,
					.energy_j = work * (0.6 + 1.5 * speed * speed),
				};
			}
	job->request.rows = job->rows;
	job->request.n_rows = n;
}

static void
job_init(struct job *job, int32_t n_ranks, int32_t n_microbatches)
{
	*job = (struct job){.blocking_w = 70};
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.n_ranks = n_ranks;
	settings.n_microbatches = n_microbatches;
	ck_assert_int_eq(perseus_schedule_generate(&settings, &job->schedule, NULL), PERSEUS_OK);
	fill_rows(job, n_ranks);
	job->request.profile = perseus_profile_settings_default();
	job->request.profile.blocking_power_w = &job->blocking_w;
	job->request.profile.n_blocking_power = 1;
	job->request.order = (struct perseus_order){
		.name = "1f1b",
		.n_ranks = n_ranks,
		.rank_begin = job->schedule->rank_begin,
		.instructions = job->schedule->instructions,
	};
	job->request.granularity = PERSEUS_GRANULARITY_AUTO;
}

static void
job_fini(struct job *job)
{
	perseus_schedule_free(job->schedule);
}

/* What a callback has said. */
struct answer {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int n_calls;
	struct perseus__shape *shape;
	int32_t n_plans; /* of the shape as the callback saw it */
	struct perseus_plan *plan;
	struct perseus_error err;
};

static void
answer_init(struct answer *answer)
{
	*answer = (struct answer){0};
	pthread_mutex_init(&answer->mutex, NULL);
	pthread_cond_init(&answer->changed, NULL);
}

static void
answer_fini(struct answer *answer)
{
	perseus__shape_unref(answer->shape);
	perseus_plan_free(answer->plan);
	pthread_mutex_destroy(&answer->mutex);
	pthread_cond_destroy(&answer->changed);
}

static void
note(struct answer *answer, const struct perseus_error *err)
{
	answer->n_calls++;
	if (err)
		answer->err = *err;
	pthread_cond_signal(&answer->changed);
}

static void
on_done(void *user, struct perseus__shape *shape, const struct perseus_error *err)
{
	struct answer *answer = user;
	pthread_mutex_lock(&answer->mutex);
	if (shape) {
		answer->shape = perseus__shape_ref(shape);
		answer->n_plans = perseus__shape_info(shape).n_plans;
	}
	note(answer, err);
	pthread_mutex_unlock(&answer->mutex);
}

static void
on_refined(void *user, struct perseus_plan *plan, const struct perseus_error *err)
{
	struct answer *answer = user;
	pthread_mutex_lock(&answer->mutex);
	answer->plan = plan;
	note(answer, err);
	pthread_mutex_unlock(&answer->mutex);
}

static void
await(struct answer *answer)
{
	pthread_mutex_lock(&answer->mutex);
	while (answer->n_calls == 0)
		pthread_cond_wait(&answer->changed, &answer->mutex);
	pthread_mutex_unlock(&answer->mutex);
	ck_assert_int_eq(answer->n_calls, 1);
}

static struct perseus__planner *
new_planner(int32_t n_threads, int32_t n_deadlines, int32_t max_idle_shapes)
{
	struct perseus__planner_settings settings = perseus__planner_settings_default();
	settings.n_threads = n_threads;
	settings.n_deadlines = n_deadlines;
	settings.max_idle_shapes = max_idle_shapes;
	struct perseus__planner *planner = NULL;
	ck_assert_int_eq(perseus__planner_new(&settings, &planner, NULL), PERSEUS_OK);
	return planner;
}

static void
ask(struct perseus__planner *planner, const struct job *job, struct answer *answer)
{
	answer_init(answer);
	struct perseus_error err;
	ck_assert_msg(perseus__planner_ask(planner, &job->request, on_done, answer, &err) == PERSEUS_OK, "%s", err.message);
}

static void
ask_and_wait(struct perseus__planner *planner, const struct job *job, struct answer *answer)
{
	ask(planner, job, answer);
	await(answer);
	ck_assert_msg(answer->shape, "%s", answer->err.message);
}

static void
nap(void)
{
	const struct timespec ms = {.tv_nsec = 1000000};
	(void)nanosleep(&ms, NULL);
}

static void
await_table(const struct perseus__shape *shape)
{
	while (!perseus__shape_info(shape).is_complete)
		nap();
}

static void
check_same_plan(const struct perseus_plan *a, const struct perseus_plan *b)
{
	ck_assert_int_eq(a->deadline_ns, b->deadline_ns);
	ck_assert_int_eq(a->outcome.iteration_time_ns, b->outcome.iteration_time_ns);
	ck_assert_int_eq(a->outcome.energy_nj, b->outcome.energy_nj);
	ck_assert_int_eq(a->n_instructions, b->n_instructions);
	for (int32_t i = 0; i < a->n_instructions; i++)
		ck_assert_int_eq(a->steps[i].frequency_mhz, b->steps[i].frequency_mhz);
}

/* What perseus_plan_new finds, from a frontier of the test's own. */
static struct perseus_plan *
own_plan(const struct job *job, const struct perseus_frontier *frontier, int64_t deadline_ns)
{
	const struct perseus_plan_settings settings = {.deadline_ns = deadline_ns,
		.granularity = job->request.granularity,
		.switch_latency_ns = job->request.switch_latency_ns};
	struct perseus_plan *plan = NULL;
	ck_assert_int_eq(perseus_plan_new(frontier, &settings, &plan, NULL), PERSEUS_OK);
	return plan;
}

/* Holds, and is what the library finds for the same deadline. */
static void
check_plan(const struct job *job, const struct perseus_frontier *frontier, const struct perseus_plan *plan)
{
	struct perseus_error err;
	ck_assert_msg(perseus_plan_check(plan, frontier, &err) == PERSEUS_OK, "%s", err.message);
	struct perseus_plan *expected = own_plan(job, frontier, plan->deadline_ns);
	check_same_plan(plan, expected);
	perseus_plan_free(expected);
}

static const struct {
	int32_t n_ranks;
	int32_t n_microbatches;
	enum perseus_granularity granularity;
	int64_t switch_latency_ns;
	int32_t n_deadlines;
} plan_cases[] = {
	{4, 8, PERSEUS_GRANULARITY_AUTO, 0, 17}, {3, 6, PERSEUS_GRANULARITY_AUTO, 3000000, 5},
	{3, 5, PERSEUS_GRANULARITY_STAGE, 0, 12}, {2, 4, PERSEUS_GRANULARITY_KIND, 1000000, 1},
	{1, 3, PERSEUS_GRANULARITY_JOB, 0, 5}, /* nothing waits: T_min with the highest clocks */
};

/* Every plan of the table is that of its deadline, and every lookup keeps its own. */
START_TEST(plans_are_those_of_the_library)
{
	struct job job;
	job_init(&job, plan_cases[_i].n_ranks, plan_cases[_i].n_microbatches);
	job.request.granularity = plan_cases[_i].granularity;
	job.request.switch_latency_ns = plan_cases[_i].switch_latency_ns;
	struct perseus__planner *planner = new_planner(2, plan_cases[_i].n_deadlines, 1);
	struct answer answer;
	ask_and_wait(planner, &job, &answer);
	await_table(answer.shape);
	struct perseus_profile *profile = NULL;
	struct perseus_frontier *frontier = NULL;
	ck_assert_int_eq(
			perseus_profile_new(job.rows, job.request.n_rows, &job.request.profile, &profile, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus_frontier_new(profile, job.schedule, NULL, &frontier, NULL), PERSEUS_OK);
	const struct perseus__shape_info info = perseus__shape_info(answer.shape);
	const struct perseus_frontier_info own = perseus_frontier_info(frontier);
	ck_assert_int_eq(info.frontier.t_min_ns, own.t_min_ns);
	ck_assert_int_eq(info.frontier.t_star_ns, own.t_star_ns);
	ck_assert_int_eq(info.t_min_ns, own.t_min_ns);
	ck_assert_int_eq(info.n_deadlines, plan_cases[_i].n_deadlines);
	ck_assert_int_ge(info.n_plans, 1);
	ck_assert_ptr_null(perseus__shape_plan(answer.shape, info.t_min_ns - 1));
	ck_assert(isnan(perseus__shape_effective_j(answer.shape, info.t_min_ns - 1)));
	double before_j = INFINITY;
	const struct perseus_plan *checked = NULL;
	for (int k = 0; k <= 60; k++) {
		const int64_t deadline_ns = info.t_min_ns + (own.t_star_ns + 1000000 - info.t_min_ns) * k / 60;
		const struct perseus_plan *plan = perseus__shape_plan(answer.shape, deadline_ns);
		ck_assert_ptr_nonnull(plan);
		ck_assert_int_le(plan->deadline_ns, deadline_ns);
		ck_assert_int_le(plan->outcome.iteration_time_ns, deadline_ns);
		if (plan != checked)
			check_plan(&job, frontier, plan);
		checked = plan;
		const double energy_j = perseus__shape_effective_j(answer.shape, deadline_ns);
		ck_assert_double_le(energy_j, before_j);
		/* The frontier is a lower bound; nJ are whole in plans, one per instruction at most. */
		ck_assert_double_ge(energy_j, perseus_frontier_effective_energy_j(frontier, deadline_ns) - 1e-6);
		before_j = energy_j;
	}
	perseus_frontier_free(frontier);
	perseus_profile_free(profile);
	answer_fini(&answer);
	perseus__planner_free(planner);
	job_fini(&job);
}
END_TEST

START_TEST(refined_plans_are_exact)
{
	struct job job;
	job_init(&job, 4, 8);
	struct perseus__planner *planner = new_planner(1, 3, 1);
	struct answer answer;
	ask_and_wait(planner, &job, &answer);
	const struct perseus__shape_info info = perseus__shape_info(answer.shape);
	for (int k = 0; k < 5; k++) {
		const int64_t deadline_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) * (2 * k + 1) / 11;
		struct answer refined;
		answer_init(&refined);
		ck_assert_int_eq(
				perseus__planner_refine(planner, answer.shape, deadline_ns, on_refined, &refined, NULL), PERSEUS_OK);
		await(&refined);
		ck_assert_ptr_nonnull(refined.plan);
		struct perseus_plan *expected = own_plan(&job, perseus__shape_frontier(answer.shape), deadline_ns);
		check_same_plan(refined.plan, expected);
		perseus_plan_free(expected);
		answer_fini(&refined);
	}
	struct answer refined;
	answer_init(&refined);
	ck_assert_int_eq(perseus__planner_refine(planner, answer.shape, 1, on_refined, &refined, NULL), PERSEUS_OK);
	await(&refined);
	ck_assert_ptr_null(refined.plan);
	ck_assert_int_eq(refined.err.status, PERSEUS_INFEASIBLE);
	answer_fini(&refined);
	answer_fini(&answer);
	perseus__planner_free(planner);
	job_fini(&job);
}
END_TEST

/* What makes another shape of a request; `job` is a copy whose pointers are its own. */
struct change {
	const char *name;
	void (*make)(struct job *job, struct perseus_instruction *instructions);
	bool is_other;
};

static void
change_nothing(struct job *job, struct perseus_instruction *instructions)
{
	(void)job;
	(void)instructions;
}

static void
change_line(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->rows[3].line = 7;
}

static void
name_class(struct job *job, struct perseus_instruction *instructions)
{
	(void)job;
	instructions[0].class_name = perseus_kind_name(instructions[0].kind);
}

static void
change_time(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->rows[3].time_s = nextafter(job->rows[3].time_s, 1);
}

static void
change_energy(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->rows[5].energy_j += 1;
}

static void
change_clock(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->rows[0].frequency_mhz -= 15;
}

static void
change_blocking(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->blocking_w = 71;
}

static void
change_merge(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->request.profile.merge = PERSEUS_MERGE_SLOWEST;
}

static void
change_transfer(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->request.transfer_s = 0.001;
}

static void
change_granularity(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->request.granularity = PERSEUS_GRANULARITY_STAGE;
}

static void
change_latency(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->request.switch_latency_ns = 1;
}

static void
change_quantum(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->request.slope_quantum_uw = 1000;
}

static void
change_name(struct job *job, struct perseus_instruction *instructions)
{
	(void)instructions;
	job->request.order.name = "1f1c";
}

static void
change_order(struct job *job, struct perseus_instruction *instructions)
{
	(void)job;
	/* Two forwards of the first rank's warm-up. */
	const struct perseus_instruction first = instructions[0];
	instructions[0] = instructions[1];
	instructions[1] = first;
}

static const struct change changes[] = {
	{"nothing", change_nothing, false},
	{"the line that a row came from", change_line, false},
	{"a class name that is the kind's", name_class, false},
	{"the last bit of a time", change_time, true},
	{"an energy", change_energy, true},
	{"a clock", change_clock, true},
	{"blocking power", change_blocking, true},
	{"merging", change_merge, true},
	{"transfers", change_transfer, true},
	{"granularity", change_granularity, true},
	{"latency", change_latency, true},
	{"quantum", change_quantum, true},
	{"name", change_name, true},
	{"order", change_order, true},
};

/* The same content is the same shape, whoever asks and wherever the bytes lie; any difference makes another. */
START_TEST(same_content_is_one_shape)
{
	struct job job;
	job_init(&job, 3, 4);
	struct job other = job;
	const size_t n = (size_t)job.schedule->n_instructions;
	struct perseus_instruction *instructions = calloc(n, sizeof *instructions);
	ck_assert_ptr_nonnull(instructions);
	for (size_t i = 0; i < n; i++) {
		instructions[i] = job.schedule->instructions[i];
		instructions[i].class_name = NULL;
	}
	other.request.rows = other.rows;
	other.request.profile.blocking_power_w = &other.blocking_w;
	other.request.order.instructions = instructions;
	changes[_i].make(&other, instructions);
	struct perseus__planner *planner = new_planner(2, 3, 0);
	struct answer first;
	struct answer second;
	struct answer third;
	ask(planner, &job, &first); /* one is being made while the other asks */
	ask(planner, &other, &second);
	await(&first);
	await(&second);
	ask_and_wait(planner, &other, &third); /* made already */
	ck_assert_ptr_nonnull(first.shape);
	ck_assert_msg(second.shape, "%s: %s", changes[_i].name, second.err.message);
	ck_assert_msg((first.shape != second.shape) == changes[_i].is_other, "%s", changes[_i].name);
	ck_assert_ptr_eq(third.shape, second.shape);
	const struct perseus__planner_info info = perseus__planner_info(planner);
	ck_assert_int_eq(info.n_shapes, changes[_i].is_other ? 2 : 1);
	ck_assert_uint_eq(info.n_asked, 3);
	ck_assert_uint_eq(info.n_made, changes[_i].is_other ? 2 : 1);
	answer_fini(&first);
	answer_fini(&second);
	answer_fini(&third);
	perseus__planner_free(planner);
	free(instructions);
	job_fini(&job);
}
END_TEST

/* With one thread, which calls back before it goes on with the table, a shape that is new has one plan. */
START_TEST(idle_shapes_are_bounded)
{
	struct job jobs[3];
	struct perseus__planner *planner = new_planner(1, 5, 1);
	for (int k = 0; k < 3; k++) {
		job_init(&jobs[k], 2, 2 + k);
		struct answer answer;
		ask_and_wait(planner, &jobs[k], &answer);
		ck_assert_int_eq(answer.n_plans, 1);
		await_table(answer.shape);
		answer_fini(&answer);
	}
	/* One idle shape is kept beside the one in use: the one asked for last. */
	static const struct {
		int job;
		bool is_kept;
	} asks[] = {{2, true}, {2, true}, {0, false}, {0, true}, {2, true}, {1, false}, {0, false}};
	for (size_t k = 0; k < sizeof asks / sizeof asks[0]; k++) {
		struct answer answer;
		ask_and_wait(planner, &jobs[asks[k].job], &answer);
		ck_assert_msg((answer.n_plans > 1) == asks[k].is_kept, "ask %d finds %d plans", (int)k, (int)answer.n_plans);
		await_table(answer.shape);
		answer_fini(&answer);
	}
	/* One in use is shared however many come between. */
	struct answer used;
	ask_and_wait(planner, &jobs[0], &used);
	for (int k = 1; k < 3; k++) {
		struct answer answer;
		ask_and_wait(planner, &jobs[k], &answer);
		answer_fini(&answer);
	}
	struct answer again;
	ask_and_wait(planner, &jobs[0], &again);
	ck_assert_ptr_eq(again.shape, used.shape);
	answer_fini(&again);
	answer_fini(&used);
	perseus__planner_free(planner);
	for (int k = 0; k < 3; k++)
		job_fini(&jobs[k]);
}
END_TEST

static void
lack_class(struct job *job)
{
	job->request.n_rows -= N_CLOCKS;
}

static void
spoil_row(struct job *job)
{
	job->rows[2].time_s = -1;
}

static void
deadlock(struct job *job)
{
	/* The second rank wants the second microbatch first, which the first sends only after the first has come back. */
	static const int32_t rank_begin[] = {0, 4, 8};
	static const struct perseus_instruction instructions[] = {
		{.kind = PERSEUS_KIND_FORWARD},
		{.kind = PERSEUS_KIND_BACKWARD},
		{.kind = PERSEUS_KIND_FORWARD, .microbatch = 1},
		{.kind = PERSEUS_KIND_BACKWARD, .microbatch = 1},
		{.kind = PERSEUS_KIND_FORWARD, .stage = 1, .microbatch = 1},
		{.kind = PERSEUS_KIND_BACKWARD, .stage = 1, .microbatch = 1},
		{.kind = PERSEUS_KIND_FORWARD, .stage = 1},
		{.kind = PERSEUS_KIND_BACKWARD, .stage = 1},
	};
	job->request.order.rank_begin = rank_begin;
	job->request.order.instructions = instructions;
}

static void
no_common_clock(struct job *job)
{
	job->request.granularity = PERSEUS_GRANULARITY_JOB;
	for (int32_t k = 0; k < N_CLOCKS; k++)
		job->rows[k].frequency_mhz += 7;
}

static const struct {
	void (*spoil)(struct job *job);
	const char *says;
} errors[] = {
	{lack_class, "backward"},
	{spoil_row, "forward"},
	{deadlock, "deadlock"},
	{no_common_clock, "clock"},
};

/* What the library says comes through; and asking again, after an error, is answered, too. */
START_TEST(errors_are_passed_on)
{
	struct job job;
	job_init(&job, 2, 2);
	errors[_i].spoil(&job);
	struct perseus__planner *planner = new_planner(1, 3, 1);
	for (int k = 0; k < 2; k++) {
		struct answer answer;
		ask(planner, &job, &answer);
		await(&answer);
		ck_assert_ptr_null(answer.shape);
		ck_assert_int_eq(answer.err.status, PERSEUS_INVALID);
		ck_assert_msg(strstr(answer.err.message, errors[_i].says), "%s", answer.err.message);
		answer_fini(&answer);
	}
	perseus__planner_free(planner);
	job_fini(&job);
}
END_TEST

/* A lower clock may be faster: one clock for all misses T_min then, and the shortest deadline kept takes its place. */
START_TEST(first_deadline_can_be_kept)
{
	struct job job;
	job_init(&job, 2, 3);
	job.request.granularity = PERSEUS_GRANULARITY_JOB;
	job.rows[1].time_s = job.rows[N_CLOCKS - 1].time_s / 2;
	struct perseus__planner *planner = new_planner(1, 5, 1);
	struct answer answer;
	ask_and_wait(planner, &job, &answer);
	await_table(answer.shape);
	const struct perseus__shape_info info = perseus__shape_info(answer.shape);
	ck_assert_int_gt(info.t_min_ns, info.frontier.t_min_ns);
	ck_assert_ptr_null(perseus__shape_plan(answer.shape, info.t_min_ns - 1));
	const struct perseus_plan *plan = perseus__shape_plan(answer.shape, info.t_min_ns);
	ck_assert_ptr_nonnull(plan);
	ck_assert_int_le(plan->outcome.iteration_time_ns, info.t_min_ns);
	answer_fini(&answer);
	perseus__planner_free(planner);
	job_fini(&job);
}
END_TEST

/* A transfer time is a row of each stage that has none. */
START_TEST(transfers_are_added)
{
	struct job job;
	job_init(&job, 3, 4);
	struct perseus__planner *planner = new_planner(1, 1, 4);
	struct answer without;
	ask_and_wait(planner, &job, &without);
	job.request.transfer_s = 0.002;
	struct answer with;
	ask_and_wait(planner, &job, &with);
	job.request.transfer_s = 0;
	for (int32_t stage = 0; stage < 3; stage++)
		job.rows[job.request.n_rows++] =
				(struct perseus_measurement){.stage = stage, .instruction = PERSEUS_TRANSFER_CLASS, .time_s = 0.002};
	struct answer rows;
	ask_and_wait(planner, &job, &rows);
	const int64_t t_min_ns = perseus__shape_info(with.shape).t_min_ns;
	/* Two transfers forwards and two backwards are on every path through all stages. */
	ck_assert_int_ge(t_min_ns, perseus__shape_info(without.shape).t_min_ns + 4 * INT64_C(2000000));
	ck_assert_int_eq(t_min_ns, perseus__shape_info(rows.shape).t_min_ns);
	job.request.transfer_s = 0.5; /* rows have them already */
	struct answer both;
	ask_and_wait(planner, &job, &both);
	ck_assert_int_eq(t_min_ns, perseus__shape_info(both.shape).t_min_ns);
	answer_fini(&without);
	answer_fini(&with);
	answer_fini(&rows);
	answer_fini(&both);
	perseus__planner_free(planner);
	job_fini(&job);
}
END_TEST

/* Every ask is answered once, by CANCELLED or a shape, whatever the planner was at when it was freed. */
START_TEST(free_answers_all)
{
	enum { N = 24 };
	struct job jobs[N / 2];
	struct answer answers[N];
	for (int delay = 0; delay < 4; delay++) {
		struct perseus__planner *planner = new_planner(2, 33, 1);
		for (int k = 0; k < N; k++) {
			if (k < N / 2)
				job_init(&jobs[k], 6, 20 + k);
			ask(planner, &jobs[k % (N / 2)], &answers[k]);
		}
		for (int k = 0; k < 3 * delay; k++)
			nap();
		perseus__planner_free(planner);
		for (int k = 0; k < N; k++) {
			ck_assert_int_eq(answers[k].n_calls, 1);
			ck_assert(answers[k].shape || answers[k].err.status == PERSEUS_CANCELLED);
			/* A shape outlives its planner. */
			if (answers[k].shape)
				ck_assert_ptr_nonnull(perseus__shape_plan(answers[k].shape, INT64_MAX));
			answer_fini(&answers[k]);
		}
		for (int k = 0; k < N / 2; k++)
			job_fini(&jobs[k]);
	}
}
END_TEST

/* Work that would take minutes ends when nobody waits for it any more. */
START_TEST(cancelled_work_ends)
{
	struct job large;
	struct job small;
	job_init(&large, 8, 600);
	job_init(&small, 2, 2);
	struct perseus__planner *planner = new_planner(1, 3, 1);
	struct answer first;
	struct answer second;
	struct answer other;
	ask(planner, &large, &first);
	ask(planner, &large, &second);
	ask(planner, &small, &other);
	nap();
	/* The only thread is busy with what the second still waits for. */
	perseus__planner_cancel(planner, &first);
	perseus__planner_cancel(planner, &second);
	await(&first);
	await(&second);
	ck_assert_int_eq(first.err.status, PERSEUS_CANCELLED);
	ck_assert_int_eq(second.err.status, PERSEUS_CANCELLED);
	await(&other);
	ck_assert_ptr_nonnull(other.shape);
	perseus__planner_cancel(planner, &other); /* too late: nothing happens */
	ck_assert_int_eq(other.n_calls, 1);
	answer_fini(&first);
	answer_fini(&second);
	answer_fini(&other);
	perseus__planner_free(planner);
	job_fini(&large);
	job_fini(&small);
}
END_TEST

START_TEST(one_of_two_may_cancel)
{
	struct job busy;
	struct job job;
	job_init(&busy, 6, 60);
	job_init(&job, 2, 2);
	struct perseus__planner *planner = new_planner(1, 3, 1);
	struct answer before;
	struct answer first;
	struct answer second;
	ask(planner, &busy, &before); /* so that the others wait */
	ask(planner, &job, &first);
	ask(planner, &job, &second);
	perseus__planner_cancel(planner, &first);
	await(&second);
	ck_assert_ptr_nonnull(second.shape);
	await(&first);
	await(&before);
	answer_fini(&before);
	answer_fini(&first);
	answer_fini(&second);
	perseus__planner_free(planner);
	job_fini(&busy);
	job_fini(&job);
}
END_TEST

START_TEST(too_many_are_refused)
{
	struct job job;
	job_init(&job, 6, 60);
	struct perseus__planner_settings settings = perseus__planner_settings_default();
	settings.n_threads = 1;
	settings.max_waiting = 2;
	struct perseus__planner *planner = NULL;
	ck_assert_int_eq(perseus__planner_new(&settings, &planner, NULL), PERSEUS_OK);
	/* A thread that calls back holds its answer until this lets go of the mutex. */
	struct answer answers[2];
	struct perseus_error err;
	answer_init(&answers[0]);
	pthread_mutex_lock(&answers[0].mutex);
	ck_assert_int_eq(perseus__planner_ask(planner, &job.request, on_done, &answers[0], NULL), PERSEUS_OK);
	ask(planner, &job, &answers[1]);
	ck_assert_int_eq(perseus__planner_ask(planner, &job.request, on_done, NULL, &err), PERSEUS_BUSY);
	ck_assert_str_eq(err.message, "too many wait for the planner");
	pthread_mutex_unlock(&answers[0].mutex);
	await(&answers[0]);
	await(&answers[1]);
	/* Room again, once both are counted. */
	answer_fini(&answers[1]);
	answer_init(&answers[1]);
	while (perseus__planner_ask(planner, &job.request, on_done, &answers[1], NULL) == PERSEUS_BUSY)
		nap();
	await(&answers[1]);
	answer_fini(&answers[0]);
	answer_fini(&answers[1]);
	perseus__planner_free(planner);
	job_fini(&job);
}
END_TEST

enum { N_HAMMERS = 4, N_HAMMER_JOBS = 5, N_BLOWS = 60 };

struct hammer {
	struct perseus__planner *planner;
	const struct job *jobs;
	uint64_t state;
	pthread_t thread;
};

static void
use(struct hammer *hammer, struct perseus__shape *shape)
{
	const struct perseus__shape_info info = perseus__shape_info(shape);
	for (int k = 0; k < 20; k++) {
		const int64_t range_ns = info.t_star_ns - info.t_min_ns + 1;
		const int64_t deadline_ns = info.t_min_ns + range_ns * random_below(&hammer->state, 1000) / 1000;
		const struct perseus_plan *plan = perseus__shape_plan(shape, deadline_ns);
		ck_assert(plan && plan->outcome.iteration_time_ns <= deadline_ns);
	}
	struct answer refined;
	answer_init(&refined);
	ck_assert_int_eq(
			perseus__planner_refine(hammer->planner, shape, info.t_star_ns, on_refined, &refined, NULL), PERSEUS_OK);
	await(&refined);
	ck_assert_ptr_nonnull(refined.plan);
	answer_fini(&refined);
}

static void *
strike(void *user)
{
	struct hammer *hammer = user;
	for (int k = 0; k < N_BLOWS; k++) {
		struct answer answer;
		ask(hammer->planner, &hammer->jobs[random_below(&hammer->state, N_HAMMER_JOBS)], &answer);
		if (random_below(&hammer->state, 3) == 0)
			perseus__planner_cancel(hammer->planner, &answer);
		await(&answer);
		if (answer.shape && random_below(&hammer->state, 2) == 0)
			use(hammer, answer.shape);
		answer_fini(&answer);
	}
	return NULL;
}

/* Asking, looking up, refining, cancelling and letting go at the same time; for the sanitizers. */
START_TEST(many_threads)
{
	struct job jobs[N_HAMMER_JOBS];
	for (int k = 0; k < N_HAMMER_JOBS; k++)
		job_init(&jobs[k], 2 + k % 2, 2 + k);
	struct perseus__planner *planner = new_planner(3, 9, 1);
	struct hammer hammers[N_HAMMERS];
	for (int k = 0; k < N_HAMMERS; k++) {
		hammers[k] = (struct hammer){.planner = planner, .jobs = jobs, .state = (uint64_t)k};
		ck_assert_int_eq(pthread_create(&hammers[k].thread, NULL, strike, &hammers[k]), 0);
	}
	for (int k = 0; k < N_HAMMERS; k++)
		pthread_join(hammers[k].thread, NULL);
	perseus__planner_free(planner);
	for (int k = 0; k < N_HAMMER_JOBS; k++)
		job_fini(&jobs[k]);
}
END_TEST

static const struct {
	struct perseus__planner_settings settings;
	const char *message;
} bad[] = {
	{{0, 33, 16, 10}, "n_threads: 0 is not between 1 and 64"},
	{{65, 33, 16, 10}, "n_threads: 65 is not between 1 and 64"},
	{{1, 0, 16, 10}, "n_deadlines: 0 is not between 1 and 1024"},
	{{1, 33, -1, 10}, "max_idle_shapes: -1 is not between 0 and 2147483647"},
	{{1, 33, 16, 0}, "max_waiting: 0 is not between 1 and 2147483647"},
};

START_TEST(bad_settings)
{
	struct perseus_error err;
	struct perseus__planner *planner = NULL;
	ck_assert_int_eq(perseus__planner_new(&bad[_i].settings, &planner, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad[_i].message);
	ck_assert_ptr_null(planner);
	perseus__planner_free(NULL);
}
END_TEST

static struct job tortured;

static enum perseus_status
make_shape(void **out, struct perseus_error *err)
{
	struct perseus__shape *shape = NULL;
	enum perseus_status status = perseus__shape_new(&tortured.request, 3, &shape, err);
	if (status == PERSEUS_OK)
		status = perseus__shape_make(shape, err);
	if (status == PERSEUS_OK)
		*out = shape;
	else
		perseus__shape_unref(shape);
	return status;
}

static void
destroy_shape(void *shape)
{
	perseus__shape_unref(shape);
}

START_TEST(shape_without_memory)
{
	job_init(&tortured, 2, 2);
	tortured.request.transfer_s = 0.001;
	const struct torture_scenario scenario = {"shape", make_shape, destroy_shape};
	torture_run(&scenario, FAILING_ALLOC_ONE);
	torture_run(&scenario, FAILING_ALLOC_REST);
	job_fini(&tortured);
}
END_TEST

/* A deadline that finds no memory leaves a gap, which the plan before serves. */
START_TEST(table_without_memory)
{
	job_init(&tortured, 2, 2);
	void *out = NULL;
	ck_assert_int_eq(make_shape(&out, NULL), PERSEUS_OK);
	struct perseus__shape *shape = out;
	failing_alloc_arm(0, FAILING_ALLOC_REST);
	while (perseus__shape_fill(shape))
		continue;
	ck_assert(failing_alloc_disarm());
	ck_assert(perseus__shape_info(shape).is_complete);
	ck_assert_int_eq(perseus__shape_info(shape).n_plans, 1);
	ck_assert_int_eq(perseus__shape_plan(shape, INT64_MAX)->deadline_ns, perseus__shape_info(shape).t_min_ns);
	perseus__shape_unref(shape);
	job_fini(&tortured);
}
END_TEST

/* A plan with a longer deadline that needs more is never taken. */
START_TEST(lookup_takes_the_best)
{
	job_init(&tortured, 3, 4);
	struct perseus__shape *shape = NULL;
	ck_assert_int_eq(perseus__shape_new(&tortured.request, 5, &shape, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__shape_make(shape, NULL), PERSEUS_OK);
	while (perseus__shape_fill(shape))
		continue;
	ck_assert_int_eq(perseus__shape_info(shape).n_plans, 5);
	const int64_t middle_ns = shape->slots[2].deadline_ns;
	ck_assert_int_eq(perseus__shape_plan(shape, middle_ns)->deadline_ns, middle_ns);
	shape->slots[2].effective_j = shape->slots[0].effective_j + 1; /* as where a search had no luck */
	ck_assert_int_eq(perseus__shape_plan(shape, middle_ns)->deadline_ns, shape->slots[1].deadline_ns);
	ck_assert_double_eq(perseus__shape_effective_j(shape, middle_ns), shape->slots[1].effective_j);
	ck_assert_int_eq(perseus__shape_plan(shape, INT64_MAX)->deadline_ns, shape->slots[4].deadline_ns);
	perseus__shape_unref(shape);
	job_fini(&tortured);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("planner");
	TCase *tcase = tcase_create("planner");
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, plans_are_those_of_the_library, 0, sizeof plan_cases / sizeof plan_cases[0]);
	tcase_add_test(tcase, refined_plans_are_exact);
	tcase_add_loop_test(tcase, same_content_is_one_shape, 0, sizeof changes / sizeof changes[0]);
	tcase_add_test(tcase, idle_shapes_are_bounded);
	tcase_add_loop_test(tcase, errors_are_passed_on, 0, sizeof errors / sizeof errors[0]);
	tcase_add_test(tcase, first_deadline_can_be_kept);
	tcase_add_test(tcase, transfers_are_added);
	tcase_add_test(tcase, free_answers_all);
	tcase_add_test(tcase, cancelled_work_ends);
	tcase_add_test(tcase, one_of_two_may_cancel);
	tcase_add_test(tcase, too_many_are_refused);
	tcase_add_test(tcase, many_threads);
	tcase_add_loop_test(tcase, bad_settings, 0, sizeof bad / sizeof bad[0]);
	tcase_add_test(tcase, lookup_takes_the_best);
	tcase_add_test(tcase, shape_without_memory);
	tcase_add_test(tcase, table_without_memory);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
