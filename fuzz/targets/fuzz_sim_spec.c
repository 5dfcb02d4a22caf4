/* Bytes → the argument of a simulated node: what is taken keeps its bounds, what is refused says why. */
#include "../require.h"
#include "device/sim_spec.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct perseus_error none = {.message = ""};

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char argument[2 * PERSEUS__SIM_SPEC_BYTES] = "";
	struct perseus__sim_spec spec;
	struct perseus_error err = {.message = ""};
	if (length > 0)
		memcpy(argument, bytes, length < sizeof argument ? length : sizeof argument - 1);
	if (perseus__sim_spec_parse(argument, &spec, &err) != PERSEUS_OK) {
		require(err.status == PERSEUS_INVALID && err.message[0] != '\0', "refused without a reason", &err);
		return 0;
	}
	require(spec.model[0] != '\0', "a model", &none);
	require(strncmp(argument, spec.model, strlen(spec.model)) == 0, "the model comes first", &none);
	require(spec.n_gpus >= 1 && spec.n_gpus <= PERSEUS__SIM_MAX_GPUS, "number of GPUs", &none);
	require(spec.load >= PERSEUS__SIM_LOAD_BLOCKING && spec.load <= PERSEUS__SIM_LOAD_UNITS, "load", &none);
	require(spec.latency_ns >= 0 && spec.latency_ns <= 60000000000, "latency", &none);
	require(spec.step_ns > 0 && spec.step_ns <= 60000000000, "step", &none);
	require(spec.cap_mw >= 0 && spec.cap_mw <= 1000000000, "power limit", &none);
	require(spec.idle_uw >= -1 && spec.blocking_uw >= -1, "power of a GPU that waits", &none);
	for (int32_t i = spec.n_gpus; i < PERSEUS__SIM_MAX_GPUS; i++)
		require(spec.faults[i] == 0, "faults of GPUs that are there", &none);
	return 0;
}
