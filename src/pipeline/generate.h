/*
 * The families of schedules: each emits the instructions of one rank, in the exact order of its reference
 * implementation. Not installed.
 */
#ifndef PERSEUS_PIPELINE_GENERATE_H
#define PERSEUS_PIPELINE_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/builder.h"

#include <perseus/schedule.h>

/* Settings with every default filled in. */
struct perseus__shape {
	int32_t n_ranks;         /* P */
	int32_t n_microbatches;  /* M */
	int32_t stages_per_rank; /* V */
	int32_t group_size;      /* microbatches per group when interleaving */
	bool is_v;               /* V layout, not loop */
	const int32_t *extra_warmup;
};

/* Stage of chunk 0..V-1 of a rank. */
int32_t perseus__stage_of(const struct perseus__shape *shape, int32_t rank, int32_t chunk);

typedef void (*perseus__emit_rank)(const struct perseus__shape *, int32_t rank, struct perseus__builder *);

void perseus__emit_gpipe(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder);
void perseus__emit_1f1b(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder);
void perseus__emit_early_recompute(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder);
void perseus__emit_looped_bfs(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder);
void perseus__emit_interleaved(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder);
void perseus__emit_zb1p(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder);
void perseus__emit_zb_h2(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder);
void perseus__emit_zbv(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder);
void perseus__emit_dualpipev(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder);
void perseus__emit_dualpipe(const struct perseus__shape *shape, int32_t rank, struct perseus__builder *builder);

#endif
