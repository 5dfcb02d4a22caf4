/*
 * Random numbers that are the same on every machine: integers, and of doubles only single correctly rounded operations
 * of IEEE 754, so that neither libm nor a contraction of product and sum can tell.
 */
#ifndef PERSEUS_FLEET_RANDOM_H
#define PERSEUS_FLEET_RANDOM_H

#include <stdint.h>

/* xoshiro256** (Blackman and Vigna, Scrambled linear pseudorandom number generators, ACM TOMS 47(4), 2021). */
struct perseus__random {
	uint64_t state[4];
};

/* A stream of its own for every seed, cause and pipeline: hashed with the finaliser of SplitMix64. */
struct perseus__random perseus__random_stream(uint64_t seed, uint64_t cause, uint64_t pipeline);

/* 64 random bits. */
uint64_t perseus__random_next(struct perseus__random *random);

/* Uniform in least..greatest, both included; greatest - least < 2^63. Bias below (greatest - least) / 2^64. */
int64_t perseus__random_between(struct perseus__random *random, int64_t least, int64_t greatest);

enum { PERSEUS__GEOMETRIC_BITS = 62 };

/*
 * The geometric distribution on 1, 2, ...: the exponential's discrete form, without memory as well. With q the chance
 * of one more, P(X - 1 = x) is proportional to q^x, the product of q^(2^j) over the set bits j of x. So the bits of
 * X - 1 are independent, bit j being set with chance q^(2^j) / (1 + q^(2^j)), and need no logarithm.
 */
struct perseus__geometric {
	int32_t n_bits;
	double chance[PERSEUS__GEOMETRIC_BITS]; /* length n_bits: of each bit to be set */
};

/* The distribution of this mean, finite and >= 1. Chances are off by at most about mean · 10^-14, relative. */
struct perseus__geometric perseus__geometric_of_mean(double mean);

/* A draw, in 1..2^62. */
int64_t perseus__geometric_draw(const struct perseus__geometric *geometric, struct perseus__random *random);

#endif
