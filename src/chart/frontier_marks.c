/* The marks on a frontier chart: shapes, captions that keep apart, their entries in the legend. */
#include "chart/frontier_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double LABEL_LINE = 17;
static const double NAME_SIZE = 14;
static const double VALUE_SIZE = 13;

/*
 * Shape and colour (Okabe and Ito 2008) both tell the kinds of marks apart. Hollow ones are larger, so that a filled
 * one on the same spot leaves them visible. Drawn in this order.
 */
static const struct mark {
	enum perseus_marker_kind kind;
	const char *name;
	struct perseus__rgb colour;
	bool is_hollow;
} marks[] = {
	{PERSEUS_MARKER_BASELINE, "baseline: every instruction at its highest clock", {0.13, 0.13, 0.16}, true},
	{PERSEUS_MARKER_FRONTIER, "point of the frontier", {0.0, 0.32, 0.62}, true},
	{PERSEUS_MARKER_OTHER, "other", {0.6, 0.25, 0.45}, false},
	{PERSEUS_MARKER_PLAN, "plan", {0.835, 0.369, 0.0}, false},
};
enum { N_MARKS = sizeof marks / sizeof *marks };

static void
add_shape(cairo_t *cr, struct perseus__point at, enum perseus_marker_kind kind)
{
	switch (kind) {
	case PERSEUS_MARKER_PLAN:
		cairo_arc(cr, at.x, at.y, 6.5, 0, 6.283185307179586);
		break;
	case PERSEUS_MARKER_BASELINE:
		cairo_rectangle(cr, at.x - 9, at.y - 9, 18, 18);
		break;
	case PERSEUS_MARKER_OTHER:
		cairo_move_to(cr, at.x, at.y - 7.5);
		cairo_line_to(cr, at.x + 7, at.y + 5.5);
		cairo_line_to(cr, at.x - 7, at.y + 5.5);
		break;
	case PERSEUS_MARKER_FRONTIER:
		cairo_move_to(cr, at.x, at.y - 11);
		cairo_line_to(cr, at.x + 11, at.y);
		cairo_line_to(cr, at.x, at.y + 11);
		cairo_line_to(cr, at.x - 11, at.y);
		break;
	}
	cairo_close_path(cr);
}

static const struct mark *
mark_of(enum perseus_marker_kind kind)
{
	for (int i = 0; i < N_MARKS; i++)
		if (marks[i].kind == kind)
			return &marks[i];
	return &marks[0];
}

static void
draw_mark(cairo_t *cr, struct perseus__point at, enum perseus_marker_kind kind)
{
	const struct mark *mark = mark_of(kind);
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_MITER);
	add_shape(cr, at, kind);
	perseus__set_colour(cr, perseus__paper);
	cairo_set_line_width(cr, mark->is_hollow ? 5 : 3);
	cairo_stroke_preserve(cr);
	perseus__set_colour(cr, mark->is_hollow ? perseus__paper : mark->colour);
	cairo_fill_preserve(cr);
	perseus__set_colour(cr, mark->colour);
	cairo_set_line_width(cr, 2.2);
	if (mark->is_hollow)
		cairo_stroke_preserve(cr);
	cairo_new_path(cr);
}

static void
value_text(const struct perseus__frontier_view *view, double time_s, double energy_j, char *text, size_t size)
{
	char time[32];
	char energy[32];
	perseus__quantity_text(time_s, view->time_unit, time, sizeof time);
	perseus__quantity_text(energy_j * view->energy_scale, view->energy_unit, energy, sizeof energy);
	(void)snprintf(text, size, "%s, %s", time, energy);
}

/* Markers of one value, as shown, share the caption of the first of them. */
static void
add_caption(const struct perseus__frontier_view *view, int32_t index)
{
	const struct perseus_frontier_marker *marker = &view->picture->marks.markers[index];
	const double time_s = (double)marker->time_ns * 1e-9;
	const double energy_j = (double)marker->energy_nj * 1e-9;
	char value[96];
	value_text(view, time_s, energy_j, value, sizeof value);
	int32_t i = 0;
	while (i < index && !(view->captions[i].is_shown && strcmp(view->captions[i].value, value) == 0))
		i++;
	struct perseus__caption *caption = &view->captions[i];
	if (i == index) {
		caption->is_shown = true;
		caption->colour = perseus__ink;
		memcpy(caption->value, value, sizeof value);
		caption->point = perseus__frontier_point_at(view, time_s, energy_j);
	}
	const size_t length = strlen(caption->name);
	/* Cutting could leave half a character. */
	if (!marker->label || length + 2 + strlen(marker->label) >= sizeof caption->name)
		return;
	(void)snprintf(
			caption->name + length, sizeof caption->name - length, "%s%s", length > 0 ? ", " : "", marker->label);
}

/* A series is named at its middle, where those that begin and end alike are apart; a single point has its value. */
static void
add_series_caption(const struct perseus__frontier_view *view, int32_t index)
{
	const struct perseus_frontier_series *series = &view->picture->marks.series[index];
	struct perseus__caption *caption = &view->captions[view->picture->marks.n_markers + index];
	caption->is_shown = true;
	caption->colour = perseus__series_colour(index);
	caption->point = view->lines[index + 1].points[series->n_points / 2];
	if (strlen(series->label) < sizeof caption->name)
		(void)snprintf(caption->name, sizeof caption->name, "%s", series->label);
	if (series->n_points == 1)
		value_text(view, series->points[0].time_s, series->points[0].energy_j, caption->value, sizeof caption->value);
}

/* Fills captions and labels; returns how many labels. */
static int32_t
make_labels(cairo_t *cr, const struct perseus__frontier_view *view)
{
	const struct perseus__font bold = {NAME_SIZE, true, perseus__ink};
	const struct perseus__font plain = {VALUE_SIZE, false, perseus__ink};
	int32_t n = 0;
	for (int32_t i = 0; i < view->picture->marks.n_markers; i++)
		add_caption(view, i);
	for (int32_t i = 0; i < view->picture->marks.n_series; i++)
		add_series_caption(view, i);
	for (int32_t i = 0; i < view->picture->marks.n_markers + view->picture->marks.n_series; i++) {
		const struct perseus__caption *caption = &view->captions[i];
		if (!caption->is_shown)
			continue;
		const double name_width = perseus__text_width(cr, bold, caption->name);
		view->labels[n++] = (struct perseus__label){
			.point = caption->point,
			.rect = {.width = fmax(name_width, perseus__text_width(cr, plain, caption->value)),
				.height = ((caption->name[0] != '\0') + (caption->value[0] != '\0')) * LABEL_LINE},
		};
	}
	return n;
}

static bool
is_impossible(const struct perseus__frontier_view *view, double x, double y)
{
	if (x < view->curve[1].x)
		return true;
	for (int32_t i = 1; i + 1 < view->n_curve; i++) {
		const struct perseus__point a = view->curve[i];
		const struct perseus__point b = view->curve[i + 1];
		if (x >= a.x && x <= b.x && b.x > a.x)
			return y > a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x);
	}
	return false;
}

static void
draw_label(cairo_t *cr, const struct perseus__frontier_view *view, const struct perseus__caption *caption,
		const struct perseus__label *label)
{
	const struct perseus__font bold = {NAME_SIZE, true, caption->colour};
	const struct perseus__font plain = {VALUE_SIZE, false, perseus__muted};
	const struct perseus__rect *rect = &label->rect;
	/* Text hangs on the side of its mark. */
	const bool is_left = rect->x + rect->width <= label->point.x;
	const enum perseus__anchor anchor = is_left ? PERSEUS__ANCHOR_RIGHT : PERSEUS__ANCHOR_LEFT;
	const double x = is_left ? rect->x + rect->width : rect->x;
	double y = rect->y + 13;
	/* Hides the grid, and most of anything else, behind the text. */
	const bool is_grey = is_impossible(view, rect->x + rect->width / 2, rect->y + rect->height / 2);
	const struct perseus__rgb ground = is_grey ? perseus__impossible_colour : perseus__paper;
	perseus__set_translucent(cr, ground, 0.85);
	cairo_rectangle(cr, rect->x - 2, rect->y, rect->width + 4, rect->height);
	cairo_fill(cr);
	if (caption->name[0]) {
		perseus__draw_text(cr, bold, x, y, anchor, caption->name);
		y += LABEL_LINE;
	}
	perseus__draw_text(cr, plain, x, y, anchor, caption->value);
}

static void
draw_leader(cairo_t *cr, const struct perseus__label *label)
{
	const struct perseus__point foot = perseus__label_foot(label);
	if (hypot(foot.x - label->point.x, foot.y - label->point.y) < 20)
		return;
	perseus__set_colour(cr, perseus__muted);
	cairo_set_line_width(cr, 0.9);
	perseus__stroke_line(cr, label->point.x, label->point.y, foot.x, foot.y);
}

void
perseus__draw_markers(cairo_t *cr, const struct perseus__frontier_view *view)
{
	const struct perseus_frontier_marks *shown = &view->picture->marks;
	const int32_t n_labels = make_labels(cr, view);
	const struct perseus__rect plot = {
		view->plot.x + 6, view->plot.y + 4, view->plot.width - 12, view->plot.height - 30};
	perseus__labels_place(view->labels, n_labels, view->lines, shown->n_series + 1, plot);
	for (int32_t i = 0; i < n_labels; i++)
		draw_leader(cr, &view->labels[i]);
	for (int k = 0; k < N_MARKS; k++)
		for (int32_t i = 0; i < shown->n_markers; i++)
			if (shown->markers[i].kind == marks[k].kind)
				draw_mark(cr,
						perseus__frontier_point_at(view, (double)shown->markers[i].time_ns * 1e-9,
								(double)shown->markers[i].energy_nj * 1e-9),
						marks[k].kind);
	int32_t n = 0;
	for (int32_t i = 0; i < shown->n_markers + shown->n_series; i++)
		if (view->captions[i].is_shown)
			draw_label(cr, view, &view->captions[i], &view->labels[n++]);
}

double
perseus__draw_mark_entries(cairo_t *cr, const struct perseus__frontier_view *view, double x, double y)
{
	for (int i = N_MARKS - 1; i >= 0; i--) {
		bool is_used = false;
		for (int32_t k = 0; k < view->picture->marks.n_markers; k++)
			is_used = is_used || view->picture->marks.markers[k].kind == marks[i].kind;
		if (!is_used)
			continue;
		draw_mark(cr, (struct perseus__point){x + 16, y}, marks[i].kind);
		x = perseus__draw_legend_entry(cr, x, y, marks[i].name);
	}
	return x;
}
