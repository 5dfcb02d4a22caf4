/* What the files of the sweep share. */
#ifndef PERSEUS_FLOW_SWEEP_INTERNAL_H
#define PERSEUS_FLOW_SWEEP_INTERNAL_H

#include "flow/sweep.h"

enum { NONE = -1 };

/* Earlier than any event, and far enough from the ends of the range to be subtracted from. */
#define NO_FLOOR (-PERSEUS__UNBOUNDED)

/*
 * `mark` of an event: N_MARKS · epoch + a sum of these. Marks of earlier epochs mean nothing.
 */
enum {
	MOVING = 1,  /* pulling: still on its way; 0 when it has stopped */
	WATCHED = 2, /* pulling: some event that moves after it must be told when it stops */
	LOOKED = 4,  /* pulling: its obstacles are known: floor_ns says what those at rest allow, margin_ns how far it
	              * keeps away from those that move along */
	JOINED = 8,  /* pushing: of the source's side by now */
	N_MARKS = 16,
};

/*
 * The step in progress. The saturated arcs cut the tree of longest paths in pieces. What hangs below the first comes
 * nearer to the source's side; either it is pulled, or the source's side is pushed, whichever is less to touch.
 */
struct step {
	int64_t shift_ns;   /* how much nearer they are by now */
	int64_t horizon_ns; /* pulling: events whose floor is further away are not in the heap */
	int32_t n_path;     /* events of the longest path that are cut off, from the sink up: sweep->path */
	int32_t n_lowest;   /* those of the sink's own piece: when one of them meets an obstacle, all stop */
	int32_t n_moving;   /* sweep->moving: events that are cut off, parents before children */
	int32_t n_left;     /* pulling: those still moving */
	int32_t n_joined;   /* pushing: sweep->resting: events of the source's side, parents before children */
	int32_t n_untied;   /* sweep->untied: arcs that have left the tree */
};

static inline void
raise_floor(struct perseus__sweep *sweep, int32_t v, int64_t at_ns)
{
	if (at_ns > sweep->events[v].floor_ns)
		sweep->events[v].floor_ns = at_ns;
}

/* Is the event on the part of the longest path whose stop ends the step? */
static inline bool
is_lowest(const struct perseus__sweep *sweep, int32_t v)
{
	return sweep->lowest_epoch[v] == sweep->epoch;
}

/* Takes the event, with all that hangs on it, out of the tree. It must have a parent. */
void perseus__sweep_unlink(struct perseus__sweep *sweep, int32_t v);

/* Hangs the event, with all that hangs on it, below `parent`. */
void perseus__sweep_link(struct perseus__sweep *sweep, int32_t v, int32_t parent, int32_t arc);

/*
 * Puts the event in the heap, or brings it forward to an earlier key. False where it was there as early already.
 * Ties go by event, so that the order is that of no memory layout.
 */
bool perseus__sweep_bring_forward(struct perseus__sweep *sweep, int32_t v, int64_t key);

struct perseus__heap_entry perseus__sweep_pop(struct perseus__sweep *sweep);
void perseus__sweep_clear_heap(struct perseus__sweep *sweep);

/*
 * Ends a step at `v`, an event of the lowest part of the path, which hangs below its obstacle by now: the path above it
 * turns round, as the arcs along it are tight both ways, but for what has stopped before (`is_stopped`).
 */
void perseus__sweep_turn_path(struct perseus__sweep *sweep, const struct step *step, int32_t v,
		bool (*is_stopped)(const struct perseus__sweep *sweep, int32_t v));

/* The step when what is cut off is the smaller side. Marks and collects have been done by the caller. */
void perseus__sweep_pull(struct perseus__sweep *sweep, struct step *step);

/* The step when the source's side is. */
void perseus__sweep_push(struct perseus__sweep *sweep, struct step *step);

/* What a moving or resting event next meets; also used to compute floors anew between steps. */
struct obstacle {
	int64_t resting_ns; /* earliest time that residual arcs with a tail at rest allow */
	int64_t moving_ns;  /* the same of those with a tail that moves along, where it is now */
	int32_t tail;       /* of the arc that gives resting_ns */
	int32_t arc;
};

/* Looks at every residual arc into `v` but those of the tree, as they are after the shift so far. */
struct obstacle perseus__sweep_look_around(struct perseus__sweep *sweep, const struct step *step, int32_t v);

#endif
