/* Words that several charts use. */
#ifndef PERSEUS_CHART_WORDS_H
#define PERSEUS_CHART_WORDS_H

#include <perseus/schedule.h>
#include <perseus/status.h>

#include <stddef.h>

/* Writes e.g. "1f1b, 8 ranks, 8 stages, 96 microbatches". Always terminates `text`, length `size`. */
void perseus__schedule_text(const struct perseus_schedule *schedule, char *text, size_t size);

/* Adds to the end of `text`, size `size`, what still fits. */
void perseus__append(char *text, size_t size, const char *format, ...) PERSEUS_PRINTF(3, 4);

#endif
