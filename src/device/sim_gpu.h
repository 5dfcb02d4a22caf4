/* An opened simulated node, and its GPUs: what their operations work on. */
#ifndef PERSEUS_DEVICE_SIM_GPU_H
#define PERSEUS_DEVICE_SIM_GPU_H

#include <stdint.h>

#include "device/device.h"
#include "device/sim_store.h"

struct perseus__sim;

struct perseus__sim_gpu {
	struct perseus__sim *sim;
	int32_t index;
};

struct perseus__sim {
	struct perseus__sim_rules rules;
	struct perseus__sim_store *store;
	int64_t (*now_ns)(void *user); /* NULL: the system's monotonic clock */
	void *now_user;
	int32_t n_gpus;
	char uuids[PERSEUS__SIM_MAX_GPUS][PERSEUS_DEVICE_TEXT_BYTES];
	struct perseus__sim_gpu gpus[PERSEUS__SIM_MAX_GPUS];
};

/* Operations of a device whose `self` is a struct perseus__sim_gpu. */
extern const struct perseus__device_ops perseus__sim_ops;

/* Device `device` of a node; NULL where it is no simulated GPU, which `err` says with INVALID. */
const struct perseus__sim_gpu *perseus__sim_find(
		const struct perseus_node *node, int32_t device, struct perseus_error *err);

/* Nanoseconds of the clock that a node's states run by. */
int64_t perseus__sim_now_ns(const struct perseus__sim *sim);

/* The state of a GPU at this moment, to be changed: until perseus__sim_store_keep or _drop. */
struct perseus__sim_state *perseus__sim_hold(const struct perseus__sim_gpu *gpu);

/* A copy of it. */
struct perseus__sim_state perseus__sim_look(const struct perseus__sim_gpu *gpu);

/* Sets the power limit; INVALID beyond the model's. */
PERSEUS_MUST_USE enum perseus_status perseus__sim_set_limit(const struct perseus__sim_model *model,
		struct perseus__sim_state *state, int64_t limit_mw, struct perseus_error *err);

#endif
