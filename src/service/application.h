/*
 * What a service serves: the sizes of what an application keeps of each request and peer, and its functions. Those take
 * `user` first, and come from the service's threads, several at once; `tick` and `stop` from the thread that calls the
 * server's functions of these names.
 */
#ifndef PERSEUS_SERVICE_APPLICATION_H
#define PERSEUS_SERVICE_APPLICATION_H

#include <stddef.h>

#include "service/http.h"

struct perseus__application {
	void *user;
	const char *realm;     /* that WWW-Authenticate names */
	const char *ending;    /* the message of answers while the service ends */
	size_t exchange_bytes; /* of its exchange, which begins with a struct perseus__exchange; made of zeros */
	size_t peer_bytes;     /* likewise with a struct perseus__peer */

	/* The rest of a peer, whose first member is filled in. May be NULL. */
	void (*find_peer)(void *user, int fd, struct perseus__peer *peer);

	/*
	 * Method, path, query and headers are there, the body is not: finds out who is to answer, sets `takes_body` and
	 * `max_body_bytes` (as they are: false and PERSEUS__MAX_BODY_BYTES). May respond already, without `finish`, so
	 * that a body is not even read; neither `handle` nor `abandon` is called then.
	 */
	void (*begin)(void *user, struct perseus__exchange *exchange);

	/* All of the request is there. The exchange's `finish` is called now or later. */
	void (*handle)(void *user, struct perseus__exchange *exchange);

	/* An answer is going out. */
	void (*done)(void *user, const struct perseus__exchange *exchange);

	/* The service ends: what is parked is answered with 503, and all streams come to their end. */
	void (*stop)(void *user);

	/* At every tick of the server. */
	void (*tick)(void *user);
};

#endif
