/*
 * A sheet to draw on, written as SVG, PNG or PDF by the extension of its path, and the few pens that all charts share.
 * Everything is drawn in logical units: a sheet is about 1600 x 900 of them, whatever its size.
 */
#ifndef PERSEUS_CHART_CANVAS_H
#define PERSEUS_CHART_CANVAS_H

#include "base/text.h"
#include "chart/scale.h"

#include <perseus/status.h>

#include <cairo.h>
#include <stdbool.h>
#include <stdint.h>

/* The usual size of a sheet in logical units, and how far from its left and right edges words begin and end. */
enum { PERSEUS__CHART_WIDTH = 1600, PERSEUS__CHART_HEIGHT = 900, PERSEUS__CHART_MARGIN = 24 };

struct perseus__chart_options {
	const char *title;   /* NULL: the chart's own */
	int32_t width;       /* pixels (PNG) or points (SVG, PDF); 0: 1600 */
	int32_t height;      /* 0: 900, more where many ranks need it */
	double energy_scale; /* energies are multiplied by this, e.g. GPUs per stage · pipelines; 0: 1 */
};

/* `options` (may be NULL), with the title and height given here and the usual width and scale where they name none. */
struct perseus__chart_options perseus__chart_options(
		const struct perseus__chart_options *options, const char *title, int32_t height);

/* Why a path's extension cannot be drawn: INVALID, naming path and extension; OK where it can. Touches no file. */
PERSEUS_MUST_USE enum perseus_status perseus__chart_path_check(const char *path, struct perseus_error *err);

struct perseus__canvas {
	cairo_t *cr;
	const char *path; /* borrowed */
	double width;     /* logical units */
	double height;
	int32_t format;             /* index of the table of formats in canvas.c */
	struct perseus__text bytes; /* the document, until it is written */
};

/*
 * Opens a white sheet of the options' size. Their title becomes the document's where the format has one.
 * Errors: INVALID for an unknown extension or a size out of 64..16384; NO_MEMORY. Free with perseus__canvas_fini.
 */
PERSEUS_MUST_USE enum perseus_status perseus__canvas_init(struct perseus__canvas *canvas, const char *path,
		const struct perseus__chart_options *options, struct perseus_error *err);

/* Writes the file. Same drawing, same bytes. Errors: IO or DENIED, with path and reason; INVALID for
 * text that is not UTF-8; NO_MEMORY. Nothing can be drawn after. */
PERSEUS_MUST_USE enum perseus_status perseus__canvas_write(struct perseus__canvas *canvas, struct perseus_error *err);

void perseus__canvas_fini(struct perseus__canvas *canvas);

/* Where text stands relative to its point: horizontally by its advance, vertically on its baseline. */
enum perseus__anchor {
	PERSEUS__ANCHOR_LEFT,
	PERSEUS__ANCHOR_MIDDLE,
	PERSEUS__ANCHOR_RIGHT,
};

struct perseus__font {
	double size;
	bool is_bold;
	struct perseus__rgb colour;
};

struct perseus__rect {
	double x;
	double y;
	double width;
	double height;
};

extern const struct perseus__rgb perseus__ink;   /* text and axes */
extern const struct perseus__rgb perseus__muted; /* what matters less */
extern const struct perseus__rgb perseus__faint; /* grids */
extern const struct perseus__rgb perseus__paper;

void perseus__set_colour(cairo_t *cr, struct perseus__rgb colour);
void perseus__set_translucent(cairo_t *cr, struct perseus__rgb colour, double opacity);
void perseus__fill_rect(cairo_t *cr, struct perseus__rect rect, struct perseus__rgb colour);
void perseus__stroke_line(cairo_t *cr, double x0, double y0, double x1, double y1);

double perseus__text_width(cairo_t *cr, struct perseus__font font, const char *text);
void perseus__draw_text(
		cairo_t *cr, struct perseus__font font, double x, double y, enum perseus__anchor anchor, const char *text);

/* Text turned to read upwards, centred on (x, y). */
void perseus__draw_text_up(cairo_t *cr, struct perseus__font font, double x, double y, const char *text);

/* Draws `text` left of `x_limit`, cut with an ellipsis where it is longer. */
void perseus__draw_text_cut(
		cairo_t *cr, struct perseus__font font, double x, double y, double x_limit, const char *text);

/* The title of a chart and, unless it is NULL, a smaller line below it. */
void perseus__draw_heading(const struct perseus__canvas *canvas, const char *title, const char *heading);

/* A text of a legend beside room for a mark at `x`; returns where the next entry goes. */
double perseus__draw_legend_entry(cairo_t *cr, double x, double y, const char *text);

/* A linear axis along one side of a rectangle. */
struct perseus__axis {
	double low; /* in the unit of the labels */
	double high;
	double from; /* logical units: where low and high are */
	double to;
	struct perseus__ticks ticks;
};

double perseus__axis_at(const struct perseus__axis *axis, double value);

/* Faint lines across `plot` at the ticks. */
void perseus__draw_grid_x(cairo_t *cr, const struct perseus__axis *axis, struct perseus__rect plot);
void perseus__draw_grid_y(cairo_t *cr, const struct perseus__axis *axis, struct perseus__rect plot);

/* The left and bottom sides of `plot`, along which its axes are. */
void perseus__draw_sides(cairo_t *cr, struct perseus__rect plot);

/* Tick marks and numbers below, or left of, `plot`. */
void perseus__draw_ticks_x(cairo_t *cr, const struct perseus__axis *axis, struct perseus__rect plot);
void perseus__draw_ticks_y(cairo_t *cr, const struct perseus__axis *axis, struct perseus__rect plot);

#endif
