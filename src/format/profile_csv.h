/*
 * A profile CSV to measurements and back. Rules of the file: columns by name in any order, others ignored; quoting as
 * in RFC 4180; LF or CRLF; a byte order mark and blank lines are skipped; numbers with a point, whatever the locale.
 */
#ifndef PERSEUS_FORMAT_PROFILE_CSV_H
#define PERSEUS_FORMAT_PROFILE_CSV_H

#include <stddef.h>

#include "base/text.h"

#include <perseus/profile.h>
#include <perseus/status.h>

/* Larger files are refused: ten million rows of fifty bytes fit. */
#define PERSEUS__PROFILE_CSV_MAX_BYTES ((size_t)512 << 20)

struct perseus__name_block;

/* Rows of a file, each with the line it came from. Free with perseus__measurements_fini. */
struct perseus__measurements {
	struct perseus_measurement *rows; /* length n_rows */
	size_t n_rows;
	size_t capacity;
	struct perseus__name_block *names; /* what the rows' `instruction` point into */
};

/*
 * Decodes `bytes`, length `length`, which need no NUL at the end and are not kept. `label` names the file in messages.
 * At least one row, each one good by itself; stages may have holes, which perseus_profile_new looks at.
 * Errors: INVALID, with file, line, column and text; NO_MEMORY. `*out` is untouched on failure. O(length).
 */
PERSEUS_MUST_USE enum perseus_status perseus__profile_csv_decode(const char *bytes, size_t length, const char *label,
		struct perseus__measurements *out, struct perseus_error *err);

/* The same for a file, of at most PERSEUS__PROFILE_CSV_MAX_BYTES. IO with path and reason where it cannot be read. */
PERSEUS_MUST_USE enum perseus_status perseus__profile_csv_read(
		const char *path, struct perseus__measurements *out, struct perseus_error *err);

/*
 * The same for a file of layers: its first column is `layer`, which becomes the rows' `stage`, and it may lack the
 * column `energy`: then all energies are NaN.
 */
PERSEUS_MUST_USE enum perseus_status perseus__layer_csv_decode(const char *bytes, size_t length, const char *label,
		struct perseus__measurements *out, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__layer_csv_read(
		const char *path, struct perseus__measurements *out, struct perseus_error *err);

void perseus__measurements_fini(struct perseus__measurements *measurements);

/* Writes rows, length `n_rows`, so that they read back the same; no column `energy` where the first has none. */
void perseus__profile_csv_write(struct perseus__text *text, const struct perseus_measurement *rows, size_t n_rows);

#endif
