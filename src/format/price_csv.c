/* CSV of prices to rows. */
#include "format/price_csv.h"

#include "base/error.h"
#include "format/csv_columns.h"
#include "format/number.h"
#include "format/price_internal.h"

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
	struct perseus__csv_columns columns;
	bool is_per_mwh;
	struct perseus__price_table *table;
};

static enum perseus_status
fail_cell(const struct reader *reader, enum column column, const char *problem)
{
	return perseus__csv_columns_fail(&reader->columns, (int)column, problem);
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

static int
find_column(void *user, const struct perseus__csv_cell *cell)
{
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		if (strcasecmp(cell->text, headers[i].name) == 0)
			return (int)headers[i].column;
	return take_price_header(user, cell->text) ? COLUMN_PRICE : -1;
}

static enum perseus_status
read_header(struct reader *reader)
{
	(void)perseus__csv_find_row(&reader->columns.csv);
	const enum perseus_status status = perseus__csv_columns_find_by(&reader->columns, find_column, reader);
	if (status != PERSEUS_OK)
		return status;
	if (reader->columns.at[COLUMN_HOUR] < 0)
		return perseus__csv_fail(&reader->columns.csv, "no column of hours in the header; expected \"hour\"");
	if (reader->columns.at[COLUMN_PRICE] < 0)
		return perseus__csv_fail(&reader->columns.csv,
				"no column of prices in the header; expected \"price_per_kwh\" or \"price_per_mwh\"");
	return PERSEUS_OK;
}

static enum perseus_status
read_price(const struct reader *reader, double *per_kwh)
{
	const char *text = reader->columns.cells[COLUMN_PRICE].text;
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
	return perseus__hour_parse(reader->columns.cells[COLUMN_HOUR].text, hour)
			? PERSEUS_OK
			: fail_cell(reader, COLUMN_HOUR, "is not a whole hour such as 2026-08-01T13:00Z");
}

/* Which column a row's zone stands in; N_COLUMNS where the file has none. */
static enum column
zone_column(const struct reader *reader)
{
	if (reader->columns.at[COLUMN_ZONE] >= 0
			&& (reader->columns.cells[COLUMN_ZONE].length > 0 || reader->columns.at[COLUMN_NAME] < 0))
		return COLUMN_ZONE;
	return reader->columns.at[COLUMN_NAME] >= 0 ? COLUMN_NAME : N_COLUMNS;
}

static enum perseus_status
read_row(struct reader *reader)
{
	enum perseus_status status = perseus__csv_columns_read(&reader->columns);
	if (status != PERSEUS_OK || reader->columns.cells[COLUMN_PRICE].length == 0)
		return status;
	struct perseus__price_row row = {.line = reader->columns.csv.row_line};
	const enum column zone = zone_column(reader);
	const char *problem = zone == N_COLUMNS ? NULL : perseus__zone_problem(reader->columns.cells[zone].text);
	if (problem)
		return fail_cell(reader, zone, problem);
	status = read_price(reader, &row.per_kwh);
	if (status == PERSEUS_OK)
		status = read_hour(reader, &row.hour);
	if (status == PERSEUS_OK)
		status = perseus__price_add(reader->table, zone == N_COLUMNS ? "" : reader->columns.cells[zone].text, &row,
				reader->columns.csv.err);
	return status;
}

enum perseus_status
perseus__price_csv_read(struct perseus__price_table *table, const char *bytes, size_t length, struct perseus_error *err)
{
	struct reader reader = {.table = table};
	enum perseus_status status =
			perseus__csv_columns_init(&reader.columns, N_COLUMNS, bytes, length, table->label, err);
	if (status == PERSEUS_OK)
		status = read_header(&reader);
	while (status == PERSEUS_OK && perseus__csv_find_row(&reader.columns.csv))
		status = read_row(&reader);
	return status;
}
