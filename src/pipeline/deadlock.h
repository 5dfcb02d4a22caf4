/* Tells a schedule that cannot run to its end. Not installed. */
#ifndef PERSEUS_PIPELINE_DEADLOCK_H
#define PERSEUS_PIPELINE_DEADLOCK_H

#include <perseus/schedule.h>
#include <perseus/status.h>

/*
 * INVALID where instructions wait for each other in a circle; the message names the first instruction of every rank
 * that never starts, and what it waits for. Errors besides: NO_MEMORY. O(instructions + edges).
 */
PERSEUS_MUST_USE enum perseus_status perseus__deadlock_check(
		const struct perseus_schedule *schedule, struct perseus_error *err);

#endif
