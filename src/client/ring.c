/* The queue between training and the client's thread. */
#include "client/ring.h"

#include "base/error.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

enum { LINE_BYTES = 64 };

/* Positions count events since the beginning; the slot is what is left modulo the size. */
struct perseus__ring {
	/* The producer's line. */
	_Alignas(LINE_BYTES) _Atomic uint64_t head;
	uint64_t seen_tail; /* the tail as the producer saw it last */
	atomic_int_least64_t n_dropped;
	bool is_live;
	bool has_dropped; /* since the last event that fitted */
	/* The consumer's line. */
	_Alignas(LINE_BYTES) _Atomic uint64_t tail;
	uint64_t seen_head;
	_Alignas(LINE_BYTES) struct perseus__event events[PERSEUS__RING_EVENTS];
};

enum perseus_status
perseus__ring_new(struct perseus__ring **out, struct perseus_error *err)
{
	struct perseus__ring *ring =
			mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (ring == MAP_FAILED)
		return perseus__no_memory(err);
	/* Before Linux 4.14 a child would fill a queue that nobody empties: as harmless, but for the time it takes. */
	(void)madvise(ring, sizeof *ring, MADV_WIPEONFORK);
	ring->is_live = true;
	*out = ring;
	return PERSEUS_OK;
}

void
perseus__ring_free(struct perseus__ring *ring)
{
	if (ring)
		(void)munmap(ring, sizeof *ring);
}

bool
perseus__ring_is_live(const struct perseus__ring *ring)
{
	return ring->is_live;
}

/* Producer: an event could not even be made; as if it had been dropped. */
static void
drop(struct perseus__ring *ring)
{
	ring->has_dropped = true;
	(void)atomic_fetch_add_explicit(&ring->n_dropped, 1, memory_order_relaxed);
}

bool
perseus__ring_push(struct perseus__ring *ring, const struct perseus__event *event)
{
	const uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	if (head - ring->seen_tail == PERSEUS__RING_EVENTS) {
		ring->seen_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
		if (head - ring->seen_tail == PERSEUS__RING_EVENTS) {
			drop(ring);
			return false;
		}
	}
	struct perseus__event *slot = &ring->events[head % PERSEUS__RING_EVENTS];
	*slot = *event;
	slot->is_after_loss = ring->has_dropped;
	ring->has_dropped = false;
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	return true;
}

const struct perseus__event *
perseus__ring_peek(struct perseus__ring *ring)
{
	const uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	if (ring->seen_head == tail) {
		ring->seen_head = atomic_load_explicit(&ring->head, memory_order_acquire);
		if (ring->seen_head == tail)
			return NULL;
	}
	return &ring->events[tail % PERSEUS__RING_EVENTS];
}

void
perseus__ring_pop(struct perseus__ring *ring)
{
	const uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

int32_t
perseus__ring_length(const struct perseus__ring *ring)
{
	const uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	return (int32_t)(head - atomic_load_explicit(&ring->tail, memory_order_relaxed));
}

int64_t
perseus__ring_n_dropped(const struct perseus__ring *ring)
{
	return atomic_load_explicit(&ring->n_dropped, memory_order_relaxed);
}
