/* Processes that hold leases: told apart from later ones of the same number, and watched until they end. */
#ifndef PERSEUS_AGENT_PROCESS_H
#define PERSEUS_AGENT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <perseus/status.h>

/* When a process began, in the kernel's ticks since boot. INVALID where it is gone; IO where /proc does not tell. */
PERSEUS_MUST_USE enum perseus_status perseus__process_start(
		pid_t pid, uint64_t *start_ticks, struct perseus_error *err);

/*
 * A pidfd of the process that had number `pid` and began at `start_ticks`; closed by the caller. INVALID where that
 * process has ended, whoever has its number now; IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__process_watch(
		pid_t pid, uint64_t start_ticks, int *process_fd, struct perseus_error *err);

/* Whether the process of a pidfd has ended; waits for at most `timeout_ms`, or without end where it is negative. */
bool perseus__process_is_over(int process_fd, int timeout_ms);

#endif
