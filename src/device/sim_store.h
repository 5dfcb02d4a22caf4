/*
 * Where the states of simulated GPUs lie: memory shared by a process and its children, or a file shared by any number
 * of processes. A change is made on a copy, which then takes the place of the state by one atomic store, under a lock
 * that the kernel lets go of when its holder dies: killing any process at any instruction leaves every state whole.
 */
#ifndef PERSEUS_DEVICE_SIM_STORE_H
#define PERSEUS_DEVICE_SIM_STORE_H

#include <stdint.h>

#include <perseus/status.h>

#include "device/sim_state.h"

enum { PERSEUS__SIM_SHAPE_BYTES = 128, PERSEUS__SIM_MAX_GPUS = 128 };

/* What a file must have in common with whoever opens it. */
struct perseus__sim_shape {
	char text[PERSEUS__SIM_SHAPE_BYTES]; /* what the states are of, in words */
	uint64_t hash;                       /* of the rules */
	int32_t n_gpus;                      /* 1..PERSEUS__SIM_MAX_GPUS */
};

struct perseus__sim_store;

/*
 * Opens the states in the file `path`, or private ones where it is NULL. `first`, length shape->n_gpus, is what they
 * begin with: in private memory, a new file, one whose making was cut short, or one from before the system booted, as
 * a driver's state does not outlive that either.
 * Errors: INVALID for a file of another shape, another version or other content, which stays as it is; IO; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__sim_store_open(const char *path, const struct perseus__sim_shape *shape,
		const struct perseus__sim_state *first, struct perseus__sim_store **out, struct perseus_error *err);

/* A file stays where it is. NULL is fine. */
void perseus__sim_store_close(struct perseus__sim_store *store);

/* Differs between nodes that have different files; 0 for private states. */
uint64_t perseus__sim_store_seed(const struct perseus__sim_store *store);

/* The state of a GPU; held until perseus__sim_store_drop or _keep, which takes what was changed of it since. */
struct perseus__sim_state *perseus__sim_store_hold(struct perseus__sim_store *store, int32_t gpu);
void perseus__sim_store_drop(struct perseus__sim_store *store, int32_t gpu);
void perseus__sim_store_keep(struct perseus__sim_store *store, int32_t gpu);

#endif
