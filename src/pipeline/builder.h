/*
 * Growing a schedule instruction by instruction, and turning it into a finished, read-only one. Not installed.
 * What waits for what is in rules.h; the orders themselves are in generate.c and its families.
 */
#ifndef PERSEUS_PIPELINE_BUILDER_H
#define PERSEUS_PIPELINE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/schedule.h>
#include <perseus/status.h>

/* Bounds of a schedule: they keep every index and count inside 32 bits, and a typing error from eating all memory. */
enum {
	PERSEUS__MAX_RANKS = 4096,
	PERSEUS__MAX_STAGES = 65536,
	PERSEUS__MAX_MICROBATCHES = 1000000,
	PERSEUS__MAX_INSTRUCTIONS = 1 << 24,
	PERSEUS__MAX_EXTRA_EDGES = 1 << 26,
};

struct perseus__builder {
	struct perseus_instruction *instructions;
	size_t n_instructions;
	size_t capacity;
	int32_t *rank_begin; /* length n_ranks + 1; filled up to the current rank */
	int32_t n_ranks;
	int32_t n_stages;
	int32_t n_microbatches;
	int32_t rank;       /* current rank; -1 before the first */
	bool data_load;     /* put a data load ahead of every forward of stage 0 */
	bool out_of_memory; /* sticky: later additions do nothing */
};

/* An empty builder for `n_ranks` ranks, with room for `n_expected` instructions. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__builder_init(
		struct perseus__builder *builder, int32_t n_ranks, size_t n_expected, struct perseus_error *err);

void perseus__builder_fini(struct perseus__builder *builder);

/* Starts the next rank. Every rank is started once, in order. */
void perseus__builder_next_rank(struct perseus__builder *builder);

/* Adds an instruction as it is, but for its rank, which becomes the current one. */
void perseus__builder_push(struct perseus__builder *builder, const struct perseus_instruction *instruction);

/* Adds an instruction of one part to the current rank, in the class of its kind. */
void perseus__builder_add(struct perseus__builder *builder, enum perseus_kind kind, int32_t stage, int32_t microbatch);

/* As perseus__builder_add, in a class of another name; the name is not copied. */
void perseus__builder_add_class(struct perseus__builder *builder, enum perseus_kind kind, int32_t stage,
		int32_t microbatch, const char *class_name);

/* Adds an overlapped pair of two parts; its class is "overlap". */
void perseus__builder_add_pair(struct perseus__builder *builder, struct perseus_part first, struct perseus_part second);

/*
 * Adds gradient reductions to the current rank: one behind the last backward or weight gradient of each of its stages.
 * `last_of_stage`, length n_stages, is scratch.
 */
void perseus__builder_add_reductions(struct perseus__builder *builder, int32_t *last_of_stage);

/* Dependencies beside those of the kinds, for perseus__builder_finish. */
struct perseus__extra_edges {
	const struct perseus_edge *edges; /* length n_edges; need not be sorted */
	int32_t n_edges;
	bool only; /* nothing is derived from the kinds */
};

/*
 * Derives the dependencies, looks for a deadlock, and moves everything into a schedule. The builder is empty
 * afterwards, success or not. `name` is copied; `class_names` (may be NULL), a block that class names point into, is
 * taken over.
 * Errors: INVALID for a deadlock; NO_MEMORY. O(instructions + edges).
 */
PERSEUS_MUST_USE enum perseus_status perseus__builder_finish(struct perseus__builder *builder, const char *name,
		char *class_names, const struct perseus__extra_edges *extra, const struct perseus_schedule **out,
		struct perseus_error *err);

#endif
