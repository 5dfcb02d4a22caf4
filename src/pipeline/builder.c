/*
 * Growing a schedule and finishing it: instructions in order in, read-only schedule out.
 * Ownership of everything a schedule points to lies here.
 */
#include "pipeline/builder.h"

#include "base/error.h"
#include "base/memory.h"
#include "pipeline/deadlock.h"
#include "pipeline/rules.h"

#include <string.h>

/* What a schedule owns; the view comes first so that one can be had from the other. */
struct owned_schedule {
	struct perseus_schedule view;
	char *class_names;
};

enum perseus_status
perseus__builder_init(struct perseus__builder *builder, int32_t n_ranks, size_t n_expected, struct perseus_error *err)
{
	struct perseus__builder made = {.n_ranks = n_ranks, .rank = -1};
	made.rank_begin = perseus__new_array((size_t)n_ranks + 1, sizeof *made.rank_begin);
	if (!made.rank_begin
			|| !perseus__reserve(&made.instructions, &made.capacity, n_expected, sizeof *made.instructions)) {
		perseus__builder_fini(&made);
		return perseus__no_memory(err);
	}
	*builder = made;
	return PERSEUS_OK;
}

void
perseus__builder_fini(struct perseus__builder *builder)
{
	perseus__free(builder->instructions);
	perseus__free(builder->rank_begin);
	*builder = (struct perseus__builder){.rank = -1};
}

void
perseus__builder_next_rank(struct perseus__builder *builder)
{
	builder->rank++;
	builder->rank_begin[builder->rank] = (int32_t)builder->n_instructions;
	builder->rank_begin[builder->rank + 1] = (int32_t)builder->n_instructions;
}

static bool
make_room(struct perseus__builder *builder, size_t n_more)
{
	if (!builder->out_of_memory
			&& !perseus__reserve(&builder->instructions, &builder->capacity, builder->n_instructions + n_more,
					sizeof *builder->instructions))
		builder->out_of_memory = true;
	return !builder->out_of_memory;
}

void
perseus__builder_push(struct perseus__builder *builder, const struct perseus_instruction *instruction)
{
	if (!make_room(builder, 1))
		return;
	builder->instructions[builder->n_instructions] = *instruction;
	builder->instructions[builder->n_instructions++].rank = builder->rank;
	builder->rank_begin[builder->rank + 1] = (int32_t)builder->n_instructions;
}

static struct perseus_instruction
single(enum perseus_kind kind, int32_t stage, int32_t microbatch, const char *class_name)
{
	return (struct perseus_instruction){
		.kind = kind,
		.stage = stage,
		.microbatch = microbatch,
		.class_name = class_name,
		.part = {{.kind = kind, .stage = stage, .microbatch = microbatch}},
		.n_parts = 1,
	};
}

static void
push_data_load(struct perseus__builder *builder, struct perseus_part part)
{
	if (!builder->data_load || part.kind != PERSEUS_KIND_FORWARD || part.stage != 0)
		return;
	const struct perseus_instruction load =
			single(PERSEUS_KIND_DATA_LOAD, 0, part.microbatch, perseus_kind_name(PERSEUS_KIND_DATA_LOAD));
	perseus__builder_push(builder, &load);
}

void
perseus__builder_add_class(struct perseus__builder *builder, enum perseus_kind kind, int32_t stage, int32_t microbatch,
		const char *class_name)
{
	const struct perseus_instruction instruction = single(kind, stage, microbatch, class_name);
	push_data_load(builder, instruction.part[0]);
	perseus__builder_push(builder, &instruction);
}

void
perseus__builder_add(struct perseus__builder *builder, enum perseus_kind kind, int32_t stage, int32_t microbatch)
{
	perseus__builder_add_class(builder, kind, stage, microbatch, perseus_kind_name(kind));
}

void
perseus__builder_add_pair(struct perseus__builder *builder, struct perseus_part first, struct perseus_part second)
{
	push_data_load(builder, first);
	push_data_load(builder, second);
	const struct perseus_instruction pair = {
		.kind = PERSEUS_KIND_OVERLAP,
		.stage = first.stage,
		.microbatch = first.microbatch,
		.class_name = perseus_kind_name(PERSEUS_KIND_OVERLAP),
		.part = {first, second},
		.n_parts = 2,
	};
	perseus__builder_push(builder, &pair);
}

/* Marks, for every stage with a backward or weight gradient in first..end-1, the last one; returns how many stages. */
static size_t
find_last(const struct perseus__builder *builder, size_t first, int32_t *last_of_stage)
{
	for (size_t i = first; i < builder->n_instructions; i++)
		for (int32_t p = 0; p < builder->instructions[i].n_parts; p++)
			last_of_stage[builder->instructions[i].part[p].stage] = -1;
	size_t n_stages = 0;
	for (size_t i = first; i < builder->n_instructions; i++) {
		for (int32_t p = 0; p < builder->instructions[i].n_parts; p++) {
			const struct perseus_part *part = &builder->instructions[i].part[p];
			if (part->kind != PERSEUS_KIND_BACKWARD && part->kind != PERSEUS_KIND_WEIGHT)
				continue;
			n_stages += last_of_stage[part->stage] < 0;
			last_of_stage[part->stage] = (int32_t)i;
		}
	}
	return n_stages;
}

void
perseus__builder_add_reductions(struct perseus__builder *builder, int32_t *last_of_stage)
{
	if (builder->out_of_memory)
		return;
	const size_t first = (size_t)builder->rank_begin[builder->rank];
	const size_t n_added = find_last(builder, first, last_of_stage);
	if (!make_room(builder, n_added))
		return;
	/* From the back, so that every instruction moves once. */
	size_t to = builder->n_instructions + n_added;
	for (size_t i = builder->n_instructions; i-- > first;) {
		const struct perseus_instruction moved = builder->instructions[i];
		for (int32_t p = moved.n_parts - 1; p >= 0; p--) {
			const int32_t stage = moved.part[p].stage;
			const enum perseus_kind kind = moved.part[p].kind;
			if ((kind != PERSEUS_KIND_BACKWARD && kind != PERSEUS_KIND_WEIGHT) || last_of_stage[stage] != (int32_t)i)
				continue;
			builder->instructions[--to] =
					single(PERSEUS_KIND_GRAD_REDUCE, stage, -1, perseus_kind_name(PERSEUS_KIND_GRAD_REDUCE));
			builder->instructions[to].rank = builder->rank;
		}
		builder->instructions[--to] = moved;
	}
	builder->n_instructions += n_added;
	builder->rank_begin[builder->rank + 1] = (int32_t)builder->n_instructions;
}

enum perseus_status
perseus__builder_finish(struct perseus__builder *builder, const char *name, char *class_names,
		const struct perseus__extra_edges *extra, const struct perseus_schedule **out, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	struct owned_schedule *made = perseus__new_array(1, sizeof *made);
	if (!made) {
		perseus__free(class_names);
		status = perseus__no_memory(err);
		goto fail;
	}
	made->class_names = class_names;
	struct perseus_schedule *view = &made->view;
	const bool out_of_memory = builder->out_of_memory;
	view->name = perseus__copy_string(name);
	view->n_ranks = builder->n_ranks;
	view->n_stages = builder->n_stages;
	view->n_microbatches = builder->n_microbatches;
	view->n_instructions = (int32_t)builder->n_instructions;
	view->has_derived_edges = !extra->only;
	view->instructions = builder->instructions;
	view->rank_begin = builder->rank_begin;
	*builder = (struct perseus__builder){.rank = -1};
	if (!view->name || out_of_memory) {
		status = perseus__no_memory(err);
		goto fail;
	}
	struct perseus_edge *edges = NULL;
	status = perseus__edges_derive(view, extra, &edges, &view->n_edges, err);
	if (status != PERSEUS_OK)
		goto fail;
	view->edges = edges;
	status = perseus__deadlock_check(view, err);
	if (status != PERSEUS_OK)
		goto fail;
	*out = view;
	return PERSEUS_OK;
fail:
	perseus__builder_fini(builder);
	if (made)
		perseus_schedule_free(&made->view);
	return status;
}

void
perseus_schedule_free(const struct perseus_schedule *schedule)
{
	if (!schedule)
		return;
	const struct owned_schedule *owned = (const struct owned_schedule *)schedule;
	perseus__free(owned->class_names);
	perseus__free(schedule->name);
	perseus__free(schedule->instructions);
	perseus__free(schedule->rank_begin);
	perseus__free(schedule->edges);
	perseus__free(owned);
}
