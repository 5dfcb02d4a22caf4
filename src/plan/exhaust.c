/*
 * Depth first, instruction by instruction in topological order, the cheapest point first. A partial plan is left where
 * its energy with the cheapest rest reaches the best one known, or its time with the fastest rest the deadline.
 */
#include "plan/exhaust.h"

#include <stdint.h>
#include <string.h>

enum { MAX_VISITS = 1 << 20 }; /* of instructions, were nothing left out */

bool
perseus__exhaust_is_possible(const struct perseus__workload *workload)
{
	int64_t n_visits = workload->schedule->n_instructions;
	for (int32_t i = 0; i < workload->schedule->n_instructions && n_visits <= MAX_VISITS; i++)
		n_visits *= workload->class_of[i]->n_pareto;
	return n_visits <= MAX_VISITS;
}

/* What a point costs above the cheapest, which is the last. */
static int64_t
extra_nj(const struct perseus_class *class_, int32_t point)
{
	return class_->pareto[point].effective_nj - class_->pareto[class_->n_pareto - 1].effective_nj;
}

/* Gives instruction `i` a point, its predecessors having theirs; false where the deadline cannot be kept any more. */
static bool
fits(struct perseus__rounding *rounding, int32_t i, int32_t point, int64_t deadline_ns)
{
	const struct perseus_class *class_ = rounding->workload->class_of[i];
	rounding->time_ns[i] = class_->pareto[point].time_ns;
	rounding->start_ns[i] = perseus__rounding_ready_ns(rounding, i);
	const int64_t slower_ns = class_->pareto[point].time_ns - class_->pareto[0].time_ns;
	return rounding->start_ns[i] + rounding->tail_ns[i] + slower_ns <= deadline_ns;
}

/* Every instruction at its fastest, for tails that hold whatever is chosen; returns the least energy of all. */
static int64_t
start_over(struct perseus__rounding *rounding)
{
	const struct perseus__workload *workload = rounding->workload;
	int64_t least_nj = 0;
	for (int32_t i = 0; i < workload->schedule->n_instructions; i++) {
		const struct perseus_class *class_ = workload->class_of[i];
		rounding->time_ns[i] = class_->pareto[0].time_ns;
		least_nj += class_->pareto[class_->n_pareto - 1].effective_nj;
	}
	perseus__rounding_tails(rounding);
	return least_nj;
}

void
perseus__exhaust(struct perseus__rounding *rounding, struct perseus__incumbent *incumbent)
{
	const struct perseus__workload *workload = rounding->workload;
	const int32_t n = workload->schedule->n_instructions;
	const int32_t *order = workload->dag.order;
	int64_t energy_nj = start_over(rounding);
	int32_t depth = 0;
	rounding->point[order[0]] = workload->class_of[order[0]]->n_pareto; /* one before the first to try */
	while (depth >= 0) {
		const int32_t i = order[depth];
		const struct perseus_class *class_ = workload->class_of[i];
		if (rounding->point[i] < class_->n_pareto)
			energy_nj -= extra_nj(class_, rounding->point[i]);
		rounding->point[i]--;
		/* Faster points cost more still. */
		if (rounding->point[i] < 0 || energy_nj + extra_nj(class_, rounding->point[i]) >= incumbent->energy_nj) {
			depth--;
			continue;
		}
		energy_nj += extra_nj(class_, rounding->point[i]);
		if (!fits(rounding, i, rounding->point[i], incumbent->deadline_ns))
			continue;
		if (depth + 1 < n) {
			depth++;
			rounding->point[order[depth]] = workload->class_of[order[depth]]->n_pareto;
		} else {
			incumbent->energy_nj = energy_nj;
			memcpy(incumbent->point, rounding->point, (size_t)n * sizeof *incumbent->point);
		}
	}
}
