/* Taking the times of a step apart: levels, what is common, noise. */
#include "server/detector_internal.h"

#include <math.h>
#include <stdlib.h>

/* What is common is a jump beyond so many standard errors: once in 740 by chance, which then costs little. */
static const double JUMP_ERRORS = 3;
/* A step counts no further than this many noises away when noise is learned and levels follow (Huber 1964). */
static const double LEARN_NOISES = 3;
/* Steps that a level looks back; its error is the noise over the root of twice that. */
static const double LEVEL_STEPS = 16;
/* What is common moves all levels alike: it may do so sooner. */
static const double COMMON_STEPS = 4;
/* What the first noise assumed weighs, and how much is remembered: in samples, and in steps of all pipelines. */
static const double FIRST_SAMPLES = 8;
static const double MAX_SAMPLES = 256;
static const double MAX_STEPS = 64;
static const double MAX_OWN_SAMPLES = 128;
/* A pipeline has a noise of its own from here on: four standard errors of MAX_OWN_SAMPLES. */
static const double OWN_NOISE = 1.25;

static double
clamp(double value, double least, double most)
{
	return fmin(fmax(value, least), most);
}

static double
square(double x)
{
	return x * x;
}

/* How many samples the level of a pipeline is worth. */
static double
level_samples(const struct perseus__detected *pipeline)
{
	return fmin((double)pipeline->n_seen, 2 * LEVEL_STEPS);
}

double
perseus__normal_below(double z)
{
	return 0.5 * erfc(-z / M_SQRT2);
}

/* Where a share of 0..0.5 of a normal distribution lies below; by bisection, as it is rarely asked. */
static double
normal_quantile(double share)
{
	double low = -40;
	double high = 0;
	for (int k = 0; k < 60; k++) {
		const double middle = (low + high) / 2;
		if (perseus__normal_below(middle) < share)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static int32_t
quarter_of(int32_t n)
{
	return (n - 1) / 4;
}

/* Expected order statistic (Blom 1958) and its asymptotic standard error. */
static void
expect_least(struct perseus__least *least, int32_t n)
{
	if (least->n == n)
		return;
	const double share = (quarter_of(n) + 1 - 0.375) / (n + 0.25);
	const double z = normal_quantile(share);
	const double density = exp(-z * z / 2) / sqrt(2 * M_PI);
	*least = (struct perseus__least){.n = n, .bias = z, .error = sqrt(share * (1 - share) / n) / density};
}

static int
compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;
	return (x > y) - (x < y);
}

double
perseus__detector_noise_of(const struct perseus__detector *detector, const struct perseus__detected *pipeline)
{
	const double own = sqrt(pipeline->variance);
	const double all = sqrt(detector->variance);
	return own > OWN_NOISE * all ? own : all;
}

int32_t
perseus__detector_take(struct perseus__detector *detector, const double *time_s, const double *expected_s)
{
	int32_t n = 0;
	for (int32_t p = 0; p < detector->n_pipelines; p++) {
		struct perseus__detected *pipeline = &detector->pipelines[p];
		pipeline->has_time = time_s[p] > 0 && expected_s[p] > 0 && isfinite(time_s[p]) && isfinite(expected_s[p]);
		if (!pipeline->has_time)
			continue;
		pipeline->x = log(time_s[p]) - log(expected_s[p]);
		n++;
	}
	return n;
}

/* Sorts how far each pipeline has moved from its level, if it was seen before; returns how many those are. */
static int32_t
sort_moves(struct perseus__detector *detector, bool takes_stragglers)
{
	int32_t n = 0;
	for (int32_t p = 0; p < detector->n_pipelines; p++) {
		const struct perseus__detected *pipeline = &detector->pipelines[p];
		if (pipeline->has_time && pipeline->n_seen > 0 && (takes_stragglers || !pipeline->verdict.is_straggler))
			detector->sorted[n++] = pipeline->x - pipeline->level;
	}
	qsort(detector->sorted, (size_t)n, sizeof *detector->sorted, compare_doubles);
	return n;
}

/* The smaller of two moves in one direction; no move where they contradict each other. */
static double
least_move(double a, double b)
{
	if (a > 0 && b > 0)
		return fmin(a, b);
	return a < 0 && b < 0 ? fmax(a, b) : 0;
}

struct perseus__common
perseus__detector_find_common(struct perseus__detector *detector)
{
	/* A straggler that recovers moves the other way: it counts only where there is nobody else. */
	int32_t n = sort_moves(detector, false);
	if (n == 0)
		n = sort_moves(detector, true);
	if (n == 0)
		return (struct perseus__common){0};
	expect_least(&detector->least, n);
	const double noise = sqrt(detector->variance);
	const double slower = detector->sorted[quarter_of(n)] - detector->least.bias * noise;
	const double faster = detector->sorted[n - 1 - quarter_of(n)] + detector->least.bias * noise;
	const double likely = least_move(slower, faster);
	const double error = square(detector->least.error * noise);
	/* Without the correction, which is too much where one straggles. */
	const double sure = fabs(likely) + detector->least.bias * noise;
	const bool is_jump = sure > JUMP_ERRORS * sqrt(detector->common_variance + error);
	/* The best linear estimate, from what the common part and chance are known to do. */
	const double belief = is_jump ? 1 : detector->common_variance / (detector->common_variance + error);
	return (struct perseus__common){
		.likely = likely,
		.believed = belief * likely,
		.variance = belief * error,
		.is_jump = is_jump,
	};
}

/* Whether a pipeline counts for what is healthy. */
static bool
is_healthy(const struct perseus__detected *pipeline)
{
	return pipeline->n_seen > 0 && !pipeline->verdict.is_straggler;
}

/*
 * The mean of those levels that chance, or half the least degree, puts beside that of the fastest quarter. So a
 * pipeline that is slow by little does not make itself the rule.
 */
void
perseus__detector_find_healthy(struct perseus__detector *detector)
{
	int32_t n = 0;
	for (int32_t p = 0; p < detector->n_pipelines; p++)
		if (is_healthy(&detector->pipelines[p]))
			detector->sorted[n++] = detector->pipelines[p].level;
	if (n == 0)
		return;
	qsort(detector->sorted, (size_t)n, sizeof *detector->sorted, compare_doubles);
	const double fastest = detector->sorted[quarter_of(n)];
	double sum = 0;
	int32_t n_beside = 0;
	for (int32_t p = 0; p < detector->n_pipelines; p++) {
		const struct perseus__detected *pipeline = &detector->pipelines[p];
		if (!is_healthy(pipeline))
			continue;
		const double error = perseus__detector_noise_of(detector, pipeline) / sqrt(level_samples(pipeline));
		if (fabs(pipeline->level - fastest) > fmax(PERSEUS__CLEAR_NOISES * error, detector->floor / 2))
			continue;
		sum += pipeline->level;
		n_beside++;
	}
	detector->healthy = sum / n_beside;
}

/*
 * Learns how much each pipeline moves against the others, around the middle one. What is no noise teaches nothing
 * (Hampel 1974); where the noise grows, enough of it still lies near the middle.
 */
static void
learn_noise(struct perseus__detector *detector)
{
	const int32_t n = sort_moves(detector, true);
	if (n < 2)
		return;
	const double middle = (detector->sorted[(n - 1) / 2] + detector->sorted[n / 2]) / 2;
	/* Of the sum of squares around their own middle. */
	const double share = (n - 1.0) / n;
	double sum = 0;
	int32_t n_learned = 0;
	for (int32_t p = 0; p < detector->n_pipelines; p++) {
		struct perseus__detected *pipeline = &detector->pipelines[p];
		if (!pipeline->has_time || pipeline->n_seen == 0)
			continue;
		const double noise = perseus__detector_noise_of(detector, pipeline);
		const double rest = pipeline->x - pipeline->level - middle;
		if (fabs(rest) > PERSEUS__CLEAR_NOISES * noise)
			continue;
		/* A level of some steps has an error of its own. */
		const double square_of_rest = square(fmin(fabs(rest), LEARN_NOISES * noise));
		const double sample = square_of_rest / (share * (1 + 1 / level_samples(pipeline)));
		pipeline->n_variance = fmin(pipeline->n_variance + 1, MAX_OWN_SAMPLES);
		pipeline->variance += (sample - pipeline->variance) / (FIRST_SAMPLES + pipeline->n_variance);
		sum += sample;
		n_learned++;
	}
	if (n_learned == 0)
		return;
	const double weight = share * n_learned;
	detector->n_samples = fmin(detector->n_samples + weight, fmax(MAX_SAMPLES, MAX_STEPS * weight));
	detector->variance += (sum / n_learned - detector->variance) * weight / (FIRST_SAMPLES + detector->n_samples);
}

/* Learns how much all move together. */
static void
learn_common(struct perseus__detector *detector, const struct perseus__common *common)
{
	const double error = square(detector->least.error) * detector->variance;
	const double most = square(LEARN_NOISES) * (detector->common_variance + error);
	const double sample = fmin(square(common->likely), most) - error;
	detector->n_common = fmin(detector->n_common + 1, MAX_STEPS);
	detector->common_variance += (sample - detector->common_variance) / (FIRST_SAMPLES + detector->n_common);
	detector->common_variance = fmax(detector->common_variance, 0);
}

void
perseus__detector_learn(struct perseus__detector *detector, const struct perseus__common *common)
{
	learn_noise(detector);
	learn_common(detector, common);
	for (int32_t p = 0; p < detector->n_pipelines; p++) {
		struct perseus__detected *pipeline = &detector->pipelines[p];
		/* Who sent no time moves with the others. */
		const double shared = common->is_jump ? common->likely : common->believed / COMMON_STEPS;
		pipeline->level += shared;
		if (!pipeline->has_time)
			continue;
		if (pipeline->n_seen == 0)
			pipeline->level = pipeline->x - common->believed + shared;
		const double most = LEARN_NOISES * perseus__detector_noise_of(detector, pipeline);
		const double rest = clamp(pipeline->x - common->believed + shared - pipeline->level, -most, most);
		pipeline->n_seen++;
		pipeline->level += rest / fmin((double)pipeline->n_seen, LEVEL_STEPS);
	}
}
