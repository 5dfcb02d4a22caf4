/* Requests to the job server's api without sockets. */
#ifndef PERSEUS_TESTS_API_CLIENT_H
#define PERSEUS_TESTS_API_CLIENT_H

#include "reply.h"
#include "server/api.h"

/* Peers to ask as. */
extern const struct perseus__peer api_client_local;  /* user 1000 on the Unix socket */
extern const struct perseus__peer api_client_remote; /* 10.0.0.7 on TCP */

struct api_client {
	struct perseus__api *api;
	const struct perseus__peer *peer;
	const char *authorization; /* NULL: none, likewise the next three */
	const char *body;
	const char *content_type;
	const char *last_event_id;
};

/* Asks "GET /path?query", say, and waits for the reply. */
const struct reply *api_client_ask(const struct api_client *client, const char *request);

/* The same without waiting; reply_wait waits for it. `abandon` as if its peer were gone. */
void api_client_begin(const struct api_client *client, const char *request);
void api_client_abandon(void);

#endif
