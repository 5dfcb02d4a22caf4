/*
 * Stragglers: the generator, lengths without memory, seeds and streams, what processes promise, messages.
 */
#include "fleet/random.h"
#include "suite.h"

#include <perseus/perseus.h>

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The generator's published sequence from state 1, 2, 3, 4 (the authors' C program). */
START_TEST(the_generator_is_xoshiro)
{
	static const uint64_t wanted[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240),
		UINT64_C(1216172134540287360), UINT64_C(607988272756665600), UINT64_C(16172922978634559625)};
	struct perseus__random random = {{1, 2, 3, 4}};
	for (size_t k = 0; k < LENGTH(wanted); k++)
		ck_assert_uint_eq(perseus__random_next(&random), wanted[k]);
}
END_TEST

/* Mean, least value, and absence of memory, each within five deviations. */
START_TEST(lengths_are_geometric)
{
	enum { N = 200000 };
	static const double means[] = {1, 1.25, 2, 7.5, 60, 5000};
	const double mean = means[_i];
	const double n = N;
	const int64_t half_life = (int64_t)ceil(log(2) * mean);
	const double beyond = pow(1 - 1 / mean, (double)half_life);
	struct perseus__random random = perseus__random_stream(7, 0, (uint64_t)_i);
	const struct perseus__geometric geometric = perseus__geometric_of_mean(mean);
	double sum = 0;
	double n_one = 0;
	double n_beyond = 0;
	double n_beyond_twice = 0;
	for (int k = 0; k < N; k++) {
		const int64_t drawn = perseus__geometric_draw(&geometric, &random);
		ck_assert_int_ge(drawn, 1);
		sum += (double)drawn;
		n_one += drawn == 1;
		n_beyond += drawn > half_life;
		n_beyond_twice += drawn > 2 * half_life;
	}
	ck_assert_double_le(fabs(sum / n - mean), 5 * sqrt(mean * (mean - 1) / n));
	ck_assert_double_le(fabs(n_one / n - 1 / mean), 5 * sqrt(1 / mean * (1 - 1 / mean) / n));
	ck_assert_double_le(fabs(n_beyond / n - beyond), 5 * sqrt(beyond * (1 - beyond) / n));
	ck_assert_double_le(fabs(n_beyond_twice / n - beyond * beyond), 5 * sqrt(beyond * beyond / n));
}
END_TEST

struct drawn {
	struct perseus_straggler_event *events;
	int64_t n;
};

static struct drawn
draw(const struct perseus_straggler_process *processes, int32_t n_processes, int32_t n_pipelines, int64_t n_iterations,
		uint64_t seed)
{
	struct drawn drawn = {NULL, 0};
	struct perseus_error err = {.message = ""};
	const struct perseus_straggler_settings settings = {processes, n_processes, n_pipelines, n_iterations, seed};
	ck_assert_msg(
			perseus_straggler_events_draw(&settings, &drawn.events, &drawn.n, &err) == PERSEUS_OK, "%s", err.message);
	return drawn;
}

static bool
same_event(const struct perseus_straggler_event *a, const struct perseus_straggler_event *b)
{
	return a->iteration == b->iteration && a->pipeline == b->pipeline && a->degree == b->degree;
}

/* The first events of a seed, as they came out once: they must on every machine. */
START_TEST(seeds_reproduce_bytes)
{
	const struct perseus_straggler_process processes[] = {
		{PERSEUS_STRAGGLER_THERMAL, 50, 10, 1.1, 1.5}, {PERSEUS_STRAGGLER_INPUT_STALL, 40, 1, 1, 4}};
	static const struct perseus_straggler_event wanted[] = {
		{25, 2, 3.953849},
		{26, 2, 1.0},
		{32, 2, 2.56689},
		{33, 2, 1.0},
		{36, 1, 1.202157},
		{37, 1, 1.0},
		{39, 0, 3.999811},
		{40, 0, 1.0},
	};
	const struct drawn drawn = draw(processes, LENGTH(processes), 4, 1000, 42);
	for (size_t k = 0; k < LENGTH(wanted); k++)
		ck_assert_msg(same_event(&drawn.events[k], &wanted[k]), "event %zu: {%lld, %d, %.17g}", k,
				(long long)drawn.events[k].iteration, (int)drawn.events[k].pipeline, drawn.events[k].degree);
	const struct drawn again = draw(processes, LENGTH(processes), 4, 1000, 42);
	ck_assert_int_eq(again.n, drawn.n);
	for (int64_t k = 0; k < drawn.n; k++)
		ck_assert(same_event(&drawn.events[k], &again.events[k]));
	const struct drawn other = draw(processes, LENGTH(processes), 4, 1000, 43);
	ck_assert(!same_event(&drawn.events[0], &other.events[0]));
	perseus_straggler_events_free(drawn.events);
	perseus_straggler_events_free(again.events);
	perseus_straggler_events_free(other.events);
}
END_TEST

/* Events of the first pipelines and iterations alone. */
static struct drawn
first_of(struct drawn drawn, int32_t n_pipelines, int64_t n_iterations)
{
	int64_t n = 0;
	for (int64_t k = 0; k < drawn.n; k++)
		if (drawn.events[k].pipeline < n_pipelines && drawn.events[k].iteration < n_iterations)
			drawn.events[n++] = drawn.events[k];
	drawn.n = n;
	return drawn;
}

START_TEST(more_of_all_changes_nothing_of_what_was)
{
	const struct perseus_straggler_process one = {PERSEUS_STRAGGLER_FAIL_SLOW, 100, 20, 1.1, 1.5};
	const struct drawn few = draw(&one, 1, 3, 2000, 5);
	const struct drawn many = first_of(draw(&one, 1, 9, 7000, 5), 3, 2000);
	ck_assert_int_gt(few.n, 20);
	ck_assert_int_eq(few.n, many.n);
	for (int64_t k = 0; k < few.n; k++)
		ck_assert(same_event(&few.events[k], &many.events[k]));
	perseus_straggler_events_free(few.events);
	perseus_straggler_events_free(many.events);
}
END_TEST

/* The degree of a pipeline at every iteration. */
static void
unroll(struct drawn drawn, int32_t pipeline, double *degree, int64_t n_iterations)
{
	int64_t k = 0;
	double now = 1;
	for (int64_t i = 0; i < n_iterations; i++) {
		for (; k < drawn.n && drawn.events[k].iteration <= i; k++)
			if (drawn.events[k].pipeline == pipeline)
				now = drawn.events[k].degree;
		degree[i] = now;
	}
}

START_TEST(causes_multiply)
{
	enum { N_ITERATIONS = 3000, PIPELINE = 1 };
	const struct perseus_straggler_process both[] = {
		{PERSEUS_STRAGGLER_THERMAL, 20, 20, 1.1, 1.5}, {PERSEUS_STRAGGLER_FAIL_SLOW, 30, 30, 1.2, 2}};
	static double first[N_ITERATIONS];
	static double second[N_ITERATIONS];
	static double together[N_ITERATIONS];
	const struct drawn drawn[] = {draw(&both[0], 1, 2, N_ITERATIONS, 3), draw(&both[1], 1, 2, N_ITERATIONS, 3),
		draw(both, 2, 2, N_ITERATIONS, 3)};
	unroll(drawn[0], PIPELINE, first, N_ITERATIONS);
	unroll(drawn[1], PIPELINE, second, N_ITERATIONS);
	unroll(drawn[2], PIPELINE, together, N_ITERATIONS);
	int32_t n_both = 0;
	for (int i = 0; i < N_ITERATIONS; i++) {
		ck_assert_double_eq(together[i], first[i] * second[i]);
		n_both += first[i] > 1 && second[i] > 1;
	}
	ck_assert_int_gt(n_both, N_ITERATIONS / 10);
	for (int k = 0; k < 3; k++)
		perseus_straggler_events_free(drawn[k].events);
}
END_TEST

/* Events are sorted, change something, and keep to the degrees; the share of slow iterations is d / (b + d). */
START_TEST(events_follow_the_process)
{
	enum { N_PIPELINES = 200, N_ITERATIONS = 20000 };
	const struct perseus_straggler_process process = {PERSEUS_STRAGGLER_THERMAL, 150, 50, 1.1, 1.5};
	const struct drawn drawn = draw(&process, 1, N_PIPELINES, N_ITERATIONS, 11);
	const double n_all = (double)N_PIPELINES * (double)N_ITERATIONS;
	double degree[N_PIPELINES];
	int64_t since[N_PIPELINES];
	for (int p = 0; p < N_PIPELINES; p++)
		degree[p] = 1;
	double n_slow = 0;
	double sum_degree = 0;
	double n_begun = 0;
	for (int64_t k = 0; k < drawn.n; k++) {
		const struct perseus_straggler_event *event = &drawn.events[k];
		const int32_t p = event->pipeline;
		ck_assert(k == 0 || event[-1].iteration < event->iteration
				|| (event[-1].iteration == event->iteration && event[-1].pipeline < p));
		ck_assert((degree[p] > 1) == (event->degree == 1)); /* on and off in turn */
		if (event->degree > 1) {
			ck_assert(event->degree >= 1.1 && event->degree <= 1.5);
			sum_degree += event->degree;
			n_begun++;
			since[p] = event->iteration;
		} else
			n_slow += (double)(event->iteration - since[p]);
		degree[p] = event->degree;
	}
	/* 20,000 strikes: one percent is more than five deviations of each mean. */
	ck_assert_double_le(fabs(sum_degree / n_begun - 1.3), 0.013);
	ck_assert_double_le(fabs(n_slow / n_all - 0.25), 0.25 * 0.02);
	ck_assert_double_le(fabs(n_begun / n_all - 1.0 / 200), 0.02 / 200);
	perseus_straggler_events_free(drawn.events);
}
END_TEST

START_TEST(a_stall_takes_one_iteration)
{
	const struct perseus_straggler_process process = {PERSEUS_STRAGGLER_INPUT_STALL, 10, 1, 2, 4};
	const struct drawn drawn = draw(&process, 1, 1, 5000, 1);
	ck_assert_int_gt(drawn.n, 500);
	for (int64_t k = 0; k + 1 < drawn.n; k += 2) {
		ck_assert_double_gt(drawn.events[k].degree, 1);
		ck_assert_double_eq(drawn.events[k + 1].degree, 1);
		ck_assert_int_eq(drawn.events[k + 1].iteration, drawn.events[k].iteration + 1);
	}
	perseus_straggler_events_free(drawn.events);
}
END_TEST

START_TEST(nothing_to_draw_is_no_events)
{
	const struct perseus_straggler_process process = {PERSEUS_STRAGGLER_THERMAL, 1e300, 5, 1.1, 1.5};
	const struct drawn drawn[] = {
		draw(NULL, 0, 3, 100, 1), draw(&process, 1, 3, 1000000, 1), draw(&process, 1, 0, 9, 1)};
	for (size_t k = 0; k < LENGTH(drawn); k++) {
		ck_assert_ptr_null(drawn[k].events);
		ck_assert_int_eq(drawn[k].n, 0);
	}
}
END_TEST

static const struct {
	struct perseus_straggler_process processes[2];
	int32_t n;
	const char *message;
} bad_processes[] = {
	{{{PERSEUS_N_STRAGGLER_CAUSES, 10, 10, 1, 2}}, 1, "process 0: no cause has number 3"},
	{{{PERSEUS_STRAGGLER_THERMAL, 0.5, 10, 1, 2}}, 1,
		"process 0 (thermal): mean_between_iterations is 0.5, expected a number of at least 1"},
	{{{PERSEUS_STRAGGLER_FAIL_SLOW, 10, NAN, 1, 2}}, 1,
		"process 0 (fail-slow): mean_duration_iterations is nan, expected a number of at least 1"},
	{{{PERSEUS_STRAGGLER_FAIL_SLOW, INFINITY, 1, 1, 2}}, 1,
		"process 0 (fail-slow): mean_between_iterations is inf, expected a number of at least 1"},
	{{{PERSEUS_STRAGGLER_INPUT_STALL, 10, 2, 1, 2}}, 1,
		"process 0 (input-stall): mean_duration_iterations is 2, but a stall takes one iteration"},
	{{{PERSEUS_STRAGGLER_THERMAL, 10, 10, 1, 2}, {PERSEUS_STRAGGLER_FAIL_SLOW, 10, 10, 3, 2}}, 2,
		"process 1 (fail-slow): degrees from 3 to 2, expected 1 <= least <= greatest <= 1000"},
	{{{PERSEUS_STRAGGLER_THERMAL, 10, 10, 0.9, 2}}, 1,
		"process 0 (thermal): degrees from 0.9 to 2, expected 1 <= least <= greatest <= 1000"},
	{{{PERSEUS_STRAGGLER_THERMAL, 10, 10, 1, 1001}}, 1,
		"process 0 (thermal): degrees from 1 to 1001, expected 1 <= least <= greatest <= 1000"},
	{{{PERSEUS_STRAGGLER_THERMAL, 10, 10, 1, 2}, {PERSEUS_STRAGGLER_THERMAL, 10, 10, 1, 2}}, 2,
		"process 1: cause thermal is given twice"},
	{{{PERSEUS_STRAGGLER_THERMAL, 10, 10, 1, 100}, {PERSEUS_STRAGGLER_FAIL_SLOW, 10, 10, 1, 20}}, 2,
		"the processes together slow a pipeline down by up to 2000, expected at most 1000"},
	{{{PERSEUS_STRAGGLER_THERMAL, 10, 10, 1, 2}}, -1, "-1 processes, 4 pipelines, 100 iterations: none may be below 0"},
};

START_TEST(says_what_is_wrong_with_a_process)
{
	struct drawn drawn = {(struct perseus_straggler_event *)&drawn, -7};
	struct perseus_error err = {.message = ""};
	const struct perseus_straggler_settings settings = {bad_processes[_i].processes, bad_processes[_i].n, 4, 100, 1};
	ck_assert_int_eq(perseus_straggler_events_draw(&settings, &drawn.events, &drawn.n, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_processes[_i].message);
	ck_assert_ptr_eq(drawn.events, &drawn);
	ck_assert_int_eq(drawn.n, -7);
}
END_TEST

START_TEST(the_usual_processes_can_be_drawn_from)
{
	struct perseus_straggler_process usual[PERSEUS_N_STRAGGLER_CAUSES];
	for (int cause = 0; cause < PERSEUS_N_STRAGGLER_CAUSES; cause++) {
		usual[cause] = perseus_straggler_process_default((enum perseus_straggler_cause)cause);
		ck_assert_int_eq((int)usual[cause].cause, cause);
	}
	ck_assert_str_eq(perseus_straggler_cause_name(PERSEUS_STRAGGLER_FAIL_SLOW), "fail-slow");
	const struct drawn drawn = draw(usual, PERSEUS_N_STRAGGLER_CAUSES, 128, 10000, 1);
	ck_assert_int_gt(drawn.n, 1000);
	perseus_straggler_events_free(drawn.events);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("straggler");
	TCase *tcase = tcase_create("straggler");
	tcase_add_test(tcase, the_generator_is_xoshiro);
	tcase_add_loop_test(tcase, lengths_are_geometric, 0, 6);
	tcase_add_test(tcase, seeds_reproduce_bytes);
	tcase_add_test(tcase, more_of_all_changes_nothing_of_what_was);
	tcase_add_test(tcase, causes_multiply);
	tcase_add_test(tcase, events_follow_the_process);
	tcase_add_test(tcase, a_stall_takes_one_iteration);
	tcase_add_test(tcase, nothing_to_draw_is_no_events);
	tcase_add_loop_test(tcase, says_what_is_wrong_with_a_process, 0, LENGTH(bad_processes));
	tcase_add_test(tcase, the_usual_processes_can_be_drawn_from);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
