/* Lines of the agent: what they look like, what cannot be forged, what happens when nobody reads. */
#include "service/log.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int ends[2];

static void
set_up(void)
{
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	(void)unsetenv("JOURNAL_STREAM");
	perseus__log_open(ends[1], PERSEUS__LOG_INFO);
}

static void
tear_down(void)
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* What has been written so far. */
static const char *
written(void)
{
	static char text[65536];
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	const ssize_t n = read(ends[0], text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* The line behind its time, which is checked. */
static const char *
without_time(const char *line)
{
	static const char shape[] = "time=dddd-dd-ddTdd:dd:dd.dddZ ";
	for (size_t i = 0; i < sizeof shape - 1; i++)
		ck_assert_msg(shape[i] == 'd' ? line[i] >= '0' && line[i] <= '9' : line[i] == shape[i], "%s", line);
	return line + sizeof shape - 1;
}

START_TEST(writes_fields_in_order)
{
	struct perseus__log_line line;
	perseus__log_begin(&line, PERSEUS__LOG_NOTICE, "set");
	perseus__log_text(&line, "holder", "process");
	perseus__log_integer(&line, "low", -1200);
	perseus__log_end(&line);
	ck_assert_str_eq(without_time(written()), "level=notice event=set holder=process low=-1200\n");
}
END_TEST

START_TEST(keeps_silent_above_its_level)
{
	perseus__log_message(PERSEUS__LOG_DEBUG, "x", "y");
	ck_assert_str_eq(written(), "");
	perseus__log_message(PERSEUS__LOG_INFO, "x", "y");
	ck_assert_str_eq(without_time(written()), "level=info event=x message=y\n");
}
END_TEST

static const struct {
	const char *text;
	const char *field;
} texts[] = {
	{"GPU-0/a_b.c:1@h+2", "GPU-0/a_b.c:1@h+2"},
	{"", "\"\""},
	{"two words", "\"two words\""},
	{"a=b", "\"a=b\""},
	{"a\nevent=set", "\"a\\x0aevent=set\""},
	{"say \"no\" \\", "\"say \\\"no\\\" \\\\\""},
	{"\x1b[31m\x7f\xc3\xa9", "\"\\x1b[31m\\x7f\\xc3\\xa9\""},
};

START_TEST(quotes_what_could_be_taken_for_something_else)
{
	struct perseus__log_line line;
	char expected[256];
	perseus__log_begin(&line, PERSEUS__LOG_ERROR, "e");
	perseus__log_text(&line, "name", texts[_i].text);
	perseus__log_end(&line);
	(void)snprintf(expected, sizeof expected, "level=error event=e name=%s\n", texts[_i].field);
	ck_assert_str_eq(without_time(written()), expected);
}
END_TEST

START_TEST(stays_below_what_a_pipe_takes_at_once)
{
	char text[9000];
	memset(text, '\n', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	struct perseus__log_line line;
	perseus__log_begin(&line, PERSEUS__LOG_INFO, "e");
	for (int i = 0; i < 8; i++)
		perseus__log_text(&line, "name", text);
	perseus__log_integer(&line, "last", 7);
	perseus__log_end(&line);
	const char *bytes = written();
	ck_assert_uint_le(strlen(bytes), PERSEUS__LOG_LINE_BYTES);
	ck_assert_ptr_nonnull(strstr(bytes, "\\x0a...\" "));
	const char tail[] = " last=7 cut=true\n";
	ck_assert_str_eq(bytes + strlen(bytes) - strlen(tail), tail);
	ck_assert_ptr_eq(strchr(bytes, '\n'), bytes + strlen(bytes) - 1);
}
END_TEST

/* A reader that does not read: lines are lost within a bounded time, and the next that goes out says how many. */
START_TEST(never_waits_for_its_reader)
{
	const int size = fcntl(ends[1], F_SETPIPE_SZ, 4096);
	ck_assert_int_eq(size, 4096);
	char text[1024];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 200; i++)
		perseus__log_message(PERSEUS__LOG_INFO, "e", "%s", text);
	int n_taken = 0;
	for (const char *end = written(); (end = strchr(end, '\n')) != NULL; end++)
		n_taken++;
	perseus__log_message(PERSEUS__LOG_INFO, "e", "there");
	char expected[64];
	(void)snprintf(expected, sizeof expected, "level=info event=e message=there lost=%d\n", 200 - n_taken);
	ck_assert_str_eq(without_time(written()), expected);
	perseus__log_message(PERSEUS__LOG_INFO, "e", "again");
	ck_assert_str_eq(without_time(written()), "level=info event=e message=again\n");
}
END_TEST

START_TEST(gives_priorities_to_the_journal)
{
	struct stat about;
	char stream[64];
	ck_assert_int_eq(fstat(ends[1], &about), 0);
	(void)snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)about.st_dev, (uintmax_t)about.st_ino);
	(void)setenv("JOURNAL_STREAM", stream, 1);
	perseus__log_open(ends[1], PERSEUS__LOG_INFO);
	perseus__log_message(PERSEUS__LOG_WARNING, "x", "y");
	const char *bytes = written();
	ck_assert_int_eq(memcmp(bytes, "<4>", 3), 0);
	ck_assert_str_eq(without_time(bytes + 3), "event=x message=y\n");
	(void)setenv("JOURNAL_STREAM", "1:1", 1);
	perseus__log_open(ends[1], PERSEUS__LOG_INFO);
	perseus__log_message(PERSEUS__LOG_WARNING, "x", "y");
	ck_assert_str_eq(without_time(written()), "level=warning event=x message=y\n");
}
END_TEST

START_TEST(knows_the_names_of_levels)
{
	enum perseus__log_level level = PERSEUS__LOG_INFO;
	ck_assert(perseus__log_level_parse("debug", &level));
	ck_assert_int_eq(level, PERSEUS__LOG_DEBUG);
	ck_assert(!perseus__log_level_parse("Debug", &level));
	ck_assert(!perseus__log_level_parse("", &level));
	ck_assert_int_eq(level, PERSEUS__LOG_DEBUG);
}
END_TEST

START_TEST(keeps_errno)
{
	errno = EDOM;
	perseus__log_message(PERSEUS__LOG_WARNING, "x", "y");
	ck_assert_int_eq(errno, EDOM);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, writes_fields_in_order);
	tcase_add_test(tcase, keeps_silent_above_its_level);
	tcase_add_loop_test(tcase, quotes_what_could_be_taken_for_something_else, 0, sizeof texts / sizeof *texts);
	tcase_add_test(tcase, stays_below_what_a_pipe_takes_at_once);
	tcase_add_test(tcase, never_waits_for_its_reader);
	tcase_add_test(tcase, gives_priorities_to_the_journal);
	tcase_add_test(tcase, knows_the_names_of_levels);
	tcase_add_test(tcase, keeps_errno);
	return run_suite(suite);
}
