/* The table of routes. */
#include "agent/route.h"

#include "agent/handlers.h"
#include "service/url.h"

#include <string.h>

/* Sets of keys. */
enum {
	NONE = 0,
	GPUS = PERSEUS__HAS_GPU_IDS,
	CPUS = PERSEUS__HAS_CPU_IDS,
	BLOCK = PERSEUS__HAS_BLOCK,
	LIMIT = PERSEUS__HAS_POWER_LIMIT_MW,
	ENABLED = PERSEUS__HAS_ENABLED,
	CLOCKS = PERSEUS__HAS_MIN_CLOCK_MHZ | PERSEUS__HAS_MAX_CLOCK_MHZ,
	DOMAINS = PERSEUS__HAS_CPU | PERSEUS__HAS_DRAM,
	TTL = PERSEUS__HAS_TTL_S,
};

/* clang-format off: a row is a line */
/* X(method, path, mode, handler, source of parameters, required, optional keys, operation, needs no token) */
#define ROUTE_MAP(X)                                                                                                   \
	X(GET, "/discover", NOW, discover, PLAIN, NONE, NONE, NULL, true)                                                  \
	X(GET, "/time", NOW, time, PLAIN, NONE, NONE, NULL, true)                                                          \
	X(GET, "/version", NOW, version, PLAIN, NONE, NONE, NULL, true)                                                    \
	X(GET, "/healthz", NOW, health, PLAIN, NONE, NONE, NULL, true)                                                     \
	X(GET, "/metrics", LATER, metrics, PLAIN, NONE, NONE, NULL, true)                                                  \
	X(GET, "/auth/whoami", NOW, whoami, PLAIN, NONE, NONE, NULL, false)                                                \
	X(POST, "/gpu/set_power_limit", OWN, write, QUERY, GPUS | BLOCK | LIMIT, NONE, &perseus__set_power_limit, false)   \
	X(POST, "/gpu/set_persistence_mode", OWN, write, QUERY, GPUS | BLOCK | ENABLED, NONE, &perseus__set_persistence,   \
			false)                                                                                                     \
	X(POST, "/gpu/set_gpu_locked_clocks", OWN, write, QUERY, GPUS | BLOCK | CLOCKS, NONE, &perseus__set_sm_clocks,     \
			false)                                                                                                     \
	X(POST, "/gpu/reset_gpu_locked_clocks", OWN, write, QUERY, GPUS | BLOCK, NONE, &perseus__reset_sm_clocks, false)   \
	X(POST, "/gpu/set_mem_locked_clocks", OWN, write, QUERY, GPUS | BLOCK | CLOCKS, NONE, &perseus__set_memory_clocks, \
			false)                                                                                                     \
	X(POST, "/gpu/reset_mem_locked_clocks", OWN, write, QUERY, GPUS | BLOCK, NONE, &perseus__reset_memory_clocks,      \
			false)                                                                                                     \
	X(POST, "/gpu/reset_locked_clocks", OWN, write, QUERY, GPUS | BLOCK, NONE, &perseus__reset_all_clocks, false)      \
	X(GET, "/gpu/get_cumulative_energy", LATER, gpu_energy, QUERY, NONE, GPUS, NULL, false)                            \
	X(GET, "/gpu/get_power", LATER, gpu_power, QUERY, NONE, GPUS, NULL, false)                                         \
	X(GET, "/gpu/get_power_limit", LATER, power_limit, QUERY, NONE, GPUS, NULL, false)                                 \
	X(GET, "/gpu/get_power_limit_constraints", LATER, power_limits, QUERY, NONE, GPUS, NULL, false)                    \
	X(GET, "/gpu/get_persistence_mode", LATER, persistence, QUERY, NONE, GPUS, NULL, false)                            \
	X(GET, "/gpu/stream_power", LATER, gpu_stream, QUERY, NONE, GPUS, NULL, false)                                     \
	X(GET, "/cpu/get_cumulative_energy", LATER, cpu_energy, QUERY, DOMAINS, CPUS, NULL, false)                         \
	X(GET, "/cpu/get_power", OWN, cpu_power, QUERY, NONE, CPUS, NULL, false)                                           \
	X(GET, "/cpu/stream_power", LATER, cpu_stream, QUERY, NONE, CPUS, NULL, false)                                     \
	X(GET, "/v1/leases", LATER, leases, QUERY, NONE, NONE, NULL, false)                                                \
	X(POST, "/v1/leases", OWN, write, QUERY, GPUS, TTL, &perseus__begin_lease, false)                                  \
	X(DELETE, "/v1/leases", OWN, write, QUERY, GPUS, NONE, &perseus__end_lease, false)                                 \
	X(DELETE, "/v1/leases/{id}", LATER, lease_end, QUERY, NONE, NONE, NULL, false)                                     \
	/* Zeus' clients up to 0.13. */                                                                                    \
	X(POST, "/gpu/{id}/set_power_limit", OWN, write, BODY, BLOCK | LIMIT, NONE, &perseus__set_power_limit, false)      \
	X(POST, "/gpu/{id}/set_persistence_mode", OWN, write, BODY, BLOCK | ENABLED, NONE, &perseus__set_persistence,      \
			false)                                                                                                     \
	X(POST, "/gpu/{id}/set_gpu_locked_clocks", OWN, write, BODY, BLOCK | CLOCKS, NONE, &perseus__set_sm_clocks, false) \
	X(POST, "/gpu/{id}/reset_gpu_locked_clocks", OWN, write, BODY, BLOCK, NONE, &perseus__reset_sm_clocks, false)      \
	X(POST, "/gpu/{id}/set_mem_locked_clocks", OWN, write, BODY, BLOCK | CLOCKS, NONE, &perseus__set_memory_clocks,    \
			false)                                                                                                     \
	X(POST, "/gpu/{id}/reset_mem_locked_clocks", OWN, write, BODY, BLOCK, NONE, &perseus__reset_memory_clocks, false)  \
	X(GET, "/cpu/{id}/supports_dram_energy", NOW, dram_support, QUERY, NONE, NONE, NULL, false)                        \
	X(POST, "/cpu/{id}/get_index_energy", LATER, index_energy, BODY, DOMAINS, NONE, NULL, false)
/* clang-format on */

static const struct perseus__route routes[] = {
#define X(method_, path_, mode_, handler_, source_, required_, optional_, operation_, is_open_) \
	{.method = PERSEUS__METHOD_##method_,                                                       \
		.path = (path_),                                                                        \
		.mode = PERSEUS__ROUTE_##mode_,                                                         \
		.handle = perseus__handle_##handler_,                                                   \
		.source = PERSEUS__ROUTE_##source_,                                                     \
		.required = (required_),                                                                \
		.optional = (optional_),                                                                \
		.operation = (operation_),                                                              \
		.is_open = (is_open_)},
	ROUTE_MAP(X)
#undef X
};

enum { N_ROUTES = sizeof routes / sizeof *routes };

_Static_assert((int)N_ROUTES <= (int)PERSEUS__MAX_ROUTES, "counters have room for every route");

/* Whether `path` is `pattern` with a number of at most nine digits in place of "{id}". */
static bool
matches(const char *pattern, const char *path, int64_t *path_id)
{
	struct perseus__path_parameters parameters;
	if (!perseus__path_match(pattern, path, &parameters))
		return false;
	if (parameters.n == 0)
		return true;
	const char *digits = parameters.values[0];
	const size_t n_digits = strspn(digits, "0123456789");
	if (n_digits > 9 || digits[n_digits] != '\0')
		return false;
	*path_id = 0;
	for (size_t i = 0; i < n_digits; i++)
		*path_id = *path_id * 10 + (digits[i] - '0');
	return true;
}

const struct perseus__route *
perseus__route_find(enum perseus__method method, const char *path, int64_t *path_id)
{
	for (int i = 0; i < N_ROUTES; i++)
		if (routes[i].method == method && matches(routes[i].path, path, path_id))
			return &routes[i];
	return NULL;
}

int32_t
perseus__route_index(const struct perseus__route *route)
{
	return route ? (int32_t)(route - routes) : PERSEUS__MAX_ROUTES;
}

const struct perseus__route *
perseus__route_at(int32_t index)
{
	return index < N_ROUTES ? &routes[index] : NULL;
}
