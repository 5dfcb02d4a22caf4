/* Tables of prices: sorted and checked here, and looked up. */
#include "base/error.h"
#include "base/memory.h"
#include "format/csv.h"
#include "format/input_file.h"
#include "format/price_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_FILE_BYTES ((size_t)256 << 20)

enum { N_LISTED = 6 }; /* zones in a message */

static const char *
zone_at(const struct perseus__price_table *table, size_t row)
{
	return table->zones.bytes + table->rows[row].zone;
}

enum perseus_status
perseus__price_add(struct perseus__price_table *table, const char *name, const struct perseus__price_row *row,
		struct perseus_error *err)
{
	if (!perseus__reserve(&table->rows, &table->cap_rows, table->n_rows + 1, sizeof *table->rows))
		return perseus__no_memory(err);
	struct perseus__price_row *added = &table->rows[table->n_rows];
	*added = *row;
	added->zone = perseus__zone_add(&table->zones, table->n_rows > 0 ? added[-1].zone : 0, name);
	if (table->zones.failed)
		return perseus__no_memory(err);
	table->n_rows++;
	return PERSEUS_OK;
}

static int
compare_int64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_rows(const void *a, const void *b, void *user)
{
	const struct perseus__price_table *table = user;
	const struct perseus__price_row *first = a, *second = b;
	int order = strcasecmp(table->zones.bytes + first->zone, table->zones.bytes + second->zone);
	if (order == 0)
		order = compare_int64(first->hour, second->hour);
	return order ? order : compare_int64(first->line, second->line);
}

static bool
is_same_zone(const struct perseus__price_table *table, size_t row, size_t other)
{
	return strcasecmp(zone_at(table, row), zone_at(table, other)) == 0;
}

/* Sorts the rows and looks for hours that are there twice. */
static enum perseus_status
seal(struct perseus__price_table *table, struct perseus_error *err)
{
	if (table->n_rows == 0)
		return perseus__fail(err, PERSEUS_INVALID, "%s: holds no price", table->label);
	qsort_r(table->rows, table->n_rows, sizeof *table->rows, compare_rows, table);
	for (size_t i = 1; i < table->n_rows; i++)
		if (table->rows[i].hour == table->rows[i - 1].hour && is_same_zone(table, i, i - 1))
			return perseus__fail(err, PERSEUS_INVALID, "%s:%lld: twice for one hour; see line %lld", table->label,
					(long long)table->rows[i].line, (long long)table->rows[i - 1].line);
	return PERSEUS_OK;
}

enum perseus_status
perseus__price_table_parse(const char *label, const char *bytes, size_t length, struct perseus__price_table **out,
		struct perseus_error *err)
{
	struct perseus__price_table *table = perseus__new_array(1, sizeof *table);
	if (!table)
		return perseus__no_memory(err);
	table->zones = perseus__text_init(MAX_FILE_BYTES);
	table->label = perseus__copy_string(label);
	enum perseus_status status =
			table->label ? perseus__price_csv_read(table, bytes, length, err) : perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = seal(table, err);
	if (status == PERSEUS_OK)
		*out = table;
	else
		perseus__price_table_free(table);
	return status;
}

enum perseus_status
perseus__price_table_read(const char *path, struct perseus__price_table **out, struct perseus_error *err)
{
	char *bytes = NULL;
	size_t length = 0;
	enum perseus_status status = perseus__input_file(path, MAX_FILE_BYTES, &bytes, &length, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__price_table_parse(path, bytes, length, out, err);
	perseus__free(bytes);
	return status;
}

void
perseus__price_table_free(struct perseus__price_table *table)
{
	if (!table)
		return;
	perseus__free(table->label);
	perseus__text_fini(&table->zones);
	perseus__free(table->rows);
	perseus__free(table);
}

/* INVALID: the zone is not there, or must be named; lists the first few that are. */
static enum perseus_status
fail_zone(const struct perseus__price_table *table, const char *zone, struct perseus_error *err)
{
	struct perseus__text list = perseus__text_init(1000);
	char shown[PERSEUS__CSV_SHOWN_BYTES];
	size_t n = 0;
	for (size_t i = 0; i < table->n_rows; i++) {
		if (i > 0 && is_same_zone(table, i, i - 1))
			continue;
		if (n++ < N_LISTED)
			perseus__text_addf(&list, "%s%s", n > 1 ? ", " : "", zone_at(table, i));
	}
	if (*zone_at(table, 0) == '\0')
		(void)perseus__fail(err, PERSEUS_INVALID, "%s: has no column of zones", table->label);
	else if (zone)
		(void)perseus__fail(err, PERSEUS_INVALID, "%s: there is no zone \"%.100s\"; of %zu: %s", table->label,
				perseus__csv_shown(zone, strlen(zone), shown), n, list.failed ? "" : list.bytes);
	else
		(void)perseus__fail(err, PERSEUS_INVALID, "%s: name one of its %zu zones: %s", table->label, n,
				list.failed ? "" : list.bytes);
	perseus__text_fini(&list);
	return PERSEUS_INVALID;
}

/* Rows *begin .. *end - 1 are of the zone. */
static enum perseus_status
find_zone(const struct perseus__price_table *table, const char *zone, size_t *begin, size_t *end,
		struct perseus_error *err)
{
	*begin = 0;
	while (zone && *begin < table->n_rows && strcasecmp(zone_at(table, *begin), zone) != 0)
		(*begin)++;
	*end = *begin;
	while (*end < table->n_rows && is_same_zone(table, *begin, *end))
		(*end)++;
	return *begin < *end && (zone || *end == table->n_rows) ? PERSEUS_OK : fail_zone(table, zone, err);
}

enum perseus_status
perseus__price_hours(const struct perseus__price_table *table, const struct perseus__hours_query *query,
		struct perseus__hours *out, struct perseus_error *err)
{
	size_t begin, end;
	enum perseus_status status = find_zone(table, query->zone, &begin, &end, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__hours hours = {.n = 0};
	const char *slash = strrchr(table->label, '/');
	(void)snprintf(hours.zone, sizeof hours.zone, "%s", zone_at(table, begin));
	(void)snprintf(hours.unit, sizeof hours.unit, "%s", table->currency);
	(void)snprintf(hours.source, sizeof hours.source, "%s", slash ? slash + 1 : table->label);
	status = perseus__hours_begin(&hours, query, table->rows[begin].hour, err);
	if (status != PERSEUS_OK)
		return status;
	for (size_t i = begin; i < end; i++)
		perseus__hours_add(&hours, query, table->rows[i].hour, table->rows[i].per_kwh);
	status = perseus__hours_end(&hours, query, table->label, err);
	if (status == PERSEUS_OK)
		*out = hours;
	return status;
}
