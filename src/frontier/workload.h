/*
 * A schedule bound to a profile: what optimizer, planner and checkers all look at. Not installed.
 */
#ifndef PERSEUS_FRONTIER_WORKLOAD_H
#define PERSEUS_FRONTIER_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "dag/dag.h"

#include <perseus/frontier.h>
#include <perseus/profile.h>
#include <perseus/schedule.h>
#include <perseus/status.h>

/* A class that the profile lacks, made of two others run in series, or of nothing (both NULL). */
struct perseus__composed {
	struct perseus_class class_;
	const struct perseus_class *first;
	const struct perseus_class *second;
};

struct perseus__workload {
	const struct perseus_profile *profile;   /* borrowed */
	const struct perseus_schedule *schedule; /* borrowed */
	struct perseus__dag dag;                 /* nodes: instructions; edges: the schedule's, same indices */
	const struct perseus_class **class_of;   /* length n_instructions */
	int64_t *lag_ns;                         /* length n_edges: time of the transfer on each edge, 0 where none */
	int64_t *rank_blocking_uw;               /* length n_ranks */
	int64_t blocking_uw;                     /* sum over ranks */
	int64_t transfer_nj;                     /* energy of all transfers, whatever the clocks */
	struct perseus__composed *composed;      /* length n_composed; owned */
	int32_t n_composed;
};

/*
 * Binds. Classes that the profile lacks are composed where that is defined: an overlapped pair is its two parts in
 * series, forward_backward is recompute (or forward) then backward; clock by clock. UNSHARD and RESHARD without a class
 * take no time. Errors: INVALID naming the missing class; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__workload_init(struct perseus__workload *workload,
		const struct perseus_profile *profile, const struct perseus_schedule *schedule, struct perseus_error *err);

void perseus__workload_fini(struct perseus__workload *workload);

/* The workload inside a frontier; borrowed. */
const struct perseus__workload *perseus__frontier_workload(const struct perseus_frontier *frontier);

#endif
