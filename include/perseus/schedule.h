/*
 * A pipeline schedule: the instructions of one training iteration in the order every rank runs them, and what each
 * waits for.
 */
#ifndef PERSEUS_SCHEDULE_H
#define PERSEUS_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, class name): the kinds of instruction. The class name is what a profile calls them unless told otherwise. */
#define PERSEUS_KIND_MAP(X)             \
	X(FORWARD, "forward")               \
	X(BACKWARD, "backward")             \
	X(INPUT, "input")                   \
	X(WEIGHT, "weight")                 \
	X(RECOMPUTE, "recompute")           \
	X(OVERLAP, "overlap")               \
	X(DATA_LOAD, "data_load")           \
	X(UNSHARD, "unshard")               \
	X(RESHARD, "reshard")               \
	X(GRAD_REDUCE, "grad_reduce")       \
	X(OPTIMIZER_STEP, "optimizer_step") \
	X(OTHER, "other")

enum perseus_kind {
#define X(name, text) PERSEUS_KIND_##name,
	PERSEUS_KIND_MAP(X)
#undef X
};

/* Class name of a transfer between stages in a profile; transfers are lags on edges, not instructions. */
#define PERSEUS_TRANSFER_CLASS "transfer"

/* Class name of a backward that recomputes its forward first (early recomputation 1F1B). */
#define PERSEUS_FORWARD_BACKWARD_CLASS "forward_backward"

/* Text of a kind, e.g. "forward". */
PERSEUS_API const char *perseus_kind_name(enum perseus_kind kind);

/* A half of an overlapped pair, or the whole of any other instruction. */
struct perseus_part {
	enum perseus_kind kind;
	int32_t stage;
	int32_t microbatch; /* -1 where there is none */
};

/* One instruction. An overlapped pair (kind OVERLAP) has two parts; stage and microbatch are the first part's. */
struct perseus_instruction {
	enum perseus_kind kind;
	int32_t rank;
	int32_t stage;
	int32_t microbatch;     /* -1 where there is none */
	const char *class_name; /* which class of the profile it belongs to, beside its stage */
	struct perseus_part part[2];
	int32_t n_parts; /* 1, or 2 for an overlapped pair */
};

/* `to` starts after `from` has ended, plus the time of a transfer out of from's stage where `is_transfer`. */
struct perseus_edge {
	int32_t from;
	int32_t to;
	bool is_transfer;
};

/*
 * Read-only view of a schedule. Instructions of rank r are rank_begin[r] .. rank_begin[r+1]-1, in the order they run.
 * `edges` holds every dependency, the order within a rank included, without duplicates, sorted by (from, to).
 */
struct perseus_schedule {
	const char *name;
	int32_t n_ranks;
	int32_t n_stages;
	int32_t n_microbatches;
	int32_t n_instructions;
	int32_t n_edges;
	const struct perseus_instruction *instructions; /* length n_instructions */
	const int32_t *rank_begin;                      /* length n_ranks + 1 */
	const struct perseus_edge *edges;               /* length n_edges */
	bool has_derived_edges; /* the rules of the kinds hold; false: order within ranks and explicit edges alone */
};

/* Where the stages of a rank lie, for schedules with more than one stage per rank. */
enum perseus_layout {
	PERSEUS_LAYOUT_DEFAULT, /* what the schedule is defined with */
	PERSEUS_LAYOUT_LOOP,    /* rank r has r, r+P, r+2P, … */
	PERSEUS_LAYOUT_V,       /* two stages: rank r has r and 2P-1-r */
};

struct perseus_schedule_settings {
	const char *name;        /* one of perseus_schedule_names() */
	int32_t n_ranks;         /* P >= 1 */
	int32_t n_microbatches;  /* M >= 1 */
	int32_t stages_per_rank; /* V; 0: the schedule's own (1, or 2 for zbv and dualpipev) */
	int32_t group_size;      /* microbatches per group when interleaving; 0: the schedule's own */
	enum perseus_layout layout;
	const int32_t *extra_warmup; /* length n_ranks: more forwards before the first backward (1f1b); NULL: none */
	bool data_load;              /* a data load before every forward of stage 0 */
	bool grad_reduce;            /* a gradient reduction per stage after its last backward or weight gradient */
	bool optimizer_step;         /* an optimizer step at the end of every rank, after all gradient reductions */
};

/* Name 1f1b, the rest 0: callers must set n_ranks and n_microbatches. */
PERSEUS_API struct perseus_schedule_settings perseus_schedule_settings_default(void);

/* NULL-terminated list of the schedules that can be generated, e.g. "1f1b". */
PERSEUS_API const char *const *perseus_schedule_names(void);

/*
 * Generates a schedule with the exact instruction order of its reference implementation.
 * Errors: INVALID for an unknown name, a shape the schedule does not allow (the message says what it needs), a
 * schedule that deadlocks (the message names the blocked head of every rank); NO_MEMORY. O(instructions).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_schedule_generate(
		const struct perseus_schedule_settings *settings, const struct perseus_schedule **out,
		struct perseus_error *err);

/* An order from outside: what perseus_schedule_import needs to know. */
struct perseus_order {
	const char *name; /* copied */
	int32_t n_ranks;
	const int32_t *rank_begin;                      /* length n_ranks + 1 */
	const struct perseus_instruction *instructions; /* length rank_begin[n_ranks]; copied; no class_name: the kind's */
	const struct perseus_edge *extra_edges;         /* length n_extra_edges: beside the rules of the kinds */
	int32_t n_extra_edges;
	bool explicit_edges_only; /* dependencies are extra_edges and the order within ranks, nothing derived */
};

/*
 * Takes an order from outside, derives its dependencies by the rules of the kinds (F(s,m) after F(s-1,m); B and I after
 * F and after the next stage's B or I; W after I; R after the previous stage's F, B after R), and validates it:
 * stages 0..n-1 all present and each on one rank, as many backwards as forwards of every stage, no duplicates, F before
 * B, no deadlock. With explicit_edges_only a stage may lie on several ranks and lack instructions.
 * Errors: INVALID, naming rank, position and instruction; NO_MEMORY. O(instructions · log instructions).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_schedule_import(
		const struct perseus_order *order, const struct perseus_schedule **out, struct perseus_error *err);

/* Frees a schedule; NULL is fine. */
PERSEUS_API void perseus_schedule_free(const struct perseus_schedule *schedule);

/* Re-checks every invariant documented above. INTERNAL with the first violation. O(instructions + edges). */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_schedule_check(
		const struct perseus_schedule *schedule, struct perseus_error *err);

/*
 * Writes an instruction the way PyTorch spells it, e.g. "0F1" or "(0F7;7B3)OVERLAP_F_B"; what PyTorch has no word for
 * is spelled alike ("3R5", "0DATA_LOAD2", "OPTIMIZER_STEP"). Always terminates `text`, length `size`.
 */
PERSEUS_API void perseus_instruction_text(const struct perseus_instruction *instruction, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
