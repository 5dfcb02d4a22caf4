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

/* How much longer work takes at the clock that the GPU runs at now than at its highest, >= 1. */
PERSEUS_MUST_USE enum perseus_status perseus__sim_slowdown(
		const struct perseus_node *node, int32_t device, double *slowdown, struct perseus_error *err);

/*
 * The range that a clock was last set to, in effect or on its way, 0 and 0 where it is free: what NVML has no call for,
 * and tests must know.
 */
PERSEUS_MUST_USE enum perseus_status perseus__sim_locked(const struct perseus_node *node, int32_t device,
		enum perseus_setting setting, int64_t *low, int64_t *high, struct perseus_error *err);

#endif
