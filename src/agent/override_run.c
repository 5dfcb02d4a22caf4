/* Runs the commands of an override: without a shell, with a time limit, and with what they print kept. */
#include "agent/override_internal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "format/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Output beyond this is read and dropped. A child of a command may hold the pipe open: it is not waited for longer. */
enum { MAX_OUTPUT_BYTES = 65536, GRACE_S = 1 };

/* A command under way. */
struct process {
	pid_t pid;
	int pidfd;  /* readable once it has ended */
	int output; /* its standard output and error */
	struct perseus__text text;
};

static int
remaining_ms(int64_t deadline_ns)
{
	const int64_t left_ns = deadline_ns - perseus__clock_mono_ns();
	return left_ns <= 0 ? 0 : (int)(left_ns / PERSEUS__NS_PER_MS) + 1;
}

/* Takes what the pipe holds; false at its end. */
static bool
take_output(struct process *process)
{
	char bytes[4096];
	const ssize_t n = read(process->output, bytes, sizeof bytes);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (process->text.length + (size_t)n <= MAX_OUTPUT_BYTES)
		perseus__text_add(&process->text, bytes, (size_t)n);
	return n > 0;
}

/* Reads until the command has ended and its pipe is closed, or the time is over; false then. */
static bool
follow(struct process *process, int64_t timeout_s)
{
	int64_t deadline_ns = perseus__clock_mono_ns() + timeout_s * PERSEUS__NS_PER_S;
	struct pollfd ends[] = {{.fd = process->pidfd, .events = POLLIN}, {.fd = process->output, .events = POLLIN}};
	for (int left_ms = remaining_ms(deadline_ns); left_ms > 0; left_ms = remaining_ms(deadline_ns)) {
		if (poll(ends, 2, left_ms) < 0 && errno != EINTR)
			return false;
		if (ends[1].revents && !take_output(process))
			ends[1].fd = -1;
		if (ends[0].revents && ends[0].fd >= 0) {
			ends[0].fd = -1;
			deadline_ns = perseus__clock_mono_ns() + (int64_t)GRACE_S * PERSEUS__NS_PER_S;
		}
		if (ends[0].fd < 0 && ends[1].fd < 0)
			return true;
	}
	return ends[0].fd < 0;
}

/*
 * A process group of its own, so that a command that runs out of time goes with all it started; signals as a program
 * expects them: a pipeline relies on SIGPIPE, which the agent ignores.
 */
static int
spawn(char *const *words, int output, pid_t *pid)
{
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char locale[] = "LC_ALL=C";
	char *const environment[] = {path, locale, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;
	int number = posix_spawn_file_actions_init(&actions);
	if (number != 0)
		return number;
	number = posix_spawnattr_init(&attributes);
	if (number != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return number;
	}
	/* None of these fails but for want of memory, which posix_spawn then reports. */
	(void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	(void)sigemptyset(&signals);
	(void)posix_spawnattr_setsigmask(&attributes, &signals);
	(void)sigaddset(&signals, SIGPIPE);
	(void)posix_spawnattr_setsigdefault(&attributes, &signals);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	number = posix_spawnp(pid, words[0], &actions, &attributes, words, environment);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return number;
}

static enum perseus_status
start(char *const *words, struct process *process, struct perseus_error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return perseus__fail(err, PERSEUS_IO, "cannot make a pipe: %s", strerror(errno));
	const int number = spawn(words, ends[1], &process->pid);
	(void)close(ends[1]);
	process->output = ends[0];
	if (number == 0)
		return PERSEUS_OK;
	(void)close(ends[0]);
	return perseus__fail(err, PERSEUS_IO, "cannot run %s: %s", words[0], strerror(number));
}

/* Whether the command did what it should, from how it ended and what it printed. */
static enum perseus_status
judge(const struct perseus__override *override, const char *name, int how, const struct perseus__text *text,
		struct perseus_error *err)
{
	char shown[PERSEUS__CSV_SHOWN_BYTES];
	const char *output = text->failed || !text->bytes ? "" : text->bytes;
	(void)perseus__csv_shown(output, strlen(output), shown);
	if (WIFSIGNALED(how))
		return perseus__fail(err, PERSEUS_IO, "%s was ended by signal %d: '%s'", name, WTERMSIG(how), shown);
	if (WEXITSTATUS(how) != 0)
		return perseus__fail(err, PERSEUS_IO, "%s ended with status %d: '%s'", name, WEXITSTATUS(how), shown);
	if (override->has_pattern && regexec(&override->pattern, output, 0, NULL, 0) == 0)
		return perseus__fail(err, PERSEUS_IO, "%s printed what the file calls an error: '%s'", name, shown);
	return PERSEUS_OK;
}

static enum perseus_status
run_words(const struct perseus__override *override, char *const *words, struct perseus_error *err)
{
	struct process process = {.text = perseus__text_init(MAX_OUTPUT_BYTES)};
	const enum perseus_status status = start(words, &process, err);
	if (status != PERSEUS_OK)
		return status;
	process.pidfd = (int)syscall(SYS_pidfd_open, process.pid, 0U);
	const bool is_in_time = follow(&process, override->timeout_s);
	if (!is_in_time)
		(void)kill(-process.pid, SIGKILL);
	int how = 0;
	while (waitpid(process.pid, &how, 0) < 0 && errno == EINTR) {
	}
	if (process.pidfd >= 0)
		(void)close(process.pidfd);
	(void)close(process.output);
	const enum perseus_status verdict = is_in_time
			? judge(override, words[0], how, &process.text, err)
			: perseus__fail(err, PERSEUS_IO, "%s was ended after %lld s", words[0], (long long) override->timeout_s);
	perseus__text_fini(&process.text);
	return verdict;
}

static enum perseus_status
run_command(const struct perseus__override *override, const struct perseus__override_command *command,
		const struct perseus__override_values *values, struct perseus_error *err)
{
	char **words = perseus__new_array(command->n_words + 1, sizeof *words);
	bool is_complete = words != NULL;
	for (size_t i = 0; is_complete && i < command->n_words; i++) {
		words[i] = perseus__override_fill(command->words[i], values);
		is_complete = words[i] != NULL;
	}
	const enum perseus_status status = is_complete ? run_words(override, words, err) : perseus__no_memory(err);
	for (size_t i = 0; words && words[i]; i++)
		perseus__free(words[i]);
	perseus__free(words);
	return status;
}

enum perseus_status
perseus__override_run(const struct perseus__override *override, const struct perseus__override_values *values,
		struct perseus_error *err)
{
	for (size_t i = 0; i < override->n_commands; i++) {
		const enum perseus_status status = run_command(override, &override->commands[i], values, err);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}
