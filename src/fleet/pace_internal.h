/*
 * What the parts of pacing share: a problem made ready to be searched.
 *
 * The powers that a job can take at a rate, by alternating, lie between two hulls of the points of its curve and of
 * pausing: the lower one is best where energy costs something, the upper one where it is paid for.
 */
#ifndef PERSEUS_FLEET_PACE_INTERNAL_H
#define PERSEUS_FLEET_PACE_INTERNAL_H

#include <perseus/pace.h>

#include <stdbool.h>
#include <stdint.h>

/* Vertices ascend strictly in rate; slopes strictly ascend (lower hull) or descend (upper hull). */
struct perseus__pace_hull {
	int32_t n;
	struct perseus_operating_point *points; /* a rate of 0 is pausing */
	double *slope_j;                        /* length n - 1: J an iteration, from each vertex to the next */
};

/* Where a job can end: slots first .. last. */
struct perseus__pacing {
	const struct perseus_pace_problem *problem; /* borrowed */
	double n_iterations;                        /* the problem's, or what fits, where rounding put it above */
	bool is_full;                               /* no more fits */
	double reservation_per_s;
	double *weight; /* length n_slots: grams per J */
	struct perseus__pace_hull lower;
	struct perseus__pace_hull upper;
	int32_t first_end;
	int32_t last_end;
};

/* Checks a problem and makes it ready. Free with perseus__pacing_fini. Errors: as perseus_pace_new. */
PERSEUS_MUST_USE enum perseus_status perseus__pacing_init(
		struct perseus__pacing *pacing, const struct perseus_pace_problem *problem, struct perseus_error *err);

void perseus__pacing_fini(struct perseus__pacing *pacing);

/* The hull that a slot of this weight runs on. */
const struct perseus__pace_hull *perseus__pacing_hull(const struct perseus__pacing *pacing, double weight);

/* The vertex of least weight · power - price · rate: of the hull of that weight. O(log points). */
const struct perseus_operating_point *perseus__pacing_best(
		const struct perseus__pacing *pacing, double weight, double price);

/* One end of a bracket: what the best answers to a price come to. */
struct perseus__pace_side {
	double price;
	double grams;   /* of the course, reservation included */
	double missing; /* iterations it leaves undone; negative: does too much */
};

struct perseus__pace_optimum {
	int32_t end;                   /* slot in which the job ends */
	struct perseus__pace_side low; /* missing >= 0 */
	struct perseus__pace_side high;
	double price; /* which gives the bound */
	double lower_bound;
	double *prices; /* as in perseus_pace; owned by the caller */
	int32_t n_prices;
};

/* Finds the end, and the prices on both sides of its own. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__pace_search(
		const struct perseus__pacing *pacing, struct perseus__pace_optimum *out, struct perseus_error *err);

/* Share of the answers to the low price in those that do just the work: it is 1 - this of those to the high price. */
double perseus__pace_share(const struct perseus__pace_side *low, const struct perseus__pace_side *high);

/* What slot `index` is held for, and does, at a price: as one ahead of the end, or as the one that the job ends in. */
struct perseus__pace_answer {
	double held_s;
	double n_iterations;
	double grams; /* reservation included */
};

struct perseus__pace_answer perseus__pacing_answer(
		const struct perseus__pacing *pacing, int32_t index, double price, bool is_end);

/* An empty course through all slots. False where there is no memory; else free with perseus__course_fini. */
PERSEUS_MUST_USE bool perseus__course_init(struct perseus_pace_course *course, int32_t n_slots);

void perseus__course_fini(struct perseus_pace_course *course);

/* Has slot `index` held for `held_s` and do so many iterations, at the least grams. */
void perseus__course_run(const struct perseus__pacing *pacing, struct perseus_pace_course *course, int32_t index,
		double held_s, double n_iterations);

/* Sums up the slots. */
void perseus__course_total(const struct perseus__pacing *pacing, struct perseus_pace_course *course);

#endif
