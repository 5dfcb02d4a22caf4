/*
 * The event graph of an activity network, reduced: nodes are events, arcs are activities whose length may vary at a
 * price, or precedences of length 0. Knows nothing of energy: a price is an integer per nanosecond.
 */
#ifndef PERSEUS_FLOW_NETWORK_H
#define PERSEUS_FLOW_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/schedule.h>
#include <perseus/status.h>

/* Larger than any flow or price; sums of two still fit. */
#define PERSEUS__UNBOUNDED ((int64_t)1 << 61)

/*
 * A convex, decreasing, piecewise linear price list. Lengths are length_ns[0] < … < length_ns[n-1]; a nanosecond
 * shorter between k and k-1 costs slope[k], k = 1..n-1. slope[0] = PERSEUS__UNBOUNDED, slope[n] = 0, strictly
 * decreasing.
 */
struct perseus__curve {
	int32_t n;
	const int64_t *length_ns; /* length n */
	const int64_t *slope;     /* length n + 1 */
};

/* Activities, their curves, and what waits for what. All borrowed while the network is built; curves are copied. */
struct perseus__activities {
	int32_t n_activities;
	int32_t n_curves;
	const struct perseus__curve *curves; /* length n_curves */
	const int32_t *curve_of;             /* length n_activities */
	int32_t n_edges;
	const struct perseus_edge *edges; /* length n_edges: `to` starts after `from` has ended */
	const int64_t *lag_ns;            /* length n_edges: and this much later */
};

/*
 * An arc of the reduced graph. Its curve is at `curve` in the network's pooled `length_ns` and `slope`.
 */
struct perseus__arc {
	int32_t tail;
	int32_t head;
	int32_t curve;
	int32_t n_lengths;
};

/*
 * The reduced graph. Nodes are numbered in topological order: 0 is the source (the iteration's start), n_nodes-1 the
 * sink (its end). Arcs 0..n_activities-1 are the activities, in their own order; then one for each edge with a lag,
 * in order; then the precedences that are left.
 */
struct perseus__network {
	int32_t n_nodes;
	int32_t n_arcs;
	int32_t n_activities;
	int32_t n_lagged;
	struct perseus__arc *arcs; /* length n_arcs */
	int64_t *length_ns;        /* pooled curves */
	int64_t *slope;
	int32_t *out_begin; /* length n_nodes + 1 */
	int32_t *out_arcs;  /* length n_arcs: arcs by tail */
	int32_t *in_begin;  /* length n_nodes + 1 */
	int32_t *in_arcs;   /* length n_arcs: arcs by head */
};

/*
 * Builds and reduces the graph. Exact: every merge keeps all optimal solutions (docs/algorithm.md, reduction).
 * The activities must not wait for each other in a circle. Errors: NO_MEMORY. O(edges · log edges) per round, a
 * handful of rounds.
 */
PERSEUS_MUST_USE enum perseus_status perseus__network_init(
		struct perseus__network *network, const struct perseus__activities *activities, struct perseus_error *err);

void perseus__network_fini(struct perseus__network *network);

#endif
