/*
 * The thread of one GPU. It serves the commands of its pair strictly first in, first out, and between two of them ends
 * leases: it watches their processes and their time itself, so that nothing overtakes a restore.
 */
#ifndef PERSEUS_AGENT_GPU_WORKER_H
#define PERSEUS_AGENT_GPU_WORKER_H

#include "agent/gpu.h"

struct perseus__gpu_worker {
	struct perseus__gpu gpu;
	int fd;         /* its end of the pair */
	int stop_fd;    /* readable: stop */
	int trouble_fd; /* an eventfd that it adds 1 to where it ends by itself */
	pthread_t thread;
	/* How it ended; to be read once it was joined. CANCELLED: the front has closed the pair. */
	enum perseus_status status;
	struct perseus_error err;
	/* Whether everything went back. */
	enum perseus_status restored;
	struct perseus_error restore_err;
};

/* Starts the thread. `worker->gpu` and the descriptors, which stay the caller's, are ready. IO: no thread to be had. */
PERSEUS_MUST_USE enum perseus_status perseus__gpu_worker_start(
		struct perseus__gpu_worker *worker, struct perseus_error *err);

/* Waits until the thread has ended, everything of its GPU put back: soon where `stop_fd` is readable. */
void perseus__gpu_worker_join(struct perseus__gpu_worker *worker);

#endif
