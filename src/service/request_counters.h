/* Requests answered, by route and code, for /metrics. Counters are atomic: any thread. */
#ifndef PERSEUS_SERVICE_REQUEST_COUNTERS_H
#define PERSEUS_SERVICE_REQUEST_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { PERSEUS__MAX_ROUTES = 64, PERSEUS__N_COUNTED_CODES = 15 };

struct perseus__request_counters {
	atomic_uint_fast64_t n[PERSEUS__MAX_ROUTES + 1][PERSEUS__N_COUNTED_CODES]; /* the last: no route */
};

/* `route`: its index in the table, PERSEUS__MAX_ROUTES for none. A code that is not counted by itself counts as 500. */
void perseus__count_request(struct perseus__request_counters *counters, int32_t route, int code);

/* perseus_http_requests_total. `write_name` gives the label of a route, such as "GET /discover". */
void perseus__request_counters_write(const struct perseus__request_counters *counters,
		void (*write_name)(int32_t route, char *name, size_t bytes), struct perseus__text *text);

#endif
