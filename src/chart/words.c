/* Words that several charts use. */
#include "chart/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NAME_BYTES = 80 };

void
perseus__schedule_text(const struct perseus_schedule *schedule, char *text, size_t size)
{
	/* A name of any length may come from a file; its characters stay whole. */
	int length = (int)strnlen(schedule->name, MAX_NAME_BYTES);
	while (length > 0 && ((unsigned char)schedule->name[length] & 0xc0) == 0x80)
		length--;
	(void)snprintf(text, size, "%.*s, %" PRId32 " rank%s, %" PRId32 " stage%s, %" PRId32 " microbatch%s", length,
			schedule->name, schedule->n_ranks, schedule->n_ranks == 1 ? "" : "s", schedule->n_stages,
			schedule->n_stages == 1 ? "" : "s", schedule->n_microbatches, schedule->n_microbatches == 1 ? "" : "es");
}

void
perseus__append(char *text, size_t size, const char *format, ...)
{
	const size_t length = strnlen(text, size - 1);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text + length, size - length, format, args);
	va_end(args);
}
