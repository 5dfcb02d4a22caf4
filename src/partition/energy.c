/*
 * Energy of a stage: each class of its cycle starts at its fastest, and what time the limit leaves goes to the class
 * that saves most by it, piece by piece of the hulls (a separable convex program, which greed solves; Fox 1966).
 * Energy of a partition: the sum over its stages, by dynamic programming from the last to the first.
 */
#include "partition/energy.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "profile/class.h"

enum perseus_status
perseus__energy_init(struct perseus__energy *energy, const struct perseus_layers *layers, int64_t limit_ns,
		struct perseus_error *err)
{
	const size_t n = (size_t)layers->max_clocks;
	*energy = (struct perseus__energy){.layers = layers, .limit_ns = limit_ns};
	energy->choices = perseus__new_array(n, sizeof *energy->choices);
	energy->pareto = perseus__new_array(n, sizeof *energy->pareto);
	bool has_all = energy->choices && energy->pareto;
	for (int32_t i = 0; i < layers->n_cycle; i++) {
		energy->hulls[i] = perseus__new_array(n, sizeof *energy->hulls[i]);
		has_all = has_all && energy->hulls[i];
	}
	return has_all ? PERSEUS_OK : perseus__no_memory(err);
}

void
perseus__energy_fini(struct perseus__energy *energy)
{
	perseus__free(energy->choices);
	perseus__free(energy->pareto);
	for (int i = 0; i < PERSEUS__MAX_CYCLE_CLASSES; i++)
		perseus__free(energy->hulls[i]);
	*energy = (struct perseus__energy){0};
}

/* A place on a hull: at its point `at`, with `n_left` pieces behind it. */
struct place {
	const struct perseus_choice *at;
	int32_t n_left;
};

/* Whether the next piece of a saves more per time than that of b. Products are below 2^62 by 2^47. */
static bool
saves_more(struct place a, struct place b)
{
	const perseus__wide of_a =
			((perseus__wide)a.at[0].effective_nj - a.at[1].effective_nj) * (b.at[1].time_ns - b.at[0].time_ns);
	const perseus__wide of_b =
			((perseus__wide)b.at[0].effective_nj - b.at[1].effective_nj) * (a.at[1].time_ns - a.at[0].time_ns);
	return of_a > of_b;
}

/* The place that gains most by more time; NULL where all are at their ends. */
static struct place *
best_place(struct place *places, int32_t n)
{
	struct place *best = NULL;
	for (int32_t i = 0; i < n; i++)
		if (places[i].n_left > 0 && (!best || saves_more(places[i], *best)))
			best = &places[i];
	return best;
}

/* What the pieces save within `left_ns`, rounded down. */
static int64_t
saved_nj(struct place *places, int32_t n, int64_t left_ns)
{
	int64_t saved = 0;
	for (struct place *place; left_ns > 0 && (place = best_place(places, n)); place->at++, place->n_left--) {
		const int64_t piece_ns = place->at[1].time_ns - place->at[0].time_ns;
		const int64_t piece_nj = place->at[0].effective_nj - place->at[1].effective_nj;
		const int64_t taken_ns = piece_ns < left_ns ? piece_ns : left_ns;
		saved += (int64_t)((perseus__wide)piece_nj * taken_ns / piece_ns);
		left_ns -= taken_ns;
	}
	return saved;
}

int64_t
perseus__span_energy_nj(struct perseus__energy *energy, struct perseus__span span, int64_t blocking_power_uw)
{
	const struct perseus_layers *layers = energy->layers;
	struct place places[PERSEUS__MAX_CYCLE_CLASSES];
	int64_t left_ns = energy->limit_ns;
	int64_t effective_nj = 0;
	for (int32_t i = 0; i < layers->n_cycle; i++) {
		const int32_t n = perseus__span_choices(layers, layers->cycle[i], span, blocking_power_uw, energy->choices);
		const int32_t n_pareto = perseus__pareto(energy->choices, n, energy->pareto);
		places[i] = (struct place){
			.at = energy->hulls[i],
			.n_left = perseus__lower_hull(energy->pareto, n_pareto, energy->hulls[i]) - 1,
		};
		left_ns -= places[i].at->time_ns;
		effective_nj += places[i].at->effective_nj;
	}
	return left_ns < 0 ? PERSEUS__NO_WAY : effective_nj - saved_nj(places, layers->n_cycle, left_ns);
}

/* Energies of all spans that keep the limit: what is longer than one that does not, does not. */
static void
fill_energies(const struct perseus__spans *spans, struct perseus__energy *energy, int64_t blocking_power_uw,
		int64_t *energies_nj)
{
	for (int32_t first = 0; first < spans->n_layers; first++) {
		int32_t end = first + 1;
		for (; end <= spans->n_layers; end++) {
			const struct perseus__span span = {first, end};
			if (perseus__span_fastest_ns(spans->layers, span) > energy->limit_ns)
				break;
			energies_nj[perseus__span_index(spans, first, end)] =
					perseus__span_energy_nj(energy, span, blocking_power_uw);
		}
		for (; end <= spans->n_layers; end++)
			energies_nj[perseus__span_index(spans, first, end)] = PERSEUS__NO_WAY;
	}
}

/* One stage more ahead of those in `next`; `ends`: where it ends, the last of equally good ones. */
static void
add_stage(const struct perseus__spans *spans, const int64_t *energies_nj, const int64_t *next, int64_t *best,
		int32_t *ends)
{
	for (int32_t a = 0; a <= spans->n_layers; a++) {
		best[a] = PERSEUS__NO_WAY;
		for (int32_t b = a + 1; b <= spans->n_layers; b++) {
			const int64_t span_nj = energies_nj[perseus__span_index(spans, a, b)];
			if (span_nj == PERSEUS__NO_WAY || next[b] == PERSEUS__NO_WAY || next[b] + span_nj > best[a])
				continue;
			best[a] = next[b] + span_nj;
			ends[a] = b;
		}
	}
}

static enum perseus_status
fail_limit(struct perseus__spans *spans, int64_t limit_ns, int64_t *scratch, struct perseus_error *err)
{
	for (int32_t first = 0; first < spans->n_layers; first++)
		for (int32_t end = first + 1; end <= spans->n_layers; end++)
			scratch[perseus__span_index(spans, first, end)] =
					perseus__span_fastest_ns(spans->layers, (struct perseus__span){first, end});
	const int64_t least_ns = perseus__least_largest(spans, scratch, perseus__no_bounds());
	return perseus__fail(err, PERSEUS_INFEASIBLE,
			"no partition into %d stages keeps a cycle of %.9f s: the slowest stage takes %.9f s at least",
			(int)spans->n_stages, (double)limit_ns / 1e9, (double)least_ns / 1e9);
}

/* `ends` has a row of n_layers + 1 for each stage. */
static enum perseus_status
solve(struct perseus__spans *spans, struct perseus__energy *energy, const int64_t *blocking_power_uw,
		int64_t *energies_nj, int32_t *ends, int32_t *boundaries, struct perseus_error *err)
{
	const int32_t n = spans->n_layers;
	const size_t row = (size_t)n + 1;
	int64_t *next = spans->best;
	int64_t *best = spans->best + row;
	for (int32_t a = 0; a <= n; a++)
		next[a] = a == n ? 0 : PERSEUS__NO_WAY;
	for (int32_t s = spans->n_stages - 1; s >= 0; s--) {
		if (s == spans->n_stages - 1 || blocking_power_uw[s] != blocking_power_uw[s + 1])
			fill_energies(spans, energy, blocking_power_uw[s], energies_nj);
		add_stage(spans, energies_nj, next, best, ends + (size_t)s * row);
		int64_t *const swap = next;
		next = best;
		best = swap;
	}
	if (next[0] == PERSEUS__NO_WAY)
		return fail_limit(spans, energy->limit_ns, energies_nj, err);
	boundaries[0] = 0;
	for (int32_t s = 0; s < spans->n_stages; s++)
		boundaries[s + 1] = ends[(size_t)s * row + (size_t)boundaries[s]];
	return PERSEUS_OK;
}

enum perseus_status
perseus__least_energy(struct perseus__spans *spans, struct perseus__energy *energy, const int64_t *blocking_power_uw,
		int32_t *boundaries, struct perseus_error *err)
{
	const size_t row = (size_t)spans->n_layers + 1;
	int64_t *energies_nj = perseus__new_array(row * row, sizeof *energies_nj);
	int32_t *ends = perseus__new_array((size_t)spans->n_stages * row, sizeof *ends);
	const enum perseus_status status = energies_nj && ends
			? solve(spans, energy, blocking_power_uw, energies_nj, ends, boundaries, err)
			: perseus__no_memory(err);
	perseus__free(energies_nj);
	perseus__free(ends);
	return status;
}
