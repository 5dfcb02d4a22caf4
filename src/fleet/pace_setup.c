/* Makes a pacing problem ready: checks, weights, hulls, and where the job can end. */
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "fleet/pace_internal.h"

#include <math.h>

/* Rounding of sums over slots, relative: work that is this much above what fits does fit. */
static const double FITS = 1e-12;

static enum perseus_status
check_slots(const struct perseus_pace_problem *problem, struct perseus_error *err)
{
	if (problem->n_slots < 0)
		return perseus__fail(err, PERSEUS_INVALID, "there cannot be %d slots", (int)problem->n_slots);
	for (int32_t i = 0; i < problem->n_slots; i++) {
		const struct perseus_pace_slot *slot = &problem->slots[i];
		if (!(slot->duration_s > 0) || !isfinite(slot->duration_s))
			return perseus__fail(err, PERSEUS_INVALID, "slot %d: its duration must be above zero, not %g s", (int)i,
					slot->duration_s);
		if (!isfinite(slot->factor_per_kwh))
			return perseus__fail(err, PERSEUS_INVALID, "slot %d: its factor must be finite", (int)i);
	}
	return PERSEUS_OK;
}

static enum perseus_status
check(const struct perseus_pace_problem *problem, struct perseus_error *err)
{
	enum perseus_status status = perseus_operating_curve_check(problem->curve, err);
	if (status == PERSEUS_OK)
		status = check_slots(problem, err);
	if (status != PERSEUS_OK)
		return status;
	if (!(problem->n_iterations > 0) || !isfinite(problem->n_iterations))
		return perseus__fail(
				err, PERSEUS_INVALID, "there must be more than 0 iterations to do, not %g", problem->n_iterations);
	if (!(problem->pue >= 1) || !isfinite(problem->pue))
		return perseus__fail(err, PERSEUS_INVALID, "PUE must be 1 or more, not %g", problem->pue);
	if (problem->may_pause && (!(problem->idle_power_w >= 0) || !isfinite(problem->idle_power_w)))
		return perseus__fail(err, PERSEUS_INVALID, "idle power must be zero or more, not %g W", problem->idle_power_w);
	if (!(problem->reservation_per_h >= 0) || !isfinite(problem->reservation_per_h))
		return perseus__fail(err, PERSEUS_INVALID,
				"what a reservation emits or costs must be zero or more, not %g per h", problem->reservation_per_h);
	return PERSEUS_OK;
}

static double
slope_j(const struct perseus_operating_point *from, const struct perseus_operating_point *to)
{
	return (to->power_w - from->power_w) / (to->rate_hz - from->rate_hz);
}

/* Adds a vertex behind the others, and drops those that it leaves inside the hull; `sign` -1: of the upper hull. */
static void
add_vertex(struct perseus__pace_hull *hull, const struct perseus_operating_point *point, double sign)
{
	while (hull->n >= 2 && sign * slope_j(&hull->points[hull->n - 1], point) <= sign * hull->slope_j[hull->n - 2])
		hull->n--;
	if (hull->n >= 1)
		hull->slope_j[hull->n - 1] = slope_j(&hull->points[hull->n - 1], point);
	hull->points[hull->n++] = *point;
}

static bool
make_hull(struct perseus__pace_hull *hull, const struct perseus_pace_problem *problem, double sign)
{
	const struct perseus_operating_curve *curve = problem->curve;
	const struct perseus_operating_point paused = {.power_w = problem->idle_power_w};
	const size_t cap = (size_t)curve->n_points + 1;
	hull->points = perseus__new_array(cap, sizeof *hull->points);
	hull->slope_j = perseus__new_array(cap, sizeof *hull->slope_j);
	if (!hull->points || !hull->slope_j)
		return false;
	if (problem->may_pause)
		add_vertex(hull, &paused, sign);
	for (int32_t i = 0; i < curve->n_points; i++)
		add_vertex(hull, &curve->points[i], sign);
	return true;
}

/* The fewest hours in which the iterations fit, from the beginning on, were there as many slots as needed. */
static enum perseus_status
fail_deadline(const struct perseus_pace_problem *problem, double most, struct perseus_error *err)
{
	const double highest_hz = problem->curve->points[problem->curve->n_points - 1].rate_hz;
	const double least_h = ceil(problem->n_iterations / highest_hz / PERSEUS__S_PER_H * 1e3) / 1e3;
	return perseus__fail(err, PERSEUS_INFEASIBLE,
			"%.15g iterations do not fit: until the deadline there is time for %.15g; they take %.3f h at least",
			problem->n_iterations, floor(most), least_h);
}

/* A job can end in a slot up to which the fastest is done, and ahead of which the slowest is not. */
static enum perseus_status
find_ends(struct perseus__pacing *pacing, struct perseus_error *err)
{
	const struct perseus_pace_problem *problem = pacing->problem;
	const double slowest_hz = pacing->lower.points[0].rate_hz;
	const double fastest_hz = pacing->lower.points[pacing->lower.n - 1].rate_hz;
	double least = 0, most = 0; /* iterations ahead of the slot, and up to its end */
	pacing->first_end = problem->n_slots;
	pacing->last_end = -1;
	for (int32_t i = 0; i < problem->n_slots; i++) {
		most += problem->slots[i].duration_s * fastest_hz;
		if (i < pacing->first_end && most >= problem->n_iterations * (1 - FITS))
			pacing->first_end = i;
		if (least <= problem->n_iterations)
			pacing->last_end = i;
		least += problem->slots[i].duration_s * slowest_hz;
	}
	if (pacing->first_end == problem->n_slots)
		return fail_deadline(problem, most, err);
	if (pacing->last_end < pacing->first_end) /* of one rate, and rounding */
		pacing->last_end = pacing->first_end;
	pacing->n_iterations = fmin(problem->n_iterations, most);
	pacing->is_full = problem->n_iterations >= most * (1 - FITS);
	return PERSEUS_OK;
}

static bool
set_weights(struct perseus__pacing *pacing)
{
	const struct perseus_pace_problem *problem = pacing->problem;
	pacing->weight = perseus__new_array((size_t)problem->n_slots, sizeof *pacing->weight);
	for (int32_t i = 0; pacing->weight && i < problem->n_slots; i++)
		pacing->weight[i] = problem->pue * problem->slots[i].factor_per_kwh / PERSEUS__J_PER_KWH;
	return pacing->weight != NULL;
}

enum perseus_status
perseus__pacing_init(
		struct perseus__pacing *pacing, const struct perseus_pace_problem *problem, struct perseus_error *err)
{
	*pacing = (struct perseus__pacing){
		.problem = problem, .reservation_per_s = problem->reservation_per_h / PERSEUS__S_PER_H};
	enum perseus_status status = check(problem, err);
	if (status != PERSEUS_OK)
		return status;
	if (!set_weights(pacing) || !make_hull(&pacing->lower, problem, 1) || !make_hull(&pacing->upper, problem, -1))
		status = perseus__no_memory(err);
	else
		status = find_ends(pacing, err);
	if (status != PERSEUS_OK)
		perseus__pacing_fini(pacing);
	return status;
}

void
perseus__pacing_fini(struct perseus__pacing *pacing)
{
	perseus__free(pacing->weight);
	perseus__free(pacing->lower.points);
	perseus__free(pacing->lower.slope_j);
	perseus__free(pacing->upper.points);
	perseus__free(pacing->upper.slope_j);
	*pacing = (struct perseus__pacing){0};
}

const struct perseus__pace_hull *
perseus__pacing_hull(const struct perseus__pacing *pacing, double weight)
{
	return weight < 0 ? &pacing->upper : &pacing->lower;
}

const struct perseus_operating_point *
perseus__pacing_best(const struct perseus__pacing *pacing, double weight, double price)
{
	const struct perseus__pace_hull *hull = perseus__pacing_hull(pacing, weight);
	int32_t low = 0, high = hull->n - 1;
	while (low
			< high) { /* weight · slope ascends on either hull: the next vertex is better while it is below the price */
		const int32_t middle = low + (high - low) / 2;
		if (weight * hull->slope_j[middle] < price)
			low = middle + 1;
		else
			high = middle;
	}
	return &hull->points[low];
}
