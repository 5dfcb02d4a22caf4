/* Simulated nodes in Check tests. */
#include "sim_node.h"

#include "device/sim.h"

#include <check.h>
#include <stdio.h>

int64_t sim_node_time_ns;

static int64_t
read_time(void *user)
{
	(void)user;
	return __atomic_load_n(&sim_node_time_ns, __ATOMIC_RELAXED); /* a thread of the test may turn it */
}

struct perseus_node *
sim_node_open_visible(const char *spec, const char *visible_gpus)
{
	const struct perseus_node_settings settings = {.now_ns = read_time, .visible_gpus = visible_gpus};
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	sim_node_time_ns = (int64_t)1000 * SIM_NODE_S;
	ck_assert_msg(perseus_node_open(spec, &settings, &node, &err) == PERSEUS_OK, "%s: %s", spec, err.message);
	return node;
}

struct perseus_node *
sim_node_open(const char *spec)
{
	return sim_node_open_visible(spec, NULL);
}

int64_t
sim_node_read(const struct perseus_node *node, int32_t device, enum perseus_quantity quantity)
{
	struct perseus_error err = {.message = ""};
	int64_t value = -1;
	ck_assert_msg(perseus_device_read(node, device, quantity, &value, &err) == PERSEUS_OK, "%s: %s",
			perseus_quantity_name(quantity), err.message);
	return value;
}

void
sim_node_set(const struct perseus_node *node, int32_t device, enum perseus_setting setting, int64_t low, int64_t high)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_device_set(node, device, setting, low, high, &err) == PERSEUS_OK, "%s: %s",
			perseus_setting_name(setting), err.message);
}

void
sim_node_reset(const struct perseus_node *node, int32_t device, enum perseus_setting setting)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_device_reset(node, device, setting, &err) == PERSEUS_OK, "%s: %s",
			perseus_setting_name(setting), err.message);
}

void
sim_node_load(const struct perseus_node *node, int32_t device, double load)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__sim_load(node, device, load, &err) == PERSEUS_OK, "%s", err.message);
}

int64_t
sim_node_true_nj(const struct perseus_node *node, int32_t device)
{
	struct perseus_error err = {.message = ""};
	int64_t energy_nj = -1;
	ck_assert_msg(perseus__sim_true_energy(node, device, &energy_nj, &err) == PERSEUS_OK, "%s", err.message);
	return energy_nj;
}

const char *
sim_node_locked(const struct perseus_node *node, int32_t device, enum perseus_setting setting, char text[32])
{
	struct perseus_error err = {.message = ""};
	int64_t low = -1;
	int64_t high = -1;
	ck_assert_msg(perseus__sim_locked(node, device, setting, &low, &high, &err) == PERSEUS_OK, "%s", err.message);
	if (high == 0)
		(void)snprintf(text, 32, "%s", low == 0 ? "free" : "?");
	else
		(void)snprintf(text, 32, "%lld..%lld", (long long)low, (long long)high);
	return text;
}
