/*
 * Taking an order from outside. Every field is checked here; the order as a whole in validate.c.
 */
#include "base/error.h"
#include "base/memory.h"
#include "pipeline/builder.h"
#include "pipeline/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum perseus_status
check_sizes(const struct perseus_order *order, struct perseus_error *err)
{
	if (order->n_ranks < 1 || order->n_ranks > PERSEUS__MAX_RANKS)
		return perseus__fail(err, PERSEUS_INVALID, "%d ranks: expected 1 to %d", order->n_ranks, PERSEUS__MAX_RANKS);
	if (order->rank_begin[0] != 0)
		return perseus__fail(err, PERSEUS_INVALID, "rank 0 begins at instruction %d: expected 0", order->rank_begin[0]);
	for (int32_t rank = 0; rank < order->n_ranks; rank++) {
		if (order->rank_begin[rank + 1] < order->rank_begin[rank])
			return perseus__fail(err, PERSEUS_INVALID, "rank %d ends before it begins", rank);
		if (order->rank_begin[rank + 1] == order->rank_begin[rank])
			return perseus__fail(err, PERSEUS_INVALID, "rank %d has no instructions", rank);
	}
	if (order->rank_begin[order->n_ranks] > PERSEUS__MAX_INSTRUCTIONS)
		return perseus__fail(err, PERSEUS_INVALID, "%d instructions: expected %d at most",
				order->rank_begin[order->n_ranks], PERSEUS__MAX_INSTRUCTIONS);
	if (order->n_extra_edges < 0 || order->n_extra_edges > PERSEUS__MAX_EXTRA_EDGES)
		return perseus__fail(err, PERSEUS_INVALID, "%d explicit edges: expected 0 to %d", order->n_extra_edges,
				PERSEUS__MAX_EXTRA_EDGES);
	return PERSEUS_OK;
}

/* Whether a kind is work on a microbatch, so that it may be half of a pair. */
static bool
is_computation(enum perseus_kind kind)
{
	return kind == PERSEUS_KIND_FORWARD || kind == PERSEUS_KIND_BACKWARD || kind == PERSEUS_KIND_INPUT
			|| kind == PERSEUS_KIND_WEIGHT || kind == PERSEUS_KIND_RECOMPUTE;
}

static enum perseus_status
check_part(const struct perseus_part *part, int32_t rank, int32_t position, struct perseus_error *err)
{
	if (part->stage < 0 || part->stage >= PERSEUS__MAX_STAGES)
		return perseus__fail(err, PERSEUS_INVALID, "rank %d, position %d (%s): stage %d: expected 0 to %d", rank,
				position, perseus_kind_name(part->kind), part->stage, PERSEUS__MAX_STAGES - 1);
	const int32_t least = is_computation(part->kind) || part->kind == PERSEUS_KIND_DATA_LOAD ? 0 : -1;
	if (part->microbatch < least || part->microbatch >= PERSEUS__MAX_MICROBATCHES)
		return perseus__fail(err, PERSEUS_INVALID, "rank %d, position %d (%s): microbatch %d: expected %s%d to %d",
				rank, position, perseus_kind_name(part->kind), part->microbatch, least < 0 ? "none (-1) or " : "", 0,
				PERSEUS__MAX_MICROBATCHES - 1);
	return PERSEUS_OK;
}

/* What no profile can have as a name of a class. */
static const char *
class_name_problem(const char *name)
{
	enum { MAX_BYTES = 64 };
	if (!*name)
		return "is empty";
	size_t length = 0;
	for (; name[length]; length++)
		if ((unsigned char)name[length] < ' ' || length == MAX_BYTES)
			return length == MAX_BYTES ? "has more than 64 bytes" : "has a control character in it";
	return NULL;
}

/* Fills what a caller may leave out, and checks the rest. */
static enum perseus_status
normalize(const struct perseus_instruction *given, int32_t rank, int32_t position,
		struct perseus_instruction *instruction, struct perseus_error *err)
{
	*instruction = *given;
	if ((unsigned)given->kind > PERSEUS_KIND_OTHER)
		return perseus__fail(
				err, PERSEUS_INVALID, "rank %d, position %d: unknown kind %d", rank, position, (int)given->kind);
	const bool is_pair = given->kind == PERSEUS_KIND_OVERLAP;
	if (is_pair ? given->n_parts != 2 : given->n_parts < 0 || given->n_parts > 1)
		return perseus__fail(err, PERSEUS_INVALID, "rank %d, position %d (%s): %d parts: expected %d", rank, position,
				perseus_kind_name(given->kind), given->n_parts, is_pair ? 2 : 1);
	if (is_pair) {
		instruction->stage = given->part[0].stage;
		instruction->microbatch = given->part[0].microbatch;
	} else {
		instruction->part[0] = (struct perseus_part){given->kind, given->stage, given->microbatch};
		instruction->part[1] = (struct perseus_part){0};
		instruction->n_parts = 1;
	}
	for (int32_t p = 0; p < instruction->n_parts; p++) {
		const struct perseus_part *part = &instruction->part[p];
		if (is_pair && !is_computation(part->kind))
			return perseus__fail(err, PERSEUS_INVALID,
					"rank %d, position %d (overlap): part %d is no forward, backward, input, weight or recompute", rank,
					position, p);
		const enum perseus_status status = check_part(part, rank, position, err);
		if (status != PERSEUS_OK)
			return status;
	}
	const char *problem = given->class_name ? class_name_problem(given->class_name) : NULL;
	if (problem)
		return perseus__fail(err, PERSEUS_INVALID, "rank %d, position %d (%s): class name %s", rank, position,
				perseus_kind_name(given->kind), problem);
	if (!given->class_name)
		instruction->class_name = perseus_kind_name(given->kind);
	return PERSEUS_OK;
}

static enum perseus_status
copy_instructions(const struct perseus_order *order, struct perseus__builder *builder, struct perseus_error *err)
{
	for (int32_t rank = 0; rank < order->n_ranks; rank++) {
		perseus__builder_next_rank(builder);
		for (int32_t i = order->rank_begin[rank]; i < order->rank_begin[rank + 1]; i++) {
			struct perseus_instruction instruction;
			const enum perseus_status status =
					normalize(&order->instructions[i], rank, i - order->rank_begin[rank], &instruction, err);
			if (status != PERSEUS_OK)
				return status;
			perseus__builder_push(builder, &instruction);
		}
	}
	return builder->out_of_memory ? perseus__no_memory(err) : PERSEUS_OK;
}

static int
compare_names(const void *left, const void *right)
{
	return strcmp((*(struct perseus_instruction *const *)left)->class_name,
			(*(struct perseus_instruction *const *)right)->class_name);
}

/* Points all class names into one block that the schedule will own, each name once. */
static enum perseus_status
intern_class_names(struct perseus__builder *builder, char **class_names, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	const size_t n = builder->n_instructions;
	struct perseus_instruction **by_name = perseus__new_array(n, sizeof *by_name);
	char *block = NULL;
	if (!by_name) {
		status = perseus__no_memory(err);
		goto done;
	}
	for (size_t i = 0; i < n; i++)
		by_name[i] = &builder->instructions[i];
	qsort(by_name, n, sizeof(struct perseus_instruction *), compare_names);
	size_t n_bytes = 0;
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare_names(&by_name[i - 1], &by_name[i]) != 0)
			n_bytes += strlen(by_name[i]->class_name) + 1;
	block = perseus__new_array(n_bytes, 1);
	if (!block) {
		status = perseus__no_memory(err);
		goto done;
	}
	char *next = block;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcmp(by_name[i - 1]->class_name, by_name[i]->class_name) != 0) {
			const size_t length = strlen(by_name[i]->class_name) + 1;
			memcpy(next, by_name[i]->class_name, length);
			by_name[i]->class_name = next;
			next += length;
		} else {
			by_name[i]->class_name = by_name[i - 1]->class_name;
		}
	}
	*class_names = block;
done:
	perseus__free(by_name);
	return status;
}

static enum perseus_status
check_extra_edges(const struct perseus_order *order, const struct perseus__builder *builder, struct perseus_error *err)
{
	const int32_t n = (int32_t)builder->n_instructions;
	for (int32_t e = 0; e < order->n_extra_edges; e++) {
		const struct perseus_edge *edge = &order->extra_edges[e];
		if (edge->from < 0 || edge->from >= n || edge->to < 0 || edge->to >= n)
			return perseus__fail(err, PERSEUS_INVALID, "explicit edge %d: from instruction %d to %d: expected 0 to %d",
					e, edge->from, edge->to, n - 1);
		if (edge->from == edge->to)
			return perseus__order_fault(builder, edge->to, "an explicit edge to itself", NULL, err);
		const bool is_same_rank = builder->instructions[edge->from].rank == builder->instructions[edge->to].rank;
		if (is_same_rank && edge->is_transfer)
			return perseus__order_fault(builder, edge->to, "an explicit transfer within a rank, from",
					&builder->instructions[edge->from].part[0], err);
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus_schedule_import(
		const struct perseus_order *order, const struct perseus_schedule **out, struct perseus_error *err)
{
	enum perseus_status status = check_sizes(order, err);
	if (status != PERSEUS_OK)
		return status;
	char *class_names = NULL;
	struct perseus__builder builder;
	status = perseus__builder_init(&builder, order->n_ranks, (size_t)order->rank_begin[order->n_ranks], err);
	if (status != PERSEUS_OK)
		return status;
	status = copy_instructions(order, &builder, err);
	if (status == PERSEUS_OK)
		status = perseus__order_validate(&builder, order->explicit_edges_only, err);
	if (status == PERSEUS_OK)
		status = check_extra_edges(order, &builder, err);
	if (status == PERSEUS_OK)
		status = intern_class_names(&builder, &class_names, err);
	if (status != PERSEUS_OK) {
		perseus__builder_fini(&builder);
		return status;
	}
	const struct perseus__extra_edges extra = {
		.edges = order->extra_edges,
		.n_edges = order->n_extra_edges,
		.only = order->explicit_edges_only,
	};
	return perseus__builder_finish(&builder, order->name ? order->name : "imported", class_names, &extra, out, err);
}
