/* Filling struct perseus_error. */
#ifndef PERSEUS_BASE_ERROR_H
#define PERSEUS_BASE_ERROR_H

#include <perseus/status.h>

/* Writes status and message into `err` (may be NULL) and returns the status. A longer message ends in "...". */
enum perseus_status perseus__fail(struct perseus_error *err, enum perseus_status status, const char *format, ...)
		PERSEUS_PRINTF(3, 4);

/* perseus__fail with NO_MEMORY. */
enum perseus_status perseus__no_memory(struct perseus_error *err);

#endif
