/*
 * Profile CSV, and that of layers, to measurements: header, rows, numbers, names. What a measurement must be by itself
 * is in profile/measurement.c, what they must be together in profile/profile.c and partition/layers.c.
 */
#include "format/profile_csv.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/csv_columns.h"
#include "profile/class.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How files of stages and of layers differ. */
struct dialect {
	const char *columns[PERSEUS__N_COLUMNS];
	const char *header; /* what a file should begin with */
	bool needs_energy;
};

static const struct dialect of_stages = {
	.columns = {"stage", "instruction", "frequency", "time", "energy"},
	.header = "stage,instruction,frequency,time,energy",
	.needs_energy = true,
};

static const struct dialect of_layers = {
	.columns = {"layer", "instruction", "frequency", "time", "energy"},
	.header = "layer,instruction,frequency,time,energy",
	.needs_energy = false,
};

enum { NAME_BLOCK_BYTES = 16384, NAME_SLOTS = 256 };

/* Names live in a list of blocks, so that rows can point at them while more are added. */
struct perseus__name_block {
	struct perseus__name_block *next;
	size_t n_used;
	char bytes[NAME_BLOCK_BYTES];
};

struct reader {
	const struct dialect *dialect;
	struct perseus__csv_columns columns;
	locale_t c_locale;
	const char *name_slots[NAME_SLOTS]; /* names seen lately, by hash: most rows find theirs here */
	struct perseus__measurements rows;
	struct perseus_error *err;
};

static enum perseus_status
fail_cell(const struct reader *reader, enum perseus__column column, const char *problem)
{
	return perseus__csv_columns_fail(&reader->columns, (int)column, problem);
}

static enum perseus_status
fail_missing_column(const struct reader *reader, int column, const char *header)
{
	const size_t rest = (size_t)(reader->columns.csv.end - header);
	const char *end = memchr(header, '\n', rest);
	size_t length = end ? (size_t)(end - header) : rest;
	if (length > 0 && header[length - 1] == '\r')
		length--;
	char shown[PERSEUS__CSV_SHOWN_BYTES];
	return perseus__fail(reader->err, PERSEUS_INVALID, "%s:%lld: no column \"%s\" in the header \"%s\"",
			reader->columns.csv.label, (long long)reader->columns.csv.row_line, reader->dialect->columns[column],
			perseus__csv_shown(header, length, shown));
}

static enum perseus_status
read_header(struct reader *reader)
{
	if (!perseus__csv_find_row(&reader->columns.csv))
		return perseus__fail(reader->err, PERSEUS_INVALID, "%s: is empty; expected the header %s and rows",
				reader->columns.csv.label, reader->dialect->header);
	const char *header = reader->columns.csv.at;
	const enum perseus_status status = perseus__csv_columns_find(&reader->columns, reader->dialect->columns);
	if (status != PERSEUS_OK)
		return status;
	for (int c = 0; c < PERSEUS__N_COLUMNS; c++)
		if (reader->columns.at[c] < 0 && (c != PERSEUS__COLUMN_ENERGY || reader->dialect->needs_energy))
			return fail_missing_column(reader, c, header);
	return PERSEUS_OK;
}

static const char *
skip_sign(const char *text)
{
	return *text == '+' || *text == '-' ? text + 1 : text;
}

static const char *
skip_digits(const char *text)
{
	while (*text >= '0' && *text <= '9')
		text++;
	return text;
}

/* Decimals only: strtod would take hexadecimal, "nan(1)" and blanks as well. */
static bool
is_decimal(const char *text)
{
	const char *whole = skip_sign(text);
	const char *at = skip_digits(whole);
	bool has_digits = at > whole;
	if (*at == '.') {
		const char *fraction = at + 1;
		at = skip_digits(fraction);
		has_digits = has_digits || at > fraction;
	}
	if (has_digits && (*at == 'e' || *at == 'E')) {
		const char *exponent = skip_sign(at + 1);
		at = skip_digits(exponent);
		has_digits = at > exponent;
	}
	return has_digits && *at == '\0';
}

static bool
names_no_finite_number(const char *text)
{
	const char *word = skip_sign(text);
	return strcasecmp(word, "nan") == 0 || strcasecmp(word, "inf") == 0 || strcasecmp(word, "infinity") == 0;
}

static enum perseus_status
parse_number(const struct reader *reader, enum perseus__column column, double *value)
{
	const char *text = reader->columns.cells[column].text;
	if (!is_decimal(text))
		return fail_cell(reader, column, names_no_finite_number(text) ? "must be finite" : "is not a number");
	*value = strtod_l(text, NULL, reader->c_locale);
	if (!isfinite(*value))
		return fail_cell(reader, column, "is too large");
	return PERSEUS_OK;
}

/* A whole number, "1410.0" included. What does not fit becomes the nearest that does, which is out of range as well. */
static enum perseus_status
parse_whole(const struct reader *reader, enum perseus__column column, int32_t *value)
{
	double number = 0;
	enum perseus_status status = parse_number(reader, column, &number);
	if (status != PERSEUS_OK)
		return status;
	if (number != floor(number))
		return fail_cell(reader, column, "is not a whole number");
	*value = (int32_t)fmin(fmax(number, INT32_MIN), INT32_MAX);
	return PERSEUS_OK;
}

/* A copy of the name that lives as long as the rows; NULL where there is no memory. */
static const char *
add_name(struct perseus__measurements *rows, const struct perseus__csv_cell *cell)
{
	struct perseus__name_block *block = rows->names;
	if (!block || block->n_used + cell->length + 1 > NAME_BLOCK_BYTES) {
		block = perseus__new_array(1, sizeof *block);
		if (!block)
			return NULL;
		block->next = rows->names;
		rows->names = block;
	}
	char *name = block->bytes + block->n_used;
	memcpy(name, cell->text, cell->length + 1);
	block->n_used += cell->length + 1;
	return name;
}

/* The same, but the copy made for an earlier row where that is still at hand. */
static const char *
intern_name(struct reader *reader, const struct perseus__csv_cell *cell)
{
	uint32_t hash = 2166136261U; /* FNV-1a */
	for (size_t i = 0; i < cell->length; i++)
		hash = (hash ^ (unsigned char)cell->text[i]) * 16777619U;
	const char **slot = &reader->name_slots[(hash ^ hash >> 16) % NAME_SLOTS];
	if (!*slot || strcmp(*slot, cell->text) != 0)
		*slot = add_name(&reader->rows, cell);
	return *slot;
}

static enum perseus_status
parse_row(struct reader *reader, struct perseus_measurement *row)
{
	*row = (struct perseus_measurement){.line = reader->columns.csv.row_line};
	enum perseus_status status = parse_whole(reader, PERSEUS__COLUMN_STAGE, &row->stage);
	if (status == PERSEUS_OK)
		status = parse_whole(reader, PERSEUS__COLUMN_FREQUENCY, &row->frequency_mhz);
	if (status == PERSEUS_OK)
		status = parse_number(reader, PERSEUS__COLUMN_TIME, &row->time_s);
	const bool has_energy = reader->columns.at[PERSEUS__COLUMN_ENERGY] >= 0;
	if (status == PERSEUS_OK && has_energy)
		status = parse_number(reader, PERSEUS__COLUMN_ENERGY, &row->energy_j);
	if (status != PERSEUS_OK)
		return status;
	const struct perseus__csv_cell *name = &reader->columns.cells[PERSEUS__COLUMN_INSTRUCTION];
	row->instruction = name->text;
	enum perseus__column column;
	const char *problem = perseus__measurement_problem(row, &column);
	if (problem)
		return fail_cell(reader, column, problem);
	if (!has_energy)
		row->energy_j = (double)NAN;
	row->instruction = intern_name(reader, name);
	return row->instruction ? PERSEUS_OK : perseus__no_memory(reader->err);
}

static enum perseus_status
read_rows(struct reader *reader)
{
	struct perseus__measurements *rows = &reader->rows;
	while (perseus__csv_find_row(&reader->columns.csv)) {
		enum perseus_status status = perseus__csv_columns_read(&reader->columns);
		if (status != PERSEUS_OK)
			return status;
		if (!perseus__reserve(&rows->rows, &rows->capacity, rows->n_rows + 1, sizeof *rows->rows))
			return perseus__no_memory(reader->err);
		status = parse_row(reader, &rows->rows[rows->n_rows]);
		if (status != PERSEUS_OK)
			return status;
		rows->n_rows++;
	}
	if (rows->n_rows == 0)
		return perseus__fail(reader->err, PERSEUS_INVALID, "%s: has a header but no rows", reader->columns.csv.label);
	return PERSEUS_OK;
}

static enum perseus_status
decode(const struct dialect *dialect, const char *bytes, size_t length, const char *label,
		struct perseus__measurements *out, struct perseus_error *err)
{
	struct reader reader = {.dialect = dialect, .err = err};
	reader.c_locale = newlocale(LC_ALL_MASK, "C", NULL);
	if (!reader.c_locale)
		return perseus__no_memory(err);
	enum perseus_status status =
			perseus__csv_columns_init(&reader.columns, PERSEUS__N_COLUMNS, bytes, length, label, err);
	reader.columns.may_have_commas = true;
	if (status == PERSEUS_OK)
		status = read_header(&reader);
	if (status == PERSEUS_OK)
		status = read_rows(&reader);
	freelocale(reader.c_locale);
	if (status == PERSEUS_OK)
		*out = reader.rows;
	else
		perseus__measurements_fini(&reader.rows);
	return status;
}

enum perseus_status
perseus__profile_csv_decode(const char *bytes, size_t length, const char *label, struct perseus__measurements *out,
		struct perseus_error *err)
{
	return decode(&of_stages, bytes, length, label, out, err);
}

enum perseus_status
perseus__layer_csv_decode(const char *bytes, size_t length, const char *label, struct perseus__measurements *out,
		struct perseus_error *err)
{
	return decode(&of_layers, bytes, length, label, out, err);
}

static enum perseus_status
fail_file(const char *path, const char *reason, struct perseus_error *err)
{
	return perseus__fail(err, PERSEUS_IO, "cannot read %s: %s", path, reason);
}

/* All of a file into `*bytes`, which the caller frees, on failure too. */
static enum perseus_status
read_all(FILE *file, const char *path, char **bytes, size_t *length, struct perseus_error *err)
{
	enum { CHUNK_BYTES = 1 << 16 };
	size_t capacity = 0;
	while (!feof(file)) {
		if (!perseus__reserve(bytes, &capacity, *length + CHUNK_BYTES, 1))
			return perseus__no_memory(err);
		const size_t n_read = fread(*bytes + *length, 1, capacity - *length, file);
		if (ferror(file))
			return fail_file(path, strerror(errno), err);
		*length += n_read;
		if (*length > PERSEUS__PROFILE_CSV_MAX_BYTES)
			return fail_file(path, "larger than 512 MiB", err);
	}
	return PERSEUS_OK;
}

static enum perseus_status
read_file(const struct dialect *dialect, const char *path, struct perseus__measurements *out, struct perseus_error *err)
{
	FILE *file = fopen(path, "rbe");
	if (!file)
		return fail_file(path, strerror(errno), err);
	char *bytes = NULL;
	size_t length = 0;
	enum perseus_status status = read_all(file, path, &bytes, &length, err);
	(void)fclose(file); /* only read from */
	if (status == PERSEUS_OK)
		status = decode(dialect, bytes, length, path, out, err);
	perseus__free(bytes);
	return status;
}

enum perseus_status
perseus__profile_csv_read(const char *path, struct perseus__measurements *out, struct perseus_error *err)
{
	return read_file(&of_stages, path, out, err);
}

enum perseus_status
perseus__layer_csv_read(const char *path, struct perseus__measurements *out, struct perseus_error *err)
{
	return read_file(&of_layers, path, out, err);
}

void
perseus__measurements_fini(struct perseus__measurements *measurements)
{
	while (measurements->names) {
		struct perseus__name_block *block = measurements->names;
		measurements->names = block->next;
		perseus__free(block);
	}
	perseus__free(measurements->rows);
	*measurements = (struct perseus__measurements){0};
}
