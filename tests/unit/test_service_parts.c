/* Parts of a service: metrics, tasks, rates, URLs, peers, sockets, connections. */
#include "base/clock.h"
#include "base/text.h"
#include "service/connections.h"
#include "service/listen.h"
#include "service/metrics.h"
#include "service/rate.h"
#include "service/tasks.h"
#include "service/url.h"
#include "suite.h"

#include <check.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

START_TEST(metrics_are_escaped)
{
	struct perseus__text text = perseus__text_init(4096);
	const struct perseus__label labels[] = {{"a", "plain"}, {"b", "\"quoted\" \\ and\nbroken"}};
	perseus__metric_head(&text, "m", "gauge", "Help.");
	perseus__metric_number(&text, "m", labels, 2, 0.5);
	perseus__metric_integer(&text, "m", NULL, 0, UINT64_MAX);
	ck_assert_str_eq(text.bytes,
			"# HELP m Help.\n# TYPE m gauge\n"
			"m{a=\"plain\",b=\"\\\"quoted\\\" \\\\ and\\nbroken\"} 0.5\n"
			"m 18446744073709551615\n");
	perseus__text_fini(&text);
}
END_TEST

/* Notes the order in which tasks run, one at a time. */
static struct {
	atomic_int n;
	int order[16];
	atomic_bool may_begin;
} ran;

static int64_t
note(void *user, bool is_ending)
{
	ran.order[atomic_load(&ran.n)] = (int)(intptr_t)user + (is_ending ? 100 : 0);
	atomic_fetch_add(&ran.n, 1);
	return PERSEUS__TASK_DONE;
}

/* Takes the thread until `may_begin`. */
static int64_t
hold(void *user, bool is_ending)
{
	(void)user;
	(void)is_ending;
	while (!atomic_load(&ran.may_begin))
		(void)poll(NULL, 0, 1);
	return PERSEUS__TASK_DONE;
}

static void
wait_for(int n)
{
	for (int i = 0; atomic_load(&ran.n) < n && i < 5000; i++)
		(void)poll(NULL, 0, 1);
	ck_assert_int_eq(atomic_load(&ran.n), n);
}

START_TEST(tasks_run_when_they_are_due)
{
	struct perseus__tasks *tasks = NULL;
	const int64_t now_ns = perseus__clock_mono_ns();
	ck_assert_int_eq(perseus__tasks_new(1, 8, &tasks, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__tasks_add(tasks, now_ns, hold, NULL, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__tasks_add(tasks, now_ns + 60000000, note, (void *)3, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__tasks_add(tasks, now_ns + 30000000, note, (void *)1, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__tasks_add(tasks, now_ns + 30000000, note, (void *)2, NULL), PERSEUS_OK);
	atomic_store(&ran.may_begin, true);
	wait_for(3);
	ck_assert_int_ge(perseus__clock_mono_ns(), now_ns + 60000000);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ran.order[i], i + 1);
	perseus__tasks_free(tasks);
}
END_TEST

START_TEST(tasks_are_bounded_and_let_go_at_the_end)
{
	struct perseus__tasks *tasks = NULL;
	const int64_t late_ns = perseus__clock_mono_ns() + 3600000000000;
	ck_assert_int_eq(perseus__tasks_new(2, 2, &tasks, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__tasks_add(tasks, late_ns, note, (void *)1, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__tasks_add(tasks, late_ns, note, (void *)2, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__tasks_add(tasks, 0, note, (void *)3, NULL), PERSEUS_BUSY);
	perseus__tasks_end(tasks);
	ck_assert_int_eq(atomic_load(&ran.n), 2);
	ck_assert_int_eq(ran.order[0], 101);
	ck_assert_int_eq(ran.order[1], 102);
	ck_assert_int_eq(perseus__tasks_add(tasks, 0, note, (void *)3, NULL), PERSEUS_BUSY);
	perseus__tasks_free(tasks);
}
END_TEST

static int64_t
repeat(void *user, bool is_ending)
{
	(void)user;
	(void)is_ending;
	return atomic_fetch_add(&ran.n, 1) < 4 ? perseus__clock_mono_ns() : PERSEUS__TASK_DONE;
}

START_TEST(tasks_may_come_back)
{
	struct perseus__tasks *tasks = NULL;
	ck_assert_int_eq(perseus__tasks_new(2, 1, &tasks, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__tasks_add(tasks, 0, repeat, NULL, NULL), PERSEUS_OK);
	wait_for(5);
	perseus__tasks_free(tasks);
	ck_assert_int_eq(atomic_load(&ran.n), 5);
}
END_TEST

START_TEST(rates_are_of_identities)
{
	struct perseus__rate *rate = perseus__rate_new(2);
	static const char process[] = "user 1";
	static const char token[] = "token alice";
	const int64_t second_ns = 1000000000;
	ck_assert(perseus__rate_take(rate, process, second_ns));
	ck_assert(perseus__rate_take(rate, process, second_ns));
	ck_assert(!perseus__rate_take(rate, process, second_ns));
	ck_assert(perseus__rate_take(rate, token, second_ns));
	ck_assert(!perseus__rate_take(rate, process, second_ns + second_ns / 2 - 1));
	ck_assert(perseus__rate_take(rate, process, second_ns + second_ns / 2));
	ck_assert(!perseus__rate_take(rate, process, second_ns + second_ns / 2));
	/* However long it was quiet, no more than a second's worth. */
	for (int i = 0; i < 2; i++)
		ck_assert(perseus__rate_take(rate, process, 100 * second_ns));
	ck_assert(!perseus__rate_take(rate, process, 100 * second_ns));
	perseus__rate_free(rate);
}
END_TEST

START_TEST(paths_match_their_patterns)
{
	static const struct {
		const char *pattern;
		const char *path;
		const char *values; /* NULL: no match */
	} cases[] = {
		{"/v1/jobs", "/v1/jobs", ""},
		{"/v1/jobs", "/v1/jobs/", NULL},
		{"/v1/jobs", "/v1/job", NULL},
		{"/v1/jobs", "/v1/jobsx", NULL},
		{"/v1/jobs/{job}", "/v1/jobs/abc", "abc|"},
		{"/v1/jobs/{job}", "/v1/jobs/", NULL},
		{"/v1/jobs/{job}", "/v1/jobs/a/b", NULL},
		{"/v1/jobs/{job}", "/v1/jobs/a%2Fb+c%20d%", "a/b+c d%|"},
		{"/v1/jobs/{job}", "/v1/jobs/a%00b", NULL},
		{"/v1/jobs/{job}/ranks/{rank}/plan", "/v1/jobs/j/ranks/12/plan", "j|12|"},
		{"/v1/jobs/{job}/ranks/{rank}/plan", "/v1/jobs/j/ranks//plan", NULL},
		{"/v1/jobs/{job}/ranks/{rank}/plan", "/v1/jobs/j/ranks/12/plans", NULL},
		{"/{a}/{b}/{c}/x", "/1/2/3/x", "1|2|3|"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct perseus__path_parameters parameters;
		struct perseus__text values = perseus__text_init(1024);
		perseus__text_addf(&values, "%s", "");
		const bool is_match = perseus__path_match(cases[i].pattern, cases[i].path, &parameters);
		ck_assert_msg(is_match == (cases[i].values != NULL), "%s and %s", cases[i].pattern, cases[i].path);
		for (int k = 0; is_match && k < parameters.n; k++)
			perseus__text_addf(&values, "%s|", parameters.values[k]);
		if (is_match)
			ck_assert_str_eq(values.bytes, cases[i].values);
		perseus__text_fini(&values);
	}
}
END_TEST

/* What is too long for a value is no match, rather than another value. */
START_TEST(long_values_do_not_match)
{
	struct perseus__path_parameters parameters;
	char path_text[PERSEUS__PATH_PARAMETER_BYTES + 2] = "/";
	memset(path_text + 1, 'x', PERSEUS__PATH_PARAMETER_BYTES - 1);
	ck_assert(perseus__path_match("/{x}", path_text, &parameters));
	ck_assert_uint_eq(strlen(parameters.values[0]), PERSEUS__PATH_PARAMETER_BYTES - 1);
	path_text[PERSEUS__PATH_PARAMETER_BYTES] = 'x';
	ck_assert(!perseus__path_match("/{x}", path_text, &parameters));
}
END_TEST

START_TEST(queries_are_taken_apart)
{
	struct perseus__text text = perseus__text_init(1024);
	struct perseus__query_pair pair;
	const char *at = "&a=1&&b&c==2&=3&";
	while (perseus__query_next(&at, &pair))
		perseus__text_addf(&text, "%.*s:%.*s;", (int)pair.key_length, pair.key, (int)pair.value_length, pair.value);
	ck_assert_str_eq(text.bytes, "a:1;b:;c:=2;:3;");
	at = NULL;
	ck_assert(!perseus__query_next(&at, &pair));
	perseus__text_fini(&text);
}
END_TEST

START_TEST(peers_are_told_apart)
{
	static const struct perseus__peer user = {.is_local = true, .has_user = true, .uid = 7, .pid = 10};
	static const struct perseus__peer sibling = {.is_local = true, .has_user = true, .uid = 7, .pid = 11};
	static const struct perseus__peer other = {.is_local = true, .has_user = true, .uid = 8, .pid = 10};
	static const struct perseus__peer hidden = {.is_local = true};
	static const struct perseus__peer remote = {.address = "10.0.0.7"};
	static const struct perseus__peer farther = {.address = "10.0.0.8"};
	const struct perseus__peer *const peers[] = {&user, &other, &hidden, &remote, &farther};
	char text[PERSEUS__PEER_TEXT_BYTES];
	for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
		for (size_t k = 0; k < sizeof peers / sizeof *peers; k++)
			ck_assert_msg(perseus__peer_is_same(peers[i], peers[k]) == (i == k), "%zu and %zu", i, k);
	ck_assert(perseus__peer_is_same(&user, &sibling));
	perseus__peer_text(&user, text);
	ck_assert_str_eq(text, "user 7");
	perseus__peer_text(&remote, text);
	ck_assert_str_eq(text, "10.0.0.7");
	perseus__peer_text(&hidden, text);
	ck_assert_str_eq(text, "unknown");
}
END_TEST

static char directory[] = "/tmp/perseus-test-XXXXXX";
static char path[sizeof directory + 32];

static void
make_directory(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof path, "%s/made/too/agent.sock", directory);
}

static void
remove_directory(void)
{
	char name[sizeof path];
	static const char *const names[] = {"made/too/agent.sock", "made/too", "made", ""};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(name, sizeof name, "%s/%s", directory, names[i]);
		(void)remove(name);
	}
}

static enum perseus_status
listen_there(int *fd, struct perseus_error *err)
{
	const struct perseus__unix_socket settings = {.path = path, .mode = 0620};
	return perseus__listen_unix(&settings, fd, err);
}

START_TEST(sockets_are_made_with_their_mode)
{
	int fd = -1;
	struct stat found;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(listen_there(&fd, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(stat(path, &found), 0);
	ck_assert(S_ISSOCK(found.st_mode));
	ck_assert_uint_eq(found.st_mode & 0777, 0620);
	(void)close(fd);
}
END_TEST

START_TEST(stale_sockets_are_replaced_and_live_ones_kept)
{
	int fd = -1;
	int second = -1;
	ck_assert_int_eq(listen_there(&fd, NULL), PERSEUS_OK);
	ck_assert_int_eq(listen_there(&second, NULL), PERSEUS_BUSY);
	ck_assert_int_eq(access(path, F_OK), 0);
	(void)close(fd);
	ck_assert_int_eq(listen_there(&second, NULL), PERSEUS_OK);
	(void)close(second);
}
END_TEST

START_TEST(what_is_no_socket_is_kept)
{
	int fd = -1;
	ck_assert_int_eq(listen_there(&fd, NULL), PERSEUS_OK);
	(void)close(fd);
	(void)unlink(path);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fclose(file);
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(listen_there(&fd, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "no socket"));
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* A socket of datagrams: a connection is neither taken nor refused. */
START_TEST(sockets_that_cannot_be_asked_are_kept)
{
	int fd = -1;
	ck_assert_int_eq(listen_there(&fd, NULL), PERSEUS_OK);
	(void)close(fd);
	(void)unlink(path);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strlen(path) + 1);
	const int datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(datagrams, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen_there(&fd, NULL), PERSEUS_IO);
	ck_assert_int_eq(access(path, F_OK), 0);
	(void)close(datagrams);
}
END_TEST

START_TEST(addresses_are_read)
{
	static const char *const good[] = {"127.0.0.1:0", "localhost:0", ":0"};
	static const char *const bad[] = {
		"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "::1:0", "[::1:0", "no.such.host.invalid:1"};
	int fd = -1;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ck_assert_msg(perseus__listen_tcp(good[i], &fd, NULL) == PERSEUS_OK, "%s", good[i]);
		(void)close(fd);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(perseus__listen_tcp(bad[i], &fd, NULL) == PERSEUS_INVALID, "%s", bad[i]);
}
END_TEST

/* Connections of this process, the second end of each here. */
enum { N_CONNECTIONS = 6 };

static const struct perseus__application application = {.peer_bytes = sizeof(struct perseus__peer)};
static int ends[N_CONNECTIONS][2];
static struct perseus__http_connection *opened[N_CONNECTIONS];

static void
open_connection(struct perseus__connections *connections, int i)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
	opened[i] = perseus__http_connection_open(connections, ends[i][0]);
	ck_assert_ptr_nonnull(opened[i]);
}

static bool
is_cut(int i)
{
	char byte;
	return recv(ends[i][1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void
close_connections(struct perseus__connections *connections)
{
	for (int i = 0; i < N_CONNECTIONS; i++) {
		if (!opened[i])
			continue;
		perseus__http_connection_close(opened[i]);
		(void)close(ends[i][0]);
		(void)close(ends[i][1]);
	}
	ck_assert_int_eq(perseus__connections_count(connections), 0);
	perseus__connections_free(connections);
}

START_TEST(the_quietest_of_a_peer_makes_room)
{
	const struct perseus__connection_limits limits = {
		.max_open = 100, .max_of_peer = 3, .first_request_ns = INT64_MAX, .quiet_ns = INT64_MAX};
	struct perseus__connections *connections = perseus__connections_new(&application, &limits);
	for (int i = 0; i < 3; i++)
		open_connection(connections, i);
	perseus__http_connection_begin(opened[0]); /* is being answered */
	open_connection(connections, 3);
	ck_assert(!is_cut(0));
	ck_assert(is_cut(1));
	ck_assert(!is_cut(2));
	perseus__http_connection_end(opened[0]);
	open_connection(connections, 4);
	ck_assert(is_cut(2));
	ck_assert(!is_cut(0));
	ck_assert_int_eq(perseus__connections_count(connections), 3);
	close_connections(connections);
}
END_TEST

START_TEST(the_quietest_of_all_makes_room)
{
	const struct perseus__connection_limits limits = {
		.max_open = 2, .max_of_peer = 100, .first_request_ns = INT64_MAX, .quiet_ns = INT64_MAX};
	struct perseus__connections *connections = perseus__connections_new(&application, &limits);
	for (int i = 0; i < 3; i++)
		open_connection(connections, i);
	ck_assert(is_cut(0));
	ck_assert(!is_cut(1));
	ck_assert(!is_cut(2));
	close_connections(connections);
}
END_TEST

START_TEST(slow_ones_are_cut)
{
	const struct perseus__connection_limits limits = {
		.max_open = 100, .max_of_peer = 100, .first_request_ns = 20000000, .quiet_ns = 3600000000000};
	struct perseus__connections *connections = perseus__connections_new(&application, &limits);
	const int64_t began_ns = perseus__clock_mono_ns();
	for (int i = 0; i < 3; i++)
		open_connection(connections, i);
	perseus__http_connection_begin(opened[1]);
	perseus__http_connection_begin(opened[2]);
	perseus__http_connection_end(opened[2]);
	do {
		(void)poll(NULL, 0, 1);
		perseus__connections_sweep(connections);
	} while (!is_cut(0)); /* sends nothing */
	ck_assert_int_gt(perseus__clock_mono_ns() - began_ns, limits.first_request_ns);
	ck_assert(!is_cut(1)); /* is being answered */
	ck_assert(!is_cut(2)); /* has the time of a kept connection */
	close_connections(connections);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("service");
	TCase *tcase = tcase_create("service");
	TCase *sockets = tcase_create("sockets");
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, sockets);
	tcase_add_test(tcase, metrics_are_escaped);
	tcase_add_test(tcase, tasks_run_when_they_are_due);
	tcase_add_test(tcase, tasks_are_bounded_and_let_go_at_the_end);
	tcase_add_test(tcase, tasks_may_come_back);
	tcase_add_test(tcase, rates_are_of_identities);
	tcase_add_test(tcase, paths_match_their_patterns);
	tcase_add_test(tcase, long_values_do_not_match);
	tcase_add_test(tcase, queries_are_taken_apart);
	tcase_add_test(tcase, peers_are_told_apart);
	tcase_add_test(tcase, addresses_are_read);
	tcase_add_test(tcase, the_quietest_of_a_peer_makes_room);
	tcase_add_test(tcase, the_quietest_of_all_makes_room);
	tcase_add_test(tcase, slow_ones_are_cut);
	tcase_add_checked_fixture(sockets, make_directory, remove_directory);
	tcase_add_test(sockets, sockets_are_made_with_their_mode);
	tcase_add_test(sockets, stale_sockets_are_replaced_and_live_ones_kept);
	tcase_add_test(sockets, what_is_no_socket_is_kept);
	tcase_add_test(sockets, sockets_that_cannot_be_asked_are_kept);
	return run_suite(suite);
}
