/*
 * The frontiers of planners as CSV: header `planner,frequency_mhz,forward_time_s,power_limit_w,iteration_time_s,
 * energy_j` (one line), a row per point, by planner, time ascending. Columns mean what the keys of the planners
 * document mean (planners_json.h); where a planner has no such knob they are empty.
 */
#ifndef PERSEUS_FORMAT_PLANNERS_CSV_H
#define PERSEUS_FORMAT_PLANNERS_CSV_H

#include "base/text.h"
#include "format/planners.h"

void perseus__planners_csv(struct perseus__text *text, const struct perseus__planners *planners);

#endif
