/* CSV of carbon intensities to rows. */
#include "base/error.h"
#include "format/csv_columns.h"
#include "format/intensity_internal.h"
#include "format/number.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum column { COLUMN_ZONE, COLUMN_NAME, COLUMN_VALUE, COLUMN_YEAR, COLUMN_HOUR, COLUMN_TYPE, N_COLUMNS };

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
	struct perseus__csv_columns columns;
	bool has_exact_value; /* the value's column is called value_header: others do not count */
	struct perseus__intensity_table *table;
	bool has_type; /* a row was read, so that the table's type is that of the file */
};

static enum perseus_status
fail_cell(const struct reader *reader, enum column column, const char *problem)
{
	return perseus__csv_columns_fail(&reader->columns, (int)column, problem);
}

/* "Carbon intensity of electricity - gCO2/KWh", "carbon_intensity_gCO2eq_per_kWh", and with a subscript 2. */
static bool
names_value(const char *text)
{
	return strcasestr(text, "kwh") && (strcasestr(text, "gco2") || strcasestr(text, "gco\xe2\x82\x82"));
}

static int
find_value(struct reader *reader, const char *text)
{
	const bool is_exact = strcasecmp(text, value_header) == 0;
	if (!is_exact)
		return names_value(text) && !reader->has_exact_value ? COLUMN_VALUE : -1;
	if (!reader->has_exact_value)
		reader->columns.at[COLUMN_VALUE] = -1; /* takes the place of one with another name */
	reader->has_exact_value = true;
	return COLUMN_VALUE;
}

static int
find_column(void *user, const struct perseus__csv_cell *cell)
{
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		if (strcasecmp(cell->text, headers[i].name) == 0)
			return (int)headers[i].column;
	return find_value(user, cell->text);
}

static enum perseus_status
read_header(struct reader *reader)
{
	(void)perseus__csv_find_row(&reader->columns.csv);
	const enum perseus_status status = perseus__csv_columns_find_by(&reader->columns, find_column, reader);
	if (status != PERSEUS_OK)
		return status;
	if (reader->columns.at[COLUMN_ZONE] < 0 && reader->columns.at[COLUMN_NAME] < 0)
		return perseus__csv_fail(&reader->columns.csv, "no column of zones in the header; expected \"zone\"");
	if (reader->columns.at[COLUMN_VALUE] < 0)
		return perseus__csv_fail(
				&reader->columns.csv, "no column of intensities in the header; expected \"gCO2e_per_kWh\"");
	return PERSEUS_OK;
}

static enum perseus_status
read_value(const struct reader *reader, double *value)
{
	struct perseus__decimal decimal;
	if (!perseus__decimal_parse(reader->columns.cells[COLUMN_VALUE].text, &decimal))
		return fail_cell(reader, COLUMN_VALUE, "is not a number of zero or more");
	*value = perseus__decimal_value(decimal);
	const char *problem = perseus__intensity_value_problem(*value);
	return problem ? fail_cell(reader, COLUMN_VALUE, problem) : PERSEUS_OK;
}

static enum perseus_status
read_year(const struct reader *reader, int32_t *year)
{
	const char *text = reader->columns.cells[COLUMN_YEAR].text;
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
	*hour = PERSEUS__NO_HOUR;
	if (reader->columns.at[COLUMN_HOUR] < 0 || reader->columns.cells[COLUMN_HOUR].length == 0)
		return PERSEUS_OK;
	return perseus__hour_parse(reader->columns.cells[COLUMN_HOUR].text, hour)
			? PERSEUS_OK
			: fail_cell(reader, COLUMN_HOUR, "is not a whole hour such as 2026-08-01T13:00Z");
}

/* The type is that of the whole file: a mean of average and marginal values would be neither. */
static enum perseus_status
read_type(struct reader *reader)
{
	enum perseus__intensity_type type = PERSEUS__INTENSITY_NOT_STATED;
	if (!perseus__intensity_type_parse(reader->columns.cells[COLUMN_TYPE].text, &type))
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
	enum perseus_status status = perseus__csv_columns_read(&reader->columns);
	if (status != PERSEUS_OK || reader->columns.cells[COLUMN_VALUE].length == 0)
		return status;
	struct perseus__intensity_row row = {.line = reader->columns.csv.row_line};
	const enum column zone = reader->columns.cells[COLUMN_ZONE].length > 0 || reader->columns.at[COLUMN_NAME] < 0
			? COLUMN_ZONE
			: COLUMN_NAME;
	const char *problem = perseus__zone_problem(reader->columns.cells[zone].text);
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
		status = perseus__intensity_add(reader->table, reader->columns.cells[zone].text, &row, reader->columns.csv.err);
	return status;
}

enum perseus_status
perseus__intensity_csv_read(
		struct perseus__intensity_table *table, const char *bytes, size_t length, struct perseus_error *err)
{
	struct reader reader = {.table = table};
	const char *slash = strrchr(table->label, '/');
	(void)snprintf(table->source, sizeof table->source, "%s", slash ? slash + 1 : table->label);
	enum perseus_status status =
			perseus__csv_columns_init(&reader.columns, N_COLUMNS, bytes, length, table->label, err);
	if (status == PERSEUS_OK)
		status = read_header(&reader);
	while (status == PERSEUS_OK && perseus__csv_find_row(&reader.columns.csv))
		status = read_row(&reader);
	return status;
}
