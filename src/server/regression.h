/*
 * Powers from windows of an energy counter: weighted least squares that outliers hardly move, with standard errors.
 *
 * The counter of a GPU moves every 100 ms or so, while instructions take tens of milliseconds. A window between two
 * moves tells
 *
 *     energy = sum over what ran of power · time  + error
 *
 * and many windows tell the powers, where they saw different shares of what ran. Columns are numbered by the caller; a
 * number seen for the first time makes a column. Directions that no window tells anything about are found: the powers
 * that they would change have no value. docs/profiling.md has the method.
 *
 * Pure: no input or output, no threads. An object is used by one thread at a time.
 */
#ifndef PERSEUS_SERVER_REGRESSION_H
#define PERSEUS_SERVER_REGRESSION_H

#include <stdint.h>

#include <perseus/status.h>

struct perseus__regression;

/* So long did what the column stands for run in a window. */
struct perseus__regression_term {
	int32_t column; /* 0..PERSEUS__REGRESSION_MAX_COLUMNS-1 */
	double time_s;  /* >= 0, finite */
};

enum { PERSEUS__REGRESSION_MAX_COLUMNS = 4096 };

/* What was solved. Arrays belong to the regression and hold until the next call that takes it. */
struct perseus__regression_fit {
	int32_t n_columns;              /* highest column + 1 */
	const double *power_w;          /* length n_columns; NaN where not determined */
	const double *standard_error_w; /* length n_columns; infinite where not determined */
	double scale;       /* how many times larger than their error_j the errors of windows turned out to be */
	double correlation; /* of the errors of a window and its previous one: -0.49 to 0 */
	int32_t n_windows;
	int32_t n_outliers;     /* windows that count less than half */
	int32_t n_undetermined; /* columns without a value */
};

/* Keeps the last `max_windows` (>= 1) windows. NULL where there is no memory. */
PERSEUS_MUST_USE struct perseus__regression *perseus__regression_new(int32_t max_windows);

/* Frees a regression; NULL is fine. */
void perseus__regression_free(struct perseus__regression *regression);

/* A window. */
struct perseus__regression_window {
	const struct perseus__regression_term *terms; /* length n_terms, a column at most once */
	int32_t n_terms;                              /* >= 1 */
	double energy_j;
	double error_j;   /* > 0: its standard deviation as far as is known; only the ratio between windows matters */
	int64_t previous; /* number of the window at whose end it begins; -1: none */
};

/*
 * Adds a window (copied); `*number` is what it is called from now on. The oldest makes room for one too many. A window
 * and its previous one share the error of the moment at which the counter moved, which one has too much and the other
 * too little: how much that makes of the errors is estimated. Errors: INVALID for a value out of range; NO_MEMORY.
 * Nothing has changed then. O(terms).
 */
PERSEUS_MUST_USE enum perseus_status perseus__regression_add(struct perseus__regression *regression,
		const struct perseus__regression_window *window, int64_t *number, struct perseus_error *err);

/* What is known beforehand: sum of coefficient · power of `n` columns is a value, give or take a standard deviation. */
struct perseus__regression_prior {
	const int32_t *columns;
	const double *coefficients; /* finite */
	int32_t n;
	double value_w;
	double deviation_w; /* > 0 */
};

/* Takes `prior` (copied) into account from now on. A prior makes no column. Errors as above. */
PERSEUS_MUST_USE enum perseus_status perseus__regression_add_prior(struct perseus__regression *regression,
		const struct perseus__regression_prior *prior, struct perseus_error *err);

/* Forgets all priors. */
void perseus__regression_clear_priors(struct perseus__regression *regression);

/*
 * Solves. The standard errors come from what the windows differ by from the solution, and from the priors.
 * Errors: NO_MEMORY; nothing has changed then. O(windows · terms² + columns³), some ten times.
 */
PERSEUS_MUST_USE enum perseus_status perseus__regression_solve(
		struct perseus__regression *regression, struct perseus__regression_fit *fit, struct perseus_error *err);

#endif
