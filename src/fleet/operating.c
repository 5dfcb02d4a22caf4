/* Operating curves: the frontier of a job as power over rate. */
#include <perseus/operating.h>

#include "base/error.h"
#include "base/memory.h"
#include "fleet/replicas.h"
#include "frontier/workload.h"

#include <math.h>

/* Watts per iteration a second, from `a` to `b`: what both construction and check compare. */
static double
slope_between(struct perseus_operating_point a, struct perseus_operating_point b)
{
	return (b.power_w - a.power_w) / (b.rate_hz - a.rate_hz);
}

/* What a pipeline's vertex is for the whole job. */
static struct perseus_operating_point
operating_point(const struct perseus_frontier *frontier, int32_t index, double n_gpus, double overhead_s)
{
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	const struct perseus_frontier_point vertex = perseus_frontier_point(frontier, index);
	const double blocking_w = (double)workload->blocking_uw / 1e6;
	const double over_waiting_j = ((double)vertex.effective_nj + (double)workload->transfer_nj) / 1e9;
	const double iteration_s = (double)vertex.time_ns / 1e9 + overhead_s;
	return (struct perseus_operating_point){
		.rate_hz = 1 / iteration_s,
		.power_w = n_gpus * (blocking_w + over_waiting_j / iteration_s),
	};
}

/*
 * Adds the next slower point to `points`, fastest first, unless it takes no less power, and drops those before it that
 * it makes no longer convex. Returns how many there are.
 */
static int32_t
add_slower(struct perseus_operating_point *points, int32_t n, struct perseus_operating_point point)
{
	if (n > 0 && !(point.rate_hz < points[n - 1].rate_hz && point.power_w < points[n - 1].power_w))
		return n;
	while (n > 1 && !(slope_between(point, points[n - 1]) < slope_between(points[n - 1], points[n - 2])))
		n--;
	points[n] = point;
	return n + 1;
}

static void
reverse(struct perseus_operating_point *points, int32_t n)
{
	for (int32_t i = 0; i < n / 2; i++) {
		const struct perseus_operating_point point = points[i];
		points[i] = points[n - 1 - i];
		points[n - 1 - i] = point;
	}
}

enum perseus_status
perseus_operating_curve_new(const struct perseus_frontier *frontier, int32_t n_pipelines, int32_t gpus_per_stage,
		double overhead_s, struct perseus_operating_curve **out, struct perseus_error *err)
{
	const enum perseus_status status = perseus__check_replicas(n_pipelines, gpus_per_stage, err);
	if (status != PERSEUS_OK)
		return status;
	if (!isfinite(overhead_s) || overhead_s < 0)
		return perseus__fail(err, PERSEUS_INVALID, "the overhead must be a time of 0 s or more, not %g s", overhead_s);
	const int32_t n_vertices = perseus_frontier_info(frontier).n_breakpoints;
	struct perseus_operating_curve *curve = perseus__new_array(1, sizeof *curve);
	struct perseus_operating_point *points = perseus__new_array((size_t)n_vertices, sizeof *points);
	if (!curve || !points) {
		perseus__free(curve);
		perseus__free(points);
		return perseus__no_memory(err);
	}
	const double n_gpus = (double)n_pipelines * (double)gpus_per_stage; /* that one GPU a stage stands for */
	int32_t n = 0;
	for (int32_t i = 0; i < n_vertices; i++)
		n = add_slower(points, n, operating_point(frontier, i, n_gpus, overhead_s));
	reverse(points, n);
	*curve = (struct perseus_operating_curve){.n_points = n, .points = points};
	*out = curve;
	return PERSEUS_OK;
}

void
perseus_operating_curve_free(struct perseus_operating_curve *curve)
{
	if (!curve)
		return;
	perseus__free(curve->points);
	perseus__free(curve);
}

static double
rate_of(struct perseus_operating_point point)
{
	return point.rate_hz;
}

static double
power_of(struct perseus_operating_point point)
{
	return point.power_w;
}

/* Index of the last point, but the curve's last, whose value is at most `value`, which the first one's is. */
static int32_t
segment_of(
		const struct perseus_operating_curve *curve, double (*value_of)(struct perseus_operating_point), double value)
{
	int32_t low = 0;
	int32_t high = curve->n_points - 1;
	while (high - low > 1) {
		const int32_t middle = low + (high - low) / 2;
		if (value_of(curve->points[middle]) <= value)
			low = middle;
		else
			high = middle;
	}
	return low;
}

double
perseus_operating_power_w(const struct perseus_operating_curve *curve, double rate_hz)
{
	const struct perseus_operating_point last = curve->points[curve->n_points - 1];
	if (!(rate_hz >= curve->points[0].rate_hz && rate_hz <= last.rate_hz))
		return NAN;
	if (rate_hz == last.rate_hz)
		return last.power_w;
	const struct perseus_operating_point *low = curve->points + segment_of(curve, rate_of, rate_hz);
	return low->power_w + slope_between(low[0], low[1]) * (rate_hz - low->rate_hz);
}

double
perseus_operating_rate_hz(const struct perseus_operating_curve *curve, double power_w)
{
	const struct perseus_operating_point last = curve->points[curve->n_points - 1];
	if (!(power_w >= curve->points[0].power_w))
		return NAN;
	if (power_w >= last.power_w)
		return last.rate_hz;
	const struct perseus_operating_point *low = curve->points + segment_of(curve, power_of, power_w);
	return low->rate_hz + (power_w - low->power_w) / slope_between(low[0], low[1]);
}

enum perseus_status
perseus_operating_curve_check(const struct perseus_operating_curve *curve, struct perseus_error *err)
{
	const struct perseus_operating_point *points = curve->points;
	if (curve->n_points < 1)
		return perseus__fail(err, PERSEUS_INVALID, "an operating curve needs a point");
	for (int32_t i = 0; i < curve->n_points; i++) {
		if (!(isfinite(points[i].rate_hz) && points[i].rate_hz > 0))
			return perseus__fail(err, PERSEUS_INVALID, "point %d: the rate is %g /s", (int)i, points[i].rate_hz);
		if (!(isfinite(points[i].power_w) && points[i].power_w >= 0))
			return perseus__fail(err, PERSEUS_INVALID, "point %d: the power is %g W", (int)i, points[i].power_w);
		if (i > 0 && !(points[i - 1].rate_hz < points[i].rate_hz && points[i - 1].power_w < points[i].power_w))
			return perseus__fail(
					err, PERSEUS_INVALID, "point %d: rate and power must be above those of the point before", (int)i);
		if (i > 1 && !(slope_between(points[i - 2], points[i - 1]) < slope_between(points[i - 1], points[i])))
			return perseus__fail(err, PERSEUS_INVALID,
					"point %d: a watt must buy less the faster the job is, and here it does not", (int)(i - 1));
	}
	return PERSEUS_OK;
}
