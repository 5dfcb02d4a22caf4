/*
 * What the ranks of a simulated training share: a file in memory that says how far each is. It stands in for the
 * transfers of a pipeline and for its gradient reduction. A rank that dies is not waited for, and one that comes back
 * joins at the next step: a real job would be restarted here, but what is tested is that Perseus never stops one.
 */
#ifndef PERSEUS_TESTS_LIVE_BOARD_H
#define PERSEUS_TESTS_LIVE_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { BOARD_MAX_RANKS = 16, BOARD_MAX_MICROBATCHES = 64 };

/* What a rank does in a step. */
enum board_mark { BOARD_FORWARD, BOARD_BACKWARD, BOARD_STEP, BOARD_N_MARKS };

struct board;

/* Opens the file, made where it is not there; NULL with a message on stderr. */
struct board *board_open(const char *path);

/* Has this process be `rank` from now on, once all have been there; the step that it is to begin with. */
int64_t board_join(struct board *board, int32_t rank, int32_t n_ranks);

/* This rank begins `step`. */
void board_begin(struct board *board, int32_t rank, int64_t step);

/* This rank has done `mark` of `microbatch` (0 for BOARD_STEP) in `step`. */
void board_set(struct board *board, int32_t rank, enum board_mark mark, int32_t microbatch, int64_t step);

/* Waits until `rank` has; or is dead. */
void board_wait(struct board *board, int32_t rank, enum board_mark mark, int32_t microbatch, int64_t step);

#endif
