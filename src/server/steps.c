/* Steps put together from reports, and sums over them. */
#include "server/steps.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

static void
clear(const struct perseus__steps *steps, struct perseus__step *step, int64_t number)
{
	step->step = number;
	step->n_reported = 0;
	step->is_complete = false;
	for (int32_t p = 0; p < steps->n_pipelines; p++)
		step->pipelines[p] = (struct perseus__step_pipeline){.is_followed = true, .is_highest = true};
	const size_t n = (size_t)steps->n_pipelines * (size_t)steps->n_classes;
	for (size_t c = 0; c < n; c++)
		step->classes[c] = (struct perseus__step_class){.mhz = -1};
}

enum perseus_status
perseus__steps_init(struct perseus__steps *steps, int32_t n_pipelines, int32_t n_classes, struct perseus_error *err)
{
	struct perseus__steps made = {.n_pipelines = n_pipelines, .n_classes = n_classes, .latest = -1};
	for (int i = 0; i < PERSEUS__N_OPEN_STEPS; i++) {
		struct perseus__step *step = &made.open[i];
		step->pipelines = perseus__new_array((size_t)n_pipelines, sizeof *step->pipelines);
		step->classes = perseus__new_array((size_t)n_pipelines * (size_t)n_classes, sizeof *step->classes);
		if (!step->pipelines || !step->classes) {
			perseus__steps_fini(&made);
			return perseus__no_memory(err);
		}
		clear(&made, step, -1);
	}
	*steps = made;
	return PERSEUS_OK;
}

void
perseus__steps_fini(struct perseus__steps *steps)
{
	for (int i = 0; i < PERSEUS__N_OPEN_STEPS; i++) {
		perseus__free(steps->open[i].pipelines);
		perseus__free(steps->open[i].classes);
	}
	*steps = (struct perseus__steps){.latest = -1};
}

void
perseus__steps_reset(struct perseus__steps *steps)
{
	steps->latest = -1;
	for (int i = 0; i < PERSEUS__N_OPEN_STEPS && steps->open[i].pipelines; i++)
		clear(steps, &steps->open[i], -1);
}

struct perseus__step *
perseus__steps_open(struct perseus__steps *steps, int64_t step)
{
	struct perseus__step *open = &steps->open[step % PERSEUS__N_OPEN_STEPS];
	if (!open->pipelines || open->step > step)
		return NULL;
	if (open->step < step)
		clear(steps, open, step);
	if (steps->latest < step)
		steps->latest = step;
	return open;
}

void
perseus__savings_add(struct perseus__savings *savings, const struct perseus__savings *step)
{
	savings->n_steps += step->n_steps;
	savings->n_measured += step->n_measured;
	savings->measured_j += step->measured_j;
	savings->predicted_j += step->predicted_j;
	savings->baseline_j += step->baseline_j;
	savings->measured_baseline_j += step->measured_baseline_j;
	savings->measured_s += step->measured_s;
	savings->predicted_s += step->predicted_s;
	savings->baseline_s += step->baseline_s;
}
