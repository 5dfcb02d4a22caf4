/* The order of a step's instructions on this rank. */
#ifndef PERSEUS_CLIENT_ORDER_H
#define PERSEUS_CLIENT_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/schedule.h>
#include <perseus/status.h>

/* A step of more instructions is not followed. */
enum { PERSEUS__MAX_ORDER = 1 << 20 };

/* Grows at its end. Zero is an empty one. */
struct perseus__order {
	int32_t n;
	size_t capacity;
	struct perseus_instruction *instructions; /* owned */
};

void perseus__order_fini(struct perseus__order *order);

/* Errors: NO_MEMORY, also where it is too long. */
PERSEUS_MUST_USE enum perseus_status perseus__order_add(
		struct perseus__order *order, const struct perseus_instruction *instruction, struct perseus_error *err);

/* Reads `texts`, length `n`, into an empty order. Errors: INVALID, "order[3]: ..."; NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__order_read(
		struct perseus__order *order, const char *const *texts, int32_t n, struct perseus_error *err);

bool perseus__order_is_same(const struct perseus__order *order, const struct perseus__order *other);

/* An instruction of one part. */
struct perseus_instruction perseus__order_single(enum perseus_kind kind, int32_t stage, int32_t microbatch);

#endif
