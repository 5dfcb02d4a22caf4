/* perseus compare: what its parts share. */
#ifndef PERSEUS_CLI_COMPARE_H
#define PERSEUS_CLI_COMPARE_H

#include "base/text.h"
#include "cli/job.h"
#include "format/planners.h"

#include <perseus/baseline.h>
#include <perseus/status.h>

/* What is asked of the planners. */
struct perseus__compare_question {
	const struct perseus_frontier *frontier; /* borrowed */
	int64_t deadline_ns;
	int64_t switch_latency_ns;
	double power_limit_w; /* of the baseline power-limit; 0: whichever is best */
};

/*
 * Asks every planner, with progress on a terminal. Fills rows, families and bound of `planners`, whose other members
 * are left alone; free with perseus__compare_fini, also where it fails.
 * Errors: INFEASIBLE for a deadline below T_min; those of the planners but where a planner has no answer, which its row
 * says.
 */
PERSEUS_MUST_USE enum perseus_status perseus__compare_ask(const struct perseus__compare_question *question,
		struct perseus__planners *planners, struct perseus_error *err);

void perseus__compare_fini(struct perseus__planners *planners);

/* Adds the report that people read, and with `with_frontiers` a table of all frontiers. */
void perseus__compare_report(const struct perseus__job *job, const struct perseus__planners *planners,
		bool with_frontiers, struct perseus__text *text);

/* Draws frontiers and answers; the extension decides the format. */
PERSEUS_MUST_USE enum perseus_status perseus__compare_chart(
		const char *path, const struct perseus__planners *planners, struct perseus_error *err);

#endif
