/*
 * A job simulated, timed from the profile to the totals: `bench_simulate STAGES MICROBATCHES NOISE PIPELINES
 * GPUS_PER_STAGE ITERATIONS DEADLINES` prints one JSON object. All three causes strike as often as by default. Three
 * policies: every instruction at its highest clock, the plan of T_min alone, and a table of DEADLINES plans; once where
 * stragglers are known at once, and once where they are known ten seconds late.
 */
#include "job.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_POLICIES = 3, MAX_DEADLINES = 1000, MAX_COUNT = 10000000 };

static const int64_t sync_ns = 100000000;
static const int64_t late_ns = 10000000000;

struct plans {
	struct perseus_policy_plan highest;
	struct perseus_policy_plan shortest;
	struct perseus_policy_plan ahead[MAX_DEADLINES];
	int32_t n_ahead;
};

static struct perseus_policy_plan
evaluate_highest(const struct perseus_frontier *frontier)
{
	struct perseus_error err = {0};
	struct perseus_plan *plan = NULL;
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.granularity = PERSEUS_GRANULARITY_INSTRUCTION;
	int32_t *clocks = calloc((size_t)perseus_frontier_schedule(frontier)->n_instructions, sizeof *clocks);
	if (!clocks || perseus_plan_evaluate(frontier, clocks, &settings, &plan, &err) != PERSEUS_OK)
		bench_die("highest clocks", &err);
	const struct perseus_policy_plan made = perseus_policy_plan_of(frontier, plan);
	perseus_plan_free(plan);
	free(clocks);
	return made;
}

/* Distinct in time, as they are stored. */
static void
make_plans(const struct perseus_frontier *frontier, int32_t n_deadlines, struct plans *plans)
{
	struct perseus_error err = {0};
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.granularity = PERSEUS_GRANULARITY_INSTRUCTION;
	plans->highest = evaluate_highest(frontier);
	for (int32_t k = 0; k < n_deadlines; k++) {
		struct perseus_plan *plan = NULL;
		settings.deadline_ns =
				info.t_min_ns + (info.t_star_ns - info.t_min_ns) * k / (n_deadlines > 1 ? n_deadlines - 1 : 1);
		if (perseus_plan_new(frontier, &settings, &plan, &err) != PERSEUS_OK)
			bench_die("plan", &err);
		const struct perseus_policy_plan made = perseus_policy_plan_of(frontier, plan);
		if (plans->n_ahead == 0 || made.time_ns > plans->ahead[plans->n_ahead - 1].time_ns)
			plans->ahead[plans->n_ahead++] = made;
		perseus_plan_free(plan);
	}
	plans->shortest = plans->ahead[0];
}

static struct perseus_straggler_event *
draw(int32_t n_pipelines, int32_t n_iterations, int64_t *n_events)
{
	struct perseus_error err = {0};
	struct perseus_straggler_process processes[PERSEUS_N_STRAGGLER_CAUSES];
	for (int k = 0; k < PERSEUS_N_STRAGGLER_CAUSES; k++)
		processes[k] = perseus_straggler_process_default((enum perseus_straggler_cause)k);
	struct perseus_straggler_event *events = NULL;
	const struct perseus_straggler_settings settings = {
		processes, PERSEUS_N_STRAGGLER_CAUSES, n_pipelines, n_iterations, 1};
	if (perseus_straggler_events_draw(&settings, &events, n_events, &err) != PERSEUS_OK)
		bench_die("stragglers", &err);
	return events;
}

/* As a command would look at every iteration. */
static bool
count(const struct perseus_simulated_iteration *iteration, void *user)
{
	int64_t *n_stragglers = user;
	*n_stragglers += iteration->n_stragglers;
	return true;
}

static double
energy_j(const struct perseus_simulated_total *total)
{
	return total->energy.useful_j + total->energy.intrinsic_j + total->energy.extrinsic_j + total->energy.blocking_j;
}

int
main(int argc, char **argv)
{
	if (argc != 8) {
		fprintf(stderr,
				"usage: bench_simulate STAGES MICROBATCHES NOISE PIPELINES GPUS_PER_STAGE ITERATIONS "
				"DEADLINES\n");
		return 2;
	}
	static struct plans plans;
	struct perseus_error err = {0};
	struct bench_job job = bench_job_make(argv + 1);
	struct perseus_simulation simulation = {
		.n_pipelines = bench_integer(argv[4], "pipelines", 1, MAX_COUNT),
		.gpus_per_stage = bench_integer(argv[5], "GPUs per stage", 1, MAX_COUNT),
		.n_iterations = bench_integer(argv[6], "iterations", 1, MAX_COUNT),
		.sync_ns = sync_ns,
	};
	const int32_t n_deadlines = bench_integer(argv[7], "deadlines", 1, MAX_DEADLINES);

	const double begin_s = bench_processor_s();
	struct perseus_frontier *frontier = NULL;
	if (perseus_frontier_new(job.profile, job.schedule, NULL, &frontier, &err) != PERSEUS_OK)
		bench_die("frontier", &err);
	const double frontier_s = bench_processor_s();
	make_plans(frontier, n_deadlines, &plans);
	const double plans_s = bench_processor_s();
	int64_t n_events = 0;
	struct perseus_straggler_event *events = draw(simulation.n_pipelines, (int32_t)simulation.n_iterations, &n_events);
	const double draw_s = bench_processor_s();

	const struct perseus_policy policies[N_POLICIES] = {
		{"highest clocks", &plans.highest, 1},
		{"shortest", &plans.shortest, 1},
		{"table", plans.ahead, plans.n_ahead},
	};
	struct perseus_simulated_total totals[2][N_POLICIES];
	int64_t n_straggling = 0;
	simulation.frontier = frontier;
	simulation.events = events;
	simulation.n_events = n_events;
	simulation.policies = policies;
	simulation.n_policies = N_POLICIES;
	for (int is_late = 0; is_late < 2; is_late++) {
		simulation.reaction_ns = is_late ? late_ns : 0;
		if (perseus_simulate(&simulation, count, &n_straggling, totals[is_late], &err) != PERSEUS_OK)
			bench_die("simulation", &err);
	}
	const double end_s = bench_processor_s();

	const double highest_j = energy_j(&totals[0][0]);
	printf("{\"what\": \"simulate\", \"stages\": %d, \"microbatches\": %d, \"pipelines\": %d, \"gpus\": %d, "
		   "\"iterations\": %lld, \"events\": %lld, \"stragglers_mean\": %.2f, \"plans\": %d, \"policy_runs\": %d, "
		   "\"frontier_s\": %.6f, \"plans_s\": %.6f, \"draw_s\": %.6f, \"simulate_s\": %.6f, \"processor_s\": %.6f, "
		   "\"saving_shortest\": %.6f, \"saving_table\": %.6f, \"saving_late\": %.6f, \"peak_rss_mib\": %.1f}\n",
			(int)job.schedule->n_stages, (int)job.schedule->n_microbatches, (int)simulation.n_pipelines,
			(int)(simulation.n_pipelines * simulation.gpus_per_stage * job.schedule->n_ranks),
			(long long)simulation.n_iterations, (long long)n_events,
			(double)n_straggling / (2.0 * N_POLICIES * (double)simulation.n_iterations), (int)plans.n_ahead,
			2 * N_POLICIES, frontier_s - begin_s, plans_s - frontier_s, draw_s - plans_s, end_s - draw_s,
			end_s - begin_s, 1 - energy_j(&totals[0][1]) / highest_j, 1 - energy_j(&totals[0][2]) / highest_j,
			1 - energy_j(&totals[1][2]) / highest_j, bench_peak_rss_mib());
	perseus_straggler_events_free(events);
	perseus_frontier_free(frontier);
	bench_job_fini(&job);
	return 0;
}
