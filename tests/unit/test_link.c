/* The front's end of the pairs, against an executor that the test plays itself. */
#include "agent/link.h"
#include "suite.h"
#include "torture.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { N_GPUS = 2, CONTROL = N_GPUS, MAX_WAITING = 128 };

static const int32_t devices[N_GPUS] = {4, 1};
static int theirs[N_GPUS + 1]; /* the executor's ends */
static struct perseus__link *the_link;
static atomic_int n_gone;

/* What callbacks were given, in order. */
static struct {
	pthread_mutex_t lock;
	int n;
	struct {
		long user;
		enum perseus_status status;
		char message[64];
	} answers[1024];
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
hear(void *user, const struct perseus__answer *answer)
{
	(void)pthread_mutex_lock(&heard.lock);
	heard.answers[heard.n].user = (long)(intptr_t)user;
	heard.answers[heard.n].status = (enum perseus_status)answer->status;
	(void)snprintf(heard.answers[heard.n].message, sizeof heard.answers[0].message, "%.63s", answer->message);
	heard.n++;
	(void)pthread_mutex_unlock(&heard.lock);
}

/* Waits until `n` answers were heard; a test's timeout ends it otherwise. */
static void
wait_until_heard(int n)
{
	const struct timespec pause = {.tv_nsec = 100000};
	for (;;) {
		(void)pthread_mutex_lock(&heard.lock);
		const int n_heard = heard.n;
		(void)pthread_mutex_unlock(&heard.lock);
		if (n_heard >= n)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

static void
on_gone(void *user)
{
	ck_assert_ptr_eq(user, &n_gone);
	atomic_fetch_add(&n_gone, 1);
}

static void
set_up(void)
{
	int ours[N_GPUS + 1];
	for (int i = 0; i <= N_GPUS; i++) {
		int ends[2];
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
		ours[i] = ends[0];
		theirs[i] = ends[1];
	}
	const struct perseus__ends ends = {ours, devices, N_GPUS, ours[CONTROL]};
	struct perseus_error err;
	ck_assert_msg(perseus__link_new(&ends, on_gone, &n_gone, &the_link, &err) == PERSEUS_OK, "%s", err.message);
}

static void
tear_down(void)
{
	perseus__link_free(the_link);
	for (int i = 0; i <= N_GPUS; i++)
		if (theirs[i] >= 0)
			(void)close(theirs[i]);
}

static struct perseus__command
take(int i)
{
	struct perseus__command command;
	ck_assert_int_eq(recv(theirs[i], &command, sizeof command, 0), sizeof command);
	return command;
}

static void
give(int i, uint64_t id, enum perseus_status status, const char *message)
{
	struct perseus__answer answer = {.id = id, .status = (uint32_t)status};
	(void)snprintf(answer.message, sizeof answer.message, "%s", message);
	ck_assert_int_eq(send(theirs[i], &answer, sizeof answer, MSG_NOSIGNAL), sizeof answer);
}

static enum perseus_status
send_to(int32_t device, long user, struct perseus_error *err)
{
	const struct perseus__command command = {.kind = PERSEUS__COMMAND_RELEASE, .device = device};
	return perseus__link_send(the_link, &command, hear, (void *)(intptr_t)user, err);
}

START_TEST(sends_to_the_pair_of_the_device)
{
	ck_assert_int_eq(send_to(1, 11, NULL), PERSEUS_OK);
	ck_assert_int_eq(send_to(4, 44, NULL), PERSEUS_OK);
	const struct perseus__command ping = {.kind = PERSEUS__COMMAND_PING};
	ck_assert_int_eq(perseus__link_send(the_link, &ping, hear, (void *)99, NULL), PERSEUS_OK);
	ck_assert_int_eq(take(0).device, 4);
	ck_assert_int_eq(take(1).device, 1);
	ck_assert_uint_eq(take(CONTROL).kind, PERSEUS__COMMAND_PING);
	struct perseus_error err;
	ck_assert_int_eq(send_to(0, 0, &err), PERSEUS_INTERNAL);
	ck_assert_str_eq(err.message, "no pair of device 0");
}
END_TEST

START_TEST(hands_answers_out_in_order)
{
	for (long i = 0; i < 10; i++)
		ck_assert_int_eq(send_to(4, i, NULL), PERSEUS_OK);
	for (int i = 0; i < 10; i++) {
		const uint64_t id = take(0).id;
		ck_assert_uint_eq(id, (uint64_t)i + 1);
		give(0, id, i == 5 ? PERSEUS_BUSY : PERSEUS_OK, i == 5 ? "held" : "");
	}
	wait_until_heard(10);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(heard.answers[i].user, i);
		ck_assert_int_eq(heard.answers[i].status, i == 5 ? PERSEUS_BUSY : PERSEUS_OK);
	}
	ck_assert_str_eq(heard.answers[5].message, "held");
}
END_TEST

START_TEST(needs_nobody_to_wait)
{
	const struct perseus__command command = {.kind = PERSEUS__COMMAND_RELEASE, .device = 4};
	ck_assert_int_eq(perseus__link_send(the_link, &command, NULL, NULL, NULL), PERSEUS_OK);
	ck_assert_int_eq(send_to(4, 1, NULL), PERSEUS_OK);
	give(0, take(0).id, PERSEUS_OK, "");
	give(0, take(0).id, PERSEUS_OK, "");
	wait_until_heard(1);
	ck_assert_int_eq(heard.answers[0].user, 1);
}
END_TEST

/* The executor does not take commands: so many wait, the next is refused, and the other GPU is not touched by it. */
START_TEST(lets_so_many_wait)
{
	struct perseus_error err;
	for (long i = 0; i < MAX_WAITING; i++)
		ck_assert_int_eq(send_to(4, i, NULL), PERSEUS_OK);
	ck_assert_int_eq(send_to(4, 1000, &err), PERSEUS_BUSY);
	ck_assert_str_eq(err.message, "too many commands wait on this GPU");
	ck_assert_int_eq(send_to(1, 2000, NULL), PERSEUS_OK);
	for (int i = 0; i < MAX_WAITING; i++)
		give(0, take(0).id, PERSEUS_OK, "");
	wait_until_heard(MAX_WAITING);
	ck_assert_int_eq(send_to(4, 1001, NULL), PERSEUS_OK);
	give(0, take(0).id, PERSEUS_OK, "");
	wait_until_heard(MAX_WAITING + 1);
	ck_assert_int_eq(heard.answers[MAX_WAITING].user, 1001);
}
END_TEST

START_TEST(tells_all_that_wait_when_the_executor_goes)
{
	ck_assert_int_eq(send_to(4, 1, NULL), PERSEUS_OK);
	ck_assert_int_eq(send_to(1, 2, NULL), PERSEUS_OK);
	(void)close(theirs[CONTROL]);
	theirs[CONTROL] = -1;
	wait_until_heard(2);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(heard.answers[i].status, PERSEUS_IO);
		ck_assert_str_eq(heard.answers[i].message, "the agent's executor is gone");
	}
	struct perseus_error err;
	while (send_to(4, 3, &err) == PERSEUS_OK) {
	}
	ck_assert_int_eq(err.status, PERSEUS_IO);
	ck_assert_str_eq(err.message, "the agent's executor is gone");
	while (atomic_load(&n_gone) == 0) {
	}
	ck_assert_int_eq(atomic_load(&n_gone), 1);
}
END_TEST

static const char *const odd_answers[] = {"another number", "too short", "without end", "for nobody"};

START_TEST(has_no_more_to_do_with_an_odd_executor)
{
	const bool is_for_nobody = _i == 3;
	if (!is_for_nobody)
		ck_assert_int_eq(send_to(4, 1, NULL), PERSEUS_OK);
	struct perseus__answer answer = {.id = is_for_nobody ? 1 : take(0).id};
	size_t length = sizeof answer;
	if (_i == 0)
		answer.id++;
	if (_i == 1)
		length--;
	if (_i == 2)
		memset(answer.message, 'x', sizeof answer.message);
	ck_assert_int_eq(send(theirs[0], &answer, length, MSG_NOSIGNAL), (ssize_t)length);
	while (atomic_load(&n_gone) == 0) {
	}
	ck_assert_msg(send_to(1, 2, NULL) == PERSEUS_IO, "%s", odd_answers[_i]);
	ck_assert_int_eq(heard.n, is_for_nobody ? 0 : 1);
	if (!is_for_nobody)
		ck_assert_int_ne(heard.answers[0].status, PERSEUS_OK);
}
END_TEST

START_TEST(cancels_what_waits_when_it_ends)
{
	ck_assert_int_eq(send_to(4, 1, NULL), PERSEUS_OK);
	perseus__link_free(the_link);
	the_link = NULL;
	ck_assert_int_eq(heard.n, 1);
	ck_assert_int_eq(heard.answers[0].status, PERSEUS_CANCELLED);
	ck_assert_int_eq(atomic_load(&n_gone), 0);
}
END_TEST

/* Answers every command of the first GPU with what it asked for. */
static void *
echo(void *user)
{
	(void)user;
	struct perseus__command command;
	while (recv(theirs[0], &command, sizeof command, 0) == (ssize_t)sizeof command) {
		const struct perseus__answer answer = {.id = command.id, .time_ns = command.low};
		if (send(theirs[0], &answer, sizeof answer, MSG_NOSIGNAL) != (ssize_t)sizeof answer)
			break;
	}
	return NULL;
}

enum { N_CALLERS = 8, N_CALLS = 300 };

static void *
call_often(void *user)
{
	const int64_t first = (int64_t)(intptr_t)user * N_CALLS;
	int64_t n_right = 0;
	for (int64_t i = 0; i < N_CALLS; i++) {
		const struct perseus__command command = {.kind = PERSEUS__COMMAND_SET, .device = 4, .low = first + i};
		struct perseus__answer answer;
		n_right += perseus__link_call(the_link, &command, &answer, NULL) == PERSEUS_OK && answer.time_ns == first + i;
	}
	return (void *)(intptr_t)n_right;
}

START_TEST(gives_each_caller_its_own_answer)
{
	pthread_t executor;
	pthread_t callers[N_CALLERS];
	ck_assert_int_eq(pthread_create(&executor, NULL, echo, NULL), 0);
	for (int i = 0; i < N_CALLERS; i++)
		ck_assert_int_eq(pthread_create(&callers[i], NULL, call_often, (void *)(intptr_t)i), 0);
	for (int i = 0; i < N_CALLERS; i++) {
		void *n_right;
		(void)pthread_join(callers[i], &n_right);
		ck_assert_int_eq((intptr_t)n_right, N_CALLS);
	}
	perseus__link_free(the_link);
	the_link = NULL;
	(void)pthread_join(executor, NULL);
}
END_TEST

START_TEST(fails_a_call_that_nobody_answers)
{
	struct perseus__answer answer;
	struct perseus_error err;
	const struct perseus__command command = {.kind = PERSEUS__COMMAND_RELEASE, .device = 4};
	(void)close(theirs[0]);
	theirs[0] = -1;
	ck_assert_int_eq(perseus__link_call(the_link, &command, &answer, &err), PERSEUS_IO);
	ck_assert_str_eq(err.message, "the agent's executor is gone");
}
END_TEST

/* Sockets of its own for each attempt: those of one that fails are still the caller's. */
static enum perseus_status
make_link(void **out, struct perseus_error *err)
{
	int fds[N_GPUS + 1];
	for (int i = 0; i <= N_GPUS; i++)
		fds[i] = dup(theirs[i]);
	const struct perseus__ends copies = {fds, devices, N_GPUS, fds[CONTROL]};
	struct perseus__link *link = *out;
	const enum perseus_status status = perseus__link_new(&copies, on_gone, &n_gone, &link, err);
	for (int i = 0; status != PERSEUS_OK && i <= N_GPUS; i++)
		(void)close(fds[i]);
	*out = link;
	return status;
}

static void
destroy_link(void *link)
{
	perseus__link_free(link);
}

START_TEST(takes_nothing_over_without_memory)
{
	const struct torture_scenario scenario = {"link", make_link, destroy_link};
	torture_run(&scenario, _i == 0 ? FAILING_ALLOC_ONE : FAILING_ALLOC_REST);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("link");
	TCase *tcase = tcase_create("link");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, sends_to_the_pair_of_the_device);
	tcase_add_test(tcase, hands_answers_out_in_order);
	tcase_add_test(tcase, needs_nobody_to_wait);
	tcase_add_test(tcase, lets_so_many_wait);
	tcase_add_test(tcase, tells_all_that_wait_when_the_executor_goes);
	tcase_add_loop_test(tcase, has_no_more_to_do_with_an_odd_executor, 0, sizeof odd_answers / sizeof *odd_answers);
	tcase_add_test(tcase, cancels_what_waits_when_it_ends);
	tcase_add_test(tcase, gives_each_caller_its_own_answer);
	tcase_add_test(tcase, fails_a_call_that_nobody_answers);
	tcase_add_loop_test(tcase, takes_nothing_over_without_memory, 0, 2);
	return run_suite(suite);
}
