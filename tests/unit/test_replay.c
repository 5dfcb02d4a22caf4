/* Replayed traces, by a clock that the tests turn. */
#include "suite.h"

#include <perseus/device.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t S = 1000000000;

static int64_t virtual_ns;

static int64_t
read_virtual(void *user)
{
	(void)user;
	return virtual_ns;
}

/* A node that plays `text`. */
static struct perseus_node *
play(const char *text)
{
	char path[] = "/tmp/perseus-replay-XXXXXX";
	const int file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(close(file), 0);
	char spec[64];
	(void)snprintf(spec, sizeof spec, "replay:%s", path);
	const struct perseus_node_settings settings = {.now_ns = read_virtual, .visible_gpus = ""};
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	virtual_ns = 77 * S;
	const enum perseus_status status = perseus_node_open(spec, &settings, &node, &err);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_msg(status == PERSEUS_OK, "%s", err.message);
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
expect_unsupported(const struct perseus_node *node, int32_t device, enum perseus_quantity quantity, const char *message)
{
	struct perseus_error err = {.message = ""};
	int64_t value = -77;
	ck_assert_int_eq(perseus_device_read(node, device, quantity, &value, &err), PERSEUS_UNSUPPORTED);
	ck_assert_str_eq(err.message, message);
	ck_assert_int_eq(value, -77);
}

#define HEAD "time_s,device,index,name,power_w,sm_clock_mhz,energy_j\n"

/* Its time runs from the moment of opening; rows of GPU 3 at 1, 2 and 4 s. */
START_TEST(plays_rows)
{
	struct perseus_node *node = play(HEAD "1,gpu,3,X,100,1000,10\n2,gpu,3,X,,,110\n4,gpu,3,X,300,1200,410\n");
	ck_assert_int_eq(perseus_node_n_devices(node), 1);
	const struct perseus_device_info *info = perseus_node_device(node, 0);
	ck_assert_int_eq(info->index, 3);
	ck_assert_str_eq(info->name, "X");
	ck_assert_str_eq(info->backend, "replay");
	ck_assert(info->is_simulated);
	ck_assert(strncmp(info->note, "replayed from /tmp/perseus-replay-", 34) == 0);
	ck_assert(strstr(info->note, ": a trace of 4 s") != NULL);
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 10000000);
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_POWER), 100000);
	virtual_ns += 1 * S;
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 10000000);
	virtual_ns += S / 2;
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 60000000);
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 1000);
	virtual_ns += S;
	expect_unsupported(node, 0, PERSEUS_QUANTITY_POWER, "the trace has no power_mw at 2 s");
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 185000000);
	virtual_ns += S + S / 2;
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_POWER), 300000);
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_SM_CLOCK), 1200);
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 410000000);
	virtual_ns += 2 * S; /* the gap before the last row */
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 1010000000);
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_POWER), 300000);
	virtual_ns += 1;
	expect_unsupported(node, 0, PERSEUS_QUANTITY_ENERGY, "the trace ended 4 s after it began");
	expect_unsupported(node, 0, PERSEUS_QUANTITY_POWER, "the trace ended 4 s after it began");
	expect_unsupported(node, 0, PERSEUS_QUANTITY_SM_CLOCK, "the trace ended 4 s after it began");
	virtual_ns -= 3 * S;
	expect_unsupported(node, 0, PERSEUS_QUANTITY_TEMPERATURE, "the trace has no temperature_c at 2 s");
	perseus_node_close(node);
}
END_TEST

/* 100 W to 200 W in 1 s, a row without power, 200 W to 0 W in 2 s: 150 J, 350 J. */
START_TEST(integrates_power_without_energies)
{
	struct perseus_node *node = play(HEAD "0,cpu,0,,100,,\n1,cpu,0,,200,,\n2,cpu,0,,,,\n3,cpu,0,,0,,\n4,cpu,0,,,5,\n");
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 0);
	virtual_ns += S;
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 150000000);
	virtual_ns += S;
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 250000000);
	virtual_ns += S;
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 350000000);
	virtual_ns += 2 * S;
	ck_assert_int_eq(read_value(node, 0, PERSEUS_QUANTITY_ENERGY), 350000000);
	perseus_node_close(node);
}
END_TEST

START_TEST(invents_no_energy)
{
	struct perseus_node *node = play(HEAD "0,cpu,0,,100,,\n0,gpu,0,,,,\n1,gpu,0,,,1,\n");
	expect_unsupported(node, 0, PERSEUS_QUANTITY_ENERGY, "neither energy nor power over time is in the trace");
	expect_unsupported(node, 1, PERSEUS_QUANTITY_ENERGY, "neither energy nor power over time is in the trace");
	ck_assert_int_eq(read_value(node, 1, PERSEUS_QUANTITY_POWER), 100000);
	perseus_node_close(node);
}
END_TEST

START_TEST(orders_devices_and_ignores_visibility)
{
	struct perseus_node *node = play(HEAD "0,dram,0,,,,1\n0,gpu,7,B,1,,\n0,gpu,1,A,1,,\n0,cpu,0,,,,1\n");
	ck_assert_int_eq(perseus_node_n_devices(node), 4);
	ck_assert_str_eq(perseus_node_device(node, 0)->name, "A");
	ck_assert_str_eq(perseus_node_device(node, 1)->name, "B");
	ck_assert_int_eq(perseus_node_device(node, 2)->kind, PERSEUS_DEVICE_CPU);
	ck_assert_int_eq(perseus_node_device(node, 3)->kind, PERSEUS_DEVICE_DRAM);
	perseus_node_close(node);
}
END_TEST

START_TEST(cannot_be_set)
{
	struct perseus_node *node = play(HEAD "0,gpu,0,,1,,\n");
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_device_check(node, 0, PERSEUS_SETTING_SM_CLOCKS, &err), PERSEUS_UNSUPPORTED);
	ck_assert_str_eq(err.message, "replay devices have no settings");
	ck_assert_int_eq(perseus_device_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 1, 1, &err), PERSEUS_UNSUPPORTED);
	ck_assert_int_eq(perseus_device_reset(node, 0, PERSEUS_SETTING_SM_CLOCKS, &err), PERSEUS_UNSUPPORTED);
	perseus_node_close(node);
}
END_TEST

static const struct {
	const char *spec;
	enum perseus_status status;
	const char *message;
} refused[] = {
	{"replay", PERSEUS_INVALID, "replay: no file: replay:TRACE.csv"},
	{"replay:", PERSEUS_INVALID, "replay: no file: replay:TRACE.csv"},
	{"replay:/nonexistent", PERSEUS_IO, "replay: cannot read /nonexistent: No such file or directory"},
	{"replay:/dev/null", PERSEUS_INVALID, "replay: /dev/null: is empty; expected a header and rows"},
};

START_TEST(refuses_what_is_no_trace)
{
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_node_open(refused[_i].spec, NULL, &node, &err), refused[_i].status);
	ck_assert_str_eq(err.message, refused[_i].message);
	ck_assert_ptr_null(node);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("replay");
	TCase *tcase = tcase_create("replay");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, plays_rows);
	tcase_add_test(tcase, integrates_power_without_energies);
	tcase_add_test(tcase, invents_no_energy);
	tcase_add_test(tcase, orders_devices_and_ignores_visibility);
	tcase_add_test(tcase, cannot_be_set);
	tcase_add_loop_test(tcase, refuses_what_is_no_trace, 0, sizeof refused / sizeof *refused);
	return run_suite(suite);
}
