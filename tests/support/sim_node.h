/* Simulated nodes in Check tests: a clock that the test turns, and operations that fail the test where they fail. */
#ifndef PERSEUS_TESTS_SIM_NODE_H
#define PERSEUS_TESTS_SIM_NODE_H

#include <stdint.h>

#include <perseus/device.h>

/* Nanoseconds that nodes of sim_node_open run by. */
extern int64_t sim_node_time_ns;

enum { SIM_NODE_MS = 1000000, SIM_NODE_S = 1000000000 };

/* Sets the clock to 1000 s and opens `spec`. */
struct perseus_node *sim_node_open(const char *spec);

/* The same with a list of visible GPUs. */
struct perseus_node *sim_node_open_visible(const char *spec, const char *visible_gpus);

int64_t sim_node_read(const struct perseus_node *node, int32_t device, enum perseus_quantity quantity);
void sim_node_set(
		const struct perseus_node *node, int32_t device, enum perseus_setting setting, int64_t low, int64_t high);
void sim_node_reset(const struct perseus_node *node, int32_t device, enum perseus_setting setting);
void sim_node_load(const struct perseus_node *node, int32_t device, double load);
int64_t sim_node_true_nj(const struct perseus_node *node, int32_t device);

/* What holds a clock, as text: "free" or "1200..1410". */
const char *sim_node_locked(
		const struct perseus_node *node, int32_t device, enum perseus_setting setting, char text[32]);

#endif
