/* Zeus's pipeline frequency server: its life, and who waits for a schedule. */
#include "server/zeus.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "server/zeus_dump.h"
#include "server/zeus_internal.h"
#include "service/log.h"

enum { MAX_TASKS = 4096, MAX_RANKS_TEXT_BYTES = 1 << 30 };

static bool
is_of_another(const struct perseus__zeus_job *job, const struct perseus__zeus_plan *plan)
{
	return plan->solution && plan->solution->n_ranks != perseus__zeus_n_lists(job);
}

void
perseus__zeus_plan_is_there(struct perseus__zeus *zeus, const char *id, struct perseus__zeus_plan *plan)
{
	struct perseus__zeus_ready ready = {0};
	struct perseus__text ranks = perseus__text_init(MAX_RANKS_TEXT_BYTES);
	struct perseus__zeus_deed *deed = NULL;
	(void)pthread_mutex_lock(&zeus->lock);
	struct perseus__zeus_job *job = perseus__zeus_jobs_find(&zeus->jobs, id);
	/* The job may be gone, and another have its id. */
	if (job && (job->state != PERSEUS__ZEUS_STARTING || is_of_another(job, plan)))
		job = NULL;
	if (job) {
		if (zeus->settings->has_dumps)
			perseus__zeus_dump_ranks(&ranks, job);
		perseus__zeus_start(job, plan, perseus__clock_mono_ns(), &ready);
		deed = perseus__zeus_keep_standing(zeus, job, perseus__zeus_keep_plan(zeus, job), &ready);
	}
	(void)pthread_mutex_unlock(&zeus->lock);
	if (!job)
		perseus__zeus_plan_unref(plan);
	if (job && zeus->settings->has_dumps)
		perseus__zeus_note_ranks(zeus, id, &ranks);
	if (deed)
		perseus__zeus_end_now(deed);
	perseus__zeus_answer_ready(&ready);
	perseus__text_fini(&ranks);
}

void
perseus__zeus_wait(struct perseus__zeus *zeus, const char *id, struct perseus__zeus_waiter *waiter, bool waits)
{
	struct perseus__zeus_ready ready = {0};
	struct perseus__zeus_job *job;
	struct perseus__zeus_deed *deed = NULL;
	int32_t world_size = 0;
	(void)pthread_mutex_lock(&zeus->lock);
	enum perseus__zeus_outcome outcome = perseus__zeus_find_job(zeus, id, &job);
	if (outcome == PERSEUS__ZEUS_DONE) {
		world_size = job->info.world_size;
		outcome = perseus__zeus_ask(job, &waiter->poll, waits, perseus__clock_mono_ns(), &ready);
		if (ready.first)
			deed = perseus__zeus_keep_standing(zeus, job, perseus__zeus_keep_round(zeus, job), &ready);
	}
	(void)pthread_mutex_unlock(&zeus->lock);
	const struct perseus__zeus_answer outside = {
		.outcome = PERSEUS__ZEUS_OUTSIDE, .member = "rank", .limit = world_size};
	/* A parked poll may be answered, and gone, by now. */
	if (outcome == PERSEUS__ZEUS_DONE || outcome == PERSEUS__ZEUS_FAILED)
		perseus__zeus_answer_poll(&waiter->poll);
	else if (outcome == PERSEUS__ZEUS_OUTSIDE)
		waiter->done(waiter->user, &outside);
	else if (outcome == PERSEUS__ZEUS_CLASH)
		perseus__zeus_reply(
				waiter->done, waiter->user, outcome, "There is no schedule yet: not all ranks are registered.");
	else if (outcome != PERSEUS__ZEUS_PARKED)
		perseus__zeus_reply_plainly(waiter->done, waiter->user, outcome, id);
	if (deed)
		perseus__zeus_end_now(deed);
	perseus__zeus_answer_ready(&ready);
}

bool
perseus__zeus_leave(struct perseus__zeus *zeus, struct perseus__zeus_waiter *waiter)
{
	(void)pthread_mutex_lock(&zeus->lock);
	const bool has_waited = perseus__zeus_forget(&waiter->poll);
	(void)pthread_mutex_unlock(&zeus->lock);
	return has_waited;
}

void
perseus__zeus_tick(struct perseus__zeus *zeus, int64_t now_ns)
{
	struct perseus__zeus_ready ready = {0};
	const int64_t max_idle_ns = zeus->settings->max_idle_s * PERSEUS__NS_PER_S;
	(void)pthread_mutex_lock(&zeus->lock);
	for (size_t i = zeus->jobs.n_jobs; i > 0; i--) {
		struct perseus__zeus_job *job = zeus->jobs.jobs[i - 1];
		if (now_ns - job->active_ns <= max_idle_ns)
			continue;
		perseus__log_message(PERSEUS__LOG_NOTICE, "zeus", "job %s was idle for too long and is dropped", job->id);
		perseus__zeus_drop(zeus, job);
		perseus__zeus_jobs_remove(&zeus->jobs, job, PERSEUS__ZEUS_UNKNOWN, &ready);
	}
	(void)pthread_mutex_unlock(&zeus->lock);
	perseus__zeus_answer_ready(&ready);
}

void
perseus__zeus_end(struct perseus__zeus *zeus)
{
	struct perseus__zeus_ready ready = {0};
	(void)pthread_mutex_lock(&zeus->lock);
	zeus->is_ending = true;
	for (size_t i = 0; i < zeus->jobs.n_jobs; i++)
		perseus__zeus_answer_all(zeus->jobs.jobs[i], PERSEUS__ZEUS_UNAVAILABLE, &ready);
	(void)pthread_mutex_unlock(&zeus->lock);
	perseus__zeus_answer_ready(&ready);
	perseus__tasks_end(zeus->tasks);
}

void
perseus__zeus_count(struct perseus__zeus *zeus, struct perseus__zeus_counts *counts)
{
	(void)pthread_mutex_lock(&zeus->lock);
	*counts = (struct perseus__zeus_counts){.n_jobs = (int64_t)zeus->jobs.n_jobs, .n_rounds = zeus->n_rounds};
	for (size_t i = 0; i < zeus->jobs.n_jobs; i++) {
		counts->n_ranks += zeus->jobs.jobs[i]->n_registered;
		counts->n_waiters += zeus->jobs.jobs[i]->n_asking;
	}
	(void)pthread_mutex_unlock(&zeus->lock);
}

enum perseus_status
perseus__zeus_server_new(const struct perseus__zeus_settings *settings, struct perseus__store *store,
		struct perseus__zeus **out, struct perseus_error *err)
{
	struct perseus__zeus *zeus = perseus__new_array(1, sizeof *zeus);
	if (!zeus)
		return perseus__no_memory(err);
	zeus->settings = settings;
	zeus->store = store;
	(void)pthread_mutex_init(&zeus->lock, NULL); /* cannot fail: glibc */
	enum perseus_status status = perseus__tasks_new(1, MAX_TASKS, &zeus->tasks, err);
	if (status == PERSEUS_OK && store)
		status = perseus__zeus_take_up(zeus, err);
	if (status != PERSEUS_OK) {
		perseus__zeus_server_free(zeus);
		return status;
	}
	*out = zeus;
	return PERSEUS_OK;
}

void
perseus__zeus_server_free(struct perseus__zeus *zeus)
{
	if (!zeus)
		return;
	if (zeus->tasks)
		perseus__tasks_free(zeus->tasks);
	perseus__zeus_jobs_fini(&zeus->jobs);
	(void)pthread_mutex_destroy(&zeus->lock);
	perseus__free(zeus);
}
