/* What the reports tell: powers by regression, with what is known of powers beforehand, and times. */
#include "server/walk_internal.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/*
 * Power is a smooth function of the clock: its slope (per share of the highest clock) changes by about this many times
 * the power over the root of the share that lies between. The voltage's knee of an A100 is about four times as sharp as
 * that, which windows easily outweigh (docs/profiling.md).
 */
#define SLOPE_CHANGE 3.0
/*
 * The knee is that of the GPU, not of what it runs: the ratio of the powers of two classes changes its slope by less.
 */
#define RATIO_SLOPE_CHANGE 0.25
/* Above this relative error the windows have not told classes apart. */
#define LARGEST_ERROR 0.2
/* Classes that share their power differ by no more than this. */
#define SHARED_DEVIATION 1e-3
/* What a walk goes for, in a class that takes at least this share of what its position computes. */
#define WANTED_ERROR 0.007
#define RELEVANT_SHARE 0.05

static double
mean_power_w(const struct perseus__walk_position *position)
{
	return position->time_s > 0 ? position->energy_j / position->time_s : 0;
}

/* Mean power of a class over its clocks; NaN where one is not known. */
static double
mean_of_class_w(const struct perseus__walk_class *class_)
{
	double sum_w = 0;
	int32_t n = 0;
	for (int32_t i = 0; i < class_->n_points; i++)
		if (class_->points[i].column >= 0) {
			sum_w += class_->points[i].power_w;
			n++;
		}
	return n > 0 ? sum_w / n : (double)NAN;
}

/*
 * Adds that the ratio of the powers of two classes is a smooth function of the clock. Their mean powers make it linear
 * in the powers.
 */
static enum perseus_status
relate_classes(const struct perseus__walk_position *position, const struct perseus__walk_class *class_,
		const struct perseus__walk_class *other, struct perseus_error *err)
{
	const double mean_w = mean_of_class_w(class_);
	const double other_w = mean_of_class_w(other);
	if (!(mean_w > 0 && other_w > 0))
		return PERSEUS_OK;
	const struct perseus__walk_point *three[3] = {NULL};
	const struct perseus__walk_point *others[3] = {NULL};
	for (int32_t i = 0; i < class_->n_points; i++) {
		const struct perseus__walk_point *point = perseus__walk_find(other, class_->points[i].frequency_mhz);
		if (class_->points[i].column < 0 || !point || point->column < 0)
			continue;
		memmove(three, three + 1, 2 * sizeof *three);
		memmove(others, others + 1, 2 * sizeof *others);
		three[2] = &class_->points[i];
		others[2] = point;
		if (!three[0])
			continue;
		const double highest_mhz = class_->points[0].frequency_mhz;
		const double above = (three[0]->frequency_mhz - three[1]->frequency_mhz) / highest_mhz;
		const double below = (three[1]->frequency_mhz - three[2]->frequency_mhz) / highest_mhz;
		const int32_t columns[] = {three[0]->column, three[1]->column, three[2]->column, others[0]->column,
			others[1]->column, others[2]->column};
		const double a = 1 / above, b = -1 / above - 1 / below, c = 1 / below;
		const double coefficients[] = {a / mean_w, b / mean_w, c / mean_w, -a / other_w, -b / other_w, -c / other_w};
		const struct perseus__regression_prior prior = {
			.columns = columns,
			.coefficients = coefficients,
			.n = 6,
			.deviation_w = RATIO_SLOPE_CHANGE * sqrt((above + below) / 2),
		};
		const enum perseus_status status = perseus__regression_add_prior(position->regression, &prior, err);
		if (status)
			return status;
	}
	return PERSEUS_OK;
}

static enum perseus_status
relate_all(const struct perseus__walk *walk, int32_t pp, struct perseus_error *err)
{
	const struct perseus__walk_class *first = NULL;
	for (int32_t i = 0; i < walk->settings.n_classes; i++) {
		const struct perseus__walk_class *class_ = &walk->classes[i];
		if (class_->class_.pp != pp || class_->is_constant)
			continue;
		const enum perseus_status status =
				first ? relate_classes(&walk->positions[pp], class_, first, err) : PERSEUS_OK;
		if (status)
			return status;
		if (!first)
			first = class_;
	}
	return PERSEUS_OK;
}

/* Points that windows know, neighbours in clock. */
static enum perseus_status
add_smoothness(const struct perseus__walk_position *position, const struct perseus__walk_point *const *three,
		double highest_mhz, struct perseus_error *err)
{
	const double above = (three[0]->frequency_mhz - three[1]->frequency_mhz) / highest_mhz;
	const double below = (three[1]->frequency_mhz - three[2]->frequency_mhz) / highest_mhz;
	const int32_t columns[] = {three[0]->column, three[1]->column, three[2]->column};
	const double coefficients[] = {1 / above, -1 / above - 1 / below, 1 / below};
	const struct perseus__regression_prior prior = {
		.columns = columns,
		.coefficients = coefficients,
		.n = 3,
		.deviation_w = SLOPE_CHANGE * mean_power_w(position) * sqrt((above + below) / 2),
	};
	return prior.deviation_w > 0 ? perseus__regression_add_prior(position->regression, &prior, err) : PERSEUS_OK;
}

static enum perseus_status
smooth_class(const struct perseus__walk_position *position, const struct perseus__walk_class *class_,
		struct perseus_error *err)
{
	const struct perseus__walk_point *three[3] = {NULL};
	double highest_mhz = 0;
	for (int32_t i = 0; i < class_->n_points; i++) {
		if (class_->points[i].column < 0)
			continue;
		three[0] = three[1];
		three[1] = three[2];
		three[2] = &class_->points[i];
		if (highest_mhz == 0)
			highest_mhz = class_->points[i].frequency_mhz;
		const enum perseus_status status = three[0] ? add_smoothness(position, three, highest_mhz, err) : PERSEUS_OK;
		if (status)
			return status;
	}
	return PERSEUS_OK;
}

static bool
is_known(double power_w, double error_w)
{
	return isfinite(power_w) && error_w <= LARGEST_ERROR * fabs(power_w);
}

static void
read_fit(struct perseus__walk *walk, int32_t pp, const struct perseus__regression_fit *fit)
{
	struct perseus__walk_position *position = &walk->positions[pp];
	position->n_outliers = fit->n_outliers;
	if (isnan(walk->settings.blocking_power_w)) {
		position->blocking.power_w = fit->power_w[0];
		position->blocking.error_w = fit->standard_error_w[0];
	}
	for (int32_t i = 0; i < walk->settings.n_classes; i++) {
		const struct perseus__walk_class *class_ = &walk->classes[i];
		for (int32_t j = 0; j < class_->n_points && class_->class_.pp == pp; j++) {
			struct perseus__walk_point *point = &class_->points[j];
			if (point->column < 0)
				continue;
			point->power_w = fit->power_w[point->column];
			point->power_error_w = fit->standard_error_w[point->column];
		}
	}
}

/* Takes the power of `point` for that of `other`, or, where that is NULL, for blocking power. */
static enum perseus_status
share_power(struct perseus__walk *walk, struct perseus__walk_point *point, struct perseus__walk_point *other,
		int32_t pp, struct perseus_error *err)
{
	const struct perseus__walk_position *position = &walk->positions[pp];
	const bool is_given = !isnan(walk->settings.blocking_power_w);
	const int32_t columns[] = {point->column, other ? other->column : 0};
	const double coefficients[] = {1, -1};
	const struct perseus__regression_prior prior = {
		.columns = columns,
		.coefficients = coefficients,
		.n = !other && is_given ? 1 : 2,
		.value_w = !other && is_given ? walk->settings.blocking_power_w : 0,
		.deviation_w = SHARED_DEVIATION * mean_power_w(position),
	};
	if (!(prior.deviation_w > 0))
		return PERSEUS_OK;
	point->is_shared_power = true;
	if (other)
		other->is_shared_power = true;
	return perseus__regression_add_prior(position->regression, &prior, err);
}

/* The first class of the position, before number `end`, whose power at this clock is not known either. */
static struct perseus__walk_point *
find_partner(const struct perseus__walk *walk, int32_t end, int32_t frequency_mhz)
{
	for (int32_t i = 0; i < end; i++) {
		const struct perseus__walk_class *class_ = &walk->classes[i];
		if (class_->class_.pp != walk->classes[end].class_.pp || class_->is_constant)
			continue;
		struct perseus__walk_point *point = perseus__walk_find(class_, frequency_mhz);
		if (point && point->column >= 0 && !is_known(point->power_w, point->power_error_w))
			return point;
	}
	return NULL;
}

/* Classes that the windows have not told apart take one power; `*n` counts them. */
static enum perseus_status
share_unknown(struct perseus__walk *walk, int32_t pp, int32_t *n, struct perseus_error *err)
{
	for (int32_t i = 0; i < walk->settings.n_classes; i++) {
		const struct perseus__walk_class *class_ = &walk->classes[i];
		for (int32_t j = 0; j < class_->n_points && class_->class_.pp == pp; j++) {
			struct perseus__walk_point *point = &class_->points[j];
			if (point->column < 0 || is_known(point->power_w, point->power_error_w))
				continue;
			struct perseus__walk_point *partner =
					class_->is_constant ? NULL : find_partner(walk, i, point->frequency_mhz);
			if (!partner && !class_->is_constant)
				continue;
			const enum perseus_status status = share_power(walk, point, partner, pp, err);
			if (status)
				return status;
			++*n;
		}
	}
	return PERSEUS_OK;
}

static enum perseus_status
learn_position(struct perseus__walk *walk, int32_t pp, struct perseus_error *err)
{
	struct perseus__walk_position *position = &walk->positions[pp];
	enum perseus_status status = PERSEUS_OK;
	perseus__regression_clear_priors(position->regression);
	for (int32_t i = 0; i < walk->settings.n_classes && !status; i++) {
		struct perseus__walk_class *class_ = &walk->classes[i];
		if (class_->class_.pp != pp)
			continue;
		for (int32_t j = 0; j < class_->n_points; j++)
			class_->points[j].is_shared_power = false;
		status = smooth_class(position, class_, err);
	}
	struct perseus__regression_fit fit;
	if (!status)
		status = perseus__regression_solve(position->regression, &fit, err);
	if (status || fit.n_columns == 0)
		return status;
	read_fit(walk, pp, &fit);
	status = relate_all(walk, pp, err);
	if (!status)
		status = perseus__regression_solve(position->regression, &fit, err);
	if (status)
		return status;
	read_fit(walk, pp, &fit);
	int32_t n_shared = 0;
	status = share_unknown(walk, pp, &n_shared, err);
	if (!status && n_shared > 0)
		status = perseus__regression_solve(position->regression, &fit, err);
	if (status)
		return status;
	read_fit(walk, pp, &fit);
	position->is_stale = false;
	return PERSEUS_OK;
}

enum perseus_status
perseus__walk_learn(struct perseus__walk *walk, struct perseus_error *err)
{
	for (int32_t i = 0; i < walk->settings.n_pp; i++) {
		const enum perseus_status status = walk->positions[i].is_stale ? learn_position(walk, i, err) : PERSEUS_OK;
		if (status)
			return status;
	}
	for (int32_t i = 0; i < walk->settings.n_classes; i++)
		for (int32_t j = 0; j < walk->classes[i].n_points; j++) {
			struct perseus__walk_point *point = &walk->classes[i].points[j];
			point->time = perseus__samples_mean(&point->times);
		}
	return PERSEUS_OK;
}

struct perseus__walk_energy
perseus__walk_energy(const struct perseus__walk *walk, const struct perseus__walk_class *class_,
		const struct perseus__walk_point *point)
{
	const double blocking_w = walk->positions[class_->class_.pp].blocking.power_w;
	const double energy_j = point->power_w * point->time.mean_s;
	if (!isfinite(energy_j) || !isfinite(point->power_error_w))
		return (struct perseus__walk_energy){(double)NAN, (double)NAN, (double)INFINITY};
	return (struct perseus__walk_energy){
		.energy_j = energy_j,
		/* Where a position never waits, waiting costs nothing to be saved. */
		.effective_j = energy_j - (isfinite(blocking_w) ? blocking_w * point->time.mean_s : 0),
		.error_j = hypot(point->power_error_w * point->time.mean_s, point->power_w * point->time.error_s),
	};
}

/* What a position computes in a step at a clock, s; constant classes left out. */
static double
computing_s(const struct perseus__walk *walk, int32_t pp, int32_t mhz)
{
	double sum_s = 0;
	for (int32_t i = 0; i < walk->settings.n_classes; i++) {
		const struct perseus__walk_class *class_ = &walk->classes[i];
		const struct perseus__walk_point *point = perseus__walk_find(class_, mhz);
		if (class_->class_.pp == pp && !class_->is_constant && point && isfinite(point->time.mean_s))
			sum_s += class_->class_.n_per_step * point->time.mean_s;
	}
	return sum_s;
}

bool
perseus__walk_is_poor(const struct perseus__walk *walk, const struct perseus__walk_class *class_, int32_t mhz)
{
	const struct perseus__walk_point *point = perseus__walk_find(class_, mhz);
	if (class_->is_constant || !point || !isfinite(point->time.mean_s) || point->is_shared_power)
		return false;
	if (walk->positions[class_->class_.pp].n_windows == 0)
		return false;
	const double share = class_->class_.n_per_step * point->time.mean_s / computing_s(walk, class_->class_.pp, mhz);
	const struct perseus__walk_energy energy = perseus__walk_energy(walk, class_, point);
	return share >= RELEVANT_SHARE && !(energy.error_j <= WANTED_ERROR * energy.energy_j);
}
