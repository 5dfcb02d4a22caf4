/*
 * The frontier document: JSON, one object.
 *
 *     version, schedule, job       as in the plan document
 *     t_min_s, t_star_s, t_min_energy_s
 *                                  shortest iteration; least effective energy; least total energy
 *     blocking_power_w             of all GPUs together
 *     breakpoints                  number of vertices of the whole frontier
 *     loss_bound                   0 where the frontier is exact
 *     used_fallback                a class was not measured and was composed of others
 *     solve_s                      only where asked for, as it differs from run to run
 *     points                       [{iteration_time_s, energy_j, effective_energy_j, marginal_power_w}], time ascending
 *
 * energy_j = effective_energy_j + blocking_power_w · iteration_time_s; marginal_power_w is the effective energy saved
 * per second more. Energies and powers are of all GPUs of the job.
 */
#ifndef PERSEUS_FORMAT_FRONTIER_JSON_H
#define PERSEUS_FORMAT_FRONTIER_JSON_H

#include <stdint.h>

#include "base/text.h"

#include <perseus/frontier.h>

/* What to write. */
struct perseus__frontier_document {
	const struct perseus_frontier *frontier; /* borrowed */
	int32_t n_samples;                       /* 0: every breakpoint; else so many points evenly spread in time */
	int32_t gpus_per_stage;                  /* >= 1 */
	int32_t n_pipelines;                     /* >= 1 */
	const double *solve_s;                   /* NULL: left out */
};

void perseus__frontier_json(struct perseus__text *text, const struct perseus__frontier_document *document);

#endif
