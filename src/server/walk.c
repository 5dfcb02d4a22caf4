/* The life of a walk. */
#include "server/walk_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

enum { MAX_WINDOWS = 16384 }; /* of a position */

struct perseus__walk_settings
perseus__walk_settings_default(void)
{
	return (struct perseus__walk_settings){
		.max_steps = 150,
		.min_steps_per_clock = 2,
		.largest_slowdown = 2,
		.n_pp = 1,
		.blocking_power_w = (double)NAN,
	};
}

static enum perseus_status
check_clocks(const struct perseus__walk_settings *settings, struct perseus_error *err)
{
	if (settings->n_clocks < 0)
		return perseus__fail(err, PERSEUS_INVALID, "%d clocks", (int)settings->n_clocks);
	for (int32_t i = 0; i < settings->n_clocks; i++) {
		const int32_t mhz = settings->clocks_mhz[i];
		if (mhz < 1 || mhz > PERSEUS_MAX_FREQUENCY_MHZ || (i > 0 && mhz >= settings->clocks_mhz[i - 1]))
			return perseus__fail(err, PERSEUS_INVALID, "clock %d MHz: clocks must be above 0 and descend", (int)mhz);
	}
	return PERSEUS_OK;
}

static enum perseus_status
check_settings(const struct perseus__walk_settings *settings, struct perseus_error *err)
{
	if (settings->max_steps < 1 || settings->min_steps_per_clock < 1)
		return perseus__fail(err, PERSEUS_INVALID, "%d steps, %d per clock: must be 1 or more",
				(int)settings->max_steps, (int)settings->min_steps_per_clock);
	if (settings->n_pp < 1 || settings->n_classes < 1)
		return perseus__fail(err, PERSEUS_INVALID, "%d positions, %d classes: must be 1 or more", (int)settings->n_pp,
				(int)settings->n_classes);
	if (!(settings->largest_slowdown > 1))
		return perseus__fail(err, PERSEUS_INVALID, "slowdown %g: must be above 1", settings->largest_slowdown);
	for (int32_t i = 0; i < settings->n_classes; i++) {
		const struct perseus__job_class *class_ = &settings->classes[i];
		if (class_->pp < 0 || class_->pp >= settings->n_pp || class_->n_per_step < 1)
			return perseus__fail(err, PERSEUS_INVALID, "class %s of stage %d: position %d of %d, %d in a step",
					class_->name, (int)class_->stage, (int)class_->pp, (int)settings->n_pp, (int)class_->n_per_step);
	}
	const double blocking_w = settings->blocking_power_w;
	if (!isnan(blocking_w) && !(blocking_w >= 0 && blocking_w <= PERSEUS_MAX_POWER_W))
		return perseus__fail(
				err, PERSEUS_INVALID, "blocking power %g W: must be 0 to %g", blocking_w, PERSEUS_MAX_POWER_W);
	return check_clocks(settings, err);
}

static bool
copy_classes(struct perseus__walk *walk, const struct perseus__walk_settings *settings)
{
	walk->classes = perseus__new_array((size_t)settings->n_classes, sizeof *walk->classes);
	if (!walk->classes)
		return false;
	for (int32_t i = 0; i < settings->n_classes; i++) {
		struct perseus__walk_class *class_ = &walk->classes[i];
		class_->class_ = settings->classes[i];
		class_->class_.name = perseus__copy_string(settings->classes[i].name);
		if (!class_->class_.name)
			return false;
		class_->is_constant = perseus__job_class_is_constant(class_->class_.name);
		/* Nothing can be chosen, so nothing is left to find out. */
		class_->has_stopped = class_->is_constant;
	}
	return true;
}

static bool
make_positions(struct perseus__walk *walk)
{
	walk->positions = perseus__new_array((size_t)walk->settings.n_pp, sizeof *walk->positions);
	if (!walk->positions)
		return false;
	for (int32_t i = 0; i < walk->settings.n_pp; i++) {
		struct perseus__walk_position *position = &walk->positions[i];
		position->n_columns = 1;
		position->good_mhz = walk->clocks_mhz[0];
		position->blocking.power_w = walk->settings.blocking_power_w;
		position->blocking.error_w = isnan(walk->settings.blocking_power_w) ? (double)INFINITY : 0;
		position->regression = perseus__regression_new(MAX_WINDOWS);
		if (!position->regression)
			return false;
	}
	return true;
}

static bool
fill_walk(struct perseus__walk *walk, const struct perseus__walk_settings *settings)
{
	walk->settings = *settings;
	walk->settings.clocks_mhz = NULL;
	walk->settings.classes = NULL;
	walk->n_lookahead = PERSEUS__WALK_LOOKAHEAD;
	walk->is_settable = settings->n_clocks > 0;
	walk->n_clocks = walk->is_settable ? settings->n_clocks : 1;
	walk->clocks_mhz = perseus__new_array((size_t)walk->n_clocks, sizeof *walk->clocks_mhz);
	walk->candidates = perseus__new_array((size_t)walk->n_clocks, sizeof *walk->candidates);
	if (!walk->clocks_mhz || !walk->candidates)
		return false;
	for (int32_t i = 0; i < settings->n_clocks; i++)
		walk->clocks_mhz[i] = settings->clocks_mhz[i];
	return copy_classes(walk, settings) && make_positions(walk);
}

enum perseus_status
perseus__walk_new(const struct perseus__walk_settings *settings, struct perseus__walk **out, struct perseus_error *err)
{
	const enum perseus_status status = check_settings(settings, err);
	if (status)
		return status;
	struct perseus__walk *walk = perseus__new_array(1, sizeof *walk);
	if (!walk)
		return perseus__no_memory(err);
	if (!fill_walk(walk, settings)) {
		perseus__walk_free(walk);
		return perseus__no_memory(err);
	}
	*out = walk;
	return PERSEUS_OK;
}

static void
free_class(struct perseus__walk_class *class_)
{
	for (int32_t i = 0; i < class_->n_points; i++)
		perseus__samples_fini(&class_->points[i].times);
	perseus__free(class_->points);
	perseus__free(class_->class_.name);
}

void
perseus__walk_free(struct perseus__walk *walk)
{
	if (!walk)
		return;
	for (int32_t i = 0; walk->classes && i < walk->settings.n_classes; i++)
		free_class(&walk->classes[i]);
	for (int32_t i = 0; walk->positions && i < walk->settings.n_pp; i++) {
		perseus__regression_free(walk->positions[i].regression);
		perseus__free(walk->positions[i].last);
	}
	for (int32_t i = 0; i < walk->n_batches; i++) {
		perseus__free(walk->batches[i].segments);
		perseus__free(walk->batches[i].clocks_mhz);
	}
	perseus__free(walk->batches);
	perseus__free(walk->given);
	perseus__free(walk->candidates);
	perseus__free(walk->positions);
	perseus__free(walk->classes);
	perseus__free(walk->clocks_mhz);
	perseus__free(walk);
}
