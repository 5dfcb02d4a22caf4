/*
 * A simulated job: above, for each policy, where its energy goes, in four; below, how long the iterations of one of
 * them take, and how many of its pipelines straggle.
 */
#ifndef PERSEUS_CHART_SIMULATION_CHART_H
#define PERSEUS_CHART_SIMULATION_CHART_H

#include "chart/canvas.h"
#include "chart/history.h"

#include <stdbool.h>
#include <stdint.h>

#include <perseus/simulate.h>
#include <perseus/status.h>

/* Series of the history, whose samples are iterations. */
enum perseus__simulation_series {
	PERSEUS__SIMULATION_TIME,       /* s */
	PERSEUS__SIMULATION_STRAGGLERS, /* pipelines */
	PERSEUS__SIMULATION_UNANSWERED, /* 0 or 1 */
	PERSEUS__N_SIMULATION_SERIES
};

/* A policy. */
struct perseus__simulation_bar {
	const char *label;
	const char *detail; /* behind the bar, e.g. "412.3 GJ  -14.2 %" */
	bool is_chosen;     /* the one whose iterations are shown */
	struct perseus_energy_split energy;
};

/* All that the picture needs; everything is borrowed. */
struct perseus__simulation_picture {
	const char *heading; /* second line of the title */
	const struct perseus__simulation_bar *bars;
	int32_t n_bars; /* >= 1 */
	const struct perseus__history *history;
	int32_t n_pipelines;
	double fastest_s;  /* an iteration without stragglers */
	bool has_reaction; /* it answers stragglers, after a while: iterations until then are shown */
};

/* Draws to `path`; `options` may be NULL. Errors: as perseus__canvas_init and perseus__canvas_write. */
PERSEUS_MUST_USE enum perseus_status perseus__chart_simulation(const char *path,
		const struct perseus__simulation_picture *picture, const struct perseus__chart_options *options,
		struct perseus_error *err);

#endif
