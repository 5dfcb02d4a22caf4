/*
 * Hourly prices of electricity from a user's CSV: a header, then rows in any order; other columns are ignored, cells
 * may be quoted, and prices may be negative.
 *   hour    "hour" or "datetime (utc)": ISO 8601, UTC, a whole hour
 *   price   price_per_kwh or price_per_mwh, with a currency in between or not: price_eur_per_mwh; or as Ember's files
 *           have it, "Price (EUR/MWhe)". An empty cell is no value
 *   zone    (optional) "zone" or "iso3 code"; where that cell is empty or not there, "country" is the zone
 */
#ifndef PERSEUS_FORMAT_PRICE_CSV_H
#define PERSEUS_FORMAT_PRICE_CSV_H

#include "format/hours.h"

#include <stddef.h>

#include <perseus/status.h>

/* Larger values, and below minus that, are no price of a kWh in any currency. */
#define PERSEUS__MAX_PRICE_PER_KWH 1e9

struct perseus__price_table;

/*
 * Reads a document; `label` is its path in messages. Free with perseus__price_table_free.
 * Errors: INVALID with file, line, column and text; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__price_table_parse(const char *label, const char *bytes, size_t length,
		struct perseus__price_table **out, struct perseus_error *err);

/* The same for a file of at most 256 MiB. IO where it cannot be read. */
PERSEUS_MUST_USE enum perseus_status perseus__price_table_read(
		const char *path, struct perseus__price_table **out, struct perseus_error *err);

void perseus__price_table_free(struct perseus__price_table *table);

/*
 * Consecutive hours of a zone, per kWh; the unit is the currency, "" where it is not stated. Free with
 * perseus__hours_fini. Errors: INVALID for a zone that is not there or must be named, and for hours needed that are
 * missing, naming the first; NO_MEMORY. O(rows).
 */
PERSEUS_MUST_USE enum perseus_status perseus__price_hours(const struct perseus__price_table *table,
		const struct perseus__hours_query *query, struct perseus__hours *out, struct perseus_error *err);

#endif
