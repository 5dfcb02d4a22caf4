/* Nodes: what a spec opens, what is said of one that is wrong, and every allocation failing in turn. */
#include "device/device.h"
#include "device/sim.h"
#include "suite.h"
#include "torture.h"

#include <perseus/device.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct perseus_node *
open_node(const char *spec, const struct perseus_node_settings *settings)
{
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_node_open(spec, settings, &node, &err) == PERSEUS_OK, "%s: %s", spec, err.message);
	return node;
}

START_TEST(opens_backends_in_the_order_of_the_spec)
{
	struct perseus_node *node = open_node("sim:a40x2+sim:a100", NULL);
	ck_assert_int_eq(perseus_node_n_devices(node), 3);
	ck_assert_int_eq(perseus_node_n_notes(node), 0);
	const char *const names[] = {"NVIDIA A40", "NVIDIA A40", "NVIDIA A100-SXM4-80GB"};
	const int32_t indices[] = {0, 1, 0};
	for (int32_t i = 0; i < 3; i++) {
		const struct perseus_device_info *info = perseus_node_device(node, i);
		ck_assert_str_eq(info->name, names[i]);
		ck_assert_int_eq(info->index, indices[i]);
		ck_assert_str_eq(info->backend, "sim");
		ck_assert_int_eq(info->kind, PERSEUS_DEVICE_GPU);
	}
	perseus_node_close(node);
}
END_TEST

START_TEST(notes_what_auto_does_not_find)
{
	const struct perseus_node_settings settings = {.rapl_root = "/nonexistent"};
	struct perseus_node *node = open_node("auto", &settings);
	bool is_noted = false;
	for (int32_t i = 0; i < perseus_node_n_notes(node); i++)
		is_noted = is_noted || strncmp(perseus_node_note(node, i), "rapl: ", 6) == 0;
	ck_assert(is_noted);
	for (int32_t i = 0; i < perseus_node_n_devices(node); i++)
		ck_assert(!perseus_node_device(node, i)->is_simulated);
	perseus_node_close(node);
}
END_TEST

START_TEST(has_the_clock_it_was_given)
{
	struct perseus_node *node = open_node("sim:a100", NULL);
	const int64_t first_ns = perseus_node_now_ns(node);
	const int64_t second_ns = perseus_node_now_ns(node);
	ck_assert_int_gt(first_ns, 0);
	ck_assert_int_ge(second_ns, first_ns);
	perseus_node_close(node);
	perseus_node_close(NULL);
}
END_TEST

/* Simulated GPUs are shared by a fork, so they are there before it and not once more after it. */
START_TEST(opens_around_a_fork)
{
	struct perseus_node *node = NULL;
	ck_assert_int_eq(perseus__node_open_before_fork("sim:a100x2", NULL, &node, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus_node_n_devices(node), 2);
	ck_assert_int_eq(perseus__node_open_after_fork(node, "sim:a100x2", NULL, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus_node_n_devices(node), 2);
	perseus_node_close(node);
}
END_TEST

static const struct {
	const char *spec;
	const char *message;
} refused[] = {
	{"", "'' is no kind of device: auto, nvml, rapl, sim or replay"},
	{"gpu", "'gpu' is no kind of device: auto, nvml, rapl, sim or replay"},
	{"sim:a100+", "'' is no kind of device: auto, nvml, rapl, sim or replay"},
	{"sim:a100+simulated:a100", "'simulated' is no kind of device: auto, nvml, rapl, sim or replay"},
	{"auto:all", "'auto' is no kind of device: auto, nvml, rapl, sim or replay"},
	{"sim", "sim: no model: a100, a40, or the path of a profile that ends in .csv"},
	{"sim:", "sim: no model: a100, a40, or the path of a profile that ends in .csv"},
	{"sim:x8", "sim: no model: a100, a40, or the path of a profile that ends in .csv"},
	{"sim:h100", "sim: there is no model 'h100': a100, a40, or the path of a profile that ends in .csv"},
	{"sim:A100", "sim: there is no model 'A100': a100, a40, or the path of a profile that ends in .csv"},
	{"sim:a100x0", "sim: 'a100x0': the number of GPUs behind the x is 1 to 128"},
	{"sim:a100x129", "sim: 'a100x129': the number of GPUs behind the x is 1 to 128"},
	{"sim:a100x", "sim: 'a100x': the number of GPUs behind the x is 1 to 128"},
	{"sim:a100x-1", "sim: 'a100x-1': the number of GPUs behind the x is 1 to 128"},
	{"sim:a100x1.5", "sim: 'a100x1.5': the number of GPUs behind the x is 1 to 128"},
	{"sim:a100,", "sim: '' is no KEY=VALUE"},
	{"sim:a100,load", "sim: 'load' is no KEY=VALUE"},
	{"sim:a100,Load=1",
		"sim: there is no key 'Load': state, load, latency_ms, step_ms, min_mhz, cap_w, idle_w, blocking_w or fault"},
	{"sim:a100,load=1.1", "sim: load=1.1: expected 0 (idle) to 1, or blocking"},
	{"sim:a100,load=-1", "sim: load=-1: expected 0 (idle) to 1, or blocking"},
	{"sim:a100,load=", "sim: load=: expected 0 (idle) to 1, or blocking"},
	{"sim:a100,latency_ms=60000.1", "sim: latency_ms=60000.1: expected 0 to 60000"},
	{"sim:a100,step_ms=0", "sim: step_ms=0: expected more than 0, at most 60000"},
	{"sim:a100,step_ms=1e9", "sim: step_ms=1e9: expected more than 0, at most 60000"},
	{"sim:a100,min_mhz=0", "sim: min_mhz=0: expected 1 to 100000"},
	{"sim:a100,min_mhz=1411", "sim: min_mhz: the model has no clock of 1411 MHz or more"},
	{"sim:a100,cap_w=x", "sim: cap_w=x: expected watts"},
	{"sim:a100,cap_w=0", "sim: cap_w=0: expected watts"},
	{"sim:a100,cap_w=501", "sim: cap_w: Invalid Argument: 501000 mW is not within 100000..500000 mW"},
	{"sim:a100,idle_w=-1", "sim: idle_w=-1: expected watts"},
	{"sim:a100,blocking_w=1e7", "sim: blocking_w=1e7: expected watts"},
	{"sim:a100,state=", "sim: state=: expected the path of a file"},
	{"sim:a100,fault=broken",
		"sim: fault=broken: expected lost, denied, stuck, no-memory-clocks, no-power or no-counter"},
	{"sim:a100,fault=los", "sim: fault=los: expected lost, denied, stuck, no-memory-clocks, no-power or no-counter"},
	{"sim:a100x2,fault=lost:2", "sim: fault=lost:2: there is no GPU '2', only 2 of them"},
	{"sim:a100x2,fault=lost:", "sim: fault=lost:: there is no GPU '', only 2 of them"},
	{"sim:/nonexistent/p.csv", "sim: cannot read /nonexistent/p.csv: No such file or directory"},
};

START_TEST(says_what_is_wrong_with_a_spec)
{
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_ne(perseus_node_open(refused[_i].spec, NULL, &node, &err), PERSEUS_OK);
	ck_assert_str_eq(err.message, refused[_i].message);
	ck_assert_ptr_null(node);
}
END_TEST

START_TEST(refuses_specs_that_are_too_long)
{
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	char spec[5000];
	memset(spec, 'a', sizeof spec);
	memcpy(spec, "sim:", 4);
	spec[2000] = '\0';
	ck_assert_int_eq(perseus_node_open(spec, NULL, &node, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "sim: longer than 1023 bytes");
	spec[2000] = 'a';
	spec[4096] = '\0';
	ck_assert_int_eq(perseus_node_open(spec, NULL, &node, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "the list of devices is longer than 4095 bytes");
}
END_TEST

START_TEST(refuses_visible_gpus_that_are_none)
{
	const struct perseus_node_settings settings = {.visible_gpus = "2"};
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_node_open("sim:a100x2", &settings, &node, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "sim: visible GPUs: there is no GPU 2, only 2 of them");
}
END_TEST

START_TEST(names_its_words)
{
	ck_assert_str_eq(perseus_device_kind_name(PERSEUS_DEVICE_DRAM), "dram");
	ck_assert_str_eq(perseus_quantity_name(PERSEUS_QUANTITY_ENERGY), "energy_uj");
	ck_assert_str_eq(perseus_quantity_name(PERSEUS_QUANTITY_PERSISTENCE), "persistence_mode");
	ck_assert_str_eq(perseus_setting_name(PERSEUS_SETTING_POWER_LIMIT), "power_limit");
	ck_assert_str_eq(perseus_reason_name(PERSEUS_REASON_POWER_CAP), "power cap");
	ck_assert_ptr_null(perseus_reason_name((enum perseus_reason)(PERSEUS_REASON_IDLE | PERSEUS_REASON_POWER_CAP)));
	ck_assert_ptr_null(perseus_reason_name((enum perseus_reason)0x40000000));
}
END_TEST

/* What simulation alone can do is refused for other devices. */
START_TEST(simulates_only_what_is_simulated)
{
	char path[] = "/tmp/perseus-node-XXXXXX";
	const int file = mkstemp(path);
	const char *const trace = "time_s,device,index,power_w\n0,gpu,0,1\n";
	ck_assert_int_eq(write(file, trace, strlen(trace)), (ssize_t)strlen(trace));
	ck_assert_int_eq(close(file), 0);
	char spec[128];
	(void)snprintf(spec, sizeof spec, "sim:a100+replay:%s", path);
	struct perseus_node *node = open_node(spec, NULL);
	ck_assert_int_eq(unlink(path), 0);
	struct perseus_error err = {.message = ""};
	int64_t value;
	int64_t other;
	double slowdown;
	ck_assert_int_eq(perseus__sim_load(node, 0, 1, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__sim_load(node, 1, 1, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "device 1 is no simulated GPU");
	ck_assert_int_eq(perseus__sim_fault(node, 1, PERSEUS__SIM_FAULT_LOST, true, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__sim_true_energy(node, 1, &value, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__sim_slowdown(node, 1, &slowdown, &err), PERSEUS_INVALID);
	const struct perseus__sim_work work = {.clock_mhz = 1410, .load = 1, .work_ns = 1};
	bool is_done;
	ck_assert_int_eq(perseus__sim_run(node, 1, 1, 1, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__sim_wait(node, 1, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__sim_work_end(node, 1, &is_done, &value, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__sim_slow(node, 1, 2, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__sim_truth(node, 1, &work, &value, &other, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__sim_locked(node, 1, PERSEUS_SETTING_SM_CLOCKS, &value, &other, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__sim_locked(node, 0, PERSEUS_SETTING_POWER_LIMIT, &value, &other, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "power_limit is no range of clocks");
	perseus_node_close(node);
}
END_TEST

/* What the torture opens. */
static char tortured_spec[256];

static enum perseus_status
make_node(void **out, struct perseus_error *err)
{
	struct perseus_node *node = *out;
	const enum perseus_status status = perseus_node_open(tortured_spec, NULL, &node, err);
	*out = node;
	return status;
}

static void
destroy_node(void *node)
{
	perseus_node_close(node);
}

static void
write_file(char *path, const char *text)
{
	const int file = mkstemps(path, 4);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(close(file), 0);
}

START_TEST(survives_every_failing_allocation)
{
	char trace[] = "/tmp/perseus-trace-XXXXXX.csv";
	char profile[] = "/tmp/perseus-profile-XXXXXX.csv";
	write_file(trace, "time_s,device,index,power_w\n0,gpu,0,1\n0,cpu,0,1\n1,gpu,0,2\n");
	write_file(profile, "stage,instruction,frequency,time,energy\n0,forward,1000,1,300\n0,forward,500,2,400\n");
	(void)snprintf(tortured_spec, sizeof tortured_spec, "sim:a100x17+replay:%s+sim:%s", trace, profile);
	const struct torture_scenario scenario = {.name = tortured_spec, .make = make_node, .destroy = destroy_node};
	torture_run(&scenario, FAILING_ALLOC_ONE);
	torture_run(&scenario, FAILING_ALLOC_REST);
	ck_assert_int_eq(unlink(trace), 0);
	ck_assert_int_eq(unlink(profile), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("node");
	TCase *tcase = tcase_create("node");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, opens_backends_in_the_order_of_the_spec);
	tcase_add_test(tcase, notes_what_auto_does_not_find);
	tcase_add_test(tcase, has_the_clock_it_was_given);
	tcase_add_test(tcase, opens_around_a_fork);
	tcase_add_loop_test(tcase, says_what_is_wrong_with_a_spec, 0, sizeof refused / sizeof *refused);
	tcase_add_test(tcase, refuses_specs_that_are_too_long);
	tcase_add_test(tcase, refuses_visible_gpus_that_are_none);
	tcase_add_test(tcase, names_its_words);
	tcase_add_test(tcase, simulates_only_what_is_simulated);
	tcase_add_test(tcase, survives_every_failing_allocation);
	return run_suite(suite);
}
