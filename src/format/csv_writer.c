/* Writes rows of a CSV. */
#include "format/csv_writer.h"

#include "format/number.h"

#include <string.h>

struct perseus__csv_writer
perseus__csv_writer_init(struct perseus__text *text)
{
	return (struct perseus__csv_writer){.text = text};
}

static void
begin_cell(struct perseus__csv_writer *csv)
{
	if (csv->has_cell)
		perseus__text_add(csv->text, ",", 1);
	csv->has_cell = true;
}

/* Blanks at an end are quoted, too: readers may trim them. */
static bool
must_quote(const char *cell)
{
	const size_t length = strlen(cell);
	return cell[strcspn(cell, ",\"\r\n")] != '\0' || *cell == ' ' || (length > 0 && cell[length - 1] == ' ');
}

void
perseus__csv_put_text(struct perseus__csv_writer *csv, const char *cell)
{
	begin_cell(csv);
	if (!cell)
		return;
	const bool is_quoted = must_quote(cell);
	perseus__text_add(csv->text, "\"", is_quoted);
	for (const char *at = cell; *at; at++)
		perseus__text_add(csv->text, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
	perseus__text_add(csv->text, "\"", is_quoted);
}

void
perseus__csv_put_number(struct perseus__csv_writer *csv, bool is_there, double value)
{
	char text[PERSEUS__NUMBER_BYTES];
	perseus__double_text(value, text);
	perseus__csv_put_text(csv, is_there ? text : NULL);
}

void
perseus__csv_put_integer(struct perseus__csv_writer *csv, bool is_there, int64_t value)
{
	begin_cell(csv);
	if (is_there)
		perseus__text_addf(csv->text, "%lld", (long long)value);
}

void
perseus__csv_end_row(struct perseus__csv_writer *csv)
{
	perseus__text_add(csv->text, "\n", 1);
	csv->has_cell = false;
}
