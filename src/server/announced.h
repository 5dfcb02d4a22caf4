/*
 * Stragglers that the infrastructure announces: a pipeline, how slow, and from when (SOSP'24, table 2:
 * set_straggler(id, delay, degree)). Pure: moments are passed in, in ms of whatever clock the caller keeps to.
 */
#ifndef PERSEUS_SERVER_ANNOUNCED_H
#define PERSEUS_SERVER_ANNOUNCED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

#define PERSEUS__MAX_DEGREE 100.0

struct perseus__announcement {
	int32_t pipeline;
	double degree; /* 1..PERSEUS__MAX_DEGREE; 1 ends it */
	int64_t from_ms;
};

/* The announcements of a job; owned, freed by perseus__announced_fini. All zero: none. */
struct perseus__announced {
	struct perseus__announcement *items; /* ascending from_ms */
	size_t capacity;
	int32_t n;
};

void perseus__announced_fini(struct perseus__announced *announced);

/* Whether another may be added: nobody foresees thousands, and a client in a loop must not fill the memory. */
bool perseus__announced_has_room(const struct perseus__announced *announced);

/*
 * The newest word holds: what was announced of the same pipeline for that moment or later is dropped.
 * Errors: INVALID, naming the field as on the wire ("pipeline", "degree"); NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__announced_add(struct perseus__announced *announced,
		struct perseus__announcement announcement, int32_t n_pipelines, struct perseus_error *err);

/* Degree announced of a pipeline for the moment `now_ms`; 1 where none is. O(announcements). */
double perseus__announced_degree(const struct perseus__announced *announced, int32_t pipeline, int64_t now_ms);

/* The next moment after `now_ms` from which an announcement holds; INT64_MAX: none. O(announcements). */
int64_t perseus__announced_next_ms(const struct perseus__announced *announced, int64_t now_ms);

/* Drops what says nothing any more at `now_ms` or later. O(announcements squared). */
void perseus__announced_trim(struct perseus__announced *announced, int64_t now_ms);

#endif
