/*
 * What a job of Zeus's gets: the clocks of a solution file, or why there are none. Shared by all who still have to be
 * told of it, so reference counted; never changed once it is made.
 */
#ifndef PERSEUS_SERVER_ZEUS_PLAN_H
#define PERSEUS_SERVER_ZEUS_PLAN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "format/zeus_tuples.h"

#include <perseus/status.h>

enum { PERSEUS__ZEUS_MAX_SOLUTION_BYTES = 256 * 1024 * 1024 };

/* How an entry with a name begins: ["forward", and a blank. */
struct perseus__zeus_quoted {
	const char *name; /* of the solution */
	struct perseus__text text;
};

struct perseus__zeus_plan {
	atomic_int n_references;
	struct perseus__zeus_solution *solution; /* one list for each rank or stage; NULL: see `failure` */
	char *failure;                           /* text for the user; NULL: see `solution` */
	char *text;                              /* of the solution as it was read, `length` bytes and a NUL */
	size_t length;
	struct perseus__zeus_quoted *quoted; /* length solution->n_names, ascending by address; owned */
};

/*
 * Reads a solution file: Zeus's tuples (.py, data only, never evaluated) or a JSON array of the same shape (.json) with
 * `n_lists` lists. A file that cannot be used makes a plan with a failure, which is an answer, not an error.
 * NO_MEMORY; the caller has one reference.
 */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_plan_load(
		const char *path, int32_t n_lists, struct perseus__zeus_plan **out, struct perseus_error *err);

/* The same from a text, whose name is `path`. */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_plan_parse(const char *path, const char *text, size_t length,
		int32_t n_lists, struct perseus__zeus_plan **out, struct perseus_error *err);

/* A plan that is none. NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_plan_fail(
		const char *failure, struct perseus__zeus_plan **out, struct perseus_error *err);

/* Any thread. Returns `plan`. */
struct perseus__zeus_plan *perseus__zeus_plan_ref(struct perseus__zeus_plan *plan);
void perseus__zeus_plan_unref(struct perseus__zeus_plan *plan); /* NULL is fine */

/*
 * {"rank": 3, "frequencies": [["forward", 1410], ...]} as json.dumps writes it, of one of the plan's lists. Ten
 * thousand ranks get theirs at once, so it is quick.
 */
void perseus__zeus_plan_encode(
		struct perseus__text *text, const struct perseus__zeus_plan *plan, int32_t list, int32_t rank);

#endif
