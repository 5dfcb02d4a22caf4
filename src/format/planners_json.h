/*
 * The planners document: JSON, one object.
 *
 *     version, schedule, job       as in the plan document
 *     t_min_s, t_star_s            shortest iteration; least effective energy
 *     deadline_s, switch_latency_s as asked for
 *     lower_bound_j                no choice of clocks uses less at the deadline
 *     loss_bound                   of the frontier behind it: 0 where it is exact
 *     plans                        [{planner, granularity, keeps_deadline, deadline_s, iteration_time_s, energy_j,
 *                                    saving, average_power_w, lower_bound_j, gap, clock_changes_per_iteration, reason}]
 *     frontiers                    [{planner, points: [{iteration_time_s, energy_j}]}]
 *
 * `planner` is a baseline's name or "perseus"; `granularity` is null for a baseline. A baseline that has a knob says
 * where it stands, in plans and in points: `frequency_mhz`, `forward_time_s` or `power_limit_w`, of one GPU. Where a
 * planner cannot keep the deadline, keeps_deadline is false and the plan is its shortest, whose own time is then its
 * deadline_s; where it has no answer at all, `reason` says why and the numbers are null. Energy includes waiting until
 * deadline_s; saving is over the highest clocks waiting as long; gap is over the bound at deadline_s.
 *
 * Frontiers ascend in time; their energy includes waiting for the iteration alone, and their clocks change at once.
 * That of "perseus" is the optimum. Energies and average powers are of all GPUs of the job.
 */
#ifndef PERSEUS_FORMAT_PLANNERS_JSON_H
#define PERSEUS_FORMAT_PLANNERS_JSON_H

#include "base/text.h"
#include "format/planners.h"

void perseus__planners_json(struct perseus__text *text, const struct perseus__planners *planners);

#endif
