/* Requests to a front without sockets. */
#ifndef PERSEUS_TESTS_CLIENT_H
#define PERSEUS_TESTS_CLIENT_H

#include "agent/front.h"
#include "reply.h"

/* Peers to ask as. */
extern const struct perseus__caller client_process; /* process 4242 of user 1000 on the Unix socket */
extern const struct perseus__caller client_remote;  /* 10.0.0.7 on TCP */

struct client {
	struct perseus__front *front;
	const struct perseus__caller *peer;
	const char *authorization; /* NULL: none */
	const char *body;          /* NULL: none */
};

/* Asks "GET /path?query", say, and waits for the reply. */
const struct reply *client_ask(const struct client *client, const char *request);

/* The same without waiting; reply_wait waits for it. */
void client_begin(const struct client *client, const char *request);

#endif
