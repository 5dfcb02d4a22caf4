/*
 * A paced job over time: above, what a kWh emits or costs; below, the power of the job as it is paced, with the courses
 * it is compared with as lines.
 */
#ifndef PERSEUS_CHART_PACE_CHART_H
#define PERSEUS_CHART_PACE_CHART_H

#include "chart/canvas.h"

#include <stdint.h>

#include <perseus/pace.h>
#include <perseus/status.h>

/* A course and its words in the legend. */
struct perseus__pace_line {
	const struct perseus_pace_course *course;
	const char *label;
};

/* All that the picture needs; everything is borrowed. */
struct perseus__pace_picture {
	const char *heading;     /* second line of the title */
	const char *factor_name; /* "gCO2e/kWh" */
	const struct perseus_pace_problem *problem;
	int64_t begin_ms; /* Unix time */
	struct perseus__pace_line paced;
	const struct perseus__pace_line *lines; /* of the others */
	int32_t n_lines;                        /* at most PERSEUS_N_PACE_BASELINES */
};

/* Draws to `path`; `options` may be NULL. Errors: as perseus__canvas_init and perseus__canvas_write. */
PERSEUS_MUST_USE enum perseus_status perseus__chart_pace(const char *path, const struct perseus__pace_picture *picture,
		const struct perseus__chart_options *options, struct perseus_error *err);

#endif
