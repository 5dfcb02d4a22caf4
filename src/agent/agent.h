/*
 * `perseus agent` as processes: sockets and devices are opened, then the front is forked off; the parent, which is what
 * a service manager sees, becomes the executor.
 */
#ifndef PERSEUS_AGENT_AGENT_H
#define PERSEUS_AGENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/executor.h"
#include "agent/front.h"
#include "service/listen.h"
#include "service/server.h"

struct perseus__agent_settings {
	const char *devices; /* a spec, see <perseus/device.h> */
	struct perseus_node_settings node;
	const char *overrides;              /* file of site commands, see override.h; NULL: none */
	struct perseus__unix_socket socket; /* path NULL: none */
	const char *tcp_address;            /* NULL: none */
	const char *user;                   /* whom the front becomes where the agent is root; NULL: perseus, or nobody */
	bool is_read_only;                  /* one process, which cannot write */
	bool must_offer;                    /* a group that cannot be offered here is an error, not a note */
	struct perseus__front_settings front;
	struct perseus__server_settings server;
	struct perseus__executor_settings executor;
};

/*
 * Runs the agent until a signal ends it. Sockets that a service manager hands over are served in place of those of
 * the settings. Does not return in the front's process. Errors: DENIED where a group in `front.groups` cannot be
 * offered and must be; those of listen.h, perseus_node_open and perseus__executor_run.
 */
PERSEUS_MUST_USE enum perseus_status perseus__agent_run(
		const struct perseus__agent_settings *settings, struct perseus_error *err);

#endif
