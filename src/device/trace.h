/*
 * A recorded trace: what devices showed over time, as `perseus measure --csv` writes it and `replay:` plays it.
 *
 * CSV, one row per device and sample:
 *   time_s         since the trace began; of one device ascending
 *   device         gpu, cpu or dram
 *   index          as in struct perseus_device_info
 *   name           the same in all rows of a device
 *   power_w        instant power
 *   sm_clock_mhz   whole
 *   energy_j       since the trace began; of one device never falling
 * Columns in any order, others ignored. An empty cell, and a column that is not there, was not measured; time_s,
 * device, index and one of power_w and energy_j must be there. Decimals have a point; what lies beyond ns, mW and uJ is
 * cut off.
 */
#ifndef PERSEUS_DEVICE_TRACE_H
#define PERSEUS_DEVICE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/device.h>
#include <perseus/status.h>

#include "base/text.h"

/* A device of a 100 ms sampling for a month makes 25 million rows, of some 40 bytes. */
#define PERSEUS__TRACE_MAX_BYTES ((size_t)1 << 30)
enum { PERSEUS__TRACE_MAX_DEVICES = 1024, PERSEUS__TRACE_MAX_INDEX = 65535 };

/* A device at one moment. */
struct perseus__trace_point {
	int64_t time_ns;
	bool has_power;
	bool has_sm_clock;
	bool has_energy;
	int32_t sm_clock_mhz;
	int64_t power_mw;
	int64_t energy_uj;
};

/* Adds the header, and a row, to `text`. `name` may be "". */
void perseus__trace_write_header(struct perseus__text *text);
void perseus__trace_write(struct perseus__text *text, enum perseus_device_kind kind, int32_t index, const char *name,
		const struct perseus__trace_point *point);

struct perseus__trace_device {
	enum perseus_device_kind kind;
	int32_t index;
	char name[PERSEUS_DEVICE_TEXT_BYTES];
	struct perseus__trace_point *points; /* length n_points > 0, ascending in time */
	size_t n_points;
	size_t capacity;
};

/* Devices by kind, then index. Free with perseus__trace_fini. */
struct perseus__trace {
	struct perseus__trace_device *devices; /* length n_devices > 0 */
	size_t n_devices;
	size_t capacity;
};

/*
 * Decodes `bytes`, length `length`, which are not kept. `label` names the file in messages. INVALID, with file, line,
 * column and text; NO_MEMORY. `*out` is untouched on failure. O(length).
 */
PERSEUS_MUST_USE enum perseus_status perseus__trace_decode(
		const char *bytes, size_t length, const char *label, struct perseus__trace *out, struct perseus_error *err);

/* The same for a file. IO where it cannot be read. */
PERSEUS_MUST_USE enum perseus_status perseus__trace_read(
		const char *path, struct perseus__trace *out, struct perseus_error *err);

void perseus__trace_fini(struct perseus__trace *trace);

#endif
