/*
 * Looks at the simulated GPUs of a state file and does things to them, for tests of real processes.
 *
 *   sim_control SPEC show               a line for each GPU: what holds its clocks, its power limit, its persistence
 *   sim_control SPEC load GPU LEVEL
 *   sim_control SPEC fault GPU NAME 0|1
 *   sim_control SPEC slow GPU SLOWNESS  everything takes so many times as long
 *   sim_control SPEC truth GPU MHZ LOAD WORK_NS   how long in s such work takes, and its energy in J
 *   sim_control SPEC energy             the exact energy of each GPU so far, in J
 */
#include "device/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
require(enum perseus_status status, const struct perseus_error *err)
{
	if (status == PERSEUS_OK)
		return;
	(void)fprintf(stderr, "%s\n", err->message);
	exit(perseus_status_exit_code(status));
}

static int64_t
read_value(const struct perseus_node *node, int32_t device, enum perseus_quantity quantity)
{
	struct perseus_error err;
	int64_t value = 0;
	require(perseus_device_read(node, device, quantity, &value, &err), &err);
	return value;
}

static void
show(const struct perseus_node *node)
{
	struct perseus_error err;
	for (int32_t device = 0; device < perseus_node_n_devices(node); device++) {
		int64_t low[2];
		int64_t high[2];
		for (int i = 0; i < 2; i++)
			require(perseus__sim_locked(node, device, (enum perseus_setting)i, &low[i], &high[i], &err), &err);
		(void)printf("sm_clocks=%lld-%lld memory_clocks=%lld-%lld power_limit_mw=%lld persistence=%lld\n",
				(long long)low[0], (long long)high[0], (long long)low[1], (long long)high[1],
				(long long)read_value(node, device, PERSEUS_QUANTITY_POWER_LIMIT),
				(long long)read_value(node, device, PERSEUS_QUANTITY_PERSISTENCE));
	}
}

static void
show_energy(const struct perseus_node *node)
{
	struct perseus_error err;
	for (int32_t device = 0; device < perseus_node_n_devices(node); device++) {
		int64_t energy_nj = 0;
		require(perseus__sim_true_energy(node, device, &energy_nj, &err), &err);
		(void)printf("%.9f\n", (double)energy_nj / 1e9);
	}
}

static void
show_truth(const struct perseus_node *node, int32_t device, char **words)
{
	const struct perseus__sim_work work = {.clock_mhz = (int32_t)strtol(words[0], NULL, 10),
		.load = strtod(words[1], NULL),
		.work_ns = strtoll(words[2], NULL, 10)};
	struct perseus_error err;
	int64_t time_ns = 0;
	int64_t energy_nj = 0;
	require(perseus__sim_truth(node, device, &work, &time_ns, &energy_nj, &err), &err);
	(void)printf("%.9f %.9f\n", (double)time_ns / 1e9, (double)energy_nj / 1e9);
}

static void
set_fault(const struct perseus_node *node, int32_t device, const char *name, bool is_on)
{
	static const char *const names[] = {
#define X(name, text) text,
		PERSEUS__SIM_FAULT_MAP(X)
#undef X
	};
	struct perseus_error err;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			require(perseus__sim_fault(node, device, (enum perseus__sim_fault)i, is_on, &err), &err);
}

int
main(int argc, char **argv)
{
	struct perseus_error err;
	struct perseus_node *node = NULL;
	if (argc < 3)
		return 2;
	require(perseus_node_open(argv[1], NULL, &node, &err), &err);
	if (strcmp(argv[2], "show") == 0)
		show(node);
	else if (strcmp(argv[2], "load") == 0 && argc == 5)
		require(perseus__sim_load(node, (int32_t)strtol(argv[3], NULL, 10), strtod(argv[4], NULL), &err), &err);
	else if (strcmp(argv[2], "slow") == 0 && argc == 5)
		require(perseus__sim_slow(node, (int32_t)strtol(argv[3], NULL, 10), strtod(argv[4], NULL), &err), &err);
	else if (strcmp(argv[2], "truth") == 0 && argc == 7)
		show_truth(node, (int32_t)strtol(argv[3], NULL, 10), argv + 4);
	else if (strcmp(argv[2], "energy") == 0)
		show_energy(node);
	else if (strcmp(argv[2], "fault") == 0 && argc == 6)
		set_fault(node, (int32_t)strtol(argv[3], NULL, 10), argv[4], argv[5][0] == '1');
	else
		return 2;
	perseus_node_close(node);
	return 0;
}
