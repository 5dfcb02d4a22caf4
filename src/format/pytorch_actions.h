/*
 * The actions of a PyTorch pipeline CSV, cell by cell, before anything is made of them. Not installed.
 */
#ifndef PERSEUS_FORMAT_PYTORCH_ACTIONS_H
#define PERSEUS_FORMAT_PYTORCH_ACTIONS_H

#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

enum perseus__word {
	PERSEUS__WORD_F,
	PERSEUS__WORD_I,
	PERSEUS__WORD_B,
	PERSEUS__WORD_W,
	PERSEUS__WORD_UNSHARD,
	PERSEUS__WORD_RESHARD,
	PERSEUS__WORD_REDUCE_GRAD,
	PERSEUS__WORD_SEND_F,
	PERSEUS__WORD_RECV_F,
	PERSEUS__WORD_SEND_B,
	PERSEUS__WORD_RECV_B,
};

struct perseus__action {
	enum perseus__word word;
	int32_t stage;
	int32_t microbatch; /* -1: none */
};

/* A cell that is not blank: one action, or two that overlap. */
struct perseus__cell {
	struct perseus__action actions[2];
	int32_t n_actions;
	int32_t rank;   /* row, from 0 */
	int32_t line;   /* from 1 */
	int32_t column; /* from 1 */
};

struct perseus__cells {
	struct perseus__cell *cells; /* row by row */
	size_t n_cells;
	size_t capacity;
	int32_t n_ranks;
	const char *label; /* borrowed */
};

/* Reads all cells; `label` is borrowed. Errors: INVALID with line, rank, column and text; NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__cells_parse(
		struct perseus__cells *cells, const char *label, const char *bytes, size_t length, struct perseus_error *err);

void perseus__cells_fini(struct perseus__cells *cells);

#endif
