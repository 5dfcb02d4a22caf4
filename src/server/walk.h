/*
 * Profiling in vivo: which clocks a training job runs at in its first steps, and what was learned (Perseus, SOSP'24,
 * section 3.2). From the highest clock down, until lower clocks cost both time and effective energy, or too much time,
 * within a budget of steps. docs/profiling.md has the method and its reasons.
 *
 * How it is used. The program of the walk is a list of segments; it comes in batches, ahead of time, as ranks need
 * theirs before they begin:
 *
 *     perseus__walk_new
 *     loop: while perseus__walk_next gives a batch, append it to the program of every pipeline
 *           perseus__walk_add_times, perseus__walk_add_window with whatever ranks report, in any order
 *           perseus__walk_end_segment once every rank has reported all steps of the segment
 *     until the state is DONE
 *     perseus__walk_result
 *
 * A batch is there as soon as no more than a few steps of those before it are left (8 to begin with), so that the next
 * revision can take over exactly where the last one ends. Where a batch comes too late, ranks stay with the last
 * segment's clocks: say to perseus__walk_end_segment how many steps it really was, and the walk plans further ahead.
 * Windows and times that are added before the first perseus__walk_next count: what they tell is not walked again, so
 * that a walk goes on after a restart.
 *
 * The same calls give the same program. Pure: no input or output, no threads, no clock. One thread at a time.
 */
#ifndef PERSEUS_SERVER_WALK_H
#define PERSEUS_SERVER_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "server/job_class.h"

#include <perseus/profile.h>
#include <perseus/status.h>

struct perseus__walk;

struct perseus__walk_settings {
	int32_t max_steps;           /* budget of all segments together, >= 1 */
	int32_t min_steps_per_clock; /* >= 1; more are taken where they bring too few windows */
	double largest_slowdown;     /* > 1: a clock at which a class takes so many times its shortest time is low enough */
	int32_t n_pp;                /* positions in the pipeline, >= 1 */
	const int32_t *clocks_mhz;   /* length n_clocks, strictly descending, > 0; copied */
	int32_t n_clocks;            /* 0: clocks cannot be set; all is measured once, at clock 0 */
	const struct perseus__job_class *classes; /* length n_classes; copied */
	int32_t n_classes;                        /* >= 1 */
	double blocking_power_w;                  /* NaN: to be estimated */
};

/* 150 steps, 2 per clock at least, a slowdown of 2, blocking power to be estimated; the rest is to be set. */
struct perseus__walk_settings perseus__walk_settings_default(void);

/* So many steps with these clocks. */
struct perseus__walk_segment {
	int32_t n_steps;
	const int32_t *class_mhz; /* length n_classes; 0: as it is; borrowed from the walk until it is freed */
	bool is_baseline;         /* everything at the highest clock: what the job takes without plans */
};

enum perseus__walk_state {
	PERSEUS__WALK_RUNNING, /* perseus__walk_next may give a batch */
	PERSEUS__WALK_WAITING, /* for segments to end */
	PERSEUS__WALK_DONE,    /* all segments have ended, and there will be no more */
};

/*
 * Errors: INVALID for settings out of range; NO_MEMORY. `*out` is untouched then.
 */
PERSEUS_MUST_USE enum perseus_status perseus__walk_new(
		const struct perseus__walk_settings *settings, struct perseus__walk **out, struct perseus_error *err);

/* Frees a walk; NULL is fine. */
void perseus__walk_free(struct perseus__walk *walk);

enum perseus__walk_state perseus__walk_state(const struct perseus__walk *walk);

/*
 * The next batch: `*segments`, length `*n` (borrowed until the walk is freed), to run after all that were given. `*n`
 * is 0 where there is none: see the state then. Errors: NO_MEMORY. Learns from all reports first: O(columns³) of each
 * position whose windows are new.
 */
PERSEUS_MUST_USE enum perseus_status perseus__walk_next(struct perseus__walk *walk,
		const struct perseus__walk_segment **segments, int32_t *n, struct perseus_error *err);

/*
 * The first segment not yet ended is over: every rank has reported its steps, or never will. `n_steps` >= 0: how many
 * it was run for, which counts against the budget. Must not be called without such a segment.
 */
void perseus__walk_end_segment(struct perseus__walk *walk, int32_t n_steps);

/* Times of the settled instructions of one class in one step of one rank. */
struct perseus__walk_times {
	int32_t class_;        /* 0..n_classes-1 */
	int32_t frequency_mhz; /* that they ran at; 0: free */
	int32_t count;         /* >= 1 */
	double mean_s;         /* > 0 */
	double deviation_s;    /* standard deviation, >= 0 */
};

/*
 * Clocks that the walk did not ask for are learned, too; clock 0 only where clocks cannot be set. Errors: INVALID for a
 * value out of range; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__walk_add_times(
		struct perseus__walk *walk, const struct perseus__walk_times *times, struct perseus_error *err);

/* So long did a class run in a window. */
struct perseus__walk_term {
	int32_t class_; /* of the window's position */
	int32_t frequency_mhz;
	double time_s; /* >= 0 */
};

enum { PERSEUS__WALK_MAX_RANKS = 1 << 20 };

/*
 * A window between two moves of a GPU's energy counter. What is in no term and not unsettled is blocking. Windows of a
 * rank come in the order of time, each beginning where the one before it ended, unless it says otherwise: they share
 * the error of when the counter moved.
 */
struct perseus__walk_window {
	int32_t pp;
	int32_t rank;  /* who reports, 0..PERSEUS__WALK_MAX_RANKS-1 */
	bool is_first; /* it does not begin where this rank's previous window ended */
	double time_s; /* > 0 */
	double energy_j;
	double error_j;     /* >= 0 */
	double unsettled_s; /* of instructions whose clock changed or is not known */
	const struct perseus__walk_term *terms;
	int32_t n_terms; /* 0: all of it blocking */
};

/*
 * Errors: INVALID for a value out of range; NO_MEMORY. A window that is unsettled for too long is left out: no error.
 */
PERSEUS_MUST_USE enum perseus_status perseus__walk_add_window(
		struct perseus__walk *walk, const struct perseus__walk_window *window, struct perseus_error *err);

/* What is known of a class at a clock. */
struct perseus__walk_row {
	struct perseus_measurement measurement; /* energy_j is NaN where it is not known */
	int32_t class_;
	double time_error_s;   /* standard error */
	double energy_error_j; /* standard error; infinite where energy is not known */
	/*
	 * The windows did not tell the classes of this position apart: each counts at the power that they have together.
	 * The error is that of the joint power.
	 */
	bool is_shared_power;
};

struct perseus__walk_blocking {
	double power_w; /* NaN: not known, as where a position never waits */
	double error_w; /* standard error; 0 where it was given */
};

/* Owned by whoever asked; free with perseus__walk_result_free. */
struct perseus__walk_result {
	int32_t n_rows; /* by class, then descending clock */
	struct perseus__walk_row *rows;
	int32_t n_pp;
	struct perseus__walk_blocking *blocking; /* length n_pp */
	int64_t n_windows;                       /* that were used */
	int64_t n_outliers;
	int32_t n_steps;  /* that segments were run for */
	bool has_stopped; /* every class was followed down as far as is worth it */
};

/*
 * What is known now; may be asked at any time. Classes without a time have no rows. Names in rows are the walk's.
 * Errors: NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__walk_result(
		struct perseus__walk *walk, struct perseus__walk_result **out, struct perseus_error *err);

void perseus__walk_result_free(struct perseus__walk_result *result);

#endif
