/*
 * Time of a transfer between stages, which ranks do not report: the one with which the schedule takes as long as was
 * measured.
 */
#ifndef PERSEUS_SERVER_LAG_H
#define PERSEUS_SERVER_LAG_H

#include <stdint.h>

#include <perseus/schedule.h>
#include <perseus/status.h>

/*
 * The span of a rank is the time from the start of its first instruction to the end of its last. Finds the one time of
 * all transfers with which the longest span of any rank is `span_ns` (> 0), where instruction i takes duration_ns[i]
 * (>= 0, length n_instructions). `*transfer_ns` is 0 where the span is too short for any (or the schedule has no
 * transfers); `*predicted_ns` is the longest span that follows from it. Errors: INVALID for a schedule with a cycle or
 * a duration out of range; NO_MEMORY. O((instructions + edges) · log span).
 */
PERSEUS_MUST_USE enum perseus_status perseus__lag_calibrate(const struct perseus_schedule *schedule,
		const int64_t *duration_ns, int64_t span_ns, int64_t *transfer_ns, int64_t *predicted_ns,
		struct perseus_error *err);

#endif
