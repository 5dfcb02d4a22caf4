/*
 * Re-checks the dependencies of the kinds by looking each of them up. Written from the table of dependencies, not from
 * rules.c; slower, and meant to be.
 */
#include "pipeline/check.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>

/* A part and where it is; sorted by (kind, stage, microbatch, index). */
struct entry {
	struct perseus_part part;
	int32_t index;
};

struct lookup {
	const struct perseus_schedule *schedule;
	struct entry *entries;
	size_t n_entries;
	int32_t *held_back_by; /* length n_ranks: what of each rank holds optimizer steps back; -1: nothing */
};

static int
compare_parts(const struct perseus_part *a, const struct perseus_part *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->stage != b->stage)
		return a->stage < b->stage ? -1 : 1;
	return (a->microbatch > b->microbatch) - (a->microbatch < b->microbatch);
}

static int
compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	const int order = compare_parts(&a->part, &b->part);
	return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* First entry that is not less than `part`. */
static size_t
lower_bound(const struct lookup *lookup, struct perseus_part part)
{
	size_t low = 0, high = lookup->n_entries;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (compare_parts(&lookup->entries[middle].part, &part) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Index of the instruction with a part; -1: none. */
static int32_t
find(const struct lookup *lookup, enum perseus_kind kind, int32_t stage, int32_t microbatch)
{
	const struct perseus_part part = {kind, stage, microbatch};
	const size_t at = lower_bound(lookup, part);
	if (at < lookup->n_entries && compare_parts(&lookup->entries[at].part, &part) == 0)
		return lookup->entries[at].index;
	return -1;
}

static int32_t
find_gradient(const struct lookup *lookup, int32_t stage, int32_t microbatch)
{
	const int32_t backward = find(lookup, PERSEUS_KIND_BACKWARD, stage, microbatch);
	return backward >= 0 ? backward : find(lookup, PERSEUS_KIND_INPUT, stage, microbatch);
}

static const struct perseus_edge *
find_edge(const struct perseus_schedule *schedule, int32_t from, int32_t to)
{
	int32_t low = 0, high = schedule->n_edges;
	while (low < high) {
		const int32_t middle = low + (high - low) / 2;
		const struct perseus_edge *edge = &schedule->edges[middle];
		if (edge->from < from || (edge->from == from && edge->to < to))
			low = middle + 1;
		else
			high = middle;
	}
	const bool is_there = low < schedule->n_edges && schedule->edges[low].from == from && schedule->edges[low].to == to;
	return is_there ? &schedule->edges[low] : NULL;
}

/* What the dependency of one instruction on another must look like. */
enum need { NEED_ORDER, NEED_TRANSFER };

static enum perseus_status
require(const struct lookup *lookup, int32_t from, int32_t to, enum need need, struct perseus_error *err)
{
	const struct perseus_instruction *instructions = lookup->schedule->instructions;
	char waits[128], for_what[128] = "something that is missing";
	if (from >= 0 && instructions[from].rank == instructions[to].rank && from < to)
		return PERSEUS_OK;
	const struct perseus_edge *edge = from >= 0 ? find_edge(lookup->schedule, from, to) : NULL;
	if (edge && (need != NEED_TRANSFER || edge->is_transfer))
		return PERSEUS_OK;
	perseus_instruction_text(&instructions[to], waits, sizeof waits);
	if (from >= 0)
		perseus_instruction_text(&instructions[from], for_what, sizeof for_what);
	return perseus__fail(err, PERSEUS_INTERNAL, "instruction %d (%s) does not wait for %s%s", to, waits, for_what,
			edge ? " by a transfer" : "");
}

static enum perseus_status
require_if_any(const struct lookup *lookup, int32_t from, int32_t to, struct perseus_error *err)
{
	return from < 0 ? PERSEUS_OK : require(lookup, from, to, NEED_ORDER, err);
}

static enum perseus_status
check_forward(const struct lookup *lookup, const struct perseus_part *part, int32_t index, struct perseus_error *err)
{
	const int32_t load = find(lookup, PERSEUS_KIND_DATA_LOAD, part->stage, part->microbatch);
	const enum perseus_status status = require_if_any(lookup, load, index, err);
	if (status != PERSEUS_OK || part->stage == 0)
		return status;
	return require(
			lookup, find(lookup, PERSEUS_KIND_FORWARD, part->stage - 1, part->microbatch), index, NEED_TRANSFER, err);
}

static enum perseus_status
check_gradient(const struct lookup *lookup, const struct perseus_part *part, int32_t index, struct perseus_error *err)
{
	enum perseus_status status =
			require(lookup, find(lookup, PERSEUS_KIND_FORWARD, part->stage, part->microbatch), index, NEED_ORDER, err);
	if (status == PERSEUS_OK)
		status =
				require_if_any(lookup, find(lookup, PERSEUS_KIND_RECOMPUTE, part->stage, part->microbatch), index, err);
	if (status == PERSEUS_OK && part->kind == PERSEUS_KIND_INPUT
			&& find(lookup, PERSEUS_KIND_WEIGHT, part->stage, part->microbatch) < 0)
		status = perseus__fail(err, PERSEUS_INTERNAL, "instruction %d has no weight gradient", index);
	if (status != PERSEUS_OK || part->stage + 1 == lookup->schedule->n_stages)
		return status;
	return require(lookup, find_gradient(lookup, part->stage + 1, part->microbatch), index, NEED_TRANSFER, err);
}

static enum perseus_status
check_recompute(const struct lookup *lookup, const struct perseus_part *part, int32_t index, struct perseus_error *err)
{
	const enum perseus_status status =
			require(lookup, find(lookup, PERSEUS_KIND_FORWARD, part->stage, part->microbatch), index, NEED_ORDER, err);
	if (status != PERSEUS_OK || part->stage == 0)
		return status;
	return require(
			lookup, find(lookup, PERSEUS_KIND_FORWARD, part->stage - 1, part->microbatch), index, NEED_ORDER, err);
}

/* On every rank but its own, an edge from the last full or weight gradient of the stage there. */
static enum perseus_status
check_reduction(const struct lookup *lookup, int32_t stage, int32_t index, struct perseus_error *err)
{
	static const enum perseus_kind kinds[] = {PERSEUS_KIND_BACKWARD, PERSEUS_KIND_WEIGHT};
	const struct perseus_schedule *schedule = lookup->schedule;
	const int32_t own = schedule->instructions[index].rank;
	/* A stage lies on its own rank and on one more at most; entries of one kind and stage are adjacent. */
	int32_t last_elsewhere = -1;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		for (size_t at = lower_bound(lookup, (struct perseus_part){kinds[k], stage, -1}); at < lookup->n_entries;
				at++) {
			const struct entry *entry = &lookup->entries[at];
			if (entry->part.kind != kinds[k] || entry->part.stage != stage)
				break;
			if (schedule->instructions[entry->index].rank != own && entry->index > last_elsewhere)
				last_elsewhere = entry->index;
			if (schedule->instructions[entry->index].rank == own && entry->index > index)
				return require(lookup, entry->index, index, NEED_ORDER, err);
		}
	}
	return require_if_any(lookup, last_elsewhere, index, err);
}

/* Reductions ahead of a rank's step hold all steps back; everything ahead of it does where there are no reductions. */
static void
find_what_holds_back(const struct lookup *lookup)
{
	const struct perseus_schedule *schedule = lookup->schedule;
	const size_t any = lower_bound(lookup, (struct perseus_part){PERSEUS_KIND_GRAD_REDUCE, 0, -1});
	const bool has_reductions = any < lookup->n_entries && lookup->entries[any].part.kind == PERSEUS_KIND_GRAD_REDUCE;
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		const int32_t begin = schedule->rank_begin[rank];
		int32_t end = schedule->rank_begin[rank + 1];
		for (int32_t i = end - 1; i >= begin; i--)
			if (schedule->instructions[i].kind == PERSEUS_KIND_OPTIMIZER_STEP)
				end = i;
		int32_t last = end - 1;
		while (has_reductions && last >= begin && schedule->instructions[last].kind != PERSEUS_KIND_GRAD_REDUCE)
			last--;
		lookup->held_back_by[rank] = last >= begin ? last : -1;
	}
}

static enum perseus_status
check_step(const struct lookup *lookup, int32_t index, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	for (int32_t rank = 0; rank < lookup->schedule->n_ranks && status == PERSEUS_OK; rank++)
		status = require_if_any(lookup, lookup->held_back_by[rank], index, err);
	return status;
}

static enum perseus_status
check_part(const struct lookup *lookup, const struct perseus_part *part, int32_t index, struct perseus_error *err)
{
	switch (part->kind) {
	case PERSEUS_KIND_FORWARD:
		return check_forward(lookup, part, index, err);
	case PERSEUS_KIND_BACKWARD:
	case PERSEUS_KIND_INPUT:
		return check_gradient(lookup, part, index, err);
	case PERSEUS_KIND_WEIGHT:
		return require(lookup, find(lookup, PERSEUS_KIND_INPUT, part->stage, part->microbatch), index, NEED_ORDER, err);
	case PERSEUS_KIND_RECOMPUTE:
		return check_recompute(lookup, part, index, err);
	case PERSEUS_KIND_GRAD_REDUCE:
		return part->microbatch < 0 ? check_reduction(lookup, part->stage, index, err) : PERSEUS_OK;
	case PERSEUS_KIND_OPTIMIZER_STEP:
		return check_step(lookup, index, err);
	case PERSEUS_KIND_DATA_LOAD:
	case PERSEUS_KIND_OVERLAP:
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_OTHER:
		break;
	}
	return PERSEUS_OK;
}

/* Exactly one forward and one gradient of every stage and microbatch. */
static enum perseus_status
check_complete(const struct lookup *lookup, struct perseus_error *err)
{
	const struct perseus_schedule *schedule = lookup->schedule;
	int64_t n_forwards = 0, n_gradients = 0;
	for (size_t i = 0; i < lookup->n_entries; i++) {
		const enum perseus_kind kind = lookup->entries[i].part.kind;
		n_forwards += kind == PERSEUS_KIND_FORWARD;
		n_gradients += kind == PERSEUS_KIND_BACKWARD || kind == PERSEUS_KIND_INPUT;
		if (i > 0 && kind <= PERSEUS_KIND_RECOMPUTE
				&& compare_parts(&lookup->entries[i - 1].part, &lookup->entries[i].part) == 0)
			return perseus__fail(err, PERSEUS_INTERNAL, "instructions %d and %d are the same",
					lookup->entries[i - 1].index, lookup->entries[i].index);
	}
	const int64_t n_cells = (int64_t)schedule->n_stages * schedule->n_microbatches;
	if (n_forwards != n_cells || n_gradients != n_cells)
		return perseus__fail(err, PERSEUS_INTERNAL, "%lld forwards and %lld backwards: expected %lld of each",
				(long long)n_forwards, (long long)n_gradients, (long long)n_cells);
	return PERSEUS_OK;
}

enum perseus_status
perseus__check_dependencies(const struct perseus_schedule *schedule, struct perseus_error *err)
{
	struct lookup lookup = {.schedule = schedule};
	enum perseus_status status = PERSEUS_OK;
	lookup.entries = perseus__new_array(2 * (size_t)schedule->n_instructions, sizeof *lookup.entries);
	lookup.held_back_by = perseus__new_array((size_t)schedule->n_ranks, sizeof *lookup.held_back_by);
	if (!lookup.entries || !lookup.held_back_by) {
		status = perseus__no_memory(err);
		goto done;
	}
	for (int32_t i = 0; i < schedule->n_instructions; i++)
		for (int32_t p = 0; p < schedule->instructions[i].n_parts; p++)
			lookup.entries[lookup.n_entries++] = (struct entry){schedule->instructions[i].part[p], i};
	qsort(lookup.entries, lookup.n_entries, sizeof *lookup.entries, compare_entries);
	find_what_holds_back(&lookup);
	status = check_complete(&lookup, err);
	for (int32_t i = 0; i < schedule->n_instructions && status == PERSEUS_OK; i++)
		for (int32_t p = 0; p < schedule->instructions[i].n_parts && status == PERSEUS_OK; p++)
			status = check_part(&lookup, &schedule->instructions[i].part[p], i, err);
done:
	perseus__free(lookup.entries);
	perseus__free(lookup.held_back_by);
	return status;
}
