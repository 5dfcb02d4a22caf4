/* Results that a command reports: the file it is given, what lines are taken, and what is said of the others. */
#include "cli/results_file.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct perseus__run run;

static void
setup(void)
{
	run = perseus__run_init();
}

static void
teardown(void)
{
	perseus__run_fini(&run);
}

static const struct {
	const char *bytes;
	const char *taken;   /* key=value, by key */
	const char *message; /* NULL: none */
} files[] = {
	{"", "", NULL},
	{"\n\n", "", NULL},
	{"loss=2.91\n", "loss=2.91 ", NULL},
	{"loss=2.91", "loss=2.91 ", NULL},
	{"loss=2.91\r\ntokens=1e9\r\n", "loss=2.91 tokens=1e9 ", NULL},
	{"# step 1\nloss=3\nloss=2\n", "loss=2 ", NULL},
	{"loss=2\nwhat\ntokens=1\nx\n", "loss=2 tokens=1 ",
		"line 2 of its results: 'what' is no key=value with a key of letters, digits and _ . - /"},
	{"\nloss=\n", "", "line 2 of its results: 'loss=' has no value"},
	{"a b=1\n", "", "line 1 of its results: 'a b=1' is no key=value with a key of letters, digits and _ . - /"},
	{"note=x = y\n", "note=x = y ", NULL},
};

START_TEST(takes_lines)
{
	char bytes[256];
	struct perseus_error err = {.message = ""};
	const size_t length = strlen(files[_i].bytes);
	memcpy(bytes, files[_i].bytes, length);
	bytes[length] = 'x'; /* not a part of it */
	const enum perseus_status status = perseus__results_parse(bytes, length, &run, &err);
	ck_assert_int_eq(status, files[_i].message ? PERSEUS_INVALID : PERSEUS_OK);
	ck_assert_str_eq(err.message, files[_i].message ? files[_i].message : "");
	char taken[4096] = "";
	for (int32_t i = 0; i < run.n_results; i++) {
		const size_t at = strlen(taken);
		(void)snprintf(taken + at, sizeof taken - at, "%s=%s ", run.results[i].key, run.results[i].text);
	}
	ck_assert_str_eq(taken, files[_i].taken);
}
END_TEST

START_TEST(keeps_a_thousand)
{
	static char bytes[32768];
	size_t length = 0;
	for (int i = 0; i < 1001; i++)
		length += (size_t)snprintf(bytes + length, sizeof bytes - length, "k%d=%d\n", i, i);
	length += (size_t)snprintf(bytes + length, sizeof bytes - length, "k7=8\n");
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__results_parse(bytes, length, &run, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "line 1001 of its results: more than 1000 are not kept");
	ck_assert_int_eq(run.n_results, 1000);
	ck_assert_str_eq(perseus__run_result(&run, "k7")->text, "8");
}
END_TEST

START_TEST(gives_the_command_a_file_of_its_own)
{
	char directory[] = "/tmp/perseus-test-XXXXXX";
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(setenv("TMPDIR", directory, 1), 0);
	struct perseus__results_file file;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__results_file_init(&file, &err), PERSEUS_OK);
	ck_assert_str_eq(getenv("PERSEUS_RESULTS"), file.path);
	ck_assert_ptr_eq(strstr(file.path, directory), file.path);
	struct stat about;
	ck_assert_int_eq(stat(file.path, &about), 0);
	ck_assert_int_eq(about.st_mode & 0777, 0600);
	FILE *appended = fopen(getenv("PERSEUS_RESULTS"), "a");
	ck_assert_ptr_nonnull(appended);
	ck_assert_int_ge(fputs("loss=2.5\n", appended), 0);
	ck_assert_int_eq(fclose(appended), 0);
	ck_assert_int_eq(perseus__results_file_read(&file, &run, &err), PERSEUS_OK);
	ck_assert_str_eq(perseus__run_result(&run, "loss")->text, "2.5");
	ck_assert_int_eq(truncate(file.path, (1 << 20) + 1), 0);
	ck_assert_int_eq(perseus__results_file_read(&file, &run, &err), PERSEUS_INVALID);
	ck_assert_int_eq(unlink(file.path), 0);
	ck_assert_int_eq(perseus__results_file_read(&file, &run, &err), PERSEUS_IO); /* the command took it away */
	perseus__results_file_fini(&file);
	ck_assert_int_eq(rmdir(directory), 0);
	ck_assert_int_eq(perseus__results_file_init(&file, &err), PERSEUS_IO); /* where it would be is gone */
	ck_assert_str_eq(file.path, "");
	ck_assert_int_eq(perseus__results_file_read(&file, &run, &err), PERSEUS_OK);
	perseus__results_file_fini(&file);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("results_file");
	TCase *tcase = tcase_create("results_file");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, takes_lines, 0, sizeof files / sizeof *files);
	tcase_add_test(tcase, keeps_a_thousand);
	tcase_add_test(tcase, gives_the_command_a_file_of_its_own);
	return run_suite(suite);
}
