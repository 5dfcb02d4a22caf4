/*
 * One frontier, timed: `bench_frontier STAGES MICROBATCHES NOISE [SLOPE_QUANTUM_W [RUNS]]` prints one JSON object.
 * Speed is the median processor time of RUNS (default 5), so that a busy machine does not change it much.
 */
#include "synthetic.h"

#include <perseus/perseus.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static int
ascending(const void *left, const void *right)
{
	const double a = *(const double *)left;
	const double b = *(const double *)right;
	return (a > b) - (a < b);
}

static double
processor_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
die(const char *what, const struct perseus_error *err)
{
	fprintf(stderr, "bench_frontier: %s: %s\n", what, err->message);
	exit(1);
}

static double
mean_hull_points(const struct perseus_profile *profile)
{
	double sum = 0.0;
	const int32_t n = perseus_profile_n_classes(profile);
	for (int32_t i = 0; i < n; i++)
		sum += perseus_profile_class(profile, i)->n_hull;
	return sum / n;
}

int
main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: bench_frontier STAGES MICROBATCHES NOISE [SLOPE_QUANTUM_W [RUNS]]\n");
		return 2;
	}
	struct perseus_error err = {0};
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = (int32_t)strtol(argv[1], NULL, 10);
	shape.n_microbatches = (int32_t)strtol(argv[2], NULL, 10);
	struct perseus_frontier_settings settings = perseus_frontier_settings_default();
	settings.slope_quantum_uw = argc > 4 ? (int64_t)(strtod(argv[4], NULL) * 1e6) : 0;
	enum { MAX_RUNS = 99 };
	int runs = argc > 5 ? (int)strtol(argv[5], NULL, 10) : 5;
	if (runs < 1 || runs > MAX_RUNS)
		runs = 5;

	struct perseus_profile *profile = synthetic_profile(shape.n_ranks, strtod(argv[3], NULL), 1.2, 1);
	const struct perseus_schedule *schedule = NULL;
	if (!profile || perseus_schedule_generate(&shape, &schedule, &err) != PERSEUS_OK)
		die("set-up", &err);
	double seconds[MAX_RUNS];
	struct perseus_frontier_info info = {0};
	for (int i = 0; i < runs; i++) {
		struct perseus_frontier *frontier = NULL;
		const double begin_s = processor_seconds();
		if (perseus_frontier_new(profile, schedule, &settings, &frontier, &err) != PERSEUS_OK)
			die("frontier", &err);
		seconds[i] = processor_seconds() - begin_s;
		info = perseus_frontier_info(frontier);
		perseus_frontier_free(frontier);
	}
	qsort(seconds, (size_t)runs, sizeof *seconds, ascending);
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"stages\": %d, \"microbatches\": %d, \"instructions\": %d, \"hull_points\": %.1f, \"slope_quantum_w\": %g, "
		   "\"nodes\": %d, \"arcs\": %d, \"breakpoints\": %d, \"augmentations\": %lld, \"seconds\": %.6f, "
		   "\"rss_mb\": %.1f, \"loss_bound\": %.3g}\n",
			(int)shape.n_ranks, (int)shape.n_microbatches, (int)schedule->n_instructions, mean_hull_points(profile),
			(double)settings.slope_quantum_uw / 1e6, (int)info.n_nodes, (int)info.n_arcs, (int)info.n_breakpoints,
			(long long)info.n_augmentations, seconds[runs / 2], (double)usage.ru_maxrss / 1024.0, info.loss_bound);
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
	return 0;
}
