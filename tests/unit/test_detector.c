/*
 * Stragglers found from the times of steps: traces without noise, of which the answer is known exactly, and random ones
 * from a generator that knows nothing of the detector.
 */
#include "random.h"
#include "suite.h"
#include "torture.h"

#include "server/detector.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_PIPELINES = 64, STEPS = 1000 };

static struct perseus__detector *
new_detector(int32_t n_pipelines)
{
	struct perseus__detector *detector = NULL;
	ck_assert_int_eq(perseus__detector_new(n_pipelines, NULL, &detector, NULL), PERSEUS_OK);
	return detector;
}

/* What holds after every step, whatever came in. */
static void
check_verdicts(const struct perseus__detector *detector, int32_t n_pipelines, int64_t step)
{
	for (int32_t p = 0; p < n_pipelines; p++) {
		const struct perseus__verdict *verdict = perseus__detector_verdict(detector, p);
		ck_assert_msg(verdict->is_straggler == (verdict->degree > 1), "step %lld, pipeline %d: degree %.17g",
				(long long)step, (int)p, verdict->degree);
		ck_assert(verdict->degree == 1 || verdict->degree > 1);
		ck_assert(verdict->since_step >= -1 && verdict->since_step <= step);
		ck_assert(!verdict->is_straggler || verdict->since_step >= 0);
	}
}

/* A stretch of steps of a trace without noise: how many, and the time of each pipeline over the expected. */
struct stretch {
	int n_steps;
	double slow[4]; /* 0: no report */
};

/* What is held of each pipeline after all stretches. */
struct trace {
	const char *name;
	int32_t n_pipelines;
	struct stretch stretches[6];
	double degree[4];      /* 1: no straggler */
	int64_t since_step[4]; /* -2: not looked at */
};

static const struct trace traces[] = {
	{"alone it never straggles", 1, {{200, {1}}, {20, {1.5}}}, {1}, {-1}},
	{"one slow step says nothing", 2, {{200, {1, 1}}, {1, {1, 1.5}}}, {1, 1}, {-1, -1}},
	{"a hiccup is over", 2, {{200, {1, 1}}, {1, {1, 1.5}}, {1, {1, 1}}}, {1, 1}, {-1, -1}},
	{"two slow steps say it", 2, {{200, {1, 1}}, {2, {1, 1.15}}}, {1, 1.15}, {-1, 200}},
	{"a little is noticed, too", 4, {{200, {1, 1, 1, 1}}, {2, {1, 1, 1.06, 1}}}, {1, 1, 1.06, 1}, {-1, -1, 200, -1}},
	{"less than is worth an answer", 2, {{200, {1, 1}}, {200, {1, 1.03}}}, {1, 1}, {-1, -1}},
	{"slow from the start", 2, {{5, {1.3, 1}}}, {1.3, 1}, {3, -1}},
	{"slowing during a step", 2, {{200, {1, 1}}, {1, {1, 1.1}}, {1, {1, 1.3}}}, {1, 1.3}, {-1, 200}},
	{"all slow together", 3, {{200, {1, 1, 1}}, {30, {1.4, 1.4, 1.4}}}, {1, 1, 1}, {-1, -1, -1}},
	{"all fast together", 3, {{200, {1, 1, 1}}, {30, {0.7, 0.7, 0.7}}}, {1, 1, 1}, {-1, -1, -1}},
	{"one slow while all slow", 3, {{2000, {1, 1, 1}}, {2, {1.2, 1.2, 1.5}}}, {1, 1, 1.25}, {-1, -1, 2000}},
	{"three of four", 4, {{200, {1, 1, 1, 1}}, {2, {1.2, 1, 1.2, 1.2}}}, {1.2, 1, 1.2, 1.2}, {200, -1, 200, 200}},
	{"one becomes faster", 2, {{200, {1, 1}}, {10, {0.85, 1}}}, {1, 1}, {-1, -1}},
	{"two slow steps from recovery", 2, {{200, {1, 1}}, {10, {1, 1.2}}, {1, {1, 1}}}, {1, 1.2}, {-1, 200}},
	{"recovered", 2, {{200, {1, 1}}, {10, {1, 1.2}}, {2, {1, 1}}}, {1, 1}, {-1, 210}},
	{"a quick step is no recovery", 2, {{200, {1, 1}}, {10, {1, 1.2}}, {1, {1, 1}}, {1, {1, 1.2}}}, {1, 1.2},
		{-1, 200}},
	{"worse", 2, {{200, {1, 1}}, {10, {1, 1.2}}, {2, {1, 1.5}}}, {1, 1.5}, {-1, 200}},
	{"better", 2, {{200, {1, 1}}, {10, {1, 1.5}}, {2, {1, 1.2}}}, {1, 1.2}, {-1, 200}},
	{"better by far", 2, {{200, {1, 1}}, {10, {1, 1.5}}, {2, {1, 1.1}}}, {1, 1.1}, {-1, 200}},
	{"a change below a step is not told", 2, {{200, {1, 1}}, {10, {1, 1.2}}, {50, {1, 1.21}}}, {1, 1.2}, {-1, 200}},
	{"a change by little is told", 2, {{200, {1, 1}}, {10, {1, 1.2}}, {50, {1, 1.23}}}, {1, 1.224}, {-1, 200}},
	{"the other, too: nobody", 2, {{200, {1, 1}}, {10, {1, 1.2}}, {4, {1.2, 1.2}}}, {1, 1}, {-2, -2}},
	{"two degrees", 3, {{200, {1, 1, 1}}, {5, {1, 1.2, 1.4}}}, {1, 1.2, 1.4}, {-1, 200, 200}},
	{"no reports of the slow one", 2, {{200, {1, 1}}, {1, {1, 1.2}}, {5, {1, 0}}, {1, {1, 1.2}}}, {1, 1.2}, {-1, 200}},
	{"nobody to compare with", 2, {{200, {1, 1}}, {9, {0, 1.5}}}, {1, 1}, {-1, -1}},
	{"a latecomer", 3, {{200, {1, 1, 0}}, {5, {1, 1, 1.3}}}, {1, 1, 1.3}, {-1, -1, 203}},
};

static void
play(struct perseus__detector *detector, const struct trace *trace, const int32_t *place, double scale)
{
	double time_s[4];
	double expected_s[4];
	int64_t step = 0;
	for (int k = 0; k < 6; k++)
		for (int s = 0; s < trace->stretches[k].n_steps; s++, step++) {
			for (int32_t p = 0; p < trace->n_pipelines; p++) {
				/* Every pipeline has another plan, which changes now and then. */
				expected_s[place[p]] = scale * (0.5 + 0.1 * p + 0.05 * (double)((step / 7 + p) % 3));
				const double slow = trace->stretches[k].slow[p];
				time_s[place[p]] = slow > 0 ? slow * expected_s[place[p]] : (double)NAN;
			}
			(void)perseus__detector_step(detector, step, time_s, expected_s);
			check_verdicts(detector, trace->n_pipelines, step);
		}
}

static void
check_trace(const struct trace *trace, const int32_t *place, double scale)
{
	struct perseus__detector *detector = new_detector(trace->n_pipelines);
	play(detector, trace, place, scale);
	for (int32_t p = 0; p < trace->n_pipelines; p++) {
		const struct perseus__verdict *verdict = perseus__detector_verdict(detector, place[p]);
		/* Without noise a degree is a mean of equal times; one that was followed lags by a step of the mean at most. */
		ck_assert_msg(fabs(verdict->degree - trace->degree[p]) < 2e-3, "%s: pipeline %d has degree %.17g, not %.17g",
				trace->name, (int)p, verdict->degree, trace->degree[p]);
		ck_assert_msg(trace->since_step[p] == -2 || verdict->since_step == trace->since_step[p],
				"%s: pipeline %d since %lld, not %lld", trace->name, (int)p, (long long)verdict->since_step,
				(long long)trace->since_step[p]);
	}
	perseus__detector_free(detector);
}

/* As it is, in another unit of time, and with the pipelines numbered in another order. */
START_TEST(traces_without_noise)
{
	static const int32_t as_is[] = {0, 1, 2, 3};
	const struct trace *trace = &traces[_i];
	check_trace(trace, as_is, 1);
	check_trace(trace, as_is, 3600);
	int32_t reversed[4];
	for (int32_t p = 0; p < trace->n_pipelines; p++)
		reversed[p] = trace->n_pipelines - 1 - p;
	check_trace(trace, reversed, 1);
}
END_TEST

/* Random traces: relative noise, what all share, hiccups of one step, and one straggler for a while. */
struct model {
	int32_t n_pipelines;
	double noise;
	double jitter;       /* of what all share */
	double p_hiccup;     /* in a step of the job */
	bool has_heavy_tail; /* Student's t with 3 degrees of freedom, of that standard deviation */
	double degree;
	int onset;  /* first slow step; past the end: none */
	int healed; /* first step as before */
	int jump;   /* from here on all take 1.2 times as long */
};

struct random_trace {
	struct model model;
	uint64_t state;
	double expected_s[MAX_PIPELINES];
	int32_t straggler;
	int32_t last_hiccup;
};

static struct random_trace
new_trace(const struct model *model, uint64_t seed)
{
	struct random_trace trace = {
		.model = *model, .state = seed * 7919 + (uint64_t)model->n_pipelines, .last_hiccup = -1};
	for (int32_t p = 0; p < model->n_pipelines; p++)
		trace.expected_s[p] = 0.5 + random_fraction(&trace.state);
	trace.straggler = (int32_t)(random_fraction(&trace.state) * model->n_pipelines);
	return trace;
}

static double
noise_of(struct random_trace *trace)
{
	const double z = random_normal(&trace->state);
	if (!trace->model.has_heavy_tail)
		return trace->model.noise * z;
	double square = 0;
	for (int k = 0; k < 3; k++) {
		const double x = random_normal(&trace->state);
		square += x * x;
	}
	return trace->model.noise * z / sqrt(square);
}

/* A hiccup is one: the same pipeline has none in the next step. */
static int32_t
hiccup_of(struct random_trace *trace)
{
	const bool has_one = random_fraction(&trace->state) < trace->model.p_hiccup;
	const int32_t pipeline = (int32_t)(random_fraction(&trace->state) * trace->model.n_pipelines);
	trace->last_hiccup = has_one && pipeline != trace->last_hiccup ? pipeline : -1;
	return trace->last_hiccup;
}

static void
next_times(struct random_trace *trace, int step, double *time_s)
{
	const struct model *model = &trace->model;
	const double shared = exp(model->jitter * random_normal(&trace->state)) * (step >= model->jump ? 1.2 : 1);
	const int32_t hiccup = hiccup_of(trace);
	for (int32_t p = 0; p < model->n_pipelines; p++) {
		time_s[p] = trace->expected_s[p] * shared * fmax(1 + noise_of(trace), 0.1);
		if (p == hiccup)
			time_s[p] *= 1.1 + random_fraction(&trace->state);
		if (p == trace->straggler && step >= model->onset && step < model->healed)
			time_s[p] *= model->degree;
	}
}

static const int32_t sizes[] = {2, 3, 4, 8, 16, 64};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

/* False alarms in STEPS steps of a job. */
static int
false_alarms(const struct model *model, uint64_t seed)
{
	struct random_trace trace = new_trace(model, seed);
	struct perseus__detector *detector = new_detector(model->n_pipelines);
	bool was_straggler[MAX_PIPELINES] = {false};
	double time_s[MAX_PIPELINES];
	int n = 0;
	for (int step = 0; step < STEPS; step++) {
		next_times(&trace, step, time_s);
		(void)perseus__detector_step(detector, step, time_s, trace.expected_s);
		for (int32_t p = 0; p < model->n_pipelines; p++) {
			const bool is_straggler = perseus__detector_verdict(detector, p)->is_straggler;
			n += is_straggler && !was_straggler[p];
			was_straggler[p] = is_straggler;
		}
	}
	perseus__detector_free(detector);
	return n;
}

static int
false_alarms_of_seeds(struct model model, int n_seeds)
{
	int n = 0;
	model.onset = INT32_MAX;
	for (int k = 0; k < N_SIZES; k++) {
		model.n_pipelines = sizes[k];
		for (int seed = 0; seed < n_seeds; seed++)
			n += false_alarms(&model, (uint64_t)seed);
	}
	return n;
}

/* 2 % of noise with ten hiccups in a run: expected are 3e-4 false alarms in a run, 0.07 in these 240. */
START_TEST(no_false_alarm)
{
	const struct model model = {.noise = 0.02, .p_hiccup = 0.01, .jump = INT32_MAX};
	ck_assert_int_eq(false_alarms_of_seeds(model, 40), 0);
}
END_TEST

START_TEST(no_false_alarm_when_all_slow)
{
	const struct model model = {.noise = 0.02, .jitter = 0.01, .p_hiccup = 0.01, .jump = 500};
	ck_assert_int_eq(false_alarms_of_seeds(model, 20), 0);
}
END_TEST

/* Times without any noise are no excuse to see stragglers in the last bits. */
START_TEST(no_false_alarm_without_noise)
{
	const struct model model = {.noise = 1e-9, .jump = 300};
	ck_assert_int_eq(false_alarms_of_seeds(model, 3), 0);
}
END_TEST

/* Noise with such tails has hiccups of all sizes, two in a row included: few, not none. */
START_TEST(few_false_alarms_with_heavy_tails)
{
	const struct model model = {.noise = 0.02, .has_heavy_tail = true, .jump = INT32_MAX};
	const int n_seeds = 20;
	const int n = false_alarms_of_seeds(model, n_seeds);
	ck_assert_msg(n <= n_seeds * N_SIZES / 20, "%d false alarms in %d runs", n, n_seeds * N_SIZES);
}
END_TEST

struct reaction {
	int noticed;   /* slow steps until it was; 0: never */
	int recovered; /* steps until it was seen; 0: never */
	double degree; /* told at the end of it */
	int64_t since_step;
};

static struct reaction
react(const struct model *model, uint64_t seed)
{
	struct random_trace trace = new_trace(model, seed);
	struct perseus__detector *detector = new_detector(model->n_pipelines);
	double time_s[MAX_PIPELINES];
	struct reaction reaction = {0};
	for (int step = 0; step < model->healed + 20; step++) {
		next_times(&trace, step, time_s);
		(void)perseus__detector_step(detector, step, time_s, trace.expected_s);
		const struct perseus__verdict *verdict = perseus__detector_verdict(detector, trace.straggler);
		if (step < model->healed && verdict->is_straggler) {
			if (reaction.noticed == 0)
				reaction.noticed = step - model->onset + 1;
			reaction.degree = verdict->degree;
			reaction.since_step = verdict->since_step;
		}
		if (step >= model->healed && !verdict->is_straggler && reaction.recovered == 0)
			reaction.recovered = step - model->healed + 1;
	}
	perseus__detector_free(detector);
	return reaction;
}

/* Degree, noise, and the share of cases that two slow steps must be enough for. */
static const struct {
	double degree;
	double noise;
	double share;
} reactions[] = {
	{1.15, 0.02, 0.97}, /* 3 s beyond the threshold, twice: 99.7 %, less what hiccups and the common part take */
	{1.15, 0.01, 1},
	{1.3, 0.02, 1},
	{1.06, 0.001, 1},
	{4, 0.02, 1},
};

START_TEST(noticed_after_two_slow_steps)
{
	enum { N_SEEDS = 50 };
	int n_quick = 0;
	int n_quick_recoveries = 0;
	for (int k = 0; k < N_SIZES; k++)
		for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
			const struct model model = {.n_pipelines = sizes[k],
				.noise = reactions[_i].noise,
				.degree = reactions[_i].degree,
				.onset = 200,
				.healed = 230,
				.jump = INT32_MAX};
			const struct reaction reaction = react(&model, seed);
			ck_assert_msg(reaction.noticed > 0, "%d pipelines, seed %d: never noticed", (int)sizes[k], (int)seed);
			n_quick += reaction.noticed <= 2;
			n_quick_recoveries += reaction.recovered > 0 && reaction.recovered <= 2;
			/* A mean of sixteen steps, told where it is off by three of its errors or degree_step. */
			const double error = 0.02 + 4 * reactions[_i].noise / sqrt(16);
			ck_assert_msg(fabs(log(reaction.degree / model.degree)) < error, "%d pipelines, seed %d: degree %.17g",
					(int)sizes[k], (int)seed, reaction.degree);
		}
	const int n_cases = N_SIZES * N_SEEDS;
	const double least = reactions[_i].share * n_cases;
	ck_assert_msg(n_quick >= least, "%d of %d noticed after two steps", n_quick, n_cases);
	ck_assert_msg(n_quick_recoveries >= least, "%d of %d recoveries seen", n_quick_recoveries, n_cases);
}
END_TEST

/* What two steps do not show is summed up. */
START_TEST(little_is_noticed_in_time)
{
	for (int k = 0; k < N_SIZES; k++)
		for (uint64_t seed = 0; seed < 20; seed++) {
			const struct model model = {
				.n_pipelines = sizes[k], .noise = 0.02, .degree = 1.08, .onset = 200, .healed = 300, .jump = INT32_MAX};
			const struct reaction reaction = react(&model, seed);
			ck_assert_msg(reaction.noticed > 0, "%d pipelines, seed %d: never noticed", (int)sizes[k], (int)seed);
			ck_assert_msg(fabs(reaction.degree - 1.08) < 0.03, "%d pipelines, seed %d: degree %.17g", (int)sizes[k],
					(int)seed, reaction.degree);
		}
}
END_TEST

/* The noise is learned whatever was assumed at first. */
START_TEST(noise_is_learned)
{
	for (int k = 0; k < N_SIZES; k++) {
		static const double noises[] = {0.005, 0.02, 0.1};
		const double noise = noises[_i];
		const struct model model = {
			.n_pipelines = sizes[k], .noise = noise, .p_hiccup = 0.01, .onset = INT32_MAX, .jump = INT32_MAX};
		struct random_trace trace = new_trace(&model, 1);
		struct perseus__detector *detector = new_detector(sizes[k]);
		double time_s[MAX_PIPELINES];
		for (int step = 0; step < STEPS; step++) {
			next_times(&trace, step, time_s);
			(void)perseus__detector_step(detector, step, time_s, trace.expected_s);
		}
		const double learned = perseus__detector_noise(detector);
		/* 256 steps of two pipelines: 4.4 %, three times; hiccups, clipping and log(1 + x) the rest. */
		ck_assert_msg(
				fabs(learned / noise - 1) < 0.25, "%d pipelines: %.17g, not %.17g", (int)sizes[k], learned, noise);
		perseus__detector_free(detector);
	}
}
END_TEST

/* A pipeline that is noisier than the others is judged by its own noise. */
START_TEST(noisy_pipeline_is_no_straggler)
{
	int n = 0;
	for (uint64_t seed = 0; seed < 40; seed++) {
		uint64_t state = seed;
		struct perseus__detector *detector = new_detector(8);
		for (int step = 0; step < STEPS; step++) {
			double time_s[8];
			double expected_s[8];
			for (int32_t p = 0; p < 8; p++) {
				expected_s[p] = 1;
				time_s[p] = fmax(1 + (p == 3 ? 0.1 : 0.01) * random_normal(&state), 0.1);
			}
			/* Until its noise is known it may look like one. */
			const bool has_changed = perseus__detector_step(detector, step, time_s, expected_s);
			n += step > 100 && has_changed && perseus__detector_verdict(detector, 3)->is_straggler;
		}
		perseus__detector_free(detector);
	}
	ck_assert_msg(n <= 2, "%d false alarms in 40 runs", n);
}
END_TEST

START_TEST(reset_forgets_verdicts)
{
	struct perseus__detector *detector = new_detector(2);
	const double expected_s[] = {1, 1};
	const double slow_s[] = {1, 1.5};
	for (int step = 0; step < 10; step++)
		(void)perseus__detector_step(detector, step, slow_s, expected_s);
	ck_assert(perseus__detector_verdict(detector, 1)->is_straggler);
	const double noise = perseus__detector_noise(detector);
	perseus__detector_reset(detector);
	check_verdicts(detector, 2, 10);
	ck_assert(!perseus__detector_verdict(detector, 1)->is_straggler);
	ck_assert_int_eq(perseus__detector_verdict(detector, 1)->since_step, -1);
	ck_assert_double_eq(perseus__detector_noise(detector), noise);
	perseus__detector_free(detector);
}
END_TEST

/* Whatever comes in, what comes out makes sense. */
START_TEST(hostile_times)
{
	static const double odd[] = {0, -1, INFINITY, -INFINITY, 1e-300, 1e300, 5e-324, 1};
	for (uint64_t seed = 1; seed < 20; seed++) {
		uint64_t state = seed;
		struct perseus__detector *detector = new_detector(5);
		for (int step = 0; step < 300; step++) {
			double time_s[5];
			double expected_s[5];
			for (int32_t p = 0; p < 5; p++) {
				time_s[p] = random_fraction(&state) < 0.3 ? odd[(int)(random_fraction(&state) * 8)]
														  : exp(3 * random_normal(&state));
				expected_s[p] = random_fraction(&state) < 0.3 ? odd[(int)(random_fraction(&state) * 8)] : 1;
				if (random_fraction(&state) < 0.1)
					time_s[p] = (double)NAN;
			}
			(void)perseus__detector_step(detector, step, time_s, expected_s);
			check_verdicts(detector, 5, step);
			ck_assert(isfinite(perseus__detector_noise(detector)));
		}
		perseus__detector_free(detector);
	}
}
END_TEST

static const struct {
	int32_t n_pipelines;
	struct perseus__detector_settings settings;
	const char *message;
} bad[] = {
	{0, {1.05, 0.02, 3, 0.03}, "n_pipelines: 0 is not positive"},
	{2, {1, 0.02, 3, 0.03}, "min_degree: 1 is not above 1"},
	{2, {1.05, 0, 3, 0.03}, "degree_step: 0 is not positive"},
	{2, {1.05, 0.02, -1, 0.03}, "n_warmup: -1 is negative"},
	{2, {1.05, 0.02, 3, 0}, "first_noise: 0 is not positive"},
};

START_TEST(bad_settings)
{
	struct perseus_error err;
	struct perseus__detector *detector = NULL;
	ck_assert_int_eq(perseus__detector_new(bad[_i].n_pipelines, &bad[_i].settings, &detector, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad[_i].message);
	ck_assert_ptr_null(detector);
}
END_TEST

static enum perseus_status
make(void **out, struct perseus_error *err)
{
	struct perseus__detector *detector = *out;
	const enum perseus_status status = perseus__detector_new(8, NULL, &detector, err);
	*out = detector;
	return status;
}

static void
destroy(void *detector)
{
	perseus__detector_free(detector);
}

START_TEST(without_memory)
{
	const struct torture_scenario scenario = {"detector", make, destroy};
	torture_run(&scenario, FAILING_ALLOC_ONE);
	torture_run(&scenario, FAILING_ALLOC_REST);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("detector");
	TCase *exact = tcase_create("exact");
	tcase_add_loop_test(exact, traces_without_noise, 0, sizeof traces / sizeof traces[0]);
	tcase_add_test(exact, reset_forgets_verdicts);
	tcase_add_test(exact, hostile_times);
	tcase_add_loop_test(exact, bad_settings, 0, sizeof bad / sizeof bad[0]);
	tcase_add_test(exact, without_memory);
	suite_add_tcase(suite, exact);
	TCase *random = tcase_create("random");
	tcase_set_timeout(random, 240);
	tcase_add_test(random, no_false_alarm);
	tcase_add_test(random, no_false_alarm_when_all_slow);
	tcase_add_test(random, no_false_alarm_without_noise);
	tcase_add_test(random, few_false_alarms_with_heavy_tails);
	tcase_add_loop_test(random, noticed_after_two_slow_steps, 0, sizeof reactions / sizeof reactions[0]);
	tcase_add_test(random, little_is_noticed_in_time);
	tcase_add_loop_test(random, noise_is_learned, 0, 3);
	tcase_add_test(random, noisy_pipeline_is_no_straggler);
	suite_add_tcase(suite, random);
	return run_suite(suite);
}
