/* A synthetic job from the command line of a benchmark: profile and 1F1B schedule. */
#ifndef PERSEUS_BENCH_JOB_H
#define PERSEUS_BENCH_JOB_H

#include <perseus/perseus.h>

struct bench_job {
	struct perseus_profile *profile;
	const struct perseus_schedule *schedule;
};

/* `arguments`: STAGES MICROBATCHES NOISE, as texts. Ends the program with a message where they are no good. */
struct bench_job bench_job_make(char **arguments);

/* A synthetic profile alone; `noise` as text. Never NULL. */
struct perseus_profile *bench_profile_make(int32_t n_stages, const char *noise);

void bench_job_fini(struct bench_job *job);

#endif
