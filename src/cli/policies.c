/* Policies of a simulated job. */
#include "cli/policies.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "cli/progress.h"

#include <perseus/baseline.h>

#include <stdbool.h>
#include <stddef.h>

static const char *const names[PERSEUS__N_POLICIES] = {
#define X(name, text) text,
	PERSEUS__POLICY_MAP(X)
#undef X
};

int32_t
perseus__policies_find(const struct perseus__policies *policies, enum perseus__policy kind)
{
	int32_t i = 0;
	while (i < policies->n && policies->kinds[i] != kind)
		i++;
	return i;
}

void
perseus__policies_add(struct perseus__policies *policies, enum perseus__policy kind)
{
	if (perseus__policies_find(policies, kind) == policies->n)
		policies->kinds[policies->n++] = kind;
}

/* The baseline behind a policy; PERSEUS_N_BASELINES where it is none. */
static enum perseus_baseline
baseline_of(enum perseus__policy kind)
{
	switch (kind) {
	case PERSEUS__POLICY_MAX_CLOCK:
		return PERSEUS_BASELINE_MAX_CLOCK;
	case PERSEUS__POLICY_SINGLE_CLOCK:
		return PERSEUS_BASELINE_SINGLE_CLOCK;
	case PERSEUS__POLICY_BALANCED_STAGES:
		return PERSEUS_BASELINE_BALANCED_STAGES;
	case PERSEUS__POLICY_ENVPIPE:
		return PERSEUS_BASELINE_ENVPIPE;
	case PERSEUS__POLICY_PERSEUS:
	case PERSEUS__POLICY_INTRINSIC_ONLY:
	case PERSEUS__N_POLICIES:
		break;
	}
	return PERSEUS_N_BASELINES;
}

static enum perseus_status
make_baseline(struct perseus__policies *policies, int32_t index, const struct perseus_frontier *frontier,
		struct perseus_error *err)
{
	struct perseus_baseline_family *family = NULL;
	const enum perseus_status status =
			perseus_baseline_family_new(frontier, baseline_of(policies->kinds[index]), &family, err);
	if (status != PERSEUS_OK)
		return status;
	policies->fastest[index] = perseus_policy_plan_of(frontier, family->members[0].plan);
	policies->policies[index] = (struct perseus_policy){names[policies->kinds[index]], &policies->fastest[index], 1};
	perseus_baseline_family_free(family);
	return PERSEUS_OK;
}

/* Adds a plan of a later deadline to `plans`, length `n`, in the place of those that it beats; the new length. */
static int32_t
keep(struct perseus_policy_plan *plans, int32_t n, struct perseus_policy_plan next)
{
	while (n > 0 && plans[n - 1].time_ns >= next.time_ns && plans[n - 1].effective_nj >= next.effective_nj)
		n--;
	if (n > 0 && (plans[n - 1].time_ns >= next.time_ns || plans[n - 1].effective_nj <= next.effective_nj))
		return n;
	plans[n] = next;
	return n + 1;
}

/* Deadline `k` of `n`, evenly from T_min to T*. */
static int64_t
nth_deadline_ns(const struct perseus_frontier_info *info, int32_t k, int32_t n)
{
	if (n == 1)
		return info->t_min_ns;
	return info->t_min_ns + (int64_t)((perseus__wide)(info->t_star_ns - info->t_min_ns) * k / (n - 1));
}

/*
 * Plans for `n_deadlines` iteration times into `plans`, with room for as many; `*n` are left that none beats. Those
 * that the granularity cannot keep have none; INFEASIBLE where that is all of them.
 */
static enum perseus_status
make_plans(const struct perseus_frontier *frontier, enum perseus_granularity granularity, int32_t n_deadlines,
		struct perseus_policy_plan *plans, int32_t *n, struct perseus_error *err)
{
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	struct perseus__progress progress = perseus__progress_init("planning");
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.granularity = granularity;
	enum perseus_status status = PERSEUS_OK;
	for (int32_t k = 0; k < n_deadlines && (status == PERSEUS_OK || status == PERSEUS_INFEASIBLE); k++) {
		struct perseus_plan *plan = NULL;
		settings.deadline_ns = nth_deadline_ns(&info, k, n_deadlines);
		status = perseus_plan_new(frontier, &settings, &plan, err);
		if (status == PERSEUS_OK)
			*n = keep(plans, *n, perseus_policy_plan_of(frontier, plan));
		perseus_plan_free(plan);
		perseus__progress_show((double)(k + 1) / (double)n_deadlines, &progress);
	}
	perseus__progress_fini(&progress);
	return status == PERSEUS_INFEASIBLE && *n > 0 ? PERSEUS_OK : status;
}

/* The plans of perseus, and the first of them as that of intrinsic-only. */
static enum perseus_status
make_own(struct perseus__policies *policies, const struct perseus_frontier *frontier,
		enum perseus_granularity granularity, int32_t n_deadlines, struct perseus_error *err)
{
	policies->plans = perseus__new_array((size_t)n_deadlines, sizeof *policies->plans);
	if (!policies->plans)
		return perseus__no_memory(err);
	int32_t n = 0;
	const enum perseus_status status = make_plans(frontier, granularity, n_deadlines, policies->plans, &n, err);
	for (int32_t i = 0; i < policies->n; i++) {
		const enum perseus__policy kind = policies->kinds[i];
		if (kind == PERSEUS__POLICY_PERSEUS)
			policies->policies[i] = (struct perseus_policy){names[kind], policies->plans, n};
		if (kind == PERSEUS__POLICY_INTRINSIC_ONLY)
			policies->policies[i] = (struct perseus_policy){names[kind], policies->plans, 1};
	}
	return status;
}

enum perseus_status
perseus__policies_make(struct perseus__policies *policies, const struct perseus_frontier *frontier,
		enum perseus_granularity granularity, int32_t n_deadlines, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	for (int32_t i = 0; i < policies->n && status == PERSEUS_OK; i++)
		if (baseline_of(policies->kinds[i]) != PERSEUS_N_BASELINES)
			status = make_baseline(policies, i, frontier, err);
	const bool has_own = perseus__policies_find(policies, PERSEUS__POLICY_PERSEUS) < policies->n
			|| perseus__policies_find(policies, PERSEUS__POLICY_INTRINSIC_ONLY) < policies->n;
	return status == PERSEUS_OK && has_own ? make_own(policies, frontier, granularity, n_deadlines, err) : status;
}

void
perseus__policies_fini(struct perseus__policies *policies)
{
	perseus__free(policies->plans);
	*policies = (struct perseus__policies){0};
}
