/* What ranks report. */
#include "server/walk_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

enum {
	MAX_WINDOWS_PER_POINT = 128, /* more would add little, whatever the number of ranks */
	MAX_TERMS = 1024,            /* of a window */
};

/* Windows with more of it are left out: what ran then is not known. */
#define LARGEST_UNSETTLED_SHARE 0.05
/* What ran may exceed the window by this much, from rounding and from moments taken on two clocks. */
#define LARGEST_BUSY_SHARE 1.02
/* Meters are not believed to be better than this. */
#define SMALLEST_ERROR_SHARE 1e-3
#define SMALLEST_ERROR_J 1e-3

/* Index of the first point at or below a clock. */
static int32_t
lower_bound(const struct perseus__walk_class *class_, int32_t frequency_mhz)
{
	int32_t low = 0;
	int32_t high = class_->n_points;
	while (low < high) {
		const int32_t middle = low + (high - low) / 2;
		if (class_->points[middle].frequency_mhz > frequency_mhz)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct perseus__walk_point *
perseus__walk_find(const struct perseus__walk_class *class_, int32_t frequency_mhz)
{
	const int32_t index = lower_bound(class_, frequency_mhz);
	if (index < class_->n_points && class_->points[index].frequency_mhz == frequency_mhz)
		return &class_->points[index];
	return NULL;
}

/* The point of a class at a clock, which is made where there is none. */
static enum perseus_status
get_point(struct perseus__walk_class *class_, int32_t frequency_mhz, struct perseus__walk_point **point,
		struct perseus_error *err)
{
	*point = perseus__walk_find(class_, frequency_mhz);
	if (*point)
		return PERSEUS_OK;
	const size_t n = (size_t)class_->n_points;
	if (!perseus__reserve(&class_->points, &class_->cap_points, n + 1, sizeof *class_->points))
		return perseus__no_memory(err);
	const int32_t index = lower_bound(class_, frequency_mhz);
	*point = &class_->points[index];
	memmove(*point + 1, *point, (n - (size_t)index) * sizeof **point);
	**point = (struct perseus__walk_point){
		.frequency_mhz = frequency_mhz,
		.column = -1,
		.time = {.mean_s = (double)NAN, .error_s = (double)INFINITY},
		.power_w = (double)NAN,
		.power_error_w = (double)INFINITY,
	};
	class_->n_points++;
	return PERSEUS_OK;
}

/* Clocks do not matter to constant classes. */
static int32_t
clock_of(const struct perseus__walk_class *class_, int32_t frequency_mhz)
{
	return class_->is_constant ? 0 : frequency_mhz;
}

/* Where clocks can be set, what ran at a clock that nobody knows tells nothing. */
static bool
is_known_clock(const struct perseus__walk *walk, const struct perseus__walk_class *class_, int32_t frequency_mhz)
{
	return class_->is_constant || frequency_mhz > 0 || !walk->is_settable;
}

static enum perseus_status
check_class(const struct perseus__walk *walk, int32_t class_, int32_t frequency_mhz, struct perseus_error *err)
{
	if (class_ < 0 || class_ >= walk->settings.n_classes)
		return perseus__fail(
				err, PERSEUS_INVALID, "class %d: must be 0 to %d", (int)class_, (int)walk->settings.n_classes - 1);
	if (frequency_mhz < 0 || frequency_mhz > PERSEUS_MAX_FREQUENCY_MHZ)
		return perseus__fail(
				err, PERSEUS_INVALID, "clock %d MHz: must be 0 to %d", (int)frequency_mhz, PERSEUS_MAX_FREQUENCY_MHZ);
	return PERSEUS_OK;
}

static bool
is_in(double value, double lowest, double highest)
{
	return value >= lowest && value <= highest;
}

enum perseus_status
perseus__walk_add_times(struct perseus__walk *walk, const struct perseus__walk_times *times, struct perseus_error *err)
{
	enum perseus_status status = check_class(walk, times->class_, times->frequency_mhz, err);
	if (status)
		return status;
	if (times->count < 1 || !is_in(times->mean_s, 0, PERSEUS_MAX_TIME_S) || times->mean_s == 0
			|| !is_in(times->deviation_s, 0, PERSEUS_MAX_TIME_S))
		return perseus__fail(err, PERSEUS_INVALID, "times of class %d: %d of %g s, deviation %g s", (int)times->class_,
				(int)times->count, times->mean_s, times->deviation_s);
	struct perseus__walk_class *class_ = &walk->classes[times->class_];
	if (!is_known_clock(walk, class_, times->frequency_mhz))
		return PERSEUS_OK;
	struct perseus__walk_point *point;
	status = get_point(class_, clock_of(class_, times->frequency_mhz), &point, err);
	if (status)
		return status;
	const struct perseus__sample sample = {
		.mean_s = times->mean_s,
		.deviation_s = times->deviation_s,
		.count = times->count,
	};
	return perseus__samples_add(&point->times, &sample, err);
}

static enum perseus_status
check_window(const struct perseus__walk *walk, const struct perseus__walk_window *window, struct perseus_error *err)
{
	if (window->pp < 0 || window->pp >= walk->settings.n_pp)
		return perseus__fail(err, PERSEUS_INVALID, "window of position %d: must be 0 to %d", (int)window->pp,
				(int)walk->settings.n_pp - 1);
	if (!is_in(window->time_s, 0, PERSEUS_MAX_TIME_S) || window->time_s == 0
			|| !is_in(window->energy_j, 0, PERSEUS_MAX_ENERGY_J) || !is_in(window->error_j, 0, PERSEUS_MAX_ENERGY_J)
			|| !is_in(window->unsettled_s, 0, PERSEUS_MAX_TIME_S))
		return perseus__fail(err, PERSEUS_INVALID, "window of %g s: %g J, error %g J, unsettled for %g s",
				window->time_s, window->energy_j, window->error_j, window->unsettled_s);
	if (window->rank < 0 || window->rank >= PERSEUS__WALK_MAX_RANKS)
		return perseus__fail(err, PERSEUS_INVALID, "window of rank %d: must be 0 to %d", (int)window->rank,
				PERSEUS__WALK_MAX_RANKS - 1);
	if (window->n_terms < 0 || window->n_terms > MAX_TERMS)
		return perseus__fail(err, PERSEUS_INVALID, "window with %d terms", (int)window->n_terms);
	for (int32_t i = 0; i < window->n_terms; i++) {
		const struct perseus__walk_term *term = &window->terms[i];
		const enum perseus_status status = check_class(walk, term->class_, term->frequency_mhz, err);
		if (status)
			return status;
		if (walk->classes[term->class_].class_.pp != window->pp)
			return perseus__fail(err, PERSEUS_INVALID, "window of position %d with class %d of another",
					(int)window->pp, (int)term->class_);
		if (!is_in(term->time_s, 0, PERSEUS_MAX_TIME_S))
			return perseus__fail(
					err, PERSEUS_INVALID, "window in which class %d ran for %g s", (int)term->class_, term->time_s);
	}
	return PERSEUS_OK;
}

static double
busy_s(const struct perseus__walk_window *window)
{
	double sum_s = 0;
	for (int32_t i = 0; i < window->n_terms; i++)
		sum_s += window->terms[i].time_s;
	return sum_s;
}

static bool
is_usable(const struct perseus__walk *walk, const struct perseus__walk_window *window)
{
	for (int32_t i = 0; i < window->n_terms; i++) {
		const struct perseus__walk_term *term = &window->terms[i];
		if (!is_known_clock(walk, &walk->classes[term->class_], term->frequency_mhz))
			return false;
	}
	return window->unsettled_s <= LARGEST_UNSETTLED_SHARE * window->time_s
			&& busy_s(window) + window->unsettled_s <= LARGEST_BUSY_SHARE * window->time_s;
}

/* Points of all terms, each with a column of its own. */
static enum perseus_status
prepare_points(struct perseus__walk *walk, const struct perseus__walk_window *window, struct perseus_error *err)
{
	for (int32_t i = 0; i < window->n_terms; i++) {
		struct perseus__walk_position *position = &walk->positions[window->pp];
		struct perseus__walk_class *class_ = &walk->classes[window->terms[i].class_];
		struct perseus__walk_point *point;
		const enum perseus_status status =
				get_point(class_, clock_of(class_, window->terms[i].frequency_mhz), &point, err);
		if (status)
			return status;
		if (point->column < 0 && position->n_columns == PERSEUS__REGRESSION_MAX_COLUMNS)
			return perseus__fail(err, PERSEUS_INVALID, "more than %d clocks of classes at position %d",
					PERSEUS__REGRESSION_MAX_COLUMNS - 1, (int)window->pp);
		if (point->column < 0)
			point->column = position->n_columns++;
	}
	return PERSEUS_OK;
}

static struct perseus__walk_point *
point_of(const struct perseus__walk *walk, const struct perseus__walk_term *term)
{
	const struct perseus__walk_class *class_ = &walk->classes[term->class_];
	return perseus__walk_find(class_, clock_of(class_, term->frequency_mhz));
}

/* Counts the window for what ran longest; false where enough are kept of that. */
static bool
count_window(struct perseus__walk *walk, const struct perseus__walk_window *window)
{
	int32_t *n = &walk->positions[window->pp].n_blocking_windows;
	double longest_s = 0;
	for (int32_t i = 0; i < window->n_terms; i++)
		if (window->terms[i].time_s > longest_s) {
			longest_s = window->terms[i].time_s;
			n = &point_of(walk, &window->terms[i])->n_windows;
		}
	if (*n >= MAX_WINDOWS_PER_POINT)
		return false;
	++*n;
	return true;
}

/* One term for each column: constant classes may be named at several clocks. */
static int32_t
collect_terms(const struct perseus__walk *walk, const struct perseus__walk_window *window,
		struct perseus__regression_term *terms)
{
	int32_t n = 0;
	for (int32_t i = 0; i < window->n_terms; i++) {
		const int32_t column = point_of(walk, &window->terms[i])->column;
		int32_t j = 0;
		while (j < n && terms[j].column != column)
			j++;
		if (j == n)
			terms[n++] = (struct perseus__regression_term){.column = column};
		terms[j].time_s += window->terms[i].time_s;
	}
	return n;
}

/* Number of this rank's last window, to which the next one is linked; -1 where it is not. NULL: no memory. */
static int64_t *
last_of_rank(struct perseus__walk_position *position, int32_t rank, struct perseus_error *err)
{
	if (!perseus__reserve(&position->last, &position->cap_last, (size_t)rank + 1, sizeof *position->last)) {
		(void)perseus__no_memory(err);
		return NULL;
	}
	while (position->n_last <= rank)
		position->last[position->n_last++] = -1;
	return &position->last[rank];
}

/* What is unsettled is taken out at the window's mean power, which is then open. */
static enum perseus_status
add_equation(
		struct perseus__walk *walk, const struct perseus__walk_window *window, int64_t *last, struct perseus_error *err)
{
	struct perseus__regression_term *terms = perseus__new_array((size_t)window->n_terms + 1, sizeof *terms);
	if (!terms)
		return perseus__no_memory(err);
	const double unsettled_j = window->energy_j * window->unsettled_s / window->time_s;
	const double rest_s = fmax(0, window->time_s - window->unsettled_s - busy_s(window));
	const double least_j = fmax(SMALLEST_ERROR_J, SMALLEST_ERROR_SHARE * window->energy_j);
	struct perseus__regression_window equation = {
		.terms = terms,
		.n_terms = collect_terms(walk, window, terms),
		.energy_j = window->energy_j - unsettled_j,
		.error_j = hypot(fmax(window->error_j, least_j), unsettled_j),
		.previous = window->is_first ? -1 : *last,
	};
	if (isnan(walk->settings.blocking_power_w))
		terms[equation.n_terms++] = (struct perseus__regression_term){.column = 0, .time_s = rest_s};
	else
		equation.energy_j -= walk->settings.blocking_power_w * rest_s;
	*last = -1;
	const enum perseus_status status = equation.n_terms == 0
			? PERSEUS_OK
			: perseus__regression_add(walk->positions[window->pp].regression, &equation, last, err);
	perseus__free(terms);
	return status;
}

enum perseus_status
perseus__walk_add_window(
		struct perseus__walk *walk, const struct perseus__walk_window *window, struct perseus_error *err)
{
	enum perseus_status status = check_window(walk, window, err);
	if (status)
		return status;
	struct perseus__walk_position *position = &walk->positions[window->pp];
	int64_t *last = last_of_rank(position, window->rank, err);
	if (!last)
		return PERSEUS_NO_MEMORY;
	if (!is_usable(walk, window)) {
		*last = -1;
		return PERSEUS_OK;
	}
	status = prepare_points(walk, window, err);
	if (status)
		return status;
	if (count_window(walk, window))
		status = add_equation(walk, window, last, err);
	else
		*last = -1;
	if (status)
		return status;
	position->n_windows++;
	position->energy_j += window->energy_j;
	position->time_s += window->time_s;
	position->is_stale = true;
	return PERSEUS_OK;
}
