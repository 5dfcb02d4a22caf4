/* Power over an iteration: changes of level at the ends of instructions and transfers, summed in their order. */
#include <perseus/power.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "fleet/period.h"
#include "fleet/replicas.h"
#include "frontier/workload.h"

#include <stdlib.h>

/* One GPU a stage; at most 10^18 nJ in 1 ns are more nW than 64 bits hold. */
struct change {
	int64_t at_ns;
	perseus__wide by_nw;
};

struct changes {
	struct change *items; /* length n */
	size_t n;
};

static const double nw_per_w = 1e9;

/* Power of what takes `energy_nj` in `time_ns` > 0, to the nearest nW. nJ/ns = W */
static perseus__wide
mean_power_nw(int64_t energy_nj, int64_t time_ns)
{
	return ((perseus__wide)energy_nj * 1000000000 + time_ns / 2) / time_ns;
}

/* Something draws `by_nw` more from `start_ns` on for `time_ns`. */
static void
add_draw(struct changes *changes, int64_t start_ns, int64_t time_ns, perseus__wide by_nw)
{
	changes->items[changes->n++] = (struct change){start_ns, by_nw};
	changes->items[changes->n++] = (struct change){start_ns + time_ns, -by_nw};
}

/* All draws of an iteration over waiting. */
static void
collect_changes(const struct perseus__workload *workload, const struct perseus_plan *plan, struct changes *changes)
{
	const struct perseus_schedule *schedule = workload->schedule;
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		const perseus__wide blocking_nw = (perseus__wide)workload->rank_blocking_uw[rank] * 1000;
		for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
			const struct perseus_step *step = &plan->steps[i];
			if (step->time_ns > 0)
				add_draw(changes, step->start_ns, step->time_ns,
						mean_power_nw(step->energy_nj, step->time_ns) - blocking_nw);
		}
	}
	for (int32_t e = 0; e < schedule->n_edges; e++) {
		if (workload->lag_ns[e] <= 0)
			continue;
		const int32_t from = schedule->edges[e].from;
		const struct perseus_class *transfer =
				perseus_profile_find(workload->profile, schedule->instructions[from].stage, PERSEUS_TRANSFER_CLASS);
		add_draw(changes, plan->steps[from].start_ns + plan->steps[from].time_ns, workload->lag_ns[e],
				mean_power_nw(transfer->choices[0].energy_nj, workload->lag_ns[e]));
	}
}

static int
compare_changes(const void *a, const void *b)
{
	const int64_t left = ((const struct change *)a)->at_ns;
	const int64_t right = ((const struct change *)b)->at_ns;
	return (left > right) - (left < right);
}

/* Turns sorted changes into segments, of `n_gpus` times the power. Changes at the end of the period are the seam's. */
static void
fill_segments(struct perseus_power_trace *trace, const struct changes *changes, perseus__wide waiting_nw, double n_gpus)
{
	perseus__wide level_nw = waiting_nw;
	perseus__wide last_nw = -1; /* of the last segment, which is no less than 0 */
	size_t i = 0;
	for (int64_t at_ns = 0; at_ns < trace->period_ns;) {
		for (; i < changes->n && changes->items[i].at_ns <= at_ns; i++)
			level_nw += changes->items[i].by_nw;
		if (level_nw != last_nw)
			trace->segments[trace->n_segments++] =
					(struct perseus_power_segment){at_ns, (double)level_nw / nw_per_w * n_gpus};
		last_nw = level_nw;
		at_ns = i < changes->n ? changes->items[i].at_ns : trace->period_ns;
	}
}

static void
fill_summary(struct perseus_power_trace *trace)
{
	double before_w = trace->segments[trace->n_segments - 1].power_w;
	trace->peak_w = trace->least_w = before_w;
	for (int32_t i = 0; i < trace->n_segments; i++) {
		const struct perseus_power_segment *segment = &trace->segments[i];
		const double change_w = segment->power_w - before_w;
		if (segment->power_w > trace->peak_w)
			trace->peak_w = segment->power_w;
		if (segment->power_w < trace->least_w)
			trace->least_w = segment->power_w;
		if (change_w > trace->rise.change_w)
			trace->rise = (struct perseus_power_step){change_w, segment->start_ns};
		if (change_w < trace->fall.change_w)
			trace->fall = (struct perseus_power_step){change_w, segment->start_ns};
		before_w = segment->power_w;
	}
}

int64_t
perseus__plan_period_ns(const struct perseus_plan *plan)
{
	const int64_t iteration_ns = plan->outcome.iteration_time_ns;
	return iteration_ns > plan->deadline_ns ? iteration_ns : plan->deadline_ns;
}

double
perseus_plan_power_w(const struct perseus_plan *plan, int32_t n_pipelines, int32_t gpus_per_stage)
{
	const double n_gpus = (double)n_pipelines * (double)gpus_per_stage;
	return n_gpus * (double)plan->outcome.energy_nj / (double)perseus__plan_period_ns(plan); /* nJ/ns = W */
}

static enum perseus_status
check_plan(const struct perseus_schedule *schedule, const struct perseus_plan *plan, struct perseus_error *err)
{
	if (plan->n_ranks != schedule->n_ranks || plan->n_instructions != schedule->n_instructions)
		return perseus__fail(err, PERSEUS_INVALID,
				"the plan has %d instructions on %d ranks, the frontier's schedule %d on %d", (int)plan->n_instructions,
				(int)plan->n_ranks, (int)schedule->n_instructions, (int)schedule->n_ranks);
	if (perseus__plan_period_ns(plan) <= 0)
		return perseus__fail(err, PERSEUS_INVALID, "an iteration of the plan takes no time");
	return PERSEUS_OK;
}

enum perseus_status
perseus_power_trace_new(const struct perseus_frontier *frontier, const struct perseus_plan *plan, int32_t n_pipelines,
		int32_t gpus_per_stage, struct perseus_power_trace **out, struct perseus_error *err)
{
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	enum perseus_status status = perseus__check_replicas(n_pipelines, gpus_per_stage, err);
	if (status == PERSEUS_OK)
		status = check_plan(workload->schedule, plan, err);
	if (status != PERSEUS_OK)
		return status;
	const size_t n_draws = (size_t)plan->n_instructions + (size_t)workload->schedule->n_edges;
	struct changes changes = {perseus__new_array(2 * n_draws, sizeof *changes.items), 0};
	struct perseus_power_trace *trace = perseus__new_array(1, sizeof *trace);
	struct perseus_power_segment *segments = perseus__new_array(2 * n_draws + 1, sizeof *segments);
	if (!changes.items || !trace || !segments) {
		perseus__free(changes.items);
		perseus__free(trace);
		perseus__free(segments);
		return perseus__no_memory(err);
	}
	trace->segments = segments;
	trace->period_ns = perseus__plan_period_ns(plan);
	collect_changes(workload, plan, &changes);
	qsort(changes.items, changes.n, sizeof *changes.items, compare_changes);
	fill_segments(
			trace, &changes, (perseus__wide)workload->blocking_uw * 1000, (double)n_pipelines * (double)gpus_per_stage);
	fill_summary(trace);
	trace->average_w = perseus_plan_power_w(plan, n_pipelines, gpus_per_stage);
	perseus__free(changes.items);
	*out = trace;
	return PERSEUS_OK;
}

void
perseus_power_trace_free(struct perseus_power_trace *trace)
{
	if (!trace)
		return;
	perseus__free(trace->segments);
	perseus__free(trace);
}
