/* Profiles of jobs, in memory and as JSON and CSV. */
#include "server/profile_document.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/csv_writer.h"
#include "format/json_writer.h"
#include "format/profile_csv.h"
#include "server/body.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 1 << 20 };

enum perseus_status
perseus__profile_document_init(
		struct perseus__profile_document *document, int32_t n_stages, size_t n_rows, struct perseus_error *err)
{
	*document = (struct perseus__profile_document){
		.n_stages = n_stages,
		.blocking_power_w = perseus__new_array((size_t)n_stages, sizeof(double)),
		.blocking_error_w = perseus__new_array((size_t)n_stages, sizeof(double)),
		.rows = perseus__new_array(n_rows, sizeof(struct perseus__profile_row)),
		.transfer_s = NAN,
		.overhead_s = NAN,
		.baseline_time_s = NAN,
		.baseline_energy_j = NAN,
	};
	if (!document->blocking_power_w || !document->blocking_error_w || !document->rows) {
		perseus__profile_document_fini(document);
		return perseus__no_memory(err);
	}
	for (int32_t stage = 0; stage < n_stages; stage++) {
		document->blocking_power_w[stage] = NAN;
		document->blocking_error_w[stage] = NAN;
	}
	return PERSEUS_OK;
}

void
perseus__profile_document_fini(struct perseus__profile_document *document)
{
	perseus__free(document->blocking_power_w);
	perseus__free(document->blocking_error_w);
	perseus__free(document->rows);
	perseus__free(document->csv);
	*document = (struct perseus__profile_document){.rows = NULL};
}

/* By stage, class, and descending clock. */
static int
compare_rows(const void *left, const void *right)
{
	const struct perseus__profile_row *a = left, *b = right;
	if (a->stage != b->stage)
		return a->stage < b->stage ? -1 : 1;
	const int names = strcmp(a->instruction, b->instruction);
	if (names != 0)
		return names;
	return a->frequency_mhz == b->frequency_mhz ? 0 : a->frequency_mhz > b->frequency_mhz ? -1 : 1;
}

/* Sorts, and makes one row of those of one class and clock: their means. */
static void
merge_rows(struct perseus__profile_document *document)
{
	size_t n = 0, count = 1;
	qsort(document->rows, document->n_rows, sizeof *document->rows, compare_rows);
	for (size_t i = 0; i < document->n_rows; i++) {
		struct perseus__profile_row *row = &document->rows[i], *last = n > 0 ? &document->rows[n - 1] : NULL;
		if (!last || compare_rows(last, row) != 0) {
			document->rows[n++] = *row;
			count = 1;
			continue;
		}
		count++;
		last->time_s += (row->time_s - last->time_s) / (double)count;
		last->energy_j += (row->energy_j - last->energy_j) / (double)count;
	}
	document->n_rows = n;
}

static enum perseus_status
fill_from_rows(const struct perseus__measurements *measurements, struct perseus__profile_document *document,
		double blocking_power_w, struct perseus_error *err)
{
	int32_t n_stages = 0;
	if (measurements->n_rows > MAX_ROWS)
		return perseus__fail(err, PERSEUS_INVALID, "the profile has more than %d rows", MAX_ROWS);
	for (size_t i = 0; i < measurements->n_rows; i++)
		if (measurements->rows[i].stage >= n_stages)
			n_stages = measurements->rows[i].stage + 1;
	enum perseus_status status = perseus__profile_document_init(document, n_stages, measurements->n_rows, err);
	if (status != PERSEUS_OK)
		return status;
	document->is_uploaded = true;
	for (int32_t stage = 0; stage < n_stages; stage++)
		document->blocking_power_w[stage] = blocking_power_w;
	for (size_t i = 0; i < measurements->n_rows; i++) {
		const struct perseus_measurement *from = &measurements->rows[i];
		struct perseus__profile_row *row = &document->rows[document->n_rows++];
		*row = (struct perseus__profile_row){.stage = from->stage,
			.frequency_mhz = from->frequency_mhz,
			.time_s = from->time_s,
			.energy_j = from->energy_j,
			.time_error_s = NAN,
			.energy_error_j = NAN};
		if (strlen(from->instruction) >= sizeof row->instruction)
			return perseus__fail(
					err, PERSEUS_INVALID, "line %lld: the name of the instruction is too long", (long long)from->line);
		(void)snprintf(row->instruction, sizeof row->instruction, "%s", from->instruction);
	}
	merge_rows(document);
	return PERSEUS_OK;
}

static char *
copy_bytes(const char *bytes, size_t length)
{
	char *copy = perseus__new_array(length + 1, 1);
	if (copy)
		memcpy(copy, bytes, length);
	return copy;
}

enum perseus_status
perseus__profile_document_from_csv(const char *bytes, size_t length, double blocking_power_w,
		struct perseus__profile_document *out, struct perseus_error *err)
{
	struct perseus__measurements measurements;
	enum perseus_status status = perseus__profile_csv_decode(bytes, length, "profile", &measurements, err);
	if (status != PERSEUS_OK)
		return status;
	/* All that the optimizer asks of rows, said now and not when the plan is made. */
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_power_w;
	settings.n_blocking_power = isnan(blocking_power_w) ? 0 : 1;
	struct perseus_profile *profile = NULL;
	status = perseus_profile_new(measurements.rows, measurements.n_rows, &settings, &profile, err);
	perseus_profile_free(profile);
	struct perseus__profile_document document = {.rows = NULL};
	if (status == PERSEUS_OK)
		status = fill_from_rows(&measurements, &document, blocking_power_w, err);
	perseus__measurements_fini(&measurements);
	if (status == PERSEUS_OK && !(document.csv = copy_bytes(bytes, length)))
		status = perseus__no_memory(err);
	if (status == PERSEUS_OK)
		*out = document;
	else
		perseus__profile_document_fini(&document);
	return status;
}

static void
write_row(struct perseus__json *json, const struct perseus__profile_row *row)
{
	perseus__json_open_object(json, NULL, true);
	perseus__json_integer(json, "stage", row->stage);
	perseus__json_string(json, "instruction", row->instruction);
	perseus__json_integer(json, "frequency_mhz", row->frequency_mhz);
	perseus__json_number(json, "time_s", row->time_s);
	perseus__json_number(json, "time_error_s", row->time_error_s);
	perseus__json_number(json, "energy_j", row->energy_j);
	perseus__json_number(json, "energy_error_j", row->energy_error_j);
	perseus__json_boolean(json, "is_shared_power", row->is_shared_power);
	perseus__json_close_object(json);
}

static void
write_stages(struct perseus__json *json, const char *key, const double *values, int32_t n)
{
	perseus__json_open_array(json, key, true);
	for (int32_t stage = 0; stage < n; stage++)
		perseus__json_number(json, NULL, values[stage]);
	perseus__json_close_array(json);
}

void
perseus__profile_document_write(const struct perseus__profile_document *document, struct perseus__text *text)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, false);
	perseus__json_integer(&json, "version", 1);
	perseus__json_string(&json, "source", document->is_uploaded ? "uploaded" : "in vivo");
	perseus__json_integer(&json, "created_ms", document->created_ms);
	if (document->n_steps > 0)
		perseus__json_integer(&json, "steps", document->n_steps);
	else
		perseus__json_null(&json, "steps");
	perseus__json_boolean(&json, "is_simulated", document->is_simulated);
	write_stages(&json, "blocking_power_w", document->blocking_power_w, document->n_stages);
	write_stages(&json, "blocking_error_w", document->blocking_error_w, document->n_stages);
	perseus__json_number(&json, "transfer_s", document->transfer_s);
	perseus__json_number(&json, "overhead_s", document->overhead_s);
	if (isnan(document->baseline_time_s)) {
		perseus__json_null(&json, "baseline");
	} else {
		perseus__json_open_object(&json, "baseline", true);
		perseus__json_number(&json, "iteration_time_s", document->baseline_time_s);
		perseus__json_number(&json, "energy_j", document->baseline_energy_j);
		perseus__json_close_object(&json);
	}
	perseus__json_open_array(&json, "rows", false);
	for (size_t i = 0; i < document->n_rows; i++)
		write_row(&json, &document->rows[i]);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}

/* The document, before its parts are read. */
struct document_text {
	int32_t version, n_steps;
	const char *source;
	int64_t created_ms;
	bool is_simulated;
	json_t *power, *error, *baseline, *rows;
	double transfer_s, overhead_s;
};

struct baseline_text {
	double time_s, energy_j;
};

struct row_text {
	struct perseus__profile_row row;
	const char *instruction;
};

#define FIELD(type, member, name, ...) {.key = (name), .offset = offsetof(struct type, member), __VA_ARGS__}

static enum perseus_status
read_row(json_t *object, const char *path, struct perseus__profile_row *row, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(row_text, row.stage, "stage", .type = PERSEUS__FIELD_INT32, .most = PERSEUS_MAX_STAGES - 1,
				.is_required = true),
		FIELD(row_text, instruction, "instruction", .type = PERSEUS__FIELD_TEXT,
				.most = PERSEUS__PROFILE_NAME_BYTES - 1, .is_required = true),
		FIELD(row_text, row.frequency_mhz, "frequency_mhz", .type = PERSEUS__FIELD_INT32,
				.most = PERSEUS_MAX_FREQUENCY_MHZ, .is_required = true),
		FIELD(row_text, row.time_s, "time_s", .type = PERSEUS__FIELD_NUMBER, .least = 1e-12, .most = PERSEUS_MAX_TIME_S,
				.is_required = true),
		FIELD(row_text, row.time_error_s, "time_error_s", .type = PERSEUS__FIELD_NUMBER, .most = 1e300,
				.may_be_null = true),
		FIELD(row_text, row.energy_j, "energy_j", .type = PERSEUS__FIELD_NUMBER, .most = PERSEUS_MAX_ENERGY_J,
				.may_be_null = true),
		FIELD(row_text, row.energy_error_j, "energy_error_j", .type = PERSEUS__FIELD_NUMBER, .most = 1e300,
				.may_be_null = true),
		FIELD(row_text, row.is_shared_power, "is_shared_power", .type = PERSEUS__FIELD_FLAG),
	};
	struct row_text text = {.instruction = "", .row = {.time_error_s = NAN, .energy_j = NAN, .energy_error_j = NAN}};
	const enum perseus_status status =
			perseus__body_read(object, path, fields, sizeof fields / sizeof *fields, &text, err);
	*row = text.row;
	(void)snprintf(row->instruction, sizeof row->instruction, "%s", text.instruction);
	return status;
}

static void
read_stages(const json_t *array, double *values, int32_t n)
{
	for (int32_t stage = 0; stage < n; stage++) {
		const json_t *value = json_array_get(array, (size_t)stage);
		values[stage] = json_is_number(value) ? json_number_value(value) : NAN;
	}
}

static enum perseus_status
fill_from_text(const struct document_text *text, struct perseus__profile_document *document, struct perseus_error *err)
{
	const int32_t n_stages = (int32_t)json_array_size(text->power);
	enum perseus_status status = perseus__profile_document_init(document, n_stages, json_array_size(text->rows), err);
	if (status != PERSEUS_OK)
		return status;
	document->is_uploaded = strcmp(text->source, "uploaded") == 0;
	document->is_simulated = text->is_simulated;
	document->created_ms = text->created_ms;
	document->n_steps = text->n_steps;
	document->transfer_s = text->transfer_s;
	document->overhead_s = text->overhead_s;
	read_stages(text->power, document->blocking_power_w, n_stages);
	read_stages(text->error, document->blocking_error_w, n_stages);
	for (size_t i = 0; i < json_array_size(text->rows) && status == PERSEUS_OK; i++) {
		char path[PERSEUS__BODY_PATH_BYTES];
		(void)snprintf(path, sizeof path, "rows[%zu]", i);
		status = read_row(json_array_get(text->rows, i), path, &document->rows[document->n_rows++], err);
	}
	if (status != PERSEUS_OK || !text->baseline)
		return status;
	static const struct perseus__field fields[] = {
		FIELD(baseline_text, time_s, "iteration_time_s", .type = PERSEUS__FIELD_NUMBER, .most = 1e9),
		FIELD(baseline_text, energy_j, "energy_j", .type = PERSEUS__FIELD_NUMBER, .most = 1e15, .may_be_null = true),
	};
	struct baseline_text baseline = {.time_s = NAN, .energy_j = NAN};
	status = perseus__body_read(text->baseline, "baseline", fields, sizeof fields / sizeof *fields, &baseline, err);
	document->baseline_time_s = baseline.time_s;
	document->baseline_energy_j = baseline.energy_j;
	return status;
}

enum perseus_status
perseus__profile_document_read(
		const char *bytes, size_t length, struct perseus__profile_document *out, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(document_text, version, "version", .type = PERSEUS__FIELD_INT32, .least = 1, .most = 1,
				.is_required = true),
		FIELD(document_text, source, "source", .type = PERSEUS__FIELD_TEXT, .most = 32, .is_required = true),
		FIELD(document_text, created_ms, "created_ms", .type = PERSEUS__FIELD_INT64, .most = 9e15),
		FIELD(document_text, n_steps, "steps", .type = PERSEUS__FIELD_INT32, .most = 1e9, .may_be_null = true),
		FIELD(document_text, is_simulated, "is_simulated", .type = PERSEUS__FIELD_FLAG),
		FIELD(document_text, power, "blocking_power_w", .type = PERSEUS__FIELD_ARRAY, .most = PERSEUS_MAX_STAGES,
				.is_required = true),
		FIELD(document_text, error, "blocking_error_w", .type = PERSEUS__FIELD_ARRAY, .most = PERSEUS_MAX_STAGES),
		FIELD(document_text, transfer_s, "transfer_s", .type = PERSEUS__FIELD_NUMBER, .most = PERSEUS_MAX_TIME_S,
				.may_be_null = true),
		FIELD(document_text, overhead_s, "overhead_s", .type = PERSEUS__FIELD_NUMBER, .most = PERSEUS_MAX_TIME_S,
				.may_be_null = true),
		FIELD(document_text, baseline, "baseline", .type = PERSEUS__FIELD_OBJECT, .may_be_null = true),
		FIELD(document_text, rows, "rows", .type = PERSEUS__FIELD_ARRAY, .most = MAX_ROWS, .is_required = true),
	};
	struct document_text text = {.source = "", .transfer_s = NAN, .overhead_s = NAN};
	struct perseus__profile_document document = {.rows = NULL};
	json_t *root = NULL;
	enum perseus_status status = perseus__body_parse(bytes, length, &root, err);
	if (status == PERSEUS_OK)
		status = perseus__body_read(root, "", fields, sizeof fields / sizeof *fields, &text, err);
	if (status == PERSEUS_OK)
		status = fill_from_text(&text, &document, err);
	json_decref(root);
	if (status == PERSEUS_OK)
		*out = document;
	else
		perseus__profile_document_fini(&document);
	return status;
}

enum perseus_status
perseus__profile_document_check(const struct perseus__profile_document *document, struct perseus_error *err)
{
	struct perseus__profile_document again = {.rows = NULL};
	struct perseus__text text = perseus__text_init((size_t)PERSEUS__MAX_PROFILE_BYTES * 4);
	perseus__profile_document_write(document, &text);
	const enum perseus_status status = text.failed
			? perseus__no_memory(err)
			: perseus__profile_document_read(text.bytes, text.length, &again, err);
	perseus__text_fini(&text);
	perseus__profile_document_fini(&again);
	return status;
}

void
perseus__profile_document_csv(const struct perseus__profile_document *document, struct perseus__text *text)
{
	static const char *const heads[] = {
		"stage", "instruction", "frequency", "time", "energy", "time_error", "energy_error"};
	struct perseus__csv_writer csv = perseus__csv_writer_init(text);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		perseus__csv_put_text(&csv, heads[i]);
	perseus__csv_end_row(&csv);
	for (size_t i = 0; i < document->n_rows; i++) {
		const struct perseus__profile_row *row = &document->rows[i];
		if (isnan(row->energy_j))
			continue;
		perseus__csv_put_integer(&csv, true, row->stage);
		perseus__csv_put_text(&csv, row->instruction);
		perseus__csv_put_integer(&csv, true, row->frequency_mhz);
		perseus__csv_put_number(&csv, true, row->time_s);
		perseus__csv_put_number(&csv, true, row->energy_j);
		perseus__csv_put_number(&csv, isfinite(row->time_error_s), row->time_error_s);
		perseus__csv_put_number(&csv, isfinite(row->energy_error_j), row->energy_error_j);
		perseus__csv_end_row(&csv);
	}
}

double
perseus__profile_document_blocking_w(const struct perseus__profile_document *document)
{
	double sum = 0;
	int32_t n = 0;
	for (int32_t stage = 0; stage < document->n_stages; stage++)
		if (isfinite(document->blocking_power_w[stage])) {
			sum += document->blocking_power_w[stage];
			n++;
		}
	return n > 0 ? sum / n : NAN;
}

const struct perseus__profile_row *
perseus__profile_document_find(
		const struct perseus__profile_document *document, int32_t stage, const char *instruction, int32_t frequency_mhz)
{
	for (size_t i = 0; i < document->n_rows; i++) {
		const struct perseus__profile_row *row = &document->rows[i];
		if (row->stage == stage && (frequency_mhz < 0 || row->frequency_mhz == frequency_mhz)
				&& strcmp(row->instruction, instruction) == 0)
			return row;
	}
	return NULL;
}
