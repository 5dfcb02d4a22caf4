/* Draws a frontier chart from plain data: axes, curve, marks and their labels. Knows no frontier. */
#include "chart/frontier_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>

static const double MARGIN = PERSEUS__CHART_MARGIN;
/* An axis whose data fill less than this part of it above zero is cut off below them. */
static const double FROM_ZERO = 0.3;

const struct perseus__rgb perseus__curve_colour = {0.0, 0.32, 0.62};
const struct perseus__rgb perseus__impossible_colour = {0.945, 0.945, 0.955};

static void
widen(double value, double *low, double *high)
{
	*low = fmin(*low, value);
	*high = fmax(*high, value);
}

static struct perseus__axis
axis_over(double low, double high, double pad_below, double pad_above)
{
	const double span = high > low ? high - low : fmax(fabs(high) * 0.1, 1e-9);
	double from = low - pad_below * span;
	if (from < FROM_ZERO * high)
		from = 0;
	return (struct perseus__axis){.low = from, .high = high + pad_above * span};
}

static void
set_axes(struct perseus__frontier_view *view)
{
	const struct perseus__frontier_picture *picture = view->picture;
	double low_s = INFINITY;
	double high_s = -INFINITY;
	double low_j = INFINITY;
	double high_j = -INFINITY;
	for (int32_t i = 0; i < picture->n_curve; i++) {
		widen(picture->curve[i].time_s, &low_s, &high_s);
		widen(picture->curve[i].energy_j * view->energy_scale, &low_j, &high_j);
	}
	for (int32_t i = 0; i < picture->marks.n_markers; i++) {
		widen((double)picture->marks.markers[i].time_ns * 1e-9, &low_s, &high_s);
		widen((double)picture->marks.markers[i].energy_nj * 1e-9 * view->energy_scale, &low_j, &high_j);
	}
	for (int32_t i = 0; i < picture->marks.n_series; i++)
		for (int32_t k = 0; k < picture->marks.series[i].n_points; k++) {
			widen(picture->marks.series[i].points[k].time_s, &low_s, &high_s);
			widen(picture->marks.series[i].points[k].energy_j * view->energy_scale, &low_j, &high_j);
		}
	view->time_unit = perseus__time_unit(high_s);
	view->energy_unit = perseus__energy_unit(high_j);
	view->time = axis_over(low_s * view->time_unit.per_base, high_s * view->time_unit.per_base, 0.09, 0.0);
	view->energy = axis_over(low_j * view->energy_unit.per_base, high_j * view->energy_unit.per_base, 0.12, 0.06);
	view->time.from = view->plot.x;
	view->time.to = view->plot.x + view->plot.width;
	view->energy.from = view->plot.y + view->plot.height;
	view->energy.to = view->plot.y;
	view->time.ticks = perseus__ticks_between(view->time.low, view->time.high, (int32_t)(view->plot.width / 90) + 2);
	view->energy.ticks =
			perseus__ticks_between(view->energy.low, view->energy.high, (int32_t)(view->plot.height / 55) + 2);
}

struct perseus__point
perseus__frontier_point_at(const struct perseus__frontier_view *view, double time_s, double energy_j)
{
	return (struct perseus__point){
		perseus__axis_at(&view->time, time_s * view->time_unit.per_base),
		perseus__axis_at(&view->energy, energy_j * view->energy_scale * view->energy_unit.per_base),
	};
}

/* All that lies below the curve or left of its first point. */
static void
draw_impossible(cairo_t *cr, const struct perseus__frontier_view *view)
{
	const struct perseus__rect *plot = &view->plot;
	perseus__set_colour(cr, perseus__impossible_colour);
	cairo_move_to(cr, plot->x, plot->y);
	for (int32_t i = 0; i < view->n_curve; i++)
		cairo_line_to(cr, view->curve[i].x, view->curve[i].y);
	cairo_line_to(cr, plot->x + plot->width, view->curve[view->n_curve - 1].y);
	cairo_line_to(cr, plot->x + plot->width, plot->y + plot->height);
	cairo_line_to(cr, plot->x, plot->y + plot->height);
	cairo_close_path(cr);
	cairo_fill(cr);
}

static void
draw_curve(cairo_t *cr, const struct perseus__frontier_view *view)
{
	static const double dashes[] = {3, 4};
	perseus__set_colour(cr, perseus__curve_colour);
	cairo_set_line_width(cr, 1.2);
	cairo_set_dash(cr, dashes, 2, 0);
	perseus__stroke_line(cr, view->curve[0].x, view->curve[0].y, view->curve[1].x, view->curve[1].y);
	cairo_set_dash(cr, NULL, 0, 0);
	perseus__draw_line(cr, &(struct perseus__line){&view->curve[1], view->n_curve - 1}, 2.8);
}

/* Two short strokes across an axis that does not start at zero. */
static void
draw_break(cairo_t *cr, double x, double y, bool is_upright)
{
	const double along_x = is_upright ? 0 : 5;
	const double along_y = is_upright ? 5 : 0;
	cairo_set_line_width(cr, 1.4);
	for (int i = 0; i < 2; i++) {
		const double at_x = x + i * along_x;
		const double at_y = y - i * along_y;
		perseus__set_colour(cr, perseus__muted);
		perseus__stroke_line(cr, at_x - 5, at_y + 4, at_x + 5, at_y - 4);
	}
}

static void
draw_axes(cairo_t *cr, const struct perseus__frontier_view *view)
{
	const struct perseus__rect *plot = &view->plot;
	const struct perseus__font font = {14, false, perseus__ink};
	const struct perseus__font small = {12, false, perseus__muted};
	const double bottom = plot->y + plot->height;
	perseus__draw_sides(cr, *plot);
	perseus__draw_ticks_x(cr, &view->time, *plot);
	perseus__draw_ticks_y(cr, &view->energy, *plot);
	char title[64];
	(void)snprintf(title, sizeof title, "iteration time (%s)", view->time_unit.name);
	perseus__draw_text(cr, font, plot->x + plot->width / 2, bottom + 40, PERSEUS__ANCHOR_MIDDLE, title);
	(void)snprintf(title, sizeof title, "energy of an iteration, waiting included (%s)", view->energy_unit.name);
	perseus__draw_text_up(cr, font, MARGIN + 12, plot->y + plot->height / 2, title);
	const bool time_is_cut = view->time.low > 0;
	const bool energy_is_cut = view->energy.low > 0;
	if (time_is_cut)
		draw_break(cr, plot->x + 14, bottom, false);
	if (energy_is_cut)
		draw_break(cr, plot->x, bottom - 14, true);
	if (time_is_cut || energy_is_cut)
		perseus__draw_text(cr, small, plot->x + plot->width, bottom + 40, PERSEUS__ANCHOR_RIGHT,
				time_is_cut && energy_is_cut ? "neither axis starts at zero"
						: time_is_cut        ? "the time axis does not start at zero"
											 : "the energy axis does not start at zero");
}

static void
draw_legend(const struct perseus__canvas *canvas, const struct perseus__frontier_view *view, double y)
{
	cairo_t *cr = canvas->cr;
	double x = view->plot.x;
	perseus__set_colour(cr, perseus__curve_colour);
	cairo_set_line_width(cr, 2.8);
	perseus__stroke_line(cr, x, y, x + 26, y);
	x = perseus__draw_legend_entry(cr, x, y, "least energy of any plan for each iteration time");
	x = perseus__draw_mark_entries(cr, view, x, y);
	perseus__fill_rect(cr, (struct perseus__rect){x, y - 8, 26, 16}, perseus__impossible_colour);
	perseus__set_colour(cr, perseus__faint);
	cairo_set_line_width(cr, 1);
	cairo_rectangle(cr, x, y - 8, 26, 16);
	cairo_stroke(cr);
	(void)perseus__draw_legend_entry(cr, x, y, "no plan can be here");
}

static void
draw_all(const struct perseus__canvas *canvas, struct perseus__frontier_view *view, const char *title)
{
	cairo_t *cr = canvas->cr;
	perseus__draw_heading(canvas, title, view->picture->heading);
	draw_impossible(cr, view);
	perseus__draw_grid_x(cr, &view->time, view->plot);
	perseus__draw_grid_y(cr, &view->energy, view->plot);
	draw_axes(cr, view);
	perseus__draw_series(cr, view);
	draw_curve(cr, view);
	perseus__draw_markers(cr, view);
	draw_legend(canvas, view, canvas->height - 24);
}

/* Room for all that is placed on the sheet; false where there is no memory. */
static bool
view_init(struct perseus__frontier_view *view)
{
	const struct perseus_frontier_marks *marks = &view->picture->marks;
	const size_t n_captions = (size_t)marks->n_markers + (size_t)marks->n_series;
	size_t n_points = 0;
	for (int32_t i = 0; i < marks->n_series; i++)
		n_points += (size_t)marks->series[i].n_points;
	view->curve = perseus__new_array((size_t)view->n_curve, sizeof *view->curve);
	view->points = perseus__new_array(n_points + 1, sizeof *view->points);
	view->lines = perseus__new_array((size_t)marks->n_series + 1, sizeof *view->lines);
	view->captions = perseus__new_array(n_captions + 1, sizeof *view->captions);
	view->labels = perseus__new_array(n_captions + 1, sizeof *view->labels);
	return view->curve && view->points && view->lines && view->captions && view->labels;
}

static void
view_fini(struct perseus__frontier_view *view)
{
	perseus__free(view->curve);
	perseus__free(view->points);
	perseus__free(view->lines);
	perseus__free(view->captions);
	perseus__free(view->labels);
}

/* Puts curve and series on the sheet. */
static void
set_lines(struct perseus__frontier_view *view)
{
	const struct perseus__frontier_picture *picture = view->picture;
	for (int32_t i = 0; i < picture->n_curve; i++)
		view->curve[i + 1] = perseus__frontier_point_at(view, picture->curve[i].time_s, picture->curve[i].energy_j);
	view->curve[0] = (struct perseus__point){view->curve[1].x, view->plot.y};
	view->lines[0] = (struct perseus__line){view->curve, view->n_curve};
	struct perseus__point *at = view->points;
	for (int32_t i = 0; i < picture->marks.n_series; i++) {
		const struct perseus_frontier_series *series = &picture->marks.series[i];
		view->lines[i + 1] = (struct perseus__line){at, series->n_points};
		for (int32_t k = 0; k < series->n_points; k++)
			*at++ = perseus__frontier_point_at(view, series->points[k].time_s, series->points[k].energy_j);
	}
}

enum perseus_status
perseus__frontier_draw(const char *path, const struct perseus__frontier_picture *picture,
		const struct perseus__chart_options *options, struct perseus_error *err)
{
	const struct perseus__chart_options chosen =
			perseus__chart_options(options, "Iteration time against energy", PERSEUS__CHART_HEIGHT);
	struct perseus__canvas canvas;
	enum perseus_status status = perseus__canvas_init(&canvas, path, &chosen, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__frontier_view view = {
		.picture = picture,
		.plot = {112, 88, canvas.width - 112 - 32, canvas.height - 88 - 96},
		.energy_scale = chosen.energy_scale,
		.n_curve = picture->n_curve + 1,
	};
	if (view_init(&view)) {
		set_axes(&view);
		set_lines(&view);
		draw_all(&canvas, &view, chosen.title);
		status = perseus__canvas_write(&canvas, err);
	} else {
		status = perseus__no_memory(err);
	}
	view_fini(&view);
	perseus__canvas_fini(&canvas);
	return status;
}
