/* A schedule as PyTorch's pipeline CSV, so that torchtitan can run what was generated here. */
#include "base/error.h"
#include "base/memory.h"
#include "format/pytorch_csv.h"

#include <stdbool.h>

enum fate { WRITE, LEAVE_OUT, REFUSE };

static enum fate
fate_of(const struct perseus_instruction *instruction)
{
	switch (instruction->kind) {
	case PERSEUS_KIND_FORWARD:
	case PERSEUS_KIND_BACKWARD:
	case PERSEUS_KIND_INPUT:
	case PERSEUS_KIND_WEIGHT:
		return WRITE;
	case PERSEUS_KIND_OVERLAP:
		return instruction->part[0].kind == PERSEUS_KIND_FORWARD
						&& (instruction->part[1].kind == PERSEUS_KIND_BACKWARD
								|| instruction->part[1].kind == PERSEUS_KIND_INPUT)
				? WRITE
				: REFUSE;
	case PERSEUS_KIND_DATA_LOAD:
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_GRAD_REDUCE:
	case PERSEUS_KIND_OPTIMIZER_STEP:
		return LEAVE_OUT;
	case PERSEUS_KIND_RECOMPUTE:
	case PERSEUS_KIND_OTHER:
		break;
	}
	return REFUSE;
}

static enum perseus_status
check_instruction(const struct perseus_instruction *instruction, int32_t *rank_of_stage, struct perseus_error *err)
{
	char text[128];
	perseus_instruction_text(instruction, text, sizeof text);
	if (fate_of(instruction) == REFUSE)
		return perseus__fail(
				err, PERSEUS_INVALID, "rank %d: %s: PyTorch's CSV has no word for it", instruction->rank, text);
	for (int32_t p = 0; p < instruction->n_parts; p++) {
		int32_t *rank = &rank_of_stage[instruction->part[p].stage];
		if (*rank >= 0 && *rank != instruction->rank)
			return perseus__fail(err, PERSEUS_INVALID,
					"rank %d: %s: stage %d is on rank %d too: PyTorch's CSV has a stage on one rank", instruction->rank,
					text, instruction->part[p].stage, *rank);
		*rank = instruction->rank;
	}
	return PERSEUS_OK;
}

static enum perseus_status
check_all(const struct perseus_schedule *schedule, struct perseus_error *err)
{
	int32_t *rank_of_stage = perseus__new_array((size_t)schedule->n_stages, sizeof *rank_of_stage);
	if (!rank_of_stage)
		return perseus__no_memory(err);
	for (int32_t stage = 0; stage < schedule->n_stages; stage++)
		rank_of_stage[stage] = -1;
	enum perseus_status status = PERSEUS_OK;
	for (int32_t i = 0; i < schedule->n_instructions && status == PERSEUS_OK; i++)
		status = check_instruction(&schedule->instructions[i], rank_of_stage, err);
	perseus__free(rank_of_stage);
	return status;
}

enum perseus_status
perseus__pytorch_csv_write(
		const struct perseus_schedule *schedule, struct perseus__text *text, struct perseus_error *err)
{
	const enum perseus_status status = check_all(schedule, err);
	if (status != PERSEUS_OK)
		return status;
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		const char *separator = "";
		for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
			if (fate_of(&schedule->instructions[i]) == LEAVE_OUT)
				continue;
			char action[128];
			perseus_instruction_text(&schedule->instructions[i], action, sizeof action);
			perseus__text_addf(text, "%s%s", separator, action);
			separator = ",";
		}
		perseus__text_add(text, "\r\n", 2);
	}
	return text->failed ? perseus__no_memory(err) : PERSEUS_OK;
}
