/*
 * Refusals of the bodies of Zeus's routes in the making: a list of errors as pydantic 1 makes it, each with the place
 * of the value, a message, a type and, where there is one, a limit.
 */
#ifndef PERSEUS_SERVER_ZEUS_REFUSAL_H
#define PERSEUS_SERVER_ZEUS_REFUSAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/json_writer.h"
#include "server/zeus_json.h"

/* Where a value is: "body", "iter_time", 3. A chain on the stack, innermost first. */
struct perseus__zeus_place {
	const struct perseus__zeus_place *within; /* NULL: the outermost */
	const char *name;                         /* NULL: `index` is it */
	size_t index;
};

/* What can be wrong with a value. X(name, message, type, has_limit, after the limit) */
#define PERSEUS__ZEUS_FAULT_MAP(X)                                                                   \
	X(MISSING, "field required", "value_error.missing", false, "")                                   \
	X(NULL, "none is not an allowed value", "type_error.none.not_allowed", false, "")                \
	X(INTEGER, "value is not a valid integer", "type_error.integer", false, "")                      \
	X(FLOAT, "value is not a valid float", "type_error.float", false, "")                            \
	X(TEXT, "str type expected", "type_error.str", false, "")                                        \
	X(LIST, "value is not a valid list", "type_error.list", false, "")                               \
	X(DICT, "value is not a valid dict", "type_error.dict", false, "")                               \
	X(ASSERTION, "", "assertion_error", false, "")                                                   \
	X(LEAST, "ensure this value is greater than or equal to", "value_error.number.not_ge", true, "") \
	X(MOST, "ensure this value is less than or equal to", "value_error.number.not_le", true, "")     \
	X(BELOW, "ensure this value is less than", "value_error.number.not_lt", true, "")                \
	X(ITEMS, "ensure this value has at most", "value_error.list.max_items", true, " items")

enum perseus__zeus_fault {
#define X(name, message, type, has_limit, after) PERSEUS__ZEUS_FAULT_##name,
	PERSEUS__ZEUS_FAULT_MAP(X)
#undef X
};

/* A body being decoded. */
struct perseus__zeus_decoder {
	struct perseus__text text; /* of the refusal */
	struct perseus__json json;
	int32_t n_errors; /* beyond PERSEUS__ZEUS_MAX_ERRORS they are dropped */
	int code;         /* of the refusal */
	bool is_memory;   /* there was none */
};

struct perseus__zeus_decoder perseus__zeus_decoder_begin(void);

/* Notes an error; the second for those with a limit. */
void perseus__zeus_add_fault(
		struct perseus__zeus_decoder *decoder, const struct perseus__zeus_place *place, enum perseus__zeus_fault fault);
void perseus__zeus_add_limit(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_place *place,
		enum perseus__zeus_fault fault, int64_t limit);

/* The body's object, a reference of the caller's; NULL with an error noted. */
json_t *perseus__zeus_open_body(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_body *body);

/* What came of it: OK; INVALID, and the refusal is there; NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_decoder_end(
		struct perseus__zeus_decoder *decoder, struct perseus__zeus_refusal *refusal);

#endif
