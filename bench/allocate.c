/*
 * Power of a site shared among jobs, timed: `bench_allocate STAGES MICROBATCHES NOISE JOBS RUNS` prints a JSON object
 * for each rule and limit. The jobs run that synthetic pipeline with more or less pipelines and overhead, so that no
 * two curves are alike; limits are a quarter, half and three quarters of the way from slowest to full speed. Median of
 * RUNS.
 */
#include "job.h"
#include "measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What the proof must hold to, relative. */
static const double TOLERANCE = 1e-12;

static int64_t
make_jobs(const struct perseus_frontier *frontier, int32_t n_jobs, struct perseus_allocation_job *jobs)
{
	struct perseus_error err = {0};
	int64_t n_points = 0;
	for (int32_t j = 0; j < n_jobs; j++) {
		struct perseus_operating_curve *curve = NULL;
		if (perseus_operating_curve_new(frontier, 1 + j % 61, 8, 0.001 * j, &curve, &err) != PERSEUS_OK)
			bench_die("curve", &err);
		jobs[j] = (struct perseus_allocation_job){curve, 1 + 0.01 * (j % 7)};
		n_points += curve->n_points;
	}
	return n_points;
}

static void
measure(const struct perseus_allocation_job *jobs, int32_t n_jobs, int64_t n_points, int quarter,
		enum perseus_allocation_rule rule, int32_t runs)
{
	struct perseus_error err = {0};
	double least_w = 0;
	double full_w = 0;
	for (int32_t j = 0; j < n_jobs; j++) {
		least_w += jobs[j].curve->points[0].power_w;
		full_w += jobs[j].curve->points[jobs[j].curve->n_points - 1].power_w;
	}
	double times_s[BENCH_MAX_RUNS];
	struct perseus_allocation *allocation = NULL;
	for (int32_t i = 0; i < runs; i++) {
		perseus_allocation_free(allocation);
		allocation = NULL;
		const double begin_s = bench_processor_s();
		if (perseus_allocation_new(jobs, n_jobs, least_w + (full_w - least_w) * quarter / 4, rule, &allocation, &err)
				!= PERSEUS_OK)
			bench_die("allocation", &err);
		times_s[i] = bench_processor_s() - begin_s;
	}
	const double begin_s = bench_processor_s();
	if (!allocation || perseus_allocation_check(allocation, jobs, TOLERANCE, &err) != PERSEUS_OK)
		bench_die("check", &err);
	const double check_s = bench_processor_s() - begin_s;
	printf("{\"what\": \"allocate\", \"rule\": \"%s\", \"jobs\": %d, \"points\": %lld, \"of_span\": %.2f, "
		   "\"processor_s\": %.6f, \"check_s\": %.6f, \"runs\": %d, \"work\": %.9f, \"gap\": %.2g}\n",
			perseus_allocation_rule_name(rule), (int)n_jobs, (long long)n_points, quarter / 4.0,
			bench_median(times_s, runs), check_s, (int)runs, allocation->work,
			fabs(1 - allocation->work / allocation->bound));
	perseus_allocation_free(allocation);
}

int
main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: bench_allocate STAGES MICROBATCHES NOISE JOBS RUNS\n");
		return 2;
	}
	const int32_t n_jobs = bench_integer(argv[4], "jobs", 1, 1000000);
	const int32_t runs = bench_integer(argv[5], "runs", 1, BENCH_MAX_RUNS);
	struct bench_job job = bench_job_make(argv + 1);
	struct perseus_frontier *frontier = NULL;
	struct perseus_error err = {0};
	struct perseus_allocation_job *jobs = calloc((size_t)n_jobs, sizeof *jobs);
	if (!jobs)
		bench_die("jobs", NULL);
	if (perseus_frontier_new(job.profile, job.schedule, NULL, &frontier, &err) != PERSEUS_OK)
		bench_die("frontier", &err);
	const int64_t n_points = make_jobs(frontier, n_jobs, jobs);
	for (int quarter = 1; quarter <= 3; quarter++)
		for (int rule = PERSEUS_ALLOCATION_WORK; rule <= PERSEUS_ALLOCATION_EVEN; rule++)
			measure(jobs, n_jobs, n_points, quarter, (enum perseus_allocation_rule)rule, runs);
	for (int32_t j = 0; j < n_jobs; j++)
		perseus_operating_curve_free((struct perseus_operating_curve *)(uintptr_t)jobs[j].curve);
	free(jobs);
	perseus_frontier_free(frontier);
	bench_job_fini(&job);
	return 0;
}
