/* The job server's process. */
#include "server/serve.h"

#include "base/clock.h"
#include "base/error.h"
#include "server/jobs.h"
#include "server/planner.h"
#include "server/store.h"
#include "service/log.h"
#include "service/manager.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int64_t TICK_NS = 1000000000;

/* What is under way then is a write to a disk that does not answer; systemd waits longer. */
static const int64_t END_LIMIT_NS = 10 * (int64_t)1000000000;

struct process {
	const struct perseus__serve_settings *settings;
	int listeners[PERSEUS__SERVER_MAX_SOCKETS]; /* not taken over yet */
	int32_t n_listeners;
	bool has_bound; /* the Unix socket of the settings */
	int signal_fd;  /* -1: not open */
	struct perseus__store *store;
	struct perseus__zeus *zeus;
	struct perseus__planner *planner;
	struct perseus__jobs *jobs;
	struct perseus__events *events;
	struct perseus__api *api;
	struct perseus__application application;
	struct perseus__server *server;
};

struct perseus__serve_settings
perseus__serve_settings_default(void)
{
	struct perseus__serve_settings settings = {
		.socket = {.mode = 0660},
		.server = perseus__server_settings_default(),
		.planner = perseus__planner_settings_default(),
		.jobs = perseus__jobs_settings_default(),
	};
	settings.server.n_threads = 2;
	/* A token of 4 KiB and the line of the request fit. */
	settings.server.connection_bytes = 8 * (size_t)1024;
	settings.server.limits.max_open = 12000;
	/* The ranks of a job may all come through one address. */
	settings.server.limits.max_of_peer = 12000;
	return settings;
}

static enum perseus_status
listen_on(struct process *process, const char *address, struct perseus_error *err)
{
	char bound[PERSEUS__ADDRESS_BYTES];
	int *fd = &process->listeners[process->n_listeners];
	if (process->n_listeners == PERSEUS__SERVER_MAX_SOCKETS)
		return perseus__fail(err, PERSEUS_INVALID, "more than %d sockets", PERSEUS__SERVER_MAX_SOCKETS);
	const enum perseus_status status = perseus__listen_tcp(address, fd, err);
	if (status != PERSEUS_OK)
		return status;
	process->n_listeners++;
	perseus__listen_address(*fd, bound);
	perseus__log_message(PERSEUS__LOG_INFO, "listen", "%s", bound);
	if (process->settings->api.key.length == 0)
		perseus__log_message(PERSEUS__LOG_WARNING, "listen", "whoever reaches %s needs no token", bound);
	return PERSEUS_OK;
}

static enum perseus_status
open_listeners(struct process *process, struct perseus_error *err)
{
	const struct perseus__serve_settings *settings = process->settings;
	enum perseus_status status =
			perseus__service_listeners(process->listeners, PERSEUS__SERVER_MAX_SOCKETS, &process->n_listeners, err);
	if (status != PERSEUS_OK)
		return status;
	if (process->n_listeners > 0) {
		perseus__log_message(PERSEUS__LOG_INFO, "listen",
				"sockets of the service manager (%" PRId32 "), in the place of those of the options",
				process->n_listeners);
		return PERSEUS_OK;
	}
	if (settings->socket.path) {
		status = perseus__listen_unix(&settings->socket, &process->listeners[0], err);
		if (status != PERSEUS_OK)
			return status;
		process->n_listeners = 1;
		process->has_bound = true;
		perseus__log_message(PERSEUS__LOG_INFO, "listen", "%s", settings->socket.path);
	}
	for (int32_t i = 0; i < settings->n_tcp_addresses && status == PERSEUS_OK; i++)
		status = listen_on(process, settings->tcp_addresses[i], err);
	return status;
}

static enum perseus_status
open_signals(struct process *process, struct perseus_error *err)
{
	sigset_t signals;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	/* Peers and readers of the log come and go. */
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	(void)sigaction(SIGPIPE, &ignore, NULL);
	process->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return process->signal_fd >= 0 ? PERSEUS_OK
								   : perseus__fail(err, PERSEUS_IO, "cannot wait for signals: %s", strerror(errno));
}

static void
publish(void *user, const char *job, enum perseus__job_event event, const char *data)
{
	perseus__events_publish(user, job, perseus__job_event_name(event), data);
	if (event == PERSEUS__JOB_EVENT_WARNING)
		perseus__log_message(PERSEUS__LOG_WARNING, "job", "%s: %s", job, data);
	else if (event == PERSEUS__JOB_EVENT_PHASE || event == PERSEUS__JOB_EVENT_STRAGGLER)
		perseus__log_message(PERSEUS__LOG_INFO, "job", "%s: %s", job, data);
}

/* The jobs of before, as they were. */
static enum perseus_status
start_jobs(struct process *process, struct perseus_error *err)
{
	struct perseus__jobs_settings settings = process->settings->jobs;
	const struct perseus__now now = {.mono_ns = perseus__clock_mono_ns(), .wall_ms = perseus__clock_wall_ms()};
	const enum perseus_status status = perseus__planner_new(&process->settings->planner, &process->planner, err);
	if (status != PERSEUS_OK)
		return status;
	settings.store = process->store;
	settings.planner = process->planner;
	settings.sink = publish;
	settings.user = process->events;
	return perseus__jobs_new(&settings, now, &process->jobs, err);
}

static enum perseus_status
start(struct process *process, struct perseus_error *err)
{
	struct perseus__api_settings api = process->settings->api;
	enum perseus_status status = open_signals(process, err);
	if (status == PERSEUS_OK)
		status = open_listeners(process, err);
	if (status == PERSEUS_OK)
		status = perseus__store_open(process->settings->database, &process->store, err);
	/* Until all that is in it has been read: where that cannot be, it stays as it is. */
	if (status == PERSEUS_OK)
		perseus__store_hold(process->store);
	if (status == PERSEUS_OK)
		status = perseus__zeus_server_new(&process->settings->zeus, process->store, &process->zeus, err);
	if (status == PERSEUS_OK)
		status = perseus__events_new(&process->events, err);
	if (status == PERSEUS_OK)
		status = start_jobs(process, err);
	if (process->store)
		perseus__store_let_go(process->store, status == PERSEUS_OK);
	if (status != PERSEUS_OK)
		return status;
	api.store = process->store;
	api.zeus = process->zeus;
	api.jobs = process->jobs;
	status = perseus__api_new(&api, process->events, &process->api, err);
	if (status != PERSEUS_OK)
		return status;
	process->application = perseus__api_application(process->api);
	status = perseus__server_new(&process->application, process->listeners, process->n_listeners,
			&process->settings->server, &process->server, err);
	if (status == PERSEUS_OK)
		process->n_listeners = 0;
	return status;
}

/* Once a second, and as soon as a signal comes. */
static void
serve(const struct process *process)
{
	struct pollfd polled = {.fd = process->signal_fd, .events = POLLIN};
	int64_t next_ns = perseus__clock_mono_ns();
	for (;;) {
		const int64_t left_ns = next_ns - perseus__clock_mono_ns();
		const int timeout_ms = left_ns > 0 ? (int)(left_ns / 1000000) + 1 : 0;
		if (poll(&polled, 1, timeout_ms) > 0)
			return;
		if (perseus__clock_mono_ns() < next_ns)
			continue;
		next_ns += TICK_NS;
		perseus__server_tick(process->server);
		perseus__service_alive();
	}
}

/* False: something is under way that does not end, and holds on to all the rest: the system takes it. */
static bool
end(struct process *process)
{
	if (process->server && !perseus__server_end(process->server, END_LIMIT_NS)) {
		perseus__log_message(PERSEUS__LOG_WARNING, "end", "requests are still under way, and are dropped");
		return false;
	}
	/* What is under way ends first: it tells of events, and its replies go to exchanges. */
	if (process->jobs)
		perseus__jobs_end(process->jobs);
	if (process->zeus)
		perseus__zeus_end(process->zeus);
	perseus__planner_free(process->planner);
	if (process->store)
		perseus__store_flush(process->store);
	if (process->jobs)
		perseus__jobs_settle(process->jobs);
	perseus__server_free(process->server);
	perseus__api_free(process->api);
	perseus__events_free(process->events);
	perseus__jobs_free(process->jobs);
	perseus__zeus_server_free(process->zeus);
	perseus__store_close(process->store);
	return true;
}

enum perseus_status
perseus__serve_run(const struct perseus__serve_settings *settings, struct perseus_error *err)
{
	struct process process = {.settings = settings, .signal_fd = -1};
	const enum perseus_status status = start(&process, err);
	if (status == PERSEUS_OK) {
		perseus__service_ready("serving");
		perseus__log_message(PERSEUS__LOG_NOTICE, "start", "jobs are kept in %s", settings->database);
		serve(&process);
		perseus__service_stopping("ending");
		perseus__log_message(PERSEUS__LOG_NOTICE, "end", "a signal has come");
	}
	(void)end(&process);
	for (; process.n_listeners > 0; process.n_listeners--)
		(void)close(process.listeners[process.n_listeners - 1]);
	if (process.has_bound)
		(void)unlink(settings->socket.path);
	if (process.signal_fd >= 0)
		(void)close(process.signal_fd);
	return status;
}
