/*
 * Streams of power as server-sent events. A device is polled only while somebody has subscribed to it, by one task
 * however many they are; only its newest value is kept. An event goes out when a value has changed, and the first at
 * once.
 */
#ifndef PERSEUS_AGENT_STREAM_H
#define PERSEUS_AGENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <perseus/status.h>

struct perseus__front;
struct perseus__streams;
struct perseus__stream;

PERSEUS_MUST_USE enum perseus_status perseus__streams_new(
		struct perseus__front *front, struct perseus__streams **out, struct perseus_error *err);

/* Every stream has come to its end: perseus__stream_next says so. */
void perseus__streams_end(struct perseus__streams *streams);

/* After all streams were freed. */
void perseus__streams_free(struct perseus__streams *streams);

/* To be called every second: looks whether waiting peers are still there, and has comments sent on silent streams. */
void perseus__streams_tick(struct perseus__streams *streams);

/* Subscribes to GPUs, or else CPUs, at `positions`. Errors: NO_MEMORY; BUSY where there is no room for polling. */
PERSEUS_MUST_USE enum perseus_status perseus__stream_new(struct perseus__streams *streams, bool is_gpu,
		const int32_t *positions, int32_t n, struct perseus__stream **out, struct perseus_error *err);
void perseus__stream_free(struct perseus__stream *stream);

/* How the stream's peer is looked for and woken. `wake` is called from any thread. */
void perseus__stream_attach(struct perseus__stream *stream, int fd, void (*wake)(void *user), void *user);

/* The next bytes, at most `max_bytes`; 0: nothing now; -1: the end. One event is one call where it fits. */
ssize_t perseus__stream_next(struct perseus__stream *stream, char *bytes, size_t max_bytes);

/* Has `wake` called, once, when there is something. False: there is something already, and it will not be. */
bool perseus__stream_wait(struct perseus__stream *stream);

#endif
