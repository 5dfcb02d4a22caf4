/*
 * Carbon intensity of electricity from a user's file: grams of CO2 equivalent per kWh, by zone and year or hour.
 *
 * CSV: a header, then rows in any order; other columns are ignored, and cells may be quoted.
 *   zone             "zone", "zone id", "code" or "iso3"; where that cell is empty, "entity" or "zone name" is the zone
 *   intensity        gCO2e_per_kWh, or else the one column whose name holds "gCO2" and "kWh"; an empty cell is no value
 *   year             (optional) 1900 to 2999, or empty
 *   hour             (optional) "hour" or "datetime (utc)": ISO 8601, UTC, a whole hour; a zone has hours or it has not
 *   type             (optional) average or marginal, or empty
 *
 * JSON: ours, and the shape that packages of Ember's yearly averages have:
 *   {"zones": {"DE": {"gco2e_per_kwh": 344.1, "year": 2024}}, "source": "...", "type": "average"}
 *   {"data": {"DEU": 342.06}, "type": "average"}
 * "year", "source" and "type" (average or marginal) may be left out; any other key is an error.
 */
#ifndef PERSEUS_FORMAT_INTENSITY_FILE_H
#define PERSEUS_FORMAT_INTENSITY_FILE_H

#include "format/hours.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

enum { PERSEUS__SOURCE_BYTES = 256 };

/* Larger values are no grams per kWh: nothing that burns emits a tenth of it. */
#define PERSEUS__MAX_GCO2E_PER_KWH 20000.0

/* X(name, text) */
#define PERSEUS__INTENSITY_TYPE_MAP(X) \
	X(NOT_STATED, "")                  \
	X(AVERAGE, "average")              \
	X(MARGINAL, "marginal")

enum perseus__intensity_type {
#define X(name, text) PERSEUS__INTENSITY_##name,
	PERSEUS__INTENSITY_TYPE_MAP(X)
#undef X
};

/* A value, and where it comes from, which is said wherever it is shown. */
struct perseus__intensity {
	double gco2e_per_kwh;
	char zone[PERSEUS__ZONE_BYTES]; /* as the file writes it; "" for a number that a user gave */
	int32_t year;                   /* 0: not stated */
	int32_t n_hours;                /* hours it is the mean of; 0: not from an hourly series */
	enum perseus__intensity_type type;
	char source[PERSEUS__SOURCE_BYTES]; /* name of the file, and what the file says of its source in brackets */
};

struct perseus__intensity_table;

/*
 * Reads a document; '{' as its first character makes it JSON. `label` is its path in messages; the last part of it
 * becomes the source. Free with perseus__intensity_table_free.
 * Errors: INVALID with file, line, column and text, or the path of the value, e.g. "zones.DE.year"; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__intensity_table_parse(const char *label, const char *bytes, size_t length,
		struct perseus__intensity_table **out, struct perseus_error *err);

/* The same for a file of at most 256 MiB. IO where it cannot be read. */
PERSEUS_MUST_USE enum perseus_status perseus__intensity_table_read(
		const char *path, struct perseus__intensity_table **out, struct perseus_error *err);

void perseus__intensity_table_free(struct perseus__intensity_table *table);

struct perseus__intensity_query {
	const char *zone; /* in any case; NULL: the file's only one */
	int32_t year;     /* 0: the latest; of an hourly series not asked for */
	int64_t begin_ms; /* of the run, Unix time: what an hourly series is averaged over */
	int64_t end_ms;   /* >= begin_ms */
};

/*
 * The intensity of a zone: of a year, or the mean over the hours from begin to end, weighted by time.
 * Errors: INVALID for a zone that is not there, with those nearest in name; for a year that is not; and for hours of
 * the run that are not, naming the first. O(log rows + rows of the zone).
 */
PERSEUS_MUST_USE enum perseus_status perseus__intensity_find(const struct perseus__intensity_table *table,
		const struct perseus__intensity_query *query, struct perseus__intensity *out, struct perseus_error *err);

/* Checks zone and year only: whether perseus__intensity_find could fail for its hours alone. Errors: as above. */
PERSEUS_MUST_USE enum perseus_status perseus__intensity_check(const struct perseus__intensity_table *table,
		const struct perseus__intensity_query *query, struct perseus_error *err);

/*
 * Consecutive hours of a zone. Free with perseus__hours_fini.
 * Errors: INVALID for a zone that is not there, or has years and no hours, and for hours needed that are missing,
 * naming the first; NO_MEMORY. O(log rows + rows of the zone).
 */
PERSEUS_MUST_USE enum perseus_status perseus__intensity_hours(const struct perseus__intensity_table *table,
		const struct perseus__hours_query *query, struct perseus__hours *out, struct perseus_error *err);

/* "average", "marginal"; "" where it is not stated. */
const char *perseus__intensity_type_name(enum perseus__intensity_type type);

/* The type that `text` names in any case, "" included; false where it names none. */
bool perseus__intensity_type_parse(const char *text, enum perseus__intensity_type *type);

#endif
