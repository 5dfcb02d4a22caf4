/*
 * HTTP requests that nobody waits for, over TCP and Unix sockets: libcurl's multi interface under a descriptor that one
 * thread waits for together with everything else it waits for. Connections are kept.
 */
#ifndef PERSEUS_CLIENT_CURL_H
#define PERSEUS_CLIENT_CURL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/status.h>

/* An answer of more bytes fails: a program of a hundred segments of a long order has some hundred thousand. */
enum { PERSEUS__MAX_ANSWER = 64 << 20, PERSEUS__WHY_BYTES = 256 };

struct perseus__curl;

enum perseus__call_state {
	PERSEUS__CALL_IDLE,
	PERSEUS__CALL_UNDER_WAY,
	PERSEUS__CALL_DONE, /* `code` and `answer`, or `why`, are there, until it is taken or sent again */
};

/* One request at a time, again and again. */
struct perseus__call {
	struct perseus__curl *link;
	struct perseus__call *next; /* of the link's */
	void *easy;
	void *headers;
	enum perseus__call_state state;
	struct perseus__text body; /* sent; owned */
	struct perseus__text answer;
	long code; /* of HTTP; 0: there was no answer */
	char why[PERSEUS__WHY_BYTES];
};

/* Errors: NO_MEMORY, IO. */
PERSEUS_MUST_USE enum perseus_status perseus__curl_new(struct perseus__curl **out, struct perseus_error *err);

/* After all of its calls. */
void perseus__curl_free(struct perseus__curl *link);

/* Becomes readable when perseus__curl_run has something to do. */
int perseus__curl_fd(const struct perseus__curl *link);

/* When perseus__curl_run is to be called whatever the descriptor says; INT64_MAX: not. */
int64_t perseus__curl_due_ns(const struct perseus__curl *link);

/* Goes on with all calls that are under way, without waiting. */
void perseus__curl_run(struct perseus__curl *link);

/*
 * A call for requests over `socket_path` (NULL: to where URLs say) with the bearer `token` (NULL: none). Errors:
 * INVALID for a token that fits into no header; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__call_init(struct perseus__call *call, struct perseus__curl *link,
		const char *socket_path, const char *token, struct perseus_error *err);

/* Under way or not. */
void perseus__call_fini(struct perseus__call *call);

/* What a request is. */
struct perseus__request {
	const char *method; /* "GET", "POST", ... */
	const char *url;    /* copied */
	bool has_body;      /* call->body, which stays as it is */
	int64_t timeout_ns; /* for all of it */
};

/* Sends a request; not while one is under way. Where even that fails the call is DONE at once, without a code. */
void perseus__call_send(struct perseus__call *call, const struct perseus__request *request);

/* Forgets a request that is under way. */
void perseus__call_cancel(struct perseus__call *call);

/* True, once, when the call is done: it is IDLE then, with its answer. */
bool perseus__call_take(struct perseus__call *call);

#endif
