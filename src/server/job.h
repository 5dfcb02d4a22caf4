/*
 * A job, inside the jobs: what jobs*.c and job_*.c share. Everything here belongs to the jobs' lock, which the caller
 * of each function holds unless it says otherwise.
 */
#ifndef PERSEUS_SERVER_JOB_H
#define PERSEUS_SERVER_JOB_H

#include "server/jobs.h"

#include "server/announced.h"
#include "server/detector.h"
#include "server/drift.h"
#include "server/job_class.h"
#include "server/job_json.h"
#include "server/planner.h"
#include "server/profile_document.h"
#include "server/rollout.h"
#include "server/steps.h"
#include "server/store.h"
#include "server/walk.h"

#include <pthread.h>

enum { PERSEUS__JOB_ID_BYTES = 20, PERSEUS__PROBLEM_BYTES = 512, PERSEUS__N_BASELINE_SAMPLES = 64 };

/* The order of instructions that ranks of a job share. */
struct perseus__shared_order {
	int64_t id; /* in the store */
	char *text;
	int32_t n;
	int32_t n_ranks; /* that have it */
};

struct perseus__rank {
	bool is_registered;
	int32_t n_joining; /* registrations that are being saved: its place is taken already */
	bool is_present;   /* it has been heard of lately */
	struct perseus__parallel at;
	char *document; /* its registration without the order */
	char *gpu_name, *gpu_driver;
	bool is_simulated;
	enum perseus__control control;
	int32_t *clocks_mhz;
	int32_t n_clocks;
	double switch_latency_s; /* NaN: not known */
	int64_t order;           /* index into the job's orders */
	int64_t seen_ns;
	int64_t begun;    /* last step begun that is known of; -1: none */
	int64_t reported; /* last step reported; -1: none */
	int32_t epoch;
	int64_t have, start; /* as it said last */
	struct perseus__call *waiting;
	int64_t wait_until_ns;
};

struct perseus__pipeline {
	struct perseus__rollout rollout;
	int32_t n_present;
	int32_t n_have;  /* present ranks that have the coming revision */
	double detected; /* degree; 1: none */
};

/* X(name, text) */
#define PERSEUS__JOB_PHASE_MAP(X)                                          \
	X(REGISTERING, "registering") /* not all ranks are known */            \
	X(PROFILING, "profiling")                                              \
	X(PLANNING, "planning") /* the frontier is being computed */           \
	X(PLANNED, "planned")                                                  \
	X(FREE, "free") /* there can be no plan; the job's problem says why */ \
	X(ENDED, "ended")

enum perseus__job_phase {
#define X(name, text) PERSEUS__JOB_PHASE_##name,
	PERSEUS__JOB_PHASE_MAP(X)
#undef X
};

const char *perseus__job_phase_name(enum perseus__job_phase phase);

/* A batch of the walk, as it is run. */
struct perseus__batch {
	int64_t *from; /* length dp: from_step of the revision that it came in; -1: not started */
	int32_t late;  /* steps that it began behind the end of the one before, at most; told to the walk once */
};

struct perseus__walk_part {
	int32_t batch;
	int32_t n_steps;
	int32_t end; /* steps of the batch up to its end */
};

struct perseus__job {
	struct perseus__job *next;
	struct perseus__jobs *jobs;
	char id[PERSEUS__JOB_ID_BYTES];
	struct perseus__job_request request; /* its key is in `key` */
	char *document;                      /* the registration, as it is kept */
	char *key;                           /* NULL: none */
	int64_t created_ms, seen_ms, saved_seen_ms, ended_ms;
	int64_t seen_ns;
	char reason[PERSEUS__PROBLEM_BYTES]; /* why it ended */
	enum perseus__job_phase phase;
	char problem[PERSEUS__PROBLEM_BYTES]; /* why there is no plan; "": none */

	int32_t n_ranks, n_registered, n_present;
	struct perseus__rank *ranks; /* length n_ranks */
	int32_t *rank_at;            /* length n_ranks, by coordinate; -1: nobody is there yet */
	struct perseus__shared_order *orders;
	size_t n_orders, order_capacity, n_order_bytes;
	int64_t next_order_id;
	struct perseus__pipeline *pipelines; /* length dp */
	int32_t epoch;

	/* Once all ranks are there. */
	const struct perseus_schedule *schedule;
	int64_t *schedule_orders; /* length pp: the orders that it was made of */
	struct perseus__job_class *classes;
	int32_t n_classes;
	int32_t *class_of; /* length n_instructions */
	char *fingerprint; /* canonical JSON */
	struct perseus__steps steps;
	struct perseus__detector *detector; /* NULL with one pipeline */
	struct perseus__drift *drift;
	int64_t last_complete; /* step; -1: none */
	bool is_replaying;     /* reports that were applied before the restart */

	/* Profiling. */
	struct perseus__walk *walk;
	struct perseus__batch *batches;
	size_t n_batches, batch_capacity;
	struct perseus__walk_part *parts; /* given by the walk and not over; from part_begin on */
	size_t n_parts, part_capacity, part_begin;
	struct {
		double span_s, time_s;
	} samples[PERSEUS__N_BASELINE_SAMPLES]; /* of pipelines at the highest clock */
	int32_t n_samples;
	double energies_j[PERSEUS__N_BASELINE_SAMPLES]; /* of the job at the highest clock */
	int32_t n_energies;

	/* The plan. */
	bool has_profile;
	bool is_profile_saved;
	struct perseus__profile_document profile;
	struct perseus__shape *shape;
	int64_t generation; /* of profile and schedule: an answer of the planner to an earlier one is of no use */
	const void *asking; /* the planner for a shape, as which it is cancelled; NULL: nothing is under way */
	double asked_latency_s;
	struct perseus__target target;
	struct perseus__announced announced;
	int64_t announced_ms; /* when the next announcement takes effect */
	struct perseus__target_answer answer;
	bool was_feasible;
	struct {
		int64_t deadline_ns;
		struct perseus_plan *plan; /* NULL: asked for, or there is none */
	} refined[8];
	int32_t n_refined;

	/* What came of it. */
	struct perseus__savings savings;
	int32_t n_unsaved;  /* complete steps that the sums in the store do not have */
	int64_t saved_step; /* of this epoch: up to which they were when the server began; -1: none */
	uint64_t n_reports, n_steps, n_revisions;
	double overhead_s;
};

struct perseus__jobs {
	struct perseus__jobs_settings settings;
	pthread_mutex_t mutex;
	pthread_cond_t quiet; /* nothing is under way */
	struct perseus__job *first, *last;
	int32_t n_jobs; /* that have not ended */
	int64_t n_under_way;
	bool is_ending;
	struct perseus__now now; /* of the latest call */
	struct perseus__call *answered, **answered_end;
	uint64_t n_reports, n_steps, n_revisions, n_stragglers;
	double measured_j, predicted_j, baseline_j;
};

/* jobs.c */

void perseus__jobs_lock(struct perseus__jobs *jobs, struct perseus__now now);
/* Sends the replies that were made meanwhile, without the lock. */
void perseus__jobs_unlock(struct perseus__jobs *jobs);
struct perseus__job *perseus__jobs_find(struct perseus__jobs *jobs, const char *id);
void perseus__jobs_append(struct perseus__jobs *jobs, struct perseus__job *job);
/* Answers of calls go out at the unlock. */
void perseus__call_answer(struct perseus__jobs *jobs, struct perseus__call *call, int code);
struct perseus__json perseus__call_json(struct perseus__jobs *jobs, struct perseus__call *call, int code);
void perseus__call_error(struct perseus__jobs *jobs, struct perseus__call *call, int code, const char *format, ...)
		PERSEUS_PRINTF(4, 5);
void perseus__call_fail(struct perseus__jobs *jobs, struct perseus__call *call, const struct perseus_error *err);
/* Tells of an event; `data` may be made by perseus__text_addf, one object. */
void perseus__job_tell(const struct perseus__job *job, enum perseus__job_event event, const char *format, ...)
		PERSEUS_PRINTF(3, 4);
void perseus__job_warn(const struct perseus__job *job, const char *format, ...) PERSEUS_PRINTF(2, 3);
/* Something is under way, for perseus__jobs_settle; and is done, replies included, without the lock. */
void perseus__jobs_begin(struct perseus__jobs *jobs);
void perseus__jobs_done(struct perseus__jobs *jobs);
void perseus__jobs_undo_begin(struct perseus__jobs *jobs); /* it did not come to it; within the lock */
/* Submits a write whose outcome `done` (may be NULL) hears of with the lock held. False: it could not be submitted. */
struct perseus__saving;
typedef void perseus__saved(struct perseus__saving *saving, struct perseus__job *job, const struct perseus_error *err);
struct perseus__saving {
	struct perseus__jobs *jobs;
	char job[PERSEUS__JOB_ID_BYTES];
	perseus__saved *saved; /* `job` is NULL where it is no longer there */
	struct perseus__call *call;
	int64_t number;
	int32_t pipeline;
	void *data;
	void (*free_data)(void *data);
};
bool perseus__job_save(struct perseus__job *job, struct perseus__write *write, const struct perseus__saving *saving,
		struct perseus_error *err);
/* The same for what belongs to no job yet. */
bool perseus__jobs_save(struct perseus__jobs *jobs, struct perseus__write *write, const struct perseus__saving *saving,
		struct perseus_error *err);

/* jobs_change.c: for requests that change something */

/* Takes the lock, to answer what could not be begun; `err` says why. */
void perseus__call_refuse(struct perseus__jobs *jobs, struct perseus__call *call, const struct perseus_error *err);
/* The job of a request that wants to change it; NULL: answered already. */
struct perseus__job *perseus__jobs_find_running(struct perseus__jobs *jobs, struct perseus__call *call, const char *id);
/* What was saved may be applied. False: it failed, or the job has ended meanwhile, and the call is answered. */
bool perseus__saving_is_done(
		struct perseus__saving *saving, const struct perseus__job *job, const struct perseus_error *err);

/* job.c */

/* `request` is taken over. NULL where there is no memory. */
PERSEUS_MUST_USE struct perseus__job *perseus__job_new(
		struct perseus__jobs *jobs, struct perseus__job_request *request, const char *document);
void perseus__job_free(struct perseus__job *job);
void perseus__job_set_phase(struct perseus__job *job, enum perseus__job_phase phase);
/* No plan can be made: says why. */
void perseus__job_give_up(struct perseus__job *job, const char *problem);
/* Ends it: all who wait are told to let clocks go. */
void perseus__job_end(struct perseus__job *job, const char *reason);
int32_t perseus__job_gpus_per_stage(const struct perseus__job *job); /* of one pipeline */

/* job_ranks.c */

/* Checks a registration against the job. INVALID: 400; BUSY: 409. */
PERSEUS_MUST_USE enum perseus_status perseus__job_check_rank(
		const struct perseus__job *job, const struct perseus__rank_request *request, struct perseus_error *err);
/* Whether there is room for its order. What is in the store already needs none. Likewise. */
PERSEUS_MUST_USE enum perseus_status perseus__job_check_order(
		const struct perseus__job *job, const struct perseus__rank_request *request, struct perseus_error *err);
/*
 * What is on its way into the store takes its place at once: two ranks that come together for one would both be saved
 * there. A place is released once, when it is known what became of it.
 */
void perseus__job_claim_place(struct perseus__job *job, const struct perseus__rank_request *request);
void perseus__job_release_place(struct perseus__job *job, int32_t index);
/* The order with this text; -1: none yet. */
int64_t perseus__job_find_order(const struct perseus__job *job, const char *text);
/* Registers or replaces. `document` is its registration without the order. */
PERSEUS_MUST_USE enum perseus_status perseus__job_set_rank(struct perseus__job *job,
		const struct perseus__rank_request *request, int64_t order_id, const char *document, struct perseus_error *err);
/* The rank has been heard of. */
void perseus__job_hear(struct perseus__job *job, struct perseus__rank *rank);
/* Takes account of ranks that have fallen silent, and ends waits. */
void perseus__job_tick_ranks(struct perseus__job *job);

/* job_schedule.c: once all ranks are there, what they run; then a profile, or profiling. */
void perseus__job_assemble(struct perseus__job *job);
int32_t perseus__job_class_index(const struct perseus__job *job, int32_t stage, enum perseus_kind kind);
int32_t perseus__job_highest_mhz(const struct perseus__job *job, int32_t *n_clocks, int32_t **clocks);

/* job_rollout.c */

/* Puts `program` (taken over; NULL does nothing) on its way in a pipeline. */
void perseus__job_roll_out(struct perseus__job *job, int32_t pipeline, struct perseus__program *program,
		int64_t not_before, int32_t batch, const char *reason);
/* Saves what is to be saved, and starts what every present rank has. */
void perseus__job_advance(struct perseus__job *job, int32_t pipeline);
/* Answers a waiting rank where there is news for it. */
void perseus__job_answer_rank(struct perseus__job *job, struct perseus__rank *rank);

/* job_walk.c */
void perseus__job_start_walk(struct perseus__job *job);
void perseus__job_pump_walk(struct perseus__job *job);
void perseus__job_end_parts(struct perseus__job *job);
void perseus__job_drop_walk(struct perseus__job *job);

/* job_plan.c */

/* There is a profile: asks for the shape. */
void perseus__job_ask_plan(struct perseus__job *job);
/* Deadlines from target and stragglers, and from these the plan of each pipeline. */
void perseus__job_replan(struct perseus__job *job, const char *reason);
/* The best plan there is for a deadline; NULL: none. Borrowed from shape or job. */
const struct perseus_plan *perseus__job_plan(const struct perseus__job *job, int64_t deadline_ns);
void perseus__job_drop_shape(struct perseus__job *job);
double perseus__job_degree(const struct perseus__job *job, int32_t pipeline);
/* Takes `profile` over as the job's. */
void perseus__job_set_profile(struct perseus__job *job, struct perseus__profile_document *profile);
void perseus__job_save_profile(struct perseus__job *job);
double perseus__job_switch_latency_s(const struct perseus__job *job); /* of the slowest rank; NaN: not known */

/* job_steps.c */

/* Applies a report; returns the last step of it, or of what was reported before. */
int64_t perseus__job_apply_report(
		struct perseus__job *job, struct perseus__rank *rank, const struct perseus__report *report);
/* Fewer ranks are waited for. */
void perseus__job_complete_steps(struct perseus__job *job);
/* Writes the sums, and deletes the reports that are no longer needed. */
void perseus__job_save_sums(struct perseus__job *job);
void perseus__savings_write(const struct perseus__savings *savings, struct perseus__text *text);
PERSEUS_MUST_USE enum perseus_status perseus__savings_read(
		const char *text, struct perseus__savings *out, struct perseus_error *err);

/* job_views.c */
struct perseus__job_figures perseus__job_figures(const struct perseus__job *job); /* O(pipelines) */
void perseus__job_view_summary(const struct perseus__job *job, struct perseus__json *json, bool is_brief);
void perseus__job_view(struct perseus__job *job, struct perseus__call *call, enum perseus__job_view view);

/* jobs_load.c */
PERSEUS_MUST_USE enum perseus_status perseus__jobs_load(struct perseus__jobs *jobs, struct perseus_error *err);

#endif
