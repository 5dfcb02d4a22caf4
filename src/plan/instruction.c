/*
 * From the relaxed optimum to clocks that the GPU has: rounding that carries slack forward, then reclaiming of what is
 * left.
 */
#include "plan/instruction.h"

#include "base/error.h"
#include "base/memory.h"
#include "frontier/workload.h"
#include "plan/evaluate.h"

#include <math.h>

struct rounding {
	const struct perseus__workload *workload;
	int64_t deadline_ns;
	int32_t *point;    /* length n_instructions: index into the class's Pareto points */
	int64_t *time_ns;  /* length n_instructions */
	int64_t *start_ns; /* length n_instructions */
	int64_t *tail_ns;  /* length n_instructions */
};

static void
set_point(struct rounding *rounding, int32_t i, int32_t point)
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

/* Earliest start of instruction `i` given those before it. */
static int64_t
ready_ns(const struct rounding *rounding, int32_t i)
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

/* In topological order, each as slow as ends no later than in the relaxed schedule: what one leaves the next may use. */
static void
round_forward(struct rounding *rounding, const struct perseus_certificate *certificate)
{
	const struct perseus__dag *dag = &rounding->workload->dag;
	for (int32_t k = 0; k < dag->n_ordered; k++) {
		const int32_t i = dag->order[k];
		/* 1 ns of tolerance for the doubles of the certificate; the makespan is tested in integers later. */
		const int64_t finish_ns = (int64_t)floor(certificate->start_ns[i] + certificate->time_ns[i] + 1.0);
		rounding->start_ns[i] = ready_ns(rounding, i);
		set_point(rounding, i, slowest_within(rounding->workload->class_of[i], finish_ns - rounding->start_ns[i]));
	}
}

/* Starts and tails of the current times; returns the makespan. */
static int64_t
pass(struct rounding *rounding)
{
	const struct perseus__workload *workload = rounding->workload;
	const int64_t makespan_ns =
			perseus__dag_earliest(&workload->dag, rounding->time_ns, workload->lag_ns, rounding->start_ns);
	(void)perseus__dag_tails(&workload->dag, rounding->time_ns, workload->lag_ns, rounding->tail_ns);
	return makespan_ns;
}

/* Speeds up critical instructions until the deadline holds; at the fastest points it does. */
static void
shorten(struct rounding *rounding)
{
	const int32_t n = rounding->workload->schedule->n_instructions;
	for (int64_t makespan_ns = pass(rounding); makespan_ns > rounding->deadline_ns; makespan_ns = pass(rounding))
		for (int32_t i = 0; i < n; i++)
			if (rounding->point[i] > 0 && rounding->start_ns[i] + rounding->tail_ns[i] > rounding->deadline_ns)
				set_point(rounding, i, rounding->point[i] - 1);
}

/* Slows whatever has slack, in topological order, until nothing fits. */
static void
reclaim(struct rounding *rounding)
{
	const struct perseus__dag *dag = &rounding->workload->dag;
	for (bool changed = true; changed;) {
		changed = false;
		(void)pass(rounding);
		for (int32_t k = 0; k < dag->n_ordered; k++) {
			const int32_t i = dag->order[k];
			const int64_t slack_ns = rounding->deadline_ns - rounding->start_ns[i] - rounding->tail_ns[i];
			const int32_t point = slowest_within(rounding->workload->class_of[i], rounding->time_ns[i] + slack_ns);
			if (point <= rounding->point[i])
				continue;
			set_point(rounding, i, point);
			(void)pass(rounding);
			changed = true;
		}
	}
}

static void
rounding_fini(struct rounding *rounding)
{
	perseus__free(rounding->point);
	perseus__free(rounding->time_ns);
	perseus__free(rounding->start_ns);
	perseus__free(rounding->tail_ns);
}

static enum perseus_status
rounding_init(struct rounding *rounding, const struct perseus__workload *workload, int64_t deadline_ns,
		struct perseus_error *err)
{
	const size_t n = (size_t)workload->schedule->n_instructions;
	*rounding = (struct rounding){.workload = workload, .deadline_ns = deadline_ns};
	rounding->point = perseus__new_array(n, sizeof *rounding->point);
	rounding->time_ns = perseus__new_array(n, sizeof *rounding->time_ns);
	rounding->start_ns = perseus__new_array(n, sizeof *rounding->start_ns);
	rounding->tail_ns = perseus__new_array(n, sizeof *rounding->tail_ns);
	if (rounding->point && rounding->time_ns && rounding->start_ns && rounding->tail_ns)
		return PERSEUS_OK;
	rounding_fini(rounding);
	return perseus__no_memory(err);
}

enum perseus_status
perseus__plan_instructions(
		const struct perseus_frontier *frontier, int64_t deadline_ns, int32_t *choice, struct perseus_error *err)
{
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	const int64_t t_star_ns = perseus_frontier_info(frontier).t_star_ns;
	struct perseus_certificate *certificate = NULL;
	struct rounding rounding;
	enum perseus_status status =
			rounding_init(&rounding, workload, deadline_ns < t_star_ns ? deadline_ns : t_star_ns, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus_frontier_certificate(frontier, rounding.deadline_ns, &certificate, err);
	if (status == PERSEUS_OK) {
		round_forward(&rounding, certificate);
		shorten(&rounding);
		reclaim(&rounding);
		for (int32_t i = 0; i < workload->schedule->n_instructions; i++) {
			const struct perseus_class *class_ = workload->class_of[i];
			choice[i] = perseus__class_choice(class_, class_->pareto[rounding.point[i]].frequency_mhz);
		}
	}
	perseus_certificate_free(certificate);
	rounding_fini(&rounding);
	return status;
}
