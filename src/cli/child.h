/*
 * The command that is measured: a child in our own process group and terminal, which must fare as if perseus were not
 * between it and its caller. Signals that reach perseus alone are passed on, stopping and continuing go together, and
 * nothing that happens to perseus ends the command: killed at any point, it leaves the command running.
 */
#ifndef PERSEUS_CLI_CHILD_H
#define PERSEUS_CLI_CHILD_H

#include <perseus/status.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a shell, env and timeout say where a command cannot be run. */
enum { PERSEUS__EXIT_NOT_EXECUTABLE = 126, PERSEUS__EXIT_NOT_FOUND = 127 };

/* What was in force before perseus__signals_hold. */
struct perseus__signals {
	sigset_t held;
	sigset_t mask;
	struct sigaction pipe;  /* of SIGPIPE */
	struct sigaction child; /* of SIGCHLD: where it is ignored, nobody could wait for a child */
};

/*
 * Holds back every signal that a child may be meant by, until perseus__child_wait takes it: in this thread and in those
 * it starts from now on. To be called before there is any other thread.
 */
void perseus__signals_hold(struct perseus__signals *signals);

/* A signal that came meanwhile and that would have ended this process, were it not held back; 0: none did. */
int perseus__signals_end(const struct perseus__signals *signals);

/* Forgets what is still held back and undoes perseus__signals_hold in this thread. */
void perseus__signals_release(const struct perseus__signals *signals);

struct perseus__child {
	pid_t pid;
	const struct perseus__signals *signals; /* borrowed */
	bool has_ended;
	int wait_status; /* as waitpid has it, once it has ended */
	/* Called ahead of stopping together with the child, e.g. to leave the terminal tidy. NULL: not called. */
	void (*on_stop)(void *user);
	void *user;
};

/*
 * Runs `argv`, which ends in NULL, with this process's environment and the signals as they were before they were held.
 * Where it cannot be run, `*exit_code` is 126 or 127, and the error says why; `child` is untouched then.
 */
PERSEUS_MUST_USE enum perseus_status perseus__child_start(struct perseus__child *child, char *const *argv,
		const struct perseus__signals *signals, int *exit_code, struct perseus_error *err);

/*
 * Waits until the child has ended (true) or `timeout_ns` have passed (false; negative: never), passing on signals.
 *
 * What the terminal sends (Ctrl-C, Ctrl-\, Ctrl-Z) reaches the whole group anyway and is not passed on again, nor is
 * what the child itself sent. Where the terminal stopped the child, perseus stops too, so that the shell takes over.
 */
bool perseus__child_wait(struct perseus__child *child, int64_t timeout_ns);

/* The signal that ended the child; 0 where it exited. */
int perseus__child_signal(const struct perseus__child *child);

/* The child's exit code, 128 + N where signal N ended it. */
int perseus__child_exit_code(const struct perseus__child *child);

#endif
