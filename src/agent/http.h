/*
 * A request taken apart, its response, and the exchange that holds both while it is under way: what handlers see of
 * HTTP. Nothing here knows sockets, so that handlers are tested without.
 */
#ifndef PERSEUS_AGENT_HTTP_H
#define PERSEUS_AGENT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/jwt.h"
#include "agent/protocol.h"
#include "agent/query.h"
#include "base/text.h"
#include "format/json_writer.h"

struct perseus__front;
struct perseus__route;
struct perseus__stream;

enum { PERSEUS__MAX_BODY_BYTES = 64 * 1024, PERSEUS__MAX_RESPONSE_BYTES = 8 * 1024 * 1024 };

enum perseus__method { PERSEUS__METHOD_GET, PERSEUS__METHOD_POST, PERSEUS__METHOD_DELETE, PERSEUS__METHOD_OTHER };

/* Who is at the other end of a connection; fixed when it is accepted. */
struct perseus__peer {
	struct perseus__holder holder; /* as which it writes, unless a token says otherwise */
	bool is_local;                 /* of the Unix socket */
	uint64_t writable;             /* bit for each position in the front's GPUs that it may write */
};

struct perseus__request {
	enum perseus__method method;
	const char *path;          /* as on the wire, without the query */
	const char *query;         /* NULL: none */
	const char *authorization; /* value of that header; NULL: none */
	const char *body;          /* `body_length` bytes */
	size_t body_length;
	const struct perseus__peer *peer;
};

enum perseus__content {
	PERSEUS__CONTENT_NONE,
	PERSEUS__CONTENT_TEXT,
	PERSEUS__CONTENT_JSON,
	PERSEUS__CONTENT_METRICS, /* Prometheus' text format */
	PERSEUS__CONTENT_EVENTS,  /* of `stream`; server-sent events, without end */
};

struct perseus__response {
	int code;
	enum perseus__content content;
	bool asks_for_token; /* WWW-Authenticate goes along */
	bool asks_to_retry;  /* Retry-After goes along */
	struct perseus__text body;
	struct perseus__stream *stream; /* owned until taken */
};

/* Lives from the request until its response is sent or given up. */
struct perseus__exchange {
	struct perseus__front *front;
	struct perseus__request request;
	struct perseus__response response;
	const struct perseus__route *route; /* NULL: there is none for this request */
	struct perseus__query query;
	int64_t path_id;               /* the number in the path, where the route has one */
	struct perseus__token token;   /* where tokens are used and the route needs one */
	struct perseus__holder holder; /* who asks: of the token, or of the peer */
	/* The response is there. Called exactly once, from any thread; the exchange may be gone when it returns. */
	void (*finish)(struct perseus__exchange *exchange);
	void *user;
};

/* Makes the response: a code alone, plain text, or {"error": ...}. An exchange is answered once. */
void perseus__respond(struct perseus__exchange *exchange, int code);
void perseus__respond_text(struct perseus__exchange *exchange, int code, const char *format, ...) PERSEUS_PRINTF(3, 4);
void perseus__respond_error(struct perseus__exchange *exchange, int code, const char *format, ...) PERSEUS_PRINTF(3, 4);

/* 503, to be tried again. */
void perseus__respond_unavailable(struct perseus__exchange *exchange, const char *message);

/* Begins a response whose body the caller writes. */
struct perseus__json perseus__respond_json(struct perseus__exchange *exchange, int code);

/* Frees what the response holds. */
void perseus__response_fini(struct perseus__response *response);

/* The code for a status of the devices or the executor: 200, 400, 403, 409, 500, or 503 where the agent ends. */
int perseus__http_code(enum perseus_status status);

#endif
