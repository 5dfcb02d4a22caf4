/*
 * The part of TOML 1.0 that settings of this program are written in: comments, [tables] of one level, and keys with
 * strings, whole numbers, and arrays of strings, over several lines if wanted. Anything else of TOML is refused by name
 * of line and column, not misread.
 */
#ifndef PERSEUS_FORMAT_TOML_H
#define PERSEUS_FORMAT_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

enum perseus__toml_type {
	PERSEUS__TOML_TABLE, /* [table]: its entry has no key and no value */
	PERSEUS__TOML_STRING,
	PERSEUS__TOML_INTEGER,
	PERSEUS__TOML_STRINGS,
};

/* One line of the document, more or less. Everything is borrowed while the callback runs. */
struct perseus__toml_entry {
	enum perseus__toml_type type;
	const char *table; /* "" before the first */
	const char *key;
	const char **strings; /* STRING: one; STRINGS: length n_strings */
	size_t n_strings;
	int64_t integer;
	int64_t line; /* where it begins, from 1 */
};

/* Takes an entry; a status other than OK ends the parse, and the message is given "label:line: " ahead. */
typedef enum perseus_status perseus__toml_take(
		void *user, const struct perseus__toml_entry *entry, struct perseus_error *err);

/*
 * Parses `text`, length `length`, and hands over its entries in order. A table or key that comes twice is refused.
 * Errors: INVALID with label, line and column; NO_MEMORY; those of `take`.
 */
PERSEUS_MUST_USE enum perseus_status perseus__toml_parse(const char *text, size_t length, const char *label,
		perseus__toml_take *take, void *user, struct perseus_error *err);

#endif
