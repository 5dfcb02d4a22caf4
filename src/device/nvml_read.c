/* What can be read of a GPU. */
#include "device/nvml_gpu.h"

#include "base/error.h"

#include <stdlib.h>

/* A number of NVML's in a field; false for a type that no power comes in. */
static bool
field_value(const struct perseus__nvml_field *field, int64_t *value)
{
	switch (field->value_type) {
	case PERSEUS__NVML_DOUBLE:
		*value = (int64_t)field->value.d;
		return field->value.d >= 0 && field->value.d <= (double)UINT32_MAX;
	case PERSEUS__NVML_UNSIGNED_INT:
		*value = field->value.ui;
		return true;
	case PERSEUS__NVML_UNSIGNED_LONG:
		*value = (int64_t)field->value.ul;
		return field->value.ul <= UINT32_MAX;
	case PERSEUS__NVML_UNSIGNED_LONG_LONG:
		*value = (int64_t)field->value.ull;
		return field->value.ull <= UINT32_MAX;
	default: /* not an enum: whatever the driver says */
		return false;
	}
}

/* A GPU that answers draws power: some drivers give 0 for what they do not measure. */
static enum perseus_status
check_power(int64_t power_mw, const char *name, struct perseus_error *err)
{
	return power_mw > 0 ? PERSEUS_OK : perseus__fail(err, PERSEUS_UNSUPPORTED, "%s says 0 mW: not measured", name);
}

enum perseus_status
perseus__nvml_instant_power(
		const struct perseus__nvml_gpu *gpu, uint32_t scope, int64_t *power_mw, struct perseus_error *err)
{
	static const char name[] = "nvmlDeviceGetFieldValues(POWER_INSTANT)";
	struct perseus__nvml_field field = {.field_id = PERSEUS__NVML_FIELD_POWER_INSTANT, .scope_id = scope};
	enum perseus_status status = PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetFieldValues, gpu->handle, 1, &field);
	if (status == PERSEUS_OK)
		status = perseus__nvml_result(gpu->nvml, field.result, name, err);
	if (status != PERSEUS_OK)
		return status;
	int64_t value = 0;
	if (!field_value(&field, &value))
		return perseus__fail(err, PERSEUS_IO, "%s is no power: type %d", name, (int)field.value_type);
	status = check_power(value, name, err);
	if (status == PERSEUS_OK)
		*power_mw = value;
	return status;
}

static enum perseus_status
read_power(const struct perseus__nvml_gpu *gpu, int64_t *value, struct perseus_error *err)
{
	if (gpu->has_instant_power)
		return perseus__nvml_instant_power(gpu, gpu->power_scope, value, err);
	unsigned int power_mw = 0;
	enum perseus_status status = PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetPowerUsage, gpu->handle, &power_mw);
	if (status == PERSEUS_OK)
		status = check_power(power_mw, "nvmlDeviceGetPowerUsage", err);
	if (status == PERSEUS_OK)
		*value = power_mw;
	return status;
}

static enum perseus_status
read_energy(const struct perseus__nvml_gpu *gpu, int64_t *value, struct perseus_error *err)
{
	unsigned long long energy_mj = 0;
	const enum perseus_status status =
			PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetTotalEnergyConsumption, gpu->handle, &energy_mj);
	if (status != PERSEUS_OK)
		return status;
	if (energy_mj > INT64_MAX / 1000)
		return perseus__fail(err, PERSEUS_IO, "nvmlDeviceGetTotalEnergyConsumption says %llu mJ", energy_mj);
	*value = (int64_t)energy_mj * 1000;
	return PERSEUS_OK;
}

/* The name of NVML since driver 535, or the one before. */
static enum perseus_status
read_reasons(const struct perseus__nvml_gpu *gpu, int64_t *value, struct perseus_error *err)
{
	unsigned long long reasons = 0;
	const enum perseus_status status = gpu->nvml->calls.nvmlDeviceGetCurrentClocksEventReasons
			? PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetCurrentClocksEventReasons, gpu->handle, &reasons)
			: PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetCurrentClocksThrottleReasons, gpu->handle, &reasons);
	if (status == PERSEUS_OK)
		*value = (int64_t)(reasons & INT64_MAX);
	return status;
}

/* nvmlDeviceGetTemperature is deprecated since NVML 13; its successor is not in older drivers. */
static enum perseus_status
read_temperature(const struct perseus__nvml_gpu *gpu, int64_t *value, struct perseus_error *err)
{
	struct perseus__nvml_temperature reading = {
		.version = PERSEUS__NVML_TEMPERATURE_VERSION, .sensor = PERSEUS__NVML_SENSOR_GPU};
	unsigned int temperature_c = 0;
	const bool has_old = gpu->nvml->calls.nvmlDeviceGetTemperature != NULL;
	const enum perseus_status status = has_old
			? PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetTemperature, gpu->handle, reading.sensor, &temperature_c)
			: PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetTemperatureV, gpu->handle, &reading);
	if (status == PERSEUS_OK)
		*value = has_old ? (int64_t)temperature_c : reading.temperature_c;
	return status;
}

static enum perseus_status
read_clock(const struct perseus__nvml_gpu *gpu, int type, int64_t *value, struct perseus_error *err)
{
	unsigned int mhz = 0;
	const enum perseus_status status =
			PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetClockInfo, gpu->handle, type, &mhz);
	if (status == PERSEUS_OK)
		*value = mhz;
	return status;
}

static enum perseus_status
read_limit(
		const struct perseus__nvml_gpu *gpu, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err)
{
	unsigned int limit_mw = 0;
	unsigned int max_mw = 0;
	enum perseus_status status;
	if (quantity == PERSEUS_QUANTITY_POWER_LIMIT)
		status = PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetPowerManagementLimit, gpu->handle, &limit_mw);
	else if (quantity == PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT)
		status = PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetPowerManagementDefaultLimit, gpu->handle, &limit_mw);
	else
		status = PERSEUS__NVML_CALL(
				gpu->nvml, err, nvmlDeviceGetPowerManagementLimitConstraints, gpu->handle, &limit_mw, &max_mw);
	if (status == PERSEUS_OK)
		*value = quantity == PERSEUS_QUANTITY_POWER_LIMIT_MAX ? max_mw : limit_mw;
	return status;
}

static enum perseus_status
read_persistence(const struct perseus__nvml_gpu *gpu, int64_t *value, struct perseus_error *err)
{
	int mode = 0;
	const enum perseus_status status =
			PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetPersistenceMode, gpu->handle, &mode);
	if (status == PERSEUS_OK)
		*value = mode != 0;
	return status;
}

enum perseus_status
perseus__nvml_read(void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err)
{
	const struct perseus__nvml_gpu *gpu = self;
	switch (quantity) {
	case PERSEUS_QUANTITY_ENERGY:
		return read_energy(gpu, value, err);
	case PERSEUS_QUANTITY_POWER:
		return read_power(gpu, value, err);
	case PERSEUS_QUANTITY_SM_CLOCK:
		return read_clock(gpu, PERSEUS__NVML_CLOCK_SM, value, err);
	case PERSEUS_QUANTITY_MEMORY_CLOCK:
		return read_clock(gpu, PERSEUS__NVML_CLOCK_MEMORY, value, err);
	case PERSEUS_QUANTITY_CLOCK_REASONS:
		return read_reasons(gpu, value, err);
	case PERSEUS_QUANTITY_TEMPERATURE:
		return read_temperature(gpu, value, err);
	case PERSEUS_QUANTITY_POWER_LIMIT:
	case PERSEUS_QUANTITY_POWER_LIMIT_MIN:
	case PERSEUS_QUANTITY_POWER_LIMIT_MAX:
	case PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT:
		return read_limit(gpu, quantity, value, err);
	case PERSEUS_QUANTITY_PERSISTENCE:
		return read_persistence(gpu, value, err);
	}
	return perseus__fail(err, PERSEUS_INVALID, "no such quantity: %d", (int)quantity);
}

static int
descending(const void *left, const void *right)
{
	const int32_t a = *(const int32_t *)left;
	const int32_t b = *(const int32_t *)right;
	return (a < b) - (a > b);
}

/* The memory clocks, or the SM clocks at `memory_mhz`: `*n` is the room in `mhz`, then how many there are. */
static enum perseus_status
list_clocks(const struct perseus__nvml_gpu *gpu, const unsigned int *memory_mhz, unsigned int *n, unsigned int *mhz,
		struct perseus_error *err)
{
	if (memory_mhz)
		return PERSEUS__NVML_CALL(
				gpu->nvml, err, nvmlDeviceGetSupportedGraphicsClocks, gpu->handle, *memory_mhz, n, mhz);
	return PERSEUS__NVML_CALL(gpu->nvml, err, nvmlDeviceGetSupportedMemoryClocks, gpu->handle, n, mhz);
}

enum perseus_status
perseus__nvml_clocks(void *self, enum perseus_setting setting, int32_t *mhz, int32_t *n, struct perseus_error *err)
{
	const struct perseus__nvml_gpu *gpu = self;
	unsigned int found[PERSEUS_MAX_CLOCKS] = {0};
	unsigned int n_found = PERSEUS_MAX_CLOCKS;
	enum perseus_status status = list_clocks(gpu, NULL, &n_found, found, err);
	if (status == PERSEUS_OK && setting == PERSEUS_SETTING_SM_CLOCKS) {
		unsigned int highest_mhz = 0;
		for (unsigned int i = 0; i < n_found; i++)
			highest_mhz = found[i] > highest_mhz ? found[i] : highest_mhz;
		n_found = PERSEUS_MAX_CLOCKS;
		status = list_clocks(gpu, &highest_mhz, &n_found, found, err);
	}
	if (status != PERSEUS_OK)
		return status;
	for (unsigned int i = 0; i < n_found; i++)
		mhz[i] = (int32_t)found[i];
	qsort(mhz, n_found, sizeof *mhz, descending);
	*n = (int32_t)n_found;
	return PERSEUS_OK;
}
