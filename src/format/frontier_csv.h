/*
 * A frontier as CSV: header `iteration_time_s,energy_j,effective_energy_j,marginal_power_w`, one row per point, time
 * ascending, lines end in LF. Columns mean what the same keys mean in the frontier document (frontier_json.h).
 */
#ifndef PERSEUS_FORMAT_FRONTIER_CSV_H
#define PERSEUS_FORMAT_FRONTIER_CSV_H

#include <stdint.h>

#include "base/text.h"

#include <perseus/frontier.h>

/* `n_samples` 0: every breakpoint; else so many points evenly spread in time. Energies are times `scale`. */
void perseus__frontier_csv(
		struct perseus__text *text, const struct perseus_frontier *frontier, int32_t n_samples, double scale);

#endif
