/*
 * A request taken apart, its response, and the exchange that holds both while it is under way: what handlers see of
 * HTTP. Nothing here knows sockets, so that handlers are tested without.
 */
#ifndef PERSEUS_SERVICE_HTTP_H
#define PERSEUS_SERVICE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "format/json_writer.h"
#include "service/jwt.h"
#include "service/peer.h"
#include "service/stream.h"

enum { PERSEUS__MAX_BODY_BYTES = 64 * 1024, PERSEUS__MAX_RESPONSE_BYTES = 8 * 1024 * 1024 };

enum perseus__method {
	PERSEUS__METHOD_GET,
	PERSEUS__METHOD_POST,
	PERSEUS__METHOD_PUT,
	PERSEUS__METHOD_DELETE,
	PERSEUS__METHOD_OTHER,
};

/* "GET", "POST", "PUT", "DELETE", "other". */
const char *perseus__method_name(enum perseus__method method);

struct perseus__request {
	enum perseus__method method;
	const char *path;          /* as on the wire, without the query */
	const char *query;         /* NULL: none */
	const char *authorization; /* value of that header; NULL: none */
	const char *last_event_id; /* likewise */
	const char *content_type;  /* likewise */
	const char *body;          /* `body_length` bytes; NULL where there is none or the exchange does not take it */
	size_t body_length;
	const struct perseus__peer *peer;
};

enum perseus__content {
	PERSEUS__CONTENT_NONE,
	PERSEUS__CONTENT_TEXT,
	PERSEUS__CONTENT_JSON,
	PERSEUS__CONTENT_METRICS, /* Prometheus' text format */
	PERSEUS__CONTENT_EVENTS,  /* of `stream`; server-sent events, without end */
	PERSEUS__CONTENT_OTHER,   /* what `content_type` says */
};

struct perseus__response {
	int code;
	enum perseus__content content;
	const char *content_type; /* constant text */
	bool asks_for_token;      /* WWW-Authenticate goes along */
	bool asks_to_retry;       /* Retry-After goes along */
	char *allow;              /* header of that name, owned; NULL: none */
	char *location;           /* likewise */
	struct perseus__text body;
	struct perseus__stream *stream; /* owned until taken */
};

/*
 * Lives from the request until its response is sent or given up. Applications embed it as the first member of an
 * exchange of their own, see application.h.
 *
 * A handler that cannot answer at once parks the exchange: it keeps the pointer where another thread finds it, and that
 * one responds and calls `finish`. If it sets `abandon` before it returns, that is called from the server's tick, once,
 * when the peer is found gone. Others may be about to finish the exchange at that moment: `abandon` looks under the
 * application's own lock whether it is still parked, and only who took it from there finishes it. The exchange stays
 * valid until `abandon` returns, even where it was finished meanwhile. No lock of the service is held then.
 */
struct perseus__exchange {
	struct perseus__request request;
	struct perseus__response response;
	struct perseus__token token; /* where tokens are used and the route needs one */
	bool takes_body;             /* set by the application's `begin`; else what comes is read and dropped */
	size_t max_body_bytes;       /* likewise; more is refused with 413 */
	/* The response is there. Called exactly once, from any thread; the exchange may be gone when it returns. */
	void (*finish)(struct perseus__exchange *exchange);
	void (*abandon)(struct perseus__exchange *exchange); /* NULL: none */
	/* Whether its peer is still there, asked at once. Of use while it is parked and cannot be finished by others. */
	bool (*is_peer_there)(const struct perseus__exchange *exchange);
	void *parked; /* of whoever parked it */
	void *user;   /* of whoever made it */
};

/* Makes the response: a code alone, plain text, or {"error": ...}. An exchange is answered once. */
void perseus__respond(struct perseus__exchange *exchange, int code);
void perseus__respond_text(struct perseus__exchange *exchange, int code, const char *format, ...) PERSEUS_PRINTF(3, 4);
void perseus__respond_error(struct perseus__exchange *exchange, int code, const char *format, ...) PERSEUS_PRINTF(3, 4);

/* 503, to be tried again. */
void perseus__respond_unavailable(struct perseus__exchange *exchange, const char *message);

/* Begins a response whose body the caller writes: JSON, or of a constant content type. */
struct perseus__json perseus__respond_json(struct perseus__exchange *exchange, int code);
struct perseus__text *perseus__respond_other(struct perseus__exchange *exchange, int code, const char *content_type);

enum { PERSEUS__TOKEN_MESSAGE_BYTES = PERSEUS_ERROR_MESSAGE_BYTES + 32 };

/*
 * Checks the token of the request's Authorization header, with `key` and `scopes` as perseus__jwt_verify takes them,
 * and fills in the exchange's. False: `message` says why; it is `missing` where there is none.
 */
PERSEUS_MUST_USE bool perseus__exchange_check_token(struct perseus__exchange *exchange, struct perseus__signing_key key,
		const char *const *scopes, const char *missing, char message[PERSEUS__TOKEN_MESSAGE_BYTES]);

/* 200 with name and version of the program. */
void perseus__respond_version(struct perseus__exchange *exchange);

/* 200 with a stream, which the exchange takes over. */
void perseus__respond_stream(struct perseus__exchange *exchange, struct perseus__stream *stream);

/* Frees what the response holds. */
void perseus__response_fini(struct perseus__response *response);

/* The code for a status: 200, 400, 403, 409, 500, or 503 where the service ends. */
int perseus__http_code(enum perseus_status status);

#endif
