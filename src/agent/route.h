/* Which handler answers which request: one table, which dispatch, metrics, tests and documents are made from. */
#ifndef PERSEUS_AGENT_ROUTE_H
#define PERSEUS_AGENT_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/call.h"

/* When a handler runs, and who finishes the exchange. */
enum perseus__route_mode {
	PERSEUS__ROUTE_NOW, /* in the connection's thread, as it neither waits nor reads devices; finished by the caller */
	PERSEUS__ROUTE_LATER, /* in a task's thread; finished by the caller */
	PERSEUS__ROUTE_OWN,   /* in the connection's thread; the handler sees to the exchange's end */
};

/* Where a route's parameters are. Keys of the query beyond those of the route are refused, unless it takes none. */
enum perseus__route_source { PERSEUS__ROUTE_PLAIN, PERSEUS__ROUTE_QUERY, PERSEUS__ROUTE_BODY };

struct perseus__operation;

struct perseus__route {
	enum perseus__method method;
	const char *path; /* "{id}" stands for a number */
	enum perseus__route_mode mode;
	void (*handle)(struct perseus__front *front, struct perseus__exchange *exchange);
	enum perseus__route_source source;
	uint32_t required; /* keys of the parameters */
	uint32_t optional;
	const struct perseus__operation *operation; /* of writes */
	bool is_open;                               /* needs no token, even where tokens are used */
};

/* The route for a method and path, and the number in the path; NULL: none. */
const struct perseus__route *perseus__route_find(enum perseus__method method, const char *path, int64_t *path_id);

/* The index of a route in the table, for counters; PERSEUS__MAX_ROUTES for NULL. */
int32_t perseus__route_index(const struct perseus__route *route);

/* The route at an index of the table; NULL beyond its end. */
const struct perseus__route *perseus__route_at(int32_t index);

#endif
