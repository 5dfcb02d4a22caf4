/*
 * How fast a deadline is answered once the frontier is known: `bench_deadline STAGES MICROBATCHES NOISE RUNS` prints a
 * JSON object for each deadline planned, and one for looking plans up in a table.
 */
#include "job.h"
#include "measure.h"
#include "random.h"

#include <stdio.h>

static const double slowdowns[] = {1.0, 1.02, 1.05, 1.1, 1.2, 1.5};
enum {
	N_SLOWDOWNS = sizeof slowdowns / sizeof *slowdowns,
	TABLE_DEADLINES = 64,
	LOOKUPS = 1000000,
	LOOKUP_RUNS = 5,
};

static void
measure_plan(const struct perseus_frontier *frontier, double slowdown, int32_t runs)
{
	struct perseus_error err = {0};
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.granularity = PERSEUS_GRANULARITY_INSTRUCTION;
	settings.deadline_ns = (int64_t)((double)perseus_frontier_info(frontier).t_min_ns * slowdown);
	double times_s[BENCH_MAX_RUNS];
	double gap = 0.0;
	double saving = 0.0;
	double energy_j = 0.0;
	for (int32_t i = 0; i < runs; i++) {
		struct perseus_plan *plan = NULL;
		const double begin_s = bench_processor_s();
		if (perseus_plan_new(frontier, &settings, &plan, &err) != PERSEUS_OK)
			bench_die("plan", &err);
		times_s[i] = bench_processor_s() - begin_s;
		gap = plan->gap;
		saving = plan->saving;
		energy_j = (double)plan->outcome.energy_nj / 1e9;
		perseus_plan_free(plan);
	}
	const struct perseus_schedule *schedule = perseus_frontier_schedule(frontier);
	printf("{\"what\": \"deadline\", \"stages\": %d, \"microbatches\": %d, \"slowdown\": %g, \"processor_s\": %.6f, "
		   "\"runs\": %d, \"energy_j\": %.6f, \"gap\": %.6f, \"saving\": %.6f}\n",
			(int)schedule->n_stages, (int)schedule->n_microbatches, slowdown, bench_median(times_s, runs), (int)runs,
			energy_j, gap, saving);
}

/* Mean time of many lookups at deadlines spread over and beyond the table; the median of a few such means. */
static double
lookup_s(const struct perseus_plan_table *table, const struct perseus_frontier_info *info)
{
	const int64_t range_ns = (info->t_star_ns - info->t_min_ns) / 10 * 11;
	double times_s[LOOKUP_RUNS];
	for (int32_t run = 0; run < LOOKUP_RUNS; run++) {
		int64_t sum_nj = 0;
		uint64_t state = 1;
		const double begin_s = bench_processor_s();
		for (int32_t i = 0; i < LOOKUPS; i++) {
			const int64_t deadline_ns = info->t_min_ns + (int64_t)(random_next(&state) >> 24) % (range_ns + 1);
			sum_nj += perseus_plan_table_lookup(table, deadline_ns)->outcome.energy_nj;
		}
		times_s[run] = (bench_processor_s() - begin_s) / LOOKUPS;
		if (sum_nj <= 0)
			bench_die("a plan without energy", NULL);
	}
	return bench_median(times_s, LOOKUP_RUNS);
}

static void
measure_table(const struct perseus_frontier *frontier)
{
	struct perseus_error err = {0};
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	struct perseus_plan_table *table = NULL;
	const double begin_s = bench_processor_s();
	if (perseus_plan_table_new(frontier, &settings, TABLE_DEADLINES, &table, &err) != PERSEUS_OK)
		bench_die("table", &err);
	const double table_s = bench_processor_s() - begin_s;
	const struct perseus_schedule *schedule = perseus_frontier_schedule(frontier);
	printf("{\"what\": \"lookup\", \"stages\": %d, \"microbatches\": %d, \"deadlines\": %d, \"table_s\": %.6f, "
		   "\"lookup_us\": %.4f, \"peak_rss_mib\": %.1f}\n",
			(int)schedule->n_stages, (int)schedule->n_microbatches, TABLE_DEADLINES, table_s,
			lookup_s(table, &info) * 1e6, bench_peak_rss_mib());
	perseus_plan_table_free(table);
}

int
main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: bench_deadline STAGES MICROBATCHES NOISE RUNS\n");
		return 2;
	}
	struct perseus_error err = {0};
	struct bench_job job = bench_job_make(argv + 1);
	const int32_t runs = bench_integer(argv[4], "runs", 1, BENCH_MAX_RUNS);
	struct perseus_frontier *frontier = NULL;
	if (perseus_frontier_new(job.profile, job.schedule, NULL, &frontier, &err) != PERSEUS_OK)
		bench_die("frontier", &err);
	for (int32_t i = 0; i < N_SLOWDOWNS; i++)
		measure_plan(frontier, slowdowns[i], runs);
	measure_table(frontier);
	perseus_frontier_free(frontier);
	bench_job_fini(&job);
	return 0;
}
