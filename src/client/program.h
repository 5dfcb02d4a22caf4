/*
 * What the server has ranks run: revisions of a pipeline's program, each a list of segments with a clock for every
 * instruction. Which one holds in a step is decided here, alike on every rank.
 */
#ifndef PERSEUS_CLIENT_PROGRAM_H
#define PERSEUS_CLIENT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

enum { PERSEUS__PHASE_BYTES = 16, PERSEUS__MAX_PROGRAMS = 4 };

struct perseus__segment {
	int64_t n_steps;     /* >= 1; -1: until further notice */
	int32_t *clocks_mhz; /* length n_instructions; 0: as it is; owned */
};

struct perseus__program {
	int64_t revision;
	int64_t from_step; /* the step it holds from; -1: not known yet */
	char phase[PERSEUS__PHASE_BYTES];
	int32_t n_instructions;
	int32_t n_segments; /* 0: clocks are let go */
	struct perseus__segment *segments;
};

/*
 * Decodes the answer to GET .../plan. Fields that are not known are left for servers to come. Free with
 * perseus__program_free. Errors: INVALID with line and column, or the path of the value; NO_MEMORY. `*out` is untouched
 * then.
 */
PERSEUS_MUST_USE enum perseus_status perseus__program_decode(
		const char *bytes, size_t length, struct perseus__program **out, struct perseus_error *err);

void perseus__program_free(struct perseus__program *program);

/* The clocks of `step` >= from_step >= 0; NULL where they are let go. After the last segment its clocks stay. */
const int32_t *perseus__program_clocks(const struct perseus__program *program, int64_t step);

/* Those received: the one that holds, and those to come. */
struct perseus__programs {
	int32_t n;
	struct perseus__program *items[PERSEUS__MAX_PROGRAMS]; /* ascending in revision; owned */
};

void perseus__programs_fini(struct perseus__programs *programs);

/*
 * Takes over `program`. The same revision again says what was not known: its from_step. One that is older than the
 * newest is dropped; where there are too many, the oldest that does not hold yet makes room.
 */
void perseus__programs_take(struct perseus__programs *programs, struct perseus__program *program);

/*
 * The newest program that holds in `step`, NULL where there is none. Those before it are forgotten: ask for a step
 * after all those asked for before.
 */
const struct perseus__program *perseus__programs_at(struct perseus__programs *programs, int64_t step);

/* The same without forgetting any. */
const struct perseus__program *perseus__programs_look(const struct perseus__programs *programs, int64_t step);

/* The newest received; NULL where there is none. */
const struct perseus__program *perseus__programs_newest(const struct perseus__programs *programs);

#endif
