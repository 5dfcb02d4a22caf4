/* The front as the executor sees it: a process that may end at any time, and that is told to end. */
#ifndef PERSEUS_AGENT_FRONT_PROCESS_H
#define PERSEUS_AGENT_FRONT_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include <perseus/status.h>

/* A pidfd of `front`, readable once it has ended; closed by the caller. IO where it is gone already. */
PERSEUS_MUST_USE enum perseus_status perseus__front_watch(pid_t front, int *front_fd, struct perseus_error *err);

/*
 * Tells it to end by SIGTERM, waits a few seconds, then makes it end by SIGKILL; takes its exit status away.
 * `how` says how it ended: "exit status 0", "signal 9", ...
 */
void perseus__front_end(int front_fd, char *how, size_t size);

#endif
