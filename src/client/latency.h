/*
 * How long a change of the clock takes, from the request until the GPU runs at it: measured in the first changes, and
 * now and then later, by reading the clock until it has moved. Pure but for what it is told.
 */
#ifndef PERSEUS_CLIENT_LATENCY_H
#define PERSEUS_CLIENT_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

struct perseus__latency {
	int32_t n_measured;
	int32_t n_failed; /* in a row: the clock never came */
	int64_t n_changes;
	/* Over all that was measured: it takes longer than the one, and no longer than the other. */
	int64_t low_ns;
	int64_t high_ns;
	double mean_ns;
	/* The one under way. */
	bool is_measuring;
	int64_t asked_ns;
	int64_t due_ns;
	int64_t last_old_ns; /* the clock was still the old one then */
	int32_t from_mhz;    /* -1: not read yet */
	int32_t to_mhz;
};

/* Nothing measured. */
struct perseus__latency perseus__latency_init(void);

/* Bounds of what a change takes; before anything was measured, what no GPU is known to exceed. */
int64_t perseus__latency_low_ns(const struct perseus__latency *latency);
int64_t perseus__latency_high_ns(const struct perseus__latency *latency);

/* Mean of what was measured; 0: nothing yet. */
int64_t perseus__latency_mean_ns(const struct perseus__latency *latency);

/* A clock is asked for at `now_ns` (0: it is let go, which is not measured). */
void perseus__latency_begin(struct perseus__latency *latency, int64_t now_ns, int32_t mhz);

/* The change was refused, or is not to be measured any more. */
void perseus__latency_cancel(struct perseus__latency *latency);

/* When the clock is to be read next; INT64_MAX: not at all. */
int64_t perseus__latency_due_ns(const struct perseus__latency *latency);

/*
 * The clock was read between `before_ns` and `after_ns`; 0 where that failed. True where the change has been measured.
 * One that was looked at too seldom tells nothing.
 */
bool perseus__latency_read(struct perseus__latency *latency, int64_t before_ns, int64_t after_ns, int32_t mhz);

#endif
