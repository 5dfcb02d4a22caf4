/*
 * Series of numbers over time, or over whatever counts on, in memory that does not grow with them: samples share bins,
 * each of which keeps the lowest, the highest and the mean, and twice as many share one whenever the bins run out.
 */
#ifndef PERSEUS_CHART_HISTORY_H
#define PERSEUS_CHART_HISTORY_H

#include <stdint.h>

#include <perseus/status.h>

/* More than the pixels of any usual sheet. Even, so that all can be merged in pairs. */
enum { PERSEUS__HISTORY_MAX_BINS = 2048 };

/* What the samples of one bin were in one series. */
struct perseus__range {
	double low;
	double high;
	double sum;
	int64_t n; /* 0: there was none; nothing above says anything then */
};

enum perseus__range_value { PERSEUS__RANGE_LOW, PERSEUS__RANGE_MEAN, PERSEUS__RANGE_HIGH };

/* perseus__history_init before, perseus__history_fini after. */
struct perseus__history {
	int32_t n_series;
	int32_t n_bins;
	int64_t n_samples;
	int64_t n_per_bin;             /* samples of a whole bin; the last may have fewer */
	int64_t *begin;                /* where a bin's first sample is, ascending; length n_bins; owned, as the rest */
	int64_t *end;                  /* where its last is */
	struct perseus__range *ranges; /* [bin · n_series + series] */
};

/* An empty history of `n_series`, with all its memory. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__history_init(
		struct perseus__history *history, int32_t n_series, struct perseus_error *err);

/* Adds a sample at `at`, not before the last. `values` has length n_series, NAN where there is none. O(n_series). */
void perseus__history_add(struct perseus__history *history, int64_t at, const double *values);

const struct perseus__range *perseus__history_at(const struct perseus__history *history, int32_t bin, int32_t series);

/* A value of a range with a sample. */
double perseus__range_value(const struct perseus__range *range, enum perseus__range_value value);

void perseus__history_fini(struct perseus__history *history);

#endif
