/* What the core builds profiles and their classes with. Not installed. */
#ifndef PERSEUS_PROFILE_CLASS_H
#define PERSEUS_PROFILE_CLASS_H

#include <stddef.h>
#include <stdint.h>

#include "base/wide.h"

#include <perseus/profile.h>
#include <perseus/status.h>

/* Sums and products of times and energies, exactly. */
enum { PERSEUS__CLASS_NAME_BYTES = 64 }; /* longest name of a class, without the NUL */

/*
 * Makes a class of `choices`, length n >= 1, in any order, each with its own clock; choices and name are copied.
 * Computes Pareto points, hull and oddities, but for PERSEUS_ODD_OTHER_CLOCKS, which needs the other classes;
 * n_measurements is n. Each time and the absolute value of each effective energy must be at most 2^62.
 * Errors: INVALID where two choices have the same clock; NO_MEMORY. `*class_` is untouched on failure. O(n log n).
 */
PERSEUS_MUST_USE enum perseus_status perseus__class_from_choices(struct perseus_class *class_, int32_t stage,
		const char *name, const struct perseus_choice *choices, int32_t n, struct perseus_error *err);

/* Frees what the class holds and zeroes it; a zeroed class is fine. */
void perseus__class_fini(struct perseus_class *class_);

/* Energy of a power over a time, rounded to the nearest nJ, halves up. The result must fit 63 bits. */
int64_t perseus__power_energy_nj(int64_t power_uw, int64_t time_ns);

/*
 * The Pareto points of `choices`, length `n`, into `pareto`, room for `n`: ascending time, strictly descending
 * effective energy; of equal points that with the lowest clock. Returns their number. O(n log n).
 */
int32_t perseus__pareto(const struct perseus_choice *choices, int32_t n, struct perseus_choice *pareto);

/*
 * The lower convex hull of Pareto points, length `n`, into `hull`, room for `n`; points on a straight line between
 * others are left out. Exact. Returns the number of points. O(n).
 */
int32_t perseus__lower_hull(const struct perseus_choice *pareto, int32_t n, struct perseus_choice *hull);

/* Above 0 where b lies strictly below the line from a to c, 0 on it, below 0 above it; times ascend. Exact. */
int perseus__bend(const struct perseus_choice *a, const struct perseus_choice *b, const struct perseus_choice *c);

/* Columns of a profile CSV, in the order of its documented header. */
enum perseus__column {
	PERSEUS__COLUMN_STAGE,
	PERSEUS__COLUMN_INSTRUCTION,
	PERSEUS__COLUMN_FREQUENCY,
	PERSEUS__COLUMN_TIME,
	PERSEUS__COLUMN_ENERGY,
};
enum { PERSEUS__N_COLUMNS = 5 };

/*
 * What is wrong with one measurement, as the end of a sentence about the value of `*column`, e.g. "must be above 0";
 * NULL where nothing is. Constant text.
 */
const char *perseus__measurement_problem(const struct perseus_measurement *row, enum perseus__column *column);

/*
 * perseus_profile_new for what is not a stage but measured alike: `noun`, constant text, is what messages call it, e.g.
 * "layer".
 */
PERSEUS_MUST_USE enum perseus_status perseus__profile_of(const char *noun, const struct perseus_measurement *rows,
		size_t n_rows, const struct perseus_profile_settings *settings, struct perseus_profile **out,
		struct perseus_error *err);

#endif
