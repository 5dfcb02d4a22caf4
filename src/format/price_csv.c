/* CSV of prices to rows. */
#include "format/price_csv.h"

#include "base/error.h"
#include "format/csv.h"
#include "format/number.h"
#include "format/price_internal.h"
#include "format/utc_time.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum column { COLUMN_ZONE, COLUMN_NAME, COLUMN_PRICE, COLUMN_HOUR, N_COLUMNS };

/* What headers are called, in any case. */
static const struct {
	enum column column;
	const char *name;
} headers[] = {
	{COLUMN_ZONE, "zone"}, {COLUMN_ZONE, "iso3 code"},      /* Ember */
	{COLUMN_NAME, "country"},                               /* Ember */
	{COLUMN_HOUR, "hour"}, {COLUMN_HOUR, "datetime (utc)"}, /* Ember */
};

struct reader {
	struct perseus__csv csv;
	int32_t n_columns;            /* of the header */
	int32_t column_at[N_COLUMNS]; /* index of each in a row; -1: it is not there */
	bool is_per_mwh;
	struct perseus__csv_cell names[N_COLUMNS];
	struct perseus__csv_cell cells[N_COLUMNS];
	struct perseus__price_table *table;
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

static bool
begins(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

/* Takes "EUR" out of "Price (EUR/MWhe)" or "price_eur_per_mwh": what lies from `from` to `to`, in capitals. */
static void
take_currency(struct reader *reader, const char *from, const char *to)
{
	char *currency = reader->table->currency;
	size_t n = 0;
	for (; from < to && n + 1 < sizeof reader->table->currency; from++)
		if (isalnum((unsigned char)*from) || (unsigned char)*from >= 0x80)
			currency[n++] = (char)toupper((unsigned char)*from);
	currency[n] = '\0';
}

/* Whether a header cell names prices; takes unit and currency where it does. */
static bool
take_price_header(struct reader *reader, const char *text)
{
	if (!begins(text, "price"))
		return false;
	const char *per = strcasestr(text, "_per_"), *slash = strchr(text, '/');
	const char *unit = per ? per + strlen("_per_") : slash ? slash + 1 : "";
	if (!begins(unit, "kwh") && !begins(unit, "mwh"))
		return false;
	reader->is_per_mwh = begins(unit, "mwh");
	take_currency(reader, text + strlen("price"), per ? per : slash);
	return true;
}

static enum column
find_column(struct reader *reader, const struct perseus__csv_cell *cell)
{
	if (cell->length >= PERSEUS__CSV_CELL_BYTES)
		return N_COLUMNS;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		if (strcasecmp(cell->text, headers[i].name) == 0)
			return headers[i].column;
	return take_price_header(reader, cell->text) ? COLUMN_PRICE : N_COLUMNS;
}

static enum perseus_status
take_header_cell(struct reader *reader, const struct perseus__csv_cell *cell)
{
	const int32_t index = reader->n_columns++;
	const enum column column = find_column(reader, cell);
	if (column == N_COLUMNS)
		return PERSEUS_OK;
	if (reader->column_at[column] >= 0) {
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
	if (reader->column_at[COLUMN_HOUR] < 0)
		return perseus__csv_fail(&reader->csv, "no column of hours in the header; expected \"hour\"");
	if (reader->column_at[COLUMN_PRICE] < 0)
		return perseus__csv_fail(
				&reader->csv, "no column of prices in the header; expected \"price_per_kwh\" or \"price_per_mwh\"");
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
read_price(const struct reader *reader, double *per_kwh)
{
	const char *text = reader->cells[COLUMN_PRICE].text;
	const bool is_negative = *text == '-';
	struct perseus__decimal decimal;
	if (!perseus__decimal_parse(text + is_negative, &decimal))
		return fail_cell(reader, COLUMN_PRICE, "is not a number");
	decimal.exponent -= reader->is_per_mwh ? 3 : 0; /* in decimals, so that 10.2 a MWh is 0.0102 a kWh */
	const double value = perseus__decimal_value(decimal);
	*per_kwh = is_negative ? -value : value;
	return value <= PERSEUS__MAX_PRICE_PER_KWH ? PERSEUS_OK : fail_cell(reader, COLUMN_PRICE, "is too large");
}

static enum perseus_status
read_hour(const struct reader *reader, int64_t *hour)
{
	int64_t time_ms = 0;
	if (!perseus__utc_parse(reader->cells[COLUMN_HOUR].text, &time_ms) || time_ms % PERSEUS__MS_PER_HOUR != 0)
		return fail_cell(reader, COLUMN_HOUR, "is not a whole hour such as 2026-08-01T13:00Z");
	*hour = time_ms / PERSEUS__MS_PER_HOUR;
	return PERSEUS_OK;
}

/* Which column a row's zone stands in; N_COLUMNS where the file has none. */
static enum column
zone_column(const struct reader *reader)
{
	if (reader->column_at[COLUMN_ZONE] >= 0
			&& (reader->cells[COLUMN_ZONE].length > 0 || reader->column_at[COLUMN_NAME] < 0))
		return COLUMN_ZONE;
	return reader->column_at[COLUMN_NAME] >= 0 ? COLUMN_NAME : N_COLUMNS;
}

static const char *
zone_problem(const char *name)
{
	if (*name == '\0')
		return "is no name of a zone";
	if (strlen(name) >= PERSEUS__HOURS_ZONE_BYTES)
		return "is too long for the name of a zone";
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return "has a control character in it";
	return NULL;
}

static enum perseus_status
read_row(struct reader *reader)
{
	enum perseus_status status = read_cells(reader);
	if (status != PERSEUS_OK || reader->cells[COLUMN_PRICE].length == 0)
		return status;
	struct perseus__price_row row = {.line = reader->csv.row_line};
	const enum column zone = zone_column(reader);
	const char *problem = zone == N_COLUMNS ? NULL : zone_problem(reader->cells[zone].text);
	if (problem)
		return fail_cell(reader, zone, problem);
	status = read_price(reader, &row.per_kwh);
	if (status == PERSEUS_OK)
		status = read_hour(reader, &row.hour);
	if (status == PERSEUS_OK)
		status = perseus__price_add(
				reader->table, zone == N_COLUMNS ? "" : reader->cells[zone].text, &row, reader->csv.err);
	return status;
}

enum perseus_status
perseus__price_csv_read(struct perseus__price_table *table, const char *bytes, size_t length, struct perseus_error *err)
{
	struct reader reader = {.column_at = {-1, -1, -1, -1}, .table = table};
	enum perseus_status status = perseus__csv_init(&reader.csv, bytes, length, table->label, err);
	if (status == PERSEUS_OK)
		status = read_header(&reader);
	while (status == PERSEUS_OK && perseus__csv_find_row(&reader.csv))
		status = read_row(&reader);
	return status;
}
