/*
 * The NVML backend through the real loader, against the double of the driver's library, which the build puts first in
 * LD_LIBRARY_PATH. A node of the same simulated GPUs beside it says what is true.
 */
#include "nvml_test.h"

#include "device/nvml_library.h"
#include "device/sim.h"
#include "torture.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, NOT_PERMITTED = 3 };

/* Whether this process may set anything, which a container's root may not; else the test says that it was skipped. */
static bool
may_set(const struct perseus_node *node)
{
	if (perseus_device_check(node, 0, PERSEUS_SETTING_SM_CLOCKS, NULL) != PERSEUS_DENIED)
		return true;
	printf("# nothing is set: this process has no CAP_SYS_ADMIN\n");
	return false;
}

/* Every reading is what the GPU itself says; what moves is read before and after. */
START_TEST(reads_what_the_gpu_says)
{
	struct perseus_node *node = open_nvml(NULL);
	while (value_of(gpus, 0, PERSEUS_QUANTITY_ENERGY) == 0) /* the counters begin at zero and move every ms */
		(void)usleep(1000);
	for (int32_t device = 0; device < N_GPUS; device++)
		for (int q = 0; q < PERSEUS_N_QUANTITIES; q++) {
			int64_t before = 0, value = -1, after = 0;
			struct perseus_error err = {.message = ""};
			const enum perseus_quantity quantity = (enum perseus_quantity)q;
			ck_assert_int_eq(perseus_device_read(gpus, device, quantity, &before, &err), PERSEUS_OK);
			ck_assert_msg(perseus_device_read(node, device, quantity, &value, &err) == PERSEUS_OK, "%s: %s",
					perseus_quantity_name(quantity), err.message);
			ck_assert_int_eq(perseus_device_read(gpus, device, quantity, &after, &err), PERSEUS_OK);
			ck_assert_msg(value >= before && value <= after, "%s of GPU %d: %lld, not %lld..%lld",
					perseus_quantity_name(quantity), (int)device, (long long)value, (long long)before,
					(long long)after);
		}
	perseus_node_close(node);
}
END_TEST

START_TEST(describes_the_gpus)
{
	struct perseus_node *node = open_nvml(NULL);
	ck_assert_int_eq(perseus_node_n_devices(node), N_GPUS);
	ck_assert_int_eq(perseus_node_n_notes(node), 0);
	for (int32_t device = 0; device < N_GPUS; device++) {
		const struct perseus_device_info *info = perseus_node_device(node, device);
		const struct perseus_device_info *true_info = perseus_node_device(gpus, device);
		ck_assert_int_eq(info->kind, PERSEUS_DEVICE_GPU);
		ck_assert_int_eq(info->index, device);
		ck_assert_str_eq(info->uuid, true_info->uuid);
		ck_assert_str_eq(info->name, true_info->name);
		ck_assert_str_eq(info->pci_address, true_info->pci_address);
		ck_assert_str_eq(info->architecture, "Ampere");
		ck_assert_str_eq(info->backend, "nvml");
		ck_assert_str_eq(info->driver, "550.00-double");
		ck_assert_str_eq(info->note, "");
		ck_assert(!info->is_mig && !info->is_module && !info->is_simulated);
		ck_assert_int_eq(info->energy_step_ns, 100000000);
	}
	perseus_node_close(node);
}
END_TEST

START_TEST(lists_clocks)
{
	struct perseus_node *node = open_nvml(NULL);
	for (int s = PERSEUS_SETTING_SM_CLOCKS; s <= PERSEUS_SETTING_MEMORY_CLOCKS; s++) {
		int32_t mhz[PERSEUS_MAX_CLOCKS];
		int32_t true_mhz[PERSEUS_MAX_CLOCKS];
		int32_t n = 0, n_true = 0;
		struct perseus_error err = {.message = ""};
		const enum perseus_setting setting = (enum perseus_setting)s;
		ck_assert_msg(perseus_device_clocks(node, 0, setting, mhz, &n, &err) == PERSEUS_OK, "%s", err.message);
		ck_assert_int_eq(perseus_device_clocks(gpus, 0, setting, true_mhz, &n_true, &err), PERSEUS_OK);
		ck_assert_int_eq(n, n_true);
		ck_assert_int_gt(n, 0);
		ck_assert(memcmp(mhz, true_mhz, (size_t)n * sizeof *mhz) == 0);
	}
	perseus_node_close(node);
}
END_TEST

START_TEST(locks_and_frees_clocks)
{
	static const enum perseus_setting settings[] = {PERSEUS_SETTING_SM_CLOCKS, PERSEUS_SETTING_MEMORY_CLOCKS};
	struct perseus_node *node = open_nvml(NULL);
	if (!may_set(node)) {
		perseus_node_close(node);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		int64_t low = -1, high = -1;
		int32_t mhz[PERSEUS_MAX_CLOCKS];
		int32_t n = 0;
		ck_assert_int_eq(perseus_device_clocks(gpus, 1, settings[i], mhz, &n, NULL), PERSEUS_OK);
		ck_assert_int_eq(perseus_device_set(node, 1, settings[i], mhz[n - 1], mhz[0], NULL), PERSEUS_OK);
		ck_assert_int_eq(perseus__sim_locked(gpus, 1, settings[i], &low, &high, NULL), PERSEUS_OK);
		ck_assert_int_eq(low, mhz[n - 1]);
		ck_assert_int_eq(high, mhz[0]);
		ck_assert_int_eq(perseus__sim_locked(gpus, 0, settings[i], &low, &high, NULL), PERSEUS_OK);
		ck_assert_int_eq(high, 0);
		ck_assert_int_eq(perseus_device_reset(node, 1, settings[i], NULL), PERSEUS_OK);
		ck_assert_int_eq(perseus__sim_locked(gpus, 1, settings[i], &low, &high, NULL), PERSEUS_OK);
		ck_assert_int_eq(high, 0);
	}
	perseus_node_close(node);
}
END_TEST

START_TEST(sets_limit_and_persistence)
{
	struct perseus_node *node = open_nvml(NULL);
	if (!may_set(node)) {
		perseus_node_close(node);
		return;
	}
	const int64_t limit_mw = value_of(gpus, 0, PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT);
	const int64_t low_mw = value_of(gpus, 0, PERSEUS_QUANTITY_POWER_LIMIT_MIN);
	ck_assert_int_eq(perseus_device_set(node, 0, PERSEUS_SETTING_POWER_LIMIT, low_mw, low_mw, NULL), PERSEUS_OK);
	ck_assert_int_eq(value_of(gpus, 0, PERSEUS_QUANTITY_POWER_LIMIT), low_mw);
	ck_assert_int_eq(perseus_device_reset(node, 0, PERSEUS_SETTING_POWER_LIMIT, NULL), PERSEUS_OK);
	ck_assert_int_eq(value_of(gpus, 0, PERSEUS_QUANTITY_POWER_LIMIT), limit_mw);
	ck_assert_int_eq(perseus_device_set(node, 0, PERSEUS_SETTING_PERSISTENCE, 1, 1, NULL), PERSEUS_OK);
	ck_assert_int_eq(value_of(gpus, 0, PERSEUS_QUANTITY_PERSISTENCE), 1);
	ck_assert_int_eq(perseus_device_reset(node, 0, PERSEUS_SETTING_PERSISTENCE, NULL), PERSEUS_OK);
	ck_assert_int_eq(value_of(gpus, 0, PERSEUS_QUANTITY_PERSISTENCE), 0);
	perseus_node_close(node);
}
END_TEST

static const struct {
	enum perseus_setting setting;
	int64_t low, high;
} refused[] = {
	{PERSEUS_SETTING_SM_CLOCKS, 1, 2},
	{PERSEUS_SETTING_SM_CLOCKS, 1410, 99999},
	{PERSEUS_SETTING_SM_CLOCKS, 1410, 1400},
	{PERSEUS_SETTING_SM_CLOCKS, 0xffffff02, 0xffffff02}, /* NVML's "unlimited": it would unlock */
	{PERSEUS_SETTING_SM_CLOCKS, 0xffffff01, 0xffffff01},
	{PERSEUS_SETTING_SM_CLOCKS, 1410, 0xffffff02},
	{PERSEUS_SETTING_MEMORY_CLOCKS, 1, 1},
	{PERSEUS_SETTING_POWER_LIMIT, 1, 1},
	{PERSEUS_SETTING_POWER_LIMIT, 10000000, 10000000},
	{PERSEUS_SETTING_POWER_LIMIT, 300000, 300001},
	{PERSEUS_SETTING_PERSISTENCE, 2, 2},
};

START_TEST(refuses_what_the_gpu_does_not_take)
{
	struct perseus_node *node = open_nvml(NULL);
	if (!may_set(node)) {
		perseus_node_close(node);
		return;
	}
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_device_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 1005, 1005, &err), PERSEUS_OK);
	ck_assert_int_eq(
			perseus_device_set(node, 0, refused[_i].setting, refused[_i].low, refused[_i].high, &err), PERSEUS_INVALID);
	ck_assert_str_ne(err.message, "");
	int64_t low = 0, high = 0;
	ck_assert_int_eq(perseus__sim_locked(gpus, 0, PERSEUS_SETTING_SM_CLOCKS, &low, &high, &err), PERSEUS_OK);
	ck_assert_int_eq(low, 1005);
	ck_assert_int_eq(high, 1005);
	perseus_node_close(node);
}
END_TEST

START_TEST(says_who_may_set)
{
	struct perseus_node *node = open_nvml(NULL);
	struct perseus_error err = {.message = ""};
	for (int s = 0; s < PERSEUS_N_SETTINGS && may_set(node); s++)
		ck_assert_msg(perseus_device_check(node, 0, (enum perseus_setting)s, &err) == PERSEUS_OK, "%s", err.message);
	const bool is_root = geteuid() == 0;
	if (is_root) /* and with it the capability, until it is root again */
		ck_assert_int_eq(seteuid(NOBODY), 0);
	for (int s = 0; s < PERSEUS_N_SETTINGS; s++) {
		const enum perseus_setting setting = (enum perseus_setting)s;
		ck_assert_int_eq(perseus_device_check(node, 0, setting, &err), PERSEUS_DENIED);
		ck_assert_ptr_nonnull(strstr(err.message, "run as root"));
	}
	ck_assert_int_eq(perseus_device_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 1005, 1005, &err), PERSEUS_DENIED);
	ck_assert_str_eq(err.message, "nvmlDeviceSetGpuLockedClocks: Insufficient Permissions");
	ck_assert_int_eq(perseus_device_reset(node, 0, PERSEUS_SETTING_SM_CLOCKS, &err), PERSEUS_DENIED);
	ck_assert_int_gt(value_of(node, 0, PERSEUS_QUANTITY_POWER), 0);
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
	perseus_node_close(node);
}
END_TEST

static const struct {
	int code;
	enum perseus_status status;
	const char *text;
} results[] = {
	{0, PERSEUS_OK, ""},
	{1, PERSEUS_IO, "nvmlX: Uninitialized"},
	{2, PERSEUS_INVALID, "nvmlX: Invalid Argument"},
	{3, PERSEUS_UNSUPPORTED, "nvmlX: Not Supported"},
	{4, PERSEUS_DENIED, "nvmlX: Insufficient Permissions"},
	{9, PERSEUS_UNSUPPORTED, "nvmlX: Driver Not Loaded"},
	{13, PERSEUS_UNSUPPORTED, "the driver's library has no nvmlX"},
	{15, PERSEUS_IO, "nvmlX: GPU is lost"},
	{26, PERSEUS_UNSUPPORTED, "nvmlX: Requested functionality has been deprecated"},
	{999, PERSEUS_IO, "nvmlX: Unknown Error"},
	{-7, PERSEUS_IO, "nvmlX: Unknown Error"},
};

START_TEST(gives_results_as_statuses)
{
	struct perseus__nvml nvml = {0};
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__nvml_load(&nvml, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__nvml_result(&nvml, results[_i].code, "nvmlX", &err), results[_i].status);
	ck_assert_str_eq(err.message, results[_i].text);
	perseus__nvml_close(&nvml);
}
END_TEST

/* One call fails; what depends on it says so, and nothing else fails. */
static const struct {
	const char *failure;
	enum perseus_quantity quantity;
	enum perseus_status status;
	const char *message;
} failures[] = {
	{"nvmlDeviceGetTotalEnergyConsumption=13", PERSEUS_QUANTITY_ENERGY, PERSEUS_UNSUPPORTED,
		"the driver's library has no nvmlDeviceGetTotalEnergyConsumption"},
	{"nvmlDeviceGetTotalEnergyConsumption=3", PERSEUS_QUANTITY_ENERGY, PERSEUS_UNSUPPORTED,
		"nvmlDeviceGetTotalEnergyConsumption: Not Supported"},
	{"nvmlDeviceGetFieldValues=15", PERSEUS_QUANTITY_POWER, PERSEUS_IO, "nvmlDeviceGetFieldValues: GPU is lost"},
	{"field=15", PERSEUS_QUANTITY_POWER, PERSEUS_IO, "nvmlDeviceGetFieldValues(POWER_INSTANT): GPU is lost"},
	{"nvmlDeviceGetClockInfo=4", PERSEUS_QUANTITY_SM_CLOCK, PERSEUS_DENIED,
		"nvmlDeviceGetClockInfo: Insufficient Permissions"},
	{"nvmlDeviceGetClockInfo=999", PERSEUS_QUANTITY_MEMORY_CLOCK, PERSEUS_IO, "nvmlDeviceGetClockInfo: Unknown Error"},
	{"nvmlDeviceGetCurrentClocksEventReasons=3,nvmlDeviceGetCurrentClocksThrottleReasons=3",
		PERSEUS_QUANTITY_CLOCK_REASONS, PERSEUS_UNSUPPORTED, "nvmlDeviceGetCurrentClocksEventReasons: Not Supported"},
	{"nvmlDeviceGetTemperature=26", PERSEUS_QUANTITY_TEMPERATURE, PERSEUS_UNSUPPORTED,
		"nvmlDeviceGetTemperature: Requested functionality has been deprecated"},
	{"nvmlDeviceGetPowerManagementLimit=3", PERSEUS_QUANTITY_POWER_LIMIT, PERSEUS_UNSUPPORTED,
		"nvmlDeviceGetPowerManagementLimit: Not Supported"},
	{"nvmlDeviceGetPowerManagementLimitConstraints=3", PERSEUS_QUANTITY_POWER_LIMIT_MAX, PERSEUS_UNSUPPORTED,
		"nvmlDeviceGetPowerManagementLimitConstraints: Not Supported"},
	{"nvmlDeviceGetPowerManagementDefaultLimit=3", PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT, PERSEUS_UNSUPPORTED,
		"nvmlDeviceGetPowerManagementDefaultLimit: Not Supported"},
	{"nvmlDeviceGetPersistenceMode=3", PERSEUS_QUANTITY_PERSISTENCE, PERSEUS_UNSUPPORTED,
		"nvmlDeviceGetPersistenceMode: Not Supported"},
};

START_TEST(names_the_call_that_failed)
{
	struct perseus_node *node = open_nvml(NULL);
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_FAIL", failures[_i].failure, 1), 0);
	for (int q = 0; q < PERSEUS_N_QUANTITIES; q++) {
		int64_t value = -1;
		struct perseus_error err = {.message = ""};
		const enum perseus_status status = perseus_device_read(node, 0, (enum perseus_quantity)q, &value, &err);
		if (status == PERSEUS_OK)
			continue;
		ck_assert_int_eq(value, -1);
		ck_assert_msg(strstr(failures[_i].failure, "ClockInfo") || strstr(failures[_i].failure, "Constraints")
						|| q == (int)failures[_i].quantity,
				"%s fails, too: %s", perseus_quantity_name((enum perseus_quantity)q), err.message);
		if (q != (int)failures[_i].quantity)
			continue;
		ck_assert_int_eq(status, failures[_i].status);
		ck_assert_str_eq(err.message, failures[_i].message);
	}
	int64_t value;
	ck_assert_int_ne(perseus_device_read(node, 0, failures[_i].quantity, &value, NULL), PERSEUS_OK);
	perseus_node_close(node);
}
END_TEST

static const struct {
	const char *name; /* of a variable of the double; see nvml_double.c */
	const char *value;
	enum perseus_setting setting;
	const char *message;
} forbidden[] = {
	{"PERSEUS_NVML_DOUBLE_ARCHITECTURE", "4", PERSEUS_SETTING_SM_CLOCKS, "clocks are locked on GPUs from Volta on"},
	{"PERSEUS_NVML_DOUBLE_ARCHITECTURE", "6", PERSEUS_SETTING_MEMORY_CLOCKS,
		"memory clocks are locked on GPUs from Ampere on"},
	{"PERSEUS_NVML_DOUBLE_MIG", "1", PERSEUS_SETTING_SM_CLOCKS, "MIG is on"},
	{"PERSEUS_NVML_DOUBLE_MIG", "0,1", PERSEUS_SETTING_MEMORY_CLOCKS, "MIG is on"},
	{"PERSEUS_NVML_DOUBLE_MIG", "1", PERSEUS_SETTING_POWER_LIMIT, "MIG is on"},
	{"PERSEUS_NVML_DOUBLE_MIG", "1", PERSEUS_SETTING_PERSISTENCE, "MIG is on"},
	{"PERSEUS_NVML_DOUBLE_FAIL", "nvmlDeviceGetPowerManagementDefaultLimit=3", PERSEUS_SETTING_POWER_LIMIT,
		"nvmlDeviceGetPowerManagementDefaultLimit: Not Supported"},
};

START_TEST(says_what_cannot_be_set)
{
	ck_assert_int_eq(setenv(forbidden[_i].name, forbidden[_i].value, 1), 0);
	struct perseus_node *node = open_nvml(NULL);
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_device_check(node, 1, forbidden[_i].setting, &err), PERSEUS_UNSUPPORTED);
	ck_assert_msg(strstr(err.message, forbidden[_i].message) != NULL, "%s", err.message);
	if (strstr(forbidden[_i].message, "MIG")) {
		ck_assert_ptr_nonnull(strstr(perseus_node_device(node, 1)->note, "MIG is on"));
		ck_assert_int_eq(perseus_device_set(node, 1, forbidden[_i].setting, 1, 1, &err), PERSEUS_UNSUPPORTED);
		ck_assert_int_eq(perseus_device_reset(node, 1, forbidden[_i].setting, &err), PERSEUS_UNSUPPORTED);
		ck_assert_int_gt(value_of(node, 1, PERSEUS_QUANTITY_ENERGY), -1);
		ck_assert_str_eq(perseus_node_device(node, 2)->note, "");
	}
	perseus_node_close(node);
}
END_TEST

static const struct {
	const char *architecture;
	const char *pci_id;
	const char *note;
} averages[] = {
	{"7", "0x2235", "power is a mean over 1 s: the driver has no instant reading"}, /* A40 */
	{"9", "0x2330", "power is a mean over 1 s: the driver has no instant reading"}, /* H100 */
	{"7", "0x20b0", ""},                                                            /* A100: GA100 is the exception */
	{"7", "0x20f1", ""}, {"5", "0x1db4", ""},                                       /* V100 */
};

START_TEST(says_where_power_is_a_mean)
{
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_ARCHITECTURE", averages[_i].architecture, 1), 0);
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_PCI_ID", averages[_i].pci_id, 1), 0);
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_FAIL", _i % 2 ? "field=2" : "nvmlDeviceGetFieldValues=13", 1), 0);
	struct perseus_node *node = open_nvml(NULL);
	ck_assert_str_eq(perseus_node_device(node, 0)->note, averages[_i].note);
	ck_assert_int_eq(value_of(node, 0, PERSEUS_QUANTITY_POWER), value_of(gpus, 0, PERSEUS_QUANTITY_POWER));
	perseus_node_close(node);
}
END_TEST

/* A Grace Hopper's counter is the module's, so its power is, too; two GPUs of a Grace Blackwell share a module. */
static const struct {
	const char *name;
	bool is_module;
} superchips[] = {
	{"NVIDIA GH200 480GB", true},
	{"NVIDIA GB200", false},
	{"NVIDIA H100 80GB HBM3", false},
};

START_TEST(reads_a_module_whole)
{
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_NAME", superchips[_i].name, 1), 0);
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_MODULE", "100000", 1), 0);
	struct perseus_node *node = open_nvml(NULL);
	const struct perseus_device_info *info = perseus_node_device(node, 0);
	ck_assert_int_eq(info->is_module, superchips[_i].is_module);
	ck_assert_int_eq(strstr(info->note, "Grace CPU and its memory") != NULL, superchips[_i].is_module);
	ck_assert_int_eq(value_of(node, 0, PERSEUS_QUANTITY_POWER),
			value_of(gpus, 0, PERSEUS_QUANTITY_POWER) + (superchips[_i].is_module ? 100000 : 0));
	perseus_node_close(node);
}
END_TEST

START_TEST(takes_no_module_without_its_power)
{
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_NAME", "NVIDIA GH200 480GB", 1), 0);
	struct perseus_node *node = open_nvml(NULL);
	ck_assert(!perseus_node_device(node, 0)->is_module);
	ck_assert_int_eq(value_of(node, 0, PERSEUS_QUANTITY_POWER), value_of(gpus, 0, PERSEUS_QUANTITY_POWER));
	perseus_node_close(node);
}
END_TEST

/* "%s" is GPU 1's UUID without "GPU-". */
static const struct {
	const char *list;
	int32_t indices[N_GPUS + 1]; /* ends in -1 */
	int32_t mig;                 /* the GPU of which a slice was asked for, or -1 */
} visible[] = {
	{"", {-1}, -1},
	{"0", {0, -1}, -1},
	{"2,0", {0, 2, -1}, -1},
	{"GPU-%s", {1, -1}, -1},
	{"GPU-%.8s", {1, -1}, -1},
	{"MIG-%s", {1, -1}, 1},
	{"MIG-GPU-%s/3/0", {1, -1}, 1},
	{"0,MIG-%s", {0, 1, -1}, 1},
};

START_TEST(shows_what_is_visible)
{
	char list[128];
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_MIG", "1", 1), 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(list, sizeof list, visible[_i].list, perseus_node_device(gpus, 1)->uuid + strlen("GPU-"));
#pragma GCC diagnostic pop
	struct perseus_node *node = open_nvml(list);
	int32_t n = 0;
	for (; visible[_i].indices[n] >= 0; n++) {
		ck_assert_int_lt(n, perseus_node_n_devices(node));
		const struct perseus_device_info *info = perseus_node_device(node, n);
		ck_assert_int_eq(info->index, visible[_i].indices[n]);
		ck_assert_int_eq(info->is_mig, visible[_i].mig == info->index);
		ck_assert_int_eq(*info->note != '\0', info->index == 1);
	}
	ck_assert_int_eq(n, perseus_node_n_devices(node));
	ck_assert_int_eq(perseus_node_n_notes(node), 1);
	ck_assert_ptr_nonnull(strstr(perseus_node_note(node, 0), "of 3 GPUs are not in the list of visible ones"));
	perseus_node_close(node);
}
END_TEST

static const struct {
	const char *list;
	const char *message;
} unseen[] = {
	{"3", "nvml: visible GPUs: there is no GPU 3"},
	{"GPU-0000000000000000", "begins the UUID of no GPU here"},
	{"MIG-00000000-0000-0000-0000-000000000000", "is a slice of no GPU here"},
	{"all", "is no index"},
};

START_TEST(refuses_what_is_not_there)
{
	const struct perseus_node_settings settings = {.visible_gpus = unseen[_i].list};
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_node_open("nvml", &settings, &node, &err), PERSEUS_INVALID);
	ck_assert_msg(strstr(err.message, unseen[_i].message) != NULL, "%s", err.message);
}
END_TEST

START_TEST(leaves_out_a_gpu_that_cannot_be_had)
{
	ck_assert_int_eq(setenv("PERSEUS_NVML_DOUBLE_FAIL", "nvmlDeviceGetHandleByIndex_v2@1=15", 1), 0);
	struct perseus_node *node = open_nvml(NULL);
	ck_assert_int_eq(perseus_node_n_devices(node), 2);
	ck_assert_int_eq(perseus_node_device(node, 1)->index, 2);
	ck_assert_int_eq(perseus_node_n_notes(node), 1);
	ck_assert_str_eq(perseus_node_note(node, 0), "nvml: GPU 1 is left out: nvmlDeviceGetHandleByIndex_v2: GPU is lost");
	perseus_node_close(node);
}
END_TEST

/* A GPU is lost while its node is open, and found again. */
START_TEST(survives_a_lost_gpu)
{
	struct perseus_node *node = open_nvml(NULL);
	struct perseus_error err = {.message = ""};
	int64_t value = -1;
	ck_assert_int_eq(perseus__sim_fault(gpus, 0, PERSEUS__SIM_FAULT_LOST, true, &err), PERSEUS_OK);
	for (int q = 0; q < PERSEUS_N_QUANTITIES; q++) {
		ck_assert_int_eq(perseus_device_read(node, 0, (enum perseus_quantity)q, &value, &err), PERSEUS_IO);
		ck_assert_ptr_nonnull(strstr(err.message, "GPU is lost"));
	}
	ck_assert_int_eq(value, -1);
	ck_assert_int_gt(value_of(node, 1, PERSEUS_QUANTITY_POWER), 0);
	ck_assert_int_eq(perseus__sim_fault(gpus, 0, PERSEUS__SIM_FAULT_LOST, false, &err), PERSEUS_OK);
	ck_assert_int_gt(value_of(node, 0, PERSEUS_QUANTITY_POWER), 0);
	perseus_node_close(node);
}
END_TEST

static const struct {
	const char *failure; /* NULL: the driver is not there */
	enum perseus_status status;
	const char *message;
} absences[] = {
	{NULL, PERSEUS_UNSUPPORTED, "nvml: nvmlInit_v2: Driver Not Loaded"},
	{"nvmlInit_v2=4", PERSEUS_DENIED, "nvml: nvmlInit_v2: Insufficient Permissions"},
	{"nvmlInit_v2=18", PERSEUS_IO, "nvml: nvmlInit_v2: Unknown Error"},
	{"nvmlDeviceGetCount_v2=999", PERSEUS_IO, "nvml: nvmlDeviceGetCount_v2: Unknown Error"},
};

START_TEST(says_why_there_is_no_driver)
{
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(absences[_i].failure ? setenv("PERSEUS_NVML_DOUBLE_FAIL", absences[_i].failure, 1)
										  : unsetenv("PERSEUS_NVML_DOUBLE"),
			0);
	ck_assert_int_eq(perseus_node_open("nvml", NULL, &node, &err), absences[_i].status);
	ck_assert_str_eq(err.message, absences[_i].message);
	ck_assert_int_eq(perseus_node_open("nvml:x", NULL, &node, &err), PERSEUS_INVALID);
}
END_TEST

static void *
read_many(void *user)
{
	const struct perseus_node *node = user;
	int64_t last_uj = 0;
	for (int i = 0; i < 500; i++) {
		const int64_t energy_uj = value_of(node, 1, PERSEUS_QUANTITY_ENERGY);
		if (energy_uj < last_uj || value_of(node, 1, PERSEUS_QUANTITY_POWER) <= 0)
			return user;
		last_uj = energy_uj;
	}
	return NULL;
}

START_TEST(is_read_by_several_threads)
{
	enum { N_THREADS = 4 };
	pthread_t threads[N_THREADS];
	struct perseus_node *node = open_nvml(NULL);
	for (int i = 0; i < N_THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_many, node), 0);
	for (int i = 0; i < N_THREADS; i++) {
		void *wrong = node;
		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
	perseus_node_close(node);
}
END_TEST

/* The driver's state is one for all processes: what a child sets, its parent sees. */
START_TEST(shares_the_gpus_with_other_processes)
{
	const pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct perseus_node *node = open_nvml(NULL);
		const bool is_permitted = may_set(node);
		const bool is_set =
				is_permitted && perseus_device_set(node, 2, PERSEUS_SETTING_SM_CLOCKS, 1200, 1200, NULL) == PERSEUS_OK;
		perseus_node_close(node);
		_exit(is_set ? 0 : is_permitted ? 1 : NOT_PERMITTED);
	}
	int exit_status = -1;
	int64_t low = 0, high = 0;
	ck_assert_int_eq(waitpid(child, &exit_status, 0), child);
	ck_assert(WIFEXITED(exit_status));
	if (WEXITSTATUS(exit_status) == NOT_PERMITTED)
		return;
	ck_assert_int_eq(exit_status, 0);
	ck_assert_int_eq(perseus__sim_locked(gpus, 2, PERSEUS_SETTING_SM_CLOCKS, &low, &high, NULL), PERSEUS_OK);
	ck_assert_int_eq(high, 1200);
}
END_TEST

/* Two nodes of one process share the library, and the first to close takes nothing from the other. */
START_TEST(opens_twice)
{
	struct perseus_node *first = open_nvml(NULL);
	struct perseus_node *second = open_nvml("1");
	perseus_node_close(first);
	ck_assert_int_gt(value_of(second, 0, PERSEUS_QUANTITY_POWER), 0);
	perseus_node_close(second);
}
END_TEST

static enum perseus_status
make_node(void **out, struct perseus_error *err)
{
	struct perseus_node *node = *out;
	const struct perseus_node_settings settings = {.visible_gpus = "0,2"};
	const enum perseus_status status = perseus_node_open("nvml", &settings, &node, err);
	*out = node;
	return status;
}

static void
close_node(void *node)
{
	perseus_node_close(node);
}

START_TEST(survives_failing_allocations)
{
	static const struct torture_scenario scenario = {"nvml", make_node, close_node};
	torture_run(&scenario, FAILING_ALLOC_ONE);
	torture_run(&scenario, FAILING_ALLOC_REST);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("nvml");
	tcase_add_test(tcase, describes_the_gpus);
	tcase_add_test(tcase, reads_what_the_gpu_says);
	tcase_add_test(tcase, lists_clocks);
	tcase_add_test(tcase, locks_and_frees_clocks);
	tcase_add_test(tcase, sets_limit_and_persistence);
	tcase_add_loop_test(tcase, refuses_what_the_gpu_does_not_take, 0, sizeof refused / sizeof *refused);
	tcase_add_test(tcase, says_who_may_set);
	tcase_add_loop_test(tcase, gives_results_as_statuses, 0, sizeof results / sizeof *results);
	tcase_add_loop_test(tcase, names_the_call_that_failed, 0, sizeof failures / sizeof *failures);
	tcase_add_loop_test(tcase, says_what_cannot_be_set, 0, sizeof forbidden / sizeof *forbidden);
	tcase_add_loop_test(tcase, says_where_power_is_a_mean, 0, sizeof averages / sizeof *averages);
	tcase_add_loop_test(tcase, reads_a_module_whole, 0, sizeof superchips / sizeof *superchips);
	tcase_add_test(tcase, takes_no_module_without_its_power);
	tcase_add_loop_test(tcase, shows_what_is_visible, 0, sizeof visible / sizeof *visible);
	tcase_add_loop_test(tcase, refuses_what_is_not_there, 0, sizeof unseen / sizeof *unseen);
	tcase_add_test(tcase, leaves_out_a_gpu_that_cannot_be_had);
	tcase_add_test(tcase, survives_a_lost_gpu);
	tcase_add_loop_test(tcase, says_why_there_is_no_driver, 0, sizeof absences / sizeof *absences);
	tcase_add_test(tcase, is_read_by_several_threads);
	tcase_add_test(tcase, shares_the_gpus_with_other_processes);
	tcase_add_test(tcase, opens_twice);
	tcase_add_test(tcase, survives_failing_allocations);
	return run_on_gpus("nvml", tcase);
}
