/*
 * Which GPUs of a machine a list in the form of CUDA_VISIBLE_DEVICES names. Items are parted by commas: an index in the
 * order of PCI addresses; "GPU-..." or as much of a UUID as no other GPU shares; "MIG-<UUID of GPU>/<gi>/<ci>" or
 * "MIG-<UUID of slice>". A negative index ends the list, and an empty one names no GPU (CUDA Programming Guide,
 * section 5.2.1.1). Where CUDA silently ends the list, at what names no GPU, this is an error.
 */
#ifndef PERSEUS_DEVICE_VISIBLE_H
#define PERSEUS_DEVICE_VISIBLE_H

#include <stdint.h>

#include <perseus/device.h>
#include <perseus/status.h>

enum perseus__visible {
	PERSEUS__HIDDEN,
	PERSEUS__VISIBLE,
	PERSEUS__VISIBLE_MIG, /* by a slice of it */
};

/* The GPUs that the list is about. */
struct perseus__visible_gpus {
	int32_t n_gpus;
	const char *(*uuid)(void *user, int32_t gpu); /* "GPU-..."; borrowed during the call */
	/* The GPU that has the slice of this UUID, "MIG-...", or -1. NULL where no GPU is cut into slices. */
	int32_t (*gpu_of_mig)(void *user, const char *uuid);
	void *user;
};

/*
 * Fills `visible`, length gpus->n_gpus. `list` may be NULL: all are visible. A GPU named twice is named once.
 * INVALID with the item that names no GPU, or more than one.
 */
PERSEUS_MUST_USE enum perseus_status perseus__visible_select(const char *list, const struct perseus__visible_gpus *gpus,
		enum perseus__visible *visible, struct perseus_error *err);

/* Notes of a node how many GPUs of `backend` the list hides, where it hides any. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__visible_note(struct perseus_node *node, const char *backend,
		const char *list, const enum perseus__visible *visible, int32_t n_gpus, struct perseus_error *err);

#endif
