/* Columns of a CSV. */
#include "format/csv_columns.h"

#include "base/error.h"

#include <string.h>

enum perseus_status
perseus__csv_columns_init(struct perseus__csv_columns *columns, int n, const char *bytes, size_t length,
		const char *label, struct perseus_error *err)
{
	*columns = (struct perseus__csv_columns){.n = n};
	for (int c = 0; c < n; c++)
		columns->at[c] = -1;
	return perseus__csv_init(&columns->csv, bytes, length, label, err);
}

/* What to say of cell `index` of the header, which means a column that was found already. */
typedef enum perseus_status fail_again(
		const struct perseus__csv_columns *columns, int column, const struct perseus__csv_cell *cell, int32_t index);

static enum perseus_status
take_header_cell(struct perseus__csv_columns *columns, const struct perseus__csv_cell *cell, perseus__csv_find *find,
		void *user, fail_again *fail)
{
	const int column = cell->length < PERSEUS__CSV_CELL_BYTES ? find(user, cell) : -1;
	if (column >= 0) {
		if (columns->at[column] >= 0)
			return fail(columns, column, cell, columns->n_cells);
		columns->at[column] = columns->n_cells;
		columns->names[column] = *cell;
	}
	if (columns->n_cells == INT32_MAX)
		return perseus__csv_fail(&columns->csv, "too many columns");
	columns->n_cells++;
	return PERSEUS_OK;
}

static enum perseus_status
read_header(struct perseus__csv_columns *columns, perseus__csv_find *find, void *user, fail_again *fail)
{
	struct perseus__csv_cell cell;
	enum perseus_status status = PERSEUS_OK;
	for (bool is_last = false; status == PERSEUS_OK && !is_last;) {
		status = perseus__csv_read_cell(&columns->csv, &cell, &is_last);
		if (status == PERSEUS_OK)
			status = take_header_cell(columns, &cell, find, user, fail);
	}
	return status;
}

struct names {
	const char *const *names; /* length n */
	int n;
};

static int
find_name(void *user, const struct perseus__csv_cell *cell)
{
	const struct names *wanted = user;
	for (int c = 0; c < wanted->n; c++)
		if (strcmp(cell->text, wanted->names[c]) == 0)
			return c;
	return -1;
}

static enum perseus_status
fail_twice(const struct perseus__csv_columns *columns, int column, const struct perseus__csv_cell *cell, int32_t index)
{
	return perseus__fail(columns->csv.err, PERSEUS_INVALID, "%s:%lld: column \"%s\" twice, as column %d and %d",
			columns->csv.label, (long long)columns->csv.row_line, cell->text, (int)columns->at[column] + 1,
			(int)index + 1);
}

enum perseus_status
perseus__csv_columns_find(struct perseus__csv_columns *columns, const char *const *names)
{
	struct names wanted = {.names = names, .n = columns->n};
	return read_header(columns, find_name, &wanted, fail_twice);
}

static enum perseus_status
fail_either(const struct perseus__csv_columns *columns, int column, const struct perseus__csv_cell *cell, int32_t index)
{
	char first[PERSEUS__CSV_SHOWN_BYTES], second[PERSEUS__CSV_SHOWN_BYTES];
	const struct perseus__csv_cell *name = &columns->names[column];
	return perseus__fail(columns->csv.err, PERSEUS_INVALID,
			"%s:%lld: column %d, \"%s\", and column %d, \"%s\", could both be meant: leave one of them out",
			columns->csv.label, (long long)columns->csv.row_line, (int)columns->at[column] + 1,
			perseus__csv_shown(name->text, name->length, first), (int)index + 1,
			perseus__csv_shown(cell->text, cell->length, second));
}

enum perseus_status
perseus__csv_columns_find_by(struct perseus__csv_columns *columns, perseus__csv_find *find, void *user)
{
	return read_header(columns, find, user, fail_either);
}

enum perseus_status
perseus__csv_columns_read(struct perseus__csv_columns *columns)
{
	int64_t n_cells = 0;
	const enum perseus_status status =
			perseus__csv_read_row(&columns->csv, columns->at, columns->n, columns->cells, &n_cells);
	if (status != PERSEUS_OK)
		return status;
	if (n_cells != columns->n_cells)
		return perseus__fail(columns->csv.err, PERSEUS_INVALID, "%s:%lld: %lld cells, but the header has %d%s",
				columns->csv.label, (long long)columns->csv.row_line, (long long)n_cells, (int)columns->n_cells,
				columns->may_have_commas && n_cells > columns->n_cells ? " (decimals need a point, not a comma)" : "");
	for (int c = 0; c < columns->n; c++)
		if (columns->cells[c].length >= PERSEUS__CSV_CELL_BYTES)
			return perseus__csv_columns_fail(columns, c, "and more is too long");
	return PERSEUS_OK;
}

enum perseus_status
perseus__csv_columns_fail(const struct perseus__csv_columns *columns, int column, const char *problem)
{
	char shown[PERSEUS__CSV_SHOWN_BYTES], name[PERSEUS__CSV_SHOWN_BYTES];
	const char *text = columns->cells[column].text;
	return perseus__fail(columns->csv.err, PERSEUS_INVALID, "%s:%lld: column %s: \"%s\" %s", columns->csv.label,
			(long long)columns->csv.row_line,
			perseus__csv_shown(columns->names[column].text, columns->names[column].length, name),
			perseus__csv_shown(text, strlen(text), shown), problem);
}
