/*
 * What the files of the plan checker share. It takes the binding of schedule to profile as given, and nothing else of
 * the planner. Private to the checker.
 */
#ifndef PERSEUS_PLAN_CHECK_INTERNAL_H
#define PERSEUS_PLAN_CHECK_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "frontier/workload.h"

#include <perseus/plan.h>

struct perseus__checker {
	const struct perseus_plan *plan;
	const struct perseus_frontier *frontier;
	const struct perseus__workload *workload;
	const struct perseus_schedule *schedule;
	struct perseus_error *err;
};

/* How long an iteration takes with the wait for the deadline. */
int64_t perseus__check_period_ns(const struct perseus_plan *plan);

/* Whether instructions of the class run at a clock that matters. */
bool perseus__check_needs_clock(const struct perseus_class *class_);

/* INVALID, naming the instruction. */
enum perseus_status perseus__check_fail(const struct perseus__checker *checker, int32_t i, const char *what);

/* Times and energies of all steps follow from profile, clocks and switch latency. */
PERSEUS_MUST_USE enum perseus_status perseus__check_steps(const struct perseus__checker *checker);

#endif
