/* An executor on simulated GPUs, see the header. */
#include "executor_rig.h"

#include "agent/process.h"
#include "base/clock.h"
#include "device/sim.h"
#include "service/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int32_t devices[RIG_GPUS] = {0, 1};

static void
require(bool is_true, const char *what, const char *why)
{
	if (is_true)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, why);
	abort();
}

static struct perseus_node *
open_node(const struct rig *rig)
{
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	require(perseus_node_open(rig->spec, NULL, &node, &err) == PERSEUS_OK, rig->spec, err.message);
	return node;
}

/* Check has handlers that pass a signal on to the whole group; no child may ever have them, not even for a moment. */
static void
forget_signals(void)
{
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
}

void
rig_init(struct rig *rig)
{
	forget_signals();
	*rig = (struct rig){.settings = {.lease_ttl_ns = 60000000000, .max_lease_ttl_ns = 3600000000000}};
	const bool has_memory = access("/dev/shm", W_OK) == 0;
	(void)snprintf(rig->home, sizeof rig->home, "%s/perseus-rig-XXXXXX", has_memory ? "/dev/shm" : "/tmp");
	require(mkdtemp(rig->home) != NULL, rig->home, "cannot be made");
	(void)snprintf(rig->state_dir, sizeof rig->state_dir, "%s/saved", rig->home);
	(void)snprintf(rig->spec, sizeof rig->spec, "sim:a100x%d,state=%s/sim", RIG_GPUS, rig->home);
	rig->settings.state_dir = rig->state_dir;
	rig->node = open_node(rig);
	for (int i = 0; i <= RIG_GPUS; i++)
		rig->fds[i] = -1;
	const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!getenv("PERSEUS_TEST_LOG"))
		perseus__log_open(nowhere, PERSEUS__LOG_ERROR);
}

void
rig_read(const struct rig *rig, int32_t gpu, struct rig_state *state)
{
	struct perseus_error err = {.message = ""};
	static const enum perseus_quantity quantities[PERSEUS_N_SETTINGS] = {
		[PERSEUS_SETTING_POWER_LIMIT] = PERSEUS_QUANTITY_POWER_LIMIT,
		[PERSEUS_SETTING_PERSISTENCE] = PERSEUS_QUANTITY_PERSISTENCE,
	};
	for (int i = 0; i < PERSEUS_N_SETTINGS; i++) {
		const enum perseus_setting setting = (enum perseus_setting)i;
		if (setting == PERSEUS_SETTING_SM_CLOCKS || setting == PERSEUS_SETTING_MEMORY_CLOCKS)
			require(perseus__sim_locked(rig->node, gpu, setting, &state->low[i], &state->high[i], &err) == PERSEUS_OK,
					"locked", err.message);
		else {
			require(perseus_device_read(rig->node, gpu, quantities[i], &state->low[i], &err) == PERSEUS_OK, "read",
					err.message);
			state->high[i] = state->low[i];
		}
	}
}

void
rig_note_found(struct rig *rig)
{
	for (int32_t gpu = 0; gpu < RIG_GPUS; gpu++)
		rig_read(rig, gpu, &rig->found[gpu]);
}

static bool
compare(const struct rig *rig, bool is_loud)
{
	for (int32_t gpu = 0; gpu < RIG_GPUS; gpu++) {
		struct rig_state now;
		rig_read(rig, gpu, &now);
		for (int i = 0; i < PERSEUS_N_SETTINGS; i++) {
			const struct rig_state *found = &rig->found[gpu];
			if (now.low[i] == found->low[i] && now.high[i] == found->high[i])
				continue;
			if (is_loud)
				(void)fprintf(stderr, "GPU %d: %s is %lld..%lld, found was %lld..%lld\n", gpu,
						perseus_setting_name((enum perseus_setting)i), (long long)now.low[i], (long long)now.high[i],
						(long long)found->low[i], (long long)found->high[i]);
			return false;
		}
	}
	return true;
}

bool
rig_is_as_found(const struct rig *rig)
{
	return compare(rig, true);
}

bool
rig_becomes_as_found(const struct rig *rig, int64_t patience_ns)
{
	const struct timespec pause = {.tv_nsec = 200000};
	const int64_t end_ns = perseus__clock_mono_ns() + patience_ns;
	while (perseus__clock_mono_ns() < end_ns) {
		if (compare(rig, false))
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return compare(rig, true);
}

bool
rig_has_file(const struct rig *rig, int32_t gpu)
{
	char path[256];
	(void)snprintf(path, sizeof path, "%s/%s.saved", rig->state_dir, perseus_node_device(rig->node, gpu)->uuid);
	return access(path, F_OK) == 0;
}

/* A child that does nothing and dies with whoever made it. */
static pid_t
start_idle(void)
{
	const pid_t parent = getpid();
	const pid_t child = fork();
	require(child >= 0, "fork", strerror(errno));
	if (child == 0) {
		/* Of the pairs above all: whoever holds an end of them keeps them open. */
		(void)close_range(STDERR_FILENO + 1, ~0U, 0);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		while (getppid() == parent)
			(void)pause();
		_exit(0);
	}
	return child;
}

/* There in a build with LeakSanitizer, which looks of itself only where a process ends by exit(). */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static void
run_executor(const struct rig *rig, const int *fds)
{
	struct perseus_error err = {.message = ""};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	struct perseus_node *node = open_node(rig);
	const struct perseus__ends ends = {fds, devices, RIG_GPUS, fds[RIG_GPUS]};
	const enum perseus_status status = perseus__executor_run(node, &ends, rig->front, &rig->settings, &err);
	if (status != PERSEUS_OK && getenv("PERSEUS_TEST_LOG"))
		(void)fprintf(stderr, "executor: %s\n", err.message);
	perseus_node_close(node);
	if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check() != 0)
		_exit(RIG_LEAK);
	_exit((int)status);
}

static void
on_gone(void *user)
{
	struct rig *rig = user;
	atomic_fetch_add(&rig->n_gone, 1);
}

void
rig_start(struct rig *rig, bool has_link)
{
	int theirs[RIG_GPUS + 1];
	rig_note_found(rig);
	for (int i = 0; i <= RIG_GPUS; i++) {
		int ends[2];
		require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "socketpair", strerror(errno));
		rig->fds[i] = ends[0];
		theirs[i] = ends[1];
	}
	rig->front = start_idle();
	rig->executor = fork();
	require(rig->executor >= 0, "fork", strerror(errno));
	if (rig->executor == 0) {
		for (int i = 0; i <= RIG_GPUS; i++)
			(void)close(rig->fds[i]);
		run_executor(rig, theirs);
	}
	for (int i = 0; i <= RIG_GPUS; i++)
		(void)close(theirs[i]);
	if (!has_link)
		return;
	const struct perseus__ends ends = {rig->fds, devices, RIG_GPUS, rig->fds[RIG_GPUS]};
	struct perseus_error err = {.message = ""};
	require(perseus__link_new(&ends, on_gone, rig, &rig->link, &err) == PERSEUS_OK, "link", err.message);
	for (int i = 0; i <= RIG_GPUS; i++)
		rig->fds[i] = -1;
	/* Answered once it serves. */
	const struct perseus__command ping = {.kind = PERSEUS__COMMAND_PING};
	struct perseus__answer answer;
	const enum perseus_status status = perseus__link_call(rig->link, &ping, &answer, &err);
	require(status == PERSEUS_OK || status == PERSEUS_IO, "ping", err.message);
}

static int
wait_for(pid_t pid)
{
	int how = 0;
	while (waitpid(pid, &how, 0) < 0)
		require(errno == EINTR, "waitpid", strerror(errno));
	return WIFEXITED(how) ? WEXITSTATUS(how) : 1000 + WTERMSIG(how);
}

int
rig_wait(struct rig *rig)
{
	const int how = wait_for(rig->executor);
	rig->executor = 0;
	perseus__link_free(rig->link);
	rig->link = NULL;
	for (int i = 0; i <= RIG_GPUS; i++) {
		if (rig->fds[i] >= 0)
			(void)close(rig->fds[i]);
		rig->fds[i] = -1;
	}
	rig_kill(rig->front);
	rig->front = 0;
	return how;
}

static void
remove_files(const char *path)
{
	DIR *names = opendir(path);
	if (!names)
		return;
	for (const struct dirent *entry; (entry = readdir(names)) != NULL;)
		(void)unlinkat(dirfd(names), entry->d_name, 0);
	(void)closedir(names);
	(void)rmdir(path);
}

void
rig_fini(struct rig *rig)
{
	if (rig->executor > 0) {
		(void)kill(rig->executor, SIGKILL);
		(void)rig_wait(rig);
	}
	perseus_node_close(rig->node);
	remove_files(rig->state_dir);
	remove_files(rig->home);
}

struct perseus__holder
rig_process(uint32_t uid)
{
	struct perseus_error err = {.message = ""};
	struct perseus__holder holder = {.kind = PERSEUS__HOLDER_PROCESS, .uid = uid, .pid = start_idle()};
	require(perseus__process_start(holder.pid, &holder.start_ticks, &err) == PERSEUS_OK, "holder", err.message);
	return holder;
}

struct perseus__holder
rig_token(const char *name)
{
	struct perseus__holder holder = {.kind = PERSEUS__HOLDER_TOKEN};
	(void)snprintf(holder.name, sizeof holder.name, "%s", name);
	return holder;
}

void
rig_kill(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)wait_for(pid);
}

enum perseus_status
rig_set(struct rig *rig, int32_t gpu, const struct perseus__holder *holder, enum perseus_setting setting, int64_t low,
		int64_t high, struct perseus__answer *answer)
{
	struct perseus__answer ignored;
	const struct perseus__command command = {.kind = PERSEUS__COMMAND_SET,
		.device = gpu,
		.setting = (uint32_t)setting,
		.low = low,
		.high = high,
		.holder = *holder};
	return perseus__link_call(rig->link, &command, answer ? answer : &ignored, NULL);
}

enum perseus_status
rig_send(struct rig *rig, int32_t gpu, const struct perseus__holder *holder, enum perseus__command_kind kind,
		int64_t ttl_ns, struct perseus__answer *answer)
{
	struct perseus__answer ignored;
	const struct perseus__command command = {
		.kind = (uint32_t)kind, .device = gpu, .ttl_ns = ttl_ns, .holder = *holder};
	return perseus__link_call(rig->link, &command, answer ? answer : &ignored, NULL);
}
