/* `perseus serve` as a process: everything is opened, served until a signal comes, and closed in order. */
#ifndef PERSEUS_SERVER_SERVE_H
#define PERSEUS_SERVER_SERVE_H

#include <stdint.h>

#include "server/api.h"
#include "server/jobs.h"
#include "server/planner.h"
#include "server/zeus_settings.h"
#include "service/listen.h"
#include "service/server.h"

struct perseus__serve_settings {
	const char *database;               /* the store's file */
	const char *const *tcp_addresses;   /* length n_tcp_addresses */
	int32_t n_tcp_addresses;            /* with the Unix socket at most PERSEUS__SERVER_MAX_SOCKETS */
	struct perseus__unix_socket socket; /* path NULL: none */
	struct perseus__api_settings api;   /* what it serves is filled in here */
	struct perseus__server_settings server;
	struct perseus__zeus_settings zeus;
	struct perseus__planner_settings planner;
	struct perseus__jobs_settings jobs; /* store, planner and sink are filled in here */
};

/* Twelve thousand connections on few threads; no addresses. The settings for Zeus are the caller's to make and free. */
struct perseus__serve_settings perseus__serve_settings_default(void);

/*
 * Runs the server until SIGTERM, SIGINT or SIGHUP. Sockets that a service manager hands over are served in place of
 * those of the settings. Before any thread: it blocks those signals. Errors: those of the store and of listen.h,
 * NO_MEMORY, IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__serve_run(
		const struct perseus__serve_settings *settings, struct perseus_error *err);

#endif
