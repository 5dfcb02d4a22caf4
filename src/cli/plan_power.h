/* Power in perseus plan: the cap, the traces of plan and baseline, and the lines of the report. */
#ifndef PERSEUS_CLI_PLAN_POWER_H
#define PERSEUS_CLI_PLAN_POWER_H

#include "cli/job.h"
#include "format/plan_power.h"

#include <perseus/plan.h>
#include <perseus/status.h>

/* Zero before; free with perseus__power_fini. */
struct perseus__power {
	struct perseus__plan_power document; /* borrows the traces */
	struct perseus_power_trace *plan;
	struct perseus_power_trace *baseline;
};

/*
 * The plan of a job under `cap_w`; 0: no cap. With a deadline that an option asked for, which `option` names, that of
 * the deadline, where it keeps the cap; with NULL, the fastest that keeps it. Notes the cap in `power`.
 * Errors: INFEASIBLE where the cap cannot be kept, or not together with the deadline; those of perseus_plan_new.
 */
PERSEUS_MUST_USE enum perseus_status perseus__power_plan(struct perseus__power *power, const struct perseus__job *job,
		const struct perseus_plan_settings *settings, const char *option, double cap_w, struct perseus_plan **plan,
		struct perseus_error *err);

/* Traces plan and baseline. */
PERSEUS_MUST_USE enum perseus_status perseus__power_trace(struct perseus__power *power, const struct perseus__job *job,
		const struct perseus_plan *plan, const struct perseus_plan *baseline, struct perseus_error *err);

void perseus__power_fini(struct perseus__power *power);

/* Adds the lines of the report on a plan of iteration time `time_s`. */
void perseus__power_print(const struct perseus__plan_power *power, double time_s, struct perseus__text *text);

#endif
