/*
 * Power over time of several devices, in memory that does not grow with the run: samples share bins, each of which
 * keeps the lowest, the highest and the mean, and twice as many share one whenever the bins run out.
 */
#ifndef PERSEUS_CHART_POWER_HISTORY_H
#define PERSEUS_CHART_POWER_HISTORY_H

#include <stdint.h>

#include <perseus/status.h>

/* More than the pixels of any usual sheet. Even, so that all can be merged in pairs. */
enum { PERSEUS__POWER_MAX_BINS = 2048 };

/* What the samples of one bin were for one device. */
struct perseus__power_range {
	double low_w;
	double high_w;
	double sum_w;
	int64_t n; /* 0: none was read; nothing above says anything then */
};

/* perseus__power_history_init before, perseus__power_history_fini after. */
struct perseus__power_history {
	int32_t n_series;
	int32_t n_bins;
	int64_t n_samples;
	int64_t n_per_bin;                   /* samples of a whole bin; the last may have fewer */
	int64_t *begin_ns;                   /* of a bin's first sample, ascending; length n_bins; owned, as the rest */
	int64_t *end_ns;                     /* of its last */
	struct perseus__power_range *ranges; /* [bin · n_series + series] */
};

/* An empty history of `n_series`, with all its memory. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__power_history_init(
		struct perseus__power_history *history, int32_t n_series, struct perseus_error *err);

/* Adds a sample, not before the last. `power_w` has length n_series, NAN where nothing was read. O(n_series). */
void perseus__power_history_add(struct perseus__power_history *history, int64_t time_ns, const double *power_w);

const struct perseus__power_range *perseus__power_history_at(
		const struct perseus__power_history *history, int32_t bin, int32_t series);

void perseus__power_history_fini(struct perseus__power_history *history);

#endif
