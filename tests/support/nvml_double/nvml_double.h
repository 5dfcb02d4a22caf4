/* What the two files of the double of NVML share; see nvml_double.c. */
#ifndef PERSEUS_TESTS_NVML_DOUBLE_H
#define PERSEUS_TESTS_NVML_DOUBLE_H

#include "device/nvml_abi.h"

#include <perseus/device.h>

#include <stdbool.h>
#include <stdint.h>

/* Results beside those that the backend tells apart. */
enum { UNINITIALIZED = 1, GPU_IS_LOST = 15, VERSION_MISMATCH = 25, UNKNOWN = 999 };

/* What a handle points to: a GPU, or the one slice of it. */
struct perseus__nvml_device {
	int32_t device; /* of the node */
	bool is_slice;
};

typedef struct perseus__nvml_device *handle;

/* What is exported: what the backend uses, and what programs of others do. */
#pragma GCC visibility push(default)
#define X(result, name, is_required, parameters) result name parameters;
PERSEUS__NVML_CALL_MAP(X)
#undef X
int nvmlInitWithFlags(unsigned int flags);
int nvmlDeviceGetHandleByPciBusId_v2(const char *pci, handle *gpu);
int nvmlDeviceGetIndex(handle gpu, unsigned int *index);
int nvmlDeviceGetEnforcedPowerLimit(handle gpu, unsigned int *limit_mw);
int nvmlDeviceGetC2cModeInfoV(handle gpu, unsigned int *is_enabled);
#pragma GCC visibility pop

/* The simulated node; NULL while the library is not initialized. */
const struct perseus_node *double_node(void);

/* A number of the environment. */
unsigned long double_number(const char *name, unsigned long otherwise);

/* Whether a call about a GPU may go on, else its result; `out` is where its answer goes. */
int double_begin(const char *name, handle gpu, const void *out);

/* A status of ours as NVML's result. */
int double_result(enum perseus_status status, const struct perseus_error *err);

bool double_has_mig(handle gpu);

#endif
