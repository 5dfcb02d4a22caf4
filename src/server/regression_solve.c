/*
 * Solves by iteratively reweighted least squares with Huber's weights (Huber 1964): a window counts as in least squares
 * while it is within 1.345 standard deviations, beyond by its sign alone. The scale of the errors is that of the median
 * residual, so that a few windows which are wrong do not make all of them look bad. Standard errors are Huber's (Huber
 * 1981, Robust Statistics, 7.6).
 *
 * Twice: first as if windows had nothing to do with one another, which tells how the errors of neighbours are
 * correlated and which windows are wrong; then with that taken into account (generalised least squares).
 */
#include "server/regression_rows.h"

#include "base/error.h"
#include "base/memory.h"
#include "server/normal.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* 95 % as good as least squares where errors are normal. */
#define HUBER_BOUND 1.345
/* Standard deviation over median of the absolute value, of a normal distribution. */
#define DEVIATION_OF_MEDIAN 1.4826
/*
 * Errors are not taken to be less than this share of error_j: for windows without any, where 0 would leave nothing to
 * weigh the priors against.
 */
#define SMALLEST_SCALE 1e-3
#define CONVERGED 1e-6
/*
 * A move of the counter that comes late takes from one window what it gives to the next: -0.5, where all errors are
 * such.
 */
#define STRONGEST_CORRELATION (-0.49)
enum {
	MAX_ROUNDS = 60,
	ROUNDS_OF_SCALE = 20,  /* then it stays: powers and scale may chase each other, while powers alone converge */
	ROUNDS_OF_FREEDOM = 8, /* how often it is found out how much the windows had to determine, which takes long */
	MIN_PAIRS = 16,        /* of neighbours, for their correlation */
};

struct solution {
	struct perseus__regression *regression;
	struct perseus__rows rows;
	struct perseus__normal normal;
	double *power_w;    /* length n_columns: the current one */
	double *previous_w; /* length n_columns: of the round before */
	double *sorted;     /* length of the rows */
	double scale;       /* of the errors, in units of error_j */
	double n_freedom;   /* windows less what they had to determine */
	double correlation;
};

static void
add_rows(struct solution *s, double variance, bool is_weighted)
{
	for (int32_t i = 0; i < s->rows.n; i++) {
		const struct perseus__row *row = &s->rows.rows[i];
		const struct perseus__equation equation = {
			.columns = s->rows.columns + row->begin,
			.values = s->rows.values + row->begin,
			.n = row->n,
			.right = row->right,
			.weight = (is_weighted ? row->weight : 1) / variance,
		};
		if (row->n > 0)
			perseus__normal_add(&s->normal, &equation);
	}
}

/* A prior about a column that no window knows yet says nothing. */
static bool
is_of_columns(const struct perseus__regression_known *prior, int32_t n_columns)
{
	for (int32_t i = 0; i < prior->n; i++)
		if (prior->columns[i] >= n_columns)
			return false;
	return true;
}

static void
add_priors(struct solution *s)
{
	for (int32_t i = 0; i < s->regression->n_priors; i++) {
		const struct perseus__regression_known *prior = &s->regression->priors[i];
		const struct perseus__equation equation = {
			.columns = prior->columns,
			.values = prior->coefficients,
			.n = prior->n,
			.right = prior->value_w,
			.weight = 1 / (prior->deviation_w * prior->deviation_w),
		};
		if (is_of_columns(prior, s->regression->n_columns))
			perseus__normal_add(&s->normal, &equation);
	}
}

/* How many unknowns the windows had to determine: what the priors determined does not count. */
static double
n_determined_by_windows(struct solution *s)
{
	double n = s->normal.rank;
	for (int32_t i = 0; i < s->regression->n_priors; i++) {
		const struct perseus__regression_known *prior = &s->regression->priors[i];
		if (is_of_columns(prior, s->regression->n_columns))
			n -= perseus__normal_variance(&s->normal, prior->columns, prior->coefficients, prior->n)
					/ (prior->deviation_w * prior->deviation_w);
	}
	return fmax(n, 0);
}

static int
compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;
	return (x > y) - (x < y);
}

static void
compute_residuals(struct solution *s)
{
	for (int32_t i = 0; i < s->rows.n; i++) {
		struct perseus__row *row = &s->rows.rows[i];
		row->residual = row->right;
		for (int32_t j = 0; j < row->n; j++)
			row->residual -=
					s->power_w[s->rows.columns[row->begin + (size_t)j]] * s->rows.values[row->begin + (size_t)j];
		s->sorted[i] = fabs(row->residual);
	}
}

/* Where nothing is left to compare windows with, their own errors are all there is. */
static double
scale_of_residuals(struct solution *s)
{
	const int32_t n = s->rows.n;
	if (s->n_freedom < 1)
		return 1;
	qsort(s->sorted, (size_t)n, sizeof *s->sorted, compare_doubles);
	const double median = (s->sorted[(n - 1) / 2] + s->sorted[n / 2]) / 2;
	return fmax(SMALLEST_SCALE, DEVIATION_OF_MEDIAN * median * sqrt(n / s->n_freedom));
}

static void
weigh(struct solution *s)
{
	for (int32_t i = 0; i < s->rows.n; i++) {
		struct perseus__row *row = &s->rows.rows[i];
		const double size = fabs(row->residual) / s->scale;
		row->weight = size > HUBER_BOUND ? HUBER_BOUND / size : 1;
	}
}

/* By how much the powers differ from those of the round before, relative to the largest. */
static double
change_of_powers(const struct solution *s)
{
	double largest_w = 0;
	double change_w = 0;
	for (int32_t i = 0; i < s->regression->n_columns; i++) {
		largest_w = fmax(largest_w, fabs(s->power_w[i]));
		change_w = fmax(change_w, fabs(s->power_w[i] - s->previous_w[i]));
	}
	return largest_w > 0 ? change_w / largest_w : 0;
}

/* One round; returns by how much the scale and the powers changed, relatively. */
static double
improve(struct solution *s, int32_t round)
{
	memcpy(s->previous_w, s->power_w, (size_t)s->regression->n_columns * sizeof *s->power_w);
	perseus__normal_clear(&s->normal);
	add_rows(s, s->scale * s->scale, true);
	add_priors(s);
	perseus__normal_factorise(&s->normal);
	perseus__normal_solve(&s->normal, s->power_w);
	compute_residuals(s);
	if (round < 2 || round % ROUNDS_OF_FREEDOM == 0)
		s->n_freedom = s->rows.n - n_determined_by_windows(s);
	double scale = round < ROUNDS_OF_SCALE ? scale_of_residuals(s) : s->scale;
	/* Half of the way, so that they settle. */
	if (round >= ROUNDS_OF_SCALE / 4)
		scale = sqrt(scale * s->scale);
	const double change = fabs(scale - s->scale) / scale;
	s->scale = scale;
	weigh(s);
	return fmax(change, change_of_powers(s));
}

static void
iterate(struct solution *s)
{
	double change = 1;
	for (int32_t round = 0; round < MAX_ROUNDS && change > CONVERGED; round++)
		change = improve(s, round);
}

/* What a residual tells of its neighbour, outliers cut off. */
static double
cut(const struct solution *s, int32_t row)
{
	const double most = HUBER_BOUND * s->scale;
	return fmax(-most, fmin(most, s->rows.rows[row].residual));
}

static double
correlation_of_neighbours(const struct solution *s)
{
	double products = 0;
	double squares = 0;
	int32_t n_pairs = 0;
	for (int32_t i = 0; i < s->rows.n; i++) {
		const int32_t previous = s->rows.rows[i].previous;
		squares += cut(s, i) * cut(s, i);
		if (previous < 0)
			continue;
		products += cut(s, i) * cut(s, previous);
		n_pairs++;
	}
	if (n_pairs < MIN_PAIRS || !(squares > 0))
		return 0;
	return fmax(STRONGEST_CORRELATION, fmin(0, products / n_pairs / (squares / s->rows.n)));
}

static enum perseus_status
solve(struct solution *s, struct perseus_error *err)
{
	enum perseus_status status = perseus__rows_build(&s->rows, s->regression, 0, err);
	if (status)
		return status;
	iterate(s);
	s->correlation = correlation_of_neighbours(s);
	if (s->correlation == 0)
		return PERSEUS_OK;
	for (int32_t i = 0; i < s->rows.n; i++)
		s->rows.rows[i].is_outlier = s->rows.rows[i].weight < 0.5;
	status = perseus__rows_build(&s->rows, s->regression, s->correlation, err);
	if (!status)
		iterate(s);
	return status;
}

/* Variance of the errors as it counts for the estimate, in units of error_j². */
static double
variance_of_errors(const struct solution *s)
{
	double squares = 0;
	int32_t n_inside = 0;
	for (int32_t i = 0; i < s->rows.n; i++) {
		const struct perseus__row *row = &s->rows.rows[i];
		squares += pow(row->weight * row->residual, 2);
		n_inside += row->weight >= 1;
	}
	if (s->n_freedom < 1 || n_inside == 0)
		return s->scale * s->scale;
	const double share_inside = (double)n_inside / s->rows.n;
	return fmax(squares / s->n_freedom / (share_inside * share_inside), SMALLEST_SCALE * SMALLEST_SCALE);
}

static void
compute_errors(struct solution *s, double *standard_error_w)
{
	perseus__normal_clear(&s->normal);
	add_rows(s, variance_of_errors(s), false);
	add_priors(s);
	perseus__normal_factorise(&s->normal);
	const double one = 1;
	for (int32_t i = 0; i < s->regression->n_columns; i++) {
		const bool is_determined = s->normal.is_determined[i];
		standard_error_w[i] =
				is_determined ? sqrt(perseus__normal_variance(&s->normal, &i, &one, 1)) : (double)INFINITY;
		if (!is_determined)
			s->power_w[i] = (double)NAN;
	}
}

/* Leaves powers and errors with the regression. */
static struct perseus__regression_fit
finish(struct solution *s)
{
	struct perseus__regression *regression = s->regression;
	compute_errors(s, s->previous_w);
	perseus__free(regression->power_w);
	perseus__free(regression->standard_error_w);
	regression->power_w = s->power_w;
	regression->standard_error_w = s->previous_w;
	s->power_w = NULL;
	s->previous_w = NULL;
	struct perseus__regression_fit fit = {
		.n_columns = regression->n_columns,
		.power_w = regression->power_w,
		.standard_error_w = regression->standard_error_w,
		.scale = s->scale,
		.correlation = s->correlation,
		.n_windows = regression->n_windows,
	};
	for (int32_t i = 0; i < s->rows.n; i++)
		fit.n_outliers += s->rows.rows[i].weight < 0.5;
	for (int32_t i = 0; i < regression->n_columns; i++)
		fit.n_undetermined += isnan(regression->power_w[i]);
	return fit;
}

static enum perseus_status
make_solution(struct solution *s, struct perseus__regression *regression, struct perseus_error *err)
{
	const size_t n = (size_t)regression->n_columns;
	*s = (struct solution){
		.regression = regression,
		.power_w = perseus__new_array(n, sizeof *s->power_w),
		.previous_w = perseus__new_array(n, sizeof *s->previous_w),
		.sorted = perseus__new_array((size_t)regression->n_windows, sizeof *s->sorted),
		.scale = 1,
	};
	if (!s->power_w || !s->previous_w || !s->sorted)
		return perseus__no_memory(err);
	const enum perseus_status status = perseus__normal_init(&s->normal, regression->n_columns, err);
	return status ? status : perseus__rows_init(&s->rows, regression, err);
}

enum perseus_status
perseus__regression_solve(
		struct perseus__regression *regression, struct perseus__regression_fit *fit, struct perseus_error *err)
{
	struct solution s;
	enum perseus_status status = make_solution(&s, regression, err);
	if (!status)
		status = solve(&s, err);
	if (!status)
		*fit = finish(&s);
	perseus__free(s.power_w);
	perseus__free(s.previous_w);
	perseus__free(s.sorted);
	perseus__rows_fini(&s.rows);
	perseus__normal_fini(&s.normal);
	return status;
}
