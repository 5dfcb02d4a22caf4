/* The argument of a simulated node: MODEL[xN][,KEY=VALUE...]. The keys are in docs/devices.md. */
#ifndef PERSEUS_DEVICE_SIM_SPEC_H
#define PERSEUS_DEVICE_SIM_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

#include "device/sim_store.h"

enum { PERSEUS__SIM_SPEC_BYTES = 1024 };

struct perseus__sim_spec {
	char model[PERSEUS__SIM_SPEC_BYTES]; /* a name, or a path that ends in ".csv" */
	char state[PERSEUS__SIM_SPEC_BYTES]; /* "": private */
	int32_t n_gpus;                      /* 1..PERSEUS__SIM_MAX_GPUS */
	int32_t load;                        /* PERSEUS__SIM_LOAD_ */
	int64_t latency_ns;
	int64_t step_ns;                        /* > 0 */
	int64_t min_mhz;                        /* 0: the model's */
	int64_t cap_mw;                         /* 0: the model's highest */
	int64_t idle_uw;                        /* -1: the model's */
	int64_t blocking_uw;                    /* -1: the model's */
	uint32_t faults[PERSEUS__SIM_MAX_GPUS]; /* bits 1 << enum perseus__sim_fault */
};

bool perseus__sim_spec_is_profile(const struct perseus__sim_spec *spec);

/* INVALID with the part at fault. `argument` may be NULL. */
PERSEUS_MUST_USE enum perseus_status perseus__sim_spec_parse(
		const char *argument, struct perseus__sim_spec *spec, struct perseus_error *err);

#endif
