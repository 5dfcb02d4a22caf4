/* The queue between training and the client's thread. */
#include "client/ring.h"
#include "suite.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct perseus__ring *
new_ring(void)
{
	struct perseus__ring *ring = NULL;
	ck_assert_int_eq(perseus__ring_new(&ring, NULL), PERSEUS_OK);
	return ring;
}

static struct perseus__event
event_of(int64_t number)
{
	return (struct perseus__event){.at_ns = number, .stage = (int32_t)(number % 1000), .mark = -1};
}

START_TEST(first_in_first_out)
{
	struct perseus__ring *ring = new_ring();
	ck_assert_ptr_null(perseus__ring_peek(ring));
	for (int64_t i = 0; i < 3 * (int64_t)PERSEUS__RING_EVENTS; i++) {
		const struct perseus__event event = event_of(i);
		ck_assert(perseus__ring_push(ring, &event));
		if (i % 2 == 0)
			continue;
		for (int64_t j = i - 1; j <= i; j++) {
			ck_assert_int_eq(perseus__ring_peek(ring)->at_ns, j);
			ck_assert(!perseus__ring_peek(ring)->is_after_loss);
			perseus__ring_pop(ring);
		}
	}
	ck_assert_ptr_null(perseus__ring_peek(ring));
	perseus__ring_free(ring);
}
END_TEST

START_TEST(drops_and_says_so)
{
	struct perseus__ring *ring = new_ring();
	const struct perseus__event event = event_of(1);
	for (int32_t i = 0; i < PERSEUS__RING_EVENTS; i++)
		ck_assert(perseus__ring_push(ring, &event));
	ck_assert(!perseus__ring_push(ring, &event));
	ck_assert(!perseus__ring_push(ring, &event));
	ck_assert_int_eq(perseus__ring_n_dropped(ring), 2);
	ck_assert_int_eq(perseus__ring_length(ring), PERSEUS__RING_EVENTS);
	perseus__ring_pop(ring);
	ck_assert(perseus__ring_push(ring, &event));
	perseus__ring_pop(ring);
	ck_assert(perseus__ring_push(ring, &event));
	for (int32_t i = 0; i < PERSEUS__RING_EVENTS - 2; i++) {
		ck_assert(!perseus__ring_peek(ring)->is_after_loss);
		perseus__ring_pop(ring);
	}
	ck_assert(perseus__ring_peek(ring)->is_after_loss); /* the first that fitted, and no other */
	perseus__ring_pop(ring);
	ck_assert(!perseus__ring_peek(ring)->is_after_loss);
	perseus__ring_free(ring);
}
END_TEST

enum { N_EVENTS = 2000000 };

static void *
produce(void *user)
{
	struct perseus__ring *ring = user;
	for (int64_t i = 0; i < N_EVENTS; i++) {
		const struct perseus__event event = event_of(i);
		(void)perseus__ring_push(ring, &event);
	}
	return NULL;
}

/* Whatever two threads do: nothing comes twice or out of order, and what is missing was counted and told. */
START_TEST(two_threads)
{
	struct perseus__ring *ring = new_ring();
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, produce, ring), 0);
	int64_t next = 0;
	int64_t n_missing = 0;
	while (next + (perseus__ring_n_dropped(ring) - n_missing) < N_EVENTS) {
		const struct perseus__event *event = perseus__ring_peek(ring);
		if (!event)
			continue;
		ck_assert_int_ge(event->at_ns, next);
		ck_assert_int_eq(event->stage, event->at_ns % 1000);
		ck_assert_int_eq(event->is_after_loss, event->at_ns > next);
		n_missing += event->at_ns - next;
		next = event->at_ns + 1;
		perseus__ring_pop(ring);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_ptr_null(perseus__ring_peek(ring));
	perseus__ring_free(ring);
}
END_TEST

START_TEST(is_dead_in_a_child)
{
	struct perseus__ring *ring = new_ring();
	ck_assert(perseus__ring_is_live(ring));
	const pid_t child = fork();
	if (child == 0)
		_exit(perseus__ring_is_live(ring) ? EXIT_FAILURE : EXIT_SUCCESS);
	int status = -1;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert(perseus__ring_is_live(ring));
	perseus__ring_free(ring);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client ring");
	TCase *cases = tcase_create("all");
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, first_in_first_out);
	tcase_add_test(cases, drops_and_says_so);
	tcase_add_test(cases, two_threads);
	tcase_add_test(cases, is_dead_in_a_child);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
