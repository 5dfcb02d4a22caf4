/* Charts: numbers and colours as such, files of every format, what a picture must contain, errors, lack of memory. */
#include "base/memory.h"
#include "chart/critical.h"
#include "chart/frontier_chart.h"
#include "chart/labels.h"
#include "chart/scale.h"
#include "chart/timeline.h"
#include "chart/timeline_internal.h"
#include "drawn.h"
#include "failing_alloc.h"
#include "frontier/workload.h"
#include "suite.h"

#include <perseus/perseus.h>

#include <cairo.h>
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_RANKS = 4, N_MICROBATCHES = 8, N_CLOCKS = 6 };

START_TEST(ticks_are_round)
{
	static const struct {
		double low;
		double high;
		int32_t max_ticks;
		double step;
		double first;
		double last;
		int decimals;
	} cases[] = {
		{0, 10, 11, 1, 0, 10, 0},
		{0, 10, 10, 2, 0, 10, 0},
		{0, 10, 5, 5, 0, 10, 0},
		{0, 0.35, 8, 0.05, 0, 0.35, 2},
		{155.2, 163.9, 10, 1, 156, 163, 0},
		{-1, 1, 5, 0.5, -1, 1, 1},
		{0.3, 0.9, 7, 0.1, 0.3, 0.9, 1},
		{1e6, 3e6, 3, 1e6, 1e6, 3e6, 0},
		{1e-7, 9e-7, 9, 1e-7, 1e-7, 9e-7, 7},
		{7, 7, 5, 1, 7, 7, 0},
		{9, 3, 5, 1, 9, 9, 0},
		{NAN, 3, 5, 1, 0, 0, 0},
		{0, INFINITY, 5, 1, 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct perseus__ticks ticks = perseus__ticks_between(cases[i].low, cases[i].high, cases[i].max_ticks);
		const double tolerance = 1e-12 * fmax(1, fabs(cases[i].last));
		ck_assert_msg(fabs(ticks.step - cases[i].step) <= 1e-12 * cases[i].step
						&& fabs(perseus__ticks_value(&ticks, ticks.first) - cases[i].first) <= tolerance
						&& fabs(perseus__ticks_value(&ticks, ticks.last) - cases[i].last) <= tolerance
						&& ticks.decimals == cases[i].decimals,
				"case %zu: step %.17g, %.17g .. %.17g, %d decimals", i, ticks.step,
				perseus__ticks_value(&ticks, ticks.first), perseus__ticks_value(&ticks, ticks.last), ticks.decimals);
	}
}
END_TEST

/* At most as many as asked for, all within the bounds, and never so few that a finer round step would have fitted. */
START_TEST(ticks_fill_any_range)
{
	for (int k = 0; k < 2000; k++) {
		const double low = sin(k) * pow(10, k % 13 - 6);
		const double span = (1.1 + cos(3 * k)) * pow(10, k % 11 - 5);
		const int32_t max_ticks = 2 + k % 17;
		const struct perseus__ticks ticks = perseus__ticks_between(low, low + span, max_ticks);
		const int64_t n = ticks.last - ticks.first + 1;
		ck_assert_msg(n <= max_ticks, "case %d: %lld ticks of %d", k, (long long)n, (int)max_ticks);
		ck_assert_msg(perseus__ticks_value(&ticks, ticks.first) >= low - 1e-6 * span
						&& perseus__ticks_value(&ticks, ticks.last) <= low + span + 1e-6 * span,
				"case %d: ticks out of %g .. %g", k, low, low + span);
		/* Steps grow by 2.5 at most. */
		ck_assert_msg(
				ticks.step <= 2.5 * span / (max_ticks - 1), "case %d: step %g for a span of %g", k, ticks.step, span);
	}
}
END_TEST

START_TEST(numbers_have_no_locale)
{
	static const struct {
		double value;
		int decimals;
		const char *text;
	} cases[] = {
		{0, 0, "0"},
		{-0.0, 2, "0.00"},
		{-0.004, 2, "0.00"},
		{1.005, 1, "1.0"},
		{12.345, 2, "12.35"},
		{-2.5, 1,
			"\xe2\x88\x92"
			"2.5"},
		{0.05, 2, "0.05"},
		{999.96, 1, "1000.0"},
		{1.0000001, 9, "1.000000100"},
		{1, 99, "1.000000000"},
		{1e15, 0, "1000000000000000"},
		{1.1e15, 0, "-"},
		{NAN, 1, "-"},
		{INFINITY, 1, "-"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[64];
		perseus__number_text(cases[i].value, cases[i].decimals, text, sizeof text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

START_TEST(quantities_have_four_digits)
{
	static const struct {
		double value;
		bool is_energy;
		const char *text;
	} cases[] = {
		{156.794, false, "156.8 s"},
		{15.6794, false, "15.68 s"},
		{9.9996, false, "10.00 s"},
		{0.0431, false, "43.10 ms"},
		{0.00000502, false, "5.020 \xc2\xb5s"},
		{12345, false, "12345 s"},
		{0, false, "0.000 s"},
		{54020, true, "54.02 kJ"},
		{3.2e9, true, "3.200 GJ"},
		{2.5e6, true, "2.500 MJ"},
		{71.98, true, "71.98 J"},
		{0.02, true, "20.00 mJ"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[64];
		perseus__quantity_text(cases[i].value,
				cases[i].is_energy ? perseus__energy_unit(cases[i].value) : perseus__time_unit(cases[i].value), text,
				sizeof text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

/* CIE 1976 lightness, 0 .. 100. */
static double
lightness(double luminance)
{
	return luminance > 0.008856 ? 116 * cbrt(luminance) - 16 : 903.3 * luminance;
}

static void
assert_same_colour(struct perseus__rgb a, struct perseus__rgb b)
{
	ck_assert_double_eq(a.red, b.red);
	ck_assert_double_eq(a.green, b.green);
	ck_assert_double_eq(a.blue, b.blue);
}

START_TEST(colours_darken_evenly)
{
	const int n = 200;
	double last = lightness(perseus__luminance(perseus__heat(0)));
	ck_assert_double_gt(last, 85);
	for (int i = 1; i <= n; i++) {
		const double now = lightness(perseus__luminance(perseus__heat((double)i / n)));
		/* 75 over the whole scale if even; no step may vanish in grey nor jump. */
		ck_assert_msg(last - now > 0.18 && last - now < 0.62, "step %d of lightness is %g", i, last - now);
		last = now;
	}
	ck_assert_double_lt(last, 15);
	assert_same_colour(perseus__heat(-3), perseus__heat(0));
	assert_same_colour(perseus__heat(7), perseus__heat(1));
	/* Waiting is lighter than the least power. */
	ck_assert_double_gt(perseus__luminance(perseus__waiting), perseus__luminance(perseus__heat(0)));
}
END_TEST

START_TEST(boxes_are_named)
{
	static const struct {
		struct perseus_instruction instruction;
		bool is_full;
		bool with_stage;
		const char *text;
	} cases[] = {
		{{.kind = PERSEUS_KIND_FORWARD, .stage = 2, .microbatch = 3}, true, false, "F3"},
		{{.kind = PERSEUS_KIND_BACKWARD, .stage = 2, .microbatch = 3}, true, true, "2B3"},
		{{.kind = PERSEUS_KIND_INPUT, .stage = 2, .microbatch = 12}, false, true, "12"},
		{{.kind = PERSEUS_KIND_OPTIMIZER_STEP, .stage = 2, .microbatch = -1}, true, false, ""},
		{{.kind = PERSEUS_KIND_DATA_LOAD, .stage = 0, .microbatch = 1}, true, false, ""},
		{{.kind = PERSEUS_KIND_OVERLAP,
			 .part = {{PERSEUS_KIND_FORWARD, 0, 7}, {PERSEUS_KIND_BACKWARD, 7, 3}},
			 .n_parts = 2},
			true, true, "0F7+7B3"},
		{{.kind = PERSEUS_KIND_OVERLAP,
			 .part = {{PERSEUS_KIND_FORWARD, 0, 7}, {PERSEUS_KIND_BACKWARD, 7, 3}},
			 .n_parts = 2},
			false, false, "7+3"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[96];
		perseus__box_label(&cases[i].instruction, cases[i].is_full, cases[i].with_stage, text, sizeof text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

static void
check_labels(const struct perseus__label *labels, int n, struct perseus__rect plot)
{
	for (int i = 0; i < n; i++) {
		const struct perseus__rect *rect = &labels[i].rect;
		ck_assert(rect->x >= plot.x && rect->x + rect->width <= plot.x + plot.width);
		ck_assert(rect->y >= plot.y && rect->y + rect->height <= plot.y + plot.height);
		for (int k = 0; k < n; k++) {
			const struct perseus__rect dot = {labels[k].point.x - 6, labels[k].point.y - 6, 12, 12};
			ck_assert_msg(!perseus__rects_overlap(*rect, dot), "label %d covers point %d", i, k);
			ck_assert_msg(k == i || !perseus__rects_overlap(*rect, labels[k].rect), "labels %d and %d overlap", i, k);
		}
	}
}

/* Marks one above the other, as plans of one deadline are, then side by side, as plans of one granularity may be. */
START_TEST(labels_keep_apart)
{
	enum { N = 7 };
	static const struct perseus__point steps[] = {{0, -12}, {0, -40}, {40, 0}, {60, 8}, {-3, 21}};
	const struct perseus__rect plot = {100, 50, 1000, 600};
	const struct perseus__point curve[] = {{150, 50}, {150, 500}, {400, 600}, {1100, 580}};
	const struct perseus__line line = {curve, sizeof curve / sizeof *curve};
	for (size_t c = 0; c < sizeof steps / sizeof *steps; c++) {
		struct perseus__label labels[N];
		for (int i = 0; i < N; i++)
			labels[i] = (struct perseus__label){
				.point = {150 + i * steps[c].x, 400 + i * steps[c].y},
				.rect = {.width = 120, .height = 34},
			};
		perseus__labels_place(labels, N, &line, 1, plot);
		check_labels(labels, N, plot);
	}
}
END_TEST

/* A profile, a schedule, a frontier and two plans: what the program has when it draws. */
static struct {
	struct perseus_profile *profile;
	const struct perseus_schedule *schedule;
	struct perseus_frontier *frontier;
	struct perseus_plan *before;
	struct perseus_plan *after;
} job;

static void
fill_rows(struct perseus_measurement *rows)
{
	static const char *const names[] = {"forward", "backward", PERSEUS_TRANSFER_CLASS};
	size_t n = 0;
	for (int32_t stage = 0; stage < N_RANKS; stage++)
		for (int32_t class_ = 0; class_ < 3; class_++)
			for (int32_t clock = 0; clock < (class_ == 2 ? 1 : N_CLOCKS); clock++) {
				const double speed = 0.5 + 0.1 * clock;
				const double size = class_ == 2 ? 0.05 : (1 + class_) * (1 + 0.07 * (stage * 5 % 4));
				rows[n++] = (struct perseus_measurement){
					.stage = stage,
					.instruction = names[class_],
					.frequency_mhz = class_ == 2 ? 0 : 700 + 140 * clock,
					.time_s = 0.05 * size / speed,
					.energy_j = size * (4 + 14 * speed * speed),
				};
			}
}

static void
make_job(void)
{
	enum { N_ROWS = N_RANKS * (2 * N_CLOCKS + 1) };
	static struct perseus_measurement rows[N_ROWS];
	struct perseus_error err = {.message = ""};
	const double blocking_w = 75;
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	fill_rows(rows);
	ck_assert_msg(perseus_profile_new(rows, N_ROWS, &settings, &job.profile, &err) == PERSEUS_OK, "%s", err.message);
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = N_RANKS;
	shape.n_microbatches = N_MICROBATCHES;
	ck_assert_msg(perseus_schedule_generate(&shape, &job.schedule, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_frontier_new(job.profile, job.schedule, NULL, &job.frontier, &err) == PERSEUS_OK, "%s",
			err.message);
	struct perseus_plan_settings planning = perseus_plan_settings_default();
	planning.deadline_ns = perseus_frontier_info(job.frontier).t_min_ns;
	int32_t highest[2 * N_RANKS * N_MICROBATCHES] = {0};
	ck_assert_msg(perseus_plan_evaluate(job.frontier, highest, &planning, &job.before, &err) == PERSEUS_OK, "%s",
			err.message);
	ck_assert_msg(perseus_plan_new(job.frontier, &planning, &job.after, &err) == PERSEUS_OK, "%s", err.message);
}

static void
free_job(void)
{
	perseus_plan_free(job.before);
	perseus_plan_free(job.after);
	perseus_frontier_free(job.frontier);
	perseus_schedule_free(job.schedule);
	perseus_profile_free(job.profile);
}

static enum perseus_status
draw_timeline(const char *path, const struct perseus__chart_options *options, struct perseus_error *err)
{
	return perseus__chart_timeline(path, job.frontier, job.before, job.after, options, err);
}

static enum perseus_status
draw_frontier(const char *path, const struct perseus__chart_options *options, struct perseus_error *err)
{
	const struct perseus_frontier_marker markers[] = {
		{"plan", job.after->deadline_ns, job.after->outcome.energy_nj, PERSEUS_MARKER_PLAN},
		{"highest clock", job.after->deadline_ns, job.before->outcome.energy_nj, PERSEUS_MARKER_BASELINE},
		{NULL, job.after->deadline_ns * 2, job.before->outcome.energy_nj, PERSEUS_MARKER_OTHER},
	};
	const double after_s = (double)job.after->deadline_ns * 1e-9;
	const double after_j = (double)job.after->outcome.energy_nj * 1e-9;
	const struct perseus__curve_point slower[] = {{after_s, after_j * 1.2}, {after_s * 1.1, after_j * 1.1}};
	const struct perseus_frontier_series series[] = {{"others", slower, 2}, {"alone", slower, 1}};
	const struct perseus_frontier_marks marks = {markers, 3, series, 2};
	return perseus__chart_frontier(path, job.frontier, &marks, options, err);
}

static enum perseus_status (*const charts[])(
		const char *path, const struct perseus__chart_options *options, struct perseus_error *err) = {
	draw_timeline,
	draw_frontier,
};
enum { N_CHARTS = sizeof charts / sizeof *charts };

START_TEST(files_are_what_they_say)
{
	static const struct {
		const char *name;
		const char *again;
		const char *magic;
	} cases[] = {
		{"a.svg", "b.svg", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg "},
		{"a.png", "b.png", "\x89PNG\r\n\x1a\n"},
		{"a.pdf", "b.pdf", "%PDF-1."},
		{"a.PNG", "b.png", "\x89PNG\r\n\x1a\n"},
	};
	make_job();
	for (int c = 0; c < N_CHARTS; c++)
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			struct perseus_error err = {.message = ""};
			size_t length;
			size_t length_again;
			ck_assert_msg(charts[c](cases[i].name, NULL, &err) == PERSEUS_OK, "%s", err.message);
			char *bytes = drawn_slurp(cases[i].name, &length);
			ck_assert_msg(charts[c](cases[i].again, NULL, &err) == PERSEUS_OK, "%s", err.message);
			char *bytes_again = drawn_slurp(cases[i].again, &length_again);
			ck_assert_uint_gt(length, 1000);
			ck_assert_msg(memcmp(bytes, cases[i].magic, strlen(cases[i].magic)) == 0, "%s", cases[i].name);
			ck_assert_uint_eq(length, length_again);
			ck_assert_msg(memcmp(bytes, bytes_again, length) == 0, "%s differs when drawn again", cases[i].name);
			/* The time of day must not be in it, even where both were drawn within a second. */
			if (strcmp(cases[i].name, "a.pdf") == 0)
				ck_assert_ptr_nonnull(memmem(bytes, length, "19700101000000", strlen("19700101000000")));
			perseus__free(bytes);
			perseus__free(bytes_again);
		}
	free_job();
}
END_TEST

/* Pixels of exactly this colour, among those of a PNG. */
static int
count_pixels(const char *path, struct perseus__rgb colour, int32_t *width, int32_t *height)
{
	cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
	ck_assert_int_eq(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
	cairo_surface_flush(surface);
	*width = cairo_image_surface_get_width(surface);
	*height = cairo_image_surface_get_height(surface);
	const unsigned char *data = cairo_image_surface_get_data(surface);
	const ptrdiff_t stride = cairo_image_surface_get_stride(surface);
	const long wanted[] = {lround(colour.blue * 255), lround(colour.green * 255), lround(colour.red * 255)};
	int n = 0;
	for (int32_t y = 0; y < *height; y++)
		for (int32_t x = 0; x < *width; x++) {
			const unsigned char *pixel = data + y * stride + (ptrdiff_t)4 * x;
			n += pixel[0] == wanted[0] && pixel[1] == wanted[1] && pixel[2] == wanted[2];
		}
	cairo_surface_destroy(surface);
	return n;
}

/* One rank waits for a quarter, runs a quarter at the most power and half at the least. */
START_TEST(area_and_colour_are_true)
{
	const struct perseus_instruction instructions[] = {
		{.kind = PERSEUS_KIND_FORWARD, .microbatch = -1, .n_parts = 1},
		{.kind = PERSEUS_KIND_FORWARD, .microbatch = -1, .n_parts = 1},
	};
	const int32_t rank_begin[] = {0, 2};
	const struct perseus_schedule schedule = {.name = "one",
		.n_ranks = 1,
		.n_stages = 1,
		.n_microbatches = 1,
		.n_instructions = 2,
		.instructions = instructions,
		.rank_begin = rank_begin};
	const struct perseus__timeline_box boxes[] = {
		{.start_ns = 1000000000, .time_ns = 1000000000, .power_w = 400},
		{.start_ns = 2000000000, .time_ns = 2000000000, .power_w = 100},
	};
	const double blocking_w[] = {50};
	const struct perseus__timeline timeline = {.schedule = &schedule,
		.blocking_w = blocking_w,
		.n_panels = 1,
		.panels = {{.heading = "one", .iteration_time_ns = 4000000000, .energy_j = 650, .boxes = boxes}}};
	const struct perseus__chart_options options = {.width = 1000, .height = 600};
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__timeline_draw("a.png", &timeline, &options, &err) == PERSEUS_OK, "%s", err.message);
	int32_t width;
	int32_t height;
	const int most = count_pixels("a.png", perseus__heat(1), &width, &height);
	const int least = count_pixels("a.png", perseus__heat(0), &width, &height);
	ck_assert_int_eq(width, 1000);
	ck_assert_int_eq(height, 600);
	ck_assert_int_gt(most, 5000);
	ck_assert_msg(abs(least - 2 * most) < least / 50, "%d pixels of the least power, %d of the most", least, most);
}
END_TEST

START_TEST(critical_path_is_one)
{
	make_job();
	const struct perseus__workload *workload = perseus__frontier_workload(job.frontier);
	const struct perseus_plan *plans[] = {job.before, job.after};
	for (int p = 0; p < 2; p++) {
		const struct perseus_step *steps = plans[p]->steps;
		int64_t duration_ns[2 * N_RANKS * N_MICROBATCHES];
		for (int32_t i = 0; i < job.schedule->n_instructions; i++)
			duration_ns[i] = steps[i].time_ns;
		struct perseus__critical critical;
		ck_assert_int_eq(perseus__critical_init(&critical, workload, duration_ns, NULL), PERSEUS_OK);
		ck_assert_int_gt(critical.n_path, N_MICROBATCHES);
		int64_t at_ns = 0;
		for (int32_t k = 0; k < critical.n_path; k++) {
			const int32_t i = critical.path[k];
			ck_assert(critical.is_critical[i]);
			for (int32_t e = 0; k > 0 && e < job.schedule->n_edges; e++)
				if (job.schedule->edges[e].from == critical.path[k - 1] && job.schedule->edges[e].to == i)
					at_ns += workload->lag_ns[e];
			ck_assert_int_eq(steps[i].start_ns, at_ns);
			at_ns += steps[i].time_ns;
		}
		ck_assert_int_eq(at_ns, plans[p]->outcome.iteration_time_ns);
		int32_t n_critical = 0;
		for (int32_t i = 0; i < job.schedule->n_instructions; i++)
			n_critical += critical.is_critical[i];
		ck_assert_int_lt(n_critical, job.schedule->n_instructions);
		perseus__critical_fini(&critical);
	}
	free_job();
}
END_TEST

/* Where all take the same time and transfers none, most paths are longest: the one chosen changes ranks least. */
START_TEST(critical_path_stays_on_a_rank)
{
	make_job();
	struct perseus__workload workload = *perseus__frontier_workload(job.frontier);
	int64_t *lag_ns = perseus__new_array((size_t)job.schedule->n_edges, sizeof *lag_ns);
	ck_assert_ptr_nonnull(lag_ns);
	workload.lag_ns = lag_ns;
	int64_t duration_ns[2 * N_RANKS * N_MICROBATCHES];
	for (int32_t i = 0; i < job.schedule->n_instructions; i++)
		duration_ns[i] = 1000;
	struct perseus__critical critical;
	ck_assert_int_eq(perseus__critical_init(&critical, &workload, duration_ns, NULL), PERSEUS_OK);
	int32_t n_changes = 0;
	for (int32_t k = 1; k < critical.n_path; k++)
		n_changes += job.schedule->instructions[critical.path[k]].rank
				!= job.schedule->instructions[critical.path[k - 1]].rank;
	/* Down to the last rank with the first microbatch, back up with the last. */
	ck_assert_int_eq(n_changes, INT64_C(2) * (N_RANKS - 1));
	perseus__critical_fini(&critical);
	perseus__free(lag_ns);
	free_job();
}
END_TEST

START_TEST(errors_say_where)
{
	static const struct {
		const char *path;
		struct perseus__chart_options options;
		enum perseus_status status;
		const char *message;
	} cases[] = {
		{"plan", {0}, PERSEUS_INVALID, "plan: a chart needs an extension that says its format: .svg, .png or .pdf"},
		{"out.d/plan", {0}, PERSEUS_INVALID,
			"out.d/plan: a chart needs an extension that says its format: .svg, .png or .pdf"},
		{"plan.jpeg", {0}, PERSEUS_INVALID, "plan.jpeg: unknown chart format \".jpeg\"; known are .svg, .png and .pdf"},
		{"plan.svg.gz", {0}, PERSEUS_INVALID,
			"plan.svg.gz: unknown chart format \".gz\"; known are .svg, .png and .pdf"},
		{"plan.png", {.width = 63}, PERSEUS_INVALID,
			"plan.png: a chart of 63 x 900 is not possible; each side is in 64..16384"},
		{"plan.png", {.height = 16385}, PERSEUS_INVALID,
			"plan.png: a chart of 1600 x 16385 is not possible; each side is in 64..16384"},
		{"plan.svg", {.title = "caf\xe9"}, PERSEUS_INVALID, "plan.svg: cannot draw: a title or label is not UTF-8"},
		{"/nowhere/plan.svg", {0}, PERSEUS_IO, "cannot write /nowhere/plan.svg: No such file or directory"},
		{"/nowhere/plan.png", {0}, PERSEUS_IO, "cannot write /nowhere/plan.png: No such file or directory"},
		{"/nowhere/plan.pdf", {0}, PERSEUS_IO, "cannot write /nowhere/plan.pdf: No such file or directory"},
	};
	make_job();
	for (int c = 0; c < N_CHARTS; c++)
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			struct perseus_error err = {.message = ""};
			const enum perseus_status status = charts[c](cases[i].path, &cases[i].options, &err);
			ck_assert_str_eq(err.message, cases[i].message);
			ck_assert_int_eq(status, cases[i].status);
			ck_assert_int_eq(access(cases[i].path, F_OK), -1);
		}
	free_job();
}
END_TEST

/* A full disk shows while writing, not while opening. */
START_TEST(full_disk_is_an_error)
{
	make_job();
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(symlink("/dev/full", "a.svg"), 0);
	ck_assert_int_eq(draw_timeline("a.svg", NULL, &err), PERSEUS_IO);
	ck_assert_msg(strstr(err.message, "No space left on device") != NULL, "%s", err.message);
	free_job();
}
END_TEST

/* The disk fills while a chart is written over one that was there: the old one stays, and nothing else. */
START_TEST(full_disk_loses_nothing)
{
	make_job();
	struct perseus_error err = {.message = ""};
	struct rlimit limit = {0};
	struct stat before = {0}, after = {0};
	ck_assert_int_eq(draw_timeline("a.svg", NULL, &err), PERSEUS_OK);
	ck_assert_int_eq(stat("a.svg", &before), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	const struct rlimit less = {.rlim_cur = (rlim_t)before.st_size / 2, .rlim_max = limit.rlim_max};
	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &less), 0);
	const enum perseus_status status = draw_timeline("a.svg", NULL, &err);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(status, PERSEUS_IO);
	ck_assert_str_eq(err.message, "cannot write a.svg: File too large");
	ck_assert_int_eq(stat("a.svg", &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	free_job();
}
END_TEST

/* Every allocation of ours fails in turn; those inside cairo do not pass through here. */
START_TEST(lack_of_memory_is_an_error)
{
	make_job();
	for (int c = 0; c < N_CHARTS; c++)
		for (int mode = FAILING_ALLOC_ONE; mode <= FAILING_ALLOC_REST; mode++) {
			int64_t n = 0;
			for (;; n++) {
				struct perseus_error err = {.message = ""};
				failing_alloc_arm(n, (enum failing_alloc_mode)mode);
				const enum perseus_status status = charts[c]("a.svg", NULL, &err);
				if (!failing_alloc_disarm()) {
					ck_assert_int_eq(status, PERSEUS_OK);
					break;
				}
				ck_assert_msg(status == PERSEUS_NO_MEMORY, "allocation %lld: status %d, %s", (long long)n, (int)status,
						err.message);
			}
			ck_assert_int_gt(n, 5);
		}
	free_job();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("chart");
	TCase *tcase = tcase_create("chart");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, drawn_setup, drawn_teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, ticks_are_round);
	tcase_add_test(tcase, ticks_fill_any_range);
	tcase_add_test(tcase, numbers_have_no_locale);
	tcase_add_test(tcase, quantities_have_four_digits);
	tcase_add_test(tcase, colours_darken_evenly);
	tcase_add_test(tcase, boxes_are_named);
	tcase_add_test(tcase, labels_keep_apart);
	tcase_add_test(tcase, files_are_what_they_say);
	tcase_add_test(tcase, area_and_colour_are_true);
	tcase_add_test(tcase, critical_path_is_one);
	tcase_add_test(tcase, critical_path_stays_on_a_rank);
	tcase_add_test(tcase, errors_say_where);
	tcase_add_test(tcase, full_disk_is_an_error);
	tcase_add_test(tcase, full_disk_loses_nothing);
	tcase_add_test(tcase, lack_of_memory_is_an_error);
	return run_suite(suite);
}
