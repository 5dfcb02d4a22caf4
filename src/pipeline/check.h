/* The two halves of perseus_schedule_check. Not installed, and free of the code that builds schedules. */
#ifndef PERSEUS_PIPELINE_CHECK_H
#define PERSEUS_PIPELINE_CHECK_H

#include <perseus/schedule.h>
#include <perseus/status.h>

/* That every dependency of the kinds is an edge or implied by the order within a rank. INTERNAL; NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__check_dependencies(
		const struct perseus_schedule *schedule, struct perseus_error *err);

#endif
