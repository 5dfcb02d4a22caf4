/* Draws a paced job over time, see the header. */
#include "chart/pace_chart.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static const double LEFT = 128;
static const double TOP = 100;
static const double BOTTOM = 112;
static const double LANE_GAP = 44;       /* with the name of the lower lane in it */
static const double FACTOR_SHARE = 0.32; /* of the lanes' height */
static const double MOST_BINS = 1000;
static const double S_PER_DAY = 86400;

static const struct perseus__rgb factor_colour = {0.42, 0.36, 0.30};
static const struct perseus__rgb paced_colour = {0.0, 0.42, 0.36};

/* Of the lines, in their order: told apart by colour and dashes. */
static const struct style {
	struct perseus__rgb colour;
	double dash; /* 0: none */
} styles[PERSEUS_N_PACE_BASELINES] = {
	{{0.13, 0.28, 0.62}, 0},
	{{0.80, 0.26, 0.12}, 7},
	{{0.58, 0.20, 0.52}, 2.5},
};

/* A piece of the time axis: a slot, or where there are too many a day. */
struct bin {
	double begin_s;
	double duration_s;
	double factor_s; /* factor times duration */
};

struct view {
	const struct perseus__pace_picture *picture;
	struct perseus__rect factors;
	struct perseus__rect powers;
	struct perseus__axis time; /* s; ticks are drawn by their own rule */
	struct perseus__axis factor;
	struct perseus__axis power;
	double watts_per_unit;
	const char *power_unit;
	bool is_daily;
	double offset_s; /* from midnight UTC to the beginning */
	struct bin *bins;
	int32_t n_bins;
	int32_t *bin_of; /* length n_slots */
};

static double
total_s(const struct perseus_pace_problem *problem)
{
	double sum_s = 0;
	for (int32_t i = 0; i < problem->n_slots; i++)
		sum_s += problem->slots[i].duration_s;
	return sum_s;
}

/* Slots to bins. */
static void
fill_bins(struct view *view)
{
	const struct perseus_pace_problem *problem = view->picture->problem;
	double at_s = 0, last_day = -1;
	for (int32_t i = 0; i < problem->n_slots; i++) {
		const struct perseus_pace_slot *slot = &problem->slots[i];
		const double day = floor((view->offset_s + at_s + 1e-3) / S_PER_DAY);
		if (!view->is_daily || day != last_day)
			view->bins[view->n_bins++].begin_s = at_s;
		last_day = day;
		struct bin *bin = &view->bins[view->n_bins - 1];
		bin->duration_s += slot->duration_s;
		bin->factor_s += slot->duration_s * slot->factor_per_kwh;
		view->bin_of[i] = view->n_bins - 1;
		at_s += slot->duration_s;
	}
}

static void
set_axes(struct view *view)
{
	const struct perseus_operating_curve *curve = view->picture->problem->curve;
	const double high_w = fmax(curve->points[curve->n_points - 1].power_w, view->picture->problem->idle_power_w);
	double low = 0, high = 0;
	for (int32_t i = 0; i < view->n_bins; i++) {
		low = fmin(low, view->bins[i].factor_s / view->bins[i].duration_s);
		high = fmax(high, view->bins[i].factor_s / view->bins[i].duration_s);
	}
	const double span = high > low ? high - low : 1;
	view->watts_per_unit = high_w >= 1e6 ? 1e6 : high_w >= 1e3 ? 1e3 : 1;
	view->power_unit = high_w >= 1e6 ? "MW" : high_w >= 1e3 ? "kW" : "W";
	view->time = (struct perseus__axis){
		.high = total_s(view->picture->problem), .from = view->powers.x, .to = view->powers.x + view->powers.width};
	view->factor = (struct perseus__axis){.low = low < 0 ? low - 0.06 * span : 0,
		.high = high + 0.06 * span,
		.from = view->factors.y + view->factors.height,
		.to = view->factors.y};
	view->factor.ticks = perseus__ticks_between(view->factor.low, view->factor.high, 6);
	view->power = (struct perseus__axis){.high = high_w / view->watts_per_unit * 1.08,
		.from = view->powers.y + view->powers.height,
		.to = view->powers.y};
	view->power.ticks = perseus__ticks_between(0, view->power.high, 8);
}

/* Lines of the grid in time: at round hours of the day, or at days, so that some ten fit. */
static double
time_step_s(const struct view *view)
{
	static const double hours[] = {1, 2, 3, 6, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24, 56 * 24};
	const double most = view->powers.width / 96;
	size_t i = 0;
	while (i + 1 < sizeof hours / sizeof *hours && view->time.high / (hours[i] * 3600) > most)
		i++;
	return hours[i] * 3600;
}

static void
time_text(const struct view *view, double at_s, double step_s, char *text, size_t size)
{
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const time_t moment = (time_t)llround((double)view->picture->begin_ms / 1e3 + at_s);
	struct tm tm;
	(void)gmtime_r(&moment, &tm);
	if (step_s < S_PER_DAY && tm.tm_hour != 0)
		(void)snprintf(text, size, "%02d:%02d", tm.tm_hour, tm.tm_min);
	else
		(void)snprintf(text, size, "%d %s", tm.tm_mday, months[tm.tm_mon]);
}

static void
draw_time(cairo_t *cr, const struct view *view, bool with_text)
{
	const struct perseus__rect *rect = with_text ? &view->powers : &view->factors;
	const struct perseus__font font = {13, false, perseus__ink};
	const double step_s = time_step_s(view);
	const double first_s = ceil(view->offset_s / step_s - 1e-9) * step_s - view->offset_s;
	const int32_t n_ticks = (int32_t)floor((view->time.high + 1 - first_s) / step_s) + 1;
	char text[32];
	cairo_set_line_width(cr, 1);
	for (int32_t i = 0; i < n_ticks; i++) {
		const double at_s = first_s + i * step_s;
		const double x = perseus__axis_at(&view->time, at_s);
		perseus__set_colour(cr, perseus__faint);
		perseus__stroke_line(cr, x, rect->y, x, rect->y + rect->height);
		if (!with_text)
			continue;
		time_text(view, at_s, step_s, text, sizeof text);
		perseus__draw_text(cr, font, x, rect->y + rect->height + 22, PERSEUS__ANCHOR_MIDDLE, text);
	}
}

static void
draw_frame(cairo_t *cr, const struct view *view, const struct perseus__axis *axis, struct perseus__rect rect,
		const char *name)
{
	const struct perseus__font heading = {15, true, perseus__ink};
	perseus__draw_ticks_y(cr, axis, rect);
	perseus__set_colour(cr, perseus__muted);
	cairo_set_line_width(cr, 1.2);
	perseus__stroke_line(cr, rect.x, rect.y, rect.x, rect.y + rect.height);
	const double zero = axis == &view->factor ? perseus__axis_at(axis, 0) : rect.y + rect.height;
	perseus__stroke_line(cr, rect.x, zero, rect.x + rect.width, zero);
	perseus__draw_text_cut(cr, heading, rect.x, rect.y - 12, rect.x + rect.width, name);
}

static void
draw_factors(cairo_t *cr, const struct view *view)
{
	const double zero = perseus__axis_at(&view->factor, 0);
	cairo_new_path(cr);
	for (int pass = 0; pass < 2; pass++) { /* the area, then its edge */
		if (pass == 0)
			cairo_move_to(cr, perseus__axis_at(&view->time, 0), zero);
		for (int32_t i = 0; i < view->n_bins; i++) {
			const struct bin *bin = &view->bins[i];
			const double y = perseus__axis_at(&view->factor, bin->factor_s / bin->duration_s);
			cairo_line_to(cr, perseus__axis_at(&view->time, bin->begin_s), y);
			cairo_line_to(cr, perseus__axis_at(&view->time, bin->begin_s + bin->duration_s), y);
		}
		if (pass == 0) {
			cairo_line_to(cr, perseus__axis_at(&view->time, view->time.high), zero);
			cairo_close_path(cr);
			perseus__set_translucent(cr, factor_colour, 0.16);
			cairo_fill(cr);
		} else {
			perseus__set_colour(cr, factor_colour);
			cairo_set_line_width(cr, 1.6);
			cairo_stroke(cr);
		}
	}
}

/* Adds a course to the path in steps: its average power in each bin while it is held. Returns where it ends. */
static double
trace(cairo_t *cr, const struct view *view, const struct perseus_pace_course *course)
{
	double end_x = view->powers.x;
	for (int32_t i = 0; i < course->n_slots;) {
		const int32_t bin = view->bin_of[i];
		double held_s = 0, energy_j = 0;
		for (; i < course->n_slots && view->bin_of[i] == bin; i++) {
			held_s += course->slots[i].held_s;
			energy_j += course->slots[i].energy_j;
		}
		if (!(held_s > 0))
			break;
		const double y = perseus__axis_at(&view->power, energy_j / held_s / view->watts_per_unit);
		const double begin_s = view->bins[bin].begin_s;
		end_x = perseus__axis_at(&view->time, begin_s + held_s);
		cairo_line_to(cr, perseus__axis_at(&view->time, begin_s), y);
		cairo_line_to(cr, end_x, y);
	}
	return end_x;
}

static void
draw_paced(cairo_t *cr, const struct view *view)
{
	const double bottom = view->power.from;
	cairo_new_path(cr);
	cairo_move_to(cr, view->powers.x, bottom);
	const double end_x = trace(cr, view, view->picture->paced.course);
	cairo_line_to(cr, end_x, bottom);
	cairo_close_path(cr);
	perseus__set_translucent(cr, paced_colour, 0.30);
	cairo_fill_preserve(cr);
	perseus__set_colour(cr, paced_colour);
	cairo_set_line_width(cr, 2);
	cairo_stroke(cr);
}

static void
set_style(cairo_t *cr, int32_t index)
{
	perseus__set_colour(cr, styles[index].colour);
	cairo_set_line_width(cr, 1.7);
	cairo_set_dash(cr, &styles[index].dash, styles[index].dash > 0 ? 1 : 0, 0);
}

static void
draw_line(cairo_t *cr, const struct view *view, int32_t index)
{
	cairo_new_path(cr);
	const double end_x = trace(cr, view, view->picture->lines[index].course);
	cairo_line_to(cr, end_x, view->power.from);
	set_style(cr, index);
	cairo_stroke(cr);
	cairo_set_dash(cr, NULL, 0, 0);
}

static void
draw_legend(cairo_t *cr, const struct view *view, double y)
{
	double x = view->powers.x;
	const struct perseus__rect box = {x, y - 8, 26, 16};
	perseus__set_translucent(cr, paced_colour, 0.30);
	cairo_rectangle(cr, box.x, box.y, box.width, box.height);
	cairo_fill_preserve(cr);
	perseus__set_colour(cr, paced_colour);
	cairo_set_line_width(cr, 2);
	cairo_stroke(cr);
	x = perseus__draw_legend_entry(cr, x, y, view->picture->paced.label);
	for (int32_t i = 0; i < view->picture->n_lines; i++) {
		set_style(cr, i);
		perseus__stroke_line(cr, x, y, x + 26, y);
		cairo_set_dash(cr, NULL, 0, 0);
		x = perseus__draw_legend_entry(cr, x, y, view->picture->lines[i].label);
	}
}

static void
draw_all(const struct perseus__canvas *canvas, const struct view *view, const char *title)
{
	cairo_t *cr = canvas->cr;
	char text[96];
	perseus__draw_heading(canvas, title, view->picture->heading);
	perseus__draw_grid_y(cr, &view->factor, view->factors);
	draw_time(cr, view, false);
	draw_factors(cr, view);
	(void)snprintf(
			text, sizeof text, "%.48s%s", view->picture->factor_name, view->is_daily ? ", mean of each day" : "");
	draw_frame(cr, view, &view->factor, view->factors, text);
	perseus__draw_grid_y(cr, &view->power, view->powers);
	draw_time(cr, view, true);
	draw_paced(cr, view);
	for (int32_t i = 0; i < view->picture->n_lines; i++)
		draw_line(cr, view, i);
	(void)snprintf(
			text, sizeof text, "power of the job (%s)%s", view->power_unit, view->is_daily ? ", mean of each day" : "");
	draw_frame(cr, view, &view->power, view->powers, text);
	const struct perseus__font font = {14, false, perseus__ink};
	perseus__draw_text(cr, font, view->powers.x + view->powers.width / 2, view->power.from + 46, PERSEUS__ANCHOR_MIDDLE,
			"time (UTC)");
	draw_legend(cr, view, canvas->height - 30);
}

static bool
view_init(struct view *view, const struct perseus__canvas *canvas)
{
	const struct perseus_pace_problem *problem = view->picture->problem;
	const double width = canvas->width - LEFT - 36, height = fmax(canvas->height - TOP - BOTTOM - LANE_GAP, 80);
	view->factors = (struct perseus__rect){LEFT, TOP, width, height * FACTOR_SHARE};
	view->powers =
			(struct perseus__rect){LEFT, TOP + height * FACTOR_SHARE + LANE_GAP, width, height * (1 - FACTOR_SHARE)};
	view->offset_s = fmod((double)view->picture->begin_ms / 1e3, S_PER_DAY);
	view->is_daily = problem->n_slots > MOST_BINS;
	view->bins = perseus__new_array((size_t)problem->n_slots, sizeof *view->bins);
	view->bin_of = perseus__new_array((size_t)problem->n_slots, sizeof *view->bin_of);
	if (!view->bins || !view->bin_of)
		return false;
	fill_bins(view);
	set_axes(view);
	return true;
}

enum perseus_status
perseus__chart_pace(const char *path, const struct perseus__pace_picture *picture,
		const struct perseus__chart_options *options, struct perseus_error *err)
{
	const struct perseus__chart_options chosen =
			perseus__chart_options(options, "A job paced by the grid", PERSEUS__CHART_HEIGHT);
	struct perseus__canvas canvas;
	enum perseus_status status = perseus__canvas_init(&canvas, path, &chosen, err);
	if (status != PERSEUS_OK)
		return status;
	struct view view = {.picture = picture};
	if (view_init(&view, &canvas)) {
		draw_all(&canvas, &view, chosen.title);
		status = perseus__canvas_write(&canvas, err);
	} else {
		status = perseus__no_memory(err);
	}
	perseus__free(view.bins);
	perseus__free(view.bin_of);
	perseus__canvas_fini(&canvas);
	return status;
}
