/*
 * The columns of a CSV that its reader wants, at whatever place and among whatever others they stand: found in the
 * header, then cut out of each row. Knows nothing of what the cells mean.
 */
#ifndef PERSEUS_FORMAT_CSV_COLUMNS_H
#define PERSEUS_FORMAT_CSV_COLUMNS_H

#include "format/csv.h"

enum { PERSEUS__CSV_MAX_COLUMNS = 12 };

struct perseus__csv_columns {
	struct perseus__csv csv;
	int n;                                                    /* how many are wanted */
	bool may_have_commas;                                     /* cells are decimals, which some write with a comma */
	int32_t n_cells;                                          /* of the header, and so of each row */
	int32_t at[PERSEUS__CSV_MAX_COLUMNS];                     /* index of each in a row; -1: it is not there */
	struct perseus__csv_cell names[PERSEUS__CSV_MAX_COLUMNS]; /* what the header calls them */
	struct perseus__csv_cell cells[PERSEUS__CSV_MAX_COLUMNS]; /* of the last row; empty where a column is not there */
};

/* Which column a cell of the header means, or -1 where none. */
typedef int perseus__csv_find(void *user, const struct perseus__csv_cell *cell);

/* Begins to read, as perseus__csv_init does, for `n` columns, at most PERSEUS__CSV_MAX_COLUMNS. */
PERSEUS_MUST_USE enum perseus_status perseus__csv_columns_init(struct perseus__csv_columns *columns, int n,
		const char *bytes, size_t length, const char *label, struct perseus_error *err);

/* Reads the header. `names`, length `n`: what a column is called, to the letter. INVALID where one is there twice. */
PERSEUS_MUST_USE enum perseus_status perseus__csv_columns_find(
		struct perseus__csv_columns *columns, const char *const *names);

/* The same for columns that go by several names, as `find` says. INVALID where two cells mean one column. */
PERSEUS_MUST_USE enum perseus_status perseus__csv_columns_find_by(
		struct perseus__csv_columns *columns, perseus__csv_find *find, void *user);

/* Reads a row into `cells`. INVALID where it is longer or shorter than the header, or a cell is too long. */
PERSEUS_MUST_USE enum perseus_status perseus__csv_columns_read(struct perseus__csv_columns *columns);

/* INVALID with file, line, column and text of a cell of the last row ahead of `problem`. */
enum perseus_status perseus__csv_columns_fail(
		const struct perseus__csv_columns *columns, int column, const char *problem);

#endif
