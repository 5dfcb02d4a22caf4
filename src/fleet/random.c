/*
 * Streams of random numbers, and whole iterations drawn from them.
 */
#include "fleet/random.h"

/* SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014). */
static uint64_t
split_mix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

struct perseus__random
perseus__random_stream(uint64_t seed, uint64_t cause, uint64_t pipeline)
{
	uint64_t with_cause = split_mix(&seed) ^ cause;
	uint64_t with_both = split_mix(&with_cause) ^ pipeline;
	struct perseus__random random;
	for (int k = 0; k < 4; k++)
		random.state[k] = split_mix(&with_both);
	return random;
}

static uint64_t
rotate_left(uint64_t bits, int by)
{
	return bits << by | bits >> (64 - by);
}

uint64_t
perseus__random_next(struct perseus__random *random)
{
	uint64_t *s = random->state;
	const uint64_t next = rotate_left(s[1] * 5, 7) * 9;
	const uint64_t shifted = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return next;
}

int64_t
perseus__random_between(struct perseus__random *random, int64_t least, int64_t greatest)
{
	__extension__ typedef unsigned __int128 product;
	const uint64_t n = (uint64_t)(greatest - least) + 1;
	return least + (int64_t)((product)perseus__random_next(random) * n >> 64);
}

struct perseus__geometric
perseus__geometric_of_mean(double mean)
{
	const double negligible = 0x1p-64; /* no bit beyond is ever set by the 53 bits of a draw */
	struct perseus__geometric geometric = {.n_bits = 0};
	for (double q = 1 - 1 / mean; q > negligible && geometric.n_bits < PERSEUS__GEOMETRIC_BITS; q *= q)
		geometric.chance[geometric.n_bits++] = q / (1 + q);
	return geometric;
}

int64_t
perseus__geometric_draw(const struct perseus__geometric *geometric, struct perseus__random *random)
{
	int64_t drawn = 1;
	for (int32_t j = 0; j < geometric->n_bits; j++) {
		const double uniform = (double)(perseus__random_next(random) >> 11) * 0x1p-53;
		if (uniform < geometric->chance[j])
			drawn += INT64_C(1) << j;
	}
	return drawn;
}
