/* Proves a paced course from the problem alone: neither the search nor its hulls are used here. */
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"

#include <perseus/pace.h>

#include <math.h>

struct check {
	const struct perseus_pace_problem *problem;
	const struct perseus_pace_course *course;
	double tolerance;
	struct perseus_error *err;
};

static bool
is_close(const struct check *check, double a, double b, double scale)
{
	return fabs(a - b) <= check->tolerance * (fabs(scale) + fmax(fabs(a), fabs(b)));
}

static enum perseus_status
fail_slot(const struct check *check, int32_t index, const char *problem)
{
	return perseus__fail(check->err, PERSEUS_INVALID, "slot %d: %s", (int)index, problem);
}

static double
rate_hz(const struct check *check, bool is_fastest)
{
	const struct perseus_operating_curve *curve = check->problem->curve;
	return curve->points[is_fastest ? curve->n_points - 1 : 0].rate_hz;
}

/* Power of a mode; NaN for a rate that the job cannot run at. Rounding may put a rate a hair beyond the curve. */
static double
mode_power_w(const struct check *check, double rate)
{
	const double slowest = rate_hz(check, false), fastest = rate_hz(check, true);
	if (rate == 0)
		return check->problem->may_pause ? check->problem->idle_power_w : NAN;
	if (rate < slowest * (1 - check->tolerance) || rate > fastest * (1 + check->tolerance))
		return NAN;
	return perseus_operating_power_w(check->problem->curve, fmin(fmax(rate, slowest), fastest));
}

static enum perseus_status
check_modes(const struct check *check, int32_t index)
{
	const struct perseus_paced_slot *slot = &check->course->slots[index];
	const double factor = check->problem->pue * check->problem->slots[index].factor_per_kwh / PERSEUS__J_PER_KWH;
	double time_s = 0, work = 0, energy_j = 0;
	if (slot->n_modes < 0 || slot->n_modes > 2)
		return fail_slot(check, index, "has neither 0, 1 nor 2 modes");
	for (int32_t i = 0; i < slot->n_modes; i++) {
		const double power_w = mode_power_w(check, slot->modes[i].rate_hz);
		if (!(slot->modes[i].time_s >= 0) || isnan(power_w))
			return fail_slot(check, index, "has a mode that the job cannot run in");
		time_s += slot->modes[i].time_s;
		work += slot->modes[i].time_s * slot->modes[i].rate_hz;
		energy_j += slot->modes[i].time_s * power_w;
	}
	if (!is_close(check, time_s, slot->held_s, 0))
		return fail_slot(check, index, "its modes do not fill the time it is held");
	if (!is_close(check, work, slot->n_iterations, 0))
		return fail_slot(check, index, "its modes do not do its iterations");
	if (!is_close(check, energy_j, slot->energy_j, 0))
		return fail_slot(check, index, "its energy is not that of its modes");
	return is_close(check, factor * energy_j, slot->grams, 0)
			? PERSEUS_OK
			: fail_slot(check, index, "its grams are not its energy's");
}

/* All slots are held from their beginning to their end, but for the last one used. */
static enum perseus_status
check_held(const struct check *check)
{
	bool has_ended = false;
	for (int32_t i = 0; i < check->course->n_slots; i++) {
		const double held_s = check->course->slots[i].held_s, duration_s = check->problem->slots[i].duration_s;
		if (!(held_s >= 0) || held_s > duration_s * (1 + check->tolerance))
			return fail_slot(check, i, "is held for less than nothing, or longer than it lasts");
		if (has_ended && held_s > 0)
			return fail_slot(check, i, "is held after the job has ended");
		has_ended = held_s < duration_s * (1 - check->tolerance);
	}
	return PERSEUS_OK;
}

/* `*scale`: grams of the course in absolute value. */
static enum perseus_status
check_course(const struct check *check, double *scale)
{
	const struct perseus_pace_course *course = check->course;
	double held_s = 0, energy_j = 0, grams = 0, work = 0;
	*scale = 0;
	if (course->n_slots != check->problem->n_slots)
		return perseus__fail(check->err, PERSEUS_INVALID, "the course has %d slots, the problem %d",
				(int)course->n_slots, (int)check->problem->n_slots);
	enum perseus_status status = check_held(check);
	for (int32_t i = 0; status == PERSEUS_OK && i < course->n_slots; i++) {
		status = check_modes(check, i);
		held_s += course->slots[i].held_s;
		energy_j += course->slots[i].energy_j;
		grams += course->slots[i].grams;
		work += course->slots[i].n_iterations;
		*scale += fabs(course->slots[i].grams);
	}
	if (status != PERSEUS_OK)
		return status;
	*scale += course->reservation_grams;
	if (!is_close(check, held_s, course->held_s, 0) || !is_close(check, energy_j, course->energy_j, 0)
			|| !is_close(check, grams, course->grams, *scale)
			|| !is_close(
					check, check->problem->reservation_per_h * held_s / PERSEUS__S_PER_H, course->reservation_grams, 0))
		return perseus__fail(check->err, PERSEUS_INVALID, "the sums of the course are not those of its slots");
	if (!is_close(check, work, check->problem->n_iterations, 0))
		return perseus__fail(check->err, PERSEUS_INVALID, "the course does %.17g of %.17g iterations", work,
				check->problem->n_iterations);
	return PERSEUS_OK;
}

/* weight · power - price · rate of a point. */
static double
reduced(const struct perseus_operating_point *point, double weight, double price)
{
	return weight * point->power_w - price * point->rate_hz;
}

/*
 * The least of it over all a job can do: linear, so it is found at a point of the curve, or at pausing. Along the curve
 * it is convex for a weight of zero or more, and concave for less: then it is least at an end.
 */
static double
least_reduced(const struct perseus_pace_problem *problem, double weight, double price)
{
	const struct perseus_operating_point *points = problem->curve->points;
	int32_t low = 0, high = problem->curve->n_points - 1;
	const double ends = fmin(reduced(&points[low], weight, price), reduced(&points[high], weight, price));
	while (weight >= 0 && low < high) {
		const int32_t middle = low + (high - low) / 2;
		if (reduced(&points[middle + 1], weight, price) < reduced(&points[middle], weight, price))
			low = middle + 1;
		else
			high = middle;
	}
	const double least = weight >= 0 ? reduced(&points[low], weight, price) : ends;
	return problem->may_pause ? fmin(least, weight * problem->idle_power_w) : least;
}

/*
 * Raises bound[k] to what this price says of a job that ends in slot k; where it cannot end, bound[k] is left infinite.
 */
static void
raise_bounds(const struct check *check, double price, double *bound)
{
	const struct perseus_pace_problem *problem = check->problem;
	const double reservation_per_s = problem->reservation_per_h / PERSEUS__S_PER_H;
	double sum = price * problem->n_iterations;
	for (int32_t k = 0; k < problem->n_slots; k++) {
		const double weight = problem->pue * problem->slots[k].factor_per_kwh / PERSEUS__J_PER_KWH;
		const double slot = problem->slots[k].duration_s * (reservation_per_s + least_reduced(problem, weight, price));
		bound[k] = fmax(bound[k], sum + fmin(slot, 0));
		sum += slot;
	}
}

/* -infinity for slots in which the job can end; infinity where it is not done yet, or was done even at its slowest. */
static void
start_bounds(const struct check *check, double *bound)
{
	const struct perseus_pace_problem *problem = check->problem;
	const double slowest = problem->may_pause ? 0 : rate_hz(check, false), fastest = rate_hz(check, true);
	double least = 0, most = 0;
	for (int32_t k = 0; k < problem->n_slots; k++) {
		most += problem->slots[k].duration_s * fastest;
		const bool is_early = most < problem->n_iterations * (1 - check->tolerance);
		const bool is_late = least > problem->n_iterations * (1 + check->tolerance);
		bound[k] = is_early || is_late ? INFINITY : -INFINITY;
		least += problem->slots[k].duration_s * slowest;
	}
}

static enum perseus_status
check_bounds(const struct check *check, const struct perseus_pace *pace, double scale)
{
	const double grams = check->course->grams + check->course->reservation_grams;
	double *bound = perseus__new_array((size_t)check->problem->n_slots, sizeof *bound);
	if (!bound)
		return perseus__no_memory(check->err);
	start_bounds(check, bound);
	for (int32_t i = 0; i < pace->n_prices; i++)
		raise_bounds(check, pace->prices[i], bound);
	enum perseus_status status = PERSEUS_OK;
	double least = INFINITY;
	for (int32_t k = 0; status == PERSEUS_OK && k < check->problem->n_slots; k++) {
		least = fmin(least, bound[k]);
		if (bound[k] < grams - check->tolerance * scale)
			status = perseus__fail(check->err, PERSEUS_INVALID,
					"a course that ends in slot %d could take %.17g, and this one takes %.17g", (int)k, bound[k],
					grams);
	}
	perseus__free(bound);
	if (status != PERSEUS_OK)
		return status;
	if (!is_close(check, least, pace->lower_bound, scale))
		return perseus__fail(
				check->err, PERSEUS_INVALID, "the lower bound is %.17g, not %.17g", least, pace->lower_bound);
	return is_close(check, grams - pace->lower_bound, pace->gap, scale)
			? PERSEUS_OK
			: perseus__fail(check->err, PERSEUS_INVALID, "the gap is not the course's distance to the bound");
}

enum perseus_status
perseus_pace_check(const struct perseus_pace *pace, const struct perseus_pace_problem *problem, double tolerance,
		struct perseus_error *err)
{
	const struct check check = {.problem = problem, .course = &pace->course, .tolerance = tolerance, .err = err};
	double scale;
	const enum perseus_status status = check_course(&check, &scale);
	return status == PERSEUS_OK ? check_bounds(&check, pace, scale) : status;
}
