/*
 * What the files of the planner share beside plans themselves. Private to the planner.
 */
#ifndef PERSEUS_PLAN_PLAN_INTERNAL_H
#define PERSEUS_PLAN_PLAN_INTERNAL_H

#include <stdint.h>

#include <perseus/plan.h>

/* Longest deadline and latency, about 31 years: sums of a few of them stay in 64 bits. */
#define PERSEUS__MAX_DEADLINE_NS INT64_C(1000000000000000000)

enum { PERSEUS__SECONDS_BYTES = 32 };

/* Writes a time as seconds, exact to the nanosecond: "2.836510754". */
void perseus__seconds(int64_t time_ns, char text[PERSEUS__SECONDS_BYTES]);

/* Least energy of any choice of clocks at a period: relaxed optimum, blocking of all ranks, transfers. */
PERSEUS_MUST_USE enum perseus_status perseus__plan_lower_bound(
		const struct perseus_frontier *frontier, int64_t period_ns, double *lower_bound_j, struct perseus_error *err);

#endif
