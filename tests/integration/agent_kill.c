/*
 * Kills the processes of a real agent, and those that hold leases of it, at random points, and demands that every GPU
 * is as found each time: when the last holder has died, when the front was killed, and when the executor was killed and
 * `perseus agent --restore` or its next start is done, which may be killed as well.
 *
 *     agent_kill PERSEUS [TIMES [SEED]]
 */
#include "agent_holder.h"
#include "executor_rig.h"
#include "random.h"

#include "agent/process.h"
#include "base/clock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_HOLDERS = 3, NO_PROCESS = 0 };

static const int64_t MS = 1000000;
static const int64_t PATIENCE_NS = 10000000000;

/* What is killed. */
enum victim { HOLDERS, FRONT, EXECUTOR, BOTH, START, N_VICTIMS };
static const char *const victim_names[] = {"holders", "front", "executor", "both at once", "a start that restores"};

struct soak {
	struct rig rig;
	const char *perseus;
	char socket_path[96];
	char log_path[96];
	uint64_t random;
	pid_t agent; /* the executor */
	pid_t holders[N_HOLDERS];
	volatile int64_t *n_writes;
	int n_killed[N_VICTIMS]; /* processes */
	int64_t longest_ns;      /* from the death of the last holder until all was as found */
};

static _Noreturn void
fail(const struct soak *soak, const char *what)
{
	char command[256];
	(void)fprintf(stderr, "FAILED: %s; the log is %s, the state below %s\n", what, soak->log_path, soak->rig.home);
	const int log = open(soak->log_path, O_RDONLY | O_CLOEXEC);
	const off_t end = log >= 0 ? lseek(log, 0, SEEK_END) : 0;
	const off_t begin = end > 4000 ? end - 4000 : 0;
	ssize_t n;
	if (log >= 0 && lseek(log, begin, SEEK_SET) == begin)
		while ((n = read(log, command, sizeof command)) > 0 && fwrite(command, 1, (size_t)n, stderr) == (size_t)n) {
		}
	_exit(1);
}

static void
require(const struct soak *soak, bool is_true, const char *what)
{
	if (!is_true)
		fail(soak, what);
}

static void
pause_ns(int64_t ns)
{
	const struct timespec pause = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	(void)nanosleep(&pause, NULL);
}

/* Some time up to that many milliseconds, short ones as likely as long ones. */
static void
pause_randomly(struct soak *soak, int64_t max_ms)
{
	const int64_t scale_ns = max_ms * MS >> random_below(&soak->random, 8);
	pause_ns(scale_ns / 1000 * random_below(&soak->random, 1000));
}

/* Starts the program: an agent, or with `is_restore` one that only restores. */
static pid_t
start_program(struct soak *soak, bool is_restore)
{
	const pid_t parent = getpid();
	const pid_t child = fork();
	require(soak, child >= 0, "fork");
	if (child > 0)
		return child;
	const int log = open(soak->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (log >= 0 && dup2(log, STDERR_FILENO) >= 0 && getppid() == parent)
		(void)execl(soak->perseus, "perseus", "agent", "--devices", soak->rig.spec, "--state-dir", soak->rig.state_dir,
				"--socket-path", soak->socket_path, is_restore ? "--restore" : (char *)NULL, (char *)NULL);
	_exit(127);
}

static void
start_agent(struct soak *soak)
{
	soak->agent = start_program(soak, false);
	const int64_t end_ns = perseus__clock_mono_ns() + PATIENCE_NS;
	while (!agent_answers(soak->socket_path)) {
		require(soak, perseus__clock_mono_ns() < end_ns, "the agent does not answer");
		require(soak, waitpid(soak->agent, NULL, WNOHANG) == 0, "the agent has ended at its start");
		pause_ns(MS);
	}
}

/* The first child of the agent, and a pidfd of it. */
static pid_t
find_front(const struct soak *soak, int *front_fd)
{
	char path[64];
	char text[32] = "";
	uint64_t start_ticks = 0;
	(void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)soak->agent, (long)soak->agent);
	FILE *file = fopen(path, "re");
	require(soak, file && fgets(text, sizeof text, file), "the agent has no front");
	(void)fclose(file);
	const pid_t pid = (pid_t)strtol(text, NULL, 10);
	require(soak,
			perseus__process_start(pid, &start_ticks, NULL) == PERSEUS_OK
					&& perseus__process_watch(pid, start_ticks, front_fd, NULL) == PERSEUS_OK,
			"the agent's front is gone");
	return pid;
}

/* Waits until a process has ended; its status as waitpid() has it. */
static int
wait_for(const struct soak *soak, pid_t pid, const char *what)
{
	const int64_t end_ns = perseus__clock_mono_ns() + PATIENCE_NS;
	int status = 0;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		require(soak, perseus__clock_mono_ns() < end_ns, what);
		pause_ns(MS / 5);
	}
	return status;
}

static void
kill_process(struct soak *soak, pid_t pid, enum victim victim)
{
	require(soak, kill(pid, SIGKILL) == 0, "there is nothing to kill");
	soak->n_killed[victim]++;
}

static void
start_holders(struct soak *soak)
{
	for (int i = 0; i < N_HOLDERS; i++)
		soak->holders[i] =
				agent_holder_start(soak->socket_path, i % RIG_GPUS, soak->random + (uint64_t)i, soak->n_writes);
	(void)random_below(&soak->random, 2); /* other seeds next time */
}

/* The agent is gone, so they end of themselves. */
static void
reap_holders(struct soak *soak)
{
	for (int i = 0; i < N_HOLDERS; i++)
		if (soak->holders[i] != NO_PROCESS)
			(void)wait_for(soak, soak->holders[i], "a holder does not end");
	memset(soak->holders, 0, sizeof soak->holders);
}

static void
kill_holders(struct soak *soak)
{
	for (int i = 0; i < N_HOLDERS; i++) {
		pause_randomly(soak, 5);
		kill_process(soak, soak->holders[i], HOLDERS);
	}
	const int64_t begin_ns = perseus__clock_mono_ns();
	reap_holders(soak);
	require(soak, rig_becomes_as_found(&soak->rig, PATIENCE_NS), "not as found after the holders' death");
	const int64_t time_ns = perseus__clock_mono_ns() - begin_ns;
	if (time_ns > soak->longest_ns)
		soak->longest_ns = time_ns;
}

static void
kill_front(struct soak *soak)
{
	int front_fd = -1;
	kill_process(soak, find_front(soak, &front_fd), FRONT);
	(void)close(front_fd);
	const int status = wait_for(soak, soak->agent, "the executor does not end after its front");
	soak->agent = NO_PROCESS;
	require(soak, WIFEXITED(status) && WEXITSTATUS(status) == 5, "the executor did not end with exit code 5");
	require(soak, rig_is_as_found(&soak->rig), "not as found after the front's death");
	reap_holders(soak);
}

/* What systemd does after a service has ended, however that came. */
static void
restore(struct soak *soak)
{
	const int status = wait_for(soak, start_program(soak, true), "--restore does not end");
	require(soak, WIFEXITED(status) && WEXITSTATUS(status) == 0, "--restore has failed");
	require(soak, rig_is_as_found(&soak->rig), "not as found after --restore");
}

static void
kill_executor(struct soak *soak, enum victim victim)
{
	int front_fd = -1;
	const pid_t front = find_front(soak, &front_fd);
	kill_process(soak, soak->agent, victim);
	if (victim == BOTH) {
		/* The front may have died with it by now. */
		(void)kill(front, SIGKILL);
		soak->n_killed[victim]++;
	}
	(void)wait_for(soak, soak->agent, "the executor cannot be killed");
	soak->agent = NO_PROCESS;
	/* Its number is free only once somebody has asked after it, which may be long after its end. */
	require(soak, perseus__process_is_over(front_fd, (int)(PATIENCE_NS / MS)), "the front outlives the executor");
	(void)close(front_fd);
	reap_holders(soak);
	for (int i = 0; victim == START && i < 3; i++) {
		const pid_t starting = start_program(soak, random_below(&soak->random, 2) != 0);
		pause_randomly(soak, 20);
		/* It may have ended by itself, restored. */
		if (kill(starting, SIGKILL) == 0)
			soak->n_killed[START]++;
		(void)wait_for(soak, starting, "a start cannot be killed");
	}
	if (random_below(&soak->random, 2))
		restore(soak);
	else {
		start_agent(soak);
		require(soak, rig_becomes_as_found(&soak->rig, PATIENCE_NS), "not as found after the next start");
	}
}

static int
count_killed(const struct soak *soak)
{
	int n = 0;
	for (int i = 0; i < N_VICTIMS; i++)
		n += soak->n_killed[i];
	return n;
}

static void
run_once(struct soak *soak)
{
	if (soak->agent == NO_PROCESS)
		start_agent(soak);
	start_holders(soak);
	pause_randomly(soak, 40);
	const enum victim victim = (enum victim)random_below(&soak->random, N_VICTIMS);
	switch (victim) {
	case HOLDERS:
		kill_holders(soak);
		break;
	case FRONT:
		kill_front(soak);
		break;
	case EXECUTOR:
	case BOTH:
	case START:
	case N_VICTIMS:
		kill_executor(soak, victim);
		break;
	}
}

/* What is found must not be what a reset gives. */
static void
prepare(struct soak *soak)
{
	struct perseus_error err = {.message = ""};
	rig_init(&soak->rig);
	require(soak,
			perseus_device_set(soak->rig.node, 1, PERSEUS_SETTING_POWER_LIMIT, 300000, 300000, &err) == PERSEUS_OK
					&& perseus_device_set(soak->rig.node, 1, PERSEUS_SETTING_PERSISTENCE, 1, 1, &err) == PERSEUS_OK,
			err.message);
	rig_note_found(&soak->rig);
	(void)snprintf(soak->socket_path, sizeof soak->socket_path, "%s/socket", soak->rig.home);
	(void)snprintf(soak->log_path, sizeof soak->log_path, "%s/log", soak->rig.home);
	soak->n_writes = mmap(NULL, sizeof *soak->n_writes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	require(soak, soak->n_writes != MAP_FAILED, "no memory");
}

static void
report(const struct soak *soak)
{
	printf("killed %d processes:", count_killed(soak));
	for (int i = 0; i < N_VICTIMS; i++)
		printf(" %d %s%s", soak->n_killed[i], victim_names[i], i + 1 < N_VICTIMS ? "," : "");
	printf("; after %" PRId64 " writes, every time as found, at most %.1f ms after the last holder\n", *soak->n_writes,
			(double)soak->longest_ns / 1e6);
}

int
main(int argc, char **argv)
{
	static struct soak soak;
	if (argc < 2) {
		(void)fprintf(stderr, "usage: %s PERSEUS [TIMES [SEED]]\n", argv[0]);
		return 2;
	}
	const long n_times = argc > 2 ? strtol(argv[2], NULL, 10) : 60;
	soak.perseus = argv[1];
	soak.random = argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)perseus__clock_mono_ns();
	printf("seed %" PRIu64 "\n", soak.random);
	(void)fflush(stdout);
	prepare(&soak);
	while (count_killed(&soak) < n_times)
		run_once(&soak);
	if (soak.agent != NO_PROCESS) {
		(void)kill(soak.agent, SIGTERM);
		const int status = wait_for(&soak, soak.agent, "the agent does not end");
		require(&soak, WIFEXITED(status) && WEXITSTATUS(status) == 0, "the agent did not end in order");
	}
	require(&soak, rig_is_as_found(&soak.rig), "not as found in the end");
	require(&soak, !rig_has_file(&soak.rig, 0) && !rig_has_file(&soak.rig, 1), "a file of saved settings is left");
	require(&soak, *soak.n_writes > n_times, "hardly anything was written");
	report(&soak);
	rig_fini(&soak.rig);
	return 0;
}
