/* A table of intensities while it is read: what its readers and its lookup share. */
#ifndef PERSEUS_FORMAT_INTENSITY_INTERNAL_H
#define PERSEUS_FORMAT_INTENSITY_INTERNAL_H

#include "base/text.h"
#include "format/intensity_file.h"

#include <stddef.h>
#include <stdint.h>

enum { PERSEUS__NO_HOUR = -1, PERSEUS__MIN_YEAR = 1900, PERSEUS__MAX_YEAR = 2999 };

struct perseus__intensity_row {
	size_t zone;  /* where its name begins in the table's zones */
	int64_t hour; /* hours since 1970, or PERSEUS__NO_HOUR */
	int64_t line; /* of the file; 0: not known */
	double gco2e_per_kwh;
	int32_t year; /* 0: not stated, or a row with an hour */
};

struct perseus__intensity_table {
	char *label;
	struct perseus__text zones;          /* names, each with a NUL behind it */
	struct perseus__intensity_row *rows; /* by zone, hour and year once it is sealed */
	size_t n_rows;
	size_t cap_rows;
	enum perseus__intensity_type type;
	char source[PERSEUS__SOURCE_BYTES];
};

/* Adds a row, whose `zone` is set to that of `name`. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__intensity_add(struct perseus__intensity_table *table, const char *name,
		const struct perseus__intensity_row *row, struct perseus_error *err);

/* What is wrong with a value, or NULL. */
const char *perseus__intensity_value_problem(double gco2e_per_kwh);

/* The readers fill in rows, type and source. */
PERSEUS_MUST_USE enum perseus_status perseus__intensity_csv_read(
		struct perseus__intensity_table *table, const char *bytes, size_t length, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__intensity_json_read(
		struct perseus__intensity_table *table, const char *bytes, size_t length, struct perseus_error *err);

#endif
