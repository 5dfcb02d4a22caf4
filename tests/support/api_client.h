/* Requests to the job server's api without sockets. */
#ifndef PERSEUS_TESTS_API_CLIENT_H
#define PERSEUS_TESTS_API_CLIENT_H

#include "server/api.h"

struct api_reply {
	int code;
	enum perseus__content content;
	bool asks_for_token;
	bool asks_to_retry;
	char allow[64];
	char location[256];
	char body[262144];
	struct perseus__stream *stream; /* the caller's to free */
};

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

/* Asks "GET /path?query", say, and waits for the response, at most ten seconds. The reply is of the last call. */
const struct api_reply *api_client_ask(const struct api_client *client, const char *request);

/* The same without waiting; api_client_wait waits for it. One at a time. `abandon` as if its peer were gone. */
void api_client_begin(const struct api_client *client, const char *request);
bool api_client_is_answered(void);
void api_client_abandon(void);
const struct api_reply *api_client_wait(void);

#endif
