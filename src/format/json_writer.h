/*
 * Writes JSON text. Reading is jansson's; writing is done here because it is deterministic to the byte, with the
 * shortest decimals, one instruction a line, and needs no tree in memory. Nothing but values this writer was given in
 * order comes out, so the nesting is the caller's to get right.
 */
#ifndef PERSEUS_FORMAT_JSON_WRITER_H
#define PERSEUS_FORMAT_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct perseus__json {
	struct perseus__text *text; /* borrowed; its `failed` tells of failure */
	int depth;
	int line_depth; /* > 0: inside a container written on one line, that many deep */
	bool has_member;
};

/* A writer that appends to `text`, which it borrows. */
struct perseus__json perseus__json_init(struct perseus__text *text);

/* `key` is NULL inside arrays and at the top. `one_line`: the container and all within it go on one line. */
void perseus__json_open_object(struct perseus__json *json, const char *key, bool one_line);
void perseus__json_open_array(struct perseus__json *json, const char *key, bool one_line);
void perseus__json_close_object(struct perseus__json *json);
void perseus__json_close_array(struct perseus__json *json);

/* Bytes that are not UTF-8 become U+FFFD. */
void perseus__json_string(struct perseus__json *json, const char *key, const char *value);
void perseus__json_number(struct perseus__json *json, const char *key, double value); /* null where not finite */
void perseus__json_integer(struct perseus__json *json, const char *key, int64_t value);
void perseus__json_boolean(struct perseus__json *json, const char *key, bool value);
void perseus__json_null(struct perseus__json *json, const char *key);

/* Nanoseconds as seconds, nanojoules as joules, and the like. */
void perseus__json_nano(struct perseus__json *json, const char *key, int64_t value);

#endif
