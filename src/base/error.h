/* Filling struct perseus_error. */
#ifndef PERSEUS_BASE_ERROR_H
#define PERSEUS_BASE_ERROR_H

#include <perseus/status.h>

/* Writes status and message into `err` (may be NULL) and returns the status. A longer message ends in "...". */
enum perseus_status perseus__fail(struct perseus_error *err, enum perseus_status status, const char *format, ...)
		PERSEUS_PRINTF(3, 4);

/* perseus__fail with NO_MEMORY. Here, so that compiler and analyzer see that it never returns OK. */
static inline enum perseus_status
perseus__no_memory(struct perseus_error *err)
{
	(void)perseus__fail(err, PERSEUS_NO_MEMORY, "out of memory");
	return PERSEUS_NO_MEMORY;
}

#endif
