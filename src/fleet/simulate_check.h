/* What a simulation must keep to before it runs. */
#ifndef PERSEUS_FLEET_SIMULATE_CHECK_H
#define PERSEUS_FLEET_SIMULATE_CHECK_H

#include "fleet/split.h"

#include <perseus/simulate.h>
#include <perseus/status.h>

/* INVALID with the first violation, as perseus_simulate promises. */
PERSEUS_MUST_USE enum perseus_status perseus__simulation_check(
		const struct perseus_simulation *simulation, const struct perseus__work *work, struct perseus_error *err);

#endif
