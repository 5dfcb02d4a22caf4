/* What can be set of a GPU, whether this process may, and setting it. */
#include "device/nvml_gpu.h"

#include "base/error.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the driver's kernel module asks for, root or not: CAP_SYS_ADMIN. A container's root is often without it. */
static bool
has_privilege(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
	if (syscall(SYS_capget, &header, sets) != 0)
		return false;
	return (sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

bool
perseus__nvml_has_mig_on(const struct perseus__nvml_gpu *gpu)
{
	unsigned int now = 0;
	unsigned int pending = 0;
	return PERSEUS__NVML_CALL(gpu->nvml, NULL, nvmlDeviceGetMigMode, gpu->handle, &now, &pending) == PERSEUS_OK
			&& now == PERSEUS__NVML_MIG_ON;
}

/* A setting acts on the whole GPU, whoever else runs on it. */
static enum perseus_status
check_mig(const struct perseus__nvml_gpu *gpu, struct perseus_error *err)
{
	if (gpu->is_slice || perseus__nvml_has_mig_on(gpu))
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "MIG is on: a setting would change every slice of the GPU");
	return PERSEUS_OK;
}

static enum perseus_status
check_architecture(const struct perseus__nvml_gpu *gpu, enum perseus_setting setting, struct perseus_error *err)
{
	if (setting == PERSEUS_SETTING_SM_CLOCKS && gpu->architecture < PERSEUS__NVML_VOLTA)
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "clocks are locked on GPUs from Volta on");
	if (setting == PERSEUS_SETTING_MEMORY_CLOCKS && gpu->architecture < PERSEUS__NVML_AMPERE)
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "memory clocks are locked on GPUs from Ampere on");
	return PERSEUS_OK;
}

static enum perseus_status
require_call(bool is_there, const char *name, struct perseus_error *err)
{
	return is_there ? PERSEUS_OK
					: perseus__fail(err, PERSEUS_UNSUPPORTED, "the driver's library has no nvmlDevice%s", name);
}

/* Whether the library has what sets and resets, and the GPU what is to be set, as far as reading tells. */
static enum perseus_status
check_calls(struct perseus__nvml_gpu *gpu, enum perseus_setting setting, struct perseus_error *err)
{
	const struct perseus__nvml_calls *calls = &gpu->nvml->calls;
	enum perseus_status status = PERSEUS_OK;
	int64_t value;
	switch (setting) {
	case PERSEUS_SETTING_SM_CLOCKS:
		status = require_call(calls->nvmlDeviceSetGpuLockedClocks != NULL, "SetGpuLockedClocks", err);
		return status ? status
					  : require_call(calls->nvmlDeviceResetGpuLockedClocks != NULL, "ResetGpuLockedClocks", err);
	case PERSEUS_SETTING_MEMORY_CLOCKS:
		status = require_call(calls->nvmlDeviceSetMemoryLockedClocks != NULL, "SetMemoryLockedClocks", err);
		return status ? status
					  : require_call(calls->nvmlDeviceResetMemoryLockedClocks != NULL, "ResetMemoryLockedClocks", err);
	case PERSEUS_SETTING_POWER_LIMIT: /* putting it back takes the default */
		status = require_call(calls->nvmlDeviceSetPowerManagementLimit != NULL, "SetPowerManagementLimit", err);
		return status ? status : perseus__nvml_read(gpu, PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT, &value, err);
	case PERSEUS_SETTING_PERSISTENCE:
		return require_call(calls->nvmlDeviceSetPersistenceMode != NULL, "SetPersistenceMode", err);
	}
	return status;
}

enum perseus_status
perseus__nvml_check(void *self, enum perseus_setting setting, struct perseus_error *err)
{
	struct perseus__nvml_gpu *gpu = self;
	enum perseus_status status = check_mig(gpu, err);
	if (status == PERSEUS_OK)
		status = check_architecture(gpu, setting, err);
	if (status == PERSEUS_OK)
		status = check_calls(gpu, setting, err);
	if (status == PERSEUS_OK && !has_privilege())
		return perseus__fail(err, PERSEUS_DENIED,
				"it takes CAP_SYS_ADMIN: run as root (in a container with --cap-add SYS_ADMIN), or let perseus agent "
				"do it");
	return status;
}

enum perseus_status
perseus__nvml_set(void *self, enum perseus_setting setting, int64_t low, int64_t high, struct perseus_error *err)
{
	struct perseus__nvml_gpu *gpu = self;
	const enum perseus_status status = check_mig(gpu, err);
	if (status != PERSEUS_OK)
		return status;
	if (high >= PERSEUS__NVML_FIRST_SYMBOLIC_CLOCK)
		return perseus__fail(err, PERSEUS_INVALID, "%lld is too much for any GPU", (long long)high);
	const unsigned int first = (unsigned int)low;
	const unsigned int last = (unsigned int)high;
	switch (setting) {
	case PERSEUS_SETTING_SM_CLOCKS:
		return PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceSetGpuLockedClocks, gpu->handle, first, last);
	case PERSEUS_SETTING_MEMORY_CLOCKS:
		return PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceSetMemoryLockedClocks, gpu->handle, first, last);
	case PERSEUS_SETTING_POWER_LIMIT:
		return PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceSetPowerManagementLimit, gpu->handle, first);
	case PERSEUS_SETTING_PERSISTENCE:
		return PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceSetPersistenceMode, gpu->handle, (int)first);
	}
	return perseus__fail(err, PERSEUS_INVALID, "no such setting: %d", (int)setting);
}

enum perseus_status
perseus__nvml_reset(void *self, enum perseus_setting setting, struct perseus_error *err)
{
	struct perseus__nvml_gpu *gpu = self;
	enum perseus_status status = check_mig(gpu, err);
	if (status != PERSEUS_OK)
		return status;
	int64_t default_mw;
	switch (setting) {
	case PERSEUS_SETTING_SM_CLOCKS:
		return PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceResetGpuLockedClocks, gpu->handle);
	case PERSEUS_SETTING_MEMORY_CLOCKS:
		return PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceResetMemoryLockedClocks, gpu->handle);
	case PERSEUS_SETTING_POWER_LIMIT:
		status = perseus__nvml_read(gpu, PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT, &default_mw, err);
		return status == PERSEUS_OK ? perseus__nvml_set(gpu, setting, default_mw, default_mw, err) : status;
	case PERSEUS_SETTING_PERSISTENCE:
		return perseus__nvml_set(gpu, setting, 0, 0, err);
	}
	return perseus__fail(err, PERSEUS_INVALID, "no such setting: %d", (int)setting);
}
