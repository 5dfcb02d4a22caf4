/* What ranks tell Zeus's server: jobs, themselves, results. Each is checked, kept, and only then counts. */
#include "server/zeus_internal.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

enum { MAX_TEXT_BYTES = 1 << 28 };

static void
end_job(struct perseus__zeus_deed *deed, const struct perseus_error *err)
{
	struct perseus__zeus *zeus = deed->zeus;
	struct perseus__zeus_ready ready = {0};
	(void)pthread_mutex_lock(&zeus->lock);
	struct perseus__zeus_job *job = perseus__zeus_job_of(deed);
	if (job && err)
		perseus__zeus_jobs_remove(&zeus->jobs, job, PERSEUS__ZEUS_UNKNOWN, &ready);
	(void)pthread_mutex_unlock(&zeus->lock);
	perseus__zeus_answer_ready(&ready);
	const struct perseus__zeus_answer answer = {.outcome = PERSEUS__ZEUS_DONE, .id = deed->id};
	if (err)
		perseus__zeus_reply(
				deed->done, deed->user, PERSEUS__ZEUS_UNAVAILABLE, "The job cannot be kept: %s", err->message);
	else
		deed->done(deed->user, &answer);
	perseus__free(deed);
}

/* Under the lock: adds the job. DONE: `*is_now` tells whether the caller ends the deed. */
static enum perseus__zeus_outcome
add_job(struct perseus__zeus *zeus, struct perseus__zeus_job_info *info, struct perseus__zeus_deed *deed, bool *is_now)
{
	struct perseus__zeus_job *job;
	char id[PERSEUS__ZEUS_ID_BYTES];
	struct tm local;
	const time_t now_s = (time_t)(perseus__clock_wall_ms() / 1000);
	if (!deed || !localtime_r(&now_s, &local))
		return PERSEUS__ZEUS_NO_MEMORY;
	perseus__zeus_make_id(id, &local, info, zeus->settings->scheduler);
	const enum perseus__zeus_outcome outcome =
			perseus__zeus_jobs_add(&zeus->jobs, id, info, zeus->settings->scheduler, perseus__clock_mono_ns(), &job);
	if (outcome != PERSEUS__ZEUS_DONE)
		return outcome;
	*is_now = perseus__zeus_submit(deed, job, perseus__zeus_keep_job(zeus, job));
	return outcome;
}

void
perseus__zeus_register_job(
		struct perseus__zeus *zeus, struct perseus__zeus_job_info *info, perseus__zeus_done *done, void *user)
{
	bool is_now = false;
	struct perseus__zeus_deed *deed = perseus__zeus_new_deed(zeus, end_job, done, user);
	if (!zeus->settings->solution_path) {
		perseus__zeus_reply(done, user, PERSEUS__ZEUS_UNAVAILABLE,
				"This server has no solution file for Zeus's jobs: ZEUS_PFO_SCHEDULER_ARGS is not set.");
		perseus__zeus_job_info_fini(info);
		perseus__free(deed);
		return;
	}
	(void)pthread_mutex_lock(&zeus->lock);
	const enum perseus__zeus_outcome outcome =
			zeus->is_ending ? PERSEUS__ZEUS_UNAVAILABLE : add_job(zeus, info, deed, &is_now);
	(void)pthread_mutex_unlock(&zeus->lock);
	perseus__zeus_job_info_fini(info);
	if (outcome != PERSEUS__ZEUS_DONE) {
		perseus__free(deed);
		perseus__zeus_reply_plainly(done, user, outcome, "");
	} else if (is_now) {
		perseus__zeus_end_now(deed);
	}
}

static void
end_rank(struct perseus__zeus_deed *deed, const struct perseus_error *err)
{
	struct perseus__zeus *zeus = deed->zeus;
	(void)pthread_mutex_lock(&zeus->lock);
	struct perseus__zeus_job *job = perseus__zeus_job_of(deed);
	const bool starts = job && perseus__zeus_end_rank(job, deed->rank, !err, perseus__clock_mono_ns());
	(void)pthread_mutex_unlock(&zeus->lock);
	if (starts)
		perseus__zeus_begin_start(zeus, deed->id);
	if (!job)
		perseus__zeus_reply_plainly(deed->done, deed->user, PERSEUS__ZEUS_UNKNOWN, deed->id);
	else if (err)
		perseus__zeus_reply(
				deed->done, deed->user, PERSEUS__ZEUS_UNAVAILABLE, "The rank cannot be kept: %s", err->message);
	else
		perseus__zeus_reply_plainly(deed->done, deed->user, PERSEUS__ZEUS_DONE, "");
	perseus__free(deed);
}

void
perseus__zeus_register_rank(struct perseus__zeus *zeus, const char *id, const struct perseus__zeus_rank_info *info,
		perseus__zeus_done *done, void *user)
{
	struct perseus__zeus_answer answer = {.outcome = PERSEUS__ZEUS_OUTSIDE};
	struct perseus__zeus_job *job;
	struct perseus__text text = perseus__text_init(MAX_TEXT_BYTES);
	struct perseus__zeus_deed *deed = perseus__zeus_new_deed(zeus, end_rank, done, user);
	bool is_now = false;
	perseus__zeus_encode_rank(&text, info);
	(void)pthread_mutex_lock(&zeus->lock);
	enum perseus__zeus_outcome outcome = perseus__zeus_find_job(zeus, id, &job);
	if (outcome == PERSEUS__ZEUS_DONE && (!deed || text.failed))
		outcome = PERSEUS__ZEUS_NO_MEMORY;
	if (outcome == PERSEUS__ZEUS_DONE)
		outcome = perseus__zeus_begin_rank(job, info, &text.bytes, &answer.member, &answer.limit);
	if (outcome == PERSEUS__ZEUS_DONE) {
		deed->rank = info->rank;
		is_now = perseus__zeus_submit(deed, job, perseus__zeus_keep_rank(zeus, job, info->rank));
	}
	(void)pthread_mutex_unlock(&zeus->lock);
	perseus__free(text.bytes); /* NULL where it was taken over */
	if (outcome == PERSEUS__ZEUS_DONE) {
		if (is_now)
			perseus__zeus_end_now(deed);
		return;
	}
	perseus__free(deed);
	if (outcome == PERSEUS__ZEUS_CLASH)
		perseus__zeus_reply(done, user, outcome, "Rank %d is registered already, with other values.", info->rank);
	else if (outcome == PERSEUS__ZEUS_OUTSIDE)
		done(user, &answer);
	else
		perseus__zeus_reply_plainly(done, user, outcome, id);
}

static void
end_result(struct perseus__zeus_deed *deed, const struct perseus_error *err)
{
	struct perseus__zeus *zeus = deed->zeus;
	struct perseus__zeus_ready ready = {0};
	struct perseus__zeus_round over = {0};
	struct perseus__zeus_deed *standing = NULL;
	bool is_over = false, has_stages = false;
	(void)pthread_mutex_lock(&zeus->lock);
	struct perseus__zeus_job *job = perseus__zeus_job_of(deed);
	if (job) {
		is_over = perseus__zeus_end_result(job, deed->rank, !err, perseus__clock_mono_ns(), &over, &ready);
		has_stages = job->scheduler == PERSEUS__ZEUS_POINT_SOLUTION_3D;
		zeus->n_rounds += is_over;
		if (is_over)
			standing = perseus__zeus_keep_standing(zeus, job, perseus__zeus_keep_round(zeus, job), &ready);
	}
	(void)pthread_mutex_unlock(&zeus->lock);
	if (is_over)
		perseus__zeus_note_round(zeus, deed->id, has_stages, &over);
	if (!job)
		perseus__zeus_reply_plainly(deed->done, deed->user, PERSEUS__ZEUS_UNKNOWN, deed->id);
	else if (err)
		perseus__zeus_reply(
				deed->done, deed->user, PERSEUS__ZEUS_UNAVAILABLE, "The result cannot be kept: %s", err->message);
	else
		perseus__zeus_reply_plainly(deed->done, deed->user, PERSEUS__ZEUS_DONE, "");
	if (standing)
		perseus__zeus_end_now(standing);
	perseus__zeus_answer_ready(&ready);
	perseus__free(deed);
}

/* Under the lock. DONE: `*is_now` tells whether the caller ends the deed. Else `*why` may point to a text. */
static enum perseus__zeus_outcome
add_result(struct perseus__zeus_job *job, struct perseus__zeus_result **result, struct perseus__text *text,
		struct perseus__zeus_deed *deed, bool *is_now, const char **why)
{
	if (!deed || text->failed)
		return PERSEUS__ZEUS_NO_MEMORY;
	deed->rank = (*result)->rank;
	*why = job->state == PERSEUS__ZEUS_RUNNING ? "This rank has sent its result of this round already."
											   : "There is no schedule yet: not all ranks are registered.";
	const enum perseus__zeus_outcome outcome = perseus__zeus_begin_result(job, result);
	if (outcome == PERSEUS__ZEUS_FAILED)
		*why = "The job has failed: it has no schedule.";
	if (outcome == PERSEUS__ZEUS_DONE)
		*is_now = perseus__zeus_submit(deed, job, perseus__zeus_keep_result(deed->zeus, job, deed->rank, text));
	return outcome;
}

void
perseus__zeus_report(struct perseus__zeus *zeus, const char *id, struct perseus__zeus_result *result,
		perseus__zeus_done *done, void *user)
{
	struct perseus__zeus_answer outside = {.outcome = PERSEUS__ZEUS_OUTSIDE, .member = "rank"};
	struct perseus__zeus_job *job;
	struct perseus__text text = perseus__text_init(MAX_TEXT_BYTES);
	struct perseus__zeus_result *kept = perseus__new_array(1, sizeof *kept);
	struct perseus__zeus_deed *deed = kept ? perseus__zeus_new_deed(zeus, end_result, done, user) : NULL;
	const char *why = "";
	bool is_now = false;
	perseus__zeus_encode_result(&text, result);
	if (kept) {
		*kept = *result;
		*result = (struct perseus__zeus_result){0};
	}
	(void)pthread_mutex_lock(&zeus->lock);
	enum perseus__zeus_outcome outcome = perseus__zeus_find_job(zeus, id, &job);
	if (outcome == PERSEUS__ZEUS_DONE) {
		outside.limit = job->info.world_size;
		outcome = add_result(job, &kept, &text, deed, &is_now, &why);
	}
	(void)pthread_mutex_unlock(&zeus->lock);
	perseus__text_fini(&text);
	perseus__zeus_result_fini(kept ? kept : result);
	perseus__free(kept);
	if (outcome == PERSEUS__ZEUS_DONE) {
		if (is_now)
			perseus__zeus_end_now(deed);
		return;
	}
	perseus__free(deed);
	if (outcome == PERSEUS__ZEUS_OUTSIDE)
		done(user, &outside);
	else if (outcome == PERSEUS__ZEUS_CLASH || outcome == PERSEUS__ZEUS_FAILED)
		perseus__zeus_reply(done, user, outcome, "%s", why);
	else
		perseus__zeus_reply_plainly(done, user, outcome, id);
}
