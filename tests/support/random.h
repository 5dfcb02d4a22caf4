/* Random numbers: seeded, the same on every machine. */
#ifndef PERSEUS_TESTS_RANDOM_H
#define PERSEUS_TESTS_RANDOM_H

#include <math.h>
#include <stdint.h>

/* 64 random bits: SplitMix64 (Steele, Lea and Flood 2014). */
static inline uint64_t
random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Uniform in 0..n-1. */
static inline uint32_t
random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)((random_next(state) >> 32) * n >> 32);
}

/* Uniform in [0, 1). */
static inline double
random_fraction(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-53;
}

/* Of mean 0 and deviation 1 (Box and Muller 1958). */
static inline double
random_normal(uint64_t *state)
{
	const double radius = sqrt(-2 * log(1 - random_fraction(state)));
	return radius * cos(2 * M_PI * random_fraction(state));
}

#endif
