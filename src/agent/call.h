/* What the agent keeps of a request under way and of a peer, beside what any service does. */
#ifndef PERSEUS_AGENT_CALL_H
#define PERSEUS_AGENT_CALL_H

#include <stdint.h>

#include "agent/protocol.h"
#include "agent/query.h"
#include "service/http.h"

struct perseus__front;
struct perseus__route;

/* A peer of the agent. */
struct perseus__caller {
	struct perseus__peer base;
	struct perseus__holder holder; /* as which it writes, unless a token says otherwise */
	uint64_t writable;             /* bit for each position in the front's GPUs that it may write */
};

/* An exchange of the agent: what routes and access have found out. */
struct perseus__call {
	struct perseus__exchange base;
	struct perseus__front *front;
	const struct perseus__route *route; /* NULL: there is none for this request */
	struct perseus__query query;
	int64_t path_id;               /* the number in the path, where the route has one */
	struct perseus__holder holder; /* who asks: of the token, or of the peer */
};

static inline struct perseus__call *
perseus__call_of(struct perseus__exchange *exchange)
{
	return (struct perseus__call *)exchange;
}

static inline const struct perseus__caller *
perseus__caller_of(const struct perseus__exchange *exchange)
{
	return (const struct perseus__caller *)exchange->request.peer;
}

#endif
