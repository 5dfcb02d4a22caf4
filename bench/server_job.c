/* A job of many ranks. */
#include "server_job.h"

#include "measure.h"

#include <stdio.h>
#include <string.h>

int
bench_job_n_ranks(const struct bench_job *job)
{
	return job->dp * job->pp * job->tp;
}

void
bench_job_register(struct bench_job *job, struct bench_load *load, struct bench_connection *connection)
{
	char body[512];
	(void)snprintf(body, sizeof body,
			"{\"name\": \"bench\", \"parallel\": {\"dp\": %d, \"pp\": %d, \"tp\": %d}, "
			"\"profiling\": {\"blocking_power_w\": 80}}",
			job->dp, job->pp, job->tp);
	const char *answer = bench_ask(load, connection, 200, "POST", "/v1/jobs", body);
	const char *id = strstr(answer, "\"job\": \"");
	if (!id)
		bench_die(answer, NULL);
	id += 8;
	(void)snprintf(job->id, sizeof job->id, "%.*s", (int)strcspn(id, "\""), id);
}

void
bench_job_send_rank(const struct bench_job *job, struct bench_connection *connection, int rank)
{
	char target[256];
	char body[BENCH_REQUEST_BYTES / 2];
	const int tp = rank % job->tp;
	const int pp = rank / job->tp % job->pp;
	const int dp = rank / job->tp / job->pp;
	int length = snprintf(body, sizeof body,
			"{\"rank\": %d, \"dp\": %d, \"pp\": %d, \"tp\": %d, "
			"\"gpu\": {\"name\": \"bench\", \"is_simulated\": true}, "
			"\"clocks_mhz\": [1410, 1305, 1200, 1095, 990], \"control\": \"agent\", \"order\": [",
			rank, dp, pp, tp);
	for (int i = 0; i < 2 * job->n_microbatches && length < (int)sizeof body; i++)
		length += snprintf(body + length, sizeof body - (size_t)length, "%s\"%d%c%d\"", i > 0 ? ", " : "", pp,
				i < job->n_microbatches ? 'F' : 'B', i % job->n_microbatches);
	if (length < (int)sizeof body)
		length += snprintf(body + length, sizeof body - (size_t)length, "]}");
	if (length >= (int)sizeof body)
		bench_die("too many microbatches", NULL);
	(void)snprintf(target, sizeof target, "/v1/jobs/%s/ranks", job->id);
	bench_send(connection, "POST", target, body);
}
