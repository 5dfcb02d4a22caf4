/* Finds places for labels of points so that they cover neither each other, nor points, nor lines. */
#ifndef PERSEUS_CHART_LABELS_H
#define PERSEUS_CHART_LABELS_H

#include "chart/canvas.h"

#include <stdbool.h>
#include <stdint.h>

struct perseus__point {
	double x;
	double y;
};

/* A label wants to stand near `point`; `rect` has its size, and its place once placed. */
struct perseus__label {
	struct perseus__point point;
	struct perseus__rect rect;
};

/* A polyline to keep clear of. */
struct perseus__line {
	const struct perseus__point *points; /* length n; borrowed */
	int32_t n;
};

/*
 * Places `labels`, length `n`, one after the other, each at the best of a fixed set of places around its point, inside
 * `plot`, clear of `lines`, length `n_lines`. The earlier have the better choice. O(n · (n + points of all lines)).
 */
void perseus__labels_place(struct perseus__label *labels, int32_t n, const struct perseus__line *lines, int32_t n_lines,
		struct perseus__rect plot);

/* The point of a placed label's edge that is nearest to its point. */
struct perseus__point perseus__label_foot(const struct perseus__label *label);

bool perseus__rects_overlap(struct perseus__rect a, struct perseus__rect b);

#endif
