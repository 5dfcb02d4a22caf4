/*
 * The GPU's energy counter: when to read it, when it moved, and how much energy was used up to a moment. Works on the
 * tracks of src/meter. What they leave to the meter is done here for one GPU: where a reading takes next to no time,
 * many lie around the moment at which the counter is expected to move.
 */
#ifndef PERSEUS_CLIENT_ENERGY_H
#define PERSEUS_CLIENT_ENERGY_H

#include <stdbool.h>
#include <stdint.h>

#include "meter/counter_track.h"
#include "meter/power_track.h"

#include <perseus/device.h>

enum { PERSEUS__ENERGY_ANCHORS = 64 };

/* The counter had just moved. */
struct perseus__energy_anchor {
	int64_t at_ns;
	int64_t doubt_ns; /* of at_ns */
	double energy_j;  /* since an origin that holds for one era */
	int64_t era;
};

struct perseus__energy {
	const struct perseus_node *node; /* borrowed; NULL: no counter */
	int32_t device;
	int64_t asked_power_ns;
	struct perseus__counter_track counter;
	struct perseus__power_track power;
	int64_t n_steps_seen;
	int64_t n_anchors;                                              /* ever */
	struct perseus__energy_anchor anchors[PERSEUS__ENERGY_ANCHORS]; /* a ring */
};

/* `node` may be NULL, or its device without a counter: nothing is known then. Reads nothing. */
struct perseus__energy perseus__energy_init(const struct perseus_node *node, int32_t device);

/* When the counter is to be read next; INT64_MAX: never. */
int64_t perseus__energy_due_ns(const struct perseus__energy *energy);

/* A reading takes so long that more urgent things go first. */
bool perseus__energy_is_slow(const struct perseus__energy *energy);

/* Reads the counter. True where it moved since the last anchor: there is a new one. */
bool perseus__energy_read(struct perseus__energy *energy);

/* What was used between the last anchor and the one before. */
struct perseus__energy_window {
	int64_t begin_ns;
	int64_t end_ns;
	double energy_j;
	double error_j;
};

/* After perseus__energy_read was true; false where the two have nothing to do with each other. */
bool perseus__energy_window(const struct perseus__energy *energy, struct perseus__energy_window *window);

/* What is known of the energy up to a moment. */
enum perseus__energy_knowledge {
	PERSEUS__ENERGY_NOT_YET, /* the counter has not moved since */
	PERSEUS__ENERGY_KNOWN,
	PERSEUS__ENERGY_NEVER, /* it was not read around then */
};

/*
 * Energy since the origin of `*era` up to `at_ns`: between two anchors in proportion to time. Differences of one era
 * are energies.
 */
enum perseus__energy_knowledge perseus__energy_at(
		const struct perseus__energy *energy, int64_t at_ns, double *energy_j, int64_t *era);

#endif
