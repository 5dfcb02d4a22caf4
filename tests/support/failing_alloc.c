/* Wrappers that the linker puts in front of the allocator (-Wl,--wrap=malloc and friends). */
#include "failing_alloc.h"

#include <errno.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static struct {
	bool is_armed;
	bool has_fired;
	enum failing_alloc_mode mode;
	int64_t n_left; /* allocations that still succeed */
} state;

void
failing_alloc_arm(int64_t n, enum failing_alloc_mode mode)
{
	state.is_armed = true;
	state.has_fired = false;
	state.mode = mode;
	state.n_left = n;
}

bool
failing_alloc_disarm(void)
{
	state.is_armed = false;
	return state.has_fired;
}

static bool
must_fail(void)
{
	if (!state.is_armed || (state.has_fired && state.mode == FAILING_ALLOC_ONE))
		return false;
	if (state.n_left-- > 0)
		return false;
	state.has_fired = true;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *memory, size_t size)
{
	return must_fail() ? NULL : __real_realloc(memory, size);
}
