/*
 * How a revision gets to the ranks of one pipeline, in two steps, so that all begin it with the same step of training:
 *
 *     NEW → SAVING → OFFERED → STARTING → started
 *
 * It is made durable, offered, and once every present rank has it, the step it begins with is fixed, made durable, and
 * told. Nothing is told that a restart would not know. At most one revision is started and at most one is on its way;
 * a newer one takes the place of one on its way. Pure: whoever owns it saves, and knows the ranks.
 */
#ifndef PERSEUS_SERVER_ROLLOUT_H
#define PERSEUS_SERVER_ROLLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "server/program.h"

enum perseus__revision_state {
	PERSEUS__REVISION_NEW,      /* to be saved */
	PERSEUS__REVISION_SAVING,   /* under way to the disk */
	PERSEUS__REVISION_OFFERED,  /* durable; ranks may have it */
	PERSEUS__REVISION_TO_START, /* from_step is fixed, and to be saved */
	PERSEUS__REVISION_STARTING, /* from_step is under way to the disk */
	PERSEUS__REVISION_STARTED,  /* durable; ranks may be told */
};

struct perseus__revision {
	int64_t number;
	struct perseus__program *program; /* a reference is held; NULL: there is no revision */
	enum perseus__revision_state state;
	int64_t not_before; /* least from_step; 0: any */
	int64_t from_step;  /* -1: not fixed */
	int32_t batch;      /* of profiling; -1: none */
	const char *reason; /* why it came to be; a constant, NULL after a restart */
};

enum { PERSEUS__N_PAST_REVISIONS = 8 };

struct perseus__rollout {
	int64_t next_number;
	struct perseus__revision started; /* in force from its from_step on */
	struct perseus__revision coming;
	/* What was promised of the last few, for steps reported late; the latest first. */
	struct perseus__past_revision {
		int64_t number;
		int64_t from_step;
		enum perseus__phase phase;
		struct perseus__promise promise;
	} past[PERSEUS__N_PAST_REVISIONS];
	int32_t n_past;
};

void perseus__rollout_fini(struct perseus__rollout *rollout);

/* Puts `program` (taken over) on its way, in the place of what was; returns its revision, in state NEW. */
struct perseus__revision *perseus__rollout_add(struct perseus__rollout *rollout, struct perseus__program *program);

/* The program that ranks have, or will have: of the revision on its way, else of the one started; NULL: none. */
struct perseus__program *perseus__rollout_latest(const struct perseus__rollout *rollout);

/*
 * Every present rank has the revision offered, and none has begun a step after `begun` (-1: none has begun any): fixes
 * from_step, `margin` steps later than the next at least. The revision is then TO_START.
 */
void perseus__rollout_fix(struct perseus__rollout *rollout, int64_t begun, int64_t margin);

/* The revision that is STARTING has been made durable. */
void perseus__rollout_start(struct perseus__rollout *rollout);

/* Steps are counted anew: what is in force is so no longer, and comes again as a new revision. */
void perseus__rollout_restart(struct perseus__rollout *rollout);

/* Forgets programs, as they are of another schedule. Numbers go on. */
void perseus__rollout_clear(struct perseus__rollout *rollout);

/*
 * What a rank is to be told that has revision `have` (-1: none) and knows `start` (-1: none) of it: NULL for nothing.
 * With `*with_start`, from_step goes along; else it is an offer.
 */
const struct perseus__revision *perseus__rollout_news(
		const struct perseus__rollout *rollout, int64_t have, int64_t start, bool *with_start);

/* The revision in force in `step`; NULL: none that is known. */
const struct perseus__past_revision *perseus__rollout_at(const struct perseus__rollout *rollout, int64_t step);

#endif
