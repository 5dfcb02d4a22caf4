/* The picture of a paced job: steps as high as the powers they stand for, and files that are what they say. */
#include "base/memory.h"
#include "chart/pace_chart.h"

#include <cairo.h>
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* LeakSanitizer, where the build has it, asks this: fontconfig keeps patterns behind pointers that it cannot follow. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}

enum { N_SLOTS = 1200, BEGIN_H = 495000 };

static char directory[64];
static struct perseus_operating_point points[] = {{1, 100}, {2, 400}};
static struct perseus_operating_curve curve = {2, points};
static struct perseus_pace_slot slots[N_SLOTS];
static struct perseus_paced_slot paced[N_SLOTS], flat[N_SLOTS];
static struct perseus_pace_course paced_course, flat_course;
static struct perseus_pace_problem problem;
static const struct perseus__pace_line lines[] = {{&flat_course, "flat"}};

static void
setup(void)
{
	memcpy(directory, "/tmp/perseus-test-XXXXXX", sizeof "/tmp/perseus-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void
teardown(void)
{
	static const char *const names[] = {"a.svg", "a.png", "a.pdf", "b.svg", "b.png", "b.pdf"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)remove(names[i]);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}

/* 100 W in the first half, 400 W in the third quarter, over then; the other takes 200 W to the end. */
static struct perseus__pace_picture
make_picture(int32_t n, double factor)
{
	for (int32_t i = 0; i < n; i++) {
		const bool is_held = i < n * 3 / 4 || n == 1;
		slots[i] = (struct perseus_pace_slot){3600, factor};
		paced[i] = (struct perseus_paced_slot){
			.held_s = is_held ? 3600 : 0, .energy_j = is_held ? (i < n / 2 ? 100 : 400) * 3600.0 : 0};
		flat[i] = (struct perseus_paced_slot){.held_s = 3600, .energy_j = 200 * 3600.0};
	}
	paced_course = (struct perseus_pace_course){.n_slots = n, .slots = paced};
	flat_course = (struct perseus_pace_course){.n_slots = n, .slots = flat};
	problem = (struct perseus_pace_problem){.curve = &curve, .slots = slots, .n_slots = n};
	return (struct perseus__pace_picture){
		.heading = "true",
		.factor_name = "price (EUR/kWh)",
		.problem = &problem,
		.begin_ms = (int64_t)BEGIN_H * 3600000,
		.paced = {&paced_course, "paced"},
		.lines = lines,
		.n_lines = 1,
	};
}

/* Whether a pixel is what the area under the paced power is filled with, a grid line in it or not. */
static bool
is_filled(cairo_surface_t *surface, int x, int y)
{
	const unsigned char *pixel = cairo_image_surface_get_data(surface)
			+ (ptrdiff_t)y * cairo_image_surface_get_stride(surface) + (ptrdiff_t)4 * x;
	return pixel[2] < 195 && pixel[1] > pixel[2] + 20; /* green of 0.3 over white */
}

/* How far above the time axis the area reaches, in pixels. */
static int
height_at(cairo_surface_t *surface, int x)
{
	enum { BOTTOM = 900 - 112 };
	int height = 0;
	for (int y = BOTTOM - 3; y > 0 && is_filled(surface, x, y); y--)
		height++;
	return height;
}

START_TEST(areas_are_as_high_as_powers)
{
	struct perseus__pace_picture picture = make_picture(_i ? N_SLOTS : 40, 0.1);
	picture.n_lines = 0;
	ck_assert_int_eq(perseus__chart_pace("a.png", &picture, NULL, NULL), PERSEUS_OK);
	cairo_surface_t *surface = cairo_image_surface_create_from_png("a.png");
	ck_assert_int_eq(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
	cairo_surface_flush(surface);
	enum { LEFT = 128, WIDTH = 1600 - 128 - 36 };
	const double lane = (900 - 100 - 112 - 44) * (1 - 0.32), per_w = lane / (400 * 1.08);
	/* Away from the lines of the grid. */
	const int low = height_at(surface, LEFT + WIDTH / 4 + 7), high = height_at(surface, LEFT + WIDTH * 5 / 8 + 7);
	ck_assert_msg(fabs(low - 100 * per_w) < 6, "100 W: %d pixels of %g", low, 100 * per_w);
	ck_assert_msg(fabs(high - 400 * per_w) < 6, "400 W: %d pixels of %g", high, 400 * per_w);
	ck_assert_int_eq(height_at(surface, LEFT + WIDTH * 7 / 8 + 7), 0);
	cairo_surface_destroy(surface);
}
END_TEST

static char *
slurp(const char *path, size_t *length)
{
	enum { MAX_FILE_BYTES = 1 << 22 };
	char *bytes = perseus__new_array(MAX_FILE_BYTES, 1);
	FILE *file = fopen(path, "rb");
	ck_assert_msg(bytes && file, "%s is missing", path);
	*length = fread(bytes, 1, MAX_FILE_BYTES, file);
	(void)fclose(file);
	return bytes;
}

START_TEST(the_same_bytes_in_every_format)
{
	static const char *const names[][2] = {{"a.svg", "b.svg"}, {"a.png", "b.png"}, {"a.pdf", "b.pdf"}};
	const struct perseus__pace_picture picture = make_picture(100, 0.1);
	for (int i = 0; i < 3; i++) {
		char *bytes[2];
		size_t lengths[2];
		for (int k = 0; k < 2; k++) {
			ck_assert_int_eq(perseus__chart_pace(names[i][k], &picture, NULL, NULL), PERSEUS_OK);
			bytes[k] = slurp(names[i][k], &lengths[k]);
		}
		ck_assert(lengths[0] > 1000 && lengths[0] == lengths[1] && memcmp(bytes[0], bytes[1], lengths[0]) == 0);
		perseus__free(bytes[0]);
		perseus__free(bytes[1]);
	}
}
END_TEST

/* One hour, nothing that varies, factors of zero and below, no line beside it. */
START_TEST(odd_pictures_are_drawn)
{
	static const double factors[] = {0, -3, 1e9};
	for (int i = 0; i < 6; i++) {
		struct perseus__pace_picture picture = make_picture(i < 3 ? 1 : N_SLOTS, factors[i % 3]);
		picture.heading = NULL;
		picture.n_lines = 0;
		struct perseus_error err = {.message = ""};
		ck_assert_msg(perseus__chart_pace("a.svg", &picture, NULL, &err) == PERSEUS_OK, "%s", err.message);
		size_t length;
		char *bytes = slurp("a.svg", &length);
		ck_assert_ptr_null(memmem(bytes, length, "nan", 3));
		ck_assert_ptr_null(memmem(bytes, length, "inf", 3));
		perseus__free(bytes);
	}
}
END_TEST

START_TEST(errors_say_where)
{
	const struct perseus__pace_picture picture = make_picture(10, 1);
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__chart_pace("run.gif", &picture, NULL, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "run.gif"));
	ck_assert_int_eq(perseus__chart_pace("/nowhere/run.svg", &picture, NULL, &err), PERSEUS_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/run.svg"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pace_chart");
	TCase *tcase = tcase_create("chart");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, areas_are_as_high_as_powers, 0, 2);
	tcase_add_test(tcase, the_same_bytes_in_every_format);
	tcase_add_test(tcase, odd_pictures_are_drawn);
	tcase_add_test(tcase, errors_say_where);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
