/*
 * Validation of orders from outside, after PyTorch's _validate_schedule and stricter: whatever passes has every
 * instruction that the rules of the kinds refer to. Deadlocks are found later.
 */
#include "pipeline/validate.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES = 120 };

static void
part_text(const struct perseus_part *part, char *text, size_t size)
{
	const struct perseus_instruction instruction = {.part = {*part}, .n_parts = 1};
	perseus_instruction_text(&instruction, text, size);
}

enum perseus_status
perseus__order_fault(const struct perseus__builder *builder, int32_t index, const char *reason,
		const struct perseus_part *other, struct perseus_error *err)
{
	const struct perseus_instruction *instruction = &builder->instructions[index];
	char text[TEXT_BYTES], other_text[TEXT_BYTES] = "";
	perseus_instruction_text(instruction, text, sizeof text);
	if (other)
		part_text(other, other_text, sizeof other_text);
	return perseus__fail(err, PERSEUS_INVALID, "rank %d, position %d (%s): %s%s%s", instruction->rank,
			index - builder->rank_begin[instruction->rank], text, reason, other ? " " : "", other_text);
}

/* What may be there only once. Parts of different roles never clash. */
enum role {
	ROLE_NONE,
	ROLE_DATA_LOAD,
	ROLE_FORWARD,
	ROLE_RECOMPUTE,
	ROLE_BACKWARD,
	ROLE_WEIGHT,
	ROLE_REDUCE,
	ROLE_STEP
};

static enum role
role_of(enum perseus_kind kind)
{
	switch (kind) {
	case PERSEUS_KIND_DATA_LOAD:
		return ROLE_DATA_LOAD;
	case PERSEUS_KIND_FORWARD:
		return ROLE_FORWARD;
	case PERSEUS_KIND_RECOMPUTE:
		return ROLE_RECOMPUTE;
	case PERSEUS_KIND_BACKWARD:
	case PERSEUS_KIND_INPUT:
		return ROLE_BACKWARD;
	case PERSEUS_KIND_WEIGHT:
		return ROLE_WEIGHT;
	case PERSEUS_KIND_GRAD_REDUCE:
		return ROLE_REDUCE;
	case PERSEUS_KIND_OPTIMIZER_STEP:
		return ROLE_STEP;
	case PERSEUS_KIND_OVERLAP:
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_OTHER:
		break;
	}
	return ROLE_NONE;
}

struct use {
	enum role role;
	int32_t rank; /* where it belongs to the identity: reductions and optimizer steps; else 0 */
	int32_t stage;
	int32_t microbatch;
	int32_t index;
};

static int
compare_identity(const struct use *a, const struct use *b)
{
	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->stage != b->stage)
		return a->stage < b->stage ? -1 : 1;
	return (a->microbatch > b->microbatch) - (a->microbatch < b->microbatch);
}

static int
compare_use(const void *left, const void *right)
{
	const struct use *a = left, *b = right;
	const int order = compare_identity(a, b);
	return order ? order : (a->index > b->index) - (a->index < b->index);
}

static size_t
collect_uses(const struct perseus__builder *builder, bool is_explicit, struct use *uses)
{
	size_t n = 0;
	for (size_t i = 0; i < builder->n_instructions; i++) {
		const struct perseus_instruction *instruction = &builder->instructions[i];
		for (int32_t p = 0; p < instruction->n_parts; p++) {
			const struct perseus_part *part = &instruction->part[p];
			const enum role role = role_of(part->kind);
			if (role == ROLE_NONE)
				continue;
			uses[n++] = (struct use){
				.role = role,
				.rank = role == ROLE_REDUCE || role == ROLE_STEP ? instruction->rank : 0,
				.stage = role == ROLE_STEP ? 0 : part->stage,
				.microbatch = role == ROLE_STEP && !is_explicit ? -1 : part->microbatch,
				.index = (int32_t)i,
			};
		}
	}
	return n;
}

static enum perseus_status
check_duplicates(const struct perseus__builder *builder, bool is_explicit, struct perseus_error *err)
{
	struct use *uses = perseus__new_array(2 * builder->n_instructions, sizeof *uses);
	if (!uses)
		return perseus__no_memory(err);
	const size_t n = collect_uses(builder, is_explicit, uses);
	qsort(uses, n, sizeof *uses, compare_use);
	enum perseus_status status = PERSEUS_OK;
	for (size_t i = 1; i < n && status == PERSEUS_OK; i++) {
		if (compare_identity(&uses[i - 1], &uses[i]) != 0)
			continue;
		char first[TEXT_BYTES];
		const struct perseus_instruction *instruction = &builder->instructions[uses[i - 1].index];
		perseus_instruction_text(instruction, first, sizeof first);
		char reason[TEXT_BYTES + 100];
		(void)snprintf(reason, sizeof reason, "a duplicate: rank %d has %s at position %d already", instruction->rank,
				first, uses[i - 1].index - builder->rank_begin[instruction->rank]);
		status = perseus__order_fault(builder, uses[i].index, reason, NULL, err);
	}
	perseus__free(uses);
	return status;
}

/* Sets n_stages. `rank_of_stage`, length PERSEUS__MAX_STAGES, is scratch filled with -1. */
static enum perseus_status
check_stages(struct perseus__builder *builder, bool is_explicit, int32_t *rank_of_stage, struct perseus_error *err)
{
	int32_t n_stages = 0;
	for (size_t i = 0; i < builder->n_instructions; i++) {
		const struct perseus_instruction *instruction = &builder->instructions[i];
		for (int32_t p = 0; p < instruction->n_parts; p++) {
			const int32_t stage = instruction->part[p].stage;
			if (!is_explicit && rank_of_stage[stage] >= 0 && rank_of_stage[stage] != instruction->rank) {
				char reason[TEXT_BYTES];
				(void)snprintf(reason, sizeof reason, "stage %d is on rank %d already: a stage lies on one rank", stage,
						rank_of_stage[stage]);
				return perseus__order_fault(builder, (int32_t)i, reason, NULL, err);
			}
			rank_of_stage[stage] = instruction->rank;
			if (stage >= n_stages)
				n_stages = stage + 1;
		}
	}
	for (int32_t stage = 0; stage < n_stages; stage++)
		if (rank_of_stage[stage] < 0)
			return perseus__fail(
					err, PERSEUS_INVALID, "stage %d is missing: there are stages up to %d", stage, n_stages - 1);
	builder->n_stages = n_stages;
	return PERSEUS_OK;
}

/* Indices of the instructions of a (stage, microbatch); -1: none. */
struct cell {
	int32_t data_load, forward, recompute, backward, weight;
};

static enum perseus_status
fail_missing_forward(
		const struct perseus__builder *builder, int32_t stage, int32_t n_microbatches, struct perseus_error *err)
{
	bool *has = perseus__new_array((size_t)n_microbatches, sizeof *has);
	if (!has)
		return perseus__no_memory(err);
	for (size_t i = 0; i < builder->n_instructions; i++) {
		for (int32_t p = 0; p < builder->instructions[i].n_parts; p++) {
			const struct perseus_part *part = &builder->instructions[i].part[p];
			if (part->kind == PERSEUS_KIND_FORWARD && part->stage == stage && part->microbatch < n_microbatches)
				has[part->microbatch] = true;
		}
	}
	int32_t missing = 0;
	while (missing < n_microbatches - 1 && has[missing])
		missing++;
	perseus__free(has);
	return perseus__fail(err, PERSEUS_INVALID,
			"stage %d: %dF%d is missing: every stage needs forwards of microbatches 0 to %d", stage, stage, missing,
			n_microbatches - 1);
}

/* Sets n_microbatches: as many as the stage with most forwards has. Duplicates have been ruled out. */
static enum perseus_status
check_forwards(struct perseus__builder *builder, struct perseus_error *err)
{
	int32_t *n_forwards = perseus__new_array((size_t)builder->n_stages, sizeof *n_forwards);
	int32_t *highest = perseus__new_array((size_t)builder->n_stages, sizeof *highest);
	enum perseus_status status = PERSEUS_OK;
	int32_t most = 0;
	if (!n_forwards || !highest) {
		status = perseus__no_memory(err);
		goto done;
	}
	for (size_t i = 0; i < builder->n_instructions; i++) {
		for (int32_t p = 0; p < builder->instructions[i].n_parts; p++) {
			const struct perseus_part *part = &builder->instructions[i].part[p];
			if (part->kind != PERSEUS_KIND_FORWARD)
				continue;
			if (++n_forwards[part->stage] > most)
				most = n_forwards[part->stage];
			if (part->microbatch > highest[part->stage])
				highest[part->stage] = part->microbatch;
		}
	}
	if (most == 0)
		status = perseus__fail(err, PERSEUS_INVALID, "no forward in the whole order");
	for (int32_t stage = 0; stage < builder->n_stages && status == PERSEUS_OK; stage++)
		if (n_forwards[stage] < most || highest[stage] >= most)
			status = fail_missing_forward(builder, stage, most, err);
	builder->n_microbatches = most;
done:
	perseus__free(n_forwards);
	perseus__free(highest);
	return status;
}

static enum perseus_status
fill_cells(const struct perseus__builder *builder, struct cell *cells, struct perseus_error *err)
{
	const size_t n_microbatches = (size_t)builder->n_microbatches;
	for (size_t c = 0; c < (size_t)builder->n_stages * n_microbatches; c++)
		cells[c] = (struct cell){-1, -1, -1, -1, -1};
	for (size_t i = 0; i < builder->n_instructions; i++) {
		for (int32_t p = 0; p < builder->instructions[i].n_parts; p++) {
			const struct perseus_part *part = &builder->instructions[i].part[p];
			const enum role role = role_of(part->kind);
			if (part->microbatch >= builder->n_microbatches)
				return perseus__order_fault(builder, (int32_t)i, "there is no forward of this microbatch", NULL, err);
			if (role == ROLE_NONE || role == ROLE_REDUCE || role == ROLE_STEP)
				continue;
			struct cell *cell = &cells[(size_t)part->stage * n_microbatches + (size_t)part->microbatch];
			int32_t *slot = role == ROLE_DATA_LOAD ? &cell->data_load
					: role == ROLE_FORWARD         ? &cell->forward
					: role == ROLE_RECOMPUTE       ? &cell->recompute
					: role == ROLE_BACKWARD        ? &cell->backward
												   : &cell->weight;
			*slot = (int32_t)i;
		}
	}
	return PERSEUS_OK;
}

static bool
has_part(const struct perseus__builder *builder, int32_t index, const struct perseus_part *part)
{
	const struct perseus_instruction *instruction = &builder->instructions[index];
	for (int32_t p = 0; p < instruction->n_parts; p++)
		if (instruction->part[p].kind == part->kind && instruction->part[p].stage == part->stage
				&& instruction->part[p].microbatch == part->microbatch)
			return true;
	return false;
}

/* All on one rank by now, so that positions compare. */
static enum perseus_status
check_cell(const struct perseus__builder *builder, const struct cell *cell, int32_t stage, int32_t microbatch,
		struct perseus_error *err)
{
	const struct perseus_part forward = {PERSEUS_KIND_FORWARD, stage, microbatch};
	const struct perseus_part backward = {PERSEUS_KIND_BACKWARD, stage, microbatch};
	const struct perseus_part input = {PERSEUS_KIND_INPUT, stage, microbatch};
	const struct perseus_part weight = {PERSEUS_KIND_WEIGHT, stage, microbatch};
	if (cell->backward < 0 && cell->weight >= 0)
		return perseus__order_fault(builder, cell->weight, "lacks its", &input, err);
	if (cell->backward < 0)
		return perseus__fail(err, PERSEUS_INVALID,
				"stage %d: %dB%d is missing: every forward needs a backward, or an input and a weight gradient", stage,
				stage, microbatch);
	const bool is_split = has_part(builder, cell->backward, &input);
	if (is_split && cell->weight < 0)
		return perseus__order_fault(builder, cell->backward, "lacks its", &weight, err);
	if (!is_split && cell->weight >= 0)
		return perseus__order_fault(builder, cell->weight, "a weight gradient beside the full", &backward, err);
	if (cell->data_load > cell->forward)
		return perseus__order_fault(builder, cell->data_load, "comes after its", &forward, err);
	if (cell->backward <= cell->forward)
		return perseus__order_fault(builder, cell->backward, "comes before its", &forward, err);
	if (is_split && cell->weight <= cell->backward)
		return perseus__order_fault(builder, cell->weight, "comes before its", &input, err);
	if (cell->recompute >= 0 && cell->recompute <= cell->forward)
		return perseus__order_fault(builder, cell->recompute, "comes before its", &forward, err);
	if (cell->recompute >= cell->backward)
		return perseus__order_fault(builder, cell->recompute, "comes after its", is_split ? &input : &backward, err);
	return PERSEUS_OK;
}

static enum perseus_status
check_cells(const struct perseus__builder *builder, struct perseus_error *err)
{
	const size_t n_microbatches = (size_t)builder->n_microbatches;
	/* As many cells as forwards: no more than there are instructions. */
	struct cell *cells = perseus__new_array((size_t)builder->n_stages * n_microbatches, sizeof *cells);
	if (!cells)
		return perseus__no_memory(err);
	enum perseus_status status = fill_cells(builder, cells, err);
	for (int32_t stage = 0; stage < builder->n_stages && status == PERSEUS_OK; stage++)
		for (int32_t m = 0; m < builder->n_microbatches && status == PERSEUS_OK; m++)
			status = check_cell(builder, &cells[(size_t)stage * n_microbatches + (size_t)m], stage, m, err);
	perseus__free(cells);
	return status;
}

static void
count_microbatches(struct perseus__builder *builder)
{
	for (size_t i = 0; i < builder->n_instructions; i++)
		for (int32_t p = 0; p < builder->instructions[i].n_parts; p++)
			if (builder->instructions[i].part[p].microbatch >= builder->n_microbatches)
				builder->n_microbatches = builder->instructions[i].part[p].microbatch + 1;
}

enum perseus_status
perseus__order_validate(struct perseus__builder *builder, bool is_explicit, struct perseus_error *err)
{
	int32_t *rank_of_stage = perseus__new_array(PERSEUS__MAX_STAGES, sizeof *rank_of_stage);
	if (!rank_of_stage)
		return perseus__no_memory(err);
	for (int32_t stage = 0; stage < PERSEUS__MAX_STAGES; stage++)
		rank_of_stage[stage] = -1;
	enum perseus_status status = check_stages(builder, is_explicit, rank_of_stage, err);
	perseus__free(rank_of_stage);
	if (status == PERSEUS_OK)
		status = check_duplicates(builder, is_explicit, err);
	if (status != PERSEUS_OK)
		return status;
	if (is_explicit) {
		count_microbatches(builder);
		return PERSEUS_OK;
	}
	status = check_forwards(builder, err);
	return status == PERSEUS_OK ? check_cells(builder, err) : status;
}
