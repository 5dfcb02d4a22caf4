/*
 * A plan: a clock the GPU has for every instruction, that meets a deadline, with its predicted time and energy and its
 * distance to the proven optimum.
 */
#ifndef PERSEUS_PLAN_H
#define PERSEUS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/frontier.h>
#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, text): which instructions share one clock. Coarser plans change clocks less often. */
#define PERSEUS_GRANULARITY_MAP(X)                                                                               \
	X(AUTO, "auto")               /* the best of the others; instruction where changing a clock costs no time */ \
	X(INSTRUCTION, "instruction") /* none */                                                                     \
	X(KIND, "kind")               /* those of one stage and kind */                                              \
	X(ENDS, "ends")               /* of a stage: first forward and last backward one clock, the rest another */  \
	X(STAGE, "stage")             /* those of one stage */                                                       \
	X(JOB, "job")                 /* all */

enum perseus_granularity {
#define X(name, text) PERSEUS_GRANULARITY_##name,
	PERSEUS_GRANULARITY_MAP(X)
#undef X
};

/* Text of a granularity, e.g. "ends". */
PERSEUS_API const char *perseus_granularity_name(enum perseus_granularity granularity);

struct perseus_plan_settings {
	/*
	 * Iteration time that must be kept. Above T* an instruction-level plan is that of T*; a coarse plan, or one with a
	 * switch latency, may use the time beyond it where that saves energy.
	 */
	int64_t deadline_ns;
	enum perseus_granularity granularity; /* AUTO by default */
	/*
	 * A change of clock asked for at the start of an instruction takes effect this much later; the instruction runs on
	 * at the old clock until then, and idle time before it hides it. Iterations repeat back to back, so the clock
	 * before a rank's first instruction is that of its last.
	 */
	int64_t switch_latency_ns;
	/* Called now and then with the fraction done, 0..1, by what makes many plans to find one (power.h); NULL: never. */
	void (*progress)(double fraction, void *user);
	void *user;
};

/* One instruction as planned. */
struct perseus_step {
	int32_t frequency_mhz; /* 0 where the clock does not matter */
	int32_t choice;        /* index into the class's choices */
	int64_t start_ns;
	int64_t time_ns;   /* with a switch latency, the part at the old clock included */
	int64_t energy_nj; /* total, not effective */
};

/* Time and energy of a whole iteration, blocking up to the deadline included. */
struct perseus_outcome {
	int64_t iteration_time_ns; /* true makespan */
	int64_t energy_nj;
};

/* A plan, read-only, owned by the caller; free with perseus_plan_free. Steps are in the schedule's order. */
struct perseus_plan {
	int64_t deadline_ns; /* as asked for */
	enum perseus_granularity granularity;
	int64_t switch_latency_ns;
	struct perseus_outcome outcome;
	struct perseus_outcome baseline; /* every instruction at its highest clock */
	double lower_bound_j;            /* no choice of clocks uses less at this deadline */
	double gap;                      /* (energy - lower bound) / lower bound */
	double saving;                   /* 1 - energy / baseline energy */
	int32_t n_ranks;
	int32_t n_instructions;
	const int32_t *clock_changes;     /* length n_ranks: per iteration */
	const struct perseus_step *steps; /* length n_instructions */
};

/* Granularity AUTO, no switch latency, deadline 0: callers must set it. */
PERSEUS_API struct perseus_plan_settings perseus_plan_settings_default(void);

/*
 * Finds a plan. Its makespan never exceeds the deadline, in exact integer arithmetic on the profile's own times.
 * Errors: INFEASIBLE for a deadline below T_min, or one that the granularity or the latency cannot keep (the message
 * says the shortest that can); INVALID where a coarse granularity finds no clock common to its instructions; NO_MEMORY.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_plan_new(const struct perseus_frontier *frontier,
		const struct perseus_plan_settings *settings, struct perseus_plan **out, struct perseus_error *err);

/*
 * The shortest iteration time that plans of `settings` are found to keep, its deadline ignored: what the message of
 * perseus_plan_new says where it is INFEASIBLE. Errors: INFEASIBLE where none repeats steadily; those of
 * perseus_plan_new otherwise.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_plan_shortest(const struct perseus_frontier *frontier,
		const struct perseus_plan_settings *settings, int64_t *shortest_ns, struct perseus_error *err);

/*
 * Evaluates given clocks: `frequency_mhz`, length n_instructions of the schedule (0: the highest the class has).
 * The deadline of `settings` may be missed here: see outcome.iteration_time_ns. Granularity is not looked at.
 * Errors: INVALID where a class was not measured at its clock; NO_MEMORY. O(instructions + edges).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_plan_evaluate(const struct perseus_frontier *frontier,
		const int32_t *frequency_mhz, const struct perseus_plan_settings *settings, struct perseus_plan **out,
		struct perseus_error *err);

/* Frees a plan; NULL is fine. */
PERSEUS_API void perseus_plan_free(struct perseus_plan *plan);

/*
 * Proves a plan without the planner: clocks are measured ones, steps keep every dependency, times and energies follow
 * from the profile and the switch latency, the sums are right, and the deadline holds. INVALID with what is violated.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_plan_check(
		const struct perseus_plan *plan, const struct perseus_frontier *frontier, struct perseus_error *err);

struct perseus_plan_table;

/*
 * Plans ahead for `n_deadlines` iteration times spread from T_min to T*, so that a straggler is answered at once.
 * `settings` as for perseus_plan_new, its deadline ignored.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_plan_table_new(const struct perseus_frontier *frontier,
		const struct perseus_plan_settings *settings, int32_t n_deadlines, struct perseus_plan_table **out,
		struct perseus_error *err);

/*
 * The stored plan with the longest iteration time that still keeps `deadline_ns`, in effect that for min(T*, T') of a
 * straggler's T'; NULL below T_min. Borrowed until the table is freed. O(log n).
 */
PERSEUS_API const struct perseus_plan *perseus_plan_table_lookup(
		const struct perseus_plan_table *table, int64_t deadline_ns);

/* Frees a table and its plans; NULL is fine. */
PERSEUS_API void perseus_plan_table_free(struct perseus_plan_table *table);

#ifdef __cplusplus
}
#endif

#endif
