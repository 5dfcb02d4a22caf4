/* Time for measuring how long something took. */
#ifndef PERSEUS_BASE_CLOCK_H
#define PERSEUS_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of the monotonic clock, from an arbitrary origin. */
int64_t perseus__clock_mono_ns(void);

#endif
