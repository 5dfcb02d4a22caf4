/*
 * State of one coarse search: the path constraints found so far and the ways to use them. Private to the planner.
 *
 * A path constraint says that the times of the instructions of one path, and its lags, fit the deadline. Few of the
 * exponentially many matter; those are found by evaluating assignments that keep the ones known.
 */
#ifndef PERSEUS_PLAN_SEARCH_H
#define PERSEUS_PLAN_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/coarse.h"
#include "plan/longest.h"

enum { PERSEUS__MAX_PATHS = 96 };

struct perseus__search {
	const struct perseus__coarse *coarse;
	struct perseus__longest longest;
	int64_t deadline_ns;
	int64_t visits_left; /* work allowed: instructions in longest paths, candidates looked at */
	int32_t held;        /* group that local search leaves alone; -1: none */
	int32_t n_paths;
	int32_t first_path;                   /* of those tried: the one that last said no */
	int32_t *path_count;                  /* (MAX_PATHS, n_cells) */
	int32_t *new_count;                   /* length n_cells */
	int64_t *path_lags_ns;                /* length MAX_PATHS */
	int64_t *path_time_ns;                /* (n_options, MAX_PATHS): what a path takes in a group at an option */
	int64_t sum_ns[PERSEUS__MAX_PATHS];   /* of every path under the current assignment, see search_sums */
	int64_t fixed_ns[PERSEUS__MAX_PATHS]; /* lags and constant instructions of every path */
};

/* Effective energy of an assignment. */
int64_t perseus__search_energy_nj(const struct perseus__search *search, const int32_t *option);

/* Sets sum_ns to the paths' times under an assignment. */
void perseus__search_sums(struct perseus__search *search, const int32_t *option);

/* True makespan of an assignment. */
int64_t perseus__search_makespan(struct perseus__search *search, const int32_t *option);

/*
 * Whether an assignment keeps the deadline. Where a path that was not known breaks it, it is added; where there is no
 * room it replaces the one with most slack if `may_replace`.
 */
bool perseus__search_keeps(struct perseus__search *search, const int32_t *option, bool may_replace);

/* The row of path times of an option of a group. */
static inline const int64_t *
perseus__search_row(const struct perseus__search *search, int32_t group, int32_t option)
{
	return search->path_time_ns + (int64_t)(search->coarse->option_begin[group] + option) * PERSEUS__MAX_PATHS;
}

/* The assignment with (locally) the shortest makespan; returns that. */
int64_t perseus__search_fastest(struct perseus__search *search, int32_t *option);

/* Makes an assignment keep the deadline at little energy; false where it got stuck. */
bool perseus__search_repair(struct perseus__search *search, int32_t *option);

/* Slows groups step by step, most energy per makespan first, while the deadline holds. */
void perseus__search_greedy(struct perseus__search *search, int32_t *option);

/* Best change of one group, or of one slower and one faster, until none helps. */
void perseus__search_descend(struct perseus__search *search, int32_t *option);

/*
 * Local search again from a verified assignment with one group moved a few clocks and held there for a while; keeps
 * what is better. Stops when less than `reserve` of visits_left remains.
 */
PERSEUS_MUST_USE enum perseus_status perseus__search_kick(
		struct perseus__search *search, int32_t *option, int64_t reserve, struct perseus_error *err);

/*
 * Lagrangian bound and branch and bound. `option` is the best known and becomes the best found; `*has_option` says
 * whether there is one. Returns whether the result is proven optimal (or proven impossible).
 */
PERSEUS_MUST_USE enum perseus_status perseus__search_branch(struct perseus__search *search, int32_t *option,
		bool *has_option, int64_t max_nodes, bool *is_optimal, struct perseus_error *err);

#endif
