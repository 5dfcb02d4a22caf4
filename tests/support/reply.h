/* Requests without sockets: what is asked, and what comes back. One at a time. */
#ifndef PERSEUS_TESTS_REPLY_H
#define PERSEUS_TESTS_REPLY_H

#include "service/http.h"

struct reply {
	int code;
	enum perseus__content content;
	bool asks_for_token;
	bool asks_to_retry;
	char allow[64];
	char location[256];
	char body[262144];
	struct perseus__stream *stream; /* the caller's to free */
};

/* Puts "GET /path?query", say, into an exchange that is zero else, and awaits its end. */
void reply_expect(struct perseus__exchange *exchange, const char *request);

bool reply_is_there(void);

/* Waits for the end of the exchange, at most ten seconds. The reply is of the last call. */
const struct reply *reply_wait(void);

#endif
