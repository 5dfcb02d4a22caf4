/* A GPU of NVIDIA's driver, shared by the files of the backend. Nothing of it changes once its node is open. */
#ifndef PERSEUS_DEVICE_NVML_GPU_H
#define PERSEUS_DEVICE_NVML_GPU_H

#include <stdbool.h>
#include <stdint.h>

#include "device/nvml_library.h"

#include <perseus/device.h>
#include <perseus/status.h>

struct perseus__nvml_gpu {
	const struct perseus__nvml *nvml;
	perseus__nvml_handle handle;
	uint32_t architecture;  /* PERSEUS__NVML_UNKNOWN_ARCHITECTURE where the driver does not say */
	uint32_t power_scope;   /* of the whole module where the energy counter is the module's, else of the GPU */
	bool has_instant_power; /* else what nvmlDeviceGetPowerUsage says, instant or not */
	bool is_slice;          /* asked for by the UUID of a MIG instance */
};

/* Operations of the device, whose `self` is a struct perseus__nvml_gpu. */
PERSEUS_MUST_USE enum perseus_status perseus__nvml_read(
		void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__nvml_clocks(
		void *self, enum perseus_setting setting, int32_t *mhz, int32_t *n, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__nvml_check(
		void *self, enum perseus_setting setting, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__nvml_set(
		void *self, enum perseus_setting setting, int64_t low, int64_t high, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__nvml_reset(
		void *self, enum perseus_setting setting, struct perseus_error *err);

/* Power now, of a scope; UNSUPPORTED where the GPU or its driver has no such reading. */
PERSEUS_MUST_USE enum perseus_status perseus__nvml_instant_power(
		const struct perseus__nvml_gpu *gpu, uint32_t scope, int64_t *power_mw, struct perseus_error *err);

/* Whether the GPU is cut into slices (multi-instance GPU) now. */
bool perseus__nvml_has_mig_on(const struct perseus__nvml_gpu *gpu);

#endif
