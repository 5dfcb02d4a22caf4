/* The simulated GPU, by a clock that the tests turn: energies worked by hand, what it enforces, and its faults. */
#include "device/sim.h"
#include "random.h"
#include "sim_node.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t MS = SIM_NODE_MS;
static const int64_t S = SIM_NODE_S;

/* 62.12 W idle for 2 s, 83.64 W blocking for 1 s, then 496 W (41.3 + 454.7) at the highest clock for 0.5 s. */
START_TEST(adds_up_energy)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	sim_node_time_ns += 2 * S;
	ck_assert_int_eq(sim_node_true_nj(node, 0), 124240000000);
	sim_node_load(node, 0, PERSEUS__SIM_BLOCKING);
	sim_node_time_ns += S;
	sim_node_load(node, 0, 1);
	sim_node_time_ns += 500 * MS;
	ck_assert_int_eq(sim_node_true_nj(node, 0), 124240000000 + 83640000000 + 248000000000);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), 496000);
	sim_node_load(node, 0, 0.5);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), 62120 + (496000 - 62120) / 2);
	perseus_node_close(node);
}
END_TEST

START_TEST(is_a_node_of_eight)
{
	struct perseus_node *node = sim_node_open("sim:a100x8");
	ck_assert_int_eq(perseus_node_n_devices(node), 8);
	for (int32_t i = 0; i < 8; i++) {
		const struct perseus_device_info *info = perseus_node_device(node, i);
		ck_assert(info->is_simulated);
		ck_assert_int_eq(info->index, i);
		ck_assert_str_eq(info->name, "NVIDIA A100-SXM4-80GB");
		ck_assert_str_eq(info->architecture, "Ampere");
		ck_assert_str_eq(info->backend, "sim");
		ck_assert_int_eq(info->energy_step_ns, 100 * MS);
		ck_assert(strncmp(info->note, "simulated: ", 11) == 0);
		ck_assert(strncmp(info->uuid, "GPU-", 4) == 0);
		ck_assert_uint_eq(strlen(info->uuid), 40);
		for (int32_t k = 0; k < i; k++)
			ck_assert_str_ne(info->uuid, perseus_node_device(node, k)->uuid);
	}
	ck_assert_str_eq(perseus_node_device(node, 0)->pci_address, "0000:01:00.0");
	ck_assert_str_eq(perseus_node_device(node, 7)->pci_address, "0000:08:00.0");
	struct perseus_node *again = sim_node_open("sim:a100x8");
	ck_assert_str_eq(perseus_node_device(node, 5)->uuid, perseus_node_device(again, 5)->uuid);
	perseus_node_close(again);
	perseus_node_close(node);
}
END_TEST

START_TEST(shows_the_gpus_that_are_visible)
{
	struct perseus_node *node = sim_node_open("sim:a100x4");
	char list[128];
	(void)snprintf(list, sizeof list, "3,%s", perseus_node_device(node, 1)->uuid);
	struct perseus_node *part = sim_node_open_visible("sim:a100x4", list);
	ck_assert_int_eq(perseus_node_n_devices(part), 2);
	ck_assert_int_eq(perseus_node_device(part, 0)->index, 1);
	ck_assert_int_eq(perseus_node_device(part, 1)->index, 3);
	ck_assert_str_eq(perseus_node_device(part, 1)->uuid, perseus_node_device(node, 3)->uuid);
	perseus_node_close(part);
	part = sim_node_open_visible("sim:a100x4", "");
	ck_assert_int_eq(perseus_node_n_devices(part), 0);
	perseus_node_close(part);
	perseus_node_close(node);
}
END_TEST

/* Changes take 10 ms: until then 496 W. At 1200 MHz the voltage is 0.84 + 0.16 · 105/315, so 41.3 + 309.9 W. */
START_TEST(changes_the_clock_late)
{
	struct perseus_node *node = sim_node_open("sim:a100,load=1");
	char text[32];
	sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 1200, 1200);
	ck_assert_str_eq(sim_node_locked(node, 0, PERSEUS_SETTING_SM_CLOCKS, text), "1200..1200");
	sim_node_time_ns += 10 * MS - 1;
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 1410);
	ck_assert_int_eq(sim_node_true_nj(node, 0), 4959999504);
	sim_node_time_ns += 1;
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 1200);
	const double voltage = 0.84 + 0.16 * 105 / 315;
	const double power_w = 41.3 + 454.7 * 1200 / 1410 * voltage * voltage;
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), (int64_t)(power_w * 1000));
	sim_node_time_ns += 2 * S; /* in one go: the moment of the change is kept all the same */
	const double energy_j = 4.96 + 2 * power_w;
	ck_assert_int_eq((sim_node_true_nj(node, 0) + 500000) / 1000000, llround(energy_j * 1000));
	sim_node_reset(node, 0, PERSEUS_SETTING_SM_CLOCKS);
	ck_assert_str_eq(sim_node_locked(node, 0, PERSEUS_SETTING_SM_CLOCKS, text), "free");
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 1200);
	sim_node_time_ns += 10 * MS;
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 1410);
	perseus_node_close(node);
}
END_TEST

/* Changes closer than the latency follow each other at their distance; of too many the last counts. */
START_TEST(keeps_changes_in_order)
{
	struct perseus_node *node = sim_node_open("sim:a100,load=1");
	for (int i = 0; i < 10; i++) {
		sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 900 + 15 * i, 900 + 15 * i);
		sim_node_time_ns += MS;
	}
	for (int i = 0; i < 7; i++) {
		ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 900 + 15 * i);
		sim_node_time_ns += MS;
	}
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 900 + 15 * 6);
	sim_node_time_ns += 2 * MS;
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 900 + 15 * 9);
	perseus_node_close(node);
}
END_TEST

START_TEST(changes_at_once_without_latency)
{
	struct perseus_node *node = sim_node_open("sim:a100,load=1,latency_ms=0");
	sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 210, 900);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 900);
	perseus_node_close(node);
}
END_TEST

/* Ten times in a second, each time to the energy at that moment, in whole mJ. */
START_TEST(moves_the_counter_every_step)
{
	struct perseus_node *node = sim_node_open("sim:a100x3,load=0.7");
	for (int32_t gpu = 0; gpu < 3; gpu++) {
		int64_t last_uj = sim_node_read(node, gpu, PERSEUS_QUANTITY_ENERGY);
		int64_t moved_ns = 0;
		int n_moves = 0;
		for (int i = 0; i < 10000; i++) {
			sim_node_time_ns += MS / 10;
			const int64_t now_uj = sim_node_read(node, gpu, PERSEUS_QUANTITY_ENERGY);
			if (now_uj == last_uj)
				continue;
			if (n_moves > 0)
				ck_assert_int_eq(sim_node_time_ns - moved_ns, 100 * MS);
			const int64_t behind_nj = sim_node_true_nj(node, gpu) - now_uj * 1000;
			ck_assert_int_ge(behind_nj, 0);
			ck_assert_int_lt(behind_nj, 50000000 + 1000000); /* 500 W for the 0.1 ms between looks, and 1 mJ */
			ck_assert_int_eq(now_uj % 1000, 0);
			moved_ns = sim_node_time_ns;
			last_uj = now_uj;
			n_moves++;
		}
		ck_assert_int_eq(n_moves, 10);
	}
	perseus_node_close(node);
}
END_TEST

START_TEST(moves_counters_of_gpus_apart)
{
	struct perseus_node *node = sim_node_open("sim:a100x2,step_ms=10");
	ck_assert_int_eq(perseus_node_device(node, 0)->energy_step_ns, 10 * MS);
	int n_moves[2] = {0, 0};
	int n_together = 0;
	int64_t last_uj[2] = {0, 0};
	for (int i = 0; i < 100; i++) {
		sim_node_time_ns += MS;
		int n_now = 0;
		for (int32_t gpu = 0; gpu < 2; gpu++) {
			const int64_t now_uj = sim_node_read(node, gpu, PERSEUS_QUANTITY_ENERGY);
			n_moves[gpu] += now_uj != last_uj[gpu];
			n_now += now_uj != last_uj[gpu];
			last_uj[gpu] = now_uj;
		}
		n_together += n_now == 2;
	}
	ck_assert_int_eq(n_moves[0], 10);
	ck_assert_int_eq(n_moves[1], 10);
	ck_assert_int_eq(n_together, 0);
	perseus_node_close(node);
}
END_TEST

/* Whatever is locked, the highest clock runs whose power fits, and none higher would. */
START_TEST(keeps_the_power_limit)
{
	struct perseus_node *node = sim_node_open("sim:a40,load=1,latency_ms=0");
	const int64_t limits_mw[] = {300000, 250000, 200000, 150000};
	for (size_t i = 0; i < sizeof limits_mw / sizeof *limits_mw; i++) {
		sim_node_set(node, 0, PERSEUS_SETTING_POWER_LIMIT, limits_mw[i], limits_mw[i]);
		sim_node_reset(node, 0, PERSEUS_SETTING_SM_CLOCKS);
		const int64_t clock_mhz = sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK);
		ck_assert_int_lt(clock_mhz, 1740);
		ck_assert_int_le(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), limits_mw[i]);
		ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_CLOCK_REASONS), PERSEUS_REASON_POWER_CAP);
		sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, clock_mhz, clock_mhz);
		ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_CLOCK_REASONS), 0);
		sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, clock_mhz + 15, clock_mhz + 15);
		ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), clock_mhz);
		sim_node_set(node, 0, PERSEUS_SETTING_POWER_LIMIT, 300000, 300000);
		if (i > 0)
			ck_assert_int_gt(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), limits_mw[i]);
	}
	sim_node_reset(node, 0, PERSEUS_SETTING_POWER_LIMIT);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER_LIMIT), 300000);
	sim_node_load(node, 0, PERSEUS__SIM_BLOCKING);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_CLOCK_REASONS), 0);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), 70380);
	perseus_node_close(node);
}
END_TEST

START_TEST(begins_with_a_power_limit)
{
	struct perseus_node *node = sim_node_open("sim:a100,cap_w=250,load=1");
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER_LIMIT), 250000);
	ck_assert_int_le(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), 250000);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER_LIMIT_MIN), 100000);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER_LIMIT_MAX), 500000);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT), 500000);
	perseus_node_close(node);
}
END_TEST

START_TEST(idles_at_the_lowest_clock)
{
	struct perseus_node *node = sim_node_open("sim:a40,latency_ms=0");
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 210);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_MEMORY_CLOCK), 405);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_CLOCK_REASONS), PERSEUS_REASON_IDLE);
	sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 900, 1200);
	sim_node_set(node, 0, PERSEUS_SETTING_MEMORY_CLOCKS, 7251, 7251);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 900);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_MEMORY_CLOCK), 7251);
	sim_node_load(node, 0, 0.1);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 1200);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_CLOCK_REASONS), 0);
	sim_node_set(node, 0, PERSEUS_SETTING_MEMORY_CLOCKS, 405, 405);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_MEMORY_CLOCK), 405);
	sim_node_reset(node, 0, PERSEUS_SETTING_MEMORY_CLOCKS);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_MEMORY_CLOCK), 7251);
	perseus_node_close(node);
}
END_TEST

START_TEST(lists_its_clocks)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	int32_t mhz[PERSEUS_MAX_CLOCKS];
	int32_t n = 0;
	ck_assert_int_eq(perseus_device_clocks(node, 0, PERSEUS_SETTING_SM_CLOCKS, mhz, &n, NULL), PERSEUS_OK);
	ck_assert_int_eq(n, 81);
	ck_assert_int_eq(mhz[0], 1410);
	ck_assert_int_eq(mhz[80], 210);
	ck_assert_int_eq(perseus_device_clocks(node, 0, PERSEUS_SETTING_MEMORY_CLOCKS, mhz, &n, NULL), PERSEUS_OK);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(mhz[0], 1593);
	ck_assert_int_eq(perseus_device_clocks(node, 0, PERSEUS_SETTING_PERSISTENCE, mhz, &n, NULL), PERSEUS_INVALID);
	perseus_node_close(node);
	node = sim_node_open("sim:a100,min_mhz=826");
	ck_assert_int_eq(perseus_device_clocks(node, 0, PERSEUS_SETTING_SM_CLOCKS, mhz, &n, NULL), PERSEUS_OK);
	ck_assert_int_eq(n, 39);
	ck_assert_int_eq(mhz[38], 840);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 840); /* it idles */
	perseus_node_close(node);
}
END_TEST

static const struct {
	enum perseus_setting setting;
	int64_t low;
	int64_t high;
	const char *locked;  /* NULL: refused */
	const char *message; /* where it is */
} ranges[] = {
	{PERSEUS_SETTING_SM_CLOCKS, 210, 1410, "210..1410", NULL},
	{PERSEUS_SETTING_SM_CLOCKS, 1410, 1410, "1410..1410", NULL},
	{PERSEUS_SETTING_SM_CLOCKS, 1001, 1001, "990..990", NULL},
	{PERSEUS_SETTING_SM_CLOCKS, 1004, 1409, "990..1395", NULL},
	{PERSEUS_SETTING_SM_CLOCKS, 224, 225, "210..225", NULL},
	{PERSEUS_SETTING_SM_CLOCKS, 209, 1410, NULL, "Invalid Argument: 209..1410 MHz is not within 210..1410 MHz"},
	{PERSEUS_SETTING_SM_CLOCKS, 0, 1410, NULL, "Invalid Argument: 0..1410 MHz is not within 210..1410 MHz"},
	{PERSEUS_SETTING_SM_CLOCKS, 210, 1411, NULL, "Invalid Argument: 210..1411 MHz is not within 210..1410 MHz"},
	{PERSEUS_SETTING_SM_CLOCKS, 1000, 900, NULL, "sm_clocks cannot be set to 1000..900"},
	{PERSEUS_SETTING_SM_CLOCKS, -1, 900, NULL, "sm_clocks cannot be set to -1..900"},
	{PERSEUS_SETTING_MEMORY_CLOCKS, 1593, 1593, "1593..1593", NULL},
	{PERSEUS_SETTING_MEMORY_CLOCKS, 1215, 1593, NULL, "Invalid Argument: 1215..1593 MHz is not within 1593..1593 MHz"},
	{PERSEUS_SETTING_POWER_LIMIT, 99999, 99999, NULL, "Invalid Argument: 99999 mW is not within 100000..500000 mW"},
	{PERSEUS_SETTING_POWER_LIMIT, 500001, 500001, NULL, "Invalid Argument: 500001 mW is not within 100000..500000 mW"},
	{PERSEUS_SETTING_POWER_LIMIT, 100000, 200000, NULL, "power_limit cannot be set to 100000..200000"},
	{PERSEUS_SETTING_PERSISTENCE, 2, 2, NULL, "persistence cannot be set to 2..2"},
};

START_TEST(takes_what_a_driver_takes)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	struct perseus_error err = {.message = ""};
	char text[32];
	const enum perseus_setting setting = ranges[_i].setting;
	const enum perseus_status status = perseus_device_set(node, 0, setting, ranges[_i].low, ranges[_i].high, &err);
	ck_assert_int_eq(status, ranges[_i].locked ? PERSEUS_OK : PERSEUS_INVALID);
	if (ranges[_i].message)
		ck_assert_str_eq(err.message, ranges[_i].message);
	if (setting == PERSEUS_SETTING_SM_CLOCKS || setting == PERSEUS_SETTING_MEMORY_CLOCKS)
		ck_assert_str_eq(sim_node_locked(node, 0, setting, text), ranges[_i].locked ? ranges[_i].locked : "free");
	perseus_node_close(node);
}
END_TEST

START_TEST(keeps_persistence)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_PERSISTENCE), 0);
	sim_node_set(node, 0, PERSEUS_SETTING_PERSISTENCE, 1, 1);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_PERSISTENCE), 1);
	sim_node_reset(node, 0, PERSEUS_SETTING_PERSISTENCE);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_PERSISTENCE), 0);
	perseus_node_close(node);
}
END_TEST

/* Twice the clock is not twice as fast: 0.131 of the time does not follow it. */
START_TEST(slows_work_down)
{
	struct perseus_node *node = sim_node_open("sim:a100,load=1,latency_ms=0");
	double slowdown;
	ck_assert_int_eq(perseus__sim_slowdown(node, 0, &slowdown, NULL), PERSEUS_OK);
	ck_assert_double_eq(slowdown, 1);
	sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 705, 705);
	ck_assert_int_eq(perseus__sim_slowdown(node, 0, &slowdown, NULL), PERSEUS_OK);
	ck_assert_double_eq_tol(slowdown, 0.131 + 0.869 * 2, 1e-12);
	perseus_node_close(node);
}
END_TEST

/* From 30 °C at the beginning to 30 + 45 · 496/500. */
START_TEST(warms_up)
{
	struct perseus_node *node = sim_node_open("sim:a100,load=1");
	int64_t last_c = sim_node_read(node, 0, PERSEUS_QUANTITY_TEMPERATURE);
	ck_assert_int_eq(last_c, 30);
	for (int i = 0; i < 20; i++) {
		sim_node_time_ns += 10 * S;
		const int64_t now_c = sim_node_read(node, 0, PERSEUS_QUANTITY_TEMPERATURE);
		ck_assert_int_ge(now_c, last_c);
		last_c = now_c;
	}
	ck_assert_int_eq(last_c, 75);
	perseus_node_close(node);
}
END_TEST

static void
expect_read(const struct perseus_node *node, enum perseus_quantity quantity, enum perseus_status expected,
		const char *message)
{
	struct perseus_error err = {.message = ""};
	int64_t value = -77;
	ck_assert_int_eq(perseus_device_read(node, 0, quantity, &value, &err), expected);
	if (expected != PERSEUS_OK) {
		ck_assert_str_eq(err.message, message);
		ck_assert_int_eq(value, -77);
	}
}

static void
expect_settings(const struct perseus_node *node, enum perseus_status expected, const char *message)
{
	const struct {
		enum perseus_setting setting;
		int64_t value;
	} settings[] = {{PERSEUS_SETTING_SM_CLOCKS, 900}, {PERSEUS_SETTING_MEMORY_CLOCKS, 1593},
		{PERSEUS_SETTING_POWER_LIMIT, 200000}, {PERSEUS_SETTING_PERSISTENCE, 1}};
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		struct perseus_error err = {.message = ""};
		const enum perseus_setting setting = settings[i].setting;
		ck_assert_int_eq(perseus_device_check(node, 0, setting, &err), expected);
		ck_assert_str_eq(err.message, message);
		ck_assert_int_eq(perseus_device_set(node, 0, setting, settings[i].value, settings[i].value, &err), expected);
		ck_assert_int_eq(perseus_device_reset(node, 0, setting, &err), expected);
		ck_assert_str_eq(err.message, message);
	}
}

static void
put_fault(const struct perseus_node *node, enum perseus__sim_fault fault, bool is_on)
{
	ck_assert_int_eq(perseus__sim_fault(node, 0, fault, is_on, NULL), PERSEUS_OK);
}

START_TEST(is_lost)
{
	struct perseus_node *node = sim_node_open("sim:a100x2,fault=lost:0");
	for (int i = 0; i < PERSEUS_N_QUANTITIES; i++)
		expect_read(node, (enum perseus_quantity)i, PERSEUS_IO, "GPU is lost");
	expect_settings(node, PERSEUS_IO, "GPU is lost");
	int32_t mhz[PERSEUS_MAX_CLOCKS];
	int32_t n;
	ck_assert_int_eq(perseus_device_clocks(node, 0, PERSEUS_SETTING_SM_CLOCKS, mhz, &n, NULL), PERSEUS_IO);
	(void)sim_node_read(node, 1, PERSEUS_QUANTITY_POWER);
	put_fault(node, PERSEUS__SIM_FAULT_LOST, false);
	expect_read(node, PERSEUS_QUANTITY_POWER, PERSEUS_OK, NULL);
	expect_settings(node, PERSEUS_OK, "");
	perseus_node_close(node);
}
END_TEST

START_TEST(denies)
{
	struct perseus_node *node = sim_node_open("sim:a100,fault=denied");
	char text[32];
	expect_settings(node, PERSEUS_DENIED, "Insufficient Permissions");
	ck_assert_str_eq(sim_node_locked(node, 0, PERSEUS_SETTING_SM_CLOCKS, text), "free");
	expect_read(node, PERSEUS_QUANTITY_POWER, PERSEUS_OK, NULL);
	perseus_node_close(node);
}
END_TEST

START_TEST(sticks)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	sim_node_time_ns += S;
	const int64_t before_uj = sim_node_read(node, 0, PERSEUS_QUANTITY_ENERGY);
	put_fault(node, PERSEUS__SIM_FAULT_STUCK, true);
	sim_node_time_ns += S;
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_ENERGY), before_uj);
	ck_assert_int_eq(sim_node_true_nj(node, 0), 2 * 62120000000);
	put_fault(node, PERSEUS__SIM_FAULT_STUCK, false);
	sim_node_time_ns += S;
	ck_assert_int_gt(sim_node_read(node, 0, PERSEUS_QUANTITY_ENERGY), before_uj + 120000000);
	perseus_node_close(node);
}
END_TEST

START_TEST(lacks_what_older_cards_lack)
{
	struct perseus_node *node = sim_node_open("sim:a100,fault=no-memory-clocks,fault=no-power,fault=no-counter");
	struct perseus_error err = {.message = ""};
	int32_t mhz[PERSEUS_MAX_CLOCKS];
	int32_t n;
	const enum perseus_setting memory = PERSEUS_SETTING_MEMORY_CLOCKS;
	expect_read(node, PERSEUS_QUANTITY_POWER, PERSEUS_UNSUPPORTED, "Not Supported");
	expect_read(node, PERSEUS_QUANTITY_ENERGY, PERSEUS_UNSUPPORTED, "Not Supported");
	expect_read(node, PERSEUS_QUANTITY_MEMORY_CLOCK, PERSEUS_OK, NULL);
	ck_assert_int_eq(perseus_device_clocks(node, 0, memory, mhz, &n, &err), PERSEUS_UNSUPPORTED);
	ck_assert_int_eq(perseus_device_check(node, 0, memory, &err), PERSEUS_UNSUPPORTED);
	ck_assert_int_eq(perseus_device_set(node, 0, memory, 1593, 1593, &err), PERSEUS_UNSUPPORTED);
	ck_assert_int_eq(perseus_device_reset(node, 0, memory, &err), PERSEUS_UNSUPPORTED);
	ck_assert_int_eq(perseus_device_check(node, 0, PERSEUS_SETTING_SM_CLOCKS, &err), PERSEUS_OK);
	perseus_node_close(node);
}
END_TEST

/* One of what can happen to a GPU, the same for the same `choice` and `detail`. */
static void
disturb(const struct perseus_node *node, uint32_t choice, uint32_t detail)
{
	const double loads[] = {0, PERSEUS__SIM_BLOCKING, 0.25, 0.5, 1, 1};
	const int64_t clock_mhz = 210 + 15 * (int64_t)(detail % 103);
	const int64_t limit_mw = 100000 + 1000 * (int64_t)(detail % 201);
	if (choice < 4)
		sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, clock_mhz, clock_mhz);
	else if (choice < 5)
		sim_node_reset(node, 0, PERSEUS_SETTING_SM_CLOCKS);
	else if (choice < 7)
		sim_node_set(node, 0, PERSEUS_SETTING_POWER_LIMIT, limit_mw, limit_mw);
	else
		sim_node_load(node, 0, loads[detail % 6]);
}

/*
 * Events at whole ms, and the latency is one, so that the power read each ms is the power until the next: their sum is
 * the energy but for the cutting of power to mW. Another node that nobody looks at in between comes to the same.
 */
START_TEST(is_the_integral_of_power)
{
	uint64_t seed = (uint64_t)_i;
	struct perseus_node *watched = sim_node_open("sim:a40");
	struct perseus_node *unwatched = sim_node_open("sim:a40");
	int64_t sum_nj = 0;
	const int64_t n_ms = 2000;
	int64_t step_nj = 0; /* energy when the counter should have moved last; its phase is that of GPU 0 */
	for (int64_t i = 0; i < n_ms; i++) {
		if (random_below(&seed, 8) == 0) {
			const uint32_t choice = random_below(&seed, 10);
			const uint32_t detail = random_below(&seed, 1 << 16);
			disturb(watched, choice, detail);
			disturb(unwatched, choice, detail);
		}
		const int64_t power_mw = sim_node_read(watched, 0, PERSEUS_QUANTITY_POWER);
		sum_nj += power_mw * 1000;
		sim_node_time_ns += MS;
		if (i % 100 == 61) /* 61.8 ms, within this one */
			step_nj = sum_nj - power_mw * 197;
		const int64_t behind_nj = step_nj - sim_node_read(watched, 0, PERSEUS_QUANTITY_ENERGY) * 1000;
		ck_assert_msg(
				llabs(behind_nj) < 3000000, "ms %lld: the counter is %lld nJ off", (long long)i, (long long)behind_nj);
	}
	const int64_t true_nj = sim_node_true_nj(watched, 0);
	ck_assert_int_ge(true_nj, sum_nj);
	ck_assert_int_le(true_nj - sum_nj, n_ms * 1000); /* a mW for a ms, each */
	ck_assert_int_eq(sim_node_true_nj(unwatched, 0), true_nj);
	perseus_node_close(unwatched);
	perseus_node_close(watched);
}
END_TEST

START_TEST(refuses_loads_that_are_none)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	const double loads[] = {1.01, -0.5, -2, NAN, INFINITY};
	for (size_t i = 0; i < sizeof loads / sizeof *loads; i++)
		ck_assert_int_eq(perseus__sim_load(node, 0, loads[i], NULL), PERSEUS_INVALID);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), 62120);
	perseus_node_close(node);
}
END_TEST

/* Time that goes back, as between processes that read the clock at once, changes nothing. */
START_TEST(never_goes_back)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	sim_node_time_ns += S;
	sim_node_load(node, 0, 1);
	const int64_t energy_nj = sim_node_true_nj(node, 0);
	sim_node_time_ns -= S / 2;
	ck_assert_int_eq(sim_node_true_nj(node, 0), energy_nj);
	sim_node_load(node, 0, 0);
	ck_assert_int_eq(sim_node_true_nj(node, 0), energy_nj);
	perseus_node_close(node);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sim");
	TCase *tcase = tcase_create("sim");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, adds_up_energy);
	tcase_add_test(tcase, is_a_node_of_eight);
	tcase_add_test(tcase, shows_the_gpus_that_are_visible);
	tcase_add_test(tcase, changes_the_clock_late);
	tcase_add_test(tcase, keeps_changes_in_order);
	tcase_add_test(tcase, changes_at_once_without_latency);
	tcase_add_test(tcase, moves_the_counter_every_step);
	tcase_add_test(tcase, moves_counters_of_gpus_apart);
	tcase_add_test(tcase, keeps_the_power_limit);
	tcase_add_test(tcase, begins_with_a_power_limit);
	tcase_add_test(tcase, idles_at_the_lowest_clock);
	tcase_add_test(tcase, lists_its_clocks);
	tcase_add_loop_test(tcase, takes_what_a_driver_takes, 0, sizeof ranges / sizeof *ranges);
	tcase_add_test(tcase, keeps_persistence);
	tcase_add_test(tcase, slows_work_down);
	tcase_add_test(tcase, warms_up);
	tcase_add_test(tcase, is_lost);
	tcase_add_test(tcase, denies);
	tcase_add_test(tcase, sticks);
	tcase_add_test(tcase, lacks_what_older_cards_lack);
	tcase_add_loop_test(tcase, is_the_integral_of_power, 0, 20);
	tcase_add_test(tcase, refuses_loads_that_are_none);
	tcase_add_test(tcase, never_goes_back);
	return run_suite(suite);
}
