/*
 * Orders of the V family: ZBV (Qi et al. 2024), DualPipeV and DualPipe (DeepSeek-AI 2025). Every rank works on two
 * stages, from both ends of the model.
 */
#include "pipeline/generate.h"

/* Next microbatch of every kind of a rank working on one stage, or on one direction of DualPipe. */
struct end {
	int32_t stage;
	int32_t first; /* microbatches of this end are first .. first+n-1 */
	int32_t n;
	int32_t forward, backward, weight;
};

static void
zbv_next(struct perseus__builder *builder, struct end *end, enum perseus_kind kind, int32_t *next)
{
	const int32_t m = (*next)++;
	if (m < end->n)
		perseus__builder_add(builder, kind, end->stage, m);
}

static void
zbv_forward(struct perseus__builder *builder, struct end *end)
{
	zbv_next(builder, end, PERSEUS_KIND_FORWARD, &end->forward);
}

static void
zbv_input(struct perseus__builder *builder, struct end *end)
{
	zbv_next(builder, end, PERSEUS_KIND_INPUT, &end->backward);
}

static void
zbv_weight(struct perseus__builder *builder, struct end *end)
{
	zbv_next(builder, end, PERSEUS_KIND_WEIGHT, &end->weight);
}

static void
zbv_warmup(const struct perseus__shape *shape, int32_t rank, struct end *near, struct end *far,
		struct perseus__builder *builder)
{
	for (int32_t i = 0; i < 2 * (shape->n_ranks - rank) - 1; i++)
		zbv_forward(builder, near);
	for (int32_t i = 0; i < rank; i++) {
		zbv_forward(builder, far);
		zbv_forward(builder, near);
	}
	for (int32_t i = 0; i < shape->n_ranks - rank; i++) {
		zbv_forward(builder, far);
		zbv_input(builder, far);
		zbv_weight(builder, far);
	}
}

/* Runs as if there were 2P-1 microbatches at least; those that there are not are skipped. */
void
perseus__emit_zbv(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder)
{
	struct end near = {.stage = rank, .n = shape->n_microbatches};
	struct end far = {.stage = 2 * shape->n_ranks - 1 - rank, .n = shape->n_microbatches};
	const int32_t least = 2 * shape->n_ranks - 1;
	const int32_t n = shape->n_microbatches > least ? shape->n_microbatches : least;
	zbv_warmup(shape, rank, &near, &far, builder);
	while (far.forward < near.forward || near.forward < n) {
		if (near.forward < n)
			zbv_forward(builder, &near);
		zbv_input(builder, &near);
		zbv_weight(builder, &near);
		zbv_forward(builder, &far);
		zbv_input(builder, &far);
		zbv_weight(builder, &far);
	}
	for (int32_t i = 0; i < rank; i++) {
		zbv_input(builder, &near);
		zbv_input(builder, &far);
	}
	for (int32_t i = 0; i < shape->n_ranks - rank; i++) {
		zbv_input(builder, &near);
		zbv_weight(builder, &near);
	}
	while (far.weight < far.backward)
		zbv_weight(builder, &far);
	while (near.weight < near.backward)
		zbv_weight(builder, &near);
}

/*
 * Both DualPipes are one walk in eight steps over two ends: the two stages of a rank, or the two directions.
 * Ranks are counted from the outside, 0 .. n_outer-1, the last being the turn of the V or the middle of the pipeline.
 */
struct walk {
	struct perseus__builder *builder;
	struct end end[2];
	int32_t outer;
	int32_t n_outer;
	size_t paid;   /* input gradients of the builder before this position have their weight gradient */
	bool is_split; /* backwards are input gradients from now on, and owe a weight gradient */
};

static struct perseus_part
next_part(struct end *end, enum perseus_kind kind)
{
	int32_t *next = kind == PERSEUS_KIND_FORWARD ? &end->forward : &end->backward;
	return (struct perseus_part){.kind = kind, .stage = end->stage, .microbatch = end->first + (*next)++};
}

static void
walk_single(struct walk *walk, int32_t end, enum perseus_kind kind)
{
	const struct perseus_part part = next_part(&walk->end[end], kind);
	perseus__builder_add(walk->builder, part.kind, part.stage, part.microbatch);
}

static void
walk_forward(struct walk *walk, int32_t end)
{
	walk_single(walk, end, PERSEUS_KIND_FORWARD);
}

static void
walk_backward(struct walk *walk, int32_t end)
{
	walk_single(walk, end, walk->is_split ? PERSEUS_KIND_INPUT : PERSEUS_KIND_BACKWARD);
}

/* Forward of one end under the backward of the other. */
static void
walk_pair(struct walk *walk, int32_t forward_end)
{
	const struct perseus_part forward = next_part(&walk->end[forward_end], PERSEUS_KIND_FORWARD);
	const struct perseus_part backward = next_part(&walk->end[1 - forward_end], PERSEUS_KIND_BACKWARD);
	perseus__builder_add_pair(walk->builder, forward, backward);
}

/* Weight gradient of the oldest input gradient that lacks one. */
static void
walk_weight(struct walk *walk)
{
	struct perseus__builder *builder = walk->builder;
	while (walk->paid < builder->n_instructions && builder->instructions[walk->paid].kind != PERSEUS_KIND_INPUT)
		walk->paid++;
	if (walk->paid == builder->n_instructions)
		return; /* out of memory on the way here */
	const struct perseus_instruction *input = &builder->instructions[walk->paid++];
	perseus__builder_add(builder, PERSEUS_KIND_WEIGHT, input->stage, input->microbatch);
}

/* Steps 1 to 3: forwards of the near end fill the pipeline, those of the far end join, then its first backwards. */
static void
walk_in(struct walk *walk)
{
	const int32_t inner = walk->n_outer - walk->outer - 1;
	for (int32_t i = 0; i < 2 * inner; i++)
		walk_forward(walk, 0);
	for (int32_t i = 0; i <= walk->outer; i++) {
		walk_forward(walk, 0);
		walk_forward(walk, 1);
	}
	walk->is_split = true;
	for (int32_t i = 0; i < inner; i++) {
		walk_backward(walk, 1);
		walk_weight(walk);
		walk_forward(walk, 1);
	}
	walk->is_split = false;
}

/* Steps 4 and 5: pairs. On the innermost rank the first of each come one by one, as DualPipe has it. */
static void
walk_steady(struct walk *walk)
{
	const int32_t inner = walk->n_outer - walk->outer - 1;
	const int32_t n_pairs = walk->end[0].n - 2 * walk->n_outer + walk->outer + 1;
	for (int32_t i = 0; i < n_pairs; i++) {
		if (i == 0 && inner == 0) {
			walk_forward(walk, 0);
			walk_backward(walk, 1);
		} else {
			walk_pair(walk, 0);
		}
		walk_pair(walk, 1);
	}
	for (int32_t i = 0; i < inner; i++) {
		walk_backward(walk, 1);
		walk_pair(walk, 1);
	}
}

/* Steps 6 to 8: backwards alone, split from half way on, so that weight gradients fill the gaps. */
static void
walk_out(struct walk *walk)
{
	const int32_t half_way = (walk->outer + 1) / 2;
	for (int32_t i = 0; i <= walk->outer; i++) {
		if (i == half_way && walk->outer % 2 == 1)
			walk->is_split = true;
		walk_backward(walk, 1);
		if (i == half_way && walk->outer % 2 == 0)
			walk->is_split = true;
		walk_backward(walk, 0);
	}
	for (int32_t i = 0; i < walk->n_outer - walk->outer - 1; i++) {
		walk_weight(walk);
		walk_backward(walk, 0);
	}
	for (int32_t i = 0; i <= walk->outer; i++)
		walk_weight(walk);
}

void
perseus__emit_dualpipev(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder)
{
	struct walk walk = {
		.builder = builder,
		.end = {{.stage = rank, .n = shape->n_microbatches},
			{.stage = 2 * shape->n_ranks - 1 - rank, .n = shape->n_microbatches}},
		.outer = rank,
		.n_outer = shape->n_ranks,
		.paid = builder->n_instructions,
	};
	walk_in(&walk);
	walk_steady(&walk);
	walk_out(&walk);
}

/* Direction 0 has the first half of the microbatches and runs up the ranks, direction 1 has the rest and runs down. */
void
perseus__emit_dualpipe(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder)
{
	const int32_t n = shape->n_microbatches / 2;
	const int32_t mirrored = shape->n_ranks - 1 - rank;
	const bool is_mirrored = rank > mirrored;
	const struct end up = {.stage = rank, .n = n};
	const struct end down = {.stage = mirrored, .first = n, .n = n};
	struct walk walk = {
		.builder = builder,
		.end = {is_mirrored ? down : up, is_mirrored ? up : down},
		.outer = is_mirrored ? mirrored : rank,
		.n_outer = shape->n_ranks / 2,
		.paid = builder->n_instructions,
	};
	walk_in(&walk);
	walk_steady(&walk);
	walk_out(&walk);
}
