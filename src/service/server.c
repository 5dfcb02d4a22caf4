/* HTTP by libmicrohttpd. */
#include "service/server_internal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	IDLE_S = 75, /* without a byte; clients keep connections for 5 s, and race a server with the same */
	FILES_BESIDE_CONNECTIONS = 256,
	MAX_WAIT_MS = 1000,
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

/*
 * A daemon without a thread. libmicrohttpd's own threads (0.9.75) can wait with as many events in hand as they take at
 * a time, until another comes, though it be for a minute: ours wait for the daemon's epoll, and have it take what is
 * there.
 */
static struct MHD_Daemon *
start_daemon(struct perseus__server_worker *worker, int fd, const struct perseus__server_settings *settings)
{
	const unsigned flags = MHD_USE_EPOLL | MHD_USE_SUSPEND_RESUME | MHD_USE_TURBO;
	/* Connections are counted and cut by us; this is for the moments before we do. */
	const unsigned max_connections = 2 * (unsigned)settings->limits.max_open;
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t)max_connections, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)settings->connection_bytes, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)perseus__request_note_uri, worker},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)perseus__request_note_completed, worker},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)note_connection, worker->server},
		{MHD_OPTION_END, 0, NULL},
	};
	return MHD_start_daemon(
			flags, 0, NULL, NULL, perseus__request_handle, worker, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/* For how long there is nothing to do for a daemon unless something comes. */
static int
timeout_ms(struct MHD_Daemon *daemon)
{
	MHD_UNSIGNED_LONG_LONG left_ms = MAX_WAIT_MS;
	if (MHD_get_timeout(daemon, &left_ms) != MHD_YES || left_ms > MAX_WAIT_MS)
		left_ms = MAX_WAIT_MS;
	return (int)left_ms;
}

static void
close_sockets(struct perseus__server *server)
{
	for (; server->n_fds > 0; server->n_fds--)
		(void)close(server->fds[server->n_fds - 1]);
}

/*
 * The daemon takes no connections any more, and does not close its socket, which it shares with others. By the thread
 * that runs it: libmicrohttpd (0.9.75) aborts where the two meet.
 */
static void
stop_listening(struct perseus__server_worker *worker)
{
	worker->is_quiesced = true;
	(void)MHD_quiesce_daemon(worker->daemon);
	if (atomic_fetch_sub(&worker->server->n_listening, 1) == 1)
		close_sockets(worker->server);
}

static void *
work(void *user)
{
	struct perseus__server_worker *worker = user;
	struct pollfd polled[] = {
		{.fd = worker->epoll_fd, .events = POLLIN},
		{.fd = worker->wake_fd, .events = POLLIN},
		{.fd = worker->server->stop_fd, .events = POLLIN},
	};
	eventfd_t n_wakes;
	while (!polled[2].revents) {
		(void)poll(polled, 3, timeout_ms(worker->daemon));
		if (polled[1].revents) {
			(void)eventfd_read(worker->wake_fd, &n_wakes);
			atomic_store(&worker->is_woken, false);
		}
		if (!worker->is_quiesced && atomic_load(&worker->server->is_ending))
			stop_listening(worker);
		(void)MHD_run(worker->daemon);
	}
	return NULL;
}

/*
 * The daemon looks for resumed connections before it takes events, its own word of them included: one that is resumed
 * in between it would forget for a while. Ours is said afterwards, and heard before.
 */
void
perseus__worker_resume(struct perseus__server_worker *worker, struct MHD_Connection *mhd)
{
	MHD_resume_connection(mhd);
	if (!atomic_exchange(&worker->is_woken, true))
		(void)eventfd_write(worker->wake_fd, 1);
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

static enum perseus_status
start_workers(struct perseus__server *server, const int *fds, int32_t n_fds,
		const struct perseus__server_settings *settings, struct perseus_error *err)
{
	for (int32_t i = 0; i < n_fds * settings->n_threads; i++) {
		struct perseus__server_worker *worker = &server->workers[i];
		worker->server = server;
		worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (worker->wake_fd >= 0)
			worker->daemon = start_daemon(worker, fds[i / settings->n_threads], settings);
		if (!worker->daemon) {
			if (worker->wake_fd >= 0)
				(void)close(worker->wake_fd);
			return perseus__fail(err, PERSEUS_IO, "cannot serve HTTP: there are no descriptors left");
		}
		worker->epoll_fd = MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
		server->n_workers++;
	}
	atomic_store(&server->n_listening, server->n_workers);
	for (; server->n_threads < server->n_workers; server->n_threads++) {
		struct perseus__server_worker *worker = &server->workers[server->n_threads];
		const int error = pthread_create(&worker->thread, NULL, work, worker);
		if (error != 0)
			return perseus__fail(err, PERSEUS_IO, "cannot start the threads that serve HTTP: %s", strerror(error));
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__server_new(const struct perseus__application *application, const int *fds, int32_t n_fds,
		const struct perseus__server_settings *settings, struct perseus__server **out, struct perseus_error *err)
{
	struct perseus__server_settings fitted = *settings;
	fit_limits(&fitted.limits);
	const size_t workers_bytes = (size_t)n_fds * (size_t)settings->n_threads * sizeof(struct perseus__server_worker);
	struct perseus__server *server = perseus__new_array(1, sizeof *server + workers_bytes);
	if (!server)
		return perseus__no_memory(err);
	server->application = application;
	server->connections = perseus__connections_new(application, &fitted.limits);
	server->stop_fd = eventfd(0, EFD_CLOEXEC);
	enum perseus_status status = PERSEUS_OK;
	if (!server->connections)
		status = perseus__no_memory(err);
	else if (server->stop_fd < 0)
		status = perseus__fail(err, PERSEUS_IO, "cannot make an event: %s", strerror(errno));
	else
		status = start_workers(server, fds, n_fds, &fitted, err);
	if (status != PERSEUS_OK) {
		perseus__server_free(server); /* the sockets stay the caller's */
		return status;
	}
	memcpy(server->fds, fds, (size_t)n_fds * sizeof *fds);
	server->n_fds = n_fds;
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
	atomic_store(&server->is_ending, true);
	for (int32_t i = 0; i < server->n_workers; i++)
		(void)eventfd_write(server->workers[i].wake_fd, 1);
	server->application->stop(server->application->user);
	while (atomic_load(&server->n_under_way) > 0 || atomic_load(&server->n_listening) > 0) {
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
	if (server->stop_fd >= 0)
		(void)eventfd_write(server->stop_fd, 1);
	for (int32_t i = 0; i < server->n_threads; i++)
		(void)pthread_join(server->workers[i].thread, NULL);
	for (int32_t i = 0; i < server->n_workers; i++) {
		(void)MHD_quiesce_daemon(server->workers[i].daemon); /* else it closes its socket */
		MHD_stop_daemon(server->workers[i].daemon);
		(void)close(server->workers[i].wake_fd);
	}
	if (server->stop_fd >= 0)
		(void)close(server->stop_fd);
	close_sockets(server);
	perseus__connections_free(server->connections);
	perseus__free(server);
}
