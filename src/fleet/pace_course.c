/* Courses: what the job does in each slot, what that takes, and the courses to compare with. */
#include "base/error.h"
#include "base/memory.h"
#include "fleet/pace_internal.h"

#include <math.h>
#include <stdlib.h>

/* Shares below this, of a slot or of the way between two vertices, are rounding: no moment is spent there. */
static const double NOTHING = 1e-12;

bool
perseus__course_init(struct perseus_pace_course *course, int32_t n_slots)
{
	*course = (struct perseus_pace_course){.n_slots = n_slots};
	course->slots = perseus__new_array((size_t)n_slots, sizeof *course->slots);
	return course->slots != NULL;
}

void
perseus__course_fini(struct perseus_pace_course *course)
{
	perseus__free(course->slots);
	*course = (struct perseus_pace_course){0};
}

static void
add_mode(struct perseus_paced_slot *slot, double rate_hz, double power_w, double time_s)
{
	slot->modes[slot->n_modes++] = (struct perseus_pace_mode){.rate_hz = rate_hz, .time_s = time_s};
	slot->energy_j += power_w * time_s;
}

/* Runs all of the time that a slot is held at a vertex. */
static void
run_at_vertex(struct perseus_paced_slot *slot, const struct perseus_operating_point *vertex)
{
	slot->n_iterations = vertex->rate_hz * slot->held_s;
	add_mode(slot, vertex->rate_hz, vertex->power_w, slot->held_s);
}

/* The vertex that the edge of the hull around a rate begins at. */
static int32_t
find_edge(const struct perseus__pace_hull *hull, double rate_hz)
{
	int32_t low = 0, high = hull->n - 1;
	while (low + 1 < high) {
		const int32_t middle = low + (high - low) / 2;
		if (hull->points[middle].rate_hz <= rate_hz)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void
perseus__course_run(const struct perseus__pacing *pacing, struct perseus_pace_course *course, int32_t index,
		double held_s, double n_iterations)
{
	struct perseus_paced_slot *slot = &course->slots[index];
	const double weight = pacing->weight[index];
	const struct perseus__pace_hull *hull = perseus__pacing_hull(pacing, weight);
	if (!(held_s > NOTHING * pacing->problem->slots[index].duration_s))
		return;
	slot->held_s = held_s;
	slot->n_iterations = n_iterations;
	const double rate_hz = n_iterations / held_s;
	const int32_t edge = find_edge(hull, rate_hz);
	const struct perseus_operating_point *from = &hull->points[edge], *to = hull->n > 1 ? from + 1 : from;
	const double span_hz = to->rate_hz - from->rate_hz;
	const double share = span_hz > 0 ? (rate_hz - from->rate_hz) / span_hz : 0;
	if (share * span_hz <= NOTHING * to->rate_hz) {
		run_at_vertex(slot, from);
	} else if ((1 - share) * span_hz <= NOTHING * to->rate_hz) {
		run_at_vertex(slot, to);
	} else if (hull == &pacing->lower && from->rate_hz > 0) { /* a plan between two of the frontier's */
		add_mode(slot, rate_hz, from->power_w + share * (to->power_w - from->power_w), held_s);
	} else {
		add_mode(slot, from->rate_hz, from->power_w, held_s * (1 - share));
		add_mode(slot, to->rate_hz, to->power_w, held_s * share);
	}
	slot->grams = weight * slot->energy_j;
}

void
perseus__course_total(const struct perseus__pacing *pacing, struct perseus_pace_course *course)
{
	for (int32_t i = 0; i < course->n_slots; i++) {
		course->held_s += course->slots[i].held_s;
		course->energy_j += course->slots[i].energy_j;
		course->grams += course->slots[i].grams;
	}
	course->reservation_grams = pacing->reservation_per_s * course->held_s;
}

const char *
perseus_pace_baseline_name(enum perseus_pace_baseline baseline)
{
#define X(name, text) text,
	static const char *const names[] = { PERSEUS_PACE_BASELINE_MAP(X) };
#undef X
	return names[baseline];
}

/* Has a slot run at one rate of the curve, as long as there is work. Returns the work left. */
static double
run_at(const struct perseus__pacing *pacing, struct perseus_pace_course *course, int32_t index, double rate_hz,
		double left)
{
	struct perseus_paced_slot *slot = &course->slots[index];
	const double duration_s = pacing->problem->slots[index].duration_s;
	slot->held_s = fmin(duration_s, left / rate_hz);
	slot->n_iterations = fmin(duration_s * rate_hz, left);
	if (slot->held_s > 0)
		add_mode(slot, rate_hz, perseus_operating_power_w(pacing->problem->curve, rate_hz), slot->held_s);
	slot->grams = pacing->weight[index] * slot->energy_j;
	return left - slot->n_iterations;
}

static void
run_steadily(const struct perseus__pacing *pacing, struct perseus_pace_course *course, double rate_hz)
{
	double left = pacing->n_iterations;
	for (int32_t i = 0; i < course->n_slots && left > 0; i++)
		left = run_at(pacing, course, i, rate_hz, left);
}

/* The rate at which the work ends just at the deadline, within the curve. */
static double
flat_rate_hz(const struct perseus__pacing *pacing)
{
	const struct perseus_operating_curve *curve = pacing->problem->curve;
	double available_s = 0;
	for (int32_t i = 0; i < pacing->problem->n_slots; i++)
		available_s += pacing->problem->slots[i].duration_s;
	return fmin(fmax(pacing->n_iterations / available_s, curve->points[0].rate_hz),
			curve->points[curve->n_points - 1].rate_hz);
}

struct ranked {
	double factor_per_kwh;
	int32_t index;
};

static int
compare_ranked(const void *a, const void *b)
{
	const struct ranked *first = a, *second = b;
	if (first->factor_per_kwh != second->factor_per_kwh)
		return first->factor_per_kwh < second->factor_per_kwh ? -1 : 1;
	return first->index < second->index ? -1 : 1;
}

/* Runs in the best slots, and then idles in the others up to the last of them: in that one, after its work is over. */
static enum perseus_status
stop_and_start(const struct perseus__pacing *pacing, struct perseus_pace_course *course, double rate_hz,
		struct perseus_error *err)
{
	const struct perseus_pace_problem *problem = pacing->problem;
	struct ranked *ranked = perseus__new_array((size_t)course->n_slots, sizeof *ranked);
	if (!ranked)
		return perseus__no_memory(err);
	for (int32_t i = 0; i < course->n_slots; i++)
		ranked[i] = (struct ranked){problem->slots[i].factor_per_kwh, i};
	qsort(ranked, (size_t)course->n_slots, sizeof *ranked, compare_ranked);
	double left = pacing->n_iterations;
	int32_t last = 0;
	for (int32_t i = 0; i < course->n_slots && left > 0; i++) {
		left = run_at(pacing, course, ranked[i].index, rate_hz, left);
		last = ranked[i].index > last ? ranked[i].index : last;
	}
	perseus__free(ranked);
	for (int32_t i = 0; i < last; i++) {
		struct perseus_paced_slot *slot = &course->slots[i];
		const double idle_s = problem->slots[i].duration_s - slot->held_s;
		if (idle_s > 0)
			add_mode(slot, 0, problem->idle_power_w, idle_s);
		slot->held_s = problem->slots[i].duration_s;
		slot->grams = pacing->weight[i] * slot->energy_j;
	}
	return PERSEUS_OK;
}

static enum perseus_status
fill(const struct perseus__pacing *pacing, enum perseus_pace_baseline baseline, struct perseus_pace_course *course,
		struct perseus_error *err)
{
	const struct perseus_operating_curve *curve = pacing->problem->curve;
	const double fastest_hz = curve->points[curve->n_points - 1].rate_hz;
	enum perseus_status status = PERSEUS_OK;
	if (!perseus__course_init(course, pacing->problem->n_slots))
		return perseus__no_memory(err);
	switch (baseline) {
	case PERSEUS_PACE_FLAT:
		run_steadily(pacing, course, flat_rate_hz(pacing));
		break;
	case PERSEUS_PACE_FASTEST:
		run_steadily(pacing, course, fastest_hz);
		break;
	case PERSEUS_PACE_STOP_START:
	case PERSEUS_N_PACE_BASELINES:
		status = stop_and_start(pacing, course, fastest_hz, err);
		break;
	}
	if (status == PERSEUS_OK)
		perseus__course_total(pacing, course);
	return status;
}

enum perseus_status
perseus_pace_baseline_new(const struct perseus_pace_problem *problem, enum perseus_pace_baseline baseline,
		struct perseus_pace_course **out, struct perseus_error *err)
{
	struct perseus__pacing pacing;
	enum perseus_status status = perseus__pacing_init(&pacing, problem, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus_pace_course *course = NULL;
	if (baseline != PERSEUS_PACE_STOP_START || problem->may_pause) {
		course = perseus__new_array(1, sizeof *course);
		status = course ? fill(&pacing, baseline, course, err) : perseus__no_memory(err);
	}
	perseus__pacing_fini(&pacing);
	if (status == PERSEUS_OK)
		*out = course;
	else
		perseus_pace_course_free(course);
	return status;
}

void
perseus_pace_course_free(struct perseus_pace_course *course)
{
	if (!course)
		return;
	perseus__course_fini(course);
	perseus__free(course);
}
