/* What goes into the regression. */
#include "server/regression_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

struct perseus__regression *
perseus__regression_new(int32_t max_windows)
{
	struct perseus__regression *regression = perseus__new_array(1, sizeof *regression);
	if (regression)
		regression->max_windows = max_windows;
	return regression;
}

static void
free_window(struct perseus__regression_kept *window)
{
	perseus__free(window->columns);
	perseus__free(window->times_s);
	*window = (struct perseus__regression_kept){0};
}

void
perseus__regression_clear_priors(struct perseus__regression *regression)
{
	for (int32_t i = 0; i < regression->n_priors; i++) {
		perseus__free(regression->priors[i].columns);
		perseus__free(regression->priors[i].coefficients);
	}
	regression->n_priors = 0;
}

void
perseus__regression_free(struct perseus__regression *regression)
{
	if (!regression)
		return;
	for (int32_t i = 0; i < regression->n_windows; i++)
		free_window(&regression->windows[i]);
	perseus__regression_clear_priors(regression);
	perseus__free(regression->windows);
	perseus__free(regression->priors);
	perseus__free(regression->power_w);
	perseus__free(regression->standard_error_w);
	perseus__free(regression);
}

static bool
is_column(int32_t column)
{
	return column >= 0 && column < PERSEUS__REGRESSION_MAX_COLUMNS;
}

/* Copies of both arrays of an equation, of which none is there yet. */
static enum perseus_status
make_room(int32_t n, int32_t **columns, double **values, struct perseus_error *err)
{
	*columns = perseus__new_array((size_t)n, sizeof **columns);
	*values = perseus__new_array((size_t)n, sizeof **values);
	if (*columns && *values)
		return PERSEUS_OK;
	perseus__free(*columns);
	perseus__free(*values);
	return perseus__no_memory(err);
}

static enum perseus_status
check_window(const struct perseus__regression_window *window, struct perseus_error *err)
{
	if (window->n_terms < 1)
		return perseus__fail(err, PERSEUS_INVALID, "a window in which nothing ran");
	if (!isfinite(window->energy_j))
		return perseus__fail(err, PERSEUS_INVALID, "energy of a window is %g J: must be finite", window->energy_j);
	if (!(window->error_j > 0 && isfinite(window->error_j)))
		return perseus__fail(err, PERSEUS_INVALID, "error of a window is %g J: must be above 0", window->error_j);
	for (int32_t i = 0; i < window->n_terms; i++) {
		const struct perseus__regression_term *term = &window->terms[i];
		if (!is_column(term->column))
			return perseus__fail(err, PERSEUS_INVALID, "column %d: must be 0 to %d", (int)term->column,
					PERSEUS__REGRESSION_MAX_COLUMNS - 1);
		if (!(term->time_s >= 0 && isfinite(term->time_s)))
			return perseus__fail(err, PERSEUS_INVALID, "time in a window is %g s: must be 0 or more", term->time_s);
	}
	return PERSEUS_OK;
}

/* Where the next window goes; NULL where there is no memory. */
static struct perseus__regression_kept *
next_place(struct perseus__regression *regression)
{
	if (regression->n_windows == regression->max_windows) {
		struct perseus__regression_kept *oldest = &regression->windows[regression->n_added % regression->max_windows];
		free_window(oldest);
		return oldest;
	}
	if (!perseus__reserve(&regression->windows, &regression->cap_windows, (size_t)regression->n_windows + 1,
				sizeof *regression->windows))
		return NULL;
	return &regression->windows[regression->n_windows++];
}

enum perseus_status
perseus__regression_add(struct perseus__regression *regression, const struct perseus__regression_window *window,
		int64_t *number, struct perseus_error *err)
{
	enum perseus_status status = check_window(window, err);
	if (status)
		return status;
	struct perseus__regression_kept kept = {
		.n_terms = window->n_terms,
		.energy_j = window->energy_j,
		.error_j = window->error_j,
		.previous = window->previous,
	};
	status = make_room(window->n_terms, &kept.columns, &kept.times_s, err);
	if (status)
		return status;
	struct perseus__regression_kept *place = next_place(regression);
	if (!place) {
		free_window(&kept);
		return perseus__no_memory(err);
	}
	for (int32_t i = 0; i < window->n_terms; i++) {
		kept.columns[i] = window->terms[i].column;
		kept.times_s[i] = window->terms[i].time_s;
		if (kept.columns[i] >= regression->n_columns)
			regression->n_columns = kept.columns[i] + 1;
	}
	*place = kept;
	*number = regression->n_added++;
	return PERSEUS_OK;
}

static enum perseus_status
check_prior(const struct perseus__regression_prior *prior, struct perseus_error *err)
{
	if (prior->n < 1 || !isfinite(prior->value_w) || !(prior->deviation_w > 0 && isfinite(prior->deviation_w)))
		return perseus__fail(err, PERSEUS_INVALID, "a prior of %d columns: %g W, give or take %g W", (int)prior->n,
				prior->value_w, prior->deviation_w);
	for (int32_t i = 0; i < prior->n; i++)
		if (!is_column(prior->columns[i]) || !isfinite(prior->coefficients[i]))
			return perseus__fail(err, PERSEUS_INVALID, "a prior with %g of column %d", prior->coefficients[i],
					(int)prior->columns[i]);
	return PERSEUS_OK;
}

enum perseus_status
perseus__regression_add_prior(struct perseus__regression *regression, const struct perseus__regression_prior *prior,
		struct perseus_error *err)
{
	enum perseus_status status = check_prior(prior, err);
	if (status)
		return status;
	if (!perseus__reserve(&regression->priors, &regression->cap_priors, (size_t)regression->n_priors + 1,
				sizeof *regression->priors))
		return perseus__no_memory(err);
	struct perseus__regression_known known = {
		.n = prior->n, .value_w = prior->value_w, .deviation_w = prior->deviation_w};
	status = make_room(prior->n, &known.columns, &known.coefficients, err);
	if (status)
		return status;
	memcpy(known.columns, prior->columns, (size_t)prior->n * sizeof *known.columns);
	memcpy(known.coefficients, prior->coefficients, (size_t)prior->n * sizeof *known.coefficients);
	regression->priors[regression->n_priors++] = known;
	return PERSEUS_OK;
}
