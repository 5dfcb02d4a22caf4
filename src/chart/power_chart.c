/* Draws power over time, see the header. */
#include "chart/power_chart.h"

#include <math.h>
#include <stdio.h>

enum { N_GROUPS = PERSEUS__POWER_DRAM + 1 };

static const double MARGIN = PERSEUS__CHART_MARGIN;
static const double LEFT = 250; /* labels and numbers beside the lanes */
static const double TOP = 106;
static const double BOTTOM = 96;
static const double LANE_GAP = 14;
static const double LEAST_LANE_HEIGHT = 44;
static const double BROKEN_SPACINGS = 5; /* so many usual distances between samples are a gap */

static const struct perseus__rgb group_colours[N_GROUPS] = {
	[PERSEUS__POWER_TOTAL] = {0.22, 0.22, 0.26},
	[PERSEUS__POWER_GPU] = {0.0, 0.32, 0.62},
	[PERSEUS__POWER_CPU] = {0.72, 0.33, 0.05},
	[PERSEUS__POWER_DRAM] = {0.16, 0.45, 0.22},
};

struct view {
	const struct perseus__power_picture *picture;
	struct perseus__rect plot; /* all lanes together */
	struct perseus__axis time;
	struct perseus__unit time_unit;
	double high_w[N_GROUPS];
	bool is_binned; /* bins hold several samples: there is a range to see */
};

bool
perseus__power_is_broken(const struct perseus__history *history, int32_t bin, int32_t series)
{
	if (bin + 1 >= history->n_bins || perseus__history_at(history, bin, series)->n == 0
			|| perseus__history_at(history, bin + 1, series)->n == 0)
		return true;
	const double all_ns = (double)(history->end[history->n_bins - 1] - history->begin[0]);
	const double usual_ns = all_ns / (double)(history->n_samples - 1);
	const double both_ns = (double)(history->end[bin + 1] - history->begin[bin]);
	return both_ns > BROKEN_SPACINGS * usual_ns * (double)(2 * history->n_per_bin - 1);
}

static const struct perseus__range *
lane_range(const struct view *view, int32_t lane, int32_t bin)
{
	return perseus__history_at(view->picture->history, bin, view->picture->lanes[lane].series);
}

/* Hours for what takes hours: seconds by the ten thousand say nothing. */
static struct perseus__unit
elapsed_unit(double largest_s)
{
	if (largest_s >= 3 * 3600)
		return (struct perseus__unit){"h", 1.0 / 3600};
	if (largest_s >= 10 * 60)
		return (struct perseus__unit){"min", 1.0 / 60};
	return perseus__time_unit(largest_s);
}

static void
set_axes(struct view *view)
{
	const struct perseus__power_picture *picture = view->picture;
	const struct perseus__history *history = picture->history;
	for (int32_t bin = 0; bin < history->n_bins; bin++)
		for (int32_t i = 0; i < picture->n_lanes; i++) {
			const struct perseus__range *range = lane_range(view, i, bin);
			double *high_w = &view->high_w[picture->lanes[i].group];
			if (range->n > 0)
				*high_w = fmax(*high_w, range->high);
		}
	const double span_s = fmax((double)(picture->end_ns - picture->begin_ns) * 1e-9, 1e-9);
	view->time_unit = elapsed_unit(span_s);
	view->time = (struct perseus__axis){
		.high = span_s * view->time_unit.per_base,
		.from = view->plot.x,
		.to = view->plot.x + view->plot.width,
	};
	view->time.ticks = perseus__ticks_between(0, view->time.high, (int32_t)(view->plot.width / 90) + 2);
	view->is_binned = history->n_per_bin > 1;
}

static struct perseus__rect
lane_rect(const struct view *view, int32_t lane)
{
	const double pitch = (view->plot.height + LANE_GAP) / view->picture->n_lanes;
	return (struct perseus__rect){view->plot.x, view->plot.y + lane * pitch, view->plot.width, pitch - LANE_GAP};
}

static struct perseus__axis
lane_axis(const struct view *view, int32_t lane, struct perseus__rect rect)
{
	const double high_w = view->high_w[view->picture->lanes[lane].group];
	struct perseus__axis axis = {.high = high_w > 0 ? high_w * 1.06 : 1, .from = rect.y + rect.height, .to = rect.y};
	const int32_t n_ticks = (int32_t)(rect.height / 34) + 2;
	axis.ticks = perseus__ticks_between(0, axis.high, n_ticks < 6 ? n_ticks : 6);
	return axis;
}

static double
time_at(const struct view *view, double time_ns)
{
	const double elapsed_s = (time_ns - (double)view->picture->begin_ns) * 1e-9;
	const double x = perseus__axis_at(&view->time, elapsed_s * view->time_unit.per_base);
	/* The samples at the ends may lie a hair outside. */
	return fmin(fmax(x, view->plot.x), view->plot.x + view->plot.width);
}

static double
bin_x(const struct view *view, int32_t bin)
{
	const struct perseus__history *history = view->picture->history;
	return time_at(view, ((double)history->begin[bin] + (double)history->end[bin]) / 2);
}

static double
bin_y(const struct view *view, const struct perseus__axis *axis, int32_t lane, int32_t bin,
		enum perseus__range_value value)
{
	return perseus__axis_at(axis, perseus__range_value(lane_range(view, lane, bin), value));
}

/* Adds a line through bins first .. last, in either direction, to the path. */
static void
trace(cairo_t *cr, const struct view *view, const struct perseus__axis *axis, int32_t lane, int32_t first, int32_t last,
		enum perseus__range_value value)
{
	const int32_t step = first <= last ? 1 : -1;
	for (int32_t bin = first; bin != last + step; bin += step)
		cairo_line_to(cr, bin_x(view, bin), bin_y(view, axis, lane, bin, value));
}

/* Bins first .. last, between which the line is not broken. */
static void
draw_run(cairo_t *cr, const struct view *view, const struct perseus__axis *axis, int32_t lane, int32_t first,
		int32_t last)
{
	const struct perseus__rgb colour = group_colours[view->picture->lanes[lane].group];
	cairo_move_to(cr, bin_x(view, first), axis->from);
	trace(cr, view, axis, lane, first, last, PERSEUS__RANGE_MEAN);
	cairo_line_to(cr, bin_x(view, last), axis->from);
	cairo_close_path(cr);
	perseus__set_translucent(cr, colour, 0.13);
	cairo_fill(cr);
	if (view->is_binned) {
		cairo_new_path(cr);
		trace(cr, view, axis, lane, first, last, PERSEUS__RANGE_HIGH);
		trace(cr, view, axis, lane, last, first, PERSEUS__RANGE_LOW);
		cairo_close_path(cr);
		perseus__set_translucent(cr, colour, 0.32);
		cairo_fill(cr);
	}
	cairo_new_path(cr);
	trace(cr, view, axis, lane, first, last, PERSEUS__RANGE_MEAN);
	perseus__set_colour(cr, colour);
	cairo_set_line_width(cr, 1.6);
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
	cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND); /* one sample alone is a dot */
	cairo_stroke(cr);
	cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
}

static bool
has_data(const struct view *view, int32_t lane)
{
	for (int32_t bin = 0; bin < view->picture->history->n_bins; bin++)
		if (lane_range(view, lane, bin)->n > 0)
			return true;
	return false;
}

static void
draw_series(cairo_t *cr, const struct view *view, const struct perseus__axis *axis, int32_t lane)
{
	const struct perseus__history *history = view->picture->history;
	for (int32_t first = 0; first < history->n_bins; first++) {
		if (lane_range(view, lane, first)->n == 0)
			continue;
		int32_t last = first;
		while (!perseus__power_is_broken(history, last, view->picture->lanes[lane].series))
			last++;
		draw_run(cr, view, axis, lane, first, last);
		first = last;
	}
}

static void
draw_lane(cairo_t *cr, const struct view *view, int32_t index)
{
	const struct perseus__power_lane *lane = &view->picture->lanes[index];
	const struct perseus__rect rect = lane_rect(view, index);
	const struct perseus__axis axis = lane_axis(view, index, rect);
	const double middle = rect.y + rect.height / 2;
	const double label_limit = rect.x - 56;
	const struct perseus__font label = {14, true, group_colours[lane->group]};
	const struct perseus__font detail = {12, false, perseus__muted};
	perseus__draw_text_cut(cr, label, MARGIN, middle + (lane->detail ? -3 : 5), label_limit, lane->label);
	if (lane->detail)
		perseus__draw_text_cut(cr, detail, MARGIN, middle + 14, label_limit, lane->detail);
	perseus__draw_grid_x(cr, &view->time, rect);
	if (has_data(view, index)) {
		perseus__draw_grid_y(cr, &axis, rect);
		perseus__draw_ticks_y(cr, &axis, rect);
		draw_series(cr, view, &axis, index);
	} else if (lane->absent) {
		perseus__draw_text_cut(cr, detail, rect.x + 12, middle + 4, rect.x + rect.width - 12, lane->absent);
	}
	perseus__draw_sides(cr, rect);
}

static void
draw_legend(cairo_t *cr, const struct view *view, double y)
{
	const struct perseus__rgb colour = group_colours[PERSEUS__POWER_TOTAL];
	double x = view->plot.x;
	perseus__set_colour(cr, colour);
	cairo_set_line_width(cr, 1.6);
	perseus__stroke_line(cr, x, y, x + 26, y);
	x = perseus__draw_legend_entry(cr, x, y, view->is_binned ? "average" : "power");
	if (!view->is_binned)
		return;
	perseus__set_translucent(cr, colour, 0.4);
	cairo_rectangle(cr, x, y - 8, 26, 16);
	cairo_fill(cr);
	char text[96];
	(void)snprintf(
			text, sizeof text, "from lowest to highest of %lld samples", (long long)view->picture->history->n_per_bin);
	(void)perseus__draw_legend_entry(cr, x, y, text);
}

static void
draw_all(const struct perseus__canvas *canvas, const struct view *view, const char *title)
{
	cairo_t *cr = canvas->cr;
	const struct perseus__font font = {14, false, perseus__ink};
	const struct perseus__rect *plot = &view->plot;
	perseus__draw_heading(canvas, title, view->picture->heading);
	for (int32_t i = 0; i < view->picture->n_lanes; i++)
		draw_lane(cr, view, i);
	perseus__draw_ticks_x(cr, &view->time, *plot);
	char text[64];
	(void)snprintf(text, sizeof text, "time (%s)", view->time_unit.name);
	perseus__draw_text(cr, font, plot->x + plot->width / 2, plot->y + plot->height + 40, PERSEUS__ANCHOR_MIDDLE, text);
	perseus__draw_text(cr, font, plot->x - 10, plot->y - 10, PERSEUS__ANCHOR_RIGHT, "W");
	draw_legend(cr, view, canvas->height - 24);
}

/* Logical units are pixels of a sheet of the usual size; more lanes than it has room for make it higher. */
static int32_t
height_for(int32_t n_lanes)
{
	const double height = TOP + BOTTOM + n_lanes * (LEAST_LANE_HEIGHT + LANE_GAP);
	return (int32_t)fmax(height, PERSEUS__CHART_HEIGHT);
}

enum perseus_status
perseus__chart_power(const char *path, const struct perseus__power_picture *picture,
		const struct perseus__chart_options *options, struct perseus_error *err)
{
	const struct perseus__chart_options chosen =
			perseus__chart_options(options, "Power over time", height_for(picture->n_lanes));
	struct perseus__canvas canvas;
	enum perseus_status status = perseus__canvas_init(&canvas, path, &chosen, err);
	if (status != PERSEUS_OK)
		return status;
	struct view view = {
		.picture = picture,
		.plot = {LEFT, TOP, canvas.width - LEFT - 32, canvas.height - TOP - BOTTOM},
	};
	set_axes(&view);
	draw_all(&canvas, &view, chosen.title);
	status = perseus__canvas_write(&canvas, err);
	perseus__canvas_fini(&canvas);
	return status;
}
