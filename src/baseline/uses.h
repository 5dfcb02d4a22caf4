/*
 * The classes of instruction whose clocks a baseline chooses, each once. Not installed.
 */
#ifndef PERSEUS_BASELINE_USES_H
#define PERSEUS_BASELINE_USES_H

#include <stdint.h>

#include "frontier/workload.h"

#include <perseus/profile.h>
#include <perseus/status.h>

/* The clocked classes that a workload uses, by stage, then by name. */
struct perseus__uses {
	const struct perseus__workload *workload; /* borrowed */
	int32_t n;
	const struct perseus_class **classes; /* length n */
	int64_t *count;                       /* length n: instructions of each */
	int32_t *of; /* length n_instructions: index of its class; -1 where the clock does not matter */
};

PERSEUS_MUST_USE enum perseus_status perseus__uses_init(
		struct perseus__uses *uses, const struct perseus__workload *workload, struct perseus_error *err);

void perseus__uses_fini(struct perseus__uses *uses);

/* End of the run of classes that begins at `begin` and is of one stage. */
int32_t perseus__uses_stage_end(const struct perseus__uses *uses, int32_t begin);

/*
 * Clocks that classes begin..end-1 were all measured at, ascending; `mhz` has room for the choices of the first.
 * `*n` is 0 only where begin == end. Errors: INVALID where they share none, naming two of them.
 */
PERSEUS_MUST_USE enum perseus_status perseus__uses_shared_clocks(const struct perseus__uses *uses, int32_t begin,
		int32_t end, int32_t *mhz, int32_t *n, struct perseus_error *err);

/* Gives every instruction the choice of its class in `of_class`, length n; `choice`, length n_instructions. */
void perseus__uses_spread(const struct perseus__uses *uses, const int32_t *of_class, int32_t *choice);

#endif
