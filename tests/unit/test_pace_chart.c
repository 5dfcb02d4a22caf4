/* The picture of a paced job: steps as high as the powers they stand for, and files that are what they say. */
#include "chart/pace_chart.h"
#include "drawn.h"
#include "suite.h"

#include <cairo.h>
#include <check.h>
#include <math.h>

enum { N_SLOTS = 1200, BEGIN_H = 495000 };

static struct perseus_operating_point points[] = {{1, 100}, {2, 400}};
static struct perseus_operating_curve curve = {2, points};
static struct perseus_pace_slot slots[N_SLOTS];
static struct perseus_paced_slot paced[N_SLOTS], flat[N_SLOTS];
static struct perseus_pace_course paced_course, flat_course;
static struct perseus_pace_problem problem;
static const struct perseus__pace_line lines[] = {{&flat_course, "flat"}};

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

static enum perseus_status
draw_chart(const char *path, const void *picture, struct perseus_error *err)
{
	return perseus__chart_pace(path, picture, NULL, err);
}

START_TEST(the_same_bytes_in_every_format)
{
	const struct perseus__pace_picture picture = make_picture(100, 0.1);
	drawn_same_bytes(draw_chart, &picture);
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
		drawn_finite(draw_chart, &picture);
	}
}
END_TEST

START_TEST(errors_say_where)
{
	const struct perseus__pace_picture picture = make_picture(10, 1);
	drawn_errors_name_file(draw_chart, &picture);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pace_chart");
	TCase *tcase = tcase_create("chart");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, drawn_setup, drawn_teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, areas_are_as_high_as_powers, 0, 2);
	tcase_add_test(tcase, the_same_bytes_in_every_format);
	tcase_add_test(tcase, odd_pictures_are_drawn);
	tcase_add_test(tcase, errors_say_where);
	return run_suite(suite);
}
