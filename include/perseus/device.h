/*
 * Devices of one machine: GPUs, CPU packages and their memory, behind one table of operations, whatever the hardware.
 *
 * Part of libperseus-meter, which needs libc, libm and threads; a driver's library is opened at run time. Nothing here
 * prints, exits or reads the environment. All functions but open and close may be called from several threads at once.
 */
#ifndef PERSEUS_DEVICE_H
#define PERSEUS_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, text) */
#define PERSEUS_DEVICE_KIND_MAP(X)    \
	X(GPU, "gpu")                     \
	X(CPU, "cpu")   /* one package */ \
	X(DRAM, "dram") /* the memory of one package */

enum perseus_device_kind {
#define X(name, text) PERSEUS_DEVICE_##name,
	PERSEUS_DEVICE_KIND_MAP(X)
#undef X
};

/* X(name, text): what can be read of a device, in the unit that ends its text. */
#define PERSEUS_QUANTITY_MAP(X)                                                                             \
	X(ENERGY, "energy_uj")              /* counter since an arbitrary origin; never falls */                \
	X(POWER, "power_mw")                /* as instant as the hardware has it */                             \
	X(SM_CLOCK, "sm_clock_mhz")         /* now */                                                           \
	X(MEMORY_CLOCK, "memory_clock_mhz") /* now */                                                           \
	X(CLOCK_REASONS, "clock_reasons")   /* why the clock is lower than it could be: PERSEUS_REASON_ bits */ \
	X(TEMPERATURE, "temperature_c")                                                                         \
	X(POWER_LIMIT, "power_limit_mw") /* as set */                                                           \
	X(POWER_LIMIT_MIN, "power_limit_min_mw")                                                                \
	X(POWER_LIMIT_MAX, "power_limit_max_mw")                                                                \
	X(POWER_LIMIT_DEFAULT, "power_limit_default_mw")                                                        \
	X(PERSISTENCE, "persistence_mode") /* 0 or 1 */

enum perseus_quantity {
#define X(name, text) PERSEUS_QUANTITY_##name,
	PERSEUS_QUANTITY_MAP(X)
#undef X
};

enum {
#define X(name, text) +1
	PERSEUS_N_QUANTITIES = PERSEUS_QUANTITY_MAP(X)
#undef X
};

/* X(name, text, bit): reasons for a clock below the highest, as NVML numbers them. */
#define PERSEUS_REASON_MAP(X)                        \
	X(IDLE, "idle", 0x1)                             \
	X(APPLICATION_CLOCKS, "application clocks", 0x2) \
	X(POWER_CAP, "power cap", 0x4)                   \
	X(HW_SLOWDOWN, "hardware slowdown", 0x8)         \
	X(SYNC_BOOST, "sync boost", 0x10)                \
	X(SW_THERMAL, "software thermal slowdown", 0x20) \
	X(HW_THERMAL, "hardware thermal slowdown", 0x40) \
	X(POWER_BRAKE, "power brake", 0x80)              \
	X(DISPLAY_CLOCKS, "display clocks", 0x100)       \
	X(BOARD_LIMIT, "board limit", 0x200)             \
	X(RELIABILITY, "reliability", 0x400)

enum perseus_reason {
#define X(name, text, bit) PERSEUS_REASON_##name = (bit),
	PERSEUS_REASON_MAP(X)
#undef X
};

/* X(name, text): what can be set. Each is put back to the driver's own by perseus_device_reset. */
#define PERSEUS_SETTING_MAP(X)                                                               \
	X(SM_CLOCKS, "sm_clocks")         /* low..high in MHz: the clock is kept between them */ \
	X(MEMORY_CLOCKS, "memory_clocks") /* low..high in MHz */                                 \
	X(POWER_LIMIT, "power_limit")     /* low == high, in mW */                               \
	X(PERSISTENCE, "persistence")     /* low == high, 0 or 1 */

enum perseus_setting {
#define X(name, text) PERSEUS_SETTING_##name,
	PERSEUS_SETTING_MAP(X)
#undef X
};

enum {
#define X(name, text) +1
	PERSEUS_N_SETTINGS = PERSEUS_SETTING_MAP(X)
#undef X
};

/* Texts of the enums, e.g. "gpu", "power_mw", "sm_clocks"; of a single reason bit, e.g. "power cap", else NULL. */
PERSEUS_API const char *perseus_device_kind_name(enum perseus_device_kind kind);
PERSEUS_API const char *perseus_quantity_name(enum perseus_quantity quantity);
PERSEUS_API const char *perseus_setting_name(enum perseus_setting setting);
PERSEUS_API const char *perseus_reason_name(enum perseus_reason reason);

enum { PERSEUS_DEVICE_TEXT_BYTES = 96, PERSEUS_DEVICE_NOTE_BYTES = 256, PERSEUS_MAX_CLOCKS = 512 };

/* What does not change while a node is open. Texts are "" where the hardware does not say. */
struct perseus_device_info {
	enum perseus_device_kind kind;
	int32_t index; /* as the driver numbers its GPUs, the system its packages; what users call "GPU 3" */
	char uuid[PERSEUS_DEVICE_TEXT_BYTES];
	char pci_address[PERSEUS_DEVICE_TEXT_BYTES]; /* "0000:01:00.0", lower case */
	char name[PERSEUS_DEVICE_TEXT_BYTES];
	char architecture[PERSEUS_DEVICE_TEXT_BYTES]; /* "Ampere" */
	char backend[PERSEUS_DEVICE_TEXT_BYTES];      /* "nvml", "rapl", "sim", "replay" */
	char driver[PERSEUS_DEVICE_TEXT_BYTES];       /* version */
	char note[PERSEUS_DEVICE_NOTE_BYTES];         /* what to know before trusting or setting it; "" for nothing */
	bool is_simulated;                            /* sim and replay: whoever shows a value of this device says so */
	bool is_mig;            /* a slice of this GPU was asked for; every value is the whole GPU's */
	bool is_module;         /* its energy includes the CPU on the same module: that CPU is not listed beside it */
	int64_t energy_step_ns; /* how often the energy counter moves, as documented; 0: unknown or continuous */
	int64_t power_step_ns;  /* how often the driver takes power anew; 0: at every reading */
};

/* An opened machine. */
struct perseus_node;

struct perseus_node_settings {
	const char *visible_gpus; /* CUDA_VISIBLE_DEVICES: indices, UUIDs or MIG UUIDs, by comma; NULL: all GPUs */
	const char *rapl_root;    /* NULL: /sys/class/powercap */
	/* A monotonic clock for simulated devices, in ns; NULL: the system's. For tests that must not wait. */
	int64_t (*now_ns)(void *user);
	void *now_user;
};

/*
 * Opens the devices that `spec` names, backends joined by '+':
 *   nvml                     GPUs of NVIDIA's driver
 *   rapl                     CPU packages and DRAM of Linux' powercap
 *   sim:MODEL[xN][,KEY=VALUE...]   N simulated GPUs; MODEL is a100, a40, or a profile CSV; keys in docs/devices.md
 *   replay:TRACE.csv         devices of a recorded trace (the CSV that `perseus measure --csv` writes)
 *   auto                     nvml+rapl, each where it is there; not finding one is a note, not an error
 * `settings` may be NULL. Free with perseus_node_close. GPUs of NVIDIA's driver do not survive a fork: open them in the
 * process that uses them.
 * Errors: INVALID for a spec, with the part at fault; UNSUPPORTED where a backend that was named is not there; IO.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_node_open(const char *spec,
		const struct perseus_node_settings *settings, struct perseus_node **out, struct perseus_error *err);

PERSEUS_API void perseus_node_close(struct perseus_node *node);

PERSEUS_API int32_t perseus_node_n_devices(const struct perseus_node *node);

/* Device `device`, 0 <= device < perseus_node_n_devices; in the order of the spec, then kind, then index. Borrowed. */
PERSEUS_API const struct perseus_device_info *perseus_node_device(const struct perseus_node *node, int32_t device);

/* What was not found or left out and why, a sentence each: "nvml: libnvidia-ml.so.1: cannot open ...". Borrowed. */
PERSEUS_API int32_t perseus_node_n_notes(const struct perseus_node *node);
PERSEUS_API const char *perseus_node_note(const struct perseus_node *node, int32_t note);

/* Nanoseconds of the clock that this node's counters run by: the system's monotonic clock unless settings gave one. */
PERSEUS_API int64_t perseus_node_now_ns(const struct perseus_node *node);

/*
 * Reads one value; `*value` is untouched on failure. Errors: UNSUPPORTED where the device has no such value, DENIED,
 * IO where the device is lost or its driver fails; each with the driver's own words.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_device_read(const struct perseus_node *node, int32_t device,
		enum perseus_quantity quantity, int64_t *value, struct perseus_error *err);

/*
 * Clocks that SM_CLOCKS or MEMORY_CLOCKS takes, in MHz, descending; SM clocks are those at the highest memory clock.
 * `mhz` has length PERSEUS_MAX_CLOCKS. Errors: as perseus_device_read; INVALID for another setting.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_device_clocks(const struct perseus_node *node, int32_t device,
		enum perseus_setting setting, int32_t *mhz, int32_t *n, struct perseus_error *err);

/*
 * Whether this process could set `setting`, without trying: OK, or why not: UNSUPPORTED (hardware, driver, MIG) or
 * DENIED (not root, no CAP_SYS_ADMIN). A driver may still refuse a set that this allows.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_device_check(
		const struct perseus_node *node, int32_t device, enum perseus_setting setting, struct perseus_error *err);

/*
 * Sets; see PERSEUS_SETTING_MAP for what low and high are. It lasts beyond this process until reset.
 * Errors: INVALID for a value that the device refuses; else as perseus_device_read.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_device_set(const struct perseus_node *node, int32_t device,
		enum perseus_setting setting, int64_t low, int64_t high, struct perseus_error *err);

/* Puts a setting back to the driver's own: clocks free, the default power limit, persistence off. Errors: as above. */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_device_reset(
		const struct perseus_node *node, int32_t device, enum perseus_setting setting, struct perseus_error *err);

#ifdef __cplusplus
}
#endif

#endif
