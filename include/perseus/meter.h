/*
 * Energy windows: how much energy the devices of a machine took between two moments, and how sure that is.
 *
 * Part of libperseus-meter. A meter has one thread of its own, which samples; begin and end only read power, or an
 * energy counter that is quick to read. docs/metering.md says how energy and its error come about.
 */
#ifndef PERSEUS_METER_H
#define PERSEUS_METER_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/device.h>
#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct perseus_meter;

/* One device at one moment. */
struct perseus_sample {
	int32_t device;
	bool has_power;
	bool has_sm_clock;
	int64_t power_mw; /* where the device has no power reading: the counter's mean since the last sample */
	int64_t sm_clock_mhz;
};

struct perseus_meter_settings {
	int64_t sample_period_ns; /* 0: 100 ms, 10 Hz */
	bool with_clocks;         /* samples read the SM clock, too */
	/* Called by the meter's thread with the samples of all devices, length n_samples; borrowed. NULL: not called. */
	void (*on_samples)(void *user, int64_t time_ns, const struct perseus_sample *samples, int32_t n_samples);
	void *user;
};

/* X(name, text): where an energy comes from. */
#define PERSEUS_METHOD_MAP(X)                                                                             \
	X(NONE, "not measured")                                                                               \
	X(COUNTER, "counter") /* the device's energy counter, its age at both ends filled by instant power */ \
	X(POWER, "power")     /* instant power, integrated: no counter, or it did not move in the window */

enum perseus_method {
#define X(name, text) PERSEUS_METHOD_##name,
	PERSEUS_METHOD_MAP(X)
#undef X
};

PERSEUS_API const char *perseus_method_name(enum perseus_method method);

/* One device over one window. */
struct perseus_reading {
	int32_t device;
	enum perseus_method method; /* NONE: `reason` says why, and no energy is given */
	double energy_j;
	double error_j; /* the true energy lies within energy_j +- error_j, as far as the readings tell */
	bool has_average_power;
	double average_power_w; /* energy_j / time */
	bool has_peak_power;
	double peak_power_w;                    /* highest of the samples in the window, those at its ends included */
	char reason[PERSEUS_DEVICE_NOTE_BYTES]; /* POWER: why not the counter; "" where the window was too short for it */
};

struct perseus_window_result {
	char name[PERSEUS_DEVICE_TEXT_BYTES]; /* a longer name is cut */
	int64_t begin_ns;                     /* of the node's clock */
	int64_t time_ns;
	int32_t depth; /* windows of this meter that were open around it when it began */
	int32_t n_readings;
};

/*
 * Meters every device of `node`, which is borrowed until perseus_meter_free. `settings` may be NULL. Waits until the
 * counters have stepped twice, so that the first window is as good as any: 0.2 s with NVIDIA GPUs, else no time.
 * Errors: NO_MEMORY; IO where no thread can be had. Devices that cannot be read are no error: their readings say why.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_meter_new(const struct perseus_node *node,
		const struct perseus_meter_settings *settings, struct perseus_meter **out, struct perseus_error *err);

/* Stops the thread; open windows are dropped. Not from within on_samples. */
PERSEUS_API void perseus_meter_free(struct perseus_meter *meter);

/*
 * Opens a window; `*window` names it until it is ended or dropped. Windows may nest and overlap, and be begun and ended
 * by different threads. Reads each device once. O(devices). Errors: NO_MEMORY.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_meter_begin(
		struct perseus_meter *meter, const char *name, int64_t *window, struct perseus_error *err);

/*
 * Ends a window. `readings` has length perseus_node_n_devices. Reads each device once. O(devices), however long the
 * window was. Errors: INVALID for a window that is not open.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_meter_end(struct perseus_meter *meter, int64_t window,
		struct perseus_window_result *result, struct perseus_reading *readings, struct perseus_error *err);

/* As perseus_meter_end at this moment, and the window stays open. */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_meter_peek(struct perseus_meter *meter, int64_t window,
		struct perseus_window_result *result, struct perseus_reading *readings, struct perseus_error *err);

/* Forgets a window; nothing where it is not open. */
PERSEUS_API void perseus_meter_drop(struct perseus_meter *meter, int64_t window);

#ifdef __cplusplus
}
#endif

#endif
