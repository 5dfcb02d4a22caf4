/*
 * Orders with one stage per rank: GPipe (Huang et al. 2019), 1F1B (PipeDream-flush, Narayanan et al. 2021), 1F1B with
 * early recomputation as Merak runs it, and ZB-H2 (Qi et al. 2024).
 */
#include "pipeline/generate.h"

static int32_t
smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

void
perseus__emit_gpipe(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder)
{
	for (int32_t m = 0; m < shape->n_microbatches; m++)
		perseus__builder_add(builder, PERSEUS_KIND_FORWARD, rank, m);
	for (int32_t m = 0; m < shape->n_microbatches; m++)
		perseus__builder_add(builder, PERSEUS_KIND_BACKWARD, rank, m);
}

static void
emit_backward(const struct perseus__shape *shape, int32_t rank, int32_t m, struct perseus__builder *builder)
{
	(void)shape;
	perseus__builder_add(builder, PERSEUS_KIND_BACKWARD, rank, m);
}

/*
 * Backwards that follow a forward closely recompute on the spot, as one instruction; the cool-down's recompute first,
 * while they wait for the gradient.
 */
static void
emit_recomputing_backward(const struct perseus__shape *shape, int32_t rank, int32_t m, struct perseus__builder *builder)
{
	if (m <= shape->n_microbatches - shape->n_ranks + rank) {
		perseus__builder_add_class(builder, PERSEUS_KIND_BACKWARD, rank, m, PERSEUS_FORWARD_BACKWARD_CLASS);
		return;
	}
	perseus__builder_add(builder, PERSEUS_KIND_RECOMPUTE, rank, m);
	perseus__builder_add(builder, PERSEUS_KIND_BACKWARD, rank, m);
}

typedef void (*emit_one)(const struct perseus__shape *, int32_t rank, int32_t m, struct perseus__builder *);

static void
emit_1f1b_with(const struct perseus__shape *shape, int32_t rank, emit_one emit, struct perseus__builder *builder)
{
	const int32_t n = shape->n_microbatches;
	const int32_t extra = shape->extra_warmup ? smaller(shape->extra_warmup[rank], n) : 0;
	const int32_t warmup = smaller(shape->n_ranks - 1 - rank + extra, n);
	for (int32_t m = 0; m < warmup; m++)
		perseus__builder_add(builder, PERSEUS_KIND_FORWARD, rank, m);
	for (int32_t m = 0; m < n; m++) {
		if (warmup + m < n)
			perseus__builder_add(builder, PERSEUS_KIND_FORWARD, rank, warmup + m);
		emit(shape, rank, m, builder);
	}
}

void
perseus__emit_1f1b(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder)
{
	emit_1f1b_with(shape, rank, emit_backward, builder);
}

void
perseus__emit_early_recompute(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder)
{
	emit_1f1b_with(shape, rank, emit_recomputing_backward, builder);
}

/* 2P-1 live microbatches on every rank; weight gradients lag 2r input gradients behind, so that rank 0 never idles. */
void
perseus__emit_zb_h2(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder)
{
	const int32_t n = shape->n_microbatches;
	const int32_t warmup = smaller(2 * (shape->n_ranks - rank) - 1, n);
	int32_t weight = 0;
	for (int32_t m = 0; m < warmup; m++)
		perseus__builder_add(builder, PERSEUS_KIND_FORWARD, rank, m);
	for (int32_t m = 0; m < n; m++) {
		perseus__builder_add(builder, PERSEUS_KIND_INPUT, rank, m);
		if (m >= 2 * rank)
			perseus__builder_add(builder, PERSEUS_KIND_WEIGHT, rank, weight++);
		if (warmup + m < n)
			perseus__builder_add(builder, PERSEUS_KIND_FORWARD, rank, warmup + m);
	}
	while (weight < n)
		perseus__builder_add(builder, PERSEUS_KIND_WEIGHT, rank, weight++);
}
