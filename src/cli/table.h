/* A table of short texts, aligned in columns. */
#ifndef PERSEUS_CLI_TABLE_H
#define PERSEUS_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { PERSEUS__TABLE_MAX_COLUMNS = 16, PERSEUS__TABLE_CELL_BYTES = 160 };

struct perseus__table_cell {
	char text[PERSEUS__TABLE_CELL_BYTES];
};

/* Cells are added row by row; the first row is the heading. */
struct perseus__table {
	int n_columns;
	bool is_left[PERSEUS__TABLE_MAX_COLUMNS]; /* aligned left; else right */
	struct perseus__table_cell *cells;
	size_t n_cells;
	size_t cap_cells;
	bool failed; /* out of memory; sticky */
};

/* `alignment` has a letter per column, 'l' or 'r'. Free with perseus__table_fini. */
struct perseus__table perseus__table_init(const char *alignment);

/* Adds the next cell; a longer text is cut. */
void perseus__table_add(struct perseus__table *table, const char *format, ...) PERSEUS_PRINTF(2, 3);

/* Writes the table, a line a row, indented by `indent`; fails the text where the table failed. */
void perseus__table_print(const struct perseus__table *table, int indent, struct perseus__text *text);

void perseus__table_fini(struct perseus__table *table);

#endif
