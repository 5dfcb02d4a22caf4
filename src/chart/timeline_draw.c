/* Draws a timeline from plain data: layout, panels, boxes, critical path. Knows neither frontier nor plan. */
#include "chart/timeline_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { MAX_DEFAULT_HEIGHT = 4000 };

static const double MARGIN = PERSEUS__CHART_MARGIN;
static const double TITLE_HEIGHT = 82;
static const double HEADING_HEIGHT = 26;
static const double TICKS_HEIGHT = 24;
static const double AXIS_TITLE_HEIGHT = 22;
static const double PANEL_GAP = 16;
static const double MAX_ROW_PITCH = 130;
static const double MIN_DEFAULT_PITCH = 17; /* many ranks make the sheet higher, not the rows lower */
static const double MIN_BANDED = 13;        /* lower rows have no kind band */
static const double MIN_BANDED_WIDTH = 2;   /* mean width of boxes below which a band is a blur */
static const double ROOMY_WIDTH = 17;       /* mean width of boxes from which each can be outlined */
static const double ROOMY_HEIGHT = 20;
static const double BOX_GAP = 0.8; /* between roomy boxes; others would be all gaps */
static const double SEAM = 0.6;    /* by which boxes that touch overlap */
static const double LABEL_SIZE = 12;
/* A deadline further off than this many iterations would squeeze the picture; it is named, not drawn. */
static const double FAR_DEADLINE = 2;

static double
total_height_but_rows(int32_t n_panels)
{
	return TITLE_HEIGHT + n_panels * (HEADING_HEIGHT + TICKS_HEIGHT) + (n_panels - 1) * PANEL_GAP + AXIS_TITLE_HEIGHT
			+ perseus__timeline_legend_height() + 8;
}

static int32_t
default_height(const struct perseus__timeline *timeline)
{
	const double needed = total_height_but_rows(timeline->n_panels)
			+ (double)timeline->n_panels * timeline->schedule->n_ranks * MIN_DEFAULT_PITCH;
	return (int32_t)fmin(fmax(PERSEUS__CHART_HEIGHT, ceil(needed)), MAX_DEFAULT_HEIGHT);
}

static void
find_kinds(struct perseus__timeline_view *view)
{
	const struct perseus_schedule *schedule = view->timeline->schedule;
	for (int32_t r = 0; r < schedule->n_ranks; r++)
		for (int32_t i = schedule->rank_begin[r]; i < schedule->rank_begin[r + 1]; i++) {
			const struct perseus_instruction *instruction = &schedule->instructions[i];
			view->has_kind[instruction->kind] = true;
			if (instruction->kind == PERSEUS_KIND_OVERLAP) {
				view->has_kind[instruction->part[0].kind] = true;
				view->has_kind[instruction->part[1].kind] = true;
			}
			/* Instructions of no microbatch, as an optimizer step, may belong to no stage in particular. */
			if (instruction->microbatch >= 0
					&& instruction->stage != schedule->instructions[schedule->rank_begin[r]].stage)
				view->has_several_stages = true;
		}
}

static void
find_power_range(struct perseus__timeline_view *view)
{
	const struct perseus__timeline *timeline = view->timeline;
	double low = INFINITY;
	double high = -INFINITY;
	for (int32_t p = 0; p < timeline->n_panels; p++)
		for (int32_t i = 0; i < timeline->schedule->n_instructions; i++) {
			const struct perseus__timeline_box *box = &timeline->panels[p].boxes[i];
			if (box->time_ns <= 0)
				continue;
			low = fmin(low, box->power_w);
			high = fmax(high, box->power_w);
		}
	if (!(high >= low)) {
		low = 0;
		high = 1;
	}
	/* Differences below a tenth are not blown up to all colours. */
	if (high - low < 0.1 * high || high <= 0)
		low = high > 0 ? 0.9 * high : high - 1;
	view->power = (struct perseus__axis){.low = low, .high = high};
	view->power.ticks = perseus__ticks_between(low, high, 7);
}

static void
find_time_range(struct perseus__timeline_view *view, double plot_width)
{
	const struct perseus__timeline *timeline = view->timeline;
	int64_t longest_ns = 1;
	for (int32_t p = 0; p < timeline->n_panels; p++)
		if (timeline->panels[p].iteration_time_ns > longest_ns)
			longest_ns = timeline->panels[p].iteration_time_ns;
	view->shows_deadline =
			timeline->deadline_ns > 0 && (double)timeline->deadline_ns <= FAR_DEADLINE * (double)longest_ns;
	view->end_ns = longest_ns;
	if (view->shows_deadline && timeline->deadline_ns > longest_ns)
		view->end_ns = timeline->deadline_ns;
	view->time_unit = perseus__time_unit((double)view->end_ns * 1e-9);
	view->time = (struct perseus__axis){.low = 0, .high = (double)view->end_ns * 1e-9 * view->time_unit.per_base};
	view->time.ticks = perseus__ticks_between(0, view->time.high, (int32_t)(plot_width / 95) + 2);
}

static double
x_at(const struct perseus__timeline_view *view, int64_t time_ns)
{
	return perseus__axis_at(&view->time, (double)time_ns * 1e-9 * view->time_unit.per_base);
}

/* Full labels are used where they fit all instructions that have one, so that one picture has one kind of label. */
static bool
full_labels_fit(cairo_t *cr, const struct perseus__timeline_view *view)
{
	const struct perseus__font font = {LABEL_SIZE, false, perseus__ink};
	const struct perseus__timeline *timeline = view->timeline;
	for (int32_t p = 0; p < timeline->n_panels; p++)
		for (int32_t i = 0; i < timeline->schedule->n_instructions; i++) {
			const struct perseus__timeline_box *box = &timeline->panels[p].boxes[i];
			char label[96];
			perseus__box_label(
					&timeline->schedule->instructions[i], true, view->has_several_stages, label, sizeof label);
			const double width = x_at(view, box->start_ns + box->time_ns) - x_at(view, box->start_ns);
			if (label[0] && width < perseus__text_width(cr, font, label) + 8)
				return false;
		}
	return true;
}

static double
mean_box_width(const struct perseus__timeline_view *view)
{
	const struct perseus__timeline *timeline = view->timeline;
	double sum = 0;
	double n = 0;
	for (int32_t p = 0; p < timeline->n_panels; p++)
		for (int32_t i = 0; i < timeline->schedule->n_instructions; i++)
			if (timeline->panels[p].boxes[i].time_ns > 0) {
				sum += x_at(view, timeline->panels[p].boxes[i].time_ns) - view->time.from;
				n++;
			}
	return n > 0 ? sum / n : 0;
}

static struct perseus__timeline_view
make_view(const struct perseus__canvas *canvas, const struct perseus__timeline *timeline, double energy_scale)
{
	struct perseus__timeline_view view = {.timeline = timeline, .energy_scale = energy_scale};
	const struct perseus__font font = {13, false, perseus__muted};
	char last_rank[32];
	(void)snprintf(last_rank, sizeof last_rank, "rank %" PRId32, timeline->schedule->n_ranks - 1);
	const double left = MARGIN + perseus__text_width(canvas->cr, font, last_rank) + 9;
	find_kinds(&view);
	find_power_range(&view);
	find_time_range(&view, canvas->width - left - MARGIN);
	view.time.from = left;
	view.time.to = canvas->width - MARGIN - 6;
	double most_j = 0;
	for (int32_t p = 0; p < timeline->n_panels; p++)
		most_j = fmax(most_j, timeline->panels[p].energy_j * energy_scale);
	view.energy_unit = perseus__energy_unit(most_j);
	const double rows = canvas->height - total_height_but_rows(timeline->n_panels);
	view.row_pitch = fmin(fmax(rows, 1) / timeline->n_panels / timeline->schedule->n_ranks, MAX_ROW_PITCH);
	view.row_height = view.row_pitch - fmin(6, view.row_pitch * 0.16);
	const double mean_width = mean_box_width(&view);
	if (view.row_height >= MIN_BANDED && mean_width >= MIN_BANDED_WIDTH)
		view.band_height = fmin(fmax(view.row_height * 0.17, 5), 9);
	view.is_roomy = mean_width >= ROOMY_WIDTH && view.row_height >= ROOMY_HEIGHT;
	view.has_full_labels = view.is_roomy && full_labels_fit(canvas->cr, &view);
	return view;
}

static void
draw_label(cairo_t *cr, const struct perseus__timeline_view *view, struct perseus__rect box,
		const struct perseus_instruction *instruction, struct perseus__rgb fill)
{
	static const double BALANCE = 0.19; /* luminance at which ink and paper contrast alike (WCAG 2) */
	char label[96];
	perseus__box_label(instruction, view->has_full_labels, view->has_several_stages, label, sizeof label);
	const struct perseus__font font = {
		LABEL_SIZE, false, perseus__luminance(fill) > BALANCE ? perseus__ink : perseus__paper};
	if (!label[0] || perseus__text_width(cr, font, label) + 6 > box.width)
		return;
	perseus__draw_text(cr, font, box.x + box.width / 2,
			box.y + (box.height - view->band_height) / 2 + LABEL_SIZE * 0.36, PERSEUS__ANCHOR_MIDDLE, label);
}

static struct perseus__rect
box_rect(const struct perseus__timeline_view *view, const struct perseus__timeline_box *box, double row_y)
{
	const double left = x_at(view, box->start_ns);
	double width = x_at(view, box->start_ns + box->time_ns) - left;
	if (view->is_roomy && width > 4 * BOX_GAP)
		width -= BOX_GAP;
	return (struct perseus__rect){left, row_y, width, view->row_height};
}

/* What of a row nothing runs in; its instructions are span[0] .. span[1]-1. */
static void
draw_waiting(cairo_t *cr, const struct perseus__timeline_view *view, const struct perseus__timeline_box *boxes,
		const int32_t *span, double y)
{
	const struct perseus__rect row = {view->time.from, y, view->time.to - view->time.from, view->row_height};
	perseus__fill_rect(cr, row, perseus__waiting);
	int64_t idle_from_ns = 0;
	for (int32_t i = span[0]; i <= span[1]; i++) {
		const double from = x_at(view, idle_from_ns);
		const double to = x_at(view, i < span[1] ? boxes[i].start_ns : view->end_ns);
		perseus__add_waiting_hatch(cr, (struct perseus__rect){from, y, to - from, view->row_height});
		if (i < span[1])
			idle_from_ns = boxes[i].start_ns + boxes[i].time_ns;
	}
	perseus__stroke_waiting_hatch(cr);
}

static void
draw_bands(cairo_t *cr, const struct perseus__timeline_view *view, const struct perseus__timeline_box *boxes,
		const int32_t *span, double y)
{
	for (int tone = 0; tone < PERSEUS__N_BAND_TONES; tone++) {
		for (int32_t i = span[0]; i < span[1]; i++) {
			struct perseus__rect band = box_rect(view, &boxes[i], y);
			band.y += view->row_height - view->band_height;
			band.height = view->band_height;
			perseus__add_kind_band(cr, band, &view->timeline->schedule->instructions[i], (enum perseus__band_tone)tone);
		}
		perseus__fill_band_tone(cr, (enum perseus__band_tone)tone);
	}
}

static void
draw_row(cairo_t *cr, const struct perseus__timeline_view *view, const struct perseus__timeline_panel *panel,
		int32_t rank, double y)
{
	const struct perseus_schedule *schedule = view->timeline->schedule;
	const struct perseus__timeline_box *boxes = panel->boxes;
	const int32_t *span = &schedule->rank_begin[rank];
	draw_waiting(cr, view, boxes, span, y);
	for (int32_t i = span[0]; i < span[1]; i++) {
		struct perseus__rect rect = box_rect(view, &boxes[i], y);
		const struct perseus__rgb fill = perseus__power_colour(view, boxes[i].power_w);
		/* Edges that fall inside a pixel would let the row shine through between neighbours. */
		if (!view->is_roomy && i + 1 < span[1] && boxes[i + 1].start_ns == boxes[i].start_ns + boxes[i].time_ns)
			rect.width += SEAM;
		perseus__fill_rect(cr, rect, fill);
		if (view->is_roomy)
			draw_label(cr, view, rect, &schedule->instructions[i], fill);
	}
	if (view->band_height > 0)
		draw_bands(cr, view, boxes, span, y);
}

/* Boxes of the path joined from end to start; where each box is outlined, only what lies between them. */
static void
draw_path(cairo_t *cr, const struct perseus__timeline_view *view, const struct perseus__timeline_panel *panel,
		double rows_y)
{
	const struct perseus_schedule *schedule = view->timeline->schedule;
	for (int32_t k = 0; k < panel->n_path; k++) {
		const struct perseus__timeline_box *box = &panel->boxes[panel->path[k]];
		const int32_t rank = schedule->instructions[panel->path[k]].rank;
		const double y = rows_y + rank * view->row_pitch + view->row_height / 2;
		const double left = x_at(view, box->start_ns);
		const double right = x_at(view, box->start_ns + box->time_ns);
		if (k == 0)
			cairo_move_to(cr, view->is_roomy ? right : left, y);
		if (k > 0 && view->is_roomy && schedule->instructions[panel->path[k - 1]].rank == rank)
			cairo_move_to(cr, right, y);
		else if (k > 0)
			cairo_line_to(cr, left, y);
		if (view->is_roomy)
			cairo_move_to(cr, right, y);
		else
			cairo_line_to(cr, right, y);
	}
	perseus__stroke_critical_path(cr);
}

static void
draw_outlines(cairo_t *cr, const struct perseus__timeline_view *view, const struct perseus__timeline_panel *panel,
		double rows_y)
{
	const struct perseus_schedule *schedule = view->timeline->schedule;
	for (int32_t i = 0; i < schedule->n_instructions; i++) {
		if (!panel->boxes[i].is_critical || panel->boxes[i].time_ns <= 0)
			continue;
		const double y = rows_y + schedule->instructions[i].rank * view->row_pitch;
		perseus__draw_critical_outline(cr, box_rect(view, &panel->boxes[i], y));
	}
}

static void
draw_rank_names(cairo_t *cr, const struct perseus__timeline_view *view, double rows_y)
{
	const struct perseus__font font = {13, false, perseus__ink};
	const int32_t every = (int32_t)ceil(15 / view->row_pitch);
	for (int32_t r = 0; r < view->timeline->schedule->n_ranks; r += every) {
		char name[32];
		(void)snprintf(name, sizeof name, "rank %" PRId32, r);
		perseus__draw_text(cr, font, view->time.from - 9, rows_y + r * view->row_pitch + view->row_height / 2 + 4.5,
				PERSEUS__ANCHOR_RIGHT, name);
	}
}

static void
draw_deadline(cairo_t *cr, const struct perseus__timeline_view *view, double rows_y, double rows_height)
{
	const struct perseus__font font = {13, true, perseus__deadline_colour};
	const double x = x_at(view, view->timeline->deadline_ns);
	perseus__set_deadline_pen(cr);
	perseus__stroke_line(cr, x, rows_y - 7, x, rows_y + rows_height + 3);
	cairo_set_dash(cr, NULL, 0, 0);
	char time[32];
	char text[64];
	perseus__quantity_text((double)view->timeline->deadline_ns * 1e-9, view->time_unit, time, sizeof time);
	(void)snprintf(text, sizeof text, "deadline %s", time);
	perseus__draw_text(cr, font, x + 4, rows_y - 11, PERSEUS__ANCHOR_RIGHT, text);
}

/* Returns the height it took. */
static double
draw_panel(const struct perseus__canvas *canvas, const struct perseus__timeline_view *view,
		const struct perseus__timeline_panel *panel, double y)
{
	cairo_t *cr = canvas->cr;
	const int32_t n_ranks = view->timeline->schedule->n_ranks;
	const double rows_y = y + HEADING_HEIGHT;
	const double rows_height = n_ranks * view->row_pitch;
	const struct perseus__rect plot = {view->time.from, rows_y, view->time.to - view->time.from, rows_height};
	perseus__draw_panel_heading(canvas, view, panel, y);
	draw_rank_names(cr, view, rows_y);
	for (int32_t r = 0; r < n_ranks; r++)
		draw_row(cr, view, panel, r, rows_y + r * view->row_pitch);
	if (view->is_roomy)
		draw_outlines(cr, view, panel, rows_y);
	draw_path(cr, view, panel, rows_y);
	perseus__draw_ticks_x(cr, &view->time, plot);
	if (view->shows_deadline)
		draw_deadline(cr, view, rows_y, rows_height);
	return HEADING_HEIGHT + rows_height + TICKS_HEIGHT;
}

enum perseus_status
perseus__timeline_draw(const char *path, const struct perseus__timeline *timeline,
		const struct perseus__chart_options *options, struct perseus_error *err)
{
	const struct perseus__chart_options chosen =
			perseus__chart_options(options, "Timeline of one iteration", default_height(timeline));
	struct perseus__canvas canvas;
	const enum perseus_status status = perseus__canvas_init(&canvas, path, &chosen, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__timeline_view view = make_view(&canvas, timeline, chosen.energy_scale);
	perseus__draw_timeline_title(&canvas, &view, options ? options->title : NULL);
	double y = TITLE_HEIGHT;
	for (int32_t p = 0; p < timeline->n_panels; p++)
		y += draw_panel(&canvas, &view, &timeline->panels[p], y) + (p + 1 < timeline->n_panels ? PANEL_GAP : 0);
	char axis_title[32];
	(void)snprintf(axis_title, sizeof axis_title, "time (%s)", view.time_unit.name);
	perseus__draw_text(canvas.cr, (struct perseus__font){13, false, perseus__ink}, (view.time.from + view.time.to) / 2,
			y + 12, PERSEUS__ANCHOR_MIDDLE, axis_title);
	perseus__draw_timeline_legend(&canvas, &view, y + AXIS_TITLE_HEIGHT + 8);
	const enum perseus_status written = perseus__canvas_write(&canvas, err);
	perseus__canvas_fini(&canvas);
	return written;
}
