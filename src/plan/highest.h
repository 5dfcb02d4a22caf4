/* What every plan is held against: no clock planned at all. */
#ifndef PERSEUS_PLAN_HIGHEST_H
#define PERSEUS_PLAN_HIGHEST_H

#include <perseus/plan.h>

/*
 * Evaluates every instruction at its highest clock, with deadline and latency of `settings`.
 * Free with perseus_plan_free. Errors: as perseus_plan_evaluate.
 */
PERSEUS_MUST_USE enum perseus_status perseus__plan_highest(const struct perseus_frontier *frontier,
		const struct perseus_plan_settings *settings, struct perseus_plan **out, struct perseus_error *err);

#endif
