/* What a client tells the server of its job and its rank: bodies of POST /v1/jobs and of POST /v1/jobs/{job}/ranks. */
#ifndef PERSEUS_CLIENT_SESSION_JSON_H
#define PERSEUS_CLIENT_SESSION_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "client/order.h"

#include <perseus/client.h>

/* What a rank is beside the settings. */
struct perseus__rank_facts {
	const struct perseus__order *order;
	const char *gpu_name;
	const char *gpu_uuid;
	const char *gpu_driver;
	bool is_simulated;
	const int32_t *clocks_mhz; /* length n_clocks, descending */
	int32_t n_clocks;
	const char *control;
	int64_t switch_latency_ns; /* 0: not known */
};

/* Add to `body`, whose `failed` tells of failure. */
void perseus__write_job(const struct perseus_client_settings *settings, struct perseus__text *body);
void perseus__write_rank(const struct perseus_client_settings *settings, const struct perseus__rank_facts *facts,
		struct perseus__text *body);

#endif
