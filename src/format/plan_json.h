/*
 * The plan document (plan.json), version 1: JSON, one object.
 *
 *     version                      1
 *     schedule, job                name; {ranks, stages, microbatches, gpus_per_stage, pipelines}
 *     t_min_s, t_star_s, t_min_energy_s
 *                                  shortest iteration; least effective energy; least total energy
 *     deadline_s                   as asked for
 *     iteration_time_s, energy_j   predicted; energy includes waiting until the deadline
 *     lower_bound_j, gap           no choice of clocks uses less; (energy_j - lower_bound_j) / lower_bound_j
 *     saving                       1 - energy_j / baseline.energy_j
 *     baseline                     {iteration_time_s, energy_j}: highest clocks, then waiting until the deadline
 *     granularity, switch_latency_s
 *     clock_changes_per_iteration  of all ranks of one pipeline
 *     blocking_power_w             per stage, of one GPU
 *     loss_bound                   of the frontier behind it: 0 where it is exact
 *     used_fallback                a class was not measured and was composed of others
 *     power                        of the whole job over an iteration: plan_power.h; only where the command line asks
 *     solve_s                      only where asked for, as it differs from run to run
 *     ranks                        [{rank, stages, clock_changes, busy_s, idle_s, energy_j, baseline_energy_j,
 *                                    instructions}]
 *     ranks[].instructions         [{kind, stage, microbatch, frequency_mhz, start_s, time_s, energy_j}]
 *
 * Instructions are in the order they run. `kind` is forward, backward, input, weight, recompute, overlap or the name of
 * a class; `class` is there too where an instruction's class is not called as its kind. An overlapped pair has `parts`,
 * [{kind, stage, microbatch}] of both. `microbatch` is null where there is none, `frequency_mhz` is 0 where the clock
 * does not matter and is left as it is. Energies of instructions are of one GPU, all other energies of all GPUs of the
 * job (gpus_per_stage · pipelines for each stage).
 */
#ifndef PERSEUS_FORMAT_PLAN_JSON_H
#define PERSEUS_FORMAT_PLAN_JSON_H

#include "base/text.h"
#include "format/plan_document.h"

/* Adds the document to `text`. `solve_s`: NULL to leave it out, which makes the bytes reproducible. */
void perseus__plan_json(
		struct perseus__text *text, const struct perseus__plan_document *document, const double *solve_s);

struct perseus__json;

/* The head that documents about a job begin with: version, schedule and shape. */
void perseus__json_job(struct perseus__json *json, const struct perseus_schedule *schedule, int32_t gpus_per_stage,
		int32_t n_pipelines);

#endif
