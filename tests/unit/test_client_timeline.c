/* Times at clocks: classes, windows, and how long a change of the clock takes. */
#include "client/latency.h"
#include "client/report.h"
#include "client/timeline.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <string.h>

#define MS INT64_C(1000000)

static struct perseus__timeline
new_timeline(void)
{
	struct perseus__timeline timeline;
	ck_assert_int_eq(perseus__timeline_init(&timeline, NULL), PERSEUS_OK);
	return timeline;
}

static void
change(struct perseus__timeline *timeline, int64_t from_ms, int64_t until_ms, int32_t mhz)
{
	const struct perseus__clock_change change = {
		.from_ns = from_ms * MS, .until_ns = until_ms * MS, .frequency_mhz = mhz, .is_unknown = mhz < 0};
	perseus__timeline_change(timeline, &change);
}

static struct perseus__span
span(int64_t begin_ms, int64_t end_ms, enum perseus_kind kind)
{
	return (struct perseus__span){.begin_ns = begin_ms * MS, .end_ns = end_ms * MS, .kind = kind};
}

/* Clock 1000 from 10..14 on, 1010 from 30..50, 500 from 100..110, not known from 200, 800 from 240..300. */
static const struct {
	int64_t begin_ms, end_ms;
	int32_t mhz; /* -1: not settled */
} clocks[] = {
	{0, 10, 0},
	{0, 11, -1}, /* the free clock may be any */
	{14, 30, 1000},
	{13, 213, -1},
	{14, 40, 1000}, /* 10 of 26 ms at 1000 or 1010: 0.4 % */
	{20, 60, -1},   /* 10 of 40 ms at another by 1 %, and 20 that may have been: 0.75 % */
	{25, 99, 1010},
	{50, 101, -1}, /* 1 of 51 ms at what may be half: 2 % */
	{50, 100, 1010},
	{105, 1105, -1},
	{109, 199, -1}, /* 1 of 90 ms: 1.1 % */
	{110, 200, 500},
	{110, 201, -1},
	{210, 220, -1},
	{230, 241, -1},
	{300, 310, 800},
};

START_TEST(knows_the_clock)
{
	struct perseus__timeline timeline = new_timeline();
	change(&timeline, 10, 14, 1000);
	change(&timeline, 30, 50, 1010);
	change(&timeline, 100, 110, 500);
	change(&timeline, 200, 200, -1);
	change(&timeline, 240, 300, 800);
	const struct perseus__span asked = span(clocks[_i].begin_ms, clocks[_i].end_ms, PERSEUS_KIND_FORWARD);
	int32_t mhz = -1;
	if (!perseus__timeline_clock(&timeline, &asked, &mhz))
		mhz = -1;
	ck_assert_msg(mhz == clocks[_i].mhz, "%d..%d: %d", (int)clocks[_i].begin_ms, (int)clocks[_i].end_ms, mhz);
	perseus__timeline_fini(&timeline);
}
END_TEST

static int64_t
busy_ms(const struct perseus__class_times *busy, enum perseus_kind kind, int32_t mhz)
{
	for (int32_t i = 0; i < busy->n; i++)
		if (busy->items[i].kind == kind && busy->items[i].frequency_mhz == mhz)
			return busy->items[i].time_ns / MS;
	return 0;
}

START_TEST(windows)
{
	struct perseus__timeline timeline = new_timeline();
	struct perseus__class_times busy = {.n = 0};
	int64_t unsettled_ns = 0;
	change(&timeline, 150, 160, 1000);
	const struct perseus__span spans[] = {
		span(0, 40, PERSEUS_KIND_FORWARD), span(50, 120, PERSEUS_KIND_BACKWARD), span(120, 200, PERSEUS_KIND_FORWARD)};
	for (int i = 0; i < 3; i++)
		perseus__timeline_add(&timeline, &spans[i]);
	ck_assert(perseus__timeline_window(&timeline, 10 * MS, 110 * MS, NULL, &busy, &unsettled_ns));
	ck_assert_int_eq(busy_ms(&busy, PERSEUS_KIND_FORWARD, 0), 30);
	ck_assert_int_eq(busy_ms(&busy, PERSEUS_KIND_BACKWARD, 0), 60);
	ck_assert_int_eq(unsettled_ns, 0);
	perseus__class_times_fini(&busy);
	/* The next has what is left, split where the clock changed, and what still runs. */
	const struct perseus__span running = {.begin_ns = 205 * MS, .end_ns = INT64_MAX, .kind = PERSEUS_KIND_BACKWARD};
	ck_assert(perseus__timeline_window(&timeline, 110 * MS, 210 * MS, &running, &busy, &unsettled_ns));
	ck_assert_int_eq(busy_ms(&busy, PERSEUS_KIND_BACKWARD, 0), 10);
	ck_assert_int_eq(busy_ms(&busy, PERSEUS_KIND_FORWARD, 0), 30);
	ck_assert_int_eq(busy_ms(&busy, PERSEUS_KIND_FORWARD, 1000), 40);
	ck_assert_int_eq(busy_ms(&busy, PERSEUS_KIND_BACKWARD, 1000), 5);
	ck_assert_int_eq(unsettled_ns, 10 * MS);
	perseus__class_times_fini(&busy);
	ck_assert_int_eq(timeline.n_spans, 0);
	/* What nobody told is not known, at whatever clock. */
	const struct perseus__span unknown = {.begin_ns = 210 * MS, .end_ns = 250 * MS, .is_unknown = true};
	perseus__timeline_add(&timeline, &unknown);
	ck_assert(perseus__timeline_window(&timeline, 210 * MS, 310 * MS, NULL, &busy, &unsettled_ns));
	ck_assert_int_eq(busy.n, 0);
	ck_assert_int_eq(unsettled_ns, 40 * MS);
	perseus__timeline_fini(&timeline);
}
END_TEST

/* Spans that no window took: the oldest go, and a window that would have had them says so. */
START_TEST(loses_no_span_silently)
{
	struct perseus__timeline timeline = new_timeline();
	struct perseus__class_times busy = {.n = 0};
	int64_t unsettled_ns = 0;
	for (int64_t i = 0; i < 2 * (int64_t)PERSEUS__TIMELINE_SPANS; i++) {
		const struct perseus__span one = span(2 * i, 2 * i + 1, PERSEUS_KIND_FORWARD);
		perseus__timeline_add(&timeline, &one);
	}
	const int64_t end_ms = 4 * (int64_t)PERSEUS__TIMELINE_SPANS;
	ck_assert(!perseus__timeline_window(&timeline, 0, 100 * MS, NULL, &busy, &unsettled_ns));
	ck_assert(perseus__timeline_window(&timeline, (end_ms - 100) * MS, end_ms * MS, NULL, &busy, &unsettled_ns));
	ck_assert_int_eq(busy_ms(&busy, PERSEUS_KIND_FORWARD, 0), 50);
	perseus__class_times_fini(&busy);
	perseus__timeline_fini(&timeline);
}
END_TEST

/* Against sums of squares, which are exact for these. */
START_TEST(mean_and_deviation)
{
	struct perseus__class_times times = {.n = 0};
	const struct perseus__span one = span(0, 1, PERSEUS_KIND_FORWARD);
	const int64_t values_ns[] = {10, 14, 18, 22, 36};
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(perseus__class_times_add(&times, &one, 900, values_ns[i], NULL), PERSEUS_OK);
	ck_assert_int_eq(times.n, 1);
	ck_assert_int_eq(times.items[0].n, 5);
	ck_assert_double_eq_tol(times.items[0].mean_ns, 20, 1e-12);
	ck_assert_double_eq_tol(times.items[0].square_ns, 100 + 36 + 4 + 4 + 256, 1e-9);
	perseus__class_times_fini(&times);
}
END_TEST

/* A change of 12 ms, looked at every ms. */
static void
measure(struct perseus__latency *latency, int64_t at_ms, int64_t takes_ms, int32_t from_mhz, int32_t to_mhz)
{
	perseus__latency_begin(latency, at_ms * MS, to_mhz);
	for (int64_t ms = at_ms; perseus__latency_due_ns(latency) != INT64_MAX; ms++) {
		ck_assert_int_le(perseus__latency_due_ns(latency), ms * MS);
		const int32_t mhz = ms < at_ms + takes_ms ? from_mhz : to_mhz;
		(void)perseus__latency_read(latency, ms * MS, ms * MS, mhz);
	}
}

START_TEST(measures_the_latency)
{
	struct perseus__latency latency = perseus__latency_init();
	ck_assert_int_eq(perseus__latency_mean_ns(&latency), 0);
	ck_assert_int_eq(perseus__latency_low_ns(&latency), 0);
	ck_assert_int_eq(perseus__latency_high_ns(&latency), 50 * MS);
	measure(&latency, 1000, 12, 1410, 900);
	ck_assert_int_eq(latency.n_measured, 1);
	ck_assert_int_eq(perseus__latency_low_ns(&latency), 11 * MS);
	ck_assert_int_eq(perseus__latency_high_ns(&latency), 12 * MS);
	measure(&latency, 2000, 8, 900, 1410);
	ck_assert_int_eq(perseus__latency_low_ns(&latency), 7 * MS);
	ck_assert_int_eq(perseus__latency_high_ns(&latency), 12 * MS);
	ck_assert_int_eq(perseus__latency_mean_ns(&latency), (11500000 + 7500000) / 2);
	/* Letting go, and a clock that is there already, tell nothing. */
	perseus__latency_begin(&latency, 3000 * MS, 0);
	ck_assert_int_eq(perseus__latency_due_ns(&latency), INT64_MAX);
	measure(&latency, 4000, 0, 900, 900);
	ck_assert_int_eq(latency.n_measured, 2);
	/* After the first eight, one in 64. */
	for (int i = 0; i < 6; i++)
		measure(&latency, 5000 + 100 * (int64_t)i, 10, i % 2 ? 1410 : 900, i % 2 ? 900 : 1410);
	ck_assert_int_eq(latency.n_measured, 8);
	int32_t n = 0;
	for (int i = 0; i < 640; i++) {
		perseus__latency_begin(&latency, (10000 + (int64_t)i) * MS, i % 2 ? 900 : 1410);
		n += perseus__latency_due_ns(&latency) != INT64_MAX;
	}
	ck_assert_int_eq(n, 10);
}
END_TEST

START_TEST(gives_up_measuring)
{
	struct perseus__latency latency = perseus__latency_init();
	/* A clock that never comes, four times. */
	for (int i = 0; i < 4; i++) {
		measure(&latency, 10000 * (int64_t)(i + 1), 100000, 1410, 900);
		ck_assert_int_eq(latency.n_failed, i + 1);
	}
	perseus__latency_begin(&latency, 100000 * MS, 900);
	ck_assert_int_eq(perseus__latency_due_ns(&latency), INT64_MAX);
	/* One that was looked at too seldom. */
	latency = perseus__latency_init();
	perseus__latency_begin(&latency, 0, 900);
	(void)perseus__latency_read(&latency, 0, 0, 1410);
	ck_assert(!perseus__latency_read(&latency, 90 * MS, 90 * MS, 900));
	ck_assert_int_eq(latency.n_measured, 0);
	/* Unreadable clocks are passed over; most of the way counts. */
	perseus__latency_begin(&latency, 0, 900);
	(void)perseus__latency_read(&latency, 0, 0, 1400);
	(void)perseus__latency_read(&latency, 8 * MS, 8 * MS, 1110);
	(void)perseus__latency_read(&latency, 9 * MS, 9 * MS, 0);
	ck_assert(perseus__latency_read(&latency, 10 * MS, 10 * MS, 1000));
	ck_assert_int_eq(perseus__latency_low_ns(&latency), 8 * MS);
}
END_TEST

static void
add_step(struct perseus__reports *reports, int64_t number)
{
	struct perseus__step_report step = {
		.step = number, .revision = -1, .time_ns = 500 * MS, .span_ns = -1, .energy_j = NAN};
	const struct perseus__span one = span(0, 1, PERSEUS_KIND_OVERLAP);
	ck_assert_int_eq(perseus__class_times_add(&step.classes, &one, 1410, 30 * MS, NULL), PERSEUS_OK);
	perseus__reports_add_step(reports, &step);
}

static void
add_window(struct perseus__reports *reports)
{
	struct perseus__window_report window = {
		.time_ns = 100 * MS, .energy_j = 28.2200004, .error_j = 0.03, .unsettled_ns = 2 * MS};
	const struct perseus__span one = span(0, 1, PERSEUS_KIND_GRAD_REDUCE);
	ck_assert_int_eq(perseus__class_times_add(&window.busy, &one, 0, 31 * MS, NULL), PERSEUS_OK);
	perseus__reports_add_window(reports, &window);
}

START_TEST(writes_reports)
{
	struct perseus__reports reports = {.n_steps = 0};
	ck_assert(!perseus__reports_is_due(&reports));
	add_window(&reports);
	ck_assert(!perseus__reports_is_due(&reports)); /* waits for its step */
	add_step(&reports, 12);
	ck_assert(perseus__reports_is_due(&reports));
	struct perseus__text body = perseus__text_init(4096);
	const struct perseus__report_state state = {.switch_latency_ns = 12 * MS, .control = "agent"};
	perseus__reports_write(&reports, &state, &body);
	ck_assert_str_eq(body.bytes,
			"{\"steps\": [{\"step\": 12, \"revision\": -1, \"time_s\": 0.5, \"span_s\": null, \"energy_j\": null, "
			"\"is_followed\": false, "
			"\"classes\": [{\"stage\": 0, \"kind\": \"O\", \"frequency_mhz\": 1410, \"count\": 1, "
			"\"mean_s\": 0.03, \"deviation_s\": 0.0}]}], \"windows\": [{\"time_s\": 0.1, \"energy_j\": 28.22, "
			"\"error_j\": 0.03, \"unsettled_s\": 0.002, \"busy\": [{\"stage\": 0, \"kind\": \"grad_reduce\", "
			"\"frequency_mhz\": 0, \"time_s\": 0.031}]}], \"switch_latency_s\": 0.012, \"control\": \"agent\"}\n");
	perseus__text_fini(&body);
	/* What comes meanwhile is not acknowledged with the batch. */
	add_step(&reports, 13);
	perseus__reports_acknowledge(&reports);
	ck_assert_uint_eq(reports.n_steps, 1);
	ck_assert_uint_eq(reports.n_windows, 0);
	ck_assert_int_eq(reports.steps[0].step, 13);
	ck_assert_int_eq(reports.n_acknowledged, 1);
	perseus__reports_fini(&reports);
}
END_TEST

START_TEST(keeps_a_bounded_number)
{
	struct perseus__reports reports = {.n_steps = 0};
	struct perseus__text body = perseus__text_init(1 << 20);
	const struct perseus__report_state state = {.control = NULL};
	for (int64_t i = 0; i < 10; i++)
		add_step(&reports, i);
	perseus__reports_write(&reports, &state, &body);
	for (int64_t i = 10; i < PERSEUS__MAX_STEPS_KEPT + 5; i++)
		add_step(&reports, i);
	ck_assert_uint_eq(reports.n_steps, PERSEUS__MAX_STEPS_KEPT);
	ck_assert_int_eq(reports.n_lost, 5);
	/* The batch under way stays; the oldest after it went. */
	ck_assert_int_eq(reports.steps[9].step, 9);
	ck_assert_int_eq(reports.steps[10].step, 15);
	perseus__reports_give_up(&reports);
	ck_assert_int_eq(reports.n_lost, 15);
	ck_assert_int_eq(reports.n_acknowledged, 0);
	for (int64_t i = 0; i < PERSEUS__MAX_WINDOWS_KEPT + 3; i++)
		add_window(&reports);
	ck_assert_uint_eq(reports.n_windows, PERSEUS__MAX_WINDOWS_KEPT);
	perseus__text_fini(&body);
	perseus__reports_fini(&reports);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client timeline");
	TCase *tests = tcase_create("all");
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, knows_the_clock, 0, (int)(sizeof clocks / sizeof *clocks));
	tcase_add_test(tests, windows);
	tcase_add_test(tests, loses_no_span_silently);
	tcase_add_test(tests, mean_and_deviation);
	tcase_add_test(tests, measures_the_latency);
	tcase_add_test(tests, gives_up_measuring);
	tcase_add_test(tests, writes_reports);
	tcase_add_test(tests, keeps_a_bounded_number);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
