/* Policies of a simulated job. */
#include "cli/policies.h"

#include "base/error.h"
#include "base/memory.h"

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

/* The plans of a table, from the slowest; at most as many as it was asked for. */
static int32_t
list(const struct perseus_plan_table *table, const struct perseus_plan **plans)
{
	int32_t n = 0;
	const struct perseus_plan *plan = perseus_plan_table_lookup(table, INT64_MAX);
	for (; plan; plan = perseus_plan_table_lookup(table, plan->deadline_ns - 1))
		plans[n++] = plan;
	return n;
}

/* Those of a table that none beats, as the plans of perseus, and the first of them as that of intrinsic-only. */
static enum perseus_status
take_table(struct perseus__policies *policies, const struct perseus_frontier *frontier,
		const struct perseus_plan_table *table, int32_t n_deadlines, struct perseus_error *err)
{
	const struct perseus_plan **plans = perseus__new_array((size_t)n_deadlines, sizeof(const struct perseus_plan *));
	policies->plans = perseus__new_array((size_t)n_deadlines, sizeof *policies->plans);
	const bool has_memory = plans && policies->plans;
	int32_t n = 0;
	for (int32_t i = has_memory ? list(table, plans) : 0; i > 0; i--)
		n = keep(policies->plans, n, perseus_policy_plan_of(frontier, plans[i - 1]));
	for (int32_t i = 0; i < policies->n; i++) {
		const enum perseus__policy kind = policies->kinds[i];
		if (kind == PERSEUS__POLICY_PERSEUS)
			policies->policies[i] = (struct perseus_policy){names[kind], policies->plans, n};
		if (kind == PERSEUS__POLICY_INTRINSIC_ONLY)
			policies->policies[i] = (struct perseus_policy){names[kind], policies->plans, 1};
	}
	perseus__free(plans);
	return has_memory ? PERSEUS_OK : perseus__no_memory(err);
}

enum perseus_status
perseus__policies_make(struct perseus__policies *policies, const struct perseus_frontier *frontier,
		enum perseus_granularity granularity, int32_t n_deadlines, struct perseus_error *err)
{
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.granularity = granularity;
	struct perseus_plan_table *table = NULL;
	enum perseus_status status = PERSEUS_OK;
	for (int32_t i = 0; i < policies->n && status == PERSEUS_OK; i++)
		if (baseline_of(policies->kinds[i]) != PERSEUS_N_BASELINES)
			status = make_baseline(policies, i, frontier, err);
	const bool has_own = perseus__policies_find(policies, PERSEUS__POLICY_PERSEUS) < policies->n
			|| perseus__policies_find(policies, PERSEUS__POLICY_INTRINSIC_ONLY) < policies->n;
	if (status == PERSEUS_OK && has_own)
		status = perseus_plan_table_new(frontier, &settings, n_deadlines, &table, err);
	if (table)
		status = take_table(policies, frontier, table, n_deadlines, err);
	perseus_plan_table_free(table);
	return status;
}

void
perseus__policies_fini(struct perseus__policies *policies)
{
	perseus__free(policies->plans);
	*policies = (struct perseus__policies){0};
}
