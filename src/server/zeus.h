/*
 * Zeus's pipeline frequency server: its jobs (zeus_jobs.h) under one lock, kept in the store, with their files. Every
 * request gets exactly one answer, by a callback: at once, when what it asks for is durable, or when all ranks are
 * there. What is acknowledged is in the store, and a new process takes up every job where it was.
 *
 * Any thread may call these functions. Callbacks come from any thread, without a lock held, and may come before the
 * function returns.
 */
#ifndef PERSEUS_SERVER_ZEUS_H
#define PERSEUS_SERVER_ZEUS_H

#include "server/store.h"
#include "server/zeus_jobs.h"
#include "server/zeus_settings.h"

struct perseus__zeus;

struct perseus__zeus_answer {
	enum perseus__zeus_outcome outcome; /* not PARKED */
	const char *id;                     /* of a job that was registered */
	const char *detail;                 /* text for the user, where the outcome is none of DONE and OUTSIDE */
	const char *member;                 /* OUTSIDE: of the body, not below `limit` */
	int32_t limit;
	const struct perseus__zeus_plan *plan; /* of a schedule, borrowed for the time of the call */
	int32_t list;
	int32_t rank;
};

typedef void perseus__zeus_done(void *user, const struct perseus__zeus_answer *answer);

/* A request for a schedule, embedded by whoever waits, until `done` is called or perseus__zeus_leave returns true. */
struct perseus__zeus_waiter {
	struct perseus__zeus_poll poll; /* its rank and is_there are the caller's to fill in */
	perseus__zeus_done *done;
	void *user;
};

/*
 * Takes up the jobs of `store` (may be NULL: nothing is kept), which is borrowed until perseus__zeus_server_free, and
 * so are the settings. Errors: NO_MEMORY, IO, INVALID where the store holds what it should not.
 */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_server_new(const struct perseus__zeus_settings *settings,
		struct perseus__store *store, struct perseus__zeus **out, struct perseus_error *err);

/* After perseus__zeus_end, and after everything submitted to the store was answered. NULL is fine. */
void perseus__zeus_server_free(struct perseus__zeus *zeus);

/* Takes `info` over, whatever comes of it. */
void perseus__zeus_register_job(
		struct perseus__zeus *zeus, struct perseus__zeus_job_info *info, perseus__zeus_done *done, void *user);

void perseus__zeus_register_rank(struct perseus__zeus *zeus, const char *id, const struct perseus__zeus_rank_info *info,
		perseus__zeus_done *done, void *user);

/* `waits` false: the schedule of the round as it is, or CLASH. */
void perseus__zeus_wait(struct perseus__zeus *zeus, const char *id, struct perseus__zeus_waiter *waiter, bool waits);

/* The peer has gone. True: it waited and is forgotten. False: it is answered, or being answered. */
bool perseus__zeus_leave(struct perseus__zeus *zeus, struct perseus__zeus_waiter *waiter);

/* Takes `result` over, whatever comes of it. */
void perseus__zeus_report(struct perseus__zeus *zeus, const char *id, struct perseus__zeus_result *result,
		perseus__zeus_done *done, void *user);

/* Drops jobs at which nothing has happened for too long; who waits for them is answered UNKNOWN. Every few seconds. */
void perseus__zeus_tick(struct perseus__zeus *zeus, int64_t now_ns);

/* Answers all who wait, and whoever comes from now on, with UNAVAILABLE. Waits for files being written. */
void perseus__zeus_end(struct perseus__zeus *zeus);

struct perseus__zeus_counts {
	int64_t n_jobs;
	int64_t n_ranks;   /* registered ones */
	int64_t n_waiters; /* ranks that wait for their schedule */
	int64_t n_rounds;  /* that were over, since the process began */
};

void perseus__zeus_count(struct perseus__zeus *zeus, struct perseus__zeus_counts *counts);

#endif
