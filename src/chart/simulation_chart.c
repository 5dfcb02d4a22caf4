/* Draws a simulated job, see the header. */
#include "chart/simulation_chart.h"

#include <math.h>
#include <stdio.h>

enum { N_PARTS = 4 };

static const double MARGIN = PERSEUS__CHART_MARGIN;
static const double LEFT = 190;  /* names beside the bars, numbers beside the lanes */
static const double RIGHT = 250; /* numbers behind the bars */
static const double TOP = 122;
static const double BOTTOM = 100;
static const double BAR_PITCH = 40;
static const double BAR_HEIGHT = 28;
static const double BETWEEN = 106; /* from the bars to the lanes: an axis and a heading */
static const double LANE_GAP = 30;
static const double TIME_SHARE = 0.68; /* of the lanes' height */

/* In the order of struct perseus_energy_split. */
static const struct part {
	const char *name;
	struct perseus__rgb colour;
} parts[N_PARTS] = {
	{"useful: what the work takes at its best", {0.13, 0.40, 0.53}},
	{"intrinsic: imbalance within a pipeline", {0.93, 0.66, 0.19}},
	{"extrinsic: running ahead of a straggler", {0.78, 0.27, 0.18}},
	{"blocking: waiting", {0.68, 0.68, 0.72}},
};

static const struct perseus__rgb time_colour = {0.0, 0.32, 0.62};
static const struct perseus__rgb straggler_colour = {0.55, 0.32, 0.05};
static const struct perseus__rgb unanswered_colour = {0.78, 0.10, 0.35};

struct view {
	const struct perseus__simulation_picture *picture;
	double width;
	double height;
	struct perseus__rect bars;
	struct perseus__axis energy;
	struct perseus__unit energy_unit;
	struct perseus__rect times;
	struct perseus__rect stragglers;
	struct perseus__axis iteration; /* shared by both */
	struct perseus__axis time;
	struct perseus__unit time_unit;
	struct perseus__axis count;
	double high[PERSEUS__N_SIMULATION_SERIES]; /* of all iterations */
};

static double
part_j(const struct perseus_energy_split *energy, int part)
{
	const double values[N_PARTS] = {energy->useful_j, energy->intrinsic_j, energy->extrinsic_j, energy->blocking_j};
	return fmax(values[part], 0);
}

static double
sum_j(const struct perseus_energy_split *energy)
{
	double sum = 0;
	for (int part = 0; part < N_PARTS; part++)
		sum += part_j(energy, part);
	return sum;
}

static void
set_rects(struct view *view)
{
	const double bars_height = view->picture->n_bars * BAR_PITCH;
	const double top = TOP + bars_height + BETWEEN;
	const double lanes = fmax(view->height - BOTTOM - top - LANE_GAP, 100);
	const double width = view->width - LEFT - 32;
	view->bars = (struct perseus__rect){LEFT, TOP, view->width - LEFT - RIGHT, bars_height};
	view->times = (struct perseus__rect){LEFT, top, width, lanes * TIME_SHARE};
	view->stragglers =
			(struct perseus__rect){LEFT, top + lanes * TIME_SHARE + LANE_GAP, width, lanes * (1 - TIME_SHARE)};
}

static struct perseus__axis
axis_along(struct perseus__rect rect, double high, double per_tick)
{
	struct perseus__axis axis = {.high = high > 0 ? high : 1, .from = rect.x, .to = rect.x + rect.width};
	axis.ticks = perseus__ticks_between(0, axis.high, (int32_t)(rect.width / per_tick) + 2);
	return axis;
}

static struct perseus__axis
axis_up(struct perseus__rect rect, double high, int32_t max_ticks)
{
	struct perseus__axis axis = {.high = high > 0 ? high : 1, .from = rect.y + rect.height, .to = rect.y};
	axis.ticks = perseus__ticks_between(0, axis.high, max_ticks);
	return axis;
}

static void
set_axes(struct view *view)
{
	const struct perseus__simulation_picture *picture = view->picture;
	double high_j = 0;
	for (int32_t i = 0; i < picture->n_bars; i++)
		high_j = fmax(high_j, sum_j(&picture->bars[i].energy));
	for (int32_t bin = 0; bin < picture->history->n_bins; bin++)
		for (int32_t series = 0; series < PERSEUS__N_SIMULATION_SERIES; series++)
			view->high[series] = fmax(view->high[series], perseus__history_at(picture->history, bin, series)->high);
	view->energy_unit = perseus__energy_unit(high_j);
	view->energy = axis_along(view->bars, high_j * view->energy_unit.per_base, 110);
	view->iteration = axis_along(view->times, (double)picture->history->n_samples, 110);
	const double high_s = fmax(view->high[PERSEUS__SIMULATION_TIME], picture->fastest_s);
	view->time_unit = perseus__time_unit(high_s);
	view->time = axis_up(view->times, high_s * view->time_unit.per_base * 1.06, 7);
	const double most = fmax(view->high[PERSEUS__SIMULATION_STRAGGLERS], 1);
	view->count = axis_up(view->stragglers, most * 1.1, (int32_t)fmin(most + 1, 4));
}

/* White on what is dark. */
static struct perseus__rgb
text_colour(struct perseus__rgb ground)
{
	return perseus__luminance(ground) > 0.3 ? perseus__ink : perseus__paper;
}

static void
draw_bar(cairo_t *cr, const struct view *view, int32_t index)
{
	const struct perseus__simulation_bar *bar = &view->picture->bars[index];
	const double y = view->bars.y + index * BAR_PITCH + (BAR_PITCH - BAR_HEIGHT) / 2;
	const double base = y + BAR_HEIGHT / 2 + 5;
	const double all_j = sum_j(&bar->energy);
	double before_j = 0;
	for (int part = 0; part < N_PARTS; part++) {
		const double x = perseus__axis_at(&view->energy, before_j * view->energy_unit.per_base);
		before_j += part_j(&bar->energy, part);
		const double end = perseus__axis_at(&view->energy, before_j * view->energy_unit.per_base);
		perseus__fill_rect(cr, (struct perseus__rect){x, y, end - x, BAR_HEIGHT}, parts[part].colour);
		char text[32];
		const struct perseus__font font = {13, false, text_colour(parts[part].colour)};
		(void)snprintf(text, sizeof text, "%.1f %%", all_j > 0 ? 100 * part_j(&bar->energy, part) / all_j : 0);
		if (perseus__text_width(cr, font, text) + 10 < end - x)
			perseus__draw_text(cr, font, (x + end) / 2, base, PERSEUS__ANCHOR_MIDDLE, text);
	}
	const struct perseus__font name = {14, bar->is_chosen, perseus__ink};
	const struct perseus__font detail = {14, bar->is_chosen, perseus__ink};
	perseus__draw_text(cr, name, view->bars.x - 12, base, PERSEUS__ANCHOR_RIGHT, bar->label);
	const double end = perseus__axis_at(&view->energy, all_j * view->energy_unit.per_base);
	/* On paper of its own, as lines of the grid are there. */
	const double detail_width = perseus__text_width(cr, detail, bar->detail);
	perseus__fill_rect(cr, (struct perseus__rect){end + 6, y, detail_width + 8, BAR_HEIGHT}, perseus__paper);
	perseus__draw_text_cut(cr, detail, end + 10, base, view->width - 8, bar->detail);
}

static void
draw_bars(cairo_t *cr, const struct view *view)
{
	const struct perseus__font font = {14, false, perseus__ink};
	const double bottom = view->bars.y + view->bars.height;
	perseus__draw_grid_x(cr, &view->energy, view->bars);
	for (int32_t i = 0; i < view->picture->n_bars; i++)
		draw_bar(cr, view, i);
	perseus__draw_sides(cr, view->bars);
	perseus__draw_ticks_x(cr, &view->energy, view->bars);
	char text[64];
	(void)snprintf(text, sizeof text, "energy of the whole run (%s)", view->energy_unit.name);
	perseus__draw_text(cr, font, view->bars.x + view->bars.width / 2, bottom + 40, PERSEUS__ANCHOR_MIDDLE, text);
}

static void
draw_parts_legend(cairo_t *cr, const struct view *view, double y)
{
	double x = view->bars.x;
	for (int part = 0; part < N_PARTS; part++) {
		perseus__fill_rect(cr, (struct perseus__rect){x, y - 8, 26, 16}, parts[part].colour);
		x = perseus__draw_legend_entry(cr, x, y, parts[part].name);
	}
}

/* Where a bin begins, or ends, which is where the next begins. */
static double
bin_x(const struct view *view, int32_t bin, bool is_end)
{
	const struct perseus__history *history = view->picture->history;
	const int64_t iteration = is_end ? history->end[bin] + 1 : history->begin[bin];
	return perseus__axis_at(&view->iteration, (double)iteration);
}

/* Adds a line in steps, as an iteration lasts, through all bins to the path, in either direction. */
static void
trace(cairo_t *cr, const struct view *view, const struct perseus__axis *axis, double per_base,
		enum perseus__simulation_series series, enum perseus__range_value value, bool is_backward)
{
	const int32_t n = view->picture->history->n_bins;
	for (int32_t i = 0; i < n; i++) {
		const int32_t bin = is_backward ? n - 1 - i : i;
		const struct perseus__range *range = perseus__history_at(view->picture->history, bin, (int32_t)series);
		const double y = perseus__axis_at(axis, perseus__range_value(range, value) * per_base);
		cairo_line_to(cr, bin_x(view, bin, is_backward), y);
		cairo_line_to(cr, bin_x(view, bin, !is_backward), y);
	}
}

static void
draw_series(cairo_t *cr, const struct view *view, const struct perseus__axis *axis, double per_base,
		enum perseus__simulation_series series, struct perseus__rgb colour)
{
	cairo_new_path(cr);
	trace(cr, view, axis, per_base, series, PERSEUS__RANGE_HIGH, false);
	trace(cr, view, axis, per_base, series, PERSEUS__RANGE_LOW, true);
	cairo_close_path(cr);
	perseus__set_translucent(cr, colour, 0.28);
	cairo_fill(cr);
	cairo_new_path(cr);
	trace(cr, view, axis, per_base, series, PERSEUS__RANGE_MEAN, false);
	perseus__set_colour(cr, colour);
	cairo_set_line_width(cr, 1.4);
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
	cairo_stroke(cr);
}

static void
draw_frame(cairo_t *cr, const struct view *view, const struct perseus__axis *axis, struct perseus__rect rect,
		const char *name)
{
	const struct perseus__font font = {14, false, perseus__ink};
	perseus__draw_ticks_y(cr, axis, rect);
	perseus__draw_sides(cr, rect);
	perseus__draw_text_cut(cr, font, MARGIN, rect.y + rect.height / 2 + 5, view->times.x - 56, name);
}

/* A line where every iteration would be without stragglers. */
static void
draw_fastest(cairo_t *cr, double x0, double x1, double y)
{
	static const double dashes[] = {5, 4};
	perseus__set_colour(cr, perseus__ink);
	cairo_set_line_width(cr, 1);
	cairo_set_dash(cr, dashes, 2, 0);
	perseus__stroke_line(cr, x0, y, x1, y);
	cairo_set_dash(cr, NULL, 0, 0);
}

/* A strip under the times: the darker, the more of a bin's iterations were unanswered. */
static void
draw_unanswered(cairo_t *cr, const struct view *view)
{
	const struct perseus__font small = {12, false, perseus__muted};
	const double y = view->times.y + view->times.height + 7;
	perseus__draw_text_cut(cr, small, MARGIN, y + 10, view->times.x - 30, "not yet answered");
	cairo_set_antialias(cr, CAIRO_ANTIALIAS_NONE); /* no seams between neighbours */
	for (int32_t bin = 0; bin < view->picture->history->n_bins; bin++) {
		const struct perseus__range *range =
				perseus__history_at(view->picture->history, bin, PERSEUS__SIMULATION_UNANSWERED);
		const double share = perseus__range_value(range, PERSEUS__RANGE_MEAN);
		if (!(share > 0))
			continue;
		const double x = bin_x(view, bin, false);
		perseus__set_translucent(cr, unanswered_colour, 0.35 + 0.65 * share);
		cairo_rectangle(cr, x, y, fmax(bin_x(view, bin, true) - x, 1), 10);
		cairo_fill(cr);
	}
	cairo_set_antialias(cr, CAIRO_ANTIALIAS_DEFAULT);
}

static void
draw_lanes(cairo_t *cr, const struct view *view)
{
	const struct perseus__font font = {14, false, perseus__ink};
	const struct perseus__font heading = {16, true, perseus__ink};
	const double fastest = view->picture->fastest_s * view->time_unit.per_base;
	char text[128];
	for (int32_t i = 0; i < view->picture->n_bars; i++) {
		if (!view->picture->bars[i].is_chosen)
			continue;
		(void)snprintf(text, sizeof text, "Iterations under %s", view->picture->bars[i].label);
		perseus__draw_text_cut(cr, heading, MARGIN, view->times.y - 20, view->width - MARGIN, text);
	}
	perseus__draw_grid_x(cr, &view->iteration, view->times);
	perseus__draw_grid_y(cr, &view->time, view->times);
	draw_series(cr, view, &view->time, view->time_unit.per_base, PERSEUS__SIMULATION_TIME, time_colour);
	draw_fastest(cr, view->times.x, view->times.x + view->times.width, perseus__axis_at(&view->time, fastest));
	(void)snprintf(text, sizeof text, "time (%s)", view->time_unit.name);
	draw_frame(cr, view, &view->time, view->times, text);
	if (view->picture->has_reaction)
		draw_unanswered(cr, view);
	perseus__draw_grid_x(cr, &view->iteration, view->stragglers);
	perseus__draw_grid_y(cr, &view->count, view->stragglers);
	draw_series(cr, view, &view->count, 1, PERSEUS__SIMULATION_STRAGGLERS, straggler_colour);
	draw_frame(cr, view, &view->count, view->stragglers, "stragglers");
	const struct perseus__font small = {12, false, perseus__muted};
	(void)snprintf(text, sizeof text, "of %d", (int)view->picture->n_pipelines);
	perseus__draw_text_cut(
			cr, small, MARGIN, view->stragglers.y + view->stragglers.height / 2 + 22, view->times.x - 56, text);
	perseus__draw_ticks_x(cr, &view->iteration, view->stragglers);
	perseus__draw_text(cr, font, view->stragglers.x + view->stragglers.width / 2,
			view->stragglers.y + view->stragglers.height + 40, PERSEUS__ANCHOR_MIDDLE, "iteration");
}

static void
draw_lanes_legend(cairo_t *cr, const struct view *view, double y)
{
	const int64_t n_per_bin = view->picture->history->n_per_bin;
	double x = view->times.x;
	perseus__set_colour(cr, time_colour);
	cairo_set_line_width(cr, 1.4);
	perseus__stroke_line(cr, x, y, x + 26, y);
	char text[96];
	if (n_per_bin > 1) {
		x = perseus__draw_legend_entry(cr, x, y, "average");
		perseus__set_translucent(cr, time_colour, 0.28);
		cairo_rectangle(cr, x, y - 8, 26, 16);
		cairo_fill(cr);
		(void)snprintf(text, sizeof text, "from least to most of %lld iterations", (long long)n_per_bin);
		x = perseus__draw_legend_entry(cr, x, y, text);
	} else {
		x = perseus__draw_legend_entry(cr, x, y, "each iteration");
	}
	draw_fastest(cr, x, x + 26, y);
	x = perseus__draw_legend_entry(cr, x, y, "without stragglers");
	if (!view->picture->has_reaction)
		return;
	perseus__fill_rect(cr, (struct perseus__rect){x, y - 5, 26, 10}, unanswered_colour);
	(void)perseus__draw_legend_entry(cr, x, y, "a change is not yet answered");
}

enum perseus_status
perseus__chart_simulation(const char *path, const struct perseus__simulation_picture *picture,
		const struct perseus__chart_options *options, struct perseus_error *err)
{
	const struct perseus__chart_options chosen =
			perseus__chart_options(options, "Where the energy of a job goes", PERSEUS__CHART_HEIGHT);
	struct perseus__canvas canvas;
	enum perseus_status status = perseus__canvas_init(&canvas, path, &chosen, err);
	if (status != PERSEUS_OK)
		return status;
	struct view view = {.picture = picture, .width = canvas.width, .height = canvas.height};
	set_rects(&view);
	set_axes(&view);
	perseus__draw_heading(&canvas, chosen.title, picture->heading);
	draw_parts_legend(canvas.cr, &view, 98);
	draw_bars(canvas.cr, &view);
	draw_lanes(canvas.cr, &view);
	draw_lanes_legend(canvas.cr, &view, canvas.height - 24);
	status = perseus__canvas_write(&canvas, err);
	perseus__canvas_fini(&canvas);
	return status;
}
