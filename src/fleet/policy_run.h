/*
 * A run under one policy: what it knows, what it answers, what that takes. Between two changes all iterations are
 * alike, so that one is worked out and the others are counted; and only odd pipelines are looked at, those that are
 * slow or known as such.
 */
#ifndef PERSEUS_FLEET_POLICY_RUN_H
#define PERSEUS_FLEET_POLICY_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet/split.h"

#include <perseus/simulate.h>
#include <perseus/status.h>

/* Events that happened together and are not known yet. */
struct perseus__news {
	int64_t since_ns;
	int64_t n_events; /* of the simulation: those before have happened */
};

/* First in, first out. */
struct perseus__news_queue {
	struct perseus__news *items;
	size_t capacity;
	size_t begin;
	size_t end;
};

/* Pipelines that are not as usual, in no order. */
struct perseus__odd_pipelines {
	int32_t *members; /* length n, room for all */
	int32_t *place;   /* length n_pipelines: index into members, or -1 */
	int32_t *plan;    /* length n: what each runs in the iteration at hand */
	int32_t n;
};

struct perseus__policy_run {
	const struct perseus_simulation *simulation; /* borrowed */
	const struct perseus__work *work;            /* borrowed */
	const struct perseus_policy *policy;         /* borrowed */
	const double *degree;                        /* length n_pipelines: as it is; borrowed */
	const int64_t *latest_event;                 /* length n_pipelines: that set it; borrowed */
	double *known;                               /* length n_pipelines: as the policy thinks */
	int64_t *best_nj;                            /* length n_plans: at the time of each */
	struct perseus__odd_pipelines odd;
	struct perseus__news_queue news;
	int64_t n_known; /* events that the policy knows of */
	int64_t now_ns;  /* begin of the iteration at hand */
	bool is_stale;   /* the iteration at hand is not like the one before it */
	struct perseus_simulated_iteration iteration;
	struct perseus__split split; /* of it */
	struct perseus__split total_split;
	int64_t n_straggling;
	int64_t n_unanswered;
};

/* How long a pipeline of this degree takes for a plan of `time_ns`. */
int64_t perseus__held_ns(double degree, int64_t time_ns);

/* A run of policy `index` at its beginning. On failure nothing is to be freed. */
PERSEUS_MUST_USE enum perseus_status perseus__policy_run_init(struct perseus__policy_run *run,
		const struct perseus_simulation *simulation, const struct perseus__work *work, int32_t index,
		const double *degree, const int64_t *latest_event, struct perseus_error *err);

void perseus__policy_run_fini(struct perseus__policy_run *run);

/* Events begin..end-1 of the simulation happen now; `degree` and `latest_event` have them already. */
PERSEUS_MUST_USE enum perseus_status perseus__policy_run_happen(
		struct perseus__policy_run *run, int64_t begin, int64_t end, struct perseus_error *err);

/* Runs the next iteration, which run->iteration then tells; `n_stragglers` pipelines are slow. */
void perseus__policy_run_step(struct perseus__policy_run *run, int64_t iteration, int32_t n_stragglers);

struct perseus_simulated_total perseus__policy_run_total(const struct perseus__policy_run *run);

#endif
