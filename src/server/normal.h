/*
 * Normal equations of least squares: a symmetric positive semidefinite system that may leave some unknowns
 * undetermined, solved by Cholesky's method with pivoting on the matrix scaled to a diagonal of ones.
 */
#ifndef PERSEUS_SERVER_NORMAL_H
#define PERSEUS_SERVER_NORMAL_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

struct perseus__normal {
	int32_t n;
	double *matrix;          /* n · n, symmetric: filled by the caller through perseus__normal_add */
	double *right;           /* length n */
	double *factor;          /* n · n: rows in pivot order, the lower triangle left of `rank` is the factor */
	double *root;            /* length n: root of the diagonal; 0 where nothing touches the unknown */
	double *work;            /* length n */
	int32_t *order;          /* length n: unknown of each row of the factor */
	int32_t *row_of_unknown; /* length n: the reverse */
	int32_t *touched;        /* length n: rows that an elimination changes */
	bool *is_determined;     /* length n */
	int32_t rank;
};

/* Room for `n` unknowns, all zero. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__normal_init(
		struct perseus__normal *normal, int32_t n, struct perseus_error *err);
void perseus__normal_fini(struct perseus__normal *normal);

/* Back to zero. */
void perseus__normal_clear(struct perseus__normal *normal);

/* One equation: sum of value · unknown over `n` different columns is `right`, with weight 1/variance. */
struct perseus__equation {
	const int32_t *columns;
	const double *values;
	int32_t n;
	double right;
	double weight;
};

/* Adds an equation. O(n²) of its columns. */
void perseus__normal_add(struct perseus__normal *normal, const struct perseus__equation *equation);

/*
 * Factorises, and finds which unknowns are determined: those that no direction which the equations leave open would
 * change. O(n³).
 */
void perseus__normal_factorise(struct perseus__normal *normal);

/*
 * A solution `x`, length n; one of many where not all is determined: some that are not are 0. Factorised before. O(n²).
 */
void perseus__normal_solve(struct perseus__normal *normal, double *x);

/*
 * Variance of sum of value · unknown, of the unknowns that became pivots; the others are held. Right for every
 * combination that is determined. O(n²).
 */
double perseus__normal_variance(
		struct perseus__normal *normal, const int32_t *columns, const double *values, int32_t n);

#endif
