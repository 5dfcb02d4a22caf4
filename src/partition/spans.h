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
	int64_t *best; /* two rows of n_layers + 1: scratch */
	bool *can_end; /* n_stages + 1 rows of n_layers + 1: scratch */
};

/* Which spans may be stages: times within all of these bounds. */
struct perseus__bounds {
	int64_t least_forward_ns;
	int64_t most_forward_ns;
	int64_t most_cycle_ns;
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
 * Of all partitions within `bounds`, of which there is one, that whose boundaries come first in order: the lowest first
 * boundary, then the lowest second, and so on. `boundaries` has length n_stages + 1.
 */
void perseus__first_partition(struct perseus__spans *spans, struct perseus__bounds bounds, int32_t *boundaries);

/*
 * The partition with the least imbalance, then the least bottleneck, then the first in order, out of those whose cycles
 * are at most `most_cycle_ns`, of which there is one. Errors: NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__least_imbalance(
		struct perseus__spans *spans, int64_t most_cycle_ns, int32_t *boundaries, struct perseus_error *err);

#endif
