/*
 * A whole training job, iteration by iteration: data-parallel pipelines that wait for each other at the gradient
 * synchronisation, stragglers that come and go, and policies that answer them sooner or later.
 *
 * The energy of an iteration is that of the paper (Perseus, SOSP'24, section 4.1, equation 3): of each pipeline the
 * effective energy of its computations, and blocking power of all its GPUs until the slowest pipeline has ended.
 */
#ifndef PERSEUS_SIMULATE_H
#define PERSEUS_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/frontier.h>
#include <perseus/plan.h>
#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * From `iteration` on, `pipeline` takes `degree` times as long as its plan says, to the nearest ns: 1 is back to
 * normal.
 */
struct perseus_straggler_event {
	int64_t iteration; /* >= 0 */
	int32_t pipeline;
	double degree; /* >= 1, finite, at most PERSEUS_MAX_DEGREE */
};

#define PERSEUS_MAX_DEGREE 1e3

/* X(name, text): random causes of stragglers. */
#define PERSEUS_STRAGGLER_CAUSE_MAP(X)                                                              \
	X(THERMAL, "thermal")         /* throttled for minutes, by 10 to 50 % (SOSP'24, section 2.3) */ \
	X(INPUT_STALL, "input-stall") /* one iteration waits for its data, up to 4 times (the same) */  \
	X(FAIL_SLOW, "fail-slow")     /* a GPU or link that stays slow until mended (Greyhound, ATC'25) */

enum perseus_straggler_cause {
#define X(name, text) PERSEUS_STRAGGLER_##name,
	PERSEUS_STRAGGLER_CAUSE_MAP(X)
#undef X
			PERSEUS_N_STRAGGLER_CAUSES
};

PERSEUS_API const char *perseus_straggler_cause_name(enum perseus_straggler_cause cause);

/*
 * How often a cause strikes a pipeline and what it does. Times are whole iterations, 1 at least, and geometric: without
 * memory, the discrete form of exponential. Degrees are uniform, in whole millionths. A run begins without stragglers;
 * in a long one a pipeline is under the cause in duration / (between + duration) of its iterations.
 */
struct perseus_straggler_process {
	enum perseus_straggler_cause cause;
	double mean_between_iterations;  /* of one pipeline, from an end to the next beginning; >= 1 */
	double mean_duration_iterations; /* >= 1; INPUT_STALL: always 1 */
	double least_degree;             /* >= 1 */
	double greatest_degree;          /* >= least_degree */
};

/*
 * The usual numbers of a cause.
 *
 *                between   duration   degree
 *   thermal         5000         60   1.1 - 1.5   power and thermal throttling: 10 to 50 % (SOSP'24, section 2.3)
 *   input-stall     2000          1   1   - 4     storage that cannot keep up: up to 4 times (the same)
 *   fail-slow      20000        400   1.1 - 1.5   from below a minute to nearly ten hours; large jobs are delayed 1.34
 *                                                 times on average (Wu and others, Greyhound, ATC'25, abstract)
 *
 * Degrees are published, that of fail-slow as a mean only. How often each strikes, and for how long, is in none of
 * these sources per pipeline and iteration: those are assumptions, which for iterations of 10 s mean ten minutes of
 * throttling and an hour of fail-slow, every half day and every other day. Whoever has numbers of a cluster should give
 * them.
 */
PERSEUS_API struct perseus_straggler_process perseus_straggler_process_default(enum perseus_straggler_cause cause);

struct perseus_straggler_settings {
	const struct perseus_straggler_process *processes; /* length n_processes, one of a cause at most; borrowed */
	int32_t n_processes;
	int32_t n_pipelines;
	int64_t n_iterations;
	uint64_t seed;
};

/*
 * Draws the events of a job; causes that strike a pipeline at once multiply. Sorted by iteration, then pipeline, of
 * which there is one event at most; freed with perseus_straggler_events_free. `*out` is NULL where there are none.
 * The same seed gives the same events on every machine, and each pipeline and cause has a stream of its own, so that
 * more pipelines, more iterations or another cause do not change the others.
 * Errors: INVALID for a process out of range (the message names it), a count below 0, or degrees whose product may
 * pass PERSEUS_MAX_DEGREE; NO_MEMORY. O(events · log events + pipelines).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_straggler_events_draw(
		const struct perseus_straggler_settings *settings, struct perseus_straggler_event **out, int64_t *n_events,
		struct perseus_error *err);

PERSEUS_API void perseus_straggler_events_free(struct perseus_straggler_event *events);

/* A way that a policy can run a pipeline; of one GPU per stage. */
struct perseus_policy_plan {
	int64_t time_ns;      /* iteration time of the pipeline alone, > 0 */
	int64_t energy_nj;    /* of its computations and transfers, without blocking */
	int64_t effective_nj; /* the same less what its GPUs would have drawn waiting for as long as they computed */
};

/*
 * What decides the clocks of a pipeline: the slowest plan with which it, at the degree known of it, is no slower than
 * the slowest pipeline known of at its fastest plan. A policy with one plan does not answer stragglers.
 */
struct perseus_policy {
	const char *name;                        /* borrowed */
	const struct perseus_policy_plan *plans; /* length n_plans >= 1, ascending time, equal ones allowed; borrowed */
	int32_t n_plans;
};

/* As a plan is: what of its energy is spent computing, effective energy rounded up to 1 nJ. O(instructions). */
PERSEUS_API struct perseus_policy_plan perseus_policy_plan_of(
		const struct perseus_frontier *frontier, const struct perseus_plan *plan);

struct perseus_simulation {
	const struct perseus_frontier *frontier; /* of one pipeline: what useful energy is; borrowed */
	int32_t n_pipelines;
	int32_t gpus_per_stage; /* tensor, sequence and expert parallelism: all do alike */
	int64_t n_iterations;
	int64_t sync_ns; /* gradient synchronisation across pipelines after each iteration, at blocking power */
	/*
	 * A change of a straggler is known, and answered, at the first iteration that begins this long after it began; one
	 * that another change has followed by then never is.
	 */
	int64_t reaction_ns;
	/*
	 * Length n_events, ascending iteration; borrowed. Of several events of a pipeline at one iteration the last holds;
	 * those at n_iterations or later do not happen.
	 */
	const struct perseus_straggler_event *events;
	int64_t n_events;
	const struct perseus_policy *policies; /* length n_policies >= 1; borrowed */
	int32_t n_policies;
};

/*
 * Energy of the whole job. useful_j + intrinsic_j + extrinsic_j + blocking_j is all of it.
 *
 * With c the effective energy of what a pipeline computed in its plan's time T, f the frontier of effective energy, and
 * T' the time that its degree left it, that of the slowest pipeline over its own degree: intrinsic bloat is c - f(T),
 * what imbalance wastes at this speed; extrinsic bloat is f(T) - f(T'), what running ahead of the straggler wastes;
 * blocking is blocking power over all time in which a GPU computed nothing, synchronisation included; useful is the
 * rest, f(T') and blocking power over the time in which GPUs computed, with the transfers: what the work takes at its
 * best. A straggler computes as planned, and is held up for the rest of its time: its GPUs then wait at blocking power.
 *
 * Sums are integers of 1 fJ, so that nothing is lost on the way. Where rounding, or a frontier with a loss_bound, leave
 * f(T) above c, the plan itself is the best that is known at T, and f is taken as min(f, c): bloat is never negative.
 * Nor is useful, unless waiting draws more than computing.
 */
struct perseus_energy_split {
	double useful_j;
	double intrinsic_j;
	double extrinsic_j;
	double blocking_j;
};

/* One iteration under one policy. */
struct perseus_simulated_iteration {
	int64_t iteration;
	int32_t policy;
	int64_t time_ns;      /* synchronisation included */
	int32_t n_stragglers; /* pipelines of a degree above 1 */
	int32_t slowest;      /* pipeline waited for; of several that of the highest degree, then of the lowest index */
	double degree;        /* of it */
	bool is_answered;     /* what the policy knows of every pipeline is so */
	struct perseus_energy_split energy;
};

/* All of the run under one policy. */
struct perseus_simulated_total {
	int64_t n_iterations;
	int64_t n_straggling; /* iterations with a straggler */
	int64_t n_unanswered; /* iterations in which what the policy knew was out of date */
	double time_s;
	struct perseus_energy_split energy;
};

/*
 * Runs every policy over the same events: those happen at iterations, whatever the time that a policy took to reach
 * them. An iteration takes as long as its slowest pipeline, degree times plan, and then the synchronisation.
 * A policy that has not yet heard of a straggler runs fast in vain; one that has not yet heard of its recovery, or of a
 * second straggler, may have chosen plans that are now too slow, and all wait for them.
 *
 * `each`, which may be NULL, is called for every iteration of every policy, iteration by iteration; it stops the run by
 * returning false. `totals` has length n_policies and is written where the run came to its end.
 *
 * Errors: INVALID for a value out of range (the message names it, and the index of an event or policy), for a plan
 * that is faster or takes less than the frontier allows, and for sums that leave 64 bits of ns or 128 bits of fJ;
 * CANCELLED where `each` stopped it; NO_MEMORY.
 * O(policies · (iterations + pipelines + plans + changes · stragglers · log(plans + breakpoints))), a change being an
 * iteration at which an event happens or becomes known. Memory O(policies · (pipelines + plans + events
 * not known yet)).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_simulate(const struct perseus_simulation *simulation,
		bool (*each)(const struct perseus_simulated_iteration *iteration, void *user), void *user,
		struct perseus_simulated_total *totals, struct perseus_error *err);

#ifdef __cplusplus
}
#endif

#endif
