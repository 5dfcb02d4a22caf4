/*
 * Lagrangian bound of a coarse search, and branch and bound with it.
 *
 * Prices of the path constraints (Held, Wolfe and Crowder 1974: subgradients with Polyak's step) make the groups
 * independent: each takes the option of least energy plus price times path time. What an option costs beyond the least
 * of its group rules it out once bound plus that reaches the best answer known; the few that remain are enumerated.
 */
#include "plan/search.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_ROUNDS = 400, /* of subgradients */
	PATIENCE = 15,    /* rounds without a better bound before steps are halved */
	UW_NS_PER_NJ = 1000000,
};

/* An option that survived, with its reduced cost: a price times a time may leave 64 bits. */
struct candidate {
	perseus__wide reduced_nj;
	int32_t option;
};

struct branch {
	struct perseus__search *search;
	int32_t n_groups;
	int32_t n_priced; /* paths with a price: those known when the prices were made */
	int64_t price_uw[PERSEUS__MAX_PATHS];
	int64_t best_price_uw[PERSEUS__MAX_PATHS];
	perseus__wide bound; /* best so far, in µW·ns */
	bool has_bound;
	int32_t *option;       /* length n_groups: cheapest at the prices */
	perseus__wide base_nj; /* the bound's part that no option changes */
	struct candidate *candidates;
	int32_t *candidate_begin; /* length n_groups: of the group at each depth */
	int32_t *candidate_end;   /* length n_groups */
	int32_t *group_at;        /* length n_groups: group of each depth */
	perseus__wide *rest_nj;   /* length n_groups + 1: least reduced cost from a depth on */
	int64_t *rest_ns;         /* (n_groups + 1, MAX_PATHS): least path times from a depth on */
	int64_t *sum_ns;          /* (n_groups + 1, MAX_PATHS): path times down to a depth */
	perseus__wide *cost_nj;   /* length n_groups + 1: reduced cost down to a depth */
	int32_t *place;           /* length n_groups: candidate tried at a depth */
	int64_t best_nj;
	bool has_best;
	int32_t *best; /* length n_groups: the caller's */
	int64_t nodes_left;
};

static void
branch_fini(struct branch *branch)
{
	perseus__free(branch->option);
	perseus__free(branch->candidates);
	perseus__free(branch->candidate_begin);
	perseus__free(branch->candidate_end);
	perseus__free(branch->group_at);
	perseus__free(branch->rest_nj);
	perseus__free(branch->rest_ns);
	perseus__free(branch->sum_ns);
	perseus__free(branch->cost_nj);
	perseus__free(branch->place);
}

static enum perseus_status
branch_init(struct branch *branch, struct perseus__search *search, struct perseus_error *err)
{
	const size_t n = (size_t)search->coarse->n_groups;
	*branch = (struct branch){.search = search, .n_groups = search->coarse->n_groups};
	branch->option = perseus__new_array(n, sizeof *branch->option);
	branch->candidates = perseus__new_array((size_t)search->coarse->option_begin[n], sizeof *branch->candidates);
	branch->candidate_begin = perseus__new_array(n, sizeof *branch->candidate_begin);
	branch->candidate_end = perseus__new_array(n, sizeof *branch->candidate_end);
	branch->group_at = perseus__new_array(n, sizeof *branch->group_at);
	branch->rest_nj = perseus__new_array(n + 1, sizeof *branch->rest_nj);
	branch->rest_ns = perseus__new_array((n + 1) * PERSEUS__MAX_PATHS, sizeof *branch->rest_ns);
	branch->sum_ns = perseus__new_array((n + 1) * PERSEUS__MAX_PATHS, sizeof *branch->sum_ns);
	branch->cost_nj = perseus__new_array(n + 1, sizeof *branch->cost_nj);
	branch->place = perseus__new_array(n, sizeof *branch->place);
	if (branch->option && branch->candidates && branch->candidate_begin && branch->candidate_end && branch->group_at
			&& branch->rest_nj && branch->rest_ns && branch->sum_ns && branch->cost_nj && branch->place)
		return PERSEUS_OK;
	branch_fini(branch);
	return perseus__no_memory(err);
}

/* Energy plus price times path time of one option, in µW·ns. */
static perseus__wide
reduced_cost(const struct branch *branch, const int64_t *price_uw, int32_t group, int32_t option)
{
	const struct perseus__search *search = branch->search;
	const int64_t *row = perseus__search_row(search, group, option);
	const int64_t energy_nj = search->coarse->option_nj[search->coarse->option_begin[group] + option];
	perseus__wide cost = (perseus__wide)energy_nj * UW_NS_PER_NJ;
	for (int32_t p = 0; p < branch->n_priced; p++)
		if (price_uw[p] != 0)
			cost += (perseus__wide)price_uw[p] * row[p];
	return cost;
}

/* What the prices earn from the paths' fixed parts and the deadline, in µW·ns. */
static perseus__wide
fixed_cost(const struct branch *branch, const int64_t *price_uw)
{
	perseus__wide cost = 0;
	for (int32_t p = 0; p < branch->n_priced; p++)
		cost += (perseus__wide)price_uw[p] * (branch->search->fixed_ns[p] - branch->search->deadline_ns);
	return cost;
}

/* Cheapest options at the current prices, into `option`; returns the bound they prove, in µW·ns. */
static perseus__wide
price_options(struct branch *branch)
{
	const struct perseus__coarse *coarse = branch->search->coarse;
	perseus__wide bound = fixed_cost(branch, branch->price_uw);
	for (int32_t g = 0; g < branch->n_groups; g++) {
		const int32_t n = coarse->option_begin[g + 1] - coarse->option_begin[g];
		perseus__wide least = 0;
		for (int32_t o = 0; o < n; o++) {
			const perseus__wide cost = reduced_cost(branch, branch->price_uw, g, o);
			if (o == 0 || cost < least) {
				least = cost;
				branch->option[g] = o;
			}
		}
		bound += least;
		branch->search->visits_left -= n;
	}
	return bound;
}

/* Moves the prices along the subgradient, the paths' excess over the deadline. False at the optimum. */
static bool
step(struct branch *branch, perseus__wide target, perseus__wide bound, double scale)
{
	struct perseus__search *search = branch->search;
	perseus__search_sums(search, branch->option);
	/* Integer sums and single multiplications: no contraction, so that every machine takes the same step. */
	perseus__wide square = 0;
	for (int32_t p = 0; p < branch->n_priced; p++) {
		const int64_t excess_us = (search->sum_ns[p] - search->deadline_ns) / 1000;
		if (excess_us > 0 || branch->price_uw[p] > 0)
			square += (perseus__wide)excess_us * excess_us;
	}
	if (square == 0 || target <= bound)
		return false;
	const double length = scale * (double)(target - bound) / (double)square / 1e6;
	for (int32_t p = 0; p < branch->n_priced; p++) {
		const double change_uw = length * (double)(search->sum_ns[p] - search->deadline_ns);
		if (!(fabs(change_uw) < 1e16)) /* of all rounds together 64 bits */
			continue;
		const int64_t price_uw = branch->price_uw[p] + llround(change_uw);
		branch->price_uw[p] = price_uw > 0 ? price_uw : 0;
	}
	return true;
}

/* Best prices by subgradients; each round may teach a path. */
static void
find_prices(struct branch *branch)
{
	struct perseus__search *search = branch->search;
	double scale = 1;
	int idle = 0;
	for (int round = 0; round < MAX_ROUNDS && search->visits_left > 0; round++) {
		branch->n_priced = search->n_paths;
		const perseus__wide bound = price_options(branch);
		if (!branch->has_bound || bound > branch->bound) {
			branch->bound = bound;
			branch->has_bound = true;
			memcpy(branch->best_price_uw, branch->price_uw, sizeof branch->price_uw);
			idle = 0;
		} else if (++idle == PATIENCE) {
			memcpy(branch->price_uw, branch->best_price_uw, sizeof branch->price_uw);
			scale /= 2;
			idle = 0;
			continue;
		}
		(void)perseus__search_keeps(search, branch->option, false);
		branch->n_priced = search->n_paths;
		const perseus__wide target = branch->has_best ? (perseus__wide)branch->best_nj * UW_NS_PER_NJ
													  : bound + (bound < 0 ? -bound : bound) / 50 + UW_NS_PER_NJ;
		if (!step(branch, target, bound, scale))
			break;
	}
	memcpy(branch->price_uw, branch->best_price_uw, sizeof branch->price_uw);
	branch->n_priced = search->n_paths;
}

static perseus__wide
floor_nj(perseus__wide cost)
{
	return cost >= 0 ? cost / UW_NS_PER_NJ : -((-cost + UW_NS_PER_NJ - 1) / UW_NS_PER_NJ);
}

static int
compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;
	if (a->reduced_nj != b->reduced_nj)
		return a->reduced_nj < b->reduced_nj ? -1 : 1;
	return (a->option > b->option) - (a->option < b->option);
}

/* Options of every group that can still be part of a better answer, cheapest first. */
static void
list_candidates(struct branch *branch)
{
	const struct perseus__coarse *coarse = branch->search->coarse;
	branch->base_nj = floor_nj(fixed_cost(branch, branch->price_uw));
	perseus__wide bound_nj = branch->base_nj;
	for (int32_t g = 0; g < branch->n_groups; g++) {
		struct candidate *candidates = branch->candidates + coarse->option_begin[g];
		const int32_t n = coarse->option_begin[g + 1] - coarse->option_begin[g];
		for (int32_t o = 0; o < n; o++)
			candidates[o] = (struct candidate){
				.reduced_nj = floor_nj(reduced_cost(branch, branch->price_uw, g, o)), .option = o};
		qsort(candidates, (size_t)n, sizeof *candidates, compare_candidates);
		bound_nj += candidates[0].reduced_nj;
		branch->group_at[g] = g;
		branch->candidate_begin[g] = coarse->option_begin[g];
		branch->candidate_end[g] = coarse->option_begin[g + 1];
	}
	if (!branch->has_best)
		return;
	for (int32_t g = 0; g < branch->n_groups; g++) {
		const perseus__wide least_nj = branch->candidates[branch->candidate_begin[g]].reduced_nj;
		while (branch->candidate_end[g] > branch->candidate_begin[g] + 1
				&& branch->candidates[branch->candidate_end[g] - 1].reduced_nj - least_nj + bound_nj >= branch->best_nj)
			branch->candidate_end[g]--;
	}
}

/* Groups with few candidates first: insertion sort, stable. */
static void
order_groups(struct branch *branch)
{
	for (int32_t d = 1; d < branch->n_groups; d++) {
		const int32_t group = branch->group_at[d];
		const int32_t n = branch->candidate_end[group] - branch->candidate_begin[group];
		int32_t k = d;
		for (; k > 0; k--) {
			const int32_t before = branch->group_at[k - 1];
			if (branch->candidate_end[before] - branch->candidate_begin[before] <= n)
				break;
			branch->group_at[k] = before;
		}
		branch->group_at[k] = group;
	}
}

/* Least that path p takes from every depth on. */
static void
fill_rest_of_path(struct branch *branch, int32_t p)
{
	branch->rest_ns[(int64_t)branch->n_groups * PERSEUS__MAX_PATHS + p] = 0;
	for (int32_t d = branch->n_groups - 1; d >= 0; d--) {
		const int32_t group = branch->group_at[d];
		int64_t least_ns = INT64_MAX;
		for (int32_t k = branch->candidate_begin[group]; k < branch->candidate_end[group]; k++) {
			const int64_t time_ns = perseus__search_row(branch->search, group, branch->candidates[k].option)[p];
			least_ns = time_ns < least_ns ? time_ns : least_ns;
		}
		branch->rest_ns[(int64_t)d * PERSEUS__MAX_PATHS + p] =
				branch->rest_ns[(int64_t)(d + 1) * PERSEUS__MAX_PATHS + p] + least_ns;
	}
}

static void
fill_rest(struct branch *branch)
{
	branch->rest_nj[branch->n_groups] = 0;
	for (int32_t d = branch->n_groups - 1; d >= 0; d--)
		branch->rest_nj[d] =
				branch->rest_nj[d + 1] + branch->candidates[branch->candidate_begin[branch->group_at[d]]].reduced_nj;
	for (int32_t p = 0; p < branch->search->n_paths; p++)
		fill_rest_of_path(branch, p);
}

/* Adds the candidate at `depth` to the sums; false where a path cannot keep the deadline any more. */
static bool
push(struct branch *branch, int32_t depth, const struct candidate *candidate)
{
	const struct perseus__search *search = branch->search;
	const int64_t *row = perseus__search_row(search, branch->group_at[depth], candidate->option);
	const int64_t *above = branch->sum_ns + (int64_t)depth * PERSEUS__MAX_PATHS;
	const int64_t *rest = branch->rest_ns + (int64_t)(depth + 1) * PERSEUS__MAX_PATHS;
	int64_t *below = branch->sum_ns + (int64_t)(depth + 1) * PERSEUS__MAX_PATHS;
	branch->cost_nj[depth + 1] = branch->cost_nj[depth] + candidate->reduced_nj;
	bool fits = true;
	for (int32_t p = 0; p < search->n_paths; p++) {
		below[p] = above[p] + row[p];
		fits = fits && below[p] + rest[p] <= search->deadline_ns;
	}
	return fits;
}

/* A path was added at a leaf: sets its sums down the current branch. */
static void
learn_path(struct branch *branch, int32_t p)
{
	fill_rest_of_path(branch, p);
	branch->sum_ns[p] = branch->search->fixed_ns[p];
	for (int32_t d = 0; d < branch->n_groups; d++) {
		const int32_t option = branch->candidates[branch->place[d]].option;
		branch->sum_ns[(int64_t)(d + 1) * PERSEUS__MAX_PATHS + p] = branch->sum_ns[(int64_t)d * PERSEUS__MAX_PATHS + p]
				+ perseus__search_row(branch->search, branch->group_at[d], option)[p];
	}
}

/* All groups have an option that the known paths allow: keeps it if it is better and true. */
static void
try_leaf(struct branch *branch)
{
	struct perseus__search *search = branch->search;
	for (int32_t d = 0; d < branch->n_groups; d++)
		branch->option[branch->group_at[d]] = branch->candidates[branch->place[d]].option;
	const int64_t energy_nj = perseus__search_energy_nj(search, branch->option);
	if (branch->has_best && energy_nj >= branch->best_nj)
		return;
	const int32_t n_before = search->n_paths;
	if (perseus__search_keeps(search, branch->option, false)) {
		memcpy(branch->best, branch->option, (size_t)branch->n_groups * sizeof *branch->best);
		branch->best_nj = energy_nj;
		branch->has_best = true;
	} else if (search->n_paths > n_before) {
		learn_path(branch, n_before);
	}
}

/* Depth first, cheapest candidates first. True where the whole tree was seen. */
static bool
enumerate(struct branch *branch)
{
	memcpy(branch->sum_ns, branch->search->fixed_ns, sizeof branch->search->fixed_ns);
	branch->cost_nj[0] = branch->base_nj;
	int32_t depth = 0;
	branch->place[0] = branch->candidate_begin[branch->group_at[0]];
	while (depth >= 0) {
		if (branch->nodes_left-- <= 0 || branch->search->visits_left <= 0)
			return false;
		const int32_t k = branch->place[depth];
		const bool is_over = k == branch->candidate_end[branch->group_at[depth]]
				|| (branch->has_best
						&& branch->cost_nj[depth] + branch->candidates[k].reduced_nj + branch->rest_nj[depth + 1]
								>= branch->best_nj);
		if (is_over) {
			if (--depth >= 0)
				branch->place[depth]++;
		} else if (!push(branch, depth, &branch->candidates[k])) {
			branch->place[depth]++;
		} else if (depth + 1 == branch->n_groups) {
			try_leaf(branch);
			branch->place[depth]++;
		} else {
			depth++;
			branch->place[depth] = branch->candidate_begin[branch->group_at[depth]];
		}
	}
	return true;
}

/* The options that the prices ask for are a good start too. */
static void
descend_from_prices(struct branch *branch)
{
	struct perseus__search *search = branch->search;
	if (!perseus__search_repair(search, branch->option))
		return;
	perseus__search_descend(search, branch->option);
	const int64_t energy_nj = perseus__search_energy_nj(search, branch->option);
	if (branch->has_best && energy_nj >= branch->best_nj)
		return;
	memcpy(branch->best, branch->option, (size_t)branch->n_groups * sizeof *branch->best);
	branch->best_nj = energy_nj;
	branch->has_best = true;
}

enum perseus_status
perseus__search_branch(struct perseus__search *search, int32_t *option, bool *has_option, int64_t max_nodes,
		bool *is_optimal, struct perseus_error *err)
{
	*is_optimal = search->coarse->n_groups == 0;
	if (*is_optimal)
		return PERSEUS_OK;
	struct branch branch;
	const enum perseus_status status = branch_init(&branch, search, err);
	if (status != PERSEUS_OK)
		return status;
	branch.best = option;
	branch.has_best = *has_option;
	branch.best_nj = *has_option ? perseus__search_energy_nj(search, option) : 0;
	branch.nodes_left = max_nodes;
	find_prices(&branch);
	(void)price_options(&branch);
	descend_from_prices(&branch);
	if (max_nodes > 0) {
		branch.n_priced = search->n_paths;
		list_candidates(&branch);
		order_groups(&branch);
		fill_rest(&branch);
		*is_optimal = enumerate(&branch);
	}
	*has_option = branch.has_best;
	branch_fini(&branch);
	return PERSEUS_OK;
}
