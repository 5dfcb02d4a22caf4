/*
 * Clocks for every instruction without regard to how they were found: their times and energy, and how to make them
 * keep a deadline and leave no slack unused. All in integers.
 */
#ifndef PERSEUS_PLAN_ROUND_H
#define PERSEUS_PLAN_ROUND_H

#include <stdint.h>

#include "frontier/workload.h"

#include <perseus/frontier.h>
#include <perseus/status.h>

/* One Pareto point for every instruction, and what follows from it. */
struct perseus__rounding {
	const struct perseus__workload *workload; /* borrowed */
	int32_t *point;                           /* length n_instructions: index into the class's Pareto points */
	int64_t *time_ns;                         /* length n_instructions */
	int64_t *start_ns;                        /* length n_instructions */
	int64_t *tail_ns;                         /* length n_instructions */
};

/* The best plan so far for one deadline. */
struct perseus__incumbent {
	int64_t deadline_ns; /* T_min..T* */
	int64_t energy_nj;   /* effective; INT64_MAX: none yet */
	int32_t *point;      /* length n_instructions */
};

/* Every instruction at its fastest. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__rounding_init(
		struct perseus__rounding *rounding, const struct perseus__workload *workload, struct perseus_error *err);

void perseus__rounding_fini(struct perseus__rounding *rounding);

/* Takes over points, length n_instructions. */
void perseus__rounding_set(struct perseus__rounding *rounding, const int32_t *point);

/*
 * In topological order, each as slow as ends no later than in the relaxed schedule: what one leaves the next may use.
 * May end some nanoseconds too late, as the certificate holds doubles.
 */
void perseus__rounding_relax(struct perseus__rounding *rounding, const struct perseus_certificate *certificate);

/* Slows whatever has slack until nothing fits. The deadline must hold, and does still. O(instructions + edges). */
void perseus__rounding_reclaim(struct perseus__rounding *rounding, int64_t deadline_ns);

/* Shortens, reclaims, and copies the points to the incumbent where they need less energy. */
void perseus__rounding_offer(struct perseus__rounding *rounding, struct perseus__incumbent *incumbent);

/* Earliest start of instruction `i` given start and time of those before it. */
int64_t perseus__rounding_ready_ns(const struct perseus__rounding *rounding, int32_t i);

/* Earliest starts as they are now; returns the makespan. */
int64_t perseus__rounding_makespan_ns(struct perseus__rounding *rounding);

/* Tails as they are now: from the start of each instruction to the end of the iteration. */
void perseus__rounding_tails(struct perseus__rounding *rounding);

/*
 * Instructions by their starts in some schedule, nothing before what it waits for. `start_ns`, `order`: length
 * n_instructions. Errors: NO_MEMORY. O(instructions · log instructions + edges).
 */
PERSEUS_MUST_USE enum perseus_status perseus__order_by_start(
		const struct perseus__dag *dag, const int64_t *start_ns, int32_t *order, struct perseus_error *err);

/* Sum of effective energies. */
int64_t perseus__rounding_energy_nj(const struct perseus__rounding *rounding);

#endif
