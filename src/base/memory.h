/* Allocation with checked sizes. Everything is freed with perseus__free. */
#ifndef PERSEUS_BASE_MEMORY_H
#define PERSEUS_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

/* A zeroed array of `n` elements of `size` bytes; NULL where there is no memory or the product overflows. */
PERSEUS_MUST_USE void *perseus__new_array(size_t n, size_t size);

/*
 * Makes room for at least `n` elements of `size` bytes in `*array` (a pointer to a pointer), which has room for
 * `*capacity` now; grows by half at least. False where there is no memory: nothing has changed then.
 */
PERSEUS_MUST_USE int perseus__reserve(void *array, size_t *capacity, size_t n, size_t size);

/* A copy of a string; NULL where there is no memory. */
PERSEUS_MUST_USE char *perseus__copy_string(const char *string);

void perseus__free(const void *memory);

#endif
