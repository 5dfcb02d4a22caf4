/* CUDA events: their numbers, their times on the monotonic clock, and a client that goes by them. */
#include "base/clock.h"
#include "client/cuda.h"
#include "cuda_double.h"
#include "suite.h"

#include <perseus/client.h>

#include <check.h>
#include <stdlib.h>
#include <time.h>

#define MS INT64_C(1000000)

static void
nap(int64_t ns)
{
	const struct timespec pause = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	(void)nanosleep(&pause, NULL);
}

/* With events made. */
static struct perseus__cuda *
new_cuda(void)
{
	struct perseus__cuda *cuda = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__cuda_new(&cuda, &err) == PERSEUS_OK, "%s", err.message);
	cuda_double_enter(1);
	ck_assert_int_eq(perseus__cuda_record(cuda, NULL), -1); /* the context is taken */
	ck_assert(perseus__cuda_prepare(cuda, NULL));
	ck_assert_int_eq(cuda_double_n_events(), PERSEUS__CUDA_EVENTS);
	return cuda;
}

static void
free_cuda(struct perseus__cuda *cuda)
{
	perseus__cuda_release(cuda);
	ck_assert_int_eq(cuda_double_n_events(), 0);
	perseus__cuda_free(cuda);
}

START_TEST(needs_a_context)
{
	struct perseus__cuda *cuda = NULL;
	ck_assert_int_eq(perseus__cuda_new(&cuda, NULL), PERSEUS_OK);
	cuda_double_enter(0);
	ck_assert_int_eq(perseus__cuda_record(cuda, NULL), -1);
	ck_assert(perseus__cuda_prepare(cuda, NULL));
	ck_assert_int_eq(cuda_double_n_events(), 0);
	cuda_double_enter(1);
	ck_assert_int_eq(perseus__cuda_record(cuda, NULL), -1);
	ck_assert(perseus__cuda_prepare(cuda, NULL));
	ck_assert_int_eq(perseus__cuda_record(cuda, NULL), 0);
	free_cuda(cuda);
}
END_TEST

START_TEST(events_run_out_and_come_back)
{
	struct perseus__cuda *cuda = new_cuda();
	int32_t n = 0;
	const int64_t begin_ns = perseus__clock_mono_ns();
	while (perseus__cuda_record(cuda, NULL) == n)
		n++;
	ck_assert_int_eq(n, PERSEUS__CUDA_EVENTS / 2);
	int64_t at_ns = 0;
	for (int32_t i = 0; i < 3 * PERSEUS__CUDA_EVENTS; i++) {
		ck_assert_int_eq(perseus__cuda_ask(cuda, i % PERSEUS__CUDA_EVENTS, begin_ns, &at_ns), PERSEUS__CUDA_OVER);
		ck_assert_int_eq(perseus__cuda_record(cuda, NULL), (i + n) % PERSEUS__CUDA_EVENTS);
	}
	free_cuda(cuda);
}
END_TEST

/*
 * Times between events are the GPU's to a us; where they lie is known to what the clocks may drift, and to how late the
 * event was asked for. What a busy machine adds to that is measured here, too.
 */
static void
check_times(double speed)
{
	struct perseus__cuda *cuda = new_cuda();
	cuda_double_drift(speed);
	int64_t first_ns = 0;
	int64_t first_true_ns = 0;
	for (int32_t i = 0; i < 200; i++) {
		const int64_t asked_ns = perseus__clock_mono_ns();
		const int64_t true_ns = cuda_double_work(NULL, i == 0 ? 0 : 2 * MS);
		const int32_t event = perseus__cuda_record(cuda, NULL);
		int64_t at_ns = 0;
		int64_t before_ns = perseus__clock_mono_ns();
		const int64_t behind_ns = before_ns > true_ns ? before_ns - true_ns : 0; /* at most: the work, by the event */
		int64_t late_ns = 0; /* at most: since it was last seen not to be over */
		while (perseus__cuda_ask(cuda, event, asked_ns, &at_ns) == PERSEUS__CUDA_PENDING) {
			before_ns = perseus__clock_mono_ns();
			nap(MS / 10);
		}
		late_ns = perseus__clock_mono_ns() - before_ns;
		ck_assert_int_ge(at_ns, asked_ns);
		ck_assert_int_le(at_ns, perseus__clock_mono_ns());
		if (i == 0) {
			first_ns = at_ns;
			first_true_ns = true_ns;
			continue;
		}
		const int64_t off_ns = (at_ns - first_ns) - (true_ns - first_true_ns);
		const int64_t open_ns = behind_ns + late_ns + (true_ns - first_true_ns) / 2000 + MS / 5;
		ck_assert_msg(llabs(off_ns) <= open_ns + (first_ns - first_true_ns), "event %d: off by %lld of %lld ns", (int)i,
				(long long)off_ns, (long long)open_ns);
	}
	free_cuda(cuda);
}

START_TEST(times)
{
	static const double speeds[] = {1, 1.00005, 0.99995};
	check_times(speeds[_i]);
}
END_TEST

/* However far the clocks run apart: an event is over after it was recorded, and before it was seen to be. */
START_TEST(bounds)
{
	struct perseus__cuda *cuda = new_cuda();
	cuda_double_drift(_i ? 1.1 : 0.9);
	for (int32_t i = 0; i < 40; i++) {
		int64_t at_ns = 0;
		const int64_t asked_ns = perseus__clock_mono_ns();
		const int32_t event = perseus__cuda_record(cuda, NULL);
		ck_assert_int_eq(perseus__cuda_ask(cuda, event, asked_ns, &at_ns), PERSEUS__CUDA_OVER);
		ck_assert_int_ge(at_ns, asked_ns);
		ck_assert_int_le(at_ns, perseus__clock_mono_ns());
		nap(5 * MS);
	}
	free_cuda(cuda);
}
END_TEST

START_TEST(failures)
{
	struct perseus__cuda *cuda = new_cuda();
	int64_t at_ns = 0;
	cuda_double_fail("cuEventRecord", 700);
	ck_assert_int_eq(perseus__cuda_record(cuda, NULL), -1);
	cuda_double_fail("cuEventRecord", 0);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "cuEventElapsedTime" : "cuEventQuery";
		const int32_t reference = perseus__cuda_record(cuda, NULL);
		const int32_t event = perseus__cuda_record(cuda, NULL);
		ck_assert_int_eq(perseus__cuda_ask(cuda, reference, 0, &at_ns), PERSEUS__CUDA_OVER);
		cuda_double_fail(name, 4);
		ck_assert_int_eq(perseus__cuda_ask(cuda, event, 0, &at_ns), PERSEUS__CUDA_FAILED);
		cuda_double_fail(name, 0);
	}
	free_cuda(cuda);
	struct perseus_error err = {.message = ""};
	cuda_double_fail("cuEventCreate", 2);
	ck_assert_int_eq(perseus__cuda_new(&cuda, NULL), PERSEUS_OK);
	(void)perseus__cuda_record(cuda, NULL);
	ck_assert(!perseus__cuda_prepare(cuda, &err));
	ck_assert_str_eq(err.message, "no CUDA events: error 2");
	ck_assert(perseus__cuda_prepare(cuda, &err)); /* once is enough */
	ck_assert_int_eq(perseus__cuda_record(cuda, NULL), -1);
	free_cuda(cuda);
}
END_TEST

static struct perseus_client_info
info_of(struct perseus_client *client)
{
	struct perseus_client_info info;
	perseus_client_info(client, &info);
	return info;
}

/* Training is far ahead of the GPU: what the client counts is what the GPU has done. */
START_TEST(a_client_goes_by_the_gpu)
{
	struct perseus_client *client = NULL;
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.control = PERSEUS_CONTROL_NONE;
	settings.has_cuda = true;
	cuda_double_enter(1);
	ck_assert_int_eq(perseus_client_open(&settings, &client, NULL), PERSEUS_OK);
	/* Until there are events, steps are seen and not timed. */
	while (cuda_double_n_events() < PERSEUS__CUDA_EVENTS) {
		perseus_client_step_begin(client);
		perseus_client_begin(client, PERSEUS_KIND_FORWARD, 0, 0);
		perseus_client_end(client);
		perseus_client_step_end(client);
		nap(5 * MS);
	}
	nap(50 * MS);
	void *stream = cuda_double_stream(1);
	perseus_client_set_stream(client, stream);
	const int64_t n_before = info_of(client).n_steps;
	int64_t until_ns = 0;
	for (int i = 0; i < 4; i++) {
		perseus_client_step_begin(client);
		perseus_client_begin(client, PERSEUS_KIND_FORWARD, 0, 0);
		until_ns = cuda_double_work(stream, 300 * MS);
		perseus_client_end(client);
		perseus_client_step_end(client);
	}
	while (perseus__clock_mono_ns() < until_ns) {
		const struct perseus_client_info info = info_of(client);
		const int64_t now_ns = perseus__clock_mono_ns();
		const int64_t n_begun = 4 - (until_ns - now_ns) / (300 * MS); /* on the GPU, at most */
		ck_assert_int_le(info.n_steps - n_before, n_begun < 1 ? 1 : n_begun);
		nap(20 * MS);
	}
	for (int i = 0; i < 4000 && info_of(client).n_steps < n_before + 4; i++)
		nap(5 * MS);
	ck_assert_int_eq(info_of(client).n_steps, n_before + 4);
	/* A context that goes away leaves training alone. */
	cuda_double_fail("cuEventQuery", 4);
	cuda_double_fail("cuEventRecord", 4);
	for (int i = 0; i < 10; i++) {
		perseus_client_step_begin(client);
		perseus_client_step_end(client);
	}
	for (int i = 0; i < 4000 && info_of(client).n_steps < n_before + 14; i++)
		nap(5 * MS);
	ck_assert_int_eq(info_of(client).n_steps, n_before + 14);
	perseus_client_close(client);
	ck_assert_int_eq(cuda_double_n_events(), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client cuda");
	TCase *tests = tcase_create("all");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, needs_a_context);
	tcase_add_test(tests, events_run_out_and_come_back);
	tcase_add_loop_test(tests, times, 0, 3);
	tcase_add_loop_test(tests, bounds, 0, 2);
	tcase_add_test(tests, failures);
	tcase_add_test(tests, a_client_goes_by_the_gpu);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
