/* Synthetic jobs, see the header. */
#include "job.h"

#include "measure.h"
#include "synthetic.h"

#include <stddef.h>

static const double last_stage_imbalance = 1.2; /* the language model's head makes it heavier */
static const double largest_noise = 0.5;

struct perseus_profile *
bench_profile_make(int32_t n_stages, const char *noise)
{
	struct perseus_profile *profile =
			synthetic_profile(n_stages, bench_number(noise, "noise", 0.0, largest_noise), last_stage_imbalance, 1);
	if (!profile)
		bench_die("synthetic profile", NULL);
	return profile;
}

struct bench_job
bench_job_make(char **arguments)
{
	struct perseus_error err = {0};
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = bench_integer(arguments[0], "stages", 1, PERSEUS_MAX_STAGES);
	shape.n_microbatches = bench_integer(arguments[1], "microbatches", 1, INT32_MAX);
	struct bench_job job = {.profile = bench_profile_make(shape.n_ranks, arguments[2])};
	if (perseus_schedule_generate(&shape, &job.schedule, &err) != PERSEUS_OK)
		bench_die("schedule", &err);
	return job;
}

void
bench_job_fini(struct bench_job *job)
{
	perseus_schedule_free(job->schedule);
	perseus_profile_free(job->profile);
	*job = (struct bench_job){0};
}
