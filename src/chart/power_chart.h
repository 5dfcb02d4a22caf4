/* Power over time: a lane for each device, one above the other, on one time axis. */
#ifndef PERSEUS_CHART_POWER_CHART_H
#define PERSEUS_CHART_POWER_CHART_H

#include "chart/canvas.h"
#include "chart/history.h"

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

/* Lanes of one group share a colour and a scale. */
enum perseus__power_group {
	PERSEUS__POWER_TOTAL,
	PERSEUS__POWER_GPU,
	PERSEUS__POWER_CPU,
	PERSEUS__POWER_DRAM,
};

struct perseus__power_lane {
	int32_t series;     /* of the history */
	const char *label;  /* "GPU 0" */
	const char *detail; /* below it, e.g. "312 W average"; NULL: none */
	const char *absent; /* shown in the lane where nothing was read: why */
	enum perseus__power_group group;
};

/* All that the picture needs; everything is borrowed. */
struct perseus__power_picture {
	const char *heading; /* second line of the title */
	const struct perseus__history *history;
	const struct perseus__power_lane *lanes; /* length n_lanes >= 1, from the top */
	int32_t n_lanes;
	int64_t begin_ns; /* where the time axis begins, as 0, and ends */
	int64_t end_ns;
};

/* Draws to `path`; `options` may be NULL. Errors: as perseus__canvas_init and perseus__canvas_write. */
PERSEUS_MUST_USE enum perseus_status perseus__chart_power(const char *path,
		const struct perseus__power_picture *picture, const struct perseus__chart_options *options,
		struct perseus_error *err);

/*
 * Whether the line of a series is broken between bins `bin` and `bin` + 1: nothing was read in one of them, or their
 * samples stand much farther apart than samples do on the whole, as where the program was stopped.
 */
bool perseus__power_is_broken(const struct perseus__history *history, int32_t bin, int32_t series);

#endif
