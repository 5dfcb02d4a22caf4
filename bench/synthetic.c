/* Synthetic profiles, see the header. */
#include "synthetic.h"

#include "random.h"

#include <stdlib.h>

enum { LOWEST_MHZ = 510, HIGHEST_MHZ = 1410, STEP_MHZ = 15, N_CLOCKS = (HIGHEST_MHZ - LOWEST_MHZ) / STEP_MHZ + 1 };

static double
uniform(uint64_t *state, double low, double high)
{
	return low + (high - low) * random_fraction(state);
}

/* Relative core voltage at a relative clock: flat below 60 %, then linear to 1. */
static double
voltage(double clock)
{
	return clock < 0.6 ? 0.7 : 0.7 + 0.3 * (clock - 0.6) / 0.4;
}

static void
add_class(
		struct perseus_measurement *rows, int32_t stage, const char *name, double time_s, double noise, uint64_t *state)
{
	const double constant_part = uniform(state, 0.10, 0.25);
	const double static_w = uniform(state, 85.0, 100.0);
	const double dynamic_w = uniform(state, 240.0, 305.0);
	for (int32_t i = 0; i < N_CLOCKS; i++) {
		const int32_t mhz = HIGHEST_MHZ - i * STEP_MHZ;
		const double clock = (double)mhz / HIGHEST_MHZ;
		const double relative_time = constant_part + (1.0 - constant_part) / clock;
		const double busy = (1.0 - constant_part) / clock / relative_time;
		const double power_w = static_w + dynamic_w * clock * voltage(clock) * voltage(clock) * busy;
		const double measured_s = time_s * relative_time * (1.0 + uniform(state, -noise, noise));
		rows[i] = (struct perseus_measurement){.stage = stage,
			.instruction = name,
			.frequency_mhz = mhz,
			.time_s = measured_s,
			.energy_j = measured_s * power_w * (1.0 + uniform(state, -noise, noise))};
	}
}

struct perseus_profile *
synthetic_profile(int32_t n_stages, double noise, double imbalance, uint64_t seed)
{
	const size_t n_rows = (size_t)n_stages * 2 * N_CLOCKS;
	struct perseus_measurement *rows = calloc(n_rows, sizeof *rows);
	if (!rows)
		return NULL;
	uint64_t state = seed;
	for (int32_t stage = 0; stage < n_stages; stage++) {
		const double weight = (stage == n_stages - 1 ? imbalance : 1.0) * uniform(&state, 0.95, 1.05);
		struct perseus_measurement *of_stage = rows + (size_t)stage * 2 * N_CLOCKS;
		add_class(of_stage, stage, "forward", 0.090 * weight, noise, &state);
		add_class(of_stage + N_CLOCKS, stage, "backward", 0.180 * weight, noise, &state);
	}
	const double blocking_w = SYNTHETIC_BLOCKING_POWER_W;
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	struct perseus_profile *profile = NULL;
	if (perseus_profile_new(rows, n_rows, &settings, &profile, NULL) != PERSEUS_OK)
		profile = NULL;
	free(rows);
	return profile;
}
