/*
 * A double of the driver's libcuda.so.1: contexts, events and streams on the system's clock, so that what records
 * events can be run without a GPU. Link it, and have the loader find it as libcuda.so.1: both are then the same.
 */
#ifndef PERSEUS_TESTS_CUDA_DOUBLE_H
#define PERSEUS_TESTS_CUDA_DOUBLE_H

#include <stdint.h>

#define CUDA_DOUBLE_API __attribute__((visibility("default")))

/* The calling thread has a context from now on, as after torch.cuda.init(); 0: it has none. */
CUDA_DOUBLE_API void cuda_double_enter(int has_context);

/* Puts work of so many ns on a stream (NULL: the default one), behind what is there. Returns when it will be over. */
CUDA_DOUBLE_API int64_t cuda_double_work(void *stream, int64_t work_ns);

/* Streams beside the default one: 1 and 2. */
CUDA_DOUBLE_API void *cuda_double_stream(int number);

/* Calls of this function fail with `result` from now on; 0: they do not any more. */
CUDA_DOUBLE_API void cuda_double_fail(const char *name, int result);

/* How fast the GPU's clock runs beside the system's: 1.0001 is 100 us in a second ahead. */
CUDA_DOUBLE_API void cuda_double_drift(double speed);

CUDA_DOUBLE_API int32_t cuda_double_n_events(void);

#endif
