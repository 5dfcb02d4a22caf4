/* Huber's estimate of location (Huber 1964), with the scale of the median deviation. */
#include "server/samples.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

#define HUBER_BOUND 1.345          /* 95 % as good as the mean where samples are normal */
#define DEVIATION_OF_MEDIAN 1.4826 /* standard deviation over median deviation, of a normal distribution */
enum { MAX_ROUNDS = 20 };

void
perseus__samples_fini(struct perseus__samples *samples)
{
	perseus__free(samples->samples);
	*samples = (struct perseus__samples){0};
}

enum perseus_status
perseus__samples_add(struct perseus__samples *samples, const struct perseus__sample *sample, struct perseus_error *err)
{
	if (samples->n == PERSEUS__MAX_SAMPLES) {
		samples->samples[samples->oldest] = *sample;
		samples->oldest = (samples->oldest + 1) % PERSEUS__MAX_SAMPLES;
		return PERSEUS_OK;
	}
	if (!perseus__reserve(&samples->samples, &samples->capacity, (size_t)samples->n + 1, sizeof *samples->samples))
		return perseus__no_memory(err);
	samples->samples[samples->n++] = *sample;
	return PERSEUS_OK;
}

static int
compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;
	return (x > y) - (x < y);
}

static double
median(double *values, int32_t n)
{
	qsort(values, (size_t)n, sizeof *values, compare_doubles);
	return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/* By what a sample counts, `scale_s` being the deviation that is nothing odd. */
static double
weight(const struct perseus__sample *sample, double mean_s, double scale_s)
{
	const double off_s = fabs(sample->mean_s - mean_s);
	return sample->count * (off_s > HUBER_BOUND * scale_s ? HUBER_BOUND * scale_s / off_s : 1);
}

/* From how single instructions differ within their steps: not less than this, where few samples agree by chance. */
static double
error_within(const struct perseus__samples *samples)
{
	double squares = 0;
	double n = 0;
	for (int32_t i = 0; i < samples->n; i++) {
		const struct perseus__sample *sample = &samples->samples[i];
		squares += sample->count * sample->deviation_s * sample->deviation_s;
		n += sample->count;
	}
	return sqrt(squares) / n;
}

/* Of the weighted mean, from how the samples differ. */
static double
error_between(const struct perseus__samples *samples, double mean_s, double scale_s)
{
	double squares = 0;
	double weights = 0;
	for (int32_t i = 0; i < samples->n; i++) {
		const double w = weight(&samples->samples[i], mean_s, scale_s);
		squares += pow(w * (samples->samples[i].mean_s - mean_s), 2);
		weights += w;
	}
	if (samples->n == 1 || !(weights > 0))
		return 0;
	return sqrt(squares * samples->n / (samples->n - 1)) / weights;
}

struct perseus__mean
perseus__samples_mean(const struct perseus__samples *samples)
{
	double values[PERSEUS__MAX_SAMPLES];
	if (samples->n == 0)
		return (struct perseus__mean){.mean_s = (double)NAN, .error_s = (double)INFINITY};
	for (int32_t i = 0; i < samples->n; i++)
		values[i] = samples->samples[i].mean_s;
	double mean_s = median(values, samples->n);
	for (int32_t i = 0; i < samples->n; i++)
		values[i] = fabs(samples->samples[i].mean_s - mean_s);
	/* Of two samples neither is odd. */
	const double scale_s = samples->n < 3 ? (double)INFINITY : DEVIATION_OF_MEDIAN * median(values, samples->n);
	for (int32_t round = 0; round < MAX_ROUNDS && scale_s > 0; round++) {
		double sum_s = 0;
		double weights = 0;
		for (int32_t i = 0; i < samples->n; i++) {
			const double w = weight(&samples->samples[i], mean_s, scale_s);
			sum_s += w * samples->samples[i].mean_s;
			weights += w;
		}
		mean_s = sum_s / weights;
	}
	return (struct perseus__mean){
		.mean_s = mean_s,
		.error_s = fmax(error_within(samples), error_between(samples, mean_s, scale_s)),
	};
}
