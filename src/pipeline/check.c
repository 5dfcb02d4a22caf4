/*
 * Re-checks a finished schedule from its view alone, sharing nothing with the code that built it.
 * Dependencies of the kinds are in check_dependencies.c.
 */
#include "pipeline/check.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdbool.h>

static enum perseus_status
check_counts(const struct perseus_schedule *schedule, struct perseus_error *err)
{
	if (!schedule->name || !schedule->instructions || !schedule->rank_begin || !schedule->edges)
		return perseus__fail(err, PERSEUS_INTERNAL, "schedule lacks its name, instructions, ranks or edges");
	if (schedule->n_ranks < 1 || schedule->n_stages < 1 || schedule->n_microbatches < 0 || schedule->n_instructions < 1
			|| schedule->n_edges < 0)
		return perseus__fail(err, PERSEUS_INTERNAL,
				"schedule %.60s has %d ranks, %d stages, %d microbatches, %d "
				"instructions, %d edges",
				schedule->name, schedule->n_ranks, schedule->n_stages, schedule->n_microbatches,
				schedule->n_instructions, schedule->n_edges);
	if (schedule->rank_begin[0] != 0 || schedule->rank_begin[schedule->n_ranks] != schedule->n_instructions)
		return perseus__fail(err, PERSEUS_INTERNAL, "ranks span instructions %d to %d of %d", schedule->rank_begin[0],
				schedule->rank_begin[schedule->n_ranks], schedule->n_instructions);
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++)
		if (schedule->rank_begin[rank + 1] <= schedule->rank_begin[rank])
			return perseus__fail(err, PERSEUS_INTERNAL, "rank %d is empty", rank);
	return PERSEUS_OK;
}

static bool
needs_microbatch(enum perseus_kind kind)
{
	return kind == PERSEUS_KIND_FORWARD || kind == PERSEUS_KIND_BACKWARD || kind == PERSEUS_KIND_INPUT
			|| kind == PERSEUS_KIND_WEIGHT || kind == PERSEUS_KIND_RECOMPUTE || kind == PERSEUS_KIND_DATA_LOAD;
}

static const char *
fault_of_part(const struct perseus_schedule *schedule, const struct perseus_part *part)
{
	if ((unsigned)part->kind > PERSEUS_KIND_OTHER || part->kind == PERSEUS_KIND_OVERLAP)
		return "has a part of no valid kind";
	if (part->stage < 0 || part->stage >= schedule->n_stages)
		return "has a stage out of range";
	if (part->microbatch < -1 || part->microbatch >= schedule->n_microbatches)
		return "has a microbatch out of range";
	if (part->microbatch < 0 && needs_microbatch(part->kind))
		return "lacks a microbatch";
	return NULL;
}

static const char *
fault_of_instruction(const struct perseus_schedule *schedule, const struct perseus_instruction *instruction)
{
	if (instruction->n_parts != (instruction->kind == PERSEUS_KIND_OVERLAP ? 2 : 1))
		return "has a wrong number of parts";
	if (instruction->kind != PERSEUS_KIND_OVERLAP && instruction->part[0].kind != instruction->kind)
		return "is of another kind than its part";
	if (instruction->stage != instruction->part[0].stage || instruction->microbatch != instruction->part[0].microbatch)
		return "differs from its first part";
	if (!instruction->class_name || !*instruction->class_name)
		return "has no class";
	for (int32_t p = 0; p < instruction->n_parts; p++) {
		const char *fault = fault_of_part(schedule, &instruction->part[p]);
		if (fault)
			return fault;
	}
	return NULL;
}

static enum perseus_status
check_instructions(const struct perseus_schedule *schedule, struct perseus_error *err)
{
	bool *has_stage = perseus__new_array((size_t)schedule->n_stages, sizeof *has_stage);
	if (!has_stage)
		return perseus__no_memory(err);
	enum perseus_status status = PERSEUS_OK;
	int32_t rank = 0;
	for (int32_t i = 0; i < schedule->n_instructions && status == PERSEUS_OK; i++) {
		const struct perseus_instruction *instruction = &schedule->instructions[i];
		while (i >= schedule->rank_begin[rank + 1])
			rank++;
		const char *fault = instruction->rank == rank ? fault_of_instruction(schedule, instruction)
													  : "lies on another rank than it says";
		if (fault)
			status = perseus__fail(err, PERSEUS_INTERNAL, "instruction %d of rank %d %s", i, rank, fault);
		for (int32_t p = 0; !fault && p < instruction->n_parts; p++)
			has_stage[instruction->part[p].stage] = true;
	}
	for (int32_t stage = 0; stage < schedule->n_stages && status == PERSEUS_OK; stage++)
		if (!has_stage[stage])
			status = perseus__fail(err, PERSEUS_INTERNAL, "stage %d has no instruction", stage);
	perseus__free(has_stage);
	return status;
}

/* Since the edges ascend strictly, the order within ranks is whole when as many consecutive pairs have one. */
static enum perseus_status
check_edges(const struct perseus_schedule *schedule, struct perseus_error *err)
{
	const struct perseus_instruction *instructions = schedule->instructions;
	int32_t n_consecutive = 0;
	for (int32_t e = 0; e < schedule->n_edges; e++) {
		const struct perseus_edge *edge = &schedule->edges[e];
		if (edge->from < 0 || edge->from >= schedule->n_instructions || edge->to < 0
				|| edge->to >= schedule->n_instructions || edge->from == edge->to)
			return perseus__fail(err, PERSEUS_INTERNAL, "edge %d leads from %d to %d", e, edge->from, edge->to);
		if (e > 0 && (edge[-1].from > edge->from || (edge[-1].from == edge->from && edge[-1].to >= edge->to)))
			return perseus__fail(err, PERSEUS_INTERNAL, "edge %d is not behind the one before it", e);
		const bool is_same_rank = instructions[edge->from].rank == instructions[edge->to].rank;
		if (is_same_rank && edge->is_transfer)
			return perseus__fail(
					err, PERSEUS_INTERNAL, "edge %d is a transfer within rank %d", e, instructions[edge->from].rank);
		if (is_same_rank && edge->to < edge->from)
			return perseus__fail(
					err, PERSEUS_INTERNAL, "edge %d leads back on rank %d", e, instructions[edge->from].rank);
		n_consecutive += is_same_rank && edge->to == edge->from + 1;
	}
	if (n_consecutive != schedule->n_instructions - schedule->n_ranks)
		return perseus__fail(err, PERSEUS_INTERNAL, "%d edges make up the order within ranks: expected %d",
				n_consecutive, schedule->n_instructions - schedule->n_ranks);
	return PERSEUS_OK;
}

/* Runs whatever is ready until nothing is; everything must have run. */
static enum perseus_status
check_runs(const struct perseus_schedule *schedule, struct perseus_error *err)
{
	const size_t n = (size_t)schedule->n_instructions;
	int32_t *n_missing = perseus__new_array(n, sizeof *n_missing);
	int32_t *first_edge = perseus__new_array(n + 1, sizeof *first_edge);
	int32_t *ready = perseus__new_array(n, sizeof *ready);
	enum perseus_status status = PERSEUS_OK;
	if (!n_missing || !first_edge || !ready) {
		status = perseus__no_memory(err);
		goto done;
	}
	int32_t edge = 0;
	for (int32_t i = 0; i <= schedule->n_instructions; i++) {
		while (edge < schedule->n_edges && schedule->edges[edge].from < i)
			edge++;
		first_edge[i] = edge;
	}
	for (int32_t e = 0; e < schedule->n_edges; e++)
		n_missing[schedule->edges[e].to]++;
	int32_t n_ready = 0, n_run = 0;
	for (int32_t i = 0; i < schedule->n_instructions; i++)
		if (n_missing[i] == 0)
			ready[n_ready++] = i;
	while (n_ready > 0) {
		const int32_t i = ready[--n_ready];
		n_run++;
		for (int32_t e = first_edge[i]; e < first_edge[i + 1]; e++)
			if (--n_missing[schedule->edges[e].to] == 0)
				ready[n_ready++] = schedule->edges[e].to;
	}
	if (n_run < schedule->n_instructions)
		status = perseus__fail(err, PERSEUS_INTERNAL, "%d of %d instructions can never start",
				schedule->n_instructions - n_run, schedule->n_instructions);
done:
	perseus__free(n_missing);
	perseus__free(first_edge);
	perseus__free(ready);
	return status;
}

enum perseus_status
perseus_schedule_check(const struct perseus_schedule *schedule, struct perseus_error *err)
{
	enum perseus_status status = check_counts(schedule, err);
	if (status == PERSEUS_OK)
		status = check_instructions(schedule, err);
	if (status == PERSEUS_OK)
		status = check_edges(schedule, err);
	if (status == PERSEUS_OK)
		status = check_runs(schedule, err);
	if (status == PERSEUS_OK && schedule->has_derived_edges)
		status = perseus__check_dependencies(schedule, err);
	return status;
}
