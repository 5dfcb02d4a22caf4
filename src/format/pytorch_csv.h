/*
 * PyTorch's pipeline schedules as CSV: row = pipeline rank, cell = action, e.g. "0F1", "3SEND_F2" or
 * "(0F7;7B3)OVERLAP_F_B"; an empty cell is a bubble and means nothing here. libc alone.
 */
#ifndef PERSEUS_FORMAT_PYTORCH_CSV_H
#define PERSEUS_FORMAT_PYTORCH_CSV_H

#include <stddef.h>

#include "base/text.h"

#include <perseus/schedule.h>
#include <perseus/status.h>

enum { PERSEUS__PYTORCH_NOTE_BYTES = 256 };

/*
 * Reads the forms compute_only and compute_comms; which one shows in the actions. Sends and receives must pair up and
 * are dropped; unshard, reshard and gradient reductions are kept.
 *
 * `label` names the file in messages and becomes the schedule's name. `note` (may be NULL) tells what was read in
 * another way than it is written; empty where nothing was: full backwards of files from torch before 2.6, which are
 * input gradients where there is a weight gradient; forwards counted from 1, as torch's 1F1B dump has them.
 * Errors: INVALID with line, rank, column (both forms count every cell from 1) and text; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__pytorch_csv_parse(const char *label, const char *bytes, size_t length,
		const struct perseus_schedule **out, char note[PERSEUS__PYTORCH_NOTE_BYTES], struct perseus_error *err);

/*
 * Adds a schedule in the form compute_only to `text`, lines ending in CRLF as Python writes them. What torch adds by
 * itself (data loads, unshard, reshard, gradient reductions, optimizer steps) is left out.
 * Errors: INVALID for what torch has no word for (recomputation, other kinds, a stage on two ranks, another pair than
 * forward and backward); NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__pytorch_csv_write(
		const struct perseus_schedule *schedule, struct perseus__text *text, struct perseus_error *err);

#endif
