/*
 * What is left of a process's privileges, as the kernel tells it. As root all of it is tried; as another user what
 * there is to try.
 */
#include "agent/privilege.h"
#include "suite.h"

#include "agent/process.h"
#include "service/log.h"

#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static void
set_up(void)
{
	perseus__log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), PERSEUS__LOG_ERROR);
}

/* A line of /proc/self/status, which a process that cannot be traced may still read as root only: so by the caller. */
static uint64_t
status_bits(FILE *file, const char *key)
{
	char line[256];
	const size_t length = strlen(key);
	ck_assert_int_eq(fseek(file, 0, SEEK_SET), 0);
	while (fgets(line, sizeof line, file))
		if (strncmp(line, key, length) == 0)
			return strtoull(line + length, NULL, 16);
	ck_abort_msg("no %s", key);
	return 0;
}

static FILE *
open_status(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(setvbuf(file, NULL, _IONBF, 0), 0);
	return file;
}

static void
become_nobody(void)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
	ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
}

/* Check runs each test in a process of its own, so nothing of this lasts. */
START_TEST(leaves_the_executor_two_capabilities)
{
	FILE *status = open_status();
	const uint64_t had = status_bits(status, "CapPrm:");
	const uint64_t kept = had & ((UINT64_C(1) << CAP_SYS_ADMIN) | (UINT64_C(1) << CAP_KILL));
	const bool runs_commands = _i != 0;
	struct perseus_error err;
	ck_assert_msg(perseus__privilege_executor(runs_commands, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_uint_eq(status_bits(status, "CapPrm:"), kept);
	ck_assert_uint_eq(status_bits(status, "CapEff:"), kept);
	ck_assert_uint_eq(status_bits(status, "CapInh:"), 0);
	ck_assert_uint_eq(status_bits(status, "CapAmb:"), 0);
	ck_assert_uint_eq(status_bits(status, "NoNewPrivs:"), runs_commands ? 0 : 1);
	if (had >> CAP_SETPCAP & 1)
		ck_assert(runs_commands == (status_bits(status, "CapBnd:") != kept));
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	(void)fclose(status);
}
END_TEST

START_TEST(leaves_an_unprivileged_executor_as_it_is)
{
	become_nobody();
	struct perseus_error err;
	ck_assert_msg(perseus__privilege_executor(false, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}
END_TEST

/* In a child, whose parent is to be the executor; 0 or the number of what does not hold. */
static int
try_front(const struct perseus__user *user)
{
	FILE *status = open_status();
	const bool was_root = geteuid() == 0;
	struct perseus_error err;
	if (perseus__privilege_front(user, getppid(), &err) != PERSEUS_OK)
		return 1;
	if (was_root && user && (getuid() != user->uid || geteuid() != user->uid || getegid() != user->gid))
		return 2;
	if (status_bits(status, "CapPrm:") || status_bits(status, "CapEff:") || status_bits(status, "CapInh:")
			|| (was_root && status_bits(status, "CapBnd:")))
		return 3;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 4;
	if (user && (setuid(0) == 0 || setgid(0) == 0))
		return 5;
	int signal_number = 0;
	if (prctl(PR_GET_PDEATHSIG, &signal_number, 0, 0, 0) != 0 || signal_number != SIGKILL)
		return 6;
	return 0;
}

static int
exit_status(pid_t child)
{
	int how = 0;
	ck_assert_int_eq(waitpid(child, &how, 0), child);
	return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

START_TEST(leaves_the_front_nothing)
{
	struct perseus__user user;
	struct perseus_error err;
	ck_assert_msg(perseus__user_find("nobody", NULL, &user, &err) == PERSEUS_OK, "%s", err.message);
	if (_i == 1) /* as a user who cannot become anybody */
		become_nobody();
	const pid_t child = fork();
	if (child == 0)
		_exit(try_front(_i == 2 ? NULL : &user));
	ck_assert_int_eq(exit_status(child), 0);
}
END_TEST

START_TEST(notices_an_executor_that_is_dead_already)
{
	struct perseus_error err;
	const pid_t child = fork();
	if (child == 0)
		_exit(perseus__privilege_front(NULL, getppid() + 1, &err) == PERSEUS_CANCELLED ? 0 : 1);
	ck_assert_int_eq(exit_status(child), 0);
}
END_TEST

/* Executor and front as the agent has them, the first killed: the second must not outlive it. */
START_TEST(takes_the_front_along_when_the_executor_is_killed)
{
	int ends[2];
	struct perseus__user user;
	struct perseus_error err;
	ck_assert_int_eq(perseus__user_find("nobody", NULL, &user, &err), PERSEUS_OK);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	const pid_t executor = fork();
	if (executor == 0) {
		const pid_t parent = getpid();
		const pid_t front = fork();
		if (front == 0) {
			const pid_t self = getpid();
			if (perseus__privilege_front(&user, parent, &err) == PERSEUS_OK
					&& write(ends[1], &self, sizeof self) == (ssize_t)sizeof self)
				for (;;)
					(void)pause();
			_exit(1);
		}
		if (perseus__privilege_executor(false, &err) == PERSEUS_OK)
			for (;;)
				(void)pause();
		_exit(1);
	}
	pid_t front = 0;
	uint64_t start_ticks = 0;
	int front_fd = -1;
	ck_assert_int_eq(read(ends[0], &front, sizeof front), sizeof front);
	ck_assert_int_eq(perseus__process_start(front, &start_ticks, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__process_watch(front, start_ticks, &front_fd, &err), PERSEUS_OK);
	ck_assert(!perseus__process_is_over(front_fd, 10));
	ck_assert_int_eq(kill(executor, SIGKILL), 0);
	ck_assert_int_eq(exit_status(executor), 128 + SIGKILL);
	ck_assert(perseus__process_is_over(front_fd, 5000));
}
END_TEST

START_TEST(finds_users)
{
	struct perseus__user user = {.name = "untouched"};
	struct perseus_error err;
	ck_assert_int_eq(perseus__user_find("no-such-user", NULL, &user, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "there is no user no-such-user");
	ck_assert_int_eq(perseus__user_find("root", "no-such-group", &user, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "there is no group no-such-group");
	ck_assert_str_eq(user.name, "untouched");
	ck_assert_int_eq(perseus__user_find("nobody", "root", &user, &err), PERSEUS_OK);
	ck_assert_str_eq(user.name, "nobody");
	ck_assert_uint_eq(user.uid, NOBODY);
	ck_assert_uint_eq(user.gid, 0);
}
END_TEST

START_TEST(tells_processes_apart)
{
	struct perseus_error err;
	uint64_t ticks = 0;
	int fd = -1;
	const pid_t child = fork();
	if (child == 0)
		for (;;)
			(void)pause();
	ck_assert_int_eq(perseus__process_start(child, &ticks, &err), PERSEUS_OK);
	ck_assert_uint_gt(ticks, 0);
	ck_assert_int_eq(perseus__process_watch(child, ticks + 1, &fd, &err), PERSEUS_INVALID);
	ck_assert_int_eq(strncmp(err.message, "the process is gone: ", 21), 0);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(perseus__process_watch(child, ticks, &fd, &err), PERSEUS_OK);
	ck_assert(!perseus__process_is_over(fd, 0));
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert(perseus__process_is_over(fd, 5000));
	/* Dead, and its parent has not looked yet: its number is still taken. */
	int again = -1;
	ck_assert_int_eq(perseus__process_watch(child, ticks, &again, &err), PERSEUS_INVALID);
	ck_assert_int_eq(exit_status(child), 128 + SIGKILL);
	ck_assert_int_eq(perseus__process_watch(child, ticks, &again, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__process_start(child, &ticks, &err), PERSEUS_INVALID);
	(void)close(fd);
}
END_TEST

/* Whatever a process is called, its start is field 22. */
START_TEST(reads_the_start_of_a_process_with_an_odd_name)
{
	static const char *const names[] = {"plain", "with blank", "a) R 1 (b", ")))", ""};
	struct perseus_error err;
	uint64_t before = 0;
	ck_assert_int_eq(perseus__process_start(getpid(), &before, &err), PERSEUS_OK);
	ck_assert_int_eq(prctl(PR_SET_NAME, names[_i], 0, 0, 0), 0);
	uint64_t after = 0;
	ck_assert_int_eq(perseus__process_start(getpid(), &after, &err), PERSEUS_OK);
	ck_assert_uint_eq(after, before);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("privilege");
	TCase *tcase = tcase_create("privilege");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_loop_test(tcase, leaves_the_executor_two_capabilities, 0, 2);
	tcase_add_test(tcase, leaves_an_unprivileged_executor_as_it_is);
	tcase_add_loop_test(tcase, leaves_the_front_nothing, 0, 3);
	tcase_add_test(tcase, notices_an_executor_that_is_dead_already);
	tcase_add_test(tcase, takes_the_front_along_when_the_executor_is_killed);
	tcase_add_test(tcase, finds_users);
	tcase_add_test(tcase, tells_processes_apart);
	tcase_add_loop_test(tcase, reads_the_start_of_a_process_with_an_odd_name, 0, 5);
	return run_suite(suite);
}
