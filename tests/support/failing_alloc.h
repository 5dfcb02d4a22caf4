/*
 * An allocator that fails on purpose, for torture tests: link with the dependency `failing_alloc` and every malloc,
 * calloc and realloc of the program's own objects passes through here. What libc allocates inside itself does not.
 */
#ifndef PERSEUS_TESTS_FAILING_ALLOC_H
#define PERSEUS_TESTS_FAILING_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

enum failing_alloc_mode {
	FAILING_ALLOC_ONE,  /* one allocation fails, those after it succeed */
	FAILING_ALLOC_REST, /* it and all after it fail */
};

/* From now on allocation `n` fails, counted from 0. One thread only. */
void failing_alloc_arm(int64_t n, enum failing_alloc_mode mode);

/* No allocation fails any more. True where one has failed since failing_alloc_arm. */
bool failing_alloc_disarm(void);

#endif
