/*
 * Orders with several stages per rank: breadth first (Lamy-Poirier 2023), interleaved 1F1B (Narayanan et al. 2021) as
 * PyTorch and Megatron run it, and its zero-bubble form (PyTorch's InterleavedZeroBubble; ZB-H1 with one stage).
 */
#include "pipeline/generate.h"

void
perseus__emit_looped_bfs(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder)
{
	for (int32_t chunk = 0; chunk < shape->stages_per_rank; chunk++)
		for (int32_t m = 0; m < shape->n_microbatches; m++)
			perseus__builder_add(builder, PERSEUS_KIND_FORWARD, perseus__stage_of(shape, rank, chunk), m);
	for (int32_t chunk = shape->stages_per_rank - 1; chunk >= 0; chunk--)
		for (int32_t m = shape->n_microbatches - 1; m >= 0; m--)
			perseus__builder_add(builder, PERSEUS_KIND_BACKWARD, perseus__stage_of(shape, rank, chunk), m);
}

struct slot {
	int32_t chunk;
	int32_t microbatch;
};

/* Slot k of the walk over groups of microbatches, in each over chunks, in each over the group's microbatches. */
static struct slot
slot_at(const struct perseus__shape *shape, int32_t k)
{
	const int32_t group = k / (shape->group_size * shape->stages_per_rank);
	const int32_t first = group * shape->group_size;
	const int32_t left = shape->n_microbatches - first;
	const int32_t size = left < shape->group_size ? left : shape->group_size;
	const int32_t within = k - first * shape->stages_per_rank;
	return (struct slot){.chunk = within / size, .microbatch = first + within % size};
}

static void
emit_forward(const struct perseus__shape *shape, int32_t rank, int32_t k, struct perseus__builder *builder)
{
	const struct slot slot = slot_at(shape, k);
	perseus__builder_add(builder, PERSEUS_KIND_FORWARD, perseus__stage_of(shape, rank, slot.chunk), slot.microbatch);
}

/* Backwards walk the same slots, the chunks in reverse. */
static void
emit_backward(const struct perseus__shape *shape, int32_t rank, int32_t k, enum perseus_kind kind,
		struct perseus__builder *builder)
{
	const struct slot slot = slot_at(shape, k);
	const int32_t stage = perseus__stage_of(shape, rank, shape->stages_per_rank - 1 - slot.chunk);
	perseus__builder_add(builder, kind, stage, slot.microbatch);
}

static int32_t
warmup_slots(const struct perseus__shape *shape, int32_t rank, int32_t per_rank)
{
	const int32_t n_slots = shape->n_microbatches * shape->stages_per_rank;
	const int64_t warmup =
			(int64_t)(shape->stages_per_rank - 1) * shape->group_size + (int64_t)per_rank * (shape->n_ranks - 1 - rank);
	return warmup < n_slots ? (int32_t)warmup : n_slots;
}

void
perseus__emit_interleaved(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder)
{
	const int32_t n_slots = shape->n_microbatches * shape->stages_per_rank;
	const int32_t warmup = warmup_slots(shape, rank, 2);
	for (int32_t k = 0; k < warmup; k++)
		emit_forward(shape, rank, k, builder);
	for (int32_t k = 0; k < n_slots; k++) {
		if (warmup + k < n_slots)
			emit_forward(shape, rank, warmup + k, builder);
		emit_backward(shape, rank, k, PERSEUS_KIND_BACKWARD, builder);
	}
}

void
perseus__emit_zb1p(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder)
{
	const int32_t n_slots = shape->n_microbatches * shape->stages_per_rank;
	const int32_t warmup = warmup_slots(shape, rank, 1);
	int32_t weight = 0;
	for (int32_t k = 0; k < warmup; k++)
		emit_forward(shape, rank, k, builder);
	for (int32_t k = 0; k < n_slots; k++) {
		if (warmup + k < n_slots)
			emit_forward(shape, rank, warmup + k, builder);
		emit_backward(shape, rank, k, PERSEUS_KIND_INPUT, builder);
		if (k >= rank)
			emit_backward(shape, rank, weight++, PERSEUS_KIND_WEIGHT, builder);
	}
	while (weight < n_slots)
		emit_backward(shape, rank, weight++, PERSEUS_KIND_WEIGHT, builder);
}
