/*
 * The parametric sweep: from the longest iteration to the shortest, always at least cost, one longest augmenting path
 * a step. Method and invariants: docs/algorithm.md.
 */
#ifndef PERSEUS_FLOW_SWEEP_H
#define PERSEUS_FLOW_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wide.h"
#include "flow/network.h"

#include <perseus/status.h>

/* Event of the reduced graph: what every step reads of every event that moves, half a cache line. */
struct perseus__event {
	int64_t time_ns; /* relative to the source's, which is not always 0: see perseus__sweep_time */
	/*
	 * No residual arc other than those of the tree can stop the event from moving to any time above this. Tails only
	 * ever move earlier, so a bound once computed stays one; it is computed anew only when the event comes near it.
	 */
	int64_t floor_ns;
	int32_t first_child;
	int32_t next_sibling;
	int32_t tree_arc; /* residual arc from the parent in the tree of longest paths; -1 at the source */
	int32_t mark;     /* see sweep_internal.h */
};

/* The rest of an event's place in the tree. */
struct perseus__tree_link {
	int32_t parent;           /* -1: none */
	int32_t previous_sibling; /* -1: none */
};

/* What the residual graph makes of an arc: head >= tail + forward_ns and head <= tail + backward_ns. */
struct perseus__residual {
	int32_t tail;
	int32_t head;
	int64_t forward_ns;
	int64_t backward_ns; /* PERSEUS__UNBOUNDED: no bound */
};

/* Flow of an arc and where it lies on the curve: slope[level + 1] <= flow < slope[level]. */
struct perseus__arc_state {
	int64_t flow;
	int32_t curve;
	int32_t n_lengths;
	int32_t level;
};

struct perseus__heap_entry {
	int64_t key;
	int32_t event;
};

/* An event of the longest path and the tree arc above it. */
struct perseus__path_event {
	int32_t event;
	int32_t arc;
};

/* An arc that has left the tree. */
struct perseus__untied {
	int32_t child;
	int32_t parent;
	int32_t arc;
};

/*
 * State of a sweep; read-only outside sweep.c. Between steps `event.time_ns` are longest path lengths in the residual
 * graph, and optimal times of the events for iteration time `time_ns`. Arcs are sorted by tail here, so that what is
 * read together lies together; `place` says where those of the network are.
 */
struct perseus__sweep {
	const struct perseus__network *network; /* borrowed */
	int64_t time_ns;                        /* iteration time: that of the sink */
	int64_t flow;                           /* from source to sink: the price of a nanosecond, of the last step */
	perseus__wide saved;                    /* cost of the shortening so far, in slope · ns */
	struct perseus__event *events;          /* length n_nodes */
	struct perseus__tree_link *tree;        /* length n_nodes */
	struct perseus__residual *residuals;    /* length n_arcs, by tail */
	struct perseus__arc_state *arcs;        /* length n_arcs, by tail */
	int32_t *place;                         /* length n_arcs: of an arc of the network, among those by tail */
	int32_t *in_places;                     /* length n_arcs: arcs by head, rows as network.in_begin */
	int32_t *moving;                        /* length n_nodes: scratch */
	int32_t *near;                          /* length n_nodes: scratch */
	int64_t *margin_ns;                     /* length n_nodes: scratch, see LOOKED in sweep_internal.h */
	int32_t *resting;                       /* length n_nodes: scratch */
	int64_t *joined_ns;                     /* length n_nodes: scratch, shift at which an event joined */
	int32_t *met_arc;                       /* length n_nodes: scratch, arc by which it would */
	struct perseus__path_event *path;       /* length n_nodes: scratch */
	int32_t *lowest_epoch;            /* length n_nodes: scratch, epoch when last on the lowest part of the path */
	struct perseus__untied *untied;   /* length n_nodes: scratch */
	struct perseus__heap_entry *heap; /* length n_nodes: scratch */
	int32_t *heap_index;              /* length n_nodes: place in the heap + 1; 0: not there */
	int32_t heap_size;
	int32_t epoch;
	int64_t reach_ns; /* how far events moved lately: how much of the moving part is worth a look */
	int64_t n_augmentations;
};

/* A sweep at the longest useful time, everything at its greatest length. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__sweep_init(
		struct perseus__sweep *sweep, const struct perseus__network *network, struct perseus_error *err);

void perseus__sweep_fini(struct perseus__sweep *sweep);

/*
 * One augmentation: raises `flow` to the price of the next stretch, then shortens the iteration at that price as far as
 * it is valid (not at all where longest paths tie). False where the iteration cannot be shortened: nothing changes.
 * Allocates nothing.
 */
bool perseus__sweep_step(struct perseus__sweep *sweep);

/* Time of an event, counted from the source's. */
int64_t perseus__sweep_time(const struct perseus__sweep *sweep, int32_t event);

/* Flow over an arc of the network. */
int64_t perseus__sweep_flow(const struct perseus__sweep *sweep, int32_t arc);

/* Bytes of a saved state. */
size_t perseus__sweep_state_bytes(const struct perseus__network *network);

/* Saves the state between two steps into `state`, of that many bytes, aligned as malloc does. */
void perseus__sweep_save(const struct perseus__sweep *sweep, void *state);

/* Goes back, or on, to a saved state of the same network. */
void perseus__sweep_restore(struct perseus__sweep *sweep, const void *state);

/*
 * Checks every invariant between two steps: level and flow of each arc, no residual arc violated, tree arcs tight and
 * acyclic, flow conserved, floors true bounds. INTERNAL with the first violation. O(nodes + arcs).
 */
PERSEUS_MUST_USE enum perseus_status perseus__sweep_check(
		const struct perseus__sweep *sweep, struct perseus_error *err);

#endif
