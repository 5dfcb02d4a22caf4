/*
 * Powers from windows: against a singular value decomposition, against the equations that the estimate must fulfil, and
 * against the truth that random windows were made from.
 */
#include "server/regression.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

enum { MAX_COLUMNS = 12, MAX_WINDOWS = 400 };

/* A system as the test knows it: dense. */
struct dense {
	int32_t n_windows;
	int32_t n_columns;
	double time_s[MAX_WINDOWS][MAX_COLUMNS];
	double energy_j[MAX_WINDOWS];
	double error_j[MAX_WINDOWS];
	double power_w[MAX_COLUMNS]; /* the truth */
};

static struct perseus__regression *
make(int32_t max_windows)
{
	struct perseus__regression *regression = perseus__regression_new(max_windows);
	ck_assert_ptr_nonnull(regression);
	return regression;
}

static int64_t
add(struct perseus__regression *regression, const struct perseus__regression_term *terms, int32_t n_terms,
		const double energy_error_j[2], int64_t previous)
{
	const struct perseus__regression_window window = {
		.terms = terms,
		.n_terms = n_terms,
		.energy_j = energy_error_j[0],
		.error_j = energy_error_j[1],
		.previous = previous,
	};
	int64_t number = -1;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__regression_add(regression, &window, &number, &err) == PERSEUS_OK, "%s", err.message);
	return number;
}

/* Adds all windows; linked one to the next where asked. */
static void
add_dense(struct perseus__regression *regression, const struct dense *dense, bool is_linked)
{
	int64_t number = -1;
	for (int32_t i = 0; i < dense->n_windows; i++) {
		struct perseus__regression_term terms[MAX_COLUMNS];
		int32_t n = 0;
		for (int32_t j = 0; j < dense->n_columns; j++)
			if (dense->time_s[i][j] > 0)
				terms[n++] = (struct perseus__regression_term){.column = j, .time_s = dense->time_s[i][j]};
		if (n == 0)
			terms[n++] = (struct perseus__regression_term){.column = 0};
		const double energy_error_j[] = {dense->energy_j[i], dense->error_j[i]};
		number = add(regression, terms, n, energy_error_j, is_linked ? number : -1);
	}
}

static struct perseus__regression_fit
solve(struct perseus__regression *regression)
{
	struct perseus__regression_fit fit;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__regression_solve(regression, &fit, &err) == PERSEUS_OK, "%s", err.message);
	return fit;
}

/*
 * Random windows of which some columns may follow from others: twice another, the sum of two, never there. Energies are
 * those of the truth.
 */
static void
fill(struct dense *dense, uint64_t *random, bool is_deficient)
{
	*dense = (struct dense){
		.n_columns = 2 + (int32_t)random_below(random, MAX_COLUMNS - 2),
	};
	dense->n_windows = dense->n_columns + 8 + (int32_t)random_below(random, 60);
	for (int32_t j = 0; j < dense->n_columns; j++)
		dense->power_w[j] = 50 + 400 * random_fraction(random);
	for (int32_t i = 0; i < dense->n_windows; i++) {
		for (int32_t j = 0; j < dense->n_columns; j++)
			dense->time_s[i][j] = random_below(random, 3) ? 0.06 * random_fraction(random) : 0;
		dense->error_j[i] = 0.02 + 0.2 * random_fraction(random);
	}
	for (int32_t k = is_deficient ? 1 + (int32_t)random_below(random, 2) : 0; k > 0; k--) {
		const uint32_t n = (uint32_t)dense->n_columns;
		const uint32_t a = random_below(random, n);
		const uint32_t b = random_below(random, n);
		const uint32_t c = random_below(random, n);
		const uint32_t how = random_below(random, 3);
		for (int32_t i = 0; i < dense->n_windows && a != b && a != c; i++)
			dense->time_s[i][a] = how == 0 ? 0
					: how == 1             ? 2 * dense->time_s[i][b]
										   : dense->time_s[i][b] + dense->time_s[i][c];
	}
	for (int32_t i = 0; i < dense->n_windows; i++)
		for (int32_t j = 0; j < dense->n_columns; j++)
			dense->energy_j[i] += dense->power_w[j] * dense->time_s[i][j];
}

/* Singular values and right vectors of the windows over their errors, by rotations (Hestenes 1958). */
struct decomposition {
	double value[MAX_COLUMNS];
	double vector[MAX_COLUMNS][MAX_COLUMNS]; /* [column][which] */
	double left[MAX_WINDOWS][MAX_COLUMNS];   /* times the value */
};

static void
rotate(struct decomposition *d, const struct dense *dense, int32_t a, int32_t b)
{
	double aa = 0, bb = 0, ab = 0;
	for (int32_t i = 0; i < dense->n_windows; i++) {
		aa += d->left[i][a] * d->left[i][a];
		bb += d->left[i][b] * d->left[i][b];
		ab += d->left[i][a] * d->left[i][b];
	}
	if (fabs(ab) <= 1e-300)
		return;
	const double angle = 0.5 * atan2(2 * ab, aa - bb);
	const double c = cos(angle), s = sin(angle);
	for (int32_t i = 0; i < dense->n_windows; i++) {
		const double x = d->left[i][a], y = d->left[i][b];
		d->left[i][a] = c * x + s * y;
		d->left[i][b] = c * y - s * x;
	}
	for (int32_t i = 0; i < dense->n_columns; i++) {
		const double x = d->vector[i][a], y = d->vector[i][b];
		d->vector[i][a] = c * x + s * y;
		d->vector[i][b] = c * y - s * x;
	}
}

static void
decompose(struct decomposition *d, const struct dense *dense)
{
	memset(d, 0, sizeof *d);
	for (int32_t i = 0; i < dense->n_windows; i++)
		for (int32_t j = 0; j < dense->n_columns; j++)
			d->left[i][j] = dense->time_s[i][j] / dense->error_j[i];
	for (int32_t j = 0; j < dense->n_columns; j++)
		d->vector[j][j] = 1;
	for (int sweep = 0; sweep < 40; sweep++)
		for (int32_t a = 0; a < dense->n_columns; a++)
			for (int32_t b = a + 1; b < dense->n_columns; b++)
				rotate(d, dense, a, b);
	for (int32_t j = 0; j < dense->n_columns; j++) {
		for (int32_t i = 0; i < dense->n_windows; i++)
			d->value[j] += d->left[i][j] * d->left[i][j];
		d->value[j] = sqrt(d->value[j]);
	}
}

/* How many directions the windows tell of, by the gap there is between them and rounding. */
static int32_t
rank_of(const struct decomposition *d, int32_t n_columns, bool *is_told)
{
	double largest = 0;
	for (int32_t j = 0; j < n_columns; j++)
		largest = fmax(largest, d->value[j]);
	int32_t rank = 0;
	for (int32_t j = 0; j < n_columns; j++) {
		is_told[j] = d->value[j] > 1e-7 * largest;
		rank += is_told[j];
	}
	return rank;
}

static bool
is_determined(const struct decomposition *d, int32_t n_columns, const bool *is_told, int32_t column)
{
	double open = 0;
	for (int32_t j = 0; j < n_columns; j++)
		if (!is_told[j])
			open = fmax(open, fabs(d->vector[column][j]));
	return open < 1e-7;
}

/* Without errors the truth comes back wherever it can, and nothing is made up where it cannot. */
START_TEST(finds_what_is_determined_and_no_more)
{
	uint64_t random = 100 + (uint64_t)_i;
	int32_t n_open = 0;
	static struct dense dense;
	static struct decomposition d;
	for (int k = 0; k < 100; k++) {
		fill(&dense, &random, _i > 0);
		struct perseus__regression *regression = make(MAX_WINDOWS);
		add_dense(regression, &dense, k % 2);
		const struct perseus__regression_fit fit = solve(regression);
		decompose(&d, &dense);
		bool is_told[MAX_COLUMNS];
		(void)rank_of(&d, dense.n_columns, is_told);
		for (int32_t j = 0; j < fit.n_columns; j++) {
			const bool expected = is_determined(&d, dense.n_columns, is_told, j);
			ck_assert_msg(isfinite(fit.power_w[j]) == expected && isfinite(fit.standard_error_w[j]) == expected,
					"system %d column %d: %.17g +- %.17g, determined %d", k, (int)j, fit.power_w[j],
					fit.standard_error_w[j], expected);
			n_open += !expected;
			/* Sums of squares lose half of the digits. */
			if (expected)
				ck_assert_msg(fabs(fit.power_w[j] - dense.power_w[j]) <= 1e-5 * dense.power_w[j],
						"system %d column %d: %.17g is %.17g", k, (int)j, fit.power_w[j], dense.power_w[j]);
		}
		/* A column that no window has, behind all others, is not known of. */
		ck_assert_int_le(fit.n_columns, dense.n_columns);
		ck_assert_int_eq(fit.n_windows, dense.n_windows);
		perseus__regression_free(regression);
	}
	ck_assert(_i == 0 ? n_open == 0 : n_open > 50);
}
END_TEST

static double
median_of(double *values, int32_t n)
{
	for (int32_t i = 1; i < n; i++)
		for (int32_t j = i; j > 0 && values[j] < values[j - 1]; j--) {
			const double value = values[j];
			values[j] = values[j - 1];
			values[j - 1] = value;
		}
	return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/*
 * With errors, some of them gross: the estimate is where the derivative of Huber's function is zero, which is convex,
 * its scale is that of the median residual, and its standard errors follow from the singular values.
 */
START_TEST(fulfils_the_equations_of_the_estimate)
{
	uint64_t random = 7 + (uint64_t)_i;
	static struct dense dense;
	static struct decomposition d;
	for (int k = 0; k < 40; k++) {
		fill(&dense, &random, _i % 2);
		for (int32_t i = 0; i < dense.n_windows; i++)
			dense.energy_j[i] += dense.error_j[i] * random_normal(&random) * (random_below(&random, 15) ? 3 : 300);
		struct perseus__regression *regression = make(MAX_WINDOWS);
		add_dense(regression, &dense, false);
		const struct perseus__regression_fit fit = solve(regression);
		decompose(&d, &dense);
		bool is_told[MAX_COLUMNS];
		const int32_t rank = rank_of(&d, dense.n_columns, is_told);
		/* Residuals need powers of all columns: those that are open lie in directions that change nothing. */
		double told[MAX_COLUMNS] = {0};
		bool is_complete = fit.n_columns == dense.n_columns;
		for (int32_t j = 0; j < fit.n_columns; j++) {
			told[j] = fit.power_w[j];
			is_complete = is_complete && isfinite(told[j]);
		}
		if (is_complete) {
			double residual[MAX_WINDOWS];
			double sorted[MAX_WINDOWS];
			for (int32_t i = 0; i < dense.n_windows; i++) {
				residual[i] = dense.energy_j[i];
				for (int32_t j = 0; j < dense.n_columns; j++)
					residual[i] -= told[j] * dense.time_s[i][j];
				residual[i] /= dense.error_j[i];
				sorted[i] = fabs(residual[i]);
			}
			const int32_t n = dense.n_windows;
			const double scale = 1.4826 * median_of(sorted, n) * sqrt((double)n / (n - rank));
			/* Scale and powers chase each other: where windows are few, they need not come to rest. */
			ck_assert_msg(n < 8 * rank || fabs(fit.scale / scale - 1) < 0.1, "system %d: scale %.17g is %.17g", k,
					fit.scale, scale);
			double squares = 0;
			double n_inside = 0;
			double gradient[MAX_COLUMNS] = {0};
			double size[MAX_COLUMNS] = {0};
			for (int32_t i = 0; i < n; i++) {
				const double cut = fmax(-1.345 * fit.scale, fmin(1.345 * fit.scale, residual[i]));
				squares += cut * cut;
				n_inside += fabs(residual[i]) <= 1.345 * fit.scale;
				for (int32_t j = 0; j < dense.n_columns; j++) {
					gradient[j] += cut * dense.time_s[i][j] / dense.error_j[i];
					size[j] += fabs(cut) * dense.time_s[i][j] / dense.error_j[i];
				}
			}
			for (int32_t j = 0; j < dense.n_columns; j++)
				ck_assert_msg(fabs(gradient[j]) <= 1e-4 * size[j], "system %d column %d: gradient %.17g of %.17g", k,
						(int)j, gradient[j], size[j]);
			const double variance = squares / (n - rank) / pow(n_inside / n, 2);
			for (int32_t j = 0; j < dense.n_columns; j++) {
				double sum = 0;
				for (int32_t v = 0; v < dense.n_columns; v++)
					sum += pow(d.vector[j][v] / d.value[v], 2);
				const double error_w = sqrt(sum * variance);
				ck_assert_msg(fabs(fit.standard_error_w[j] / error_w - 1) < 1e-3, "system %d column %d: %.17g is %.17g",
						k, (int)j, fit.standard_error_w[j], error_w);
			}
		}
		perseus__regression_free(regression);
	}
}
END_TEST

/* What errors are like. */
struct noise {
	const char *name;
	double of_window; /* in units of error_j, which is 0.1 J */
	double of_move;   /* of each moment at which the counter moved: one window's gain is the next one's loss */
	double outliers;  /* share of windows that are wrong by 100 errors */
	bool is_linked;
	double correlation; /* to be found */
};

static const struct noise noises[] = {
	{"windows of their own", 1, 0, 0, false, 0},
	{"windows of their own, linked", 1, 0, 0, true, 0},
	{"moves of the counter", 0, 1, 0, true, -0.49},
	{"both", 1, 1, 0, true, -1.0 / 3},
	{"outliers", 1, 0, 0.04, true, 0},
	{"moves, outliers", 0.1, 1, 0.04, true, -0.49},
};

/* Errors divided by their standard errors have a mean square of 1: what is said of the accuracy is true. */
START_TEST(knows_how_wrong_it_is)
{
	const struct noise *noise = &noises[_i];
	uint64_t random = 1000 + (uint64_t)_i;
	double squares = 0;
	double correlation = 0;
	int32_t n_outliers = 0;
	int32_t n = 0;
	static struct dense dense;
	const int n_systems = 150;
	for (int k = 0; k < n_systems; k++) {
		fill(&dense, &random, false);
		dense.n_windows = 250;
		double move = noise->of_move * random_normal(&random);
		for (int32_t i = 0; i < dense.n_windows; i++) {
			dense.energy_j[i] = 0;
			dense.error_j[i] = 0.1;
			for (int32_t j = 0; j < dense.n_columns; j++) {
				dense.time_s[i][j] = random_below(&random, 3) ? 0.06 * random_fraction(&random) : 0;
				dense.energy_j[i] += dense.power_w[j] * dense.time_s[i][j];
			}
			const double next = noise->of_move * random_normal(&random);
			dense.energy_j[i] += 0.1 * (next - move + noise->of_window * random_normal(&random));
			move = next;
			if (random_fraction(&random) < noise->outliers)
				dense.energy_j[i] += random_below(&random, 2) ? 10 : -10;
		}
		struct perseus__regression *regression = make(MAX_WINDOWS);
		add_dense(regression, &dense, noise->is_linked);
		const struct perseus__regression_fit fit = solve(regression);
		for (int32_t j = 0; j < dense.n_columns; j++, n++)
			squares += pow((fit.power_w[j] - dense.power_w[j]) / fit.standard_error_w[j], 2);
		correlation += fit.correlation / n_systems;
		n_outliers += fit.n_outliers;
		perseus__regression_free(regression);
	}
	printf("# %s: root of the mean square of errors over standard errors %.3f, correlation %.3f\n", noise->name,
			sqrt(squares / n), correlation);
	/* Some 1000 normal deviates: the root of their mean square is within 0.1 of 1 by four standard deviations. */
	ck_assert_msg(fabs(sqrt(squares / n) - 1) < 0.15, "%s: %.17g", noise->name, sqrt(squares / n));
	ck_assert_msg(n_outliers >= noise->outliers * 0.9 * n_systems * dense.n_windows, "%s: %d outliers", noise->name,
			(int)n_outliers);
	ck_assert_msg(fabs(correlation - noise->correlation) < 0.12, "%s: correlation %.17g", noise->name, correlation);
}
END_TEST

/* Neighbours' shared errors, taken into account, leave less of them. */
START_TEST(links_make_it_better)
{
	uint64_t random = 4711;
	double linked = 0;
	double alone = 0;
	static struct dense dense;
	for (int k = 0; k < 50; k++) {
		fill(&dense, &random, false);
		double move = random_normal(&random);
		for (int32_t i = 0; i < dense.n_windows; i++) {
			dense.error_j[i] = 0.1;
			const double next = random_normal(&random);
			dense.energy_j[i] += 0.1 * (next - move);
			move = next;
		}
		for (int is_linked = 0; is_linked < 2; is_linked++) {
			struct perseus__regression *regression = make(MAX_WINDOWS);
			add_dense(regression, &dense, is_linked);
			const struct perseus__regression_fit fit = solve(regression);
			for (int32_t j = 0; j < dense.n_columns; j++)
				*(is_linked ? &linked : &alone) += pow(fit.power_w[j] - dense.power_w[j], 2);
			perseus__regression_free(regression);
		}
	}
	printf("# mean square error, linked over alone: %.3f\n", linked / alone);
	ck_assert_msg(linked < 0.85 * alone, "%.17g of %.17g", linked, alone);
}
END_TEST

/* Twice the energy is twice the power; the order of windows and the unit of their errors do not matter. */
START_TEST(follows_scale_and_order)
{
	uint64_t random = 99;
	static struct dense dense;
	static struct dense other;
	for (int k = 0; k < 20; k++) {
		fill(&dense, &random, false);
		for (int32_t i = 0; i < dense.n_windows; i++)
			dense.energy_j[i] += dense.error_j[i] * random_normal(&random);
		other = dense;
		for (int32_t i = 0; i < dense.n_windows; i++) {
			const int32_t from = dense.n_windows - 1 - i;
			memcpy(other.time_s[i], dense.time_s[from], sizeof other.time_s[i]);
			other.energy_j[i] = 2 * dense.energy_j[from];
			other.error_j[i] = 10 * dense.error_j[from];
		}
		struct perseus__regression *a = make(MAX_WINDOWS);
		struct perseus__regression *b = make(MAX_WINDOWS);
		add_dense(a, &dense, false);
		add_dense(b, &other, false);
		const struct perseus__regression_fit fit_a = solve(a);
		const struct perseus__regression_fit fit_b = solve(b);
		for (int32_t j = 0; j < dense.n_columns; j++) {
			ck_assert_double_eq_tol(fit_b.power_w[j], 2 * fit_a.power_w[j], 1e-4 * fit_a.power_w[j]);
			ck_assert_double_eq_tol(fit_b.standard_error_w[j], 2 * fit_a.standard_error_w[j], 1e-3 * fit_a.power_w[j]);
		}
		ck_assert_double_eq_tol(fit_b.scale, fit_a.scale / 5, 1e-3 * fit_a.scale);
		perseus__regression_free(a);
		perseus__regression_free(b);
	}
}
END_TEST

/* Two columns that are always together have a sum; what is known of their difference tells the rest, with its error. */
START_TEST(takes_what_is_known_beforehand)
{
	struct perseus__regression *regression = make(100);
	for (int32_t i = 0; i < 40; i++) {
		const struct perseus__regression_term terms[] = {{0, 0.05}, {1, 0.05}, {2, 0.001 * i}};
		const double energy_error_j[] = {0.05 * 300 + 0.05 * 200 + 0.001 * i * 80 + (i % 2 ? 0.01 : -0.01), 0.01};
		(void)add(regression, terms, 3, energy_error_j, -1);
	}
	struct perseus__regression_fit fit = solve(regression);
	ck_assert(isnan(fit.power_w[0]) && isnan(fit.power_w[1]));
	ck_assert(isinf(fit.standard_error_w[0]));
	ck_assert_int_eq(fit.n_undetermined, 2);
	ck_assert_double_eq_tol(fit.power_w[2], 80, 1);
	const int32_t columns[] = {0, 1};
	const double coefficients[] = {1, -1};
	const struct perseus__regression_prior prior = {columns, coefficients, 2, 90, 20};
	ck_assert_int_eq(perseus__regression_add_prior(regression, &prior, NULL), PERSEUS_OK);
	fit = solve(regression);
	ck_assert_int_eq(fit.n_undetermined, 0);
	ck_assert_double_eq_tol(fit.power_w[0], 295, 0.5);
	ck_assert_double_eq_tol(fit.power_w[1], 205, 0.5);
	/* Half of what the difference is uncertain by; the sum adds next to nothing. */
	ck_assert_double_eq_tol(fit.standard_error_w[0], 10, 0.1);
	/* About a column that no window has: says nothing. */
	const int32_t beyond[] = {0, 7};
	const struct perseus__regression_prior about_nothing = {beyond, coefficients, 2, 0, 0.001};
	ck_assert_int_eq(perseus__regression_add_prior(regression, &about_nothing, NULL), PERSEUS_OK);
	fit = solve(regression);
	ck_assert_int_eq(fit.n_columns, 3);
	ck_assert_double_eq_tol(fit.power_w[0], 295, 0.5);
	perseus__regression_clear_priors(regression);
	fit = solve(regression);
	ck_assert_int_eq(fit.n_undetermined, 2);
	perseus__regression_free(regression);
}
END_TEST

/* The oldest windows go, and with them what was linked to them. */
START_TEST(keeps_the_last_windows)
{
	struct perseus__regression *regression = make(20);
	int64_t number = -1;
	for (int32_t i = 0; i < 70; i++) {
		const struct perseus__regression_term term = {0, 0.1};
		const double energy_error_j[] = {i < 50 ? 10 : 20, 0.1};
		number = add(regression, &term, 1, energy_error_j, number);
		ck_assert_int_eq(number, i);
	}
	const struct perseus__regression_fit fit = solve(regression);
	ck_assert_int_eq(fit.n_windows, 20);
	ck_assert_double_eq_tol(fit.power_w[0], 200, 1e-6);
	perseus__regression_free(regression);
	regression = make(5);
	const struct perseus__regression_fit empty = solve(regression);
	ck_assert_int_eq(empty.n_columns, 0);
	perseus__regression_free(regression);
	perseus__regression_free(NULL);
}
END_TEST

/* One window, one column: there is nothing to compare with, so that its own error counts. */
START_TEST(believes_a_single_window)
{
	struct perseus__regression *regression = make(5);
	const struct perseus__regression_term term = {0, 0.1};
	const double energy_error_j[] = {25, 0.5};
	(void)add(regression, &term, 1, energy_error_j, -1);
	const struct perseus__regression_fit fit = solve(regression);
	ck_assert_double_eq_tol(fit.power_w[0], 250, 1e-9);
	ck_assert_double_eq_tol(fit.standard_error_w[0], 5, 1e-9);
	perseus__regression_free(regression);
}
END_TEST

static const struct {
	struct perseus__regression_term term;
	int32_t n_terms;
	double energy_j;
	double error_j;
	const char *message;
} bad_windows[] = {
	{{0, 0.1}, 0, 1, 0.1, "a window in which nothing ran"},
	{{-1, 0.1}, 1, 1, 0.1, "column -1: must be 0 to 4095"},
	{{4096, 0.1}, 1, 1, 0.1, "column 4096: must be 0 to 4095"},
	{{0, -0.1}, 1, 1, 0.1, "time in a window is -0.1 s: must be 0 or more"},
	{{0, (double)INFINITY}, 1, 1, 0.1, "time in a window is inf s: must be 0 or more"},
	{{0, 0.1}, 1, (double)NAN, 0.1, "energy of a window is nan J: must be finite"},
	{{0, 0.1}, 1, 1, 0, "error of a window is 0 J: must be above 0"},
	{{0, 0.1}, 1, 1, (double)INFINITY, "error of a window is inf J: must be above 0"},
};

START_TEST(refuses_bad_windows)
{
	struct perseus__regression *regression = make(5);
	struct perseus_error err = {.message = ""};
	const struct perseus__regression_window window = {
		&bad_windows[_i].term, bad_windows[_i].n_terms, bad_windows[_i].energy_j, bad_windows[_i].error_j, -1};
	int64_t number = -7;
	ck_assert_int_eq(perseus__regression_add(regression, &window, &number, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_windows[_i].message);
	ck_assert_int_eq(number, -7);
	ck_assert_int_eq(solve(regression).n_windows, 0);
	perseus__regression_free(regression);
}
END_TEST

START_TEST(refuses_bad_priors)
{
	struct perseus__regression *regression = make(5);
	const int32_t columns[] = {0, -1};
	const double coefficients[] = {1, (double)NAN};
	const struct perseus__regression_prior priors[] = {
		{columns, coefficients, 0, 0, 1},
		{columns, coefficients, 1, 0, 0},
		{columns, coefficients, 1, (double)NAN, 1},
		{columns + 1, coefficients, 1, 0, 1},
		{columns, coefficients + 1, 1, 0, 1},
	};
	for (size_t i = 0; i < sizeof priors / sizeof *priors; i++)
		ck_assert_int_eq(perseus__regression_add_prior(regression, &priors[i], NULL), PERSEUS_INVALID);
	perseus__regression_free(regression);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("regression");
	TCase *tcase = tcase_create("regression");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 240);
	tcase_add_loop_test(tcase, finds_what_is_determined_and_no_more, 0, 3);
	tcase_add_loop_test(tcase, fulfils_the_equations_of_the_estimate, 0, 4);
	tcase_add_loop_test(tcase, knows_how_wrong_it_is, 0, sizeof noises / sizeof *noises);
	tcase_add_test(tcase, links_make_it_better);
	tcase_add_test(tcase, follows_scale_and_order);
	tcase_add_test(tcase, takes_what_is_known_beforehand);
	tcase_add_test(tcase, keeps_the_last_windows);
	tcase_add_test(tcase, believes_a_single_window);
	tcase_add_loop_test(tcase, refuses_bad_windows, 0, sizeof bad_windows / sizeof *bad_windows);
	tcase_add_test(tcase, refuses_bad_priors);
	return run_suite(suite);
}
