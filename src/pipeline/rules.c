/* Dependencies of the kinds, as edges. */
#include "pipeline/rules.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/* Which instruction does what for one (stage, microbatch); -1: none. */
struct cell {
	int32_t data_load;
	int32_t forward;
	int32_t recompute;
	int32_t backward; /* or input gradient */
};

struct derivation {
	const struct perseus_schedule *schedule;
	struct cell *cells;     /* length n_stages * n_microbatches */
	int32_t *last_backward; /* length 2 * n_stages: the last of a stage on each of the ranks (two at most) it lies on */
	int32_t *barrier;       /* length n_ranks: what optimizer steps wait for on each rank; -1: nothing */
	struct perseus_edge *edges;
	size_t n_edges;
	size_t capacity;
	bool out_of_memory;
};

static struct cell *
cell_of(const struct derivation *d, int32_t stage, int32_t microbatch)
{
	return &d->cells[(size_t)stage * (size_t)d->schedule->n_microbatches + (size_t)microbatch];
}

static void
push_edge(struct derivation *d, int32_t from, int32_t to, bool is_transfer)
{
	if (!d->out_of_memory && !perseus__reserve(&d->edges, &d->capacity, d->n_edges + 1, sizeof *d->edges))
		d->out_of_memory = true;
	if (!d->out_of_memory)
		d->edges[d->n_edges++] = (struct perseus_edge){.from = from, .to = to, .is_transfer = is_transfer};
}

/* `to` waits for `from` (-1: nothing). The order within a rank implies what comes earlier, and forbids the rest. */
static void
wait_for(struct derivation *d, int32_t from, int32_t to, bool carries_tensor)
{
	if (from < 0)
		return;
	const bool is_same_rank = d->schedule->instructions[from].rank == d->schedule->instructions[to].rank;
	if (!is_same_rank || from >= to)
		push_edge(d, from, to, carries_tensor);
}

static void
record_backward(struct derivation *d, int32_t stage, int32_t index)
{
	int32_t *last = &d->last_backward[2 * (size_t)stage];
	const struct perseus_instruction *instructions = d->schedule->instructions;
	const bool is_first_rank = last[0] < 0 || instructions[last[0]].rank == instructions[index].rank;
	last[is_first_rank ? 0 : 1] = index;
}

static void
record_part(struct derivation *d, const struct perseus_part *part, int32_t index)
{
	switch (part->kind) {
	case PERSEUS_KIND_FORWARD:
		cell_of(d, part->stage, part->microbatch)->forward = index;
		break;
	case PERSEUS_KIND_BACKWARD:
		record_backward(d, part->stage, index);
		cell_of(d, part->stage, part->microbatch)->backward = index;
		break;
	case PERSEUS_KIND_INPUT:
		cell_of(d, part->stage, part->microbatch)->backward = index;
		break;
	case PERSEUS_KIND_WEIGHT:
		record_backward(d, part->stage, index);
		break;
	case PERSEUS_KIND_RECOMPUTE:
		cell_of(d, part->stage, part->microbatch)->recompute = index;
		break;
	case PERSEUS_KIND_DATA_LOAD:
		cell_of(d, part->stage, part->microbatch)->data_load = index;
		break;
	case PERSEUS_KIND_OVERLAP:
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_GRAD_REDUCE:
	case PERSEUS_KIND_OPTIMIZER_STEP:
	case PERSEUS_KIND_OTHER:
		break;
	}
}

/* On every rank the last reduction ahead of its optimizer step; where no rank has one, the last instruction. */
static void
record_barriers(struct derivation *d)
{
	const struct perseus_schedule *schedule = d->schedule;
	bool any_reduction = false;
	for (int32_t i = 0; i < schedule->n_instructions; i++)
		any_reduction |= schedule->instructions[i].kind == PERSEUS_KIND_GRAD_REDUCE;
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		d->barrier[rank] = -1;
		for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
			if (schedule->instructions[i].kind == PERSEUS_KIND_OPTIMIZER_STEP)
				break;
			if (!any_reduction || schedule->instructions[i].kind == PERSEUS_KIND_GRAD_REDUCE)
				d->barrier[rank] = i;
		}
	}
}

static void
record(struct derivation *d)
{
	const struct perseus_schedule *schedule = d->schedule;
	const size_t n_cells = (size_t)schedule->n_stages * (size_t)schedule->n_microbatches;
	for (size_t i = 0; i < n_cells; i++)
		d->cells[i] = (struct cell){-1, -1, -1, -1};
	for (size_t i = 0; i < 2 * (size_t)schedule->n_stages; i++)
		d->last_backward[i] = -1;
	for (int32_t i = 0; i < schedule->n_instructions; i++)
		for (int32_t p = 0; p < schedule->instructions[i].n_parts; p++)
			record_part(d, &schedule->instructions[i].part[p], i);
	record_barriers(d);
}

static void
wait_for_backwards_of_stage(struct derivation *d, int32_t stage, int32_t index)
{
	wait_for(d, d->last_backward[2 * (size_t)stage], index, false);
	wait_for(d, d->last_backward[2 * (size_t)stage + 1], index, false);
}

static void
wait_for_barriers(struct derivation *d, int32_t index)
{
	for (int32_t rank = 0; rank < d->schedule->n_ranks; rank++)
		wait_for(d, d->barrier[rank], index, false);
}

static void
derive_part(struct derivation *d, const struct perseus_part *part, int32_t index)
{
	const int32_t stage = part->stage, microbatch = part->microbatch;
	switch (part->kind) {
	case PERSEUS_KIND_FORWARD:
		wait_for(d, cell_of(d, stage, microbatch)->data_load, index, false);
		if (stage > 0)
			wait_for(d, cell_of(d, stage - 1, microbatch)->forward, index, true);
		break;
	case PERSEUS_KIND_BACKWARD:
	case PERSEUS_KIND_INPUT:
		wait_for(d, cell_of(d, stage, microbatch)->forward, index, false);
		wait_for(d, cell_of(d, stage, microbatch)->recompute, index, false);
		if (stage + 1 < d->schedule->n_stages)
			wait_for(d, cell_of(d, stage + 1, microbatch)->backward, index, true);
		break;
	case PERSEUS_KIND_WEIGHT:
		wait_for(d, cell_of(d, stage, microbatch)->backward, index, false);
		break;
	case PERSEUS_KIND_RECOMPUTE:
		wait_for(d, cell_of(d, stage, microbatch)->forward, index, false);
		if (stage > 0)
			wait_for(d, cell_of(d, stage - 1, microbatch)->forward, index, false);
		break;
	case PERSEUS_KIND_GRAD_REDUCE:
		if (microbatch < 0)
			wait_for_backwards_of_stage(d, stage, index);
		break;
	case PERSEUS_KIND_OPTIMIZER_STEP:
		wait_for_barriers(d, index);
		break;
	case PERSEUS_KIND_OVERLAP:
	case PERSEUS_KIND_DATA_LOAD:
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_OTHER:
		break;
	}
}

/* Stable counting sort by one end of the edges. */
static bool
sort_edges(struct derivation *d, bool by_from)
{
	const size_t n_nodes = (size_t)d->schedule->n_instructions;
	size_t *begin = perseus__new_array(n_nodes + 1, sizeof *begin);
	struct perseus_edge *sorted = perseus__new_array(d->n_edges, sizeof *sorted);
	const bool has_memory = begin && sorted;
	if (has_memory) {
		for (size_t e = 0; e < d->n_edges; e++)
			begin[(by_from ? d->edges[e].from : d->edges[e].to) + 1]++;
		for (size_t v = 0; v < n_nodes; v++)
			begin[v + 1] += begin[v];
		for (size_t e = 0; e < d->n_edges; e++)
			sorted[begin[by_from ? d->edges[e].from : d->edges[e].to]++] = d->edges[e];
		perseus__free(d->edges);
		d->edges = sorted;
		d->capacity = d->n_edges;
		sorted = NULL;
	}
	perseus__free(begin);
	perseus__free(sorted);
	return has_memory;
}

static void
merge_duplicates(struct derivation *d)
{
	size_t n_kept = 0;
	for (size_t e = 0; e < d->n_edges; e++) {
		struct perseus_edge *last = n_kept ? &d->edges[n_kept - 1] : NULL;
		if (last && last->from == d->edges[e].from && last->to == d->edges[e].to)
			last->is_transfer |= d->edges[e].is_transfer;
		else
			d->edges[n_kept++] = d->edges[e];
	}
	d->n_edges = n_kept;
}

/* Edges in ascending order of `to`, so that one sort by `from` is enough where there are no extra ones. */
static void
collect(struct derivation *d, const struct perseus__extra_edges *extra)
{
	const struct perseus_instruction *instructions = d->schedule->instructions;
	for (int32_t i = 0; i < d->schedule->n_instructions; i++) {
		if (i > 0 && instructions[i - 1].rank == instructions[i].rank)
			push_edge(d, i - 1, i, false);
		for (int32_t p = 0; !extra->only && p < instructions[i].n_parts; p++)
			derive_part(d, &instructions[i].part[p], i);
	}
	for (int32_t e = 0; e < extra->n_edges; e++)
		wait_for(d, extra->edges[e].from, extra->edges[e].to, extra->edges[e].is_transfer);
}

static bool
allocate_tables(struct derivation *d)
{
	const struct perseus_schedule *schedule = d->schedule;
	d->cells = perseus__new_array((size_t)schedule->n_stages * (size_t)schedule->n_microbatches, sizeof *d->cells);
	d->last_backward = perseus__new_array(2 * (size_t)schedule->n_stages, sizeof *d->last_backward);
	d->barrier = perseus__new_array((size_t)schedule->n_ranks, sizeof *d->barrier);
	return d->cells && d->last_backward && d->barrier;
}

enum perseus_status
perseus__edges_derive(const struct perseus_schedule *schedule, const struct perseus__extra_edges *extra,
		struct perseus_edge **edges, int32_t *n_edges, struct perseus_error *err)
{
	struct derivation d = {.schedule = schedule};
	if (!extra->only) {
		if (!allocate_tables(&d))
			goto fail;
		record(&d);
	}
	collect(&d, extra);
	if (d.out_of_memory || (extra->n_edges > 0 && !sort_edges(&d, false)) || !sort_edges(&d, true))
		goto fail;
	merge_duplicates(&d);
	perseus__free(d.cells);
	perseus__free(d.last_backward);
	perseus__free(d.barrier);
	*edges = d.edges;
	*n_edges = (int32_t)d.n_edges;
	return PERSEUS_OK;
fail:
	perseus__free(d.cells);
	perseus__free(d.last_backward);
	perseus__free(d.barrier);
	perseus__free(d.edges);
	return perseus__no_memory(err);
}
