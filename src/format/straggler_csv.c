/* Stragglers as a CSV, see the header. */
#include "format/straggler_csv.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "format/csv_columns.h"
#include "format/csv_writer.h"
#include "format/input_file.h"
#include "format/number.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column { COLUMN_ITERATION, COLUMN_TIME, COLUMN_PIPELINE, COLUMN_DEGREE, N_COLUMNS };

static const char *const column_names[N_COLUMNS] = {
	[COLUMN_ITERATION] = "iteration",
	[COLUMN_TIME] = "time_s",
	[COLUMN_PIPELINE] = "pipeline",
	[COLUMN_DEGREE] = "degree",
};

/* The longest run: more iterations than a year of milliseconds has. */
static const int64_t MAX_ITERATION = INT64_C(1000000000000);

/* A row as read. `moment` is what decides its place: the iteration, or the time in ns. */
struct row {
	struct perseus_straggler_event event;
	int64_t moment;
	int64_t line;
};

struct reader {
	struct perseus__csv_columns columns;
	const struct perseus__straggler_scope *scope;
	struct row *rows; /* length n_rows */
	size_t n_rows;
	size_t cap_rows;
};

static enum perseus_status
fail_cell(const struct reader *reader, enum column column, const char *problem)
{
	return perseus__csv_columns_fail(&reader->columns, (int)column, problem);
}

static enum perseus_status
read_header(struct reader *reader)
{
	if (!perseus__csv_find_row(&reader->columns.csv))
		return perseus__fail(reader->columns.csv.err, PERSEUS_INVALID,
				"%s: is empty; expected the header iteration,pipeline,degree", reader->columns.csv.label);
	const enum perseus_status status = perseus__csv_columns_find(&reader->columns, column_names);
	if (status != PERSEUS_OK)
		return status;
	if (reader->columns.at[COLUMN_ITERATION] >= 0)
		reader->columns.at[COLUMN_TIME] = -1; /* an extra column like any other */
	else if (reader->columns.at[COLUMN_TIME] < 0)
		return perseus__csv_fail(&reader->columns.csv, "no column \"iteration\" or \"time_s\" in the header");
	if (reader->columns.at[COLUMN_PIPELINE] < 0)
		return perseus__csv_fail(&reader->columns.csv, "no column \"pipeline\" in the header");
	if (reader->columns.at[COLUMN_DEGREE] < 0)
		return perseus__csv_fail(&reader->columns.csv, "no column \"degree\" in the header");
	return PERSEUS_OK;
}

static enum perseus_status
read_decimal(const struct reader *reader, enum column column, struct perseus__decimal *decimal)
{
	return perseus__decimal_parse(reader->columns.cells[column].text, decimal)
			? PERSEUS_OK
			: fail_cell(reader, column, "is not a number of zero or more");
}

/* A whole number up to `max`, "3.0" included. `beyond` says what a larger one is. */
static enum perseus_status
read_whole(const struct reader *reader, enum column column, int64_t max, const char *beyond, int64_t *value)
{
	struct perseus__decimal decimal = {0};
	const enum perseus_status status = read_decimal(reader, column, &decimal);
	if (status != PERSEUS_OK)
		return status;
	if (!perseus__decimal_times(decimal, 1, value) || *value > max)
		return fail_cell(reader, column, beyond);
	if (perseus__decimal_value(decimal) != (double)*value)
		return fail_cell(reader, column, "is not a whole number");
	return PERSEUS_OK;
}

/* The first iteration that begins at the time or later. */
static enum perseus_status
read_time(const struct reader *reader, struct row *row)
{
	struct perseus__decimal decimal = {0};
	const enum perseus_status status = read_decimal(reader, COLUMN_TIME, &decimal);
	if (status != PERSEUS_OK)
		return status;
	if (!perseus__decimal_times(decimal, PERSEUS__NS_PER_S, &row->moment))
		return fail_cell(reader, COLUMN_TIME, "is too late");
	const int64_t iteration_ns = reader->scope->iteration_ns;
	row->event.iteration = row->moment / iteration_ns + (row->moment % iteration_ns > 0);
	return row->event.iteration > MAX_ITERATION ? fail_cell(reader, COLUMN_TIME, "is too late") : PERSEUS_OK;
}

static enum perseus_status
read_moment(const struct reader *reader, struct row *row)
{
	if (reader->columns.at[COLUMN_ITERATION] < 0)
		return read_time(reader, row);
	const enum perseus_status status =
			read_whole(reader, COLUMN_ITERATION, MAX_ITERATION, "is too late", &row->event.iteration);
	row->moment = row->event.iteration;
	return status;
}

static enum perseus_status
read_pipeline(const struct reader *reader, int32_t *pipeline)
{
	char beyond[64];
	const int32_t last = reader->scope->n_pipelines - 1;
	if (last == 0)
		(void)snprintf(beyond, sizeof beyond, "is out of range: pipeline 0 is the only one");
	else
		(void)snprintf(beyond, sizeof beyond, "is out of range: pipelines are 0 to %d", (int)last);
	int64_t value = 0;
	const enum perseus_status status = read_whole(reader, COLUMN_PIPELINE, last, beyond, &value);
	*pipeline = (int32_t)value;
	return status;
}

static enum perseus_status
read_degree(const struct reader *reader, double *degree)
{
	struct perseus__decimal decimal = {0};
	const enum perseus_status status = read_decimal(reader, COLUMN_DEGREE, &decimal);
	if (status != PERSEUS_OK)
		return status;
	*degree = perseus__decimal_value(decimal);
	if (*degree < 1)
		return fail_cell(reader, COLUMN_DEGREE, "is below 1: a straggler takes longer, not less");
	if (!(*degree <= PERSEUS_MAX_DEGREE))
		return fail_cell(reader, COLUMN_DEGREE, "is above 1000");
	return PERSEUS_OK;
}

static enum perseus_status
read_row(struct reader *reader)
{
	if (!perseus__reserve(&reader->rows, &reader->cap_rows, reader->n_rows + 1, sizeof *reader->rows))
		return perseus__no_memory(reader->columns.csv.err);
	struct row row = {.line = reader->columns.csv.row_line};
	enum perseus_status status = perseus__csv_columns_read(&reader->columns);
	if (status == PERSEUS_OK)
		status = read_moment(reader, &row);
	if (status == PERSEUS_OK)
		status = read_pipeline(reader, &row.event.pipeline);
	if (status == PERSEUS_OK)
		status = read_degree(reader, &row.event.degree);
	if (status == PERSEUS_OK)
		reader->rows[reader->n_rows++] = row;
	return status;
}

static int
compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* By iteration, pipeline, then moment; lines last, so that a message names the later of two. */
static int
compare_rows(const void *left, const void *right)
{
	const struct row *a = left;
	const struct row *b = right;
	int order = compare(a->event.iteration, b->event.iteration);
	if (order == 0)
		order = compare(a->event.pipeline, b->event.pipeline);
	if (order == 0)
		order = compare(a->moment, b->moment);
	return order ? order : compare(a->line, b->line);
}

static bool
is_same_place(const struct row *a, const struct row *b)
{
	return a->event.iteration == b->event.iteration && a->event.pipeline == b->event.pipeline;
}

static enum perseus_status
check_twice(const struct reader *reader)
{
	for (size_t i = 1; i < reader->n_rows; i++) {
		const struct row *a = &reader->rows[i - 1];
		const struct row *b = &reader->rows[i];
		if (is_same_place(a, b) && a->moment == b->moment)
			return perseus__fail(reader->columns.csv.err, PERSEUS_INVALID,
					"%s:%lld: pipeline %d has a degree for this %s already, in line %lld", reader->columns.csv.label,
					(long long)b->line, (int)b->event.pipeline,
					reader->columns.at[COLUMN_ITERATION] < 0 ? "time" : "iteration", (long long)a->line);
	}
	return PERSEUS_OK;
}

/* Sorted rows to events: of those in one place the last. */
static enum perseus_status
make_trace(const struct reader *reader, struct perseus__straggler_trace *out)
{
	struct perseus__straggler_trace trace = {.events = perseus__new_array(reader->n_rows + 1, sizeof *trace.events)};
	if (!trace.events)
		return perseus__no_memory(reader->columns.csv.err);
	for (size_t i = 0; i < reader->n_rows; i++) {
		const bool is_overtaken = i + 1 < reader->n_rows && is_same_place(&reader->rows[i], &reader->rows[i + 1]);
		if (is_overtaken)
			trace.n_overtaken++;
		else
			trace.events[trace.n_events++] = reader->rows[i].event;
	}
	*out = trace;
	return PERSEUS_OK;
}

enum perseus_status
perseus__straggler_csv_decode(const char *bytes, size_t length, const char *label,
		const struct perseus__straggler_scope *scope, struct perseus__straggler_trace *out, struct perseus_error *err)
{
	struct reader reader = {.scope = scope};
	enum perseus_status status = perseus__csv_columns_init(&reader.columns, N_COLUMNS, bytes, length, label, err);
	reader.columns.may_have_commas = true;
	if (status == PERSEUS_OK)
		status = read_header(&reader);
	while (status == PERSEUS_OK && perseus__csv_find_row(&reader.columns.csv))
		status = read_row(&reader);
	if (reader.n_rows > 1)
		qsort(reader.rows, reader.n_rows, sizeof *reader.rows, compare_rows);
	if (status == PERSEUS_OK)
		status = check_twice(&reader);
	if (status == PERSEUS_OK)
		status = make_trace(&reader, out);
	perseus__free(reader.rows);
	return status;
}

enum perseus_status
perseus__straggler_csv_read(const char *path, const struct perseus__straggler_scope *scope,
		struct perseus__straggler_trace *out, struct perseus_error *err)
{
	char *bytes = NULL;
	size_t length = 0;
	enum perseus_status status = perseus__input_file(path, PERSEUS__STRAGGLER_CSV_MAX_BYTES, &bytes, &length, err);
	if (status == PERSEUS_OK)
		status = perseus__straggler_csv_decode(bytes, length, path, scope, out, err);
	perseus__free(bytes);
	return status;
}

void
perseus__straggler_trace_fini(struct perseus__straggler_trace *trace)
{
	perseus__free(trace->events);
	*trace = (struct perseus__straggler_trace){0};
}

void
perseus__straggler_csv(struct perseus__text *text, const struct perseus_straggler_event *events, int64_t n_events)
{
	struct perseus__csv_writer csv = perseus__csv_writer_init(text);
	perseus__text_addf(text, "iteration,pipeline,degree\n");
	for (int64_t i = 0; i < n_events; i++) {
		perseus__csv_put_integer(&csv, true, events[i].iteration);
		perseus__csv_put_integer(&csv, true, events[i].pipeline);
		perseus__csv_put_number(&csv, true, events[i].degree);
		perseus__csv_end_row(&csv);
	}
}
