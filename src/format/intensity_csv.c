/* CSV of carbon intensities to rows. */
#include "base/error.h"
#include "format/csv.h"
#include "format/intensity_internal.h"
#include "format/number.h"
#include "format/utc_time.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum column { COLUMN_ZONE, COLUMN_NAME, COLUMN_VALUE, COLUMN_YEAR, COLUMN_HOUR, COLUMN_TYPE, N_COLUMNS };

static const int64_t MS_PER_HOUR = 3600000;

/* What headers are called, in any case. */
static const struct {
	enum column column;
	const char *name;
} headers[] = {
	{COLUMN_ZONE, "zone"},
	{COLUMN_ZONE, "zone id"}, /* Electricity Maps */
	{COLUMN_ZONE, "code"},    /* Our World in Data */
	{COLUMN_ZONE, "iso3"},
	{COLUMN_NAME, "entity"}, /* Our World in Data */
	{COLUMN_NAME, "zone name"},
	{COLUMN_YEAR, "year"},
	{COLUMN_HOUR, "hour"},
	{COLUMN_HOUR, "datetime (utc)"}, /* Electricity Maps */
	{COLUMN_TYPE, "type"},
};

static const char value_header[] = "gCO2e_per_kWh";

struct reader {
	struct perseus__csv csv;
	int32_t n_columns;            /* of the header */
	int32_t column_at[N_COLUMNS]; /* index of each in a row; -1: it is not there */
	bool has_exact_value;         /* the value's column is called value_header: others do not count */
	struct perseus__csv_cell names[N_COLUMNS];
	struct perseus__csv_cell cells[N_COLUMNS];
	struct perseus__intensity_table *table;
	bool has_type; /* a row was read, so that the table's type is that of the file */
};

static enum perseus_status
fail_cell(const struct reader *reader, enum column column, const char *problem)
{
	char shown[PERSEUS__CSV_SHOWN_BYTES], name[PERSEUS__CSV_SHOWN_BYTES];
	const struct perseus__csv_cell *cell = &reader->cells[column];
	return perseus__fail(reader->csv.err, PERSEUS_INVALID, "%s:%lld: column %s: \"%s\" %s", reader->csv.label,
			(long long)reader->csv.row_line,
			perseus__csv_shown(reader->names[column].text, strlen(reader->names[column].text), name),
			perseus__csv_shown(cell->text, strlen(cell->text), shown), problem);
}

/* "Carbon intensity of electricity - gCO2/KWh", "carbon_intensity_gCO2eq_per_kWh", and with a subscript 2. */
static bool
names_value(const char *text)
{
	return strcasestr(text, "kwh") && (strcasestr(text, "gco2") || strcasestr(text, "gco\xe2\x82\x82"));
}

/* The column a header cell names, or N_COLUMNS. */
static enum column
find_column(const struct perseus__csv_cell *cell)
{
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		if (strcasecmp(cell->text, headers[i].name) == 0)
			return headers[i].column;
	return names_value(cell->text) ? COLUMN_VALUE : N_COLUMNS;
}

static enum perseus_status
take_header_cell(struct reader *reader, const struct perseus__csv_cell *cell)
{
	const int32_t index = reader->n_columns++;
	const enum column column = cell->length < PERSEUS__CSV_CELL_BYTES ? find_column(cell) : N_COLUMNS;
	const bool is_exact = column == COLUMN_VALUE && strcasecmp(cell->text, value_header) == 0;
	if (column == N_COLUMNS || (column == COLUMN_VALUE && reader->has_exact_value && !is_exact))
		return PERSEUS_OK;
	const bool is_taken = reader->column_at[column] >= 0 && !(is_exact && !reader->has_exact_value);
	if (is_taken) {
		char first[PERSEUS__CSV_SHOWN_BYTES], second[PERSEUS__CSV_SHOWN_BYTES];
		const struct perseus__csv_cell *name = &reader->names[column];
		return perseus__fail(reader->csv.err, PERSEUS_INVALID,
				"%s:%lld: column %d, \"%s\", and column %d, \"%s\", could both be meant: leave one of them out",
				reader->csv.label, (long long)reader->csv.row_line, (int)reader->column_at[column] + 1,
				perseus__csv_shown(name->text, strlen(name->text), first), (int)index + 1,
				perseus__csv_shown(cell->text, strlen(cell->text), second));
	}
	reader->column_at[column] = index;
	reader->names[column] = *cell;
	reader->has_exact_value = reader->has_exact_value || is_exact;
	return PERSEUS_OK;
}

static enum perseus_status
read_header(struct reader *reader)
{
	(void)perseus__csv_find_row(&reader->csv);
	struct perseus__csv_cell cell;
	for (bool is_last = false; !is_last;) {
		enum perseus_status status = perseus__csv_read_cell(&reader->csv, &cell, &is_last);
		if (status == PERSEUS_OK)
			status = take_header_cell(reader, &cell);
		if (status != PERSEUS_OK)
			return status;
	}
	if (reader->column_at[COLUMN_ZONE] < 0 && reader->column_at[COLUMN_NAME] < 0)
		return perseus__csv_fail(&reader->csv, "no column of zones in the header; expected \"zone\"");
	if (reader->column_at[COLUMN_VALUE] < 0)
		return perseus__csv_fail(&reader->csv, "no column of intensities in the header; expected \"gCO2e_per_kWh\"");
	return PERSEUS_OK;
}

static enum perseus_status
read_cells(struct reader *reader)
{
	int64_t n_cells = 0;
	const enum perseus_status status =
			perseus__csv_read_row(&reader->csv, reader->column_at, N_COLUMNS, reader->cells, &n_cells);
	if (status != PERSEUS_OK)
		return status;
	if (n_cells != reader->n_columns)
		return perseus__fail(reader->csv.err, PERSEUS_INVALID, "%s:%lld: %lld cells, but the header has %d",
				reader->csv.label, (long long)reader->csv.row_line, (long long)n_cells, (int)reader->n_columns);
	for (int c = 0; c < N_COLUMNS; c++)
		if (reader->column_at[c] >= 0 && reader->cells[c].length >= PERSEUS__CSV_CELL_BYTES)
			return fail_cell(reader, (enum column)c, "and more is too long");
	return PERSEUS_OK;
}

static enum perseus_status
read_value(const struct reader *reader, double *value)
{
	struct perseus__decimal decimal;
	if (!perseus__decimal_parse(reader->cells[COLUMN_VALUE].text, &decimal))
		return fail_cell(reader, COLUMN_VALUE, "is not a number of zero or more");
	*value = perseus__decimal_value(decimal);
	const char *problem = perseus__intensity_value_problem(*value);
	return problem ? fail_cell(reader, COLUMN_VALUE, problem) : PERSEUS_OK;
}

static enum perseus_status
read_year(const struct reader *reader, int32_t *year)
{
	const char *text = reader->cells[COLUMN_YEAR].text;
	*year = 0;
	if (*text == '\0')
		return PERSEUS_OK;
	for (const char *at = text; *at && *year <= PERSEUS__MAX_YEAR; at++)
		*year = *at >= '0' && *at <= '9' ? *year * 10 + (*at - '0') : PERSEUS__MAX_YEAR + 1;
	return *year < PERSEUS__MIN_YEAR || *year > PERSEUS__MAX_YEAR
			? fail_cell(reader, COLUMN_YEAR, "is not a year from 1900 to 2999")
			: PERSEUS_OK;
}

static enum perseus_status
read_hour(const struct reader *reader, int64_t *hour)
{
	int64_t time_ms = 0;
	*hour = PERSEUS__NO_HOUR;
	if (reader->column_at[COLUMN_HOUR] < 0 || reader->cells[COLUMN_HOUR].length == 0)
		return PERSEUS_OK;
	if (!perseus__utc_parse(reader->cells[COLUMN_HOUR].text, &time_ms) || time_ms % MS_PER_HOUR != 0)
		return fail_cell(reader, COLUMN_HOUR, "is not a whole hour such as 2026-08-01T13:00Z");
	*hour = time_ms / MS_PER_HOUR;
	return PERSEUS_OK;
}

/* The type is that of the whole file: a mean of average and marginal values would be neither. */
static enum perseus_status
read_type(struct reader *reader)
{
	enum perseus__intensity_type type = PERSEUS__INTENSITY_NOT_STATED;
	if (!perseus__intensity_type_parse(reader->cells[COLUMN_TYPE].text, &type))
		return fail_cell(reader, COLUMN_TYPE, "is neither average nor marginal");
	if (reader->has_type && type != reader->table->type)
		return fail_cell(reader, COLUMN_TYPE, "is not what the rows ahead of it say");
	reader->has_type = true;
	reader->table->type = type;
	return PERSEUS_OK;
}

static enum perseus_status
read_row(struct reader *reader)
{
	enum perseus_status status = read_cells(reader);
	if (status != PERSEUS_OK || reader->cells[COLUMN_VALUE].length == 0)
		return status;
	struct perseus__intensity_row row = {.line = reader->csv.row_line};
	const enum column zone =
			reader->cells[COLUMN_ZONE].length > 0 || reader->column_at[COLUMN_NAME] < 0 ? COLUMN_ZONE : COLUMN_NAME;
	const char *problem = perseus__intensity_name_problem(reader->cells[zone].text);
	if (problem)
		return fail_cell(reader, zone, problem);
	status = read_value(reader, &row.gco2e_per_kwh);
	if (status == PERSEUS_OK)
		status = read_hour(reader, &row.hour);
	if (status == PERSEUS_OK && row.hour == PERSEUS__NO_HOUR)
		status = read_year(reader, &row.year);
	if (status == PERSEUS_OK)
		status = read_type(reader);
	if (status == PERSEUS_OK)
		status = perseus__intensity_add(reader->table, reader->cells[zone].text, &row, reader->csv.err);
	return status;
}

enum perseus_status
perseus__intensity_csv_read(
		struct perseus__intensity_table *table, const char *bytes, size_t length, struct perseus_error *err)
{
	struct reader reader = {.column_at = {-1, -1, -1, -1, -1, -1}, .table = table};
	const char *slash = strrchr(table->label, '/');
	(void)snprintf(table->source, sizeof table->source, "%s", slash ? slash + 1 : table->label);
	enum perseus_status status = perseus__csv_init(&reader.csv, bytes, length, table->label, err);
	if (status == PERSEUS_OK)
		status = read_header(&reader);
	while (status == PERSEUS_OK && perseus__csv_find_row(&reader.csv))
		status = read_row(&reader);
	return status;
}
