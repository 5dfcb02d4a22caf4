/* Writes rows of a CSV: cells by commas, lines by LF, quoted as in RFC 4180 where they must be. Empty is not known. */
#ifndef PERSEUS_FORMAT_CSV_WRITER_H
#define PERSEUS_FORMAT_CSV_WRITER_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct perseus__csv_writer {
	struct perseus__text *text; /* borrowed; its `failed` tells of failure */
	bool has_cell;
};

/* A writer that appends to `text`, which it borrows. */
struct perseus__csv_writer perseus__csv_writer_init(struct perseus__text *text);

/* The next cell of the row. NULL, and a value that is not there, is empty. */
void perseus__csv_put_text(struct perseus__csv_writer *csv, const char *cell);
void perseus__csv_put_number(struct perseus__csv_writer *csv, bool is_there, double value);
void perseus__csv_put_integer(struct perseus__csv_writer *csv, bool is_there, int64_t value);

void perseus__csv_end_row(struct perseus__csv_writer *csv);

#endif
