/* Whole files in and out: what is there after success and after failure, and the reasons given. */
#include "base/memory.h"
#include "format/input_file.h"
#include "format/output_file.h"
#include "suite.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

static void
make_directory(void)
{
	memcpy(directory, "/tmp/perseus-test-XXXXXX", sizeof "/tmp/perseus-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

/* Removes the directory and the files in it; how many there were. */
static int
remove_directory(void)
{
	int n = 0;
	DIR *open_directory = opendir(directory);
	ck_assert_ptr_nonnull(open_directory);
	for (struct dirent *entry; (entry = readdir(open_directory));) {
		if (entry->d_name[0] == '.')
			continue;
		char *path = perseus__output_path(directory, entry->d_name);
		ck_assert_int_eq(remove(path), 0);
		perseus__free(path);
		n++;
	}
	(void)closedir(open_directory);
	ck_assert_int_eq(rmdir(directory), 0);
	return n;
}

START_TEST(replaces_a_file)
{
	make_directory();
	char *path = perseus__output_path(directory, "plan.json");
	static const char *const contents[] = {"first, the longer one", "second", ""};
	for (size_t i = 0; i < 3; i++) {
		struct perseus_error err = {.message = ""};
		char *bytes = NULL;
		size_t length = 0;
		ck_assert_int_eq(perseus__output_file(path, contents[i], strlen(contents[i]), &err), PERSEUS_OK);
		ck_assert_int_eq(perseus__input_file(path, 100, &bytes, &length, &err), PERSEUS_OK);
		ck_assert_uint_eq(length, strlen(contents[i]));
		ck_assert(memcmp(bytes, contents[i], length) == 0);
		perseus__free(bytes);
	}
	perseus__free(path);
	ck_assert_int_eq(remove_directory(), 1);
}
END_TEST

START_TEST(leaves_nothing_over_on_failure)
{
	make_directory();
	char *path = perseus__output_path(directory, "taken");
	ck_assert_int_eq(mkdir(path, 0777), 0);
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__output_file(path, "x", 1, &err), PERSEUS_IO);
	ck_assert_ptr_nonnull(strstr(err.message, path));
	ck_assert_ptr_nonnull(strstr(err.message, "Is a directory"));
	perseus__free(path);
	ck_assert_int_eq(remove_directory(), 1);
}
END_TEST

START_TEST(says_why_it_cannot_write)
{
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__output_file("/nowhere/at/all", "x", 1, &err), PERSEUS_IO);
	ck_assert_str_eq(err.message, "cannot write /nowhere/at/all: No such file or directory");
	ck_assert_int_eq(perseus__output_directory("", &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__output_directory("/dev/null", &err), PERSEUS_IO);
	ck_assert_str_eq(err.message, "cannot use as a directory /dev/null: Not a directory");
	ck_assert_int_eq(perseus__output_directory("/dev/null/below", &err), PERSEUS_IO);
	ck_assert_str_eq(err.message, "cannot make directory /dev/null/below: Not a directory");
}
END_TEST

/* Through a link: were it renamed over, a test run by root would take the machine's device away. */
START_TEST(writes_devices_as_they_are)
{
	make_directory();
	char *path = perseus__output_path(directory, "full");
	ck_assert_int_eq(symlink("/dev/full", path), 0);
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__output_file(path, "x", 1, &err), PERSEUS_IO);
	ck_assert_ptr_nonnull(strstr(err.message, ": No space left on device"));
	struct stat about;
	ck_assert_int_eq(lstat(path, &about), 0);
	ck_assert(S_ISLNK(about.st_mode));
	perseus__free(path);
	ck_assert_int_eq(remove_directory(), 1);
}
END_TEST

START_TEST(makes_parents)
{
	make_directory();
	char *parent = perseus__output_path(directory, "a");
	char *path = perseus__output_path(parent, "b//");
	struct perseus_error err = {.message = ""};
	for (int i = 0; i < 2; i++)
		ck_assert_msg(perseus__output_directory(path, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(rmdir(path), 0);
	perseus__free(path);
	perseus__free(parent);
	ck_assert_int_eq(remove_directory(), 1);
}
END_TEST

START_TEST(bounds_what_it_reads)
{
	make_directory();
	char *path = perseus__output_path(directory, "five");
	struct perseus_error err = {.message = ""};
	char *bytes = NULL;
	size_t length = 0;
	ck_assert_int_eq(perseus__output_file(path, "12345", 5, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__input_file(path, 4, &bytes, &length, &err), PERSEUS_INVALID);
	ck_assert_ptr_null(bytes);
	ck_assert_int_eq(perseus__input_file(path, 5, &bytes, &length, &err), PERSEUS_OK);
	ck_assert_uint_eq(length, 5);
	perseus__free(bytes);
	perseus__free(path);
	ck_assert_int_eq(remove_directory(), 1);
}
END_TEST

START_TEST(says_why_it_cannot_read)
{
	struct perseus_error err = {.message = ""};
	char *bytes = NULL;
	size_t length = 0;
	ck_assert_int_eq(perseus__input_file("/nowhere", 10, &bytes, &length, &err), PERSEUS_IO);
	ck_assert_str_eq(err.message, "cannot read /nowhere: No such file or directory");
	ck_assert_int_eq(perseus__input_file("/tmp", 10, &bytes, &length, &err), PERSEUS_IO);
	ck_assert_str_eq(err.message, "cannot read /tmp: Is a directory");
	ck_assert_int_eq(perseus__input_file("/dev/zero", 1000000, &bytes, &length, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "/dev/zero is larger than 1000000 bytes");
	ck_assert_ptr_null(bytes);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("files");
	TCase *tcase = tcase_create("files");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, replaces_a_file);
	tcase_add_test(tcase, leaves_nothing_over_on_failure);
	tcase_add_test(tcase, says_why_it_cannot_write);
	tcase_add_test(tcase, writes_devices_as_they_are);
	tcase_add_test(tcase, makes_parents);
	tcase_add_test(tcase, bounds_what_it_reads);
	tcase_add_test(tcase, says_why_it_cannot_read);
	return run_suite(suite);
}
