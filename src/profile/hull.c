/*
 * Pareto filter and lower convex hull in (time, effective energy), in exact integer arithmetic.
 * Hull: Andrew's monotone chain (1979) on points that are sorted already.
 */
#include "profile/class.h"

#include <stdlib.h>

/* Time, then effective energy, then clock: a total order, as the clocks of a class differ. */
static int
compare_points(const void *left, const void *right)
{
	const struct perseus_choice *a = left;
	const struct perseus_choice *b = right;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (a->effective_nj != b->effective_nj)
		return a->effective_nj < b->effective_nj ? -1 : 1;
	return (a->frequency_mhz > b->frequency_mhz) - (a->frequency_mhz < b->frequency_mhz);
}

int32_t
perseus__pareto(const struct perseus_choice *choices, int32_t n, struct perseus_choice *pareto)
{
	for (int32_t i = 0; i < n; i++)
		pareto[i] = choices[i];
	qsort(pareto, (size_t)n, sizeof *pareto, compare_points);
	int32_t n_kept = 0;
	for (int32_t i = 0; i < n; i++)
		if (n_kept == 0 || pareto[i].effective_nj < pareto[n_kept - 1].effective_nj)
			pareto[n_kept++] = pareto[i];
	return n_kept;
}

int
perseus__bend(const struct perseus_choice *a, const struct perseus_choice *b, const struct perseus_choice *c)
{
	/* Below 2^63 in time by below 2^64 in energy: 127 bits at most. */
	const perseus__wide over_c =
			(perseus__wide)(b->time_ns - a->time_ns) * ((perseus__wide)c->effective_nj - a->effective_nj);
	const perseus__wide over_b =
			(perseus__wide)(c->time_ns - a->time_ns) * ((perseus__wide)b->effective_nj - a->effective_nj);
	return (over_c > over_b) - (over_c < over_b);
}

int32_t
perseus__lower_hull(const struct perseus_choice *pareto, int32_t n, struct perseus_choice *hull)
{
	int32_t n_hull = 0;
	for (int32_t i = 0; i < n; i++) {
		while (n_hull >= 2 && perseus__bend(&hull[n_hull - 2], &hull[n_hull - 1], &pareto[i]) <= 0)
			n_hull--;
		hull[n_hull++] = pareto[i];
	}
	return n_hull;
}
