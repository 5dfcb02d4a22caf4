/* How long an iteration of a plan lasts until the next begins. */
#ifndef PERSEUS_FLEET_PERIOD_H
#define PERSEUS_FLEET_PERIOD_H

#include <stdint.h>

#include <perseus/plan.h>

/* The plan's deadline, for which its GPUs wait, or its iteration time where that is longer. */
int64_t perseus__plan_period_ns(const struct perseus_plan *plan);

#endif
