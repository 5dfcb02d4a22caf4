/* Work of simulated GPUs, by a clock that the tests turn, and by the system's. */
#include "base/clock.h"
#include "device/sim.h"
#include "random.h"
#include "sim_node.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t MS = SIM_NODE_MS;

/* By the model, of the A100: 496 W busy at 1410 MHz, 83.64 W blocking; slowdown 0.131 + 0.869 · 1410/f. */
static const int64_t BUSY_MW = 496000;
static const int64_t BLOCKING_MW = 83640;

static void
start(const struct perseus_node *node, double load, int64_t work_ns)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__sim_start(node, 0, load, work_ns, &err) == PERSEUS_OK, "%s", err.message);
}

static void
slow(const struct perseus_node *node, double slowness)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__sim_slow(node, 0, slowness, &err) == PERSEUS_OK, "%s", err.message);
}

/* When it ends, after sim_node_time_ns; -1: it is done. */
static int64_t
ends_in_ns(const struct perseus_node *node)
{
	bool is_done = false;
	int64_t end_ns = 0;
	ck_assert_int_eq(perseus__sim_work_end(node, 0, &is_done, &end_ns, NULL), PERSEUS_OK);
	return is_done ? -1 : end_ns - sim_node_time_ns;
}

START_TEST(blocks_when_it_is_done)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	ck_assert_int_eq(ends_in_ns(node), -1);
	const int64_t before_nj = sim_node_true_nj(node, 0);
	start(node, 1, 30 * MS);
	ck_assert_int_eq(ends_in_ns(node), 30 * MS);
	sim_node_time_ns += 29 * MS;
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), BUSY_MW);
	ck_assert_int_eq(ends_in_ns(node), MS);
	sim_node_time_ns += 71 * MS; /* nobody looked at the moment it ended */
	ck_assert_int_eq(ends_in_ns(node), -1);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), BLOCKING_MW);
	ck_assert_int_eq(sim_node_true_nj(node, 0) - before_nj, BUSY_MW * 30000 + BLOCKING_MW * 70000);
	perseus_node_close(node);
}
END_TEST

/* Asked for at 10 ms, in effect at 20: a third is left, which takes 0.131 + 0.869 · 2 times as long. */
START_TEST(follows_the_clock)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	start(node, 1, 30 * MS);
	sim_node_time_ns += 10 * MS;
	sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 705, 705);
	const int64_t left_ns = 10 * MS + 18690000;
	ck_assert_int_le(llabs(ends_in_ns(node) - left_ns), 1);
	sim_node_time_ns += left_ns - 2;
	ck_assert_int_gt(ends_in_ns(node), 0);
	sim_node_time_ns += 4;
	ck_assert_int_eq(ends_in_ns(node), -1);
	perseus_node_close(node);
}
END_TEST

START_TEST(takes_longer_where_it_is_slowed)
{
	struct perseus_node *node = sim_node_open("sim:a100,latency_ms=0");
	start(node, 0.5, 20 * MS);
	slow(node, 1.5);
	ck_assert_int_eq(ends_in_ns(node), 30 * MS);
	sim_node_time_ns += 15 * MS;
	slow(node, 1);
	ck_assert_int_eq(ends_in_ns(node), 10 * MS);
	slow(node, 2);
	sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 705, 705);
	ck_assert_int_le(llabs(ends_in_ns(node) - 37380000), 1);
	double slowdown = 0;
	ck_assert_int_eq(perseus__sim_slowdown(node, 0, &slowdown, NULL), PERSEUS_OK);
	ck_assert_double_eq_tol(slowdown, 2 * (0.131 + 0.869 * 2), 1e-12);
	/* The power is that of the clock all the same. */
	const int64_t power_mw = sim_node_read(node, 0, PERSEUS_QUANTITY_POWER);
	slow(node, 1);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), power_mw);
	perseus_node_close(node);
}
END_TEST

START_TEST(gives_way_to_other_loads)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	start(node, 1, 30 * MS);
	sim_node_load(node, 0, 0.5);
	ck_assert_int_eq(ends_in_ns(node), -1);
	sim_node_time_ns += 100 * MS;
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), 62120 + (496000 - 62120) / 2);
	start(node, 1, 30 * MS);
	start(node, 1, 5 * MS);
	ck_assert_int_eq(ends_in_ns(node), 5 * MS);
	start(node, 1, 0);
	ck_assert_int_eq(ends_in_ns(node), -1);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), BLOCKING_MW);
	perseus_node_close(node);
}
END_TEST

/* Changes at whole ms, and the latency is one: what each ms gets done is told by the slowdown at its beginning. */
START_TEST(is_the_integral_of_speed)
{
	uint64_t seed = (uint64_t)_i;
	struct perseus_node *node = sim_node_open("sim:a40,latency_ms=1");
	const int64_t work_ns = (1 + random_below(&seed, 100)) * MS;
	start(node, 1, work_ns);
	double left_ns = (double)work_ns;
	while (ends_in_ns(node) > 0) {
		const int64_t clock_mhz = 210 + 15 * (int64_t)random_below(&seed, 103);
		if (random_below(&seed, 3) == 0)
			sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, clock_mhz, clock_mhz);
		if (random_below(&seed, 9) == 0)
			slow(node, 1 + (double)random_below(&seed, 8) / 8);
		double slowdown = 0;
		ck_assert_int_eq(perseus__sim_slowdown(node, 0, &slowdown, NULL), PERSEUS_OK);
		const double end_ns = left_ns * slowdown;
		if (end_ns < (double)MS) /* a change later than that is not awaited */
			ck_assert_double_eq_tol((double)ends_in_ns(node), end_ns, 2);
		sim_node_time_ns += MS;
		left_ns -= (double)MS / slowdown;
	}
	ck_assert_double_le(left_ns, 1e-3);
	perseus_node_close(node);
}
END_TEST

/* How it is at one clock all the time is what the truth says of it. */
START_TEST(is_what_the_truth_says)
{
	struct perseus_node *node = sim_node_open("sim:a100,latency_ms=0");
	const struct perseus__sim_work work = {.clock_mhz = 900, .load = 0.75, .work_ns = 17 * MS};
	int64_t time_ns = 0;
	int64_t energy_nj = 0;
	ck_assert_int_eq(perseus__sim_truth(node, 0, &work, &time_ns, &energy_nj, NULL), PERSEUS_OK);
	ck_assert_double_eq_tol((double)time_ns, 17e6 * (0.131 + 0.869 * 1410 / 900), 1);
	sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 900, 900);
	const int64_t before_nj = sim_node_true_nj(node, 0);
	start(node, work.load, work.work_ns);
	ck_assert_int_le(llabs(ends_in_ns(node) - time_ns), 1);
	sim_node_time_ns += time_ns;
	ck_assert_double_eq_tol(
			(double)(sim_node_true_nj(node, 0) - before_nj), (double)energy_nj, 1000); /* 1 ns of 500 W */
	perseus_node_close(node);
}
END_TEST

START_TEST(refuses_work_that_is_none)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	struct perseus_error err = {.message = ""};
	const double loads[] = {1.01, -1, NAN, INFINITY};
	for (size_t i = 0; i < sizeof loads / sizeof *loads; i++)
		ck_assert_int_eq(perseus__sim_start(node, 0, loads[i], MS, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__sim_run(node, 0, 1, -1, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "work of -1 ns is not within an hour");
	ck_assert_int_eq(perseus__sim_start(node, 0, 1, INT64_MAX, &err), PERSEUS_INVALID);
	const double slownesses[] = {0.99, 0, 1001, NAN, INFINITY};
	for (size_t i = 0; i < sizeof slownesses / sizeof *slownesses; i++)
		ck_assert_int_eq(perseus__sim_slow(node, 0, slownesses[i], &err), PERSEUS_INVALID);
	struct perseus__sim_work work = {.clock_mhz = 901, .load = 1, .work_ns = MS};
	int64_t time_ns;
	int64_t energy_nj;
	ck_assert_int_eq(perseus__sim_truth(node, 0, &work, &time_ns, &energy_nj, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "the GPU has no clock of 901 MHz");
	work.clock_mhz = 195;
	ck_assert_int_eq(perseus__sim_truth(node, 0, &work, &time_ns, &energy_nj, &err), PERSEUS_INVALID);
	ck_assert_int_eq(ends_in_ns(node), -1);
	perseus_node_close(node);
}
END_TEST

/* Runs work by the system's clock on a GPU that another thread slows and sets. */
struct run {
	const struct perseus_node *node;
	int64_t began_ns;
	int64_t ended_ns;
	atomic_bool is_over;
};

static void *
run(void *user)
{
	struct run *run = user;
	run->began_ns = perseus__clock_mono_ns();
	const enum perseus_status status = perseus__sim_run(run->node, 0, 1, 40 * MS, NULL);
	run->ended_ns = perseus__clock_mono_ns();
	atomic_store(&run->is_over, true);
	return status == PERSEUS_OK ? run : NULL;
}

/* Changes that come while it waits count; it returns when the work is done, not before. */
START_TEST(is_waited_for)
{
	struct perseus_node *node = NULL;
	ck_assert_int_eq(perseus_node_open("sim:a100,latency_ms=1", NULL, &node, NULL), PERSEUS_OK);
	struct run work = {.node = node};
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, run, &work), 0);
	while (!atomic_load(&work.is_over)) {
		slow(node, 2);
		sim_node_set(node, 0, PERSEUS_SETTING_SM_CLOCKS, 705, 705);
		const struct timespec nap = {.tv_nsec = 1000000};
		(void)nanosleep(&nap, NULL); /* sooner will do as well */
	}
	void *result = NULL;
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, &work);
	ck_assert_int_ge(work.ended_ns - work.began_ns, 40 * MS);
	bool is_done = false;
	int64_t end_ns = 0;
	ck_assert_int_eq(perseus__sim_work_end(node, 0, &is_done, &end_ns, NULL), PERSEUS_OK);
	ck_assert(is_done);
	ck_assert_int_eq(sim_node_read(node, 0, PERSEUS_QUANTITY_POWER), BLOCKING_MW);
	perseus_node_close(node);
}
END_TEST

static void *
turn_the_clock(void *user)
{
	atomic_bool *is_over = user;
	while (!atomic_load(is_over)) {
		(void)__atomic_add_fetch(&sim_node_time_ns, MS, __ATOMIC_RELAXED);
		const struct timespec nap = {.tv_nsec = 10000};
		(void)nanosleep(&nap, NULL); /* sooner will do as well */
	}
	return NULL;
}

START_TEST(is_waited_for_by_any_clock)
{
	struct perseus_node *node = sim_node_open("sim:a100");
	atomic_bool is_over = false;
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, turn_the_clock, &is_over), 0);
	const int64_t began_ns = __atomic_load_n(&sim_node_time_ns, __ATOMIC_RELAXED);
	ck_assert_int_eq(perseus__sim_run(node, 0, 1, 500 * MS, NULL), PERSEUS_OK);
	ck_assert_int_ge(__atomic_load_n(&sim_node_time_ns, __ATOMIC_RELAXED) - began_ns, 500 * MS);
	atomic_store(&is_over, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	perseus_node_close(node);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sim_work");
	TCase *tcase = tcase_create("sim_work");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, blocks_when_it_is_done);
	tcase_add_test(tcase, follows_the_clock);
	tcase_add_test(tcase, takes_longer_where_it_is_slowed);
	tcase_add_test(tcase, gives_way_to_other_loads);
	tcase_add_loop_test(tcase, is_the_integral_of_speed, 0, 50);
	tcase_add_test(tcase, is_what_the_truth_says);
	tcase_add_test(tcase, refuses_work_that_is_none);
	tcase_add_test(tcase, is_waited_for);
	tcase_add_test(tcase, is_waited_for_by_any_clock);
	return run_suite(suite);
}
