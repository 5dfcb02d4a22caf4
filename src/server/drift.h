/*
 * Drift: whether classes take another time, or steps another energy, than the profile says, for good. A two-sided
 * cumulative sum (Page 1954) over the relative deviation of each series; noise is estimated from differences between
 * successive steps, so that a change of level does not count as noise, and single outliers are cut off.
 *
 * Drift is what all pipelines show; that one pipeline is slow is the straggler detector's business.
 *
 * Pure: no input or output, no threads. One thread at a time.
 */
#ifndef PERSEUS_SERVER_DRIFT_H
#define PERSEUS_SERVER_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

struct perseus__drift;

struct perseus__drift_settings {
	/*
	 * One for each class (its mean time) and for each position in the pipeline (energy of its steps), or whatever else
	 * the caller numbers.
	 */
	int32_t n_series;
	double tolerance; /* relative deviation that is taken for inaccuracy of the profile, e.g. 0.025 */
};

struct perseus__drift_verdict {
	bool has_drifted;
	double ratio;       /* measured over expected since the change; 1 before */
	int64_t since_step; /* first step of the change, as far as it can be told; -1 before */
};

/* One series, a tolerance of 0.025: a change of 0.05 is seen within some tens of steps. */
struct perseus__drift_settings perseus__drift_settings_default(void);

/* NULL where there is no memory. */
PERSEUS_MUST_USE struct perseus__drift *perseus__drift_new(const struct perseus__drift_settings *settings);
void perseus__drift_free(struct perseus__drift *drift);

/*
 * Adds a step of series `series`: `ratios`, length n_pipelines >= 1, holds measured over expected of each pipeline, NaN
 * where a pipeline has none. What they have in common counts: the one closest to 1 where all lie on one side of it,
 * else 1. Steps of a series ascend. Returns whether this step made the series drift. O(pipelines).
 */
bool perseus__drift_add(
		struct perseus__drift *drift, int32_t series, int64_t step, const double *ratios, int32_t n_pipelines);

/* The verdict on `series`, which stays until the reset. */
struct perseus__drift_verdict perseus__drift_verdict(const struct perseus__drift *drift, int32_t series);

/* Forgets everything, as after a new profile. */
void perseus__drift_reset(struct perseus__drift *drift);

#endif
