/* What was learned, as rows of a profile. */
#include "server/walk_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

static int32_t
count_rows(const struct perseus__walk *walk)
{
	int32_t n = 0;
	for (int32_t i = 0; i < walk->settings.n_classes; i++)
		for (int32_t j = 0; j < walk->classes[i].n_points; j++)
			n += walk->classes[i].points[j].times.n > 0;
	return n;
}

static struct perseus__walk_row
make_row(const struct perseus__walk *walk, int32_t class_, const struct perseus__walk_point *point)
{
	const struct perseus__walk_energy energy = perseus__walk_energy(walk, &walk->classes[class_], point);
	return (struct perseus__walk_row){
		.measurement =
				{
					.stage = walk->classes[class_].class_.stage,
					.instruction = walk->classes[class_].class_.name,
					.frequency_mhz = point->frequency_mhz,
					.time_s = point->time.mean_s,
					.energy_j = energy.energy_j,
				},
		.class_ = class_,
		.time_error_s = point->time.error_s,
		.energy_error_j = energy.error_j,
		.is_shared_power = point->is_shared_power,
	};
}

static void
fill(const struct perseus__walk *walk, struct perseus__walk_result *result)
{
	for (int32_t i = 0; i < walk->settings.n_classes; i++)
		for (int32_t j = 0; j < walk->classes[i].n_points; j++)
			if (walk->classes[i].points[j].times.n > 0)
				result->rows[result->n_rows++] = make_row(walk, i, &walk->classes[i].points[j]);
	result->n_pp = walk->settings.n_pp;
	result->n_steps = walk->n_steps_run;
	result->has_stopped = true;
	for (int32_t i = 0; i < walk->settings.n_pp; i++) {
		const struct perseus__walk_position *position = &walk->positions[i];
		result->blocking[i] = position->blocking;
		result->n_windows += position->n_windows;
		result->n_outliers += position->n_outliers;
		result->has_stopped = result->has_stopped && position->has_stopped;
	}
}

enum perseus_status
perseus__walk_result(struct perseus__walk *walk, struct perseus__walk_result **out, struct perseus_error *err)
{
	const enum perseus_status status = perseus__walk_learn(walk, err);
	if (status)
		return status;
	struct perseus__walk_result *result = perseus__new_array(1, sizeof *result);
	if (!result)
		return perseus__no_memory(err);
	result->rows = perseus__new_array((size_t)count_rows(walk), sizeof *result->rows);
	result->blocking = perseus__new_array((size_t)walk->settings.n_pp, sizeof *result->blocking);
	if (!result->rows || !result->blocking) {
		perseus__walk_result_free(result);
		return perseus__no_memory(err);
	}
	fill(walk, result);
	*out = result;
	return PERSEUS_OK;
}

void
perseus__walk_result_free(struct perseus__walk_result *result)
{
	if (!result)
		return;
	perseus__free(result->rows);
	perseus__free(result->blocking);
	perseus__free(result);
}
