/* Training that is computed. */
#include "sim_ranks.h"

#include "base/memory.h"
#include "base/text.h"
#include "dag/dag.h"
#include "random.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BODY_BYTES = 16 << 20 };

#define COUNTER_S 0.1

double
sim_time_s(const struct sim_training *training, int32_t stage, bool is_backward, int32_t mhz)
{
	const double highest = training->clocks_mhz[0];
	const double share = mhz > 0 ? highest / mhz : 1;
	/* Stages differ, as no partition is even; a part of the time does not hang on the clock. */
	const double base_s = (is_backward ? 0.061 : 0.031) * (1 + 0.07 * stage);
	return base_s * (0.25 + 0.75 * share);
}

static double
power_w(const struct sim_training *training, int32_t stage, bool is_backward, int32_t mhz)
{
	const double ratio = mhz > 0 ? (double)mhz / training->clocks_mhz[0] : 1;
	return 95 + (is_backward ? 215 : 180) * pow(ratio, 2.6) - 3 * stage;
}

double
sim_energy_j(const struct sim_training *training, int32_t stage, bool is_backward, int32_t mhz)
{
	return power_w(training, stage, is_backward, mhz) * sim_time_s(training, stage, is_backward, mhz);
}

static void
take_reply(struct perseus__call *call, int code, const char *content_type, struct perseus__text *body)
{
	struct sim_reply *reply = call->user;
	ck_assert(!reply->is_there);
	ck_assert_ptr_nonnull(content_type);
	reply->code = code;
	reply->body = body->bytes;
	*body = perseus__text_init(0);
	reply->is_there = true;
}

void
sim_reply_init(struct sim_reply *reply)
{
	*reply = (struct sim_reply){.call = {.reply = take_reply}};
	reply->call.user = reply;
}

void
sim_reply_fini(struct sim_reply *reply)
{
	perseus__free(reply->body);
	reply->body = NULL;
}

static json_t *
finish(struct sim_training *training, struct sim_reply *reply, int code)
{
	perseus__jobs_settle(training->jobs);
	ck_assert(reply->is_there);
	ck_assert_msg(reply->code == code, "%d: %s", reply->code, reply->body ? reply->body : "");
	json_t *document = reply->body ? json_loads(reply->body, 0, NULL) : NULL;
	sim_reply_fini(reply);
	return document;
}

json_t *
sim_post(struct sim_training *training,
		void (*ask)(struct perseus__jobs *, struct perseus__call *, const char *, const struct perseus__message *),
		const char *body, int code)
{
	struct sim_reply reply;
	const struct perseus__message message = {.bytes = body, .length = strlen(body), .now = training->now};
	sim_reply_init(&reply);
	ask(training->jobs, &reply.call, training->job, &message);
	return finish(training, &reply, code);
}

json_t *
sim_view(struct sim_training *training, enum perseus__job_view view, int code)
{
	struct sim_reply reply;
	sim_reply_init(&reply);
	perseus__jobs_view(training->jobs, &reply.call, training->job, view);
	return finish(training, &reply, code);
}

void
sim_require_phase(struct sim_training *training, const char *phase)
{
	json_t *summary = sim_view(training, PERSEUS__JOB_VIEW_SUMMARY, 200);
	const char *found = json_string_value(json_object_get(summary, "phase"));
	const char *problem = json_string_value(json_object_get(summary, "problem"));
	ck_assert_msg(strcmp(found, phase) == 0, "%s (%s)", found, problem ? problem : "no problem");
	json_decref(summary);
}

void
sim_training_init(struct sim_training *training, struct perseus__jobs *jobs, int32_t dp, int32_t pp,
		int32_t n_microbatches, int32_t n_clocks)
{
	*training = (struct sim_training){.jobs = jobs,
		.now = {.mono_ns = 1000000000, .wall_ms = INT64_C(1764403200000)},
		.dp = dp,
		.pp = pp,
		.n_microbatches = n_microbatches,
		.n_clocks = n_clocks,
		.control = "agent",
		.drift = 1,
		.transfer_s = 0.002,
		.overhead_s = 0.011,
		.blocking_w = 83.6,
		.random = 1};
	for (int32_t c = 0; c < n_clocks; c++)
		training->clocks_mhz[c] = 1410 - 15 * c;
	for (int32_t p = 0; p < dp; p++)
		training->slow[p] = 1;
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.n_ranks = pp;
	settings.n_microbatches = n_microbatches;
	ck_assert_int_eq(perseus_schedule_generate(&settings, &training->schedule, NULL), PERSEUS_OK);
	training->ranks = perseus__new_array((size_t)dp * (size_t)pp, sizeof *training->ranks);
	for (int32_t r = 0; r < dp * pp; r++)
		training->ranks[r] = (struct sim_rank){.dp = r / pp,
			.pp = r % pp,
			.now = {.revision = -1, .from_step = -1},
			.next = {.revision = -1, .from_step = -1},
			.busy = json_array(),
			.windows = json_array()};
}

static void
program_fini(struct sim_program *program)
{
	perseus__free(program->n_steps);
	perseus__free(program->mhz);
	*program = (struct sim_program){.revision = -1, .from_step = -1};
}

void
sim_training_fini(struct sim_training *training)
{
	for (int32_t r = 0; r < training->dp * training->pp; r++) {
		struct sim_rank *rank = &training->ranks[r];
		program_fini(&rank->now);
		program_fini(&rank->next);
		json_decref(rank->busy);
		json_decref(rank->windows);
		if (rank->has_poll) {
			(void)perseus__jobs_abandon(training->jobs, &rank->poll);
			sim_reply_fini(&rank->poll);
		}
	}
	perseus__free(training->ranks);
	perseus_schedule_free(training->schedule);
}

static void
add_order(const struct sim_training *training, int32_t pp, struct perseus__text *text)
{
	const struct perseus_schedule *schedule = training->schedule;
	for (int32_t i = schedule->rank_begin[pp]; i < schedule->rank_begin[pp + 1]; i++) {
		char name[128];
		perseus_instruction_text(&schedule->instructions[i], name, sizeof name);
		perseus__text_addf(text, "%s\"%s\"", i > schedule->rank_begin[pp] ? "," : "", name);
	}
}

void
sim_training_register_rank(struct sim_training *training, int32_t r)
{
	const struct sim_rank *rank = &training->ranks[r];
	struct perseus__text text = perseus__text_init(MAX_BODY_BYTES);
	perseus__text_addf(&text,
			"{\"rank\":%d,\"dp\":%d,\"pp\":%d,\"gpu\":{\"name\":\"A100\",\"uuid\":\"GPU-%d\",\"driver\":\"535\","
			"\"is_simulated\":true},\"control\":\"%s\",\"switch_latency_s\":null,\"clocks_mhz\":[",
			r, rank->dp, rank->pp, r, training->control);
	for (int32_t c = 0; c < training->n_clocks; c++)
		perseus__text_addf(&text, "%s%d", c ? "," : "", training->clocks_mhz[c]);
	perseus__text_addf(&text, "],\"order\":[");
	add_order(training, rank->pp, &text);
	perseus__text_addf(&text, "]}");
	json_decref(sim_post(training, perseus__jobs_register_rank, text.bytes, 200));
	perseus__text_fini(&text);
}

static void
register_job(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *job, const struct perseus__message *message)
{
	(void)job;
	perseus__jobs_register(jobs, call, message);
}

void
sim_training_register(struct sim_training *training, const char *extra)
{
	char body[1024];
	(void)snprintf(body, sizeof body, "{\"name\":\"test\",\"parallel\":{\"dp\":%d,\"pp\":%d}%s}", training->dp,
			training->pp, extra);
	json_t *answer = sim_post(training, register_job, body, 200);
	(void)snprintf(training->job, sizeof training->job, "%s", json_string_value(json_object_get(answer, "job")));
	json_decref(answer);
	for (int32_t r = 0; r < training->dp * training->pp; r++)
		sim_training_register_rank(training, r);
	sim_training_listen(training);
}

static int32_t
order_length(const struct sim_training *training, const struct sim_rank *rank)
{
	return training->schedule->rank_begin[rank->pp + 1] - training->schedule->rank_begin[rank->pp];
}

static struct sim_program
read_program(const struct sim_training *training, const struct sim_rank *rank, const json_t *answer)
{
	const json_t *segments = json_object_get(answer, "segments");
	const int32_t length = order_length(training, rank);
	const size_t n = json_array_size(segments);
	const json_t *from = json_object_get(answer, "from_step");
	struct sim_program program = {.revision = json_integer_value(json_object_get(answer, "revision")),
		.from_step = json_is_integer(from) ? json_integer_value(from) : -1,
		.n_segments = (int32_t)n,
		.n_steps = perseus__new_array(n, sizeof *program.n_steps),
		.mhz = perseus__new_array(n * (size_t)length, sizeof *program.mhz)};
	(void)snprintf(program.phase, sizeof program.phase, "%s", json_string_value(json_object_get(answer, "phase")));
	for (size_t s = 0; s < n; s++) {
		const json_t *segment = json_array_get(segments, s), *clocks = json_object_get(segment, "clocks_mhz");
		program.n_steps[s] = (int32_t)json_integer_value(json_object_get(segment, "steps"));
		ck_assert_uint_eq(json_array_size(clocks), (size_t)length);
		for (int32_t i = 0; i < length; i++)
			program.mhz[s * (size_t)length + (size_t)i] =
					(int32_t)json_integer_value(json_array_get(clocks, (size_t)i));
	}
	return program;
}

/* What the rank was told. The start of a revision comes once it was offered. */
static void
take_answer(struct sim_training *training, struct sim_rank *rank)
{
	if (rank->poll.code != 200)
		return;
	json_t *answer = json_loads(rank->poll.body, 0, NULL);
	struct sim_program program = read_program(training, rank, answer);
	json_decref(answer);
	if (program.revision == rank->now.revision) {
		rank->now.from_step = program.from_step;
		program_fini(&program);
		return;
	}
	program_fini(&rank->next);
	rank->next = program;
}

static void
poll(struct sim_training *training, int32_t r)
{
	struct sim_rank *rank = &training->ranks[r];
	const bool has_next = rank->next.revision >= 0;
	const struct perseus__poll ask = {.rank = r,
		.have = has_next ? rank->next.revision : rank->now.revision,
		.start = has_next ? rank->next.from_step : rank->now.from_step,
		.step = training->step > 0 ? training->step : -1, /* the next has begun when one is reported */
		.wait_ns = INT64_C(50000000000)};
	sim_reply_init(&rank->poll);
	rank->has_poll = true;
	perseus__jobs_poll(training->jobs, &rank->poll.call, training->job, &ask, training->now);
}

void
sim_training_listen(struct sim_training *training)
{
	bool has_news = true;
	while (has_news) {
		has_news = false;
		for (int32_t r = 0; r < training->dp * training->pp; r++) {
			struct sim_rank *rank = &training->ranks[r];
			if (rank->is_dead || (rank->has_poll && !rank->poll.is_there))
				continue;
			if (rank->has_poll) {
				take_answer(training, rank);
				sim_reply_fini(&rank->poll);
				rank->has_poll = false;
				if (strcmp(rank->next.phase, "free") == 0)
					continue;
			}
			has_news = true;
			poll(training, r);
		}
		perseus__jobs_settle(training->jobs);
	}
}

/* The clocks of this step: of the segment that it lies in. */
static const int32_t *
clocks_now(struct sim_training *training, struct sim_rank *rank)
{
	if (rank->next.revision >= 0 && rank->next.from_step >= 0 && rank->next.from_step <= training->step) {
		program_fini(&rank->now);
		rank->now = rank->next;
		rank->next = (struct sim_program){.revision = -1, .from_step = -1};
	}
	if (rank->now.revision < 0 || rank->now.n_segments == 0)
		return NULL;
	int64_t at = training->step - rank->now.from_step;
	int32_t s = 0;
	while (s < rank->now.n_segments - 1 && rank->now.n_steps[s] > 0 && at >= rank->now.n_steps[s])
		at -= rank->now.n_steps[s++];
	return rank->now.mhz + (size_t)s * (size_t)order_length(training, rank);
}

/* One pipeline's step: its clocks, times and starts. */
struct run {
	int32_t *mhz;
	int64_t *duration_ns, *start_ns, *lag_ns;
	double slow;
	double span_s;
};

static void
run_pipeline(struct sim_training *training, int32_t dp, struct run *run)
{
	const struct perseus_schedule *schedule = training->schedule;
	const size_t n = (size_t)schedule->n_instructions;
	run->mhz = perseus__new_array(n, sizeof *run->mhz);
	run->duration_ns = perseus__new_array(n, sizeof *run->duration_ns);
	run->start_ns = perseus__new_array(n, sizeof *run->start_ns);
	run->lag_ns = perseus__new_array((size_t)schedule->n_edges, sizeof *run->lag_ns);
	run->slow = training->slow[dp] * training->drift;
	for (int32_t pp = 0; pp < training->pp; pp++) {
		const int32_t *clocks = clocks_now(training, &training->ranks[dp * training->pp + pp]);
		for (int32_t i = schedule->rank_begin[pp]; i < schedule->rank_begin[pp + 1]; i++) {
			const struct perseus_instruction *instruction = &schedule->instructions[i];
			run->mhz[i] = clocks ? clocks[i - schedule->rank_begin[pp]] : 0;
			const double time_s = run->slow * (1 + training->noise * random_normal(&training->random))
					* sim_time_s(training, instruction->stage, instruction->kind == PERSEUS_KIND_BACKWARD, run->mhz[i]);
			run->duration_ns[i] = (int64_t)(time_s * 1e9);
		}
	}
	for (int32_t e = 0; e < schedule->n_edges; e++)
		run->lag_ns[e] = schedule->edges[e].is_transfer ? (int64_t)(training->transfer_s * 1e9) : 0;
	struct perseus__dag dag;
	ck_assert_int_eq(
			perseus__dag_init(&dag, schedule->n_instructions, schedule->edges, schedule->n_edges, NULL), PERSEUS_OK);
	run->span_s = (double)perseus__dag_earliest(&dag, run->duration_ns, run->lag_ns, run->start_ns) * 1e-9;
	perseus__dag_fini(&dag);
}

static void
run_fini(struct run *run)
{
	perseus__free(run->mhz);
	perseus__free(run->duration_ns);
	perseus__free(run->start_ns);
	perseus__free(run->lag_ns);
}

static void
end_window(struct sim_rank *rank)
{
	(void)json_array_append_new(rank->windows,
			json_pack("{s:f,s:f,s:f,s:f,s:o}", "time_s", rank->window_s, "energy_j", rank->window_j, "error_j", 0.02,
					"unsettled_s", 0.0, "busy", rank->busy));
	rank->busy = json_array();
	rank->window_s = 0;
	rank->window_j = 0;
}

/* A time at one power goes by: the counter moves every now and then within it. */
static void
spend(struct sim_rank *rank, double time_s, double power, int32_t stage, const char *kind, int32_t mhz)
{
	while (time_s > 0) {
		const double part_s = fmin(time_s, COUNTER_S - rank->window_s);
		rank->window_s += part_s;
		rank->window_j += part_s * power;
		time_s -= part_s;
		if (kind) {
			/* One term for each class and clock. */
			json_t *term = NULL;
			for (size_t i = 0; i < json_array_size(rank->busy) && !term; i++) {
				json_t *item = json_array_get(rank->busy, i);
				if (json_integer_value(json_object_get(item, "stage")) == stage
						&& strcmp(json_string_value(json_object_get(item, "kind")), kind) == 0
						&& json_integer_value(json_object_get(item, "frequency_mhz")) == mhz)
					term = item;
			}
			if (!term) {
				term = json_pack(
						"{s:i,s:s,s:i,s:f}", "stage", stage, "kind", kind, "frequency_mhz", mhz, "time_s", 0.0);
				(void)json_array_append_new(rank->busy, term);
			}
			(void)json_object_set_new(
					term, "time_s", json_real(json_real_value(json_object_get(term, "time_s")) + part_s));
		}
		if (rank->window_s >= COUNTER_S - 1e-9)
			end_window(rank);
	}
}

static void
add_class_time(json_t *classes, int32_t stage, const char *kind, int32_t mhz, double time_s)
{
	for (size_t i = 0; i < json_array_size(classes); i++) {
		json_t *item = json_array_get(classes, i);
		if (json_integer_value(json_object_get(item, "stage")) != stage
				|| strcmp(json_string_value(json_object_get(item, "kind")), kind) != 0
				|| json_integer_value(json_object_get(item, "frequency_mhz")) != mhz)
			continue;
		const double count = (double)json_integer_value(json_object_get(item, "count"));
		const double mean = json_real_value(json_object_get(item, "mean_s"));
		(void)json_object_set_new(item, "mean_s", json_real(mean + (time_s - mean) / (count + 1)));
		(void)json_object_set_new(item, "count", json_integer((json_int_t)count + 1));
		return;
	}
	(void)json_array_append_new(classes,
			json_pack("{s:i,s:s,s:i,s:i,s:f,s:f}", "stage", stage, "kind", kind, "frequency_mhz", mhz, "count", 1,
					"mean_s", time_s, "deviation_s", 1e-4));
}

/* What a rank did in a step that took `iteration_s`, and its report of it. */
static void
report(struct sim_training *training, int32_t r, const struct run *run, double iteration_s)
{
	struct sim_rank *rank = &training->ranks[r];
	const struct perseus_schedule *schedule = training->schedule;
	const int32_t begin = schedule->rank_begin[rank->pp], end = schedule->rank_begin[rank->pp + 1];
	json_t *classes = json_array();
	double at_s = 0, energy_j = 0;
	for (int32_t i = begin; i < end; i++) {
		const struct perseus_instruction *instruction = &schedule->instructions[i];
		const bool is_backward = instruction->kind == PERSEUS_KIND_BACKWARD;
		const double start_s = (double)run->start_ns[i] * 1e-9, time_s = (double)run->duration_ns[i] * 1e-9;
		const double power = power_w(training, instruction->stage, is_backward, run->mhz[i]);
		spend(rank, start_s - at_s, training->blocking_w, 0, NULL, 0);
		spend(rank, time_s, power, instruction->stage, is_backward ? "B" : "F", run->mhz[i]);
		energy_j += (start_s - at_s) * training->blocking_w + time_s * power;
		add_class_time(classes, instruction->stage, is_backward ? "B" : "F", run->mhz[i], time_s);
		at_s = start_s + time_s;
	}
	spend(rank, iteration_s - at_s, training->blocking_w, 0, NULL, 0);
	energy_j += (iteration_s - at_s) * training->blocking_w;
	training->energy_j += energy_j;
	const double span_s = at_s - (double)run->start_ns[begin] * 1e-9;
	json_t *body = json_pack("{s:[{s:I,s:I,s:f,s:f,s:f,s:b,s:o}],s:o}", "steps", "step", (json_int_t)training->step,
			"revision", (json_int_t)rank->now.revision, "time_s", iteration_s, "span_s", span_s, "energy_j", energy_j,
			"is_followed", 1, "classes", classes, "windows", rank->windows);
	rank->windows = json_array();
	char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(12));
	struct sim_reply reply;
	const struct perseus__message message = {.bytes = text, .length = strlen(text), .now = training->now};
	sim_reply_init(&reply);
	perseus__jobs_report(training->jobs, &reply.call, training->job, r, &message);
	json_t *answer = finish(training, &reply, 200);
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "acknowledged")), training->step);
	json_decref(answer);
	json_decref(body);
	perseus__free(text);
}

void
sim_training_step(struct sim_training *training)
{
	struct run runs[16] = {{.mhz = NULL}};
	double iteration_s = 0;
	training->energy_j = 0;
	for (int32_t p = 0; p < training->dp; p++) {
		run_pipeline(training, p, &runs[p]);
		training->span_s[p] = runs[p].span_s;
		iteration_s = fmax(iteration_s, runs[p].span_s);
	}
	iteration_s += training->overhead_s;
	training->iteration_s = iteration_s;
	training->now.mono_ns += (int64_t)(iteration_s * 1e9);
	training->now.wall_ms += (int64_t)(iteration_s * 1e3);
	/* The next step has begun when this one is reported. */
	for (int32_t r = 0; r < training->dp * training->pp; r++)
		if (!training->ranks[r].is_dead)
			report(training, r, &runs[training->ranks[r].dp], iteration_s);
	training->step++;
	for (int32_t p = 0; p < training->dp; p++)
		run_fini(&runs[p]);
	perseus__jobs_tick(training->jobs, training->now);
	perseus__jobs_settle(training->jobs);
	sim_training_listen(training);
}

void
sim_training_reconnect(struct sim_training *training, struct perseus__jobs *jobs)
{
	training->jobs = jobs;
	for (int32_t r = 0; r < training->dp * training->pp; r++) {
		sim_reply_fini(&training->ranks[r].poll);
		training->ranks[r].has_poll = false;
	}
	sim_training_listen(training);
}
