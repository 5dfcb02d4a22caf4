/* A table of short texts. */
#include "cli/table.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct perseus__table
perseus__table_init(const char *alignment)
{
	struct perseus__table table = {0};
	for (; alignment[table.n_columns] && table.n_columns < PERSEUS__TABLE_MAX_COLUMNS; table.n_columns++)
		table.is_left[table.n_columns] = alignment[table.n_columns] == 'l';
	return table;
}

void
perseus__table_add(struct perseus__table *table, const char *format, ...)
{
	if (table->failed
			|| !perseus__reserve(&table->cells, &table->cap_cells, table->n_cells + 1, sizeof *table->cells)) {
		table->failed = true;
		return;
	}
	va_list args;
	va_start(args, format);
	(void)vsnprintf(table->cells[table->n_cells].text, PERSEUS__TABLE_CELL_BYTES, format, args);
	va_end(args);
	table->n_cells++;
}

/* Width on a terminal: bytes that do not continue a UTF-8 sequence. */
static int
text_width(const char *text)
{
	int width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void
add_spaces(struct perseus__text *text, int n)
{
	for (int i = 0; i < n; i++)
		perseus__text_add(text, " ", 1);
}

static void
print_row(const struct perseus__table *table, size_t begin, const int *widths, int indent, struct perseus__text *text)
{
	add_spaces(text, indent);
	int owed = 0; /* spaces that only come if text follows, so that lines do not end in spaces */
	for (int column = 0; column < table->n_columns && begin + (size_t)column < table->n_cells; column++) {
		const char *cell = table->cells[begin + (size_t)column].text;
		const int padding = widths[column] - text_width(cell);
		owed += column ? 2 : 0;
		if (*cell == '\0') {
			owed += padding;
			continue;
		}
		add_spaces(text, owed + (table->is_left[column] ? 0 : padding));
		perseus__text_add(text, cell, strlen(cell));
		owed = table->is_left[column] ? padding : 0;
	}
	perseus__text_add(text, "\n", 1);
}

void
perseus__table_print(const struct perseus__table *table, int indent, struct perseus__text *text)
{
	int widths[PERSEUS__TABLE_MAX_COLUMNS] = {0};
	for (size_t i = 0; i < table->n_cells; i++) {
		const size_t column = i % (size_t)table->n_columns;
		const int width = text_width(table->cells[i].text);
		widths[column] = width > widths[column] ? width : widths[column];
	}
	for (size_t begin = 0; begin < table->n_cells; begin += (size_t)table->n_columns)
		print_row(table, begin, widths, indent, text);
	if (table->failed)
		text->failed = true;
}

void
perseus__table_fini(struct perseus__table *table)
{
	perseus__free(table->cells);
	*table = (struct perseus__table){0};
}
