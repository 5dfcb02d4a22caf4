/* The life of the front's process, or of the whole agent where it only reads. */
#ifndef PERSEUS_AGENT_FRONT_MAIN_H
#define PERSEUS_AGENT_FRONT_MAIN_H

#include <stdint.h>

#include "agent/front.h"
#include "agent/protocol.h"
#include "service/server.h"

/*
 * Serves on `listeners`, which it takes over, until SIGTERM or until the executor is gone. `ends` NULL: there is no
 * executor; SIGINT and SIGHUP end it, too, and the service manager is told how it goes. Before any thread: it blocks
 * those signals. Errors: those of starting; IO where the executor has gone.
 */
PERSEUS_MUST_USE enum perseus_status perseus__front_main(const struct perseus_node *node,
		const struct perseus__ends *ends, const int *listeners, int32_t n_listeners,
		const struct perseus__front_settings *settings, const struct perseus__server_settings *server_settings,
		struct perseus_error *err);

#endif
