/* The order of a step's instructions on this rank. */
#include "client/order.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/instruction_text.h"

void
perseus__order_fini(struct perseus__order *order)
{
	perseus__free(order->instructions);
	*order = (struct perseus__order){.n = 0};
}

enum perseus_status
perseus__order_add(
		struct perseus__order *order, const struct perseus_instruction *instruction, struct perseus_error *err)
{
	const size_t n = (size_t)order->n + 1;
	if (n > PERSEUS__MAX_ORDER
			|| !perseus__reserve(&order->instructions, &order->capacity, n, sizeof *order->instructions))
		return perseus__no_memory(err);
	order->instructions[order->n++] = *instruction;
	return PERSEUS_OK;
}

enum perseus_status
perseus__order_read(struct perseus__order *order, const char *const *texts, int32_t n, struct perseus_error *err)
{
	for (int32_t i = 0; i < n; i++) {
		struct perseus_instruction instruction;
		struct perseus_error why;
		if (perseus__instruction_parse(texts[i], &instruction, &why) != PERSEUS_OK)
			return perseus__fail(err, PERSEUS_INVALID, "order[%d]: %s", i, why.message);
		const enum perseus_status status = perseus__order_add(order, &instruction, err);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}

static bool
is_same_part(const struct perseus_part *part, const struct perseus_part *other)
{
	return part->kind == other->kind && part->stage == other->stage && part->microbatch == other->microbatch;
}

static bool
is_same(const struct perseus_instruction *one, const struct perseus_instruction *other)
{
	if (one->n_parts != other->n_parts || one->kind != other->kind)
		return false;
	for (int32_t i = 0; i < one->n_parts; i++)
		if (!is_same_part(&one->part[i], &other->part[i]))
			return false;
	return true;
}

bool
perseus__order_is_same(const struct perseus__order *order, const struct perseus__order *other)
{
	if (order->n != other->n)
		return false;
	for (int32_t i = 0; i < order->n; i++)
		if (!is_same(&order->instructions[i], &other->instructions[i]))
			return false;
	return true;
}

struct perseus_instruction
perseus__order_single(enum perseus_kind kind, int32_t stage, int32_t microbatch)
{
	return (struct perseus_instruction){.kind = kind,
		.stage = stage,
		.microbatch = microbatch,
		.part = {{.kind = kind, .stage = stage, .microbatch = microbatch}},
		.n_parts = 1};
}
