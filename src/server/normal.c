/* Cholesky's method with pivoting (Higham 2002, Accuracy and Stability of Numerical Algorithms, 10.3). */
#include "server/normal.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

/*
 * A pivot this small, on a diagonal of ones, is rounding: sums of squares carry about 1e-16 times the number of
 * equations. Whatever is smaller would have a standard error of more than 1e5 times the others'.
 */
#define SMALLEST_PIVOT 1e-11
#define GOOD_PIVOT 1e-2
/* How much of an open direction an unknown must have in it to be open itself; above the rounding of what follows. */
#define SMALLEST_SHARE 1e-6

enum perseus_status
perseus__normal_init(struct perseus__normal *normal, int32_t n, struct perseus_error *err)
{
	const size_t size = (size_t)n;
	*normal = (struct perseus__normal){
		.n = n,
		.matrix = perseus__new_array(size * size, sizeof(double)),
		.right = perseus__new_array(size, sizeof(double)),
		.factor = perseus__new_array(size * size, sizeof(double)),
		.root = perseus__new_array(size, sizeof(double)),
		.work = perseus__new_array(size, sizeof(double)),
		.order = perseus__new_array(size, sizeof(int32_t)),
		.touched = perseus__new_array(size, sizeof(int32_t)),
		.row_of_unknown = perseus__new_array(size, sizeof(int32_t)),
		.is_determined = perseus__new_array(size, sizeof(bool)),
	};
	if (normal->matrix && normal->right && normal->factor && normal->root && normal->work && normal->order
			&& normal->touched && normal->row_of_unknown && normal->is_determined)
		return PERSEUS_OK;
	perseus__normal_fini(normal);
	return perseus__no_memory(err);
}

void
perseus__normal_fini(struct perseus__normal *normal)
{
	perseus__free(normal->matrix);
	perseus__free(normal->right);
	perseus__free(normal->factor);
	perseus__free(normal->root);
	perseus__free(normal->work);
	perseus__free(normal->order);
	perseus__free(normal->touched);
	perseus__free(normal->row_of_unknown);
	perseus__free(normal->is_determined);
	*normal = (struct perseus__normal){0};
}

void
perseus__normal_clear(struct perseus__normal *normal)
{
	const size_t n = (size_t)normal->n;
	memset(normal->matrix, 0, n * n * sizeof *normal->matrix);
	memset(normal->right, 0, n * sizeof *normal->right);
}

void
perseus__normal_add(struct perseus__normal *normal, const struct perseus__equation *equation)
{
	for (int32_t i = 0; i < equation->n; i++) {
		const double weighted = equation->weight * equation->values[i];
		double *row = normal->matrix + (size_t)equation->columns[i] * (size_t)normal->n;
		for (int32_t j = 0; j < equation->n; j++)
			row[equation->columns[j]] += weighted * equation->values[j];
		normal->right[equation->columns[i]] += weighted * equation->right;
	}
}

static double *
row_of(const struct perseus__normal *normal, int32_t row)
{
	return normal->factor + (size_t)row * (size_t)normal->n;
}

/* The last unknown comes first, so that those with which everything goes together come late. */
static void
scale_matrix(struct perseus__normal *normal)
{
	const int32_t n = normal->n;
	for (int32_t i = 0; i < n; i++)
		normal->root[i] = sqrt(normal->matrix[(size_t)i * (size_t)n + (size_t)i]);
	for (int32_t i = 0; i < n; i++) {
		const int32_t a = n - 1 - i;
		normal->order[i] = a;
		for (int32_t j = 0; j <= i; j++) {
			const int32_t b = n - 1 - j;
			const double scale = normal->root[a] * normal->root[b];
			row_of(normal, i)[j] = scale > 0 ? normal->matrix[(size_t)a * (size_t)n + (size_t)b] / scale : 0;
		}
	}
}

/*
 * The next unknown as it comes, which keeps zeros where there are some, as long as most of it is left; else the one of
 * which most is left, so that what remains at the end is rounding.
 */
static int32_t
choose_pivot(const struct perseus__normal *normal, int32_t from)
{
	int32_t best = from;
	for (int32_t i = from; i < normal->n; i++) {
		if (row_of(normal, i)[i] >= GOOD_PIVOT)
			return i;
		if (row_of(normal, i)[i] > row_of(normal, best)[best])
			best = i;
	}
	return best;
}

static void
swap_doubles(double *a, double *b)
{
	const double value = *a;
	*a = *b;
	*b = value;
}

/* Of the symmetric matrix of which only the lower triangle is there; a < b. */
static void
swap_unknowns(struct perseus__normal *normal, int32_t a, int32_t b)
{
	for (int32_t j = 0; j < a; j++)
		swap_doubles(&row_of(normal, a)[j], &row_of(normal, b)[j]);
	swap_doubles(&row_of(normal, a)[a], &row_of(normal, b)[b]);
	for (int32_t i = a + 1; i < b; i++)
		swap_doubles(&row_of(normal, i)[a], &row_of(normal, b)[i]);
	for (int32_t i = b + 1; i < normal->n; i++)
		swap_doubles(&row_of(normal, i)[a], &row_of(normal, i)[b]);
	const int32_t unknown = normal->order[a];
	normal->order[a] = normal->order[b];
	normal->order[b] = unknown;
}

/* Column `k` of the factor, and what it leaves of the rest; zeros cost nothing. */
static void
eliminate(struct perseus__normal *normal, int32_t k)
{
	const double pivot = sqrt(row_of(normal, k)[k]);
	row_of(normal, k)[k] = pivot;
	int32_t n = 0;
	for (int32_t i = k + 1; i < normal->n; i++)
		if (row_of(normal, i)[k] != 0) {
			row_of(normal, i)[k] /= pivot;
			normal->touched[n] = i;
			normal->work[n++] = row_of(normal, i)[k];
		}
	for (int32_t i = 0; i < n; i++) {
		double *row = row_of(normal, normal->touched[i]);
		for (int32_t j = 0; j <= i; j++)
			row[normal->touched[j]] -= normal->work[i] * normal->work[j];
	}
}

/* Solves factorᵀ · x = x in place, over the pivots. */
static void
substitute_back(const struct perseus__normal *normal, double *x)
{
	for (int32_t i = normal->rank - 1; i >= 0; i--) {
		x[i] /= row_of(normal, i)[i];
		for (int32_t j = 0; j < i; j++)
			x[j] -= row_of(normal, i)[j] * x[i];
	}
}

/* Solves factor · x = x in place, over the pivots; x is 0 before `first`. */
static void
substitute_forward(const struct perseus__normal *normal, int32_t first, double *x)
{
	for (int32_t i = first; i < normal->rank; i++) {
		for (int32_t j = first; j < i; j++)
			x[i] -= row_of(normal, i)[j] * x[j];
		x[i] /= row_of(normal, i)[i];
	}
}

/* Every row behind the rank is a direction that stays open: one unknown, and what of the pivots must go with it. */
static void
find_determined(struct perseus__normal *normal)
{
	for (int32_t i = 0; i < normal->n; i++) {
		normal->is_determined[normal->order[i]] = i < normal->rank;
		normal->row_of_unknown[normal->order[i]] = i;
	}
	for (int32_t open = normal->rank; open < normal->n; open++) {
		memcpy(normal->work, row_of(normal, open), (size_t)normal->rank * sizeof *normal->work);
		substitute_back(normal, normal->work);
		for (int32_t i = 0; i < normal->rank; i++)
			if (fabs(normal->work[i]) > SMALLEST_SHARE)
				normal->is_determined[normal->order[i]] = false;
	}
}

void
perseus__normal_factorise(struct perseus__normal *normal)
{
	scale_matrix(normal);
	normal->rank = 0;
	while (normal->rank < normal->n) {
		const int32_t best = choose_pivot(normal, normal->rank);
		if (row_of(normal, best)[best] <= SMALLEST_PIVOT)
			break;
		if (best != normal->rank)
			swap_unknowns(normal, normal->rank, best);
		eliminate(normal, normal->rank);
		normal->rank++;
	}
	find_determined(normal);
}

void
perseus__normal_solve(struct perseus__normal *normal, double *x)
{
	for (int32_t i = 0; i < normal->rank; i++)
		normal->work[i] = normal->right[normal->order[i]] / normal->root[normal->order[i]];
	substitute_forward(normal, 0, normal->work);
	substitute_back(normal, normal->work);
	for (int32_t i = 0; i < normal->n; i++) {
		const int32_t unknown = normal->order[i];
		x[unknown] = i < normal->rank ? normal->work[i] / normal->root[unknown] : 0;
	}
}

double
perseus__normal_variance(struct perseus__normal *normal, const int32_t *columns, const double *values, int32_t n)
{
	memset(normal->work, 0, (size_t)normal->rank * sizeof *normal->work);
	int32_t first = normal->rank;
	for (int32_t j = 0; j < n; j++) {
		const int32_t row = normal->row_of_unknown[columns[j]];
		if (row >= normal->rank)
			continue;
		normal->work[row] = values[j] / normal->root[columns[j]];
		if (row < first)
			first = row;
	}
	substitute_forward(normal, first, normal->work);
	double variance = 0;
	for (int32_t i = first; i < normal->rank; i++)
		variance += normal->work[i] * normal->work[i];
	return variance;
}
