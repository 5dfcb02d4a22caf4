/* What the executor did for whom, a line each in the log; docs/agent.md lists their fields. */
#ifndef PERSEUS_AGENT_AUDIT_H
#define PERSEUS_AGENT_AUDIT_H

#include <stdint.h>

#include "agent/protocol.h"

/* A SET or RESET, done or refused. `err` has the message where `status` is not OK. */
void perseus__audit_write(const struct perseus_device_info *gpu, const struct perseus__command *command,
		enum perseus_status status, const struct perseus_error *err, int64_t time_ns);

/* A lease has begun, or ended: `why`, NULL where there is nothing to say. */
void perseus__audit_lease(
		const struct perseus_device_info *gpu, const struct perseus__lease *lease, const char *event, const char *why);

#endif
