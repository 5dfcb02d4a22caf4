/*
 * What a profile holds, class by class, as JSON: one object.
 *
 *     version           1
 *     stages            number of them
 *     blocking_power_w  per stage
 *     classes           [{stage, instruction, measurements, points, kept, hull, frequency_mhz: {min, max},
 *                         time_s: {min, max}, energy_j: {min, max}, odd: [words],
 *                         fit: {a, b, c, rmse_j, max_error_j}}]
 *
 * measurements: rows merged into points, one point per clock; kept: Pareto points in (time, effective energy); hull:
 * points of their lower convex hull. `fit` is there where asked for, null where fewer than three points are kept.
 */
#ifndef PERSEUS_FORMAT_PROFILE_JSON_H
#define PERSEUS_FORMAT_PROFILE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/profile.h>

void perseus__profile_json(struct perseus__text *text, const struct perseus_profile *profile, bool with_fit);

/* Ranges of a class over all its clocks. */
struct perseus__class_range {
	int32_t min_mhz;
	int32_t max_mhz;
	int64_t min_ns;
	int64_t max_ns;
	int64_t min_nj;
	int64_t max_nj;
};

struct perseus__class_range perseus__class_range(const struct perseus_class *class_);

/* Words for oddity `index`, 0 and up, in the order of enum perseus_class_oddity; NULL beyond the last. */
const char *perseus__oddity_text(int index);

/* Whether a class has oddity `index`. */
bool perseus__class_has_oddity(const struct perseus_class *class_, int index);

#endif
