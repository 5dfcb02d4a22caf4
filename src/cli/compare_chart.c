/* The chart of perseus compare: every planner's frontier, and what each of ours makes of the deadline. */
#include "base/error.h"
#include "base/memory.h"
#include "chart/frontier_chart.h"
#include "cli/compare.h"

#include <stdio.h>

/* A family's points at `*at`, which moves on. */
static struct perseus_frontier_series
series_of(const struct perseus_baseline_family *family, struct perseus__curve_point **at)
{
	const struct perseus_frontier_series series = {
		.label = perseus_baseline_name(family->baseline), .points = *at, .n_points = family->n_members};
	for (int32_t k = 0; k < family->n_members; k++) {
		const struct perseus_outcome outcome = family->members[k].plan->outcome;
		*(*at)++ = (struct perseus__curve_point){
			(double)outcome.iteration_time_ns * 1e-9, (double)outcome.energy_nj * 1e-9};
	}
	return series;
}

static struct perseus_frontier_marker
marker_of(const struct perseus__compared *row, enum perseus_marker_kind kind)
{
	const struct perseus_plan *plan = row->plan;
	return (struct perseus_frontier_marker){
		.label = perseus__compared_name(row),
		.time_ns = plan->outcome.iteration_time_ns > plan->deadline_ns ? plan->outcome.iteration_time_ns
																	   : plan->deadline_ns,
		.energy_nj = plan->outcome.energy_nj,
		.kind = kind,
	};
}

/* The highest clocks where nobody waits, and our answers. Returns how many. */
static int32_t
fill_markers(const struct perseus__planners *planners, struct perseus_frontier_marker *markers)
{
	int32_t n = 0;
	const struct perseus_plan *highest = planners->families[PERSEUS_BASELINE_MAX_CLOCK]->members[0].plan;
	markers[n++] = (struct perseus_frontier_marker){.label = perseus_baseline_name(PERSEUS_BASELINE_MAX_CLOCK),
		.time_ns = highest->outcome.iteration_time_ns,
		.energy_nj = highest->outcome.energy_nj,
		.kind = PERSEUS_MARKER_BASELINE};
	for (int32_t i = 0; i < planners->n_rows; i++)
		if (!planners->rows[i].is_baseline && planners->rows[i].plan)
			markers[n++] = marker_of(&planners->rows[i], PERSEUS_MARKER_PLAN);
	return n;
}

enum perseus_status
perseus__compare_chart(const char *path, const struct perseus__planners *planners, struct perseus_error *err)
{
	struct perseus_frontier_marker markers[PERSEUS__MAX_COMPARED];
	struct perseus_frontier_series series[PERSEUS_N_BASELINES];
	struct perseus_frontier_marks marks = {.markers = markers, .series = series};
	size_t n_points = 0;
	for (int b = 0; b < PERSEUS_N_BASELINES; b++)
		n_points += planners->families[b] ? (size_t)planners->families[b]->n_members : 0;
	struct perseus__curve_point *points = perseus__new_array(n_points, sizeof *points);
	if (!points)
		return perseus__no_memory(err);
	struct perseus__curve_point *at = points;
	for (int b = 0; b < PERSEUS_N_BASELINES; b++)
		if (planners->families[b] && b != PERSEUS_BASELINE_MAX_CLOCK)
			series[marks.n_series++] = series_of(planners->families[b], &at);
	marks.n_markers = fill_markers(planners, markers);
	char title[96];
	(void)snprintf(title, sizeof title, "Planners compared; perseus for a deadline of %.4g s",
			(double)planners->deadline_ns / 1e9);
	const struct perseus__chart_options options = {.title = title, .energy_scale = perseus__planners_scale(planners)};
	const enum perseus_status status = perseus__chart_frontier(path, planners->frontier, &marks, &options, err);
	perseus__free(points);
	return status;
}
