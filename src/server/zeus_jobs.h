/*
 * How Zeus's jobs go: register a job, register its ranks, and then round after round a schedule for every rank and a
 * result from every rank. Logic alone: no threads, clocks, files or HTTP; the caller locks, and tells what became
 * durable.
 *
 * A round: a rank that asks for its schedule is parked until all ranks have asked and are still there; then all are
 * answered (the round is open). A rank that asks again is parked for the next round, which begins when every rank has
 * sent its result of this one. With Zeus's own client there is one round and no result.
 *
 * What must survive the death of the process goes in two steps: begin_rank or begin_result checks and notes it, the
 * caller stores it, end_rank or end_result tells what came of that. Only then it counts.
 */
#ifndef PERSEUS_SERVER_ZEUS_JOBS_H
#define PERSEUS_SERVER_ZEUS_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "server/zeus_json.h"
#include "server/zeus_plan.h"
#include "service/url.h"

enum {
	PERSEUS__ZEUS_ID_BYTES = PERSEUS__PATH_PARAMETER_BYTES, /* of a job's id and its NUL: a part of a path */
	PERSEUS__ZEUS_MAX_JOBS = 10000,                         /* at once */
	PERSEUS__ZEUS_MAX_TOTAL_RANKS = 1024 * 1024,            /* of all jobs together */
};

/* X(name, text): Zeus's classes. */
#define PERSEUS__ZEUS_SCHEDULER_MAP(X) \
	X(POINT_SOLUTION, "PointSolution") \
	X(POINT_SOLUTION_3D, "PointSolution3D")

enum perseus__zeus_scheduler {
#define X(name, text) PERSEUS__ZEUS_##name,
	PERSEUS__ZEUS_SCHEDULER_MAP(X)
#undef X
};

const char *perseus__zeus_scheduler_name(enum perseus__zeus_scheduler scheduler);

/* What comes of a request. */
enum perseus__zeus_outcome {
	PERSEUS__ZEUS_DONE,
	PERSEUS__ZEUS_PARKED,      /* answered later */
	PERSEUS__ZEUS_UNKNOWN,     /* there is no such job, or not any more */
	PERSEUS__ZEUS_CLASH,       /* with what was registered or sent before */
	PERSEUS__ZEUS_OUTSIDE,     /* of the job's ranks or stages: `limit` */
	PERSEUS__ZEUS_TOO_MANY,    /* jobs or ranks */
	PERSEUS__ZEUS_FAILED,      /* the plan says why */
	PERSEUS__ZEUS_UNAVAILABLE, /* the server ends, or cannot store */
	PERSEUS__ZEUS_NO_MEMORY,
};

struct perseus__zeus_job;

/* A request for a schedule, embedded by whoever waits for its answer. */
struct perseus__zeus_poll {
	int32_t rank;
	/* False: its peer is gone, only nobody has said so yet. Called by functions below; NULL: it is there. */
	bool (*is_there)(struct perseus__zeus_poll *poll);
	/* The rest is of these functions. */
	struct perseus__zeus_job *job; /* where it is parked; NULL: nowhere */
	struct perseus__zeus_poll *previous, *next;
	enum perseus__zeus_outcome outcome;
	struct perseus__zeus_plan *plan; /* a reference, for DONE and FAILED: whoever answers gives it back */
	int32_t list;                    /* of the plan */
};

/* Polls that are to be answered, linked by `next`. */
struct perseus__zeus_ready {
	struct perseus__zeus_poll *first;
};

/* A rank of a job. */
struct perseus__zeus_rank {
	char *text; /* its info as json.dumps writes it; NULL: not registered */
	int32_t pp_rank;
	int32_t n_being_stored; /* registrations with this text under way */
	bool is_registered;
	bool is_served;  /* it has got its schedule of this round from this process */
	bool has_result; /* of this round, and it is durable */
	bool is_there;   /* of use only while everybody is counted */
	int32_t n_polls; /* parked */
};

/* What was sent in a round. */
struct perseus__zeus_round {
	int64_t number;                        /* from 0 */
	int32_t n_ranks;                       /* 0: nothing was sent yet */
	struct perseus__zeus_result **results; /* length n_ranks, each owned; NULL: not sent */
	int32_t *lists;                        /* of the plan, length n_ranks; owned */
	struct perseus__zeus_plan *plan;       /* a reference */
};

void perseus__zeus_round_fini(struct perseus__zeus_round *round);

enum perseus__zeus_state {
	PERSEUS__ZEUS_JOINING,  /* not all ranks are registered */
	PERSEUS__ZEUS_STARTING, /* they are; the plan is on its way */
	PERSEUS__ZEUS_RUNNING,  /* or failed, as the plan says */
};

/* Read by all, changed by the functions below. */
struct perseus__zeus_job {
	char id[PERSEUS__ZEUS_ID_BYTES];
	uint64_t serial; /* no two jobs of a process have the same, though an id may come again */
	struct perseus__zeus_job_info info;
	enum perseus__zeus_scheduler scheduler;
	enum perseus__zeus_state state;
	struct perseus__zeus_plan *plan;  /* once running */
	struct perseus__zeus_rank *ranks; /* length info.world_size */
	int32_t n_registered;
	int32_t n_asking;                 /* ranks with a parked poll */
	int32_t n_results;                /* durable ones of this round */
	struct perseus__zeus_round round; /* that is under way */
	bool is_open;                     /* its schedules are out */
	bool is_durable;                  /* its registration is */
	int64_t active_ns;                /* when something last happened, on the caller's clock */
	struct perseus__zeus_poll *polls;
};

/* All jobs, ascending by id. */
struct perseus__zeus_jobs {
	struct perseus__zeus_job **jobs;
	size_t n_jobs, capacity;
	int64_t n_ranks; /* of all jobs together */
	uint64_t n_added;
};

void perseus__zeus_jobs_fini(struct perseus__zeus_jobs *jobs); /* no poll is parked */

/* O(log n). NULL: there is none. */
struct perseus__zeus_job *perseus__zeus_jobs_find(const struct perseus__zeus_jobs *jobs, const char *id);

/*
 * Makes Zeus's name of a job, as YYYY-MM-DD-HH-MM-SS+dp1+pp2+tp1+PointSolution+metadata. Of the metadata, what would
 * not come through a URL or a file system becomes '_', and it is cut where the id would be too long.
 */
void perseus__zeus_make_id(char id[PERSEUS__ZEUS_ID_BYTES], const struct tm *local,
		const struct perseus__zeus_job_info *info, enum perseus__zeus_scheduler scheduler);

/*
 * Adds a job, under `id` or, where that is taken, under that and +2, +3 and so on. Takes `info` over on DONE.
 * Else TOO_MANY, NO_MEMORY. O(n).
 */
enum perseus__zeus_outcome perseus__zeus_jobs_add(struct perseus__zeus_jobs *jobs, const char *id,
		struct perseus__zeus_job_info *info, enum perseus__zeus_scheduler scheduler, int64_t now_ns,
		struct perseus__zeus_job **out);

/* Frees a job; its polls become ready with `outcome`. O(n). */
void perseus__zeus_jobs_remove(struct perseus__zeus_jobs *jobs, struct perseus__zeus_job *job,
		enum perseus__zeus_outcome outcome, struct perseus__zeus_ready *ready);

/*
 * Begins to register a rank. DONE: `*text`, its encoded info, was taken over and is to be stored, or was freed where
 * the same is there; then end_rank. Else CLASH, OUTSIDE with what of it (`*member`) is not below which `*limit`.
 */
enum perseus__zeus_outcome perseus__zeus_begin_rank(struct perseus__zeus_job *job,
		const struct perseus__zeus_rank_info *info, char **text, const char **member, int32_t *limit);

/* `is_durable`: it is stored. True: all ranks are there and the job is STARTING; the caller gets its plan. */
bool perseus__zeus_end_rank(struct perseus__zeus_job *job, int32_t rank, bool is_durable, int64_t now_ns);

/* How many lists of clocks the job's plan has. */
int32_t perseus__zeus_n_lists(const struct perseus__zeus_job *job);

/* The plan of a job that is STARTING; takes the reference over. */
void perseus__zeus_start(struct perseus__zeus_job *job, struct perseus__zeus_plan *plan, int64_t now_ns,
		struct perseus__zeus_ready *ready);

/*
 * Asks for a rank's schedule. PARKED; or DONE and FAILED, with poll->plan and list; or OUTSIDE (the limit is the world
 * size). `waits` false: never parks; the schedule of the round as it is, or CLASH before the job has begun.
 * Others may have become ready by it, and the poll itself, too.
 */
enum perseus__zeus_outcome perseus__zeus_ask(struct perseus__zeus_job *job, struct perseus__zeus_poll *poll, bool waits,
		int64_t now_ns, struct perseus__zeus_ready *ready);

/* Takes back a parked poll. False: it is parked no more, and is answered or being answered. */
bool perseus__zeus_forget(struct perseus__zeus_poll *poll);

/*
 * Begins to take a result: DONE, and `*result` was taken over, to be stored, then end_result. Else CLASH (the round has
 * one of this rank, or the job has not begun), OUTSIDE, FAILED, NO_MEMORY.
 */
enum perseus__zeus_outcome perseus__zeus_begin_result(
		struct perseus__zeus_job *job, struct perseus__zeus_result **result);

/*
 * `is_durable`: it is stored; where not, the rank may send it again. True where it was the last of the round: `*over`
 * has it all, and the next round has begun.
 */
bool perseus__zeus_end_result(struct perseus__zeus_job *job, int32_t rank, bool is_durable, int64_t now_ns,
		struct perseus__zeus_round *over, struct perseus__zeus_ready *ready);

/*
 * Where a restarted server takes up a job that is RUNNING: the round, of which nothing was sent yet, and whether its
 * schedules were out.
 */
void perseus__zeus_resume(struct perseus__zeus_job *job, int64_t round, bool is_open);

/* All polls of the job become ready with `outcome`. */
void perseus__zeus_answer_all(
		struct perseus__zeus_job *job, enum perseus__zeus_outcome outcome, struct perseus__zeus_ready *ready);

#endif
