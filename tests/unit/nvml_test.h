/* What the tests of the NVML backend share: three simulated GPUs, and the double of the driver's library over them. */
#ifndef PERSEUS_TESTS_NVML_TEST_H
#define PERSEUS_TESTS_NVML_TEST_H

#include "suite.h"

#include <perseus/device.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_GPUS = 3 };

static char directory[64];
static struct perseus_node *gpus; /* the simulated ones themselves */

static void
make_gpus(void)
{
	char spec[128];
	memcpy(directory, "/tmp/perseus-nvml-XXXXXX", sizeof "/tmp/perseus-nvml-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(spec, sizeof spec, "sim:a100x%d,state=%s/gpus,latency_ms=0,step_ms=1", N_GPUS, directory);
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE", spec, 1), 0);
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_node_open(spec, NULL, &gpus, &err) == PERSEUS_OK, "%s", err.message);
}

static void
remove_gpus(void)
{
	char state[128];
	perseus_node_close(gpus);
	(void)snprintf(state, sizeof state, "%s/gpus", directory);
	(void)remove(state);
	(void)rmdir(directory);
}

/* The GPUs as the NVML backend sees them; `list` as in CUDA_VISIBLE_DEVICES. */
static struct perseus_node *
open_nvml(const char *list)
{
	const struct perseus_node_settings settings = {.visible_gpus = list};
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_node_open("nvml", &settings, &node, &err) == PERSEUS_OK, "%s", err.message);
	return node;
}

static int64_t
value_of(const struct perseus_node *node, int32_t device, enum perseus_quantity quantity)
{
	int64_t value = -1;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_device_read(node, device, quantity, &value, &err) == PERSEUS_OK, "%s", err.message);
	return value;
}

static int
run_on_gpus(const char *name, TCase *tcase)
{
	Suite *suite = suite_create(name);
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, make_gpus, remove_gpus);
	return run_suite(suite);
}

#endif
