/*
 * Which data-parallel pipeline straggles, by how much, since when, and when it recovers: from the times of its steps,
 * without being told. Pure: no clock, no I/O, no lock.
 *
 * A pipeline is judged by x = log(time / what its own plan predicts), so one that runs a slower plan on purpose is no
 * straggler. Each x is taken apart:
 *
 *     x = level of the pipeline + what is common to this step + noise
 *
 * Levels are exponential means. What is common is how far nearly all have moved from their levels: the quarter that
 * moved least says it, so that all slowing together accuses nobody; it is believed as far as the past of the common
 * part lets it be more than chance. Noise is learned from how pipelines differ, for all together, and for one by itself
 * that is clearly noisier. What counts against a pipeline is its excess e = x - common - level of the healthy ones, in
 * units of s: the noise and the doubt about what is common, a quarter of log(min_degree) at least.
 *
 * | what           | rule                                       | where it comes from                              |
 * | -------------- | ------------------------------------------ | ------------------------------------------------ |
 * | clearly slow   | e >= 4 s twice in a row, the second time   | noise is beyond 4 s once in 30,000, twice in a   |
 * |                | at least half as far as the first          | row once in 10^9; a hiccup lasts one step        |
 * | slow by little | the sum of min(e/s - k, 1.25), kept above  | Page 1954; k half the least shift of interest; H |
 * |                | 0, exceeds H; k = log(min_degree) / 2s     | for one false alarm in 10^6 steps of a job       |
 * |                |                                            | (Siegmund 1985); 1.25, as a hiccup must be small |
 * |                |                                            | beside H                                         |
 * | recovered      | e below half of the degree's, n times in a | n for one error in 10^5 steps; 2 for 1.15 and    |
 * |                | row                                        | 2 % noise, more where noise drowns the degree    |
 * | another degree | e off the degree's by 4 s twice in a row,  | as for clearly slow; degree_step keeps plans     |
 * |                | or its mean by degree_step                 | from changing for nothing                        |
 * | patience       | three or four times in a row where tails   | a tail shows on the quick side, too, where there |
 * |                | are heavy; and for 5,000 steps after one   | are neither hiccups nor stragglers; the other    |
 * |                | that straggled for 4 steps                 | was over before an answer could begin            |
 *
 * With 2 % of noise or less, 1.15 is noticed after two slow steps: log 1.15 = 0.14 = 7 s is 3 s beyond the threshold,
 * so 1 % is missed, and noticed a few steps later. The commonest false alarm is a hiccup that follows noise beyond 4 s:
 * one in 3,000 runs of 1,000 steps with ten hiccups each. One step alone is never enough, however slow it was: a hiccup
 * looks the same.
 */
#ifndef PERSEUS_SERVER_DETECTOR_H
#define PERSEUS_SERVER_DETECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

struct perseus__detector;

struct perseus__detector_settings {
	double min_degree;  /* > 1: less is not worth an answer */
	double degree_step; /* > 0: the degree told changes by this much at least, relative */
	int32_t n_warmup;   /* >= 0: steps of a pipeline that are learned from and not judged */
	double first_noise; /* > 0: relative noise assumed before it is known */
};

/* 1.05, 0.02, 3, 0.03. */
struct perseus__detector_settings perseus__detector_settings_default(void);

/* What is held of a pipeline. */
struct perseus__verdict {
	bool is_straggler;
	double degree;      /* its time over what its plan predicts, beside the healthy ones; 1 where it is none */
	int64_t since_step; /* first step of its being slow, or of its being as before; -1: it never was slow */
};

/* For `n_pipelines` >= 1. `settings` NULL: the defaults. Errors: INVALID, naming the setting; NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__detector_new(int32_t n_pipelines,
		const struct perseus__detector_settings *settings, struct perseus__detector **out, struct perseus_error *err);

/* NULL is fine. */
void perseus__detector_free(struct perseus__detector *detector);

/*
 * The times of one step: `time_s`, length n_pipelines, each pipeline's own (the span of its instructions, before the
 * gradient reduction, where it would wait for the others), NaN where nothing was reported; `expected_s`, length
 * n_pipelines, what its plan predicts for it, NaN where it has no plan that could. Values that are not positive and
 * finite count as NaN. Without any plan give all the same, e.g. 1: only how pipelines differ matters. Steps come in
 * ascending order; gaps are fine. True where a verdict changed. O(n log n), allocates nothing.
 */
bool perseus__detector_step(
		struct perseus__detector *detector, int64_t step, const double *time_s, const double *expected_s);

/* The verdict on `pipeline`, 0..n_pipelines-1; borrowed, changed by the next step. */
const struct perseus__verdict *perseus__detector_verdict(const struct perseus__detector *detector, int32_t pipeline);

/* Relative noise of a pipeline's step time, as learned so far (at first, as assumed). */
double perseus__detector_noise(const struct perseus__detector *detector);

/* Forgets levels and verdicts and keeps the noise: after a new profile or schedule. */
void perseus__detector_reset(struct perseus__detector *detector);

#endif
