/*
 * The power of a whole job that follows a plan: over an iteration, and kept under a cap.
 *
 * An instruction draws its energy over its time while it runs, a transfer draws its own over its time, and a GPU that
 * waits draws blocking power. All pipelines are in phase, the worst case for whoever supplies the power, and iterations
 * repeat back to back.
 */
#ifndef PERSEUS_POWER_H
#define PERSEUS_POWER_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/frontier.h>
#include <perseus/plan.h>
#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A time of constant power, until the next segment begins or the period ends. */
struct perseus_power_segment {
	int64_t start_ns;
	double power_w; /* of the whole job */
};

/* A change of power from one instant to the next. */
struct perseus_power_step {
	double change_w; /* > 0 up, < 0 down; 0: there is none */
	int64_t at_ns;   /* 0 is the seam, where an iteration follows the one before */
};

/*
 * Power over one iteration. Owned by the caller; free with perseus_power_trace_free.
 * Steps are what a grid has to follow ("Power Stabilization for AI Training Datacenters", arXiv 2508.14318, 2025).
 */
struct perseus_power_trace {
	int64_t period_ns;                      /* the plan's deadline, or its iteration time where that is longer */
	int32_t n_segments;                     /* 1 at least; neighbours differ in power */
	struct perseus_power_segment *segments; /* the first starts at 0 */
	double average_w;                       /* the plan's energy over the period */
	double peak_w;
	double least_w;
	struct perseus_power_step rise; /* the largest up, the earliest of equals; the seam counts */
	struct perseus_power_step fall; /* the largest down */
};

/*
 * The power of a job of `n_pipelines` pipelines, each with `gpus_per_stage` GPUs a stage, under `plan`, which was made
 * for `frontier`. Powers of instructions are rounded to 1 nW, so that sums are exact and what is equal compares equal.
 * Errors: INVALID for a count below 1, or a plan of another schedule; NO_MEMORY.
 * O(n log n) in instructions and transfers.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_power_trace_new(const struct perseus_frontier *frontier,
		const struct perseus_plan *plan, int32_t n_pipelines, int32_t gpus_per_stage, struct perseus_power_trace **out,
		struct perseus_error *err);

/* Frees a trace; NULL is fine. */
PERSEUS_API void perseus_power_trace_free(struct perseus_power_trace *trace);

/* Average power (W) of the whole job under a plan, waiting for its deadline included. O(1). */
PERSEUS_API double perseus_plan_power_w(const struct perseus_plan *plan, int32_t n_pipelines, int32_t gpus_per_stage);

/*
 * The shortest iteration time (ns) that any choice of clocks has whose average power, of all GPUs of the job, is
 * at most `cap_w`: a proven bound, T_min where the cap is above what that takes.
 * On the relaxed frontier power rises strictly with rate, so it is the operating curve's rate at `cap_w`.
 * Errors: INFEASIBLE where even T* takes more (the message says the least power possible); INVALID for a count below 1
 * or a cap that is not a finite power above 0; NO_MEMORY. O(breakpoints).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_power_cap_bound(const struct perseus_frontier *frontier,
		int32_t n_pipelines, int32_t gpus_per_stage, double cap_w, int64_t *bound_ns, struct perseus_error *err);

/* The fastest plan under a cap. */
struct perseus_capped_plan {
	struct perseus_plan *plan; /* its deadline is its own iteration time: nobody waits longer; owned by the caller */
	double power_w;            /* its average, of the whole job; never above the cap */
	int64_t bound_ns;          /* perseus_power_cap_bound */
	bool is_binding;           /* false: the cap is above what the fastest plan takes, which is the answer */
};

/*
 * The fastest plan found whose average power over an iteration is at most `cap_w`, of all GPUs of the job.
 * `settings` as for perseus_plan_new, its deadline ignored.
 *
 * A real plan takes a little more energy than the relaxed frontier, so its deadline must be a little longer than the
 * bound. How much more tells where to look for a first one under the cap; halving what is between finds faster ones.
 * The answer is the fastest of all that were tried and kept the cap.
 * Errors: those of perseus_power_cap_bound and perseus_plan_new; INFEASIBLE where no plan of that granularity and
 * latency was found to keep the cap (the message says the least found). About a dozen plans, 40 at most; with a
 * latency, where a plan takes longer, half as many: a time is not searched closer than to 0.01 %.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_plan_under_power(const struct perseus_frontier *frontier,
		const struct perseus_plan_settings *settings, int32_t n_pipelines, int32_t gpus_per_stage, double cap_w,
		struct perseus_capped_plan *out, struct perseus_error *err);

#ifdef __cplusplus
}
#endif

#endif
