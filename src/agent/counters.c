/* Counters of the front. */
#include "agent/counters.h"

#include "agent/route.h"
#include "format/number.h"
#include "service/metrics.h"

#include <stdio.h>

/* Upper ends of the histogram's buckets. The figures to keep are 200 us for one client and 2 ms for many. */
static const int64_t bucket_us[PERSEUS__N_BUCKETS] = {
	50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000, 500000, 1000000};

static enum perseus__result
result_of(enum perseus_status status)
{
	switch (status) {
	case PERSEUS_OK:
		return PERSEUS__RESULT_OK;
	case PERSEUS_INVALID:
	case PERSEUS_DENIED:
	case PERSEUS_BUSY:
	case PERSEUS_UNSUPPORTED:
		return PERSEUS__RESULT_REFUSED;
	case PERSEUS_INFEASIBLE:
	case PERSEUS_IO:
	case PERSEUS_NO_MEMORY:
	case PERSEUS_CANCELLED:
	case PERSEUS_INTERNAL:
		return PERSEUS__RESULT_FAILED;
	}
	return PERSEUS__RESULT_FAILED;
}

void
perseus__count_clock_set(struct perseus__counters *counters, int32_t gpu, enum perseus_status status)
{
	atomic_fetch_add_explicit(&counters->clock_sets[gpu][result_of(status)], 1, memory_order_relaxed);
}

void
perseus__count_set_time(struct perseus__counters *counters, int64_t time_ns)
{
	int at = 0;
	while (at < PERSEUS__N_BUCKETS && time_ns > bucket_us[at] * 1000)
		at++;
	atomic_fetch_add_explicit(&counters->set_buckets[at], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&counters->set_time_ns, (uint_fast64_t)time_ns, memory_order_relaxed);
}

/* "GET /discover": one path may have several methods. */
static void
write_route_name(int32_t index, char *name, size_t bytes)
{
	const struct perseus__route *route = perseus__route_at(index);
	(void)snprintf(name, bytes, "%s%s%s", route ? perseus__method_name(route->method) : "none", route ? " " : "",
			route ? route->path : "");
}

void
perseus__counters_write_requests(const struct perseus__counters *counters, struct perseus__text *text)
{
	perseus__request_counters_write(&counters->requests, write_route_name, text);
}

void
perseus__counters_write_set_times(const struct perseus__counters *counters, struct perseus__text *text)
{
	uint64_t n = 0;
	perseus__metric_head(text, "perseus_gpu_set_duration_seconds", "histogram",
			"From sending a set or reset to the executor until its answer.");
	for (int at = 0; at <= PERSEUS__N_BUCKETS; at++) {
		char bound[PERSEUS__NUMBER_BYTES] = "+Inf";
		if (at < PERSEUS__N_BUCKETS)
			perseus__double_text((double)bucket_us[at] / 1e6, bound);
		const struct perseus__label label = {"le", bound};
		n += atomic_load_explicit(&counters->set_buckets[at], memory_order_relaxed);
		perseus__metric_integer(text, "perseus_gpu_set_duration_seconds_bucket", &label, 1, n);
	}
	const uint64_t sum_ns = atomic_load_explicit(&counters->set_time_ns, memory_order_relaxed);
	perseus__metric_number(text, "perseus_gpu_set_duration_seconds_sum", NULL, 0, (double)sum_ns / 1e9);
	perseus__metric_integer(text, "perseus_gpu_set_duration_seconds_count", NULL, 0, n);
}

const char *
perseus__result_name(enum perseus__result result)
{
	static const char *const names[] = {"ok", "refused", "failed"};
	return names[result];
}
