/*
 * The results of the ranks of one pipeline stage as one, as Zeus's PointSolution3D observes them: times by the largest,
 * energies by the sum, element by element, each list as long as the shortest.
 */
#ifndef PERSEUS_SERVER_ZEUS_MERGE_H
#define PERSEUS_SERVER_ZEUS_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "server/zeus_json.h"

/*
 * Merges `n` >= 1 results into `*out`, whose rank is `stage`; of the breakdowns, the instructions that all have.
 * NO_MEMORY leaves it alone. Freed with perseus__zeus_result_fini.
 */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_merge(const struct perseus__zeus_result *const *results, size_t n,
		int32_t stage, struct perseus__zeus_result *out, struct perseus_error *err);

#endif
