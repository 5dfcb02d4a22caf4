/* Counters of requests. */
#include "service/request_counters.h"

#include "service/metrics.h"

#include <stdio.h>

static const int codes[PERSEUS__N_COUNTED_CODES] = {
	200, 204, 307, 400, 401, 403, 404, 405, 409, 413, 414, 422, 429, 500, 503};

void
perseus__count_request(struct perseus__request_counters *counters, int32_t route, int code)
{
	int at = 0;
	while (at < PERSEUS__N_COUNTED_CODES && codes[at] != code)
		at++;
	if (at == PERSEUS__N_COUNTED_CODES)
		at = PERSEUS__N_COUNTED_CODES - 2;
	atomic_fetch_add_explicit(&counters->n[route][at], 1, memory_order_relaxed);
}

void
perseus__request_counters_write(const struct perseus__request_counters *counters,
		void (*write_name)(int32_t route, char *name, size_t bytes), struct perseus__text *text)
{
	static const char name[] = "perseus_http_requests_total";
	perseus__metric_head(text, name, "counter", "Requests answered.");
	for (int32_t route = 0; route <= PERSEUS__MAX_ROUTES; route++) {
		char route_name[96] = "none";
		if (route < PERSEUS__MAX_ROUTES)
			write_name(route, route_name, sizeof route_name);
		for (int at = 0; at < PERSEUS__N_COUNTED_CODES; at++) {
			const uint64_t n = atomic_load_explicit(&counters->n[route][at], memory_order_relaxed);
			if (n == 0)
				continue;
			char code[8];
			(void)snprintf(code, sizeof code, "%d", codes[at]);
			const struct perseus__label labels[] = {{"route", route_name}, {"code", code}};
			perseus__metric_integer(text, name, labels, 2, n);
		}
	}
}
