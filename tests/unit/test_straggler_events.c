/* Stragglers of options, trace and chance put together: degrees multiply, and nothing is said that does not change. */
#include "base/memory.h"
#include "cli/straggler_options.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct perseus__straggler_run run = {.n_pipelines = 3, .n_iterations = 100, .iteration_ns = 2000000000};

/* Events as text: "iteration pipeline degree;". */
static void
events_text(const struct perseus_straggler_event *events, int64_t n, char *text, size_t size)
{
	text[0] = '\0';
	for (int64_t i = 0; i < n; i++) {
		const size_t length = strlen(text);
		(void)snprintf(text + length, size - length, "%lld %d %g;", (long long)events[i].iteration,
				(int)events[i].pipeline, events[i].degree);
	}
}

#define TO_THE_END INT64_MAX

/* Up to three of --straggler, and what comes of them. */
static const struct {
	const char *name;
	struct perseus__given_straggler given[3];
	int32_t n_given;
	const char *events;
} cases[] = {
	{"none", {{0}}, 0, ""},
	{"to the end", {{"", 1, 1.5, 0, TO_THE_END}}, 1, "0 1 1.5;"},
	{"both ends are included", {{"", 1, 1.5, 3, 5}}, 1, "3 1 1.5;6 1 1;"},
	{"up to the last iteration", {{"", 1, 1.5, 3, 99}}, 1, "3 1 1.5;"},
	{"beyond the last iteration", {{"", 1, 1.5, 3, 200}}, 1, "3 1 1.5;"},
	{"one alone", {{"", 1, 1.5, 7, 7}}, 1, "7 1 1.5;8 1 1;"},
	{"degree 1", {{"", 1, 1, 7, 7}}, 1, ""},
	{"two pipelines, by iteration", {{"", 2, 2, 5, 8}, {"", 0, 3, 4, 8}}, 2, "4 0 3;5 2 2;9 0 1;9 2 1;"},
	{"one within another", {{"", 1, 2, 0, 9}, {"", 1, 3, 4, 5}}, 2, "0 1 2;4 1 6;6 1 2;10 1 1;"},
	{"one after another at once", {{"", 1, 2, 0, 4}, {"", 1, 2, 5, 9}}, 2, "0 1 2;10 1 1;"},
	{"three at once", {{"", 1, 2, 0, 4}, {"", 1, 4, 0, 4}, {"", 1, 1.5, 0, 3}}, 3, "0 1 12;4 1 8;5 1 1;"},
};

START_TEST(degrees_multiply)
{
	struct perseus__given_straggler given[3];
	memcpy(given, cases[_i].given, sizeof given);
	const struct perseus__straggler_options options = {.given = given, .n_given = cases[_i].n_given};
	struct perseus_straggler_event *events = NULL;
	int64_t n_events = 0;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__straggler_events(&options, &run, &events, &n_events, &err) == PERSEUS_OK, "%s: %s",
			cases[_i].name, err.message);
	char text[256];
	events_text(events, n_events, text, sizeof text);
	ck_assert_msg(strcmp(text, cases[_i].events) == 0, "%s: %s", cases[_i].name, text);
	perseus__free(events);
}
END_TEST

static const struct {
	struct perseus__given_straggler given[2];
	const char *message;
} bad[] = {
	{{{"3:2", 3, 2, 0, TO_THE_END}, {"0:2", 0, 2, 0, TO_THE_END}},
		"--straggler 3:2: there is no pipeline 3: --pipelines is 3"},
	{{{"0:2", 0, 2, 0, TO_THE_END}, {"1:2:100", 1, 2, 100, TO_THE_END}},
		"--straggler 1:2:100: it begins after the run, of 100 iterations"},
	{{{"1:40", 1, 40, 0, TO_THE_END}, {"1:50:7", 1, 50, 7, TO_THE_END}},
		"iteration 7: what holds pipeline 1 up makes a degree of 2000 together; 1000 is the most"},
};

START_TEST(what_cannot_be_is_refused)
{
	struct perseus__given_straggler given[2];
	memcpy(given, bad[_i].given, sizeof given);
	const struct perseus__straggler_options options = {.given = given, .n_given = 2};
	struct perseus_straggler_event *events = NULL;
	int64_t n_events = 0;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__straggler_events(&options, &run, &events, &n_events, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad[_i].message);
	ck_assert_ptr_null(events);
}
END_TEST

/* A trace and an option at once; what comes after the run is left out. */
START_TEST(a_trace_multiplies_as_well)
{
	static const char trace[] = "iteration,pipeline,degree\n10,1,1.5\n20,1,1\n15,0,2\n100,0,1\n";
	char path[] = "/tmp/perseus-test-XXXXXX";
	const int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert(write(fd, trace, sizeof trace - 1) == (ssize_t)sizeof trace - 1 && close(fd) == 0);
	struct perseus__given_straggler given[] = {{"", 1, 2, 12, 30}};
	const struct perseus__straggler_options options = {.given = given, .n_given = 1, .trace = path};
	struct perseus_straggler_event *events = NULL;
	int64_t n_events = 0;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__straggler_events(&options, &run, &events, &n_events, &err) == PERSEUS_OK, "%s", err.message);
	char text[256];
	events_text(events, n_events, text, sizeof text);
	ck_assert_str_eq(text, "10 1 1.5;12 1 3;15 0 2;20 1 2;31 1 1;");
	perseus__free(events);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* 2 s an iteration: an hour is 1800 of them; a mean below one iteration is one. */
START_TEST(times_become_iterations)
{
	struct perseus__straggler_options options = {0};
	for (int i = 0; i < PERSEUS_N_STRAGGLER_CAUSES; i++)
		options.causes[i].process = perseus_straggler_process_default((enum perseus_straggler_cause)i);
	options.causes[PERSEUS_STRAGGLER_FAIL_SLOW].is_given = true;
	options.causes[PERSEUS_STRAGGLER_FAIL_SLOW].between_s = 3600;
	options.causes[PERSEUS_STRAGGLER_FAIL_SLOW].duration_s = 1;
	struct perseus_straggler_process processes[PERSEUS_N_STRAGGLER_CAUSES];
	ck_assert_int_eq(perseus__straggler_processes(&options, &run, processes), 1);
	ck_assert_int_eq(processes[0].cause, PERSEUS_STRAGGLER_FAIL_SLOW);
	ck_assert_double_eq_tol(processes[0].mean_between_iterations, 1800, 1e-9);
	ck_assert_double_eq_tol(processes[0].mean_duration_iterations, 1, 1e-9);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("straggler_events");
	TCase *tcase = tcase_create("straggler_events");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, degrees_multiply, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(tcase, what_cannot_be_is_refused, 0, sizeof bad / sizeof *bad);
	tcase_add_test(tcase, a_trace_multiplies_as_well);
	tcase_add_test(tcase, times_become_iterations);
	return run_suite(suite);
}
