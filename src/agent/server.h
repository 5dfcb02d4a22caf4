/*
 * HTTP for a front, by libmicrohttpd: a few threads with epoll for each socket, connections asleep while they wait for
 * an answer.
 */
#ifndef PERSEUS_AGENT_SERVER_H
#define PERSEUS_AGENT_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/connections.h"
#include "agent/front.h"

struct perseus__server;

enum { PERSEUS__SERVER_MAX_SOCKETS = 8, PERSEUS__SERVER_MAX_THREADS = 64 };

struct perseus__server_settings {
	int32_t n_threads; /* of each socket */
	struct perseus__connection_limits limits;
};

/* What serves well on any machine. */
struct perseus__server_settings perseus__server_settings_default(void);

/*
 * Serves on sockets that listen already; takes them over on success. Raises the process's limit of open files to what
 * the connections need, as far as it may. Errors: NO_MEMORY, IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__server_new(struct perseus__front *front, const int *fds, int32_t n_fds,
		const struct perseus__server_settings *settings, struct perseus__server **out, struct perseus_error *err);

/* Sees to slow and silent peers. Called every second. */
void perseus__server_tick(struct perseus__server *server);

/*
 * Accepts no connection any more, answers requests with 503, ends the front's tasks and streams, and waits for what is
 * under way, at most `limit_ns`. False: something still is, and the server cannot be freed.
 */
bool perseus__server_end(struct perseus__server *server, int64_t limit_ns);

/* After perseus__server_end. */
void perseus__server_free(struct perseus__server *server);

#endif
