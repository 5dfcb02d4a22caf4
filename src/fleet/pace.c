/* The best course through the slots, from the prices that the search found; and what a reservation may cost. */
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "fleet/pace_internal.h"

#include <math.h>

/* Of what the fastest course emits: pacing that is worth less than this is worth nothing but rounding. */
static const double WORTHLESS = 1e-12;
enum { MAX_ROUNDS = 200 };

/*
 * The answers to the two prices, mixed so that the work is done: both are best at the price between them, and the grams
 * are convex, so the mixture is best, too.
 */
static void
lay_course(const struct perseus__pacing *pacing, const struct perseus__pace_optimum *optimum,
		struct perseus_pace_course *course)
{
	const double share = perseus__pace_share(&optimum->low, &optimum->high);
	for (int32_t h = 0; h <= optimum->end; h++) {
		const bool is_end = h == optimum->end;
		const struct perseus__pace_answer low = perseus__pacing_answer(pacing, h, optimum->low.price, is_end);
		const struct perseus__pace_answer high = perseus__pacing_answer(pacing, h, optimum->high.price, is_end);
		perseus__course_run(pacing, course, h, share * low.held_s + (1 - share) * high.held_s,
				share * low.n_iterations + (1 - share) * high.n_iterations);
	}
	perseus__course_total(pacing, course);
}

static enum perseus_status
solve(const struct perseus__pacing *pacing, struct perseus_pace *pace, struct perseus_error *err)
{
	struct perseus__pace_optimum optimum = {0};
	if (!perseus__course_init(&pace->course, pacing->problem->n_slots))
		return perseus__no_memory(err);
	const enum perseus_status status = perseus__pace_search(pacing, &optimum, err);
	if (status != PERSEUS_OK)
		return status;
	lay_course(pacing, &optimum, &pace->course);
	pace->price = pacing->is_full ? INFINITY : optimum.price;
	pace->prices = optimum.prices;
	pace->n_prices = optimum.n_prices;
	pace->lower_bound = optimum.lower_bound;
	pace->gap = pace->course.grams + pace->course.reservation_grams - optimum.lower_bound;
	return PERSEUS_OK;
}

enum perseus_status
perseus_pace_new(const struct perseus_pace_problem *problem, struct perseus_pace **out, struct perseus_error *err)
{
	struct perseus__pacing pacing;
	enum perseus_status status = perseus__pacing_init(&pacing, problem, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus_pace *pace = perseus__new_array(1, sizeof *pace);
	status = pace ? solve(&pacing, pace, err) : perseus__no_memory(err);
	perseus__pacing_fini(&pacing);
	if (status == PERSEUS_OK)
		*out = pace;
	else
		perseus_pace_free(pace);
	return status;
}

void
perseus_pace_free(struct perseus_pace *pace)
{
	if (!pace)
		return;
	perseus__course_fini(&pace->course);
	perseus__free(pace->prices);
	perseus__free(pace);
}

/*
 * What pacing is worth falls with the reservation r, and is convex: the most, over courses, of what the course saves in
 * grams of energy less r times what it holds longer. From r = 0 on, Newton's method nears its zero from below.
 */
static enum perseus_status
find_break_even(const struct perseus_pace_problem *problem, const struct perseus_pace_course *fastest,
		double *reservation_per_h, struct perseus_error *err)
{
	struct perseus_pace_problem at = *problem;
	at.reservation_per_h = 0;
	for (int round = 0; round < MAX_ROUNDS; round++) {
		struct perseus_pace *pace = NULL;
		const enum perseus_status status = perseus_pace_new(&at, &pace, err);
		if (status != PERSEUS_OK)
			return status;
		const double saved = fastest->grams - pace->course.grams;
		const double longer_h = (pace->course.held_s - fastest->held_s) / PERSEUS__S_PER_H;
		perseus_pace_free(pace);
		if (saved - at.reservation_per_h * longer_h <= WORTHLESS * fabs(fastest->grams) || !(longer_h > 0))
			break;
		if (!(saved / longer_h > at.reservation_per_h))
			break;
		at.reservation_per_h = saved / longer_h;
	}
	*reservation_per_h = at.reservation_per_h;
	return PERSEUS_OK;
}

enum perseus_status
perseus_pace_break_even(
		const struct perseus_pace_problem *problem, double *reservation_per_h, struct perseus_error *err)
{
	struct perseus_pace_course *fastest = NULL;
	enum perseus_status status = perseus_pace_baseline_new(problem, PERSEUS_PACE_FASTEST, &fastest, err);
	if (status == PERSEUS_OK)
		status = find_break_even(problem, fastest, reservation_per_h, err);
	perseus_pace_course_free(fastest);
	return status;
}
