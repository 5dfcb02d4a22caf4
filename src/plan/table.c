/*
 * Plans ahead of time, looked up by the deadline of a straggler.
 */
#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"

#include <perseus/plan.h>

struct perseus_plan_table {
	int32_t n_plans;
	struct perseus_plan **plans; /* ascending deadline */
};

void
perseus_plan_table_free(struct perseus_plan_table *table)
{
	if (!table)
		return;
	for (int32_t k = 0; k < table->n_plans; k++)
		perseus_plan_free(table->plans[k]);
	perseus__free(table->plans);
	perseus__free(table);
}

/* Deadline `k` of `n`, evenly from T_min to T*. */
static int64_t
nth_deadline_ns(const struct perseus_frontier_info *info, int32_t k, int32_t n)
{
	if (n == 1)
		return info->t_min_ns;
	return info->t_min_ns + (int64_t)((perseus__wide)(info->t_star_ns - info->t_min_ns) * k / (n - 1));
}

/* Fills the table; deadlines that a latency or granularity cannot keep have no plan. `err` is of the last of those. */
static enum perseus_status
fill(struct perseus_plan_table *table, const struct perseus_frontier *frontier,
		const struct perseus_plan_settings *settings, int32_t n_deadlines, struct perseus_error *err)
{
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	struct perseus_plan_settings at = *settings;
	enum perseus_status last = PERSEUS_OK;
	for (int32_t k = 0; k < n_deadlines; k++) {
		at.deadline_ns = nth_deadline_ns(&info, k, n_deadlines);
		if (table->n_plans > 0 && table->plans[table->n_plans - 1]->deadline_ns == at.deadline_ns)
			continue;
		last = perseus_plan_new(frontier, &at, &table->plans[table->n_plans], err);
		if (last == PERSEUS_OK)
			table->n_plans++;
		else if (last != PERSEUS_INFEASIBLE)
			return last;
	}
	return table->n_plans > 0 ? PERSEUS_OK : last;
}

enum perseus_status
perseus_plan_table_new(const struct perseus_frontier *frontier, const struct perseus_plan_settings *settings,
		int32_t n_deadlines, struct perseus_plan_table **out, struct perseus_error *err)
{
	if (n_deadlines < 1)
		return perseus__fail(
				err, PERSEUS_INVALID, "a plan table needs one deadline at least, not %d", (int)n_deadlines);
	struct perseus_error own;
	struct perseus_plan_table *table = perseus__new_array(1, sizeof *table);
	if (!table)
		return perseus__no_memory(err);
	table->plans = perseus__new_array((size_t)n_deadlines, sizeof(struct perseus_plan *));
	if (!table->plans) {
		perseus__free(table);
		return perseus__no_memory(err);
	}
	const enum perseus_status status = fill(table, frontier, settings, n_deadlines, &own);
	if (status != PERSEUS_OK) {
		perseus_plan_table_free(table);
		if (err)
			*err = own;
		return status;
	}
	*out = table;
	return PERSEUS_OK;
}

const struct perseus_plan *
perseus_plan_table_lookup(const struct perseus_plan_table *table, int64_t deadline_ns)
{
	int32_t low = 0;
	int32_t high = table->n_plans;
	while (low < high) {
		const int32_t middle = low + (high - low) / 2;
		if (table->plans[middle]->deadline_ns <= deadline_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? table->plans[low - 1] : NULL;
}
