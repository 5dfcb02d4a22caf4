/*
 * Which handler answers which request: one table, which dispatch, access, metrics, the OpenAPI document and its test
 * are made from.
 */
#ifndef PERSEUS_SERVER_API_ROUTE_H
#define PERSEUS_SERVER_API_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "server/handlers.h"

/* When a handler runs, and who finishes the exchange. */
enum perseus__api_mode {
	PERSEUS__API_NOW,       /* in the connection's thread, as it does not wait; finished by the caller */
	PERSEUS__API_LATER,     /* in a task's thread, as it takes a while; finished by the caller */
	PERSEUS__API_OWN,       /* in the connection's thread; the handler sees to the exchange's end */
	PERSEUS__API_OWN_LATER, /* in a task's thread; the handler sees to the exchange's end */
};

/* What a token must allow, where tokens are used. */
enum perseus__api_access {
	PERSEUS__API_OPEN,  /* no token */
	PERSEUS__API_READ,  /* job-read */
	PERSEUS__API_WRITE, /* job-write */
	PERSEUS__API_ZEUS,  /* none, unless the settings ask for one: then job-read for GET and job-write for POST */
};

struct perseus__api_route {
	enum perseus__method method;
	const char *path; /* "{job}" stands for a text */
	enum perseus__api_mode mode;
	enum perseus__api_access access;
	size_t max_body_bytes; /* 0: no body is taken */
	const char *query;     /* its keys, with blanks between; others are refused. NULL: the handler looks itself */
	perseus__api_handler *handle;
};

/*
 * The route for a method and path, as on the wire. NULL: there is none; `allow` is then the methods of that path, "GET,
 * POST", or "" where it is unknown.
 */
enum { PERSEUS__ALLOW_BYTES = 48 };
const struct perseus__api_route *perseus__api_route_find(enum perseus__method method, const char *path,
		struct perseus__path_parameters *parameters, char allow[PERSEUS__ALLOW_BYTES]);

/* The index of a route in the table; PERSEUS__MAX_ROUTES for NULL. And the route at an index; NULL beyond its end. */
int32_t perseus__api_route_index(const struct perseus__api_route *route);
const struct perseus__api_route *perseus__api_route_at(int32_t index);

#endif
