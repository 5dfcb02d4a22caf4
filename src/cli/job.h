/*
 * A job as the command line describes it: profile, schedule and how many GPUs; and its frontier.
 * The options here are those that plan and frontier share.
 */
#ifndef PERSEUS_CLI_JOB_H
#define PERSEUS_CLI_JOB_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "cli/input.h"

#include <perseus/frontier.h>
#include <perseus/profile.h>
#include <perseus/schedule.h>
#include <perseus/status.h>

/* Filled by perseus__job_argp, whose input it is. perseus__job_init before; free with perseus__job_fini. */
struct perseus__job {
	struct perseus__input input;
	const char *schedule_name; /* or a file; borrowed from argv */
	int32_t n_microbatches;    /* 0: not given */
	int32_t n_ranks;           /* 0: not given */
	int32_t stages_per_rank;   /* 0: not given */
	int32_t group_size;        /* 0: not given */
	enum perseus_layout layout;
	int32_t *extra_warmup; /* length n_extra_warmup; 0: not given */
	int32_t n_extra_warmup;
	size_t cap_extra_warmup;
	int64_t slope_quantum_uw;
	int32_t gpus_per_stage;
	int32_t n_pipelines;

	struct perseus_profile *profile; /* these by perseus__job_load */
	const struct perseus_schedule *schedule;
	struct perseus_frontier *frontier; /* this by perseus__job_solve */
	double solve_s;                    /* time it took */
};

/* PROFILE.csv, and how it is run. Its parser needs the job as input; perseus__input_argp is its child. */
extern const struct argp perseus__job_argp;

struct perseus__job perseus__job_init(void);

/* Whether a schedule's name is that of a file: it ends in .csv or .json. */
bool perseus__schedule_is_file(const char *name);

/* Reads profile and schedule, and checks that they fit. */
PERSEUS_MUST_USE enum perseus_status perseus__job_load(struct perseus__job *job, struct perseus_error *err);

/* The second half of perseus__job_load, for a profile that comes from elsewhere. */
PERSEUS_MUST_USE enum perseus_status perseus__job_schedule(struct perseus__job *job, struct perseus_error *err);

/* Stages of each rank, as given or as the schedule is defined with. */
int32_t perseus__job_stages_per_rank(const struct perseus__job *job);

/* Computes the frontier, with progress on a terminal. */
PERSEUS_MUST_USE enum perseus_status perseus__job_solve(struct perseus__job *job, struct perseus_error *err);

void perseus__job_fini(struct perseus__job *job);

/* One line on what the job is: "1f1b, 8 stages x 96 microbatches, 8 GPUs". */
void perseus__job_describe(const struct perseus__job *job, struct perseus__text *text);

#endif
