/*
 * How soon a job server answers all ranks that wait for their plans, and how much memory they take while they wait.
 *
 *   bench_server_polls SOCKET PID DP PP TP
 *
 * A job of DP·PP·TP ranks, each with a connection of its own. All but the last register, and wait; then the last one
 * registers, with which the job is whole, its profiling begins, and every rank is answered its first clocks. Time is
 * from sending that registration until the last of the others has its answer, on the same machine as the server. PID is
 * the server's, for its memory.
 */
#include "measure.h"
#include "server_job.h"

#include <stdio.h>
#include <string.h>

enum { QUIET_MS = 2000, WAIT_S = 300 };

static void
send_poll(const struct bench_job *job, struct bench_connection *connection)
{
	char target[256];
	(void)snprintf(target, sizeof target, "/v1/jobs/%s/ranks/%d/plan?have=-1&start=-1&step=-1&wait_s=%d", job->id,
			connection->index, WAIT_S);
	bench_send(connection, "GET", target, "");
}

static struct bench_connection *
wait_for(struct bench_load *load, int code)
{
	struct bench_connection *connection = bench_wait(load, -1);
	if (connection->code != code)
		bench_die(connection->answer, NULL);
	return connection;
}

/* Registers all but the last, a few at a time, and has each wait. */
static void
register_ranks(const struct bench_job *job, struct bench_load *load)
{
	enum { MAX_UNDER_WAY = 64 };
	const int n = load->n - 1;
	int n_sent = 0;
	for (int n_registered = 0; n_registered < n; n_registered++) {
		for (; n_sent < n && n_sent - n_registered < MAX_UNDER_WAY; n_sent++)
			bench_job_send_rank(job, &load->connections[n_sent], n_sent);
		send_poll(job, wait_for(load, 200));
	}
	/* The answers are none before the job is whole. */
	struct bench_connection *early = bench_wait(load, QUIET_MS);
	if (early)
		bench_die(early->answer, NULL);
}

int
main(int argc, char **argv)
{
	if (argc != 6)
		bench_die("usage: bench_server_polls SOCKET PID DP PP TP", NULL);
	const int pid = bench_integer(argv[2], "the process", 1, INT32_MAX);
	struct bench_job job = {.dp = bench_integer(argv[3], "DP", 1, 65536),
		.pp = bench_integer(argv[4], "PP", 1, 256),
		.tp = bench_integer(argv[5], "TP", 1, 256),
		.n_microbatches = 8};
	const int n_ranks = bench_job_n_ranks(&job);
	struct bench_load load;
	double peak_mib = 0;
	bench_load_open(&load, n_ranks, argv[1]);
	struct bench_connection *last = &load.connections[n_ranks - 1];
	bench_job_register(&job, &load, last);
	const int64_t begin_ns = bench_now_ns();
	register_ranks(&job, &load);
	const double waiting_mib = bench_rss_mib(pid, &peak_mib);
	const int64_t sent_ns = bench_now_ns();
	bench_job_send_rank(&job, last, n_ranks - 1);
	int64_t first_ns = 0;
	for (int n = 0; n < n_ranks; n++) {
		(void)wait_for(&load, 200);
		first_ns = first_ns ? first_ns : bench_now_ns();
	}
	const int64_t end_ns = bench_now_ns();
	(void)bench_rss_mib(pid, &peak_mib);
	(void)printf(
			"{\"what\": \"server_polls\", \"ranks\": %d, \"first_ms\": %.3f, \"all_ms\": %.3f, \"waiting_mib\": %.1f, "
			"\"peak_mib\": %.1f, \"registered_s\": %.3f}\n",
			n_ranks - 1, (double)(first_ns - sent_ns) / 1e6, (double)(end_ns - sent_ns) / 1e6, waiting_mib, peak_mib,
			(double)(sent_ns - begin_ns) / 1e9 - QUIET_MS / 1e3);
	bench_load_close(&load);
	return 0;
}
