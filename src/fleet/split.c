/*
 * What a pipeline's energy goes into.
 */
#include "fleet/split.h"

#include "base/error.h"
#include "frontier/workload.h"

#include <inttypes.h>
#include <math.h>

enum { FJ_PER_NJ = 1000000 };
static const double fj_per_j = 1e15;
/* Of the frontier and the certificates: what is promised of the optimum. */
static const double promised = 1e-9;

struct perseus_policy_plan
perseus_policy_plan_of(const struct perseus_frontier *frontier, const struct perseus_plan *plan)
{
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	int64_t energy_nj = workload->transfer_nj;
	perseus__wide waiting_fj = 0;
	for (int32_t i = 0; i < plan->n_instructions; i++) {
		energy_nj += plan->steps[i].energy_nj;
		waiting_fj += (perseus__wide)workload->rank_blocking_uw[workload->schedule->instructions[i].rank]
				* plan->steps[i].time_ns;
	}
	return (struct perseus_policy_plan){
		.time_ns = plan->outcome.iteration_time_ns,
		.energy_nj = energy_nj,
		.effective_nj = energy_nj - (int64_t)(waiting_fj / FJ_PER_NJ),
	};
}

struct perseus__work
perseus__work_of(const struct perseus_frontier *frontier)
{
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	return (struct perseus__work){
		.frontier = frontier,
		.blocking_uw = info.blocking_power_uw,
		.transfer_nj = perseus__frontier_workload(frontier)->transfer_nj,
		.t_min_ns = info.t_min_ns,
		.n_vertices = info.n_breakpoints,
		.tolerance = info.loss_bound + promised,
	};
}

/* Index of the last vertex at or before `time_ns`, which is not below the first. */
static int32_t
vertex_before(const struct perseus__work *work, int64_t time_ns)
{
	int32_t low = 0;
	int32_t high = work->n_vertices;
	while (high - low > 1) {
		const int32_t middle = low + (high - low) / 2;
		if (perseus_frontier_point(work->frontier, middle).time_ns <= time_ns)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* In integers, so that no machine's way with products and sums of doubles decides about the nJ. */
int64_t
perseus__work_best_nj(const struct perseus__work *work, int64_t time_ns)
{
	const int32_t k = vertex_before(work, time_ns);
	const struct perseus_frontier_point fast = perseus_frontier_point(work->frontier, k);
	if (k == work->n_vertices - 1)
		return fast.effective_nj + work->transfer_nj;
	const struct perseus_frontier_point slow = perseus_frontier_point(work->frontier, k + 1);
	const perseus__wide span_ns = slow.time_ns - fast.time_ns;
	const perseus__wide saved = ((perseus__wide)fast.effective_nj - slow.effective_nj) * (time_ns - fast.time_ns);
	return fast.effective_nj - (int64_t)((2 * saved + span_ns) / (2 * span_ns)) + work->transfer_nj;
}

enum perseus_status
perseus__work_admits(const struct perseus__work *work, const struct perseus_policy_plan *plan, const char *whose,
		struct perseus_error *err)
{
	if (plan->time_ns < work->t_min_ns)
		return perseus__fail(err, PERSEUS_INVALID,
				"%s takes %" PRId64 " ns, less than the frontier's shortest, %" PRId64 " ns", whose, plan->time_ns,
				work->t_min_ns);
	const perseus__wide room_fj = (perseus__wide)work->blocking_uw * plan->time_ns;
	const perseus__wide waiting_nj = (perseus__wide)plan->energy_nj - plan->effective_nj;
	if (waiting_nj < 0 || waiting_nj * FJ_PER_NJ > room_fj)
		return perseus__fail(err, PERSEUS_INVALID,
				"%s has %" PRId64 " nJ of energy and %" PRId64 " nJ of effective energy, which does not fit its time",
				whose, plan->energy_nj, plan->effective_nj);
	const int64_t best_nj = perseus__work_best_nj(work, plan->time_ns);
	const double all_nj = fabs((double)best_nj) + (double)room_fj / (double)FJ_PER_NJ;
	if ((double)plan->effective_nj < (double)best_nj - 1 - work->tolerance * all_nj)
		return perseus__fail(err, PERSEUS_INVALID,
				"%s takes %" PRId64 " nJ of effective energy, less than any can in its time, %" PRId64 " nJ", whose,
				plan->effective_nj, best_nj);
	return PERSEUS_OK;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void
perseus__split_add(struct perseus__split *split, const struct perseus__work *work,
		const struct perseus_policy_plan *plan, int64_t best_nj, int64_t period_ns, int64_t left_ns, int32_t count)
{
	const perseus__wide fj = (perseus__wide)count * FJ_PER_NJ;
	const int64_t at_best_nj = least(best_nj, plan->effective_nj);
	const int64_t at_leisure_nj = least(at_best_nj, perseus__work_best_nj(work, left_ns));
	const perseus__wide waiting_nj = (perseus__wide)plan->energy_nj - plan->effective_nj;
	split->useful_fj += fj * (at_leisure_nj + waiting_nj);
	split->intrinsic_fj += fj * ((perseus__wide)plan->effective_nj - at_best_nj);
	split->extrinsic_fj += fj * ((perseus__wide)at_best_nj - at_leisure_nj);
	split->blocking_fj += (perseus__wide)work->blocking_uw * period_ns * count - fj * waiting_nj;
}

void
perseus__split_accumulate(struct perseus__split *split, const struct perseus__split *other)
{
	split->useful_fj += other->useful_fj;
	split->intrinsic_fj += other->intrinsic_fj;
	split->extrinsic_fj += other->extrinsic_fj;
	split->blocking_fj += other->blocking_fj;
}

void
perseus__split_scale(struct perseus__split *split, int32_t by)
{
	split->useful_fj *= by;
	split->intrinsic_fj *= by;
	split->extrinsic_fj *= by;
	split->blocking_fj *= by;
}

struct perseus_energy_split
perseus__split_in_joules(const struct perseus__split *split)
{
	return (struct perseus_energy_split){
		.useful_j = (double)split->useful_fj / fj_per_j,
		.intrinsic_j = (double)split->intrinsic_fj / fj_per_j,
		.extrinsic_j = (double)split->extrinsic_fj / fj_per_j,
		.blocking_j = (double)split->blocking_fj / fj_per_j,
	};
}
