/*
 * Pacing: a job that has until a deadline runs slower where electricity is dirty or dear, and faster where it is clean
 * or cheap, so that all of its iterations together emit or cost the least. Exactly, with a proof.
 *
 * The time up to the deadline is cut into slots (usually hours), each with a factor: grams of CO2 equivalent, or money,
 * per kWh. The job holds its GPUs from the beginning of the first slot until it ends, at latest at the deadline: it may
 * end within a slot, and what comes after costs nothing. While it holds them it runs at a rate of its operating curve,
 * alternates between several, or, where that is offered, pauses. What it emits or costs is
 *
 *     sum over slots of PUE · factor · energy + reservation · time held
 *
 * "Grams" below stands for the unit of the factors, money included.
 */
#ifndef PERSEUS_PACE_H
#define PERSEUS_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/operating.h>
#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct perseus_pace_slot {
	double duration_s;     /* > 0 */
	double factor_per_kwh; /* grams; may be negative, as prices are at times */
};

/* What is to be done, and where. Everything is borrowed. */
struct perseus_pace_problem {
	const struct perseus_operating_curve *curve; /* of the whole job */
	const struct perseus_pace_slot *slots;       /* length n_slots; the deadline is the end of the last, or now */
	int32_t n_slots;
	double n_iterations;      /* > 0; not always whole, e.g. where hours at full speed are asked for */
	double pue;               /* energy of the facility over that of the job, >= 1 */
	bool may_pause;           /* whether the job may stop and hold its GPUs */
	double idle_power_w;      /* of the whole job while it pauses, >= 0; not looked at unless may_pause */
	double reservation_per_h; /* grams for each hour that the whole job holds its GPUs, >= 0 */
};

/* Part of a slot at one rate. */
struct perseus_pace_mode {
	double rate_hz; /* 0: paused */
	double time_s;
};

/* What the job does in a slot. */
struct perseus_paced_slot {
	double held_s; /* all of the slot, less in the last one used, 0 after it */
	double n_iterations;
	double energy_j; /* of the job, PUE left out */
	double grams;    /* PUE · factor · energy */
	/* In any order within the slot. Two where the job pauses for a part, or, at a negative factor, where it alternates
	 * between its slowest and its fastest: that takes the most power for a rate. 0 where the slot is not used. */
	int32_t n_modes;
	struct perseus_pace_mode modes[2];
};

/* A way through the slots. Owned by the caller; free with perseus_pace_course_free. */
struct perseus_pace_course {
	int32_t n_slots;
	struct perseus_paced_slot *slots;
	double held_s; /* these are sums over the slots */
	double energy_j;
	double grams; /* of the energy */
	double reservation_grams;
};

/* The best course, and what proves it. Owned by the caller; free with perseus_pace_free. */
struct perseus_pace {
	struct perseus_pace_course course;
	double price; /* grams that one more iteration would add; infinite where none fits */
	/*
	 * Prices of an iteration, ascending, length n_prices >= 1. For every slot in which the job could end, one of them
	 * gives a Lagrangian bound of at least lower_bound: no course is better. perseus_pace_check computes it.
	 */
	double *prices;
	int32_t n_prices;
	double lower_bound; /* grams, reservation included */
	double gap;         /* grams of the course above lower_bound: of rounding */
};

/*
 * Finds the course of least grams, reservation included.
 *
 * For a given end the course is that of one price of an iteration: each slot runs at the rate that is best at this
 * price. The end is found among all by bounds (docs/pacing.md). Where the factor is negative, power is worth taking,
 * and the slot alternates between the slowest (or pausing) and the fastest.
 * Errors: INVALID for a value out of range (the message names it); INFEASIBLE where the iterations do not fit (the
 * message says the fewest hours they take); NO_MEMORY. A few dozen sweeps of O(slots · log points); memory O(slots).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_pace_new(
		const struct perseus_pace_problem *problem, struct perseus_pace **out, struct perseus_error *err);

/* Frees an answer; NULL is fine. */
PERSEUS_API void perseus_pace_free(struct perseus_pace *pace);

/*
 * Proves an answer without the solver: the course keeps the problem, its energies and sums follow from the curve, it
 * finishes the iterations, and no course is better by more than `tolerance` (relative to the grams that the energies of
 * the course have in absolute value, and the reservation), by weak duality. INVALID with what is violated.
 * O(prices · slots · log points).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_pace_check(const struct perseus_pace *pace,
		const struct perseus_pace_problem *problem, double tolerance, struct perseus_error *err);

/* X(name, text): courses to compare with. */
#define PERSEUS_PACE_BASELINE_MAP(X)                                                                          \
	X(FLAT, "flat")       /* one rate, just in time; the slowest, and an earlier end, where that is faster */ \
	X(FASTEST, "fastest") /* at the highest rate from the beginning until done */                             \
	X(STOP_START, "stop-and-start") /* at the highest rate in the slots of the least factor, else paused */

enum perseus_pace_baseline {
#define X(name, text) PERSEUS_PACE_##name,
	PERSEUS_PACE_BASELINE_MAP(X)
#undef X
			PERSEUS_N_PACE_BASELINES
};

/* Text of a baseline, e.g. "flat". */
PERSEUS_API const char *perseus_pace_baseline_name(enum perseus_pace_baseline baseline);

/*
 * The course of a baseline; `*out` becomes NULL for STOP_START where the job may not pause. Of slots of one factor the
 * earlier is taken. Errors: as perseus_pace_new.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_pace_baseline_new(const struct perseus_pace_problem *problem,
		enum perseus_pace_baseline baseline, struct perseus_pace_course **out, struct perseus_error *err);

/* Frees a course that perseus_pace_baseline_new gave; NULL is fine. */
PERSEUS_API void perseus_pace_course_free(struct perseus_pace_course *course);

/*
 * The least reservation (grams per hour of the whole job) at which no course is better than the fastest: above it,
 * pacing is worth nothing. The problem's own is not looked at. 0 where pacing is worth nothing anyway.
 * Errors: as perseus_pace_new. Newton's method on what pacing is worth, a convex function of the reservation: a few
 * times the work of perseus_pace_new.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_pace_break_even(
		const struct perseus_pace_problem *problem, double *reservation_per_h, struct perseus_error *err);

#ifdef __cplusplus
}
#endif

#endif
