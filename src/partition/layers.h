/* Layers as the search sees them: time and energy of any run of consecutive layers at any clock, in O(1). */
#ifndef PERSEUS_PARTITION_LAYERS_H
#define PERSEUS_PARTITION_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/partition.h>

/*
 * One instruction of all layers. Sums over the layers before layer l, at clock k, stand at k · (n_layers + 1) + l; a
 * layer that was not measured at the clock adds nothing but one to `n_missing`.
 */
struct perseus__layer_class {
	char *name; /* owned */
	int32_t n_clocks;
	int32_t *frequency_mhz; /* length n_clocks, highest first; owned, as are the sums */
	int64_t *time_ns;
	int64_t *energy_nj;
	int32_t *n_missing;
};

enum { PERSEUS__MAX_CYCLE_CLASSES = 3 };

struct perseus_layers {
	int32_t n_layers;
	int32_t n_classes;
	int32_t max_clocks;                   /* of any class */
	struct perseus__layer_class *classes; /* length n_classes, by name; owned */
	int32_t forward;                      /* index of "forward" */
	int32_t n_cycle;
	int32_t cycle[PERSEUS__MAX_CYCLE_CLASSES]; /* indices of the classes that a microbatch takes */
	bool has_energy;
};

/* A stage to be: layers first .. end-1, at least one. */
struct perseus__span {
	int32_t first;
	int32_t end;
};

/*
 * The choices of class `c` of a span, highest clock first, into `choices`, room for n_clocks of the class; returns how
 * many, 1 at least. Times and energies are below 2^61 in sum over all spans of a partition, whatever the clocks.
 */
int32_t perseus__span_choices(const struct perseus_layers *layers, int32_t c, struct perseus__span span,
		int64_t blocking_power_uw, struct perseus_choice *choices);

/* Time of class `c` of a span at the highest clock that its layers share. */
int64_t perseus__span_time_ns(const struct perseus_layers *layers, int32_t c, struct perseus__span span);

/* Time of a whole cycle, each class at its highest clock. */
int64_t perseus__span_cycle_ns(const struct perseus_layers *layers, struct perseus__span span);

/* Time of a whole cycle, each class at its fastest clock. Grows with the span. */
int64_t perseus__span_fastest_ns(const struct perseus_layers *layers, struct perseus__span span);

#endif
