/*
 * The paper's curve e(t) = a·exp(b·t) + c by variable projection (Golub and Pereyra 1973): for a given b the best a and
 * c follow from linear least squares, which leaves one search over b. For comparison only.
 */
#include "profile/class.h"

#include "base/error.h"

#include <math.h>

/*
 * Curvature β = b · (range of times) is searched in ±[MIN, MAX]: below, the curve is straight to 1e-5 of its height and
 * a and c would cancel each other; above, it falls within 1/400 of the range, closer than clocks are.
 */
#define MIN_CURVATURE 1e-4
#define MAX_CURVATURE 400.0
#define MAX_EXPONENT 600.0 /* exp() overflows above 709 */
enum { N_GRID = 120, N_SECTIONS = 90 };

/* Times as fractions of their range; basis (exp(β·x) - 1) / β, which becomes x as β goes to 0. */
struct projection {
	const struct perseus_choice *points;
	int32_t n;
	double first_s;
	double range_s;
};

/* e = offset_j + slope_j · basis(x) */
struct line {
	double slope_j;
	double offset_j;
	double squares; /* sum of squared errors, J² */
};

static double
basis(const struct projection *p, double curvature, int32_t i)
{
	const double x = ((double)p->points[i].time_ns * 1e-9 - p->first_s) / p->range_s;
	/* For a rising exponential the origin is the last point, so that the basis stays within ±1/β. */
	return expm1(curvature * (curvature > 0 ? x - 1 : x)) / curvature;
}

static double
energy_j(const struct projection *p, int32_t i)
{
	return (double)p->points[i].effective_nj * 1e-9;
}

static struct line
solve_linear(const struct projection *p, double curvature)
{
	double basis_mean = 0;
	double energy_mean = 0;
	for (int32_t i = 0; i < p->n; i++) {
		basis_mean += basis(p, curvature, i) / p->n;
		energy_mean += energy_j(p, i) / p->n;
	}
	double covariance = 0;
	double variance = 0;
	for (int32_t i = 0; i < p->n; i++) {
		const double deviation = basis(p, curvature, i) - basis_mean;
		covariance += deviation * (energy_j(p, i) - energy_mean);
		variance += deviation * deviation;
	}
	struct line line = {.slope_j = covariance / variance};
	line.offset_j = energy_mean - line.slope_j * basis_mean;
	for (int32_t i = 0; i < p->n; i++) {
		const double error = line.offset_j + line.slope_j * basis(p, curvature, i) - energy_j(p, i);
		line.squares += error * error;
	}
	return line;
}

/* Golden section search over ln |β| between the neighbours of the best grid point. */
static double
refine(const struct projection *p, double sign, double low, double high)
{
	const double golden = 0.6180339887498949;
	double left = high - golden * (high - low);
	double right = low + golden * (high - low);
	double left_squares = solve_linear(p, sign * exp(left)).squares;
	double right_squares = solve_linear(p, sign * exp(right)).squares;
	for (int i = 0; i < N_SECTIONS; i++) {
		if (left_squares <= right_squares) {
			high = right;
			right = left;
			right_squares = left_squares;
			left = high - golden * (high - low);
			left_squares = solve_linear(p, sign * exp(left)).squares;
		} else {
			low = left;
			left = right;
			left_squares = right_squares;
			right = low + golden * (high - low);
			right_squares = solve_linear(p, sign * exp(right)).squares;
		}
	}
	return sign * exp(low + (high - low) / 2);
}

/* The grid guards against local minima, of which noise can make several. */
static double
best_curvature(const struct projection *p, double max_curvature)
{
	const double low = log(fmin(MIN_CURVATURE, max_curvature / 10));
	const double step = (log(max_curvature) - low) / (N_GRID - 1);
	double best = -max_curvature;
	double best_squares = INFINITY;
	for (int sign = -1; sign <= 1; sign += 2)
		for (int i = 0; i < N_GRID; i++) {
			const double curvature = sign * exp(low + step * i);
			const double squares = solve_linear(p, curvature).squares;
			if (squares < best_squares) {
				best_squares = squares;
				best = curvature;
			}
		}
	const double at = log(fabs(best));
	return refine(p, best < 0 ? -1 : 1, fmax(at - step, low), fmin(at + step, log(max_curvature)));
}

enum perseus_status
perseus_class_fit(const struct perseus_class *class_, struct perseus_exp_fit *fit, struct perseus_error *err)
{
	const int32_t n = class_->n_pareto;
	if (n < 3)
		return perseus__fail(err, PERSEUS_INVALID,
				"stage %d, %s: an exponential fit needs at least 3 Pareto points, there are %d", class_->stage,
				class_->name, n);
	const double last_s = (double)class_->pareto[n - 1].time_ns * 1e-9;
	struct projection p = {.points = class_->pareto, .n = n, .first_s = (double)class_->pareto[0].time_ns * 1e-9};
	p.range_s = last_s - p.first_s;
	/* Keeps exp(b·t) and a finite where the range is narrow beside the times themselves. */
	const double max_curvature = fmin(MAX_CURVATURE, MAX_EXPONENT * p.range_s / last_s);
	const double curvature = best_curvature(&p, max_curvature);
	const struct line line = solve_linear(&p, curvature);
	const double origin_s = curvature > 0 ? last_s : p.first_s;
	struct perseus_exp_fit found = {.b = curvature / p.range_s};
	found.a = line.slope_j / curvature * exp(-found.b * origin_s);
	found.c = line.offset_j - line.slope_j / curvature;
	double squares = 0;
	for (int32_t i = 0; i < n; i++) {
		const double t_s = (double)class_->pareto[i].time_ns * 1e-9;
		const double error_j = fabs(found.a * exp(found.b * t_s) + found.c - energy_j(&p, i));
		squares += error_j * error_j;
		found.max_error_j = fmax(found.max_error_j, error_j);
	}
	found.rmse_j = sqrt(squares / n);
	*fit = found;
	return PERSEUS_OK;
}
