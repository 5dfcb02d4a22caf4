/*
 * Beam search for the clocks of every instruction, guided by the proof that the relaxed optimum comes with.
 */
#ifndef PERSEUS_PLAN_BEAM_H
#define PERSEUS_PLAN_BEAM_H

#include <stdbool.h>
#include <stdint.h>

#include "frontier/workload.h"

#include <perseus/frontier.h>
#include <perseus/status.h>

/*
 * A schedule to stay close to, relaxed or of a plan, and how close. Where `is_reversed`, the search goes from the end
 * of the iteration to its start: times count back from the deadline, each instruction starts where it else ends.
 */
struct perseus__beam_guide {
	bool is_reversed;
	int64_t *start_ns; /* length n_instructions */
	int64_t *end_ns;   /* length n_instructions */
	/* 1 / 2^this of an instruction's earliness against the guide, at the price of its time, is taken to be lost. */
	int earliness_shift;
	/* An instruction may end later than in the guide by 1 / 2^this of its fastest time. */
	int lateness_shift;
};

/*
 * Finds points that keep the certificate's deadline. `point`, length n_instructions: index into the Pareto points of
 * each instruction's class. The width falls with the instructions, so that the work stays about the same until they are
 * very many. Errors: NO_MEMORY, `point` is then undefined.
 */
PERSEUS_MUST_USE enum perseus_status perseus__beam_search(const struct perseus__workload *workload,
		const struct perseus_certificate *certificate, const struct perseus__beam_guide *guide, int32_t *point,
		struct perseus_error *err);

#endif
