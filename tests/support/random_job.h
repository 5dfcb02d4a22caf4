/* Small random profiles for property loops: seeded, the same on every machine. */
#ifndef PERSEUS_TESTS_RANDOM_JOB_H
#define PERSEUS_TESTS_RANDOM_JOB_H

#include <stdint.h>

#include <perseus/profile.h>

/*
 * A profile of `n_stages` with forward, backward, input, weight and recompute at 1 to 6 clocks each; times and energies
 * are whole milliseconds and joules where `is_round`, so that longest paths tie. Transfers and the other constant-time
 * instructions, where `has_constants`, have one choice. Blocking power 0, 5 or 70 W.
 */
struct perseus_profile *random_profile(uint64_t *state, int32_t n_stages, int is_round, int has_constants);

#endif
