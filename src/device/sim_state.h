/*
 * The state of one simulated GPU, and how it passes in time. Plain data without pointers, so that it can lie in memory
 * that processes share; functions of state, rules and time, without clock, lock or allocation.
 *
 * Energy is exact: power is a constant number of µW between events, and what it sums up to is kept in fJ = µW · ns.
 */
#ifndef PERSEUS_DEVICE_SIM_STATE_H
#define PERSEUS_DEVICE_SIM_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wide.h"
#include "device/sim_model.h"

/* Changes of the clock on their way; one more replaces the last of them. */
enum { PERSEUS__SIM_MAX_PENDING = 8 };

/* Both 0: free. Else clocks that the model has. */
struct perseus__sim_range {
	int32_t low_mhz;
	int32_t high_mhz;
};

struct perseus__sim_change {
	int64_t at_ns; /* when it takes effect */
	struct perseus__sim_range range;
};

struct perseus__sim_state {
	perseus__wide energy_fj;  /* since it began */
	perseus__wide counter_fj; /* of it, what the counter shows */
	int64_t time_ns;          /* up to which all here holds */
	int64_t phase_ns;         /* a moment at which the counter moves */
	int64_t limit_mw;
	double temperature_c;
	struct perseus__sim_range sm_clocks; /* as last set */
	struct perseus__sim_range memory_clocks;
	struct perseus__sim_range in_effect; /* of sm_clocks, what has reached the GPU */
	struct perseus__sim_change pending[PERSEUS__SIM_MAX_PENDING];
	int32_t n_pending;
	int32_t load;    /* PERSEUS__SIM_LOAD_ */
	double work_ns;  /* left to do under that load, at the highest clock if nothing slows it; then it blocks */
	double slowness; /* >= 1: how much longer everything takes, whatever the clock */
	uint32_t faults; /* bit 1 << enum perseus__sim_fault */
	int32_t persistence;
};

/* What does not change. */
struct perseus__sim_rules {
	struct perseus__sim_model model;
	int64_t latency_ns; /* of a clock change */
	int64_t step_ns;    /* of the counter */
};

/* An idle GPU without locks, limits or faults, whose time begins at `now_ns`; `gpu` sets the phase of its counter. */
struct perseus__sim_state perseus__sim_state_new(const struct perseus__sim_rules *rules, int32_t gpu, int64_t now_ns);

/* Lets time pass until `now_ns`; nothing where that is past. */
void perseus__sim_state_advance(
		struct perseus__sim_state *state, const struct perseus__sim_rules *rules, int64_t now_ns);

/* Number of the clock that it runs at now; `*reasons` (PERSEUS_REASON_ bits) why no higher. */
int32_t perseus__sim_state_clock(
		const struct perseus__sim_state *state, const struct perseus__sim_rules *rules, int64_t *reasons);

/* How many times as long work takes at this moment as at the highest clock of a GPU that nothing slows, >= 1. */
double perseus__sim_state_slowdown(const struct perseus__sim_state *state, const struct perseus__sim_rules *rules);

/*
 * When the work is done if nobody changes anything from now on; changes on their way count. The state's own time where
 * there is none.
 */
int64_t perseus__sim_state_work_end_ns(const struct perseus__sim_state *state, const struct perseus__sim_rules *rules);

/* Sets the SM clocks, effective a latency later; `range` has clocks of the model, or is free. */
void perseus__sim_state_lock(
		struct perseus__sim_state *state, const struct perseus__sim_rules *rules, struct perseus__sim_range range);

#endif
