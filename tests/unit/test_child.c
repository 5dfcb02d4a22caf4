/* The measured command: exit codes, signals passed on and not passed on, stopping and continuing together. */
#include "cli/child.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t MS = 1000000;
static const int64_t LONG_NS = 10000000000;

static struct perseus__signals signals;

static void
hold(void)
{
	perseus__signals_hold(&signals);
}

static void
start(struct perseus__child *child, const char *script)
{
	char shell[] = "/bin/sh", flag[] = "-c";
	char text[512];
	(void)snprintf(text, sizeof text, "%s", script);
	char *argv[] = {shell, flag, text, NULL};
	struct perseus_error err = {.message = ""};
	int exit_code = 0;
	*child = (struct perseus__child){0};
	ck_assert_msg(perseus__child_start(child, argv, &signals, &exit_code, &err) == PERSEUS_OK, "%s", err.message);
}

/* Waits until the child has written a byte: its traps are set by then. */
struct gate {
	int ends[2];
};

static void
gate_open(struct gate *gate)
{
	ck_assert_int_eq(pipe(gate->ends), 0);
	ck_assert_int_eq(dup2(gate->ends[1], 9), 9);
}

static void
gate_wait(const struct gate *gate)
{
	char byte;
	ssize_t n;
	do
		n = read(gate->ends[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	ck_assert_int_eq(n, 1);
}

static const struct {
	const char *script;
	int exit_code;
	int signal;
} ends[] = {
	{"exit 0", 0, 0},
	{"exit 7", 7, 0},
	{"exit 255", 255, 0},
	{"kill -TERM $$", 128 + SIGTERM, SIGTERM},
	{"kill -KILL $$", 128 + SIGKILL, SIGKILL},
	{"kill -USR1 $$", 128 + SIGUSR1, SIGUSR1},
};

START_TEST(ends_as_the_command_does)
{
	struct perseus__child child;
	start(&child, ends[_i].script);
	ck_assert(perseus__child_wait(&child, -1));
	ck_assert_int_eq(perseus__child_exit_code(&child), ends[_i].exit_code);
	ck_assert_int_eq(perseus__child_signal(&child), ends[_i].signal);
}
END_TEST

START_TEST(says_why_it_cannot_run)
{
	char directory[] = "/tmp/perseus-test-XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(directory));
	char plain[64];
	(void)snprintf(plain, sizeof plain, "%s/plain", directory);
	FILE *file = fopen(plain, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(plain, 0600), 0);
	char missing[] = "no-such-command-here", missing_path[] = "/no/such/path";
	char *const names[] = {missing, missing_path, plain, directory};
	const int codes[] = {127, 127, 126, 126};
	for (size_t i = 0; i < 4; i++) {
		char *argv[] = {names[i], NULL};
		struct perseus__child child = {.pid = 42};
		struct perseus_error err = {.message = ""};
		int exit_code = 0;
		ck_assert_int_eq(perseus__child_start(&child, argv, &signals, &exit_code, &err), PERSEUS_IO);
		ck_assert_msg(exit_code == codes[i], "%s: %d, expected %d", names[i], exit_code, codes[i]);
		ck_assert_msg(strstr(err.message, names[i]) != NULL, "%s", err.message);
		ck_assert_int_eq(child.pid, 42);
	}
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left over */
	(void)remove(plain);
	(void)rmdir(directory);
}
END_TEST

/* A script without "#!" runs, as execvp has it. */
START_TEST(runs_a_script_without_an_interpreter)
{
	char path[] = "/tmp/perseus-test-XXXXXX";
	const int file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, "exit 5\n", 7), 7);
	ck_assert_int_eq(fchmod(file, 0700), 0);
	(void)close(file);
	char *argv[] = {path, NULL};
	struct perseus__child child = {0};
	int exit_code = 0;
	ck_assert_int_eq(perseus__child_start(&child, argv, &signals, &exit_code, NULL), PERSEUS_OK);
	ck_assert(perseus__child_wait(&child, -1));
	ck_assert_int_eq(perseus__child_exit_code(&child), 5);
	(void)remove(path);
}
END_TEST

START_TEST(gives_up_waiting_in_time)
{
	struct perseus__child child;
	start(&child, "exec sleep 60");
	ck_assert(!perseus__child_wait(&child, 0));
	ck_assert(!perseus__child_wait(&child, 20 * MS));
	ck_assert_int_eq(kill(child.pid, SIGKILL), 0);
	ck_assert(perseus__child_wait(&child, LONG_NS));
	ck_assert_int_eq(perseus__child_exit_code(&child), 128 + SIGKILL);
	ck_assert(perseus__child_wait(&child, 0)); /* and stays so */
}
END_TEST

/* Each is sent once to this process and must come once: the child counts, and ends when it is told to. */
static const int passed[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGURG, SIGIO, SIGPROF, SIGXCPU, 40};

START_TEST(passes_on_what_is_sent_to_it)
{
	struct gate gate;
	gate_open(&gate);
	struct perseus__child child;
	char script[256];
	(void)snprintf(script, sizeof script,
			"n=0; trap 'n=$((n+1))' %d; echo >&9; while [ $n = 0 ]; do sleep 0.01; done; sleep 0.05; exit $((30+n))",
			passed[_i]);
	start(&child, script);
	gate_wait(&gate);
	ck_assert_int_eq(kill(getpid(), passed[_i]), 0);
	ck_assert(perseus__child_wait(&child, LONG_NS));
	ck_assert_int_eq(perseus__child_exit_code(&child), 31);
}
END_TEST

/* As of "perl -e 'alarm 5; exec @ARGV' COMMAND", which limits the time of a command: exec keeps the timer. */
START_TEST(passes_on_the_alarm_of_whoever_ran_it)
{
	const struct itimerval soon = {.it_value = {.tv_usec = 10000}};
	struct perseus__child child;
	start(&child, "exec sleep 60");
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	const bool has_ended = perseus__child_wait(&child, LONG_NS / 5);
	(void)kill(child.pid, SIGKILL);
	ck_assert(has_ended);
	ck_assert_int_eq(perseus__child_exit_code(&child), 128 + SIGALRM);
}
END_TEST

START_TEST(does_not_send_back_what_the_child_sent)
{
	struct perseus__child child;
	start(&child, "trap 'exit 9' USR1; kill -USR1 $PPID; sleep 0.2; exit 3");
	ck_assert(perseus__child_wait(&child, LONG_NS));
	ck_assert_int_eq(perseus__child_exit_code(&child), 3);
}
END_TEST

/* The signals that this process ignores, as the kernel tells them: signal n is bit n - 1. */
static uint64_t
ignored_signals(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	ck_assert_ptr_nonnull(file);
	char line[256];
	uint64_t ignored = 0;
	bool is_found = false;
	while (!is_found && fgets(line, sizeof line, file)) {
		is_found = strncmp(line, "SigIgn:", 7) == 0;
		if (is_found)
			ignored = strtoull(line + 7, NULL, 16);
	}
	(void)fclose(file);
	ck_assert(is_found);
	return ignored;
}

/* As they were: the mask, SIGPIPE that Python ignores and SIGCHLD that a careless parent ignores. */
START_TEST(the_child_finds_signals_as_they_were)
{
	sigset_t usr2;
	(void)sigemptyset(&usr2);
	(void)sigaddset(&usr2, SIGUSR2);
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, &usr2, NULL), 0);
	const bool ignores = _i == 1;
	(void)signal(SIGPIPE, ignores ? SIG_IGN : SIG_DFL);
	(void)signal(SIGCHLD, ignores ? SIG_IGN : SIG_DFL);
	/* SIGPIPE and SIGCHLD are bits 12 and 16. Others are ignored from the start under nohup, or by make 32 and 33. */
	const uint64_t ignored = ignored_signals();
	ck_assert_uint_eq(ignored & 0x11000, ignores ? 0x11000 : 0);
	hold();
	/* SIGUSR2 is bit 11 of the blocked. A shell would change them. */
	char awk[] = "awk", status[] = "/proc/self/status", script[256];
	(void)snprintf(script, sizeof script,
			"/^SigBlk/ {b = $2} /^SigIgn/ {i = $2} END {exit b != \"0000000000000800\" || i != \"%016" PRIx64 "\"}",
			ignored);
	char *argv[] = {awk, script, status, NULL};
	struct perseus__child child = {0};
	int exit_code = 0;
	ck_assert_int_eq(perseus__child_start(&child, argv, &signals, &exit_code, NULL), PERSEUS_OK);
	ck_assert(perseus__child_wait(&child, LONG_NS));
	ck_assert_int_eq(perseus__child_exit_code(&child), 0);
	(void)raise(SIGTERM);
	perseus__signals_release(&signals); /* forgets that one */
	sigset_t now;
	ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &now), 0);
	ck_assert_int_eq(sigismember(&now, SIGUSR2), 1);
	ck_assert_int_eq(sigismember(&now, SIGTERM), 0);
	struct sigaction pipe;
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &pipe), 0);
	ck_assert(pipe.sa_handler == (ignores ? SIG_IGN : SIG_DFL));
}
END_TEST

START_TEST(knows_what_came_ahead_of_the_child)
{
	(void)signal(SIGUSR1, SIG_IGN);
	ck_assert_int_eq(perseus__signals_end(&signals), 0);
	(void)raise(SIGCONT);
	(void)raise(SIGUSR1);
	ck_assert_int_eq(perseus__signals_end(&signals), 0);
	(void)raise(SIGINT);
	ck_assert_int_eq(perseus__signals_end(&signals), SIGINT);
	ck_assert_int_eq(perseus__signals_end(&signals), 0);
}
END_TEST

static void
note_stop(void *user)
{
	++*(int *)user;
}

/* In a process of its own, which stands for perseus: stops with its child, goes on with it. */
static _Noreturn void
play_perseus(int signal)
{
	(void)setpgid(0, 0); /* in a group that is not orphaned, as its parent is of another */
	struct perseus__child child;
	char script[128];
	int n_stops = 0;
	(void)snprintf(script, sizeof script, "kill -%d $$; exit 4", signal);
	start(&child, script);
	child.on_stop = note_stop;
	child.user = &n_stops;
	(void)perseus__child_wait(&child, -1);
	_exit(perseus__child_exit_code(&child) + 10 * n_stops);
}

START_TEST(stops_and_continues_with_the_child)
{
	static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};
	const pid_t perseus = fork();
	ck_assert_int_ge(perseus, 0);
	if (perseus == 0)
		play_perseus(stops[_i]);
	int status = 0;
	ck_assert_int_eq(waitpid(perseus, &status, WUNTRACED), perseus);
	ck_assert_msg(WIFSTOPPED(status) && WSTOPSIG(status) == stops[_i], "wait status %x", (unsigned)status);
	ck_assert_int_eq(kill(perseus, SIGCONT), 0); /* it alone: it has to tell the child */
	ck_assert_int_eq(waitpid(perseus, &status, WUNTRACED), perseus);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 14, "wait status %x", (unsigned)status);
}
END_TEST

/* Somebody stops the child alone, e.g. a debugger's user, and continues it alone. */
START_TEST(waits_while_the_child_alone_is_stopped)
{
	int way[2];
	ck_assert_int_eq(pipe(way), 0);
	ck_assert_int_eq(dup2(way[0], 9), 9);
	struct perseus__child child;
	start(&child, "read line <&9");
	ck_assert_int_eq(kill(child.pid, SIGSTOP), 0);
	ck_assert_int_eq(write(way[1], "\n", 1), 1);
	ck_assert(!perseus__child_wait(&child, 50 * MS));
	ck_assert_int_eq(kill(child.pid, SIGCONT), 0);
	ck_assert(perseus__child_wait(&child, LONG_NS));
	ck_assert_int_eq(perseus__child_exit_code(&child), 0);
}
END_TEST

int
main(void)
{
	/* Whoever runs this may ignore some: nohup SIGHUP, timeout SIGTTIN, a shell's background SIGINT. A shell that finds
	 * one ignored cannot trap it. */
	for (int number = 1; number < SIGRTMAX; number++)
		(void)signal(number, SIG_DFL); /* fails for SIGKILL and SIGSTOP */
	Suite *suite = suite_create("child");
	TCase *tcase = tcase_create("child");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, hold, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, ends_as_the_command_does, 0, sizeof ends / sizeof *ends);
	tcase_add_test(tcase, says_why_it_cannot_run);
	tcase_add_test(tcase, runs_a_script_without_an_interpreter);
	tcase_add_test(tcase, gives_up_waiting_in_time);
	tcase_add_loop_test(tcase, passes_on_what_is_sent_to_it, 0, sizeof passed / sizeof *passed);
	tcase_add_test(tcase, knows_what_came_ahead_of_the_child);
	tcase_add_test(tcase, passes_on_the_alarm_of_whoever_ran_it);
	tcase_add_test(tcase, does_not_send_back_what_the_child_sent);
	tcase_add_loop_test(tcase, stops_and_continues_with_the_child, 0, 3);
	tcase_add_test(tcase, waits_while_the_child_alone_is_stopped);
	TCase *own = tcase_create("own signals");
	suite_add_tcase(suite, own);
	tcase_add_loop_test(own, the_child_finds_signals_as_they_were, 0, 2);
	return run_suite(suite);
}
