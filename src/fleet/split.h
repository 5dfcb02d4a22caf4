/*
 * The energy of pipelines, split as perseus/simulate.h says. Integers: nJ of plans, fJ (µW · ns) of sums.
 */
#ifndef PERSEUS_FLEET_SPLIT_H
#define PERSEUS_FLEET_SPLIT_H

#include <stdint.h>

#include "base/wide.h"

#include <perseus/simulate.h>
#include <perseus/status.h>

/* struct perseus_energy_split before it is rounded to doubles. */
struct perseus__split {
	perseus__wide useful_fj;
	perseus__wide intrinsic_fj;
	perseus__wide extrinsic_fj;
	perseus__wide blocking_fj;
};

/* What the work takes: of one pipeline with one GPU per stage. */
struct perseus__work {
	const struct perseus_frontier *frontier; /* borrowed */
	int64_t blocking_uw;                     /* of all its GPUs */
	int64_t transfer_nj;
	int64_t t_min_ns;
	int32_t n_vertices; /* of the frontier */
	double tolerance;   /* relative to all energy: how far a plan may seem better than the best */
};

struct perseus__work perseus__work_of(const struct perseus_frontier *frontier);

/* Effective energy at its best in `time_ns` >= t_min_ns, transfers included, to the nearest nJ. */
int64_t perseus__work_best_nj(const struct perseus__work *work, int64_t time_ns);

/* INVALID where the work cannot be done as `plan` says. The message goes on from "policy X, plan N ". */
PERSEUS_MUST_USE enum perseus_status perseus__work_admits(const struct perseus__work *work,
		const struct perseus_policy_plan *plan, const char *whose, struct perseus_error *err);

/*
 * Adds `count` pipelines that run `plan`, at its time at best `best_nj`, and wait until `period_ns`; their degree left
 * them `left_ns`.
 */
void perseus__split_add(struct perseus__split *split, const struct perseus__work *work,
		const struct perseus_policy_plan *plan, int64_t best_nj, int64_t period_ns, int64_t left_ns, int32_t count);

/* Adds `other` to `split`. */
void perseus__split_accumulate(struct perseus__split *split, const struct perseus__split *other);

void perseus__split_scale(struct perseus__split *split, int32_t by);

struct perseus_energy_split perseus__split_in_joules(const struct perseus__split *split);

#endif
