/* The front's process. */
#include "agent/front_main.h"

#include "base/clock.h"
#include "base/error.h"
#include "service/manager.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int64_t TICK_NS = 1000000000;

/* As long as a command may take that the executor has begun; systemd waits longer. */
static const int64_t END_LIMIT_NS = 10 * (int64_t)1000000000;

struct process {
	int signal_fd; /* this and the next are -1 where they are not open */
	int gone_fd;   /* readable once the executor is gone */
	struct perseus__link *link;
	struct perseus__front *front;
	struct perseus__application application;
	struct perseus__server *server;
};

static void
note_gone(void *user)
{
	const struct process *process = user;
	(void)eventfd_write(process->gone_fd, 1);
}

/* A terminal's SIGINT and SIGHUP reach both processes: the executor ends the front when it has seen to the settings. */
static int
open_signals(bool is_alone)
{
	sigset_t signals;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (!is_alone) {
		(void)sigdelset(&signals, SIGINT);
		(void)sigdelset(&signals, SIGHUP);
	}
	/* Peers and readers of the log come and go. */
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	(void)sigaction(SIGPIPE, &ignore, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum perseus_status
start(struct process *process, const struct perseus_node *node, const struct perseus__ends *ends,
		const struct perseus__front_settings *settings, struct perseus_error *err)
{
	process->signal_fd = open_signals(!ends);
	process->gone_fd = eventfd(0, EFD_CLOEXEC);
	if (process->signal_fd < 0 || process->gone_fd < 0)
		return perseus__fail(err, PERSEUS_IO, "cannot open signals and events: %s", strerror(errno));
	if (ends) {
		const enum perseus_status status = perseus__link_new(ends, note_gone, process, &process->link, err);
		if (status != PERSEUS_OK)
			return status;
	}
	return perseus__front_new(node, process->link, settings, &process->front, err);
}

/* Once a second, and as soon as a signal comes or the executor goes. */
static enum perseus_status
serve(const struct process *process, struct perseus_error *err)
{
	struct pollfd polled[] = {
		{.fd = process->signal_fd, .events = POLLIN},
		{.fd = process->gone_fd, .events = POLLIN},
	};
	int64_t next_ns = perseus__clock_mono_ns();
	for (;;) {
		const int64_t left_ns = next_ns - perseus__clock_mono_ns();
		const int timeout_ms = left_ns > 0 ? (int)(left_ns / 1000000) + 1 : 0;
		if (poll(polled, 2, timeout_ms) > 0)
			return polled[0].revents ? PERSEUS_OK : perseus__fail(err, PERSEUS_IO, "the executor has gone");
		if (perseus__clock_mono_ns() < next_ns)
			continue;
		next_ns += TICK_NS;
		perseus__front_ping(process->front);
		perseus__server_tick(process->server);
		if (!process->link)
			perseus__service_alive();
	}
}

static void
end(struct process *process)
{
	/* What is still under way after that time holds on to all the rest: the system takes it with the process. */
	if (process->server && !perseus__server_end(process->server, END_LIMIT_NS))
		return;
	perseus__server_free(process->server);
	perseus__link_free(process->link);
	perseus__front_free(process->front);
	if (process->gone_fd >= 0)
		(void)close(process->gone_fd);
	if (process->signal_fd >= 0)
		(void)close(process->signal_fd);
}

enum perseus_status
perseus__front_main(const struct perseus_node *node, const struct perseus__ends *ends, const int *listeners,
		int32_t n_listeners, const struct perseus__front_settings *settings,
		const struct perseus__server_settings *server_settings, struct perseus_error *err)
{
	struct process process = {.signal_fd = -1, .gone_fd = -1};
	enum perseus_status status = start(&process, node, ends, settings, err);
	if (status == PERSEUS_OK) {
		process.application = perseus__front_application(process.front);
		status = perseus__server_new(
				&process.application, listeners, n_listeners, server_settings, &process.server, err);
	}
	if (status == PERSEUS_OK) {
		if (!ends)
			perseus__service_ready("reading only");
		status = serve(&process, err);
	}
	if (!ends)
		perseus__service_stopping("ending");
	end(&process);
	return status;
}
