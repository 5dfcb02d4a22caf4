/*
 * The text in which Zeus keeps the clocks of one pipeline (freqs_pipeline_%05d.py): a Python literal, one list per rank
 * of ('instruction', MHz) in the order the rank runs them, e.g.
 *
 *     [
 *       [('forward', 1410), ('backward', 1065),],  # rank 0
 *     ]
 *
 * It is data here, parsed and never evaluated: lists and tuples, either quote, decimal integers (also quoted), trailing
 * commas and # comments. JSON arrays of the same shape are a subset.
 */
#ifndef PERSEUS_FORMAT_ZEUS_TUPLES_H
#define PERSEUS_FORMAT_ZEUS_TUPLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/plan.h>
#include <perseus/schedule.h>
#include <perseus/status.h>

/*
 * Adds the text of a plan. Written are the instructions Zeus is told of, by the name of their kind: forward, backward,
 * input, weight, recompute, overlap (an overlapped pair runs as one unit at one clock and is one entry); an instruction
 * of another kind by the name of its class. Left out are those that no framework announces to Zeus and that have no
 * clock to choose: data_load, unshard, reshard, grad_reduce and optimizer_step. 0 MHz means: leave the clock as it is.
 */
void perseus__zeus_write(
		struct perseus__text *text, const struct perseus_schedule *schedule, const struct perseus_plan *plan);

struct perseus__zeus_entry {
	const char *name; /* owned by the solution */
	int32_t frequency_mhz;
};

/* A parsed text; owned by the caller, freed with perseus__zeus_free. */
struct perseus__zeus_solution {
	int32_t n_ranks;
	size_t *rank_begin;                  /* length n_ranks + 1 */
	struct perseus__zeus_entry *entries; /* length rank_begin[n_ranks] */
	char **names;                        /* length n_names: each distinct name once */
	int32_t n_names;
};

enum {
	PERSEUS__ZEUS_MAX_RANKS = 65536,
	PERSEUS__ZEUS_MAX_NAMES = 1024,
	PERSEUS__ZEUS_MAX_NAME_BYTES = 255,
};

/* Parses `text`, length `length`. INVALID with line and column; NO_MEMORY. `*out` is untouched on failure. */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_parse(
		const char *text, size_t length, struct perseus__zeus_solution **out, struct perseus_error *err);

/* Frees a solution; NULL is fine. */
void perseus__zeus_free(struct perseus__zeus_solution *solution);

#endif
