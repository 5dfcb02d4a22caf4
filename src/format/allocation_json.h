/*
 * The allocation document: JSON, one object.
 *
 *     version                        1
 *     rule                           "work", "fair" or "even"
 *     limit_w, power_w               of the site; what the jobs take together
 *     least_power_w, full_power_w    all at their slowest; all at full speed
 *     work, full_work                sum of weight · speed; sum of weights
 *     bound, gap                     no allocation finishes more, proven; (bound - work) / bound
 *     price_per_kw                   what one more kW would finish at most, of work; 0 where the limit does not bind
 *     level                          fair: speed, even: share of full power, that no job is above unless at its
 *                                    slowest; null for work
 *     even                           {work, power_w, level}: the same percentage for everybody, to compare with
 *     jobs                           [{job, weight, iteration_time_s, plan_deadline_s, fastest_iteration_time_s,
 *                                    speed, power_w, full_power_w, share, even}]
 *     jobs[].plan_deadline_s         without the overhead: what perseus plan --deadline takes
 *     jobs[].share                   of the power taken together
 *     jobs[].even                    {iteration_time_s, power_w} at the same percentage for everybody
 *
 * Times are of an iteration with its overhead; powers are averages of all GPUs of a job.
 */
#ifndef PERSEUS_FORMAT_ALLOCATION_JSON_H
#define PERSEUS_FORMAT_ALLOCATION_JSON_H

#include "base/text.h"
#include "format/jobs_csv.h"

#include <perseus/allocate.h>

/* Everything is borrowed; arrays are as long as there are rows, in their order. */
struct perseus__allocation_document {
	const struct perseus__job_rows *rows;
	const struct perseus_allocation_job *jobs;
	const struct perseus_allocation *allocation;
	const struct perseus_allocation *even;
	double least_power_w;
};

void perseus__allocation_json(struct perseus__text *text, const struct perseus__allocation_document *document);

#endif
