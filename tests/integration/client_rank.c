/*
 * A rank of a pipeline on a simulated GPU, for tests of the client: runs steps of F and B in real time, which is longer
 * at lower clocks.
 *
 *   client_rank SPEC KEY=VALUE...
 *     server, agent, control, job, key, token, rank, dp, pp, ndp, npp   as the members of the client's settings
 *     gpu=N steps=N microbatches=N
 *     f_ms=X b_ms=X       work of an instruction at the highest clock
 *     order=1             the order is given, and not observed
 *     swap=STEP           in this step the order is another; swap_from=STEP: from there on
 *     pause_ms=X          between two steps
 *     fork=1              a child closes its copy of the client in the first step, and another goes on telling
 *     atexit=1            the client is closed by a function of atexit
 *
 * Prints "log LINE" for each line of the client's log, "step N MAX_CALL_US" at the end of each step, with the longest
 * that a call of the client took, and what perseus_client_info says before the end. SIGTERM ends it after the step.
 */
#include "device/sim.h"

#include <perseus/client.h>
#include <perseus/device.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ORDER = 512 };

static volatile sig_atomic_t must_end;
static struct perseus_client *client;
static struct perseus_node *node;
static int32_t device;
static int64_t longest_ns;

static int64_t
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
end(int signal)
{
	(void)signal;
	must_end = 1;
}

static _Noreturn void
die(const char *what, const struct perseus_error *err)
{
	(void)fprintf(stderr, "client_rank: %s: %s\n", what, err ? err->message : "");
	exit(1);
}

static const char *
option(int argc, char **argv, const char *key, const char *otherwise)
{
	const size_t length = strlen(key);
	for (int i = 2; i < argc; i++)
		if (strncmp(argv[i], key, length) == 0 && argv[i][length] == '=')
			return argv[i] + length + 1;
	return otherwise;
}

static int32_t
number(int argc, char **argv, const char *key, int32_t otherwise)
{
	const char *text = option(argc, argv, key, NULL);
	return text ? (int32_t)strtol(text, NULL, 10) : otherwise;
}

static double
decimal(int argc, char **argv, const char *key, double otherwise)
{
	const char *text = option(argc, argv, key, NULL);
	return text ? strtod(text, NULL) : otherwise;
}

static void
take_line(void *user, const char *line)
{
	(void)user;
	(void)printf("log %s\n", line);
}

static void
note_call(int64_t begin_ns)
{
	const int64_t time_ns = now_ns() - begin_ns;
	longest_ns = time_ns > longest_ns ? time_ns : longest_ns;
}

/* Puts the load on until the work is done, at whatever clock. */
static void
work(double work_ms)
{
	struct perseus_error err;
	double left_ns = work_ms * 1e6;
	int64_t last_ns = now_ns();
	if (perseus__sim_load(node, device, 1, &err) != PERSEUS_OK)
		die("load", &err);
	while (left_ns > 0) {
		double slowdown = 1;
		const struct timespec nap = {.tv_nsec = left_ns < 5e5 ? (long)left_ns + 1 : 500000};
		(void)nanosleep(&nap, NULL);
		if (perseus__sim_slowdown(node, device, &slowdown, &err) != PERSEUS_OK)
			die("slowdown", &err);
		const int64_t at_ns = now_ns();
		left_ns -= (double)(at_ns - last_ns) / slowdown;
		last_ns = at_ns;
	}
	if (perseus__sim_load(node, device, PERSEUS__SIM_BLOCKING, &err) != PERSEUS_OK)
		die("load", &err);
}

static void
run_instruction(enum perseus_kind kind, int32_t stage, int32_t microbatch, double work_ms)
{
	int64_t begin_ns = now_ns();
	perseus_client_begin(client, kind, stage, microbatch);
	note_call(begin_ns);
	work(work_ms);
	begin_ns = now_ns();
	perseus_client_end(client);
	note_call(begin_ns);
}

static void
fork_children(void)
{
	for (int i = 0; i < 2; i++) {
		const pid_t child = fork();
		if (child == 0) {
			if (i == 0)
				perseus_client_close(client);
			for (int n = 0; n < 100000; n++)
				perseus_client_step_begin(client);
			_exit(0);
		}
		int status = 0;
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
			die("a child", NULL);
	}
}

static void
close_client(void)
{
	const int64_t begin_ns = now_ns();
	perseus_client_close(client);
	(void)printf("closed %.3f\n", (double)(now_ns() - begin_ns) * 1e-9);
}

static void
print_info(void)
{
	struct perseus_client_info info;
	perseus_client_info(client, &info);
	(void)printf("info control=%s registered=%d following=%d revision=%lld phase=%s steps=%lld followed=%lld "
				 "acknowledged=%lld dropped=%lld lost=%lld set=%lld skipped=%lld refused=%lld mhz=%d latency_ms=%.3f\n",
			perseus_control_name(info.control), info.is_registered, info.is_following, (long long)info.revision,
			info.phase, (long long)info.n_steps, (long long)info.n_followed, (long long)info.n_acknowledged,
			(long long)info.n_dropped, (long long)info.n_lost, (long long)info.n_clocks_set,
			(long long)info.n_clocks_skipped, (long long)info.n_clocks_refused, info.frequency_mhz,
			info.switch_latency_s * 1e3);
}

/* All forwards, then all backwards; the other way round where `is_swapped`. */
static void
run_step(int argc, char **argv, bool is_swapped)
{
	const int32_t stage = number(argc, argv, "pp", 0);
	const int32_t n = number(argc, argv, "microbatches", 2);
	const double f_ms = decimal(argc, argv, "f_ms", 10);
	const double b_ms = decimal(argc, argv, "b_ms", 20);
	perseus_client_step_begin(client);
	for (int32_t i = 0; i < 2 * n; i++) {
		const bool is_forward = (i < n) != is_swapped;
		run_instruction(
				is_forward ? PERSEUS_KIND_FORWARD : PERSEUS_KIND_BACKWARD, stage, i % n, is_forward ? f_ms : b_ms);
	}
	perseus_client_step_end(client);
}

static void
fill_order(struct perseus_client_settings *settings, int32_t n)
{
	static char texts[MAX_ORDER][16];
	static const char *order[MAX_ORDER];
	for (int32_t i = 0; i < 2 * n; i++) {
		(void)snprintf(texts[i], sizeof texts[i], "%d%s%d", (int)settings->pp, i < n ? "F" : "B", (int)(i % n));
		order[i] = texts[i];
	}
	settings->order = order;
	settings->n_order = 2 * n;
}

static void
open_client(int argc, char **argv)
{
	struct perseus_error err;
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.server_url = option(argc, argv, "server", NULL);
	settings.token = option(argc, argv, "token", NULL);
	settings.job_name = option(argc, argv, "job", "test");
	settings.job_key = option(argc, argv, "key", NULL);
	settings.agent_socket = option(argc, argv, "agent", "/nonexistent/agent.sock");
	settings.n_dp = number(argc, argv, "ndp", 1);
	settings.n_pp = number(argc, argv, "npp", 1);
	settings.dp = number(argc, argv, "dp", 0);
	settings.pp = number(argc, argv, "pp", 0);
	settings.rank = number(argc, argv, "rank", 0);
	settings.devices = argv[1];
	settings.gpu = number(argc, argv, "gpu", 0);
	settings.log = take_line;
	if (!perseus_control_find(option(argc, argv, "control", "auto"), &settings.control))
		die("control", NULL);
	if (number(argc, argv, "order", 0))
		fill_order(&settings, number(argc, argv, "microbatches", 2));
	if (perseus_client_open(&settings, &client, &err) != PERSEUS_OK)
		die("open", &err);
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		die("usage: client_rank SPEC KEY=VALUE...", NULL);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGTERM, end);
	struct perseus_error err;
	if (perseus_node_open(argv[1], NULL, &node, &err) != PERSEUS_OK)
		die("node", &err);
	device = number(argc, argv, "gpu", 0);
	open_client(argc, argv);
	const bool is_atexit = number(argc, argv, "atexit", 0);
	if (is_atexit && atexit(close_client) != 0)
		die("atexit", NULL);
	const int32_t n_steps = number(argc, argv, "steps", 1000000);
	const int32_t swapped = number(argc, argv, "swap", -1);
	const int32_t swapped_from = number(argc, argv, "swap_from", n_steps);
	const int64_t pause_ns = (int64_t)(decimal(argc, argv, "pause_ms", 0) * 1e6);
	for (int32_t step = 0; step < n_steps && !must_end; step++) {
		run_step(argc, argv, step == swapped || step >= swapped_from);
		if (step == 0 && number(argc, argv, "fork", 0))
			fork_children();
		(void)printf("step %d %.1f\n", (int)step, (double)longest_ns / 1e3);
		const struct timespec pause = {.tv_sec = pause_ns / 1000000000, .tv_nsec = pause_ns % 1000000000};
		if (pause_ns > 0)
			(void)nanosleep(&pause, NULL);
	}
	print_info();
	if (is_atexit)
		return 0;
	close_client();
	perseus_node_close(node);
	return 0;
}
