/* Events of jobs: who is told what, in which order, and what of those who were away. */
#include "base/text.h"
#include "server/events.h"
#include "suite.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct perseus__events *events;

static void
set_up(void)
{
	ck_assert_int_eq(perseus__events_new(&events, NULL), PERSEUS_OK);
}

static void
tear_down(void)
{
	perseus__events_free(events);
}

static struct perseus__stream *
subscribe(const char *job, const char *last_event_id)
{
	struct perseus__stream *stream = NULL;
	ck_assert_int_eq(perseus__events_subscribe(events, job, last_event_id, &stream, NULL), PERSEUS_OK);
	return stream;
}

/* The next event on the wire; "" where there is none, "end" at the end. Of the last call. */
static const char *
next(struct perseus__stream *stream)
{
	static char text[4 * PERSEUS__EVENT_MAX_BYTES];
	const ssize_t n = perseus__stream_next(stream, text, sizeof text - 1);
	if (n < 0)
		return "end";
	text[n] = '\0';
	return text;
}

/* Its id, which the rest of the test keeps. */
static const char *
id_of(const char *event, char id[64])
{
	ck_assert_msg(strncmp(event, "id: ", 4) == 0, "%s", event);
	(void)snprintf(id, 64, "%.*s", (int)strcspn(event + 4, "\n"), event + 4);
	return id;
}

/* The number of an event, behind the dash of its id. */
static uint64_t
number_of(const char *event)
{
	char id[64];
	return strtoull(strchr(id_of(event, id), '-') + 1, NULL, 10);
}

START_TEST(events_are_told_in_order)
{
	struct perseus__stream *stream = subscribe(NULL, NULL);
	ck_assert_str_eq(next(stream), "retry: 2000\n\n");
	ck_assert_str_eq(next(stream), "");
	perseus__events_publish(events, "j\"1", "plan", "{\"revision\": 7}");
	perseus__events_publish(events, "j2", "rank", "{}");
	const char *event = next(stream);
	ck_assert_ptr_nonnull(strstr(event, "\nevent: plan\ndata: {\"job\": \"j\\\"1\", \"time_ms\": "));
	ck_assert_ptr_nonnull(strstr(event, ", \"details\": {\"revision\": 7}}\n\n"));
	ck_assert_uint_eq(number_of(event), 1);
	event = next(stream);
	ck_assert_ptr_nonnull(strstr(event, "\nevent: rank\ndata: {\"job\": \"j2\""));
	ck_assert_uint_eq(number_of(event), 2);
	ck_assert_str_eq(next(stream), "");
	perseus__stream_free(stream);
}
END_TEST

START_TEST(a_job_has_its_own)
{
	struct perseus__stream *stream = subscribe("b", NULL);
	(void)next(stream);
	perseus__events_publish(events, "a", "x1", "{}");
	ck_assert_str_eq(next(stream), "");
	perseus__events_publish(events, "b", "x2", "{}");
	perseus__events_publish(events, "bb", "x3", "{}");
	perseus__events_publish(events, "b", "x4", "{}");
	ck_assert_ptr_nonnull(strstr(next(stream), "event: x2\n"));
	ck_assert_ptr_nonnull(strstr(next(stream), "event: x4\n"));
	ck_assert_str_eq(next(stream), "");
	perseus__stream_free(stream);
}
END_TEST

START_TEST(who_was_away_goes_on_where_it_was)
{
	char id[64];
	struct perseus__stream *stream = subscribe(NULL, NULL);
	(void)next(stream);
	for (int i = 0; i < 3; i++)
		perseus__events_publish(events, "a", "x", "{}");
	(void)id_of(next(stream), id);
	perseus__stream_free(stream);
	stream = subscribe(NULL, id);
	(void)next(stream);
	ck_assert_uint_eq(number_of(next(stream)), 2);
	ck_assert_uint_eq(number_of(next(stream)), 3);
	ck_assert_str_eq(next(stream), "");
	perseus__stream_free(stream);
}
END_TEST

/* Of another server all that is kept is told: there may be news in it. What is no id begins now. */
START_TEST(ids_of_others)
{
	static const struct {
		const char *id;
		int n_told;
	} cases[] = {{"1-1", 2}, {"1-99", 2}, {"x", 0}, {"", 0}, {"5", 0}, {"5-", 0}, {"5-x", 0}, {"-5-1", 0}, {"5-1x", 0}};
	perseus__events_publish(events, "a", "x", "{}");
	perseus__events_publish(events, "a", "x", "{}");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct perseus__stream *stream = subscribe(NULL, cases[i].id);
		(void)next(stream);
		int n_told = 0;
		while (*next(stream))
			n_told++;
		ck_assert_msg(n_told == cases[i].n_told, "%s: %d", cases[i].id, n_told);
		perseus__stream_free(stream);
	}
}
END_TEST

START_TEST(who_is_too_slow_is_told_of_the_gap)
{
	struct perseus__stream *stream = subscribe("a", NULL);
	(void)next(stream);
	for (int i = 0; i < PERSEUS__EVENTS_KEPT + 5; i++)
		perseus__events_publish(events, "a", "x", "{}");
	const char *gap = next(stream);
	ck_assert_ptr_nonnull(strstr(gap, "\nevent: gap\ndata: {\"missed\": 5}\n\n"));
	ck_assert_uint_eq(number_of(gap), 5);
	for (uint64_t number = 6; number <= PERSEUS__EVENTS_KEPT + 5; number++)
		ck_assert_uint_eq(number_of(next(stream)), number);
	ck_assert_str_eq(next(stream), "");
	perseus__stream_free(stream);
}
END_TEST

/* However few they are: large events do not take more memory than they may. */
START_TEST(what_is_kept_is_bounded_in_bytes)
{
	enum { N = 2 * PERSEUS__EVENTS_MAX_BYTES / PERSEUS__EVENT_MAX_BYTES };
	struct perseus__text details = perseus__text_init(PERSEUS__EVENT_MAX_BYTES);
	struct perseus__stream *stream = subscribe(NULL, NULL);
	(void)next(stream);
	perseus__text_addf(&details, "{\"x\": \"%0*d\"}", PERSEUS__EVENT_MAX_BYTES - 9, 0);
	ck_assert_uint_eq(details.length, PERSEUS__EVENT_MAX_BYTES);
	for (int i = 0; i < N; i++)
		perseus__events_publish(events, "a", "x", details.bytes);
	const char *gap = next(stream);
	ck_assert_ptr_nonnull(strstr(gap, "event: gap\n"));
	const uint64_t n_gone = number_of(gap);
	ck_assert_uint_gt(n_gone, N / 2 - 1);
	ck_assert_uint_lt(n_gone, N / 2 + 8);
	ck_assert_uint_eq(number_of(next(stream)), n_gone + 1);
	perseus__text_fini(&details);
	perseus__stream_free(stream);
}
END_TEST

static void
count(void *user)
{
	++*(int *)user;
}

START_TEST(sleepers_are_woken_for_what_is_theirs)
{
	int n_woken = 0;
	int ends[2];
	struct perseus__stream *stream = subscribe("b", NULL);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	perseus__stream_attach(stream, ends[0], count, &n_woken);
	(void)next(stream);
	ck_assert(perseus__stream_wait(stream));
	perseus__events_publish(events, "a", "x", "{}");
	ck_assert_int_eq(n_woken, 0);
	perseus__events_publish(events, "b", "x", "{}");
	perseus__events_publish(events, "b", "x", "{}");
	ck_assert_int_eq(n_woken, 1);
	perseus__streams_end(perseus__events_streams(events));
	ck_assert_str_eq(next(stream), "end");
	perseus__stream_free(stream);
	(void)close(ends[0]);
	(void)close(ends[1]);
}
END_TEST

START_TEST(subscribers_are_bounded)
{
	struct perseus__stream *streams[PERSEUS__EVENTS_MAX_STREAMS];
	struct perseus__stream *more = NULL;
	for (int i = 0; i < PERSEUS__EVENTS_MAX_STREAMS; i++)
		streams[i] = subscribe(NULL, NULL);
	ck_assert_int_eq(perseus__events_n_streams(events), PERSEUS__EVENTS_MAX_STREAMS);
	ck_assert_int_eq(perseus__events_subscribe(events, "a", NULL, &more, NULL), PERSEUS_BUSY);
	ck_assert_ptr_null(more);
	for (int i = 0; i < PERSEUS__EVENTS_MAX_STREAMS; i++)
		perseus__stream_free(streams[i]);
	ck_assert_int_eq(perseus__events_n_streams(events), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("events");
	TCase *tcase = tcase_create("events");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, events_are_told_in_order);
	tcase_add_test(tcase, a_job_has_its_own);
	tcase_add_test(tcase, who_was_away_goes_on_where_it_was);
	tcase_add_test(tcase, ids_of_others);
	tcase_add_test(tcase, who_is_too_slow_is_told_of_the_gap);
	tcase_add_test(tcase, what_is_kept_is_bounded_in_bytes);
	tcase_add_test(tcase, sleepers_are_woken_for_what_is_theirs);
	tcase_add_test(tcase, subscribers_are_bounded);
	return run_suite(suite);
}
