/*
 * Several jobs under one power limit: who gets how much.
 *
 * A job's speed is its rate over its own fastest rate, so that jobs whose iterations differ in length compare: 1 is
 * full speed. What the jobs finish is the sum of weight · speed: with weights of 1, how many jobs' worth at full speed.
 * Every job keeps training, at its slowest at least; pausing one is not considered.
 */
#ifndef PERSEUS_ALLOCATE_H
#define PERSEUS_ALLOCATE_H

#include <stdint.h>

#include <perseus/operating.h>
#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct perseus_allocation_job {
	const struct perseus_operating_curve *curve; /* borrowed; valid by perseus_operating_curve_check */
	double weight;                               /* worth of the job at full speed; > 0, finite */
};

/* X(name, text): how power is shared. */
#define PERSEUS_ALLOCATION_RULE_MAP(X)                                                      \
	X(WORK, "work") /* so that the jobs finish the most */                                  \
	X(FAIR, "fair") /* so that the slowest is as fast as can be, then the next (max-min) */ \
	X(EVEN, "even") /* everybody the same percentage of what it takes at full speed: the usual cap */

enum perseus_allocation_rule {
#define X(name, text) PERSEUS_ALLOCATION_##name,
	PERSEUS_ALLOCATION_RULE_MAP(X)
#undef X
};

/* Text of a rule, e.g. "fair". */
PERSEUS_API const char *perseus_allocation_rule_name(enum perseus_allocation_rule rule);

struct perseus_allotment {
	double power_w;
	double rate_hz; /* the highest at that power */
	double speed;   /* of its own fastest rate, 0..1 */
};

/* Owned by the caller; free with perseus_allocation_free. */
struct perseus_allocation {
	enum perseus_allocation_rule rule;
	double limit_w;
	int32_t n_jobs;
	struct perseus_allotment *jobs; /* length n_jobs, in the order given */
	double power_w;                 /* sum; at most limit_w, to rounding */
	double work;                    /* sum of weight · speed */
	double full_power_w;            /* of all jobs at full speed */
	double full_work;               /* sum of weights */
	/* The dual of WORK, whatever the rule: what one more watt would finish, and what no allocation exceeds. */
	double price_per_w;
	double bound;
	double level; /* FAIR: speed, EVEN: share of full power, that no job goes above unless at its slowest; WORK: NaN */
};

/*
 * Shares `limit_w` among `jobs`, length `n_jobs` >= 1.
 *
 * WORK: maximise the sum of weight · speed while the sum of power keeps the limit. Speed is concave and piecewise
 * linear in power, so one price per watt decides: every job takes the segments of its curve that bring more work per
 * watt, and those that bring exactly the price share what is left, the first job first. The price is found by bisection
 * over all doubles, each step a binary search in what is still open of every curve: exact, and
 * O(64 · jobs · log points) at most.
 * FAIR and EVEN: one level for all, the highest double at which the sum of power keeps the limit; jobs whose slowest is
 * above it stay there. As power rises strictly with speed, that is the lexicographic optimum. As many steps again.
 * Errors: INVALID for a weight or limit out of range, or no job; INFEASIBLE where the jobs at their slowest take more
 * (the message says how much); NO_MEMORY.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_allocation_new(const struct perseus_allocation_job *jobs,
		int32_t n_jobs, double limit_w, enum perseus_allocation_rule rule, struct perseus_allocation **out,
		struct perseus_error *err);

/* Frees an allocation; NULL is fine. */
PERSEUS_API void perseus_allocation_free(struct perseus_allocation *allocation);

/*
 * Proves an allocation without the solver: every job is on its valid curve, sums are right, the limit is kept. By weak
 * duality no allocation finishes more than price · limit + the sum over jobs of max(weight · speed - price · power),
 * which a scan of all points evaluates; the claimed bound must equal it, and for WORK the work must reach it. For FAIR
 * and EVEN every job must be at the level, at its slowest above it, or at full speed below it, and no power be left
 * while a job could use it. All to `tolerance`, relative. INVALID with what is violated. O(points of all jobs).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_allocation_check(const struct perseus_allocation *allocation,
		const struct perseus_allocation_job *jobs, double tolerance, struct perseus_error *err);

#ifdef __cplusplus
}
#endif

#endif
