/* The front as the executor sees it. */
#include "agent/front_process.h"

#include "agent/process.h"
#include "base/error.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Requests under way are answered within that time; systemd's patience (90 s) and the watchdog's are longer. */
enum { TERM_PATIENCE_MS = 5000, KILL_PATIENCE_MS = 1000 };

enum perseus_status
perseus__front_watch(pid_t front, int *front_fd, struct perseus_error *err)
{
	const int fd = (int)syscall(SYS_pidfd_open, front, 0);
	if (fd < 0)
		return perseus__fail(err, PERSEUS_IO, "cannot watch the front, process %ld: %s", (long)front, strerror(errno));
	*front_fd = fd;
	return PERSEUS_OK;
}

static void
describe(int front_fd, char *how, size_t size)
{
	siginfo_t info = {.si_pid = 0};
	if (waitid(P_PIDFD, (id_t)front_fd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
		(void)snprintf(how, size, "not known how");
	else if (info.si_code == CLD_EXITED)
		(void)snprintf(how, size, "exit status %d", info.si_status);
	else
		(void)snprintf(how, size, "signal %d", info.si_status);
}

void
perseus__front_end(int front_fd, char *how, size_t size)
{
	if (!perseus__process_is_over(front_fd, 0)) {
		/* Where it may not be told, it sees the pairs close as this process ends. */
		(void)syscall(SYS_pidfd_send_signal, front_fd, SIGTERM, NULL, 0);
		if (!perseus__process_is_over(front_fd, TERM_PATIENCE_MS)) {
			(void)syscall(SYS_pidfd_send_signal, front_fd, SIGKILL, NULL, 0);
			(void)perseus__process_is_over(front_fd, KILL_PATIENCE_MS);
		}
	}
	describe(front_fd, how, size);
}
