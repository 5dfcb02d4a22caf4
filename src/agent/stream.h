/*
 * Streams of power as server-sent events. A device is polled only while somebody has subscribed to it, by one task
 * however many they are; only its newest value is kept. An event goes out when a value has changed, and the first at
 * once.
 */
#ifndef PERSEUS_AGENT_STREAM_H
#define PERSEUS_AGENT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "service/stream.h"

#include <perseus/status.h>

struct perseus__front;

PERSEUS_MUST_USE enum perseus_status perseus__power_streams_new(
		struct perseus__front *front, struct perseus__streams **out, struct perseus_error *err);

/* After all streams were freed. */
void perseus__power_streams_free(struct perseus__streams *streams);

/*
 * Subscribes to GPUs, or else CPUs, at `positions`; perseus__stream_free ends it. Errors: NO_MEMORY; BUSY where there
 * is no room for polling.
 */
PERSEUS_MUST_USE enum perseus_status perseus__power_stream_new(struct perseus__streams *streams, bool is_gpu,
		const int32_t *positions, int32_t n, struct perseus__stream **out, struct perseus_error *err);

#endif
