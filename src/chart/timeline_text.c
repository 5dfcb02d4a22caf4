/* The words on a timeline: title, headings of panels, labels of boxes. */
#include "chart/timeline_internal.h"
#include "chart/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double MARGIN = PERSEUS__CHART_MARGIN;
static const double DEADLINE_ROOM = 220; /* at the right of a heading, where the deadline is named */

void
perseus__box_label(
		const struct perseus_instruction *instruction, bool is_full, bool with_stage, char *text, size_t size)
{
	static const char letters[] = "FBIWR";
	char part[2][32] = {"", ""};
	const int32_t n_parts = instruction->kind == PERSEUS_KIND_OVERLAP ? 2 : 1;
	text[0] = '\0';
	for (int32_t i = 0; i < n_parts; i++) {
		const struct perseus_part whole = {instruction->kind, instruction->stage, instruction->microbatch};
		const struct perseus_part one = n_parts == 2 ? instruction->part[i] : whole;
		if (one.microbatch < 0 || one.kind >= PERSEUS_KIND_OVERLAP)
			return;
		if (!is_full)
			(void)snprintf(part[i], sizeof part[i], "%" PRId32, one.microbatch);
		else if (!with_stage)
			(void)snprintf(part[i], sizeof part[i], "%c%" PRId32, letters[one.kind], one.microbatch);
		else
			(void)snprintf(
					part[i], sizeof part[i], "%" PRId32 "%c%" PRId32, one.stage, letters[one.kind], one.microbatch);
	}
	(void)snprintf(text, size, "%s%s%s", part[0], n_parts == 2 ? "+" : "", part[1]);
}

void
perseus__draw_panel_heading(const struct perseus__canvas *canvas, const struct perseus__timeline_view *view,
		const struct perseus__timeline_panel *panel, double y)
{
	const struct perseus__font bold = {15, true, perseus__ink};
	const struct perseus__font plain = {15, false, perseus__ink};
	char time[32];
	char energy[32];
	char text[96];
	perseus__quantity_text((double)panel->iteration_time_ns * 1e-9, view->time_unit, time, sizeof time);
	perseus__quantity_text(panel->energy_j * view->energy_scale, view->energy_unit, energy, sizeof energy);
	(void)snprintf(text, sizeof text, "iteration %s, energy %s", time, energy);
	const double text_width = perseus__text_width(canvas->cr, plain, text);
	const double room = canvas->width - MARGIN - DEADLINE_ROOM - text_width - 24;
	const double heading_width = fmin(perseus__text_width(canvas->cr, bold, panel->heading), room - view->time.from);
	perseus__draw_text_cut(canvas->cr, bold, view->time.from, y + 15, room, panel->heading);
	perseus__draw_text(canvas->cr, plain, view->time.from + heading_width + 20, y + 15, PERSEUS__ANCHOR_LEFT, text);
}

/* The size of a change in percent, e.g. "14.5 %"; empty where it rounds to nothing. */
static void
change_text(double before, double after, char *text, size_t size)
{
	const double percent = before > 0 ? 100 * fabs(after - before) / before : 0;
	char number[32];
	perseus__number_text(percent, 1, number, sizeof number);
	if (strcmp(number, "0.0") == 0)
		number[0] = '\0';
	(void)snprintf(text, size, "%s%s", number, number[0] ? " %" : "");
}

static void
own_title(const struct perseus__timeline_view *view, char *text, size_t size)
{
	const struct perseus__timeline *timeline = view->timeline;
	const struct perseus__timeline_panel *first = &timeline->panels[0];
	const struct perseus__timeline_panel *last = &timeline->panels[timeline->n_panels - 1];
	if (timeline->n_panels == 1) {
		char time[32];
		char energy[32];
		perseus__quantity_text((double)first->iteration_time_ns * 1e-9, view->time_unit, time, sizeof time);
		perseus__quantity_text(first->energy_j * view->energy_scale, view->energy_unit, energy, sizeof energy);
		(void)snprintf(text, size, "Iteration of %s, energy %s", time, energy);
		return;
	}
	char change[40];
	text[0] = '\0';
	change_text(first->energy_j, last->energy_j, change, sizeof change);
	if (change[0])
		perseus__append(text, size, "%s %s energy", change, last->energy_j < first->energy_j ? "less" : "more");
	else
		perseus__append(text, size, "Energy unchanged");
	change_text((double)first->iteration_time_ns, (double)last->iteration_time_ns, change, sizeof change);
	if (change[0])
		perseus__append(text, size, ", iteration %s %s", change,
				last->iteration_time_ns < first->iteration_time_ns ? "shorter" : "longer");
	else
		perseus__append(text, size, ", iteration time unchanged");
}

static void
job_text(const struct perseus__timeline_view *view, char *text, size_t size)
{
	const struct perseus__timeline *timeline = view->timeline;
	const struct perseus__timeline_panel *first = &timeline->panels[0];
	const struct perseus__timeline_panel *last = &timeline->panels[timeline->n_panels - 1];
	perseus__schedule_text(timeline->schedule, text, size);
	char from[32];
	char to[32];
	if (timeline->n_panels == 2) {
		perseus__quantity_text((double)first->iteration_time_ns * 1e-9, view->time_unit, from, sizeof from);
		perseus__quantity_text((double)last->iteration_time_ns * 1e-9, view->time_unit, to, sizeof to);
		perseus__append(text, size, "  |  iteration %s \xe2\x86\x92 %s", from, to);
		perseus__quantity_text(first->energy_j * view->energy_scale, view->energy_unit, from, sizeof from);
		perseus__quantity_text(last->energy_j * view->energy_scale, view->energy_unit, to, sizeof to);
		perseus__append(text, size, "  |  energy %s \xe2\x86\x92 %s", from, to);
	}
	if (timeline->deadline_ns > 0) {
		perseus__quantity_text((double)timeline->deadline_ns * 1e-9, view->time_unit, to, sizeof to);
		perseus__append(text, size, "  |  deadline %s%s", to, view->shows_deadline ? "" : " (beyond the axis)");
	}
}

void
perseus__draw_timeline_title(
		const struct perseus__canvas *canvas, const struct perseus__timeline_view *view, const char *title)
{
	char own[512], job[512];
	own_title(view, own, sizeof own);
	job_text(view, job, sizeof job);
	perseus__draw_heading(canvas, title ? title : own, job);
}
