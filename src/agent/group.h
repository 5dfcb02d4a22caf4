/* Parts of the agent's API that are switched on one by one, and that the scopes of a token name. */
#ifndef PERSEUS_AGENT_GROUP_H
#define PERSEUS_AGENT_GROUP_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, text): texts are zeusd's. */
#define PERSEUS__GROUP_MAP(X)     \
	X(GPU_CONTROL, "gpu-control") \
	X(GPU_READ, "gpu-read")       \
	X(CPU_READ, "cpu-read")

enum perseus__group {
#define X(name, text) PERSEUS__GROUP_##name,
	PERSEUS__GROUP_MAP(X)
#undef X
};

enum {
#define X(name, text) +1
	PERSEUS__N_GROUPS = PERSEUS__GROUP_MAP(X)
#undef X
};

/* A set of groups has bit 1 << group for each. */
static inline uint32_t
perseus__group_bit(enum perseus__group group)
{
	return 1U << group;
}

const char *perseus__group_name(enum perseus__group group);

/*
 * What the tokens of the agent may allow, for jwt.h: bit 1 << group, and the job server's scopes, for which the agent
 * has no use, so that one token may serve for both.
 */
extern const char *const perseus__agent_scopes[];

/*
 * The group that a path belongs to, that of a route or one without; false where it is in none. `is_get`: leases may be
 * read by everybody, and be changed by who may control GPUs.
 */
bool perseus__group_of_path(const char *path, bool is_get, enum perseus__group *group);

#endif
