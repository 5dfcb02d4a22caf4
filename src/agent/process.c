/* Processes that hold leases. */
#include "agent/process.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static enum perseus_status
fail(struct perseus_error *err, pid_t pid, const char *what)
{
	if (errno == ESRCH || errno == ENOENT)
		return perseus__fail(err, PERSEUS_INVALID, "the process is gone: %ld", (long)pid);
	return perseus__fail(err, PERSEUS_IO, "cannot %s process %ld: %s", what, (long)pid, strerror(errno));
}

/* Field 22 of /proc/PID/stat. Field 2 is the name in parentheses, which may itself hold blanks and parentheses. */
static bool
parse_stat(const char *text, uint64_t *start_ticks)
{
	enum { FIELD_BEHIND_NAME = 3, START_FIELD = 22 };
	const char *at = strrchr(text, ')');
	for (int field = FIELD_BEHIND_NAME; at && field <= START_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	char *end;
	errno = 0;
	*start_ticks = strtoull(at + 1, &end, 10);
	return errno == 0 && *end == ' ';
}

enum perseus_status
perseus__process_start(pid_t pid, uint64_t *start_ticks, struct perseus_error *err)
{
	char path[48];
	char text[1024];
	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	const int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return fail(err, pid, "look at");
	const ssize_t n = read(file, text, sizeof text - 1);
	const int reason = errno;
	(void)close(file);
	errno = reason;
	if (n < 0)
		return fail(err, pid, "look at");
	text[n] = '\0';
	uint64_t ticks;
	if (!parse_stat(text, &ticks))
		return perseus__fail(err, PERSEUS_IO, "%s has no field 22", path);
	*start_ticks = ticks;
	return PERSEUS_OK;
}

bool
perseus__process_is_over(int process_fd, int timeout_ms)
{
	struct pollfd process = {.fd = process_fd, .events = POLLIN};
	return poll(&process, 1, timeout_ms) == 1;
}

enum perseus_status
perseus__process_watch(pid_t pid, uint64_t start_ticks, int *process_fd, struct perseus_error *err)
{
	const int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* glibc has it from 2.36 only */
	if (fd < 0)
		return fail(err, pid, "watch");
	uint64_t ticks = 0;
	enum perseus_status status = perseus__process_start(pid, &ticks, err);
	/*
	 * The number belongs to the process of the pidfd for as long as that has not ended: asked in this order, start and
	 * pidfd are of one process.
	 */
	if (status == PERSEUS_OK && (ticks != start_ticks || perseus__process_is_over(fd, 0)))
		status = perseus__fail(err, PERSEUS_INVALID, "the process is gone: %ld", (long)pid);
	if (status != PERSEUS_OK) {
		(void)close(fd);
		return status;
	}
	*process_fd = fd;
	return PERSEUS_OK;
}
