/*
 * The queue between training and the client's thread: one producer, one consumer, no lock, no system call. Where it is
 * full, what comes is dropped and counted, and the next event that fits says that some are missing before it.
 *
 * It lies in a mapping that the kernel empties in a forked child: there the queue is not live, and nothing is put in.
 */
#ifndef PERSEUS_CLIENT_RING_H
#define PERSEUS_CLIENT_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

/* Enough for 16,384 instructions between two looks of the thread, which looks every few milliseconds. */
enum { PERSEUS__RING_EVENTS = 1 << 15 };

enum perseus__event_what {
	PERSEUS__EVENT_STEP_BEGIN,
	PERSEUS__EVENT_BEGIN,
	PERSEUS__EVENT_END,
	PERSEUS__EVENT_STEP_END,
};

struct perseus__event {
	int64_t at_ns;      /* monotonic clock */
	int32_t stage;      /* STEP_BEGIN: how many steps began before it, since the client was opened */
	int32_t microbatch; /* -1: to be counted */
	int32_t mark;       /* number of the CUDA event recorded with it; -1: none */
	uint8_t what;       /* enum perseus__event_what */
	uint8_t kind;       /* enum perseus_kind */
	bool is_after_loss; /* events before this one were dropped */
};

struct perseus__ring;

/* Errors: NO_MEMORY. Free with perseus__ring_free. */
PERSEUS_MUST_USE enum perseus_status perseus__ring_new(struct perseus__ring **out, struct perseus_error *err);
void perseus__ring_free(struct perseus__ring *ring);

/* False in a forked child. Producer. */
bool perseus__ring_is_live(const struct perseus__ring *ring);

/* Producer. Copies *event; false where it was dropped. */
bool perseus__ring_push(struct perseus__ring *ring, const struct perseus__event *event);

/* Consumer: the oldest event, NULL where there is none; borrowed until perseus__ring_pop. */
const struct perseus__event *perseus__ring_peek(struct perseus__ring *ring);
void perseus__ring_pop(struct perseus__ring *ring);

/* Consumer: how many events wait, about. */
int32_t perseus__ring_length(const struct perseus__ring *ring);

/* Any thread: events dropped so far. */
int64_t perseus__ring_n_dropped(const struct perseus__ring *ring);

#endif
