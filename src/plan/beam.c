/*
 * Beam search over the instructions in the order of their starts in a guiding schedule. A partial plan is judged by
 * what it has lost against the relaxed optimum. By duality that loss is a sum: for every instruction what its point
 * costs at the price of its time above the cheapest there is, and for every dependency the flow over it times the idle
 * time on it. In units of flow times nanoseconds it is exact.
 */
#include "plan/beam.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "plan/round.h"

#include <stdbool.h>
#include <string.h>

enum {
	MAX_CANDIDATES = 6,
	/* Partial plans over the whole search: sets the width. */
	MAX_KEPT = 60000,
	MIN_WIDTH = 8,
	MAX_WIDTH = 512,
};

/* A way to run the instruction at hand. */
struct candidate {
	int32_t point;
	perseus__wide loss;
};

/* A partial plan. */
struct partial {
	perseus__wide loss;
	perseus__wide earliness;
	int64_t end_ns; /* of the instruction decided last */
	int32_t parent; /* in the generation before */
	int32_t point;
	int32_t trace; /* where its history is */
};

/* What a partial plan is judged by. */
struct rank {
	int64_t key;      /* loss and a share of earliness */
	int32_t sequence; /* when it was found: breaks ties the same way everywhere */
	int32_t partial;  /* index into the generation */
};

/* What a partial plan decided, and the trace of what it decided before. */
struct trace {
	int32_t previous;
	int32_t point;
};

struct beam {
	const struct perseus__workload *workload;
	const struct perseus_certificate *certificate;
	const struct perseus__beam_guide *guide;
	int32_t width;
	int32_t n_slots;
	int32_t *order;       /* length n */
	int32_t *slot;        /* length n: where the end of an instruction is kept while it is needed */
	int32_t *last_use;    /* length n: position in the order */
	int32_t *first_freed; /* length n: by position, an instruction whose end is needed no more after it, or -1 */
	int32_t *next_freed;  /* length n: another one freed at the same position, or -1 */
	int64_t *tail_ns;     /* length n: after the end of the instruction, at the fastest */
	int64_t *fastest_ns;  /* length n */
	struct partial *now;  /* length width */
	struct partial *next; /* length width */
	struct rank *ranks;   /* length width, of `next`: a heap, the worst on top */
	int32_t n_now;
	int32_t n_next;
	int32_t n_offered;
	int key_shift;         /* loss >> this is about 1 nJ */
	int64_t *ends_now_ns;  /* width rows of n_slots */
	int64_t *ends_next_ns; /* width rows of n_slots */
	struct trace *traces;  /* length n * width */
	int32_t n_traces;
};

static bool
is_worse(struct rank a, struct rank b)
{
	return a.key != b.key ? a.key > b.key : a.sequence > b.sequence;
}

static void
sift_down(struct rank *heap, int32_t n, int32_t at)
{
	const struct rank moved = heap[at];
	for (int32_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
		if (child + 1 < n && is_worse(heap[child + 1], heap[child]))
			child++;
		if (!is_worse(heap[child], moved))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static int64_t
key_of(const struct beam *beam, const struct partial *partial)
{
	const perseus__wide key = (partial->loss + (partial->earliness >> beam->guide->earliness_shift)) >> beam->key_shift;
	return key < INT64_MAX ? (int64_t)key : INT64_MAX;
}

/* Keeps the best `width` of all that are offered. */
static void
offer(struct beam *beam, const struct partial *partial)
{
	struct rank rank = {.key = key_of(beam, partial), .sequence = beam->n_offered++, .partial = beam->n_next};
	if (beam->n_next < beam->width) {
		beam->next[beam->n_next] = *partial;
		beam->ranks[beam->n_next++] = rank;
		if (beam->n_next == beam->width)
			for (int32_t at = beam->width / 2; at >= 0; at--)
				sift_down(beam->ranks, beam->width, at);
	} else if (is_worse(beam->ranks[0], rank)) {
		rank.partial = beam->ranks[0].partial;
		beam->next[rank.partial] = *partial;
		beam->ranks[0] = rank;
		sift_down(beam->ranks, beam->width, 0);
	}
}

static perseus__wide
price_of(const struct beam *beam, int32_t i, int32_t point)
{
	const struct perseus_choice *choice = &beam->workload->class_of[i]->pareto[point];
	return (perseus__wide)choice->effective_nj * beam->certificate->units_per_watt
			+ (perseus__wide)beam->certificate->flow[i] * choice->time_ns;
}

/* The cheapest points at the price of the instruction's time, ascending, and the fastest. Returns how many. */
static int32_t
find_candidates(const struct beam *beam, int32_t i, struct candidate *candidates)
{
	const struct perseus_class *class_ = beam->workload->class_of[i];
	int32_t n = 0;
	bool has_fastest = false;
	for (int32_t point = 0; point < class_->n_pareto; point++) {
		const struct candidate candidate = {.point = point, .loss = price_of(beam, i, point)};
		if (n == MAX_CANDIDATES && candidate.loss >= candidates[n - 1].loss)
			continue;
		int32_t at = n < MAX_CANDIDATES ? n++ : n - 1;
		for (; at > 0 && candidates[at - 1].loss > candidate.loss; at--)
			candidates[at] = candidates[at - 1];
		candidates[at] = candidate;
	}
	const perseus__wide least = candidates[0].loss;
	for (int32_t k = 0; k < n; k++) {
		candidates[k].loss -= least;
		has_fastest = has_fastest || candidates[k].point == 0;
	}
	if (!has_fastest)
		candidates[n - 1] = (struct candidate){.point = 0, .loss = price_of(beam, i, 0) - least};
	return n;
}

/* How much earlier than in the guide instruction `i` ends, at the price of its time. */
static perseus__wide
earliness(const struct beam *beam, int32_t i, int64_t end_ns)
{
	const int64_t due_ns = beam->guide->end_ns[i];
	return end_ns < due_ns ? (perseus__wide)beam->certificate->flow[i] * (due_ns - end_ns) : 0;
}

static int64_t
ready_ns(const struct beam *beam, const int64_t *ends_ns, int32_t link)
{
	const struct perseus__link before = beam->workload->dag.predecessors[link];
	return ends_ns[beam->slot[before.node]] + beam->workload->lag_ns[before.edge];
}

/* Earliest start of `i`; adds to the loss what its predecessors idle until then. */
static int64_t
start_ns(const struct beam *beam, const int64_t *ends_ns, int32_t i, perseus__wide *loss)
{
	const struct perseus__dag *dag = &beam->workload->dag;
	const struct perseus_certificate *certificate = beam->certificate;
	int64_t start = 0;
	for (int32_t k = dag->predecessor_begin[i]; k < dag->predecessor_begin[i + 1]; k++) {
		const int64_t ready = ready_ns(beam, ends_ns, k);
		start = ready > start ? ready : start;
	}
	*loss += (perseus__wide)certificate->start_flow[i] * start;
	for (int32_t k = dag->predecessor_begin[i]; k < dag->predecessor_begin[i + 1]; k++)
		*loss +=
				(perseus__wide)certificate->edge_flow[dag->predecessors[k].edge] * (start - ready_ns(beam, ends_ns, k));
	return start;
}

/* Offers every way to go on from partial plan `parent`, of which the fastest always keeps the deadline. */
static void
extend(struct beam *beam, int32_t parent, int32_t position, const struct candidate *candidates, int32_t n_candidates)
{
	const int32_t i = beam->order[position];
	const int64_t *ends_ns = beam->ends_now_ns + (size_t)parent * (size_t)beam->n_slots;
	const int64_t deadline_ns = beam->certificate->deadline_ns;
	struct partial base = beam->now[parent];
	base.parent = parent;
	const int64_t start = start_ns(beam, ends_ns, i, &base.loss);
	for (int32_t j = beam->first_freed[position]; j >= 0; j = beam->next_freed[j])
		if (j != i)
			base.earliness -= earliness(beam, j, ends_ns[beam->slot[j]]);
	int64_t latest_ns = beam->guide->end_ns[i] + (beam->fastest_ns[i] >> beam->guide->lateness_shift);
	if (latest_ns > deadline_ns - beam->tail_ns[i])
		latest_ns = deadline_ns - beam->tail_ns[i];
	for (int32_t k = 0; k < n_candidates; k++) {
		const int64_t end_ns = start + beam->workload->class_of[i]->pareto[candidates[k].point].time_ns;
		if (candidates[k].point > 0 && end_ns > latest_ns)
			continue;
		struct partial partial = base;
		partial.point = candidates[k].point;
		partial.end_ns = end_ns;
		partial.loss += candidates[k].loss + (perseus__wide)beam->certificate->end_flow[i] * (deadline_ns - end_ns);
		if (beam->last_use[i] > position)
			partial.earliness += earliness(beam, i, end_ns);
		offer(beam, &partial);
	}
}

/* Makes the survivors the current generation. */
static void
advance(struct beam *beam, int32_t i)
{
	const size_t n_slots = (size_t)beam->n_slots;
	for (int32_t k = 0; k < beam->n_next; k++) {
		struct partial *partial = &beam->next[k];
		int64_t *ends_ns = beam->ends_next_ns + (size_t)k * n_slots;
		memcpy(ends_ns, beam->ends_now_ns + (size_t)partial->parent * n_slots, n_slots * sizeof *ends_ns);
		ends_ns[beam->slot[i]] = partial->end_ns;
		beam->traces[beam->n_traces] = (struct trace){.previous = partial->trace, .point = partial->point};
		partial->trace = beam->n_traces++;
	}
	struct partial *partials = beam->now;
	beam->now = beam->next;
	beam->next = partials;
	int64_t *ends_ns = beam->ends_now_ns;
	beam->ends_now_ns = beam->ends_next_ns;
	beam->ends_next_ns = ends_ns;
	beam->n_now = beam->n_next;
	beam->n_next = 0;
	beam->n_offered = 0;
}

static void
search(struct beam *beam, int32_t *point)
{
	const int32_t n = beam->workload->dag.n_nodes;
	struct candidate candidates[MAX_CANDIDATES];
	while (beam->certificate->units_per_watt >> beam->key_shift > 1)
		beam->key_shift++;
	beam->now[0] = (struct partial){.trace = -1};
	beam->n_now = 1;
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

/* Gives every instruction a slot, taken over from one whose end nobody needs any more. `scratch`: length n. */
static void
assign_slots(struct beam *beam, int32_t *scratch)
{
	const struct perseus__dag *dag = &beam->workload->dag;
	for (int32_t position = 0; position < dag->n_nodes; position++) {
		const int32_t i = beam->order[position];
		beam->last_use[i] = position; /* until a later successor comes */
		beam->first_freed[position] = -1;
		for (int32_t k = dag->predecessor_begin[i]; k < dag->predecessor_begin[i + 1]; k++)
			beam->last_use[dag->predecessors[k].node] = position;
	}
	for (int32_t i = 0; i < dag->n_nodes; i++) {
		beam->next_freed[i] = beam->first_freed[beam->last_use[i]];
		beam->first_freed[beam->last_use[i]] = i;
	}
	int32_t n_free = 0;
	for (int32_t position = 0; position < dag->n_nodes; position++) {
		beam->slot[beam->order[position]] = n_free > 0 ? scratch[--n_free] : beam->n_slots++;
		for (int32_t j = beam->first_freed[position]; j >= 0; j = beam->next_freed[j])
			scratch[n_free++] = beam->slot[j];
	}
}

static void
find_times(struct beam *beam)
{
	const struct perseus__workload *workload = beam->workload;
	const int32_t n = workload->dag.n_nodes;
	for (int32_t i = 0; i < n; i++)
		beam->fastest_ns[i] = workload->class_of[i]->pareto[0].time_ns;
	(void)perseus__dag_tails(&workload->dag, beam->fastest_ns, workload->lag_ns, beam->tail_ns);
	for (int32_t i = 0; i < n; i++)
		beam->tail_ns[i] -= beam->fastest_ns[i];
}

static void
beam_fini(struct beam *beam)
{
	perseus__free(beam->order);
	perseus__free(beam->slot);
	perseus__free(beam->last_use);
	perseus__free(beam->first_freed);
	perseus__free(beam->next_freed);
	perseus__free(beam->tail_ns);
	perseus__free(beam->fastest_ns);
	perseus__free(beam->now);
	perseus__free(beam->next);
	perseus__free(beam->ranks);
	perseus__free(beam->ends_now_ns);
	perseus__free(beam->ends_next_ns);
	perseus__free(beam->traces);
}

static int32_t
width_for(int32_t n)
{
	const int32_t width = n > 0 ? MAX_KEPT / n : MIN_WIDTH;
	return width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
}

/* What depends on the instructions alone. */
static bool
new_plan_arrays(struct beam *beam)
{
	const size_t n = (size_t)beam->workload->dag.n_nodes;
	beam->order = perseus__new_array(n, sizeof *beam->order);
	beam->slot = perseus__new_array(n, sizeof *beam->slot);
	beam->last_use = perseus__new_array(n, sizeof *beam->last_use);
	beam->first_freed = perseus__new_array(n, sizeof *beam->first_freed);
	beam->next_freed = perseus__new_array(n, sizeof *beam->next_freed);
	beam->tail_ns = perseus__new_array(n, sizeof *beam->tail_ns);
	beam->fastest_ns = perseus__new_array(n, sizeof *beam->fastest_ns);
	return beam->order && beam->slot && beam->last_use && beam->first_freed && beam->next_freed && beam->tail_ns
			&& beam->fastest_ns;
}

/* What the partial plans need. */
static bool
new_generations(struct beam *beam)
{
	const size_t width = (size_t)beam->width;
	const size_t n_slots = (size_t)beam->n_slots;
	beam->now = perseus__new_array(width, sizeof *beam->now);
	beam->next = perseus__new_array(width, sizeof *beam->next);
	beam->ranks = perseus__new_array(width, sizeof *beam->ranks);
	beam->ends_now_ns = perseus__new_array(width, n_slots * sizeof *beam->ends_now_ns);
	beam->ends_next_ns = perseus__new_array(width, n_slots * sizeof *beam->ends_next_ns);
	beam->traces = perseus__new_array((size_t)beam->workload->dag.n_nodes, width * sizeof *beam->traces);
	return beam->now && beam->next && beam->ranks && beam->ends_now_ns && beam->ends_next_ns && beam->traces;
}

enum perseus_status
perseus__beam_search(const struct perseus__workload *workload, const struct perseus_certificate *certificate,
		const struct perseus__beam_guide *guide, int32_t *point, struct perseus_error *err)
{
	struct beam beam = {
		.workload = workload, .certificate = certificate, .guide = guide, .width = width_for(workload->dag.n_nodes)};
	enum perseus_status status = new_plan_arrays(&beam) ? PERSEUS_OK : perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = perseus__order_by_start(&workload->dag, guide->start_ns, beam.order, err);
	if (status == PERSEUS_OK) {
		find_times(&beam);
		assign_slots(&beam, point);
		status = new_generations(&beam) ? PERSEUS_OK : perseus__no_memory(err);
	}
	if (status == PERSEUS_OK)
		search(&beam, point);
	beam_fini(&beam);
	return status;
}
