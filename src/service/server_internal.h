/* The server's two halves: its sockets and threads (server.c), and requests (server_request.c). */
#ifndef PERSEUS_SERVICE_SERVER_INTERNAL_H
#define PERSEUS_SERVICE_SERVER_INTERNAL_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "service/server.h"

struct perseus__server {
	const struct perseus__application *application;
	struct perseus__connections *connections;
	struct MHD_Daemon *daemons[PERSEUS__SERVER_MAX_SOCKETS];
	int32_t n_daemons;
	atomic_bool is_ending;
	atomic_int n_under_way; /* requests whose handler has begun and whose response is not there */
};

/* Has exchanges abandoned that are parked and whose peers are gone. */
void perseus__requests_tick(struct perseus__server *server);

/* libmicrohttpd's callbacks; `user` is the server. What a URI's callback returns is the context of the others. */
void *perseus__request_note_uri(void *user, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result perseus__request_handle(void *user, struct MHD_Connection *mhd, const char *url, const char *method,
		const char *version, const char *bytes, size_t *n_bytes, void **context);
void perseus__request_note_completed(
		void *user, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code);

/*
 * Frees the request that a connection still has. libmicrohttpd completes no request that it refuses by itself, such as
 * one with too long a query, though it has told of its URI.
 */
void perseus__request_drop(struct perseus__http_connection *connection);

#endif
