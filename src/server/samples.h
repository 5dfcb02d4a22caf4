/* Mean times as ranks report them, step by step, and what they come to: a mean that a few odd steps hardly move. */
#ifndef PERSEUS_SERVER_SAMPLES_H
#define PERSEUS_SERVER_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

enum { PERSEUS__MAX_SAMPLES = 128 };

struct perseus__sample {
	double mean_s;
	double deviation_s; /* of single instructions */
	int32_t count;      /* instructions */
};

/* Zero is empty. The newest PERSEUS__MAX_SAMPLES are kept. */
struct perseus__samples {
	struct perseus__sample *samples;
	size_t capacity;
	int32_t n;
	int32_t oldest;
};

struct perseus__mean {
	double mean_s;  /* NaN of no samples */
	double error_s; /* standard error */
};

void perseus__samples_fini(struct perseus__samples *samples);

/* Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__samples_add(
		struct perseus__samples *samples, const struct perseus__sample *sample, struct perseus_error *err);

/* Huber's estimate of location, samples counted by their instructions. O(n log n). */
struct perseus__mean perseus__samples_mean(const struct perseus__samples *samples);

#endif
