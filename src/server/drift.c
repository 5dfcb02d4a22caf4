/* Cumulative sums of deviations (Page 1954), one for slower and one for faster. */
#include "server/drift.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum {
	MIN_SAMPLES = 8, /* until noise is known well enough */
	MEMORY = 32,     /* samples from which the size of a change is told */
	NOISE_SAMPLES = 64,
};

/* Standard deviation over the mean absolute difference of two successive samples, of a normal distribution. */
#define DEVIATION_OF_DIFFERENCE 0.886
/* Samples and differences beyond so many standard deviations are cut off. */
#define LARGEST_SAMPLE 3.0
/* Deviations below so many standard deviations are noise, however small the tolerance. */
#define SMALLEST_DEVIATION 0.75
/*
 * A change is one when its sum reaches so many standard deviations, or so many tolerances: a false alarm in 10^10 steps
 * where the noise is 0.8 of the tolerance, and none by less than three odd steps in succession.
 */
#define ALARM_DEVIATIONS 8.0
#define ALARM_TOLERANCES 4.0

struct sum {
	double value;
	int64_t since_step; /* when it last left 0 */
};

struct series {
	int64_t n_samples;
	double difference;     /* mean absolute difference of successive samples */
	double values[MEMORY]; /* the last ones, by n_samples % MEMORY */
	int64_t steps[MEMORY];
	struct sum slower;
	struct sum faster;
	struct perseus__drift_verdict verdict;
};

struct perseus__drift {
	struct perseus__drift_settings settings;
	struct series *series; /* length n_series */
};

struct perseus__drift_settings
perseus__drift_settings_default(void)
{
	return (struct perseus__drift_settings){.n_series = 1, .tolerance = 0.025};
}

struct perseus__drift *
perseus__drift_new(const struct perseus__drift_settings *settings)
{
	struct perseus__drift *drift = perseus__new_array(1, sizeof *drift);
	if (!drift)
		return NULL;
	drift->settings = *settings;
	drift->series = perseus__new_array((size_t)settings->n_series, sizeof *drift->series);
	if (!drift->series) {
		perseus__free(drift);
		return NULL;
	}
	perseus__drift_reset(drift);
	return drift;
}

void
perseus__drift_free(struct perseus__drift *drift)
{
	if (!drift)
		return;
	perseus__free(drift->series);
	perseus__free(drift);
}

void
perseus__drift_reset(struct perseus__drift *drift)
{
	for (int32_t i = 0; i < drift->settings.n_series; i++)
		drift->series[i] = (struct series){.verdict = {.ratio = 1, .since_step = -1}};
}

struct perseus__drift_verdict
perseus__drift_verdict(const struct perseus__drift *drift, int32_t series)
{
	return drift->series[series].verdict;
}

/* Logarithm of what the pipelines have in common; NaN where none has anything. */
static double
common_deviation(const double *ratios, int32_t n_pipelines)
{
	double lowest = (double)INFINITY;
	double highest = (double)-INFINITY;
	for (int32_t i = 0; i < n_pipelines; i++) {
		if (!(ratios[i] > 0 && isfinite(ratios[i])))
			continue;
		lowest = fmin(lowest, ratios[i]);
		highest = fmax(highest, ratios[i]);
	}
	if (lowest > highest)
		return (double)NAN;
	if (lowest > 1)
		return log(lowest);
	return highest < 1 ? log(highest) : 0;
}

/*
 * Takes the difference to the previous sample into the noise, cut off so that neither outliers nor a change count much.
 */
static void
learn_noise(struct series *series, double value)
{
	if (series->n_samples == 0)
		return;
	double difference = fabs(value - series->values[(series->n_samples - 1) % MEMORY]);
	if (series->n_samples >= MIN_SAMPLES)
		difference = fmin(difference, LARGEST_SAMPLE * series->difference);
	const int64_t n = series->n_samples < NOISE_SAMPLES ? series->n_samples : NOISE_SAMPLES;
	series->difference += (difference - series->difference) / (double)n;
}

/* Whether the sum, of deviations beyond what is allowed, has reached the alarm. */
static bool
add_to_sum(struct sum *sum, double excess, double alarm, int64_t step)
{
	if (sum->value <= 0)
		sum->since_step = step;
	sum->value = fmax(0, sum->value + excess);
	return sum->value > alarm;
}

static int
compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Median of what is remembered since a step. */
static double
median_since(const struct series *series, int64_t since_step)
{
	double values[MEMORY];
	const int64_t n_kept = series->n_samples < MEMORY ? series->n_samples : MEMORY;
	size_t n = 0;
	for (int64_t i = 0; i < n_kept; i++)
		if (series->steps[i] >= since_step)
			values[n++] = series->values[i];
	qsort(values, n, sizeof *values, compare_doubles);
	return n > 0 ? (values[(n - 1) / 2] + values[n / 2]) / 2 : 0;
}

static bool
judge(struct series *series, double tolerance, int64_t step, double value)
{
	const double noise = DEVIATION_OF_DIFFERENCE * series->difference;
	const double allowed = fmax(tolerance, SMALLEST_DEVIATION * noise);
	const double most = allowed + fmax(tolerance, LARGEST_SAMPLE * noise);
	const double alarm = fmax(ALARM_TOLERANCES * tolerance, ALARM_DEVIATIONS * noise);
	const double cut = fmax(-most, fmin(most, value));
	const bool is_slower = add_to_sum(&series->slower, cut - allowed, alarm, step);
	const bool is_faster = add_to_sum(&series->faster, -cut - allowed, alarm, step);
	if (!is_slower && !is_faster)
		return false;
	const int64_t since_step = is_slower ? series->slower.since_step : series->faster.since_step;
	series->verdict = (struct perseus__drift_verdict){
		.has_drifted = true,
		.ratio = exp(median_since(series, since_step)),
		.since_step = since_step,
	};
	return true;
}

bool
perseus__drift_add(
		struct perseus__drift *drift, int32_t number, int64_t step, const double *ratios, int32_t n_pipelines)
{
	struct series *series = &drift->series[number];
	const double value = common_deviation(ratios, n_pipelines);
	if (isnan(value) || series->verdict.has_drifted)
		return false;
	learn_noise(series, value);
	series->values[series->n_samples % MEMORY] = value;
	series->steps[series->n_samples % MEMORY] = step;
	series->n_samples++;
	return series->n_samples > MIN_SAMPLES && judge(series, drift->settings.tolerance, step, value);
}
