/*
 * Jobs of few plans: all of them are looked at, but those that cannot be the best.
 */
#ifndef PERSEUS_PLAN_EXHAUST_H
#define PERSEUS_PLAN_EXHAUST_H

#include <stdbool.h>

#include "plan/round.h"

/* Whether the Pareto points of all instructions combine to few enough plans: a millisecond's work or two. */
bool perseus__exhaust_is_possible(const struct perseus__workload *workload);

/* Makes the incumbent the plan of least energy there is; one at least must be known. */
void perseus__exhaust(struct perseus__rounding *rounding, struct perseus__incumbent *incumbent);

#endif
