/*
 * Windows as equations with errors that have nothing to do with one another: each divided by its error, and cleared of
 * what it shares with the windows before it (the factor of their correlation, which has a diagonal and one beside it).
 */
#ifndef PERSEUS_SERVER_REGRESSION_ROWS_H
#define PERSEUS_SERVER_REGRESSION_ROWS_H

#include "server/regression_internal.h"

#include <stdbool.h>
#include <stddef.h>

struct perseus__row {
	size_t begin; /* of its columns and values */
	int32_t n;
	int32_t length;  /* windows in its chain up to here */
	double diagonal; /* of the factor */
	double right;
	double residual;
	double weight;    /* 1, less for an outlier */
	int32_t previous; /* row of the previous window; -1: none */
	bool is_outlier;  /* nothing is linked to it */
};

struct perseus__rows {
	struct perseus__row *rows; /* length n, oldest first */
	int32_t n;
	int32_t *columns;
	size_t cap_columns;
	double *values;
	size_t cap_values;
	size_t n_values;
	double *dense;    /* length n_columns, zero between calls */
	int32_t *touched; /* length n_columns */
};

/* Finds which windows are linked; all weights 1, nobody an outlier. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__rows_init(
		struct perseus__rows *rows, const struct perseus__regression *regression, struct perseus_error *err);
void perseus__rows_fini(struct perseus__rows *rows);

/*
 * Makes the rows, where the errors of linked windows have this correlation, -0.5 < correlation <= 0. Errors: NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__rows_build(struct perseus__rows *rows,
		const struct perseus__regression *regression, double correlation, struct perseus_error *err);

#endif
