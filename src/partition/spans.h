/*
 * All runs of consecutive layers, and the cheapest ways to cut the layers into stages out of those that are allowed.
 * Dynamic programming from the last stage to the first over where a stage begins.
 */
#ifndef PERSEUS_PARTITION_SPANS_H
#define PERSEUS_PARTITION_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "partition/layers.h"

#include <perseus/status.h>

/* A value that no span has: not allowed, or no way. */
#define PERSEUS__NO_WAY INT64_MAX

/* Values of span (first, end) stand at first · (n_layers + 1) + end. */
struct perseus__spans {
	const struct perseus_layers *layers; /* borrowed */
	int32_t n_layers;
	int32_t n_stages;
	int64_t *forward_ns;
	int64_t *cycle_ns;
	int64_t *begins; /* where a span with the longest cycle begins: scratch */
	int64_t *best;   /* two rows of n_layers + 1: scratch */
	bool *can_end;   /* n_stages + 1 rows of n_layers + 1: scratch */
};

/* Which spans may be stages: those within all of these bounds. */
struct perseus__bounds {
	int64_t least_forward_ns;
	int64_t most_forward_ns;
	int64_t most_cycle_ns;
	int32_t last_slowest; /* a cycle of most_cycle_ns begins with this layer or an earlier one */
};

PERSEUS_MUST_USE enum perseus_status perseus__spans_init(
		struct perseus__spans *spans, const struct perseus_layers *layers, int32_t n_stages, struct perseus_error *err);

void perseus__spans_fini(struct perseus__spans *spans);

static inline size_t
perseus__span_index(const struct perseus__spans *spans, int32_t first, int32_t end)
{
	return (size_t)first * ((size_t)spans->n_layers + 1) + (size_t)end;
}

/* All spans. */
struct perseus__bounds perseus__no_bounds(void);

bool perseus__is_within(const struct perseus__spans *spans, struct perseus__bounds bounds, int32_t first, int32_t end);

/*
 * The least that the largest of `values`, a value for each span, can be over the stages of a partition within `bounds`;
 * PERSEUS__NO_WAY where there is no such partition. O(n_stages · n_layers²), as the next ones.
 */
int64_t perseus__least_largest(struct perseus__spans *spans, const int64_t *values, struct perseus__bounds bounds);

/* The most that the shortest forward can be; there is a partition within `bounds`. */
int64_t perseus__largest_least_forward(struct perseus__spans *spans, struct perseus__bounds bounds);

/*
 * Narrows `bounds`, within which there is a partition, to the least bottleneck, and of the partitions with it to those
 * whose slowest stages begin earliest.
 */
void perseus__narrow(struct perseus__spans *spans, struct perseus__bounds *bounds);

/*
 * Of all partitions within `bounds`, of which there is one, that with the most layers in the first stage, of these with
 * the most in the second, and so on. `boundaries` has length n_stages + 1.
 */
void perseus__front_partition(struct perseus__spans *spans, struct perseus__bounds bounds, int32_t *boundaries);

/*
 * The partition with the least imbalance within `bounds`, of which there is one; of equally good ones as it says in
 * perseus/partition.h. Errors: NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__least_imbalance(
		struct perseus__spans *spans, struct perseus__bounds bounds, int32_t *boundaries, struct perseus_error *err);

#endif
