/*
 * What an instruction waits for, by its kind. Not installed.
 *
 * F(s,m) after F(s-1,m) and its data load; B and I (s,m) after F(s,m), R(s,m) and the B or I of (s+1,m); W(s,m) after
 * I(s,m); R(s,m) after F(s-1,m) and F(s,m); a reduction after the last backwards of its stage; an optimizer step after
 * the last reduction of every rank, or after everything where there is none; an overlapped pair after the union.
 */
#ifndef PERSEUS_PIPELINE_RULES_H
#define PERSEUS_PIPELINE_RULES_H

#include <stdint.h>

#include "pipeline/builder.h"

#include <perseus/schedule.h>
#include <perseus/status.h>

/*
 * Makes the edges of a schedule whose instructions are complete: order within ranks, the rules of the kinds unless
 * extra->only, and the extra ones. Sorted by (from, to), without duplicates; data dependencies that the order within a
 * rank implies are left out. `*edges` is new; the caller frees it. Unless extra->only, every stage of a forward,
 * backward, weight gradient or recomputation is below n_stages and its microbatch in 0..n_microbatches-1.
 * Errors: NO_MEMORY. O(instructions + edges).
 */
PERSEUS_MUST_USE enum perseus_status perseus__edges_derive(const struct perseus_schedule *schedule,
		const struct perseus__extra_edges *extra, struct perseus_edge **edges, int32_t *n_edges,
		struct perseus_error *err);

#endif
