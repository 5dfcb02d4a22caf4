/* The executor: its life from the first restore to the last, and its control channel. */
#include "agent/executor.h"

#include "agent/channel.h"
#include "agent/front_process.h"
#include "agent/gpu_worker.h"
#include "agent/restore.h"
#include "agent/saved.h"
#include "base/error.h"
#include "base/memory.h"
#include "service/log.h"
#include "service/manager.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct executor {
	const struct perseus_node *node;
	const struct perseus__executor_settings *settings;
	const struct perseus__ends *ends;
	int directory; /* this and the following are -1 where they are not open */
	int signal_fd;
	int stop_fd;    /* readable once the workers are to stop */
	int trouble_fd; /* readable once a worker has ended by itself */
	int front_fd;
	atomic_ullong last_lease_id;
	struct perseus__gpu_worker *workers;
	int32_t n_gpus;    /* workers whose GPU is ready */
	int32_t n_started; /* and whose thread runs */
	bool is_ready;     /* the front has sent its first PING */
};

static enum perseus_status
check_settings(const struct perseus__executor_settings *settings, struct perseus_error *err)
{
	for (int setting = 0; setting < PERSEUS_N_SETTINGS; setting++) {
		const struct perseus__range *range = &settings->ranges[setting];
		if (range->low < 0 || range->low > range->high)
			return perseus__fail(err, PERSEUS_INVALID, "the range of %s: %" PRId64 " .. %" PRId64 " is no range",
					perseus_setting_name((enum perseus_setting)setting), range->low, range->high);
	}
	const struct perseus__range *standing = &settings->standing_sm_clocks;
	if (standing->low < 0 || standing->low > standing->high)
		return perseus__fail(err, PERSEUS_INVALID, "the standing SM clocks: %" PRId64 " .. %" PRId64 " is no range",
				standing->low, standing->high);
	if (settings->lease_ttl_ns <= 0 || settings->max_lease_ttl_ns < settings->lease_ttl_ns)
		return perseus__fail(
				err, PERSEUS_INVALID, "the time to live of leases must be above 0 and at most its maximum");
	return PERSEUS_OK;
}

/* A descriptor of the signals that end the executor; they stay blocked, for its threads too. */
static int
open_signals(void)
{
	sigset_t signals;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	/* A reader of the log that goes must not take the executor along. */
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	(void)sigaction(SIGPIPE, &ignore, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum perseus_status
open_descriptors(struct executor *executor, pid_t front, struct perseus_error *err)
{
	executor->signal_fd = open_signals();
	executor->stop_fd = eventfd(0, EFD_CLOEXEC);
	executor->trouble_fd = eventfd(0, EFD_CLOEXEC);
	if (executor->signal_fd < 0 || executor->stop_fd < 0 || executor->trouble_fd < 0)
		return perseus__fail(err, PERSEUS_IO, "cannot open signals and events: %s", strerror(errno));
	return perseus__front_watch(front, &executor->front_fd, err);
}

/* What a predecessor left goes back first. Where it does not, its GPU's worker goes on trying. */
static void
restore_predecessors(struct executor *executor)
{
	int32_t n_restored = 0;
	struct perseus_error why = {.message = ""};
	const enum perseus_status status =
			perseus__restore_directory(executor->node, executor->directory, &n_restored, &why);
	if (status != PERSEUS_OK)
		perseus__log_message(
				PERSEUS__LOG_ERROR, "start", "not all that was left behind could be put back: %s", why.message);
	else if (n_restored > 0)
		perseus__log_message(
				PERSEUS__LOG_WARNING, "start", "put back %" PRId32 " settings that were left behind", n_restored);
}

static enum perseus_status
start_workers(struct executor *executor, struct perseus_error *err)
{
	for (int32_t i = 0; i < executor->ends->n_gpus; i++) {
		struct perseus__gpu_worker *worker = &executor->workers[i];
		worker->fd = executor->ends->gpu_fds[i];
		worker->stop_fd = executor->stop_fd;
		worker->trouble_fd = executor->trouble_fd;
		const enum perseus_status status = perseus__gpu_init(&worker->gpu, executor->node, executor->ends->devices[i],
				executor->settings, executor->directory, &executor->last_lease_id, err);
		if (status != PERSEUS_OK)
			return status;
		executor->n_gpus++;
	}
	for (; executor->n_started < executor->ends->n_gpus; executor->n_started++) {
		const enum perseus_status status = perseus__gpu_worker_start(&executor->workers[executor->n_started], err);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}

static void
find_lease(struct executor *executor, uint64_t after, struct perseus__lease *lease)
{
	for (int32_t i = 0; i < executor->n_gpus; i++) {
		struct perseus__lease next;
		if (perseus__gpu_lease_after(&executor->workers[i].gpu, after, &next)
				&& (lease->lease_id == 0 || next.lease_id < lease->lease_id))
			*lease = next;
	}
}

static void
answer_ping(struct executor *executor)
{
	if (!executor->is_ready) {
		char status[64];
		(void)snprintf(status, sizeof status, "serving %" PRId32 " GPUs", executor->n_gpus);
		perseus__log_message(PERSEUS__LOG_INFO, "ready", "%s", status);
		perseus__service_ready(status);
		executor->is_ready = true;
	}
	perseus__service_alive();
}

static enum perseus_status
serve_control(struct executor *executor, struct perseus_error *err)
{
	struct perseus__command command;
	bool has_command;
	const enum perseus_status status =
			perseus__channel_receive(executor->ends->control_fd, PERSEUS__CONTROL_CHANNEL, &command, &has_command, err);
	if (status != PERSEUS_OK || !has_command)
		return status;
	struct perseus__answer answer = {.id = command.id, .status = PERSEUS_OK};
	if (command.kind == PERSEUS__COMMAND_LIST)
		find_lease(executor, (uint64_t)command.low, &answer.lease);
	else
		answer_ping(executor);
	return perseus__channel_answer(executor->ends->control_fd, &answer, err);
}

static void
log_signal(const struct executor *executor)
{
	struct signalfd_siginfo info;
	if (read(executor->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
		perseus__log_message(
				PERSEUS__LOG_INFO, "stop", "signal %" PRIu32 " from process %" PRIu32, info.ssi_signo, info.ssi_pid);
}

/* OK: told to stop by a signal. CANCELLED: the front has gone, or a worker has ended. Else what a front did wrong. */
static enum perseus_status
serve(struct executor *executor, struct perseus_error *err)
{
	enum { SIGNALS, CONTROL, FRONT, TROUBLE, N_POLLED };
	struct pollfd polled[N_POLLED] = {
		[SIGNALS] = {.fd = executor->signal_fd, .events = POLLIN},
		[CONTROL] = {.fd = executor->ends->control_fd, .events = POLLIN},
		[FRONT] = {.fd = executor->front_fd, .events = POLLIN},
		[TROUBLE] = {.fd = executor->trouble_fd, .events = POLLIN},
	};
	for (;;) {
		if (poll(polled, N_POLLED, -1) < 0)
			continue; /* EINTR */
		/* First: a terminal's or a manager's signal to the whole group ends the front, too. */
		if (polled[SIGNALS].revents) {
			log_signal(executor);
			return PERSEUS_OK;
		}
		if (polled[TROUBLE].revents || polled[FRONT].revents)
			return perseus__fail(err, PERSEUS_CANCELLED, "the front has ended");
		if (polled[CONTROL].revents) {
			const enum perseus_status status = serve_control(executor, err);
			if (status != PERSEUS_OK)
				return status;
		}
	}
}

/* Ends the workers, which put everything back. Returns the worst that they have to say. */
static enum perseus_status
stop_workers(struct executor *executor, enum perseus_status status, struct perseus_error *err)
{
	if (executor->stop_fd >= 0)
		(void)eventfd_write(executor->stop_fd, 1);
	for (int32_t i = 0; i < executor->n_started; i++)
		perseus__gpu_worker_join(&executor->workers[i]);
	for (int32_t i = 0; i < executor->n_started; i++) {
		const struct perseus__gpu_worker *worker = &executor->workers[i];
		if (worker->restored != PERSEUS_OK && (status == PERSEUS_OK || status == PERSEUS_CANCELLED))
			status = perseus__fail(err, PERSEUS_IO, "%s", worker->restore_err.message);
	}
	/* What a malformed command was is the first thing to know. */
	for (int32_t i = 0; i < executor->n_started; i++) {
		const struct perseus__gpu_worker *worker = &executor->workers[i];
		if (worker->status != PERSEUS_OK && worker->status != PERSEUS_CANCELLED)
			status = perseus__fail(err, worker->status, "%s", worker->err.message);
	}
	return status;
}

static enum perseus_status
end_front(struct executor *executor, enum perseus_status status, struct perseus_error *err)
{
	char how[64];
	perseus__front_end(executor->front_fd, how, sizeof how);
	if (status == PERSEUS_CANCELLED)
		return perseus__fail(err, PERSEUS_IO, "the front has ended (%s)", how);
	return status;
}

static void
close_all(struct executor *executor)
{
	const int fds[] = {
		executor->directory, executor->signal_fd, executor->stop_fd, executor->trouble_fd, executor->front_fd};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	for (int32_t i = 0; i < executor->n_gpus; i++)
		perseus__gpu_fini(&executor->workers[i].gpu);
	perseus__free(executor->workers);
}

static enum perseus_status
start(struct executor *executor, pid_t front, struct perseus_error *err)
{
	enum perseus_status status = check_settings(executor->settings, err);
	if (status != PERSEUS_OK)
		return status;
	executor->workers = perseus__new_array((size_t)executor->ends->n_gpus, sizeof *executor->workers);
	if (!executor->workers)
		return perseus__no_memory(err);
	status = open_descriptors(executor, front, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__saved_open(executor->settings->state_dir, &executor->directory, err);
	if (status != PERSEUS_OK)
		return status;
	restore_predecessors(executor);
	return start_workers(executor, err);
}

enum perseus_status
perseus__executor_run(const struct perseus_node *node, const struct perseus__ends *ends, pid_t front,
		const struct perseus__executor_settings *settings, struct perseus_error *err)
{
	struct executor executor = {
		.node = node,
		.settings = settings,
		.ends = ends,
		.directory = -1,
		.signal_fd = -1,
		.stop_fd = -1,
		.trouble_fd = -1,
		.front_fd = -1,
	};
	enum perseus_status status = start(&executor, front, err);
	if (status == PERSEUS_OK)
		status = serve(&executor, err);
	perseus__service_stopping("putting settings back");
	status = stop_workers(&executor, status, err);
	if (executor.front_fd >= 0)
		status = end_front(&executor, status, err);
	close_all(&executor);
	return status;
}
