/* What the files of this module share. Not installed. */
#ifndef PERSEUS_FRONTIER_FRONTIER_INTERNAL_H
#define PERSEUS_FRONTIER_FRONTIER_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "flow/network.h"
#include "flow/sweep.h"
#include "frontier/workload.h"

#include <perseus/frontier.h>

/* Saved states of the sweep, latest iteration time first. Never full: every other one is dropped in time. */
struct perseus__checkpoints {
	unsigned char *states; /* capacity * state_bytes */
	int64_t *time_ns;      /* length capacity */
	size_t state_bytes;
	int32_t n;
	int32_t capacity;
	int64_t stride; /* augmentations between two */
};

/* Price lists of the classes in flow units, indexed as the activities' curves. */
struct perseus__price_lists {
	int32_t n_curves;
	struct perseus__curve *curves; /* length n_curves */
	int32_t *curve_of;             /* length n_instructions */
	int64_t *lengths;              /* what the curves point into */
	int64_t *slopes;
	int64_t units_per_watt;
};

/* Points of the frontier, descending time. */
struct perseus__points {
	struct perseus_frontier_point *items;
	size_t capacity;
	/*
	 * With quantised slopes: what is proven at each point, in nJ of effective energy. A proof holds for other times
	 * too, on a line as steep as the point's marginal power. NULL where slopes are exact.
	 */
	double *proven_nj;
	size_t proven_capacity;
	int32_t n;
};

struct perseus_frontier {
	struct perseus__workload workload;
	struct perseus__network network;
	struct perseus__points points;
	struct perseus__checkpoints checkpoints;
	struct perseus_frontier_info info;
	int64_t units_per_watt;
	int64_t slowest_nj; /* effective energy with every instruction at its least */
};

/*
 * Builds the price lists. Marginal powers are rounded to a unit of flow, as fine as 63 bits allow for sums over all
 * instructions (1 nW for anything real), or to `quantum_uw`. Errors: INVALID where even 1 W is too fine; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__price_lists_init(struct perseus__price_lists *lists,
		const struct perseus__workload *workload, int64_t quantum_uw, struct perseus_error *err);

void perseus__price_lists_fini(struct perseus__price_lists *lists);

/* Effective energy (nJ) of an instruction of the class that takes `time_ns`: on the hull, flat beyond its ends. */
double perseus__hull_energy_nj(const struct perseus_class *class_, double time_ns);

/* Least of effective energy + price · time over the hull, in units · ns: what an instruction adds to the dual. */
perseus__wide perseus__hull_dual(const struct perseus_class *class_, int64_t units_per_watt, int64_t price);

#endif
