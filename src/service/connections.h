/*
 * The open connections: who they are, how long each has been quiet, and which must go. One that sends no whole request
 * in time is cut, and so is the one that has been quiet longest when its peer, or all peers, have too many: a new
 * connection is never refused for those that do nothing.
 */
#ifndef PERSEUS_SERVICE_CONNECTIONS_H
#define PERSEUS_SERVICE_CONNECTIONS_H

#include <stdint.h>

#include "service/application.h"

struct perseus__connections;
struct perseus__http_connection;

struct perseus__connection_limits {
	int32_t max_open;         /* of all peers */
	int32_t max_of_peer;      /* of one user of the Unix socket, or one address */
	int64_t first_request_ns; /* from being accepted until a whole request is there */
	int64_t quiet_ns;         /* from an answer until the next whole request */
};

/* `application` is borrowed. NULL where there is no memory. */
PERSEUS_MUST_USE struct perseus__connections *perseus__connections_new(
		const struct perseus__application *application, const struct perseus__connection_limits *limits);
void perseus__connections_free(struct perseus__connections *connections);

/* Enters an accepted connection, and makes room for it. NULL where there is no memory. */
struct perseus__http_connection *perseus__http_connection_open(struct perseus__connections *connections, int fd);

/* Before its descriptor is closed. */
void perseus__http_connection_close(struct perseus__http_connection *connection);

const struct perseus__peer *perseus__http_connection_peer(const struct perseus__http_connection *connection);
int perseus__http_connection_fd(const struct perseus__http_connection *connection);

/* The request whose first line has come and which has not completed; NULL for none. Its own thread alone. */
void perseus__http_connection_set_request(struct perseus__http_connection *connection, void *request);
void *perseus__http_connection_request(const struct perseus__http_connection *connection);

/*
 * Calls `visit` for each connection that has a request, which stays during the call: the functions above wait. From any
 * thread.
 */
void perseus__connections_visit(
		struct perseus__connections *connections, void (*visit)(void *user, void *request, int fd), void *user);

/* A whole request is there, and is being answered; and: it has been answered. In between a connection is not cut. */
void perseus__http_connection_begin(struct perseus__http_connection *connection);
void perseus__http_connection_end(struct perseus__http_connection *connection);

/* Cuts those that are too slow. Called every second. */
void perseus__connections_sweep(struct perseus__connections *connections);

int32_t perseus__connections_count(struct perseus__connections *connections);

#endif
