/*
 * When instructions begin and end on the GPU: CUDA events, recorded on training's stream and looked at by the client's
 * thread, through libcuda.so.1 opened at run time. Nothing is synchronised.
 *
 * Events are made by the client's thread in the context of training, which is taken at the first record; until then
 * there are none to record. The driver tells times between events only. Where they lie on the monotonic clock is
 * bounded from both sides: an event is over after it was recorded, and before it was first seen to be over.
 */
#ifndef PERSEUS_CLIENT_CUDA_H
#define PERSEUS_CLIENT_CUDA_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

#define PERSEUS__CUDA_LIBRARY "libcuda.so.1"
enum { PERSEUS__CUDA_EVENTS = 8192 };

/* X(name, parameters): functions of the driver's interface, all of which it has had since CUDA 4.0. */
#define PERSEUS__CUDA_CALL_MAP(X)                        \
	X(cuCtxGetCurrent, (void **context))                 \
	X(cuCtxSetCurrent, (void *context))                  \
	X(cuEventCreate, (void **event, unsigned int flags)) \
	X(cuEventRecord, (void *event, void *stream))        \
	X(cuEventQuery, (void *event))                       \
	X(cuEventDestroy_v2, (void *event))                  \
	X(cuEventElapsedTime, (float *time_ms, void *start, void *end))

/* Results that are told apart; any other is a failure. */
enum { PERSEUS__CUDA_SUCCESS = 0, PERSEUS__CUDA_NOT_READY = 600 };

struct perseus__cuda;

/* Opens the library. Errors: UNSUPPORTED where it is not there or lacks a function; NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__cuda_new(struct perseus__cuda **out, struct perseus_error *err);

/* NULL is fine. */
void perseus__cuda_free(struct perseus__cuda *cuda);

/* Producer: records an event on `stream`; its number, or -1 where none is left or the driver fails. */
int32_t perseus__cuda_record(struct perseus__cuda *cuda, void *stream);

/* Consumer: makes the events once there is a context; cheap afterwards. False where that failed for good. */
bool perseus__cuda_prepare(struct perseus__cuda *cuda, struct perseus_error *err);

/* Consumer: gives the events back to the driver, as nothing is recorded any more. */
void perseus__cuda_release(struct perseus__cuda *cuda);

enum perseus__cuda_answer {
	PERSEUS__CUDA_PENDING,
	PERSEUS__CUDA_OVER,
	PERSEUS__CUDA_FAILED, /* the driver fails, as when its context is gone */
};

/*
 * Consumer: whether the event is over, and when it was, on the monotonic clock. `asked_ns`: when it was recorded.
 * Events are asked for in the order of their recording, and each again until it is not PENDING; it is free then.
 */
enum perseus__cuda_answer perseus__cuda_ask(
		struct perseus__cuda *cuda, int32_t event, int64_t asked_ns, int64_t *at_ns);

#endif
