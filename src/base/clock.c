/* The one place that reads a clock. */
#include "base/clock.h"

#include <time.h>

int64_t
perseus__clock_mono_ns(void)
{
	struct timespec now;
	/* CLOCK_MONOTONIC cannot fail on Linux. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
