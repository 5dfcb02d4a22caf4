/* A job of many ranks at a job server, for its benchmarks. */
#ifndef PERSEUS_BENCH_SERVER_JOB_H
#define PERSEUS_BENCH_SERVER_JOB_H

#include "http_load.h"

/* Ranks are numbered pipeline by pipeline: rank = (dp · pp_degree + pp) · tp_degree + tp. */
struct bench_job {
	int dp, pp, tp; /* degrees */
	int n_microbatches;
	char id[128];
};

int bench_job_n_ranks(const struct bench_job *job);

/* Registers the job on a connection that has nothing under way. */
void bench_job_register(struct bench_job *job, struct bench_load *load, struct bench_connection *connection);

/* Sends the registration of a rank: GPipe's order of its stage. */
void bench_job_send_rank(const struct bench_job *job, struct bench_connection *connection, int rank);

#endif
