/*
 * Which data-parallel pipeline straggles, by how much, since when, and when it recovers: from the times of its steps,
 * without being told. Pure: no clock, no I/O, no lock.
 *
 * A pipeline is judged by x = log(time / what its own plan predicts), so one that runs a slower plan on purpose is no
 * straggler. Each x is taken apart:
 *
 *     x = level of the pipeline + what is common to this step + noise
 *
 * The level is an exponential mean. What is common is how far those pipelines moved that moved least: all slowing
 * together accuse nobody. The noise is learned, for all pipelines together and for one that is clearly noisier by
 * itself. What counts against a pipeline is its excess e = x - common - level of the healthy ones. Rules, with s the
 * larger of the noise and a quarter of log(min_degree):
 *
 * | what           | rule                                        | where it comes from                               |
 * | -------------- | ------------------------------------------- | ------------------------------------------------- |
 * | clearly slow   | e >= 4 s twice in a row, the second time at | normal noise does so once in 10^9 pairs; after a  |
 * |                | least half as far as the first              | hiccup of one step noise follows, once in 30,000  |
 * |                |                                             | beyond 4 s                                        |
 * | slow by little | sum of min(e/s, 4) - k, kept above 0,       | Page 1954; k is half the least shift of interest, |
 * |                | exceeds H; k = log(min_degree) / 2s         | chance gets to H once in 10^6 steps of a job      |
 * |                |                                             | (Siegmund 1985, equation 2.57)                    |
 * | recovered      | e below half of its degree's, n times in a  | chance does so once in 10^6; n = 2 for 1.15 and   |
 * |                | row                                         | 2 % noise, more where noise drowns the degree     |
 * | other degree   | e off the degree's by 4 s twice in a row,   | as for clearly slow; the mean follows drifts      |
 * |                | or its mean by degree_step                  |                                                   |
 *
 * With 2 % of noise or less, 1.15 is noticed after two slow steps: log 1.15 = 0.14 = 7 s lies 3 s beyond the
 * threshold, missed once in 370 pairs, and then noticed a step later. One step alone is never enough, however slow it
 * was: a hiccup looks the same, and answering one costs more than a step of waiting saves.
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
	int64_t since_step; /* first step of its being slow (or, after one was, as before); -1 where it never was */
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
