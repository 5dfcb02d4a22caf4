/* Streams of power: who is polled, what is sent, and to whom. */
#include "fake_link.h"
#include "suite.h"

#include "agent/front.h"
#include "agent/stream.h"
#include "agent/topic.h"
#include "base/clock.h"
#include "device/device.h"

#include <check.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { POLL_HZ = 200, PERIOD_MS = 1000 / POLL_HZ, PATIENCE_MS = 10000 };

/* The node's clock stands but while the package is read. */
static _Atomic int64_t clock_ns;

static struct perseus_node *node;
static struct perseus__front *front;
static struct perseus__front_settings settings;

/* A GPU whose power is set, and a package whose power is that, too. */
static struct meter {
	atomic_int n_reads;
	atomic_int power_mw;
	atomic_bool is_slow; /* a reading that has begun takes until this is false */
} gpus[2], package;

static int64_t
read_clock(void *user)
{
	(void)user;
	return atomic_load(&clock_ns);
}

static void
wait_ms(int time_ms)
{
	(void)poll(NULL, 0, time_ms);
}

static enum perseus_status
read_gpu(void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err)
{
	struct meter *meter = self;
	(void)err;
	if (quantity != PERSEUS_QUANTITY_POWER)
		return PERSEUS_UNSUPPORTED;
	atomic_fetch_add(&meter->n_reads, 1);
	*value = atomic_load(&meter->power_mw);
	while (atomic_load(&meter->is_slow))
		wait_ms(1);
	return PERSEUS_OK;
}

static enum perseus_status
read_package(void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err)
{
	struct meter *meter = self;
	(void)err;
	if (quantity != PERSEUS_QUANTITY_ENERGY)
		return PERSEUS_UNSUPPORTED;
	atomic_fetch_add(&meter->n_reads, 1);
	const int64_t now_ns = atomic_fetch_add(&clock_ns, (int64_t)PERIOD_MS * 1000000);
	*value = now_ns / 1000000 * atomic_load(&meter->power_mw); /* ms * mW = uJ */
	return PERSEUS_OK;
}

static void
add(enum perseus_device_kind kind, int32_t index, struct meter *meter)
{
	static const struct perseus__device_ops gpu_ops = {.read = read_gpu};
	static const struct perseus__device_ops package_ops = {.read = read_package};
	const struct perseus__device device = {.info = {.kind = kind, .index = index},
		.ops = kind == PERSEUS_DEVICE_GPU ? &gpu_ops : &package_ops,
		.self = meter};
	ck_assert_int_eq(perseus__node_add(node, &device, NULL), PERSEUS_OK);
	atomic_store(&meter->n_reads, 0);
	atomic_store(&meter->power_mw, 150000);
}

static void
set_up(void)
{
	static const struct perseus_node_settings node_settings = {.now_ns = read_clock};
	settings = (struct perseus__front_settings){.groups = 7, .gpu_poll_hz = POLL_HZ, .cpu_poll_hz = POLL_HZ};
	/* A node of one simulated GPU, number 0, which nobody looks at, and ours behind it. */
	ck_assert_int_eq(perseus_node_open("sim:a100x1", &node_settings, &node, NULL), PERSEUS_OK);
	add(PERSEUS_DEVICE_GPU, 4, &gpus[0]);
	add(PERSEUS_DEVICE_GPU, 5, &gpus[1]);
	add(PERSEUS_DEVICE_CPU, 0, &package);
}

static void
start(void)
{
	ck_assert_int_eq(perseus__front_new(node, NULL, &settings, &front, NULL), PERSEUS_OK);
}

static void
tear_down(void)
{
	perseus__front_stop(front);
	perseus__front_free(front);
	perseus_node_close(node);
}

static void
wait_for_reads(const struct meter *meter, int n)
{
	for (int waited_ms = 0; atomic_load(&meter->n_reads) < n; waited_ms++) {
		ck_assert_msg(waited_ms < PATIENCE_MS, "%d reads, not %d", atomic_load(&meter->n_reads), n);
		wait_ms(1);
	}
}

/* Until what is there now has been read and told of: the next reading sees it, and another one follows that. */
static void
wait_for_news(const struct meter *meter)
{
	wait_for_reads(meter, atomic_load(&meter->n_reads) + 2);
}

/* A subscriber; its connection is a pair of sockets. */
struct subscriber {
	struct perseus__stream *stream;
	int ends[2];
	atomic_int n_woken;
	char text[4096];
};

static void
wake(void *user)
{
	struct subscriber *subscriber = user;
	atomic_fetch_add(&subscriber->n_woken, 1);
}

static void
subscribe(struct subscriber *subscriber, bool is_gpu, const int32_t *positions, int32_t n)
{
	ck_assert_int_eq(
			perseus__power_stream_new(front->streams, is_gpu, positions, n, &subscriber->stream, NULL), PERSEUS_OK);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, subscriber->ends), 0);
	atomic_store(&subscriber->n_woken, 0);
	perseus__stream_attach(subscriber->stream, subscriber->ends[0], wake, subscriber);
}

static void
leave(struct subscriber *subscriber)
{
	perseus__stream_free(subscriber->stream);
	(void)close(subscriber->ends[0]);
	(void)close(subscriber->ends[1]);
}

/* The next event, which may take up to `limit_ms`; "" where there is none, "end" at the end. */
static const char *
next(struct subscriber *subscriber, int limit_ms)
{
	for (int waited_ms = 0;; waited_ms++) {
		const ssize_t n = perseus__stream_next(subscriber->stream, subscriber->text, sizeof subscriber->text - 1);
		if (n < 0)
			return "end";
		subscriber->text[n] = '\0';
		if (n > 0 || waited_ms >= limit_ms)
			return subscriber->text;
		wait_ms(1);
	}
}

/* Where the time stamp of an event ends; it must be there. */
static const char *
without_time(const char *event)
{
	static const char head[] = "data: {\"timestamp_ms\": ";
	ck_assert_msg(strncmp(event, head, sizeof head - 1) == 0, "'%s'", event);
	return event + sizeof head - 1 + strspn(event + sizeof head - 1, "0123456789");
}

START_TEST(the_first_event_comes_at_once_and_later_ones_at_changes)
{
	struct subscriber subscriber;
	const int32_t position = 1;
	start();
	subscribe(&subscriber, true, &position, 1);
	ck_assert_str_eq(without_time(next(&subscriber, PATIENCE_MS)), ", \"gpu_id\": 4, \"power_mw\": 150000}\n\n");
	wait_for_news(&gpus[0]);
	ck_assert_str_eq(next(&subscriber, 0), "");
	atomic_store(&gpus[0].power_mw, 160000);
	ck_assert_str_eq(without_time(next(&subscriber, PATIENCE_MS)), ", \"gpu_id\": 4, \"power_mw\": 160000}\n\n");
	leave(&subscriber);
}
END_TEST

START_TEST(a_second_subscriber_does_not_wait_for_a_change)
{
	struct subscriber first, second;
	const int32_t position = 1;
	start();
	subscribe(&first, true, &position, 1);
	(void)without_time(next(&first, PATIENCE_MS));
	subscribe(&second, true, &position, 1);
	(void)without_time(next(&second, 0));
	leave(&first);
	leave(&second);
}
END_TEST

START_TEST(only_what_is_subscribed_is_polled)
{
	struct subscriber subscriber;
	const int32_t position = 2;
	start();
	const int n_before = atomic_load(&gpus[1].n_reads);
	wait_ms(10 * PERIOD_MS);
	ck_assert_int_eq(atomic_load(&gpus[1].n_reads), n_before);
	subscribe(&subscriber, true, &position, 1);
	wait_for_reads(&gpus[1], n_before + 4);
	ck_assert_int_eq(atomic_load(&gpus[0].n_reads), 0);
	ck_assert_int_eq(atomic_load(&package.n_reads), 0);
	leave(&subscriber);
	const int n_after = atomic_load(&gpus[1].n_reads);
	wait_ms(10 * PERIOD_MS);
	ck_assert_int_le(atomic_load(&gpus[1].n_reads), n_after + 1); /* one may have been under way */
}
END_TEST

START_TEST(a_device_has_one_poller)
{
	struct subscriber subscribers[8];
	const int32_t position = 1;
	start();
	const int64_t began_ns = perseus__clock_mono_ns();
	for (int i = 0; i < 8; i++)
		subscribe(&subscribers[i], true, &position, 1);
	wait_for_reads(&gpus[0], 20);
	const int n_reads = atomic_load(&gpus[0].n_reads);
	const int64_t time_ms = (perseus__clock_mono_ns() - began_ns) / 1000000;
	ck_assert_int_le(n_reads, time_ms / PERIOD_MS + 1); /* the first at once */
	for (int i = 0; i < 8; i++)
		leave(&subscribers[i]);
}
END_TEST

static bool
is_polled(int32_t position)
{
	struct perseus__power_streams *streams = (struct perseus__power_streams *)front->streams;
	perseus__streams_lock(&streams->base);
	const bool is_polled = streams->gpus[position].is_polled;
	perseus__streams_unlock(&streams->base);
	return is_polled;
}

/* The last subscriber goes while the device is read: whoever comes later is not told what was read then. */
START_TEST(what_nobody_waited_for_is_forgotten)
{
	struct subscriber first, second;
	const int32_t position = 1;
	start();
	atomic_store(&gpus[0].is_slow, true);
	subscribe(&first, true, &position, 1);
	wait_for_reads(&gpus[0], 1);
	leave(&first);
	atomic_store(&gpus[0].is_slow, false);
	for (int waited_ms = 0; is_polled(position); waited_ms++) {
		ck_assert_int_lt(waited_ms, PATIENCE_MS);
		wait_ms(1);
	}
	atomic_store(&gpus[0].power_mw, 160000);
	atomic_store(&gpus[0].is_slow, true);
	subscribe(&second, true, &position, 1);
	ck_assert_str_eq(next(&second, 0), "");
	atomic_store(&gpus[0].is_slow, false);
	ck_assert_str_eq(without_time(next(&second, PATIENCE_MS)), ", \"gpu_id\": 4, \"power_mw\": 160000}\n\n");
	leave(&second);
}
END_TEST

START_TEST(devices_take_turns)
{
	struct subscriber subscriber;
	const int32_t positions[] = {1, 2};
	start();
	subscribe(&subscriber, true, positions, 2);
	wait_for_news(&gpus[0]);
	wait_for_news(&gpus[1]);
	ck_assert_ptr_nonnull(strstr(next(&subscriber, 0), "\"gpu_id\": 4"));
	atomic_store(&gpus[0].power_mw, 1);
	wait_for_news(&gpus[0]);
	ck_assert_ptr_nonnull(strstr(next(&subscriber, 0), "\"gpu_id\": 5"));
	ck_assert_ptr_nonnull(strstr(next(&subscriber, 0), "\"gpu_id\": 4"));
	leave(&subscriber);
}
END_TEST

START_TEST(cpus_tell_the_power_of_the_time_that_passed)
{
	struct subscriber subscriber;
	const int32_t position = 0;
	static const char head[] = ", \"cpu_id\": 0, \"cpu_mw\": ";
	char *end = NULL;
	start();
	subscribe(&subscriber, false, &position, 1);
	const char *event = without_time(next(&subscriber, PATIENCE_MS));
	ck_assert_msg(strncmp(event, head, sizeof head - 1) == 0, "%s", event);
	const long power_mw = strtol(event + sizeof head - 1, &end, 10);
	ck_assert_str_eq(end, ", \"dram_mw\": null}\n\n");
	ck_assert_int_eq(power_mw, 150000);
	leave(&subscriber);
}
END_TEST

START_TEST(snapshots_hold_all_devices)
{
	struct subscriber subscriber;
	const int32_t positions[] = {1, 2};
	settings.is_snapshot = true;
	start();
	subscribe(&subscriber, true, positions, 2);
	ck_assert_str_eq(
			without_time(next(&subscriber, PATIENCE_MS)), ", \"power_mw\": {\"4\": 150000, \"5\": 150000}}\n\n");
	atomic_store(&gpus[1].power_mw, 1000);
	ck_assert_str_eq(without_time(next(&subscriber, PATIENCE_MS)), ", \"power_mw\": {\"4\": 150000, \"5\": 1000}}\n\n");
	leave(&subscriber);
}
END_TEST

START_TEST(waiting_subscribers_are_woken_once)
{
	struct subscriber subscriber;
	const int32_t position = 1;
	start();
	subscribe(&subscriber, true, &position, 1);
	(void)without_time(next(&subscriber, PATIENCE_MS));
	ck_assert(perseus__stream_wait(subscriber.stream));
	wait_for_news(&gpus[0]);
	ck_assert_int_eq(atomic_load(&subscriber.n_woken), 0);
	atomic_store(&gpus[0].power_mw, 1);
	wait_for_news(&gpus[0]);
	atomic_store(&gpus[0].power_mw, 2);
	wait_for_news(&gpus[0]);
	ck_assert_int_eq(atomic_load(&subscriber.n_woken), 1);
	ck_assert(!perseus__stream_wait(subscriber.stream)); /* there is something */
	leave(&subscriber);
}
END_TEST

/* One that sleeps is not told by its socket: somebody has to look. */
START_TEST(peers_that_are_gone_are_found)
{
	struct subscriber subscriber;
	const int32_t position = 1;
	start();
	subscribe(&subscriber, true, &position, 1);
	(void)without_time(next(&subscriber, PATIENCE_MS));
	ck_assert(perseus__stream_wait(subscriber.stream));
	perseus__streams_tick(front->streams);
	ck_assert_int_eq(atomic_load(&subscriber.n_woken), 0);
	(void)shutdown(subscriber.ends[1], SHUT_RDWR);
	perseus__streams_tick(front->streams);
	ck_assert_int_eq(atomic_load(&subscriber.n_woken), 1);
	ck_assert_str_eq(next(&subscriber, 0), "end");
	leave(&subscriber);
}
END_TEST

START_TEST(the_end_of_all_streams_is_told)
{
	struct subscriber asleep, awake;
	const int32_t position = 1;
	start();
	subscribe(&asleep, true, &position, 1);
	subscribe(&awake, true, &position, 1);
	(void)without_time(next(&asleep, PATIENCE_MS));
	ck_assert(perseus__stream_wait(asleep.stream));
	perseus__front_stop(front);
	ck_assert_int_eq(atomic_load(&asleep.n_woken), 1);
	ck_assert_str_eq(next(&asleep, 0), "end");
	ck_assert_str_eq(next(&awake, 0), "end");
	leave(&asleep);
	leave(&awake);
}
END_TEST

START_TEST(events_may_be_taken_in_pieces)
{
	struct subscriber subscriber;
	const int32_t position = 1;
	char whole[512] = "";
	start();
	subscribe(&subscriber, true, &position, 1);
	wait_for_news(&gpus[0]);
	for (size_t length = 0; length < sizeof whole - 8;) {
		const ssize_t n = perseus__stream_next(subscriber.stream, whole + length, 7);
		ck_assert_int_le(n, 7);
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	ck_assert_str_eq(without_time(whole), ", \"gpu_id\": 4, \"power_mw\": 150000}\n\n");
	leave(&subscriber);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stream");
	TCase *tcase = tcase_create("stream");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, the_first_event_comes_at_once_and_later_ones_at_changes);
	tcase_add_test(tcase, a_second_subscriber_does_not_wait_for_a_change);
	tcase_add_test(tcase, only_what_is_subscribed_is_polled);
	tcase_add_test(tcase, a_device_has_one_poller);
	tcase_add_test(tcase, what_nobody_waited_for_is_forgotten);
	tcase_add_test(tcase, devices_take_turns);
	tcase_add_test(tcase, cpus_tell_the_power_of_the_time_that_passed);
	tcase_add_test(tcase, snapshots_hold_all_devices);
	tcase_add_test(tcase, waiting_subscribers_are_woken_once);
	tcase_add_test(tcase, peers_that_are_gone_are_found);
	tcase_add_test(tcase, the_end_of_all_streams_is_told);
	tcase_add_test(tcase, events_may_be_taken_in_pieces);
	return run_suite(suite);
}
