/* Instructions as text, in PyTorch's spelling. */
#include <perseus/schedule.h>

#include <stdio.h>

const char *
perseus_kind_name(enum perseus_kind kind)
{
	switch (kind) {
#define X(name, text)         \
	case PERSEUS_KIND_##name: \
		return text;
		PERSEUS_KIND_MAP(X)
#undef X
	}
	return "unknown";
}

static const char *
spelling(enum perseus_kind kind)
{
	switch (kind) {
	case PERSEUS_KIND_FORWARD:
		return "F";
	case PERSEUS_KIND_BACKWARD:
		return "B";
	case PERSEUS_KIND_INPUT:
		return "I";
	case PERSEUS_KIND_WEIGHT:
		return "W";
	case PERSEUS_KIND_RECOMPUTE:
		return "R";
	case PERSEUS_KIND_OVERLAP:
		return "OVERLAP_F_B";
	case PERSEUS_KIND_DATA_LOAD:
		return "DATA_LOAD";
	case PERSEUS_KIND_UNSHARD:
		return "UNSHARD";
	case PERSEUS_KIND_RESHARD:
		return "RESHARD";
	case PERSEUS_KIND_GRAD_REDUCE:
		return "REDUCE_GRAD";
	case PERSEUS_KIND_OPTIMIZER_STEP:
		return "OPTIMIZER_STEP";
	case PERSEUS_KIND_OTHER:
		return "OTHER";
	}
	return "UNKNOWN";
}

enum { PART_BYTES = 48 };

static void
part_text(const struct perseus_part *part, char text[PART_BYTES])
{
	const char *word = spelling(part->kind);
	if (part->kind == PERSEUS_KIND_OPTIMIZER_STEP)
		(void)snprintf(text, PART_BYTES, "%s", word);
	else if (part->microbatch < 0)
		(void)snprintf(text, PART_BYTES, "%d%s", part->stage, word);
	else
		(void)snprintf(text, PART_BYTES, "%d%s%d", part->stage, word, part->microbatch);
}

void
perseus_instruction_text(const struct perseus_instruction *instruction, char *text, size_t size)
{
	char first[PART_BYTES], second[PART_BYTES];
	if (size == 0)
		return;
	part_text(&instruction->part[0], first);
	if (instruction->n_parts < 2) {
		(void)snprintf(text, size, "%s", first);
		return;
	}
	part_text(&instruction->part[1], second);
	(void)snprintf(text, size, "(%s;%s)%s", first, second, spelling(PERSEUS_KIND_OVERLAP));
}
