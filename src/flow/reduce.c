/*
 * Reduction of an event graph: three rules, applied in rounds until nothing changes. Each keeps every optimal solution
 * and lets any flow of the reduced graph be spread over the original one (docs/algorithm.md, reduction).
 */
#include "flow/reduce.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>

/* Scratch of one reduction. */
struct reducer {
	struct perseus__event_graph *graph;
	int32_t *merged_into; /* union-find forest over events */
	int32_t *begin;       /* row starts of the sorted precedences, n_events + 1 */
	int32_t *activity_degree;
	int32_t *precedence_degree;
	int32_t *candidates;
	bool *touched;
	bool changed;
};

static int32_t
find(int32_t *merged_into, int32_t event)
{
	while (merged_into[event] != event) {
		merged_into[event] = merged_into[merged_into[event]];
		event = merged_into[event];
	}
	return event;
}

/* Source and sink stay themselves, so that they are found again. */
static void
merge(struct reducer *reducer, int32_t a, int32_t b)
{
	a = find(reducer->merged_into, a);
	b = find(reducer->merged_into, b);
	if (a == b)
		return;
	const struct perseus__event_graph *graph = reducer->graph;
	const bool keep_b = b == graph->source || b == graph->sink;
	reducer->merged_into[keep_b ? a : b] = keep_b ? b : a;
	reducer->changed = true;
}

static int
by_head_then_tail(const void *left, const void *right)
{
	const struct perseus__pair *a = left;
	const struct perseus__pair *b = right;
	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	return (a->tail > b->tail) - (a->tail < b->tail);
}

static int
by_tail_then_head(const void *left, const void *right)
{
	const struct perseus__pair *a = left;
	const struct perseus__pair *b = right;
	if (a->tail != b->tail)
		return a->tail < b->tail ? -1 : 1;
	return (a->head > b->head) - (a->head < b->head);
}

/* Rewrites all pairs to merged events; drops self loops and duplicates among the precedences (rule 0). */
static void
normalize(struct reducer *reducer)
{
	struct perseus__event_graph *graph = reducer->graph;
	for (int32_t i = 0; i < graph->n_activities; i++) {
		graph->activities[i].tail = find(reducer->merged_into, graph->activities[i].tail);
		graph->activities[i].head = find(reducer->merged_into, graph->activities[i].head);
	}
	for (int32_t i = 0; i < graph->n_precedences; i++) {
		graph->precedences[i].tail = find(reducer->merged_into, graph->precedences[i].tail);
		graph->precedences[i].head = find(reducer->merged_into, graph->precedences[i].head);
	}
	qsort(graph->precedences, (size_t)graph->n_precedences, sizeof *graph->precedences, by_head_then_tail);
	int32_t n = 0;
	for (int32_t i = 0; i < graph->n_precedences; i++) {
		const struct perseus__pair pair = graph->precedences[i];
		if (pair.tail == pair.head)
			continue;
		if (n > 0 && by_head_then_tail(&pair, &graph->precedences[n - 1]) == 0)
			continue;
		graph->precedences[n++] = pair;
	}
	graph->n_precedences = n;
}

static int32_t
near_end(struct perseus__pair pair, bool by_head)
{
	return by_head ? pair.head : pair.tail;
}

static int32_t
far_end(struct perseus__pair pair, bool by_head)
{
	return by_head ? pair.tail : pair.head;
}

/* Compares the far ends of two rows of the sorted precedences. */
struct row_order {
	const struct reducer *reducer;
	bool by_head;
};

static int
compare_rows(const void *left, const void *right, void *user)
{
	const struct row_order *order = user;
	const struct reducer *reducer = order->reducer;
	const struct perseus__pair *precedences = reducer->graph->precedences;
	const int32_t a = *(const int32_t *)left;
	const int32_t b = *(const int32_t *)right;
	const int32_t n_a = reducer->begin[a + 1] - reducer->begin[a];
	const int32_t n_b = reducer->begin[b + 1] - reducer->begin[b];
	if (n_a != n_b)
		return n_a < n_b ? -1 : 1;
	for (int32_t i = 0; i < n_a; i++) {
		const int32_t far_a = far_end(precedences[reducer->begin[a] + i], order->by_head);
		const int32_t far_b = far_end(precedences[reducer->begin[b] + i], order->by_head);
		if (far_a != far_b)
			return far_a < far_b ? -1 : 1;
	}
	return 0;
}

static int
compare_rows_then_index(const void *left, const void *right, void *user)
{
	const int order = compare_rows(left, right, user);
	if (order != 0)
		return order;
	const int32_t a = *(const int32_t *)left;
	const int32_t b = *(const int32_t *)right;
	return (a > b) - (a < b);
}

/* Row starts of the precedences, which are sorted by their near end. */
static void
index_rows(struct reducer *reducer, bool by_head)
{
	const struct perseus__event_graph *graph = reducer->graph;
	int32_t *begin = reducer->begin;
	for (int32_t v = 0; v <= graph->n_events; v++)
		begin[v] = 0;
	for (int32_t i = 0; i < graph->n_precedences; i++)
		begin[near_end(graph->precedences[i], by_head) + 1]++;
	for (int32_t v = 0; v < graph->n_events; v++)
		begin[v + 1] += begin[v];
}

/*
 * Rule 1 (by_head): events with no activity coming in that wait for the same set of events happen together.
 * Rule 2 (!by_head), its mirror: events with no activity going out that the same set of events waits for.
 */
static void
merge_equal_rows(struct reducer *reducer, bool by_head)
{
	struct perseus__event_graph *graph = reducer->graph;
	if (!by_head)
		qsort(graph->precedences, (size_t)graph->n_precedences, sizeof *graph->precedences, by_tail_then_head);
	index_rows(reducer, by_head);
	for (int32_t v = 0; v < graph->n_events; v++)
		reducer->activity_degree[v] = 0;
	for (int32_t i = 0; i < graph->n_activities; i++)
		reducer->activity_degree[near_end(graph->activities[i], by_head)]++;

	const int32_t never = by_head ? graph->sink : graph->source;
	int32_t n = 0;
	for (int32_t v = 0; v < graph->n_events; v++)
		if (v != never && reducer->activity_degree[v] == 0 && reducer->begin[v + 1] > reducer->begin[v])
			reducer->candidates[n++] = v;
	struct row_order order = {.reducer = reducer, .by_head = by_head};
	qsort_r(reducer->candidates, (size_t)n, sizeof *reducer->candidates, compare_rows_then_index, &order);
	for (int32_t i = 1; i < n; i++)
		if (compare_rows(&reducer->candidates[i - 1], &reducer->candidates[i], &order) == 0)
			merge(reducer, reducer->candidates[i - 1], reducer->candidates[i]);
}

/* Arcs of any kind at each event, on the side `by_head` says. */
static void
count_degrees(struct reducer *reducer, int32_t *degree, bool by_head)
{
	const struct perseus__event_graph *graph = reducer->graph;
	for (int32_t v = 0; v < graph->n_events; v++)
		degree[v] = 0;
	for (int32_t i = 0; i < graph->n_activities; i++)
		degree[near_end(graph->activities[i], by_head)]++;
	for (int32_t i = 0; i < graph->n_precedences; i++)
		degree[near_end(graph->precedences[i], by_head)]++;
}

/*
 * Rule 3: a precedence that is all that leaves its tail, or all that reaches its head, is contracted. An event takes
 * part once a round, since the degrees are those of the round's start.
 */
static void
contract_lone_precedences(struct reducer *reducer)
{
	struct perseus__event_graph *graph = reducer->graph;
	int32_t *out_degree = reducer->activity_degree;
	int32_t *in_degree = reducer->precedence_degree;
	count_degrees(reducer, out_degree, false);
	count_degrees(reducer, in_degree, true);
	for (int32_t v = 0; v < graph->n_events; v++)
		reducer->touched[v] = false;
	for (int32_t i = 0; i < graph->n_precedences; i++) {
		const struct perseus__pair pair = graph->precedences[i];
		const bool lone_out = out_degree[pair.tail] == 1 && pair.tail != graph->source;
		const bool lone_in = in_degree[pair.head] == 1 && pair.head != graph->sink;
		if ((!lone_out && !lone_in) || reducer->touched[pair.tail] || reducer->touched[pair.head])
			continue;
		reducer->touched[pair.tail] = true;
		reducer->touched[pair.head] = true;
		merge(reducer, pair.tail, pair.head);
	}
}

static void
run_round(struct reducer *reducer)
{
	reducer->changed = false;
	normalize(reducer);
	merge_equal_rows(reducer, true);
	normalize(reducer);
	merge_equal_rows(reducer, false);
	normalize(reducer);
	contract_lone_precedences(reducer);
}

enum perseus_status
perseus__reduce(struct perseus__event_graph *graph, struct perseus_error *err)
{
	const size_t n = (size_t)graph->n_events;
	struct reducer reducer = {.graph = graph};
	reducer.merged_into = perseus__new_array(n, sizeof *reducer.merged_into);
	reducer.begin = perseus__new_array(n + 1, sizeof *reducer.begin);
	reducer.activity_degree = perseus__new_array(n, sizeof *reducer.activity_degree);
	reducer.precedence_degree = perseus__new_array(n, sizeof *reducer.precedence_degree);
	reducer.candidates = perseus__new_array(n, sizeof *reducer.candidates);
	reducer.touched = perseus__new_array(n, sizeof *reducer.touched);
	enum perseus_status status = PERSEUS_OK;
	if (!reducer.merged_into || !reducer.begin || !reducer.activity_degree || !reducer.precedence_degree
			|| !reducer.candidates || !reducer.touched) {
		status = perseus__no_memory(err);
		goto out;
	}
	for (int32_t v = 0; v < graph->n_events; v++)
		reducer.merged_into[v] = v;
	do
		run_round(&reducer);
	while (reducer.changed);
	normalize(&reducer);
out:
	perseus__free(reducer.merged_into);
	perseus__free(reducer.begin);
	perseus__free(reducer.activity_degree);
	perseus__free(reducer.precedence_degree);
	perseus__free(reducer.candidates);
	perseus__free(reducer.touched);
	return status;
}
