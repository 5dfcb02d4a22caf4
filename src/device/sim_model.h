/*
 * How a simulated GPU answers to its clock: power and time of a busy GPU at each clock, its power when it waits, and
 * the limits of its settings. An A100 and an A40 are built in, fitted to published measurements by
 * tools/fit-sim-models; any other comes from a profile CSV.
 */
#ifndef PERSEUS_DEVICE_SIM_MODEL_H
#define PERSEUS_DEVICE_SIM_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/device.h>
#include <perseus/status.h>

enum {
	PERSEUS__SIM_MAX_MEMORY_CLOCKS = 4,
	PERSEUS__SIM_LOAD_UNITS = 1000000, /* a load of 1; of a GPU that blocks it is PERSEUS__SIM_LOAD_BLOCKING */
	PERSEUS__SIM_LOAD_BLOCKING = -1,
};

struct perseus__sim_model {
	char name[PERSEUS_DEVICE_TEXT_BYTES];
	char architecture[PERSEUS_DEVICE_TEXT_BYTES];
	char note[PERSEUS_DEVICE_NOTE_BYTES];
	int32_t n_clocks;
	int32_t clock_mhz[PERSEUS_MAX_CLOCKS]; /* descending */
	int64_t busy_uw[PERSEUS_MAX_CLOCKS];   /* power at each clock at a load of 1 */
	double slowdown[PERSEUS_MAX_CLOCKS];   /* time at each clock over time at the highest */
	int64_t idle_uw;
	int64_t blocking_uw;
	int64_t limit_min_mw;
	int64_t limit_max_mw; /* the default as well */
	int32_t n_memory_clocks;
	int32_t memory_mhz[PERSEUS__SIM_MAX_MEMORY_CLOCKS]; /* descending */
};

/* The built-in model of that name; false where there is none. */
bool perseus__sim_model_builtin(const char *name, struct perseus__sim_model *model);

/*
 * The model of a profile: at each of its clocks the energy of all classes over their time, so that each class counts by
 * its share of the time; between the clocks that a class was measured at, its time and energy are interpolated, beyond
 * them held. Classes of one clock, as transfers, are left out. What a profile does not tell is taken as on the A100 and
 * A40: idle and blocking power are a share of the power at the lowest clock.
 * INVALID for a profile that cannot be one, or without a class of at least two clocks; IO where it cannot be read.
 */
PERSEUS_MUST_USE enum perseus_status perseus__sim_model_profile(
		const char *path, struct perseus__sim_model *model, struct perseus_error *err);

/* Power at clock number `clock` under `load`, in units of 1/PERSEUS__SIM_LOAD_UNITS. */
int64_t perseus__sim_model_power_uw(const struct perseus__sim_model *model, int32_t clock, int32_t load);

/* Number of the highest clock at or below `mhz`; n_clocks where there is none. */
int32_t perseus__sim_model_clock(const struct perseus__sim_model *model, int32_t mhz);

/* Differs where anything that a simulation depends on does. */
uint64_t perseus__sim_model_hash(const struct perseus__sim_model *model);

#endif
