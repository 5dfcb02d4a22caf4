/*
 * Cells of a CSV: commas, quoting as in RFC 4180, LF or CRLF, blanks around cells trimmed, blank lines skipped, a byte
 * order mark at the beginning ignored. Knows nothing of what the cells mean.
 */
#ifndef PERSEUS_FORMAT_CSV_H
#define PERSEUS_FORMAT_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

enum { PERSEUS__CSV_CELL_BYTES = 128, PERSEUS__CSV_SHOWN_BYTES = 400 };

/* The text of a cell, with a NUL behind it. Of one that is too long for the array only `length` is right. */
struct perseus__csv_cell {
	size_t length;
	char text[PERSEUS__CSV_CELL_BYTES];
};

struct perseus__csv {
	const char *at;
	const char *end;
	const char *label; /* names the file in messages; borrowed */
	int64_t line;      /* of `at`, from 1 */
	int64_t row_line;  /* where the row began */
	struct perseus_error *err;
};

/* Begins to read `bytes`, length `length`, borrowed. INVALID where a NUL is among them. */
PERSEUS_MUST_USE enum perseus_status perseus__csv_init(
		struct perseus__csv *csv, const char *bytes, size_t length, const char *label, struct perseus_error *err);

/* Goes to the next line that is not blank; false at the end of the file. */
bool perseus__csv_find_row(struct perseus__csv *csv);

/* Reads one cell; `*is_last` where it ends its row. INVALID for a quote that is not closed, or with text behind it. */
PERSEUS_MUST_USE enum perseus_status perseus__csv_read_cell(
		struct perseus__csv *csv, struct perseus__csv_cell *cell, bool *is_last);

/*
 * Reads a row: cell `k` into cells[c] where column_at[c], of length `n_columns`, is k; others are dropped.
 * `*n_cells` is how many the row has.
 */
PERSEUS_MUST_USE enum perseus_status perseus__csv_read_row(struct perseus__csv *csv, const int32_t *column_at,
		int n_columns, struct perseus__csv_cell *cells, int64_t *n_cells);

/* INVALID with file and the line of the row ahead of `problem`. */
enum perseus_status perseus__csv_fail(const struct perseus__csv *csv, const char *problem);

/* Text from a file, length `length`, made fit for a message: what is not printable ASCII as \xNN. Returns `buffer`. */
const char *perseus__csv_shown(const char *text, size_t length, char buffer[PERSEUS__CSV_SHOWN_BYTES]);

#endif
