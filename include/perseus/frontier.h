/*
 * The time–energy frontier of one pipeline: the least effective energy for every iteration time, exact, from T_min
 * (nothing slower than it must be) to T* (every instruction at its least effective energy).
 *
 * Method: longest augmenting paths (the dual of a parametric linear program; Phillips and Dessouky 1977, Fulkerson
 * 1961) in integer arithmetic on a reduced event graph; see docs/algorithm.md.
 */
#ifndef PERSEUS_FRONTIER_H
#define PERSEUS_FRONTIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/profile.h>
#include <perseus/schedule.h>
#include <perseus/status.h>

/* A flag that another thread may set; the same object in both languages. */
#ifdef __cplusplus
#include <atomic>
typedef std::atomic<bool> perseus_flag;
#else
#include <stdatomic.h>
typedef atomic_bool perseus_flag;
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct perseus_frontier;

struct perseus_frontier_settings {
	/*
	 * Marginal powers are rounded to multiples of this many microwatts. 0: exact. Larger is faster and loses energy of
	 * second order, as an instruction is misplaced only while its slope is within this of the price; the loss that is
	 * proven for the answers is in perseus_frontier_info.
	 */
	int64_t slope_quantum_uw;
	size_t checkpoint_bytes; /* memory for checkpoints, two at least; 0: 4 MiB, or as much as 24 checkpoints take */
	/* Called now and then with the fraction done, 0..1, from the thread that solves; NULL: never. */
	void (*progress)(double fraction, void *user);
	void *user;
	const perseus_flag *cancel; /* solving stops with CANCELLED soon after this becomes true; NULL: never */
};

struct perseus_frontier_info {
	int64_t t_min_ns;
	int64_t t_star_ns;         /* least effective energy: a straggler makes us wait anyway */
	int64_t t_min_energy_ns;   /* least total energy when nobody waits: effective energy + blocking power · time */
	int64_t blocking_power_uw; /* of all ranks together */
	int32_t n_breakpoints;
	int64_t n_augmentations;
	int32_t n_nodes; /* of the reduced event graph */
	int32_t n_arcs;
	bool used_fallback; /* some class was not in the profile and was composed of others (overlap, forward_backward) */
	double loss_bound;  /* proven: perseus_frontier_energy_j is above the optimum by at most this, relative; 0: exact */
};

/* A vertex of the frontier, which is linear between vertices. */
struct perseus_frontier_point {
	int64_t time_ns;
	int64_t effective_nj;
	int64_t marginal_power_uw; /* energy saved per second more, just above time_ns; INT64_MAX for more than that */
};

/* Exact, default checkpoints, no callback. */
PERSEUS_API struct perseus_frontier_settings perseus_frontier_settings_default(void);

/*
 * Computes the whole frontier. `profile` and `schedule` are borrowed until the frontier is freed. `settings` may be
 * NULL for the defaults.
 *
 * Errors: INVALID where the profile lacks a class or has fewer stages than the schedule (the message names it), ranks
 * whose stages have different blocking powers, or sums that leave 64 bits; CANCELLED; NO_MEMORY.
 * Time: about one pass over the affected half of the reduced graph per breakpoint; nothing is allocated in the sweep
 * but the growing list of points.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_frontier_new(const struct perseus_profile *profile,
		const struct perseus_schedule *schedule, const struct perseus_frontier_settings *settings,
		struct perseus_frontier **out, struct perseus_error *err);

/* Frees a frontier; NULL is fine. */
PERSEUS_API void perseus_frontier_free(struct perseus_frontier *frontier);

PERSEUS_API struct perseus_frontier_info perseus_frontier_info(const struct perseus_frontier *frontier);
PERSEUS_API const struct perseus_profile *perseus_frontier_profile(const struct perseus_frontier *frontier);
PERSEUS_API const struct perseus_schedule *perseus_frontier_schedule(const struct perseus_frontier *frontier);

/* Class of instruction `index` of the schedule: the profile's, or one composed of others. Borrowed. */
PERSEUS_API const struct perseus_class *perseus_frontier_class(const struct perseus_frontier *frontier, int32_t index);

/* Vertex `index` in 0..n_breakpoints-1, ascending time: the first is T_min, the last T*. */
PERSEUS_API struct perseus_frontier_point perseus_frontier_point(
		const struct perseus_frontier *frontier, int32_t index);

/*
 * Least effective energy (J) at an iteration time; constant above T*. NaN below T_min. O(log breakpoints).
 * With quantised slopes it is the energy of the answer, an upper bound on the optimum.
 */
PERSEUS_API double perseus_frontier_effective_energy_j(const struct perseus_frontier *frontier, int64_t time_ns);

/* The same plus blocking power of all ranks over the whole iteration: total energy when nobody waits longer. */
PERSEUS_API double perseus_frontier_energy_j(const struct perseus_frontier *frontier, int64_t time_ns);

/*
 * A relaxed optimal solution at one iteration time and the proof that it is optimal. Owned by the caller; free with
 * perseus_certificate_free.
 */
struct perseus_certificate {
	int64_t deadline_ns;
	int32_t n_instructions;
	int32_t n_edges;
	int64_t units_per_watt; /* of every flow */
	double *time_ns;        /* length n_instructions: duration of each, on its hull */
	double *start_ns;       /* length n_instructions: a start time of each that fits the deadline */
	int64_t *flow;          /* length n_instructions: marginal power (price of its time) of each */
	int64_t *edge_flow;     /* length n_edges: flow over each edge of the schedule */
	int64_t *start_flow;    /* length n_instructions: flow from the iteration's start into the instruction */
	int64_t *end_flow;      /* length n_instructions: flow from the instruction to the iteration's end */
};

/*
 * The certificate at `time_ns` (clamped to T* from above). INFEASIBLE below T_min.
 * Starts from the nearest checkpoint: about (breakpoints / checkpoints) steps of the sweep, then O(edges).
 * Safe from several threads at once on one frontier.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_frontier_certificate(const struct perseus_frontier *frontier,
		int64_t time_ns, struct perseus_certificate **out, struct perseus_error *err);

/*
 * Proves a certificate without the solver, from profile and schedule alone: durations on the hulls, every dependency
 * kept, iteration within the deadline, flow conserved and not negative; then, by weak duality, the optimum lies in
 * [*lower_bound_j, *energy_j] (effective energy). OK where they agree to `tolerance` relative to the total energy
 * (and 0.5 nJ), INVALID with what is violated otherwise. Both outputs may be NULL.
 * O(instructions · hull points + edges).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_certificate_check(
		const struct perseus_certificate *certificate, const struct perseus_profile *profile,
		const struct perseus_schedule *schedule, double tolerance, double *lower_bound_j, double *energy_j,
		struct perseus_error *err);

/* Frees a certificate; NULL is fine. */
PERSEUS_API void perseus_certificate_free(struct perseus_certificate *certificate);

#ifdef __cplusplus
}
#endif

#endif
