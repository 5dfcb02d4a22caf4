/* The agent's processes. */
#include "agent/agent.h"

#include "agent/front_main.h"
#include "agent/offer.h"
#include "agent/override.h"
#include "agent/pairs.h"
#include "agent/privilege.h"
#include "base/error.h"
#include "device/device.h"
#include "service/log.h"
#include "service/manager.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is open before the fork. */
struct agent {
	const struct perseus__agent_settings *settings;
	int listeners[PERSEUS__SERVER_MAX_SOCKETS];
	int32_t n_listeners;
	bool has_bound; /* the Unix socket of the settings */
	struct perseus_node *node;
	bool has_user;
	struct perseus__user user; /* whom the front becomes */
};

static enum perseus_status
open_listeners(struct agent *agent, struct perseus_error *err)
{
	const struct perseus__agent_settings *settings = agent->settings;
	enum perseus_status status =
			perseus__service_listeners(agent->listeners, PERSEUS__SERVER_MAX_SOCKETS, &agent->n_listeners, err);
	if (status == PERSEUS_OK && agent->n_listeners > 0)
		perseus__log_message(PERSEUS__LOG_INFO, "listen",
				"sockets of the service manager (%" PRId32 "), in the place of those of the options",
				agent->n_listeners);
	if (status != PERSEUS_OK || agent->n_listeners > 0)
		return status;
	if (settings->socket.path) {
		status = perseus__listen_unix(&settings->socket, &agent->listeners[agent->n_listeners], err);
		if (status != PERSEUS_OK)
			return status;
		agent->n_listeners++;
		agent->has_bound = true;
		perseus__log_message(PERSEUS__LOG_INFO, "listen", "%s", settings->socket.path);
	}
	if (settings->tcp_address) {
		status = perseus__listen_tcp(settings->tcp_address, &agent->listeners[agent->n_listeners], err);
		if (status != PERSEUS_OK)
			return status;
		agent->n_listeners++;
		perseus__log_message(PERSEUS__LOG_INFO, "listen", "%s", settings->tcp_address);
		if (settings->front.key.length == 0)
			perseus__log_message(
					PERSEUS__LOG_WARNING, "listen", "whoever reaches %s needs no token", settings->tcp_address);
	}
	return PERSEUS_OK;
}

static void
close_listeners(struct agent *agent)
{
	for (; agent->n_listeners > 0; agent->n_listeners--)
		(void)close(agent->listeners[agent->n_listeners - 1]);
}

static enum perseus_status
find_user(struct agent *agent, struct perseus_error *err)
{
	agent->has_user = geteuid() == 0;
	if (!agent->has_user)
		return PERSEUS_OK;
	if (agent->settings->user)
		return perseus__user_find(agent->settings->user, NULL, &agent->user, err);
	if (perseus__user_find("perseus", NULL, &agent->user, NULL) == PERSEUS_OK)
		return PERSEUS_OK;
	perseus__log_message(PERSEUS__LOG_WARNING, "start",
			"there is no user perseus: HTTP is served as nobody (--user says otherwise)");
	return perseus__user_find("nobody", NULL, &agent->user, err);
}

static void
log_notes(const struct perseus_node *node, int32_t first)
{
	for (int32_t i = first; i < perseus_node_n_notes(node); i++)
		perseus__log_message(PERSEUS__LOG_INFO, "devices", "%s", perseus_node_note(node, i));
}

/* The devices that could not be opened before the fork. `speaks`: of the two processes one tells of the notes. */
static enum perseus_status
open_rest(const struct agent *agent, bool speaks, struct perseus_error *err)
{
	const int32_t n_notes = perseus_node_n_notes(agent->node);
	const enum perseus_status status =
			perseus__node_open_after_fork(agent->node, agent->settings->devices, &agent->settings->node, err);
	if (status == PERSEUS_OK && speaks)
		log_notes(agent->node, n_notes);
	return status;
}

/* In the child, up to its end. */
static _Noreturn void
be_front(const struct agent *agent, struct perseus__pairs *pairs, pid_t executor)
{
	struct perseus_error err = {.message = ""};
	struct perseus__front_settings settings = agent->settings->front;
	struct perseus__offer offer;
	perseus__pairs_keep_front(pairs);
	enum perseus_status status = perseus__privilege_front(agent->has_user ? &agent->user : NULL, executor, &err);
	if (status == PERSEUS_OK)
		status = open_rest(agent, false, &err);
	if (status == PERSEUS_OK)
		status = perseus__pairs_fit(pairs, agent->node, &err);
	/* Without an offer the executor has failed, and says why itself. */
	if (status == PERSEUS_OK && !perseus__offer_receive(pairs->offer_fd, &offer))
		exit(EXIT_FAILURE);
	if (status == PERSEUS_OK && offer.n_gpus != pairs->n_gpus)
		status = perseus__fail(&err, PERSEUS_INTERNAL, "the agent's processes see different GPUs");
	if (status == PERSEUS_OK) {
		const struct perseus__ends ends = {pairs->gpu_fds, pairs->devices, pairs->n_gpus, pairs->control_fd};
		settings.groups &= offer.groups;
		status = perseus__front_main(
				agent->node, &ends, agent->listeners, agent->n_listeners, &settings, &agent->settings->server, &err);
	}
	if (status != PERSEUS_OK)
		perseus__log_message(PERSEUS__LOG_ERROR, "front", "%s", err.message);
	perseus_node_close(agent->node);
	exit(status == PERSEUS_OK ? EXIT_SUCCESS : EXIT_FAILURE);
}

static enum perseus_status
set_overrides(const struct agent *agent, struct perseus_error *err)
{
	struct perseus__overrides *overrides = NULL;
	if (!agent->settings->overrides)
		return PERSEUS_OK;
	const enum perseus_status status = perseus__overrides_load(agent->settings->overrides, &overrides, err);
	return status == PERSEUS_OK ? perseus__node_override(agent->node, overrides, err) : status;
}

/* In the parent: what it needs privilege for, then what it can do with less. */
static enum perseus_status
be_executor(const struct agent *agent, struct perseus__pairs *pairs, pid_t front, struct perseus_error *err)
{
	const struct perseus__agent_settings *settings = agent->settings;
	struct perseus__offer offer;
	enum perseus_status status = open_rest(agent, true, err);
	if (status == PERSEUS_OK)
		status = set_overrides(agent, err);
	if (status == PERSEUS_OK)
		status = perseus__pairs_fit(pairs, agent->node, err);
	if (status == PERSEUS_OK)
		status = perseus__offer_make(agent->node, settings->front.groups, settings->must_offer, &offer, err);
	if (status == PERSEUS_OK)
		status = perseus__privilege_executor(settings->overrides != NULL, err);
	if (status != PERSEUS_OK)
		return status;
	perseus__offer_send(pairs->offer_fd, &offer);
	const struct perseus__ends ends = {pairs->gpu_fds, pairs->devices, pairs->n_gpus, pairs->control_fd};
	return perseus__executor_run(agent->node, &ends, front, &settings->executor, err);
}

static enum perseus_status
run_both(struct agent *agent, struct perseus_error *err)
{
	struct perseus__pairs pairs;
	enum perseus_status status = perseus__pairs_open(&pairs, err);
	if (status != PERSEUS_OK)
		return status;
	const pid_t executor = getpid();
	const pid_t front = fork();
	if (front == 0)
		be_front(agent, &pairs, executor);
	close_listeners(agent);
	if (front < 0) {
		perseus__pairs_close(&pairs);
		return perseus__fail(err, PERSEUS_IO, "cannot start a process: %s", strerror(errno));
	}
	perseus__pairs_keep_executor(&pairs);
	status = be_executor(agent, &pairs, front, err);
	perseus__pairs_close(&pairs);
	/* Where the executor has not run, the front ends because its pairs do; else it is gone already. */
	(void)waitpid(front, NULL, 0);
	return status;
}

/* One process that holds no privilege, knows no executor, and so has no way to write. */
static enum perseus_status
run_alone(const struct agent *agent, struct perseus_error *err)
{
	struct perseus__front_settings settings = agent->settings->front;
	struct perseus__offer offer;
	settings.groups &= ~perseus__group_bit(PERSEUS__GROUP_GPU_CONTROL);
	enum perseus_status status = perseus__privilege_front(agent->has_user ? &agent->user : NULL, 0, err);
	if (status == PERSEUS_OK)
		status = open_rest(agent, true, err);
	if (status == PERSEUS_OK)
		status = perseus__offer_make(agent->node, settings.groups, agent->settings->must_offer, &offer, err);
	if (status != PERSEUS_OK)
		return status;
	settings.groups = offer.groups;
	return perseus__front_main(
			agent->node, NULL, agent->listeners, agent->n_listeners, &settings, &agent->settings->server, err);
}

static enum perseus_status
run(struct agent *agent, struct perseus_error *err)
{
	const struct perseus__agent_settings *settings = agent->settings;
	enum perseus_status status = find_user(agent, err);
	if (status == PERSEUS_OK)
		status = open_listeners(agent, err);
	if (status == PERSEUS_OK)
		status = perseus__node_open_before_fork(settings->devices, &settings->node, &agent->node, err);
	if (status != PERSEUS_OK)
		return status;
	log_notes(agent->node, 0);
	return settings->is_read_only ? run_alone(agent, err) : run_both(agent, err);
}

enum perseus_status
perseus__agent_run(const struct perseus__agent_settings *settings, struct perseus_error *err)
{
	struct agent agent = {.settings = settings};
	const enum perseus_status status = run(&agent, err);
	perseus_node_close(agent.node);
	close_listeners(&agent);
	if (agent.has_bound)
		(void)unlink(settings->socket.path);
	return status;
}
