/* Draws an allocation, see the header. */
#include "chart/allocation_chart.h"

#include <math.h>
#include <stdio.h>

enum { MAX_HEIGHT = 4000, TEXT_BYTES = 64 };

static const double MARGIN = PERSEUS__CHART_MARGIN;
static const double LEFT = 210;  /* names beside the bars */
static const double RIGHT = 220; /* numbers behind them */
static const double TOP = 122;
static const double BOTTOM = 64;
static const double PITCH = 36; /* of many jobs, for which the sheet grows */
static const double MOST_PITCH = 180;
static const double BAR_SHARE = 0.66;  /* of the pitch */
static const double LEAST_WORDED = 13; /* pitch of bars that have words */

static const struct perseus__rgb speed_colour = {0.13, 0.40, 0.53};
static const struct perseus__rgb full_colour = {0.90, 0.91, 0.93};
static const struct perseus__rgb even_colour = {0.80, 0.33, 0.10};

struct view {
	const struct perseus__allocation_picture *picture;
	struct perseus__rect plot;
	struct perseus__axis speed; /* in percent of full */
	double pitch;
};

static void
draw_bar(cairo_t *cr, const struct view *view, int32_t index)
{
	const struct perseus__allocation_bar *bar = &view->picture->bars[index];
	const double height = view->pitch * BAR_SHARE;
	const double y = view->plot.y + index * view->pitch + (view->pitch - height) / 2;
	const double end = perseus__axis_at(&view->speed, 100 * bar->speed);
	const double even = perseus__axis_at(&view->speed, 100 * bar->even_speed);
	perseus__fill_rect(cr, (struct perseus__rect){view->plot.x, y, view->plot.width, height}, full_colour);
	perseus__fill_rect(cr, (struct perseus__rect){view->plot.x, y, end - view->plot.x, height}, speed_colour);
	perseus__fill_rect(cr, (struct perseus__rect){even - 1.5, y - 2, 3, height + 4}, even_colour);
	if (view->pitch < LEAST_WORDED)
		return;
	char text[TEXT_BYTES];
	const struct perseus__font font = {fmin(14, view->pitch * 0.75), false, perseus__ink};
	const double base = y + height / 2 + font.size * 0.35;
	const double name_x = view->plot.x - 12 - fmin(perseus__text_width(cr, font, bar->label), LEFT - MARGIN);
	perseus__draw_text_cut(cr, font, name_x, base, view->plot.x - 10, bar->label);
	(void)snprintf(text, sizeof text, "%.1f %%, %.4g kW", 100 * bar->speed, bar->power_w / 1e3);
	perseus__draw_text(cr, font, view->plot.x + view->plot.width + 12, base, PERSEUS__ANCHOR_LEFT, text);
}

static void
draw_bars(cairo_t *cr, const struct view *view)
{
	const struct perseus__font font = {14, false, perseus__ink};
	for (int32_t i = 0; i < view->picture->n_bars; i++)
		draw_bar(cr, view, i);
	perseus__set_colour(cr, perseus__muted);
	cairo_set_line_width(cr, 1.2);
	perseus__stroke_line(cr, view->plot.x, view->plot.y, view->plot.x, view->plot.y + view->plot.height);
	perseus__draw_ticks_x(cr, &view->speed, view->plot);
	perseus__draw_text(cr, font, view->plot.x + view->plot.width / 2, view->plot.y + view->plot.height + 42,
			PERSEUS__ANCHOR_MIDDLE, "speed (% of the job's own full speed)");
}

static void
draw_legend(cairo_t *cr, double x, double y)
{
	perseus__fill_rect(cr, (struct perseus__rect){x, y - 8, 26, 16}, speed_colour);
	x = perseus__draw_legend_entry(cr, x, y, "as allocated");
	perseus__fill_rect(cr, (struct perseus__rect){x + 11, y - 10, 3, 20}, even_colour);
	(void)perseus__draw_legend_entry(cr, x, y, "with the same percentage of power for everybody");
}

/* Height of the sheet where nobody asks for another. */
static int32_t
own_height(int32_t n_bars)
{
	return (int32_t)fmin(fmax(PERSEUS__CHART_HEIGHT, ceil(TOP + BOTTOM + n_bars * PITCH)), MAX_HEIGHT);
}

enum perseus_status
perseus__chart_allocation(const char *path, const struct perseus__allocation_picture *picture,
		const struct perseus__chart_options *options, struct perseus_error *err)
{
	const struct perseus__chart_options chosen =
			perseus__chart_options(options, "Power of a site among jobs", own_height(picture->n_bars));
	struct perseus__canvas canvas;
	enum perseus_status status = perseus__canvas_init(&canvas, path, &chosen, err);
	if (status != PERSEUS_OK)
		return status;
	struct view view = {
		.picture = picture, .pitch = fmin(MOST_PITCH, fmax(canvas.height - TOP - BOTTOM, 1) / picture->n_bars)};
	view.plot = (struct perseus__rect){
		LEFT + MARGIN, TOP, canvas.width - LEFT - MARGIN - RIGHT, view.pitch * picture->n_bars};
	view.speed = (struct perseus__axis){.high = 100, .from = view.plot.x, .to = view.plot.x + view.plot.width};
	view.speed.ticks = perseus__ticks_between(0, 100, 11);
	perseus__draw_heading(&canvas, chosen.title, picture->heading);
	draw_legend(canvas.cr, view.plot.x, 96);
	draw_bars(canvas.cr, &view);
	status = perseus__canvas_write(&canvas, err);
	perseus__canvas_fini(&canvas);
	return status;
}
