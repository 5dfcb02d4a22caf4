/* Stages whose forwards take alike: one clock each, blind to what else a stage does and to the critical path. */
#include "baseline/rules.h"

#include "base/error.h"
#include "base/memory.h"
#include "plan/evaluate.h"

#include <math.h>

/* A clock that a stage may run at. */
struct speed {
	int32_t begin; /* the stage's classes */
	int32_t end;
	int32_t mhz;
	int64_t forward_ns;
};

/* By stage, then ascending in clock. */
struct speeds {
	struct speed *items;
	size_t n;
	size_t capacity;
	int64_t least_ns; /* that all stages can keep */
};

/* Adds the clocks `mhz`, length n, of the stage with classes begin..end-1 that its forward was measured at. */
static enum perseus_status
add_stage(const struct perseus__uses *uses, struct speed of_stage, const int32_t *mhz, int32_t n, struct speeds *speeds,
		struct perseus_error *err)
{
	const int32_t stage = uses->classes[of_stage.begin]->stage;
	const struct perseus_class *forward =
			perseus_profile_find(uses->workload->profile, stage, perseus_kind_name(PERSEUS_KIND_FORWARD));
	if (!forward)
		return perseus__fail(err, PERSEUS_INVALID, "stage %d has no 'forward' to balance by", (int)stage);
	int64_t fastest_ns = INT64_MAX;
	for (int32_t k = 0; k < n; k++) {
		const int32_t at = perseus__class_is_constant(forward) ? 0 : perseus__class_choice(forward, mhz[k]);
		if (at < 0)
			continue;
		if (!perseus__reserve(&speeds->items, &speeds->capacity, speeds->n + 1, sizeof *speeds->items))
			return perseus__no_memory(err);
		of_stage.mhz = mhz[k];
		of_stage.forward_ns = forward->choices[at].time_ns;
		fastest_ns = of_stage.forward_ns < fastest_ns ? of_stage.forward_ns : fastest_ns;
		speeds->items[speeds->n++] = of_stage;
	}
	if (fastest_ns == INT64_MAX)
		return perseus__fail(
				err, PERSEUS_INVALID, "the 'forward' of stage %d was measured at no clock of the stage", (int)stage);
	speeds->least_ns = fastest_ns > speeds->least_ns ? fastest_ns : speeds->least_ns;
	return PERSEUS_OK;
}

static enum perseus_status
find_speeds(const struct perseus__uses *uses, struct speeds *speeds, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	for (int32_t begin = 0; begin < uses->n && status == PERSEUS_OK;) {
		const int32_t end = perseus__uses_stage_end(uses, begin);
		int32_t n = 0;
		int32_t *mhz = perseus__new_array((size_t)uses->classes[begin]->n_choices, sizeof *mhz);
		if (!mhz)
			return perseus__no_memory(err);
		status = perseus__uses_shared_clocks(uses, begin, end, mhz, &n, err);
		if (status == PERSEUS_OK)
			status = add_stage(uses, (struct speed){.begin = begin, .end = end}, mhz, n, speeds, err);
		perseus__free(mhz);
		begin = end;
	}
	return status;
}

static double
seconds(int64_t time_ns)
{
	return (double)time_ns / 1e9;
}

enum perseus_status
perseus__balanced_list(const struct perseus__uses *uses, struct perseus__knobs *knobs, struct perseus_error *err)
{
	struct speeds speeds = {0};
	enum perseus_status status = find_speeds(uses, &speeds, err);
	for (size_t k = 0; k < speeds.n && status == PERSEUS_OK; k++)
		if (speeds.items[k].forward_ns >= speeds.least_ns)
			status = perseus__knobs_add(knobs, seconds(speeds.items[k].forward_ns), err);
	perseus__free(speeds.items);
	return status;
}

/* Of every stage the first, and so lowest, clock within `limit_ns`, which all stages can keep. */
static void
choose_speeds(const struct perseus__uses *uses, const struct speeds *speeds, int64_t limit_ns, int32_t *of_class)
{
	int32_t done = 0; /* classes that have their clock */
	for (size_t k = 0; k < speeds->n; k++) {
		const struct speed *speed = &speeds->items[k];
		if (speed->begin < done || speed->forward_ns > limit_ns)
			continue;
		for (int32_t c = speed->begin; c < speed->end; c++)
			of_class[c] = perseus__class_choice(uses->classes[c], speed->mhz);
		done = speed->end;
	}
}

enum perseus_status
perseus__balanced_choose(const struct perseus__uses *uses, double knob, int32_t *choice, struct perseus_error *err)
{
	struct speeds speeds = {0};
	int32_t *of_class = perseus__new_array((size_t)uses->n + 1, sizeof *of_class);
	enum perseus_status status = of_class ? find_speeds(uses, &speeds, err) : perseus__no_memory(err);
	const int64_t limit_ns = llround(fmin(knob, PERSEUS_MAX_TIME_S) * 1e9);
	if (status == PERSEUS_OK && limit_ns < speeds.least_ns)
		status = perseus__fail(err, PERSEUS_INFEASIBLE,
				"not every stage can run its forward in %.9g s: the slowest takes %.9g s at least", knob,
				seconds(speeds.least_ns));
	if (status == PERSEUS_OK) {
		choose_speeds(uses, &speeds, limit_ns, of_class);
		perseus__uses_spread(uses, of_class, choice);
	}
	perseus__free(speeds.items);
	perseus__free(of_class);
	return status;
}
