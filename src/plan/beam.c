/*
 * Beam search over the instructions in the order of their starts in a guiding schedule. A partial plan is judged by
 * what it has lost against the relaxed optimum. By duality that loss is a sum: for every instruction what its point
 * costs at the price of its time above the cheapest there is, and for every dependency the flow over it times the idle
 * time on it. Time may run either way: the mirror image of the search decides the last instructions first.
 */
#include "plan/beam.h"

#include "base/wide.h"
#include "plan/beam_internal.h"

#include <stdbool.h>
#include <string.h>

enum {
	MAX_CANDIDATES = 6,
};

/* A way to run the instruction at hand. */
struct candidate {
	int32_t point;
	int64_t time_ns;
	int64_t loss;
};

static bool
is_worse(struct perseus__rank a, struct perseus__rank b)
{
	return a.key != b.key ? a.key > b.key : a.sequence > b.sequence;
}

/* Brings the best `n_best` to the front, in no particular order. O(n) where chance is not against it. */
static void
select_best(struct perseus__rank *ranks, int32_t n, int32_t n_best)
{
	int32_t low = 0;
	int32_t high = n - 1;
	while (low < high) {
		const struct perseus__rank pivot = ranks[low + (high - low) / 2];
		int32_t i = low;
		int32_t j = high;
		while (i <= j) {
			while (is_worse(pivot, ranks[i]))
				i++;
			while (is_worse(ranks[j], pivot))
				j--;
			if (i > j)
				break;
			const struct perseus__rank better = ranks[j];
			ranks[j--] = ranks[i];
			ranks[i++] = better;
		}
		if (n_best <= j)
			high = j;
		else if (n_best >= i)
			low = i;
		else
			return;
	}
}

/* Sums of these tell apart which instructions end when. */
static uint64_t
hash_of(int32_t i, int64_t end_ns)
{
	uint64_t hash = ((uint64_t)end_ns << 16 ^ (uint64_t)i) * 0x9E3779B97F4A7C15u;
	hash ^= hash >> 32;
	return hash * 0xD6E8FEB86659FD93u;
}

/* Whether a partial plan of the same future and no more loss was offered before. May forget. */
static bool
is_seen(struct perseus__beam *beam, const struct perseus__partial *partial)
{
	struct perseus__seen *seen = &beam->seen[(partial->state >> 32) * (uint64_t)beam->n_seen >> 32];
	if (seen->state == partial->state && seen->loss <= partial->loss)
		return true;
	*seen = (struct perseus__seen){.state = partial->state, .loss = partial->loss};
	return false;
}

/* Leaves the best `width`. */
static void
cut(struct perseus__beam *beam)
{
	if (beam->n_next <= beam->width)
		return;
	select_best(beam->ranks, beam->n_next, beam->width);
	beam->n_next = beam->width;
	beam->limit = beam->ranks[0].key;
	for (int32_t k = 1; k < beam->width; k++)
		if (beam->ranks[k].key > beam->limit)
			beam->limit = beam->ranks[k].key;
}

/* Keeps the best `width` of all that are offered, each once; some more until the next cut. `key`: below the limit. */
static void
offer(struct perseus__beam *beam, const struct perseus__partial *partial, int64_t key)
{
	if (is_seen(beam, partial))
		return;
	if (beam->n_next == 2 * beam->width)
		cut(beam);
	struct perseus__rank *rank = &beam->ranks[beam->n_next++];
	rank->key = key;
	rank->sequence = beam->n_offered++;
	beam->next[rank->partial] = *partial;
}

static perseus__wide
price_of(const struct perseus__beam *beam, int32_t i, int32_t point)
{
	const struct perseus_choice *choice = &beam->workload->class_of[i]->pareto[point];
	return (perseus__wide)choice->effective_nj * beam->certificate->units_per_watt
			+ (perseus__wide)beam->certificate->flow[i] * choice->time_ns;
}

/* The cheapest points at the price of the instruction's time, ascending, and the fastest. Returns how many. */
static int32_t
find_candidates(const struct perseus__beam *beam, int32_t i, struct candidate *candidates)
{
	const struct perseus_class *class_ = beam->workload->class_of[i];
	perseus__wide least = price_of(beam, i, 0);
	for (int32_t point = 1; point < class_->n_pareto; point++) {
		const perseus__wide price = price_of(beam, i, point);
		least = price < least ? price : least;
	}
	int32_t n = 0;
	bool has_fastest = false;
	for (int32_t point = 0; point < class_->n_pareto; point++) {
		if (class_->pareto[point].time_ns > beam->certificate->deadline_ns)
			break;
		const struct candidate candidate = {.point = point,
			.time_ns = class_->pareto[point].time_ns,
			.loss = (int64_t)((price_of(beam, i, point) - least) >> beam->flow_shift)};
		if (n == MAX_CANDIDATES && candidate.loss >= candidates[n - 1].loss)
			continue;
		int32_t at = n < MAX_CANDIDATES ? n++ : n - 1;
		for (; at > 0 && candidates[at - 1].loss > candidate.loss; at--)
			candidates[at] = candidates[at - 1];
		candidates[at] = candidate;
	}
	for (int32_t k = 0; k < n; k++)
		has_fastest = has_fastest || candidates[k].point == 0;
	if (!has_fastest)
		candidates[n - 1] = (struct candidate){.point = 0,
			.time_ns = class_->pareto[0].time_ns,
			.loss = (int64_t)((price_of(beam, i, 0) - least) >> beam->flow_shift)};
	return n;
}

/* How much earlier than in the guide instruction `i` ends, at the price of its time. */
static int64_t
earliness(const struct perseus__beam *beam, int32_t i, int64_t end_ns)
{
	const int64_t due_ns = beam->guide->end_ns[i];
	return end_ns < due_ns ? beam->flow[i] * (due_ns - end_ns) : 0;
}

/* Earliest start of `i`; adds to the loss what those before it idle until then. */
static int64_t
start_ns(const struct perseus__beam *beam, const int64_t *ends_ns, int32_t i, int64_t *loss)
{
	int64_t start = 0;
	for (int32_t k = beam->dag.predecessor_begin[i]; k < beam->dag.predecessor_begin[i + 1]; k++) {
		const struct perseus__before *before = &beam->before[k];
		const int64_t ready = ends_ns[before->slot] + before->lag_ns;
		start = ready > start ? ready : start;
		*loss -= before->flow * ready;
	}
	*loss += beam->flow_in[i] * start;
	return start;
}

static void
forget(const struct perseus__beam *beam, struct perseus__partial *partial, int32_t i, int64_t end_ns)
{
	partial->earliness -= earliness(beam, i, end_ns);
	partial->state -= hash_of(i, end_ns);
}

/* Offers every way to go on from partial plan `parent`, of which the fastest always keeps the deadline. */
static void
extend(struct perseus__beam *beam, int32_t parent, int32_t position, const struct candidate *candidates,
		int32_t n_candidates)
{
	const int32_t i = beam->order[position];
	const int64_t *ends_ns = beam->ends_now_ns + (size_t)parent * (size_t)beam->n_slots;
	const int64_t deadline_ns = beam->certificate->deadline_ns;
	const bool is_needed = beam->last_use[i] > position; /* by what comes later */
	struct perseus__partial base = beam->now[parent];
	base.parent = parent;
	const int64_t start = start_ns(beam, ends_ns, i, &base.loss);
	for (int32_t j = beam->first_freed[position]; j >= 0; j = beam->next_freed[j])
		if (j != i)
			forget(beam, &base, j, ends_ns[beam->slot[j]]);
	int64_t latest_ns = beam->guide->end_ns[i] + (beam->fastest_ns[i] >> beam->guide->lateness_shift);
	if (latest_ns > deadline_ns - beam->tail_ns[i])
		latest_ns = deadline_ns - beam->tail_ns[i];
	for (int32_t k = 0; k < n_candidates; k++) {
		const int64_t end_ns = start + candidates[k].time_ns;
		if (candidates[k].point > 0 && end_ns > latest_ns)
			continue;
		const int64_t loss = base.loss + candidates[k].loss + beam->flow_out[i] * (deadline_ns - end_ns);
		const int64_t early = base.earliness + (is_needed ? earliness(beam, i, end_ns) : 0);
		const int64_t key = loss + (early >> beam->guide->earliness_shift);
		if (key >= beam->limit)
			continue;
		struct perseus__partial partial = base;
		partial.loss = loss;
		partial.earliness = early;
		partial.state += is_needed ? hash_of(i, end_ns) : 0;
		partial.point = candidates[k].point;
		partial.end_ns = end_ns;
		offer(beam, &partial, key);
	}
}

static void
await_offers(struct perseus__beam *beam)
{
	beam->n_next = 0;
	beam->n_offered = 0;
	beam->limit = INT64_MAX;
	memset(beam->seen, 0x7F, (size_t)beam->n_seen * sizeof *beam->seen); /* losses beyond any */
}

/* Makes the best the current generation. */
static void
advance(struct perseus__beam *beam, int32_t i)
{
	const size_t n_slots = (size_t)beam->n_slots;
	cut(beam);
	for (int32_t k = 0; k < beam->n_next; k++) {
		struct perseus__partial *partial = &beam->now[k];
		int64_t *ends_ns = beam->ends_next_ns + (size_t)k * n_slots;
		*partial = beam->next[beam->ranks[k].partial];
		memcpy(ends_ns, beam->ends_now_ns + (size_t)partial->parent * n_slots, n_slots * sizeof *ends_ns);
		ends_ns[beam->slot[i]] = partial->end_ns;
		beam->traces[beam->n_traces] = (struct perseus__trace){.previous = partial->trace, .point = partial->point};
		partial->trace = beam->n_traces++;
	}
	int64_t *ends_ns = beam->ends_now_ns;
	beam->ends_now_ns = beam->ends_next_ns;
	beam->ends_next_ns = ends_ns;
	beam->n_now = beam->n_next;
	await_offers(beam);
}

static void
search(struct perseus__beam *beam, int32_t *point)
{
	const int32_t n = beam->dag.n_nodes;
	struct candidate candidates[MAX_CANDIDATES];
	beam->now[0] = (struct perseus__partial){.trace = -1};
	beam->n_now = 1;
	await_offers(beam);
	for (int32_t k = 0; k < 2 * beam->width; k++)
		beam->ranks[k].partial = k;
	for (int32_t position = 0; position < n; position++) {
		const int32_t n_candidates = find_candidates(beam, beam->order[position], candidates);
		for (int32_t parent = 0; parent < beam->n_now; parent++)
			extend(beam, parent, position, candidates, n_candidates);
		advance(beam, beam->order[position]);
	}
	int32_t best = 0;
	for (int32_t k = 1; k < beam->n_now; k++)
		if (beam->now[k].loss < beam->now[best].loss)
			best = k;
	int32_t trace = beam->now[best].trace;
	for (int32_t position = n - 1; position >= 0; position--) {
		point[beam->order[position]] = beam->traces[trace].point;
		trace = beam->traces[trace].previous;
	}
}

enum perseus_status
perseus__beam_search(const struct perseus__workload *workload, const struct perseus_certificate *certificate,
		const struct perseus__beam_guide *guide, int32_t *point, struct perseus_error *err)
{
	struct perseus__beam beam;
	const enum perseus_status status = perseus__beam_init(&beam, workload, certificate, guide, err);
	if (status == PERSEUS_OK)
		search(&beam, point);
	perseus__beam_fini(&beam);
	return status;
}
