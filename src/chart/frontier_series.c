/* Series on a frontier chart: lines of small points, told apart by colour and shape. */
#include "chart/frontier_internal.h"

static const double RADIUS = 4.2;
/* Points closer than this would make a caterpillar of the line; they are left out. */
static const double POINT_SPACING = 14;

enum shape { SHAPE_DISC, SHAPE_SQUARE, SHAPE_TRIANGLE, SHAPE_DIAMOND, SHAPE_WEDGE };
enum { N_SHAPES = SHAPE_WEDGE + 1 };

/* Okabe and Ito 2008, darkened so that words in them are read on white; blue and vermilion are taken. */
static const struct perseus__rgb colours[] = {
	{0.0, 0.47, 0.35},
	{0.70, 0.45, 0.0},
	{0.66, 0.33, 0.52},
	{0.20, 0.52, 0.70},
	{0.42, 0.42, 0.46},
};
enum { N_COLOURS = sizeof colours / sizeof *colours };

struct perseus__rgb
perseus__series_colour(int32_t index)
{
	return colours[index % N_COLOURS];
}

static void
add_shape(cairo_t *cr, struct perseus__point at, enum shape shape, double radius)
{
	switch (shape) {
	case SHAPE_DISC:
		cairo_arc(cr, at.x, at.y, radius, 0, 6.283185307179586);
		break;
	case SHAPE_SQUARE:
		cairo_rectangle(cr, at.x - 0.88 * radius, at.y - 0.88 * radius, 1.76 * radius, 1.76 * radius);
		break;
	case SHAPE_TRIANGLE:
		cairo_move_to(cr, at.x, at.y - 1.25 * radius);
		cairo_line_to(cr, at.x + 1.15 * radius, at.y + 0.85 * radius);
		cairo_line_to(cr, at.x - 1.15 * radius, at.y + 0.85 * radius);
		break;
	case SHAPE_DIAMOND:
		cairo_move_to(cr, at.x, at.y - 1.35 * radius);
		cairo_line_to(cr, at.x + 1.35 * radius, at.y);
		cairo_line_to(cr, at.x, at.y + 1.35 * radius);
		cairo_line_to(cr, at.x - 1.35 * radius, at.y);
		break;
	case SHAPE_WEDGE:
		cairo_move_to(cr, at.x, at.y + 1.25 * radius);
		cairo_line_to(cr, at.x + 1.15 * radius, at.y - 0.85 * radius);
		cairo_line_to(cr, at.x - 1.15 * radius, at.y - 0.85 * radius);
		break;
	}
	cairo_close_path(cr);
}

static void
draw_point(cairo_t *cr, struct perseus__point at, enum shape shape, double radius)
{
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_MITER);
	add_shape(cr, at, shape, radius);
	cairo_fill(cr);
}

void
perseus__draw_line(cairo_t *cr, const struct perseus__line *line, double width)
{
	cairo_set_line_width(cr, width);
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
	cairo_move_to(cr, line->points[0].x, line->points[0].y);
	for (int32_t k = 1; k < line->n; k++)
		cairo_line_to(cr, line->points[k].x, line->points[k].y);
	cairo_stroke(cr);
}

static double
squared_distance(struct perseus__point a, struct perseus__point b)
{
	const double dx = a.x - b.x;
	const double dy = a.y - b.y;
	return dx * dx + dy * dy;
}

void
perseus__draw_series(cairo_t *cr, const struct perseus__frontier_view *view)
{
	for (int32_t i = 0; i < view->picture->marks.n_series; i++) {
		const struct perseus__line *line = &view->lines[i + 1];
		const enum shape shape = (enum shape)(i % N_SHAPES);
		perseus__set_colour(cr, perseus__series_colour(i));
		if (line->n == 1) {
			draw_point(cr, line->points[0], shape, 1.6 * RADIUS);
			continue;
		}
		perseus__draw_line(cr, line, 1.4);
		int32_t drawn = -1;
		for (int32_t k = 0; k < line->n; k++)
			if (drawn < 0 || k == line->n - 1
					|| squared_distance(line->points[k], line->points[drawn]) >= POINT_SPACING * POINT_SPACING) {
				draw_point(cr, line->points[k], shape, RADIUS);
				drawn = k;
			}
	}
}
