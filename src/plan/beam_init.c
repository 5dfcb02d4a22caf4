/*
 * Makes a beam search ready: the order of the instructions, where their ends are kept, the direction of time, flows
 * that fit 64 bits.
 */
#include "plan/beam_internal.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "plan/round.h"

#include <stdbool.h>

enum {
	/* Partial plans over the whole search: sets the width. */
	MAX_KEPT = 75000,
	MIN_WIDTH = 8,
	MAX_WIDTH = 512,
	/* Places to remember states in, per partial plan of the width. */
	SEEN_PER_WIDTH = 4,
};

static int32_t
width_for(int32_t n)
{
	const int32_t width = n > 0 ? MAX_KEPT / n : MIN_WIDTH;
	return width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
}

/* Lets time run from the end of the iteration to its start: what follows is what must be done before. */
static bool
reverse(struct perseus__beam *beam)
{
	const struct perseus__dag *dag = &beam->workload->dag;
	beam->reversed_order = perseus__new_array((size_t)dag->n_nodes, sizeof *beam->reversed_order);
	if (!beam->reversed_order)
		return false;
	for (int32_t k = 0; k < dag->n_nodes; k++)
		beam->reversed_order[k] = dag->order[dag->n_nodes - 1 - k];
	beam->dag.successor_begin = dag->predecessor_begin;
	beam->dag.successors = dag->predecessors;
	beam->dag.predecessor_begin = dag->successor_begin;
	beam->dag.predecessors = dag->successors;
	beam->dag.order = beam->reversed_order;
	beam->start_flow = beam->certificate->end_flow;
	beam->end_flow = beam->certificate->start_flow;
	return true;
}

/* What depends on the instructions alone. */
static bool
new_plan_arrays(struct perseus__beam *beam)
{
	const size_t n = (size_t)beam->dag.n_nodes;
	beam->order = perseus__new_array(n, sizeof *beam->order);
	beam->slot = perseus__new_array(n, sizeof *beam->slot);
	beam->last_use = perseus__new_array(n, sizeof *beam->last_use);
	beam->first_freed = perseus__new_array(n, sizeof *beam->first_freed);
	beam->next_freed = perseus__new_array(n, sizeof *beam->next_freed);
	beam->free_slots = perseus__new_array(n, sizeof *beam->free_slots);
	beam->tail_ns = perseus__new_array(n, sizeof *beam->tail_ns);
	beam->fastest_ns = perseus__new_array(n, sizeof *beam->fastest_ns);
	beam->flow = perseus__new_array(n, sizeof *beam->flow);
	beam->flow_in = perseus__new_array(n, sizeof *beam->flow_in);
	beam->flow_out = perseus__new_array(n, sizeof *beam->flow_out);
	beam->before = perseus__new_array((size_t)beam->dag.n_edges, sizeof *beam->before);
	return beam->order && beam->slot && beam->last_use && beam->first_freed && beam->next_freed && beam->free_slots
			&& beam->tail_ns && beam->fastest_ns && beam->flow && beam->flow_in && beam->flow_out && beam->before;
}

/* What the partial plans need. */
static bool
new_generations(struct perseus__beam *beam)
{
	const size_t width = (size_t)beam->width;
	const size_t n_slots = (size_t)beam->n_slots;
	beam->now = perseus__new_array(width, sizeof *beam->now);
	beam->next = perseus__new_array(width, 2 * sizeof *beam->next);
	beam->ranks = perseus__new_array(width, 2 * sizeof *beam->ranks);
	beam->n_seen = SEEN_PER_WIDTH * beam->width;
	beam->seen = perseus__new_array((size_t)beam->n_seen, sizeof *beam->seen);
	beam->ends_now_ns = perseus__new_array(width, n_slots * sizeof *beam->ends_now_ns);
	beam->ends_next_ns = perseus__new_array(width, n_slots * sizeof *beam->ends_next_ns);
	beam->traces = perseus__new_array((size_t)beam->dag.n_nodes, width * sizeof *beam->traces);
	return beam->now && beam->next && beam->ranks && beam->seen && beam->ends_now_ns && beam->ends_next_ns
			&& beam->traces;
}

static void
find_times(struct perseus__beam *beam)
{
	const struct perseus__workload *workload = beam->workload;
	const int32_t n = beam->dag.n_nodes;
	for (int32_t i = 0; i < n; i++)
		beam->fastest_ns[i] = workload->class_of[i]->pareto[0].time_ns;
	(void)perseus__dag_tails(&beam->dag, beam->fastest_ns, workload->lag_ns, beam->tail_ns);
	for (int32_t i = 0; i < n; i++)
		beam->tail_ns[i] -= beam->fastest_ns[i];
}

/* Gives every instruction a slot, taken over from one whose end nobody needs any more. */
static void
assign_slots(struct perseus__beam *beam)
{
	const struct perseus__dag *dag = &beam->dag;
	for (int32_t position = 0; position < dag->n_nodes; position++) {
		const int32_t i = beam->order[position];
		beam->last_use[i] = position; /* until a later successor comes */
		beam->first_freed[position] = -1;
		for (int32_t k = dag->predecessor_begin[i]; k < dag->predecessor_begin[i + 1]; k++)
			beam->last_use[dag->predecessors[k].node] = position;
	}
	for (int32_t i = 0; i < dag->n_nodes; i++) {
		beam->next_freed[i] = beam->first_freed[beam->last_use[i]];
		beam->first_freed[beam->last_use[i]] = i;
	}
	int32_t n_free = 0;
	for (int32_t position = 0; position < dag->n_nodes; position++) {
		beam->slot[beam->order[position]] = n_free > 0 ? beam->free_slots[--n_free] : beam->n_slots++;
		for (int32_t j = beam->first_freed[position]; j >= 0; j = beam->next_freed[j])
			beam->free_slots[n_free++] = beam->slot[j];
	}
}

/*
 * Lets every key fit 62 bits. Losses only grow, to at most what the fastest plan needs more energy than the slowest and
 * all flow idle until the deadline; earliness is at most all flow through each slot as long.
 */
static void
find_flow_shift(struct perseus__beam *beam)
{
	const struct perseus_certificate *certificate = beam->certificate;
	perseus__wide most = 0;
	perseus__wide flow = 0;
	for (int32_t i = 0; i < beam->dag.n_nodes; i++) {
		const struct perseus_class *class_ = beam->workload->class_of[i];
		const int64_t range_nj = class_->pareto[0].effective_nj - class_->pareto[class_->n_pareto - 1].effective_nj;
		most += (perseus__wide)range_nj * certificate->units_per_watt;
		flow += certificate->start_flow[i];
	}
	most += flow * certificate->deadline_ns * (beam->n_slots + 1);
	while (most >> beam->flow_shift >= INT64_MAX / 2)
		beam->flow_shift++;
}

static void
find_flows(struct perseus__beam *beam)
{
	const struct perseus__dag *dag = &beam->dag;
	const int shift = beam->flow_shift;
	for (int32_t i = 0; i < dag->n_nodes; i++) {
		beam->flow[i] = beam->certificate->flow[i] >> shift;
		beam->flow_in[i] = beam->start_flow[i] >> shift;
		beam->flow_out[i] = beam->end_flow[i] >> shift;
		for (int32_t k = dag->predecessor_begin[i]; k < dag->predecessor_begin[i + 1]; k++) {
			const struct perseus__link link = dag->predecessors[k];
			beam->before[k] = (struct perseus__before){.slot = beam->slot[link.node],
				.lag_ns = beam->workload->lag_ns[link.edge],
				.flow = beam->certificate->edge_flow[link.edge] >> shift};
			beam->flow_in[i] += beam->before[k].flow;
		}
	}
}

void
perseus__beam_fini(struct perseus__beam *beam)
{
	perseus__free(beam->reversed_order);
	perseus__free(beam->order);
	perseus__free(beam->slot);
	perseus__free(beam->last_use);
	perseus__free(beam->first_freed);
	perseus__free(beam->next_freed);
	perseus__free(beam->free_slots);
	perseus__free(beam->tail_ns);
	perseus__free(beam->fastest_ns);
	perseus__free(beam->flow);
	perseus__free(beam->flow_in);
	perseus__free(beam->flow_out);
	perseus__free(beam->before);
	perseus__free(beam->seen);
	perseus__free(beam->now);
	perseus__free(beam->next);
	perseus__free(beam->ranks);
	perseus__free(beam->ends_now_ns);
	perseus__free(beam->ends_next_ns);
	perseus__free(beam->traces);
}

enum perseus_status
perseus__beam_init(struct perseus__beam *beam, const struct perseus__workload *workload,
		const struct perseus_certificate *certificate, const struct perseus__beam_guide *guide,
		struct perseus_error *err)
{
	*beam = (struct perseus__beam){.workload = workload,
		.certificate = certificate,
		.guide = guide,
		.dag = workload->dag,
		.start_flow = certificate->start_flow,
		.end_flow = certificate->end_flow,
		.width = width_for(workload->dag.n_nodes)};
	if (!new_plan_arrays(beam) || (guide->is_reversed && !reverse(beam)))
		return perseus__no_memory(err);
	const enum perseus_status status = perseus__order_by_start(&beam->dag, guide->start_ns, beam->order, err);
	if (status != PERSEUS_OK)
		return status;
	find_times(beam);
	assign_slots(beam);
	find_flow_shift(beam);
	find_flows(beam);
	return new_generations(beam) ? PERSEUS_OK : perseus__no_memory(err);
}
