/*
 * HTTP for an application, by libmicrohttpd: a few threads with epoll for each socket, connections asleep while they
 * wait for an answer.
 */
#ifndef PERSEUS_SERVICE_SERVER_H
#define PERSEUS_SERVICE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "service/application.h"
#include "service/connections.h"

struct perseus__server;

enum { PERSEUS__SERVER_MAX_SOCKETS = 8, PERSEUS__SERVER_MAX_THREADS = 64 };

struct perseus__server_settings {
	int32_t n_threads;       /* of each socket */
	size_t connection_bytes; /* of memory for each connection; request line and headers must fit, else 414 or 431 */
	struct perseus__connection_limits limits;
};

/* What serves well on any machine. */
struct perseus__server_settings perseus__server_settings_default(void);

/*
 * Serves on sockets that listen already; takes them over on success. `application` is borrowed until the server is
 * freed. Raises the process's limit of open files to what the connections need, as far as it may. Errors: NO_MEMORY,
 * IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__server_new(const struct perseus__application *application, const int *fds,
		int32_t n_fds, const struct perseus__server_settings *settings, struct perseus__server **out,
		struct perseus_error *err);

/* Sees to slow, silent and vanished peers, and to the application. Called every second, by one thread. */
void perseus__server_tick(struct perseus__server *server);

/*
 * Accepts no connection any more, answers requests with 503, stops the application, and waits for what is under way, at
 * most `limit_ns`. False: something still is, and the server cannot be freed. From the thread of the ticks.
 */
bool perseus__server_end(struct perseus__server *server, int64_t limit_ns);

/* After perseus__server_end. */
void perseus__server_free(struct perseus__server *server);

#endif
