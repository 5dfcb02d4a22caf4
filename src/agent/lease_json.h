/* Leases as JSON. */
#ifndef PERSEUS_AGENT_LEASE_JSON_H
#define PERSEUS_AGENT_LEASE_JSON_H

#include <stdint.h>

#include "agent/protocol.h"
#include "format/json_writer.h"

/* Adds a lease of GPU `gpu_id`; `now_ns` is of the monotonic clock. */
void perseus__lease_write(
		const struct perseus__lease *lease, int32_t gpu_id, int64_t now_ns, struct perseus__json *json);

#endif
