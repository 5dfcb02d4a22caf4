/*
 * Torture: every allocation of a function fails in turn, alone or with all that follow it. NO_MEMORY must come back,
 * the output be untouched, and nothing leak (which LeakSanitizer sees where the build has it).
 */
#ifndef PERSEUS_TESTS_TORTURE_H
#define PERSEUS_TESTS_TORTURE_H

#include "failing_alloc.h"

#include <perseus/status.h>

/*
 * `make` finds a pointer in `*out` that must still be there after a failure, and leaves another where it succeeds;
 * `destroy` frees that. What it works on was made before, with an allocator that works.
 */
struct torture_scenario {
	const char *name;
	enum perseus_status (*make)(void **out, struct perseus_error *err);
	void (*destroy)(void *object);
};

/* Fails the running Check test where the scenario does not hold, or where it allocates nothing. */
void torture_run(const struct torture_scenario *scenario, enum failing_alloc_mode mode);

#endif
