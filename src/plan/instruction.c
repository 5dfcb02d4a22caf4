/*
 * From the relaxed optimum to clocks that the GPU has: the best of three constructions, each repaired to keep the
 * deadline and to leave no slack; of few plans the best of all.
 */
#include "plan/instruction.h"

#include "base/error.h"
#include "base/memory.h"
#include "plan/beam.h"
#include "plan/evaluate.h"
#include "plan/exhaust.h"
#include "plan/round.h"
#include "plan/splice.h"

#include <stdbool.h>

/*
 * How the beam searches are guided: the first by the relaxed schedule, the others by the best plan so far. The values
 * come from a trial of sixteen such lists on two GPUs' measured profiles; what matters is that they differ.
 */
static const struct {
	int earliness_shift;
	int lateness_shift;
	bool is_reversed;
} searches[] = {{5, 6, false}, {2, 5, true}, {2, 6, false}, {3, 6, true}, {3, 7, false}};

struct candidates {
	const struct perseus_frontier *frontier;
	struct perseus_certificate *certificate;
	struct perseus__rounding rounding;
	struct perseus__beam_guide guide; /* arrays of length n_instructions, as all below */
	int32_t *order;
	int32_t *point;
	struct perseus__incumbent best;
};

static enum perseus_status
candidates_init(struct candidates *candidates, const struct perseus_frontier *frontier, int64_t deadline_ns,
		struct perseus_error *err)
{
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	const size_t n = (size_t)workload->schedule->n_instructions;
	*candidates =
			(struct candidates){.frontier = frontier, .best = {.deadline_ns = deadline_ns, .energy_nj = INT64_MAX}};
	enum perseus_status status = perseus__rounding_init(&candidates->rounding, workload, err);
	if (status != PERSEUS_OK)
		return status;
	candidates->guide.start_ns = perseus__new_array(n, sizeof *candidates->guide.start_ns);
	candidates->guide.end_ns = perseus__new_array(n, sizeof *candidates->guide.end_ns);
	candidates->order = perseus__new_array(n, sizeof *candidates->order);
	candidates->point = perseus__new_array(n, sizeof *candidates->point);
	candidates->best.point = perseus__new_array(n, sizeof *candidates->best.point);
	if (!candidates->guide.start_ns || !candidates->guide.end_ns || !candidates->order || !candidates->point
			|| !candidates->best.point)
		return perseus__no_memory(err);
	return perseus_frontier_certificate(frontier, deadline_ns, &candidates->certificate, err);
}

static void
candidates_fini(struct candidates *candidates)
{
	perseus__rounding_fini(&candidates->rounding);
	perseus_certificate_free(candidates->certificate);
	perseus__free(candidates->guide.start_ns);
	perseus__free(candidates->guide.end_ns);
	perseus__free(candidates->order);
	perseus__free(candidates->point);
	perseus__free(candidates->best.point);
}

static void
guide_by_relaxed(struct candidates *candidates)
{
	const struct perseus_certificate *certificate = candidates->certificate;
	for (int32_t i = 0; i < certificate->n_instructions; i++) {
		candidates->guide.start_ns[i] = (int64_t)certificate->start_ns[i];
		candidates->guide.end_ns[i] = (int64_t)(certificate->start_ns[i] + certificate->time_ns[i]);
	}
}

/* The best plan, everything as early as may be in the direction of the search. */
static void
guide_by_best(struct candidates *candidates, bool is_reversed)
{
	struct perseus__rounding *rounding = &candidates->rounding;
	perseus__rounding_set(rounding, candidates->best.point);
	if (is_reversed)
		perseus__rounding_tails(rounding);
	else
		(void)perseus__rounding_makespan_ns(rounding);
	candidates->guide.is_reversed = is_reversed;
	for (int32_t i = 0; i < rounding->workload->dag.n_nodes; i++) {
		const int64_t time_ns = rounding->time_ns[i];
		candidates->guide.start_ns[i] = is_reversed ? rounding->tail_ns[i] - time_ns : rounding->start_ns[i];
		candidates->guide.end_ns[i] = candidates->guide.start_ns[i] + time_ns;
	}
}

static enum perseus_status
try_beam(struct candidates *candidates, size_t search, struct perseus_error *err)
{
	candidates->guide.earliness_shift = searches[search].earliness_shift;
	candidates->guide.lateness_shift = searches[search].lateness_shift;
	struct perseus__rounding *rounding = &candidates->rounding;
	const enum perseus_status status = perseus__beam_search(
			rounding->workload, candidates->certificate, &candidates->guide, candidates->point, err);
	if (status != PERSEUS_OK)
		return status;
	perseus__rounding_set(rounding, candidates->point);
	perseus__rounding_offer(rounding, &candidates->best);
	return PERSEUS_OK;
}

/* Within a fiftieth of a per mille of the bound nobody measures a difference: no more searching. */
static bool
is_good_enough(const struct candidates *candidates)
{
	const double good_enough = 2e-5;
	const int64_t deadline_ns = candidates->best.deadline_ns;
	const double bound_j = perseus_frontier_effective_energy_j(candidates->frontier, deadline_ns);
	const double total_j = perseus_frontier_energy_j(candidates->frontier, deadline_ns);
	return (double)candidates->best.energy_nj / 1e9 - bound_j <= good_enough * total_j;
}

static enum perseus_status
try_all(struct candidates *candidates, struct perseus_error *err)
{
	struct perseus__rounding *rounding = &candidates->rounding;
	perseus__rounding_relax(rounding, candidates->certificate);
	perseus__rounding_offer(rounding, &candidates->best);
	if (perseus__exhaust_is_possible(rounding->workload)) {
		if (!is_good_enough(candidates))
			perseus__exhaust(rounding, &candidates->best);
		return PERSEUS_OK;
	}
	guide_by_relaxed(candidates);
	enum perseus_status status =
			perseus__order_by_start(&rounding->workload->dag, candidates->guide.start_ns, candidates->order, err);
	if (status == PERSEUS_OK && !is_good_enough(candidates))
		status = try_beam(candidates, 0, err);
	if (status == PERSEUS_OK && !is_good_enough(candidates))
		status = perseus__splice(candidates->frontier, candidates->order, rounding, &candidates->best, err);
	const size_t n = sizeof searches / sizeof *searches;
	for (size_t k = 1; k < n && status == PERSEUS_OK && !is_good_enough(candidates); k++) {
		guide_by_best(candidates, searches[k].is_reversed);
		status = try_beam(candidates, k, err);
	}
	return status;
}

enum perseus_status
perseus__plan_instructions(
		const struct perseus_frontier *frontier, int64_t deadline_ns, int32_t *choice, struct perseus_error *err)
{
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	const int64_t t_star_ns = perseus_frontier_info(frontier).t_star_ns;
	struct candidates candidates;
	if (deadline_ns > t_star_ns)
		deadline_ns = t_star_ns;
	enum perseus_status status = candidates_init(&candidates, frontier, deadline_ns, err);
	if (status == PERSEUS_OK)
		status = try_all(&candidates, err);
	for (int32_t i = 0; i < workload->schedule->n_instructions && status == PERSEUS_OK; i++) {
		const struct perseus_class *class_ = workload->class_of[i];
		choice[i] = perseus__class_choice(class_, class_->pareto[candidates.best.point[i]].frequency_mhz);
	}
	candidates_fini(&candidates);
	return status;
}
