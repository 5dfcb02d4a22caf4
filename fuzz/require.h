/* What fuzz targets do where something must hold: say what did not, and abort, which the fuzzer reports. */
#ifndef PERSEUS_FUZZ_REQUIRE_H
#define PERSEUS_FUZZ_REQUIRE_H

#include <perseus/status.h>

#include <stdio.h>
#include <stdlib.h>

/* `err` adds its message. */
static inline void
require(int is_true, const char *what, const struct perseus_error *err)
{
	if (is_true)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, err->message);
	abort();
}

#endif
