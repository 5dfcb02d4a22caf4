/* Tables of intensities: made by a reader, sorted and checked here. */
#include "format/intensity_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/input_file.h"
#include "format/intensity_internal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_FILE_BYTES ((size_t)256 << 20)

#define X(name, text) text,
static const char *const type_names[] = {PERSEUS__INTENSITY_TYPE_MAP(X)};
#undef X

enum { N_TYPES = sizeof type_names / sizeof *type_names };

const char *
perseus__intensity_type_name(enum perseus__intensity_type type)
{
	return type_names[type];
}

bool
perseus__intensity_type_parse(const char *text, enum perseus__intensity_type *type)
{
	for (int i = 0; i < N_TYPES; i++) {
		if (strcasecmp(text, type_names[i]) != 0)
			continue;
		*type = (enum perseus__intensity_type)i;
		return true;
	}
	return false;
}

const char *
perseus__intensity_value_problem(double gco2e_per_kwh)
{
	return gco2e_per_kwh >= 0 && gco2e_per_kwh <= PERSEUS__MAX_GCO2E_PER_KWH
			? NULL
			: "is not from 0 to 20000, in grams per kWh";
}

enum perseus_status
perseus__intensity_add(struct perseus__intensity_table *table, const char *name,
		const struct perseus__intensity_row *row, struct perseus_error *err)
{
	if (!perseus__reserve(&table->rows, &table->cap_rows, table->n_rows + 1, sizeof *table->rows))
		return perseus__no_memory(err);
	struct perseus__intensity_row *added = &table->rows[table->n_rows];
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

/* Of what a row says when its value holds; 0: of the same. */
static int
compare_keys(const struct perseus__intensity_table *table, const struct perseus__intensity_row *a,
		const struct perseus__intensity_row *b)
{
	int order = strcasecmp(table->zones.bytes + a->zone, table->zones.bytes + b->zone);
	if (order == 0)
		order = compare_int64(a->hour, b->hour);
	return order ? order : compare_int64(a->year, b->year);
}

static int
compare_rows(const void *a, const void *b, void *table)
{
	const struct perseus__intensity_row *first = a, *second = b;
	const int order = compare_keys(table, first, second);
	return order ? order : compare_int64(first->line, second->line);
}

/* Says that two rows do not go together; `what` is said of the later one. */
static enum perseus_status
fail_pair(const struct perseus__intensity_table *table, const struct perseus__intensity_row *row, const char *what,
		const struct perseus__intensity_row *other, struct perseus_error *err)
{
	if (row->line < other->line) {
		const struct perseus__intensity_row *swapped = row;
		row = other;
		other = swapped;
	}
	const char *zone = table->zones.bytes + row->zone;
	if (row->line == 0)
		return perseus__fail(err, PERSEUS_INVALID, "%s: zone \"%s\": %s", table->label, zone, what);
	return perseus__fail(err, PERSEUS_INVALID, "%s:%lld: zone \"%s\": %s; see line %lld", table->label,
			(long long)row->line, zone, what, (long long)other->line);
}

/* Sorts the rows and looks for what contradicts itself. */
static enum perseus_status
seal(struct perseus__intensity_table *table, struct perseus_error *err)
{
	if (table->n_rows == 0)
		return perseus__fail(err, PERSEUS_INVALID, "%s: holds no carbon intensity", table->label);
	qsort_r(table->rows, table->n_rows, sizeof *table->rows, compare_rows, table);
	for (size_t i = 1; i < table->n_rows; i++) {
		const struct perseus__intensity_row *row = &table->rows[i], *before = row - 1;
		const char *zone = table->zones.bytes + row->zone;
		if (strcasecmp(zone, table->zones.bytes + before->zone) != 0)
			continue;
		if ((row->hour == PERSEUS__NO_HOUR) != (before->hour == PERSEUS__NO_HOUR))
			return fail_pair(table, row, "has rows with an hour and rows without", before, err);
		if (compare_keys(table, row, before) == 0)
			return fail_pair(table, row, row->hour == PERSEUS__NO_HOUR ? "twice for one year" : "twice for one hour",
					before, err);
	}
	return PERSEUS_OK;
}

static bool
looks_like_json(const char *bytes, size_t length)
{
	size_t i = 0;
	while (i < length && bytes[i] && strchr(" \t\r\n", bytes[i]))
		i++;
	return i < length && bytes[i] == '{';
}

enum perseus_status
perseus__intensity_table_parse(const char *label, const char *bytes, size_t length,
		struct perseus__intensity_table **out, struct perseus_error *err)
{
	struct perseus__intensity_table *table = perseus__new_array(1, sizeof *table);
	if (!table)
		return perseus__no_memory(err);
	table->zones = perseus__text_init(MAX_FILE_BYTES);
	table->label = perseus__copy_string(label);
	enum perseus_status status = PERSEUS_NO_MEMORY;
	if (!table->label)
		status = perseus__no_memory(err);
	else if (looks_like_json(bytes, length))
		status = perseus__intensity_json_read(table, bytes, length, err);
	else
		status = perseus__intensity_csv_read(table, bytes, length, err);
	if (status == PERSEUS_OK)
		status = seal(table, err);
	if (status == PERSEUS_OK)
		*out = table;
	else
		perseus__intensity_table_free(table);
	return status;
}

enum perseus_status
perseus__intensity_table_read(const char *path, struct perseus__intensity_table **out, struct perseus_error *err)
{
	char *bytes = NULL;
	size_t length = 0;
	enum perseus_status status = perseus__input_file(path, MAX_FILE_BYTES, &bytes, &length, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__intensity_table_parse(path, bytes, length, out, err);
	perseus__free(bytes);
	return status;
}

void
perseus__intensity_table_free(struct perseus__intensity_table *table)
{
	if (!table)
		return;
	perseus__free(table->label);
	perseus__text_fini(&table->zones);
	perseus__free(table->rows);
	perseus__free(table);
}
