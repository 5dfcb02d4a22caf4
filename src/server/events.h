/*
 * What happens to jobs, as server-sent events: published by whoever knows, kept for a while in a ring of bounded size,
 * and read by any number of subscribers (bounded, too) at their own pace. One that was away resumes with the id of the
 * last event it saw; where the ring has gone on without it, it is told how many it missed by an event "gap".
 *
 * An event on the wire:
 *   id: 1764403200123-42
 *   event: plan
 *   data: {"job": "...", "time_ms": 1764403201000, "details": {...}}
 * The number before the dash is this server's start, so that ids of an earlier one are not taken for its own.
 */
#ifndef PERSEUS_SERVER_EVENTS_H
#define PERSEUS_SERVER_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "service/stream.h"

struct perseus__events;

enum {
	PERSEUS__EVENTS_KEPT = 4096,
	PERSEUS__EVENTS_MAX_BYTES = 8 * 1024 * 1024, /* of the events kept */
	PERSEUS__EVENT_MAX_BYTES = 64 * 1024,        /* a larger one is not published */
	PERSEUS__EVENTS_MAX_STREAMS = 256,
};

/* Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__events_new(struct perseus__events **out, struct perseus_error *err);

/* After all streams were freed. NULL is fine. */
void perseus__events_free(struct perseus__events *events);

/*
 * Tells of something that happened to `job`: the event's name, and `details`, one line of JSON. Any thread; waits for
 * nothing but short locks of its own and the HTTP server's, and calls nobody back. Without memory the event is lost,
 * which its readers see as a gap.
 */
void perseus__events_publish(struct perseus__events *events, const char *job, const char *event, const char *details);

/*
 * A subscription to the events of `job`, or of all jobs where it is NULL: those after `last_event_id` where that is an
 * id (NULL: none), else those from now on. Errors: NO_MEMORY; BUSY where there are too many.
 */
PERSEUS_MUST_USE enum perseus_status perseus__events_subscribe(struct perseus__events *events, const char *job,
		const char *last_event_id, struct perseus__stream **out, struct perseus_error *err);

/* For ticks and the end. */
struct perseus__streams *perseus__events_streams(struct perseus__events *events);

/* Subscribers now. */
int32_t perseus__events_n_streams(struct perseus__events *events);

#endif
