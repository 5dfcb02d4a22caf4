/* Effective energy in the model of a steady pipeline, and the partition that takes the least of it. */
#ifndef PERSEUS_PARTITION_ENERGY_H
#define PERSEUS_PARTITION_ENERGY_H

#include <stdint.h>

#include "partition/layers.h"
#include "partition/spans.h"

#include <perseus/status.h>

/* Room to compute the energy of one span at a time. */
struct perseus__energy {
	const struct perseus_layers *layers;                      /* borrowed */
	int64_t limit_ns;                                         /* of the cycle */
	struct perseus_choice *choices;                           /* room for those of a class */
	struct perseus_choice *pareto;                            /* the same */
	struct perseus_choice *hulls[PERSEUS__MAX_CYCLE_CLASSES]; /* the same for each class of the cycle */
};

PERSEUS_MUST_USE enum perseus_status perseus__energy_init(struct perseus__energy *energy,
		const struct perseus_layers *layers, int64_t limit_ns, struct perseus_error *err);

void perseus__energy_fini(struct perseus__energy *energy);

/*
 * Least effective energy of a microbatch in a stage, rounded up to 1 nJ; PERSEUS__NO_WAY where it cannot keep the
 * limit. O(clocks · log clocks).
 */
int64_t perseus__span_energy_nj(struct perseus__energy *energy, struct perseus__span span, int64_t blocking_power_uw);

/*
 * The partition with the least sum of these, of equal ones that with the least bottleneck, and of these that with
 * the most layers in front. `blocking_power_uw` has length n_stages. INFEASIBLE where none keeps the limit, with the
 * least that one does; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__least_energy(struct perseus__spans *spans, struct perseus__energy *energy,
		const int64_t *blocking_power_uw, int32_t *boundaries, struct perseus_error *err);

#endif
