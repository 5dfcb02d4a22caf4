/* Answers of Zeus's server, and what waits until it is durable. */
#include "server/zeus_internal.h"

#include "base/memory.h"
#include "service/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct perseus__zeus_deed *
perseus__zeus_new_deed(struct perseus__zeus *zeus,
		void (*end)(struct perseus__zeus_deed *deed, const struct perseus_error *err), perseus__zeus_done *done,
		void *user)
{
	struct perseus__zeus_deed *deed = perseus__new_array(1, sizeof *deed);
	if (!deed)
		return NULL;
	deed->zeus = zeus;
	deed->end = end;
	deed->done = done;
	deed->user = user;
	return deed;
}

static void
end_deed(void *user, const struct perseus_error *err)
{
	struct perseus__zeus_deed *deed = user;
	deed->end(deed, err);
}

bool
perseus__zeus_submit(struct perseus__zeus_deed *deed, const struct perseus__zeus_job *job, struct perseus__write *write)
{
	memcpy(deed->id, job->id, sizeof deed->id);
	deed->serial = job->serial;
	if (!deed->zeus->store)
		return true;
	/* Where it was taken the deed may be gone by now. */
	if (perseus__store_submit(deed->zeus->store, write, end_deed, deed, &deed->err) == PERSEUS_OK)
		return false;
	deed->has_failed = true;
	return true;
}

void
perseus__zeus_end_now(struct perseus__zeus_deed *deed)
{
	deed->end(deed, deed->has_failed ? &deed->err : NULL);
}

void
perseus__zeus_reply(perseus__zeus_done *done, void *user, enum perseus__zeus_outcome outcome, const char *format, ...)
{
	char detail[PERSEUS_ERROR_MESSAGE_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(detail, sizeof detail, format, args); /* a longer message is cut */
	va_end(args);
	const struct perseus__zeus_answer answer = {.outcome = outcome, .detail = detail};
	done(user, &answer);
}

void
perseus__zeus_reply_plainly(perseus__zeus_done *done, void *user, enum perseus__zeus_outcome outcome, const char *id)
{
	switch (outcome) {
	case PERSEUS__ZEUS_UNKNOWN:
		perseus__zeus_reply(
				done, user, outcome, "Job '%s' is not known: it was never registered, or was idle for too long.", id);
		return;
	case PERSEUS__ZEUS_TOO_MANY:
		perseus__zeus_reply(done, user, outcome, "There are too many jobs or ranks.");
		return;
	case PERSEUS__ZEUS_UNAVAILABLE:
		perseus__zeus_reply(done, user, outcome, "The server is ending.");
		return;
	case PERSEUS__ZEUS_NO_MEMORY:
		perseus__zeus_reply(done, user, outcome, "The server is out of memory.");
		return;
	case PERSEUS__ZEUS_DONE:
	case PERSEUS__ZEUS_PARKED:
	case PERSEUS__ZEUS_CLASH:
	case PERSEUS__ZEUS_OUTSIDE:
	case PERSEUS__ZEUS_FAILED:
		perseus__zeus_reply(done, user, outcome, "%s", "");
		return;
	}
}

void
perseus__zeus_answer_poll(struct perseus__zeus_poll *poll)
{
	const struct perseus__zeus_waiter *waiter = (const struct perseus__zeus_waiter *)poll;
	struct perseus__zeus_plan *plan = poll->plan;
	if (plan) {
		const struct perseus__zeus_answer answer = {
			.outcome = poll->outcome, .detail = plan->failure, .plan = plan, .list = poll->list, .rank = poll->rank};
		waiter->done(waiter->user, &answer);
	} else if (poll->outcome == PERSEUS__ZEUS_UNKNOWN) {
		perseus__zeus_reply(waiter->done, waiter->user, poll->outcome, "The job was idle for too long and is gone.");
	} else {
		perseus__zeus_reply_plainly(waiter->done, waiter->user, poll->outcome, "");
	}
	perseus__zeus_plan_unref(plan);
}

void
perseus__zeus_answer_ready(struct perseus__zeus_ready *ready)
{
	struct perseus__zeus_poll *poll = ready->first;
	while (poll) {
		struct perseus__zeus_poll *next = poll->next; /* the poll is gone once it is answered */
		perseus__zeus_answer_poll(poll);
		poll = next;
	}
	ready->first = NULL;
}

/* Where the round now stands is kept as well as can be; whoever waits is answered in any case. */
static void
end_standing(struct perseus__zeus_deed *deed, const struct perseus_error *err)
{
	if (err)
		perseus__log_message(
				PERSEUS__LOG_WARNING, "zeus", "job %s: what became of it is not kept: %s", deed->id, err->message);
	perseus__zeus_answer_ready(&deed->ready);
	perseus__free(deed);
}

struct perseus__zeus_deed *
perseus__zeus_keep_standing(struct perseus__zeus *zeus, const struct perseus__zeus_job *job,
		struct perseus__write *write, struct perseus__zeus_ready *ready)
{
	struct perseus__zeus_deed *deed = zeus->store ? perseus__zeus_new_deed(zeus, end_standing, NULL, NULL) : NULL;
	if (!deed) {
		perseus__write_free(write);
		return NULL;
	}
	deed->ready = *ready;
	ready->first = NULL;
	return perseus__zeus_submit(deed, job, write) ? deed : NULL;
}

enum perseus__zeus_outcome
perseus__zeus_find_job(const struct perseus__zeus *zeus, const char *id, struct perseus__zeus_job **job)
{
	if (zeus->is_ending)
		return PERSEUS__ZEUS_UNAVAILABLE;
	*job = perseus__zeus_jobs_find(&zeus->jobs, id);
	return *job ? PERSEUS__ZEUS_DONE : PERSEUS__ZEUS_UNKNOWN;
}

struct perseus__zeus_job *
perseus__zeus_job_of(const struct perseus__zeus_deed *deed)
{
	struct perseus__zeus_job *job = perseus__zeus_jobs_find(&deed->zeus->jobs, deed->id);
	return job && job->serial == deed->serial ? job : NULL;
}
