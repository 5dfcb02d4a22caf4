/*
 * The driver's library: opened at run time, so that nothing needs it to be there; and its results as ours.
 */
#ifndef PERSEUS_DEVICE_NVML_LIBRARY_H
#define PERSEUS_DEVICE_NVML_LIBRARY_H

#include <stdbool.h>

#include "device/nvml_abi.h"

#include <perseus/status.h>

/* Zero before it is opened. Calls are NVML's, which may be made by several threads at once. */
struct perseus__nvml {
	void *library;
	bool is_initialized;
	struct perseus__nvml_calls calls;
};

/*
 * Opens and initializes it. Errors: UNSUPPORTED where library, driver or GPUs are not there, or a required function is
 * missing; DENIED; IO. What was opened until then is closed by perseus__nvml_close.
 */
PERSEUS_MUST_USE enum perseus_status perseus__nvml_load(struct perseus__nvml *nvml, struct perseus_error *err);

void perseus__nvml_close(struct perseus__nvml *nvml);

/*
 * The result of a call as a status, with NVML's own words: UNSUPPORTED, DENIED and INVALID for what NVML calls so, a
 * function that is not there included; else IO, a lost GPU included.
 */
enum perseus_status perseus__nvml_result(
		const struct perseus__nvml *nvml, int result, const char *name, struct perseus_error *err);

/* Calls `name` where the library has it, and gives the call's status. */
#define PERSEUS__NVML_CALL(nvml, err, name, ...) \
	perseus__nvml_result((nvml),                 \
			(nvml)->calls.name ? (nvml)->calls.name(__VA_ARGS__) : PERSEUS__NVML_FUNCTION_NOT_FOUND, #name, (err))

#endif
