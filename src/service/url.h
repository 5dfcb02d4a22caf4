/* Text of URLs: percent-encoding, parts of paths, keys and values of queries. */
#ifndef PERSEUS_SERVICE_URL_H
#define PERSEUS_SERVICE_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PERSEUS__MAX_PATH_PARAMETERS = 3, PERSEUS__PATH_PARAMETER_BYTES = 128 };

/*
 * Decodes `length` bytes of `text` into `bytes`, as many as fit into `max_bytes`, and returns the length of all of it.
 * '%' that no two hexadecimal digits follow stands for itself; any byte may come out. `is_query`: '+' is a blank, as
 * in forms; in paths it stands for itself.
 */
size_t perseus__url_decode(const char *text, size_t length, bool is_query, char *bytes, size_t max_bytes);

/* What stands in a path for the "{...}" of its pattern, decoded: never empty, without '/' before decoding, no NUL. */
struct perseus__path_parameters {
	int32_t n;
	char values[PERSEUS__MAX_PATH_PARAMETERS][PERSEUS__PATH_PARAMETER_BYTES];
};

/* Whether `path`, as on the wire, is like `pattern`: "/v1/jobs/{job}/ranks/{rank}". A value too long is no match. */
bool perseus__path_match(const char *pattern, const char *path, struct perseus__path_parameters *parameters);

/* One "key=value" of a query string, as on the wire; what has no '=' has an empty value. */
struct perseus__query_pair {
	const char *key;
	const char *value;
	size_t key_length;
	size_t value_length;
};

/* The next pair of the query string at `*at`, which moves on; NULL is an empty one. False: there is none. */
bool perseus__query_next(const char **at, struct perseus__query_pair *pair);

#endif
