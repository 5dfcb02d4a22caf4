/*
 * How often each identity may write: a bucket that holds one second's worth and fills steadily. The table is bounded;
 * where it is full, the identity that has been quiet longest is forgotten.
 */
#ifndef PERSEUS_AGENT_RATE_H
#define PERSEUS_AGENT_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/protocol.h"

struct perseus__rate;

/* `per_s` > 0. NULL where there is no memory. */
PERSEUS_MUST_USE struct perseus__rate *perseus__rate_new(int32_t per_s);
void perseus__rate_free(struct perseus__rate *rate);

/* Takes one write of the holder's identity at `now_ns`; false where it has none left. */
bool perseus__rate_take(struct perseus__rate *rate, const struct perseus__holder *holder, int64_t now_ns);

#endif
