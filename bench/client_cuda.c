/*
 * What the client costs where instructions run on a GPU: `bench_client_cuda SERVER STEPS` runs steps of 8 forwards and
 * 8 backwards, put in line on a stream without waiting, in a dry run on the first GPU. It prints a JSON object: time of
 * a begin and an end together, steps with and without the client, and times of forward and backward by its own events,
 * which a server's reports can be held against. SERVER may be "".
 *
 * The work is filling memory, so that nothing but the driver's library is needed. No setting of the GPU is touched.
 */
#include "measure.h"

#include <perseus/client.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 8, MAX_STEPS = BENCH_MAX_RUNS, BYTES = 1 << 30, F_FILLS = 40, B_FILLS = 80 };

#define CALL_MAP(X)                                                                      \
	X(cuInit, (unsigned flags))                                                          \
	X(cuDeviceGet, (int *device, int number))                                            \
	X(cuDevicePrimaryCtxRetain, (void **context, int device))                            \
	X(cuCtxSetCurrent, (void *context))                                                  \
	X(cuStreamCreate, (void **stream, unsigned flags))                                   \
	X(cuStreamSynchronize, (void *stream))                                               \
	X(cuMemAlloc_v2, (unsigned long long *at, size_t bytes))                             \
	X(cuMemsetD32Async, (unsigned long long at, unsigned value, size_t n, void *stream)) \
	X(cuEventCreate, (void **event, unsigned flags))                                     \
	X(cuEventRecord, (void *event, void *stream))                                        \
	X(cuEventElapsedTime, (float *time_ms, void *start, void *end))

static struct {
#define X(name, parameters) int(*name) parameters;
	CALL_MAP(X)
#undef X
} driver;

static void *stream;
static unsigned long long memory;
static struct perseus_client *client;
static void *events[4];
static double pair_ns, n_pairs;

static void
require(int result, const char *what)
{
	if (result != 0) {
		(void)fprintf(stderr, "%s: error %d\n", what, result);
		exit(EXIT_FAILURE);
	}
}

static double
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void
load(void)
{
	void *library = dlopen("libcuda.so.1", RTLD_NOW);
	if (!library)
		bench_die("libcuda.so.1 cannot be opened", NULL);
#define X(name, parameters)                                     \
	{                                                           \
		void *address = dlsym(library, #name);                  \
		memcpy((char *)&driver.name, &address, sizeof address); \
		require(address ? 0 : 1, #name);                        \
	}
	CALL_MAP(X)
#undef X
	int device = 0;
	void *context = NULL;
	require(driver.cuInit(0), "cuInit");
	require(driver.cuDeviceGet(&device, 0), "cuDeviceGet");
	require(driver.cuDevicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
	require(driver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
	require(driver.cuStreamCreate(&stream, 1), "cuStreamCreate");
	require(driver.cuMemAlloc_v2(&memory, BYTES), "cuMemAlloc");
	for (int i = 0; i < 4; i++)
		require(driver.cuEventCreate(&events[i], 0), "cuEventCreate");
}

static void
run_instruction(struct perseus_client *told, enum perseus_kind kind, int number)
{
	const size_t is_backward = kind == PERSEUS_KIND_BACKWARD;
	const double begin_ns = now_ns();
	perseus_client_begin(told, kind, 0, number);
	const double begun_ns = now_ns();
	if (number == 0)
		require(driver.cuEventRecord(events[2 * is_backward], stream), "cuEventRecord");
	for (int i = 0; i < (is_backward ? B_FILLS : F_FILLS); i++)
		require(driver.cuMemsetD32Async(memory, (unsigned)i, BYTES / 4, stream), "cuMemsetD32Async");
	if (number == 0)
		require(driver.cuEventRecord(events[2 * is_backward + 1], stream), "cuEventRecord");
	const double end_ns = now_ns();
	perseus_client_end(told);
	pair_ns += begun_ns - begin_ns + now_ns() - end_ns;
	n_pairs++;
}

/* Its time, in ms. */
static double
run_step(struct perseus_client *told)
{
	const double begin_ns = now_ns();
	perseus_client_step_begin(told);
	for (int i = 0; i < 2 * N; i++)
		run_instruction(told, i < N ? PERSEUS_KIND_FORWARD : PERSEUS_KIND_BACKWARD, i % N);
	perseus_client_step_end(told);
	require(driver.cuStreamSynchronize(stream), "cuStreamSynchronize");
	return (now_ns() - begin_ns) * 1e-6;
}

static double
elapsed_ms(int first)
{
	float time_ms = 0;
	require(driver.cuEventElapsedTime(&time_ms, events[first], events[first + 1]), "cuEventElapsedTime");
	return time_ms;
}

static void
print_line(void *user, const char *line)
{
	(void)user;
	(void)fprintf(stderr, "%s\n", line);
}

int
main(int argc, char **argv)
{
	static double with_ms[MAX_STEPS], without_ms[MAX_STEPS], f_ms[MAX_STEPS], b_ms[MAX_STEPS];
	struct perseus_error err;
	if (argc != 3)
		bench_die("usage: bench_client_cuda SERVER STEPS", NULL);
	const int n = bench_integer(argv[2], "STEPS", 1, MAX_STEPS);
	load();
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.server_url = argv[1];
	settings.job_name = "bench";
	settings.control = PERSEUS_CONTROL_DRY_RUN;
	settings.has_cuda = true;
	settings.log = print_line;
	if (perseus_client_open(&settings, &client, &err) != PERSEUS_OK)
		bench_die("open", &err);
	perseus_client_set_stream(client, stream);
	for (int i = 0; i < 5; i++) /* the first ones make the events */
		(void)run_step(client);
	/* In turns, so that what drifts drifts in both. */
	double with_pair_ns = 0;
	for (int i = 0; i < n; i++) {
		without_ms[i] = run_step(NULL);
		pair_ns = n_pairs = 0;
		with_ms[i] = run_step(client);
		with_pair_ns += pair_ns / n_pairs / n;
		f_ms[i] = elapsed_ms(0);
		b_ms[i] = elapsed_ms(2);
	}
	struct perseus_client_info info;
	const struct timespec second = {.tv_sec = 1};
	(void)nanosleep(&second, NULL);
	perseus_client_info(client, &info);
	printf("{\"what\": \"client, CUDA\", \"pair_us\": %.2f, \"step_ms\": %.3f, \"bare_step_ms\": %.3f, "
		   "\"forward_ms\": %.4f, \"backward_ms\": %.4f, \"steps\": %d, \"followed\": %lld, \"dropped\": %lld}\n",
			with_pair_ns * 1e-3, bench_median(with_ms, n), bench_median(without_ms, n), bench_median(f_ms, n),
			bench_median(b_ms, n), n, (long long)info.n_followed, (long long)info.n_dropped);
	perseus_client_close(client);
	return 0;
}
