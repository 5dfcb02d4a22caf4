/* Power over time: thinning keeps what matters in bounded memory; the picture shows what was read and nothing else. */
#include "chart/power_chart.h"
#include "drawn.h"
#include "failing_alloc.h"
#include "suite.h"

#include <cairo.h>
#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { PLOT_LEFT = 250, SHEET_WIDTH = 1600, PLOT_RIGHT = SHEET_WIDTH - 32 };

static const int64_t PERIOD_NS = 100000000;
static const int64_t SPAN_NS = 40000000000;

static struct perseus__history history;

static void
make_history(int32_t n_series)
{
	ck_assert_int_eq(perseus__history_init(&history, n_series, NULL), PERSEUS_OK);
}

/* Whole watts, so that sums are exact: series 0 jumps about, series 1 is read every third time, series 2 never. */
static void
add_sample(int64_t i)
{
	const double power_w[] = {(double)(i * 7919 % 1009), i % 3 ? NAN : (double)i, NAN};
	perseus__history_add(&history, i * PERIOD_NS, power_w);
}

static const int64_t counts[] = {1, 2, 2047, 2048, 2049, 4096, 4097, 50000, 131072};

START_TEST(thinning_keeps_extremes_and_sums)
{
	const int64_t n = counts[_i];
	make_history(3);
	for (int64_t i = 0; i < n; i++)
		add_sample(i);
	ck_assert_int_eq(history.n_samples, n);
	ck_assert_int_le(history.n_bins, PERSEUS__HISTORY_MAX_BINS);
	ck_assert_msg(n < 2 * (int64_t)PERSEUS__HISTORY_MAX_BINS || history.n_bins >= PERSEUS__HISTORY_MAX_BINS / 2,
			"%lld samples in %d bins", (long long)n, (int)history.n_bins);
	int64_t next = 0;
	for (int32_t bin = 0; bin < history.n_bins; bin++) {
		struct perseus__range expected[2] = {{.low = INFINITY}, {.low = INFINITY}};
		ck_assert_int_eq(history.begin[bin], next * PERIOD_NS);
		for (; next * PERIOD_NS <= history.end[bin]; next++)
			for (int k = 0; k < 2; k++) {
				const double power_w = k ? (double)next : (double)(next * 7919 % 1009);
				if (k && next % 3)
					continue;
				expected[k].low = fmin(expected[k].low, power_w);
				expected[k].high = fmax(expected[k].high, power_w);
				expected[k].sum += power_w;
				expected[k].n++;
			}
		for (int k = 0; k < 2; k++) {
			const struct perseus__range *found = perseus__history_at(&history, bin, k);
			ck_assert_msg(found->n == expected[k].n
							&& (found->n == 0
									|| (found->low == expected[k].low && found->high == expected[k].high
											&& found->sum == expected[k].sum)),
					"bin %d, series %d: %lld samples, %g .. %g, sum %g", (int)bin, k, (long long)found->n, found->low,
					found->high, found->sum);
		}
		ck_assert_int_eq(perseus__history_at(&history, bin, 2)->n, 0);
		ck_assert(bin + 1 == history.n_bins || next % history.n_per_bin == 0);
	}
	ck_assert_int_eq(next, n);
	perseus__history_fini(&history);
}
END_TEST

/* A pause of `pause` periods in the middle of n samples: seen where it is wide enough to be drawn. */
static const struct {
	int64_t n;
	int64_t pause;
	bool is_seen;
} pauses[] = {
	{100, 1, false},
	{100, 3, false},
	{100, 20, true},
	{3000, 3, false},
	{3000, 60, true},
	{100000, 60, false},
	{100000, 5000, true},
};

START_TEST(the_line_breaks_at_pauses)
{
	const int64_t n = pauses[_i].n;
	make_history(1);
	for (int64_t i = 0; i < n; i++)
		perseus__history_add(&history, (i + (i >= n / 2 ? pauses[_i].pause : 0)) * PERIOD_NS, &(double){5});
	int n_broken = 0;
	for (int32_t bin = 0; bin + 1 < history.n_bins; bin++)
		n_broken += perseus__power_is_broken(&history, bin, 0);
	ck_assert_msg((n_broken > 0) == pauses[_i].is_seen && n_broken <= 2, "broken %d times", n_broken);
	ck_assert(perseus__power_is_broken(&history, history.n_bins - 1, 0));
	perseus__history_fini(&history);
}
END_TEST

static const struct perseus__power_lane lanes[] = {
	{0, "GPU 0", "100 W average", NULL, PERSEUS__POWER_GPU},
	{1, "GPU 1", NULL, NULL, PERSEUS__POWER_GPU},
	{2, "CPU 0", NULL, "not measured: not permitted", PERSEUS__POWER_CPU},
};

/* 40 s: GPU 0 at 100 W for the first half, unread in the second; GPU 1 at 50 W; the CPU never. */
static struct perseus__power_picture
make_picture(int64_t n)
{
	make_history(3);
	for (int64_t i = 0; i < n; i++) {
		const double power_w[] = {i < n / 2 ? 100 : NAN, 50, NAN};
		perseus__history_add(&history, i * (SPAN_NS / n), power_w);
	}
	return (struct perseus__power_picture){
		.heading = "true", .history = &history, .lanes = lanes, .n_lanes = 3, .begin_ns = 0, .end_ns = SPAN_NS};
}

/* Columns from `from` to `to` with a pixel of nearly this colour in rows `top` to `bottom`; the highest such row. */
static int
count_columns(cairo_surface_t *surface, struct perseus__rgb colour, int from, int to, int top, int bottom, int *highest)
{
	enum { EVENED = 70 }; /* of 255: a line lies across two rows of pixels; what is filled is much lighter */
	const unsigned char *data = cairo_image_surface_get_data(surface);
	const ptrdiff_t stride = cairo_image_surface_get_stride(surface);
	const long wanted[] = {lround(colour.blue * 255), lround(colour.green * 255), lround(colour.red * 255)};
	int n = 0;
	*highest = bottom;
	for (int x = from; x < to; x++) {
		int y = top;
		for (; y < bottom; y++) {
			const unsigned char *pixel = data + y * stride + (ptrdiff_t)4 * x;
			if (labs(pixel[0] - wanted[0]) < EVENED && labs(pixel[1] - wanted[1]) < EVENED
					&& labs(pixel[2] - wanted[2]) < EVENED)
				break;
		}
		n += y < bottom;
		*highest = y < *highest ? y : *highest;
	}
	return n;
}

START_TEST(lines_are_where_something_was_read)
{
	static const struct perseus__rgb blue = {0.0, 0.32, 0.62};
	static const struct perseus__rgb orange = {0.72, 0.33, 0.05};
	const struct perseus__power_picture picture = make_picture(_i ? 40000 : 400);
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__chart_power("a.png", &picture, NULL, &err) == PERSEUS_OK, "%s", err.message);
	cairo_surface_t *surface = cairo_image_surface_create_from_png("a.png");
	ck_assert_int_eq(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
	cairo_surface_flush(surface);
	const int height = cairo_image_surface_get_height(surface);
	ck_assert_int_eq(cairo_image_surface_get_width(surface), SHEET_WIDTH);
	ck_assert_int_eq(height, 900);
	/* Three lanes of one height: thirds of what lies between the margins, about. */
	const int middle = (PLOT_LEFT + PLOT_RIGHT) / 2;
	int y_100 = 0, y_50 = 0, ignored = 0;
	const int left = count_columns(surface, blue, PLOT_LEFT + 2, middle - 8, 100, 330, &y_100);
	const int right = count_columns(surface, blue, middle + 8, PLOT_RIGHT - 2, 100, 330, &ignored);
	const int all = count_columns(surface, blue, PLOT_LEFT + 2, PLOT_RIGHT - 8, 345, 570, &y_50);
	const int absent = count_columns(surface, orange, PLOT_LEFT + 2, PLOT_RIGHT, 100, 800, &ignored);
	ck_assert_msg(left > middle - PLOT_LEFT - 20 && right == 0, "GPU 0: %d columns left, %d right", left, right);
	ck_assert_msg(all > PLOT_RIGHT - PLOT_LEFT - 20, "GPU 1: %d columns", all);
	ck_assert_int_eq(absent, 0);
	/* One scale for both: 100 W is at the top of its lane but for the air, 50 W in the middle of the next. */
	const double lane = (900 - 106 - 96 + 14) / 3.0;
	ck_assert_msg(fabs(y_100 - (106 + (lane - 14) * (1 - 1 / 1.06))) < 3, "100 W at %d", y_100);
	ck_assert_msg(fabs(y_50 - (106 + lane + (lane - 14) * (1 - 0.5 / 1.06))) < 3, "50 W at %d", y_50);
	cairo_surface_destroy(surface);
	perseus__history_fini(&history);
}
END_TEST

static enum perseus_status
draw_chart(const char *path, const void *picture, struct perseus_error *err)
{
	return perseus__chart_power(path, picture, NULL, err);
}

START_TEST(the_same_bytes_in_every_format)
{
	const struct perseus__power_picture picture = make_picture(5000);
	drawn_same_bytes(draw_chart, &picture);
	perseus__history_fini(&history);
}
END_TEST

/* Nothing, one sample, idle devices, a hundred lanes. */
START_TEST(odd_pictures_are_drawn)
{
	struct perseus__power_lane many[100];
	double power_w[100] = {0};
	for (int i = 0; i < 100; i++)
		many[i] = lanes[i % 3];
	for (int i = 0; i < 100; i++)
		many[i].series = i;
	for (int n = 0; n <= 2; n++)
		for (int32_t n_series = 1; n_series <= 100; n_series += 99) {
			make_history(n_series);
			for (int k = 0; k < n; k++)
				perseus__history_add(&history, k, power_w);
			const struct perseus__power_picture picture = {.history = &history, .lanes = many, .n_lanes = n_series};
			drawn_finite(draw_chart, &picture);
			perseus__history_fini(&history);
		}
}
END_TEST

START_TEST(errors_say_where)
{
	const struct perseus__power_picture picture = make_picture(10);
	drawn_errors_name_file(draw_chart, &picture);
	perseus__history_fini(&history);
}
END_TEST

START_TEST(lack_of_memory_is_an_error)
{
	int64_t n = 0;
	for (;; n++) {
		history = (struct perseus__history){.n_series = 77};
		failing_alloc_arm(n, FAILING_ALLOC_ONE);
		const enum perseus_status status = perseus__history_init(&history, 2, NULL);
		if (!failing_alloc_disarm()) {
			ck_assert_int_eq(status, PERSEUS_OK);
			break;
		}
		ck_assert_int_eq(status, PERSEUS_NO_MEMORY);
		ck_assert_int_eq(history.n_series, 77);
	}
	ck_assert_int_eq(n, 3);
	perseus__history_fini(&history);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("power_chart");
	TCase *thinning = tcase_create("history");
	suite_add_tcase(suite, thinning);
	tcase_add_loop_test(thinning, thinning_keeps_extremes_and_sums, 0, sizeof counts / sizeof *counts);
	tcase_add_loop_test(thinning, the_line_breaks_at_pauses, 0, sizeof pauses / sizeof *pauses);
	tcase_add_test(thinning, lack_of_memory_is_an_error);
	TCase *tcase = tcase_create("chart");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, drawn_setup, drawn_teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, lines_are_where_something_was_read, 0, 2);
	tcase_add_test(tcase, the_same_bytes_in_every_format);
	tcase_add_test(tcase, odd_pictures_are_drawn);
	tcase_add_test(tcase, errors_say_where);
	return run_suite(suite);
}
