/* The simulated GPU, by a clock that the tests turn: energies worked by hand, what it enforces, and its faults. */
#include "device/sim.h"

#include <perseus/device.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const int64_t MS = 1000000;
static const int64_t S = 1000000000;

/* Turned by the tests. */
static int64_t virtual_ns;

static int64_t
read_virtual(void *user)
{
	(void)user;
	return virtual_ns;
}

static struct perseus_node *
open_node(const char *spec)
{
	const struct perseus_node_settings settings = {.now_ns = read_virtual};
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	virtual_ns = 1000 * S;
	ck_assert_msg(perseus_node_open(spec, &settings, &node, &err) == PERSEUS_OK, "%s: %s", spec, err.message);
	return node;
}

static int64_t
read_value(const struct perseus_node *node, int32_t device, enum perseus_quantity quantity)
{
	struct perseus_error err = {.message = ""};
	int64_t value = -1;
	ck_assert_msg(perseus_device_read(node, device, quantity, &value, &err) == PERSEUS_OK, "%s: %s",
			perseus_quantity_name(quantity), err.message);
	return value;
}

static void
set_value(const struct perseus_node *node, int32_t device, enum perseus_setting setting, int64_t low, int64_t high)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_device_set(node, device, setting, low, high, &err) == PERSEUS_OK, "%s", err.message);
}

static void
put_load(const struct perseus_node *node, int32_t device, double load)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__sim_load(node, device, load, &err) == PERSEUS_OK, "%s", err.message);
}

static int64_t
true_energy_nj(const struct perseus_node *node, int32_t device)
{
	int64_t energy_nj = -1;
	ck_assert_int_eq(perseus__sim_true_energy(node, device, &energy_nj, NULL), PERSEUS_OK);
	return energy_nj;
}

/* 62.12 W idle for 2 s, 83.64 W blocking for 1 s, then 496 W (41.3 + 454.7) at the highest clock for 0.5 s. */
START_TEST(adds_up_energy)
{
	struct perseus_node *node = open_node("sim:a100");
	virtual_ns += 2 * S;
	ck_assert_int_eq(true_energy_nj(node, 0), 124240000000);
	put_load(node, 0, PERSEUS__SIM_BLOCKING);
	virtual_ns += S;
	put_load(node, 0, 1);
	virtual_ns += 500 * MS;
	ck_assert_int_eq(true_energy_nj(node, 0), 124240000000 + 83640000000 + 248000000000);
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_POWER), 496000);
	put_load(node, 0, 0.5);
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_POWER), 62120 + (496000 - 62120) / 2);
	perseus_node_close(node);
}
END_TEST

START_TEST(is_a_node_of_eight)
{
	struct perseus_node *node = open_node("sim:a100x8");
	ck_assert_int_eq(perseus_node_n_devices(node), 8);
	for (int32_t i = 0; i < 8; i++) {
		const struct perseus_device_info *info = perseus_node_device(node, i);
		ck_assert(info->is_simulated);
		ck_assert_int_eq(info->index, i);
		ck_assert_str_eq(info->backend, "sim");
		ck_assert_int_eq(info->energy_step_ns, 100 * MS);
		ck_assert(strncmp(info->note, "simulated: ", 11) == 0);
		ck_assert_uint_eq(strlen(info->uuid), 40);
		for (int32_t k = 0; k < i; k++)
			ck_assert_str_ne(info->uuid, perseus_node_device(node, k)->uuid);
	}
	ck_assert_str_eq(perseus_node_device(node, 7)->pci_address, "0000:08:00.0");
	perseus_node_close(node);
}
END_TEST

/* Changes take 10 ms: 10 ms at 1410 MHz, the rest at 1200. */
START_TEST(changes_the_clock_late)
{
	struct perseus_node *node = open_node("sim:a100,load=1");
	int64_t low;
	int64_t high;
	set_value(node, 0, PERSEUS_SETTING_SM_CLOCKS, 1200, 1200);
	ck_assert_int_eq(perseus__sim_locked(node, 0, PERSEUS_SETTING_SM_CLOCKS, &low, &high, NULL), PERSEUS_OK);
	ck_assert_int_eq(low, 1200);
	ck_assert_int_eq(high, 1200);
	virtual_ns += 10 * MS - 1;
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 1410);
	ck_assert_int_eq(true_energy_nj(node, 0), 4959999504); /* 496 W for 1 ns less than 10 ms */
	virtual_ns += 1;
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 1200);
	const int64_t power_uw = read_value(node, 0, PERSEUS_QUANTITY_POWER) * 1000;
	virtual_ns += S;
	const int64_t energy_nj = true_energy_nj(node, 0) - 4960000000;
	ck_assert_int_ge(energy_nj, power_uw * 1000);
	ck_assert_int_lt(energy_nj, power_uw * 1000 + 1000000); /* power was cut to mW */
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
	tcase_add_test(tcase, changes_the_clock_late);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
