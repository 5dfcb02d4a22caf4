/*
 * Reads an instruction as perseus_instruction_text writes it: "0F1", "3R5", "0DATA_LOAD2", "2UNSHARD",
 * "OPTIMIZER_STEP", "(0F7;7B3)OVERLAP_F_B". What it accepts is what that writes, byte for byte.
 */
#ifndef PERSEUS_FORMAT_INSTRUCTION_TEXT_H
#define PERSEUS_FORMAT_INSTRUCTION_TEXT_H

#include <perseus/schedule.h>
#include <perseus/status.h>

/* No text is longer, its end included. */
enum { PERSEUS__INSTRUCTION_BYTES = 128 };

/*
 * Fills kind, stage, microbatch and parts of `*out`; rank is 0 and the class that of the kind's name, as
 * perseus_schedule_import takes it. OPTIMIZER_STEP has stage 0. INVALID with the text and what was expected; `*out` is
 * untouched then.
 */
PERSEUS_MUST_USE enum perseus_status perseus__instruction_parse(
		const char *text, struct perseus_instruction *out, struct perseus_error *err);

#endif
