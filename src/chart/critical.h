/* What holds an iteration up: which instructions are critical, and one path through them. */
#ifndef PERSEUS_CHART_CRITICAL_H
#define PERSEUS_CHART_CRITICAL_H

#include "frontier/workload.h"

#include <perseus/status.h>

#include <stdbool.h>
#include <stdint.h>

/* Owned; free with perseus__critical_fini. */
struct perseus__critical {
	bool *is_critical; /* length n_instructions: longer by any time, it would make the iteration longer */
	int32_t *path;     /* length n_path: a longest path, first instruction first, staying on a rank where it can */
	int32_t n_path;
};

/*
 * Finds both for instructions that take `duration_ns`, length n_instructions. Ties go to the instruction's own rank,
 * then to the lowest index. Errors: NO_MEMORY. O(instructions + edges).
 */
PERSEUS_MUST_USE enum perseus_status perseus__critical_init(struct perseus__critical *critical,
		const struct perseus__workload *workload, const int64_t *duration_ns, struct perseus_error *err);

void perseus__critical_fini(struct perseus__critical *critical);

#endif
