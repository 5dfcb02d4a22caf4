/* HTTP by libmicrohttpd. */
#include "service/server_internal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	IDLE_S = 75, /* without a byte; clients keep connections for 5 s, and race a server with the same */
	FILES_BESIDE_CONNECTIONS = 256,
};

static void
note_connection(void *user, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct perseus__server *server = user;
	switch (code) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		*context = perseus__http_connection_open(
				server->connections, MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
		return;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		if (*context) {
			perseus__request_drop(*context);
			perseus__http_connection_close(*context);
		}
		*context = NULL;
		return;
	}
}

static struct MHD_Daemon *
start_daemon(struct perseus__server *server, int fd, const struct perseus__server_settings *settings)
{
	const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_SUSPEND_RESUME | MHD_USE_TURBO;
	/* Connections are counted and cut by us; this is for the moments before we do. */
	const unsigned max_connections = 2 * (unsigned)settings->limits.max_open;
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t)max_connections, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)settings->connection_bytes, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)perseus__request_note_uri, server},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)perseus__request_note_completed, server},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)note_connection, server},
		{settings->n_threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, settings->n_threads, NULL},
		{MHD_OPTION_END, 0, NULL},
	};
	return MHD_start_daemon(
			flags, 0, NULL, NULL, perseus__request_handle, server, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

struct perseus__server_settings
perseus__server_settings_default(void)
{
	return (struct perseus__server_settings){
		.n_threads = 4,
		.connection_bytes = 16 * (size_t)1024,
		.limits =
				{
					.max_open = 3072,
					.max_of_peer = 2048,
					.first_request_ns = 20 * (int64_t)1000000000,
					.quiet_ns = 90 * (int64_t)1000000000,
				},
	};
}

/* Fewer connections where the system does not let us have so many files. */
static void
fit_limits(struct perseus__connection_limits *limits)
{
	struct rlimit files;
	const rlim_t beside = FILES_BESIDE_CONNECTIONS;
	const rlim_t wanted = (rlim_t)limits->max_open + beside;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	if (files.rlim_cur < wanted) {
		files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
		if (setrlimit(RLIMIT_NOFILE, &files) != 0)
			(void)getrlimit(RLIMIT_NOFILE, &files); /* worked above */
	}
	if (files.rlim_cur >= wanted)
		return;
	const rlim_t room = files.rlim_cur > 2 * beside ? files.rlim_cur - beside : files.rlim_cur / 2;
	limits->max_open = (int32_t)room;
	limits->max_of_peer = limits->max_of_peer < limits->max_open ? limits->max_of_peer : limits->max_open;
}

enum perseus_status
perseus__server_new(const struct perseus__application *application, const int *fds, int32_t n_fds,
		const struct perseus__server_settings *settings, struct perseus__server **out, struct perseus_error *err)
{
	struct perseus__server_settings fitted = *settings;
	fit_limits(&fitted.limits);
	struct perseus__server *server = perseus__new_array(1, sizeof *server);
	struct perseus__connections *connections = perseus__connections_new(application, &fitted.limits);
	if (!server || !connections) {
		perseus__connections_free(connections);
		perseus__free(server);
		return perseus__no_memory(err);
	}
	server->application = application;
	server->connections = connections;
	for (int32_t i = 0; i < n_fds; i++) {
		server->daemons[i] = start_daemon(server, fds[i], &fitted);
		if (!server->daemons[i]) {
			/* The sockets stay the caller's. */
			for (int32_t k = 0; k < i; k++)
				(void)MHD_quiesce_daemon(server->daemons[k]);
			perseus__server_free(server);
			return perseus__fail(err, PERSEUS_IO, "cannot start the threads that serve HTTP");
		}
		server->n_daemons++;
	}
	*out = server;
	return PERSEUS_OK;
}

void
perseus__server_tick(struct perseus__server *server)
{
	perseus__connections_sweep(server->connections);
	perseus__requests_tick(server);
	server->application->tick(server->application->user);
}

bool
perseus__server_end(struct perseus__server *server, int64_t limit_ns)
{
	static const struct timespec pause = {.tv_nsec = 5000000};
	const int64_t end_ns = perseus__clock_mono_ns() + limit_ns;
	for (int32_t i = 0; i < server->n_daemons; i++) {
		const MHD_socket fd = MHD_quiesce_daemon(server->daemons[i]);
		if (fd != MHD_INVALID_SOCKET)
			(void)close(fd);
	}
	atomic_store(&server->is_ending, true);
	server->application->stop(server->application->user);
	while (atomic_load(&server->n_under_way) > 0) {
		if (perseus__clock_mono_ns() > end_ns)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

void
perseus__server_free(struct perseus__server *server)
{
	if (!server)
		return;
	for (int32_t i = 0; i < server->n_daemons; i++)
		MHD_stop_daemon(server->daemons[i]);
	perseus__connections_free(server->connections);
	perseus__free(server);
}
