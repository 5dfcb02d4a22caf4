/* Time for measuring how long something took, and the time of day for those who must name a moment. */
#ifndef PERSEUS_BASE_CLOCK_H
#define PERSEUS_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of the monotonic clock, from an arbitrary origin. */
int64_t perseus__clock_mono_ns(void);

/* Milliseconds since 1970 UTC. May jump: never subtract two of them. */
int64_t perseus__clock_wall_ms(void);

#endif
