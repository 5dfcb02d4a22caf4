/*
 * The shape of a job: its profile and schedule, the frontier that follows, and plans over T_min..T*. Jobs with the same
 * shape share one. Made by the planner (planner.h), filled by its threads, and read from any thread.
 *
 * Immutable once made but for the table of plans, whose entries appear one after the other and stay until the shape is
 * freed: so what is borrowed from a shape lasts as long as one's reference.
 */
#ifndef PERSEUS_SERVER_SHAPE_H
#define PERSEUS_SERVER_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/frontier.h>
#include <perseus/plan.h>
#include <perseus/profile.h>
#include <perseus/schedule.h>
#include <perseus/status.h>

struct perseus__shape;

/* What a shape is made of. Two requests are the same where all of it is, but for the lines that rows came from. */
struct perseus__shape_request {
	const struct perseus_measurement *rows; /* length n_rows */
	size_t n_rows;
	struct perseus_profile_settings profile;
	double transfer_s; /* >= 0: time of a transfer out of any stage for which the rows have none; 0: none */
	struct perseus_order order;
	enum perseus_granularity granularity;
	int64_t switch_latency_ns;
	int64_t slope_quantum_uw; /* as in perseus_frontier_settings; 0: exact */
};

struct perseus__shape_info {
	struct perseus_frontier_info frontier;
	int64_t t_min_ns; /* shortest deadline with a plan: the frontier's T_min, unless granularity or latency forbid */
	int64_t t_star_ns;
	struct perseus_outcome baseline; /* every instruction at its highest clock, nobody waiting longer */
	int32_t n_plans;                 /* in the table so far; 1 at least */
	int32_t n_deadlines;             /* that the table will have tried when it is complete */
	bool is_complete;
};

/* One more owner; returns `shape`. Safe from any thread that holds a reference or is inside a callback with it. */
struct perseus__shape *perseus__shape_ref(struct perseus__shape *shape);

/* NULL is fine. May outlive the planner. */
void perseus__shape_unref(struct perseus__shape *shape);

struct perseus__shape_info perseus__shape_info(const struct perseus__shape *shape);

/* Borrowed; read-only, and may be used by several threads at once. */
const struct perseus_frontier *perseus__shape_frontier(const struct perseus__shape *shape);

/*
 * The best plan so far that keeps `deadline_ns`: of those with no longer a deadline, the one with the least effective
 * energy. NULL below t_min_ns. Borrowed. Takes no lock and never waits. O(n_deadlines).
 */
const struct perseus_plan *perseus__shape_plan(const struct perseus__shape *shape, int64_t deadline_ns);

/*
 * Effective energy (J) of that plan: never rises with the deadline. NaN below t_min_ns. `shape` is a struct
 * perseus__shape; for perseus__target_facts.
 */
double perseus__shape_effective_j(const void *shape, int64_t deadline_ns);

#endif
