/*
 * The table of schedules that can be generated, and what shapes each allows.
 * The orders themselves are in order_*.c.
 */
#include "pipeline/generate.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "pipeline/builder.h"

#include <string.h>

/* What a family allows beside P >= 1 and M >= 1; a bit set. */
enum {
	MANY_STAGES = 1 << 0, /* any number of stages per rank */
	V_ONLY = 1 << 1,      /* two stages per rank, V layout */
	GROUPS = 1 << 2,      /* microbatches come in groups */
	EXTRA_WARMUP = 1 << 3,
	FULL_V = 1 << 4,  /* M at least twice the ranks */
	TWO_WAY = 1 << 5, /* even P, even M, M at least twice P */
};

struct family {
	const char *name;
	perseus__emit_rank emit;
	int32_t n_kinds;
	unsigned traits;
};

/* X(name, what emits a rank, most instructions of a (stage, microbatch), traits) */
#define FAMILY_MAP(X)                                                    \
	X("gpipe", perseus__emit_gpipe, 2, 0)                                \
	X("1f1b", perseus__emit_1f1b, 2, EXTRA_WARMUP)                       \
	X("looped-bfs", perseus__emit_looped_bfs, 2, MANY_STAGES)            \
	X("interleaved", perseus__emit_interleaved, 2, MANY_STAGES | GROUPS) \
	X("zb-h1", perseus__emit_zb1p, 3, 0)                                 \
	X("zb-h2", perseus__emit_zb_h2, 3, 0)                                \
	X("zb1p", perseus__emit_zb1p, 3, MANY_STAGES | GROUPS)               \
	X("zbv", perseus__emit_zbv, 3, V_ONLY)                               \
	X("dualpipev", perseus__emit_dualpipev, 3, V_ONLY | FULL_V)          \
	X("dualpipe", perseus__emit_dualpipe, 3, TWO_WAY)                    \
	X("early-recompute-1f1b", perseus__emit_early_recompute, 3, 0)

#define X(name, emit, n_kinds, traits) {name, emit, n_kinds, traits},
static const struct family families[] = {FAMILY_MAP(X)};
#undef X

enum { N_FAMILIES = sizeof families / sizeof families[0] };

const char *const *
perseus_schedule_names(void)
{
#define X(name, emit, n_kinds, traits) name,
	static const char *const names[] = { FAMILY_MAP(X) NULL };
#undef X
	return names;
}

struct perseus_schedule_settings
perseus_schedule_settings_default(void)
{
	return (struct perseus_schedule_settings){.name = "1f1b"};
}

int32_t
perseus__stage_of(const struct perseus__shape *shape, int32_t rank, int32_t chunk)
{
	if (shape->is_v && chunk == 1)
		return 2 * shape->n_ranks - 1 - rank;
	return chunk * shape->n_ranks + rank;
}

static enum perseus_status
find_family(const char *name, const struct family **family, struct perseus_error *err)
{
	for (size_t i = 0; i < N_FAMILIES; i++) {
		if (strcmp(families[i].name, name) == 0) {
			*family = &families[i];
			return PERSEUS_OK;
		}
	}
	struct perseus__text known = perseus__text_init(PERSEUS_ERROR_MESSAGE_BYTES);
	for (size_t i = 0; i < N_FAMILIES; i++)
		perseus__text_addf(&known, "%s%s", i ? ", " : "", families[i].name);
	const enum perseus_status status = known.failed
			? perseus__no_memory(err)
			: perseus__fail(err, PERSEUS_INVALID, "unknown schedule \"%.60s\": expected one of %s", name, known.bytes);
	perseus__text_fini(&known);
	return status;
}

static enum perseus_status
check_ranges(const struct perseus_schedule_settings *settings, struct perseus_error *err)
{
	if (settings->n_ranks < 1 || settings->n_ranks > PERSEUS__MAX_RANKS)
		return perseus__fail(err, PERSEUS_INVALID, "schedule %s: %d ranks: expected 1 to %d", settings->name,
				settings->n_ranks, PERSEUS__MAX_RANKS);
	if (settings->n_microbatches < 1 || settings->n_microbatches > PERSEUS__MAX_MICROBATCHES)
		return perseus__fail(err, PERSEUS_INVALID, "schedule %s: %d microbatches: expected 1 to %d", settings->name,
				settings->n_microbatches, PERSEUS__MAX_MICROBATCHES);
	if (settings->stages_per_rank < 0 || settings->group_size < 0)
		return perseus__fail(err, PERSEUS_INVALID,
				"schedule %s: %d stages per rank, groups of %d: neither may be negative", settings->name,
				settings->stages_per_rank, settings->group_size);
	return PERSEUS_OK;
}

static enum perseus_status
check_layout(const struct perseus_schedule_settings *settings, unsigned traits, struct perseus__shape *shape,
		struct perseus_error *err)
{
	const char *name = settings->name;
	const int32_t own = traits & V_ONLY ? 2 : 1;
	shape->stages_per_rank = settings->stages_per_rank ? settings->stages_per_rank : own;
	if (!(traits & MANY_STAGES) && shape->stages_per_rank != own)
		return perseus__fail(err, PERSEUS_INVALID, "schedule %s: %d stages per rank: it has %d%s", name,
				shape->stages_per_rank, own, traits & TWO_WAY ? " in each direction" : "");
	if ((int64_t)shape->stages_per_rank * shape->n_ranks > PERSEUS__MAX_STAGES)
		return perseus__fail(err, PERSEUS_INVALID,
				"schedule %s: %d ranks with %d stages each: expected %d stages at most", name, shape->n_ranks,
				shape->stages_per_rank, PERSEUS__MAX_STAGES);
	switch (settings->layout) {
	case PERSEUS_LAYOUT_DEFAULT:
		shape->is_v = (traits & V_ONLY) != 0;
		return PERSEUS_OK;
	case PERSEUS_LAYOUT_LOOP:
		if (traits & V_ONLY)
			return perseus__fail(
					err, PERSEUS_INVALID, "schedule %s: loop layout: it is defined for the V layout", name);
		return PERSEUS_OK;
	case PERSEUS_LAYOUT_V:
		if (shape->stages_per_rank != 2)
			return perseus__fail(err, PERSEUS_INVALID, "schedule %s: V layout with %d stage%s per rank: it needs 2",
					name, shape->stages_per_rank, shape->stages_per_rank == 1 ? "" : "s");
		shape->is_v = true;
		return PERSEUS_OK;
	}
	return perseus__fail(err, PERSEUS_INVALID, "schedule %s: unknown layout %d", name, (int)settings->layout);
}

/*
 * Groups: PyTorch splits the microbatches into max(1, M/P) rounds of equal size; Megatron takes any size from P to M as
 * long as a last, shorter group is not shorter than P.
 */
static enum perseus_status
check_groups(const struct perseus_schedule_settings *settings, unsigned traits, struct perseus__shape *shape,
		struct perseus_error *err)
{
	const int32_t n = shape->n_microbatches, n_ranks = shape->n_ranks, given = settings->group_size;
	const int32_t n_rounds = n / n_ranks > 1 ? n / n_ranks : 1;
	const bool is_divisible = n % n_rounds == 0;
	shape->group_size = n / n_rounds;
	if (!(traits & GROUPS) && given > 0)
		return perseus__fail(err, PERSEUS_INVALID, "schedule %s: a group size of %d: it has no groups of microbatches",
				settings->name, given);
	if (!(traits & GROUPS) || (is_divisible && given == shape->group_size))
		return PERSEUS_OK;
	if (given == 0 && !is_divisible)
		return perseus__fail(err, PERSEUS_INVALID,
				"schedule %s: %d microbatches on %d ranks: they do not split into %d equal groups; give a group size",
				settings->name, n, n_ranks, n_rounds);
	if (given == 0)
		return PERSEUS_OK;
	if (given < n_ranks || given > n)
		return perseus__fail(err, PERSEUS_INVALID,
				"schedule %s: a group size of %d: expected %d (ranks) to %d (microbatches)", settings->name, given,
				n_ranks, n);
	if (n % given != 0 && n % given < n_ranks)
		return perseus__fail(err, PERSEUS_INVALID,
				"schedule %s: groups of %d leave a last one of %d microbatches: it needs %d (ranks) at least",
				settings->name, given, n % given, n_ranks);
	shape->group_size = given;
	return PERSEUS_OK;
}

static enum perseus_status
check_traits(const struct perseus_schedule_settings *settings, unsigned traits, struct perseus_error *err)
{
	const int32_t n = settings->n_microbatches, n_ranks = settings->n_ranks;
	if ((traits & FULL_V) && n < 2 * n_ranks)
		return perseus__fail(err, PERSEUS_INVALID,
				"schedule %s: %d microbatches on %d ranks: it needs %d (twice the ranks) at least", settings->name, n,
				n_ranks, 2 * n_ranks);
	if ((traits & TWO_WAY) && (n_ranks % 2 != 0 || n % 2 != 0 || n < 2 * n_ranks))
		return perseus__fail(err, PERSEUS_INVALID,
				"schedule %s: %d microbatches on %d ranks: it needs an even number of ranks and an even number of "
				"microbatches, at least twice the ranks",
				settings->name, n, n_ranks);
	if (!settings->extra_warmup)
		return PERSEUS_OK;
	if (!(traits & EXTRA_WARMUP))
		return perseus__fail(err, PERSEUS_INVALID, "schedule %s: extra warm-up: only 1f1b takes it", settings->name);
	for (int32_t rank = 0; rank < n_ranks; rank++)
		if (settings->extra_warmup[rank] < 0)
			return perseus__fail(err, PERSEUS_INVALID,
					"schedule %s: extra warm-up of rank %d is %d: expected 0 or more", settings->name, rank,
					settings->extra_warmup[rank]);
	return PERSEUS_OK;
}

static enum perseus_status
check_shape(const struct perseus_schedule_settings *settings, const struct family *family, struct perseus__shape *shape,
		struct perseus_error *err)
{
	*shape = (struct perseus__shape){
		.n_ranks = settings->n_ranks,
		.n_microbatches = settings->n_microbatches,
		.extra_warmup = settings->extra_warmup,
	};
	enum perseus_status status = check_ranges(settings, err);
	if (status == PERSEUS_OK)
		status = check_layout(settings, family->traits, shape, err);
	if (status == PERSEUS_OK)
		status = check_groups(settings, family->traits, shape, err);
	if (status == PERSEUS_OK)
		status = check_traits(settings, family->traits, err);
	return status;
}

/* An upper bound, exact but for overlapped pairs and fused instructions. */
static int64_t
count_instructions(const struct perseus_schedule_settings *settings, const struct family *family,
		const struct perseus__shape *shape)
{
	const int64_t n_stages = (int64_t)shape->n_ranks * shape->stages_per_rank;
	const int64_t n_copies = family->traits & TWO_WAY ? 2 : 1;
	return n_stages * shape->n_microbatches * family->n_kinds + (settings->data_load ? shape->n_microbatches : 0)
			+ (settings->grad_reduce ? n_stages * n_copies : 0) + (settings->optimizer_step ? shape->n_ranks : 0);
}

static enum perseus_status
emit_ranks(const struct perseus_schedule_settings *settings, const struct family *family,
		const struct perseus__shape *shape, struct perseus__builder *builder, struct perseus_error *err)
{
	int32_t *last_of_stage = perseus__new_array((size_t)builder->n_stages, sizeof *last_of_stage);
	if (!last_of_stage)
		return perseus__no_memory(err);
	for (int32_t rank = 0; rank < shape->n_ranks; rank++) {
		perseus__builder_next_rank(builder);
		family->emit(shape, rank, builder);
		if (settings->grad_reduce)
			perseus__builder_add_reductions(builder, last_of_stage);
		if (settings->optimizer_step)
			perseus__builder_add(builder, PERSEUS_KIND_OPTIMIZER_STEP, rank, -1);
	}
	perseus__free(last_of_stage);
	return PERSEUS_OK;
}

enum perseus_status
perseus_schedule_generate(const struct perseus_schedule_settings *settings, const struct perseus_schedule **out,
		struct perseus_error *err)
{
	const struct family *family = NULL;
	struct perseus__shape shape;
	enum perseus_status status = find_family(settings->name, &family, err);
	if (status == PERSEUS_OK)
		status = check_shape(settings, family, &shape, err);
	if (status != PERSEUS_OK)
		return status;
	const int64_t n_expected = count_instructions(settings, family, &shape);
	if (n_expected > PERSEUS__MAX_INSTRUCTIONS)
		return perseus__fail(err, PERSEUS_INVALID,
				"schedule %s: %d ranks with %d stage%s each and %d microbatches make up to %lld instructions: "
				"expected %d at most",
				family->name, shape.n_ranks, shape.stages_per_rank, shape.stages_per_rank == 1 ? "" : "s",
				shape.n_microbatches, (long long)n_expected, PERSEUS__MAX_INSTRUCTIONS);

	struct perseus__builder builder;
	status = perseus__builder_init(&builder, shape.n_ranks, (size_t)n_expected, err);
	if (status != PERSEUS_OK)
		return status;
	builder.n_stages = shape.n_ranks * shape.stages_per_rank;
	builder.n_microbatches = shape.n_microbatches;
	builder.data_load = settings->data_load;
	status = emit_ranks(settings, family, &shape, &builder, err);
	if (status != PERSEUS_OK) {
		perseus__builder_fini(&builder);
		return status;
	}
	return perseus__builder_finish(&builder, family->name, NULL, &(struct perseus__extra_edges){0}, out, err);
}
