/* Requests that change something: decoded and checked, made durable, and only then applied and answered. */
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "format/json_writer.h"
#include "server/job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DOCUMENT_BYTES = 1 << 20 };

#define MILLI 1000.0

/* Answers what could not be begun; `err` says why. */
void
perseus__call_refuse(struct perseus__jobs *jobs, struct perseus__call *call, const struct perseus_error *err)
{
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	perseus__call_fail(jobs, call, err);
	perseus__jobs_unlock(jobs);
}

/* The job of a request that wants to change it; NULL: answered already. */
struct perseus__job *
perseus__jobs_find_running(struct perseus__jobs *jobs, struct perseus__call *call, const char *id)
{
	struct perseus__job *job = perseus__jobs_find(jobs, id);
	if (!job)
		perseus__call_error(jobs, call, 404, "there is no job %s", id);
	else if (job->phase == PERSEUS__JOB_PHASE_ENDED)
		perseus__call_error(jobs, call, 404, "job %s has ended: %s", id, job->reason);
	else
		return job;
	return NULL;
}

/* For what was saved: the job, unless it failed or the job ended meanwhile; then it is answered. */
bool
perseus__saving_is_done(struct perseus__saving *saving, const struct perseus__job *job, const struct perseus_error *err)
{
	if (err)
		perseus__call_error(saving->jobs, saving->call, 503, "%s", err->message);
	else if (!job || job->phase == PERSEUS__JOB_PHASE_ENDED)
		perseus__call_error(saving->jobs, saving->call, 404, "job %s has ended", saving->job);
	return !err && job && job->phase != PERSEUS__JOB_PHASE_ENDED;
}

static void
free_report(void *data)
{
	perseus__report_fini(data);
	perseus__free(data);
}

static void
saved_report(struct perseus__saving *saving, struct perseus__job *job, const struct perseus_error *err)
{
	if (!perseus__saving_is_done(saving, job, err))
		return;
	const int64_t last = perseus__job_apply_report(job, &job->ranks[saving->number], saving->data);
	(void)perseus__call_json(saving->jobs, saving->call, 200);
	perseus__text_addf(&saving->call->body, "{\"acknowledged\":%lld}\n", (long long)last);
}

static void
save_report(struct perseus__job *job, struct perseus__call *call, int32_t rank, const struct perseus__message *message,
		struct perseus__report *report)
{
	const struct perseus__value values[] = {
		perseus__value_text(job->id),
		perseus__value_integer(rank),
		perseus__value_integer(job->ranks[rank].epoch),
		perseus__value_integer(report->n_steps > 0 ? report->steps[report->n_steps - 1].step : -1),
		perseus__value_bytes(message->bytes, message->length),
	};
	struct perseus__write *write = perseus__write_new();
	perseus__write_add(
			write, "INSERT INTO reports (job, rank, epoch, last_step, body) VALUES (?, ?, ?, ?, ?)", values, 5);
	struct perseus_error err = {.message = ""};
	const struct perseus__saving saving = {
		.saved = saved_report, .call = call, .number = rank, .data = report, .free_data = free_report};
	if (!perseus__job_save(job, write, &saving, &err))
		perseus__call_fail(job->jobs, call, &err);
}

void
perseus__jobs_report(struct perseus__jobs *jobs, struct perseus__call *call, const char *id, int32_t rank,
		const struct perseus__message *message)
{
	struct perseus_error err = {.message = ""};
	struct perseus__report *report = perseus__new_array(1, sizeof *report);
	const enum perseus_status status =
			report ? perseus__report_decode(message->bytes, message->length, report, &err) : perseus__no_memory(&err);
	if (status != PERSEUS_OK) {
		perseus__free(report);
		perseus__call_refuse(jobs, call, &err);
		return;
	}
	perseus__jobs_lock(jobs, message->now);
	struct perseus__job *job = perseus__jobs_find_running(jobs, call, id);
	if (job && (rank < 0 || rank >= job->n_ranks || !job->ranks[rank].is_registered)) {
		perseus__call_error(jobs, call, 404, "job %s has no rank %d registered", id, (int)rank);
		job = NULL;
	}
	if (job)
		save_report(job, call, rank, message, report);
	else
		free_report(report);
	perseus__jobs_unlock(jobs);
}

static void
saved_announcement(struct perseus__saving *saving, struct perseus__job *job, const struct perseus_error *err)
{
	const struct perseus__announcement *announcement = saving->data;
	struct perseus_error why = {.message = ""};
	if (!perseus__saving_is_done(saving, job, err))
		return;
	if (perseus__announced_add(&job->announced, *announcement, job->request.parallel.dp, &why) != PERSEUS_OK) {
		perseus__call_fail(saving->jobs, saving->call, &why);
		return;
	}
	job->jobs->n_stragglers += announcement->degree > 1;
	perseus__job_tell(job, PERSEUS__JOB_EVENT_STRAGGLER, "{\"pipeline\":%d,\"source\":\"announced\",\"degree\":%.6g}",
			(int)announcement->pipeline, announcement->degree);
	job->announced_ms = perseus__announced_next_ms(&job->announced, job->jobs->now.wall_ms);
	perseus__job_replan(job, "an announced straggler");
	perseus__job_view(job, saving->call, PERSEUS__JOB_VIEW_STRAGGLERS);
}

static void
free_plain(void *data)
{
	perseus__free(data);
}

static void
save_announcement(
		struct perseus__job *job, struct perseus__call *call, const struct perseus__announcement *announcement)
{
	struct perseus__announcement *copy = perseus__new_array(1, sizeof *copy);
	struct perseus_error err = {.message = ""};
	if (copy)
		*copy = *announcement;
	const struct perseus__value values[] = {
		perseus__value_text(job->id),
		perseus__value_integer(announcement->pipeline),
		perseus__value_integer(announcement->from_ms),
		perseus__value_real(announcement->degree),
	};
	const struct perseus__value now[] = {values[0], values[1], perseus__value_integer(job->jobs->now.wall_ms)};
	struct perseus__write *write = copy ? perseus__write_new() : NULL;
	/* The newest word holds, and of those that hold already the last. */
	perseus__write_add(write, "DELETE FROM stragglers WHERE job = ? AND pipeline = ? AND from_ms >= ?", values, 3);
	perseus__write_add(write,
			"DELETE FROM stragglers WHERE job = ?1 AND pipeline = ?2 AND from_ms <"
			" (SELECT max(from_ms) FROM stragglers WHERE job = ?1 AND pipeline = ?2 AND from_ms <= ?3)",
			now, 3);
	perseus__write_add(write, "INSERT INTO stragglers VALUES (?, ?, ?, ?)", values, 4);
	const struct perseus__saving saving = {
		.saved = saved_announcement, .call = call, .data = copy, .free_data = free_plain};
	if (!perseus__job_save(job, write, &saving, &err))
		perseus__call_fail(job->jobs, call, &err);
}

void
perseus__jobs_announce(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *id, const struct perseus__message *message)
{
	struct perseus__straggler_request request;
	struct perseus_error err = {.message = ""};
	if (perseus__straggler_request_decode(message->bytes, message->length, &request, &err) != PERSEUS_OK) {
		perseus__call_refuse(jobs, call, &err);
		return;
	}
	perseus__jobs_lock(jobs, message->now);
	struct perseus__job *job = perseus__jobs_find_running(jobs, call, id);
	if (job)
		perseus__announced_trim(&job->announced, jobs->now.wall_ms);
	if (job && request.pipeline >= job->request.parallel.dp) {
		perseus__call_error(jobs, call, 400, "pipeline: %d: the job has 0 to %d", (int)request.pipeline,
				(int)job->request.parallel.dp - 1);
	} else if (job && !perseus__announced_has_room(&job->announced)) {
		perseus__call_error(jobs, call, 409, "%d announcements are waiting already", (int)job->announced.n);
	} else if (job) {
		job->seen_ms = jobs->now.wall_ms;
		const struct perseus__announcement announcement = {.pipeline = request.pipeline,
			.degree = request.degree,
			.from_ms = jobs->now.wall_ms + (int64_t)(request.delay_s * MILLI)};
		save_announcement(job, call, &announcement);
	}
	perseus__jobs_unlock(jobs);
}

static void
saved_target(struct perseus__saving *saving, struct perseus__job *job, const struct perseus_error *err)
{
	if (!perseus__saving_is_done(saving, job, err))
		return;
	const struct perseus__target *target = saving->data;
	job->target = *target;
	job->was_feasible = true;
	perseus__job_replan(job, "another target");
	struct perseus__json json = perseus__call_json(saving->jobs, saving->call, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__target_write(&json, "target", &job->target);
	perseus__json_close_object(&json);
}

void
perseus__jobs_set_target(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *id, const struct perseus__message *message)
{
	struct perseus__target target;
	struct perseus_error err = {.message = ""};
	struct perseus__target *copy = perseus__new_array(1, sizeof *copy);
	const enum perseus_status status =
			copy ? perseus__target_decode(message->bytes, message->length, &target, &err) : perseus__no_memory(&err);
	if (status != PERSEUS_OK) {
		perseus__free(copy);
		perseus__call_refuse(jobs, call, &err);
		return;
	}
	*copy = target;
	perseus__jobs_lock(jobs, message->now);
	struct perseus__job *job = perseus__jobs_find_running(jobs, call, id);
	if (job) {
		struct perseus__text text = perseus__text_init(MAX_DOCUMENT_BYTES);
		struct perseus__json json = perseus__json_init(&text);
		perseus__target_write(&json, NULL, &target);
		job->seen_ms = jobs->now.wall_ms;
		const struct perseus__value values[] = {
			perseus__value_bytes(text.bytes, text.length), perseus__value_text(job->id)};
		struct perseus__write *write = text.failed ? NULL : perseus__write_new();
		perseus__write_add(write, "UPDATE jobs SET target = ? WHERE id = ?", values, 2);
		const struct perseus__saving saving = {
			.saved = saved_target, .call = call, .data = copy, .free_data = free_plain};
		if (!perseus__job_save(job, write, &saving, &err))
			perseus__call_fail(jobs, call, &err);
		perseus__text_fini(&text);
	} else {
		perseus__free(copy);
	}
	perseus__jobs_unlock(jobs);
}

static void
saved_delete(struct perseus__saving *saving, struct perseus__job *job, const struct perseus_error *err)
{
	if (!perseus__saving_is_done(saving, job, err))
		return;
	perseus__job_end(job, "on request");
	struct perseus__json json = perseus__call_json(saving->jobs, saving->call, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "job", job->id);
	perseus__json_string(&json, "state", "ended");
	perseus__json_close_object(&json);
}

void
perseus__jobs_delete(struct perseus__jobs *jobs, struct perseus__call *call, const char *id, struct perseus__now now)
{
	struct perseus_error err = {.message = ""};
	perseus__jobs_lock(jobs, now);
	struct perseus__job *job = perseus__jobs_find_running(jobs, call, id);
	if (job) {
		const struct perseus__value values[] = {perseus__value_integer(now.wall_ms), perseus__value_text(job->id)};
		struct perseus__write *write = perseus__write_new();
		perseus__write_add(write,
				"UPDATE jobs SET state = 'ended', key = NULL, reason = 'on request', ended_ms = ? WHERE id = ?", values,
				2);
		const struct perseus__saving saving = {.saved = saved_delete, .call = call};
		if (!perseus__job_save(job, write, &saving, &err))
			perseus__call_fail(jobs, call, &err);
	}
	perseus__jobs_unlock(jobs);
}

static void
free_profile(void *data)
{
	perseus__profile_document_fini(data);
	perseus__free(data);
}

static void
saved_upload(struct perseus__saving *saving, struct perseus__job *job, const struct perseus_error *err)
{
	if (!perseus__saving_is_done(saving, job, err))
		return;
	perseus__job_drop_walk(job);
	perseus__job_set_profile(job, saving->data);
	job->is_profile_saved = true;
	job->profile.is_uploaded = true;
	perseus__job_tell(job, PERSEUS__JOB_EVENT_PROFILE, "{\"source\":\"uploaded\",\"rows\":%zu}", job->profile.n_rows);
	struct perseus__json json = perseus__call_json(saving->jobs, saving->call, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_integer(&json, "rows", (int64_t)job->profile.n_rows);
	perseus__json_integer(&json, "stages", job->profile.n_stages);
	perseus__json_close_object(&json);
	perseus__job_ask_plan(job);
}

static void
save_upload(struct perseus__job *job, struct perseus__call *call, struct perseus__profile_document *profile)
{
	char own[PERSEUS__JOB_ID_BYTES + 8];
	(void)snprintf(own, sizeof own, "job:%s", job->id);
	struct perseus__text document = perseus__text_init((size_t)PERSEUS__MAX_PROFILE_BYTES * 4);
	perseus__profile_document_write(profile, &document);
	struct perseus__write *write = document.failed ? NULL : perseus__write_new();
	const struct perseus__value values[] = {perseus__value_text(own),
		perseus__value_bytes(document.bytes, document.length), perseus__value_text(profile->csv),
		perseus__value_integer(job->jobs->now.wall_ms)};
	perseus__write_add(write, "INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?)", values, 4);
	const struct perseus__value named[] = {values[0], perseus__value_text(job->id)};
	perseus__write_add(write, "UPDATE jobs SET profile = ? WHERE id = ?", named, 2);
	struct perseus_error err = {.message = ""};
	const struct perseus__saving saving = {
		.saved = saved_upload, .call = call, .data = profile, .free_data = free_profile};
	if (!perseus__job_save(job, write, &saving, &err))
		perseus__call_fail(job->jobs, call, &err);
	perseus__text_fini(&document);
}

void
perseus__jobs_put_profile(struct perseus__jobs *jobs, struct perseus__call *call, const char *id,
		double blocking_power_w, const struct perseus__message *message)
{
	struct perseus_error err = {.message = ""};
	struct perseus__profile_document *profile = perseus__new_array(1, sizeof *profile);
	enum perseus_status status = PERSEUS_OK;
	if (!profile)
		status = perseus__no_memory(&err);
	else if (message->length > PERSEUS__MAX_PROFILE_BYTES)
		status = perseus__fail(&err, PERSEUS_INVALID, "the profile has more than %d bytes", PERSEUS__MAX_PROFILE_BYTES);
	else
		status = perseus__profile_document_from_csv(
				message->bytes ? message->bytes : "", message->length, blocking_power_w, profile, &err);
	if (status == PERSEUS_OK)
		status = perseus__profile_document_check(profile, &err);
	if (status != PERSEUS_OK) {
		if (profile)
			perseus__profile_document_fini(profile);
		perseus__free(profile);
		perseus__call_refuse(jobs, call, &err);
		return;
	}
	perseus__jobs_lock(jobs, message->now);
	struct perseus__job *job = perseus__jobs_find_running(jobs, call, id);
	if (job) {
		profile->created_ms = jobs->now.wall_ms;
		job->seen_ms = jobs->now.wall_ms;
		if (isnan(blocking_power_w) && isfinite(job->request.blocking_power_w))
			for (int32_t stage = 0; stage < profile->n_stages; stage++)
				profile->blocking_power_w[stage] = job->request.blocking_power_w;
		save_upload(job, call, profile);
	} else {
		free_profile(profile);
	}
	perseus__jobs_unlock(jobs);
}
