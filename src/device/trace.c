/* Recorded traces: columns, rows, and what the rows of one device must be together. */
#include "device/trace.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/csv_columns.h"
#include "format/csv_writer.h"
#include "format/input_file.h"
#include "format/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN_MAP(X)           \
	X(TIME, "time_s")           \
	X(DEVICE, "device")         \
	X(INDEX, "index")           \
	X(NAME, "name")             \
	X(POWER, "power_w")         \
	X(SM_CLOCK, "sm_clock_mhz") \
	X(ENERGY, "energy_j")

enum column {
#define X(name, text) COLUMN_##name,
	COLUMN_MAP(X)
#undef X
};

static const char *const column_names[] = {
#define X(name, text) text,
	COLUMN_MAP(X)
#undef X
};

enum { N_COLUMNS = sizeof column_names / sizeof *column_names };

struct reader {
	struct perseus__csv_columns columns;
	struct perseus__trace trace;
	size_t last; /* device of the last row: the next is likely the one behind it */
};

void
perseus__trace_write_header(struct perseus__text *text)
{
	for (int c = 0; c < N_COLUMNS; c++)
		perseus__text_addf(text, "%s%s", c > 0 ? "," : "", column_names[c]);
	perseus__text_add(text, "\n", 1);
}

/* value / 10^digits, without zeros at the end. */
static void
put_decimal(struct perseus__csv_writer *csv, bool is_there, int64_t value, int digits)
{
	char cell[32];
	int64_t unit = 1;
	for (int i = 0; i < digits; i++)
		unit *= 10;
	int n = snprintf(cell, sizeof cell, "%lld.%0*lld", (long long)(value / unit), digits, (long long)(value % unit));
	while (cell[n - 1] == '0')
		n--;
	cell[cell[n - 1] == '.' ? n - 1 : n] = '\0';
	perseus__csv_put_text(csv, is_there ? cell : NULL);
}

void
perseus__trace_write(struct perseus__text *text, enum perseus_device_kind kind, int32_t index, const char *name,
		const struct perseus__trace_point *point)
{
	struct perseus__csv_writer csv = perseus__csv_writer_init(text);
	put_decimal(&csv, true, point->time_ns, 9);
	perseus__csv_put_text(&csv, perseus_device_kind_name(kind));
	perseus__csv_put_integer(&csv, true, index);
	perseus__csv_put_text(&csv, name);
	put_decimal(&csv, point->has_power, point->power_mw, 3);
	perseus__csv_put_integer(&csv, point->has_sm_clock, point->sm_clock_mhz);
	put_decimal(&csv, point->has_energy, point->energy_uj, 6);
	perseus__csv_end_row(&csv);
}

static enum perseus_status
fail_cell(const struct reader *reader, enum column column, const char *problem)
{
	return perseus__csv_columns_fail(&reader->columns, (int)column, problem);
}

static enum perseus_status
read_header(struct reader *reader)
{
	static const enum column needed[] = {COLUMN_TIME, COLUMN_DEVICE, COLUMN_INDEX};
	struct perseus__csv_columns *columns = &reader->columns;
	if (!perseus__csv_find_row(&columns->csv))
		return perseus__fail(
				columns->csv.err, PERSEUS_INVALID, "%s: is empty; expected a header and rows", columns->csv.label);
	const enum perseus_status status = perseus__csv_columns_find(columns, column_names);
	if (status != PERSEUS_OK)
		return status;
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (columns->at[needed[i]] < 0)
			return perseus__fail(columns->csv.err, PERSEUS_INVALID, "%s:%lld: no column \"%s\" in the header",
					columns->csv.label, (long long)columns->csv.row_line, column_names[needed[i]]);
	if (columns->at[COLUMN_POWER] < 0 && columns->at[COLUMN_ENERGY] < 0)
		return perseus__csv_fail(&columns->csv, "neither column \"power_w\" nor \"energy_j\" in the header");
	return PERSEUS_OK;
}

/* A number times `units`, below 10^18. An empty cell is an error only where has_value is NULL. */
static enum perseus_status
parse_number(const struct reader *reader, enum column column, int64_t units, bool *has_value, int64_t *value)
{
	const int64_t most = 1000000000000000000;
	const char *text = reader->columns.cells[column].text;
	if (has_value) {
		*has_value = *text != '\0';
		if (!*has_value)
			return PERSEUS_OK;
	}
	struct perseus__decimal decimal;
	if (!perseus__decimal_parse(text, &decimal))
		return fail_cell(reader, column, *text == '-' ? "is negative" : "is not a number");
	if (!perseus__decimal_times(decimal, units, value) || *value >= most)
		return fail_cell(reader, column, "is too large");
	return PERSEUS_OK;
}

/* The same without a fraction, at most `most`. */
static enum perseus_status
parse_whole(const struct reader *reader, enum column column, int32_t most, bool *has_value, int32_t *value)
{
	int64_t thousandths = 0;
	const enum perseus_status status = parse_number(reader, column, 1000, has_value, &thousandths);
	if (status != PERSEUS_OK)
		return status;
	if (thousandths % 1000 != 0)
		return fail_cell(reader, column, "is not a whole number");
	if (thousandths / 1000 > most)
		return fail_cell(reader, column, "is too large");
	*value = (int32_t)(thousandths / 1000);
	return PERSEUS_OK;
}

static enum perseus_status
parse_kind(const struct reader *reader, enum perseus_device_kind *kind)
{
	const char *text = reader->columns.cells[COLUMN_DEVICE].text;
	for (int i = PERSEUS_DEVICE_GPU; i <= PERSEUS_DEVICE_DRAM; i++)
		if (strcmp(text, perseus_device_kind_name((enum perseus_device_kind)i)) == 0) {
			*kind = (enum perseus_device_kind)i;
			return PERSEUS_OK;
		}
	return fail_cell(reader, COLUMN_DEVICE, "is not gpu, cpu or dram");
}

static enum perseus_status
parse_point(const struct reader *reader, struct perseus__trace_point *point)
{
	*point = (struct perseus__trace_point){.time_ns = 0};
	enum perseus_status status = parse_number(reader, COLUMN_TIME, 1000000000, NULL, &point->time_ns);
	if (status == PERSEUS_OK)
		status = parse_number(reader, COLUMN_POWER, 1000, &point->has_power, &point->power_mw);
	if (status == PERSEUS_OK)
		status = parse_whole(reader, COLUMN_SM_CLOCK, INT32_MAX, &point->has_sm_clock, &point->sm_clock_mhz);
	if (status == PERSEUS_OK)
		status = parse_number(reader, COLUMN_ENERGY, 1000000, &point->has_energy, &point->energy_uj);
	return status;
}

/* The device of the row; a new one where it is the first of its rows. NULL where there is no memory. */
static struct perseus__trace_device *
find_device(struct reader *reader, enum perseus_device_kind kind, int32_t index)
{
	struct perseus__trace *trace = &reader->trace;
	for (size_t i = 0; i < trace->n_devices; i++) {
		const size_t at = (reader->last + 1 + i) % trace->n_devices;
		if (trace->devices[at].kind == kind && trace->devices[at].index == index) {
			reader->last = at;
			return &trace->devices[at];
		}
	}
	if (!perseus__reserve(&trace->devices, &trace->capacity, trace->n_devices + 1, sizeof *trace->devices))
		return NULL;
	struct perseus__trace_device *device = &trace->devices[trace->n_devices];
	*device = (struct perseus__trace_device){.kind = kind, .index = index};
	memcpy(device->name, reader->columns.cells[COLUMN_NAME].text,
			strnlen(reader->columns.cells[COLUMN_NAME].text, sizeof device->name - 1));
	reader->last = trace->n_devices++;
	return device;
}

static enum perseus_status
check_point(const struct reader *reader, const struct perseus__trace_device *device,
		const struct perseus__trace_point *point)
{
	if (strcmp(reader->columns.cells[COLUMN_NAME].text, device->name) != 0)
		return fail_cell(reader, COLUMN_NAME, "is not what an earlier row calls the device");
	if (device->n_points > 0 && point->time_ns <= device->points[device->n_points - 1].time_ns)
		return fail_cell(reader, COLUMN_TIME, "is not after the row before of the device");
	for (size_t i = device->n_points; point->has_energy && i-- > 0;)
		if (device->points[i].has_energy) {
			if (point->energy_uj < device->points[i].energy_uj)
				return fail_cell(reader, COLUMN_ENERGY, "is less than in a row before");
			break;
		}
	return PERSEUS_OK;
}

static enum perseus_status
take_row(struct reader *reader)
{
	enum perseus_device_kind kind = PERSEUS_DEVICE_GPU;
	int32_t index = 0;
	struct perseus__trace_point point;
	enum perseus_status status = perseus__csv_columns_read(&reader->columns);
	if (status == PERSEUS_OK)
		status = parse_point(reader, &point);
	if (status == PERSEUS_OK)
		status = parse_kind(reader, &kind);
	if (status == PERSEUS_OK)
		status = parse_whole(reader, COLUMN_INDEX, PERSEUS__TRACE_MAX_INDEX, NULL, &index);
	if (status == PERSEUS_OK && reader->columns.cells[COLUMN_NAME].length >= PERSEUS_DEVICE_TEXT_BYTES)
		status = fail_cell(reader, COLUMN_NAME, "is too long");
	if (status != PERSEUS_OK)
		return status;
	struct perseus__trace_device *device = find_device(reader, kind, index);
	if (!device)
		return perseus__no_memory(reader->columns.csv.err);
	if (reader->trace.n_devices > PERSEUS__TRACE_MAX_DEVICES)
		return perseus__csv_fail(&reader->columns.csv, "too many devices");
	status = check_point(reader, device, &point);
	if (status != PERSEUS_OK)
		return status;
	if (!perseus__reserve(&device->points, &device->capacity, device->n_points + 1, sizeof *device->points))
		return perseus__no_memory(reader->columns.csv.err);
	device->points[device->n_points++] = point;
	return PERSEUS_OK;
}

static enum perseus_status
read_rows(struct reader *reader)
{
	while (perseus__csv_find_row(&reader->columns.csv)) {
		const enum perseus_status status = take_row(reader);
		if (status != PERSEUS_OK)
			return status;
	}
	if (reader->trace.n_devices == 0)
		return perseus__fail(
				reader->columns.csv.err, PERSEUS_INVALID, "%s: has a header but no rows", reader->columns.csv.label);
	return PERSEUS_OK;
}

static int
compare_devices(const void *a, const void *b)
{
	const struct perseus__trace_device *first = a;
	const struct perseus__trace_device *second = b;
	if (first->kind != second->kind)
		return first->kind < second->kind ? -1 : 1;
	return first->index < second->index ? -1 : first->index > second->index;
}

enum perseus_status
perseus__trace_decode(
		const char *bytes, size_t length, const char *label, struct perseus__trace *out, struct perseus_error *err)
{
	struct reader reader = {.last = 0};
	enum perseus_status status = perseus__csv_columns_init(&reader.columns, N_COLUMNS, bytes, length, label, err);
	if (status == PERSEUS_OK)
		status = read_header(&reader);
	if (status == PERSEUS_OK)
		status = read_rows(&reader);
	if (status != PERSEUS_OK) {
		perseus__trace_fini(&reader.trace);
		return status;
	}
	qsort(reader.trace.devices, reader.trace.n_devices, sizeof *reader.trace.devices, compare_devices);
	*out = reader.trace;
	return PERSEUS_OK;
}

enum perseus_status
perseus__trace_read(const char *path, struct perseus__trace *out, struct perseus_error *err)
{
	char *bytes = NULL;
	size_t length = 0;
	enum perseus_status status = perseus__input_file(path, PERSEUS__TRACE_MAX_BYTES, &bytes, &length, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__trace_decode(bytes, length, path, out, err);
	perseus__free(bytes);
	return status;
}

void
perseus__trace_fini(struct perseus__trace *trace)
{
	for (size_t i = 0; i < trace->n_devices; i++)
		perseus__free(trace->devices[i].points);
	perseus__free(trace->devices);
	*trace = (struct perseus__trace){.devices = NULL};
}
