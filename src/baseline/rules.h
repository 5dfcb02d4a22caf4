/*
 * How each baseline chooses clocks: what its knob may stand at, and what every standing makes of a workload.
 * Not installed.
 */
#ifndef PERSEUS_BASELINE_RULES_H
#define PERSEUS_BASELINE_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "baseline/uses.h"

#include <perseus/baseline.h>
#include <perseus/status.h>

/* Standings of a knob, in the unit of struct perseus_baseline_member. */
struct perseus__knobs {
	double *values;
	size_t n;
	size_t capacity;
};

struct perseus__rule {
	/*
	 * Adds every standing with an outcome of its own, in any order, more than once where that is simpler. NULL: there
	 * is no knob. Errors: INVALID where the profile lacks what the rule needs; NO_MEMORY.
	 */
	enum perseus_status (*list)(
			const struct perseus__uses *uses, struct perseus__knobs *knobs, struct perseus_error *err);
	/*
	 * The choice of every instruction, `choice` of length n_instructions. Errors: those of `list`; INVALID or
	 * INFEASIBLE for a standing that some class cannot take, finite and not negative as it is.
	 */
	enum perseus_status (*choose)(
			const struct perseus__uses *uses, double knob, int32_t *choice, struct perseus_error *err);
};

/* The rule of a baseline; NULL where there is no such. */
const struct perseus__rule *perseus__baseline_rule(enum perseus_baseline baseline);

PERSEUS_MUST_USE enum perseus_status perseus__knobs_add(
		struct perseus__knobs *knobs, double value, struct perseus_error *err);

/* BALANCED_STAGES. */
enum perseus_status perseus__balanced_list(
		const struct perseus__uses *uses, struct perseus__knobs *knobs, struct perseus_error *err);
enum perseus_status perseus__balanced_choose(
		const struct perseus__uses *uses, double knob, int32_t *choice, struct perseus_error *err);

/* ENVPIPE. */
enum perseus_status perseus__envpipe_choose(
		const struct perseus__uses *uses, double knob, int32_t *choice, struct perseus_error *err);

#endif
