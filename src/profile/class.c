/* One class of a profile: its choices, what the optimizer makes of them, and what is odd about them. */
#include "profile/class.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Highest clock first. */
static int
compare_clocks(const void *left, const void *right)
{
	const struct perseus_choice *a = left;
	const struct perseus_choice *b = right;
	return (a->frequency_mhz < b->frequency_mhz) - (a->frequency_mhz > b->frequency_mhz);
}

static unsigned
find_oddities(const struct perseus_choice *choices, int32_t n)
{
	unsigned oddities = n == 1 ? PERSEUS_ODD_SINGLE_CLOCK : 0;
	int32_t min_step_mhz = INT32_MAX;
	int32_t max_step_mhz = 0;
	for (int32_t i = 1; i < n; i++) {
		if (choices[i].time_ns < choices[i - 1].time_ns)
			oddities |= PERSEUS_ODD_NON_MONOTONE;
		const int32_t step_mhz = choices[i - 1].frequency_mhz - choices[i].frequency_mhz;
		min_step_mhz = step_mhz < min_step_mhz ? step_mhz : min_step_mhz;
		max_step_mhz = step_mhz > max_step_mhz ? step_mhz : max_step_mhz;
	}
	/* Steps of 7.5 MHz are listed as 7 and 8 by turns on some GPUs: no gap. */
	if (n > 2 && max_step_mhz - min_step_mhz > 1)
		oddities |= PERSEUS_ODD_GAPS;
	return oddities;
}

enum perseus_status
perseus__class_from_choices(struct perseus_class *class_, int32_t stage, const char *name,
		const struct perseus_choice *choices, int32_t n, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	char *name_copy = perseus__copy_string(name);
	/* One block: the choices, then room for the Pareto points, then room for the hull. */
	struct perseus_choice *block = perseus__new_array((size_t)n, 3 * sizeof *block);
	if (!name_copy || !block) {
		status = perseus__no_memory(err);
		goto fail;
	}
	struct perseus_choice *pareto = block + n;
	struct perseus_choice *hull = pareto + n;
	memcpy(block, choices, (size_t)n * sizeof *block);
	qsort(block, (size_t)n, sizeof *block, compare_clocks);
	for (int32_t i = 1; i < n; i++)
		if (block[i].frequency_mhz == block[i - 1].frequency_mhz) {
			status = perseus__fail(
					err, PERSEUS_INVALID, "stage %d, %s: two choices at %d MHz", stage, name, block[i].frequency_mhz);
			goto fail;
		}
	const int32_t n_pareto = perseus__pareto(block, n, pareto);
	const int32_t n_hull = perseus__lower_hull(pareto, n_pareto, hull);
	*class_ = (struct perseus_class){
		.stage = stage,
		.name = name_copy,
		.n_measurements = n,
		.n_choices = n,
		.n_pareto = n_pareto,
		.n_hull = n_hull,
		.choices = block,
		.pareto = pareto,
		.hull = hull,
		.oddities = find_oddities(block, n),
	};
	return PERSEUS_OK;
fail:
	perseus__free(block);
	perseus__free(name_copy);
	return status;
}

void
perseus__class_fini(struct perseus_class *class_)
{
	perseus__free(class_->name);
	perseus__free(class_->choices); /* Pareto points and hull lie in the same block */
	*class_ = (struct perseus_class){0};
}

int64_t
perseus__power_energy_nj(int64_t power_uw, int64_t time_ns)
{
	/* 1 µW · 1 ns = 1e-6 nJ */
	const perseus__wide energy = (perseus__wide)power_uw * time_ns;
	return (int64_t)((energy + 500000) / 1000000);
}
