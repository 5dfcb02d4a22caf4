/* Stragglers from CSV: what is taken, what is refused and in which words, and that what is written reads back. */
#include "format/straggler_csv.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Four pipelines; an iteration of 2.5 s. */
static const struct perseus__straggler_scope scope = {.n_pipelines = 4, .iteration_ns = 2500000000};

/* From an exact copy without a NUL at the end, so that a sanitizer sees any step beyond it. */
static enum perseus_status
decode(const char *text, struct perseus__straggler_trace *trace, struct perseus_error *err)
{
	const size_t length = strlen(text);
	char *copy = malloc(length > 0 ? length : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, length);
	const enum perseus_status status = perseus__straggler_csv_decode(copy, length, "s.csv", &scope, trace, err);
	free(copy);
	return status;
}

/* What comes out, one event each: "iteration pipeline degree;". */
static const struct {
	const char *name;
	const char *text;
	const char *events;
	int64_t n_overtaken;
} good_files[] = {
	{"plain", "iteration,pipeline,degree\n10,1,1.5\n20,1,1\n", "10 1 1.5;20 1 1;", 0},
	{"no rows", "iteration,pipeline,degree\n", "", 0},
	{"rows in any order", "iteration,pipeline,degree\n20,1,1\n3,2,4\n10,1,1.5\n3,0,2\n", "3 0 2;3 2 4;10 1 1.5;20 1 1;",
		0},
	{"columns in any order", "note,degree,pipeline,iteration,host\nx,1.25,3,7,\"a,b\"\n", "7 3 1.25;", 0},
	{"CRLF, mark and blank lines", "\xef\xbb\xbf\r\niteration,pipeline,degree\r\n\r\n7,3,1.25\r\n", "7 3 1.25;", 0},
	{"whole numbers with a fraction", "iteration,pipeline,degree\n1e3,2.0,1e3\n", "1000 2 1000;", 0},
	/* Iterations begin at 0, 2.5, 5, 7.5 s. */
	{"times", "time_s,pipeline,degree\n0,0,2\n2.5,1,3\n2.500000001,2,4\n6,3,5\n", "0 0 2;1 1 3;2 2 4;3 3 5;", 0},
	{"a stall within an iteration", "time_s,pipeline,degree\n2.6,0,2\n2.7,0,3\n4,0,1\n4,1,2\n", "2 0 1;2 1 2;", 2},
	{"an iteration counts more than a time", "time_s,iteration,pipeline,degree\nnoon,4,0,2\n", "4 0 2;", 0},
};

START_TEST(takes_good_files)
{
	struct perseus__straggler_trace trace;
	struct perseus_error err = {.message = ""};
	const char *name = good_files[_i].name;
	ck_assert_msg(decode(good_files[_i].text, &trace, &err) == PERSEUS_OK, "%s: %s", name, err.message);
	char events[256] = "";
	for (int64_t i = 0; i < trace.n_events; i++) {
		const struct perseus_straggler_event *event = &trace.events[i];
		const size_t length = strlen(events);
		(void)snprintf(events + length, sizeof events - length, "%lld %d %g;", (long long)event->iteration,
				(int)event->pipeline, event->degree);
	}
	ck_assert_msg(strcmp(events, good_files[_i].events) == 0, "%s: %s", name, events);
	ck_assert_msg(trace.n_overtaken == good_files[_i].n_overtaken, "%s: %lld", name, (long long)trace.n_overtaken);
	perseus__straggler_trace_fini(&trace);
}
END_TEST

#define HEADER "iteration,pipeline,degree\n"

static const struct {
	const char *text;
	const char *message;
} bad_files[] = {
	{"", "s.csv: is empty; expected the header iteration,pipeline,degree"},
	{"\n\n", "s.csv: is empty; expected the header iteration,pipeline,degree"},
	{"pipeline,degree\n", "s.csv:1: no column \"iteration\" or \"time_s\" in the header"},
	{"iteration,degree\n", "s.csv:1: no column \"pipeline\" in the header"},
	{"time_s,pipeline\n", "s.csv:1: no column \"degree\" in the header"},
	{"degree,iteration,pipeline,degree\n", "s.csv:1: column \"degree\" twice, as column 1 and 4"},
	{HEADER "1,2\n", "s.csv:2: 2 cells, but the header has 3"},
	{HEADER "1,2,1,5\n", "s.csv:2: 4 cells, but the header has 3 (decimals need a point, not a comma)"},
	{HEADER "\n1,0,2\nx,0,1.5\n", "s.csv:4: column iteration: \"x\" is not a number of zero or more"},
	{HEADER "-1,0,1.5\n", "s.csv:2: column iteration: \"-1\" is not a number of zero or more"},
	{HEADER "1.5,0,1.5\n", "s.csv:2: column iteration: \"1.5\" is not a whole number"},
	{HEADER "1e30,0,1.5\n", "s.csv:2: column iteration: \"1e30\" is too late"},
	{HEADER "1,4,1.5\n", "s.csv:2: column pipeline: \"4\" is out of range: pipelines are 0 to 3"},
	{HEADER "1,,1.5\n", "s.csv:2: column pipeline: \"\" is not a number of zero or more"},
	{HEADER "1,0.5,1.5\n", "s.csv:2: column pipeline: \"0.5\" is not a whole number"},
	{HEADER "1,0,0.5\n", "s.csv:2: column degree: \"0.5\" is below 1: a straggler takes longer, not less"},
	{HEADER "1,0,1001\n", "s.csv:2: column degree: \"1001\" is above 1000"},
	{HEADER "1,0,1e400\n", "s.csv:2: column degree: \"1e400\" is above 1000"},
	{HEADER "1,0,nan\n", "s.csv:2: column degree: \"nan\" is not a number of zero or more"},
	{HEADER "5,1,2\n4,1,3\n5,1,1\n", "s.csv:4: pipeline 1 has a degree for this iteration already, in line 2"},
	{"time_s,pipeline,degree\n9,1,2\n4,1,3\n9.0,1,1\n",
		"s.csv:4: pipeline 1 has a degree for this time already, in line 2"},
	{"time_s,pipeline,degree\n1e10,1,2\n", "s.csv:2: column time_s: \"1e10\" is too late"},
	{HEADER "\"1,0,2\n", "s.csv:2: a quote is not closed"},
};

START_TEST(refuses_bad_files)
{
	struct perseus__straggler_trace trace = {.n_events = 77};
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(decode(bad_files[_i].text, &trace, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_files[_i].message);
	ck_assert_int_eq(trace.n_events, 77);
}
END_TEST

START_TEST(one_pipeline_is_the_only_one)
{
	static const char text[] = HEADER "1,1,2\n";
	const struct perseus__straggler_scope alone = {.n_pipelines = 1, .iteration_ns = 1};
	struct perseus__straggler_trace trace;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(
			perseus__straggler_csv_decode(text, sizeof text - 1, "s.csv", &alone, &trace, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "s.csv:2: column pipeline: \"1\" is out of range: pipeline 0 is the only one");
}
END_TEST

/* To the last bit, through a file. */
START_TEST(reads_what_it_wrote)
{
	static const struct perseus_straggler_event events[] = {
		{0, 0, 1.0 / 3 + 1},
		{0, 3, 1.0000000000000002},
		{123456789, 1, 1000},
		{123456789012, 2, 1},
	};
	enum { N = sizeof events / sizeof *events };
	char path[] = "/tmp/perseus-test-XXXXXX";
	const int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	struct perseus__text text = perseus__text_init(4096);
	perseus__straggler_csv(&text, events, N);
	ck_assert(!text.failed && write(fd, text.bytes, text.length) == (ssize_t)text.length);
	ck_assert_int_eq(close(fd), 0);
	perseus__text_fini(&text);

	struct perseus__straggler_trace trace;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__straggler_csv_read(path, &scope, &trace, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(trace.n_events, N);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(trace.events[i].iteration, events[i].iteration);
		ck_assert_int_eq(trace.events[i].pipeline, events[i].pipeline);
		ck_assert_msg(trace.events[i].degree == events[i].degree, "%.17g", trace.events[i].degree);
	}
	perseus__straggler_trace_fini(&trace);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(perseus__straggler_csv_read(path, &scope, &trace, &err), PERSEUS_IO);
	ck_assert_ptr_nonnull(strstr(err.message, path));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("straggler_csv");
	TCase *tcase = tcase_create("straggler_csv");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, takes_good_files, 0, sizeof good_files / sizeof *good_files);
	tcase_add_loop_test(tcase, refuses_bad_files, 0, sizeof bad_files / sizeof *bad_files);
	tcase_add_test(tcase, one_pipeline_is_the_only_one);
	tcase_add_test(tcase, reads_what_it_wrote);
	return run_suite(suite);
}
