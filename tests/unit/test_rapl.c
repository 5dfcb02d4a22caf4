/* Powercap zones in made-up trees: which become devices, counters that wrap around, files that are odd. */
#include "device/rapl_zone.h"
#include "failing_alloc.h"
#include "suite.h"
#include "torture.h"

#include <perseus/device.h>

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 256, NOBODY = 65534 };

static char root[64];

static void
make_root(void)
{
	memcpy(root, "/tmp/perseus-rapl-XXXXXX", sizeof "/tmp/perseus-rapl-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(chmod(root, 0755), 0);
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static void
remove_root(void)
{
	ck_assert_int_eq(nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void
path_of(const char *name, char path[PATH_BYTES])
{
	ck_assert_int_lt(snprintf(path, PATH_BYTES, "%s/%s", root, name), PATH_BYTES);
}

/* Writes `root/name`; a file that is open elsewhere stays the same file, as in sysfs. */
static void
put(const char *name, const char *content)
{
	char path[PATH_BYTES];
	path_of(name, path);
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(content, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void
put_zone(const char *zone, const char *name, const char *energy_uj)
{
	const struct {
		const char *file;
		const char *content;
	} files[] = {
		{"name", name}, {"energy_uj", energy_uj}, {"max_energy_range_uj", "262143328850\n"}, {"enabled", "1\n"}};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[PATH_BYTES];
		(void)snprintf(path, sizeof path, "%s/%s", zone, files[i].file);
		put(path, files[i].content);
	}
}

/* Two packages of a server, as the kernel lays them out, in no order; the root has the subzones once more. */
static void
put_server(void)
{
	put_zone("intel-rapl:1", "package-1\n", "2000\n");
	put_zone("intel-rapl:1/intel-rapl:1:0", "dram\n", "20\n");
	put_zone("intel-rapl:0", "package-0\n", "1000\n");
	put_zone("intel-rapl:0/intel-rapl:0:0", "core\n", "1\n");
	put_zone("intel-rapl:0/intel-rapl:0:1", "uncore\n", "2\n");
	put_zone("intel-rapl:0/intel-rapl:0:2", "dram\n", "10\n");
	put_zone("intel-rapl:0:2", "dram\n", "10\n");
	put_zone("intel-rapl:2", "psys\n", "9999\n");
	put_zone("intel-rapl-mmio:0", "package-0\n", "7777\n");
	put_zone("intel-rapl-mmio:0/intel-rapl-mmio:0:0", "dram\n", "7777\n");
	put("intel-rapl/enabled", "1\n");
	put("dtpm/enabled", "1\n");
}

static enum perseus_status
open_root(struct perseus_node **node, struct perseus_error *err)
{
	const struct perseus_node_settings settings = {.rapl_root = root};
	return perseus_node_open("rapl", &settings, node, err);
}

static struct perseus_node *
opened(void)
{
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(open_root(&node, &err) == PERSEUS_OK, "%s", err.message);
	return node;
}

static int64_t
energy(const struct perseus_node *node, int32_t device)
{
	int64_t energy_uj = -1;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_device_read(node, device, PERSEUS_QUANTITY_ENERGY, &energy_uj, &err) == PERSEUS_OK, "%s",
			err.message);
	return energy_uj;
}

START_TEST(lists_packages_and_dram)
{
	static const struct {
		enum perseus_device_kind kind;
		int32_t index;
		const char *name;
		int64_t energy_uj;
	} expected[] = {
		{PERSEUS_DEVICE_CPU, 0, "package-0", 1000},
		{PERSEUS_DEVICE_CPU, 1, "package-1", 2000},
		{PERSEUS_DEVICE_DRAM, 0, "package-0 dram", 10},
		{PERSEUS_DEVICE_DRAM, 1, "package-1 dram", 20},
	};
	put_server();
	struct perseus_node *node = opened();
	ck_assert_int_eq(perseus_node_n_devices(node), 4);
	for (int32_t i = 0; i < 4; i++) {
		const struct perseus_device_info *info = perseus_node_device(node, i);
		ck_assert_int_eq(info->kind, expected[i].kind);
		ck_assert_int_eq(info->index, expected[i].index);
		ck_assert_str_eq(info->name, expected[i].name);
		ck_assert_str_eq(info->backend, "rapl");
		ck_assert_int_eq(energy(node, i), expected[i].energy_uj);
	}
	ck_assert_int_eq(perseus_node_n_notes(node), 2);
	ck_assert_str_eq(perseus_node_note(node, 0), "rapl: intel-rapl:2 (psys) is left out: it contains the packages");
	ck_assert_str_eq(perseus_node_note(node, 1),
			"rapl: intel-rapl-mmio:0 (package-0) is left out: it counts a package once more");
	perseus_node_close(node);
}
END_TEST

START_TEST(takes_mmio_where_it_is_alone)
{
	put_zone("intel-rapl-mmio:3", "package-3\n", "7\n");
	struct perseus_node *node = opened();
	ck_assert_int_eq(perseus_node_n_devices(node), 1);
	ck_assert_int_eq(perseus_node_device(node, 0)->index, 3);
	ck_assert_int_eq(energy(node, 0), 7);
	perseus_node_close(node);
}
END_TEST

/* AMD: packages alone, 65.5 kJ a wrap. Dies of one package are zones of their own. */
START_TEST(takes_amd_and_dies)
{
	put_zone("intel-rapl:0", "package-0-die-0\n", "5\n");
	put_zone("intel-rapl:1", "package-0-die-1\n", "6\n");
	put("intel-rapl:0/max_energy_range_uj", "65532610987\n");
	put("intel-rapl:1/max_energy_range_uj", "65532610987\n");
	struct perseus_node *node = opened();
	ck_assert_int_eq(perseus_node_n_devices(node), 2);
	ck_assert_str_eq(perseus_node_device(node, 1)->name, "package-0-die-1");
	ck_assert_int_eq(energy(node, 1), 6);
	put("intel-rapl:1/energy_uj", "4\n");
	ck_assert_int_eq(energy(node, 1), 65532610987 + 4);
	perseus_node_close(node);
}
END_TEST

enum { MAX_READINGS = 8 };

static const struct {
	const char *name;
	int64_t raw_uj[MAX_READINGS]; /* ends in -1; the range is 1000 */
	int64_t sum_uj[MAX_READINGS];
} wraps[] = {
	{"none", {0, 10, 10, 999, -1}, {0, 10, 10, 999}},
	{"one", {900, 100, 200, -1}, {900, 1100, 1200}},
	{"several", {500, 400, 300, 999, 0, -1}, {500, 1400, 2300, 2999, 3000}},
	{"to zero", {600, 0, 0, -1}, {600, 1000, 1000}},
	{"at the range itself", {1000, 0, 1000, 0, -1}, {1000, 1000, 2000, 2000}},
	{"beyond the range", {5000, 3, 4, -1}, {5000, 5003, 5004}},
	{"to the end of 63 bits", {1, INT64_MAX, 0, 7, -1}, {1, INT64_MAX, INT64_MAX, INT64_MAX}},
};

START_TEST(goes_on_after_a_wrap)
{
	struct perseus__rapl_counter counter = {.range_uj = 1000};
	for (int i = 0; wraps[_i].raw_uj[i] >= 0; i++) {
		const int64_t sum_uj = perseus__rapl_count(&counter, wraps[_i].raw_uj[i]);
		ck_assert_msg(sum_uj == wraps[_i].sum_uj[i], "%s, reading %d: %lld, not %lld", wraps[_i].name, i,
				(long long)sum_uj, (long long)wraps[_i].sum_uj[i]);
	}
}
END_TEST

START_TEST(reads_the_same_file_on)
{
	put_server();
	struct perseus_node *node = opened();
	ck_assert_int_eq(energy(node, 0), 1000);
	put("intel-rapl:0/energy_uj", "262143328000\n");
	ck_assert_int_eq(energy(node, 0), 262143328000);
	put("intel-rapl:0/energy_uj", "150\n");
	ck_assert_int_eq(energy(node, 0), 262143329000);
	ck_assert_int_eq(energy(node, 1), 2000);
	perseus_node_close(node);
}
END_TEST

/* Gives up root, for good; a test's process is its own. */
static void
become_nobody(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
}

static void
protect(const char *name)
{
	char path[PATH_BYTES];
	path_of(name, path);
	ck_assert_int_eq(chmod(path, geteuid() == 0 ? 0400 : 0), 0);
}

static int
check_unreadable(void)
{
	become_nobody();
	struct perseus_node *node = opened();
	ck_assert_int_eq(perseus_node_n_devices(node), 4);
	int64_t value = -1;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_device_read(node, 0, PERSEUS_QUANTITY_ENERGY, &value, &err), PERSEUS_DENIED);
	ck_assert_int_eq(value, -1);
	ck_assert_ptr_nonnull(strstr(err.message, "intel-rapl:0/energy_uj"));
	ck_assert_ptr_nonnull(strstr(err.message, "run as root, or let perseus agent read it"));
	ck_assert_int_eq(energy(node, 1), 2000);
	perseus_node_close(node);
	return 0;
}

static int
check_open_file(void)
{
	struct perseus_node *node = opened();
	become_nobody();
	ck_assert_int_eq(energy(node, 0), 1000);
	const pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(energy(node, 0) == 1000 ? 0 : 1);
	int status = -1;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	perseus_node_close(node);
	return 0;
}

/* In a child, so that this process can remove the tree. */
static void
run_apart(int (*check)(void))
{
	const pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		exit(check());
	int status = -1;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

START_TEST(lists_what_it_may_not_read)
{
	put_server();
	protect("intel-rapl:0/energy_uj");
	run_apart(check_unreadable);
}
END_TEST

START_TEST(reads_on_without_privileges)
{
	put_server();
	if (geteuid() == 0)
		protect("intel-rapl:0/energy_uj");
	run_apart(check_open_file);
}
END_TEST

static const struct {
	const char *file;
	const char *content; /* NULL: the file is missing */
	const char *message; /* part of what is said */
	bool is_at_open;     /* else when the energy is read */
} oddities[] = {
	{"intel-rapl:0/energy_uj", "", "intel-rapl:0/energy_uj holds '', which is no energy in uJ", false},
	{"intel-rapl:0/energy_uj", "-5\n", "energy_uj holds '-5\\x0a', which is no energy", false},
	{"intel-rapl:0/energy_uj", "12 34\n", "holds '12 34\\x0a'", false},
	{"intel-rapl:0/energy_uj", "12\n\n", "holds '12\\x0a\\x0a'", false},
	{"intel-rapl:0/energy_uj", "0x10", "holds '0x10'", false},
	{"intel-rapl:0/energy_uj", "9223372036854775808\n", "holds '9223372036854775808", false},
	{"intel-rapl:0/energy_uj", "1000000000000000000000000000000000000000000000000000000000000000000", "is too long",
		false},
	{"intel-rapl:0/energy_uj", NULL, "intel-rapl:0/energy_uj: No such file", true},
	{"intel-rapl:0/max_energy_range_uj", "lots\n", "max_energy_range_uj holds 'lots\\x0a'", true},
	{"intel-rapl:0/max_energy_range_uj", "0\n", "max_energy_range_uj holds 0, which is no range", true},
	{"intel-rapl:0/max_energy_range_uj", NULL, "max_energy_range_uj: No such file", true},
	{"intel-rapl:0/name", "\n", "intel-rapl:0/name holds '\\x0a', which is no name", true},
	{"intel-rapl:0/name", "package-\x1b[2J\n", "name holds 'package-\\x1b[2J", true},
	{"intel-rapl:0/name", NULL, "intel-rapl:0/name: No such file", true},
	{"intel-rapl:0/intel-rapl:0:2/name", "dr\xc3\xa4m\n", "intel-rapl:0:2/name holds 'dr\\xc3\\xa4m", true},
	{"intel-rapl:0/intel-rapl:0:2/max_energy_range_uj", NULL, "No such file", true},
};

START_TEST(names_what_is_odd)
{
	put_server();
	if (oddities[_i].content) {
		put(oddities[_i].file, oddities[_i].content);
	} else {
		char path[PATH_BYTES];
		path_of(oddities[_i].file, path);
		ck_assert_int_eq(remove(path), 0);
	}
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	enum perseus_status status = open_root(&node, &err);
	ck_assert_int_eq(status != PERSEUS_OK, oddities[_i].is_at_open);
	if (status == PERSEUS_OK) {
		int64_t value = -1;
		status = perseus_device_read(node, 0, PERSEUS_QUANTITY_ENERGY, &value, &err);
		ck_assert_int_eq(value, -1);
		perseus_node_close(node);
	}
	ck_assert_int_eq(status, PERSEUS_IO);
	ck_assert_msg(strstr(err.message, oddities[_i].message) != NULL, "'%s' does not say '%s'", err.message,
			oddities[_i].message);
}
END_TEST

/* One broken zone costs an automatic node its packages, all of them, and nothing else. */
START_TEST(auto_says_what_is_odd)
{
	put_server();
	put("intel-rapl:1/name", "\n");
	const struct perseus_node_settings settings = {.visible_gpus = "", .rapl_root = root};
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_node_open("auto", &settings, &node, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus_node_n_devices(node), 0);
	ck_assert_int_gt(perseus_node_n_notes(node), 0);
	ck_assert_ptr_nonnull(
			strstr(perseus_node_note(node, perseus_node_n_notes(node) - 1), "which is no name of a zone"));
	perseus_node_close(node);
}
END_TEST

static const struct {
	const char *spec; /* after "rapl:"; relative to the root, or NULL for an empty one */
	enum perseus_status status;
	const char *message;
} absences[] = {
	{"nowhere", PERSEUS_UNSUPPORTED, "nowhere: no RAPL driver"},
	{".", PERSEUS_UNSUPPORTED, "has no zone of a CPU package"},
	{"file", PERSEUS_IO, "Not a directory"},
	{NULL, PERSEUS_INVALID, "the root of the powercap zones is empty"},
};

START_TEST(says_what_is_not_there)
{
	put("file", "");
	put_zone("intel-rapl:0", "psys\n", "1\n");
	put_zone("intel-rapl:x", "package-0\n", "1\n");
	char spec[PATH_BYTES] = "rapl:";
	if (absences[_i].spec)
		(void)snprintf(spec, sizeof spec, "rapl:%s/%s", root, absences[_i].spec);
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_node_open(spec, NULL, &node, &err), absences[_i].status);
	ck_assert_msg(strstr(err.message, absences[_i].message) != NULL, "%s", err.message);
	ck_assert_ptr_null(node);
}
END_TEST

START_TEST(has_nothing_but_energy)
{
	put_server();
	struct perseus_node *node = opened();
	struct perseus_error err = {.message = ""};
	int64_t value = -1;
	int32_t mhz[PERSEUS_MAX_CLOCKS];
	int32_t n = -1;
	for (int q = 0; q < PERSEUS_N_QUANTITIES; q++)
		if (q != PERSEUS_QUANTITY_ENERGY)
			ck_assert_int_eq(perseus_device_read(node, 0, (enum perseus_quantity)q, &value, &err), PERSEUS_UNSUPPORTED);
	ck_assert_int_eq(perseus_device_read(node, 0, PERSEUS_QUANTITY_POWER, &value, &err), PERSEUS_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.message, "mean between two readings"));
	ck_assert_int_eq(value, -1);
	ck_assert_int_eq(perseus_device_clocks(node, 0, PERSEUS_SETTING_SM_CLOCKS, mhz, &n, &err), PERSEUS_UNSUPPORTED);
	for (int s = 0; s < PERSEUS_N_SETTINGS; s++) {
		ck_assert_int_eq(perseus_device_check(node, 0, (enum perseus_setting)s, &err), PERSEUS_UNSUPPORTED);
		ck_assert_int_eq(perseus_device_set(node, 0, (enum perseus_setting)s, 1, 1, &err), PERSEUS_UNSUPPORTED);
		ck_assert_int_eq(perseus_device_reset(node, 0, (enum perseus_setting)s, &err), PERSEUS_UNSUPPORTED);
	}
	perseus_node_close(node);
}
END_TEST

static enum perseus_status
make_node(void **out, struct perseus_error *err)
{
	struct perseus_node *node = *out;
	const enum perseus_status status = open_root(&node, err);
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
	static const struct torture_scenario scenario = {"rapl", make_node, close_node};
	put_server();
	torture_run(&scenario, FAILING_ALLOC_ONE);
	torture_run(&scenario, FAILING_ALLOC_REST);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rapl");
	TCase *tcase = tcase_create("rapl");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, make_root, remove_root);
	tcase_add_test(tcase, lists_packages_and_dram);
	tcase_add_test(tcase, takes_mmio_where_it_is_alone);
	tcase_add_test(tcase, takes_amd_and_dies);
	tcase_add_loop_test(tcase, goes_on_after_a_wrap, 0, sizeof wraps / sizeof *wraps);
	tcase_add_test(tcase, reads_the_same_file_on);
	tcase_add_test(tcase, lists_what_it_may_not_read);
	tcase_add_test(tcase, reads_on_without_privileges);
	tcase_add_loop_test(tcase, names_what_is_odd, 0, sizeof oddities / sizeof *oddities);
	tcase_add_test(tcase, auto_says_what_is_odd);
	tcase_add_loop_test(tcase, says_what_is_not_there, 0, sizeof absences / sizeof *absences);
	tcase_add_test(tcase, has_nothing_but_energy);
	tcase_add_test(tcase, survives_failing_allocations);
	return run_suite(suite);
}
