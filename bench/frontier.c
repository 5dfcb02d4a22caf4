/*
 * One frontier, timed: `bench_frontier STAGES MICROBATCHES NOISE [SLOPE_QUANTUM_W [RUNS]]` prints one JSON object.
 * Speed is the median processor time of RUNS (default 5), so that a busy machine does not change it much.
 */
#include "job.h"
#include "measure.h"

#include <stdio.h>

static double
mean_hull_points(const struct perseus_profile *profile)
{
	double sum = 0.0;
	const int32_t n = perseus_profile_n_classes(profile);
	for (int32_t i = 0; i < n; i++)
		sum += perseus_profile_class(profile, i)->n_hull;
	return sum / n;
}

/* Solves `runs` times; the median processor time in s. */
static double
measure(const struct bench_job *job, const struct perseus_frontier_settings *settings, int32_t runs,
		struct perseus_frontier_info *info)
{
	struct perseus_error err = {0};
	double times_s[BENCH_MAX_RUNS];
	for (int32_t i = 0; i < runs; i++) {
		struct perseus_frontier *frontier = NULL;
		const double begin_s = bench_processor_s();
		if (perseus_frontier_new(job->profile, job->schedule, settings, &frontier, &err) != PERSEUS_OK)
			bench_die("frontier", &err);
		times_s[i] = bench_processor_s() - begin_s;
		*info = perseus_frontier_info(frontier);
		perseus_frontier_free(frontier);
	}
	return bench_median(times_s, runs);
}

int
main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: bench_frontier STAGES MICROBATCHES NOISE [SLOPE_QUANTUM_W [RUNS]]\n");
		return 2;
	}
	struct perseus_frontier_settings settings = perseus_frontier_settings_default();
	settings.slope_quantum_uw =
			argc > 4 ? (int64_t)(bench_number(argv[4], "slope quantum", 0.0, PERSEUS_MAX_POWER_W) * 1e6) : 0;
	const int32_t runs = argc > 5 ? bench_integer(argv[5], "runs", 1, BENCH_MAX_RUNS) : 5;

	struct bench_job job = bench_job_make(argv + 1);
	struct perseus_frontier_info info = {0};
	const double processor_s = measure(&job, &settings, runs, &info);
	printf("{\"what\": \"frontier\", \"stages\": %d, \"microbatches\": %d, \"instructions\": %d, "
		   "\"hull_points\": %.1f, \"slope_quantum_w\": %g, \"nodes\": %d, \"arcs\": %d, \"breakpoints\": %d, "
		   "\"augmentations\": %lld, \"processor_s\": %.6f, \"runs\": %d, "
		   "\"peak_rss_mib\": %.1f, \"loss_bound\": %.3g}\n",
			(int)job.schedule->n_stages, (int)job.schedule->n_microbatches, (int)job.schedule->n_instructions,
			mean_hull_points(job.profile), (double)settings.slope_quantum_uw / 1e6, (int)info.n_nodes, (int)info.n_arcs,
			(int)info.n_breakpoints, (long long)info.n_augmentations, processor_s, (int)runs, bench_peak_rss_mib(),
			info.loss_bound);
	bench_job_fini(&job);
	return 0;
}
