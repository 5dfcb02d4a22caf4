/*
 * Values of consecutive hours from a user's file: carbon intensities (intensity_file.h) or prices (price_csv.h).
 */
#ifndef PERSEUS_FORMAT_HOURS_H
#define PERSEUS_FORMAT_HOURS_H

#include "format/zone.h"

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

enum {
	PERSEUS__MS_PER_HOUR = 3600000,
	PERSEUS__FIRST_HOUR = -1, /* the first that a zone has */
	PERSEUS__HOURS_UNIT_BYTES = 16,
	PERSEUS__HOURS_SOURCE_BYTES = 288
};

/* Reads a moment as perseus__utc_parse does; false as well where it is no whole hour. `*hour`: since 1970. */
bool perseus__hour_parse(const char *text, int64_t *hour);

struct perseus__hours_query {
	const char *zone; /* in any case; NULL: the file's only one */
	int64_t first;    /* hours since 1970, or PERSEUS__FIRST_HOUR */
	int32_t n_needed; /* >= 1 */
	int32_t n_wanted; /* as many as there are without a gap; >= n_needed */
};

/* Free with perseus__hours_fini. */
struct perseus__hours {
	int64_t first;
	int32_t n;                                /* n_needed at least */
	double *values;                           /* per kWh */
	char zone[PERSEUS__ZONE_BYTES];           /* as the file writes it; "" where it has none */
	char unit[PERSEUS__HOURS_UNIT_BYTES];     /* "gCO2e", or a currency; "" where it is not stated */
	char source[PERSEUS__HOURS_SOURCE_BYTES]; /* name of the file, and what it says of itself */
};

/*
 * Takes hours out of a zone's rows: begin with the hour of its first row, add all of its rows in ascending order, end.
 * `*hours` has zone, unit and source already, and what fails leaves no values in it.
 * Errors of begin: NO_MEMORY. Of end: INVALID for hours needed that are missing, naming the first; `label` names the
 * file.
 */
PERSEUS_MUST_USE enum perseus_status perseus__hours_begin(struct perseus__hours *hours,
		const struct perseus__hours_query *query, int64_t first_row, struct perseus_error *err);
void perseus__hours_add(
		struct perseus__hours *hours, const struct perseus__hours_query *query, int64_t hour, double value);
PERSEUS_MUST_USE enum perseus_status perseus__hours_end(struct perseus__hours *hours,
		const struct perseus__hours_query *query, const char *label, struct perseus_error *err);

void perseus__hours_fini(struct perseus__hours *hours);

#endif
