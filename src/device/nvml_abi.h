/*
 * What we use of NVML (NVIDIA Management Library), declared on our own: there is nothing to install beside the driver.
 * Names of functions are NVML's; numbers and layouts are those of nvml.h of CUDA 11 to 13.
 */
#ifndef PERSEUS_DEVICE_NVML_ABI_H
#define PERSEUS_DEVICE_NVML_ABI_H

#include <stddef.h>
#include <stdint.h>

#define PERSEUS__NVML_LIBRARY "libnvidia-ml.so.1"

/* What NVML calls a device; opaque. */
typedef struct perseus__nvml_device *perseus__nvml_handle;

/* Results of calls that are told apart; any other is a failure. */
enum {
	PERSEUS__NVML_OK = 0,
	PERSEUS__NVML_INVALID_ARGUMENT = 2,
	PERSEUS__NVML_NOT_SUPPORTED = 3,
	PERSEUS__NVML_NO_PERMISSION = 4,
	PERSEUS__NVML_NOT_FOUND = 6,
	PERSEUS__NVML_INSUFFICIENT_SIZE = 7,
	PERSEUS__NVML_DRIVER_NOT_LOADED = 9,
	PERSEUS__NVML_FUNCTION_NOT_FOUND = 13,
	PERSEUS__NVML_DEPRECATED = 26,
};

enum {
	PERSEUS__NVML_UUID_BYTES = 96,
	PERSEUS__NVML_NAME_BYTES = 96,
	PERSEUS__NVML_VERSION_BYTES = 80,
};

enum { PERSEUS__NVML_CLOCK_SM = 1, PERSEUS__NVML_CLOCK_MEMORY = 2 };
enum { PERSEUS__NVML_SENSOR_GPU = 0 };
enum { PERSEUS__NVML_MIG_ON = 1 };

/* Of nvmlDeviceGetArchitecture; the rest is in the table of names in nvml.c. */
enum { PERSEUS__NVML_VOLTA = 5, PERSEUS__NVML_AMPERE = 7 };
#define PERSEUS__NVML_UNKNOWN_ARCHITECTURE UINT32_MAX

/* Symbolic clocks, from here up, mean "TDP" and "unlimited" instead of MHz. */
#define PERSEUS__NVML_FIRST_SYMBOLIC_CLOCK UINT32_C(0xffffff00)

struct perseus__nvml_pci {
	char bus_id_legacy[16];
	uint32_t domain;
	uint32_t bus;
	uint32_t device;
	uint32_t device_id; /* of the device in the upper half, of the vendor in the lower */
	uint32_t subsystem_id;
	char bus_id[32];
};
_Static_assert(sizeof(struct perseus__nvml_pci) == 68, "nvmlPciInfo_t");
_Static_assert(offsetof(struct perseus__nvml_pci, bus_id) == 36, "nvmlPciInfo_t.busId");

enum { PERSEUS__NVML_FIELD_POWER_INSTANT = 186 };
enum { PERSEUS__NVML_SCOPE_GPU = 0, PERSEUS__NVML_SCOPE_MODULE = 1 };

/* Which member of the union a field came in. */
enum perseus__nvml_value_type {
	PERSEUS__NVML_DOUBLE = 0,
	PERSEUS__NVML_UNSIGNED_INT = 1,
	PERSEUS__NVML_UNSIGNED_LONG = 2,
	PERSEUS__NVML_UNSIGNED_LONG_LONG = 3,
};

struct perseus__nvml_field {
	uint32_t field_id;
	uint32_t scope_id;
	int64_t timestamp_us;
	int64_t latency_us;
	int32_t value_type;
	int32_t result; /* of this field; the call's own tells of the call */
	union {
		double d;
		unsigned int ui;
		unsigned long ul;
		unsigned long long ull;
	} value;
};
_Static_assert(sizeof(struct perseus__nvml_field) == 40, "nvmlFieldValue_t");
_Static_assert(offsetof(struct perseus__nvml_field, value_type) == 24, "nvmlFieldValue_t.valueType");
_Static_assert(offsetof(struct perseus__nvml_field, value) == 32, "nvmlFieldValue_t.value");

/* nvmlTemperature_v1_t; its version is its size and, in the highest byte, 1. */
struct perseus__nvml_temperature {
	uint32_t version;
	int32_t sensor;
	int32_t temperature_c;
};
_Static_assert(sizeof(struct perseus__nvml_temperature) == 12, "nvmlTemperature_v1_t");
#define PERSEUS__NVML_TEMPERATURE_VERSION ((uint32_t)sizeof(struct perseus__nvml_temperature) | UINT32_C(1) << 24)

/*
 * X(result, name, is_required, parameters). Without what is required no GPU can be listed; all else is optional, as
 * older drivers lack newer functions and newer ones drop old names. Clocks in MHz, power in mW, energy in mJ.
 */
#define PERSEUS__NVML_CALL_MAP(X)                                                                                     \
	X(int, nvmlInit_v2, true, (void))                                                                                 \
	X(int, nvmlShutdown, true, (void))                                                                                \
	X(const char *, nvmlErrorString, true, (int result))                                                              \
	X(int, nvmlDeviceGetCount_v2, true, (unsigned int *n))                                                            \
	X(int, nvmlDeviceGetHandleByIndex_v2, true, (unsigned int index, perseus__nvml_handle *gpu))                      \
	X(int, nvmlSystemGetDriverVersion, false, (char *version, unsigned int length))                                   \
	X(int, nvmlDeviceGetHandleByUUID, false, (const char *uuid, perseus__nvml_handle *gpu))                           \
	X(int, nvmlDeviceGetDeviceHandleFromMigDeviceHandle, false,                                                       \
			(perseus__nvml_handle mig, perseus__nvml_handle * gpu))                                                   \
	X(int, nvmlDeviceGetUUID, false, (perseus__nvml_handle gpu, char *uuid, unsigned int length))                     \
	X(int, nvmlDeviceGetName, false, (perseus__nvml_handle gpu, char *name, unsigned int length))                     \
	X(int, nvmlDeviceGetPciInfo_v3, false, (perseus__nvml_handle gpu, struct perseus__nvml_pci * pci))                \
	X(int, nvmlDeviceGetArchitecture, false, (perseus__nvml_handle gpu, unsigned int *architecture))                  \
	X(int, nvmlDeviceGetMigMode, false, (perseus__nvml_handle gpu, unsigned int *now, unsigned int *pending))         \
	X(int, nvmlDeviceGetTotalEnergyConsumption, false, (perseus__nvml_handle gpu, unsigned long long *energy_mj))     \
	X(int, nvmlDeviceGetFieldValues, false, (perseus__nvml_handle gpu, int n, struct perseus__nvml_field *fields))    \
	X(int, nvmlDeviceGetPowerUsage, false, (perseus__nvml_handle gpu, unsigned int *power_mw))                        \
	X(int, nvmlDeviceGetClockInfo, false, (perseus__nvml_handle gpu, int type, unsigned int *mhz))                    \
	X(int, nvmlDeviceGetCurrentClocksEventReasons, false, (perseus__nvml_handle gpu, unsigned long long *reasons))    \
	X(int, nvmlDeviceGetCurrentClocksThrottleReasons, false, (perseus__nvml_handle gpu, unsigned long long *reasons)) \
	X(int, nvmlDeviceGetTemperature, false, (perseus__nvml_handle gpu, int sensor, unsigned int *temperature_c))      \
	X(int, nvmlDeviceGetTemperatureV, false, (perseus__nvml_handle gpu, struct perseus__nvml_temperature * value))    \
	X(int, nvmlDeviceGetPowerManagementLimit, false, (perseus__nvml_handle gpu, unsigned int *limit_mw))              \
	X(int, nvmlDeviceGetPowerManagementLimitConstraints, false,                                                       \
			(perseus__nvml_handle gpu, unsigned int *min_mw, unsigned int *max_mw))                                   \
	X(int, nvmlDeviceGetPowerManagementDefaultLimit, false, (perseus__nvml_handle gpu, unsigned int *limit_mw))       \
	X(int, nvmlDeviceGetPersistenceMode, false, (perseus__nvml_handle gpu, int *mode))                                \
	X(int, nvmlDeviceGetSupportedMemoryClocks, false, (perseus__nvml_handle gpu, unsigned int *n, unsigned int *mhz)) \
	X(int, nvmlDeviceGetSupportedGraphicsClocks, false,                                                               \
			(perseus__nvml_handle gpu, unsigned int memory_mhz, unsigned int *n, unsigned int *mhz))                  \
	X(int, nvmlDeviceSetGpuLockedClocks, false, (perseus__nvml_handle gpu, unsigned int min, unsigned int max))       \
	X(int, nvmlDeviceResetGpuLockedClocks, false, (perseus__nvml_handle gpu))                                         \
	X(int, nvmlDeviceSetMemoryLockedClocks, false, (perseus__nvml_handle gpu, unsigned int min, unsigned int max))    \
	X(int, nvmlDeviceResetMemoryLockedClocks, false, (perseus__nvml_handle gpu))                                      \
	X(int, nvmlDeviceSetPowerManagementLimit, false, (perseus__nvml_handle gpu, unsigned int limit_mw))               \
	X(int, nvmlDeviceSetPersistenceMode, false, (perseus__nvml_handle gpu, int mode))

/* The functions found, under NVML's own names; NULL where the library has none. */
struct perseus__nvml_calls {
#define X(result, name, is_required, parameters) result(*name) parameters;
	PERSEUS__NVML_CALL_MAP(X)
#undef X
};

#endif
