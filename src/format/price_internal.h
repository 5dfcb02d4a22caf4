/* A table of prices while it is read: what its reader and its lookup share. */
#ifndef PERSEUS_FORMAT_PRICE_INTERNAL_H
#define PERSEUS_FORMAT_PRICE_INTERNAL_H

#include "base/text.h"
#include "format/price_csv.h"

#include <stddef.h>
#include <stdint.h>

struct perseus__price_row {
	size_t zone;  /* where its name begins in the table's zones */
	int64_t hour; /* hours since 1970 */
	int64_t line; /* of the file */
	double per_kwh;
};

struct perseus__price_table {
	char *label;
	struct perseus__text zones;      /* names, each with a NUL behind it; "" is the zone of a file without */
	struct perseus__price_row *rows; /* by zone and hour once it is sealed */
	size_t n_rows;
	size_t cap_rows;
	char currency[PERSEUS__HOURS_UNIT_BYTES];
};

/* Adds a row, whose `zone` is set to that of `name`. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__price_add(struct perseus__price_table *table, const char *name,
		const struct perseus__price_row *row, struct perseus_error *err);

/* Fills in rows and currency. */
PERSEUS_MUST_USE enum perseus_status perseus__price_csv_read(
		struct perseus__price_table *table, const char *bytes, size_t length, struct perseus_error *err);

#endif
