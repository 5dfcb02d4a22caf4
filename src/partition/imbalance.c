/*
 * The least imbalance, exactly. Forwards of spans, in order, are a line; a partition's lie in a window of it, from its
 * shortest to its longest. For each lower end of the window the shortest window that holds a partition ends no earlier
 * than that of the lower end before: two ends that only move up see every one of them. A window's spans are bits, so
 * that whether it holds a partition is a few words a layer and stage.
 */
#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "partition/spans.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64 };

/* A span on the line. */
struct item {
	int64_t forward_ns;
	int32_t first;
	int32_t end;
};

/* Shortest and longest forward of a partition. */
struct range {
	int64_t least_ns;
	int64_t most_ns;
};

struct window {
	const struct perseus__spans *spans;
	struct item *items; /* length n_items, by forward time */
	size_t n_items;
	size_t begin; /* items begin .. end-1 are in the window */
	size_t end;
	size_t n_words;      /* of a set of layers */
	uint64_t *ends;      /* n_layers sets: where spans of the window that begin at a layer end */
	uint64_t *at;        /* two sets: where the stages so far may end */
	struct range *least; /* length n_least: of the least imbalance so far, all of them */
	size_t n_least;
	size_t cap_least;
};

static int
compare_items(const void *left, const void *right)
{
	const struct item *a = left;
	const struct item *b = right;
	if (a->forward_ns != b->forward_ns)
		return a->forward_ns < b->forward_ns ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->end > b->end) - (a->end < b->end);
}

/* Below 0 where a's imbalance is less, 0 where it is the same. Times are below 2^47: products are exact. */
static int
compare_imbalance(struct range a, struct range b)
{
	const perseus__wide left = (perseus__wide)a.most_ns * b.least_ns;
	const perseus__wide right = (perseus__wide)b.most_ns * a.least_ns;
	return (left > right) - (left < right);
}

static void
window_fini(struct window *window)
{
	perseus__free(window->items);
	perseus__free(window->ends);
	perseus__free(window->at);
	perseus__free(window->least);
}

static enum perseus_status
window_init(struct window *window, const struct perseus__spans *spans, struct perseus__bounds bounds,
		struct perseus_error *err)
{
	const size_t n = (size_t)spans->n_layers;
	*window = (struct window){.spans = spans, .n_words = n / WORD_BITS + 1};
	window->items = perseus__new_array(n * (n + 1) / 2, sizeof *window->items);
	window->ends = perseus__new_array(n * window->n_words, sizeof *window->ends);
	window->at = perseus__new_array(2 * window->n_words, sizeof *window->at);
	if (!window->items || !window->ends || !window->at)
		return perseus__no_memory(err);
	for (int32_t first = 0; first < spans->n_layers; first++)
		for (int32_t end = first + 1; end <= spans->n_layers; end++)
			if (perseus__is_within(spans, bounds, first, end))
				window->items[window->n_items++] = (struct item){
					.forward_ns = spans->forward_ns[perseus__span_index(spans, first, end)],
					.first = first,
					.end = end,
				};
	qsort(window->items, window->n_items, sizeof *window->items, compare_items);
	return PERSEUS_OK;
}

static void
flip(struct window *window, const struct item *item)
{
	window->ends[(size_t)item->first * window->n_words + (size_t)item->end / WORD_BITS] ^= (uint64_t)1
			<< (item->end % WORD_BITS);
}

/* Takes the next items of one forward time in. */
static void
grow(struct window *window)
{
	const int64_t forward_ns = window->items[window->end].forward_ns;
	for (; window->end < window->n_items && window->items[window->end].forward_ns == forward_ns; window->end++)
		flip(window, &window->items[window->end]);
}

/* Leaves the first items of one forward time out. */
static void
shrink(struct window *window)
{
	const int64_t forward_ns = window->items[window->begin].forward_ns;
	for (; window->begin < window->end && window->items[window->begin].forward_ns == forward_ns; window->begin++)
		flip(window, &window->items[window->begin]);
}

static bool
holds_partition(struct window *window)
{
	const int32_t n = window->spans->n_layers;
	uint64_t *at = window->at;
	uint64_t *next = window->at + window->n_words;
	memset(at, 0, window->n_words * sizeof *at);
	at[0] = 1;
	for (int32_t s = 0; s < window->spans->n_stages; s++) {
		memset(next, 0, window->n_words * sizeof *next);
		for (int32_t a = s; a < n; a++) {
			if (!(at[a / WORD_BITS] >> (a % WORD_BITS) & 1))
				continue;
			const uint64_t *ends = window->ends + (size_t)a * window->n_words;
			for (size_t w = 0; w < window->n_words; w++)
				next[w] |= ends[w];
		}
		uint64_t *const swap = at;
		at = next;
		next = swap;
	}
	return at[n / WORD_BITS] >> (n % WORD_BITS) & 1;
}

static enum perseus_status
keep(struct window *window, struct range range, struct perseus_error *err)
{
	if (window->n_least > 0 && compare_imbalance(range, window->least[0]) < 0)
		window->n_least = 0;
	if (!perseus__reserve(&window->least, &window->cap_least, window->n_least + 1, sizeof range))
		return perseus__no_memory(err);
	window->least[window->n_least++] = range;
	return PERSEUS_OK;
}

/*
 * All ranges of the least imbalance. `bound` is the range of some partition: what is worse is passed over. No partition
 * has a longest forward below its own, the least there is.
 */
static enum perseus_status
find_ranges(struct window *window, struct range bound, struct perseus_error *err)
{
	while (window->end < window->n_items && window->items[window->end].forward_ns <= bound.most_ns)
		grow(window);
	while (window->begin < window->n_items) {
		if (window->begin == window->end)
			grow(window);
		const struct range range = {
			.least_ns = window->items[window->begin].forward_ns,
			.most_ns = window->items[window->end - 1].forward_ns,
		};
		if (compare_imbalance(range, window->n_least > 0 ? window->least[0] : bound) > 0) {
			shrink(window);
		} else if (holds_partition(window)) {
			const enum perseus_status status = keep(window, range, err);
			if (status != PERSEUS_OK)
				return status;
			shrink(window);
		} else if (window->end < window->n_items) {
			grow(window);
		} else {
			break; /* no window that begins here or later holds one */
		}
	}
	return PERSEUS_OK;
}

/* Whether partition a of the slowest stages x is better than b of y; of the same imbalance. */
static bool
is_better(const struct perseus__bounds *x, const int32_t *a, const struct perseus__bounds *y, const int32_t *b,
		int32_t n_stages)
{
	if (x->most_cycle_ns != y->most_cycle_ns)
		return x->most_cycle_ns < y->most_cycle_ns;
	if (x->last_slowest != y->last_slowest)
		return x->last_slowest < y->last_slowest;
	int32_t s = 0;
	while (s < n_stages && a[s] == b[s])
		s++;
	return a[s] > b[s];
}

/* The best of the partitions in the ranges that are left. */
static enum perseus_status
choose(struct perseus__spans *spans, const struct window *window, struct perseus__bounds within, int32_t *boundaries,
		struct perseus_error *err)
{
	const size_t bytes = ((size_t)spans->n_stages + 1) * sizeof *boundaries;
	int32_t *candidate = perseus__new_array(bytes, 1);
	if (!candidate)
		return perseus__no_memory(err);
	struct perseus__bounds best = {.most_cycle_ns = PERSEUS__NO_WAY};
	for (size_t i = 0; i < window->n_least; i++) {
		struct perseus__bounds bounds = within;
		bounds.least_forward_ns = window->least[i].least_ns;
		bounds.most_forward_ns = window->least[i].most_ns;
		perseus__narrow(spans, &bounds);
		perseus__front_partition(spans, bounds, candidate);
		if (i == 0 || is_better(&bounds, candidate, &best, boundaries, spans->n_stages)) {
			memcpy(boundaries, candidate, bytes);
			best = bounds;
		}
	}
	perseus__free(candidate);
	return PERSEUS_OK;
}

enum perseus_status
perseus__least_imbalance(
		struct perseus__spans *spans, struct perseus__bounds bounds, int32_t *boundaries, struct perseus_error *err)
{
	struct window window;
	enum perseus_status status = window_init(&window, spans, bounds, err);
	if (status == PERSEUS_OK) {
		struct range bound = {.most_ns = perseus__least_largest(spans, spans->forward_ns, bounds)};
		struct perseus__bounds below = bounds;
		below.most_forward_ns = bound.most_ns;
		bound.least_ns = perseus__largest_least_forward(spans, below);
		status = find_ranges(&window, bound, err);
	}
	if (status == PERSEUS_OK)
		status = choose(spans, &window, bounds, boundaries, err);
	window_fini(&window);
	return status;
}
