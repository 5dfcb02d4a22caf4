/* The pens that all charts share: text, lines, axes. */
#include "chart/canvas.h"

#include <stdio.h>
#include <string.h>

const struct perseus__rgb perseus__ink = {0.13, 0.13, 0.16};
const struct perseus__rgb perseus__muted = {0.42, 0.42, 0.46};
const struct perseus__rgb perseus__faint = {0.87, 0.87, 0.89};
const struct perseus__rgb perseus__paper = {1, 1, 1};

static const double TICK_LENGTH = 5;
static const double TICK_FONT_SIZE = 13;

void
perseus__set_colour(cairo_t *cr, struct perseus__rgb colour)
{
	cairo_set_source_rgb(cr, colour.red, colour.green, colour.blue);
}

void
perseus__set_translucent(cairo_t *cr, struct perseus__rgb colour, double opacity)
{
	cairo_set_source_rgba(cr, colour.red, colour.green, colour.blue, opacity);
}

void
perseus__fill_rect(cairo_t *cr, struct perseus__rect rect, struct perseus__rgb colour)
{
	perseus__set_colour(cr, colour);
	cairo_rectangle(cr, rect.x, rect.y, rect.width, rect.height);
	cairo_fill(cr);
}

void
perseus__stroke_line(cairo_t *cr, double x0, double y0, double x1, double y1)
{
	cairo_move_to(cr, x0, y0);
	cairo_line_to(cr, x1, y1);
	cairo_stroke(cr);
}

static void
select_font(cairo_t *cr, struct perseus__font font)
{
	cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
			font.is_bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, font.size);
	perseus__set_colour(cr, font.colour);
}

double
perseus__text_width(cairo_t *cr, struct perseus__font font, const char *text)
{
	cairo_text_extents_t extents;
	select_font(cr, font);
	cairo_text_extents(cr, text, &extents);
	return extents.x_advance;
}

void
perseus__draw_text(
		cairo_t *cr, struct perseus__font font, double x, double y, enum perseus__anchor anchor, const char *text)
{
	const double width = perseus__text_width(cr, font, text);
	double shift = 0;
	switch (anchor) {
	case PERSEUS__ANCHOR_LEFT:
		break;
	case PERSEUS__ANCHOR_MIDDLE:
		shift = width / 2;
		break;
	case PERSEUS__ANCHOR_RIGHT:
		shift = width;
		break;
	}
	cairo_move_to(cr, x - shift, y);
	cairo_show_text(cr, text);
	cairo_new_path(cr); /* show_text leaves a current point behind */
}

void
perseus__draw_text_up(cairo_t *cr, struct perseus__font font, double x, double y, const char *text)
{
	cairo_save(cr);
	cairo_translate(cr, x, y);
	cairo_rotate(cr, -1.5707963267948966);
	perseus__draw_text(cr, font, 0, 0, PERSEUS__ANCHOR_MIDDLE, text);
	cairo_restore(cr);
}

/* Shortens `text` by one character of UTF-8. */
static void
drop_last(char *text)
{
	size_t length = strlen(text);
	if (length > 0)
		length--;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	text[length] = '\0';
}

void
perseus__draw_text_cut(cairo_t *cr, struct perseus__font font, double x, double y, double x_limit, const char *text)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	if (x + perseus__text_width(cr, font, text) <= x_limit) {
		perseus__draw_text(cr, font, x, y, PERSEUS__ANCHOR_LEFT, text);
		return;
	}
	char cut[400 + sizeof ellipsis]; /* no sheet is wider */
	(void)snprintf(cut, 400, "%s", text);
	drop_last(cut); /* perhaps half a character */
	const double room = x_limit - x - perseus__text_width(cr, font, ellipsis);
	while (cut[0] && perseus__text_width(cr, font, cut) > room)
		drop_last(cut);
	memcpy(cut + strlen(cut), ellipsis, sizeof ellipsis);
	perseus__draw_text(cr, font, x, y, PERSEUS__ANCHOR_LEFT, cut);
}

void
perseus__draw_heading(const struct perseus__canvas *canvas, const char *title, const char *heading)
{
	const struct perseus__font large = {23, true, perseus__ink};
	const struct perseus__font small = {15, false, perseus__muted};
	const double margin = PERSEUS__CHART_MARGIN, right = canvas->width - margin;
	perseus__draw_text_cut(canvas->cr, large, margin, 38, right, title);
	if (heading)
		perseus__draw_text_cut(canvas->cr, small, margin, 64, right, heading);
}

double
perseus__draw_legend_entry(cairo_t *cr, double x, double y, const char *text)
{
	const struct perseus__font font = {13, false, perseus__ink};
	perseus__draw_text(cr, font, x + 32, y + 4.5, PERSEUS__ANCHOR_LEFT, text);
	return x + 32 + perseus__text_width(cr, font, text) + 28;
}

double
perseus__axis_at(const struct perseus__axis *axis, double value)
{
	return axis->from + (value - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

void
perseus__draw_grid_x(cairo_t *cr, const struct perseus__axis *axis, struct perseus__rect plot)
{
	perseus__set_colour(cr, perseus__faint);
	cairo_set_line_width(cr, 1);
	for (int64_t i = axis->ticks.first; i <= axis->ticks.last; i++) {
		const double x = perseus__axis_at(axis, perseus__ticks_value(&axis->ticks, i));
		perseus__stroke_line(cr, x, plot.y, x, plot.y + plot.height);
	}
}

void
perseus__draw_grid_y(cairo_t *cr, const struct perseus__axis *axis, struct perseus__rect plot)
{
	perseus__set_colour(cr, perseus__faint);
	cairo_set_line_width(cr, 1);
	for (int64_t i = axis->ticks.first; i <= axis->ticks.last; i++) {
		const double y = perseus__axis_at(axis, perseus__ticks_value(&axis->ticks, i));
		perseus__stroke_line(cr, plot.x, y, plot.x + plot.width, y);
	}
}

void
perseus__draw_sides(cairo_t *cr, struct perseus__rect plot)
{
	const double bottom = plot.y + plot.height;
	perseus__set_colour(cr, perseus__muted);
	cairo_set_line_width(cr, 1.2);
	perseus__stroke_line(cr, plot.x, plot.y, plot.x, bottom);
	perseus__stroke_line(cr, plot.x, bottom, plot.x + plot.width, bottom);
}

static void
tick_text(const struct perseus__axis *axis, int64_t index, char *text, size_t size)
{
	perseus__number_text(perseus__ticks_value(&axis->ticks, index), axis->ticks.decimals, text, size);
}

void
perseus__draw_ticks_x(cairo_t *cr, const struct perseus__axis *axis, struct perseus__rect plot)
{
	const struct perseus__font font = {TICK_FONT_SIZE, false, perseus__muted};
	const double bottom = plot.y + plot.height;
	for (int64_t i = axis->ticks.first; i <= axis->ticks.last; i++) {
		const double x = perseus__axis_at(axis, perseus__ticks_value(&axis->ticks, i));
		char text[32];
		tick_text(axis, i, text, sizeof text);
		perseus__set_colour(cr, perseus__muted);
		cairo_set_line_width(cr, 1);
		perseus__stroke_line(cr, x, bottom, x, bottom + TICK_LENGTH);
		perseus__draw_text(cr, font, x, bottom + TICK_LENGTH + 13, PERSEUS__ANCHOR_MIDDLE, text);
	}
}

void
perseus__draw_ticks_y(cairo_t *cr, const struct perseus__axis *axis, struct perseus__rect plot)
{
	const struct perseus__font font = {TICK_FONT_SIZE, false, perseus__muted};
	for (int64_t i = axis->ticks.first; i <= axis->ticks.last; i++) {
		const double y = perseus__axis_at(axis, perseus__ticks_value(&axis->ticks, i));
		char text[32];
		tick_text(axis, i, text, sizeof text);
		perseus__set_colour(cr, perseus__muted);
		cairo_set_line_width(cr, 1);
		perseus__stroke_line(cr, plot.x - TICK_LENGTH, y, plot.x, y);
		perseus__draw_text(cr, font, plot.x - TICK_LENGTH - 5, y + 4.5, PERSEUS__ANCHOR_RIGHT, text);
	}
}
