/*
 * Splicing: a plan for a shorter deadline for one part of the iteration, one for a longer deadline for the rest.
 */
#ifndef PERSEUS_PLAN_SPLICE_H
#define PERSEUS_PLAN_SPLICE_H

#include <stdint.h>

#include "plan/round.h"

#include <perseus/frontier.h>
#include <perseus/status.h>

/*
 * Offers splices that keep the incumbent's deadline. `order`: as from perseus__order_by_start; `rounding` is used for
 * scratch. Errors: those of perseus_frontier_certificate; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__splice(const struct perseus_frontier *frontier, const int32_t *order,
		struct perseus__rounding *rounding, struct perseus__incumbent *incumbent, struct perseus_error *err);

#endif
