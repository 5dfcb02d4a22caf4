/*
 * The simulated GPU: what a workload, a test or an experiment does to it beside the operations that every device has.
 *
 * Its state (settings, load, energy, faults) lies in memory that processes share: private to a process and its children
 * as `sim:a100x8`, in a file as `sim:a100x8,state=FILE`, which any number of processes open at once and which outlives
 * them all, as a driver's state does. Killing a process at any point leaves that state whole.
 */
#ifndef PERSEUS_DEVICE_SIM_H
#define PERSEUS_DEVICE_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/device.h>
#include <perseus/status.h>

/* X(name, text): what can go wrong with a simulated GPU. */
#define PERSEUS__SIM_FAULT_MAP(X)                                                                   \
	X(LOST, "lost")                         /* every operation: IO, "GPU is lost" */                \
	X(DENIED, "denied")                     /* sets and resets: DENIED */                           \
	X(STUCK, "stuck")                       /* the energy counter stands still while power flows */ \
	X(NO_MEMORY_CLOCKS, "no-memory-clocks") /* MEMORY_CLOCKS: UNSUPPORTED, as before Ampere */      \
	X(NO_POWER, "no-power")                 /* POWER: UNSUPPORTED */                                \
	X(NO_COUNTER, "no-counter")             /* ENERGY: UNSUPPORTED */

enum perseus__sim_fault {
#define X(name, text) PERSEUS__SIM_FAULT_##name,
	PERSEUS__SIM_FAULT_MAP(X)
#undef X
};

/* Work at a clock, as perseus__sim_truth judges it. */
struct perseus__sim_work {
	int32_t clock_mhz;
	double load;     /* 0..1 */
	int64_t work_ns; /* in time at the highest clock, >= 0 */
};

/* All take a device of a node; INVALID where it is not a simulated GPU. */

/*
 * What the GPU is doing from now on: 0 idle, 1 as busy as the model's measured workload; between them power scales.
 * PERSEUS__SIM_BLOCKING: spinning in a transfer.
 */
#define PERSEUS__SIM_BLOCKING (-1.0)
PERSEUS_MUST_USE enum perseus_status perseus__sim_load(
		const struct perseus_node *node, int32_t device, double load, struct perseus_error *err);

PERSEUS_MUST_USE enum perseus_status perseus__sim_fault(const struct perseus_node *node, int32_t device,
		enum perseus__sim_fault fault, bool is_on, struct perseus_error *err);

/* The exact energy so far, in nJ: what a perfect meter would say. */
PERSEUS_MUST_USE enum perseus_status perseus__sim_true_energy(
		const struct perseus_node *node, int32_t device, int64_t *energy_nj, struct perseus_error *err);

/* How much longer work takes at the clock that the GPU runs at now, slowed as it is, than at its best; >= 1. */
PERSEUS_MUST_USE enum perseus_status perseus__sim_slowdown(
		const struct perseus_node *node, int32_t device, double *slowdown, struct perseus_error *err);

/*
 * The range that a clock was last set to, in effect or on its way, 0 and 0 where it is free: what NVML has no call for,
 * and tests must know.
 */
PERSEUS_MUST_USE enum perseus_status perseus__sim_locked(const struct perseus_node *node, int32_t device,
		enum perseus_setting setting, int64_t *low, int64_t *high, struct perseus_error *err);

/*
 * Work in real time, as a kernel is for a GPU: `work_ns` of it, at the highest clock if nothing slows it, at `load`
 * (0..1). The GPU works it off by itself, more slowly at lower clocks, following every change of the clock meanwhile;
 * at the moment that it is done the GPU blocks, whoever is looking. Work that is there is replaced; perseus__sim_load
 * drops it.
 */
PERSEUS_MUST_USE enum perseus_status perseus__sim_start(
		const struct perseus_node *node, int32_t device, double load, int64_t work_ns, struct perseus_error *err);

/* When the work will be done if nobody changes anything from now on; now where there is none, or no more. */
PERSEUS_MUST_USE enum perseus_status perseus__sim_work_end(
		const struct perseus_node *node, int32_t device, bool *is_done, int64_t *end_ns, struct perseus_error *err);

/* Waits until it is done, to well under a millisecond where a core is free: sleeps, and spins for the end. */
PERSEUS_MUST_USE enum perseus_status perseus__sim_wait(
		const struct perseus_node *node, int32_t device, struct perseus_error *err);

/* Both. */
PERSEUS_MUST_USE enum perseus_status perseus__sim_run(
		const struct perseus_node *node, int32_t device, double load, int64_t work_ns, struct perseus_error *err);

/* From now on everything takes `slowness` times as long, 1..1000, at the same power: a GPU that straggles. */
PERSEUS_MUST_USE enum perseus_status perseus__sim_slow(
		const struct perseus_node *node, int32_t device, double slowness, struct perseus_error *err);

/*
 * What a perfect profile would say of such work at one of the GPU's clocks, not slowed: how long it takes, and what it
 * costs. INVALID for a clock that it has not.
 */
PERSEUS_MUST_USE enum perseus_status perseus__sim_truth(const struct perseus_node *node, int32_t device,
		const struct perseus__sim_work *work, int64_t *time_ns, int64_t *energy_nj, struct perseus_error *err);

#endif
