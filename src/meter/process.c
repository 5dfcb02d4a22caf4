/* Which process it was, by what Linux says in /proc. */
#include "meter/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROC_BYTES = 4096 };

/* A whole file of /proc, NUL-terminated, without its last line end; false where it cannot be read. */
static bool
read_proc(const char *path, char text[PROC_BYTES])
{
	const int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	const ssize_t length = read(file, text, PROC_BYTES - 1);
	(void)close(file);
	if (length <= 0)
		return false;
	text[length - (text[length - 1] == '\n')] = '\0';
	return true;
}

/* State and start of a process: fields 3 and 22 of proc(5)'s stat, behind a name that may hold anything. */
static bool
read_stat(int64_t pid, char *state, int64_t *start_ticks)
{
	enum { FIELDS_FROM_STATE_TO_START = 19 };
	char path[64], stat[PROC_BYTES];
	(void)snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
	const char *at = read_proc(path, stat) ? strrchr(stat, ')') : NULL;
	if (!at || at[1] != ' ' || at[2] == '\0')
		return false;
	at += 2;
	*state = *at;
	for (int i = 0; at && i < FIELDS_FROM_STATE_TO_START; i++)
		at = strchr(at + 1, ' ');
	*start_ticks = at ? strtoll(at + 1, NULL, 10) : 0;
	return true;
}

struct perseus__process
perseus__process_self(void)
{
	struct perseus__process self = {.pid = getpid()};
	char state;
	(void)read_stat(self.pid, &state, &self.start_ticks);
	struct stat namespace;
	if (stat("/proc/self/ns/pid", &namespace) == 0)
		self.pid_namespace = (int64_t)namespace.st_ino;
	char boot_id[PROC_BYTES];
	if (read_proc("/proc/sys/kernel/random/boot_id", boot_id))
		(void)snprintf(self.boot_id, sizeof self.boot_id, "%.*s", PERSEUS__BOOT_ID_BYTES - 1, boot_id);
	return self;
}

bool
perseus__process_is_gone(const struct perseus__process *process, bool was_here)
{
	const struct perseus__process self = perseus__process_self();
	if (*process->boot_id == '\0' || *self.boot_id == '\0' || process->pid <= 0)
		return false;
	if (strcmp(process->boot_id, self.boot_id) != 0)
		return was_here; /* the machine has been booted since */
	if (process->pid_namespace == 0 || process->pid_namespace != self.pid_namespace)
		return false;
	if (kill((pid_t)process->pid, 0) != 0 && errno == ESRCH)
		return true;
	char state = 'R';
	int64_t start_ticks = 0;
	if (!read_stat(process->pid, &state, &start_ticks))
		return false;
	return state == 'Z' || state == 'X' || (process->start_ticks != 0 && start_ticks != process->start_ticks);
}
