/* What the walk keeps, and its parts: what ranks report (walk.c), what follows (walk_learn.c), what to do next
 * (walk_program.c). */
#ifndef PERSEUS_SERVER_WALK_INTERNAL_H
#define PERSEUS_SERVER_WALK_INTERNAL_H

#include "server/regression.h"
#include "server/samples.h"
#include "server/walk.h"

#include <stddef.h>

/* A class at a clock. */
struct perseus__walk_point {
	int32_t frequency_mhz;
	int32_t column;    /* in the regression of its position; -1 while no window has it */
	int32_t n_windows; /* in which it ran for longer than anything else */
	struct perseus__samples times;
	/* As last learned: */
	struct perseus__mean time;
	double power_w; /* NaN: not known */
	double power_error_w;
	bool is_shared_power;
};

struct perseus__walk_class {
	struct perseus__job_class class_; /* its name owned by the walk */
	bool is_constant;
	struct perseus__walk_point *points; /* by descending clock */
	size_t cap_points;
	int32_t n_points;
	bool has_stopped; /* lower clocks cost both time and effective energy */
};

/* A position in the pipeline: the GPUs that run the same stages. */
struct perseus__walk_position {
	struct perseus__regression *regression;
	int32_t n_columns;          /* column 0 is blocking */
	int32_t n_blocking_windows; /* in which nothing ran */
	int64_t n_windows;          /* that came, whether kept or not */
	double energy_j;            /* of them */
	double time_s;
	int64_t *last; /* length n_last, by rank: number of its last window, -1 none */
	size_t cap_last;
	int32_t n_last;
	bool is_stale; /* windows have come since it was learned */
	struct perseus__walk_blocking blocking;
	int32_t n_outliers;
	bool has_stopped; /* all its classes have */
	int32_t good_mhz; /* the clock of least effective energy, then */
};

/* Segments of one call of perseus__walk_next. */
struct perseus__walk_batch {
	struct perseus__walk_segment *segments; /* length n */
	int32_t *clocks_mhz;                    /* length n · n_classes */
	int32_t n;
};

/* What is known of a segment that was given. */
struct perseus__walk_given {
	int32_t n_steps;
	int32_t clock; /* index into clocks_mhz */
};

struct perseus__walk {
	struct perseus__walk_settings settings; /* its arrays NULL: owned copies are below */
	int32_t *clocks_mhz;                    /* length n_clocks: {0} where clocks cannot be set */
	int32_t n_clocks;
	bool is_settable;
	struct perseus__walk_class *classes;
	struct perseus__walk_position *positions;

	struct perseus__walk_batch *batches;
	size_t cap_batches;
	int32_t n_batches;
	struct perseus__walk_given *given;
	size_t cap_given;
	int32_t n_given;
	int32_t n_ended;
	int32_t n_steps_run;   /* of segments that have ended */
	int32_t n_steps_ahead; /* of those that have not */
	int32_t n_lookahead;   /* the next batch is there when so many steps are left */
	int32_t n_late;        /* steps that a segment was run for beyond what was planned, at most */

	int32_t *candidates; /* clocks of this pass, as indices, descending clocks; length n_candidates */
	int32_t n_candidates;
	int32_t next_candidate;
	int32_t n_passes;
	bool is_idle; /* nothing to do before another segment has ended */
	bool is_done;
};

enum {
	/* So many windows of a position at each clock give standard errors of about 1 % (docs/profiling.md). */
	PERSEUS__WALK_WINDOWS_PER_CLOCK = 20,
	PERSEUS__WALK_LOOKAHEAD = 8, /* steps, to begin with */
};

/* Powers, times and blocking of all that has come. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__walk_learn(struct perseus__walk *walk, struct perseus_error *err);

/* Energy of an instruction less blocking power over its time, and its standard error; NaN where not known. */
struct perseus__walk_energy {
	double energy_j;
	double effective_j;
	double error_j;
};

struct perseus__walk_energy perseus__walk_energy(const struct perseus__walk *walk,
		const struct perseus__walk_class *class_, const struct perseus__walk_point *point);

/* Whether the windows left this class, if it takes a relevant part of a step, less certain than walks should be. */
bool perseus__walk_is_poor(const struct perseus__walk *walk, const struct perseus__walk_class *class_, int32_t mhz);

/* The point of a class at a clock; NULL where there is none. O(log points). */
struct perseus__walk_point *perseus__walk_find(const struct perseus__walk_class *class_, int32_t frequency_mhz);

#endif
