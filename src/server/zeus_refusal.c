/* Refusals of the bodies of Zeus's routes, and bodies before they are taken apart. */
#include "server/zeus_refusal.h"

#include "server/zeus_lax.h"

#include <string.h>

enum { MAX_DOC_BYTES = 4096, MAX_REFUSAL_BYTES = 1 << 20 };

static const struct {
	const char *message;
	const char *type;
	bool has_limit;    /* it follows the message */
	const char *after; /* and this follows the limit */
} faults[] = {
#define X(name, message, type, has_limit, after) {(message), (type), (has_limit), (after)},
	PERSEUS__ZEUS_FAULT_MAP(X)
#undef X
};

struct perseus__zeus_decoder
perseus__zeus_decoder_begin(void)
{
	return (struct perseus__zeus_decoder){.text = perseus__text_init(MAX_REFUSAL_BYTES), .code = 422};
}

static void
write_place(struct perseus__json *json, const struct perseus__zeus_place *place)
{
	if (place->within)
		write_place(json, place->within);
	if (place->name)
		perseus__json_string(json, NULL, place->name);
	else
		perseus__json_integer(json, NULL, (int64_t)place->index);
}

/* Opens the next error of the list; false where the list is long enough. */
static bool
open_error(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_place *place, const char *message,
		const char *type)
{
	if (decoder->n_errors == PERSEUS__ZEUS_MAX_ERRORS)
		return false;
	if (decoder->n_errors++ == 0) {
		decoder->json = perseus__json_init(&decoder->text);
		perseus__json_open_object(&decoder->json, NULL, true);
		perseus__json_open_array(&decoder->json, "detail", true);
	}
	perseus__json_open_object(&decoder->json, NULL, true);
	perseus__json_open_array(&decoder->json, "loc", true);
	write_place(&decoder->json, place);
	perseus__json_close_array(&decoder->json);
	perseus__json_string(&decoder->json, "msg", message);
	perseus__json_string(&decoder->json, "type", type);
	return true;
}

static void
add_error(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_place *place,
		enum perseus__zeus_fault fault, int64_t limit)
{
	struct perseus__text message = perseus__text_init(256);
	perseus__text_addf(&message, "%s", faults[fault].message);
	if (faults[fault].has_limit)
		perseus__text_addf(&message, " %lld%s", (long long)limit, faults[fault].after);
	decoder->is_memory |= message.failed;
	if (!message.failed && open_error(decoder, place, message.bytes, faults[fault].type)) {
		if (faults[fault].has_limit) {
			perseus__json_open_object(&decoder->json, "ctx", true);
			perseus__json_integer(&decoder->json, "limit_value", limit);
			perseus__json_close_object(&decoder->json);
		}
		perseus__json_close_object(&decoder->json);
	}
	perseus__text_fini(&message);
}

void
perseus__zeus_add_fault(
		struct perseus__zeus_decoder *decoder, const struct perseus__zeus_place *place, enum perseus__zeus_fault fault)
{
	add_error(decoder, place, fault, 0);
}

void
perseus__zeus_add_limit(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_place *place,
		enum perseus__zeus_fault fault, int64_t limit)
{
	add_error(decoder, place, fault, limit);
}

/* An error of the JSON itself, with what Python's reader tells of it. */
static void
add_syntax_error(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_body *body,
		const struct perseus__lax_error *error)
{
	const struct perseus__zeus_place outer = {.name = "body"};
	const struct perseus__zeus_place place = {.within = &outer, .index = error->position};
	struct perseus__text message = perseus__text_init(1024);
	struct perseus__text document = perseus__text_init(MAX_DOC_BYTES);
	perseus__text_addf(
			&message, "%s: line %d column %d (char %zu)", error->message, error->line, error->column, error->position);
	perseus__text_add(&document, body->bytes, body->length < MAX_DOC_BYTES ? body->length : MAX_DOC_BYTES);
	decoder->is_memory |= message.failed || document.failed;
	if (!decoder->is_memory && open_error(decoder, &place, message.bytes, "value_error.jsondecode")) {
		struct perseus__json *json = &decoder->json;
		perseus__json_open_object(json, "ctx", true);
		perseus__json_string(json, "msg", error->message);
		perseus__json_string(json, "doc", document.bytes);
		perseus__json_integer(json, "pos", (int64_t)error->position);
		perseus__json_integer(json, "lineno", error->line);
		perseus__json_integer(json, "colno", error->column);
		perseus__json_close_object(json);
		perseus__json_close_object(json);
	}
	perseus__text_fini(&message);
	perseus__text_fini(&document);
}

static bool
is_utf8(const char *bytes, size_t length)
{
	json_t *string = json_stringn(bytes, length);
	json_decref(string);
	return string != NULL;
}

/* "application/json", "application/problem+json; charset=utf-8": in any case. */
static bool
is_json_type(const char *content_type)
{
	static const char application[] = "application/";
	const size_t length = strcspn(content_type, "; \t");
	if (length <= sizeof application - 1 || strncasecmp(content_type, application, sizeof application - 1) != 0)
		return false;
	const char *subtype = content_type + sizeof application - 1;
	const size_t n = length - (sizeof application - 1);
	return (n == 4 && strncasecmp(subtype, "json", 4) == 0)
			|| (n >= 5 && strncasecmp(subtype + n - 5, "+json", 5) == 0);
}

static void
refuse_encoding(struct perseus__zeus_decoder *decoder)
{
	decoder->code = 400;
	decoder->n_errors = 1;
	decoder->json = perseus__json_init(&decoder->text);
	perseus__json_open_object(&decoder->json, NULL, true);
	perseus__json_string(&decoder->json, "detail", "There was an error parsing the body");
	perseus__json_close_object(&decoder->json);
}

json_t *
perseus__zeus_open_body(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_body *body)
{
	const struct perseus__zeus_place place = {.name = "body"};
	struct perseus__lax_error error;
	if (body->length == 0) {
		perseus__zeus_add_fault(decoder, &place, PERSEUS__ZEUS_FAULT_MISSING);
		return NULL;
	}
	if (body->content_type && *body->content_type && !is_json_type(body->content_type)) {
		perseus__zeus_add_fault(decoder, &place, PERSEUS__ZEUS_FAULT_DICT);
		return NULL;
	}
	if (!is_utf8(body->bytes, body->length)) {
		refuse_encoding(decoder);
		return NULL;
	}
	json_t *value = perseus__lax_parse(body->bytes, body->length, &error);
	if (!value) {
		decoder->is_memory |= error.is_memory;
		add_syntax_error(decoder, body, &error);
		return NULL;
	}
	json_t *object = perseus__lax_object(value);
	if (!object)
		perseus__zeus_add_fault(
				decoder, &place, json_is_null(value) ? PERSEUS__ZEUS_FAULT_MISSING : PERSEUS__ZEUS_FAULT_DICT);
	json_decref(value);
	return object;
}

enum perseus_status
perseus__zeus_decoder_end(struct perseus__zeus_decoder *decoder, struct perseus__zeus_refusal *refusal)
{
	if (decoder->n_errors > 0 && decoder->json.depth > 0) {
		perseus__json_close_array(&decoder->json);
		perseus__json_close_object(&decoder->json);
	}
	const bool has_failed = decoder->is_memory || decoder->text.failed;
	if (!has_failed && decoder->n_errors > 0) {
		*refusal = (struct perseus__zeus_refusal){.code = decoder->code, .text = decoder->text};
		return PERSEUS_INVALID;
	}
	perseus__text_fini(&decoder->text);
	return has_failed ? PERSEUS_NO_MEMORY : PERSEUS_OK;
}
