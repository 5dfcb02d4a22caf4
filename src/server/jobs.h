/*
 * All training jobs of the server: their registration, ranks, profile, plans, reports and savings; see docs/jobs.md.
 * Knows neither sockets nor clocks: requests come as bodies and are answered by a callback, and time is passed in. So
 * a whole life of a job is tested without either.
 *
 * Functions are called from any thread. One lock holds all jobs; it is never held while a reply goes out, while the
 * disk is waited for, or while a frontier is computed.
 */
#ifndef PERSEUS_SERVER_JOBS_H
#define PERSEUS_SERVER_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/status.h>

struct perseus__jobs;
struct perseus__planner;
struct perseus__store;

/* The moment of a call. Waits and silences are measured by the one, moments that are kept by the other. */
struct perseus__now {
	int64_t mono_ns; /* monotonic */
	int64_t wall_ms; /* since 1970 UTC */
};

/* X(name, text): what is told by events. */
#define PERSEUS__JOB_EVENT_MAP(X) \
	X(JOB, "job")                 \
	X(RANK, "rank")               \
	X(PHASE, "phase")             \
	X(PROFILE, "profile")         \
	X(FRONTIER, "frontier")       \
	X(PLAN, "plan")               \
	X(STRAGGLER, "straggler")     \
	X(DRIFT, "drift")             \
	X(SAVINGS, "savings")         \
	X(WARNING, "warning")

enum perseus__job_event {
#define X(name, text) PERSEUS__JOB_EVENT_##name,
	PERSEUS__JOB_EVENT_MAP(X)
#undef X
};

const char *perseus__job_event_name(enum perseus__job_event event);

/*
 * Something happened to `job`; `data` is one line of JSON, an object. Called from any thread, with the jobs' lock held:
 * it must not call back, nor wait.
 */
typedef void perseus__job_event_sink(void *user, const char *job, enum perseus__job_event event, const char *data);

struct perseus__jobs_settings {
	struct perseus__store *store;     /* borrowed */
	struct perseus__planner *planner; /* borrowed */
	perseus__job_event_sink *sink;    /* may be NULL */
	void *user;
	int64_t max_idle_ms;       /* a job that nobody has spoken of for so long is ended */
	int64_t max_silence_ns;    /* a rank that has neither polled nor reported for so long is gone */
	int32_t max_jobs;          /* that have not ended */
	int32_t max_ranks;         /* of a job */
	int32_t max_order;         /* instructions of a rank */
	int32_t n_kept_steps;      /* reports kept of each rank, once its profile is made */
	int32_t max_profile_steps; /* of profiling, where the job does not say */
};

/* A week, 30 s, 1000 jobs, 65,536 ranks, 65,536 instructions, 200 steps, 150 steps; store and planner NULL. */
struct perseus__jobs_settings perseus__jobs_settings_default(void);

/*
 * Takes up every job of the store where it was.
 * Errors: those of reading the store; INVALID where it holds what this program never wrote; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__jobs_new(const struct perseus__jobs_settings *settings,
		struct perseus__now now, struct perseus__jobs **out, struct perseus_error *err);

/*
 * Every waiting call is answered 503 and no new one waits. Call before the server stops listening, then flush the
 * store, then free the planner, then perseus__jobs_free.
 */
void perseus__jobs_end(struct perseus__jobs *jobs);

/* After store and planner have nothing under way for it. NULL is fine. */
void perseus__jobs_free(struct perseus__jobs *jobs);

/*
 * A request under way. The caller makes it, fills in `reply` (and `user`), and keeps it until `reply` is called, which
 * happens exactly once, from any thread, with no lock held, before the function that took the call returns or later.
 * `body` is JSON unless `content_type` says otherwise; empty for 204. It may be moved from.
 */
struct perseus__call {
	void (*reply)(struct perseus__call *call, int code, const char *content_type, struct perseus__text *body);
	void *user;
	struct perseus__call *next; /* of those to be answered; for jobs.c */
	int code;
	const char *content_type;
	struct perseus__text body;
};

/* What a request says: its body (NULL: none), and when it came. */
struct perseus__message {
	const char *bytes;
	size_t length;
	struct perseus__now now;
};

/* POST /v1/jobs */
void perseus__jobs_register(
		struct perseus__jobs *jobs, struct perseus__call *call, const struct perseus__message *message);

/* POST /v1/jobs/{job}/ranks */
void perseus__jobs_register_rank(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *id, const struct perseus__message *message);

/* What a rank asks with GET /v1/jobs/{job}/ranks/{rank}/plan. */
struct perseus__poll {
	int32_t rank;
	int64_t have;    /* the last revision received; -1: none */
	int64_t start;   /* the from_step known for it; -1: none */
	int64_t step;    /* the last step begun; -1: none */
	int64_t wait_ns; /* how long to wait for news */
};

/* May wait. A rank has one waiting call: an earlier one is answered 204. */
void perseus__jobs_poll(struct perseus__jobs *jobs, struct perseus__call *call, const char *id,
		const struct perseus__poll *poll, struct perseus__now now);

/*
 * The peer of a call that perseus__jobs_poll was given, with this `user`, is gone. Returns the call where it waited: it
 * will not be answered any more, and is the caller's again. NULL: it has been answered, or is being, and may be freed.
 * O(ranks).
 */
struct perseus__call *perseus__jobs_abandon(struct perseus__jobs *jobs, const void *user);

/* POST /v1/jobs/{job}/ranks/{rank}/steps; answered once it is durable. */
void perseus__jobs_report(struct perseus__jobs *jobs, struct perseus__call *call, const char *id, int32_t rank,
		const struct perseus__message *message);

/* POST /v1/jobs/{job}/stragglers, POST /v1/jobs/{job}/target, DELETE /v1/jobs/{job} */
void perseus__jobs_announce(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *id, const struct perseus__message *message);
void perseus__jobs_set_target(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *id, const struct perseus__message *message);
void perseus__jobs_delete(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *id, struct perseus__now now);

/* PUT /v1/jobs/{job}/profile: a profile CSV; `blocking_power_w` NaN where the query has none. */
void perseus__jobs_put_profile(struct perseus__jobs *jobs, struct perseus__call *call, const char *id,
		double blocking_power_w, const struct perseus__message *message);

/* GET /v1/jobs */
void perseus__jobs_list(struct perseus__jobs *jobs, struct perseus__call *call);

/* What GET can ask of a job. */
enum perseus__job_view {
	PERSEUS__JOB_VIEW_SUMMARY,
	PERSEUS__JOB_VIEW_FRONTIER,
	PERSEUS__JOB_VIEW_PROFILE_CSV,
	PERSEUS__JOB_VIEW_PROFILE_JSON,
	PERSEUS__JOB_VIEW_PLAN,
	PERSEUS__JOB_VIEW_PLANS,
	PERSEUS__JOB_VIEW_STRAGGLERS,
};
void perseus__jobs_view(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *id, enum perseus__job_view view);

/* GET /v1/jobs/{job}/reports: of one rank, or of all (-1), the latest first. */
void perseus__jobs_reports(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *id, int32_t rank, int32_t limit);

/* Whether there is such a job, ended or not: for streams of events. */
bool perseus__jobs_has(struct perseus__jobs *jobs, const char *job);

/* Once a second or so: ends waits, forgets the silent, writes again what could not be written. */
void perseus__jobs_tick(struct perseus__jobs *jobs, struct perseus__now now);

/* Waits until neither store nor planner have anything under way for the jobs. For tests, and before the end. */
void perseus__jobs_settle(struct perseus__jobs *jobs);

/* For metrics. */
struct perseus__jobs_counts {
	int32_t n_jobs; /* that have not ended */
	int32_t n_profiling;
	int32_t n_planned;
	int32_t n_ranks;
	int32_t n_waiting; /* calls */
	uint64_t n_reports;
	uint64_t n_steps;
	uint64_t n_revisions;
	uint64_t n_stragglers; /* begun */
	uint64_t n_shapes;     /* that were asked for, and of them those made: the others were shared */
	uint64_t n_frontiers;
	double measured_j; /* of all steps under a plan */
	double predicted_j;
	double baseline_j;
};

void perseus__jobs_counts(struct perseus__jobs *jobs, struct perseus__jobs_counts *counts);

/* What is planned of an iteration of a whole job, and without plans, the time that plans do not know of included. */
struct perseus__job_figures {
	bool is_there; /* every pipeline has a plan */
	double time_s;
	double energy_j;
	double baseline_time_s;
	double baseline_j;
};

/* Calls `visit` for each job that has figures, with the jobs' lock held: it must not call back, nor wait. */
void perseus__jobs_visit_figures(struct perseus__jobs *jobs,
		void (*visit)(void *user, const char *job, const struct perseus__job_figures *figures), void *user);

#endif
