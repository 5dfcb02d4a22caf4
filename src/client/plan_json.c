/* Programs out of the server's JSON. */
#include "client/program.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#define MAX_STEPS INT64_C(1000000000000)
enum { MAX_MHZ = 100000, MAX_SEGMENTS = 100000, MAX_INSTRUCTIONS = 1 << 20 };

static enum perseus_status
fail(struct perseus_error *err, const char *path, const char *expected)
{
	return perseus__fail(err, PERSEUS_INVALID, "plan: %s: expected %s", path, expected);
}

/* A whole number in [0, most], or null, which is -1, where `may_be_null`. */
static enum perseus_status
take_integer(const json_t *value, const char *path, bool may_be_null, int64_t *out, struct perseus_error *err)
{
	if (may_be_null && json_is_null(value)) {
		*out = -1;
		return PERSEUS_OK;
	}
	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > MAX_STEPS)
		return fail(err, path, may_be_null ? "a whole number or null" : "a whole number");
	*out = json_integer_value(value);
	return PERSEUS_OK;
}

static enum perseus_status
take_clocks(const json_t *list, int32_t index, struct perseus__program *program, struct perseus_error *err)
{
	char path[64];
	(void)snprintf(path, sizeof path, "segments[%d].clocks_mhz", index);
	const size_t n = json_array_size(list); /* 0 for what is no array */
	if (!json_is_array(list) || n > MAX_INSTRUCTIONS)
		return fail(err, path, "a list of clocks");
	if (index > 0 && n != (size_t)program->n_instructions)
		return fail(err, path, "as many clocks as in the first segment");
	int32_t *clocks_mhz = perseus__new_array(n, sizeof *clocks_mhz);
	if (!clocks_mhz)
		return perseus__no_memory(err);
	program->n_instructions = (int32_t)n;
	program->segments[index].clocks_mhz = clocks_mhz;
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_array_get(list, i);
		if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > MAX_MHZ) {
			(void)snprintf(path, sizeof path, "segments[%d].clocks_mhz[%zu]", index, i);
			return fail(err, path, "a clock in MHz, or 0");
		}
		clocks_mhz[i] = (int32_t)json_integer_value(value);
	}
	return PERSEUS_OK;
}

static enum perseus_status
take_segment(
		const json_t *value, int32_t index, bool is_last, struct perseus__program *program, struct perseus_error *err)
{
	char path[64];
	(void)snprintf(path, sizeof path, "segments[%d].steps", index);
	struct perseus__segment *segment = &program->segments[index];
	const enum perseus_status status =
			take_integer(json_object_get(value, "steps"), path, is_last, &segment->n_steps, err);
	if (status != PERSEUS_OK)
		return status;
	if (segment->n_steps == 0)
		return fail(err, path, "at least 1");
	return take_clocks(json_object_get(value, "clocks_mhz"), index, program, err);
}

static enum perseus_status
take_segments(const json_t *list, struct perseus__program *program, struct perseus_error *err)
{
	const size_t n = json_array_size(list);
	if (!json_is_array(list) || n > MAX_SEGMENTS)
		return fail(err, "segments", "a list");
	program->segments = perseus__new_array(n, sizeof *program->segments);
	if (!program->segments)
		return perseus__no_memory(err);
	program->n_segments = (int32_t)n;
	for (size_t i = 0; i < n; i++) {
		const enum perseus_status status = take_segment(json_array_get(list, i), (int32_t)i, i + 1 == n, program, err);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}

static enum perseus_status
take_program(const json_t *root, struct perseus__program *program, struct perseus_error *err)
{
	if (!json_is_object(root))
		return fail(err, "the document", "an object");
	enum perseus_status status =
			take_integer(json_object_get(root, "revision"), "revision", false, &program->revision, err);
	if (status == PERSEUS_OK)
		status = take_integer(json_object_get(root, "from_step"), "from_step", true, &program->from_step, err);
	if (status != PERSEUS_OK)
		return status;
	const char *phase = json_string_value(json_object_get(root, "phase"));
	if (!phase || strlen(phase) >= sizeof program->phase)
		return fail(err, "phase", "\"profile\", \"plan\" or \"free\"");
	(void)snprintf(program->phase, sizeof program->phase, "%s", phase);
	return take_segments(json_object_get(root, "segments"), program, err);
}

enum perseus_status
perseus__program_decode(const char *bytes, size_t length, struct perseus__program **out, struct perseus_error *err)
{
	json_error_t where;
	json_t *root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &where);
	if (!root)
		return json_error_code(&where) == json_error_out_of_memory
				? perseus__no_memory(err)
				: perseus__fail(err, PERSEUS_INVALID, "plan:%d:%d: %s", where.line, where.column, where.text);
	struct perseus__program *program = perseus__new_array(1, sizeof *program);
	enum perseus_status status = program ? take_program(root, program, err) : perseus__no_memory(err);
	json_decref(root);
	if (status == PERSEUS_OK)
		*out = program;
	else
		perseus__program_free(program);
	return status;
}
