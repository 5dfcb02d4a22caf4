/* The results of the ranks of one pipeline stage as one. */
#include "server/zeus_merge.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum how { LARGEST, SUM };

/* Merges one more list into `merged`; the first is taken as it is. */
static bool
merge_list(struct perseus__zeus_list *merged, const struct perseus__zeus_list *list, enum how how, bool is_first)
{
	if (is_first) {
		merged->values = perseus__new_array(list->n ? list->n : 1, sizeof *merged->values);
		if (!merged->values)
			return false;
		merged->n = list->n;
		if (list->n > 0)
			memcpy(merged->values, list->values, list->n * sizeof *list->values);
		return true;
	}
	if (list->n < merged->n)
		merged->n = list->n;
	for (size_t i = 0; i < merged->n; i++)
		merged->values[i] = how == SUM ? merged->values[i] + list->values[i] : fmax(merged->values[i], list->values[i]);
	return true;
}

static bool
merge_series(struct perseus__zeus_series *merged, const struct perseus__zeus_series *series, enum how how)
{
	const bool is_first = !merged->name;
	if (is_first) {
		merged->name = perseus__copy_string(series->name);
		merged->iterations =
				perseus__new_array(series->n_iterations ? series->n_iterations : 1, sizeof *merged->iterations);
		if (!merged->name || !merged->iterations)
			return false;
		merged->n_iterations = series->n_iterations;
	}
	while (merged->n_iterations > series->n_iterations)
		perseus__zeus_list_fini(&merged->iterations[--merged->n_iterations]);
	for (size_t i = 0; i < merged->n_iterations; i++)
		if (!merge_list(&merged->iterations[i], &series->iterations[i], how, is_first))
			return false;
	return true;
}

static const struct perseus__zeus_breakdown *
breakdown_of(const struct perseus__zeus_result *result, enum how how)
{
	return how == SUM ? &result->energy_j : &result->time_s;
}

static const struct perseus__zeus_series *
find_series(const struct perseus__zeus_breakdown *breakdown, const char *name)
{
	for (size_t i = 0; i < breakdown->n; i++)
		if (strcmp(breakdown->series[i].name, name) == 0)
			return &breakdown->series[i];
	return NULL;
}

static bool
do_all_have(const struct perseus__zeus_result *const *results, size_t n, enum how how, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!find_series(breakdown_of(results[i], how), name))
			return false;
	return true;
}

static bool
merge_breakdowns(const struct perseus__zeus_result *const *results, size_t n, enum how how,
		struct perseus__zeus_breakdown *merged)
{
	const struct perseus__zeus_breakdown *first = breakdown_of(results[0], how);
	merged->series = perseus__new_array(first->n ? first->n : 1, sizeof *merged->series);
	if (!merged->series)
		return false;
	for (size_t s = 0; s < first->n; s++) {
		const char *name = first->series[s].name;
		if (!do_all_have(results, n, how, name))
			continue;
		struct perseus__zeus_series *series = &merged->series[merged->n++];
		for (size_t i = 0; i < n; i++)
			if (!merge_series(series, find_series(breakdown_of(results[i], how), name), how))
				return false;
	}
	return true;
}

enum perseus_status
perseus__zeus_merge(const struct perseus__zeus_result *const *results, size_t n, int32_t stage,
		struct perseus__zeus_result *out, struct perseus_error *err)
{
	struct perseus__zeus_result merged = {.rank = stage};
	bool is_good = true;
	for (size_t i = 0; i < n && is_good; i++)
		is_good = merge_list(&merged.iter_time_s, &results[i]->iter_time_s, LARGEST, i == 0)
				&& merge_list(&merged.iter_energy_j, &results[i]->iter_energy_j, SUM, i == 0);
	is_good = is_good && merge_breakdowns(results, n, LARGEST, &merged.time_s)
			&& merge_breakdowns(results, n, SUM, &merged.energy_j);
	if (!is_good) {
		perseus__zeus_result_fini(&merged);
		return perseus__no_memory(err);
	}
	*out = merged;
	return PERSEUS_OK;
}
