/*
 * Path constraints of a coarse search, and its course.
 */
#include "plan/search.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

static void
search_fini(struct perseus__search *search)
{
	perseus__longest_fini(&search->longest);
	perseus__free(search->path_count);
	perseus__free(search->new_count);
	perseus__free(search->path_lags_ns);
	perseus__free(search->path_time_ns);
	*search = (struct perseus__search){0};
}

static enum perseus_status
search_init(struct perseus__search *search, const struct perseus__coarse *coarse, int64_t deadline_ns,
		int64_t max_visits, struct perseus_error *err)
{
	*search = (struct perseus__search){
		.coarse = coarse, .deadline_ns = deadline_ns, .visits_left = max_visits, .held = -1};
	const size_t n_options = (size_t)coarse->option_begin[coarse->n_groups];
	const size_t n_cells = (size_t)coarse->n_cells;
	search->path_count = perseus__new_array(PERSEUS__MAX_PATHS * n_cells, sizeof *search->path_count);
	search->new_count = perseus__new_array(n_cells, sizeof *search->new_count);
	search->path_lags_ns = perseus__new_array(PERSEUS__MAX_PATHS, sizeof *search->path_lags_ns);
	search->path_time_ns = perseus__new_array(PERSEUS__MAX_PATHS * n_options, sizeof *search->path_time_ns);
	enum perseus_status status = PERSEUS_OK;
	if (!search->path_count || !search->new_count || !search->path_lags_ns || !search->path_time_ns)
		status = perseus__no_memory(err);
	else
		status = perseus__longest_init(&search->longest, coarse, err);
	if (status != PERSEUS_OK)
		search_fini(search);
	return status;
}

int64_t
perseus__search_energy_nj(const struct perseus__search *search, const int32_t *option)
{
	int64_t energy_nj = 0;
	for (int32_t g = 0; g < search->coarse->n_groups; g++)
		energy_nj += search->coarse->option_nj[search->coarse->option_begin[g] + option[g]];
	return energy_nj;
}

void
perseus__search_sums(struct perseus__search *search, const int32_t *option)
{
	memcpy(search->sum_ns, search->fixed_ns, sizeof search->sum_ns);
	for (int32_t g = 0; g < search->coarse->n_groups; g++) {
		const int64_t *row = perseus__search_row(search, g, option[g]);
		for (int32_t p = 0; p < search->n_paths; p++)
			search->sum_ns[p] += row[p];
	}
}

int64_t
perseus__search_makespan(struct perseus__search *search, const int32_t *option)
{
	const struct perseus__coarse *coarse = search->coarse;
	for (int32_t c = 0; c < coarse->n_cells; c++) {
		const struct perseus__cell *cell = &coarse->cells[c];
		search->longest.time_ns[c] =
				coarse->time_ns[cell->table + (cell->group < coarse->n_groups ? option[cell->group] : 0)];
	}
	search->visits_left -= search->longest.n_nodes;
	return perseus__longest_makespan(&search->longest);
}

static bool
is_known(const struct perseus__search *search, int64_t lags_ns)
{
	const size_t n = (size_t)search->coarse->n_cells;
	for (int32_t p = 0; p < search->n_paths; p++)
		if (search->path_lags_ns[p] == lags_ns
				&& memcmp(search->path_count + (size_t)p * n, search->new_count, n * sizeof *search->new_count) == 0)
			return true;
	return false;
}

/* The path with most slack under sum_ns. */
static int32_t
least_needed(const struct perseus__search *search)
{
	int32_t least = 0;
	for (int32_t p = 1; p < search->n_paths; p++)
		if (search->sum_ns[p] < search->sum_ns[least])
			least = p;
	return least;
}

static void
store_path(struct perseus__search *search, int32_t p, int64_t lags_ns)
{
	const struct perseus__coarse *coarse = search->coarse;
	int32_t *count = search->path_count + (int64_t)p * coarse->n_cells;
	memcpy(count, search->new_count, (size_t)coarse->n_cells * sizeof *count);
	search->path_lags_ns[p] = lags_ns;
	search->fixed_ns[p] = lags_ns;
	for (int32_t c = coarse->cell_begin[coarse->n_groups]; c < coarse->n_cells; c++)
		search->fixed_ns[p] += count[c] * coarse->time_ns[coarse->cells[c].table];
	for (int32_t g = 0; g < coarse->n_groups; g++)
		for (int32_t o = coarse->option_begin[g]; o < coarse->option_begin[g + 1]; o++) {
			int64_t time_ns = 0;
			for (int32_t c = coarse->cell_begin[g]; c < coarse->cell_begin[g + 1]; c++)
				time_ns += count[c] * coarse->time_ns[coarse->cells[c].table + o - coarse->option_begin[g]];
			search->path_time_ns[(int64_t)o * PERSEUS__MAX_PATHS + p] = time_ns;
		}
}

/* Adds the longest path of the last pass, unless it is known or there is no room. */
static void
add_path(struct perseus__search *search, const int32_t *option, bool may_replace)
{
	const int64_t lags_ns = perseus__longest_path(&search->longest, search->new_count);
	if (is_known(search, lags_ns) || (search->n_paths == PERSEUS__MAX_PATHS && !may_replace))
		return;
	perseus__search_sums(search, option);
	const int32_t p = search->n_paths < PERSEUS__MAX_PATHS ? search->n_paths++ : least_needed(search);
	store_path(search, p, lags_ns);
}

bool
perseus__search_keeps(struct perseus__search *search, const int32_t *option, bool may_replace)
{
	if (perseus__search_makespan(search, option) <= search->deadline_ns)
		return true;
	add_path(search, option, may_replace);
	return false;
}

/* Tries a start: repairs it if needed, descends, and keeps the better of it and `best`. */
static void
try_start(struct perseus__search *search, int32_t *option, int32_t *best, bool *has_best)
{
	if (!perseus__search_repair(search, option))
		return;
	perseus__search_descend(search, option);
	if (*has_best && perseus__search_energy_nj(search, option) >= perseus__search_energy_nj(search, best))
		return;
	memcpy(best, option, (size_t)search->coarse->n_groups * sizeof *best);
	*has_best = true;
}

static enum perseus_status
run_search(struct perseus__search *search, const struct perseus__coarse_seeds *seeds, int64_t max_nodes, int32_t *best,
		struct perseus__coarse_answer *answer, struct perseus_error *err)
{
	const size_t n = (size_t)search->coarse->n_groups;
	int32_t *option = perseus__new_array(n, sizeof *option);
	if (!option)
		return perseus__no_memory(err);
	bool has_best = false;
	answer->makespan_ns = perseus__search_fastest(search, option);
	memcpy(best, option, n * sizeof *best);
	if (answer->makespan_ns <= search->deadline_ns) {
		perseus__search_greedy(search, option);
		try_start(search, option, best, &has_best);
	}
	for (int32_t k = 0; seeds && k < seeds->n; k++) {
		memcpy(option, seeds->options + (size_t)k * n, n * sizeof *option);
		try_start(search, option, best, &has_best);
	}
	perseus__free(option);
	enum perseus_status status = PERSEUS_OK;
	if (has_best && max_nodes > 0)
		status = perseus__search_kick(search, best, search->visits_left / 2, err);
	if (status == PERSEUS_OK)
		status = perseus__search_branch(search, best, &has_best, max_nodes, &answer->is_optimal, err);
	if (status != PERSEUS_OK)
		return status;
	answer->is_feasible = has_best;
	answer->makespan_ns = perseus__search_makespan(search, best);
	return PERSEUS_OK;
}

enum perseus_status
perseus__coarse_search(const struct perseus__coarse *coarse, int64_t deadline_ns,
		const struct perseus__coarse_seeds *seeds, const struct perseus__coarse_limits *limits, int32_t *option,
		struct perseus__coarse_answer *answer, struct perseus_error *err)
{
	struct perseus__search search;
	enum perseus_status status = search_init(&search, coarse, deadline_ns, limits->max_visits, err);
	if (status != PERSEUS_OK)
		return status;
	*answer = (struct perseus__coarse_answer){0};
	status = run_search(&search, seeds, limits->max_nodes, option, answer, err);
	search_fini(&search);
	return status;
}
