/* Energy windows on scripted GPUs: what is true is known, and so is what the readings can tell of it. */
#include "meter/meter_internal.h"
#include "random.h"
#include "scripted_gpu.h"
#include "suite.h"

#include <perseus/meter.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MS INT64_C(1000000)
#define SECOND INT64_C(1000000000)

enum { MAX_GPUS = 8 };

/* A meter over scripted GPUs, driven by hand. */
static struct {
	int64_t now_ns;
	int64_t due_ns;
	struct scripted_gpu gpus[MAX_GPUS];
	struct perseus_node *node;
	struct perseus_meter *meter;
	struct perseus_window_result result;
	struct perseus_reading readings[MAX_GPUS];
} rig;

/* A GPU like an H100: 300 W, a counter that steps every 100 ms, reads that take no time. */
static struct scripted_gpu *
gpu(int32_t i)
{
	struct scripted_gpu *gpu = &rig.gpus[i];
	memset(gpu, 0, sizeof *gpu);
	*gpu = (struct scripted_gpu){.step_ns = 100 * MS, .documented_ns = 100 * MS, .phase_ns = 900 * SECOND + 37 * MS};
	scripted_load(gpu, 900 * SECOND, 300000);
	return gpu;
}

static void
begin_rig(int32_t n)
{
	rig.now_ns = rig.due_ns = 1000 * SECOND;
	rig.node = scripted_node(rig.gpus, n, &rig.now_ns);
	struct perseus_error err;
	ck_assert_msg(perseus__meter_new_manual(rig.node, NULL, &rig.meter, &err) == PERSEUS_OK, "%s", err.message);
}

static void
end_rig(void)
{
	perseus_meter_free(rig.meter);
	perseus_node_close(rig.node);
}

/* Lets the meter's thread do what it would until `at_ns`. */
static void
run_until(int64_t at_ns)
{
	while (rig.due_ns <= at_ns) {
		rig.now_ns = rig.now_ns > rig.due_ns ? rig.now_ns : rig.due_ns;
		rig.due_ns = perseus__meter_step(rig.meter);
	}
	rig.now_ns = rig.now_ns > at_ns ? rig.now_ns : at_ns;
}

static void
run_for(int64_t time_ns)
{
	run_until(rig.now_ns + time_ns);
}

static int64_t
begin(void)
{
	int64_t window = 0;
	ck_assert_int_eq(perseus_meter_begin(rig.meter, "window", &window, NULL), PERSEUS_OK);
	ck_assert_int_gt(window, 0);
	return window;
}

static void
end(int64_t window)
{
	struct perseus_error err;
	ck_assert_msg(
			perseus_meter_end(rig.meter, window, &rig.result, rig.readings, &err) == PERSEUS_OK, "%s", err.message);
}

static double
true_j(int32_t device)
{
	const int64_t end_ns = rig.result.begin_ns + rig.result.time_ns;
	return scripted_energy_j(&rig.gpus[device], end_ns) - scripted_energy_j(&rig.gpus[device], rig.result.begin_ns);
}

static double
off_j(int32_t device)
{
	return fabs(rig.readings[device].energy_j - true_j(device));
}

static bool
is_honest(int32_t device)
{
	return off_j(device) <= rig.readings[device].error_j + 1e-9; /* of rounding */
}

/* The truth lies within the bar. */
static void
check_honest(int32_t device, const char *what)
{
	const struct perseus_reading *reading = &rig.readings[device];
	ck_assert_msg(reading->method != PERSEUS_METHOD_NONE, "%s: %s", what, reading->reason);
	ck_assert_msg(is_honest(device), "%s, %.6f s by %s: %.6f J +- %.6f J, in truth %.6f J", what,
			(double)rig.result.time_ns / 1e9, perseus_method_name(reading->method), reading->energy_j, reading->error_j,
			true_j(device));
}

/* ---------------------------------------------------------------- */

static const struct {
	const char *name;
	int64_t step_ms;
	int64_t read_us;
	int64_t time_ms;
	enum perseus_method method;
	double error_j; /* at most */
} constant[] = {
	{"1 ms of a GPU", 100, 0, 1, PERSEUS_METHOD_POWER, 1e-5},
	{"99 ms of a GPU", 100, 0, 99, PERSEUS_METHOD_POWER, 1e-3},
	{"1 s of a GPU", 100, 0, 1000, PERSEUS_METHOD_COUNTER, 3.5},
	{"5 s of a GPU", 100, 0, 5000, PERSEUS_METHOD_COUNTER, 3.5},
	{"60 s of a GPU", 100, 0, 60000, PERSEUS_METHOD_COUNTER, 3.5},
	{"1 s of a GPU, slow to read", 100, 3600, 1000, PERSEUS_METHOD_COUNTER, 7},
	{"5 s of a GPU, slow to read", 100, 3600, 5000, PERSEUS_METHOD_COUNTER, 7},
	{"5 s of a counter that steps every ms", 1, 0, 5000, PERSEUS_METHOD_COUNTER, 1},
	{"1 ms of a counter that steps every ms", 1, 0, 1, PERSEUS_METHOD_COUNTER, 0.7},
	{"5 s of a counter that steps every 20 ms", 20, 0, 5000, PERSEUS_METHOD_COUNTER, 8},
};

START_TEST(constant_power)
{
	struct scripted_gpu *made = gpu(0);
	made->documented_ns = made->step_ns = constant[_i].step_ms * MS;
	made->read_ns = constant[_i].read_us * 1000;
	begin_rig(1);
	run_for(2 * SECOND + 123457);
	const int64_t window = begin();
	run_for(constant[_i].time_ms * MS);
	end(window);
	check_honest(0, constant[_i].name);
	const struct perseus_reading *reading = &rig.readings[0];
	printf("# %s: %.4f J +- %.4f J by %s\n", constant[_i].name, reading->energy_j, reading->error_j,
			perseus_method_name(reading->method));
	ck_assert_int_eq(reading->method, constant[_i].method);
	ck_assert_msg(reading->error_j <= constant[_i].error_j, "%s: +- %g J", constant[_i].name, reading->error_j);
	ck_assert(reading->has_average_power && reading->has_peak_power);
	ck_assert_double_eq_tol(reading->average_power_w, reading->energy_j / ((double)rig.result.time_ns / 1e9), 1e-9);
	ck_assert_double_eq(reading->peak_power_w, 300);
	ck_assert_str_eq(reading->reason, "");
	end_rig();
}
END_TEST

/* A driver shows power up to 100 ms late: what has begun since the last time it looked is in no reading. */
static const struct {
	const char *name;
	int64_t before_mw;
	int64_t after_mw;
	int64_t time_ms;
	double error_j; /* at most */
} jumps[] = {
	{"idle, then busy for 20 ms", 145000, 700000, 20, 12},
	{"idle, then busy for 5 ms", 145000, 700000, 5, 3},
	{"busy, then idle for 20 ms", 700000, 70000, 20, 15},
};

START_TEST(unseen_jumps_are_left_open)
{
	struct scripted_gpu *made = gpu(0);
	made->n_loads = 0;
	scripted_load(made, 900 * SECOND, jumps[_i].before_mw);
	scripted_load(made, 1003 * SECOND + 10 * MS, jumps[_i].after_mw);
	made->refresh_ns = 100 * MS;
	made->limit_mw = 700000;
	begin_rig(1);
	run_until(1003 * SECOND + 10 * MS);
	const int64_t window = begin();
	run_for(jumps[_i].time_ms * MS);
	end(window);
	ck_assert_int_eq(rig.readings[0].method, PERSEUS_METHOD_POWER);
	check_honest(0, jumps[_i].name);
	ck_assert_msg(rig.readings[0].error_j <= jumps[_i].error_j, "%s: +- %g J", jumps[_i].name, rig.readings[0].error_j);
	end_rig();
}
END_TEST

/* ---------------------------------------------------------------- */

enum { N_OPEN = 4 };

struct tally {
	int n;
	int n_surprised; /* the truth was outside of the bar */
	int n_long;
	double worst_long; /* error of windows of 5 s and more */
	double sum_long_bar;
};

/* How a load changes: from `low_mw` to `high_mw`, held from `hold_ms` to twice that, or once for ever. */
static const struct load {
	const char *name;
	uint32_t low_mw;
	uint32_t high_mw;
	int64_t hold_ms;
} loads[] = {
	{"constant", 300000, 300001, 0},
	{"stepping", 60000, 400000, 2000},
	{"random", 60000, 400000, 120},
	{"training", 250000, 400000, 120},
};

/* What a GPU may be like. */
static const struct kind {
	const char *name;
	int64_t documented_us;
	int64_t step_us;
	int64_t jitter_us;
	int64_t read_us;
	int64_t refresh_us;
	double worst_long; /* error of windows of 5 s and more, at most */
} kinds[] = {
	{"simulated", 100000, 100000, 0, 0, 0, 0.01},
	{"jittery", 100000, 100010, 1400, 0, 0, 0.015},
	{"H100, power at once", 100000, 100020, 1500, 3500, 0, 0.02},
	{"H100", 100000, 100020, 1500, 3500, 100000, 0.02},
	{"H100, drifting", 100000, 100080, 500, 3500, 100000, 0.02},
	{"fast", 1000, 1000, 0, 2, 0, 0.01},
	{"20 ms as documented", 20000, 20000, 0, 0, 0, 0.015},
	{"20 ms, documented 100", 100000, 20000, 0, 50, 0, 0.025},
	{"30 ms, documented 100", 100000, 30000, 0, 50, 0, 0.025},
	{"unknown, in fact 100 ms", 0, 100000, 3000, 50, 0, 0.025},
};
enum { N_LOADS = sizeof loads / sizeof *loads, N_KINDS = sizeof kinds / sizeof *kinds, N_GPUS = 3 };

static void
script(struct scripted_gpu *gpu, const struct load *load, uint64_t *state)
{
	int64_t at_ns = 900 * SECOND;
	gpu->n_loads = 0;
	for (int64_t end_ns = 1400 * SECOND; at_ns < end_ns && gpu->n_loads < SCRIPTED_MAX_LOADS;) {
		const bool is_stepping = strcmp(load->name, "stepping") == 0;
		const uint32_t range_mw = load->high_mw - load->low_mw;
		const uint32_t extra_mw = is_stepping ? range_mw * (uint32_t)(gpu->n_loads % 2) : random_below(state, range_mw);
		scripted_load(gpu, at_ns, load->low_mw + extra_mw);
		if (load->hold_ms == 0)
			return;
		at_ns += load->hold_ms * MS + random_below(state, (uint32_t)(load->hold_ms * 1000)) * INT64_C(1000);
	}
}

static void
random_gpu(int32_t i, const struct kind *kind, const struct load *load, uint64_t *state)
{
	struct scripted_gpu *made = gpu(i);
	made->documented_ns = kind->documented_us * 1000;
	made->step_ns = kind->step_us * 1000;
	made->jitter_ns = kind->jitter_us * 1000;
	made->read_ns = kind->read_us * 1000;
	made->refresh_ns = kind->refresh_us * 1000;
	made->phase_ns += random_below(state, 100000) * INT64_C(1000);
	script(made, load, state);
}

/* Log-uniform from 1 ms to 60 s. */
static int64_t
random_time_ns(uint64_t *state)
{
	const double share = (double)random_below(state, 1u << 20) / (1 << 20);
	return (int64_t)(1e6 * pow(60e3, share));
}

static void
count(struct tally *tally, int32_t device, const struct kind *kind, const char *what)
{
	/* A change that does not show yet, after a long calm, can surprise. */
	if (kind->refresh_us == 0)
		check_honest(device, what);
	tally->n++;
	tally->n_surprised += !is_honest(device);
	if (rig.result.time_ns < 5 * SECOND)
		return;
	tally->n_long++;
	tally->worst_long = fmax(tally->worst_long, off_j(device) / true_j(device));
	tally->sum_long_bar += rig.readings[device].error_j / true_j(device);
}

START_TEST(random_windows_are_honest)
{
	const struct load *load = &loads[_i % N_LOADS];
	const struct kind *kind = &kinds[_i / N_LOADS];
	char what[128];
	(void)snprintf(what, sizeof what, "%s, %s", kind->name, load->name);
	struct tally tally = {0};
	for (uint64_t seed = 1; seed <= 5; seed++) {
		uint64_t state = seed * 1000 + (uint64_t)_i;
		for (int32_t i = 0; i < N_GPUS; i++)
			random_gpu(i, kind, load, &state);
		begin_rig(N_GPUS);
		run_for(250 * MS); /* what a meter with a thread has done when it is made */
		int64_t windows[N_OPEN], ends[N_OPEN];
		for (int i = 0; i < N_OPEN; i++) {
			windows[i] = begin();
			ends[i] = rig.now_ns + random_time_ns(&state);
		}
		while (rig.now_ns < 1200 * SECOND) {
			int first = 0;
			for (int i = 1; i < N_OPEN; i++)
				first = ends[i] < ends[first] ? i : first;
			run_until(ends[first]);
			end(windows[first]);
			for (int32_t i = 0; i < N_GPUS; i++)
				count(&tally, i, kind, what);
			run_for(random_below(&state, 100) * MS);
			windows[first] = begin();
			ends[first] = rig.now_ns + random_time_ns(&state);
		}
		end_rig();
	}
	printf("# %-32s %d windows, %.1f %% outside of the bar; %d of 5 s and more: at most %.3f %% off, bar %.2f %%\n",
			what, tally.n, 100.0 * tally.n_surprised / tally.n, tally.n_long, 100 * tally.worst_long,
			100 * tally.sum_long_bar / tally.n_long);
	ck_assert_msg(
			tally.n_surprised <= tally.n / 20, "%s: %d of %d outside of the bar", what, tally.n_surprised, tally.n);
	ck_assert_msg(tally.worst_long <= kind->worst_long, "%s: %.3f %% off", what, 100 * tally.worst_long);
}
END_TEST

/* ---------------------------------------------------------------- */

/* What goes wrong, from when to when of a window of 10 s that begins at 0. */
struct fault {
	const char *name;
	void (*inject)(struct scripted_gpu *gpu, int64_t begin_ns);
	enum perseus_method method;
	const char *reason;
};

static struct scripted_span
between(int64_t begin_ns, double from_s, double to_s)
{
	return (struct scripted_span){begin_ns + (int64_t)(from_s * 1e9), begin_ns + (int64_t)(to_s * 1e9)};
}

static void
no_counter(struct scripted_gpu *gpu, int64_t begin_ns)
{
	(void)begin_ns;
	gpu->no_counter = SCRIPTED_ALWAYS;
}

static void
no_power(struct scripted_gpu *gpu, int64_t begin_ns)
{
	(void)begin_ns;
	gpu->no_power = SCRIPTED_ALWAYS;
}

static void
nothing(struct scripted_gpu *gpu, int64_t begin_ns)
{
	no_counter(gpu, begin_ns);
	no_power(gpu, begin_ns);
}

static void
lost(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->lost = between(begin_ns, 5, 1000);
}

static void
lost_before(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->lost = between(begin_ns, -1, 0.5);
}

static void
lost_a_while(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->lost = between(begin_ns, 3, 4);
}

static void
power_lost_a_while(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->no_power = between(begin_ns, 3, 4);
}

static void
power_lost_at_end(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->no_power = between(begin_ns, 9.5, 1000);
}

static void
counter_lost(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->no_counter = between(begin_ns, 5, 1000);
}

static void
stuck(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->stuck = between(begin_ns, -100, 1000);
}

static void
stuck_within(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->stuck = between(begin_ns, 3, 1000);
}

static void
stuck_a_while(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->stuck = between(begin_ns, 3, 5);
}

static void
stuck_just_now(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->stuck = between(begin_ns, 9.8, 1000);
}

static void
reloaded(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->forgotten_ns = begin_ns + 5 * SECOND;
}

static void
reloaded_before(struct scripted_gpu *gpu, int64_t begin_ns)
{
	gpu->forgotten_ns = begin_ns - 1 * SECOND;
}

static const struct fault faults[] = {
	{"no counter", no_counter, PERSEUS_METHOD_POWER, "energy counter: no counter here"},
	{"no power", no_power, PERSEUS_METHOD_COUNTER, ""},
	{"neither", nothing, PERSEUS_METHOD_NONE, "energy counter: no counter here; power: no power here"},
	{"lost", lost, PERSEUS_METHOD_NONE, "GPU is lost"},
	{"lost when it began", lost_before, PERSEUS_METHOD_NONE, "GPU is lost"},
	{"lost for a while", lost_a_while, PERSEUS_METHOD_COUNTER, ""},
	{"power lost for a while", power_lost_a_while, PERSEUS_METHOD_COUNTER, ""},
	{"power lost at the end", power_lost_at_end, PERSEUS_METHOD_COUNTER, ""},
	{"counter lost", counter_lost, PERSEUS_METHOD_POWER, "energy counter: no counter here"},
	{"stuck", stuck, PERSEUS_METHOD_POWER, "energy counter: stood still while power was drawn"},
	{"stuck from within", stuck_within, PERSEUS_METHOD_POWER, "energy counter: stood still while power was drawn"},
	{"stuck for a while", stuck_a_while, PERSEUS_METHOD_POWER, "energy counter: stood still while power was drawn"},
	{"stuck just now", stuck_just_now, PERSEUS_METHOD_COUNTER, ""},
	{"reloaded", reloaded, PERSEUS_METHOD_POWER, "energy counter: went back, as when a driver is loaded anew"},
	{"reloaded before", reloaded_before, PERSEUS_METHOD_COUNTER, ""},
};

enum { N_FAULTS = sizeof faults / sizeof *faults };

START_TEST(faults_are_said)
{
	const struct fault *fault = &faults[_i];
	gpu(0);
	gpu(1);
	fault->inject(&rig.gpus[0], 1002 * SECOND);
	begin_rig(2);
	run_until(1002 * SECOND);
	const int64_t window = begin();
	run_until(1012 * SECOND);
	end(window);
	const struct perseus_reading *reading = &rig.readings[0];
	printf("# %s: %.3f J +- %.3f J by %s; %s\n", fault->name, reading->energy_j, reading->error_j,
			perseus_method_name(reading->method), reading->reason);
	ck_assert_msg(reading->method == fault->method, "%s: %s", fault->name, perseus_method_name(reading->method));
	ck_assert_str_eq(reading->reason, fault->reason);
	if (reading->method == PERSEUS_METHOD_NONE)
		ck_assert(!reading->has_average_power && reading->energy_j == 0);
	else
		check_honest(0, fault->name);
	/* The GPU beside it is none the worse. */
	check_honest(1, "beside");
	ck_assert_int_eq(rig.readings[1].method, PERSEUS_METHOD_COUNTER);
	end_rig();
}
END_TEST

/* Once what was wrong is over, later windows are as good as any. */
START_TEST(faults_pass)
{
	const struct fault *fault = &faults[_i];
	gpu(0);
	fault->inject(&rig.gpus[0], 1002 * SECOND);
	rig.gpus[0].lost.to_ns = rig.gpus[0].stuck.to_ns = 1012 * SECOND;
	rig.gpus[0].no_power.to_ns = rig.gpus[0].no_counter.to_ns = 1012 * SECOND;
	begin_rig(1);
	run_until(1014 * SECOND);
	const int64_t window = begin();
	run_for(10 * SECOND);
	end(window);
	check_honest(0, fault->name);
	ck_assert_int_eq(rig.readings[0].method, PERSEUS_METHOD_COUNTER);
	ck_assert_msg(rig.readings[0].error_j < 4, "%s: +- %f J", fault->name, rig.readings[0].error_j);
	end_rig();
}
END_TEST

START_TEST(nested_windows_add_up)
{
	uint64_t state = 7;
	random_gpu(0, &kinds[0], &loads[2], &state);
	begin_rig(1);
	run_for(SECOND);
	const int64_t outer = begin();
	double sum_j = 0, sum_error_j = 0;
	for (int i = 0; i < 20; i++) {
		const int64_t inner = begin();
		run_for(random_below(&state, 2000) * MS);
		end(inner);
		check_honest(0, "inner");
		ck_assert_int_eq(rig.result.depth, 1);
		sum_j += rig.readings[0].energy_j;
		sum_error_j += rig.readings[0].error_j;
	}
	end(outer);
	check_honest(0, "outer");
	ck_assert_int_eq(rig.result.depth, 0);
	const double off = fabs(sum_j - rig.readings[0].energy_j);
	printf("# 20 windows sum up to %.3f J, the one around them is %.3f J +- %.3f J\n", sum_j, rig.readings[0].energy_j,
			rig.readings[0].error_j);
	ck_assert_double_le(off, sum_error_j + rig.readings[0].error_j);
	end_rig();
}
END_TEST

START_TEST(peeking_leaves_a_window_open)
{
	gpu(0);
	begin_rig(1);
	run_for(SECOND);
	const int64_t window = begin();
	for (int i = 1; i <= 3; i++) {
		run_for(SECOND);
		ck_assert_int_eq(perseus_meter_peek(rig.meter, window, &rig.result, rig.readings, NULL), PERSEUS_OK);
		ck_assert_int_eq(rig.result.time_ns, i * SECOND);
		check_honest(0, "peek");
	}
	end(window);
	ck_assert_int_eq(rig.result.time_ns, 3 * SECOND);
	struct perseus_error err;
	ck_assert_int_eq(perseus_meter_end(rig.meter, window, &rig.result, rig.readings, &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus_meter_peek(rig.meter, window, &rig.result, rig.readings, NULL), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "is open"));
	perseus_meter_drop(rig.meter, window);
	end_rig();
}
END_TEST

START_TEST(windows_that_are_not_open)
{
	static const int64_t strange[] = {0, -1, 1, 15, 16, INT64_C(1) << 25, (INT64_C(1) << 25) + 1, INT64_MAX, INT64_MIN};
	gpu(0);
	begin_rig(1);
	const int64_t first = begin();
	const int64_t second = begin();
	perseus_meter_drop(rig.meter, first);
	ck_assert_int_eq(perseus_meter_end(rig.meter, first, &rig.result, rig.readings, NULL), PERSEUS_INVALID);
	const int64_t third = begin(); /* in the place of the first */
	ck_assert_int_ne(third, first);
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
		if (strange[i] == first || strange[i] == second || strange[i] == third)
			continue;
		perseus_meter_drop(rig.meter, strange[i]);
		ck_assert_int_eq(perseus_meter_peek(rig.meter, strange[i], &rig.result, rig.readings, NULL), PERSEUS_INVALID);
	}
	end(third);
	ck_assert_int_eq(rig.result.depth, 1);
	end(second);
	end_rig();
}
END_TEST

START_TEST(thousands_of_windows)
{
	enum { N = 5000 };
	static int64_t windows[N];
	gpu(0);
	begin_rig(1);
	run_for(SECOND);
	for (int i = 0; i < N; i++) {
		windows[i] = begin();
		run_for(MS);
	}
	for (int i = 0; i < N; i += 3)
		perseus_meter_drop(rig.meter, windows[i]);
	for (int i = 0; i < N; i++) {
		run_for(MS);
		if (i % 3 == 0)
			continue;
		end(windows[i]);
		ck_assert_int_eq(rig.result.time_ns, (N + 1) * MS);
		ck_assert_int_eq(rig.result.depth, i);
		check_honest(0, "one of thousands");
	}
	end_rig();
}
END_TEST

/* 41 characters of two bytes and one of one end in the middle of one. */
START_TEST(long_names_are_cut_between_characters)
{
	char name[200] = "x";
	for (size_t i = 1; i < sizeof name - 2; i += 2)
		memcpy(name + i, "\xc3\xa9", 3);
	gpu(0);
	begin_rig(1);
	int64_t window = 0;
	ck_assert_int_eq(perseus_meter_begin(rig.meter, name, &window, NULL), PERSEUS_OK);
	end(window);
	ck_assert_uint_eq(strlen(rig.result.name), 95);
	ck_assert_int_eq(strncmp(rig.result.name, name, 95), 0);
	end_rig();
}
END_TEST

START_TEST(peak_and_mean_power)
{
	struct scripted_gpu *made = gpu(0);
	scripted_load(made, 1003 * SECOND, 500000);
	scripted_load(made, 1004 * SECOND, 200000);
	scripted_load(made, 1007 * SECOND, 900000);
	begin_rig(1);
	run_until(1002 * SECOND);
	const int64_t window = begin();
	run_until(1006 * SECOND);
	end(window);
	ck_assert_double_eq(rig.readings[0].peak_power_w, 500);
	ck_assert_double_eq_tol(rig.readings[0].average_power_w, 300, 3);
	const int64_t later = begin();
	run_until(1007 * SECOND + MS);
	end(later); /* the sample at its end counts */
	ck_assert_double_eq(rig.readings[0].peak_power_w, 900);
	end_rig();
}
END_TEST

struct seen {
	int n;
	int64_t last_ns;
	struct perseus_sample samples[2];
};

static void
on_samples(void *user, int64_t time_ns, const struct perseus_sample *samples, int32_t n_samples)
{
	struct seen *seen = user;
	ck_assert_int_eq(n_samples, 2);
	if (seen->n++ > 0)
		ck_assert_int_eq(time_ns - seen->last_ns, 50 * MS);
	seen->last_ns = time_ns;
	memcpy(seen->samples, samples, sizeof seen->samples);
}

/* Without power, it is the mean of the counter: 300 W until 1005 s, then 150 W. */
START_TEST(samples_reach_the_caller)
{
	gpu(0);
	struct scripted_gpu *dumb = gpu(1);
	dumb->no_power = SCRIPTED_ALWAYS;
	scripted_load(dumb, 1005 * SECOND, 150000);
	struct seen seen = {0};
	const struct perseus_meter_settings settings = {
		.sample_period_ns = 50 * MS, .on_samples = on_samples, .user = &seen, .with_clocks = true};
	rig.now_ns = rig.due_ns = 1000 * SECOND;
	rig.node = scripted_node(rig.gpus, 2, &rig.now_ns);
	ck_assert_int_eq(perseus__meter_new_manual(rig.node, &settings, &rig.meter, NULL), PERSEUS_OK);
	const int64_t window = begin();
	run_until(1004 * SECOND);
	ck_assert_int_eq(seen.n, 80);
	ck_assert(seen.samples[0].has_power && !seen.samples[0].has_sm_clock);
	ck_assert_int_eq(seen.samples[0].power_mw, 300000);
	ck_assert_int_eq(seen.samples[1].device, 1);
	for (int i = 0; i < 2 && !seen.samples[1].has_power; i++) /* the counter moves at every other sample only */
		run_for(50 * MS);
	ck_assert(seen.samples[1].has_power);
	ck_assert_int_ge(seen.samples[1].power_mw, 290000);
	ck_assert_int_le(seen.samples[1].power_mw, 310000);
	run_until(1008 * SECOND);
	end(window);
	check_honest(1, "by the mean of the counter");
	ck_assert_double_eq_tol(rig.readings[1].peak_power_w, 300, 15);
	end_rig();
}
END_TEST

/* Reading a real counter takes milliseconds: once a step, and once more now and then. */
START_TEST(counters_are_read_rarely)
{
	for (int32_t i = 0; i < MAX_GPUS; i++) {
		gpu(i)->read_ns = 3500000;
		rig.gpus[i].phase_ns += 13 * MS * i;
	}
	begin_rig(MAX_GPUS);
	run_for(SECOND);
	for (int32_t i = 0; i < MAX_GPUS; i++)
		rig.gpus[i].n_counter_reads = rig.gpus[i].n_power_reads = 0;
	const int64_t window = begin();
	run_for(100 * SECOND);
	end(window);
	for (int32_t i = 0; i < MAX_GPUS; i++) {
		printf("# GPU %d: %lld readings of the counter, %lld of power in 100 s; %.1f J +- %.1f J\n", (int)i,
				(long long)rig.gpus[i].n_counter_reads, (long long)rig.gpus[i].n_power_reads, rig.readings[i].energy_j,
				rig.readings[i].error_j);
		ck_assert_int_ge(rig.gpus[i].n_counter_reads, 900);
		ck_assert_int_le(rig.gpus[i].n_counter_reads, 1150);
		ck_assert_int_le(rig.gpus[i].n_power_reads, 2200);
		check_honest(i, "read rarely");
	}
	end_rig();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("meter");
	TCase *tcase = tcase_create("meter");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, constant_power, 0, sizeof constant / sizeof *constant);
	tcase_add_loop_test(tcase, unseen_jumps_are_left_open, 0, sizeof jumps / sizeof *jumps);
	tcase_add_loop_test(tcase, random_windows_are_honest, 0, N_LOADS * N_KINDS);
	tcase_add_loop_test(tcase, faults_are_said, 0, N_FAULTS);
	tcase_add_loop_test(tcase, faults_pass, 0, N_FAULTS);
	tcase_add_test(tcase, nested_windows_add_up);
	tcase_add_test(tcase, peeking_leaves_a_window_open);
	tcase_add_test(tcase, windows_that_are_not_open);
	tcase_add_test(tcase, thousands_of_windows);
	tcase_add_test(tcase, long_names_are_cut_between_characters);
	tcase_add_test(tcase, peak_and_mean_power);
	tcase_add_test(tcase, samples_reach_the_caller);
	tcase_add_test(tcase, counters_are_read_rarely);
	return run_suite(suite);
}
