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

/* The layers from one on, in the stages from one on: the least energy, and the least bottleneck with that energy. */
struct rest {
	int64_t effective_nj; /* PERSEUS__NO_WAY: they cannot */
	int64_t bottleneck_ns;
};

static bool
is_better(struct rest a, struct rest b)
{
	return a.effective_nj < b.effective_nj || (a.effective_nj == b.effective_nj && a.bottleneck_ns < b.bottleneck_ns);
}

/* One stage more ahead of those in `next`. */
static void
add_stage(const struct perseus__spans *spans, const int64_t *energies_nj, const struct rest *next, struct rest *rests)
{
	for (int32_t a = 0; a <= spans->n_layers; a++) {
		rests[a] = (struct rest){PERSEUS__NO_WAY, INT64_MAX};
		for (int32_t b = a + 1; b <= spans->n_layers; b++) {
			const size_t i = perseus__span_index(spans, a, b);
			if (energies_nj[i] == PERSEUS__NO_WAY || next[b].effective_nj == PERSEUS__NO_WAY)
				continue;
			const struct rest rest = {
				.effective_nj = energies_nj[i] + next[b].effective_nj,
				.bottleneck_ns =
						spans->cycle_ns[i] > next[b].bottleneck_ns ? spans->cycle_ns[i] : next[b].bottleneck_ns,
			};
			if (is_better(rest, rests[a]))
				rests[a] = rest;
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

/* Whether a stage of these layers ahead of `next` is one of a best partition, none of whose stages is slower. */
static bool
is_best(const struct perseus__spans *spans, struct perseus__energy *energy, int64_t blocking_power_uw,
		struct perseus__span span, struct rest next, struct rest best)
{
	if (next.effective_nj == PERSEUS__NO_WAY || next.bottleneck_ns > best.bottleneck_ns
			|| spans->cycle_ns[perseus__span_index(spans, span.first, span.end)] > best.bottleneck_ns)
		return false;
	const int64_t span_nj = perseus__span_energy_nj(energy, span, blocking_power_uw);
	return span_nj != PERSEUS__NO_WAY && span_nj + next.effective_nj == best.effective_nj;
}

/* `rests` has a row of n_layers + 1 for each stage and one behind them. */
static enum perseus_status
solve(struct perseus__spans *spans, struct perseus__energy *energy, const int64_t *blocking_power_uw,
		int64_t *energies_nj, struct rest *rests, int32_t *boundaries, struct perseus_error *err)
{
	const int32_t n = spans->n_layers;
	const int32_t p = spans->n_stages;
	const size_t row = (size_t)n + 1;
	for (int32_t a = 0; a <= n; a++)
		rests[(size_t)p * row + (size_t)a] = (struct rest){a == n ? 0 : PERSEUS__NO_WAY, 0};
	for (int32_t s = p - 1; s >= 0; s--) {
		if (s == p - 1 || blocking_power_uw[s] != blocking_power_uw[s + 1])
			fill_energies(spans, energy, blocking_power_uw[s], energies_nj);
		add_stage(spans, energies_nj, rests + ((size_t)s + 1) * row, rests + (size_t)s * row);
	}
	if (rests[0].effective_nj == PERSEUS__NO_WAY)
		return fail_limit(spans, energy->limit_ns, energies_nj, err);
	boundaries[0] = 0;
	for (int32_t s = 0; s < p; s++) {
		const struct rest *next = rests + ((size_t)s + 1) * row;
		const struct rest best = {rests[(size_t)s * row + (size_t)boundaries[s]].effective_nj, rests[0].bottleneck_ns};
		struct perseus__span span = {boundaries[s], n};
		while (!is_best(spans, energy, blocking_power_uw[s], span, next[span.end], best))
			span.end--;
		boundaries[s + 1] = span.end;
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__least_energy(struct perseus__spans *spans, struct perseus__energy *energy, const int64_t *blocking_power_uw,
		int32_t *boundaries, struct perseus_error *err)
{
	const size_t row = (size_t)spans->n_layers + 1;
	int64_t *energies_nj = perseus__new_array(row * row, sizeof *energies_nj);
	struct rest *rests = perseus__new_array(((size_t)spans->n_stages + 1) * row, sizeof *rests);
	const enum perseus_status status = energies_nj && rests
			? solve(spans, energy, blocking_power_uw, energies_nj, rests, boundaries, err)
			: perseus__no_memory(err);
	perseus__free(energies_nj);
	perseus__free(rests);
	return status;
}
