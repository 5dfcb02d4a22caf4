/* Proves an allocation from the curves alone. */
#include <perseus/allocate.h>

#include "base/error.h"
#include "fleet/sum.h"

#include <math.h>
#include <stdbool.h>

/* Sums that an allocation claims, made anew. */
struct sums {
	struct perseus__sum power_w;
	struct perseus__sum work;
	struct perseus__sum full_power_w;
	struct perseus__sum full_work;
	struct perseus__sum surplus;
	struct perseus__sum free_w; /* beyond all at their slowest */
	bool is_full;               /* every job is at full speed */
};

static bool
is_near(double found, double expected, double tolerance)
{
	return fabs(found - expected) <= tolerance * fabs(expected);
}

static enum perseus_status
check_on_curve(const struct perseus_allotment *allotment, const struct perseus_operating_curve *curve, int32_t j,
		double tolerance, struct perseus_error *err)
{
	const struct perseus_operating_point last = curve->points[curve->n_points - 1];
	const double power_w = perseus_operating_power_w(curve, allotment->rate_hz);
	if (!is_near(allotment->power_w, power_w, tolerance)) /* NaN where the rate is beyond the curve */
		return perseus__fail(err, PERSEUS_INVALID, "job %d: %.17g W are not what %.17g iterations a second take",
				(int)j, allotment->power_w, allotment->rate_hz);
	if (!is_near(allotment->speed, allotment->rate_hz / last.rate_hz, tolerance))
		return perseus__fail(err, PERSEUS_INVALID, "job %d: its speed is not %.17g", (int)j, allotment->speed);
	return PERSEUS_OK;
}

/* A job above the level must be at its slowest, one below it at full speed. */
static enum perseus_status
check_level(const struct perseus_allocation *allocation, const struct perseus_operating_curve *curve, int32_t j,
		double tolerance, struct perseus_error *err)
{
	const struct perseus_allotment *allotment = &allocation->jobs[j];
	const struct perseus_operating_point last = curve->points[curve->n_points - 1];
	const bool is_slowest = is_near(allotment->power_w, curve->points[0].power_w, tolerance);
	const bool is_fastest = is_near(allotment->power_w, last.power_w, tolerance);
	const double share = allocation->rule == PERSEUS_ALLOCATION_FAIR ? allotment->rate_hz / last.rate_hz
																	 : allotment->power_w / last.power_w;
	if (share > allocation->level * (1 + tolerance) && !is_slowest)
		return perseus__fail(err, PERSEUS_INVALID, "job %d: is at %.17g, above the level of %.17g, and could be slower",
				(int)j, share, allocation->level);
	if (!(share >= allocation->level * (1 - tolerance)) && !is_fastest)
		return perseus__fail(err, PERSEUS_INVALID, "job %d: is at %.17g, below the level of %.17g, and could be faster",
				(int)j, share, allocation->level);
	return PERSEUS_OK;
}

/* The most that a job's work can be above what it pays for its power beyond that of its slowest. */
static double
best_surplus(const struct perseus_allocation_job *job, double price_per_w)
{
	const struct perseus_operating_curve *curve = job->curve;
	const double fastest_hz = curve->points[curve->n_points - 1].rate_hz;
	double best = -INFINITY;
	for (int32_t k = 0; k < curve->n_points; k++) {
		const double paid = price_per_w * (curve->points[k].power_w - curve->points[0].power_w);
		best = fmax(best, job->weight * (curve->points[k].rate_hz / fastest_hz) - paid);
	}
	return best;
}

static enum perseus_status
check_job(const struct perseus_allocation *allocation, const struct perseus_allocation_job *job, int32_t j,
		double tolerance, struct sums *sums, struct perseus_error *err)
{
	const struct perseus_operating_point last = job->curve->points[job->curve->n_points - 1];
	const struct perseus_allotment *allotment = &allocation->jobs[j];
	enum perseus_status status = perseus_operating_curve_check(job->curve, err);
	if (status == PERSEUS_OK)
		status = check_on_curve(allotment, job->curve, j, tolerance, err);
	if (status == PERSEUS_OK && allocation->rule != PERSEUS_ALLOCATION_WORK)
		status = check_level(allocation, job->curve, j, tolerance, err);
	perseus__sum_add(&sums->power_w, allotment->power_w);
	perseus__sum_add(&sums->work, job->weight * allotment->speed);
	perseus__sum_add(&sums->full_power_w, last.power_w);
	perseus__sum_add(&sums->full_work, job->weight);
	perseus__sum_add(&sums->surplus, best_surplus(job, allocation->price_per_w));
	perseus__sum_add(&sums->free_w, -job->curve->points[0].power_w);
	sums->is_full = sums->is_full && is_near(allotment->power_w, last.power_w, tolerance);
	return status;
}

static enum perseus_status
check_sums(const struct perseus_allocation *allocation, const struct sums *sums, double tolerance,
		struct perseus_error *err)
{
	const struct {
		const char *name;
		double claimed;
		double found;
	} rows[] = {
		{"power", allocation->power_w, perseus__sum_total(&sums->power_w)},
		{"work", allocation->work, perseus__sum_total(&sums->work)},
		{"power at full speed", allocation->full_power_w, perseus__sum_total(&sums->full_power_w)},
		{"work at full speed", allocation->full_work, perseus__sum_total(&sums->full_work)},
		{"bound", allocation->bound,
			perseus__sum_total(&sums->surplus) + allocation->price_per_w * perseus__sum_total(&sums->free_w)},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!is_near(rows[i].claimed, rows[i].found, tolerance))
			return perseus__fail(
					err, PERSEUS_INVALID, "the %s is %.17g, not %.17g", rows[i].name, rows[i].found, rows[i].claimed);
	return PERSEUS_OK;
}

static enum perseus_status
check_optimal(const struct perseus_allocation *allocation, bool is_full, double tolerance, struct perseus_error *err)
{
	if (allocation->power_w > allocation->limit_w * (1 + tolerance))
		return perseus__fail(err, PERSEUS_INVALID, "%.17g W are above the limit of %.17g W", allocation->power_w,
				allocation->limit_w);
	if (allocation->work > allocation->bound * (1 + tolerance))
		return perseus__fail(err, PERSEUS_INVALID, "the work of %.17g is above its bound of %.17g", allocation->work,
				allocation->bound);
	if (allocation->rule == PERSEUS_ALLOCATION_WORK && allocation->work < allocation->bound * (1 - tolerance))
		return perseus__fail(err, PERSEUS_INVALID, "the work of %.17g is not proven to be the most: the bound is %.17g",
				allocation->work, allocation->bound);
	if (allocation->rule != PERSEUS_ALLOCATION_WORK && !is_full
			&& allocation->power_w < allocation->limit_w * (1 - tolerance))
		return perseus__fail(err, PERSEUS_INVALID, "only %.17g W of %.17g W are used, and a job could be faster",
				allocation->power_w, allocation->limit_w);
	return PERSEUS_OK;
}

enum perseus_status
perseus_allocation_check(const struct perseus_allocation *allocation, const struct perseus_allocation_job *jobs,
		double tolerance, struct perseus_error *err)
{
	struct sums sums = {.free_w = {.high = allocation->limit_w}, .is_full = true};
	if (!(allocation->price_per_w >= 0))
		return perseus__fail(err, PERSEUS_INVALID, "the price is %.17g", allocation->price_per_w);
	for (int32_t j = 0; j < allocation->n_jobs; j++) {
		const enum perseus_status status = check_job(allocation, &jobs[j], j, tolerance, &sums, err);
		if (status != PERSEUS_OK)
			return status;
	}
	const enum perseus_status status = check_sums(allocation, &sums, tolerance, err);
	return status == PERSEUS_OK ? check_optimal(allocation, sums.is_full, tolerance, err) : status;
}
