/* Who is at the other end of an accepted connection. */
#ifndef PERSEUS_AGENT_PEER_H
#define PERSEUS_AGENT_PEER_H

#include "agent/front.h"

/*
 * Asks the system about the peer of `fd`. Over the Unix socket that is the process that connected; where it cannot be
 * seen (another PID namespace) or is gone already, its user, whose leases then end by time.
 */
void perseus__peer_find(const struct perseus__front *front, int fd, struct perseus__peer *peer);

#endif
