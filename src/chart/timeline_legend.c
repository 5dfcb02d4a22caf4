/* The marks of the timeline and the legend that explains them. */
#include "chart/timeline_internal.h"

#include <math.h>
#include <stdio.h>

const struct perseus__rgb perseus__waiting = {0.955, 0.955, 0.96};
const struct perseus__rgb perseus__deadline_colour = {0.0, 0.32, 0.68};

static const double HATCH_PITCH = 7;
static const double MIN_HATCHED = 9; /* narrower or lower, hatching is noise */
static const double BAND_GAP = 1;
static const double MARGIN = PERSEUS__CHART_MARGIN;
static const double BAR_WIDTH = 340;
static const double BAR_HEIGHT = 14;
static const double ENTRY_PITCH = 23;
static const double SWATCH_WIDTH = 26;
static const double SWATCH_HEIGHT = 15;

struct perseus__rgb
perseus__power_colour(const struct perseus__timeline_view *view, double power_w)
{
	return perseus__heat((power_w - view->power.low) / (view->power.high - view->power.low));
}

/* Lines x + y = c, cut to the rectangle by hand: a clip for every gap would swell vector files. */
static void
add_hatch(cairo_t *cr, struct perseus__rect rect)
{
	const double right = rect.x + rect.width;
	const double bottom = rect.y + rect.height;
	const int64_t first = (int64_t)ceil((rect.x + rect.y) / HATCH_PITCH);
	const int64_t last = (int64_t)floor((right + bottom) / HATCH_PITCH);
	for (int64_t i = first; i <= last; i++) {
		const double c = (double)i * HATCH_PITCH;
		const double x0 = fmax(rect.x, c - bottom);
		const double x1 = fmin(right, c - rect.y);
		cairo_move_to(cr, x0, c - x0);
		cairo_line_to(cr, x1, c - x1);
	}
}

void
perseus__add_waiting_hatch(cairo_t *cr, struct perseus__rect rect)
{
	if (rect.width >= MIN_HATCHED && rect.height >= MIN_HATCHED)
		add_hatch(cr, rect);
}

void
perseus__stroke_waiting_hatch(cairo_t *cr)
{
	cairo_set_source_rgb(cr, 0.80, 0.80, 0.82);
	cairo_set_line_width(cr, 0.8);
	cairo_stroke(cr);
}

/* What part of the band's height a kind fills, from `top` to `bottom`: input and weight gradient make a backward. */
static void
kind_span(enum perseus_kind kind, double *top, double *bottom)
{
	*top = 0;
	*bottom = 1;
	switch (kind) {
	case PERSEUS_KIND_FORWARD:
		*bottom = 0;
		break;
	case PERSEUS_KIND_BACKWARD:
	case PERSEUS_KIND_OVERLAP: /* drawn as its parts */
		break;
	case PERSEUS_KIND_INPUT:
		*bottom = 0.5;
		break;
	case PERSEUS_KIND_WEIGHT:
		*top = 0.5;
		break;
	case PERSEUS_KIND_RECOMPUTE:
		*top = 0.36;
		*bottom = 0.64;
		break;
	case PERSEUS_KIND_DATA_LOAD:
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_GRAD_REDUCE:
	case PERSEUS_KIND_OPTIMIZER_STEP:
	case PERSEUS_KIND_OTHER:
		break;
	}
}

static enum perseus__band_tone
filled_tone(enum perseus_kind kind)
{
	return kind <= PERSEUS_KIND_OVERLAP ? PERSEUS__BAND_FILLED : PERSEUS__BAND_OTHER;
}

static void
add_band_part(cairo_t *cr, struct perseus__rect band, enum perseus_kind kind, enum perseus__band_tone tone)
{
	double top;
	double bottom;
	kind_span(kind, &top, &bottom);
	if (tone == PERSEUS__BAND_EMPTY)
		cairo_rectangle(cr, band.x, band.y, band.width, band.height);
	else if (tone == filled_tone(kind) && bottom > top)
		cairo_rectangle(cr, band.x, band.y + top * band.height, band.width, (bottom - top) * band.height);
}

void
perseus__add_kind_band(cairo_t *cr, struct perseus__rect band, const struct perseus_instruction *instruction,
		enum perseus__band_tone tone)
{
	if (tone == PERSEUS__BAND_GAP) {
		cairo_rectangle(cr, band.x, band.y, band.width, BAND_GAP);
		return;
	}
	band.y += BAND_GAP;
	band.height -= BAND_GAP;
	if (instruction->kind != PERSEUS_KIND_OVERLAP) {
		add_band_part(cr, band, instruction->kind, tone);
		return;
	}
	/* The two run together: side by side, as they share the time. */
	band.width /= 2;
	add_band_part(cr, band, instruction->part[0].kind, tone);
	band.x += band.width;
	add_band_part(cr, band, instruction->part[1].kind, tone);
}

void
perseus__fill_band_tone(cairo_t *cr, enum perseus__band_tone tone)
{
	static const struct perseus__rgb empty = {0.83, 0.83, 0.85};
	static const struct perseus__rgb other = {0.55, 0.55, 0.60};
	switch (tone) {
	case PERSEUS__BAND_GAP:
		perseus__set_colour(cr, perseus__paper);
		break;
	case PERSEUS__BAND_EMPTY:
		perseus__set_colour(cr, empty);
		break;
	case PERSEUS__BAND_FILLED:
		perseus__set_colour(cr, perseus__ink);
		break;
	case PERSEUS__BAND_OTHER:
		perseus__set_colour(cr, other);
		break;
	}
	cairo_fill(cr);
}

/* Black beside white: seen on light and on dark boxes, in colour and in grey. */
void
perseus__draw_critical_outline(cairo_t *cr, struct perseus__rect box)
{
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_MITER);
	perseus__set_colour(cr, perseus__paper);
	cairo_set_line_width(cr, 1.6);
	cairo_rectangle(cr, box.x + 3.0, box.y + 3.0, fmax(box.width - 6.0, 0), fmax(box.height - 6.0, 0));
	cairo_stroke(cr);
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_set_line_width(cr, 2.4);
	cairo_rectangle(cr, box.x + 1.2, box.y + 1.2, fmax(box.width - 2.4, 0), fmax(box.height - 2.4, 0));
	cairo_stroke(cr);
}

void
perseus__stroke_critical_path(cairo_t *cr)
{
	cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
	cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
	perseus__set_colour(cr, perseus__paper);
	cairo_set_line_width(cr, 5.5);
	cairo_stroke_preserve(cr);
	cairo_set_source_rgb(cr, 0, 0, 0);
	cairo_set_line_width(cr, 2.2);
	cairo_stroke(cr);
	cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
}

void
perseus__set_deadline_pen(cairo_t *cr)
{
	static const double dashes[] = {7, 4};
	perseus__set_colour(cr, perseus__deadline_colour);
	cairo_set_line_width(cr, 2);
	cairo_set_dash(cr, dashes, 2, 0);
}

static void
draw_bar(cairo_t *cr, struct perseus__timeline_view *view, double y)
{
	const struct perseus__font font = {13, false, perseus__ink};
	const struct perseus__rect bar = {MARGIN, y + 18, BAR_WIDTH, BAR_HEIGHT};
	perseus__draw_text(cr, font, bar.x, y + 11, PERSEUS__ANCHOR_LEFT, "average power of an instruction (W)");
	/*
	 * A cairo gradient would number itself in SVG and band in PDF; stripes do neither. Each runs to the end and is
	 * covered by the next, which leaves no seams.
	 */
	const int n_stripes = 85;
	for (int i = 0; i < n_stripes; i++) {
		const double x = bar.x + bar.width * i / n_stripes;
		perseus__fill_rect(cr, (struct perseus__rect){x, bar.y, bar.x + bar.width - x, bar.height},
				perseus__heat((i + 0.5) / n_stripes));
	}
	view->power.from = bar.x;
	view->power.to = bar.x + bar.width;
	perseus__draw_ticks_x(cr, &view->power, bar);
}

/* Entries flow from left to right, then down. */
struct flow {
	cairo_t *cr;
	double left;
	double right;
	double x;
	double y; /* of the swatch */
};

/* Room for a swatch, with its text drawn beside it. */
static struct perseus__rect
next_entry(struct flow *flow, const char *text)
{
	const struct perseus__font font = {13, false, perseus__ink};
	const double width = SWATCH_WIDTH + 7 + perseus__text_width(flow->cr, font, text);
	if (flow->x > flow->left && flow->x + width > flow->right) {
		flow->x = flow->left;
		flow->y += ENTRY_PITCH;
	}
	const struct perseus__rect swatch = {flow->x, flow->y, SWATCH_WIDTH, SWATCH_HEIGHT};
	perseus__draw_text(flow->cr, font, swatch.x + SWATCH_WIDTH + 7, swatch.y + 12, PERSEUS__ANCHOR_LEFT, text);
	flow->x += width + 26;
	return swatch;
}

static void
add_waiting_entry(struct flow *flow, const struct perseus__timeline *timeline)
{
	double low = timeline->blocking_w[0];
	double high = low;
	for (int32_t r = 1; r < timeline->schedule->n_ranks; r++) {
		low = fmin(low, timeline->blocking_w[r]);
		high = fmax(high, timeline->blocking_w[r]);
	}
	char least[32];
	char most[32];
	char text[96];
	perseus__number_text(low, 0, least, sizeof least);
	perseus__number_text(high, 0, most, sizeof most);
	if (high - low < 0.5)
		(void)snprintf(text, sizeof text, "waiting (%s W)", most);
	else
		(void)snprintf(text, sizeof text, "waiting (%s to %s W)", least, most);
	const struct perseus__rect swatch = next_entry(flow, high > 0 ? text : "waiting");
	perseus__fill_rect(flow->cr, swatch, perseus__waiting);
	perseus__add_waiting_hatch(flow->cr, swatch);
	perseus__stroke_waiting_hatch(flow->cr);
}

static void
add_kind_entries(struct flow *flow, const struct perseus__timeline_view *view)
{
	for (int kind = 0; kind <= PERSEUS_KIND_OTHER; kind++) {
		const struct perseus_instruction instruction = {.kind = (enum perseus_kind)kind};
		if (!view->has_kind[kind] || instruction.kind == PERSEUS_KIND_OVERLAP)
			continue;
		const struct perseus__rect swatch = next_entry(flow, perseus_kind_name(instruction.kind));
		const double band_height = 7;
		perseus__fill_rect(flow->cr, swatch, perseus__heat(0.3));
		const struct perseus__rect band = {swatch.x, swatch.y + swatch.height - band_height, swatch.width, band_height};
		for (int tone = 0; tone < PERSEUS__N_BAND_TONES; tone++) {
			perseus__add_kind_band(flow->cr, band, &instruction, (enum perseus__band_tone)tone);
			perseus__fill_band_tone(flow->cr, (enum perseus__band_tone)tone);
		}
	}
}

static void
add_critical_entry(struct flow *flow, const struct perseus__timeline_view *view)
{
	const struct perseus__rect swatch =
			next_entry(flow, view->is_roomy ? "on a critical path" : "critical path (one of the longest)");
	perseus__fill_rect(flow->cr, swatch, perseus__heat(0.3));
	if (view->is_roomy) {
		perseus__draw_critical_outline(flow->cr, swatch);
		return;
	}
	cairo_move_to(flow->cr, swatch.x, swatch.y + swatch.height / 2);
	cairo_line_to(flow->cr, swatch.x + swatch.width, swatch.y + swatch.height / 2);
	perseus__stroke_critical_path(flow->cr);
}

double
perseus__timeline_legend_height(void)
{
	return 72;
}

void
perseus__draw_timeline_legend(const struct perseus__canvas *canvas, struct perseus__timeline_view *view, double y)
{
	cairo_t *cr = canvas->cr;
	draw_bar(cr, view, y);
	struct flow flow = {
		.cr = cr,
		.left = MARGIN + BAR_WIDTH + 50,
		.right = canvas->width - MARGIN,
		.x = MARGIN + BAR_WIDTH + 50,
		.y = y,
	};
	add_waiting_entry(&flow, view->timeline);
	add_critical_entry(&flow, view);
	if (view->shows_deadline) {
		const struct perseus__rect swatch = next_entry(&flow, "deadline");
		perseus__set_deadline_pen(cr);
		perseus__stroke_line(cr, swatch.x + swatch.width / 2, swatch.y - 1, swatch.x + swatch.width / 2,
				swatch.y + swatch.height + 1);
		cairo_set_dash(cr, NULL, 0, 0);
	}
	if (view->band_height > 0) {
		flow.x = flow.left;
		flow.y += ENTRY_PITCH;
		add_kind_entries(&flow, view);
	}
}
