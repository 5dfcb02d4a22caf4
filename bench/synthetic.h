/*
 * Profiles for benchmarks: a GPU with 61 clocks (510..1410 MHz), time part constant and part inverse to the clock,
 * static and dynamic power with a voltage that is flat below 60 % of the highest clock, and measurement noise. The
 * noise decides how many points the hulls have, and so how hard the frontier is.
 */
#ifndef PERSEUS_BENCH_SYNTHETIC_H
#define PERSEUS_BENCH_SYNTHETIC_H

#include <stdint.h>

#include <perseus/profile.h>

/* Power a GPU draws while it waits, in W. */
#define SYNTHETIC_BLOCKING_POWER_W 80.0

/*
 * `noise`: largest relative error of time and power, e.g. 0.005 for about 11 hull points, 0.0002 for about 30.
 * The last stage is `imbalance` times as heavy. NULL where there is no memory.
 */
struct perseus_profile *synthetic_profile(int32_t n_stages, double noise, double imbalance, uint64_t seed);

#endif
