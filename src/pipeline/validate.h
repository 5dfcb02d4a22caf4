/* Whether an order from outside is complete and makes sense. Not installed. */
#ifndef PERSEUS_PIPELINE_VALIDATE_H
#define PERSEUS_PIPELINE_VALIDATE_H

#include <stdbool.h>

#include "pipeline/builder.h"

#include <perseus/status.h>

/*
 * Checks the instructions of all ranks together and sets n_stages and n_microbatches: stages without a hole, no
 * duplicates, and, where dependencies are to be derived, every stage on one rank, one forward and one backward (or
 * input and weight gradient) of every stage and microbatch, in an order that can be.
 * Every instruction must be in range by itself. Errors: INVALID; NO_MEMORY. O(instructions · log instructions).
 */
PERSEUS_MUST_USE enum perseus_status perseus__order_validate(
		struct perseus__builder *builder, bool is_explicit, struct perseus_error *err);

/* INVALID with "rank, position (instruction): reason other", where `other` (may be NULL) is another instruction. */
enum perseus_status perseus__order_fault(const struct perseus__builder *builder, int32_t index, const char *reason,
		const struct perseus_part *other, struct perseus_error *err);

#endif
