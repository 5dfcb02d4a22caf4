/*
 * What a revision has ranks do: segments, each a number of steps and a clock for every instruction. Shared by the
 * revisions of all pipelines that do the same; reference counted under the jobs' lock.
 */
#ifndef PERSEUS_SERVER_PROGRAM_H
#define PERSEUS_SERVER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/schedule.h>
#include <perseus/status.h>

/* X(name, text): what a revision is for. */
#define PERSEUS__PHASE_MAP(X) \
	X(PROFILE, "profile")     \
	X(PLAN, "plan")           \
	X(FREE, "free")

enum perseus__phase {
#define X(name, text) PERSEUS__PHASE_##name,
	PERSEUS__PHASE_MAP(X)
#undef X
};

const char *perseus__phase_name(enum perseus__phase phase);

/* What is promised of a plan, of one GPU a stage in one pipeline, overhead aside. */
struct perseus__promise {
	bool is_there;
	int64_t deadline_ns;
	int64_t time_ns;            /* of an iteration */
	int64_t energy_nj;          /* until the iteration's end, whoever waits longer */
	int64_t baseline_time_ns;   /* every instruction at its highest clock */
	int64_t baseline_energy_nj; /* until the baseline's end */
	double lower_bound_j;
	int64_t blocking_uw; /* of all stages */
};

struct perseus__program {
	int32_t n_references;
	enum perseus__phase phase;
	bool is_by_class; /* columns are classes, else instructions of the schedule */
	int32_t n_columns;
	int32_t n_segments; /* 0: clocks are let go */
	int32_t *n_steps;   /* length n_segments; 0: until further notice */
	int32_t *mhz;       /* length n_segments · n_columns; 0: as it is */
	struct perseus__promise promise;
	int32_t n_pp;
	char **texts; /* length n_pp: the segments as JSON, made when first asked for */
};

/* Clocks and numbers of steps are to be filled in. NULL where there is no memory. */
PERSEUS_MUST_USE struct perseus__program *perseus__program_new(
		enum perseus__phase phase, bool is_by_class, int32_t n_segments, int32_t n_columns);

struct perseus__program *perseus__program_ref(struct perseus__program *program);
void perseus__program_unref(struct perseus__program *program); /* NULL is fine */

/* The same clocks for as long. */
bool perseus__program_equals(const struct perseus__program *program, const struct perseus__program *other);

/*
 * "[{"steps":…,"clocks_mhz":[…]},…]" for the ranks at `pp` of the pipeline: one clock per instruction in their order.
 * `class_of`, length n_instructions, is the class of each instruction. Borrowed from the program; NULL where there is
 * no memory.
 */
const char *perseus__program_text(
		struct perseus__program *program, const struct perseus_schedule *schedule, const int32_t *class_of, int32_t pp);

/* As it is kept: segments by column. NULL where there is no memory; free with perseus__text_fini. */
void perseus__program_write(const struct perseus__program *program, struct perseus__text *text);
void perseus__promise_write(const struct perseus__promise *promise, struct perseus__text *text);

/* Reads back what was written; `promise` may be NULL. INVALID for anything else. */
PERSEUS_MUST_USE enum perseus_status perseus__program_read(enum perseus__phase phase, const char *text,
		const char *promise, struct perseus__program **out, struct perseus_error *err);

#endif
