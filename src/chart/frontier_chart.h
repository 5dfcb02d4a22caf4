/*
 * The frontier as a curve: iteration time against energy of an iteration, with plans, baselines, other planners'
 * answers and the frontier's own points of interest on it.
 */
#ifndef PERSEUS_CHART_FRONTIER_CHART_H
#define PERSEUS_CHART_FRONTIER_CHART_H

#include "chart/canvas.h"

#include <perseus/frontier.h>
#include <perseus/status.h>

#include <stdint.h>

enum perseus_marker_kind {
	PERSEUS_MARKER_PLAN,
	PERSEUS_MARKER_BASELINE,
	PERSEUS_MARKER_OTHER,    /* some other planner's answer, a measured run */
	PERSEUS_MARKER_FRONTIER, /* a point of the curve itself; the chart adds T_min, T* and least energy on its own */
};

/* A point to mark. */
struct perseus_frontier_marker {
	const char *label; /* e.g. "ends"; NULL: none; not shown where it is longer than 150 bytes */
	int64_t time_ns;
	int64_t energy_nj; /* of an iteration, blocking included */
	enum perseus_marker_kind kind;
};

/* A vertex of the curve, or of a series. */
struct perseus__curve_point {
	double time_s;
	double energy_j;
};

/* Points that belong together, e.g. another planner's answers; drawn joined by a line. */
struct perseus_frontier_series {
	const char *label;
	const struct perseus__curve_point *points; /* length n_points >= 1, ascending time */
	int32_t n_points;
};

/* What is shown beside the curve; everything is borrowed. */
struct perseus_frontier_marks {
	const struct perseus_frontier_marker *markers; /* length n_markers */
	int32_t n_markers;
	const struct perseus_frontier_series *series; /* length n_series */
	int32_t n_series;
};

/* All that the picture needs; everything is borrowed. */
struct perseus__frontier_picture {
	const char *heading;                      /* second line of the title */
	const struct perseus__curve_point *curve; /* length n_curve >= 1, ascending time */
	int32_t n_curve;
	struct perseus_frontier_marks marks;
};

/* Draws to `path`. Errors: as perseus__canvas_init and perseus__canvas_write. */
PERSEUS_MUST_USE enum perseus_status perseus__frontier_draw(const char *path,
		const struct perseus__frontier_picture *picture, const struct perseus__chart_options *options,
		struct perseus_error *err);

/*
 * Draws a frontier with `marks` (NULL: none) and its own T_min, T* and least energy.
 * `options` may be NULL. Errors: as perseus__chart_timeline.
 */
PERSEUS_MUST_USE enum perseus_status perseus__chart_frontier(const char *path, const struct perseus_frontier *frontier,
		const struct perseus_frontier_marks *marks, const struct perseus__chart_options *options,
		struct perseus_error *err);

#endif
