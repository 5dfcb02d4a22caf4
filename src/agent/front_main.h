/* The life of the front's process, or of the whole agent where it only reads. */
#ifndef PERSEUS_AGENT_FRONT_MAIN_H
#define PERSEUS_AGENT_FRONT_MAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/front.h"
#include "agent/server.h"

/* The front's ends of the pairs to the executor. */
struct perseus__front_pairs {
	const int *gpu_fds;     /* in the order of the node's GPUs */
	const int32_t *devices; /* of the node */
	int32_t n_gpus;
	int control_fd;
};

/*
 * Serves on `listeners`, which it takes over, until SIGTERM or until the executor is gone. `pairs` NULL: there is no
 * executor; SIGINT and SIGHUP end it, too, and the service manager is told how it goes. Before any thread: it blocks
 * those signals. Errors: those of starting; IO where the executor has gone.
 */
PERSEUS_MUST_USE enum perseus_status perseus__front_main(const struct perseus_node *node,
		const struct perseus__front_pairs *pairs, const int *listeners, int32_t n_listeners,
		const struct perseus__front_settings *settings, const struct perseus__server_settings *server_settings,
		struct perseus_error *err);

#endif
