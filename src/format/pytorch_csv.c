/*
 * PyTorch pipeline CSV to a schedule: what older versions meant, sends and receives, then perseus_schedule_import.
 * Cells are read in pytorch_actions.c; the writer is in pytorch_write.c.
 */
#include "format/pytorch_csv.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/pytorch_actions.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An action and the cell it is in; sorted by (word, stage, microbatch, cell). */
struct place {
	struct perseus__action action;
	int32_t cell;
};

struct decoder {
	struct perseus__cells cells;
	struct place *places;
	size_t n_places;
	struct perseus_error *err;
};

static int
compare_actions(const struct perseus__action *a, const struct perseus__action *b)
{
	if (a->word != b->word)
		return a->word < b->word ? -1 : 1;
	if (a->stage != b->stage)
		return a->stage < b->stage ? -1 : 1;
	return (a->microbatch > b->microbatch) - (a->microbatch < b->microbatch);
}

static int
compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	const int order = compare_actions(&a->action, &b->action);
	return order ? order : (a->cell > b->cell) - (a->cell < b->cell);
}

static enum perseus_status
sort_places(struct decoder *decoder)
{
	if (!decoder->places)
		decoder->places = perseus__new_array(2 * decoder->cells.n_cells, sizeof *decoder->places);
	if (!decoder->places)
		return perseus__no_memory(decoder->err);
	decoder->n_places = 0;
	for (size_t c = 0; c < decoder->cells.n_cells; c++)
		for (int32_t a = 0; a < decoder->cells.cells[c].n_actions; a++)
			decoder->places[decoder->n_places++] = (struct place){decoder->cells.cells[c].actions[a], (int32_t)c};
	qsort(decoder->places, decoder->n_places, sizeof *decoder->places, compare_places);
	return PERSEUS_OK;
}

/* Index of the first place that is not less than an action. */
static size_t
lower_bound(const struct decoder *decoder, struct perseus__action action)
{
	size_t low = 0, high = decoder->n_places;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (compare_actions(&decoder->places[middle].action, &action) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct perseus__cell *
find(const struct decoder *decoder, enum perseus__word word, int32_t stage, int32_t microbatch)
{
	const struct perseus__action action = {word, stage, microbatch};
	const size_t at = lower_bound(decoder, action);
	if (at == decoder->n_places || compare_actions(&decoder->places[at].action, &action) != 0)
		return NULL;
	return &decoder->cells.cells[decoder->places[at].cell];
}

static bool
has_word(const struct decoder *decoder, enum perseus__word word)
{
	const size_t at = lower_bound(decoder, (struct perseus__action){.word = word});
	return at < decoder->n_places && decoder->places[at].action.word == word;
}

static void
add_note(char *note, const char *text)
{
	if (!note)
		return;
	const size_t length = strlen(note);
	(void)snprintf(note + length, PERSEUS__PYTORCH_NOTE_BYTES - length, "%s%s", length ? "; " : "", text);
}

/* Before torch 2.6 there was no I: a B with a W beside it was the input gradient. */
static enum perseus_status
read_old_backwards(struct decoder *decoder, char *note)
{
	if (has_word(decoder, PERSEUS__WORD_I) || !has_word(decoder, PERSEUS__WORD_W))
		return PERSEUS_OK;
	bool any = false;
	for (size_t c = 0; c < decoder->cells.n_cells; c++) {
		for (int32_t a = 0; a < decoder->cells.cells[c].n_actions; a++) {
			struct perseus__action *action = &decoder->cells.cells[c].actions[a];
			if (action->word != PERSEUS__WORD_B || !find(decoder, PERSEUS__WORD_W, action->stage, action->microbatch))
				continue;
			action->word = PERSEUS__WORD_I;
			any = true;
		}
	}
	if (!any)
		return PERSEUS_OK;
	add_note(note, "written by torch before 2.6: B with a W beside it read as I");
	return sort_places(decoder);
}

struct range {
	size_t n;
	int32_t lowest;
	int32_t highest;
};

/* Microbatches of one word and stage: the places are sorted by them. */
static struct range
range_of(const struct decoder *decoder, enum perseus__word word, int32_t stage)
{
	const size_t begin = lower_bound(decoder, (struct perseus__action){word, stage, 0});
	const size_t end = lower_bound(decoder, (struct perseus__action){word, stage + 1, 0});
	if (begin == end)
		return (struct range){0};
	return (struct range){
		end - begin, decoder->places[begin].action.microbatch, decoder->places[end - 1].action.microbatch};
}

static bool
counts_forwards_from_one(const struct decoder *decoder, int32_t stage)
{
	const struct range forwards = range_of(decoder, PERSEUS__WORD_F, stage);
	const struct range backwards = range_of(decoder, PERSEUS__WORD_B, stage);
	return forwards.n > 0 && forwards.n == backwards.n && forwards.lowest == 1 && backwards.lowest == 0
			&& (size_t)forwards.highest == forwards.n && (size_t)backwards.highest == backwards.n - 1;
}

/* torch's Schedule1F1B.pipeline_order has the last rank's forwards off by one (seen in 2.14). */
static enum perseus_status
renumber_forwards(struct decoder *decoder, char *note)
{
	bool any = false;
	int32_t asked = -1;
	bool is_off = false;
	/* The places are in order of stages, and keep their numbers until they are sorted again. */
	for (size_t p = 0; p < decoder->n_places && decoder->places[p].action.word == PERSEUS__WORD_F; p++) {
		const struct perseus__action *place = &decoder->places[p].action;
		if (place->stage != asked)
			is_off = counts_forwards_from_one(decoder, place->stage);
		if (is_off && place->stage != asked) {
			char text[PERSEUS__PYTORCH_NOTE_BYTES];
			(void)snprintf(text, sizeof text, "forwards of stage %d are counted from 1: read from 0", place->stage);
			add_note(note, text);
		}
		asked = place->stage;
		struct perseus__cell *cell = &decoder->cells.cells[decoder->places[p].cell];
		for (int32_t a = 0; is_off && a < cell->n_actions; a++) {
			if (compare_actions(&cell->actions[a], place) != 0)
				continue;
			cell->actions[a].microbatch--;
			any = true;
			break;
		}
	}
	return any ? sort_places(decoder) : PERSEUS_OK;
}

static enum perseus_status
fail_transfer(const struct decoder *decoder, const struct perseus__cell *cell, const char *problem)
{
	static const char *const names[] = {
		"F", "I", "B", "W", "UNSHARD", "RESHARD", "REDUCE_GRAD", "SEND_F", "RECV_F", "SEND_B", "RECV_B"};
	const struct perseus__action *action = &cell->actions[0];
	return perseus__fail(decoder->err, PERSEUS_INVALID, "%s:%d: rank %d, column %d: \"%d%s%d\": %s",
			decoder->cells.label, cell->line, cell->rank, cell->column, action->stage, names[action->word],
			action->microbatch, problem);
}

/* What produces the tensor that a send sends, or consumes the one that a receive receives. */
static const struct perseus__cell *
find_computation(const struct decoder *decoder, const struct perseus__action *action)
{
	if (action->word == PERSEUS__WORD_SEND_F || action->word == PERSEUS__WORD_RECV_F)
		return find(decoder, PERSEUS__WORD_F, action->stage, action->microbatch);
	const struct perseus__cell *backward = find(decoder, PERSEUS__WORD_B, action->stage, action->microbatch);
	return backward ? backward : find(decoder, PERSEUS__WORD_I, action->stage, action->microbatch);
}

static enum perseus_status
check_transfer(const struct decoder *decoder, const struct perseus__cell *cell)
{
	const struct perseus__action *action = &cell->actions[0];
	const bool is_send = action->word == PERSEUS__WORD_SEND_F || action->word == PERSEUS__WORD_SEND_B;
	const bool is_forward = action->word == PERSEUS__WORD_SEND_F || action->word == PERSEUS__WORD_RECV_F;
	const enum perseus__word send = is_forward ? PERSEUS__WORD_SEND_F : PERSEUS__WORD_SEND_B;
	const enum perseus__word receive = is_forward ? PERSEUS__WORD_RECV_F : PERSEUS__WORD_RECV_B;
	const int32_t peer_stage = action->stage + (is_forward == is_send ? 1 : -1);
	const struct perseus__cell *peer = find(decoder, is_send ? receive : send, peer_stage, action->microbatch);
	if (!peer)
		return fail_transfer(decoder, cell, is_send ? "nothing receives this" : "nothing sends this");
	if (peer->rank == cell->rank)
		return fail_transfer(decoder, cell, "sent and received by the same rank");
	const struct perseus__cell *computation = find_computation(decoder, action);
	if (!computation || computation->rank != cell->rank)
		return fail_transfer(decoder, cell, "its rank has no computation of this stage and microbatch");
	if (is_send && computation->column > cell->column)
		return fail_transfer(decoder, cell, "sent before it is computed");
	if (!is_send && computation->column < cell->column)
		return fail_transfer(decoder, cell, "received after it is needed");
	return PERSEUS_OK;
}

/* Whether the neighbour of a computation is on another rank and no receive is there. */
static enum perseus_status
check_received(const struct decoder *decoder, const struct place *place)
{
	const struct perseus__action *action = &place->action;
	const struct perseus__cell *cell = &decoder->cells.cells[place->cell];
	const bool is_forward = action->word == PERSEUS__WORD_F;
	const int32_t peer_stage = action->stage + (is_forward ? -1 : 1);
	const enum perseus__word receive = is_forward ? PERSEUS__WORD_RECV_F : PERSEUS__WORD_RECV_B;
	const struct perseus__action peer_action = {
		is_forward ? PERSEUS__WORD_SEND_F : PERSEUS__WORD_SEND_B, peer_stage, action->microbatch};
	const struct perseus__cell *peer = find_computation(decoder, &peer_action);
	if (!peer || peer->rank == cell->rank || find(decoder, receive, action->stage, action->microbatch))
		return PERSEUS_OK;
	return perseus__fail(decoder->err, PERSEUS_INVALID,
			"%s:%d: rank %d, column %d: stage %d, microbatch %d: its %s comes from rank %d, but is never received",
			decoder->cells.label, cell->line, cell->rank, cell->column, action->stage, action->microbatch,
			is_forward ? "activation" : "gradient", peer->rank);
}

/* Where a file has sends and receives, it has all of them, each once. */
static enum perseus_status
check_transfers(const struct decoder *decoder)
{
	const size_t first = lower_bound(decoder, (struct perseus__action){.word = PERSEUS__WORD_SEND_F});
	enum perseus_status status = PERSEUS_OK;
	for (size_t p = first; p < decoder->n_places && status == PERSEUS_OK; p++) {
		const struct place *place = &decoder->places[p];
		const struct perseus__cell *cell = &decoder->cells.cells[place->cell];
		status = check_transfer(decoder, cell);
		if (status == PERSEUS_OK && p > first && compare_actions(&place[-1].action, &place->action) == 0)
			status = fail_transfer(decoder, cell, "a duplicate");
	}
	const bool has_transfers = first < decoder->n_places;
	for (size_t p = 0; has_transfers && p < first && status == PERSEUS_OK; p++)
		if (decoder->places[p].action.word <= PERSEUS__WORD_B)
			status = check_received(decoder, &decoder->places[p]);
	return status;
}

static struct perseus_part
part_of(const struct perseus__action *action)
{
	static const enum perseus_kind kinds[] = {
		[PERSEUS__WORD_F] = PERSEUS_KIND_FORWARD,
		[PERSEUS__WORD_I] = PERSEUS_KIND_INPUT,
		[PERSEUS__WORD_B] = PERSEUS_KIND_BACKWARD,
		[PERSEUS__WORD_W] = PERSEUS_KIND_WEIGHT,
		[PERSEUS__WORD_UNSHARD] = PERSEUS_KIND_UNSHARD,
		[PERSEUS__WORD_RESHARD] = PERSEUS_KIND_RESHARD,
		[PERSEUS__WORD_REDUCE_GRAD] = PERSEUS_KIND_GRAD_REDUCE,
	};
	return (struct perseus_part){kinds[action->word], action->stage, action->microbatch};
}

static struct perseus_instruction
instruction_of(const struct perseus__cell *cell)
{
	const struct perseus_part first = part_of(&cell->actions[0]);
	struct perseus_instruction instruction = {
		.kind = cell->n_actions == 2 ? PERSEUS_KIND_OVERLAP : first.kind,
		.rank = cell->rank,
		.stage = first.stage,
		.microbatch = first.microbatch,
		.part = {first},
		.n_parts = cell->n_actions,
	};
	if (cell->n_actions == 2)
		instruction.part[1] = part_of(&cell->actions[1]);
	return instruction;
}

static enum perseus_status
import(const struct decoder *decoder, const struct perseus_schedule **out)
{
	const struct perseus__cells *cells = &decoder->cells;
	struct perseus_error import_err = {.status = PERSEUS_OK};
	enum perseus_status status = PERSEUS_OK;
	struct perseus_instruction *instructions = perseus__new_array(cells->n_cells, sizeof *instructions);
	int32_t *rank_begin = perseus__new_array((size_t)cells->n_ranks + 1, sizeof *rank_begin);
	if (!instructions || !rank_begin) {
		status = perseus__no_memory(decoder->err);
		goto done;
	}
	int32_t n = 0;
	for (size_t c = 0; c < cells->n_cells; c++) {
		if (cells->cells[c].actions[0].word >= PERSEUS__WORD_SEND_F)
			continue;
		instructions[n++] = instruction_of(&cells->cells[c]);
		rank_begin[cells->cells[c].rank + 1] = n;
	}
	/* A rank without actions ends where it begins. */
	for (int32_t rank = 0; rank < cells->n_ranks; rank++)
		if (rank_begin[rank + 1] < rank_begin[rank])
			rank_begin[rank + 1] = rank_begin[rank];
	const struct perseus_order order = {
		.name = cells->label,
		.n_ranks = cells->n_ranks,
		.rank_begin = rank_begin,
		.instructions = instructions,
	};
	status = perseus_schedule_import(&order, out, &import_err);
	if (status != PERSEUS_OK)
		status = perseus__fail(decoder->err, status, "%s: %s", cells->label, import_err.message);
done:
	perseus__free(instructions);
	perseus__free(rank_begin);
	return status;
}

enum perseus_status
perseus__pytorch_csv_parse(const char *label, const char *bytes, size_t length, const struct perseus_schedule **out,
		char note[PERSEUS__PYTORCH_NOTE_BYTES], struct perseus_error *err)
{
	struct decoder decoder = {.err = err};
	if (note)
		note[0] = '\0';
	enum perseus_status status = perseus__cells_parse(&decoder.cells, label, bytes, length, err);
	if (status != PERSEUS_OK)
		return status;
	status = sort_places(&decoder);
	if (status == PERSEUS_OK)
		status = read_old_backwards(&decoder, note);
	if (status == PERSEUS_OK)
		status = renumber_forwards(&decoder, note);
	if (status == PERSEUS_OK)
		status = check_transfers(&decoder);
	if (status == PERSEUS_OK)
		status = import(&decoder, out);
	perseus__free(decoder.places);
	perseus__cells_fini(&decoder.cells);
	return status;
}
