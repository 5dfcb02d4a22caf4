/*
 * A training job on simulated GPUs, in simulated time: what its ranks report while a walk profiles it. Its own account
 * of what instructions take and draw is the truth that a walk is compared with.
 */
#ifndef PERSEUS_TESTS_TRAINING_H
#define PERSEUS_TESTS_TRAINING_H

#include <stdbool.h>
#include <stdint.h>

#include "server/walk.h"

#include <perseus/schedule.h>

struct training_settings {
	const char *model;    /* of the GPUs: "a100" */
	const char *schedule; /* "1f1b" */
	int32_t n_ranks;
	int32_t n_microbatches;
	int32_t stages_per_rank; /* 0: the schedule's own */
	int32_t n_pipelines;     /* alike but for noise */
	bool has_constants;      /* gradient reductions and optimizer steps */
	double scale;            /* of all times; 1: forwards of 15 to 25 ms */
	double noise;            /* of an instruction's time, relative */
	double jitter_s;         /* the counter moves within this much of when it is thought to */
	double blocking_w;       /* 0: the model's */
	double outliers;         /* share of windows that are wrong altogether */
	double latency_s;        /* of a change of clock: instructions until then are unsettled */
	int32_t lag_steps;       /* until reports count and until a batch can begin */
	uint64_t seed;
};

/* 1F1B of 4 ranks and 8 microbatches on A100s, 1 % noise, 1 ms of jitter, 12 ms latency, 2 steps late. */
struct training_settings training_settings_default(void);

struct training;

struct training *training_new(const struct training_settings *settings);
void training_free(struct training *training);

/* Classes of the job; borrowed. */
const struct perseus__job_class *training_classes(const struct training *training, int32_t *n);

/* Time and energy of an instruction of a class at a clock. */
double training_time_s(const struct training *training, int32_t class_, int32_t mhz);
double training_energy_j(const struct training *training, int32_t class_, int32_t mhz);
double training_blocking_w(const struct training *training);

/* Runs one step with these clocks (length n_classes) and tells `walk` (NULL: nobody) of it, `lag_steps` later. */
void training_step(struct training *training, const int32_t *class_mhz, struct perseus__walk *walk);

/*
 * Runs the job under the walk until it is done, or for `max_steps`. Aborts where the walk breaks its word: see the
 * source. Returns how many steps it took.
 */
int32_t training_follow(struct training *training, struct perseus__walk *walk, int32_t max_steps);

/* Where a result is off from the truth. */
struct training_errors {
	double worst_energy;       /* relative, over all rows */
	double mean_square_energy; /* root of the mean square, relative */
	double worst_time;
	double worst_blocking;        /* relative */
	double mean_square_of_errors; /* root of the mean square of (energy - truth) / standard error */
	double worst_reported;        /* largest standard error of an energy, relative */
	int32_t n_rows;
	int32_t n_unknown; /* without an energy */
	int32_t lowest_mhz;
	int32_t n_clocks;
};

/* Compares classes that take more than `share` of their position's time. */
struct training_errors training_compare(
		const struct training *training, const struct perseus__walk_result *result, double share);

#endif
