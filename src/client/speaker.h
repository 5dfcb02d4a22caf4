/* Lines for people, one whenever something changes that they should know. */
#ifndef PERSEUS_CLIENT_SPEAKER_H
#define PERSEUS_CLIENT_SPEAKER_H

#include <perseus/client.h>

struct perseus__speaker {
	void (*log)(void *user, const char *line); /* NULL: nobody listens */
	void *user;
	char last[PERSEUS_CLIENT_TEXT_BYTES];
};

/* Tells a line, cut where it is long; what is no line of text in it is made one. */
void perseus__say(struct perseus__speaker *speaker, const char *format, ...) PERSEUS_PRINTF(2, 3);

#endif
