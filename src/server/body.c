/* JSON objects from outside into structs. */
#include "server/body.h"

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PROBLEM_BYTES = 512 };

enum perseus_status
perseus__body_fail(struct perseus_error *err, const char *path, const char *key, const char *problem, ...)
{
	char text[PROBLEM_BYTES];
	va_list arguments;
	va_start(arguments, problem);
	(void)vsnprintf(text, sizeof text, problem, arguments);
	va_end(arguments);
	const bool has_path = *path || *key;
	return perseus__fail(
			err, PERSEUS_INVALID, "%s%s%s%s%s", path, *path && *key ? "." : "", key, has_path ? ": " : "", text);
}

enum perseus_status
perseus__body_parse(const char *bytes, size_t length, json_t **out, struct perseus_error *err)
{
	json_error_t json_err;
	json_t *document = json_loadb(bytes ? bytes : "", length, JSON_REJECT_DUPLICATES, &json_err);
	if (!document && json_error_code(&json_err) == json_error_out_of_memory)
		return perseus__no_memory(err);
	if (!document) {
		struct perseus__text shown = perseus__text_init(PROBLEM_BYTES);
		perseus__text_add_shown(&shown, json_err.text);
		const enum perseus_status status = perseus__fail(err, PERSEUS_INVALID, "no JSON: line %d, column %d: %s",
				json_err.line, json_err.column, shown.failed ? "unreadable" : shown.bytes);
		perseus__text_fini(&shown);
		return status;
	}
	if (!json_is_object(document)) {
		json_decref(document);
		return perseus__fail(err, PERSEUS_INVALID, "expected a JSON object");
	}
	*out = document;
	return PERSEUS_OK;
}

static bool
is_clean(const char *text)
{
	while (*text) {
		const size_t length = perseus__utf8_length(text);
		if (length == 0)
			return false;
		text += length;
	}
	return true;
}

static enum perseus_status
read_integer(
		const json_t *value, const char *path, const struct perseus__field *field, void *out, struct perseus_error *err)
{
	const json_int_t integer = json_integer_value(value);
	/* Bounds of fields are small enough to be exact as doubles. */
	if (!json_is_integer(value) || integer < (json_int_t)field->least || integer > (json_int_t)field->most)
		return perseus__body_fail(
				err, path, field->key, "expected an integer from %.0f to %.0f", field->least, field->most);
	if (field->type == PERSEUS__FIELD_INT32) {
		const int32_t narrow = (int32_t)integer;
		memcpy(out, &narrow, sizeof narrow);
	} else {
		const int64_t wide = integer;
		memcpy(out, &wide, sizeof wide);
	}
	return PERSEUS_OK;
}

static enum perseus_status
read_number(
		const json_t *value, const char *path, const struct perseus__field *field, void *out, struct perseus_error *err)
{
	const double number = json_number_value(value);
	if (!json_is_number(value) || !(number >= field->least && number <= field->most))
		return perseus__body_fail(err, path, field->key, "expected a number from %g to %g", field->least, field->most);
	memcpy(out, &number, sizeof number);
	return PERSEUS_OK;
}

static enum perseus_status
read_text(
		const json_t *value, const char *path, const struct perseus__field *field, void *out, struct perseus_error *err)
{
	const char *text = json_string_value(value);
	if (!text)
		return perseus__body_fail(err, path, field->key, "expected a string");
	if (json_string_length(value) > (size_t)field->most)
		return perseus__body_fail(err, path, field->key, "expected at most %.0f bytes", field->most);
	if (strlen(text) != json_string_length(value) || !is_clean(text))
		return perseus__body_fail(err, path, field->key, "expected no control characters");
	memcpy(out, &text, sizeof(const char *));
	return PERSEUS_OK;
}

static enum perseus_status
read_value(json_t *value, const char *path, const struct perseus__field *field, void *out, struct perseus_error *err)
{
	switch (field->type) {
	case PERSEUS__FIELD_INT32:
	case PERSEUS__FIELD_INT64:
		return read_integer(value, path, field, out, err);
	case PERSEUS__FIELD_NUMBER:
		return read_number(value, path, field, out, err);
	case PERSEUS__FIELD_FLAG: {
		const bool flag = json_is_true(value);
		if (!json_is_boolean(value))
			return perseus__body_fail(err, path, field->key, "expected true or false");
		memcpy(out, &flag, sizeof flag);
		return PERSEUS_OK;
	}
	case PERSEUS__FIELD_TEXT:
		return read_text(value, path, field, out, err);
	case PERSEUS__FIELD_OBJECT:
		if (!json_is_object(value))
			return perseus__body_fail(err, path, field->key, "expected an object");
		memcpy(out, &value, sizeof(json_t *));
		return PERSEUS_OK;
	case PERSEUS__FIELD_ARRAY:
		if (!json_is_array(value))
			return perseus__body_fail(err, path, field->key, "expected an array");
		if (json_array_size(value) > (size_t)field->most)
			return perseus__body_fail(err, path, field->key, "expected at most %.0f items", field->most);
		memcpy(out, &value, sizeof(json_t *));
		return PERSEUS_OK;
	}
	return PERSEUS_INTERNAL;
}

static const struct perseus__field *
find_field(const struct perseus__field *fields, size_t n_fields, const char *key)
{
	for (size_t i = 0; i < n_fields; i++)
		if (strcmp(fields[i].key, key) == 0)
			return &fields[i];
	return NULL;
}

/* "a, b, c" */
static void
list_keys(const struct perseus__field *fields, size_t n_fields, char *text, size_t size)
{
	size_t length = 0;
	text[0] = '\0';
	for (size_t i = 0; i < n_fields && length < size; i++)
		length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "", fields[i].key);
}

enum perseus_status
perseus__body_read(json_t *object, const char *path, const struct perseus__field *fields, size_t n_fields, void *out,
		struct perseus_error *err)
{
	if (!json_is_object(object))
		return perseus__body_fail(err, path, "", "expected an object");
	const char *key;
	json_t *value;
	json_object_foreach(object, key, value)
	{
		const struct perseus__field *field = find_field(fields, n_fields, key);
		if (!field) {
			char known[PROBLEM_BYTES / 2], shown[64];
			struct perseus__text text = perseus__text_init((size_t)PROBLEM_BYTES * 4);
			perseus__text_add_shown(&text, key);
			(void)snprintf(shown, sizeof shown, "%s", text.failed ? "..." : text.bytes ? text.bytes : "");
			perseus__text_fini(&text);
			list_keys(fields, n_fields, known, sizeof known);
			return perseus__body_fail(err, path, shown, "unknown field: expected one of %s", known);
		}
		if (field->may_be_null && json_is_null(value))
			continue;
		const enum perseus_status status = read_value(value, path, field, (char *)out + field->offset, err);
		if (status != PERSEUS_OK)
			return status;
	}
	for (size_t i = 0; i < n_fields; i++)
		if (fields[i].is_required && !json_object_get(object, fields[i].key))
			return perseus__body_fail(err, path, fields[i].key, "missing");
	return PERSEUS_OK;
}
