/*
 * The bodies of Zeus's routes: decoded as leniently as Zeus's own server does (pydantic 1), refused with the same lists
 * of errors, and encoded in Python's style, which is what dump files and the store hold.
 *
 * Lenient: unknown members are ignored; integers take "2", 1.9 (cut to 1) and true; floats take numeric texts, NaN and
 * Infinity; texts take numbers. null is refused where the member is not optional. Beyond Zeus's rules numbers are
 * bounded, so that a body cannot ask for more memory than it is worth.
 */
#ifndef PERSEUS_SERVER_ZEUS_JSON_H
#define PERSEUS_SERVER_ZEUS_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/status.h>

enum {
	PERSEUS__ZEUS_MAX_WORLD_SIZE = 65536,
	PERSEUS__ZEUS_MAX_FREQUENCIES = 4096, /* that a rank names; a GPU has some hundred */
	PERSEUS__ZEUS_MAX_ERRORS = 64,        /* that a refusal lists */
};

struct perseus__zeus_body {
	const char *bytes; /* may be NULL where `length` is 0 */
	size_t length;
	const char *content_type; /* of the request; NULL: none, which is taken as JSON */
};

/* Why a body is refused. */
struct perseus__zeus_refusal {
	int code;                  /* 422, or 400 for a body that is no UTF-8 */
	struct perseus__text text; /* {"detail": ...}; owned */
};

struct perseus__zeus_job_info {
	int32_t pp_degree, dp_degree, tp_degree; /* >= 1 */
	int32_t world_size;                      /* their product */
	char *metadata;                          /* owned; NULL: none */
};

struct perseus__zeus_rank_info {
	int32_t rank, dp_rank, pp_rank, tp_rank; /* >= 0 */
	int64_t *frequencies_mhz;                /* length n_frequencies; owned */
	size_t n_frequencies;
};

struct perseus__zeus_list {
	double *values; /* length n; owned */
	size_t n;
};

/* What an instruction took, for each iteration a list. */
struct perseus__zeus_series {
	char *name;                            /* owned */
	struct perseus__zeus_list *iterations; /* length n_iterations; owned */
	size_t n_iterations;
};

struct perseus__zeus_breakdown {
	struct perseus__zeus_series *series; /* length n, names distinct; owned */
	size_t n;
};

struct perseus__zeus_result {
	int32_t rank;
	struct perseus__zeus_list iter_time_s;
	struct perseus__zeus_list iter_energy_j;
	struct perseus__zeus_breakdown time_s;
	struct perseus__zeus_breakdown energy_j;
};

/*
 * Decode a body. INVALID: `refusal` holds the answer, which the caller frees with perseus__text_fini; untouched
 * otherwise. NO_MEMORY. `*out` is untouched on failure and freed with its own function.
 */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_decode_job(const struct perseus__zeus_body *body,
		struct perseus__zeus_job_info *out, struct perseus__zeus_refusal *refusal);
PERSEUS_MUST_USE enum perseus_status perseus__zeus_decode_rank(const struct perseus__zeus_body *body,
		struct perseus__zeus_rank_info *out, struct perseus__zeus_refusal *refusal);
PERSEUS_MUST_USE enum perseus_status perseus__zeus_decode_result(
		const struct perseus__zeus_body *body, struct perseus__zeus_result *out, struct perseus__zeus_refusal *refusal);

/* The parameter `rank` of a query; `text` is its decoded value, NULL where there is none. Errors as above. */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_decode_query_rank(
		const char *text, int32_t *rank, struct perseus__zeus_refusal *refusal);

void perseus__zeus_job_info_fini(struct perseus__zeus_job_info *info);
void perseus__zeus_rank_info_fini(struct perseus__zeus_rank_info *info);
void perseus__zeus_list_fini(struct perseus__zeus_list *list);
void perseus__zeus_breakdown_fini(struct perseus__zeus_breakdown *breakdown);
void perseus__zeus_result_fini(struct perseus__zeus_result *result);

/* A refusal of one member that is well formed but too large here: not less than `limit`. `where`: "body" or "query". */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_refuse_not_less(
		const char *where, const char *member, int64_t limit, struct perseus__zeus_refusal *refusal);

/* As json.dumps writes them. */
void perseus__zeus_encode_job(struct perseus__text *text, const struct perseus__zeus_job_info *info);
void perseus__zeus_encode_rank(struct perseus__text *text, const struct perseus__zeus_rank_info *info);
void perseus__zeus_encode_result(struct perseus__text *text, const struct perseus__zeus_result *result);

#endif
