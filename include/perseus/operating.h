/*
 * How fast a job can run and what power that takes: its frontier as those see it who pay for power.
 */
#ifndef PERSEUS_OPERATING_H
#define PERSEUS_OPERATING_H

#include <stdint.h>

#include <perseus/frontier.h>
#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A way to run the whole job, iteration after iteration. */
struct perseus_operating_point {
	double rate_hz; /* iterations per second, > 0 */
	double power_w; /* average, blocking included, >= 0; 0 only where the profile has no energy */
};

/*
 * All ways worth running: power as a function of rate. Points ascend strictly in rate and power, and so do the slopes
 * between neighbours: the function is convex. Between two points a job alternates, or takes the plan between them.
 * Owned by the caller; free with perseus_operating_curve_free.
 *
 * Where the frontier is linear in time, E = a - s·T, power is linear in rate: E/T = a/T - s. So the frontier's vertices
 * are the curve's, and it is convex where the frontier is (the perspective of a convex function; Boyd and
 * Vandenberghe, Convex Optimization, 2004, section 3.2.6).
 */
struct perseus_operating_curve {
	int32_t n_points;                       /* 1 at least */
	struct perseus_operating_point *points; /* the first is T* (see _new), the last T_min */
};

/*
 * The curve of a job of `n_pipelines` pipelines, each with `gpus_per_stage` GPUs a stage, whose iterations take
 * `overhead_s` (gradient synchronisation, optimizer; at blocking power) beside the pipeline.
 * With rounding, vertices that would break the strict order are left out. So are those slower than the one of least
 * power, which there are only where a slower clock draws more power: below T* they save energy over waiting alone.
 * Errors: INVALID for a count below 1, or an overhead that is negative or not finite; NO_MEMORY. O(breakpoints).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_operating_curve_new(const struct perseus_frontier *frontier,
		int32_t n_pipelines, int32_t gpus_per_stage, double overhead_s, struct perseus_operating_curve **out,
		struct perseus_error *err);

/* Frees a curve; NULL is fine. */
PERSEUS_API void perseus_operating_curve_free(struct perseus_operating_curve *curve);

/* Power (W) at a rate between the ends of the curve; NaN beyond them. O(log points). */
PERSEUS_API double perseus_operating_power_w(const struct perseus_operating_curve *curve, double rate_hz);

/* The highest rate that takes at most `power_w`; NaN where even the slowest takes more. O(log points). */
PERSEUS_API double perseus_operating_rate_hz(const struct perseus_operating_curve *curve, double power_w);

/* Re-checks every invariant above. INVALID with the first violation. O(points). */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_operating_curve_check(
		const struct perseus_operating_curve *curve, struct perseus_error *err);

#ifdef __cplusplus
}
#endif

#endif
