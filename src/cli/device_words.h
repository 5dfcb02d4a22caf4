/* Devices and what is read of them, in words; one way for all commands. */
#ifndef PERSEUS_CLI_DEVICE_WORDS_H
#define PERSEUS_CLI_DEVICE_WORDS_H

#include <stdint.h>

#include "base/text.h"

#include <perseus/device.h>

/* "GPU", "CPU", "DRAM". */
const char *perseus__device_kind_word(enum perseus_device_kind kind);

/*
 * Adds what users call these devices, neighbours together: "GPU 0-7, CPU 0". `devices`, length `n`, are indices of
 * `node`, ascending. Simulated ones say so: "GPU 0-3 (simulated)".
 */
void perseus__add_device_labels(
		struct perseus__text *text, const struct perseus_node *node, const int32_t *devices, int32_t n);

/* Adds clocks, length `n`, descending, in few words: "210-1410 step 15 (81)", "1215, 1593". */
void perseus__add_clocks(struct perseus__text *text, const int32_t *mhz, int32_t n);

enum { PERSEUS__REASON_BYTES = 24 };

/*
 * The word of the lowest of `*reasons`, which are PERSEUS_REASON_ bits, and takes it out of them; a bit without a word
 * is a number. NULL where there is none. `number` is room that the answer may use.
 */
const char *perseus__next_reason(int64_t *reasons, char number[PERSEUS__REASON_BYTES]);

#endif
