/* Whole files out: either the new content is there under its name, or what was there before. */
#ifndef PERSEUS_FORMAT_OUTPUT_FILE_H
#define PERSEUS_FORMAT_OUTPUT_FILE_H

#include <stddef.h>

#include <perseus/status.h>

/*
 * Writes a temporary file beside `path` and renames it; a device or pipe is written to as it is. On failure no file is
 * left over. DENIED where the system forbids it, IO otherwise, both with path and reason.
 */
PERSEUS_MUST_USE enum perseus_status perseus__output_file(
		const char *path, const char *bytes, size_t length, struct perseus_error *err);

/* Whether perseus__output_file could write `path` now: asked by who would lose much later. Errors: as above. */
PERSEUS_MUST_USE enum perseus_status perseus__output_check(const char *path, struct perseus_error *err);

/* Makes a directory and its parents where missing, and makes sure that it can be written to. Errors as above. */
PERSEUS_MUST_USE enum perseus_status perseus__output_directory(const char *path, struct perseus_error *err);

/* Makes the directories that lead to `path`, where missing. Errors as above. */
PERSEUS_MUST_USE enum perseus_status perseus__output_parents(const char *path, struct perseus_error *err);

/* "directory/name"; NULL where there is no memory. Freed with perseus__free. */
char *perseus__output_path(const char *directory, const char *name);

#endif
