/* From a frontier to what the frontier chart draws: the curve, thinned where it is long, and its points of interest. */
#include "chart/frontier_chart.h"

#include "base/error.h"
#include "base/memory.h"
#include "chart/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_CURVE_POINTS = 2000, /* more are not told apart on any sheet */
	MAX_OWN_MARKERS = 3,
};

/* The curve goes on beyond the last thing to see by this part of its length, where waiting is all that is left. */
static const double BEYOND = 0.05;

static struct perseus_frontier_marker
own_marker(const struct perseus_frontier *frontier, int64_t time_ns, const char *label)
{
	return (struct perseus_frontier_marker){
		.label = label,
		.time_ns = time_ns,
		.energy_nj = llround(perseus_frontier_energy_j(frontier, time_ns) * 1e9),
		.kind = PERSEUS_MARKER_FRONTIER,
	};
}

/* T_min, T* and least energy, named together where they are one point. Returns how many. */
static int32_t
own_markers(const struct perseus_frontier *frontier, struct perseus_frontier_marker *markers)
{
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	const bool least_is_first = info.t_min_energy_ns == info.t_min_ns;
	const bool least_is_last = info.t_min_energy_ns == info.t_star_ns;
	int32_t n = 0;
	markers[n++] = own_marker(frontier, info.t_min_ns, least_is_first ? "T_min and least energy" : "T_min");
	if (!least_is_first && !least_is_last)
		markers[n++] = own_marker(frontier, info.t_min_energy_ns, "least energy");
	if (info.t_star_ns != info.t_min_ns)
		markers[n++] = own_marker(frontier, info.t_star_ns,
				least_is_last ? "T* and least energy" : "T* (the slowest worth it behind a straggler)");
	return n;
}

static struct perseus__curve_point
curve_point(const struct perseus_frontier *frontier, int64_t time_ns)
{
	return (struct perseus__curve_point){(double)time_ns * 1e-9, perseus_frontier_energy_j(frontier, time_ns)};
}

/* The last time of any mark; 0 where there is none. */
static int64_t
last_time_ns(const struct perseus_frontier_marks *marks)
{
	int64_t last_ns = 0;
	for (int32_t i = 0; i < marks->n_markers; i++)
		if (marks->markers[i].time_ns > last_ns)
			last_ns = marks->markers[i].time_ns;
	for (int32_t i = 0; i < marks->n_series; i++) {
		const struct perseus_frontier_series *series = &marks->series[i];
		const int64_t time_ns = llround(series->points[series->n_points - 1].time_s * 1e9);
		last_ns = time_ns > last_ns ? time_ns : last_ns;
	}
	return last_ns;
}

/* `curve` has room for MAX_CURVE_POINTS + 1. Returns how many. */
static int32_t
fill_curve(const struct perseus_frontier *frontier, const struct perseus_frontier_marks *marks,
		struct perseus__curve_point *curve)
{
	const int32_t n_breakpoints = perseus_frontier_info(frontier).n_breakpoints;
	const int32_t n = n_breakpoints < MAX_CURVE_POINTS ? n_breakpoints : MAX_CURVE_POINTS;
	int64_t first_ns = 0;
	int64_t last_ns = 0;
	for (int32_t i = 0; i < n; i++) {
		const int64_t index = n > 1 ? (int64_t)i * (n_breakpoints - 1) / (n - 1) : 0;
		const int64_t time_ns = perseus_frontier_point(frontier, (int32_t)index).time_ns;
		curve[i] = curve_point(frontier, time_ns);
		first_ns = i == 0 ? time_ns : first_ns;
		last_ns = time_ns;
	}
	const int64_t last_mark_ns = last_time_ns(marks);
	last_ns = last_mark_ns > last_ns ? last_mark_ns : last_ns;
	const double span_ns = last_ns > first_ns ? (double)(last_ns - first_ns) : (double)first_ns;
	curve[n] = curve_point(frontier, last_ns + (int64_t)ceil(span_ns * BEYOND));
	return n + 1;
}

static void
heading_text(const struct perseus_frontier *frontier, char *text, size_t size)
{
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	const struct perseus__unit unit = perseus__time_unit((double)info.t_min_ns * 1e-9);
	char t_min[32];
	char t_star[32];
	perseus__quantity_text((double)info.t_min_ns * 1e-9, unit, t_min, sizeof t_min);
	perseus__quantity_text((double)info.t_star_ns * 1e-9, unit, t_star, sizeof t_star);
	char job[160];
	perseus__schedule_text(perseus_frontier_schedule(frontier), job, sizeof job);
	(void)snprintf(text, size, "%s  |  T_min %s, T* %s, %" PRId32 " breakpoint%s", job, t_min, t_star,
			info.n_breakpoints, info.n_breakpoints == 1 ? "" : "s");
}

enum perseus_status
perseus__chart_frontier(const char *path, const struct perseus_frontier *frontier,
		const struct perseus_frontier_marks *marks, const struct perseus__chart_options *options,
		struct perseus_error *err)
{
	static const struct perseus_frontier_marks none;
	const struct perseus_frontier_marks *given = marks ? marks : &none;
	enum perseus_status status = perseus__chart_path_check(path, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus_frontier_marker *all = perseus__new_array((size_t)given->n_markers + MAX_OWN_MARKERS, sizeof *all);
	struct perseus__curve_point *curve = perseus__new_array(MAX_CURVE_POINTS + 1, sizeof *curve);
	if (!all || !curve) {
		status = perseus__no_memory(err);
		goto fail;
	}
	if (given->n_markers > 0)
		memcpy(all, given->markers, (size_t)given->n_markers * sizeof *all);
	char heading[256];
	heading_text(frontier, heading, sizeof heading);
	const struct perseus__frontier_picture picture = {
		.heading = heading,
		.curve = curve,
		.n_curve = fill_curve(frontier, given, curve),
		.marks = {.markers = all,
			.n_markers = given->n_markers + own_markers(frontier, all + given->n_markers),
			.series = given->series,
			.n_series = given->n_series},
	};
	status = perseus__frontier_draw(path, &picture, options, err);
fail:
	perseus__free(all);
	perseus__free(curve);
	return status;
}
