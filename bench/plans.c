/*
 * How good plans are on a measured profile: `bench_plans NAME PROFILE.csv BLOCKING_POWER_W MICROBATCHES...` prints one
 * JSON object for each number of microbatches, slowdown and granularity (instruction, ends). Each plan is proven by the
 * library's checker before it is counted.
 */
#include "measure.h"

#include "format/profile_csv.h"

#include <perseus/perseus.h>

#include <stdio.h>

/* Thousandths, so that deadlines are whole numbers of ns without rounding questions. */
static const int32_t slowdown_permille[] = {1000, 1020, 1050, 1100, 1200};
enum { N_SLOWDOWNS = sizeof slowdown_permille / sizeof *slowdown_permille };

static const enum perseus_granularity granularities[] = {PERSEUS_GRANULARITY_INSTRUCTION, PERSEUS_GRANULARITY_ENDS};
enum { N_GRANULARITIES = sizeof granularities / sizeof *granularities };

static struct perseus_profile *
read_profile(const char *path, double blocking_w)
{
	struct perseus_error err = {0};
	struct perseus__measurements rows = {0};
	struct perseus_profile *profile = NULL;
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	if (perseus__profile_csv_read(path, &rows, &err) != PERSEUS_OK
			|| perseus_profile_new(rows.rows, rows.n_rows, &settings, &profile, &err) != PERSEUS_OK)
		bench_die(path, &err);
	perseus__measurements_fini(&rows);
	return profile;
}

static void
measure(const char *name, const struct perseus_frontier *frontier, int32_t permille,
		enum perseus_granularity granularity)
{
	struct perseus_error err = {0};
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.granularity = granularity;
	settings.deadline_ns = perseus_frontier_info(frontier).t_min_ns * permille / 1000;
	struct perseus_plan *plan = NULL;
	const double begin_s = bench_processor_s();
	if (perseus_plan_new(frontier, &settings, &plan, &err) != PERSEUS_OK)
		bench_die(name, &err);
	const double plan_s = bench_processor_s() - begin_s;
	if (perseus_plan_check(plan, frontier, &err) != PERSEUS_OK)
		bench_die(name, &err);
	if (plan->outcome.iteration_time_ns > settings.deadline_ns)
		bench_die("a plan misses its deadline", NULL);
	int32_t changes = 0;
	for (int32_t r = 0; r < plan->n_ranks; r++)
		changes += plan->clock_changes[r];
	const double baseline_j = (double)plan->baseline.energy_nj / 1e9;
	printf("{\"what\": \"plan\", \"profile\": \"%s\", \"microbatches\": %d, \"slowdown\": %g, \"granularity\": \"%s\", "
		   "\"energy_j\": %.6f, \"baseline_j\": %.6f, \"gap\": %.8f, \"saving\": %.8f, \"bound_saving\": %.8f, "
		   "\"clock_changes\": %d, \"processor_s\": %.6f}\n",
			name, (int)perseus_frontier_schedule(frontier)->n_microbatches, permille / 1000.0,
			perseus_granularity_name(granularity), (double)plan->outcome.energy_nj / 1e9, baseline_j, plan->gap,
			plan->saving, 1.0 - plan->lower_bound_j / baseline_j, (int)changes, plan_s);
	perseus_plan_free(plan);
}

int
main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: bench_plans NAME PROFILE.csv BLOCKING_POWER_W MICROBATCHES...\n");
		return 2;
	}
	struct perseus_error err = {0};
	struct perseus_profile *profile =
			read_profile(argv[2], bench_number(argv[3], "blocking power", 0.0, PERSEUS_MAX_POWER_W));
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = perseus_profile_n_stages(profile);
	for (int i = 4; i < argc; i++) {
		const struct perseus_schedule *schedule = NULL;
		struct perseus_frontier *frontier = NULL;
		shape.n_microbatches = bench_integer(argv[i], "microbatches", 1, INT32_MAX);
		if (perseus_schedule_generate(&shape, &schedule, &err) != PERSEUS_OK
				|| perseus_frontier_new(profile, schedule, NULL, &frontier, &err) != PERSEUS_OK)
			bench_die(argv[2], &err);
		for (int32_t k = 0; k < N_SLOWDOWNS; k++)
			for (int32_t g = 0; g < N_GRANULARITIES; g++)
				measure(argv[1], frontier, slowdown_permille[k], granularities[g]);
		fflush(stdout);
		perseus_frontier_free(frontier);
		perseus_schedule_free(schedule);
	}
	perseus_profile_free(profile);
	return 0;
}
