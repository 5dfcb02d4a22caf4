/*
 * The job server's side of HTTP: its routes, who may use them, and what all of them share. What is behind a route is
 * its handler's business (handlers.h).
 *
 * An api is made before its sockets; what it holds does not change while it serves, but for what is atomic or has a
 * lock of its own.
 */
#ifndef PERSEUS_SERVER_API_H
#define PERSEUS_SERVER_API_H

#include <stdbool.h>
#include <stdint.h>

#include "server/events.h"
#include "server/zeus.h"
#include "service/application.h"
#include "service/rate.h"
#include "service/request_counters.h"
#include "service/tasks.h"
#include "service/url.h"

struct perseus__api_route;
struct perseus__jobs;
struct perseus__store;

struct perseus__api_settings {
	struct perseus__signing_key key; /* of length 0: no tokens; borrowed */
	bool zeus_needs_token;           /* Zeus's own client cannot send one */
	int32_t requests_per_s;          /* of one identity; 0: any number */
	/* What handlers serve; borrowed. NULL: its routes answer 404. */
	struct perseus__store *store;
	struct perseus__jobs *jobs;
	struct perseus__zeus *zeus;
};

struct perseus__api {
	struct perseus__api_settings settings;
	struct perseus__events *events; /* borrowed */
	struct perseus__tasks *tasks;
	struct perseus__rate *rate; /* NULL: no limit */
	struct perseus__request_counters requests;
	int64_t begin_ns; /* of the monotonic clock */
};

/* An exchange of the job server. */
struct perseus__ask {
	struct perseus__exchange base;
	struct perseus__api *api;
	const struct perseus__api_route *route; /* NULL: there is none for this request */
	struct perseus__path_parameters path;
	struct perseus__zeus_waiter zeus_waiter; /* of a request for a schedule of Zeus's */
};

static inline struct perseus__ask *
perseus__ask_of(struct perseus__exchange *exchange)
{
	return (struct perseus__ask *)exchange;
}

/* What tokens may allow, for jwt.h; the agent's scopes, too, so that one token may serve for both. */
enum perseus__api_scope { PERSEUS__SCOPE_JOB_READ, PERSEUS__SCOPE_JOB_WRITE };
extern const char *const perseus__api_scopes[];

/* `events` and what `settings` points to are borrowed until the api is freed. Errors: NO_MEMORY, IO. */
PERSEUS_MUST_USE enum perseus_status perseus__api_new(const struct perseus__api_settings *settings,
		struct perseus__events *events, struct perseus__api **out, struct perseus_error *err);

/* After the server that serves it. NULL is fine. */
void perseus__api_free(struct perseus__api *api);

/* What a server is to serve; borrows the api. */
struct perseus__application perseus__api_application(struct perseus__api *api);

/*
 * The way of a request, for the application above and for tests without sockets: `begin` finds the route and checks
 * access and rate, and has responded where response.code is not 0; `handle` checks the query and calls the handler;
 * `stop` answers what waits.
 */
void perseus__api_begin(struct perseus__api *api, struct perseus__exchange *exchange);
void perseus__api_handle(struct perseus__api *api, struct perseus__exchange *exchange);
void perseus__api_stop(struct perseus__api *api);

/*
 * Values of the query, for handlers. False: the value is none (or missing, where it must be there), and 400 has been
 * responded; the exchange is not finished.
 */
bool perseus__ask_integer(struct perseus__exchange *exchange, const char *key, int64_t least, int64_t most,
		int64_t fallback, int64_t *value);
bool perseus__ask_number(struct perseus__exchange *exchange, const char *key, double fallback, double *value);

/* The text of a key in `text`, "" where it is not given. False where it is too long: 400 has been responded. */
bool perseus__ask_text(struct perseus__exchange *exchange, const char *key, char *text, size_t bytes);

/* Refuses in the words of the route's family: {"detail": ...} for Zeus's, {"error": ...} for all others. */
void perseus__ask_refuse(struct perseus__exchange *exchange, int code, const char *format, ...) PERSEUS_PRINTF(3, 4);

#endif
