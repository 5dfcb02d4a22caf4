/*
 * The classes of a job: (stage, class name), numbered 0..n-1 as the job's schedule first mentions them.
 */
#ifndef PERSEUS_SERVER_JOB_CLASS_H
#define PERSEUS_SERVER_JOB_CLASS_H

#include <stdbool.h>
#include <stdint.h>

struct perseus__job_class {
	int32_t stage;
	const char *name;   /* as in a profile, e.g. "forward"; borrowed from whoever made the class */
	int32_t pp;         /* position in the pipeline of the ranks that run it: 0..n_pp-1 */
	int32_t n_per_step; /* instructions of it in one step of one rank */
};

/*
 * Whether instructions of a class are taken to need the same time and energy at every clock, so that there is one
 * choice for them: data loads, (un)sharding, gradient reductions, optimizer steps.
 */
bool perseus__job_class_is_constant(const char *name);

#endif
