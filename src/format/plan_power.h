/*
 * Power of a whole job under a plan, as documents tell it.
 *
 * The block `power` of plan.json: {average_w, peak_w, least_w, largest_rise_w, largest_rise_at_s, largest_fall_w,
 * largest_fall_at_s, baseline, cap}. Averages include waiting for the deadline; a rise or fall is between neighbouring
 * instants, at 0 s from the end of an iteration to the next; falls are negative, and the time is null where there is
 * no step. `baseline` is the same without `cap`, of the highest clocks. `cap` is null, or {cap_w,
 * shortest_iteration_time_s, is_binding}: what was asked for; the shortest time that any clocks have under it, null
 * where a deadline was asked for, too; and whether a faster plan was refused for it.
 */
#ifndef PERSEUS_FORMAT_PLAN_POWER_H
#define PERSEUS_FORMAT_PLAN_POWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/power.h>

struct perseus__json;

/* Everything is borrowed. */
struct perseus__plan_power {
	const struct perseus_power_trace *plan;
	const struct perseus_power_trace *baseline;
	double cap_w;        /* 0: none was asked for */
	int64_t shortest_ns; /* that any clocks have under it; 0: not looked for, as a deadline was asked for */
	bool is_binding;     /* a faster plan was refused for it */
};

/* Adds the block. */
void perseus__plan_power_json(struct perseus__json *json, const struct perseus__plan_power *power);

/*
 * A trace as CSV: header `time_s,power_w`, a row per segment from its start until the next, and a last one at the end
 * of the iteration with the power that the next begins with.
 */
void perseus__power_csv(struct perseus__text *text, const struct perseus_power_trace *trace);

#endif
