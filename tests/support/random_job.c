/* Small random profiles, see the header. */
#include "random_job.h"

#include "random.h"

#include <stdlib.h>

struct perseus_profile *
random_profile(uint64_t *state, int32_t n_stages, int is_round, int has_constants)
{
	static const char *const names[] = {"forward", "backward", "input", "weight", "recompute", "transfer", "data_load",
		"grad_reduce", "optimizer_step"};
	enum { N_NAMES = sizeof names / sizeof *names, N_CLOCKED = 5, MAX_CLOCKS = 6 };
	struct perseus_measurement *rows = calloc((size_t)n_stages * N_NAMES * MAX_CLOCKS, sizeof *rows);
	size_t n = 0;
	for (int32_t stage = 0; stage < n_stages; stage++)
		for (size_t k = 0; k < (has_constants ? N_NAMES : N_CLOCKED); k++) {
			const uint32_t n_clocks = k < N_CLOCKED ? 1 + random_below(state, MAX_CLOCKS) : 1;
			for (uint32_t i = 0; i < n_clocks; i++) {
				const uint32_t unit = is_round ? 1000000 : 1;
				const double time_ns = (double)(1 + random_below(state, 50000000 / unit)) * unit;
				const double energy_nj = (double)(1 + random_below(state, 4000000000u / unit)) * unit;
				rows[n++] = (struct perseus_measurement){.stage = stage,
					.instruction = names[k],
					.frequency_mhz = k < N_CLOCKED ? 1410 - 15 * (int32_t)i : 0,
					.time_s = time_ns / 1e9,
					.energy_j = energy_nj / 1e9};
			}
		}
	static const double powers_w[] = {0.0, 5.0, 70.0};
	const double blocking_w = powers_w[random_below(state, 3)];
	const struct perseus_profile_settings settings = {.blocking_power_w = &blocking_w, .n_blocking_power = 1};
	struct perseus_profile *profile = NULL;
	if (perseus_profile_new(rows, n, &settings, &profile, NULL) != PERSEUS_OK)
		profile = NULL;
	free(rows);
	return profile;
}
