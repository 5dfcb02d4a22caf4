/* Requests to a front without sockets. */
#ifndef PERSEUS_TESTS_CLIENT_H
#define PERSEUS_TESTS_CLIENT_H

#include "agent/front.h"

struct reply {
	int code;
	enum perseus__content content;
	bool asks_for_token;
	bool asks_to_retry;
	char body[65536];
	struct perseus__stream *stream; /* the caller's to free */
};

/* Peers to ask as. */
extern const struct perseus__caller client_process; /* process 4242 of user 1000 on the Unix socket */
extern const struct perseus__caller client_remote;  /* 10.0.0.7 on TCP */

struct client {
	struct perseus__front *front;
	const struct perseus__caller *peer;
	const char *authorization; /* NULL: none */
	const char *body;          /* NULL: none */
};

/* Asks "GET /path?query", say, and waits for the response, at most ten seconds. The reply is of the last call. */
const struct reply *client_ask(const struct client *client, const char *request);

/* The same without waiting; client_wait waits for it. One at a time. */
void client_begin(const struct client *client, const char *request);
bool client_is_answered(void);
const struct reply *client_wait(void);

#endif
