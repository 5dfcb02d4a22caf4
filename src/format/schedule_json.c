/*
 * Schedule JSON to a schedule: shape of the document and types of its values. What the values must be together is
 * checked by perseus_schedule_import.
 */
#include "format/schedule_json.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/csv.h"

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 96, MAX_RANKS = 4096, MAX_INSTRUCTIONS = 1 << 24, MAX_EDGES = 1 << 24 };

struct decoder {
	const char *label;
	int32_t n_ranks;
	int32_t *rank_begin;                      /* length n_ranks + 1 */
	struct perseus_instruction *instructions; /* class names borrowed from the document */
	struct perseus_edge *edges;
	int32_t n_edges;
	struct perseus_error *err;
};

static enum perseus_status
fail_at(const struct decoder *decoder, const char *path, const char *problem)
{
	return perseus__fail(decoder->err, PERSEUS_INVALID, "%s: %s: %s", decoder->label, path, problem);
}

/* Every key of `object` must be one of `keys`, NULL-terminated. */
static enum perseus_status
check_keys(const struct decoder *decoder, const char *path, json_t *object, const char *const *keys)
{
	const char *key;
	json_t *value;
	if (!json_is_object(object))
		return fail_at(decoder, path, "expected an object");
	json_object_foreach(object, key, value)
	{
		size_t k = 0;
		while (keys[k] && strcmp(keys[k], key) != 0)
			k++;
		if (!keys[k])
			return perseus__fail(
					decoder->err, PERSEUS_INVALID, "%s: %s: unknown key \"%.60s\"", decoder->label, path, key);
	}
	return PERSEUS_OK;
}

/* An integer member; `fallback` where it is missing, unless that is INT32_MIN: then it must be there. */
static enum perseus_status
read_integer(const struct decoder *decoder, const char *path, const json_t *object, const char *key, int32_t fallback,
		int32_t *number)
{
	char member[PATH_BYTES + 16];
	(void)snprintf(member, sizeof member, "%s.%s", path, key);
	const json_t *value = json_object_get(object, key);
	*number = fallback;
	if (!value)
		return fallback == INT32_MIN ? fail_at(decoder, member, "missing: expected an integer") : PERSEUS_OK;
	if (!json_is_integer(value))
		return fail_at(decoder, member, "expected an integer");
	const json_int_t wide = json_integer_value(value);
	if (wide < -1 || wide > INT32_MAX)
		return fail_at(decoder, member, "expected an integer of 0 or more that fits 32 bits");
	*number = (int32_t)wide;
	return PERSEUS_OK;
}

static enum perseus_status
read_bool(const struct decoder *decoder, const char *path, const json_t *object, const char *key, bool *flag)
{
	const json_t *value = json_object_get(object, key);
	if (value && !json_is_boolean(value)) {
		char member[PATH_BYTES + 32];
		(void)snprintf(member, sizeof member, "%s%s%s", path, *path ? "." : "", key);
		return fail_at(decoder, member, "expected true or false");
	}
	*flag = json_is_true(value);
	return PERSEUS_OK;
}

static enum perseus_status
read_kind(const struct decoder *decoder, const char *path, const json_t *object, enum perseus_kind *kind)
{
	const char *text = json_string_value(json_object_get(object, "kind"));
	for (int k = 0; text && k <= PERSEUS_KIND_OTHER; k++) {
		if (strcmp(text, perseus_kind_name((enum perseus_kind)k)) != 0)
			continue;
		*kind = (enum perseus_kind)k;
		return PERSEUS_OK;
	}
	char member[PATH_BYTES + 16], problem[256];
	(void)snprintf(member, sizeof member, "%s.kind", path);
	int length = text ? snprintf(problem, sizeof problem, "\"%.40s\": expected", text)
					  : snprintf(problem, sizeof problem, "expected");
	for (int k = 0; k <= PERSEUS_KIND_OTHER; k++)
		length += snprintf(problem + length, sizeof problem - (size_t)length, "%s %s", k ? "," : " one of",
				perseus_kind_name((enum perseus_kind)k));
	return fail_at(decoder, member, problem);
}

static enum perseus_status
read_part(const struct decoder *decoder, const char *path, const json_t *object, struct perseus_part *part)
{
	enum perseus_status status = read_kind(decoder, path, object, &part->kind);
	if (status == PERSEUS_OK)
		status = read_integer(decoder, path, object, "stage", INT32_MIN, &part->stage);
	if (status == PERSEUS_OK)
		status = read_integer(decoder, path, object, "microbatch", -1, &part->microbatch);
	return status;
}

static enum perseus_status
read_pair(
		const struct decoder *decoder, const char *path, const json_t *object, struct perseus_instruction *instruction)
{
	static const char *const keys[] = {"kind", "stage", "microbatch", NULL};
	const json_t *parts = json_object_get(object, "parts");
	char member[PATH_BYTES];
	if (json_array_size(parts) != 2) {
		(void)snprintf(member, sizeof member, "%s.parts", path);
		return fail_at(decoder, member, "expected an array of two objects");
	}
	if (json_object_get(object, "stage") || json_object_get(object, "microbatch"))
		return fail_at(decoder, path, "an overlapped pair has stage and microbatch in its parts");
	instruction->n_parts = 2;
	for (size_t p = 0; p < 2; p++) {
		json_t *part = json_array_get(parts, p);
		(void)snprintf(member, sizeof member, "%s.parts[%zu]", path, p);
		enum perseus_status status = check_keys(decoder, member, part, keys);
		if (status == PERSEUS_OK)
			status = read_part(decoder, member, part, &instruction->part[p]);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}

static enum perseus_status
read_instruction(const struct decoder *decoder, int32_t rank, int32_t position, json_t *object,
		struct perseus_instruction *instruction)
{
	static const char *const keys[] = {"kind", "stage", "microbatch", "class", "parts", NULL};
	char path[PATH_BYTES / 2];
	(void)snprintf(path, sizeof path, "ranks[%d][%d]", rank, position);
	enum perseus_status status = check_keys(decoder, path, object, keys);
	if (status == PERSEUS_OK)
		status = read_kind(decoder, path, object, &instruction->kind);
	if (status != PERSEUS_OK)
		return status;
	instruction->rank = rank;
	const json_t *class_name = json_object_get(object, "class");
	if (class_name && !json_is_string(class_name))
		return fail_at(decoder, path, "\"class\": expected a string");
	instruction->class_name = json_string_value(class_name);
	if (instruction->kind == PERSEUS_KIND_OVERLAP)
		return read_pair(decoder, path, object, instruction);
	if (json_object_get(object, "parts"))
		return fail_at(decoder, path, "\"parts\": only an overlapped pair has them");
	struct perseus_part part;
	status = read_part(decoder, path, object, &part);
	instruction->stage = part.stage;
	instruction->microbatch = part.microbatch;
	instruction->n_parts = 1;
	return status;
}

/* Sizes first, so that everything is allocated once. */
static enum perseus_status
count_instructions(struct decoder *decoder, const json_t *ranks)
{
	char path[PATH_BYTES];
	if (!json_is_array(ranks) || json_array_size(ranks) == 0 || json_array_size(ranks) > MAX_RANKS)
		return fail_at(decoder, "ranks", "expected an array of 1 to 4096 ranks");
	decoder->n_ranks = (int32_t)json_array_size(ranks);
	decoder->rank_begin = perseus__new_array((size_t)decoder->n_ranks + 1, sizeof *decoder->rank_begin);
	if (!decoder->rank_begin)
		return perseus__no_memory(decoder->err);
	size_t n = 0;
	for (int32_t rank = 0; rank < decoder->n_ranks; rank++) {
		const json_t *row = json_array_get(ranks, (size_t)rank);
		n += json_array_size(row);
		if (!json_is_array(row) || n > MAX_INSTRUCTIONS) {
			(void)snprintf(path, sizeof path, "ranks[%d]", rank);
			return fail_at(decoder, path,
					json_is_array(row) ? "too many instructions: expected 16777216 at most" : "expected an array");
		}
		decoder->rank_begin[rank + 1] = (int32_t)n;
	}
	decoder->instructions = perseus__new_array(n, sizeof *decoder->instructions);
	return decoder->instructions ? PERSEUS_OK : perseus__no_memory(decoder->err);
}

static enum perseus_status
read_ranks(struct decoder *decoder, const json_t *ranks)
{
	enum perseus_status status = count_instructions(decoder, ranks);
	if (status != PERSEUS_OK || !decoder->instructions)
		return status;
	for (int32_t rank = 0; status == PERSEUS_OK && rank < decoder->n_ranks; rank++) {
		const json_t *row = json_array_get(ranks, (size_t)rank);
		const int32_t begin = decoder->rank_begin[rank];
		for (int32_t i = begin; status == PERSEUS_OK && i < decoder->rank_begin[rank + 1]; i++)
			status = read_instruction(
					decoder, rank, i - begin, json_array_get(row, (size_t)(i - begin)), &decoder->instructions[i]);
	}
	return status;
}

/* [rank, position] to the index of an instruction. */
static enum perseus_status
read_end(const struct decoder *decoder, size_t edge, const json_t *object, const char *key, int32_t *index)
{
	char path[PATH_BYTES];
	(void)snprintf(path, sizeof path, "edges[%zu].%s", edge, key);
	const json_t *pair = json_object_get(object, key);
	const json_t *rank = json_array_get(pair, 0), *position = json_array_get(pair, 1);
	if (json_array_size(pair) != 2 || !json_is_integer(rank) || !json_is_integer(position))
		return fail_at(decoder, path, "expected [rank, position]");
	const json_int_t r = json_integer_value(rank), p = json_integer_value(position);
	if (r < 0 || r >= decoder->n_ranks)
		return fail_at(decoder, path, "there is no such rank");
	if (p < 0 || p >= decoder->rank_begin[r + 1] - decoder->rank_begin[r])
		return fail_at(decoder, path, "there is no such position on this rank");
	*index = decoder->rank_begin[r] + (int32_t)p;
	return PERSEUS_OK;
}

static enum perseus_status
read_edges(struct decoder *decoder, const json_t *edges)
{
	static const char *const keys[] = {"from", "to", "transfer", NULL};
	if (!edges)
		return PERSEUS_OK;
	if (!json_is_array(edges) || json_array_size(edges) > MAX_EDGES)
		return fail_at(decoder, "edges", "expected an array of at most 16777216 objects");
	decoder->n_edges = (int32_t)json_array_size(edges);
	decoder->edges = perseus__new_array((size_t)decoder->n_edges, sizeof *decoder->edges);
	if (!decoder->edges)
		return perseus__no_memory(decoder->err);
	enum perseus_status status = PERSEUS_OK;
	for (size_t e = 0; e < (size_t)decoder->n_edges && status == PERSEUS_OK; e++) {
		char path[PATH_BYTES];
		(void)snprintf(path, sizeof path, "edges[%zu]", e);
		json_t *object = json_array_get(edges, e);
		struct perseus_edge *edge = &decoder->edges[e];
		status = check_keys(decoder, path, object, keys);
		if (status == PERSEUS_OK)
			status = read_end(decoder, e, object, "from", &edge->from);
		if (status == PERSEUS_OK)
			status = read_end(decoder, e, object, "to", &edge->to);
		if (status == PERSEUS_OK)
			status = read_bool(decoder, path, object, "transfer", &edge->is_transfer);
	}
	return status;
}

static enum perseus_status
read_document(struct decoder *decoder, json_t *document, const struct perseus_schedule **out)
{
	static const char *const keys[] = {"version", "name", "ranks", "edges", "explicit_edges_only", NULL};
	enum perseus_status status = check_keys(decoder, "the document", document, keys);
	if (status != PERSEUS_OK)
		return status;
	if (json_integer_value(json_object_get(document, "version")) != 1)
		return fail_at(decoder, "version", "expected 1");
	const json_t *name = json_object_get(document, "name");
	if (name && !json_is_string(name))
		return fail_at(decoder, "name", "expected a string");
	bool is_explicit = false;
	status = read_bool(decoder, "", document, "explicit_edges_only", &is_explicit);
	if (status == PERSEUS_OK)
		status = read_ranks(decoder, json_object_get(document, "ranks"));
	if (status == PERSEUS_OK)
		status = read_edges(decoder, json_object_get(document, "edges"));
	if (status != PERSEUS_OK)
		return status;
	const struct perseus_order order = {
		.name = name ? json_string_value(name) : decoder->label,
		.n_ranks = decoder->n_ranks,
		.rank_begin = decoder->rank_begin,
		.instructions = decoder->instructions,
		.extra_edges = decoder->edges,
		.n_extra_edges = decoder->n_edges,
		.explicit_edges_only = is_explicit,
	};
	struct perseus_error import_err = {.status = PERSEUS_OK};
	status = perseus_schedule_import(&order, out, &import_err);
	return status == PERSEUS_OK ? PERSEUS_OK
								: perseus__fail(decoder->err, status, "%s: %s", decoder->label, import_err.message);
}

enum perseus_status
perseus__schedule_json_parse(const char *label, const char *bytes, size_t length, const struct perseus_schedule **out,
		struct perseus_error *err)
{
	struct decoder decoder = {.label = label, .err = err};
	json_error_t json_err;
	json_t *document = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &json_err);
	if (!document && json_error_code(&json_err) == json_error_out_of_memory)
		return perseus__no_memory(err);
	if (!document) {
		char shown[PERSEUS__CSV_SHOWN_BYTES];
		return perseus__fail(err, PERSEUS_INVALID, "%s:%d:%d: %s", label, json_err.line, json_err.column,
				perseus__csv_shown(json_err.text, strlen(json_err.text), shown));
	}
	const enum perseus_status status = read_document(&decoder, document, out);
	perseus__free(decoder.rank_begin);
	perseus__free(decoder.instructions);
	perseus__free(decoder.edges);
	json_decref(document);
	return status;
}
