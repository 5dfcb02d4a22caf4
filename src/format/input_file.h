/* Whole files in. */
#ifndef PERSEUS_FORMAT_INPUT_FILE_H
#define PERSEUS_FORMAT_INPUT_FILE_H

#include <stddef.h>

#include <perseus/status.h>

/*
 * Reads a file of at most `max_bytes`; a pipe will do. `*bytes`, which has room for one more, is freed with
 * perseus__free.
 * IO with path and reason where it cannot be read; INVALID where it is larger; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__input_file(
		const char *path, size_t max_bytes, char **bytes, size_t *length, struct perseus_error *err);

#endif
