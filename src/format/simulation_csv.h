/*
 * A simulation iteration by iteration, as CSV: a row for each iteration of each policy, iterations ascending.
 *
 *     iteration, policy        from 0; its name
 *     time_s                   synchronisation included
 *     energy_j                 the sum of the four that follow
 *     useful_j, intrinsic_j, extrinsic_j, blocking_j
 *     stragglers               pipelines of a degree above 1
 *     slowest_pipeline, degree that the others waited for; how many times as long as planned it takes
 *     answered                 0: what the policy knew was out of date, or there was a straggler and it has one plan
 *                              alone; 1: neither
 */
#ifndef PERSEUS_FORMAT_SIMULATION_CSV_H
#define PERSEUS_FORMAT_SIMULATION_CSV_H

#include "base/text.h"

#include <perseus/simulate.h>

void perseus__simulation_csv_header(struct perseus__text *text);

/* Adds a row; `policy` is that of the iteration. */
void perseus__simulation_csv_row(struct perseus__text *text, const struct perseus_policy *policy,
		const struct perseus_simulated_iteration *iteration);

#endif
