/* Jobs of a site as a CSV, see the header. */
#include "format/jobs_csv.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/csv_columns.h"
#include "format/input_file.h"
#include "format/number.h"

#include <perseus/profile.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column {
	COLUMN_JOB,
	COLUMN_PROFILE,
	COLUMN_MICROBATCHES,
	COLUMN_BLOCKING_POWER,
	COLUMN_SCHEDULE,
	COLUMN_GPUS_PER_STAGE,
	COLUMN_PIPELINES,
	COLUMN_OVERHEAD,
	COLUMN_WEIGHT,
	N_COLUMNS
};
enum { N_NEEDED_COLUMNS = COLUMN_SCHEDULE };

static const char *const column_names[N_COLUMNS] = {
	[COLUMN_JOB] = "job",
	[COLUMN_PROFILE] = "profile",
	[COLUMN_MICROBATCHES] = "microbatches",
	[COLUMN_BLOCKING_POWER] = "blocking_power_w",
	[COLUMN_SCHEDULE] = "schedule",
	[COLUMN_GPUS_PER_STAGE] = "gpus_per_stage",
	[COLUMN_PIPELINES] = "pipelines",
	[COLUMN_OVERHEAD] = "overhead_s",
	[COLUMN_WEIGHT] = "weight",
};

static const int64_t MAX_REPLICAS = 1000000;
static const double MAX_OVERHEAD_S = 1e6;
static const double MAX_WEIGHT = 1e9;

struct reader {
	struct perseus__csv_columns columns;
	struct perseus__job_rows rows;
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
				"%s: is empty; expected the header job,profile,microbatches,blocking_power_w and rows",
				reader->columns.csv.label);
	const enum perseus_status status = perseus__csv_columns_find(&reader->columns, column_names);
	if (status != PERSEUS_OK)
		return status;
	for (int c = 0; c < N_NEEDED_COLUMNS; c++)
		if (reader->columns.at[c] < 0)
			return perseus__fail(reader->columns.csv.err, PERSEUS_INVALID, "%s:%lld: no column \"%s\" in the header",
					reader->columns.csv.label, (long long)reader->columns.csv.row_line, column_names[c]);
	return PERSEUS_OK;
}

/* Whether the row says anything in a column. */
static bool
has_cell(const struct reader *reader, enum column column)
{
	return reader->columns.at[column] >= 0 && reader->columns.cells[column].length > 0;
}

/* A copy of a cell, or of `otherwise` where it is empty; NULL: it must not be. */
static enum perseus_status
read_text(const struct reader *reader, enum column column, const char *otherwise, char **text)
{
	if (!has_cell(reader, column) && !otherwise)
		return fail_cell(reader, column, "is no name");
	*text = perseus__copy_string(has_cell(reader, column) ? reader->columns.cells[column].text : otherwise);
	return *text ? PERSEUS_OK : perseus__no_memory(reader->columns.csv.err);
}

/* A whole number from 1 to `max`; an empty cell leaves the default in `*value`. */
static enum perseus_status
read_count(const struct reader *reader, enum column column, int64_t max, int32_t *value)
{
	struct perseus__decimal decimal = {0};
	int64_t count = 0;
	if (!has_cell(reader, column))
		return PERSEUS_OK;
	if (!perseus__decimal_parse(reader->columns.cells[column].text, &decimal)
			|| !perseus__decimal_times(decimal, 1, &count) || count < 1 || count > max
			|| perseus__decimal_value(decimal) != (double)count) {
		char problem[64];
		(void)snprintf(problem, sizeof problem, "is not a whole number from 1 to %lld", (long long)max);
		return fail_cell(reader, column, problem);
	}
	*value = (int32_t)count;
	return PERSEUS_OK;
}

/* A number from 0 to `max`; an empty cell leaves the default in `*value`. */
static enum perseus_status
read_number(const struct reader *reader, enum column column, double max, double *value)
{
	struct perseus__decimal decimal = {0};
	if (!has_cell(reader, column))
		return PERSEUS_OK;
	if (!perseus__decimal_parse(reader->columns.cells[column].text, &decimal)
			|| perseus__decimal_value(decimal) > max) {
		char problem[64];
		(void)snprintf(problem, sizeof problem, "is not a number from 0 to %.10g", max);
		return fail_cell(reader, column, problem);
	}
	*value = perseus__decimal_value(decimal);
	return PERSEUS_OK;
}

static enum perseus_status
read_numbers(const struct reader *reader, struct perseus__job_row *row)
{
	enum perseus_status status = read_count(reader, COLUMN_MICROBATCHES, INT32_MAX, &row->n_microbatches);
	if (status == PERSEUS_OK)
		status = read_count(reader, COLUMN_GPUS_PER_STAGE, MAX_REPLICAS, &row->gpus_per_stage);
	if (status == PERSEUS_OK)
		status = read_count(reader, COLUMN_PIPELINES, MAX_REPLICAS, &row->n_pipelines);
	if (status == PERSEUS_OK && !has_cell(reader, COLUMN_BLOCKING_POWER))
		status = fail_cell(reader, COLUMN_BLOCKING_POWER, "is not a number: say 0 where waiting is free");
	if (status == PERSEUS_OK)
		status = read_number(reader, COLUMN_BLOCKING_POWER, PERSEUS_MAX_POWER_W, &row->blocking_power_w);
	if (status == PERSEUS_OK)
		status = read_number(reader, COLUMN_OVERHEAD, MAX_OVERHEAD_S, &row->overhead_s);
	if (status == PERSEUS_OK)
		status = read_number(reader, COLUMN_WEIGHT, MAX_WEIGHT, &row->weight);
	if (status == PERSEUS_OK && row->weight <= 0)
		status = fail_cell(reader, COLUMN_WEIGHT, "is not above 0");
	return status;
}

static enum perseus_status
read_row(struct reader *reader)
{
	struct perseus__job_rows *rows = &reader->rows;
	if (rows->n == INT32_MAX
			|| !perseus__reserve(&rows->items, &rows->capacity, (size_t)rows->n + 1, sizeof *rows->items))
		return perseus__no_memory(reader->columns.csv.err);
	struct perseus__job_row *row = &rows->items[rows->n++];
	*row = (struct perseus__job_row){
		.line = reader->columns.csv.row_line, .gpus_per_stage = 1, .n_pipelines = 1, .weight = 1};
	enum perseus_status status = perseus__csv_columns_read(&reader->columns);
	if (status == PERSEUS_OK)
		status = read_text(reader, COLUMN_JOB, NULL, &row->name);
	if (status == PERSEUS_OK)
		status = read_text(reader, COLUMN_PROFILE, NULL, &row->profile);
	if (status == PERSEUS_OK)
		status = read_text(reader, COLUMN_SCHEDULE, "1f1b", &row->schedule);
	return status == PERSEUS_OK ? read_numbers(reader, row) : status;
}

static int
compare_names(const void *left, const void *right)
{
	const struct perseus__job_row *a = *(const struct perseus__job_row *const *)left;
	const struct perseus__job_row *b = *(const struct perseus__job_row *const *)right;
	const int order = strcmp(a->name, b->name);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

static enum perseus_status
check_names(const struct reader *reader)
{
	const struct perseus__job_rows *rows = &reader->rows;
	if (rows->n == 0)
		return perseus__fail(
				reader->columns.csv.err, PERSEUS_INVALID, "%s: has a header but no rows", reader->columns.csv.label);
	const struct perseus__job_row **sorted = perseus__new_array((size_t)rows->n, sizeof *sorted);
	if (!sorted)
		return perseus__no_memory(reader->columns.csv.err);
	for (int32_t i = 0; i < rows->n; i++)
		sorted[i] = &rows->items[i];
	qsort(sorted, (size_t)rows->n, sizeof *sorted, compare_names);
	enum perseus_status status = PERSEUS_OK;
	for (int32_t i = 1; i < rows->n && status == PERSEUS_OK; i++) {
		char shown[PERSEUS__CSV_SHOWN_BYTES];
		const struct perseus__job_row *row = sorted[i];
		if (strcmp(sorted[i - 1]->name, row->name) == 0)
			status = perseus__fail(reader->columns.csv.err, PERSEUS_INVALID,
					"%s:%lld: column job: \"%s\" is in line %lld already", reader->columns.csv.label,
					(long long)row->line, perseus__csv_shown(row->name, strlen(row->name), shown),
					(long long)sorted[i - 1]->line);
	}
	perseus__free(sorted);
	return status;
}

enum perseus_status
perseus__jobs_csv_decode(
		const char *bytes, size_t length, const char *label, struct perseus__job_rows *out, struct perseus_error *err)
{
	struct reader reader = {.rows = {0}};
	enum perseus_status status = perseus__csv_columns_init(&reader.columns, N_COLUMNS, bytes, length, label, err);
	reader.columns.may_have_commas = true;
	if (status == PERSEUS_OK)
		status = read_header(&reader);
	while (status == PERSEUS_OK && perseus__csv_find_row(&reader.columns.csv))
		status = read_row(&reader);
	if (status == PERSEUS_OK)
		status = check_names(&reader);
	if (status == PERSEUS_OK)
		*out = reader.rows;
	else
		perseus__job_rows_fini(&reader.rows);
	return status;
}

enum perseus_status
perseus__jobs_csv_read(const char *path, struct perseus__job_rows *out, struct perseus_error *err)
{
	char *bytes = NULL;
	size_t length = 0;
	enum perseus_status status = perseus__input_file(path, PERSEUS__JOBS_CSV_MAX_BYTES, &bytes, &length, err);
	if (status == PERSEUS_OK)
		status = perseus__jobs_csv_decode(bytes, length, path, out, err);
	perseus__free(bytes);
	return status;
}

void
perseus__job_rows_fini(struct perseus__job_rows *rows)
{
	for (int32_t i = 0; i < rows->n; i++) {
		perseus__free(rows->items[i].name);
		perseus__free(rows->items[i].profile);
		perseus__free(rows->items[i].schedule);
	}
	perseus__free(rows->items);
	*rows = (struct perseus__job_rows){0};
}
