/* What the files of the detector share: its state, and the taking apart of a step. Private to the detector. */
#ifndef PERSEUS_SERVER_DETECTOR_INTERNAL_H
#define PERSEUS_SERVER_DETECTOR_INTERNAL_H

#include "server/detector.h"

#include <stdbool.h>
#include <stdint.h>

struct perseus__detected {
	struct perseus__verdict verdict;
	int64_t n_seen;
	double level; /* of log(time / expected) */
	double variance;
	double n_variance; /* samples that it was learned from */
	/* Of this step. */
	bool has_time;
	double x;
	double excess;        /* over the healthy, beside what is believed to be common */
	double likely_excess; /* beside what is likely to be common */
	double unit;          /* what is noise in it */
	/* How far off the last step was; steps in a row that are clearly so, the first of them, and their mean. */
	double off;
	int32_t n_off;
	int64_t off_step;
	int32_t n_off_mean;
	double off_mean;
	/* The cumulative sum, since when it is above 0, and the mean excess since. */
	double sum;
	int64_t sum_step;
	double n_sum;
	double sum_excess;
	/* Of a straggler: its log degree and the steps that it is a mean of; steps in a row below half of that. */
	double log_degree;
	double n_degree;
	int32_t n_below;
	int64_t below_step;
	double below_excess; /* mean of those steps */
};

/* What chance makes of the quarter that moved least among n that did not move: in noises. */
struct perseus__least {
	int32_t n;
	double bias;
	double error;
};

/* What all share in a step. */
struct perseus__common {
	double likely;   /* how far nearly all have moved from their levels */
	double believed; /* as much of it as is not chance */
	double variance; /* of what is believed */
	bool is_jump;    /* all of it is */
};

struct perseus__detector {
	struct perseus__detector_settings settings;
	int32_t n_pipelines;
	double floor;    /* log of the least degree */
	double variance; /* of the noise, each pipeline against the others */
	double n_samples;
	double common_variance; /* of what is common, from step to step */
	double n_common;
	double healthy;   /* level of those that do not straggle */
	int32_t n_clear;  /* steps in a row that accuse */
	int32_t patience; /* steps until those are as few as at first */
	double n_judged;  /* times of those that do not straggle, and of them the clearly quick */
	double n_quick;
	struct perseus__least least;
	struct perseus__detected *pipelines; /* length n_pipelines */
	double *sorted;                      /* length n_pipelines: scratch */
};

/* An excess of so many noises is no noise: normal noise is beyond once in 30,000. */
#define PERSEUS__CLEAR_NOISES 4.0

/* Share of a normal distribution below `z`. */
double perseus__normal_below(double z);

/* Noise of one pipeline: that of all, unless it is clearly noisier. */
double perseus__detector_noise_of(const struct perseus__detector *detector, const struct perseus__detected *pipeline);

/* Takes the times of a step in; returns how many pipelines have one. */
int32_t perseus__detector_take(struct perseus__detector *detector, const double *time_s, const double *expected_s);

/* Finds what is common in the step, and the level of the healthy. */
struct perseus__common perseus__detector_find_common(struct perseus__detector *detector);
void perseus__detector_find_healthy(struct perseus__detector *detector);

/* Learns noises and moves levels: what is common to all in full, the rest as far as noise goes. */
void perseus__detector_learn(struct perseus__detector *detector, const struct perseus__common *common);

#endif
