/* What the parts of the frontier chart share. */
#ifndef PERSEUS_CHART_FRONTIER_INTERNAL_H
#define PERSEUS_CHART_FRONTIER_INTERNAL_H

#include "chart/canvas.h"
#include "chart/frontier_chart.h"
#include "chart/labels.h"

#include <cairo.h>
#include <stdbool.h>
#include <stdint.h>

/* The words beside one marker, beside several on one spot, or beside a series. */
struct perseus__caption {
	struct perseus__point point;
	char name[160];
	char value[96]; /* empty: none */
	struct perseus__rgb colour;
	bool is_shown;
};

struct perseus__frontier_view {
	const struct perseus__frontier_picture *picture;
	struct perseus__rect plot;
	struct perseus__axis time;
	struct perseus__axis energy;
	struct perseus__unit time_unit;
	struct perseus__unit energy_unit;
	double energy_scale;
	/* Length n_curve = picture->n_curve + 1, on the sheet: from above, down to T_min, then along the frontier. */
	struct perseus__point *curve;
	int32_t n_curve;
	struct perseus__point *points;     /* of all series, on the sheet, one after the other */
	struct perseus__line *lines;       /* length n_series + 1: the curve, then each series */
	struct perseus__caption *captions; /* length n_markers + n_series, in this order */
	struct perseus__label *labels;     /* as many: of the captions shown, in their order */
};

extern const struct perseus__rgb perseus__curve_colour;
extern const struct perseus__rgb perseus__impossible_colour;

/* Where on the sheet a point of the chart is. */
struct perseus__point perseus__frontier_point_at(
		const struct perseus__frontier_view *view, double time_s, double energy_j);

/* Strokes a line, of one point at least, in the colour that is set. */
void perseus__draw_line(cairo_t *cr, const struct perseus__line *line, double width);

/* The lines and points of all series. */
void perseus__draw_series(cairo_t *cr, const struct perseus__frontier_view *view);

/* Colour of series `index`. */
struct perseus__rgb perseus__series_colour(int32_t index);

/* Marks, captions and the lines that join them; fills captions and labels of the view. */
void perseus__draw_markers(cairo_t *cr, const struct perseus__frontier_view *view);

/* Legend entries of the kinds of marks that are there; returns where the next entry goes. */
double perseus__draw_mark_entries(cairo_t *cr, const struct perseus__frontier_view *view, double x, double y);

#endif
