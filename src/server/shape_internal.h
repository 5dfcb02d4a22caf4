/* How the planner makes and fills a shape. Private to it. */
#ifndef PERSEUS_SERVER_SHAPE_INTERNAL_H
#define PERSEUS_SERVER_SHAPE_INTERNAL_H

#include "server/shape.h"

#include <stdatomic.h>

/* All that a request says, as bytes: equal where the requests are. */
struct perseus__shape_key {
	unsigned char *bytes;
	size_t n;
	size_t capacity;
	uint64_t hash;
};

/* A deadline of the table; what is beside the plan was written before it. */
struct perseus__shape_slot {
	int64_t deadline_ns;
	double effective_j;
	_Atomic(struct perseus_plan *) plan; /* NULL: none yet, or none that keeps the deadline */
};

struct perseus__shape {
	atomic_int n_owners;
	perseus_flag is_cancelled; /* stops the making */
	struct perseus__shape_key key;
	/* Of the request; what it points to is copied, and gone once the shape is made. */
	struct perseus__shape_request request;
	struct perseus_measurement *rows;
	size_t n_rows;
	char **class_names; /* length n_class_names: what instructions of the order are called */
	size_t n_class_names;
	size_t class_names_capacity;
	/* Made. */
	struct perseus_profile *profile;
	const struct perseus_schedule *schedule;
	struct perseus_frontier *frontier;
	struct perseus_outcome baseline;
	int64_t t_min_ns;
	int32_t n_deadlines;
	struct perseus__shape_slot *slots; /* length n_deadlines, ascending deadline */
	int32_t *order;                    /* length n_deadlines: in which they are tried */
	atomic_int n_tried;
	atomic_int n_plans;
};

/* The key of a request. Errors: NO_MEMORY. Free with perseus__shape_key_fini. */
PERSEUS_MUST_USE enum perseus_status perseus__shape_key_init(
		struct perseus__shape_key *key, const struct perseus__shape_request *request, struct perseus_error *err);

void perseus__shape_key_fini(struct perseus__shape_key *key);

bool perseus__shape_key_equals(const struct perseus__shape_key *a, const struct perseus__shape_key *b);

/* A shape with one owner, of which nothing but the key is made yet. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__shape_new(const struct perseus__shape_request *request,
		int32_t n_deadlines, struct perseus__shape **out, struct perseus_error *err);

/*
 * Makes all but the table: profile, schedule, frontier, and the plan for the shortest deadline. By one thread, once.
 * Errors: those of the functions that it calls; CANCELLED.
 */
PERSEUS_MUST_USE enum perseus_status perseus__shape_make(struct perseus__shape *shape, struct perseus_error *err);

/* Frees the copied request. */
void perseus__shape_free_request(struct perseus__shape *shape);

/* Tries the next deadline of the table; false: all have been. By one thread at a time. */
bool perseus__shape_fill(struct perseus__shape *shape);

#endif
