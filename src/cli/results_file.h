/*
 * Results that a measured command reports itself: the environment variable PERSEUS_RESULTS names a file to which it may
 * append lines of key=value. Blank lines and those that begin with '#' are skipped.
 */
#ifndef PERSEUS_CLI_RESULTS_FILE_H
#define PERSEUS_CLI_RESULTS_FILE_H

#include "meter/run.h"

#include <perseus/status.h>

enum { PERSEUS__RESULTS_PATH_BYTES = 512 };

struct perseus__results_file {
	char path[PERSEUS__RESULTS_PATH_BYTES]; /* "": there is none */
};

/*
 * Makes an empty file in $TMPDIR, or /tmp, that this user alone can read, and names it in the environment of this
 * process and so of its children. Errors: IO, DENIED.
 */
PERSEUS_MUST_USE enum perseus_status perseus__results_file_init(
		struct perseus__results_file *file, struct perseus_error *err);

/*
 * Adds what the file holds to the results of `run`, in the place of those of the same key.
 * Errors: INVALID with the line for what is no result, after all others were taken; IO; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__results_file_read(
		const struct perseus__results_file *file, struct perseus__run *run, struct perseus_error *err);

/* The lines of a file, `bytes` with room for one more than `length`, which are changed. Errors: as above. */
PERSEUS_MUST_USE enum perseus_status perseus__results_parse(
		char *bytes, size_t length, struct perseus__run *run, struct perseus_error *err);

/* Removes the file. */
void perseus__results_file_fini(struct perseus__results_file *file);

#endif
