/*
 * The life of a job, with ranks that are computed: registration, profiling, frontier, plan, stragglers told and found,
 * drift, restarts, faults of the disk. Neither sockets nor clocks.
 */
#include "faulty_vfs.h"
#include "sim_ranks.h"
#include "suite.h"

#include "base/memory.h"
#include "server/planner.h"
#include "server/store.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 128, MAX_STEPS = 150 };

/* A server without sockets. */
static char directory[64];
static char path[PATH_BYTES];
static struct perseus__store *store;
static struct perseus__planner *planner;
static struct perseus__jobs *jobs;
static struct sim_training training;
static int n_events[PERSEUS__JOB_EVENT_WARNING + 1];
static char last_warning[1024];

static void
count_event(void *user, const char *job, enum perseus__job_event event, const char *data)
{
	(void)user;
	(void)job;
	json_t *document = json_loads(data, 0, NULL);
	ck_assert_msg(json_is_object(document), "%s: %s", perseus__job_event_name(event), data);
	n_events[event]++;
	if (event == PERSEUS__JOB_EVENT_WARNING)
		(void)snprintf(last_warning, sizeof last_warning, "%s", data);
	json_decref(document);
}

static void
start_server(struct perseus__now now)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__store_open(path, &store, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus__planner_new(NULL, &planner, &err) == PERSEUS_OK, "%s", err.message);
	struct perseus__jobs_settings settings = perseus__jobs_settings_default();
	settings.store = store;
	settings.planner = planner;
	settings.sink = count_event;
	ck_assert_msg(perseus__jobs_new(&settings, now, &jobs, &err) == PERSEUS_OK, "%s", err.message);
	perseus__jobs_settle(jobs);
}

static void
stop_server(void)
{
	perseus__jobs_end(jobs);
	perseus__jobs_settle(jobs);
	perseus__planner_free(planner);
	perseus__store_close(store);
	perseus__jobs_free(jobs);
}

static void
restart_server(void)
{
	stop_server();
	start_server(training.now);
	sim_training_reconnect(&training, jobs);
}

static void
set_up(void)
{
	(void)snprintf(directory, sizeof directory, "/tmp/test-jobs-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof path, "%s/jobs.db", directory);
	memset(n_events, 0, sizeof n_events);
	start_server((struct perseus__now){.mono_ns = 1000000000, .wall_ms = INT64_C(1764403200000)});
}

static void
tear_down(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
	faulty_vfs_set(FAULTY_VFS_NONE);
	stop_server();
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		char name[PATH_BYTES + 8];
		(void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
		(void)remove(name);
	}
	(void)rmdir(directory);
}

static const json_t *
at(const json_t *document, const char *key)
{
	const json_t *value = json_object_get(document, key);
	ck_assert_msg(value != NULL, "there is no %s", key);
	return value;
}

static double
number_of(const json_t *document, const char *first, const char *second)
{
	const json_t *value = second ? at(at(document, first), second) : at(document, first);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Steps until the plan is in force in all pipelines. */
static void
train_to_plan(void)
{
	for (int i = 0; i < MAX_STEPS + 20; i++) {
		bool is_planned = true;
		for (int32_t r = 0; r < training.dp * training.pp; r++)
			is_planned &= strcmp(training.ranks[r].now.phase, "plan") == 0;
		if (is_planned)
			return;
		sim_training_step(&training);
	}
	sim_require_phase(&training, "planned");
	ck_abort_msg("there is no plan after %d steps", MAX_STEPS + 20);
}

static void
begin_training(int32_t dp, int32_t pp, int32_t n_microbatches, int32_t n_clocks)
{
	sim_training_init(&training, jobs, dp, pp, n_microbatches, n_clocks);
	sim_training_register(&training, "");
}

static void
require_close(double found, double expected, double tolerance, const char *what)
{
	ck_assert_msg(
			fabs(found - expected) <= tolerance * fabs(expected), "%s: %.9g, expected %.9g", what, found, expected);
}

/* What was learned of every class at every clock is what is true. */
static void
check_profile(double tolerance)
{
	json_t *profile = sim_view(&training, PERSEUS__JOB_VIEW_PROFILE_JSON, 200);
	const json_t *rows = at(profile, "rows");
	ck_assert_uint_gt(json_array_size(rows), (size_t)training.pp * 2);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const int32_t stage = (int32_t)json_integer_value(at(row, "stage"));
		const int32_t mhz = (int32_t)json_integer_value(at(row, "frequency_mhz"));
		const bool is_backward = strcmp(json_string_value(at(row, "instruction")), "backward") == 0;
		require_close(
				number_of(row, "time_s", NULL), sim_time_s(&training, stage, is_backward, mhz), tolerance, "time_s");
		require_close(number_of(row, "energy_j", NULL), sim_energy_j(&training, stage, is_backward, mhz), tolerance,
				"energy_j");
	}
	require_close(number_of(profile, "transfer_s", NULL), training.transfer_s, 0.05, "transfer_s");
	require_close(number_of(profile, "overhead_s", NULL), training.overhead_s, 0.05, "overhead_s");
	const json_t *blocking = at(profile, "blocking_power_w");
	for (size_t stage = 0; stage < json_array_size(blocking); stage++)
		require_close(
				json_number_value(json_array_get(blocking, stage)), training.blocking_w, tolerance, "blocking_power_w");
	json_decref(profile);
}

/* What is planned of an iteration is what it takes. */
static void
check_plan(double tolerance)
{
	json_t *summary = sim_view(&training, PERSEUS__JOB_VIEW_SUMMARY, 200);
	sim_training_step(&training);
	require_close(training.iteration_s, number_of(summary, "plan", "iteration_time_s"), tolerance, "iteration_time_s");
	require_close(training.energy_j, number_of(summary, "plan", "energy_j"), tolerance, "energy_j");
	json_decref(summary);
}

START_TEST(a_job_is_profiled_and_planned)
{
	begin_training(1, 4, 8, 12);
	sim_require_phase(&training, "profiling");
	train_to_plan();
	ck_assert_int_le(training.step, MAX_STEPS);
	check_profile(0.02);
	sim_training_step(&training);
	check_plan(0.02);
	for (int i = 0; i < 20; i++)
		sim_training_step(&training);
	json_t *summary = sim_view(&training, PERSEUS__JOB_VIEW_SUMMARY, 200);
	const json_t *savings = at(summary, "savings");
	ck_assert_int_ge(json_integer_value(at(savings, "measured_steps")), 20);
	const double predicted = number_of(savings, "predicted", "saving"),
				 measured = number_of(savings, "measured", "saving");
	ck_assert_msg(measured > 0.03, "saving %.6g", measured);
	ck_assert_msg(fabs(measured - predicted) < 0.02, "measured %.6g, predicted %.6g", measured, predicted);
	require_close(number_of(savings, "measured", "time_s"), number_of(savings, "predicted", "time_s"), 0.02, "time_s");
	json_decref(summary);
	ck_assert_int_gt(n_events[PERSEUS__JOB_EVENT_FRONTIER], 0);
	ck_assert_int_gt(n_events[PERSEUS__JOB_EVENT_SAVINGS], 0);
	json_decref(sim_view(&training, PERSEUS__JOB_VIEW_FRONTIER, 200));
	json_t *plan = sim_view(&training, PERSEUS__JOB_VIEW_PLAN, 200);
	ck_assert_int_eq(json_integer_value(at(plan, "version")), 1);
	json_decref(plan);
	json_t *plans = sim_view(&training, PERSEUS__JOB_VIEW_PLANS, 200);
	ck_assert_uint_gt(json_array_size(at(plans, "plans")), 1);
	json_decref(plans);
	sim_training_fini(&training);
}
END_TEST

static const char *
phase_of(int32_t rank)
{
	return training.ranks[rank].now.phase;
}

/* All ranks of a pipeline are in the same revision from the same step on. */
static void
check_together(void)
{
	for (int32_t r = 0; r < training.dp * training.pp; r++) {
		const struct sim_rank *rank = &training.ranks[r], *first = &training.ranks[r - r % training.pp];
		ck_assert_int_eq(rank->now.revision, first->now.revision);
		ck_assert_int_eq(rank->now.from_step, first->now.from_step);
	}
}

/* Energy of a rank's clocks: the mean, which a slower plan lowers. */
static double
mean_mhz(int32_t pipeline)
{
	double sum = 0;
	int32_t n = 0;
	for (int32_t pp = 0; pp < training.pp; pp++) {
		const struct sim_rank *rank = &training.ranks[pipeline * training.pp + pp];
		const int32_t length = training.schedule->rank_begin[pp + 1] - training.schedule->rank_begin[pp];
		for (int32_t i = 0; i < length; i++, n++)
			sum += rank->now.mhz[i];
	}
	return sum / n;
}

START_TEST(an_announced_straggler_slows_the_others)
{
	begin_training(2, 3, 6, 12);
	train_to_plan();
	const double before = mean_mhz(0);
	json_decref(sim_post(&training, perseus__jobs_announce, "{\"pipeline\":1,\"degree\":1.08,\"delay_s\":2}", 200));
	json_t *stragglers = sim_view(&training, PERSEUS__JOB_VIEW_STRAGGLERS, 200);
	ck_assert_uint_eq(json_array_size(at(stragglers, "announced")), 1);
	json_decref(stragglers);
	sim_training_step(&training);
	ck_assert_double_eq_tol(mean_mhz(0), before, 1e-9); /* not yet */
	training.slow[1] = 1.08;
	for (int i = 0; i < 8; i++)
		sim_training_step(&training);
	ck_assert_msg(mean_mhz(0) < before - 5, "%.9g, before %.9g", mean_mhz(0), before);
	ck_assert_double_eq_tol(mean_mhz(1), before, 1e-9);
	check_together();
	/* Nobody waits longer than for the straggler. */
	ck_assert_msg(
			training.span_s[0] <= training.span_s[1] * 1.001, "%.9g, %.9g", training.span_s[0], training.span_s[1]);
	training.slow[1] = 1;
	json_decref(sim_post(&training, perseus__jobs_announce, "{\"pipeline\":1,\"degree\":1}", 200));
	for (int i = 0; i < 6; i++)
		sim_training_step(&training);
	ck_assert_double_eq_tol(mean_mhz(0), before, 1e-9);
	sim_training_fini(&training);
}
END_TEST

START_TEST(a_straggler_is_found_and_answered_in_three_steps)
{
	begin_training(3, 3, 6, 12);
	training.noise = 0.01;
	train_to_plan();
	for (int i = 0; i < 12; i++)
		sim_training_step(&training);
	const double before = mean_mhz(0);
	ck_assert_int_eq(n_events[PERSEUS__JOB_EVENT_STRAGGLER], 0);
	training.slow[2] = 1.15;
	int n_steps = 0;
	while (mean_mhz(0) > before - 5 && n_steps < 10) {
		sim_training_step(&training);
		n_steps++;
	}
	/* Two steps show it; the one under way when they are known goes on; the answer begins with the next. */
	ck_assert_msg(n_steps <= 4, "%d steps until the first slower one", n_steps);
	ck_assert_double_eq_tol(mean_mhz(2), before, 1e-9);
	check_together();
	json_t *stragglers = sim_view(&training, PERSEUS__JOB_VIEW_STRAGGLERS, 200);
	const json_t *detected = json_array_get(at(stragglers, "detected"), 0);
	ck_assert_int_eq(json_integer_value(at(detected, "pipeline")), 2);
	require_close(number_of(detected, "degree", NULL), 1.15, 0.03, "degree");
	json_decref(stragglers);
	for (int i = 0; i < 10; i++)
		sim_training_step(&training);
	training.slow[2] = 1;
	for (int i = 0; i < 12; i++)
		sim_training_step(&training);
	ck_assert_double_eq_tol(mean_mhz(0), before, 1e-9);
	sim_training_fini(&training);
}
END_TEST

START_TEST(drift_refreshes_the_profile)
{
	begin_training(2, 3, 6, 10);
	train_to_plan();
	for (int i = 0; i < 20; i++)
		sim_training_step(&training);
	ck_assert_int_eq(n_events[PERSEUS__JOB_EVENT_DRIFT], 0);
	training.drift = 1.1;
	for (int i = 0; i < 60; i++)
		sim_training_step(&training);
	ck_assert_int_gt(n_events[PERSEUS__JOB_EVENT_DRIFT], 0);
	ck_assert_int_eq(n_events[PERSEUS__JOB_EVENT_STRAGGLER], 0);
	json_t *profile = sim_view(&training, PERSEUS__JOB_VIEW_PROFILE_JSON, 200);
	const json_t *row = json_array_get(at(profile, "rows"), 0);
	const bool is_backward = strcmp(json_string_value(at(row, "instruction")), "backward") == 0;
	require_close(number_of(row, "time_s", NULL),
			1.1 * sim_time_s(&training, 0, is_backward, (int32_t)json_integer_value(at(row, "frequency_mhz"))), 0.03,
			"time_s");
	json_decref(profile);
	sim_training_fini(&training);
}
END_TEST

/* Whenever the server begins anew, the job goes on where it was. */
START_TEST(a_restart_goes_on)
{
	static const int gaps[] = {1, 3, 7, 20};
	const int gap = gaps[_i];
	begin_training(2, 3, 6, 8);
	restart_server();
	for (int i = 0; i < MAX_STEPS + 40 && strcmp(phase_of(0), "plan") != 0; i++) {
		sim_training_step(&training);
		if (i % gap == 0 && i < 60)
			restart_server();
	}
	for (int i = 0; i < 3; i++)
		sim_training_step(&training);
	ck_assert_str_eq(phase_of(0), "plan");
	check_profile(0.02);
	check_together();
	const double before = mean_mhz(0);
	json_t *summary = sim_view(&training, PERSEUS__JOB_VIEW_SUMMARY, 200);
	const json_int_t n_steps = json_integer_value(at(at(summary, "savings"), "steps"));
	json_decref(summary);
	const int64_t revision = training.ranks[0].now.revision;
	for (int i = 0; i < 10; i++) {
		sim_training_step(&training);
		restart_server();
	}
	ck_assert_int_eq(training.ranks[0].now.revision, revision); /* nothing new to say */
	summary = sim_view(&training, PERSEUS__JOB_VIEW_SUMMARY, 200);
	ck_assert_int_eq(json_integer_value(at(at(summary, "savings"), "steps")), n_steps + 10);
	json_decref(summary);
	json_decref(sim_post(&training, perseus__jobs_announce, "{\"pipeline\":0,\"degree\":1.1}", 200));
	restart_server();
	for (int i = 0; i < 4; i++)
		sim_training_step(&training);
	ck_assert_msg(mean_mhz(1) < before - 5, "%.9g, before %.9g", mean_mhz(1), before);
	sim_training_fini(&training);
}
END_TEST

/* A rank that dies takes nobody along, and comes back. */
START_TEST(the_rest_goes_on_without_a_dead_rank)
{
	begin_training(2, 2, 4, 8);
	for (int i = 0; i < 5; i++)
		sim_training_step(&training);
	training.ranks[3].is_dead = true;
	ck_assert_ptr_eq(perseus__jobs_abandon(jobs, &training.ranks[3].poll), &training.ranks[3].poll.call);
	ck_assert_ptr_null(perseus__jobs_abandon(jobs, &training.ranks[3].poll));
	training.ranks[3].has_poll = false;
	for (int i = 0; i < MAX_STEPS + 60 && strcmp(phase_of(0), "plan") != 0; i++)
		sim_training_step(&training);
	ck_assert_str_eq(phase_of(0), "plan");
	json_t *summary = sim_view(&training, PERSEUS__JOB_VIEW_SUMMARY, 200);
	ck_assert_int_eq(json_integer_value(at(at(summary, "ranks"), "present")), 3);
	json_decref(summary);
	training.ranks[3].is_dead = false;
	sim_training_listen(&training);
	for (int i = 0; i < 5; i++)
		sim_training_step(&training);
	ck_assert_str_eq(phase_of(3), "plan");
	check_together();
	sim_training_fini(&training);
}
END_TEST

/* All processes of the job begin anew: so do their steps, and the plan comes again. */
START_TEST(a_job_that_comes_back_has_its_plan_at_once)
{
	sim_training_init(&training, jobs, 1, 2, 4, 8);
	sim_training_register(&training, ",\"key\":\"again\",\"fingerprint\":{\"model\":\"small\"}");
	train_to_plan();
	for (int i = 0; i < 5; i++)
		sim_training_step(&training);
	char first[32];
	(void)snprintf(first, sizeof first, "%s", training.job);
	struct perseus__now now = training.now;
	sim_training_fini(&training);

	sim_training_init(&training, jobs, 1, 2, 4, 8);
	training.now = now;
	sim_training_register(&training, ",\"key\":\"again\",\"fingerprint\":{\"model\":\"small\"}");
	ck_assert_str_eq(training.job, first);
	for (int i = 0; i < 3; i++)
		sim_training_step(&training);
	ck_assert_str_eq(phase_of(0), "plan");
	check_together();
	now = training.now;
	sim_training_fini(&training);

	/* Another job of the same fingerprint. */
	sim_training_init(&training, jobs, 1, 2, 4, 8);
	training.now = now;
	sim_training_register(&training, ",\"fingerprint\":{\"model\":\"small\"}");
	ck_assert_str_ne(training.job, first);
	sim_require_phase(&training, "planned");
	for (int i = 0; i < 3; i++)
		sim_training_step(&training);
	ck_assert_str_eq(phase_of(0), "plan");
	sim_training_fini(&training);

	/* And of another. */
	sim_training_init(&training, jobs, 1, 2, 4, 8);
	training.now = now;
	sim_training_register(&training, ",\"fingerprint\":{\"model\":\"large\"}");
	sim_require_phase(&training, "profiling");
	sim_training_fini(&training);
}
END_TEST

START_TEST(targets_move_the_deadline)
{
	begin_training(1, 3, 6, 12);
	train_to_plan();
	sim_training_step(&training);
	const double fastest_s = training.iteration_s, before = mean_mhz(0);
	json_decref(sim_post(&training, perseus__jobs_set_target, "{\"kind\":\"slowdown\",\"slowdown\":1.04}", 200));
	for (int i = 0; i < 4; i++)
		sim_training_step(&training);
	ck_assert_msg(mean_mhz(0) < before, "%.9g, before %.9g", mean_mhz(0), before);
	ck_assert_msg(training.iteration_s < fastest_s * 1.045, "%.9g, %.9g", training.iteration_s, fastest_s);
	json_t *error = sim_post(&training, perseus__jobs_set_target, "{\"kind\":\"slowdown\",\"slowdown\":0.5}", 400);
	ck_assert_ptr_nonnull(strstr(json_string_value(at(error, "error")), "slowdown"));
	json_decref(error);
	json_decref(sim_post(&training, perseus__jobs_set_target, "{\"kind\":\"power\",\"power_w\":1}", 200));
	ck_assert_ptr_nonnull(strstr(last_warning, "no plan stays below 1 W"));
	json_decref(sim_post(&training, perseus__jobs_set_target, "{\"kind\":\"time\"}", 200));
	restart_server();
	for (int i = 0; i < 4; i++)
		sim_training_step(&training);
	ck_assert_double_eq_tol(mean_mhz(0), before, 1e-9);
	sim_training_fini(&training);
}
END_TEST

static const char small_csv[] = "stage,instruction,frequency,time,energy\n"
								"0,forward,1410,0.031,8.5\n0,forward,1200,0.035,7.6\n0,forward,1050,0.038,7.4\n"
								"0,backward,1410,0.061,18.9\n0,backward,1200,0.069,17\n0,backward,1050,0.077,16.5\n"
								"1,forward,1410,0.033,8.9\n1,forward,1200,0.037,8\n1,forward,1050,0.041,7.8\n"
								"1,backward,1410,0.065,20\n1,backward,1200,0.074,18\n1,backward,1050,0.081,17.5\n";

static void
put_profile(
		struct perseus__jobs *to, struct perseus__call *call, const char *job, const struct perseus__message *message)
{
	perseus__jobs_put_profile(to, call, job, 80, message);
}

/* Where clocks cannot be set there is no walk; an uploaded profile shows what a plan would save. */
START_TEST(a_dry_run_takes_an_uploaded_profile)
{
	sim_training_init(&training, jobs, 1, 2, 4, 8);
	training.control = "dry-run";
	sim_training_register(&training, "");
	sim_require_phase(&training, "profiling");
	for (int i = 0; i < 40; i++)
		sim_training_step(&training);
	sim_require_phase(&training, "free");
	json_t *answer = sim_post(&training, put_profile, small_csv, 200);
	ck_assert_int_eq(json_integer_value(at(answer, "rows")), 12);
	json_decref(answer);
	sim_require_phase(&training, "planned");
	json_t *summary = sim_view(&training, PERSEUS__JOB_VIEW_SUMMARY, 200);
	ck_assert_msg(number_of(summary, "plan", "saving") > 0, "%.9g", number_of(summary, "plan", "saving"));
	json_decref(summary);
	restart_server();
	sim_require_phase(&training, "planned");
	json_t *error = sim_post(&training, put_profile, "stage,instruction\n0,forward\n", 400);
	ck_assert_ptr_nonnull(strstr(json_string_value(at(error, "error")), "profile"));
	json_decref(error);
	sim_training_fini(&training);
}
END_TEST

/* A job of which a profile is uploaded, since its clocks cannot be set. */
static void
train_uploaded(struct sim_training *uploaded, int32_t n_microbatches)
{
	sim_training_init(uploaded, jobs, 1, 2, n_microbatches, 8);
	uploaded->control = "dry-run";
	sim_training_register(uploaded, "");
	for (int i = 0; i < 40; i++)
		sim_training_step(uploaded);
	json_decref(sim_post(uploaded, put_profile, small_csv, 200));
	sim_require_phase(uploaded, "planned");
}

/* Jobs of one profile and schedule, which are there at the same time; and one of another schedule. */
START_TEST(jobs_of_one_shape_share_a_frontier)
{
	static const int32_t n_microbatches[] = {4, 4, 5};
	struct sim_training trainings[3];
	struct perseus__planner_info info[3];
	for (int k = 0; k < 3; k++) {
		train_uploaded(&trainings[k], n_microbatches[k]);
		info[k] = perseus__planner_info(planner);
	}
	ck_assert_uint_gt(info[1].n_asked, info[0].n_asked);
	ck_assert_uint_eq(info[1].n_made, info[0].n_made);
	ck_assert_int_eq(info[1].n_shapes, info[0].n_shapes);
	ck_assert_uint_gt(info[2].n_made, info[1].n_made);
	struct perseus__jobs_counts counts;
	perseus__jobs_counts(jobs, &counts);
	ck_assert_uint_eq(counts.n_shapes, info[2].n_asked);
	ck_assert_uint_eq(counts.n_frontiers, info[2].n_made);
	for (int k = 0; k < 3; k++)
		sim_training_fini(&trainings[k]);
}
END_TEST

/* While the disk is full nothing is acknowledged; then everything goes on. */
START_TEST(a_full_disk_is_said_and_survived)
{
	begin_training(1, 2, 4, 8);
	for (int i = 0; i < 5; i++)
		sim_training_step(&training);
	faulty_vfs_set(FAULTY_VFS_FULL);
	static const char report[] = "{\"steps\":[{\"step\":900,\"time_s\":1,\"is_followed\":true}]}";
	struct sim_reply reply;
	const struct perseus__message message = {.bytes = report, .length = strlen(report), .now = training.now};
	sim_reply_init(&reply);
	perseus__jobs_report(jobs, &reply.call, training.job, 0, &message);
	perseus__jobs_settle(jobs);
	ck_assert_int_eq(reply.code, 503);
	ck_assert_msg(strstr(reply.body, "disk is full") != NULL, "%s", reply.body);
	sim_reply_fini(&reply);
	json_decref(sim_post(&training, perseus__jobs_announce, "{\"pipeline\":0,\"degree\":1.2}", 503));
	json_decref(sim_view(&training, PERSEUS__JOB_VIEW_SUMMARY, 200));
	faulty_vfs_set(FAULTY_VFS_NONE);
	train_to_plan();
	check_profile(0.02);
	sim_training_fini(&training);
}
END_TEST

static void
delete_job(
		struct perseus__jobs *to, struct perseus__call *call, const char *job, const struct perseus__message *message)
{
	perseus__jobs_delete(to, call, job, message->now);
}

START_TEST(an_ended_job_lets_clocks_go)
{
	begin_training(1, 2, 4, 8);
	train_to_plan();
	json_decref(sim_post(&training, delete_job, "", 200));
	sim_training_listen(&training);
	for (int32_t r = 0; r < 2; r++) {
		ck_assert_str_eq(training.ranks[r].next.phase, "free");
		ck_assert_int_eq(training.ranks[r].next.n_segments, 0);
		ck_assert_int_eq(training.ranks[r].next.from_step, 0);
	}
	json_t *error = sim_post(&training, delete_job, "", 404);
	ck_assert_ptr_nonnull(strstr(json_string_value(at(error, "error")), "has ended"));
	json_decref(error);
	restart_server();
	sim_require_phase(&training, "ended");
	/* In the end it is forgotten. */
	training.now.wall_ms += INT64_C(8) * 24 * 3600 * 1000;
	training.now.mono_ns += INT64_C(8) * 24 * 3600 * 1000000000;
	perseus__jobs_tick(jobs, training.now);
	json_decref(sim_view(&training, PERSEUS__JOB_VIEW_SUMMARY, 404));
	sim_training_fini(&training);
}
END_TEST

START_TEST(idle_jobs_are_ended)
{
	begin_training(1, 2, 4, 8);
	for (int32_t r = 0; r < 2; r++) {
		training.ranks[r].is_dead = true;
		ck_assert_ptr_nonnull(perseus__jobs_abandon(jobs, &training.ranks[r].poll));
		training.ranks[r].has_poll = false;
	}
	training.now.wall_ms += INT64_C(8) * 24 * 3600 * 1000;
	training.now.mono_ns += INT64_C(8) * 24 * 3600 * 1000000000;
	perseus__jobs_tick(jobs, training.now);
	perseus__jobs_settle(jobs);
	sim_require_phase(&training, "ended");
	sim_training_fini(&training);
}
END_TEST

static void
register_job(
		struct perseus__jobs *to, struct perseus__call *call, const char *job, const struct perseus__message *message)
{
	(void)job;
	perseus__jobs_register(to, call, message);
}

static const struct {
	const char *body;
	int code;
	const char *text;
} registrations[] = {
	{"", 400, "no JSON"},
	{"[]", 400, "expected a JSON object"},
	{"{\"name\":\"x\"}", 400, "parallel: missing"},
	{"{\"name\":\"x\",\"parallel\":{\"dp\":0}}", 400, "parallel.dp: expected an integer from 1"},
	{"{\"name\":\"x\",\"parallel\":{\"dp\":1048576,\"pp\":1048576}}", 400, "parallel: dp * pp * tp * cp"},
	{"{\"name\":\"x\",\"parallel\":{\"dp\":65537}}", 400, "parallel: 65537 ranks: this server takes 65536"},
	{"{\"name\":\"x\",\"parallel\":{},\"colour\":1}", 400, "colour: unknown field"},
	{"{\"name\":\"x\",\"parallel\":{},\"target\":{\"kind\":\"speed\"}}", 400, "target.kind: expected one of"},
	{"{\"name\":\"x\",\"parallel\":{},\"target\":{\"kind\":\"power\"}}", 400, "target.power_w: missing"},
	{"{\"name\":\"x\",\"parallel\":{},\"fingerprint\":{\"model\":1}}", 400, "fingerprint.value: expected a string"},
	{"{\"name\":\"x\",\"parallel\":{},\"granularity\":\"fine\"}", 400, "granularity: expected one of"},
	{"{\"name\":\"x\",\"parallel\":{},\"profiling\":{\"max_steps\":0}}", 400, "profiling.max_steps: expected"},
	{"{\"name\":\"x\",\"key\":\"k\",\"parallel\":{}}", 200, NULL},
	{"{\"key\":\"k\",\"parallel\":{},\"name\":\"x\"}", 200, NULL},
	{"{\"name\":\"y\",\"key\":\"k\",\"parallel\":{}}", 409, "has this key and was registered with other content"},
};

START_TEST(registrations_are_checked)
{
	sim_training_init(&training, jobs, 1, 1, 1, 1);
	char first[32] = "";
	for (size_t i = 0; i < sizeof registrations / sizeof *registrations; i++) {
		json_t *answer = sim_post(&training, register_job, registrations[i].body, registrations[i].code);
		if (registrations[i].text) {
			const char *error = json_string_value(at(answer, "error"));
			ck_assert_msg(strstr(error, registrations[i].text) != NULL, "%s: %s", registrations[i].body, error);
		} else {
			const char *id = json_string_value(at(answer, "job"));
			ck_assert_int_eq(json_is_true(at(answer, "is_new")), *first == '\0');
			if (*first)
				ck_assert_str_eq(id, first);
			(void)snprintf(first, sizeof first, "%s", id);
		}
		json_decref(answer);
	}
	sim_training_fini(&training);
}
END_TEST

#define RANK(rank, pp, more)        \
	"{\"rank\":" rank ",\"pp\":" pp \
	",\"clocks_mhz\":[1410,1395],\"control\":\"agent\",\"order\":[\"0F0\",\"0B0\"]" more "}"

static const struct {
	const char *body;
	int code;
	const char *text;
} ranks[] = {
	{RANK("0", "0", ""), 200, NULL},
	{RANK("0", "0", ""), 200, NULL},
	{RANK("0", "1", ""), 409, "rank 0 is at dp 0, pp 0"},
	{RANK("1", "0", ""), 409, "is rank 0 already"},
	{RANK("2", "1", ""), 400, "rank: 2: the job has 0 to 1"},
	{RANK("1", "2", ""), 400, "pp: 2: the job has 0 to 1"},
	{RANK("1", "1", ",\"gpu\":{\"colour\":1}"), 400, "gpu.colour: unknown field"},
	{"{\"rank\":1,\"pp\":1,\"clocks_mhz\":[1395,1410],\"control\":\"agent\",\"order\":[\"1F0\"]}", 400,
		"clocks_mhz[1]: expected clocks in descending order"},
	{"{\"rank\":1,\"pp\":1,\"clocks_mhz\":[],\"control\":\"hand\",\"order\":[\"1F0\"]}", 400,
		"control: expected one of"},
	{"{\"rank\":1,\"pp\":1,\"clocks_mhz\":[],\"control\":\"none\",\"order\":[\"1F0\",\"F\"]}", 400, "order[1]: "},
	{"{\"rank\":1,\"pp\":1,\"clocks_mhz\":[],\"control\":\"none\",\"order\":[]}", 400, "order: expected one"},
	/* Both ranks say that they run stage 0. */
	{RANK("1", "1", ""), 200, NULL},
};

START_TEST(ranks_are_checked)
{
	sim_training_init(&training, jobs, 1, 2, 1, 1);
	json_t *answer = sim_post(&training, register_job, "{\"name\":\"x\",\"parallel\":{\"pp\":2}}", 200);
	(void)snprintf(training.job, sizeof training.job, "%s", json_string_value(at(answer, "job")));
	json_decref(answer);
	for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
		answer = sim_post(&training, perseus__jobs_register_rank, ranks[i].body, ranks[i].code);
		if (ranks[i].text) {
			const char *error = json_string_value(at(answer, "error"));
			ck_assert_msg(strstr(error, ranks[i].text) != NULL, "%s: %s", ranks[i].body, error);
		}
		json_decref(answer);
	}
	sim_require_phase(&training, "free");
	ck_assert_msg(strstr(last_warning, "make no schedule") != NULL, "%s", last_warning);
	/* With another order it makes one. */
	json_decref(sim_post(&training, perseus__jobs_register_rank,
			"{\"rank\":1,\"pp\":1,\"clocks_mhz\":[1410,1395],\"control\":\"agent\",\"order\":[\"1F0\",\"1B0\"]}", 200));
	sim_require_phase(&training, "profiling");
	sim_training_fini(&training);
}
END_TEST

static void
report_of_first(
		struct perseus__jobs *to, struct perseus__call *call, const char *job, const struct perseus__message *message)
{
	perseus__jobs_report(to, call, job, 0, message);
}

/* Sent again, as its answer was lost: neither steps nor windows count twice. A bad window shows that it counts. */
START_TEST(a_report_counts_once)
{
	static const char body[] = "{\"steps\":[{\"step\":3,\"time_s\":1,\"is_followed\":true}],"
							   "\"windows\":[{\"time_s\":0.1,\"energy_j\":-1,\"error_j\":0}]}";
	begin_training(1, 2, 4, 8);
	for (int i = 0; i < 2; i++) {
		json_t *answer = sim_post(&training, report_of_first, body, 200);
		ck_assert_int_eq(json_integer_value(at(answer, "acknowledged")), 3);
		json_decref(answer);
		ck_assert_int_eq(n_events[PERSEUS__JOB_EVENT_WARNING], 1);
	}
	sim_training_fini(&training);
}
END_TEST

/* What a class is said to take drifts to where no time can be: the profile stays, and the store can be read again. */
START_TEST(no_drift_makes_nonsense_of_a_profile)
{
	static const char slow_csv[] = "stage,instruction,frequency,time,energy\n0,forward,1410,90000,8\n"
								   "0,forward,1395,91000,7\n0,backward,1410,90000,9\n0,backward,1395,91000,8\n";
	sim_training_init(&training, jobs, 1, 1, 1, 1);
	json_t *answer = sim_post(&training, register_job, "{\"name\":\"x\",\"parallel\":{}}", 200);
	(void)snprintf(training.job, sizeof training.job, "%s", json_string_value(at(answer, "job")));
	json_decref(answer);
	json_decref(sim_post(&training, perseus__jobs_register_rank, RANK("0", "0", ""), 200));
	json_decref(sim_post(&training, put_profile, slow_csv, 200));
	sim_require_phase(&training, "planned");
	for (int step = 0; step < 40; step++) {
		char body[256];
		(void)snprintf(body, sizeof body,
				"{\"steps\":[{\"step\":%d,\"time_s\":500000,\"is_followed\":true,\"classes\":[{\"stage\":0,"
				"\"kind\":\"F\",\"frequency_mhz\":1410,\"count\":1,\"mean_s\":%d}]}]}",
				step, 250000 + step % 3);
		json_decref(sim_post(&training, report_of_first, body, 200));
	}
	ck_assert_msg(strstr(last_warning, "does not follow a drift: rows[") != NULL, "%s", last_warning);
	stop_server();
	start_server(training.now);
	sim_training_reconnect(&training, jobs);
	sim_require_phase(&training, "planned");
	sim_training_fini(&training);
}
END_TEST

static void
note_code(struct perseus__call *call, int code, const char *content_type, struct perseus__text *body)
{
	int *noted = call->user;
	(void)content_type;
	*noted = code;
	perseus__text_fini(body);
}

/* Two ranks come at once for one place: one has it, and what the store has of it is what a new server finds. */
START_TEST(a_place_is_taken_once)
{
	static const char *const bodies[] = {RANK("0", "0", ""), RANK("1", "0", "")};
	sim_training_init(&training, jobs, 1, 2, 1, 1);
	for (int round = 0; round < 20; round++) {
		json_t *answer = sim_post(&training, register_job, "{\"name\":\"x\",\"parallel\":{\"pp\":2}}", 200);
		const char *job = json_string_value(at(answer, "job"));
		struct perseus__call calls[2];
		int codes[2] = {0, 0};
		for (int i = 0; i < 2; i++) {
			const struct perseus__message message = {
				.bytes = bodies[i], .length = strlen(bodies[i]), .now = training.now};
			calls[i] = (struct perseus__call){.reply = note_code, .user = &codes[i]};
			perseus__jobs_register_rank(jobs, &calls[i], job, &message);
		}
		perseus__jobs_settle(jobs);
		ck_assert_int_eq(codes[0], 200);
		ck_assert_int_eq(codes[1], 409);
		json_decref(answer);
	}
	stop_server();
	start_server(training.now);
	sim_training_fini(&training);
}
END_TEST

/* However often stragglers come and go: what holds no more takes no room, neither here nor in the store. */
START_TEST(announcements_do_not_pile_up)
{
	sim_training_init(&training, jobs, 2, 1, 1, 1);
	sim_training_register(&training, "");
	for (int i = 0; i < 5000; i++) {
		char body[64];
		(void)snprintf(body, sizeof body, "{\"pipeline\":%d,\"degree\":%g}", i % 2, i % 3 == 0 ? 1 : 1.5);
		training.now.wall_ms++;
		training.now.mono_ns += 1000000;
		json_decref(sim_post(&training, perseus__jobs_announce, body, 200));
	}
	restart_server();
	json_t *stragglers = sim_view(&training, PERSEUS__JOB_VIEW_STRAGGLERS, 200);
	ck_assert_uint_le(json_array_size(at(stragglers, "announced")), 2);
	json_decref(stragglers);
	sim_training_fini(&training);
}
END_TEST

int
main(void)
{
	faulty_vfs_install();
	Suite *suite = suite_create("jobs");
	TCase *tcase = tcase_create("jobs");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 240);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, registrations_are_checked);
	tcase_add_test(tcase, ranks_are_checked);
	tcase_add_test(tcase, a_report_counts_once);
	tcase_add_test(tcase, no_drift_makes_nonsense_of_a_profile);
	tcase_add_test(tcase, a_place_is_taken_once);
	tcase_add_test(tcase, announcements_do_not_pile_up);
	tcase_add_test(tcase, a_job_is_profiled_and_planned);
	tcase_add_test(tcase, an_announced_straggler_slows_the_others);
	tcase_add_test(tcase, a_straggler_is_found_and_answered_in_three_steps);
	tcase_add_test(tcase, drift_refreshes_the_profile);
	tcase_add_loop_test(tcase, a_restart_goes_on, 0, 4);
	tcase_add_test(tcase, the_rest_goes_on_without_a_dead_rank);
	tcase_add_test(tcase, a_job_that_comes_back_has_its_plan_at_once);
	tcase_add_test(tcase, targets_move_the_deadline);
	tcase_add_test(tcase, a_dry_run_takes_an_uploaded_profile);
	tcase_add_test(tcase, jobs_of_one_shape_share_a_frontier);
	tcase_add_test(tcase, a_full_disk_is_said_and_survived);
	tcase_add_test(tcase, an_ended_job_lets_clocks_go);
	tcase_add_test(tcase, idle_jobs_are_ended);
	return run_suite(suite);
}
