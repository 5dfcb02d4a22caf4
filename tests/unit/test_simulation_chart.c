/* The picture of a simulated job: bars as long as the energies they stand for, files that are what they say. */
#include "chart/simulation_chart.h"
#include "drawn.h"
#include "suite.h"

#include <cairo.h>
#include <check.h>
#include <math.h>
#include <stdlib.h>

static struct perseus__history history;

static void
setup(void)
{
	drawn_setup();
	ck_assert_int_eq(perseus__history_init(&history, PERSEUS__N_SIMULATION_SERIES, NULL), PERSEUS_OK);
}

static void
teardown(void)
{
	drawn_teardown();
	perseus__history_fini(&history);
}

/* Half as much, in equal parts, as the other, which has extrinsic bloat alone. */
static const struct perseus__simulation_bar bars[] = {
	{"perseus", "50 J  -50 %", true, {12.5, 12.5, 12.5, 12.5}},
	{"max-clock", "100 J", false, {0, 0, 100, 0}},
};

/* 2 s an iteration; 4 s in the second half, with one straggler, of which the first tenth is unanswered. */
static struct perseus__simulation_picture
make_picture(int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const bool is_slow = i >= n / 2;
		const double values[] = {is_slow ? 4 : 2, is_slow, is_slow && i < n / 2 + n / 20};
		perseus__history_add(&history, i, values);
	}
	return (struct perseus__simulation_picture){
		.heading = "true",
		.bars = bars,
		.n_bars = 2,
		.history = &history,
		.n_pipelines = 4,
		.fastest_s = 2,
		.has_reaction = true,
	};
}

static cairo_surface_t *
draw(const struct perseus__simulation_picture *picture)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__chart_simulation("a.png", picture, NULL, &err) == PERSEUS_OK, "%s", err.message);
	cairo_surface_t *surface = cairo_image_surface_create_from_png("a.png");
	ck_assert_int_eq(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
	cairo_surface_flush(surface);
	return surface;
}

/* Pixels of this colour, within `tolerance` of 255, in a row of the sheet. */
static int
count_pixels(cairo_surface_t *surface, struct perseus__rgb colour, int tolerance, int left, int right, int y)
{
	const unsigned char *data = cairo_image_surface_get_data(surface);
	const ptrdiff_t stride = cairo_image_surface_get_stride(surface);
	const long wanted[] = {lround(colour.blue * 255), lround(colour.green * 255), lround(colour.red * 255)};
	int n = 0;
	for (int x = left; x < right; x++) {
		const unsigned char *pixel = data + y * stride + (ptrdiff_t)4 * x;
		n += labs(pixel[0] - wanted[0]) <= tolerance && labs(pixel[1] - wanted[1]) <= tolerance
				&& labs(pixel[2] - wanted[2]) <= tolerance;
	}
	return n;
}

/* On a row of pixels near the lower edge of each bar, where no text is. */
START_TEST(bars_are_as_long_as_what_they_stand_for)
{
	static const struct perseus__rgb colours[] = {
		{0.13, 0.40, 0.53}, {0.93, 0.66, 0.19}, {0.78, 0.27, 0.18}, {0.68, 0.68, 0.72}};
	const struct perseus__simulation_picture picture = make_picture(1000);
	cairo_surface_t *surface = draw(&picture);
	/* The sheet is 1600 wide, 190 of it left of the bars, 250 right of the longest. */
	const double all = 1600 - 190 - 250;
	for (int part = 0; part < 4; part++) {
		const int n = count_pixels(surface, colours[part], 1, 191, 1599, 152);
		ck_assert_msg(fabs(n - all / 8) <= 2, "part %d: %d pixels of %g", part, n, all / 8);
	}
	const int n = count_pixels(surface, colours[2], 1, 191, 1599, 192);
	ck_assert_msg(fabs(n - all) <= 2, "all of max-clock: %d pixels of %g", n, all);
	cairo_surface_destroy(surface);
}
END_TEST

/* The line is one level in the left half, another in the right; 2 s is half as high as 4 s. */
START_TEST(times_are_where_they_were)
{
	enum { EVENED = 70 }; /* a line lies across two rows of pixels; what is filled is much lighter */
	static const struct perseus__rgb blue = {0.0, 0.32, 0.62};
	const struct perseus__simulation_picture picture = make_picture(_i ? 100000 : 1000);
	cairo_surface_t *surface = draw(&picture);
	enum { LEFT = 190, RIGHT = 1568, MIDDLE = (LEFT + RIGHT) / 2, LANES = 122 + 2 * 40 + 106 };
	int rows[2] = {0, 0};
	for (int half = 0; half < 2; half++) {
		/* In the left half the dashes of what an iteration takes without stragglers lie on the line, in part. */
		const int from = half ? MIDDLE + 5 : LEFT + 5;
		const int to = half ? RIGHT - 5 : MIDDLE - 5;
		int most = 0;
		for (int y = LANES; y < 640; y++) {
			const int n = count_pixels(surface, blue, EVENED, from, to, y);
			rows[half] = n > most ? y : rows[half];
			most = n > most ? n : most;
		}
		ck_assert_msg(most > (to - from) / 4, "half %d: %d pixels in a row", half, most);
	}
	/* The axis begins at zero, where the lane ends, and has six hundredths of air. */
	const double top = LANES;
	const double lane = (900 - 100 - top - 30) * 0.68;
	ck_assert_msg(fabs(rows[1] - (top + lane * (1 - 1 / 1.06))) < 3, "4 s at %d", rows[1]);
	ck_assert_msg(fabs(rows[0] - (top + lane * (1 - 0.5 / 1.06))) < 3, "2 s at %d", rows[0]);
	cairo_surface_destroy(surface);
}
END_TEST

static enum perseus_status
draw_chart(const char *path, const void *picture, struct perseus_error *err)
{
	return perseus__chart_simulation(path, picture, NULL, err);
}

START_TEST(the_same_bytes_in_every_format)
{
	const struct perseus__simulation_picture picture = make_picture(10000);
	drawn_same_bytes(draw_chart, &picture);
}
END_TEST

/* One iteration, no energy at all, many policies, long names. */
START_TEST(odd_pictures_are_drawn)
{
	struct perseus__simulation_bar many[8];
	for (int i = 0; i < 8; i++)
		many[i] = (struct perseus__simulation_bar){.label = "a policy with a long name", .detail = "0 J"};
	const struct perseus__simulation_picture made = make_picture(1);
	for (int32_t n = 1; n <= 8; n += 7) {
		struct perseus__simulation_picture picture = made;
		picture.bars = many;
		picture.n_bars = n;
		picture.heading = NULL;
		drawn_finite(draw_chart, &picture);
	}
}
END_TEST

START_TEST(errors_say_where)
{
	const struct perseus__simulation_picture picture = make_picture(10);
	drawn_errors_name_file(draw_chart, &picture);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("simulation_chart");
	TCase *tcase = tcase_create("chart");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, bars_are_as_long_as_what_they_stand_for);
	tcase_add_loop_test(tcase, times_are_where_they_were, 0, 2);
	tcase_add_test(tcase, the_same_bytes_in_every_format);
	tcase_add_test(tcase, odd_pictures_are_drawn);
	tcase_add_test(tcase, errors_say_where);
	return run_suite(suite);
}
