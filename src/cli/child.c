/* The command that is measured, see the header. */
#include "cli/child.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * Faults of perseus itself; SIGPIPE, which is about its own output; and what the terminal tells each process of a group
 * for itself. Everything else is held.
 */
static const int not_held[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPIPE, SIGWINCH, SIGTTIN, SIGTTOU};

void
perseus__signals_hold(struct perseus__signals *signals)
{
	(void)sigfillset(&signals->held); /* these calls fail only for signals that do not exist */
	for (size_t i = 0; i < sizeof not_held / sizeof *not_held; i++)
		(void)sigdelset(&signals->held, not_held[i]);
	(void)pthread_sigmask(SIG_BLOCK, &signals->held, &signals->mask);
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	(void)sigaction(SIGPIPE, &ignore, &signals->pipe);
	(void)sigaction(SIGCHLD, &standard, &signals->child);
}

/* What was held back before us, is ignored, or does nothing by itself, ends nobody. */
static bool
is_deadly(const struct perseus__signals *signals, int signal)
{
	struct sigaction action;
	if (signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGTSTP)
		return false;
	return sigismember(&signals->mask, signal) == 0 && sigaction(signal, NULL, &action) == 0
			&& action.sa_handler != SIG_IGN;
}

int
perseus__signals_end(const struct perseus__signals *signals)
{
	const struct timespec now = {0};
	int signal;
	do
		signal = sigtimedwait(&signals->held, NULL, &now);
	while (signal > 0 && !is_deadly(signals, signal));
	return signal > 0 ? signal : 0;
}

static void
restore(const struct perseus__signals *signals)
{
	(void)sigaction(SIGPIPE, &signals->pipe, NULL);
	(void)sigaction(SIGCHLD, &signals->child, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &signals->mask, NULL);
}

void
perseus__signals_release(const struct perseus__signals *signals)
{
	const struct timespec now = {0};
	while (sigtimedwait(&signals->held, NULL, &now) > 0) {
	}
	restore(signals);
}

/* In the child, between fork and exec: does not return. The reason of a failure goes to `report`. */
static _Noreturn void
become(char *const *argv, const struct perseus__signals *signals, int report)
{
	restore(signals);
	(void)execvp(argv[0], argv);
	const int reason = errno;
	/* Where even this fails, the exit code alone tells. */
	const ssize_t written = write(report, &reason, sizeof reason);
	_exit(written == sizeof reason && reason != ENOENT ? PERSEUS__EXIT_NOT_EXECUTABLE : PERSEUS__EXIT_NOT_FOUND);
}

/* Why the child could not become the command; 0 where it has. */
static int
read_reason(int report)
{
	int reason = 0;
	ssize_t n;
	do
		n = read(report, &reason, sizeof reason);
	while (n < 0 && errno == EINTR);
	return n == sizeof reason ? reason : 0;
}

enum perseus_status
perseus__child_start(struct perseus__child *child, char *const *argv, const struct perseus__signals *signals,
		int *exit_code, struct perseus_error *err)
{
	int report[2];
	*exit_code = PERSEUS__EXIT_NOT_EXECUTABLE;
	if (pipe2(report, O_CLOEXEC) != 0)
		return perseus__fail(err, PERSEUS_IO, "cannot run %s: %s", argv[0], strerror(errno));
	const pid_t pid = fork();
	if (pid == 0)
		become(argv, signals, report[1]);
	const int fork_errno = errno;
	(void)close(report[1]);
	const int reason = pid < 0 ? fork_errno : read_reason(report[0]);
	(void)close(report[0]);
	if (reason == 0) {
		child->pid = pid;
		child->signals = signals;
		child->has_ended = false;
		return PERSEUS_OK;
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	if (reason == ENOENT)
		*exit_code = PERSEUS__EXIT_NOT_FOUND;
	return perseus__fail(err, PERSEUS_IO, "cannot run %s: %s", argv[0], strerror(reason));
}

/* Stops as the terminal stopped the child; goes on when somebody continues us. */
static void
stop_along(const struct perseus__child *child, int signal)
{
	/* By SIGSTOP somebody stopped the child alone, and may continue it alone. */
	if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU)
		return;
	if (child->on_stop)
		child->on_stop(child->user);
	sigset_t one;
	(void)sigemptyset(&one);
	(void)sigaddset(&one, signal);
	(void)raise(signal);
	(void)pthread_sigmask(SIG_UNBLOCK, &one, NULL); /* stops here */
	if (sigismember(&child->signals->held, signal))
		(void)pthread_sigmask(SIG_BLOCK, &one, NULL);
}

static void
look_after(struct perseus__child *child)
{
	int status;
	while (!child->has_ended && waitpid(child->pid, &status, WNOHANG | WUNTRACED) > 0) {
		if (WIFSTOPPED(status)) {
			stop_along(child, WSTOPSIG(status));
			continue;
		}
		child->has_ended = true;
		child->wait_status = status;
	}
}

static void
take(struct perseus__child *child, const siginfo_t *info)
{
	/* The kernel's are the terminal's, which the child got as well; but for the alarm that was set before us. */
	const bool is_of_terminal = info->si_code > 0 && info->si_signo != SIGALRM;
	if (info->si_signo == SIGCHLD)
		look_after(child);
	else if (!is_of_terminal && info->si_pid != child->pid)
		(void)kill(child->pid, info->si_signo); /* not gone before we have waited for it */
}

bool
perseus__child_wait(struct perseus__child *child, int64_t timeout_ns)
{
	const int64_t end_ns = perseus__clock_mono_ns() + timeout_ns;
	look_after(child);
	while (!child->has_ended) {
		siginfo_t info;
		int64_t left_ns = end_ns - perseus__clock_mono_ns();
		if (timeout_ns >= 0 && left_ns <= 0)
			return false;
		left_ns = timeout_ns < 0 ? PERSEUS__NS_PER_S : left_ns;
		const struct timespec left = {left_ns / PERSEUS__NS_PER_S, left_ns % PERSEUS__NS_PER_S};
		if (sigtimedwait(&child->signals->held, &info, timeout_ns < 0 ? NULL : &left) > 0)
			take(child, &info);
	}
	return true;
}

int
perseus__child_signal(const struct perseus__child *child)
{
	return WIFSIGNALED(child->wait_status) ? WTERMSIG(child->wait_status) : 0;
}

int
perseus__child_exit_code(const struct perseus__child *child)
{
	const int signal = perseus__child_signal(child);
	return signal ? 128 + signal : WEXITSTATUS(child->wait_status);
}
