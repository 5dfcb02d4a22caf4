/* All jobs: the lock, replies, events, what is under way, and time. */
#include "server/jobs.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/json_writer.h"
#include "server/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_REPLY_BYTES = 64 << 20, MAX_EVENT_BYTES = 16 << 10 };

static const char json_content[] = "application/json";

const char *
perseus__job_event_name(enum perseus__job_event event)
{
	switch (event) {
#define X(name, text)               \
	case PERSEUS__JOB_EVENT_##name: \
		return text;
		PERSEUS__JOB_EVENT_MAP(X)
#undef X
	}
	return "unknown";
}

struct perseus__jobs_settings
perseus__jobs_settings_default(void)
{
	return (struct perseus__jobs_settings){
		.max_idle_ms = INT64_C(7) * 24 * 3600 * 1000,
		.max_silence_ns = INT64_C(30) * 1000000000,
		.max_jobs = 1000,
		.max_ranks = 65536,
		.max_order = 65536,
		.n_kept_steps = 200,
		.max_profile_steps = 150,
	};
}

void
perseus__jobs_lock(struct perseus__jobs *jobs, struct perseus__now now)
{
	(void)pthread_mutex_lock(&jobs->mutex);
	/* Threads come in any order; time here only goes on. */
	if (now.mono_ns > jobs->now.mono_ns)
		jobs->now = now;
}

void
perseus__jobs_unlock(struct perseus__jobs *jobs)
{
	struct perseus__call *call = jobs->answered;
	jobs->answered = NULL;
	jobs->answered_end = &jobs->answered;
	(void)pthread_mutex_unlock(&jobs->mutex);
	while (call) {
		struct perseus__call *next = call->next;
		call->reply(call, call->body.failed ? 503 : call->code, call->content_type, &call->body);
		call = next;
	}
}

struct perseus__job *
perseus__jobs_find(struct perseus__jobs *jobs, const char *id)
{
	struct perseus__job *job = jobs->first;
	while (job && strcmp(job->id, id) != 0)
		job = job->next;
	return job;
}

void
perseus__jobs_append(struct perseus__jobs *jobs, struct perseus__job *job)
{
	if (jobs->last)
		jobs->last->next = job;
	else
		jobs->first = job;
	jobs->last = job;
	if (job->phase != PERSEUS__JOB_PHASE_ENDED)
		jobs->n_jobs++;
}

void
perseus__call_answer(struct perseus__jobs *jobs, struct perseus__call *call, int code)
{
	call->next = NULL;
	call->code = code;
	if (!call->content_type)
		call->content_type = json_content;
	*jobs->answered_end = call;
	jobs->answered_end = &call->next;
}

struct perseus__json
perseus__call_json(struct perseus__jobs *jobs, struct perseus__call *call, int code)
{
	call->body = perseus__text_init(MAX_REPLY_BYTES);
	call->content_type = json_content;
	perseus__call_answer(jobs, call, code);
	return perseus__json_init(&call->body);
}

void
perseus__call_error(struct perseus__jobs *jobs, struct perseus__call *call, int code, const char *format, ...)
{
	char text[PERSEUS_ERROR_MESSAGE_BYTES];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	struct perseus__json json = perseus__call_json(jobs, call, code);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "error", text);
	perseus__json_close_object(&json);
}

void
perseus__call_fail(struct perseus__jobs *jobs, struct perseus__call *call, const struct perseus_error *err)
{
	int code = 500;
	switch (err->status) {
	case PERSEUS_OK:
	case PERSEUS_INTERNAL:
		break;
	case PERSEUS_INVALID:
	case PERSEUS_INFEASIBLE:
	case PERSEUS_UNSUPPORTED:
		code = 400;
		break;
	case PERSEUS_BUSY:
		code = 409;
		break;
	case PERSEUS_DENIED: /* the store's, as all that follow: another time may be better */
	case PERSEUS_IO:
	case PERSEUS_NO_MEMORY:
	case PERSEUS_CANCELLED:
		code = 503;
		break;
	}
	perseus__call_error(jobs, call, code, "%s", err->message);
}

static void
tell(const struct perseus__job *job, enum perseus__job_event event, const char *data)
{
	const struct perseus__jobs_settings *settings = &job->jobs->settings;
	if (settings->sink && !job->is_replaying)
		settings->sink(settings->user, job->id, event, data);
}

void
perseus__job_tell(const struct perseus__job *job, enum perseus__job_event event, const char *format, ...)
{
	char data[MAX_EVENT_BYTES];
	va_list arguments;
	if (!job->jobs->settings.sink)
		return;
	va_start(arguments, format);
	(void)vsnprintf(data, sizeof data, format, arguments);
	va_end(arguments);
	tell(job, event, data);
}

void
perseus__job_warn(const struct perseus__job *job, const char *format, ...)
{
	char message[PERSEUS_ERROR_MESSAGE_BYTES];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	struct perseus__text text = perseus__text_init(MAX_EVENT_BYTES);
	struct perseus__json json = perseus__json_init(&text);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "message", message);
	perseus__json_close_object(&json);
	if (!text.failed) {
		text.bytes[text.length - 1] = '\0'; /* the line end behind a document */
		tell(job, PERSEUS__JOB_EVENT_WARNING, text.bytes);
	}
	perseus__text_fini(&text);
}

void
perseus__jobs_begin(struct perseus__jobs *jobs)
{
	jobs->n_under_way++;
}

void
perseus__jobs_undo_begin(struct perseus__jobs *jobs)
{
	if (--jobs->n_under_way == 0)
		(void)pthread_cond_broadcast(&jobs->quiet);
}

void
perseus__jobs_done(struct perseus__jobs *jobs)
{
	(void)pthread_mutex_lock(&jobs->mutex);
	perseus__jobs_undo_begin(jobs);
	(void)pthread_mutex_unlock(&jobs->mutex);
}

static void
on_saved(void *user, const struct perseus_error *err)
{
	struct perseus__saving *saving = user;
	struct perseus__jobs *jobs = saving->jobs;
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	if (saving->saved)
		saving->saved(saving, perseus__jobs_find(jobs, saving->job), err);
	perseus__jobs_unlock(jobs);
	if (saving->free_data)
		saving->free_data(saving->data);
	perseus__free(saving);
	perseus__jobs_done(jobs);
}

bool
perseus__jobs_save(struct perseus__jobs *jobs, struct perseus__write *write, const struct perseus__saving *saving,
		struct perseus_error *err)
{
	struct perseus__saving *copy = perseus__new_array(1, sizeof *copy);
	if (!copy) {
		perseus__write_free(write);
		if (saving->free_data)
			saving->free_data(saving->data);
		(void)perseus__no_memory(err);
		return false;
	}
	*copy = *saving;
	copy->jobs = jobs;
	/* Counted first: the thread may be done before we are. */
	perseus__jobs_begin(jobs);
	if (perseus__store_submit(jobs->settings.store, write, on_saved, copy, err) == PERSEUS_OK)
		return true;
	perseus__jobs_undo_begin(jobs);
	if (copy->free_data)
		copy->free_data(copy->data);
	perseus__free(copy);
	if (err && err->status == PERSEUS_BUSY)
		err->status = PERSEUS_IO; /* of the store, not of what was asked */
	return false;
}

bool
perseus__job_save(struct perseus__job *job, struct perseus__write *write, const struct perseus__saving *saving,
		struct perseus_error *err)
{
	struct perseus__saving named = *saving;
	memcpy(named.job, job->id, sizeof named.job);
	return perseus__jobs_save(job->jobs, write, &named, err);
}

enum perseus_status
perseus__jobs_new(const struct perseus__jobs_settings *settings, struct perseus__now now, struct perseus__jobs **out,
		struct perseus_error *err)
{
	struct perseus__jobs *jobs = perseus__new_array(1, sizeof *jobs);
	if (!jobs)
		return perseus__no_memory(err);
	jobs->settings = *settings;
	jobs->now = now;
	jobs->answered_end = &jobs->answered;
	(void)pthread_mutex_init(&jobs->mutex, NULL);
	(void)pthread_cond_init(&jobs->quiet, NULL);
	perseus__jobs_lock(jobs, now);
	const enum perseus_status status = perseus__jobs_load(jobs, err);
	if (status != PERSEUS_OK)
		jobs->settings.sink = NULL; /* what is dropped now is no news */
	perseus__jobs_unlock(jobs);
	if (status == PERSEUS_OK) {
		*out = jobs;
		return status;
	}
	/* What was loaded may have begun something already. */
	perseus__store_let_go(jobs->settings.store, false);
	perseus__jobs_settle(jobs);
	perseus__jobs_free(jobs);
	return status;
}

void
perseus__jobs_end(struct perseus__jobs *jobs)
{
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	jobs->is_ending = true;
	for (struct perseus__job *job = jobs->first; job; job = job->next)
		for (int32_t r = 0; r < job->n_ranks; r++) {
			struct perseus__call *call = job->ranks[r].waiting;
			job->ranks[r].waiting = NULL;
			if (call)
				perseus__call_error(jobs, call, 503, "the server is ending");
		}
	perseus__jobs_unlock(jobs);
}

void
perseus__jobs_free(struct perseus__jobs *jobs)
{
	if (!jobs)
		return;
	while (jobs->first) {
		struct perseus__job *job = jobs->first;
		jobs->first = job->next;
		perseus__job_free(job);
	}
	(void)pthread_mutex_destroy(&jobs->mutex);
	(void)pthread_cond_destroy(&jobs->quiet);
	perseus__free(jobs);
}

bool
perseus__jobs_has(struct perseus__jobs *jobs, const char *job)
{
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	const bool is_there = perseus__jobs_find(jobs, job) != NULL;
	perseus__jobs_unlock(jobs);
	return is_there;
}

void
perseus__jobs_settle(struct perseus__jobs *jobs)
{
	(void)pthread_mutex_lock(&jobs->mutex);
	while (jobs->n_under_way > 0)
		(void)pthread_cond_wait(&jobs->quiet, &jobs->mutex);
	(void)pthread_mutex_unlock(&jobs->mutex);
}

/* Now and then the store learns when somebody last spoke of a job, so that a restart does not count from anew. */
static void
save_seen(struct perseus__job *job)
{
	enum { SEEN_STEP_MS = 60000 };
	if (job->seen_ms - job->saved_seen_ms < SEEN_STEP_MS)
		return;
	job->saved_seen_ms = job->seen_ms;
	const struct perseus__value values[] = {perseus__value_integer(job->seen_ms), perseus__value_text(job->id)};
	struct perseus__write *write = perseus__write_new();
	perseus__write_add(write, "UPDATE jobs SET seen_ms = ? WHERE id = ?", values, 2);
	struct perseus_error err;
	(void)perseus__job_save(job, write, &(struct perseus__saving){.saved = NULL}, &err); /* the next one will do */
}

static void
tick_job(struct perseus__job *job)
{
	const struct perseus__jobs *jobs = job->jobs;
	perseus__job_tick_ranks(job);
	if (job->phase == PERSEUS__JOB_PHASE_ENDED)
		return;
	const int64_t idle_ms = jobs->now.wall_ms - job->seen_ms;
	if (idle_ms > jobs->settings.max_idle_ms) {
		perseus__job_end(job, "nobody spoke of it for too long");
		return;
	}
	save_seen(job);
	if (job->has_profile && !job->is_profile_saved)
		perseus__job_save_profile(job);
	const bool is_announced = jobs->now.wall_ms >= job->announced_ms;
	if (is_announced)
		job->announced_ms = perseus__announced_next_ms(&job->announced, jobs->now.wall_ms);
	perseus__job_replan(job, is_announced ? "an announced straggler" : "a better plan for the same deadline");
	for (int32_t p = 0; p < job->request.parallel.dp; p++)
		perseus__job_advance(job, p);
}

/* Ended jobs are shown for as long as a job may be idle, and then forgotten. */
static void
forget_ended(struct perseus__jobs *jobs)
{
	struct perseus__job **link = &jobs->first;
	struct perseus__job *last = NULL;
	while (*link) {
		struct perseus__job *job = *link;
		if (job->phase != PERSEUS__JOB_PHASE_ENDED || jobs->now.wall_ms - job->ended_ms <= jobs->settings.max_idle_ms) {
			last = job;
			link = &job->next;
			continue;
		}
		const struct perseus__value id = perseus__value_text(job->id);
		struct perseus__write *write = perseus__write_new();
		perseus__write_add(write, "DELETE FROM jobs WHERE id = ?", &id, 1);
		struct perseus_error err;
		if (!perseus__job_save(job, write, &(struct perseus__saving){.saved = NULL}, &err)) {
			last = job;
			link = &job->next;
			continue;
		}
		*link = job->next;
		perseus__job_free(job);
	}
	jobs->last = last;
}

void
perseus__jobs_tick(struct perseus__jobs *jobs, struct perseus__now now)
{
	perseus__jobs_lock(jobs, now);
	for (struct perseus__job *job = jobs->first; job; job = job->next)
		tick_job(job);
	forget_ended(jobs);
	perseus__jobs_unlock(jobs);
}

void
perseus__jobs_visit_figures(struct perseus__jobs *jobs,
		void (*visit)(void *user, const char *job, const struct perseus__job_figures *figures), void *user)
{
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	for (const struct perseus__job *job = jobs->first; job; job = job->next) {
		const struct perseus__job_figures figures = perseus__job_figures(job);
		if (figures.is_there && job->phase != PERSEUS__JOB_PHASE_ENDED)
			visit(user, job->id, &figures);
	}
	perseus__jobs_unlock(jobs);
}

void
perseus__jobs_counts(struct perseus__jobs *jobs, struct perseus__jobs_counts *counts)
{
	const struct perseus__planner_info planner = perseus__planner_info(jobs->settings.planner);
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	*counts = (struct perseus__jobs_counts){
		.n_jobs = jobs->n_jobs,
		.n_reports = jobs->n_reports,
		.n_steps = jobs->n_steps,
		.n_revisions = jobs->n_revisions,
		.n_stragglers = jobs->n_stragglers,
		.n_shapes = planner.n_asked,
		.n_frontiers = planner.n_made,
		.measured_j = jobs->measured_j,
		.predicted_j = jobs->predicted_j,
		.baseline_j = jobs->baseline_j,
	};
	for (const struct perseus__job *job = jobs->first; job; job = job->next) {
		counts->n_profiling += job->phase == PERSEUS__JOB_PHASE_PROFILING;
		counts->n_planned += job->phase == PERSEUS__JOB_PHASE_PLANNED;
		counts->n_ranks += job->phase == PERSEUS__JOB_PHASE_ENDED ? 0 : job->n_present;
		for (int32_t r = 0; r < job->n_ranks; r++)
			counts->n_waiting += job->ranks[r].waiting != NULL;
	}
	perseus__jobs_unlock(jobs);
}
