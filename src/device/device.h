/*
 * What a kind of hardware implements. A backend adds its devices to the node that is being opened; the public functions
 * of <perseus/device.h> check their arguments and call through the table.
 */
#ifndef PERSEUS_DEVICE_DEVICE_H
#define PERSEUS_DEVICE_DEVICE_H

#include <stdint.h>

#include <perseus/device.h>
#include <perseus/status.h>

/*
 * Contracts are those of the public functions. `self` is the device's own. A NULL operation is UNSUPPORTED. Operations
 * are called from several threads at once.
 */
struct perseus__device_ops {
	enum perseus_status (*read)(void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err);
	enum perseus_status (*clocks)(
			void *self, enum perseus_setting setting, int32_t *mhz, int32_t *n, struct perseus_error *err);
	enum perseus_status (*check)(void *self, enum perseus_setting setting, struct perseus_error *err);
	enum perseus_status (*set)(
			void *self, enum perseus_setting setting, int64_t low, int64_t high, struct perseus_error *err);
	enum perseus_status (*reset)(void *self, enum perseus_setting setting, struct perseus_error *err);
};

struct perseus__device {
	struct perseus_device_info info;
	const struct perseus__device_ops *ops;
	void *self;
};

/*
 * Adds a device, copied, to a node that is being opened; `device->self` stays the backend's. The name of the backend is
 * filled in by the caller of the backend.
 */
PERSEUS_MUST_USE enum perseus_status perseus__node_add(
		struct perseus_node *node, const struct perseus__device *device, struct perseus_error *err);

/* Device `device` of an open node. */
const struct perseus__device *perseus__node_at(const struct perseus_node *node, int32_t device);

/* The same, for putting other operations in front of the device's own before anything is read. */
struct perseus__device *perseus__node_change(struct perseus_node *node, int32_t device);

/* Adds a sentence to the notes of a node. */
PERSEUS_MUST_USE enum perseus_status perseus__node_note(
		struct perseus_node *node, struct perseus_error *err, const char *format, ...) PERSEUS_PRINTF(3, 4);

/* Hands `backend` over: `close` is called with it when the node is closed, or when opening it fails later. */
PERSEUS_MUST_USE enum perseus_status perseus__node_own(
		struct perseus_node *node, void *backend, void (*close)(void *backend), struct perseus_error *err);

/*
 * For a program that forks and reads the devices in both processes. Before the fork: opens what of `spec` processes
 * share or inherit, such as simulated GPUs and open files. After it, in each process: adds the rest, whose drivers do
 * not survive a fork; a device then has the same index in both. Errors: as perseus_node_open.
 */
PERSEUS_MUST_USE enum perseus_status perseus__node_open_before_fork(const char *spec,
		const struct perseus_node_settings *settings, struct perseus_node **out, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__node_open_after_fork(struct perseus_node *node, const char *spec,
		const struct perseus_node_settings *settings, struct perseus_error *err);

/*
 * Backends. Each adds its devices to `node`; `argument` is what follows the colon of its part of the spec, NULL where
 * there is none; `settings` is never NULL. UNSUPPORTED, with the reason, where the hardware or its driver is not there.
 */
PERSEUS_MUST_USE enum perseus_status perseus__nvml_open(struct perseus_node *node, const char *argument,
		const struct perseus_node_settings *settings, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__rapl_open(struct perseus_node *node, const char *argument,
		const struct perseus_node_settings *settings, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__sim_open(struct perseus_node *node, const char *argument,
		const struct perseus_node_settings *settings, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__replay_open(struct perseus_node *node, const char *argument,
		const struct perseus_node_settings *settings, struct perseus_error *err);

#endif
