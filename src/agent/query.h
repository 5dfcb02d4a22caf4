/*
 * The parameters of a request: from the query string, as Zeus' clients since 0.14 send them, or from a JSON object, as
 * those before did. What is wrong is said in the words of zeusd, which its tests and users know.
 */
#ifndef PERSEUS_AGENT_QUERY_H
#define PERSEUS_AGENT_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

/* X(name, text, kind) */
#define PERSEUS__KEY_MAP(X)                     \
	X(GPU_IDS, "gpu_ids", IDS)                  \
	X(CPU_IDS, "cpu_ids", IDS)                  \
	X(ENABLED, "enabled", BOOLEAN)              \
	X(POWER_LIMIT_MW, "power_limit_mw", NUMBER) \
	X(MIN_CLOCK_MHZ, "min_clock_mhz", NUMBER)   \
	X(MAX_CLOCK_MHZ, "max_clock_mhz", NUMBER)   \
	X(TTL_S, "ttl_s", NUMBER)                   \
	X(CPU, "cpu", BOOLEAN)                      \
	X(DRAM, "dram", BOOLEAN)                    \
	X(BLOCK, "block", BOOLEAN)

enum perseus__key {
#define X(name, text, kind) PERSEUS__KEY_##name,
	PERSEUS__KEY_MAP(X)
#undef X
};

enum {
#define X(name, text, kind) +1
	PERSEUS__N_KEYS = PERSEUS__KEY_MAP(X)
#undef X
};

/* Bits of a set of keys, PERSEUS__HAS_BLOCK and so on. */
enum {
#define X(name, text, kind) PERSEUS__HAS_##name = 1 << PERSEUS__KEY_##name,
	PERSEUS__KEY_MAP(X)
#undef X
};

enum { PERSEUS__MAX_IDS = 64, PERSEUS__IDS_BYTES = 1024 };

struct perseus__query {
	uint32_t given;                    /* set of keys */
	int64_t values[PERSEUS__N_KEYS];   /* NUMBER: 0 to UINT32_MAX; BOOLEAN: 0 or 1 */
	char ids_text[PERSEUS__IDS_BYTES]; /* of the key of kind IDS that was given */
};

/*
 * Reads a query string as it is on the wire, without the '?'; NULL is an empty one. Keys beyond `required` and
 * `optional` are refused, and so are those given twice. Errors: INVALID.
 */
PERSEUS_MUST_USE enum perseus_status perseus__query_parse(const char *text, uint32_t required, uint32_t optional,
		struct perseus__query *query, struct perseus_error *err);

/* The same from a JSON object of `length` bytes. */
PERSEUS_MUST_USE enum perseus_status perseus__query_parse_json(
		const char *bytes, size_t length, uint32_t required, struct perseus__query *query, struct perseus_error *err);

/*
 * The ids of a list "0, 2,1": ascending, each once. `ids` has length PERSEUS__MAX_IDS. INVALID for an empty list or
 * element, what is no number, and more than PERSEUS__MAX_IDS different ids.
 */
PERSEUS_MUST_USE enum perseus_status perseus__query_ids(
		const char *text, int32_t *ids, int32_t *n_ids, struct perseus_error *err);

#endif
