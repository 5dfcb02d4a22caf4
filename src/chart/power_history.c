/* Power over time in bins, see the header. */
#include "chart/power_history.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdbool.h>

enum perseus_status
perseus__power_history_init(struct perseus__power_history *history, int32_t n_series, struct perseus_error *err)
{
	struct perseus__power_history made = {
		.n_series = n_series,
		.n_per_bin = 1,
		.begin_ns = perseus__new_array(PERSEUS__POWER_MAX_BINS, sizeof *made.begin_ns),
		.end_ns = perseus__new_array(PERSEUS__POWER_MAX_BINS, sizeof *made.end_ns),
		.ranges = perseus__new_array((size_t)n_series * PERSEUS__POWER_MAX_BINS, sizeof *made.ranges),
	};
	if (!made.begin_ns || !made.end_ns || !made.ranges) {
		perseus__power_history_fini(&made);
		return perseus__no_memory(err);
	}
	*history = made;
	return PERSEUS_OK;
}

static struct perseus__power_range
merged(struct perseus__power_range a, struct perseus__power_range b)
{
	if (a.n == 0 || b.n == 0)
		return a.n == 0 ? b : a;
	return (struct perseus__power_range){
		.low_w = fmin(a.low_w, b.low_w),
		.high_w = fmax(a.high_w, b.high_w),
		.sum_w = a.sum_w + b.sum_w,
		.n = a.n + b.n,
	};
}

/* Full, and every bin whole: neighbours become one. */
static void
halve(struct perseus__power_history *history)
{
	const int32_t n_series = history->n_series;
	for (int32_t bin = 0; bin < PERSEUS__POWER_MAX_BINS / 2; bin++) {
		const int64_t first = 2 * (int64_t)bin;
		history->begin_ns[bin] = history->begin_ns[first];
		history->end_ns[bin] = history->end_ns[first + 1];
		for (int32_t i = 0; i < n_series; i++) {
			const struct perseus__power_range *pair = &history->ranges[first * n_series + i];
			history->ranges[(int64_t)bin * n_series + i] = merged(pair[0], pair[n_series]);
		}
	}
	history->n_bins = PERSEUS__POWER_MAX_BINS / 2;
	history->n_per_bin *= 2;
}

void
perseus__power_history_add(struct perseus__power_history *history, int64_t time_ns, const double *power_w)
{
	const bool is_new = history->n_samples % history->n_per_bin == 0;
	if (is_new && history->n_bins == PERSEUS__POWER_MAX_BINS)
		halve(history);
	const int32_t bin = is_new ? history->n_bins++ : history->n_bins - 1;
	if (is_new)
		history->begin_ns[bin] = time_ns;
	history->end_ns[bin] = time_ns;
	history->n_samples++;
	struct perseus__power_range *ranges = &history->ranges[(int64_t)bin * history->n_series];
	for (int32_t i = 0; i < history->n_series; i++) {
		const struct perseus__power_range sample = {power_w[i], power_w[i], power_w[i], isnan(power_w[i]) ? 0 : 1};
		ranges[i] = is_new ? sample : merged(ranges[i], sample);
	}
}

const struct perseus__power_range *
perseus__power_history_at(const struct perseus__power_history *history, int32_t bin, int32_t series)
{
	return &history->ranges[(int64_t)bin * history->n_series + series];
}

void
perseus__power_history_fini(struct perseus__power_history *history)
{
	perseus__free(history->begin_ns);
	perseus__free(history->end_ns);
	perseus__free(history->ranges);
	*history = (struct perseus__power_history){0};
}
