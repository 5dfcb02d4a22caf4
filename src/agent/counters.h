/* What the front counts about itself, for /metrics. Counters are atomic: any thread. */
#ifndef PERSEUS_AGENT_COUNTERS_H
#define PERSEUS_AGENT_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/text.h"
#include "service/request_counters.h"

#include <perseus/status.h>

enum {
	PERSEUS__MAX_GPUS = 64,
	PERSEUS__MAX_CPUS = 64,
	PERSEUS__N_RESULTS = 3,
	PERSEUS__N_BUCKETS = 12,
};

/* How a set ended. */
enum perseus__result { PERSEUS__RESULT_OK, PERSEUS__RESULT_REFUSED, PERSEUS__RESULT_FAILED };

struct perseus__counters {
	struct perseus__request_counters requests;
	atomic_uint_fast64_t clock_sets[PERSEUS__MAX_GPUS][PERSEUS__N_RESULTS]; /* by position of the GPU */
	atomic_uint_fast64_t set_buckets[PERSEUS__N_BUCKETS + 1]; /* sets and resets by time; the last: longer */
	atomic_uint_fast64_t set_time_ns;                         /* sum */
};

/* A set or reset of clocks by the status that the executor answered. */
void perseus__count_clock_set(struct perseus__counters *counters, int32_t gpu, enum perseus_status status);

/* The time from sending any set or reset to its answer. */
void perseus__count_set_time(struct perseus__counters *counters, int64_t time_ns);

/* Samples of requests by route and code, and of the times of sets. */
void perseus__counters_write_requests(const struct perseus__counters *counters, struct perseus__text *text);
void perseus__counters_write_set_times(const struct perseus__counters *counters, struct perseus__text *text);

/* The label of a result: "ok", "refused", "failed". */
const char *perseus__result_name(enum perseus__result result);

#endif
