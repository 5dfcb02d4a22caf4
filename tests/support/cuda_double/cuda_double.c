/* A double of the driver's libcuda.so.1. As strict as the original about contexts and events never recorded. */
#include "cuda_double.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUCCESS = 0, INVALID_VALUE = 1, INVALID_CONTEXT = 201, NOT_READY = 600, N_STREAMS = 3, N_CALLS = 6 };

struct event {
	bool is_recorded;
	int64_t over_ns;
};

struct stream {
	int64_t busy_until_ns;
};

static struct {
	pthread_mutex_t mutex;
	int context;
	struct stream streams[N_STREAMS];
	struct {
		const char *name;
		int result;
	} failures[N_CALLS];
	double speed;
	int32_t n_events;
} driver = {.mutex = PTHREAD_MUTEX_INITIALIZER, .speed = 1};

static _Thread_local void *current;

static int64_t
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Under the lock. */
static int
wanted(const char *name)
{
	for (int i = 0; i < N_CALLS; i++)
		if (driver.failures[i].name && strcmp(driver.failures[i].name, name) == 0)
			return driver.failures[i].result;
	return SUCCESS;
}

void
cuda_double_enter(int has_context)
{
	current = has_context ? &driver.context : NULL;
}

static struct stream *
stream_at(void *stream)
{
	return stream ? stream : &driver.streams[0];
}

int64_t
cuda_double_work(void *stream, int64_t work_ns)
{
	pthread_mutex_lock(&driver.mutex);
	struct stream *at = stream_at(stream);
	const int64_t from_ns = at->busy_until_ns > now_ns() ? at->busy_until_ns : now_ns();
	const int64_t until_ns = at->busy_until_ns = from_ns + work_ns;
	pthread_mutex_unlock(&driver.mutex);
	return until_ns;
}

void *
cuda_double_stream(int number)
{
	return &driver.streams[number];
}

void
cuda_double_fail(const char *name, int result)
{
	pthread_mutex_lock(&driver.mutex);
	for (int i = 0; i < N_CALLS; i++) {
		if (!driver.failures[i].name || strcmp(driver.failures[i].name, name) == 0) {
			driver.failures[i].name = name;
			driver.failures[i].result = result;
			break;
		}
	}
	pthread_mutex_unlock(&driver.mutex);
}

void
cuda_double_drift(double speed)
{
	pthread_mutex_lock(&driver.mutex);
	driver.speed = speed;
	pthread_mutex_unlock(&driver.mutex);
}

int32_t
cuda_double_n_events(void)
{
	pthread_mutex_lock(&driver.mutex);
	const int32_t n = driver.n_events;
	pthread_mutex_unlock(&driver.mutex);
	return n;
}

/* The driver's interface. */

CUDA_DOUBLE_API int cuCtxGetCurrent(void **context);
CUDA_DOUBLE_API int cuCtxSetCurrent(void *context);
CUDA_DOUBLE_API int cuEventCreate(void **event, unsigned int flags);
CUDA_DOUBLE_API int cuEventDestroy_v2(void *event);
CUDA_DOUBLE_API int cuEventRecord(void *event, void *stream);
CUDA_DOUBLE_API int cuEventQuery(void *event);
CUDA_DOUBLE_API int cuEventElapsedTime(float *time_ms, void *start, void *end);

int
cuCtxGetCurrent(void **context)
{
	*context = current;
	return SUCCESS;
}

int
cuCtxSetCurrent(void *context)
{
	pthread_mutex_lock(&driver.mutex);
	const int result = wanted("cuCtxSetCurrent");
	pthread_mutex_unlock(&driver.mutex);
	if (result == SUCCESS)
		current = context;
	return result;
}

int
cuEventCreate(void **event, unsigned int flags)
{
	pthread_mutex_lock(&driver.mutex);
	int result = current ? wanted("cuEventCreate") : INVALID_CONTEXT;
	if (result == SUCCESS && flags != 0)
		result = INVALID_VALUE; /* without timing there is no elapsed time */
	if (result == SUCCESS) {
		*event = calloc(1, sizeof(struct event));
		driver.n_events++;
	}
	pthread_mutex_unlock(&driver.mutex);
	return result;
}

int
cuEventDestroy_v2(void *event)
{
	pthread_mutex_lock(&driver.mutex);
	free(event);
	driver.n_events--;
	pthread_mutex_unlock(&driver.mutex);
	return SUCCESS;
}

int
cuEventRecord(void *event, void *stream)
{
	struct event *at = event;
	pthread_mutex_lock(&driver.mutex);
	const int result = current ? wanted("cuEventRecord") : INVALID_CONTEXT;
	if (result == SUCCESS) {
		const int64_t free_ns = stream_at(stream)->busy_until_ns;
		at->is_recorded = true;
		at->over_ns = free_ns > now_ns() ? free_ns : now_ns();
	}
	pthread_mutex_unlock(&driver.mutex);
	return result;
}

int
cuEventQuery(void *event)
{
	const struct event *at = event;
	pthread_mutex_lock(&driver.mutex);
	int result = current ? wanted("cuEventQuery") : INVALID_CONTEXT;
	if (result == SUCCESS && at->is_recorded && at->over_ns > now_ns())
		result = NOT_READY;
	pthread_mutex_unlock(&driver.mutex);
	return result;
}

int
cuEventElapsedTime(float *time_ms, void *start, void *end)
{
	const struct event *from = start;
	const struct event *to = end;
	pthread_mutex_lock(&driver.mutex);
	int result = wanted("cuEventElapsedTime");
	if (!from->is_recorded || !to->is_recorded)
		result = INVALID_VALUE;
	else if (from->over_ns > now_ns() || to->over_ns > now_ns())
		result = NOT_READY;
	/* "a resolution of around 0.5 microseconds" */
	const int64_t halves_us = (int64_t)((double)(to->over_ns - from->over_ns) * driver.speed / 500);
	*time_ms = (float)((double)halves_us / 2000);
	pthread_mutex_unlock(&driver.mutex);
	return result;
}
