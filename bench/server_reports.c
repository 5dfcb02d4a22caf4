/*
 * How many reports of steps a job server acknowledges in a second: each is durable by then.
 *
 *   bench_server_reports SOCKET DP PP TP CLASSES SECONDS
 *
 * A job of DP·PP·TP ranks, each with a connection of its own, on which it sends the report of one step (the times of so
 * many classes, and the step's energy), waits until that is acknowledged, and sends the next. One thread sends for all
 * of them on the same machine; its own work is part of what it measures.
 */
#include "measure.h"
#include "server_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The step that a rank reports next; in the connection's `user`. */
static void
send_report(const struct bench_job *job, struct bench_connection *connection, int n_classes)
{
	char target[256];
	char body[BENCH_REQUEST_BYTES / 2];
	const intptr_t step = (intptr_t)connection->user;
	const int stage = connection->index / job->tp % job->pp;
	int length = snprintf(body, sizeof body,
			"{\"steps\": [{\"step\": %ld, \"revision\": -1, \"time_s\": 0.512, \"span_s\": 0.49, \"energy_j\": 123.4, "
			"\"is_followed\": true, \"classes\": [",
			(long)step);
	for (int i = 0; i < n_classes && length < (int)sizeof body; i++)
		length += snprintf(body + length, sizeof body - (size_t)length,
				"%s{\"stage\": %d, \"kind\": \"%c\", \"frequency_mhz\": 1410, \"count\": 8, \"mean_s\": 0.0321, "
				"\"deviation_s\": 0.0004}",
				i > 0 ? ", " : "", stage, i % 2 == 0 ? 'F' : 'B');
	if (length < (int)sizeof body)
		length += snprintf(body + length, sizeof body - (size_t)length, "]}]}");
	if (length >= (int)sizeof body)
		bench_die("too many classes", NULL);
	(void)snprintf(target, sizeof target, "/v1/jobs/%s/ranks/%d/steps", job->id, connection->index);
	connection->user = (void *)(step + 1); /* NOLINT(performance-no-int-to-ptr): a number in a place for one */
	bench_send(connection, "POST", target, body);
}

static struct bench_connection *
wait_for_ok(struct bench_load *load)
{
	struct bench_connection *connection = bench_wait(load, -1);
	if (connection->code != 200)
		bench_die(connection->answer, NULL);
	return connection;
}

int
main(int argc, char **argv)
{
	if (argc != 7)
		bench_die("usage: bench_server_reports SOCKET DP PP TP CLASSES SECONDS", NULL);
	struct bench_job job = {.dp = bench_integer(argv[2], "DP", 1, 65536),
		.pp = bench_integer(argv[3], "PP", 1, 256),
		.tp = bench_integer(argv[4], "TP", 1, 256),
		.n_microbatches = 8};
	const int n_classes = bench_integer(argv[5], "the number of classes", 1, 16);
	const double seconds = bench_number(argv[6], "the time", 0.1, 3600);
	struct bench_load load;
	bench_load_open(&load, bench_job_n_ranks(&job), argv[1]);
	bench_job_register(&job, &load, &load.connections[0]);
	for (int i = 0; i < load.n; i++) {
		bench_job_send_rank(&job, &load.connections[i], i);
		(void)wait_for_ok(&load);
	}
	for (int i = 0; i < load.n; i++)
		send_report(&job, &load.connections[i], n_classes);
	/* The first second is for warming up. */
	const int64_t begin_ns = bench_now_ns() + 1000000000;
	const int64_t end_ns = begin_ns + (int64_t)(seconds * 1e9);
	long n = 0;
	for (int64_t now_ns = 0; now_ns < end_ns; now_ns = bench_now_ns()) {
		struct bench_connection *connection = wait_for_ok(&load);
		n += now_ns >= begin_ns;
		send_report(&job, connection, n_classes);
	}
	(void)printf("{\"what\": \"server_reports\", \"ranks\": %d, \"classes\": %d, \"seconds\": %.1f, \"per_s\": %.0f, "
				 "\"load_processor_s\": %.2f}\n",
			load.n, n_classes, seconds, (double)n / seconds, bench_processor_s());
	bench_load_close(&load);
	return 0;
}
