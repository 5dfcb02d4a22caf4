/*
 * Streams of server-sent events: who is subscribed, asleep, to be woken, or gone. What the events are is the
 * application's: it embeds both structs as first members of its own.
 */
#ifndef PERSEUS_SERVICE_STREAM_H
#define PERSEUS_SERVICE_STREAM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

#include <perseus/status.h>

struct perseus__stream;

/* Both are called with the streams locked. */
struct perseus__stream_ops {
	/* Adds the next event that this stream has not sent, whole; false where there is none. */
	bool (*make)(struct perseus__stream *stream, struct perseus__text *event);
	/* The stream goes: its subscriptions end. May be NULL. */
	void (*leave)(struct perseus__stream *stream);
};

/* All streams of one kind. Fields are guarded by the mutex. */
struct perseus__streams {
	const struct perseus__stream_ops *ops;
	size_t max_event_bytes; /* a longer event ends its stream */
	pthread_mutex_t mutex;
	bool is_ended;
	int32_t n;
	struct perseus__stream *first;
};

/* One subscriber. What is not commented is this module's business. */
struct perseus__stream {
	struct perseus__streams *streams;
	struct perseus__stream *previous;
	struct perseus__stream *next;
	int fd;
	void (*wake)(void *user);
	void *user;
	bool is_waiting; /* whoever makes it false calls `wake`, after unlocking */
	bool is_over;
	bool wants_comment;
	bool has_sent; /* an event; the first bytes must be one */
	int64_t sent_ns;
	struct perseus__text event; /* what is left of it begins at n_taken */
	size_t n_taken;
	struct perseus__stream *next_woken;
};

/* Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__streams_init(struct perseus__streams *streams,
		const struct perseus__stream_ops *ops, size_t max_event_bytes, struct perseus_error *err);

/* After all streams were freed. */
void perseus__streams_fini(struct perseus__streams *streams);

void perseus__streams_lock(struct perseus__streams *streams);
void perseus__streams_unlock(struct perseus__streams *streams);

/* There may be news: wakes the sleeping streams that have something to say now. Without the lock. */
void perseus__streams_publish(struct perseus__streams *streams);

/* Every stream has come to its end: perseus__stream_next says so. */
void perseus__streams_end(struct perseus__streams *streams);

/* To be called every second: looks whether waiting peers are still there, and has comments sent on silent streams. */
void perseus__streams_tick(struct perseus__streams *streams);

/* Takes in a stream that was allocated with zeros. With the lock. */
void perseus__stream_join(struct perseus__streams *streams, struct perseus__stream *stream);

/* Takes it out and frees it. Without the lock. */
void perseus__stream_free(struct perseus__stream *stream);

/* How the stream's peer is looked for and woken. `wake` is called from any thread. */
void perseus__stream_attach(struct perseus__stream *stream, int fd, void (*wake)(void *user), void *user);

/* The next bytes, at most `max_bytes`; 0: nothing now; -1: the end. One event is one call where it fits. */
ssize_t perseus__stream_next(struct perseus__stream *stream, char *bytes, size_t max_bytes);

/* Has `wake` called, once, when there is something. False: there is something already, and it will not be. */
bool perseus__stream_wait(struct perseus__stream *stream);

#endif
