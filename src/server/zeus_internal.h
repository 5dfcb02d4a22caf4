/*
 * What the files of Zeus's server share: its life and the schedules (zeus.c), what ranks tell it (zeus_register.c), its
 * answers (zeus_deed.c), what is kept (zeus_keep.c), and files (zeus_files.c).
 */
#ifndef PERSEUS_SERVER_ZEUS_INTERNAL_H
#define PERSEUS_SERVER_ZEUS_INTERNAL_H

#include <pthread.h>

#include "server/zeus.h"
#include "service/tasks.h"

struct perseus__zeus {
	const struct perseus__zeus_settings *settings; /* borrowed */
	struct perseus__store *store;                  /* borrowed; NULL: nothing is kept */
	struct perseus__tasks *tasks;                  /* for files */
	pthread_mutex_t lock;                          /* of what follows */
	struct perseus__zeus_jobs jobs;
	int64_t n_rounds;
	bool is_ending;
};

/* Something that is answered once it is durable. */
struct perseus__zeus_deed {
	struct perseus__zeus *zeus;
	/* `err` NULL: it is durable. Answers, and frees the deed. */
	void (*end)(struct perseus__zeus_deed *deed, const struct perseus_error *err);
	char id[PERSEUS__ZEUS_ID_BYTES]; /* of the job */
	uint64_t serial;                 /* likewise */
	int32_t rank;
	perseus__zeus_done *done;
	void *user;
	struct perseus__zeus_ready ready;
	bool has_failed; /* it was not even submitted: `err` */
	struct perseus_error err;
};

/* NULL where there is no memory. */
struct perseus__zeus_deed *perseus__zeus_new_deed(struct perseus__zeus *zeus,
		void (*end)(struct perseus__zeus_deed *deed, const struct perseus_error *err), perseus__zeus_done *done,
		void *user);

/*
 * Gives a deed with its write to the store, with the lock held. True: nobody will end it but the caller, by
 * perseus__zeus_end_now, without the lock.
 */
bool perseus__zeus_submit(
		struct perseus__zeus_deed *deed, const struct perseus__zeus_job *job, struct perseus__write *write);
void perseus__zeus_end_now(struct perseus__zeus_deed *deed);

/*
 * Keeps how a job stands and then answers those who are ready. With the lock; without it, the caller answers what is
 * left in `*ready` and ends what is returned (NULL: nothing).
 */
struct perseus__zeus_deed *perseus__zeus_keep_standing(struct perseus__zeus *zeus, const struct perseus__zeus_job *job,
		struct perseus__write *write, struct perseus__zeus_ready *ready);

/* Answers: with a text, with what the outcome alone says, and polls with what they have come to. Without the lock. */
void perseus__zeus_reply(perseus__zeus_done *done, void *user, enum perseus__zeus_outcome outcome, const char *format,
		...) PERSEUS_PRINTF(4, 5);
void perseus__zeus_reply_plainly(
		perseus__zeus_done *done, void *user, enum perseus__zeus_outcome outcome, const char *id);
void perseus__zeus_answer_poll(struct perseus__zeus_poll *poll);
void perseus__zeus_answer_ready(struct perseus__zeus_ready *ready);

/* The job of a deed that ends; NULL: it is gone meanwhile. With the lock. */
struct perseus__zeus_job *perseus__zeus_job_of(const struct perseus__zeus_deed *deed);

/* Where a request meets its job: DONE, UNKNOWN, or UNAVAILABLE. With the lock. */
enum perseus__zeus_outcome perseus__zeus_find_job(
		const struct perseus__zeus *zeus, const char *id, struct perseus__zeus_job **job);

/*
 * Writes of what is kept: NULL where nothing is, or where there is no memory, which shows when it is submitted. With
 * the lock held, so that they are submitted in the order of the changes.
 */
struct perseus__write *perseus__zeus_keep_job(struct perseus__zeus *zeus, const struct perseus__zeus_job *job);
struct perseus__write *perseus__zeus_keep_rank(
		struct perseus__zeus *zeus, const struct perseus__zeus_job *job, int32_t rank);
struct perseus__write *perseus__zeus_keep_plan(struct perseus__zeus *zeus, const struct perseus__zeus_job *job);
struct perseus__write *perseus__zeus_keep_round(struct perseus__zeus *zeus, const struct perseus__zeus_job *job);

/* `text` is the encoded result; the number of the round goes behind it. */
struct perseus__write *perseus__zeus_keep_result(
		struct perseus__zeus *zeus, const struct perseus__zeus_job *job, int32_t rank, struct perseus__text *text);

/* Forgets all of a job. Answers nobody: a job that comes back is dropped again. */
void perseus__zeus_drop(struct perseus__zeus *zeus, const struct perseus__zeus_job *job);

/* Takes up what the store holds, and makes up for what was not done any more. Before the first request. */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_take_up(struct perseus__zeus *zeus, struct perseus_error *err);

/* Gets the plan of a job that is STARTING, in a task. Without the lock. */
void perseus__zeus_begin_start(struct perseus__zeus *zeus, const char *id);

/* Reads a job's plan; a failure is told to the log, too. NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_get_plan(const struct perseus__zeus_settings *settings,
		const char *id, int32_t n_lists, struct perseus__zeus_plan **out, struct perseus_error *err);

/* Called by that task: the plan, whose reference is taken over, is there. */
void perseus__zeus_plan_is_there(struct perseus__zeus *zeus, const char *id, struct perseus__zeus_plan *plan);

/* Writes the files of a round that is over, in a task; takes `over` over. Without the lock. */
void perseus__zeus_note_round(
		struct perseus__zeus *zeus, const char *id, bool has_stages, const struct perseus__zeus_round *over);

/* Writes ranks.json in this thread; takes the text over. Without the lock. */
void perseus__zeus_note_ranks(struct perseus__zeus *zeus, const char *id, struct perseus__text *ranks);

#endif
