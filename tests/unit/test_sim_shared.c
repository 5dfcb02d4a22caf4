/* The state of simulated GPUs, shared: by children, by processes that open one file, by threads; and kill -9. */
#include "device/sim.h"
#include "device/sim_store.h"
#include "sim_node.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char directory[] = "/tmp/perseus-sim-XXXXXX";
static char path[64];

static void
make_directory(void)
{
	memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof path, "%s/state", directory);
}

static void
remove_directory(void)
{
	(void)unlink(path); /* not every test makes it */
	ck_assert_int_eq(rmdir(directory), 0);
}

/* "sim:MODEL,state=FILE" and more keys. */
static const char *
spec_of(const char *model, const char *more)
{
	static char spec[256];
	(void)snprintf(spec, sizeof spec, "sim:%s,state=%s%s", model, path, more);
	return spec;
}

static void
wait_for(pid_t child)
{
	int how = -1;
	ck_assert_int_eq(waitpid(child, &how, 0), child);
	ck_assert_int_eq(how, 0);
}

START_TEST(is_shared_with_children)
{
	struct perseus_node *node = sim_node_open("sim:a100x2,latency_ms=0");
	char text[32];
	const pid_t child = fork();
	if (child == 0) {
		sim_node_set(node, 1, PERSEUS_SETTING_SM_CLOCKS, 900, 1200);
		sim_node_load(node, 1, 1);
		_exit(0);
	}
	wait_for(child);
	ck_assert_str_eq(sim_node_locked(node, 1, PERSEUS_SETTING_SM_CLOCKS, text), "900..1200");
	ck_assert_int_eq(sim_node_read(node, 1, PERSEUS_QUANTITY_SM_CLOCK), 1200);
	ck_assert_str_eq(sim_node_locked(node, 0, PERSEUS_SETTING_SM_CLOCKS, text), "free");
	struct perseus_node *other = sim_node_open("sim:a100x2,latency_ms=0");
	ck_assert_str_eq(sim_node_locked(other, 1, PERSEUS_SETTING_SM_CLOCKS, text), "free");
	perseus_node_close(other);
	perseus_node_close(node);
}
END_TEST

START_TEST(is_shared_by_a_file)
{
	struct perseus_node *node = sim_node_open(spec_of("a100x2", ",load=0.5"));
	char text[32];
	const pid_t child = fork();
	if (child == 0) {
		struct perseus_node *mine = sim_node_open(spec_of("a100x2", ""));
		sim_node_set(mine, 0, PERSEUS_SETTING_POWER_LIMIT, 300000, 300000);
		sim_node_set(mine, 1, PERSEUS_SETTING_SM_CLOCKS, 900, 900);
		perseus_node_close(mine);
		_exit(0);
	}
	wait_for(child);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER_LIMIT), 300000);
	ck_assert_str_eq(sim_node_locked(node, 1, PERSEUS_SETTING_SM_CLOCKS, text), "900..900");
	perseus_node_close(node);
	/* It outlives all who had it open, and how it is to begin no longer matters. */
	node = sim_node_open(spec_of("a100x2", ",load=1,cap_w=200"));
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER_LIMIT), 300000);
	ck_assert_int_lt(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), 300000);
	perseus_node_close(node);
}
END_TEST

/* Nodes with files of their own are different machines. */
START_TEST(has_uuids_of_its_file)
{
	struct perseus_node *without = sim_node_open("sim:a100");
	struct perseus_node *with = sim_node_open(spec_of("a100", ""));
	struct perseus_node *again = sim_node_open(spec_of("a100", ""));
	ck_assert_str_ne(perseus_node_device(with, 0)->uuid, perseus_node_device(without, 0)->uuid);
	ck_assert_str_eq(perseus_node_device(with, 0)->uuid, perseus_node_device(again, 0)->uuid);
	perseus_node_close(again);
	perseus_node_close(with);
	perseus_node_close(without);
}
END_TEST

static void
expect_refusal(const char *spec, enum perseus_status expected, const char *message)
{
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_node_open(spec, NULL, &node, &err), expected);
	ck_assert_msg(strstr(err.message, message) != NULL, "'%s' is not in '%s'", message, err.message);
	ck_assert_ptr_null(node);
}

START_TEST(refuses_the_state_of_others)
{
	perseus_node_close(sim_node_open(spec_of("a100x2", "")));
	const char *const holds = "holds the state of 2 x NVIDIA A100-SXM4-80GB (latency_ms=10, step_ms=100), not of ";
	char message[256];
	const char *const others[][3] = {
		{"a100", "", "1 x NVIDIA A100-SXM4-80GB (latency_ms=10, step_ms=100)"},
		{"a40x2", "", "2 x NVIDIA A40 (latency_ms=10, step_ms=100)"},
		{"a100x2", ",latency_ms=5.5", "2 x NVIDIA A100-SXM4-80GB (latency_ms=5.5, step_ms=100)"},
		{"a100x2", ",step_ms=20", "2 x NVIDIA A100-SXM4-80GB (latency_ms=10, step_ms=20)"},
		{"a100x2", ",idle_w=50", "2 x NVIDIA A100-SXM4-80GB (latency_ms=10, step_ms=100) as it is now"},
	};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		(void)snprintf(message, sizeof message, "%s%s", holds, others[i][2]);
		expect_refusal(spec_of(others[i][0], others[i][1]), PERSEUS_INVALID, message);
	}
	perseus_node_close(sim_node_open(spec_of("a100x2", "")));
}
END_TEST

static void
write_at(off_t at, const void *bytes, size_t length)
{
	const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(pwrite(file, bytes, length, at), (ssize_t)length);
	ck_assert_int_eq(close(file), 0);
}

/* Where the head of a state file has what: see struct memory in sim_store.c. */
enum { AT_MAGIC = 0, AT_VERSION = 8, AT_BOOT_ID = 16 };

START_TEST(leaves_other_files_alone)
{
	const char *const text = "stage,instruction,frequency,time,energy\n";
	write_at(0, text, strlen(text));
	expect_refusal(spec_of("a100", ""), PERSEUS_INVALID, "state is no state of simulated GPUs");
	struct stat about;
	ck_assert_int_eq(stat(path, &about), 0);
	ck_assert_int_eq(about.st_size, (off_t)strlen(text));
}
END_TEST

/* So does a state whose making was cut short: what follows, or the length, tells them apart. */
START_TEST(leaves_files_alone_that_begin_with_zeros)
{
	static const char zeros[16];
	const off_t lengths[] = {64, 1 << 20};
	for (int i = 0; i < 2; i++) {
		write_at(0, zeros, sizeof zeros);
		write_at(i == 0 ? 8 : lengths[i] - 8, "precious", 8);
		ck_assert_int_eq(truncate(path, lengths[i]), 0);
		expect_refusal(spec_of("a100", ""), PERSEUS_INVALID, "state is no state of simulated GPUs");
		struct stat about;
		ck_assert_int_eq(stat(path, &about), 0);
		ck_assert_int_eq(about.st_size, lengths[i]);
	}
}
END_TEST

START_TEST(refuses_states_of_other_versions_and_parts)
{
	perseus_node_close(sim_node_open(spec_of("a100", "")));
	const uint32_t version = 99;
	const uint32_t right = 2;
	write_at(AT_VERSION, &version, sizeof version);
	expect_refusal(spec_of("a100", ""), PERSEUS_INVALID, "was made by another version of this program: remove it");
	write_at(AT_VERSION, &right, sizeof right);
	struct stat about;
	ck_assert_int_eq(stat(path, &about), 0);
	ck_assert_int_eq(truncate(path, about.st_size - 1), 0);
	expect_refusal(spec_of("a100", ""), PERSEUS_INVALID, "is cut short");
}
END_TEST

static void
set_and_close(void)
{
	struct perseus_node *node = sim_node_open(spec_of("a100", ",fault=stuck"));
	sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 900, 900);
	perseus_node_close(node);
}

static void
expect_new(void)
{
	char text[32];
	struct perseus_node *node = sim_node_open(spec_of("a100", ",load=1"));
	ck_assert_str_eq(sim_node_locked(node, 0, PERSEUS_SETTING_SM_CLOCKS, text), "free");
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), 496000);
	perseus_node_close(node);
}

/* As a driver's settings: whatever the file has is from before. */
START_TEST(begins_anew_after_a_boot)
{
	set_and_close();
	write_at(AT_BOOT_ID, "another boot", 12);
	expect_new();
}
END_TEST

/* Its maker was killed ahead of the last store. */
START_TEST(begins_anew_where_it_was_not_finished)
{
	set_and_close();
	const uint64_t unfinished = 0;
	write_at(AT_MAGIC, &unfinished, sizeof unfinished);
	expect_new();
}
END_TEST

START_TEST(says_why_a_file_cannot_be_opened)
{
	expect_refusal("sim:a100,state=/nonexistent/state", PERSEUS_IO,
			"sim: cannot open /nonexistent/state: No such file or directory");
	expect_refusal("sim:a100,state=/dev/full", PERSEUS_IO, "/dev/full");
}
END_TEST

/* Changes all that can be changed, each pair of values with a mark of its own, as fast as it can. */
static _Noreturn void
change_forever(void)
{
	struct perseus_node *node = NULL;
	if (perseus_node_open(spec_of("a100", ",latency_ms=0"), NULL, &node, NULL) != PERSEUS_OK)
		_exit(1);
	for (int64_t i = 0;; i++) {
		const int64_t clock_mhz = 210 + 15 * (i % 81);
		if (perseus_device_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, clock_mhz, clock_mhz, NULL) != PERSEUS_OK
				|| perseus__sim_load(node, 0, (double)(i % 2), NULL) != PERSEUS_OK)
			_exit(1);
	}
}

/* Two private states at time 7. */
static struct perseus__sim_store *
open_store(void)
{
	static struct perseus__sim_rules rules;
	ck_assert(perseus__sim_model_builtin("a100", &rules.model));
	rules.step_ns = SIM_NODE_MS;
	const struct perseus__sim_state first[] = {
		perseus__sim_state_new(&rules, 0, 7),
		perseus__sim_state_new(&rules, 1, 7),
	};
	const struct perseus__sim_shape shape = {.text = "two", .n_gpus = 2};
	struct perseus__sim_store *store = NULL;
	ck_assert_int_eq(perseus__sim_store_open(NULL, &shape, first, &store, NULL), PERSEUS_OK);
	return store;
}

/* A child that dies in the middle of a change of GPU 1. */
static void
die_in_change(struct perseus__sim_store *store)
{
	const pid_t child = fork();
	if (child == 0) {
		struct perseus__sim_state *state = perseus__sim_store_hold(store, 1);
		memset(state, 0xee, sizeof *state / 2);
		(void)raise(SIGKILL); /* does not return */
	}
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(is_whole_where_its_holder_dies)
{
	struct perseus__sim_store *store = open_store();
	for (int64_t i = 0; i < 3; i++) {
		die_in_change(store);
		struct perseus__sim_state *state = perseus__sim_store_hold(store, 1);
		ck_assert_int_eq(state->time_ns, 7 + i);
		ck_assert_int_eq(state->limit_mw, 500000);
		state->time_ns++;
		perseus__sim_store_keep(store, 1);
		ck_assert_int_eq(perseus__sim_store_hold(store, 0)->time_ns, 7);
		perseus__sim_store_drop(store, 0);
	}
	perseus__sim_store_close(store);
}
END_TEST

/* Nothing that one of four counts is lost to another. */
START_TEST(is_changed_by_one_at_a_time)
{
	enum { N_COUNTS = 20000, N_CHILDREN = 4 };
	struct perseus__sim_store *store = open_store();
	die_in_change(store);
	pid_t children[N_CHILDREN];
	for (int c = 0; c < N_CHILDREN; c++) {
		children[c] = fork();
		for (int i = 0; children[c] == 0 && i < N_COUNTS; i++) {
			perseus__sim_store_hold(store, 1)->time_ns++;
			perseus__sim_store_keep(store, 1);
		}
		if (children[c] == 0)
			_exit(0);
	}
	for (int c = 0; c < N_CHILDREN; c++)
		wait_for(children[c]);
	ck_assert_int_eq(perseus__sim_store_hold(store, 1)->time_ns, 7 + N_CHILDREN * N_COUNTS);
	perseus__sim_store_drop(store, 1);
	perseus__sim_store_close(store);
}
END_TEST

static pid_t
fork_writer(void)
{
	const pid_t writer = fork();
	if (writer == 0)
		change_forever();
	return writer;
}

static void
kill_9(pid_t child)
{
	int how = 0;
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &how, 0), child);
	ck_assert_msg(WIFSIGNALED(how), "it ended by itself");
}

static void
pass_time(long time_ns)
{
	const struct timespec time = {.tv_nsec = time_ns};
	(void)nanosleep(&time, NULL); /* sooner will do as well */
}

/* Both ends of the locked range, which a writer makes the same. */
static int64_t
locked_mhz(const struct perseus_node *node)
{
	int64_t low = -1;
	int64_t high = -2;
	ck_assert_int_eq(perseus__sim_locked(node, 0, PERSEUS_SETTING_SM_CLOCKS, &low, &high, NULL), PERSEUS_OK);
	ck_assert_int_eq(low, high);
	return low;
}

/* Whoever is killed, and wherever: the next finds a state that is whole, and energies that never fall. */
START_TEST(survives_kill_9)
{
	struct perseus_node *node = NULL;
	ck_assert_int_eq(perseus_node_open(spec_of("a100", ",latency_ms=0"), NULL, &node, NULL), PERSEUS_OK);
	int64_t energy_nj = 0;
	for (long i = 0; i < 150; i++) {
		const int64_t before_mhz = locked_mhz(node);
		const pid_t writers[] = {fork_writer(), fork_writer()};
		while (locked_mhz(node) == before_mhz)
			pass_time(10000);
		pass_time(7919 * (i % 50));
		kill_9(writers[0]);
		kill_9(writers[1]);
		ck_assert_int_eq(locked_mhz(node) % 15, 0);
		const int64_t now_nj = sim_node_true_nj(node, 0);
		ck_assert_int_ge(now_nj, energy_nj);
		energy_nj = now_nj;
	}
	perseus_node_close(node);
}
END_TEST

/* A file whose maker was killed is whole, or begun anew by the next. */
START_TEST(survives_kill_9_of_its_maker)
{
	for (long i = 0; i < 150; i++) {
		const pid_t maker = fork_writer();
		pass_time(4000 * (i % 75));
		kill_9(maker);
		struct perseus_node *node = sim_node_open(spec_of("a100", ",latency_ms=0"));
		ck_assert_int_eq(locked_mhz(node) % 15, 0);
		perseus_node_close(node);
		ck_assert_int_eq(unlink(path), 0);
	}
}
END_TEST

/* What several threads do with one node. */
struct work {
	const struct perseus_node *node;
	atomic_int n_failed;
};

static void *
set_often(void *user)
{
	struct work *work = user;
	for (int i = 0; i < 2000; i++) {
		const int64_t clock_mhz = 210 + 15 * (i % 81);
		enum perseus_status status =
				perseus_device_set(work->node, 0, PERSEUS_SETTING_SM_CLOCKS, clock_mhz, clock_mhz, NULL);
		status |= perseus__sim_load(work->node, 0, (double)(i % 2), NULL);
		status |= perseus_device_reset(work->node, 0, PERSEUS_SETTING_POWER_LIMIT, NULL);
		atomic_fetch_add(&work->n_failed, status != PERSEUS_OK);
	}
	return NULL;
}

static void *
read_often(void *user)
{
	struct work *work = user;
	int64_t last_nj = 0;
	for (int i = 0; i < 2000; i++) {
		int64_t low = 0;
		int64_t high = 1;
		int64_t energy_nj = 0;
		int64_t power_mw = 0;
		enum perseus_status status = perseus__sim_locked(work->node, 0, PERSEUS_SETTING_SM_CLOCKS, &low, &high, NULL);
		status |= perseus__sim_true_energy(work->node, 0, &energy_nj, NULL);
		status |= perseus_device_read(work->node, 0, PERSEUS_QUANTITY_POWER, &power_mw, NULL);
		atomic_fetch_add(&work->n_failed, status != PERSEUS_OK || low != high || energy_nj < last_nj);
		last_nj = energy_nj;
	}
	return NULL;
}

START_TEST(is_shared_by_threads)
{
	struct perseus_node *node = NULL;
	ck_assert_int_eq(perseus_node_open("sim:a100", NULL, &node, NULL), PERSEUS_OK);
	struct work work = {.node = node};
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, i < 2 ? set_often : read_often, &work), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(atomic_load(&work.n_failed), 0);
	perseus_node_close(node);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sim_shared");
	TCase *tcase = tcase_create("sim_shared");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, make_directory, remove_directory);
	tcase_add_test(tcase, is_shared_with_children);
	tcase_add_test(tcase, is_shared_by_a_file);
	tcase_add_test(tcase, has_uuids_of_its_file);
	tcase_add_test(tcase, refuses_the_state_of_others);
	tcase_add_test(tcase, leaves_other_files_alone);
	tcase_add_test(tcase, leaves_files_alone_that_begin_with_zeros);
	tcase_add_test(tcase, refuses_states_of_other_versions_and_parts);
	tcase_add_test(tcase, begins_anew_after_a_boot);
	tcase_add_test(tcase, begins_anew_where_it_was_not_finished);
	tcase_add_test(tcase, says_why_a_file_cannot_be_opened);
	tcase_add_test(tcase, is_whole_where_its_holder_dies);
	tcase_add_test(tcase, is_changed_by_one_at_a_time);
	tcase_add_test(tcase, survives_kill_9);
	tcase_add_test(tcase, survives_kill_9_of_its_maker);
	tcase_add_test(tcase, is_shared_by_threads);
	return run_suite(suite);
}
