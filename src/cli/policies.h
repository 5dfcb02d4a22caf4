/* What can decide the clocks of a simulated job, by name. */
#ifndef PERSEUS_CLI_POLICIES_H
#define PERSEUS_CLI_POLICIES_H

#include <stdint.h>

#include <perseus/frontier.h>
#include <perseus/plan.h>
#include <perseus/simulate.h>
#include <perseus/status.h>

/* X(name, text) */
#define PERSEUS__POLICY_MAP(X)                                                                     \
	X(PERSEUS, "perseus")               /* plans from T_min to T*: stragglers are answered */      \
	X(INTRINSIC_ONLY, "intrinsic-only") /* the first of them, whatever straggles */                \
	X(MAX_CLOCK, "max-clock")           /* these are baselines, each the fastest that it can be */ \
	X(SINGLE_CLOCK, "single-clock")                                                                \
	X(BALANCED_STAGES, "balanced-stages")                                                          \
	X(ENVPIPE, "envpipe")

enum perseus__policy {
#define X(name, text) PERSEUS__POLICY_##name,
	PERSEUS__POLICY_MAP(X)
#undef X
			PERSEUS__N_POLICIES
};

/* Policies to be run side by side, in their order. */
struct perseus__policies {
	enum perseus__policy kinds[PERSEUS__N_POLICIES]; /* length n; which they are */
	struct perseus_policy policies[PERSEUS__N_POLICIES];
	int32_t n;
	struct perseus_policy_plan *plans;                       /* what perseus and intrinsic-only point into; owned */
	struct perseus_policy_plan fastest[PERSEUS__N_POLICIES]; /* what the baselines point at */
};

/* Adds a policy at the end, unless it is there. */
void perseus__policies_add(struct perseus__policies *policies, enum perseus__policy kind);

/* Its index; n where it is not there. */
int32_t perseus__policies_find(const struct perseus__policies *policies, enum perseus__policy kind);

/*
 * Makes the plans of those added: those of perseus of `granularity`, for `n_deadlines` iteration times from T_min to
 * T*, less those that another beats, with progress on a terminal. `policies` must stay where it is from then on; free
 * with perseus__policies_fini.
 * Errors: INFEASIBLE, INVALID as perseus_plan_new and perseus_baseline_family_new; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__policies_make(struct perseus__policies *policies,
		const struct perseus_frontier *frontier, enum perseus_granularity granularity, int32_t n_deadlines,
		struct perseus_error *err);

void perseus__policies_fini(struct perseus__policies *policies);

#endif
