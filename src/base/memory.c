/* Allocation with checked sizes: the only file of the library that calls the allocator. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void *
perseus__new_array(size_t n, size_t size)
{
	return calloc(n ? n : 1, size);
}

int
perseus__reserve(void *array, size_t *capacity, size_t n, size_t size)
{
	if (n <= *capacity)
		return 1;
	size_t grown = *capacity + *capacity / 2;
	if (grown < n)
		grown = n < 16 ? 16 : n;
	size_t bytes;
	if (__builtin_mul_overflow(grown, size, &bytes))
		return 0;
	void *old;
	memcpy(&old, array, sizeof old);
	void *moved = realloc(old, bytes);
	if (!moved)
		return 0;
	memcpy(array, &moved, sizeof moved);
	*capacity = grown;
	return 1;
}

char *
perseus__copy_string(const char *string)
{
	const size_t bytes = strlen(string) + 1;
	char *copy = perseus__new_array(bytes, 1);
	if (copy)
		memcpy(copy, string, bytes);
	return copy;
}

void
perseus__free(const void *memory)
{
	/* free() takes a pointer to non-const for historic reasons; ownership, not constness, decides here. */
	free((void *)(uintptr_t)memory);
}
