/* Sockets between the agent's processes. */
#include "agent/pairs.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRONT, EXECUTOR, CONTROL_PAIR = PERSEUS__MAX_GPUS, OFFER_PAIR };

static void
close_end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

enum perseus_status
perseus__pairs_open(struct perseus__pairs *pairs, struct perseus_error *err)
{
	memset(pairs->ends, -1, sizeof pairs->ends);
	pairs->n_gpus = 0;
	for (int i = 0; i < PERSEUS__N_PAIRS; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs->ends[i]) != 0) {
			const int reason = errno;
			perseus__pairs_close(pairs);
			return perseus__fail(err, PERSEUS_IO, "cannot make a pair of sockets: %s", strerror(reason));
		}
	}
	return PERSEUS_OK;
}

static void
keep(struct perseus__pairs *pairs, int mine, int other)
{
	for (int i = 0; i < PERSEUS__N_PAIRS; i++)
		close_end(&pairs->ends[i][other]);
	for (int i = 0; i < PERSEUS__MAX_GPUS; i++)
		pairs->gpu_fds[i] = pairs->ends[i][mine];
	pairs->control_fd = pairs->ends[CONTROL_PAIR][mine];
	pairs->offer_fd = pairs->ends[OFFER_PAIR][mine];
}

void
perseus__pairs_keep_front(struct perseus__pairs *pairs)
{
	keep(pairs, FRONT, EXECUTOR);
}

void
perseus__pairs_keep_executor(struct perseus__pairs *pairs)
{
	keep(pairs, EXECUTOR, FRONT);
}

enum perseus_status
perseus__pairs_fit(struct perseus__pairs *pairs, const struct perseus_node *node, struct perseus_error *err)
{
	for (int32_t i = 0; i < perseus_node_n_devices(node); i++) {
		if (perseus_node_device(node, i)->kind != PERSEUS_DEVICE_GPU)
			continue;
		if (pairs->n_gpus == PERSEUS__MAX_GPUS)
			return perseus__fail(err, PERSEUS_INVALID, "there are more than %d GPUs", PERSEUS__MAX_GPUS);
		pairs->devices[pairs->n_gpus++] = i;
	}
	for (int i = pairs->n_gpus; i < PERSEUS__MAX_GPUS; i++) {
		close_end(&pairs->ends[i][FRONT]);
		close_end(&pairs->ends[i][EXECUTOR]);
	}
	return PERSEUS_OK;
}

void
perseus__pairs_close(struct perseus__pairs *pairs)
{
	for (int i = 0; i < PERSEUS__N_PAIRS; i++) {
		close_end(&pairs->ends[i][FRONT]);
		close_end(&pairs->ends[i][EXECUTOR]);
	}
}
