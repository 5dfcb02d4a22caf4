/* As whom a peer writes, and what. */
#ifndef PERSEUS_AGENT_PEER_H
#define PERSEUS_AGENT_PEER_H

#include "agent/front.h"

/*
 * Fills in the rest of a caller, of the connection `fd`. Over the Unix socket its holder is the process that connected;
 * where that cannot be seen (another PID namespace) or is gone already, its user, whose leases then end by time.
 */
void perseus__caller_find(const struct perseus__front *front, int fd, struct perseus__caller *caller);

#endif
