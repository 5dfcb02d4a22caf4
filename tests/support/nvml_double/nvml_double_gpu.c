/* Readings and settings of the double of NVML. */
#include "nvml_double.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FIELD_TOTAL_ENERGY = 83, FIELD_POWER_AVERAGE = 185 };

static int
read_gpu(const char *name, handle gpu, enum perseus_quantity quantity, const void *out, int64_t *value)
{
	const int refused = double_begin(name, gpu, out);
	if (refused)
		return refused;
	struct perseus_error err = {.message = ""};
	return double_result(perseus_device_read(double_node(), gpu->device, quantity, value, &err), &err);
}

static int
read_unsigned(const char *name, handle gpu, enum perseus_quantity quantity, unsigned int *out)
{
	int64_t value;
	const int result = read_gpu(name, gpu, quantity, out, &value);
	if (result == PERSEUS__NVML_OK)
		*out = (unsigned int)value;
	return result;
}

int
nvmlDeviceGetTotalEnergyConsumption(handle gpu, unsigned long long *energy_mj)
{
	int64_t energy_uj;
	const int result = read_gpu(__func__, gpu, PERSEUS_QUANTITY_ENERGY, energy_mj, &energy_uj);
	if (result == PERSEUS__NVML_OK)
		*energy_mj = (unsigned long long)energy_uj / 1000;
	return result;
}

int
nvmlDeviceGetPowerUsage(handle gpu, unsigned int *power_mw)
{
	return read_unsigned(__func__, gpu, PERSEUS_QUANTITY_POWER, power_mw);
}

int
nvmlDeviceGetClockInfo(handle gpu, int type, unsigned int *mhz)
{
	if (type < 0 || type > 3)
		return PERSEUS__NVML_INVALID_ARGUMENT;
	return read_unsigned(__func__, gpu,
			type == PERSEUS__NVML_CLOCK_MEMORY ? PERSEUS_QUANTITY_MEMORY_CLOCK : PERSEUS_QUANTITY_SM_CLOCK, mhz);
}

int
nvmlDeviceGetCurrentClocksThrottleReasons(handle gpu, unsigned long long *reasons)
{
	int64_t value;
	const int result = read_gpu(__func__, gpu, PERSEUS_QUANTITY_CLOCK_REASONS, reasons, &value);
	if (result == PERSEUS__NVML_OK)
		*reasons = (unsigned long long)value;
	return result;
}

int
nvmlDeviceGetTemperature(handle gpu, int sensor, unsigned int *temperature_c)
{
	if (sensor != PERSEUS__NVML_SENSOR_GPU)
		return PERSEUS__NVML_INVALID_ARGUMENT;
	return read_unsigned(__func__, gpu, PERSEUS_QUANTITY_TEMPERATURE, temperature_c);
}

int
nvmlDeviceGetPowerManagementLimit(handle gpu, unsigned int *limit_mw)
{
	return read_unsigned(__func__, gpu, PERSEUS_QUANTITY_POWER_LIMIT, limit_mw);
}

int
nvmlDeviceGetEnforcedPowerLimit(handle gpu, unsigned int *limit_mw)
{
	return read_unsigned(__func__, gpu, PERSEUS_QUANTITY_POWER_LIMIT, limit_mw);
}

int
nvmlDeviceGetPowerManagementDefaultLimit(handle gpu, unsigned int *limit_mw)
{
	return read_unsigned(__func__, gpu, PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT, limit_mw);
}

int
nvmlDeviceGetPowerManagementLimitConstraints(handle gpu, unsigned int *min_mw, unsigned int *max_mw)
{
	if (!max_mw)
		return PERSEUS__NVML_INVALID_ARGUMENT;
	const int result = read_unsigned(__func__, gpu, PERSEUS_QUANTITY_POWER_LIMIT_MIN, min_mw);
	return result ? result : read_unsigned(__func__, gpu, PERSEUS_QUANTITY_POWER_LIMIT_MAX, max_mw);
}

int
nvmlDeviceGetPersistenceMode(handle gpu, int *mode)
{
	int64_t value;
	const int result = read_gpu(__func__, gpu, PERSEUS_QUANTITY_PERSISTENCE, mode, &value);
	if (result == PERSEUS__NVML_OK)
		*mode = (int)value;
	return result;
}

/* A GPU that cannot lock its memory clock has one all the same: that of now. */
static enum perseus_status
find_clocks(handle gpu, enum perseus_setting setting, int32_t *mhz, int32_t *n, struct perseus_error *err)
{
	const enum perseus_status status = perseus_device_clocks(double_node(), gpu->device, setting, mhz, n, err);
	int64_t now_mhz;
	if (status != PERSEUS_UNSUPPORTED || setting != PERSEUS_SETTING_MEMORY_CLOCKS
			|| perseus_device_read(double_node(), gpu->device, PERSEUS_QUANTITY_MEMORY_CLOCK, &now_mhz, err)
					!= PERSEUS_OK)
		return status;
	*mhz = (int32_t)now_mhz;
	*n = 1;
	return PERSEUS_OK;
}

/* NVML's protocol for lists: `*n` is the room in `mhz`; where it is too small, what is needed comes back. */
static int
list_clocks(handle gpu, enum perseus_setting setting, unsigned int *n, unsigned int *mhz)
{
	int32_t clocks[PERSEUS_MAX_CLOCKS];
	int32_t n_clocks = 0;
	struct perseus_error err = {.message = ""};
	const enum perseus_status status = find_clocks(gpu, setting, clocks, &n_clocks, &err);
	if (status != PERSEUS_OK)
		return double_result(status, &err);
	const unsigned int room = *n;
	*n = (unsigned int)n_clocks;
	if (room < *n)
		return PERSEUS__NVML_INSUFFICIENT_SIZE;
	if (!mhz)
		return PERSEUS__NVML_INVALID_ARGUMENT;
	for (int32_t i = 0; i < n_clocks; i++)
		mhz[i] = (unsigned int)clocks[i];
	return PERSEUS__NVML_OK;
}

int
nvmlDeviceGetSupportedMemoryClocks(handle gpu, unsigned int *n, unsigned int *mhz)
{
	const int refused = double_begin(__func__, gpu, n);
	return refused ? refused : list_clocks(gpu, PERSEUS_SETTING_MEMORY_CLOCKS, n, mhz);
}

/* The simulated GPU has the list of its highest memory clock; at the lower ones the original's list is shorter. */
int
nvmlDeviceGetSupportedGraphicsClocks(handle gpu, unsigned int memory_mhz, unsigned int *n, unsigned int *mhz)
{
	const int refused = double_begin(__func__, gpu, n);
	if (refused)
		return refused;
	unsigned int memory_clocks[PERSEUS_MAX_CLOCKS];
	unsigned int n_memory = PERSEUS_MAX_CLOCKS;
	const int result = list_clocks(gpu, PERSEUS_SETTING_MEMORY_CLOCKS, &n_memory, memory_clocks);
	if (result)
		return result;
	for (unsigned int i = 0; i < n_memory; i++) {
		if (memory_clocks[i] != memory_mhz)
			continue;
		if (i == 0)
			return list_clocks(gpu, PERSEUS_SETTING_SM_CLOCKS, n, mhz);
		const unsigned int room = *n;
		*n = 1;
		if (room < 1)
			return PERSEUS__NVML_INSUFFICIENT_SIZE;
		if (!mhz)
			return PERSEUS__NVML_INVALID_ARGUMENT;
		mhz[0] = memory_mhz;
		return PERSEUS__NVML_OK;
	}
	return PERSEUS__NVML_NOT_FOUND;
}

/* What the kernel module asks for. */
static bool
may_set(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
	return syscall(SYS_capget, &header, sets) == 0
			&& (sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

static int
set_gpu(const char *name, handle gpu, enum perseus_setting setting, int64_t low, int64_t high)
{
	const int refused = double_begin(name, gpu, gpu);
	if (refused)
		return refused;
	if (!may_set())
		return PERSEUS__NVML_NO_PERMISSION;
	struct perseus_error err = {.message = ""};
	return double_result(perseus_device_set(double_node(), gpu->device, setting, low, high, &err), &err);
}

static int
reset_gpu(const char *name, handle gpu, enum perseus_setting setting)
{
	const int refused = double_begin(name, gpu, gpu);
	if (refused)
		return refused;
	if (!may_set())
		return PERSEUS__NVML_NO_PERMISSION;
	struct perseus_error err = {.message = ""};
	return double_result(perseus_device_reset(double_node(), gpu->device, setting, &err), &err);
}

int
nvmlDeviceResetGpuLockedClocks(handle gpu)
{
	return reset_gpu(__func__, gpu, PERSEUS_SETTING_SM_CLOCKS);
}

/* Of the symbolic clocks, which are taken in pairs, only "unlimited" is known here: it unlocks. */
int
nvmlDeviceSetGpuLockedClocks(handle gpu, unsigned int min, unsigned int max)
{
	const bool is_symbolic = min >= PERSEUS__NVML_FIRST_SYMBOLIC_CLOCK || max >= PERSEUS__NVML_FIRST_SYMBOLIC_CLOCK;
	if (is_symbolic && min != max)
		return PERSEUS__NVML_INVALID_ARGUMENT;
	return is_symbolic ? reset_gpu(__func__, gpu, PERSEUS_SETTING_SM_CLOCKS)
					   : set_gpu(__func__, gpu, PERSEUS_SETTING_SM_CLOCKS, min, max);
}

int
nvmlDeviceSetPowerManagementLimit(handle gpu, unsigned int limit_mw)
{
	return set_gpu(__func__, gpu, PERSEUS_SETTING_POWER_LIMIT, limit_mw, limit_mw);
}

int
nvmlDeviceSetPersistenceMode(handle gpu, int mode)
{
	return set_gpu(__func__, gpu, PERSEUS_SETTING_PERSISTENCE, mode, mode);
}

#ifndef NVML_DOUBLE_OLD

int
nvmlDeviceGetCurrentClocksEventReasons(handle gpu, unsigned long long *reasons)
{
	return nvmlDeviceGetCurrentClocksThrottleReasons(gpu, reasons);
}

int
nvmlDeviceGetTemperatureV(handle gpu, struct perseus__nvml_temperature *temperature)
{
	unsigned int temperature_c;
	if (temperature && temperature->version != PERSEUS__NVML_TEMPERATURE_VERSION)
		return VERSION_MISMATCH;
	const int result = read_unsigned(__func__, gpu, PERSEUS_QUANTITY_TEMPERATURE, temperature ? &temperature_c : NULL);
	if (result == PERSEUS__NVML_OK)
		temperature->temperature_c = (int32_t)temperature_c;
	return result;
}

/* struct nvmlC2cModeInfo_v1_t: whether a Grace CPU is joined. */
int
nvmlDeviceGetC2cModeInfoV(handle gpu, unsigned int *is_enabled)
{
	const int refused = double_begin(__func__, gpu, is_enabled);
	if (refused)
		return refused;
	*is_enabled = double_number("PERSEUS_NVML_DOUBLE_MODULE", 0) > 0;
	return *is_enabled ? PERSEUS__NVML_OK : PERSEUS__NVML_NOT_SUPPORTED;
}

int
nvmlDeviceGetMigMode(handle gpu, unsigned int *now, unsigned int *pending)
{
	const int refused = double_begin(__func__, gpu, pending ? now : NULL);
	if (refused)
		return refused;
	*now = *pending = double_has_mig(gpu) ? PERSEUS__NVML_MIG_ON : 0;
	return PERSEUS__NVML_OK;
}

/* The value of one field; power of the module is there on a module only. */
static int
read_field(handle gpu, struct perseus__nvml_field *field)
{
	const unsigned long module_mw = double_number("PERSEUS_NVML_DOUBLE_MODULE", 0);
	const bool is_power =
			field->field_id == PERSEUS__NVML_FIELD_POWER_INSTANT || field->field_id == FIELD_POWER_AVERAGE;
	const bool is_module = field->scope_id == PERSEUS__NVML_SCOPE_MODULE && module_mw > 0;
	if (!is_power && field->field_id != FIELD_TOTAL_ENERGY)
		return PERSEUS__NVML_INVALID_ARGUMENT;
	if (field->scope_id != PERSEUS__NVML_SCOPE_GPU && !is_module)
		return PERSEUS__NVML_NOT_SUPPORTED;
	int64_t value;
	const int result =
			read_gpu("field", gpu, is_power ? PERSEUS_QUANTITY_POWER : PERSEUS_QUANTITY_ENERGY, field, &value);
	if (result)
		return result;
	if (is_power) {
		field->value_type = PERSEUS__NVML_UNSIGNED_INT;
		field->value.ui = (unsigned int)value + (is_module ? (unsigned int)module_mw : 0);
	} else {
		field->value_type = PERSEUS__NVML_UNSIGNED_LONG_LONG;
		field->value.ull = (unsigned long long)value / 1000;
	}
	return PERSEUS__NVML_OK;
}

int
nvmlDeviceGetFieldValues(handle gpu, int n, struct perseus__nvml_field *fields)
{
	const int refused = double_begin(__func__, gpu, n > 0 ? fields : NULL);
	if (refused)
		return refused;
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	for (int i = 0; i < n; i++) {
		fields[i].timestamp_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
		fields[i].latency_us = 0;
		fields[i].result = read_field(gpu, &fields[i]);
	}
	return PERSEUS__NVML_OK;
}

int
nvmlDeviceSetMemoryLockedClocks(handle gpu, unsigned int min, unsigned int max)
{
	return set_gpu(__func__, gpu, PERSEUS_SETTING_MEMORY_CLOCKS, min, max);
}

int
nvmlDeviceResetMemoryLockedClocks(handle gpu)
{
	return reset_gpu(__func__, gpu, PERSEUS_SETTING_MEMORY_CLOCKS);
}

#endif
