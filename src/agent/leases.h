/* The executor's leases, asked for one by one. Not from the link's thread. */
#ifndef PERSEUS_AGENT_LEASES_H
#define PERSEUS_AGENT_LEASES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/front.h"

/*
 * The first lease whose id is above `after`; `*is_there` false: none. Errors: IO and BUSY, where the executor is gone
 * or asked too much.
 */
PERSEUS_MUST_USE enum perseus_status perseus__leases_next(const struct perseus__front *front, uint64_t after,
		struct perseus__lease *lease, bool *is_there, struct perseus_error *err);

#endif
