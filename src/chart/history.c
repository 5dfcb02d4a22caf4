/* Numbers over time in bins, see the header. */
#include "chart/history.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdbool.h>

enum perseus_status
perseus__history_init(struct perseus__history *history, int32_t n_series, struct perseus_error *err)
{
	struct perseus__history made = {
		.n_series = n_series,
		.n_per_bin = 1,
		.begin = perseus__new_array(PERSEUS__HISTORY_MAX_BINS, sizeof *made.begin),
		.end = perseus__new_array(PERSEUS__HISTORY_MAX_BINS, sizeof *made.end),
		.ranges = perseus__new_array((size_t)n_series * PERSEUS__HISTORY_MAX_BINS, sizeof *made.ranges),
	};
	if (!made.begin || !made.end || !made.ranges) {
		perseus__history_fini(&made);
		return perseus__no_memory(err);
	}
	*history = made;
	return PERSEUS_OK;
}

static struct perseus__range
merged(struct perseus__range a, struct perseus__range b)
{
	if (a.n == 0 || b.n == 0)
		return a.n == 0 ? b : a;
	return (struct perseus__range){
		.low = fmin(a.low, b.low),
		.high = fmax(a.high, b.high),
		.sum = a.sum + b.sum,
		.n = a.n + b.n,
	};
}

/* Full, and every bin whole: neighbours become one. */
static void
halve(struct perseus__history *history)
{
	const int32_t n_series = history->n_series;
	for (int32_t bin = 0; bin < PERSEUS__HISTORY_MAX_BINS / 2; bin++) {
		const int64_t first = 2 * (int64_t)bin;
		history->begin[bin] = history->begin[first];
		history->end[bin] = history->end[first + 1];
		for (int32_t i = 0; i < n_series; i++) {
			const struct perseus__range *pair = &history->ranges[first * n_series + i];
			history->ranges[(int64_t)bin * n_series + i] = merged(pair[0], pair[n_series]);
		}
	}
	history->n_bins = PERSEUS__HISTORY_MAX_BINS / 2;
	history->n_per_bin *= 2;
}

void
perseus__history_add(struct perseus__history *history, int64_t at, const double *values)
{
	const bool is_new = history->n_samples % history->n_per_bin == 0;
	if (is_new && history->n_bins == PERSEUS__HISTORY_MAX_BINS)
		halve(history);
	const int32_t bin = is_new ? history->n_bins++ : history->n_bins - 1;
	if (is_new)
		history->begin[bin] = at;
	history->end[bin] = at;
	history->n_samples++;
	struct perseus__range *ranges = &history->ranges[(int64_t)bin * history->n_series];
	for (int32_t i = 0; i < history->n_series; i++) {
		const struct perseus__range sample = {values[i], values[i], values[i], isnan(values[i]) ? 0 : 1};
		ranges[i] = is_new ? sample : merged(ranges[i], sample);
	}
}

const struct perseus__range *
perseus__history_at(const struct perseus__history *history, int32_t bin, int32_t series)
{
	return &history->ranges[(int64_t)bin * history->n_series + series];
}

double
perseus__range_value(const struct perseus__range *range, enum perseus__range_value value)
{
	switch (value) {
	case PERSEUS__RANGE_LOW:
		return range->low;
	case PERSEUS__RANGE_MEAN:
		return range->sum / (double)range->n;
	case PERSEUS__RANGE_HIGH:
		return range->high;
	}
	return 0;
}

void
perseus__history_fini(struct perseus__history *history)
{
	perseus__free(history->begin);
	perseus__free(history->end);
	perseus__free(history->ranges);
	*history = (struct perseus__history){0};
}
