/*
 * The sockets between the agent's processes: made before the fork, when nobody knows yet how many GPUs there are, as
 * NVML must not be opened before. Each process keeps its ends and as many of them as it finds GPUs.
 */
#ifndef PERSEUS_AGENT_PAIRS_H
#define PERSEUS_AGENT_PAIRS_H

#include <stdint.h>

#include "agent/counters.h"

#include <perseus/device.h>

enum { PERSEUS__N_PAIRS = PERSEUS__MAX_GPUS + 2 };

struct perseus__pairs {
	/* Both ends of each, the front's first; -1: closed. Those of the GPUs, then control, then the offer. */
	int ends[PERSEUS__N_PAIRS][2];
	/* Once a process has kept its ends: */
	int gpu_fds[PERSEUS__MAX_GPUS];
	int control_fd;
	int offer_fd;
	/* Once it has seen its node: */
	int32_t devices[PERSEUS__MAX_GPUS];
	int32_t n_gpus;
};

PERSEUS_MUST_USE enum perseus_status perseus__pairs_open(struct perseus__pairs *pairs, struct perseus_error *err);

/* Closes the other process's ends. */
void perseus__pairs_keep_front(struct perseus__pairs *pairs);
void perseus__pairs_keep_executor(struct perseus__pairs *pairs);

/* Fills in the GPUs of `node`. INVALID where there are too many. */
PERSEUS_MUST_USE enum perseus_status perseus__pairs_fit(
		struct perseus__pairs *pairs, const struct perseus_node *node, struct perseus_error *err);

/* Closes all that is open. */
void perseus__pairs_close(struct perseus__pairs *pairs);

#endif
