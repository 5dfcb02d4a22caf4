/* Cells of a CSV. */
#include "format/csv.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

const char *
perseus__csv_shown(const char *text, size_t length, char buffer[PERSEUS__CSV_SHOWN_BYTES])
{
	const size_t room = PERSEUS__CSV_SHOWN_BYTES - 8; /* for one more byte as \xNN and the dots */
	size_t at = 0;
	size_t i = 0;
	for (; i < length && at < room; i++) {
		const unsigned char byte = (unsigned char)text[i];
		if (byte >= 0x20 && byte < 0x7f)
			buffer[at++] = (char)byte;
		else
			at += (size_t)snprintf(buffer + at, PERSEUS__CSV_SHOWN_BYTES - at, "\\x%02x", byte);
	}
	(void)snprintf(buffer + at, PERSEUS__CSV_SHOWN_BYTES - at, "%s", i < length ? "..." : "");
	return buffer;
}

enum perseus_status
perseus__csv_fail(const struct perseus__csv *csv, const char *problem)
{
	return perseus__fail(csv->err, PERSEUS_INVALID, "%s:%lld: %s", csv->label, (long long)csv->row_line, problem);
}

enum perseus_status
perseus__csv_init(
		struct perseus__csv *csv, const char *bytes, size_t length, const char *label, struct perseus_error *err)
{
	*csv = (struct perseus__csv){
		.at = bytes, .end = length > 0 ? bytes + length : bytes, .label = label, .line = 1, .row_line = 1, .err = err};
	const char *nul = length > 0 ? memchr(bytes, '\0', length) : NULL;
	if (nul) {
		for (const char *at = bytes; at < nul; at++)
			csv->row_line += *at == '\n';
		return perseus__csv_fail(csv, "a NUL byte; the file must be text in UTF-8");
	}
	if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		csv->at += 3;
	return PERSEUS_OK;
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* True at the end of a line or of the file; a CR counts only ahead of a LF or the end. */
static bool
is_at_line_end(const struct perseus__csv *csv)
{
	if (csv->at == csv->end || *csv->at == '\n')
		return true;
	return *csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n');
}

static void
skip_line_end(struct perseus__csv *csv)
{
	if (csv->at < csv->end && *csv->at == '\r')
		csv->at++;
	if (csv->at < csv->end && *csv->at == '\n') {
		csv->at++;
		csv->line++;
	}
}

static void
skip_blanks(struct perseus__csv *csv)
{
	while (csv->at < csv->end && is_blank(*csv->at))
		csv->at++;
}

bool
perseus__csv_find_row(struct perseus__csv *csv)
{
	while (csv->at < csv->end) {
		skip_blanks(csv);
		if (!is_at_line_end(csv)) {
			csv->row_line = csv->line;
			return true;
		}
		skip_line_end(csv);
	}
	return false;
}

static void
add_byte(struct perseus__csv_cell *cell, char byte)
{
	if (cell->length < PERSEUS__CSV_CELL_BYTES - 1)
		cell->text[cell->length] = byte;
	cell->length++;
}

/* The rest of a cell whose opening quote was read. Doubled quotes stand for one; line ends belong to the text. */
static enum perseus_status
read_quoted(struct perseus__csv *csv, struct perseus__csv_cell *cell)
{
	for (;; csv->at++) {
		if (csv->at == csv->end)
			return perseus__csv_fail(csv, "a quote is not closed");
		if (*csv->at == '"') {
			csv->at++;
			if (csv->at == csv->end || *csv->at != '"')
				break;
		}
		csv->line += *csv->at == '\n';
		add_byte(cell, *csv->at);
	}
	skip_blanks(csv);
	if (!is_at_line_end(csv) && *csv->at != ',')
		return perseus__csv_fail(csv, "text behind a closing quote");
	return PERSEUS_OK;
}

static void
trim(struct perseus__csv_cell *cell)
{
	if (cell->length >= PERSEUS__CSV_CELL_BYTES) {
		cell->text[PERSEUS__CSV_CELL_BYTES - 1] = '\0';
		return; /* too long, whatever it ends in */
	}
	while (cell->length > 0 && is_blank(cell->text[cell->length - 1]))
		cell->length--;
	size_t n_leading = 0;
	while (n_leading < cell->length && is_blank(cell->text[n_leading]))
		n_leading++;
	cell->length -= n_leading;
	memmove(cell->text, cell->text + n_leading, cell->length);
	cell->text[cell->length] = '\0';
}

enum perseus_status
perseus__csv_read_cell(struct perseus__csv *csv, struct perseus__csv_cell *cell, bool *is_last)
{
	cell->length = 0;
	skip_blanks(csv);
	if (csv->at < csv->end && *csv->at == '"') {
		csv->at++;
		enum perseus_status status = read_quoted(csv, cell);
		if (status != PERSEUS_OK)
			return status;
	} else {
		for (; !is_at_line_end(csv) && *csv->at != ','; csv->at++)
			add_byte(cell, *csv->at);
	}
	trim(cell);
	*is_last = is_at_line_end(csv);
	if (*is_last)
		skip_line_end(csv);
	else
		csv->at++;
	return PERSEUS_OK;
}

enum perseus_status
perseus__csv_read_row(struct perseus__csv *csv, const int32_t *column_at, int n_columns,
		struct perseus__csv_cell *cells, int64_t *n_cells)
{
	struct perseus__csv_cell ignored;
	bool is_last = false;
	for (*n_cells = 0; !is_last; ++*n_cells) {
		struct perseus__csv_cell *cell = &ignored;
		for (int c = 0; c < n_columns; c++)
			if (column_at[c] == *n_cells)
				cell = &cells[c];
		const enum perseus_status status = perseus__csv_read_cell(csv, cell, &is_last);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}
