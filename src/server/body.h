/*
 * JSON objects from outside into structs, by tables: every key known, every value of its type and in its range, and an
 * error that names the path of what is wrong.
 */
#ifndef PERSEUS_SERVER_BODY_H
#define PERSEUS_SERVER_BODY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

enum perseus__field_type {
	PERSEUS__FIELD_INT32,  /* int32_t, from `least` to `most` */
	PERSEUS__FIELD_INT64,  /* int64_t, likewise */
	PERSEUS__FIELD_NUMBER, /* double, likewise; an integer will do */
	PERSEUS__FIELD_FLAG,   /* bool */
	PERSEUS__FIELD_TEXT,   /* const char *, borrowed from the document; of at most `most` bytes, without controls */
	PERSEUS__FIELD_OBJECT, /* json_t *, borrowed */
	PERSEUS__FIELD_ARRAY,  /* json_t *, borrowed; of at most `most` items */
};

struct perseus__field {
	const char *key;
	enum perseus__field_type type;
	size_t offset; /* in the struct */
	double least, most;
	bool is_required; /* else the struct is left as it is where the key is missing */
	bool may_be_null; /* as if it were missing */
};

/* Where in a document: "", "steps[3].classes[0]", ... */
enum { PERSEUS__BODY_PATH_BYTES = 128 };

/*
 * Parses a body, which must be one object and nothing else. Errors: INVALID with line and column; NO_MEMORY. Free
 * `*out` with json_decref.
 */
PERSEUS_MUST_USE enum perseus_status perseus__body_parse(
		const char *bytes, size_t length, json_t **out, struct perseus_error *err);

/* Reads `object` by `fields`, length n_fields, into the struct at `out`. Errors: INVALID with path. */
PERSEUS_MUST_USE enum perseus_status perseus__body_read(json_t *object, const char *path,
		const struct perseus__field *fields, size_t n_fields, void *out, struct perseus_error *err);

/* Fails with INVALID: "PATH.KEY: problem", or without one of them where it is empty. */
enum perseus_status perseus__body_fail(
		struct perseus_error *err, const char *path, const char *key, const char *problem, ...) PERSEUS_PRINTF(4, 5);

#endif
