/*
 * From the relaxed optimum to clocks that the GPU has: rounding that carries slack forward, and repairs that take any
 * choice of clocks to one that keeps the deadline and leaves no slack.
 */
#include "plan/round.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void
set_point(struct perseus__rounding *rounding, int32_t i, int32_t point)
{
	rounding->point[i] = point;
	rounding->time_ns[i] = rounding->workload->class_of[i]->pareto[point].time_ns;
}

/* Slowest point within `limit_ns`; the fastest where none is. */
static int32_t
slowest_within(const struct perseus_class *class_, int64_t limit_ns)
{
	int32_t point = 0;
	while (point + 1 < class_->n_pareto && class_->pareto[point + 1].time_ns <= limit_ns)
		point++;
	return point;
}

int64_t
perseus__rounding_ready_ns(const struct perseus__rounding *rounding, int32_t i)
{
	const struct perseus__dag *dag = &rounding->workload->dag;
	int64_t ready = 0;
	for (int32_t k = dag->predecessor_begin[i]; k < dag->predecessor_begin[i + 1]; k++) {
		const struct perseus__link link = dag->predecessors[k];
		const int64_t end =
				rounding->start_ns[link.node] + rounding->time_ns[link.node] + rounding->workload->lag_ns[link.edge];
		ready = end > ready ? end : ready;
	}
	return ready;
}

void
perseus__rounding_tails(struct perseus__rounding *rounding)
{
	(void)perseus__dag_tails(
			&rounding->workload->dag, rounding->time_ns, rounding->workload->lag_ns, rounding->tail_ns);
}

int64_t
perseus__rounding_makespan_ns(struct perseus__rounding *rounding)
{
	return perseus__dag_earliest(
			&rounding->workload->dag, rounding->time_ns, rounding->workload->lag_ns, rounding->start_ns);
}

int64_t
perseus__rounding_energy_nj(const struct perseus__rounding *rounding)
{
	int64_t sum_nj = 0;
	for (int32_t i = 0; i < rounding->workload->schedule->n_instructions; i++)
		sum_nj += rounding->workload->class_of[i]->pareto[rounding->point[i]].effective_nj;
	return sum_nj;
}

void
perseus__rounding_set(struct perseus__rounding *rounding, const int32_t *point)
{
	for (int32_t i = 0; i < rounding->workload->schedule->n_instructions; i++)
		set_point(rounding, i, point[i]);
}

void
perseus__rounding_relax(struct perseus__rounding *rounding, const struct perseus_certificate *certificate)
{
	const struct perseus__dag *dag = &rounding->workload->dag;
	for (int32_t k = 0; k < dag->n_ordered; k++) {
		const int32_t i = dag->order[k];
		/* 1 ns of tolerance for the doubles of the certificate. */
		const int64_t finish_ns = (int64_t)(certificate->start_ns[i] + certificate->time_ns[i] + 1.0);
		rounding->start_ns[i] = perseus__rounding_ready_ns(rounding, i);
		set_point(rounding, i, slowest_within(rounding->workload->class_of[i], finish_ns - rounding->start_ns[i]));
	}
}

/* Speeds up critical instructions until the deadline, at least T_min, holds. */
static void
shorten(struct perseus__rounding *rounding, int64_t deadline_ns)
{
	const int32_t n = rounding->workload->schedule->n_instructions;
	while (perseus__rounding_makespan_ns(rounding) > deadline_ns) {
		perseus__rounding_tails(rounding);
		for (int32_t i = 0; i < n; i++)
			if (rounding->point[i] > 0 && rounding->start_ns[i] + rounding->tail_ns[i] > deadline_ns)
				set_point(rounding, i, rounding->point[i] - 1);
	}
}

void
perseus__rounding_reclaim(struct perseus__rounding *rounding, int64_t deadline_ns)
{
	const struct perseus__dag *dag = &rounding->workload->dag;
	perseus__rounding_tails(rounding);
	for (int32_t k = 0; k < dag->n_ordered; k++) {
		const int32_t i = dag->order[k];
		/* What comes later has not been touched yet, so the tails still hold. */
		rounding->start_ns[i] = perseus__rounding_ready_ns(rounding, i);
		const int64_t slack_ns = deadline_ns - rounding->start_ns[i] - rounding->tail_ns[i];
		set_point(rounding, i, slowest_within(rounding->workload->class_of[i], rounding->time_ns[i] + slack_ns));
	}
}

void
perseus__rounding_offer(struct perseus__rounding *rounding, struct perseus__incumbent *incumbent)
{
	shorten(rounding, incumbent->deadline_ns);
	perseus__rounding_reclaim(rounding, incumbent->deadline_ns);
	const int64_t energy_nj = perseus__rounding_energy_nj(rounding);
	if (energy_nj >= incumbent->energy_nj)
		return;
	incumbent->energy_nj = energy_nj;
	memcpy(incumbent->point, rounding->point,
			(size_t)rounding->workload->schedule->n_instructions * sizeof *incumbent->point);
}

void
perseus__rounding_fini(struct perseus__rounding *rounding)
{
	perseus__free(rounding->point);
	perseus__free(rounding->time_ns);
	perseus__free(rounding->start_ns);
	perseus__free(rounding->tail_ns);
	*rounding = (struct perseus__rounding){0};
}

enum perseus_status
perseus__rounding_init(
		struct perseus__rounding *rounding, const struct perseus__workload *workload, struct perseus_error *err)
{
	const size_t n = (size_t)workload->schedule->n_instructions;
	*rounding = (struct perseus__rounding){.workload = workload};
	rounding->point = perseus__new_array(n, sizeof *rounding->point);
	rounding->time_ns = perseus__new_array(n, sizeof *rounding->time_ns);
	rounding->start_ns = perseus__new_array(n, sizeof *rounding->start_ns);
	rounding->tail_ns = perseus__new_array(n, sizeof *rounding->tail_ns);
	if (!rounding->point || !rounding->time_ns || !rounding->start_ns || !rounding->tail_ns) {
		perseus__rounding_fini(rounding);
		return perseus__no_memory(err);
	}
	for (int32_t i = 0; i < workload->schedule->n_instructions; i++)
		set_point(rounding, i, 0);
	return PERSEUS_OK;
}

struct start {
	int64_t at_ns;
	int32_t rank; /* in topological order */
	int32_t instruction;
};

static int
compare_starts(const void *left, const void *right)
{
	const struct start *a = left;
	const struct start *b = right;
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns ? -1 : 1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

enum perseus_status
perseus__order_by_start(
		const struct perseus__dag *dag, const int64_t *start_ns, int32_t *order, struct perseus_error *err)
{
	const size_t n = (size_t)dag->n_nodes;
	struct start *starts = perseus__new_array(n, sizeof *starts);
	int64_t *at_ns = perseus__new_array(n, sizeof *at_ns);
	if (!starts || !at_ns) {
		perseus__free(starts);
		perseus__free(at_ns);
		return perseus__no_memory(err);
	}
	for (int32_t k = 0; k < dag->n_nodes; k++) {
		const int32_t i = dag->order[k];
		/* Never before what it waits for, whatever was rounded. */
		at_ns[i] = start_ns[i];
		for (int32_t p = dag->predecessor_begin[i]; p < dag->predecessor_begin[i + 1]; p++)
			if (at_ns[dag->predecessors[p].node] > at_ns[i])
				at_ns[i] = at_ns[dag->predecessors[p].node];
		starts[k] = (struct start){.at_ns = at_ns[i], .rank = k, .instruction = i};
	}
	qsort(starts, n, sizeof *starts, compare_starts);
	for (int32_t k = 0; k < dag->n_nodes; k++)
		order[k] = starts[k].instruction;
	perseus__free(starts);
	perseus__free(at_ns);
	return PERSEUS_OK;
}
