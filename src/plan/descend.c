/*
 * Local search over assignments of clocks to groups: to shorten, to repair, to save. Candidates are tested against the
 * paths known first; only the best that passes is evaluated, and teaches a new path where it fails.
 */
#include "plan/search.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"

#include <string.h>

enum {
	MAX_GREEDY_STEPS = 4, /* clocks slower in one step of the greedy descent */
	MANY_GROUPS = 48,     /* beyond this many groups, pairs are tried in a window of clocks only */
	PAIR_WINDOW = 4,      /* clocks around the current one */
	MAX_REPAIRS = 1000,
	KICK = 3, /* clocks that a group is moved by to leave a local optimum */
};

/* A change of one or two groups; n is 0 where there is none. */
struct move {
	int32_t n;
	int32_t group[2];
	int32_t option[2];
	int64_t gain_nj;
};

static int32_t
n_options(const struct perseus__coarse *coarse, int32_t group)
{
	return coarse->option_begin[group + 1] - coarse->option_begin[group];
}

static void
swap_in(int32_t *option, struct move *move)
{
	for (int32_t k = 0; k < move->n; k++) {
		const int32_t old = option[move->group[k]];
		option[move->group[k]] = move->option[k];
		move->option[k] = old;
	}
}

/* Makespan after changing one group, which is changed back. */
static int64_t
makespan_with(struct perseus__search *search, int32_t *option, int32_t group, int32_t other)
{
	const int32_t old = option[group];
	option[group] = other;
	const int64_t makespan_ns = perseus__search_makespan(search, option);
	option[group] = old;
	return makespan_ns;
}

/* The option of least total time, group by group. */
static void
start_fast(const struct perseus__coarse *coarse, int32_t *option)
{
	for (int32_t g = 0; g < coarse->n_groups; g++) {
		perseus__wide least_ns = 0;
		for (int32_t o = 0; o < n_options(coarse, g); o++) {
			perseus__wide time_ns = 0;
			for (int32_t c = coarse->cell_begin[g]; c < coarse->cell_begin[g + 1]; c++)
				time_ns += (perseus__wide)coarse->cells[c].count * coarse->time_ns[coarse->cells[c].table + o];
			if (o == 0 || time_ns < least_ns) {
				least_ns = time_ns;
				option[g] = o;
			}
		}
	}
}

int64_t
perseus__search_fastest(struct perseus__search *search, int32_t *option)
{
	const struct perseus__coarse *coarse = search->coarse;
	start_fast(coarse, option);
	int64_t makespan_ns = perseus__search_makespan(search, option);
	bool improved = true;
	while (improved && makespan_ns > search->deadline_ns) {
		improved = false;
		for (int32_t g = 0; g < coarse->n_groups; g++)
			for (int32_t o = 0; o < n_options(coarse, g); o++) {
				const int64_t other_ns = o == option[g] ? makespan_ns : makespan_with(search, option, g, o);
				if (other_ns >= makespan_ns)
					continue;
				makespan_ns = other_ns;
				option[g] = o;
				improved = true;
			}
	}
	return makespan_ns;
}

/* Whether all known paths keep the deadline after the change of one or two groups; sum_ns must be current. */
static bool
move_fits(struct perseus__search *search, const int64_t *off_a, const int64_t *on_a, const int64_t *off_b,
		const int64_t *on_b)
{
	const int64_t deadline_ns = search->deadline_ns;
	const int32_t first = search->first_path;
	search->visits_left--;
	if (search->sum_ns[first] + on_a[first] - off_a[first] + on_b[first] - off_b[first] > deadline_ns)
		return false;
	for (int32_t p = 0; p < search->n_paths; p++)
		if (search->sum_ns[p] + on_a[p] - off_a[p] + on_b[p] - off_b[p] > deadline_ns) {
			search->first_path = p;
			return false;
		}
	return true;
}

/* The known path that is longest under sum_ns; -1 where all keep the deadline. */
static int32_t
worst_path(const struct perseus__search *search)
{
	int32_t worst = -1;
	for (int32_t p = 0; p < search->n_paths; p++)
		if (search->sum_ns[p] > search->deadline_ns && (worst < 0 || search->sum_ns[p] > search->sum_ns[worst]))
			worst = p;
	return worst;
}

/* Shortens a path at least energy per time, what is more than needed not counted. False where nothing shortens it. */
static bool
shorten(struct perseus__search *search, int32_t *option, int32_t path)
{
	const struct perseus__coarse *coarse = search->coarse;
	const int64_t excess_ns = search->sum_ns[path] - search->deadline_ns;
	int32_t best_group = -1;
	int32_t best_option = 0;
	int64_t best_ns = 1;
	int64_t best_nj = 0;
	for (int32_t g = 0; g < coarse->n_groups; g++) {
		if (g == search->held)
			continue;
		const int64_t *energy_nj = coarse->option_nj + coarse->option_begin[g];
		const int64_t now_ns = perseus__search_row(search, g, option[g])[path];
		for (int32_t o = 0; o < n_options(coarse, g); o++) {
			int64_t less_ns = now_ns - perseus__search_row(search, g, o)[path];
			if (less_ns <= 0)
				continue;
			less_ns = less_ns < excess_ns ? less_ns : excess_ns;
			const int64_t more_nj = energy_nj[o] - energy_nj[option[g]];
			if (best_group >= 0 && (perseus__wide)more_nj * best_ns >= (perseus__wide)best_nj * less_ns)
				continue;
			best_group = g;
			best_option = o;
			best_ns = less_ns;
			best_nj = more_nj;
		}
	}
	if (best_group < 0)
		return false;
	option[best_group] = best_option;
	return true;
}

bool
perseus__search_repair(struct perseus__search *search, int32_t *option)
{
	for (int repairs = 0; repairs < MAX_REPAIRS && search->visits_left > 0; repairs++) {
		perseus__search_sums(search, option);
		const int32_t path = worst_path(search);
		if (path >= 0) {
			if (!shorten(search, option, path))
				return false;
		} else if (perseus__search_keeps(search, option, true)) {
			return true;
		}
	}
	return false;
}

/* How much the longest known path grows, at least 0, when one group changes. */
static int64_t
growth_ns(const struct perseus__search *search, const int64_t *off, const int64_t *on, int64_t longest_ns)
{
	int64_t grown_ns = longest_ns;
	for (int32_t p = 0; p < search->n_paths; p++) {
		const int64_t sum_ns = search->sum_ns[p] + on[p] - off[p];
		grown_ns = sum_ns > grown_ns ? sum_ns : grown_ns;
	}
	return grown_ns - longest_ns;
}

static struct move
best_step(struct perseus__search *search, const int32_t *option)
{
	const struct perseus__coarse *coarse = search->coarse;
	struct move best = {0};
	perseus__wide best_cost_ns = 1;
	int64_t longest_ns = 0;
	for (int32_t p = 0; p < search->n_paths; p++)
		longest_ns = search->sum_ns[p] > longest_ns ? search->sum_ns[p] : longest_ns;
	for (int32_t g = 0; g < coarse->n_groups; g++) {
		const int64_t *energy_nj = coarse->option_nj + coarse->option_begin[g];
		const int64_t *off = perseus__search_row(search, g, option[g]);
		for (int32_t o = option[g] + 1; o < n_options(coarse, g) && o <= option[g] + MAX_GREEDY_STEPS; o++) {
			const int64_t gain_nj = energy_nj[option[g]] - energy_nj[o];
			const int64_t *on = perseus__search_row(search, g, o);
			if (gain_nj <= 0 || !move_fits(search, off, on, off, off))
				continue;
			/* 1 µs more, so that steps that cost nothing compare by their gain. */
			const perseus__wide cost_ns = growth_ns(search, off, on, longest_ns) + 1000;
			if (best.n > 0 && gain_nj * best_cost_ns <= best.gain_nj * cost_ns)
				continue;
			best = (struct move){.n = 1, .group = {g}, .option = {o}, .gain_nj = gain_nj};
			best_cost_ns = cost_ns;
		}
	}
	return best;
}

static struct move
best_change(struct perseus__search *search, const int32_t *option)
{
	const struct perseus__coarse *coarse = search->coarse;
	struct move best = {0};
	for (int32_t g = 0; g < coarse->n_groups; g++) {
		if (g == search->held)
			continue;
		const int64_t *energy_nj = coarse->option_nj + coarse->option_begin[g];
		const int64_t *off = perseus__search_row(search, g, option[g]);
		for (int32_t o = 0; o < n_options(coarse, g); o++) {
			const int64_t gain_nj = energy_nj[option[g]] - energy_nj[o];
			if (gain_nj > best.gain_nj && move_fits(search, off, perseus__search_row(search, g, o), off, off))
				best = (struct move){.n = 1, .group = {g}, .option = {o}, .gain_nj = gain_nj};
		}
	}
	return best;
}

/* Looks for a group that pays the time of one that saves; improves on `best`. */
static void
find_payer(struct perseus__search *search, const int32_t *option, const struct move *saver, struct move *best)
{
	const struct perseus__coarse *coarse = search->coarse;
	const int32_t window = coarse->n_groups > MANY_GROUPS ? PAIR_WINDOW : INT32_MAX / 2;
	const int64_t *off_a = perseus__search_row(search, saver->group[0], option[saver->group[0]]);
	const int64_t *on_a = perseus__search_row(search, saver->group[0], saver->option[0]);
	for (int32_t h = 0; h < coarse->n_groups; h++) {
		if (h == saver->group[0] || h == search->held)
			continue;
		const int64_t *energy_nj = coarse->option_nj + coarse->option_begin[h];
		const int64_t *off_b = perseus__search_row(search, h, option[h]);
		const int32_t from = option[h] > window ? option[h] - window : 0;
		const int32_t to =
				n_options(coarse, h) - 1 - option[h] > window ? option[h] + window : n_options(coarse, h) - 1;
		for (int32_t o = from; o <= to; o++) {
			const int64_t more_nj = energy_nj[o] - energy_nj[option[h]];
			if (more_nj <= 0 || saver->gain_nj - more_nj <= best->gain_nj)
				continue;
			if (move_fits(search, off_a, on_a, off_b, perseus__search_row(search, h, o)))
				*best = (struct move){.n = 2,
					.group = {saver->group[0], h},
					.option = {saver->option[0], o},
					.gain_nj = saver->gain_nj - more_nj};
		}
	}
}

static struct move
best_pair(struct perseus__search *search, const int32_t *option)
{
	const struct perseus__coarse *coarse = search->coarse;
	const int32_t window = coarse->n_groups > MANY_GROUPS ? PAIR_WINDOW : INT32_MAX / 2;
	struct move best = {0};
	for (int32_t g = 0; g < coarse->n_groups && search->visits_left > 0; g++) {
		if (g == search->held)
			continue;
		const int64_t *energy_nj = coarse->option_nj + coarse->option_begin[g];
		for (int32_t o = 0; o < n_options(coarse, g); o++) {
			const struct move saver = {
				.n = 1, .group = {g}, .option = {o}, .gain_nj = energy_nj[option[g]] - energy_nj[o]};
			if (saver.gain_nj > best.gain_nj && o - option[g] <= window && option[g] - o <= window)
				find_payer(search, option, &saver, &best);
		}
	}
	return best;
}

/* Makes the best move of a kind again and again until there is none; true where any was made. */
static bool
exhaust(struct perseus__search *search, int32_t *option, struct move (*find)(struct perseus__search *, const int32_t *))
{
	bool moved = false;
	while (search->visits_left > 0) {
		perseus__search_sums(search, option);
		struct move move = find(search, option);
		if (move.n == 0)
			break;
		swap_in(option, &move);
		if (perseus__search_keeps(search, option, true))
			moved = true;
		else
			swap_in(option, &move);
	}
	return moved;
}

void
perseus__search_greedy(struct perseus__search *search, int32_t *option)
{
	(void)exhaust(search, option, best_step);
}

void
perseus__search_descend(struct perseus__search *search, int32_t *option)
{
	do
		(void)exhaust(search, option, best_change);
	while (exhaust(search, option, best_pair));
}

/* One kick: `option` is `best` with `group` at another option; improves `best` where it leads to better. */
static bool
kick_group(struct perseus__search *search, int32_t *option, int32_t *best, int32_t group)
{
	search->held = group;
	const bool is_repaired = perseus__search_repair(search, option);
	if (is_repaired)
		perseus__search_descend(search, option);
	search->held = -1;
	if (!is_repaired)
		return false;
	perseus__search_descend(search, option);
	if (perseus__search_energy_nj(search, option) >= perseus__search_energy_nj(search, best))
		return false;
	memcpy(best, option, (size_t)search->coarse->n_groups * sizeof *best);
	return true;
}

enum perseus_status
perseus__search_kick(struct perseus__search *search, int32_t *option, int64_t reserve, struct perseus_error *err)
{
	const struct perseus__coarse *coarse = search->coarse;
	const size_t n = (size_t)coarse->n_groups;
	int32_t *kicked = perseus__new_array(n, sizeof *kicked);
	if (!kicked)
		return perseus__no_memory(err);
	bool improved = true;
	while (improved && search->visits_left > reserve) {
		improved = false;
		for (int32_t g = 0; g < coarse->n_groups; g++)
			for (int32_t by = -KICK; by <= KICK && search->visits_left > reserve; by++) {
				if (by == 0 || option[g] + by < 0 || option[g] + by >= n_options(coarse, g))
					continue;
				memcpy(kicked, option, n * sizeof *kicked);
				kicked[g] += by;
				improved = kick_group(search, kicked, option, g) || improved;
			}
	}
	perseus__free(kicked);
	return PERSEUS_OK;
}
