/* Writes the tuples that Zeus keeps its clocks in. */
#include "format/zeus_tuples.h"

#include "format/number.h"

#include <string.h>

/* What Zeus calls an instruction; NULL where it is not told of it. */
static const char *
zeus_name(const struct perseus_instruction *instruction)
{
	switch (instruction->kind) {
	case PERSEUS_KIND_FORWARD:
	case PERSEUS_KIND_BACKWARD:
	case PERSEUS_KIND_INPUT:
	case PERSEUS_KIND_WEIGHT:
	case PERSEUS_KIND_RECOMPUTE:
	case PERSEUS_KIND_OVERLAP:
		return perseus_kind_name(instruction->kind);
	case PERSEUS_KIND_DATA_LOAD:
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_GRAD_REDUCE:
	case PERSEUS_KIND_OPTIMIZER_STEP:
		return NULL;
	case PERSEUS_KIND_OTHER:
		break;
	}
	return instruction->class_name;
}

static void
add_name(struct perseus__text *text, const char *name)
{
	perseus__text_add(text, "'", 1);
	for (; *name; name++) {
		if (*name == '\'' || *name == '\\')
			perseus__text_add(text, "\\", 1);
		perseus__text_add(text, name, 1);
	}
	perseus__text_add(text, "'", 1);
}

static void
add_comment(struct perseus__text *text, const char *what, double value, const char *unit)
{
	char number[PERSEUS__NUMBER_BYTES];
	perseus__double_text(value, number);
	perseus__text_addf(text, "# %s: %s %s\n", what, number, unit);
}

void
perseus__zeus_write(
		struct perseus__text *text, const struct perseus_schedule *schedule, const struct perseus_plan *plan)
{
	perseus__text_addf(text, "[\n");
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		perseus__text_addf(text, "[");
		for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
			const char *name = zeus_name(&schedule->instructions[i]);
			if (!name)
				continue;
			perseus__text_addf(text, "(");
			add_name(text, name);
			perseus__text_addf(text, ", %d), ", plan->steps[i].frequency_mhz);
		}
		perseus__text_addf(text, "],\n");
	}
	perseus__text_addf(text, "]\n");
	add_comment(text, "iteration time", (double)plan->outcome.iteration_time_ns / 1e9, "s");
	add_comment(text, "total energy of one GPU per stage", (double)plan->outcome.energy_nj / 1e9, "J");
}
