/* The NVML backend on a driver that lacks what newer ones have: old names stand in, and what is missing is named. */
#include "nvml_test.h"

START_TEST(names_the_function_that_is_missing)
{
	struct perseus_node *node = open_nvml(NULL);
	struct perseus_error err = {.message = ""};
	const enum perseus_setting setting = PERSEUS_SETTING_MEMORY_CLOCKS;
	ck_assert_int_eq(perseus_device_check(node, 0, setting, &err), PERSEUS_UNSUPPORTED);
	ck_assert_str_eq(err.message, "the driver's library has no nvmlDeviceSetMemoryLockedClocks");
	ck_assert_int_eq(perseus_device_reset(node, 0, setting, &err), PERSEUS_UNSUPPORTED);
	ck_assert_str_eq(err.message, "the driver's library has no nvmlDeviceResetMemoryLockedClocks");
	ck_assert_int_ne(perseus_device_check(node, 0, PERSEUS_SETTING_SM_CLOCKS, &err), PERSEUS_UNSUPPORTED);
	perseus_node_close(node);
}
END_TEST

/* Old names stand in for new ones, and the older reading for instant power. */
START_TEST(reads_everything_all_the_same)
{
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_ARCHITECTURE", "8", 1), 0);
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_PCI_ID", "0x26b5", 1), 0); /* L40 */
	struct perseus_node *node = open_nvml("1");
	ck_assert_int_eq(perseus_node_n_devices(node), 1);
	ck_assert_ptr_nonnull(strstr(perseus_node_device(node, 0)->note, "power is a mean over 1 s"));
	for (int q = 0; q < PERSEUS_N_QUANTITIES; q++)
		if (q != PERSEUS_QUANTITY_ENERGY && q != PERSEUS_QUANTITY_TEMPERATURE)
			ck_assert_int_eq(value_of(node, 0, (enum perseus_quantity)q), value_of(gpus, 1, (enum perseus_quantity)q));
	ck_assert_int_ge(value_of(node, 0, PERSEUS_QUANTITY_ENERGY), 0);
	ck_assert_int_gt(value_of(node, 0, PERSEUS_QUANTITY_TEMPERATURE), 0);
	perseus_node_close(node);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("old");
	tcase_add_test(tcase, names_the_function_that_is_missing);
	tcase_add_test(tcase, reads_everything_all_the_same);
	return run_on_gpus("nvml_old", tcase);
}
