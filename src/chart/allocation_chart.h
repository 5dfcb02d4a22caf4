/* Power of a site among jobs: a bar for each job's speed, of its own full speed, with that of an even share on it. */
#ifndef PERSEUS_CHART_ALLOCATION_CHART_H
#define PERSEUS_CHART_ALLOCATION_CHART_H

#include "chart/canvas.h"

#include <perseus/status.h>

#include <stdint.h>

/* A job. */
struct perseus__allocation_bar {
	const char *label;
	double speed; /* 0..1 */
	double even_speed;
	double power_w;
};

/* All that the picture needs; everything is borrowed. */
struct perseus__allocation_picture {
	const char *heading;                        /* second line of the title */
	const struct perseus__allocation_bar *bars; /* length n_bars >= 1 */
	int32_t n_bars;
};

/*
 * Draws to `path`; `options` may be NULL. The sheet grows with the jobs, up to 4000 units; bars of more than that holds
 * grow thinner, and lose their words. Errors: as perseus__canvas_init and perseus__canvas_write.
 */
PERSEUS_MUST_USE enum perseus_status perseus__chart_allocation(const char *path,
		const struct perseus__allocation_picture *picture, const struct perseus__chart_options *options,
		struct perseus_error *err);

#endif
