/* The table of routes. */
#include "server/api_route.h"

#include <stdio.h>
#include <string.h>

/* Bodies: none; a few values; reports of steps; orders of instructions and results; profiles. */
enum { NONE = 0, SMALL = 64 * 1024, LARGE = 1024 * 1024, ORDER = 8 * 1024 * 1024, PROFILE = 16 * 1024 * 1024 };

/* clang-format off: a row is a line */
/* X(method, path, mode, access, largest body, keys of the query, handler) */
#define ROUTE_MAP(X)                                                                                  \
	X(GET, "/healthz", NOW, OPEN, NONE, "", health)                                                   \
	X(GET, "/info", NOW, OPEN, NONE, "", info)                                                        \
	X(GET, "/metrics", LATER, OPEN, NONE, "", metrics)                                                \
	X(GET, "/openapi.json", NOW, OPEN, NONE, "", openapi)                                             \
	X(GET, "/version", NOW, OPEN, NONE, "", version)                                                  \
	X(GET, "/v1/events", NOW, READ, NONE, "", events)                                                 \
	/* Jobs. */                                                                                       \
	X(GET, "/v1/jobs", OWN, READ, NONE, "", jobs)                                                     \
	X(POST, "/v1/jobs", OWN, WRITE, SMALL, "", job_new)                                               \
	X(GET, "/v1/jobs/{job}", OWN, READ, NONE, "", job)                                                \
	X(DELETE, "/v1/jobs/{job}", OWN, WRITE, NONE, "", job_end)                                        \
	X(GET, "/v1/jobs/{job}/events", NOW, READ, NONE, "", job_events)                                  \
	X(GET, "/v1/jobs/{job}/frontier", OWN_LATER, READ, NONE, "", frontier)                            \
	X(GET, "/v1/jobs/{job}/plan", OWN_LATER, READ, NONE, "", plan)                                    \
	X(GET, "/v1/jobs/{job}/plans", OWN_LATER, READ, NONE, "", plans)                                  \
	X(GET, "/v1/jobs/{job}/profile", OWN_LATER, READ, NONE, "format", profile)                        \
	X(PUT, "/v1/jobs/{job}/profile", OWN_LATER, WRITE, PROFILE, "blocking_power_w", profile_new)      \
	X(POST, "/v1/jobs/{job}/ranks", OWN_LATER, WRITE, ORDER, "", rank_new)                            \
	X(GET, "/v1/jobs/{job}/ranks/{rank}/plan", OWN, WRITE, NONE, "have start step wait_s", rank_plan) \
	X(POST, "/v1/jobs/{job}/ranks/{rank}/steps", OWN, WRITE, LARGE, "", rank_steps)                   \
	X(GET, "/v1/jobs/{job}/reports", OWN_LATER, READ, NONE, "rank limit", reports)                    \
	X(GET, "/v1/jobs/{job}/stragglers", OWN, READ, NONE, "", stragglers)                              \
	X(POST, "/v1/jobs/{job}/stragglers", OWN, WRITE, SMALL, "", straggler_new)                        \
	X(POST, "/v1/jobs/{job}/target", OWN, WRITE, SMALL, "", target_new)                               \
	/* Zeus's; what else is in a query they do not mind. */                                           \
	X(POST, "/register_job", OWN, ZEUS, SMALL, NULL, zeus_job)                                        \
	X(POST, "/register_rank/{job}", OWN, ZEUS, SMALL, NULL, zeus_rank)                                \
	X(GET, "/schedule/{job}", OWN, ZEUS, NONE, NULL, zeus_schedule)                                   \
	X(POST, "/result/{job}", OWN, ZEUS, ORDER, NULL, zeus_result)
/* clang-format on */

static const struct perseus__api_route routes[] = {
#define X(method_, path_, mode_, access_, max_body_bytes_, query_, handler_) \
	{.method = PERSEUS__METHOD_##method_,                                    \
		.path = (path_),                                                     \
		.mode = PERSEUS__API_##mode_,                                        \
		.access = PERSEUS__API_##access_,                                    \
		.max_body_bytes = (max_body_bytes_),                                 \
		.query = (query_),                                                   \
		.handle = perseus__serve_##handler_},
	ROUTE_MAP(X)
#undef X
};

enum { N_ROUTES = sizeof routes / sizeof *routes };

_Static_assert((int)N_ROUTES <= (int)PERSEUS__MAX_ROUTES, "counters have room for every route");

const struct perseus__api_route *
perseus__api_route_find(enum perseus__method method, const char *path, struct perseus__path_parameters *parameters,
		char allow[PERSEUS__ALLOW_BYTES])
{
	size_t length = 0;
	allow[0] = '\0';
	for (int i = 0; i < N_ROUTES; i++) {
		if (!perseus__path_match(routes[i].path, path, parameters))
			continue;
		if (routes[i].method == method)
			return &routes[i];
		length += (size_t)snprintf(allow + length, PERSEUS__ALLOW_BYTES - length, "%s%s", length > 0 ? ", " : "",
				perseus__method_name(routes[i].method));
	}
	return NULL;
}

int32_t
perseus__api_route_index(const struct perseus__api_route *route)
{
	return route ? (int32_t)(route - routes) : PERSEUS__MAX_ROUTES;
}

const struct perseus__api_route *
perseus__api_route_at(int32_t index)
{
	return index < N_ROUTES ? &routes[index] : NULL;
}
