/* The service manager: the only file that knows whether libsystemd is there. */
#include "service/manager.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>

#if PERSEUS_HAVE_SYSTEMD

#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

/* Whether the manager hears it makes no difference to what the service does. */
static void
tell(const char *what, const char *status)
{
	char text[512];
	(void)snprintf(text, sizeof text, "%s\nSTATUS=%.400s", what, status);
	(void)sd_notify(0, text);
}

void
perseus__service_ready(const char *status)
{
	tell("READY=1", status);
}

void
perseus__service_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

void
perseus__service_stopping(const char *status)
{
	tell("STOPPING=1", status);
}

enum perseus_status
perseus__service_listeners(int *fds, int32_t max, int32_t *n, struct perseus_error *err)
{
	const int n_passed = sd_listen_fds(1);
	if (n_passed < 0)
		return perseus__fail(err, PERSEUS_IO, "the sockets of the service manager: %s", strerror(-n_passed));
	if (n_passed > max)
		return perseus__fail(err, PERSEUS_INVALID, "the unit hands over %d sockets, more than %" PRId32, n_passed, max);
	for (int i = 0; i < n_passed; i++) {
		fds[i] = SD_LISTEN_FDS_START + i;
		if (sd_is_socket(fds[i], AF_UNSPEC, SOCK_STREAM, 1) <= 0)
			return perseus__fail(
					err, PERSEUS_INVALID, "descriptor %d of the service manager is no listening stream socket", fds[i]);
	}
	*n = n_passed;
	return PERSEUS_OK;
}

#else

void
perseus__service_ready(const char *status)
{
	(void)status;
}

void
perseus__service_alive(void)
{
}

void
perseus__service_stopping(const char *status)
{
	(void)status;
}

enum perseus_status
perseus__service_listeners(int *fds, int32_t max, int32_t *n, struct perseus_error *err)
{
	(void)fds;
	(void)max;
	(void)err;
	*n = 0;
	return PERSEUS_OK;
}

#endif
