/* CUDA events through the driver's library. */
#include "client/cuda.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/*
 * Times are told from a reference, as floats in ms: much further from it they would lose what the events have, 0.5 us.
 * The reference is renewed before its event is recorded again, which is a whole round of events later, of which no more
 * than half are under way.
 */
static const float max_reference_ms = 1000;
enum { UNDER_WAY = PERSEUS__CUDA_EVENTS / 2, REFERENCE_EVENTS = PERSEUS__CUDA_EVENTS / 4 };
/* How fast the GPU's clock may run off the system's: 100 us in a second. */
static const double max_drift = 1e-4;

struct calls {
#define X(name, parameters) int(*name) parameters;
	PERSEUS__CUDA_CALL_MAP(X)
#undef X
};

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
#define X(name, parameters) {#name, offsetof(struct calls, name)},
	PERSEUS__CUDA_CALL_MAP(X)
#undef X
};

_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "POSIX: dlsym returns functions, too");

struct perseus__cuda {
	void *library;
	struct calls calls;
	_Atomic(void *) context;
	void *events[PERSEUS__CUDA_EVENTS]; /* written before the first is given out */
	/* Numbers of the events that are free, given back in the order in which they were taken: a ring of them all. */
	_Atomic uint32_t n_given; /* by the consumer: made, and given back */
	_Atomic uint32_t n_taken; /* by the producer */
	/* The consumer's. */
	bool is_prepared;
	int32_t reference;    /* event that times are told from; -1: none yet */
	int32_t n_since;      /* events since it */
	int64_t reference_ns; /* on the GPU's clock, whose origin is the first event */
	int64_t last_ns;      /* given out last, on the monotonic clock */
	double offset_ns;     /* monotonic less GPU's */
	int64_t offset_at_ns;
};

static enum perseus_status
find_symbols(struct perseus__cuda *cuda, struct perseus_error *err)
{
	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
		void *address = dlsym(cuda->library, symbols[i].name);
		if (!address)
			return perseus__fail(err, PERSEUS_UNSUPPORTED, PERSEUS__CUDA_LIBRARY " has no %s", symbols[i].name);
		memcpy((unsigned char *)&cuda->calls + symbols[i].offset, &address, sizeof address);
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__cuda_new(struct perseus__cuda **out, struct perseus_error *err)
{
	struct perseus__cuda *cuda = perseus__new_array(1, sizeof *cuda);
	if (!cuda)
		return perseus__no_memory(err);
	cuda->reference = -1;
	cuda->last_ns = INT64_MIN;
	cuda->library = dlopen(PERSEUS__CUDA_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	const char *why = cuda->library ? NULL : dlerror();
	enum perseus_status status = cuda->library
			? find_symbols(cuda, err)
			: perseus__fail(err, PERSEUS_UNSUPPORTED, "%s", why ? why : PERSEUS__CUDA_LIBRARY " cannot be opened");
	if (status != PERSEUS_OK) {
		perseus__cuda_free(cuda);
		return status;
	}
	*out = cuda;
	return PERSEUS_OK;
}

void
perseus__cuda_free(struct perseus__cuda *cuda)
{
	if (!cuda)
		return;
	if (cuda->library)
		(void)dlclose(cuda->library);
	perseus__free(cuda);
}

int32_t
perseus__cuda_record(struct perseus__cuda *cuda, void *stream)
{
	const uint32_t taken = atomic_load_explicit(&cuda->n_taken, memory_order_relaxed);
	if (taken == atomic_load_explicit(&cuda->n_given, memory_order_acquire)) {
		void *context = NULL;
		if (taken == 0 && !atomic_load_explicit(&cuda->context, memory_order_relaxed)
				&& cuda->calls.cuCtxGetCurrent(&context) == PERSEUS__CUDA_SUCCESS && context)
			atomic_store_explicit(&cuda->context, context, memory_order_release);
		return -1;
	}
	const int32_t event = (int32_t)(taken % PERSEUS__CUDA_EVENTS);
	if (cuda->calls.cuEventRecord(cuda->events[event], stream) != PERSEUS__CUDA_SUCCESS)
		return -1;
	atomic_store_explicit(&cuda->n_taken, taken + 1, memory_order_relaxed);
	return event;
}

bool
perseus__cuda_prepare(struct perseus__cuda *cuda, struct perseus_error *err)
{
	void *context = atomic_load_explicit(&cuda->context, memory_order_acquire);
	if (cuda->is_prepared || !context)
		return true;
	cuda->is_prepared = true;
	int result = cuda->calls.cuCtxSetCurrent(context);
	for (int32_t i = 0; i < PERSEUS__CUDA_EVENTS && result == PERSEUS__CUDA_SUCCESS; i++)
		result = cuda->calls.cuEventCreate(&cuda->events[i], 0);
	if (result != PERSEUS__CUDA_SUCCESS) {
		(void)perseus__fail(err, PERSEUS_IO, "no CUDA events: error %d", result);
		return false;
	}
	atomic_store_explicit(&cuda->n_given, UNDER_WAY, memory_order_release);
	return true;
}

void
perseus__cuda_release(struct perseus__cuda *cuda)
{
	for (int32_t i = 0; i < PERSEUS__CUDA_EVENTS && cuda->events[i]; i++) {
		(void)cuda->calls.cuEventDestroy_v2(cuda->events[i]); /* fails where they went with their context */
		cuda->events[i] = NULL;
	}
}

/* The event's time on the GPU's clock; false where the driver fails. */
static bool
gpu_time(struct perseus__cuda *cuda, int32_t event, int64_t *gpu_ns)
{
	if (cuda->reference < 0) {
		cuda->reference = event;
		cuda->reference_ns = 0;
	}
	float time_ms = 0;
	if (event != cuda->reference
			&& cuda->calls.cuEventElapsedTime(&time_ms, cuda->events[cuda->reference], cuda->events[event])
					!= PERSEUS__CUDA_SUCCESS)
		return false;
	*gpu_ns = cuda->reference_ns + (int64_t)((double)time_ms * 1e6);
	if (++cuda->n_since >= REFERENCE_EVENTS || time_ms > max_reference_ms) {
		cuda->reference = event;
		cuda->reference_ns = *gpu_ns;
		cuda->n_since = 0;
	}
	return true;
}

/* Where the GPU's clock lies on the system's, by an event that was over between `asked_ns` and `now_ns`. */
static void
place(struct perseus__cuda *cuda, int64_t gpu_ns, int64_t asked_ns, int64_t now_ns)
{
	const double highest_ns = (double)(now_ns - gpu_ns);
	const double lowest_ns = (double)(asked_ns - gpu_ns);
	const bool is_first = cuda->offset_at_ns == 0;
	double offset_ns = cuda->offset_ns + max_drift * (double)(now_ns - cuda->offset_at_ns);
	if (is_first || offset_ns > highest_ns)
		offset_ns = highest_ns;
	if (offset_ns < lowest_ns)
		offset_ns = lowest_ns;
	cuda->offset_ns = offset_ns;
	cuda->offset_at_ns = now_ns;
}

enum perseus__cuda_answer
perseus__cuda_ask(struct perseus__cuda *cuda, int32_t event, int64_t asked_ns, int64_t *at_ns)
{
	const int result = cuda->calls.cuEventQuery(cuda->events[event]);
	const int64_t now_ns = perseus__clock_mono_ns();
	if (result == PERSEUS__CUDA_NOT_READY)
		return PERSEUS__CUDA_PENDING;
	int64_t gpu_ns = 0;
	const bool is_told = result == PERSEUS__CUDA_SUCCESS && gpu_time(cuda, event, &gpu_ns);
	if (is_told) {
		place(cuda, gpu_ns, asked_ns, now_ns);
		*at_ns = gpu_ns + (int64_t)cuda->offset_ns;
		*at_ns = *at_ns > cuda->last_ns ? *at_ns : cuda->last_ns;
		cuda->last_ns = *at_ns;
	}
	(void)atomic_fetch_add_explicit(&cuda->n_given, 1, memory_order_release);
	return is_told ? PERSEUS__CUDA_OVER : PERSEUS__CUDA_FAILED;
}
