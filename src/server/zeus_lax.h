/*
 * JSON values as pydantic 1 and Python take them. Where JSON has no word for what Python's reader takes (NaN, Infinity,
 * integers of any length), the text is quoted before it is parsed: a quoted number is read as that number.
 */
#ifndef PERSEUS_SERVER_ZEUS_LAX_H
#define PERSEUS_SERVER_ZEUS_LAX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* What was wrong with a text, and where. */
struct perseus__lax_error {
	char message[JSON_ERROR_TEXT_LENGTH];
	size_t position; /* characters before it */
	int line;        /* from 1 */
	int column;      /* likewise, in characters */
	bool is_memory;  /* there was none */
};

/* Parses a whole text of any JSON value; NULL with `error` filled. A reference of the caller's. */
json_t *perseus__lax_parse(const char *bytes, size_t length, struct perseus__lax_error *error);

/* int(value); what lies beyond 64 bits becomes the nearest that does not. False where Python would refuse. */
bool perseus__lax_integer(const json_t *value, int64_t *number);
bool perseus__lax_integer_text(const char *text, int64_t *number);

/* float(value). False where Python would refuse. */
bool perseus__lax_double(const json_t *value, double *number);

/* str(value) of texts, numbers and booleans: a copy, freed with perseus__free. False for other values. */
bool perseus__lax_string(const json_t *value, char **copy, bool *is_memory);

/* dict(value): an object, or an array of pairs as a new one; NULL where it is neither. A reference of the caller's. */
json_t *perseus__lax_object(json_t *value);

#endif
