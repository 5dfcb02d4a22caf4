/*
 * The pacing document: JSON, one object. What stands in grams of CO2 equivalent is so named where the factors are
 * carbon intensities; where they are prices the name in brackets takes its place, in the currency.
 *
 *     version, schedule, job         as in the plan document
 *     factor                         "carbon" or "price"
 *     zone, currency, source         of the file; null where it does not say (a carbon intensity has no currency)
 *     begin, deadline                moments, UTC
 *     deadline_h, iterations, overhead_s, pue
 *     idle_power_w                   of the job while it pauses; null: it may not pause
 *     reservation_gco2e_per_h [reservation_cost_per_h]
 *                                    of the whole job
 *     fastest_s, slowest_s           shortest and longest iteration worth running, overhead included
 *     paced                          a course
 *     baselines                      [course, and: name, saving, saved_gco2e [saved_cost]]: what pacing saves against
 *                                    it, relative (null where the baseline's is zero or less) and absolute
 *     iteration_gco2e [iteration_cost]
 *                                    what one more iteration would add; null where none fits
 *     lower_bound_gco2e, gap_gco2e [lower_bound_cost, gap_cost]
 *                                    no course is below; the course's distance to it
 *     hour_of_deadline               null, or {saves_gco2e [saves_cost], against}: "an hour more" or "an hour less"
 *     break_even                     {gco2e_per_gpu_h [cost_per_gpu_h]}, and, for carbon, embodied_kg_per_gpu and
 *                                    lifetime_years
 *     hours                          [{begin, gco2e_per_kwh [price_per_kwh], held_s, paused_s, iterations,
 *                                    iteration_time_s, plan_deadline_s, modes, energy_j, power_w,
 *                                    operational_gco2e [energy_cost]}]
 *     hours[].modes                  [{iteration_time_s, plan_deadline_s, time_s}], the first two null while paused
 *
 * A course is {end, held_h, energy_j, facility_energy_j, power_w, operational_gco2e [energy_cost],
 * embodied_gco2e [reservation_cost], total_gco2e [total_cost]}; energies and powers are of all GPUs of the job,
 * facility energy is times PUE, power the average while it holds its GPUs. In hours iteration_time_s is the mean while
 * it is not paused, and plan_deadline_s what perseus plan --deadline takes for it, null where it alternates.
 */
#ifndef PERSEUS_FORMAT_PACE_JSON_H
#define PERSEUS_FORMAT_PACE_JSON_H

#include "base/text.h"
#include "format/pace_document.h"

void perseus__pace_json(struct perseus__text *text, const struct perseus__pace_document *document);

/* The hours as CSV: the keys of `hours` but modes, in that order. What is null there is empty. */
void perseus__pace_csv(struct perseus__text *text, const struct perseus__pace_document *document);

#endif
