/* What the regression keeps. */
#ifndef PERSEUS_SERVER_REGRESSION_INTERNAL_H
#define PERSEUS_SERVER_REGRESSION_INTERNAL_H

#include "server/regression.h"

#include <stddef.h>

/* A window as it is kept; both arrays owned. */
struct perseus__regression_kept {
	int32_t *columns; /* length n_terms */
	double *times_s;  /* length n_terms */
	int32_t n_terms;
	double energy_j;
	double error_j;
	int64_t previous;
};

struct perseus__regression_known {
	int32_t *columns;
	double *coefficients;
	int32_t n;
	double value_w;
	double deviation_w;
};

struct perseus__regression {
	struct perseus__regression_kept *windows; /* a ring: number n is at n % max_windows */
	size_t cap_windows;
	int32_t n_windows;
	int32_t max_windows;
	int64_t n_added;
	struct perseus__regression_known *priors;
	size_t cap_priors;
	int32_t n_priors;
	int32_t n_columns;
	double *power_w; /* length n_columns when it was last solved */
	double *standard_error_w;
};

#endif
