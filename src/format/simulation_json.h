/*
 * The simulation document: JSON, one object.
 *
 *     version, schedule, job      as in the plan document
 *     t_min_s, t_star_s           of the frontier of one pipeline
 *     iterations, sync_s, reaction_s, granularity, events
 *                                 as asked for; how often a pipeline's degree changes
 *     seed, random                null and [] where nothing is random; [{cause, mean_between_iterations,
 *                                 mean_duration_iterations, least_degree, greatest_degree}]
 *     policy, reference           that in question; that which the others are held against
 *     policies                    [{name, plans, fastest_s, slowest_s, iterations, straggling_iterations,
 *                                 unanswered_iterations, time_s, time_lost_s, energy_j, average_power_w, useful_j,
 *                                 intrinsic_j, extrinsic_j, blocking_j, saving}]
 *
 * energy_j = useful_j + intrinsic_j + extrinsic_j + blocking_j; saving is 1 - energy_j / that of the reference, and
 * time_lost_s what the run takes longer than with the reference. Energies and powers are of all GPUs of the job.
 */
#ifndef PERSEUS_FORMAT_SIMULATION_JSON_H
#define PERSEUS_FORMAT_SIMULATION_JSON_H

#include <stdint.h>

#include "base/text.h"

#include <perseus/plan.h>
#include <perseus/simulate.h>

/* What was simulated, and what came of it. Everything is borrowed. */
struct perseus__simulation_document {
	const struct perseus_simulation *simulation;
	const struct perseus_simulated_total *totals; /* by policy */
	int32_t chosen;                               /* policies */
	int32_t reference;
	enum perseus_granularity granularity;
	const struct perseus_straggler_process *processes; /* length n_processes; 0: nothing is random */
	int32_t n_processes;
	int32_t seed;
};

/* All four parts. */
double perseus__split_sum_j(const struct perseus_energy_split *split);

/*
 * Iterations in which policy `index` did not answer what was going on: what it knew was out of date, or there was a
 * straggler and it has one plan alone.
 */
int64_t perseus__unanswered(const struct perseus__simulation_document *document, int32_t index);

void perseus__simulation_json(struct perseus__text *text, const struct perseus__simulation_document *document);

#endif
