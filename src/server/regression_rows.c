/* The recursion of the bidiagonal factor, window by window. */
#include "server/regression_rows.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

/* Rows hold all columns of their chain: longer ones would cost more and tell no more. */
enum { MAX_CHAIN = 16 };

static const struct perseus__regression_kept *
window_of(const struct perseus__regression *regression, int32_t row)
{
	const int64_t number = regression->n_added - regression->n_windows + row;
	return &regression->windows[number % regression->max_windows];
}

enum perseus_status
perseus__rows_init(struct perseus__rows *rows, const struct perseus__regression *regression, struct perseus_error *err)
{
	*rows = (struct perseus__rows){.n = regression->n_windows};
	rows->rows = perseus__new_array((size_t)rows->n, sizeof *rows->rows);
	rows->dense = perseus__new_array((size_t)regression->n_columns, sizeof *rows->dense);
	rows->touched = perseus__new_array((size_t)regression->n_columns, sizeof *rows->touched);
	if (!rows->rows || !rows->dense || !rows->touched) {
		perseus__rows_fini(rows);
		return perseus__no_memory(err);
	}
	const int64_t oldest = regression->n_added - regression->n_windows;
	for (int32_t i = 0; i < rows->n; i++) {
		const int64_t previous = window_of(regression, i)->previous - oldest;
		rows->rows[i].previous = previous >= 0 && previous < i ? (int32_t)previous : -1;
		rows->rows[i].weight = 1;
	}
	return PERSEUS_OK;
}

void
perseus__rows_fini(struct perseus__rows *rows)
{
	perseus__free(rows->rows);
	perseus__free(rows->columns);
	perseus__free(rows->values);
	perseus__free(rows->dense);
	perseus__free(rows->touched);
	*rows = (struct perseus__rows){0};
}

/* Adds a share of what is in `columns` and `values` to the dense row; returns how many columns that has touched. */
static int32_t
scatter(struct perseus__rows *rows, const int32_t *columns, const double *values, int32_t n, double share,
		int32_t n_touched)
{
	for (int32_t i = 0; i < n; i++) {
		const double value = share * values[i];
		if (value == 0)
			continue;
		if (rows->dense[columns[i]] == 0)
			rows->touched[n_touched++] = columns[i];
		rows->dense[columns[i]] += value;
	}
	return n_touched;
}

/* Moves the dense row to the end of the values. */
static enum perseus_status
gather(struct perseus__rows *rows, struct perseus__row *row, int32_t n_touched, struct perseus_error *err)
{
	const size_t n = rows->n_values + (size_t)n_touched;
	if (!perseus__reserve(&rows->columns, &rows->cap_columns, n, sizeof *rows->columns)
			|| !perseus__reserve(&rows->values, &rows->cap_values, n, sizeof *rows->values))
		return perseus__no_memory(err);
	row->begin = rows->n_values;
	row->n = 0;
	for (int32_t i = 0; i < n_touched; i++) {
		const int32_t column = rows->touched[i];
		/* A column that was cancelled and touched again stands here twice. */
		if (rows->dense[column] == 0)
			continue;
		rows->columns[rows->n_values] = column;
		rows->values[rows->n_values++] = rows->dense[column];
		rows->dense[column] = 0;
		row->n++;
	}
	return PERSEUS_OK;
}

static enum perseus_status
build_row(struct perseus__rows *rows, const struct perseus__regression *regression, int32_t number, double correlation,
		struct perseus_error *err)
{
	const struct perseus__regression_kept *window = window_of(regression, number);
	struct perseus__row *row = &rows->rows[number];
	const struct perseus__row *previous = row->previous >= 0 ? &rows->rows[row->previous] : NULL;
	const bool is_linked =
			previous && !row->is_outlier && !previous->is_outlier && previous->length < MAX_CHAIN && correlation < 0;
	const double beside = is_linked ? correlation / previous->diagonal : 0;
	row->length = is_linked ? previous->length + 1 : 1;
	row->diagonal = sqrt(1 - beside * beside);
	row->right = window->energy_j / window->error_j / row->diagonal;
	int32_t n =
			scatter(rows, window->columns, window->times_s, window->n_terms, 1 / (window->error_j * row->diagonal), 0);
	if (is_linked) {
		row->right -= beside / row->diagonal * previous->right;
		n = scatter(rows, rows->columns + previous->begin, rows->values + previous->begin, previous->n,
				-beside / row->diagonal, n);
	}
	return gather(rows, row, n, err);
}

enum perseus_status
perseus__rows_build(struct perseus__rows *rows, const struct perseus__regression *regression, double correlation,
		struct perseus_error *err)
{
	rows->n_values = 0;
	for (int32_t i = 0; i < rows->n; i++) {
		const enum perseus_status status = build_row(rows, regression, i, correlation, err);
		if (status)
			return status;
	}
	return PERSEUS_OK;
}
