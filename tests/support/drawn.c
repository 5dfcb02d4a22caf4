/* Charts drawn by tests. */
#include "drawn.h"

#include "base/memory.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILE_BYTES = 1 << 24 };

static char directory[64];

/* LeakSanitizer, where the build has it, asks this: fontconfig keeps patterns behind pointers that it cannot follow. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}

void
drawn_setup(void)
{
	memcpy(directory, "/tmp/perseus-test-XXXXXX", sizeof "/tmp/perseus-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

void
drawn_teardown(void)
{
	static const char *const names[] = {"a.svg", "a.png", "a.pdf", "b.svg", "b.png", "b.pdf", "a.PNG"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)remove(names[i]);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}

char *
drawn_slurp(const char *path, size_t *length)
{
	char *bytes = perseus__new_array(MAX_FILE_BYTES, 1);
	FILE *file = fopen(path, "rb");
	ck_assert_msg(bytes && file, "%s is missing", path);
	*length = fread(bytes, 1, MAX_FILE_BYTES - 1, file);
	ck_assert_uint_lt(*length, MAX_FILE_BYTES - 1);
	(void)fclose(file);
	return bytes;
}

void
drawn_same_bytes(drawn_chart *draw, const void *picture)
{
	static const char *const names[][2] = {{"a.svg", "b.svg"}, {"a.png", "b.png"}, {"a.pdf", "b.pdf"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *bytes[2];
		size_t lengths[2];
		for (int k = 0; k < 2; k++) {
			ck_assert_int_eq(draw(names[i][k], picture, NULL), PERSEUS_OK);
			bytes[k] = drawn_slurp(names[i][k], &lengths[k]);
		}
		ck_assert(lengths[0] > 1000 && lengths[0] == lengths[1] && memcmp(bytes[0], bytes[1], lengths[0]) == 0);
		perseus__free(bytes[0]);
		perseus__free(bytes[1]);
	}
}

void
drawn_finite(drawn_chart *draw, const void *picture)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(draw("a.svg", picture, &err) == PERSEUS_OK, "%s", err.message);
	size_t length;
	char *bytes = drawn_slurp("a.svg", &length);
	ck_assert_ptr_null(memmem(bytes, length, "nan", 3));
	ck_assert_ptr_null(memmem(bytes, length, "inf", 3));
	perseus__free(bytes);
}

void
drawn_errors_name_file(drawn_chart *draw, const void *picture)
{
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(draw("run.gif", picture, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "run.gif"));
	ck_assert_int_eq(draw("/nowhere/run.svg", picture, &err), PERSEUS_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/run.svg"));
}
