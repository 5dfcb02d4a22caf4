/*
 * The timeline of an iteration: each rank a row, each instruction a box whose colour is its average power, before and
 * after one above the other on one time axis, the critical path marked.
 */
#ifndef PERSEUS_CHART_TIMELINE_H
#define PERSEUS_CHART_TIMELINE_H

#include "chart/canvas.h"

#include <perseus/frontier.h>
#include <perseus/plan.h>
#include <perseus/schedule.h>
#include <perseus/status.h>

#include <stdbool.h>
#include <stdint.h>

/* One instruction as drawn. */
struct perseus__timeline_box {
	int64_t start_ns;
	int64_t time_ns;
	double power_w;
	bool is_critical;
};

/* One way to run the iteration. */
struct perseus__timeline_panel {
	const char *heading;
	int64_t iteration_time_ns;
	double energy_j;
	const struct perseus__timeline_box *boxes; /* length n_instructions of the schedule, in its order */
	const int32_t *path;                       /* length n_path: one critical path, first instruction first */
	int32_t n_path;
};

/* All that the picture needs; everything is borrowed. */
struct perseus__timeline {
	const struct perseus_schedule *schedule; /* its edges are not looked at */
	const double *blocking_w;                /* length n_ranks: power of a rank that waits */
	int64_t deadline_ns;                     /* 0: none */
	int32_t n_panels;                        /* 1 or 2 */
	struct perseus__timeline_panel panels[2];
};

/* Draws to `path`. Errors: as perseus__canvas_init and perseus__canvas_write. O(instructions). */
PERSEUS_MUST_USE enum perseus_status perseus__timeline_draw(const char *path, const struct perseus__timeline *timeline,
		const struct perseus__chart_options *options, struct perseus_error *err);

/*
 * Draws plans of one frontier: `before` (may be NULL: one panel) above `after`. `options` may be NULL.
 * Errors: INVALID for an extension other than svg, png and pdf, a size out of range, or text that is not UTF-8; IO or
 * DENIED where the file cannot be written; NO_MEMORY. The message names the path.
 */
PERSEUS_MUST_USE enum perseus_status perseus__chart_timeline(const char *path, const struct perseus_frontier *frontier,
		const struct perseus_plan *before, const struct perseus_plan *after,
		const struct perseus__chart_options *options, struct perseus_error *err);

#endif
