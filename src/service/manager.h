/*
 * What a service and the service manager tell each other, sd_notify(3) and sd_listen_fds(3). Without libsystemd, or
 * where no manager started the process, nothing is told and nothing is handed over.
 */
#ifndef PERSEUS_SERVICE_MANAGER_H
#define PERSEUS_SERVICE_MANAGER_H

#include <stdint.h>

#include <perseus/status.h>

/* READY=1 and a line for `systemctl status`. */
void perseus__service_ready(const char *status);

/* WATCHDOG=1. */
void perseus__service_alive(void);

/* STOPPING=1 and a line for `systemctl status`. */
void perseus__service_stopping(const char *status);

/*
 * Listening sockets of the unit, in its order, and the environment's word of them taken away so that no child takes
 * them for its own: called once, by the process that the manager started, before it forks. `fds` has length `max`;
 * they are closed on exec. INVALID for more than `max`, or for what is no listening stream socket.
 */
PERSEUS_MUST_USE enum perseus_status perseus__service_listeners(
		int *fds, int32_t max, int32_t *n, struct perseus_error *err);

#endif
