/* The meter over simulated GPUs: on a clock that the test turns, with its own thread, and out of memory. */
#include "device/sim.h"
#include "meter/meter_internal.h"
#include "random.h"
#include "suite.h"
#include "torture.h"

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define SECOND INT64_C(1000000000)

enum { N_GPUS = 2 };

static int64_t virtual_ns;

static int64_t
read_virtual(void *user)
{
	(void)user;
	return virtual_ns;
}

/* With a clock that the test turns, or the system's. */
static struct perseus_node *
open_node(const char *spec, bool is_virtual)
{
	const struct perseus_node_settings settings = {.now_ns = read_virtual};
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	virtual_ns = 1000 * SECOND;
	ck_assert_msg(perseus_node_open(spec, is_virtual ? &settings : NULL, &node, &err) == PERSEUS_OK, "%s", err.message);
	return node;
}

static struct perseus_meter *
new_manual(const struct perseus_node *node)
{
	struct perseus_meter *meter = NULL;
	ck_assert_int_eq(perseus__meter_new_manual(node, NULL, &meter, NULL), PERSEUS_OK);
	return meter;
}

/* Lets the meter's thread do what it would until `at_ns`; returns when it would do more. */
static int64_t
run_until(struct perseus_meter *meter, int64_t due_ns, int64_t at_ns)
{
	while (due_ns <= at_ns) {
		virtual_ns = virtual_ns > due_ns ? virtual_ns : due_ns;
		due_ns = perseus__meter_step(meter);
	}
	virtual_ns = at_ns;
	return due_ns;
}

static double
true_j(const struct perseus_node *node, int32_t device)
{
	int64_t energy_nj = 0;
	ck_assert_int_eq(perseus__sim_true_energy(node, device, &energy_nj, NULL), PERSEUS_OK);
	return (double)energy_nj / 1e9;
}

struct window {
	int64_t id;
	int64_t end_ns;
	double begin_j[N_GPUS]; /* in truth */
};

static struct window
begin(struct perseus_meter *meter, int64_t time_ns)
{
	struct window window = {.end_ns = virtual_ns + time_ns};
	ck_assert_int_eq(perseus_meter_begin(meter, "w", &window.id, NULL), PERSEUS_OK);
	for (int32_t i = 0; i < N_GPUS; i++)
		window.begin_j[i] = true_j(meter->node, i);
	return window;
}

static const char *const load_names[] = {"constant", "stepping", "random", "training"};

/* The load of a GPU from now on, and how long it stays; changes come less often than samples. */
static double
next_load(int kind, int n, uint64_t *state, int64_t *hold_ns)
{
	*hold_ns = (kind == 1 ? 2000 + random_below(state, 2000) : 120 + random_below(state, 400)) * MS;
	const double share = (double)random_below(state, 1000) / 1000;
	switch (kind) {
	case 0:
		*hold_ns = 1000 * SECOND;
		return 0.8;
	case 1:
		return n % 2;
	case 2:
		return share;
	default:
		return random_below(state, 10) == 0 ? PERSEUS__SIM_BLOCKING : 0.6 + 0.4 * share;
	}
}

struct tally {
	int n;
	int n_long;
	double worst_long;
	double sum_long_bar;
};

static void
end(struct perseus_meter *meter, const struct window *window, struct tally *tally)
{
	struct perseus_window_result result;
	struct perseus_reading readings[N_GPUS];
	ck_assert_int_eq(perseus_meter_end(meter, window->id, &result, readings, NULL), PERSEUS_OK);
	for (int32_t i = 0; i < N_GPUS; i++) {
		const double truth_j = true_j(meter->node, i) - window->begin_j[i];
		const double off_j = fabs(readings[i].energy_j - truth_j);
		ck_assert_msg(off_j <= readings[i].error_j + 1e-6, "%.6f s by %s: %.6f J +- %.6f J, in truth %.6f J",
				(double)result.time_ns / 1e9, perseus_method_name(readings[i].method), readings[i].energy_j,
				readings[i].error_j, truth_j);
		tally->n++;
		if (result.time_ns < 5 * SECOND)
			continue;
		tally->n_long++;
		tally->worst_long = fmax(tally->worst_long, off_j / truth_j);
		tally->sum_long_bar += readings[i].error_j / truth_j;
	}
}

/* Log-uniform from 1 ms to 60 s. */
static int64_t
random_time_ns(uint64_t *state)
{
	return (int64_t)(1e6 * pow(60e3, (double)random_below(state, 1u << 20) / (1 << 20)));
}

/* Windows of every length over loads of every kind: the truth lies within the bar, from 5 s on within 1 %. */
START_TEST(truth_lies_within_the_bar)
{
	enum { N_OPEN = 4 };
	struct tally tally = {0};
	uint64_t state = 100 + (uint64_t)_i;
	struct perseus_node *node = open_node("sim:a100x2", true);
	struct perseus_meter *meter = new_manual(node);
	int64_t due_ns = run_until(meter, virtual_ns, virtual_ns + 250 * MS);
	int64_t change_ns = virtual_ns;
	struct window open[N_OPEN];
	for (int i = 0; i < N_OPEN; i++)
		open[i] = begin(meter, random_time_ns(&state));
	for (int n = 0; virtual_ns < 2000 * SECOND;) {
		int first = 0;
		for (int i = 1; i < N_OPEN; i++)
			first = open[i].end_ns < open[first].end_ns ? i : first;
		if (change_ns <= open[first].end_ns) {
			due_ns = run_until(meter, due_ns, change_ns);
			int64_t hold_ns = 0;
			const double load = next_load(_i, n++, &state, &hold_ns);
			for (int32_t i = 0; i < N_GPUS; i++)
				ck_assert_int_eq(perseus__sim_load(node, i, load, NULL), PERSEUS_OK);
			change_ns = virtual_ns + hold_ns;
			continue;
		}
		due_ns = run_until(meter, due_ns, open[first].end_ns);
		end(meter, &open[first], &tally);
		open[first] = begin(meter, random_time_ns(&state));
	}
	printf("# %-9s %d windows within the bar; %d of 5 s and more: at most %.3f %% off, bar %.2f %%\n", load_names[_i],
			tally.n, tally.n_long, 100 * tally.worst_long, 100 * tally.sum_long_bar / tally.n_long);
	ck_assert_double_le(tally.worst_long, 0.01);
	perseus_meter_free(meter);
	perseus_node_close(node);
}
END_TEST

static const struct {
	enum perseus__sim_fault fault;
	enum perseus_method method;
	const char *reason; /* part of it */
} faults[] = {
	{PERSEUS__SIM_FAULT_LOST, PERSEUS_METHOD_NONE, "lost"},
	{PERSEUS__SIM_FAULT_DENIED, PERSEUS_METHOD_COUNTER, ""}, /* of settings alone */
	{PERSEUS__SIM_FAULT_STUCK, PERSEUS_METHOD_POWER, "stood still"},
	{PERSEUS__SIM_FAULT_NO_POWER, PERSEUS_METHOD_COUNTER, ""},
	{PERSEUS__SIM_FAULT_NO_COUNTER, PERSEUS_METHOD_POWER, "energy"},
};

START_TEST(faults_of_simulated_gpus)
{
	struct perseus_node *node = open_node("sim:a100x2", true);
	struct perseus_meter *meter = new_manual(node);
	int64_t due_ns = run_until(meter, virtual_ns, virtual_ns + SECOND);
	ck_assert_int_eq(perseus__sim_fault(node, 0, faults[_i].fault, true, NULL), PERSEUS_OK);
	due_ns = run_until(meter, due_ns, virtual_ns + SECOND);
	const struct window window = begin(meter, 0);
	(void)run_until(meter, due_ns, virtual_ns + 5 * SECOND);
	struct perseus_window_result result;
	struct perseus_reading readings[N_GPUS];
	ck_assert_int_eq(perseus_meter_end(meter, window.id, &result, readings, NULL), PERSEUS_OK);
	ck_assert_int_eq(readings[0].method, faults[_i].method);
	ck_assert_msg(strstr(readings[0].reason, faults[_i].reason), "%s", readings[0].reason);
	ck_assert_int_eq(readings[1].method, PERSEUS_METHOD_COUNTER);
	for (int32_t i = 0; i < N_GPUS; i++) {
		const double truth_j = true_j(node, i) - window.begin_j[i];
		if (readings[i].method != PERSEUS_METHOD_NONE)
			ck_assert_double_le(fabs(readings[i].energy_j - truth_j), readings[i].error_j);
	}
	perseus_meter_free(meter);
	perseus_node_close(node);
}
END_TEST

/* ---------------------------------------------------------------- the meter's own thread */

enum { N_THREADS = 4, N_WINDOWS = 300 };

static void
sleep_ms(long ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	(void)nanosleep(&time, NULL);
}

static void *
begin_and_end(void *user)
{
	struct perseus_meter *meter = user;
	struct perseus_window_result result;
	struct perseus_reading readings[N_GPUS];
	int64_t outer = 0;
	if (perseus_meter_begin(meter, "outer", &outer, NULL) != PERSEUS_OK)
		return meter;
	for (int i = 0; i < N_WINDOWS; i++) {
		int64_t inner = 0;
		if (perseus_meter_begin(meter, "inner", &inner, NULL) != PERSEUS_OK)
			return meter;
		if (i % 10 == 0)
			sleep_ms(1);
		if (i % 7 == 0)
			perseus_meter_drop(meter, inner);
		else if (perseus_meter_end(meter, inner, &result, readings, NULL) != PERSEUS_OK || result.depth < 1)
			return meter;
	}
	const bool is_done = perseus_meter_end(meter, outer, &result, readings, NULL) == PERSEUS_OK
			&& readings[0].method != PERSEUS_METHOD_NONE;
	return is_done ? NULL : meter;
}

START_TEST(threads_begin_and_end_at_once)
{
	struct perseus_node *node = open_node("sim:a100x2", false);
	struct perseus_meter *meter = NULL;
	ck_assert_int_eq(perseus_meter_new(node, NULL, &meter, NULL), PERSEUS_OK);
	pthread_t threads[N_THREADS];
	for (int i = 0; i < N_THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, begin_and_end, meter), 0);
	for (int i = 0; i < N_THREADS; i++) {
		void *failed = meter;
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	ck_assert_int_eq(meter->windows.n_open, 0);
	perseus_meter_free(meter);
	perseus_node_close(node);
}
END_TEST

static void
count_sample(void *user, int64_t time_ns, const struct perseus_sample *samples, int32_t n_samples)
{
	(void)time_ns;
	(void)samples;
	(void)n_samples;
	atomic_fetch_add((atomic_int *)user, 1);
}

/* Whether a window of 300 ms is read by the counter: not where the thread got no time while the counter stepped. */
static bool
is_read_well(struct perseus_meter *meter)
{
	int64_t window = 0;
	ck_assert_int_eq(perseus_meter_begin(meter, "w", &window, NULL), PERSEUS_OK);
	sleep_ms(300);
	struct perseus_window_result result;
	struct perseus_reading readings[N_GPUS];
	ck_assert_int_eq(perseus_meter_end(meter, window, &result, readings, NULL), PERSEUS_OK);
	return readings[0].method == PERSEUS_METHOD_COUNTER && readings[0].error_j < readings[0].energy_j / 4;
}

/*
 * The thread samples, takes no signal (this one would end the process), knows when the counters step before the meter
 * is handed out, and stops at once.
 */
START_TEST(the_thread_keeps_to_itself)
{
	struct perseus_node *node = open_node("sim:a100x2", false);
	atomic_int n_samples = 0;
	const struct perseus_meter_settings settings = {
		.sample_period_ns = 20 * MS, .on_samples = count_sample, .user = &n_samples};
	struct perseus_meter *meter = NULL;
	ck_assert_int_eq(perseus_meter_new(node, &settings, &meter, NULL), PERSEUS_OK);
	sigset_t only; /* this thread does not take it either */
	(void)sigemptyset(&only);
	(void)sigaddset(&only, SIGUSR1);
	ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &only, NULL), 0);
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	bool is_well = false;
	for (int i = 0; i < 10 && !is_well; i++)
		is_well = is_read_well(meter);
	ck_assert(is_well);
	ck_assert_int_ge(atomic_load(&n_samples), 3); /* 15 on a machine that has time */
	struct timespec began, ended;
	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	perseus_meter_free(meter);
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	ck_assert_double_lt((double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9, 5);
	perseus_node_close(node);
}
END_TEST

START_TEST(no_device_is_no_error)
{
	const struct perseus_node_settings nowhere = {.visible_gpus = "", .rapl_root = "/nonexistent"};
	struct perseus_node *node = NULL;
	struct perseus_meter *meter = NULL;
	ck_assert_int_eq(perseus_node_open("auto", &nowhere, &node, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus_node_n_devices(node), 0);
	ck_assert_int_eq(perseus_meter_new(node, NULL, &meter, NULL), PERSEUS_OK);
	int64_t window = 0;
	struct perseus_window_result result;
	ck_assert_int_eq(perseus_meter_begin(meter, "w", &window, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus_meter_end(meter, window, &result, NULL, NULL), PERSEUS_OK);
	ck_assert_int_eq(result.n_readings, 0);
	perseus_meter_free(meter);
	perseus_node_close(node);
}
END_TEST

/* ---------------------------------------------------------------- out of memory */

static struct perseus_node *torture_node;
static struct perseus_meter *torture_meter;

static enum perseus_status
make_meter(void **out, struct perseus_error *err)
{
	struct perseus_meter *meter = *out;
	const enum perseus_status status = perseus__meter_new_manual(torture_node, NULL, &meter, err);
	*out = meter;
	return status;
}

static void
free_meter(void *meter)
{
	perseus_meter_free(meter);
}

/* One window more than there is room for at first. */
static enum perseus_status
make_window(void **out, struct perseus_error *err)
{
	int64_t window = 0;
	const enum perseus_status status = perseus_meter_begin(torture_meter, "w", &window, err);
	if (status == PERSEUS_OK)
		*out = torture_meter;
	return status;
}

static void
leave_window(void *meter)
{
	(void)meter;
}

START_TEST(out_of_memory)
{
	static const struct torture_scenario meters = {"meter", make_meter, free_meter};
	static const struct torture_scenario windows = {"window", make_window, leave_window};
	const enum failing_alloc_mode mode = _i == 0 ? FAILING_ALLOC_ONE : FAILING_ALLOC_REST;
	torture_node = open_node("sim:a100x2", true);
	torture_run(&meters, mode);
	torture_meter = new_manual(torture_node);
	for (int i = 0; i < PERSEUS__FIRST_BLOCK; i++)
		(void)begin(torture_meter, 0);
	torture_run(&windows, mode);
	perseus_meter_free(torture_meter);
	perseus_node_close(torture_node);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("meter_sim");
	TCase *tcase = tcase_create("meter_sim");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, truth_lies_within_the_bar, 0, sizeof load_names / sizeof *load_names);
	tcase_add_loop_test(tcase, faults_of_simulated_gpus, 0, sizeof faults / sizeof *faults);
	tcase_add_test(tcase, threads_begin_and_end_at_once);
	tcase_add_test(tcase, the_thread_keeps_to_itself);
	tcase_add_test(tcase, no_device_is_no_error);
	tcase_add_loop_test(tcase, out_of_memory, 0, 2);
	return run_suite(suite);
}
