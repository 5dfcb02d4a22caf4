/* What the parts of the timeline share. */
#ifndef PERSEUS_CHART_TIMELINE_INTERNAL_H
#define PERSEUS_CHART_TIMELINE_INTERNAL_H

#include "chart/canvas.h"
#include "chart/timeline.h"

#include <perseus/schedule.h>

#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>

/* Everything that depends on the sheet and on how much there is to draw. */
struct perseus__timeline_view {
	const struct perseus__timeline *timeline;
	struct perseus__unit time_unit;
	struct perseus__unit energy_unit;
	double energy_scale;
	struct perseus__axis time;  /* in time_unit */
	struct perseus__axis power; /* W; along the colour bar */
	int64_t end_ns;             /* of the time axis */
	double row_pitch;
	double row_height;
	double band_height;   /* strip that tells kinds apart; 0: there is no room for it */
	bool is_roomy;        /* boxes are wide enough to outline each */
	bool has_full_labels; /* "F3" fits the boxes, not only "3" */
	bool shows_deadline;
	bool has_several_stages;               /* on some rank: labels say the stage too */
	bool has_kind[PERSEUS_KIND_OTHER + 1]; /* parts of overlapped pairs included */
};

extern const struct perseus__rgb perseus__waiting;
extern const struct perseus__rgb perseus__deadline_colour;

/* Colour of an instruction that draws this much on average. */
struct perseus__rgb perseus__power_colour(const struct perseus__timeline_view *view, double power_w);

/*
 * Waiting time is lighter than any power, and hatched where there is room. These add to the current path and stroke
 * it: marks that look alike are drawn as one path per row, which keeps vector files small.
 */
void perseus__add_waiting_hatch(cairo_t *cr, struct perseus__rect rect);
void perseus__stroke_waiting_hatch(cairo_t *cr);

/* The strip that tells the kinds of an instruction apart without colour is drawn tone by tone, in this order. */
enum perseus__band_tone {
	PERSEUS__BAND_GAP, /* a line of paper keeps a dark band apart from a dark box */
	PERSEUS__BAND_EMPTY,
	PERSEUS__BAND_FILLED,
	PERSEUS__BAND_OTHER, /* instructions that are no computation of a microbatch */
};
enum { PERSEUS__N_BAND_TONES = PERSEUS__BAND_OTHER + 1 };

/* Adds what the band of an instruction has of one tone to the current path. */
void perseus__add_kind_band(cairo_t *cr, struct perseus__rect band, const struct perseus_instruction *instruction,
		enum perseus__band_tone tone);

/* Fills the current path. */
void perseus__fill_band_tone(cairo_t *cr, enum perseus__band_tone tone);

/* Outline of one critical instruction. */
void perseus__draw_critical_outline(cairo_t *cr, struct perseus__rect box);

/* Strokes the current path as the critical path. */
void perseus__stroke_critical_path(cairo_t *cr);

void perseus__set_deadline_pen(cairo_t *cr);

/*
 * Writes "F3", or "2F3" where `with_stage`, or "3" unless `is_full`; "3+7" for an overlapped pair; nothing for
 * instructions of no microbatch.
 */
void perseus__box_label(
		const struct perseus_instruction *instruction, bool is_full, bool with_stage, char *text, size_t size);

/* Title and the line below it, at the top of the sheet. `title` NULL: what changed. */
void perseus__draw_timeline_title(
		const struct perseus__canvas *canvas, const struct perseus__timeline_view *view, const char *title);

/* The line above a panel whose top is at `y`. */
void perseus__draw_panel_heading(const struct perseus__canvas *canvas, const struct perseus__timeline_view *view,
		const struct perseus__timeline_panel *panel, double y);

/* The colour bar and what the marks mean, from `y` down. */
void perseus__draw_timeline_legend(const struct perseus__canvas *canvas, struct perseus__timeline_view *view, double y);

/* Height of the legend. */
double perseus__timeline_legend_height(void);

#endif
