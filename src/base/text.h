/* Growable text with a mandatory maximum, so that no input can grow it without bound. */
#ifndef PERSEUS_BASE_TEXT_H
#define PERSEUS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <perseus/status.h>

struct perseus__text {
	char *bytes; /* NUL-terminated once anything was added; owned */
	size_t length;
	size_t capacity;
	size_t max_length;
	bool failed; /* sticky: out of memory or beyond the maximum; later additions do nothing */
};

/* An empty text that never grows beyond `max_length` bytes. */
struct perseus__text perseus__text_init(size_t max_length);

void perseus__text_add(struct perseus__text *text, const char *bytes, size_t length);
void perseus__text_addf(struct perseus__text *text, const char *format, ...) PERSEUS_PRINTF(2, 3);

/*
 * Adds a string from outside made fit for one line of a terminal: a newline as \n, other control characters and what is
 * no UTF-8 as \xNN.
 */
void perseus__text_add_shown(struct perseus__text *text, const char *string);

/* Frees the bytes; the text may be used again. */
void perseus__text_fini(struct perseus__text *text);

#endif
