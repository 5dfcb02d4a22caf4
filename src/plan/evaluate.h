/*
 * Time and energy of given clocks, with or without a latency of changing them. Knows nothing of searching.
 * The model of the latency is described at perseus__evaluate.
 */
#ifndef PERSEUS_PLAN_EVALUATE_H
#define PERSEUS_PLAN_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wide.h"
#include "frontier/workload.h"

#include <perseus/plan.h>
#include <perseus/status.h>

/* The clock of a rank between two instructions. */
struct perseus__rank_clock {
	int32_t ruling_mhz;   /* the clock it runs at; 0: no clock has been set */
	int32_t asked_mhz;    /* the clock last asked for */
	int64_t remaining_ns; /* from the end of its last clocked instruction until `asked` rules */
	int64_t end_ns;       /* end of its last clocked instruction */
};

/* Room for evaluations of one workload; the arrays hold the last one. */
struct perseus__evaluator {
	const struct perseus__workload *workload; /* borrowed */
	int64_t deadline_ns;
	int64_t latency_ns;
	int64_t *start_ns;                      /* length n_instructions */
	int64_t *time_ns;                       /* length n_instructions */
	int64_t *energy_nj;                     /* length n_instructions */
	struct perseus__rank_clock *clock;      /* length n_ranks: during an iteration */
	struct perseus__rank_clock *clock_then; /* length n_ranks: at the end of the iteration before */
	int64_t n_visits;                       /* instructions looked at so far: the measure of work */
};

struct perseus__evaluation {
	int64_t makespan_ns;
	int64_t energy_nj; /* blocking up to max(deadline, makespan) and transfers included */
	bool is_steady;    /* every iteration runs like the one before it */
	bool overflows;    /* the energy leaves 64 bits */
};

PERSEUS_MUST_USE enum perseus_status perseus__evaluator_init(struct perseus__evaluator *evaluator,
		const struct perseus__workload *workload, int64_t deadline_ns, int64_t latency_ns, struct perseus_error *err);

void perseus__evaluator_fini(struct perseus__evaluator *evaluator);

/*
 * Evaluates `choice`, length n_instructions, each an index into its class's choices.
 *
 * Earliest starts. With a latency L: when an instruction needs another clock than was asked for last, the change is
 * asked for at the end of the rank's clocked instruction before it, and takes effect L later; going back to the clock
 * that still rules cancels a pending change. What is left of L at the instruction's start, r, it runs at the ruling
 * clock, where it would take t_old: if t_old <= r all of it does, and r - t_old is left for the next one; else it takes
 * r + (1 - r/t_old)·t_new, rounded up to 1 ns, and the energy of both clocks by share of work, rounded to 1 nJ.
 * Constant instructions (one choice, at clock 0) neither need nor change a clock. A class that was not measured at the
 * ruling clock runs as at its nearest measured clock that is not higher, or at its lowest.
 * Iterations repeat every max(deadline, makespan): the state at the start is that at the end, found by iteration. Where
 * that does not settle (is_steady false) changes at the start of an iteration are asked for no sooner than its start.
 */
struct perseus__evaluation perseus__evaluate(struct perseus__evaluator *evaluator, const int32_t *choice);

/* Makespan and energy without latency, whatever the evaluator's. */
struct perseus__evaluation perseus__evaluate_plain(struct perseus__evaluator *evaluator, const int32_t *choice);

/* Whether instructions of the class need no clock. */
bool perseus__class_is_constant(const struct perseus_class *class_);

/* Index of the choice at exactly `frequency_mhz`, or -1. O(log n_choices). */
int32_t perseus__class_choice(const struct perseus_class *class_, int32_t frequency_mhz);

/* Changes of clock on each rank in one of many equal iterations; `changes` has length n_ranks. */
void perseus__count_changes(const struct perseus__workload *workload, const int32_t *choice, int32_t *changes);

#endif
