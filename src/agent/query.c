/* Parameters of a request. */
#include "agent/query.h"

#include "base/error.h"
#include "base/text.h"
#include "format/csv.h"
#include "service/url.h"

#include <jansson.h>
#include <string.h>

enum kind { IDS, BOOLEAN, NUMBER };

static const struct {
	const char *name;
	enum kind kind;
} keys[] = {
#define X(name, text, kind) {text, kind},
	PERSEUS__KEY_MAP(X)
#undef X
};

/* Text decoded from a query; may hold any byte. */
struct decoded {
	size_t length; /* of the whole text; beyond the array: it did not fit */
	char bytes[PERSEUS__IDS_BYTES];
};

static void
decode(const char *text, size_t length, struct decoded *decoded)
{
	decoded->length = perseus__url_decode(text, length, true, decoded->bytes, sizeof decoded->bytes);
}

static bool
is_text(const struct decoded *decoded, const char *text)
{
	return decoded->length == strlen(text) && memcmp(decoded->bytes, text, decoded->length) == 0;
}

/* "`a`", "`a` or `b`", "one of `a`, `b`, `c`". */
static void
add_names(struct perseus__text *text, uint32_t set)
{
	const int n = __builtin_popcount(set);
	int i = 0;
	perseus__text_addf(text, "%s", n > 2 ? "one of " : "");
	for (int key = 0; key < PERSEUS__N_KEYS; key++)
		if (set & 1U << key) {
			perseus__text_addf(text, "%s`%s`", i == 0 ? "" : n > 2 ? ", " : " or ", keys[key].name);
			i++;
		}
}

static enum perseus_status
fail_unknown(const char *name, size_t length, uint32_t known, struct perseus_error *err)
{
	char shown[PERSEUS__CSV_SHOWN_BYTES];
	struct perseus__text names = perseus__text_init(512);
	add_names(&names, known);
	(void)perseus__fail(err, PERSEUS_INVALID, "unknown field `%s`, expected %s",
			perseus__csv_shown(name, length, shown), names.failed || !known ? "none" : names.bytes);
	perseus__text_fini(&names);
	return PERSEUS_INVALID;
}

/* The key of that name among `known`, or -1. */
static int
find_key(const struct decoded *name, uint32_t known)
{
	for (int key = 0; key < PERSEUS__N_KEYS; key++)
		if (known & 1U << key && is_text(name, keys[key].name))
			return key;
	return -1;
}

static enum perseus_status
parse_number(const struct decoded *text, int64_t *value, struct perseus_error *err)
{
	int64_t number = 0;
	if (text->length == 0)
		return perseus__fail(err, PERSEUS_INVALID, "cannot parse integer from empty string");
	for (size_t i = 0; i < text->length; i++) {
		if (number > UINT32_MAX || i == sizeof text->bytes)
			return perseus__fail(err, PERSEUS_INVALID, "number too large to fit in target type");
		if (text->bytes[i] < '0' || text->bytes[i] > '9')
			return perseus__fail(err, PERSEUS_INVALID, "invalid digit found in string");
		number = number * 10 + (text->bytes[i] - '0');
	}
	if (number > UINT32_MAX)
		return perseus__fail(err, PERSEUS_INVALID, "number too large to fit in target type");
	*value = number;
	return PERSEUS_OK;
}

static enum perseus_status
parse_value(const struct decoded *text, enum perseus__key key, struct perseus__query *query, struct perseus_error *err)
{
	switch (keys[key].kind) {
	case NUMBER:
		return parse_number(text, &query->values[key], err);
	case BOOLEAN:
		query->values[key] = is_text(text, "true");
		if (!is_text(text, "true") && !is_text(text, "false"))
			return perseus__fail(err, PERSEUS_INVALID, "provided string was not `true` or `false`");
		return PERSEUS_OK;
	case IDS:
		if (text->length >= sizeof query->ids_text || memchr(text->bytes, '\0', text->length))
			return perseus__fail(err, PERSEUS_INVALID, "invalid list of ids: longer than %d bytes, or with a zero byte",
					PERSEUS__IDS_BYTES - 1);
		memcpy(query->ids_text, text->bytes, text->length);
		query->ids_text[text->length] = '\0';
		return PERSEUS_OK;
	}
	return PERSEUS_INTERNAL;
}

static enum perseus_status
parse_pair(
		const struct perseus__query_pair *pair, uint32_t known, struct perseus__query *query, struct perseus_error *err)
{
	struct decoded text;
	decode(pair->key, pair->key_length, &text);
	const int key = find_key(&text, known);
	if (key < 0)
		return fail_unknown(text.bytes, text.length < sizeof text.bytes ? text.length : sizeof text.bytes, known, err);
	if (query->given & 1U << key)
		return perseus__fail(err, PERSEUS_INVALID, "duplicate field `%s`", keys[key].name);
	query->given |= 1U << key;
	decode(pair->value, pair->value_length, &text);
	return parse_value(&text, (enum perseus__key)key, query, err);
}

static enum perseus_status
check_required(uint32_t required, const struct perseus__query *query, struct perseus_error *err)
{
	for (int key = 0; key < PERSEUS__N_KEYS; key++)
		if (required & ~query->given & 1U << key)
			return perseus__fail(err, PERSEUS_INVALID, "missing field `%s`", keys[key].name);
	return PERSEUS_OK;
}

enum perseus_status
perseus__query_parse(
		const char *text, uint32_t required, uint32_t optional, struct perseus__query *query, struct perseus_error *err)
{
	*query = (struct perseus__query){.given = 0};
	const char *at = text;
	struct perseus__query_pair pair;
	while (perseus__query_next(&at, &pair)) {
		const enum perseus_status status = parse_pair(&pair, required | optional, query, err);
		if (status != PERSEUS_OK)
			return status;
	}
	return check_required(required, query, err);
}

static enum perseus_status
take_json(
		const char *name, const json_t *value, uint32_t known, struct perseus__query *query, struct perseus_error *err)
{
	for (int key = 0; key < PERSEUS__N_KEYS; key++) {
		if (!(known & 1U << key) || strcmp(keys[key].name, name) != 0)
			continue;
		const bool is_number = keys[key].kind == NUMBER;
		const json_int_t number = json_integer_value(value);
		if (is_number ? !json_is_integer(value) || number < 0 || number > UINT32_MAX : !json_is_boolean(value))
			return perseus__fail(
					err, PERSEUS_INVALID, "invalid type of `%s`, expected %s", name, is_number ? "u32" : "a boolean");
		query->values[key] = is_number ? number : json_is_true(value);
		query->given |= 1U << key;
		return PERSEUS_OK;
	}
	return fail_unknown(name, strlen(name), known, err);
}

enum perseus_status
perseus__query_parse_json(
		const char *bytes, size_t length, uint32_t required, struct perseus__query *query, struct perseus_error *err)
{
	*query = (struct perseus__query){.given = 0};
	json_error_t error;
	json_t *object = json_loadb(bytes ? bytes : "", length, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(object)) {
		json_decref(object);
		return perseus__fail(err, PERSEUS_INVALID, "invalid JSON: %s", object ? "it is no object" : error.text);
	}
	const char *name;
	json_t *value;
	enum perseus_status status = PERSEUS_OK;
	json_object_foreach(object, name, value) if (status == PERSEUS_OK) status =
			take_json(name, value, required, query, err);
	json_decref(object);
	return status == PERSEUS_OK ? check_required(required, query, err) : status;
}

/* Puts `id` in its place among `ids`, which ascend, unless it is there. */
static bool
insert_id(int32_t id, int32_t *ids, int32_t *n_ids)
{
	int32_t at = *n_ids;
	while (at > 0 && ids[at - 1] >= id)
		at--;
	if (at < *n_ids && ids[at] == id)
		return true;
	if (*n_ids == PERSEUS__MAX_IDS)
		return false;
	memmove(ids + at + 1, ids + at, (size_t)(*n_ids - at) * sizeof *ids);
	ids[at] = id;
	++*n_ids;
	return true;
}

/* One element with blanks around it. */
static enum perseus_status
parse_id(const char *text, size_t length, int32_t *id, struct perseus_error *err)
{
	while (length > 0 && *text == ' ') {
		text++;
		length--;
	}
	while (length > 0 && text[length - 1] == ' ')
		length--;
	int64_t number = 0;
	bool is_number = length > 0;
	for (size_t i = 0; i < length && is_number; i++) {
		is_number = text[i] >= '0' && text[i] <= '9' && number <= INT32_MAX / 10;
		number = number * 10 + (text[i] - '0');
	}
	if (!is_number || number > INT32_MAX) {
		char shown[PERSEUS__CSV_SHOWN_BYTES];
		return perseus__fail(
				err, PERSEUS_INVALID, "Invalid id '%s': a number is expected", perseus__csv_shown(text, length, shown));
	}
	*id = (int32_t)number;
	return PERSEUS_OK;
}

enum perseus_status
perseus__query_ids(const char *text, int32_t *ids, int32_t *n_ids, struct perseus_error *err)
{
	*n_ids = 0;
	for (const char *at = text; at;) {
		const size_t length = strcspn(at, ",");
		int32_t id = 0;
		const enum perseus_status status = parse_id(at, length, &id, err);
		if (status != PERSEUS_OK)
			return status;
		if (!insert_id(id, ids, n_ids))
			return perseus__fail(err, PERSEUS_INVALID, "More than %d ids", PERSEUS__MAX_IDS);
		at = at[length] == ',' ? at + length + 1 : NULL;
	}
	return PERSEUS_OK;
}
