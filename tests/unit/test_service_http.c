/* HTTP for an application, over real sockets: bodies, answers that come later, and peers that go meanwhile. */
#include "base/clock.h"
#include "service/server.h"
#include "suite.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PARKED = 512, MAX_BODY = 1000, PATIENCE_MS = 10000 };

/* An application that parks what asks for /park, and tells how long the body of anything else was. */
static struct {
	pthread_mutex_t mutex;
	struct perseus__exchange *parked[MAX_PARKED];
	int n_parked;
	atomic_int n_abandoned;
	atomic_int n_done;
	bool is_ending;
	atomic_bool is_stubborn; /* keeps what is abandoned */
	atomic_bool is_released; /* /block goes on */
} app = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static int n_threads = 2;
static int listener;
static struct sockaddr_storage address;
static socklen_t address_bytes;
static struct perseus__application application;
static struct perseus__server *server;

/* Takes one out; false where somebody else has. */
static bool
take(const struct perseus__exchange *exchange)
{
	bool is_there = false;
	(void)pthread_mutex_lock(&app.mutex);
	for (int i = 0; i < app.n_parked && !is_there; i++) {
		is_there = app.parked[i] == exchange;
		if (is_there)
			app.parked[i] = app.parked[--app.n_parked];
	}
	(void)pthread_mutex_unlock(&app.mutex);
	return is_there;
}

static void
abandon(struct perseus__exchange *exchange)
{
	atomic_fetch_add(&app.n_abandoned, 1);
	if (atomic_load(&app.is_stubborn) || !take(exchange))
		return;
	perseus__respond(exchange, 204);
	exchange->finish(exchange);
}

/* Answers one that is parked, whichever; false where none is. */
static bool
answer_one(int code)
{
	struct perseus__exchange *exchange = NULL;
	(void)pthread_mutex_lock(&app.mutex);
	if (app.n_parked > 0)
		exchange = app.parked[--app.n_parked];
	(void)pthread_mutex_unlock(&app.mutex);
	if (!exchange)
		return false;
	perseus__respond_text(exchange, code, "answered");
	exchange->finish(exchange);
	return true;
}

static void
begin(void *user, struct perseus__exchange *exchange)
{
	(void)user;
	exchange->takes_body = strcmp(exchange->request.path, "/drop") != 0;
	exchange->max_body_bytes = MAX_BODY;
	if (strcmp(exchange->request.path, "/refuse") == 0)
		perseus__respond_text(exchange, 403, "refused");
}

static void
handle(void *user, struct perseus__exchange *exchange)
{
	(void)user;
	while (strcmp(exchange->request.path, "/block") == 0 && !atomic_load(&app.is_released))
		(void)poll(NULL, 0, 1);
	if (strcmp(exchange->request.path, "/park") != 0) {
		perseus__respond_text(exchange, 200, "%zu bytes", exchange->request.body_length);
		exchange->finish(exchange);
		return;
	}
	exchange->abandon = abandon;
	(void)pthread_mutex_lock(&app.mutex);
	const bool has_room = !app.is_ending && app.n_parked < MAX_PARKED;
	if (has_room)
		app.parked[app.n_parked++] = exchange;
	(void)pthread_mutex_unlock(&app.mutex);
	if (!has_room) {
		perseus__respond_unavailable(exchange, "no room");
		exchange->finish(exchange);
	}
}

static void
done(void *user, const struct perseus__exchange *exchange)
{
	(void)user;
	(void)exchange;
	atomic_fetch_add(&app.n_done, 1);
}

static void
stop(void *user)
{
	(void)user;
	(void)pthread_mutex_lock(&app.mutex);
	app.is_ending = true;
	(void)pthread_mutex_unlock(&app.mutex);
	while (answer_one(503))
		;
}

static void
tick(void *user)
{
	(void)user;
}

static void
set_up(void)
{
	struct perseus__server_settings settings = perseus__server_settings_default();
	const struct sockaddr address_of_any = {.sa_family = AF_UNIX};
	application = (struct perseus__application){
		.realm = "test",
		.ending = "ending",
		.exchange_bytes = sizeof(struct perseus__exchange) + 100,
		.peer_bytes = sizeof(struct perseus__peer),
		.begin = begin,
		.handle = handle,
		.done = done,
		.stop = stop,
		.tick = tick,
	};
	settings.n_threads = n_threads;
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	/* The system gives it a name that is no file. */
	ck_assert_int_eq(bind(listener, &address_of_any, sizeof address_of_any.sa_family), 0);
	ck_assert_int_eq(listen(listener, MAX_PARKED), 0);
	address_bytes = sizeof address;
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &address_bytes), 0);
	ck_assert_int_eq(perseus__server_new(&application, &listener, 1, &settings, &server, NULL), PERSEUS_OK);
}

static void
tear_down(void)
{
	ck_assert(perseus__server_end(server, (int64_t)PATIENCE_MS * 1000000));
	perseus__server_free(server);
}

static void
set_up_single(void)
{
	n_threads = 1;
	set_up();
}

static void
ask_on(int fd, const char *method, const char *path, const char *body)
{
	char text[4096];
	const int length = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", method,
			path, strlen(body), body);
	ck_assert_int_eq(send(fd, text, (size_t)length, MSG_NOSIGNAL), length);
}

static int
ask(const char *method, const char *path, const char *body)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, address_bytes), 0);
	ask_on(fd, method, path, body);
	return fd;
}

/* The code of the answer; 0 where the connection ends without. `text`, of 1024 bytes, gets all of what came. */
static int
read_code(int fd, char *text)
{
	size_t length = 0;
	text[0] = '\0';
	do {
		struct pollfd polled = {.fd = fd, .events = POLLIN};
		ck_assert_int_gt(poll(&polled, 1, PATIENCE_MS), 0);
		const ssize_t n = recv(fd, text + length, 1023 - length, 0);
		if (n <= 0)
			break;
		length += (size_t)n;
		text[length] = '\0';
	} while (!strstr(text, "\r\n\r\n"));
	return length > 12 ? (int)strtol(text + 9, NULL, 10) : 0;
}

static void
wait_for_parked(int n)
{
	for (int waited_ms = 0;; waited_ms++) {
		(void)pthread_mutex_lock(&app.mutex);
		const int n_parked = app.n_parked;
		(void)pthread_mutex_unlock(&app.mutex);
		if (n_parked == n)
			return;
		ck_assert_msg(waited_ms < PATIENCE_MS, "%d are parked, not %d", n_parked, n);
		(void)poll(NULL, 0, 1);
	}
}

static void
wait_for_done(int n)
{
	for (int waited_ms = 0; atomic_load(&app.n_done) < n; waited_ms++) {
		ck_assert_msg(waited_ms < PATIENCE_MS, "%d are done, not %d", atomic_load(&app.n_done), n);
		(void)poll(NULL, 0, 1);
	}
	ck_assert_int_eq(atomic_load(&app.n_done), n);
}

START_TEST(bodies_are_taken_up_to_their_limit)
{
	static const struct {
		const char *path;
		int n_bytes;
		int code;
		const char *text;
	} cases[] = {{"/", 0, 200, "0 bytes"}, {"/", 5, 200, "5 bytes"}, {"/", MAX_BODY, 200, "1000 bytes"},
		{"/", MAX_BODY + 1, 413, "at most 1000 bytes"}, {"/drop", 5, 200, "0 bytes"}, {"/refuse", 5, 403, "refused"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char body[MAX_BODY + 2] = "";
		char text[1024];
		memset(body, 'x', (size_t)cases[i].n_bytes);
		const int fd = ask("POST", cases[i].path, body);
		ck_assert_int_eq(read_code(fd, text), cases[i].code);
		ck_assert_msg(strstr(text, cases[i].text) != NULL, "%s", text);
		(void)close(fd);
	}
}
END_TEST

START_TEST(answers_may_come_later)
{
	char text[1024];
	const int fd = ask("GET", "/park", "");
	wait_for_parked(1);
	perseus__server_tick(server);
	ck_assert_int_eq(atomic_load(&app.n_abandoned), 0);
	ck_assert(answer_one(200));
	ck_assert_int_eq(read_code(fd, text), 200);
	(void)close(fd);
}
END_TEST

START_TEST(who_has_gone_is_abandoned_once)
{
	const int fd = ask("GET", "/park", "");
	const int other = ask("GET", "/park", "");
	wait_for_parked(2);
	(void)close(fd);
	perseus__server_tick(server);
	wait_for_parked(1);
	ck_assert_int_eq(atomic_load(&app.n_abandoned), 1);
	wait_for_done(1);
	(void)pthread_mutex_lock(&app.mutex);
	ck_assert(app.parked[0]->is_peer_there(app.parked[0]));
	(void)pthread_mutex_unlock(&app.mutex);
	(void)close(other);
	(void)pthread_mutex_lock(&app.mutex);
	ck_assert(!app.parked[0]->is_peer_there(app.parked[0]));
	(void)pthread_mutex_unlock(&app.mutex);
	atomic_store(&app.is_stubborn, true);
	perseus__server_tick(server);
	perseus__server_tick(server);
	ck_assert_int_eq(atomic_load(&app.n_abandoned), 2);
}
END_TEST

START_TEST(the_end_answers_who_waits)
{
	char text[1024];
	const int fd = ask("GET", "/park", "");
	wait_for_parked(1);
	ck_assert(perseus__server_end(server, (int64_t)PATIENCE_MS * 1000000));
	ck_assert_int_eq(read_code(fd, text), 503);
	(void)close(fd);
}
END_TEST

/*
 * However many ask at once: those whose requests have come while the thread was busy are all answered, and none waits
 * until another comes. libmicrohttpd takes at most 128 at a time.
 */
START_TEST(any_number_may_ask_at_once)
{
	enum { MOST = 129 };
	const int n = _i;
	char text[1024];
	int fds[MOST];
	for (int i = 0; i < n; i++) {
		fds[i] = ask("GET", "/", "");
		ck_assert_int_eq(read_code(fds[i], text), 200);
	}
	const int blocker = ask("GET", "/block", "");
	(void)poll(NULL, 0, 50); /* its thread is in the handler by then, or the test proves less */
	for (int i = 0; i < n; i++)
		ask_on(fds[i], "GET", "/", "");
	atomic_store(&app.is_released, true);
	for (int i = 0; i < n; i++) {
		ck_assert_int_eq(read_code(fds[i], text), 200);
		(void)close(fds[i]);
	}
	(void)close(blocker);
}
END_TEST

static atomic_bool is_slow;
static atomic_int n_taken_out;

/* The system's, which takes descriptors out slowly, some more so than others, where a test asks for that. */
int
epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	if (op == EPOLL_CTL_DEL && atomic_load(&is_slow))
		(void)poll(NULL, 0, atomic_fetch_add(&n_taken_out, 1) % 4);
	return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
}

/* The end comes while the threads are at work. libmicrohttpd aborts where its daemon is then quiesced from outside. */
START_TEST(the_end_may_come_at_any_moment)
{
	enum { N_ROUNDS = 50, N = 4 };
	int fds[N];
	atomic_store(&is_slow, true);
	for (int round = 0; round < N_ROUNDS; round++) {
		set_up();
		for (int i = 0; i < N; i++)
			fds[i] = ask("GET", "/", "");
		tear_down();
		for (int i = 0; i < N; i++)
			(void)close(fds[i]);
	}
}
END_TEST

static atomic_bool is_over;

static void *
answer_all(void *user)
{
	(void)user;
	while (!atomic_load(&is_over))
		if (!answer_one(200))
			(void)poll(NULL, 0, 1);
	return NULL;
}

/*
 * Peers go while others answer them and the tick looks after them: each that was asked is finished once, whoever is
 * first. What is under way then, tear_down sees. Some are gone before their request is read.
 */
START_TEST(who_goes_while_being_answered)
{
	enum { N_ROUNDS = 20, N = 50 };
	pthread_t thread;
	int fds[N];
	ck_assert_int_eq(pthread_create(&thread, NULL, answer_all, NULL), 0);
	for (int round = 0; round < N_ROUNDS; round++) {
		for (int i = 0; i < N; i++)
			fds[i] = ask("GET", "/park", "");
		for (int i = 0; i < N; i++) {
			if (i % 10 == 0)
				perseus__server_tick(server);
			(void)close(fds[i]);
		}
		perseus__server_tick(server);
	}
	const int fd = ask("GET", "/park", "");
	char text[1024];
	ck_assert_int_eq(read_code(fd, text), 200);
	(void)close(fd);
	atomic_store(&is_over, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("service http");
	TCase *tcase = tcase_create("service http");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, bodies_are_taken_up_to_their_limit);
	tcase_add_test(tcase, answers_may_come_later);
	tcase_add_test(tcase, who_has_gone_is_abandoned_once);
	tcase_add_test(tcase, the_end_answers_who_waits);
	tcase_add_test(tcase, who_goes_while_being_answered);
	TCase *end = tcase_create("end");
	suite_add_tcase(suite, end);
	tcase_set_timeout(end, 60);
	tcase_add_test(end, the_end_may_come_at_any_moment);
	TCase *single = tcase_create("single");
	suite_add_tcase(suite, single);
	tcase_set_timeout(single, 60);
	tcase_add_checked_fixture(single, set_up_single, tear_down);
	tcase_add_loop_test(single, any_number_may_ask_at_once, 125, 130);
	return run_suite(suite);
}
