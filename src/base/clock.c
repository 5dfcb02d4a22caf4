/* The one place that reads clocks. */
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

int64_t
perseus__clock_wall_ms(void)
{
	struct timespec now;
	/* CLOCK_REALTIME cannot fail on Linux. */
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
