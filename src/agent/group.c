/* Groups of the API. */
#include "agent/group.h"

#include <string.h>

#define X(name, text) text,
const char *const perseus__agent_scopes[] = {PERSEUS__GROUP_MAP(X) "job-read", "job-write", NULL};
#undef X

const char *
perseus__group_name(enum perseus__group group)
{
	return perseus__agent_scopes[group];
}

static bool
begins_with(const char *path, const char *prefix)
{
	return strncmp(path, prefix, strlen(prefix)) == 0;
}

bool
perseus__group_of_path(const char *path, bool is_get, enum perseus__group *group)
{
	static const struct {
		const char *prefix;
		enum perseus__group group;
	} prefixes[] = {
		{"/gpu/set_", PERSEUS__GROUP_GPU_CONTROL},
		{"/gpu/reset_", PERSEUS__GROUP_GPU_CONTROL},
		{"/gpu/", PERSEUS__GROUP_GPU_READ},
		{"/cpu/", PERSEUS__GROUP_CPU_READ},
	};
	const bool is_lease = begins_with(path, "/v1/leases");
	/* "/gpu/3/set_power_limit", as a route "/gpu/{id}/set_power_limit": writes of Zeus' clients up to 0.13. */
	const bool is_old_write = begins_with(path, "/gpu/") && ((path[5] >= '0' && path[5] <= '9') || path[5] == '{');
	if (is_old_write || (is_lease && !is_get)) {
		*group = PERSEUS__GROUP_GPU_CONTROL;
		return true;
	}
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		if (begins_with(path, prefixes[i].prefix)) {
			*group = prefixes[i].group;
			return true;
		}
	}
	return false;
}
