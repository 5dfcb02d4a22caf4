/*
 * How often each identity may do something: a bucket that holds one second's worth and fills steadily. The table is
 * bounded; where it is full, the identity that has been quiet longest is forgotten.
 */
#ifndef PERSEUS_SERVICE_RATE_H
#define PERSEUS_SERVICE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

struct perseus__rate;

enum { PERSEUS__IDENTITY_BYTES = 192 };

/* `per_s` > 0. NULL where there is no memory. */
PERSEUS_MUST_USE struct perseus__rate *perseus__rate_new(int32_t per_s);
void perseus__rate_free(struct perseus__rate *rate);

/*
 * Takes one of the identity's at `now_ns`; false where it has none left. An identity is a text of at most
 * PERSEUS__IDENTITY_BYTES - 1 bytes, such as "token alice"; what is longer counts as its beginning.
 */
bool perseus__rate_take(struct perseus__rate *rate, const char *identity, int64_t now_ns);

#endif
