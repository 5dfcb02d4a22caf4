/* Subscribers, and the events each has not been sent. */
#include "service/stream.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <poll.h>
#include <string.h>

/* A comment now and then finds peers that are gone without having said so. */
static const int64_t SILENCE_NS = 15 * (int64_t)1000000000;

/* Takes a waiting stream into a list of those to wake. */
static void
claim(struct perseus__stream *stream, struct perseus__stream **woken)
{
	stream->is_waiting = false;
	stream->next_woken = *woken;
	*woken = stream;
}

/* A claimed stream stays until it is woken, as only its connection frees it, and that sleeps. */
static void
wake_all(struct perseus__stream *woken)
{
	while (woken) {
		struct perseus__stream *stream = woken;
		woken = stream->next_woken;
		stream->wake(stream->user);
	}
}

/* Makes sure that the stream's event has bytes left, if there is anything to say. */
static bool
fill(struct perseus__stream *stream)
{
	if (stream->n_taken < stream->event.length)
		return true;
	stream->n_taken = 0;
	stream->event.length = 0;
	if (stream->streams->ops->make(stream, &stream->event)) {
		stream->has_sent = true;
		return true;
	}
	if (stream->wants_comment)
		perseus__text_addf(&stream->event, ": ping\n\n");
	return stream->wants_comment;
}

ssize_t
perseus__stream_next(struct perseus__stream *stream, char *bytes, size_t max_bytes)
{
	ssize_t n = 0;
	(void)pthread_mutex_lock(&stream->streams->mutex);
	if (stream->is_over || stream->streams->is_ended || stream->event.failed) {
		n = -1;
	} else if (fill(stream)) {
		const size_t left = stream->event.length - stream->n_taken;
		n = (ssize_t)(left < max_bytes ? left : max_bytes);
		memcpy(bytes, stream->event.bytes + stream->n_taken, (size_t)n);
		stream->n_taken += (size_t)n;
		stream->wants_comment = false;
		stream->sent_ns = perseus__clock_mono_ns();
	}
	(void)pthread_mutex_unlock(&stream->streams->mutex);
	return n;
}

bool
perseus__stream_wait(struct perseus__stream *stream)
{
	(void)pthread_mutex_lock(&stream->streams->mutex);
	const bool is_ready = stream->is_over || stream->streams->is_ended || fill(stream);
	stream->is_waiting = !is_ready;
	(void)pthread_mutex_unlock(&stream->streams->mutex);
	return !is_ready;
}

void
perseus__stream_attach(struct perseus__stream *stream, int fd, void (*wake)(void *user), void *user)
{
	(void)pthread_mutex_lock(&stream->streams->mutex);
	stream->fd = fd;
	stream->wake = wake;
	stream->user = user;
	(void)pthread_mutex_unlock(&stream->streams->mutex);
}

void
perseus__streams_publish(struct perseus__streams *streams)
{
	struct perseus__stream *woken = NULL;
	(void)pthread_mutex_lock(&streams->mutex);
	for (struct perseus__stream *stream = streams->first; stream; stream = stream->next)
		if (stream->is_waiting && fill(stream))
			claim(stream, &woken);
	(void)pthread_mutex_unlock(&streams->mutex);
	wake_all(woken);
}

/* Its end of the connection is closed, or closed for writing, which no client of a stream does and goes on reading. */
static bool
is_peer_gone(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLRDHUP};
	return poll(&polled, 1, 0) > 0;
}

/* Looks for the peer of a claimed stream, which sleeps on or is woken. */
static void
look_after(struct perseus__stream *stream, int64_t now_ns)
{
	const bool is_over = is_peer_gone(stream->fd);
	(void)pthread_mutex_lock(&stream->streams->mutex);
	stream->is_over = is_over;
	stream->wants_comment = stream->has_sent && now_ns - stream->sent_ns > SILENCE_NS;
	(void)pthread_mutex_unlock(&stream->streams->mutex);
	if (!perseus__stream_wait(stream))
		stream->wake(stream->user);
}

void
perseus__streams_tick(struct perseus__streams *streams)
{
	struct perseus__stream *claimed = NULL;
	const int64_t now_ns = perseus__clock_mono_ns();
	(void)pthread_mutex_lock(&streams->mutex);
	for (struct perseus__stream *stream = streams->first; stream; stream = stream->next)
		if (stream->is_waiting)
			claim(stream, &claimed);
	(void)pthread_mutex_unlock(&streams->mutex);
	while (claimed) {
		struct perseus__stream *stream = claimed;
		claimed = stream->next_woken;
		look_after(stream, now_ns);
	}
}

void
perseus__streams_end(struct perseus__streams *streams)
{
	struct perseus__stream *woken = NULL;
	(void)pthread_mutex_lock(&streams->mutex);
	streams->is_ended = true;
	for (struct perseus__stream *stream = streams->first; stream; stream = stream->next)
		if (stream->is_waiting)
			claim(stream, &woken);
	(void)pthread_mutex_unlock(&streams->mutex);
	wake_all(woken);
}

void
perseus__streams_lock(struct perseus__streams *streams)
{
	(void)pthread_mutex_lock(&streams->mutex);
}

void
perseus__streams_unlock(struct perseus__streams *streams)
{
	(void)pthread_mutex_unlock(&streams->mutex);
}

void
perseus__stream_join(struct perseus__streams *streams, struct perseus__stream *stream)
{
	stream->streams = streams;
	stream->event = perseus__text_init(streams->max_event_bytes);
	stream->next = streams->first;
	if (streams->first)
		streams->first->previous = stream;
	streams->first = stream;
	streams->n++;
}

void
perseus__stream_free(struct perseus__stream *stream)
{
	if (!stream)
		return;
	struct perseus__streams *streams = stream->streams;
	(void)pthread_mutex_lock(&streams->mutex);
	if (stream->previous)
		stream->previous->next = stream->next;
	else
		streams->first = stream->next;
	if (stream->next)
		stream->next->previous = stream->previous;
	streams->n--;
	if (streams->ops->leave)
		streams->ops->leave(stream);
	(void)pthread_mutex_unlock(&streams->mutex);
	perseus__text_fini(&stream->event);
	perseus__free(stream);
}

enum perseus_status
perseus__streams_init(struct perseus__streams *streams, const struct perseus__stream_ops *ops, size_t max_event_bytes,
		struct perseus_error *err)
{
	*streams = (struct perseus__streams){.ops = ops, .max_event_bytes = max_event_bytes};
	return pthread_mutex_init(&streams->mutex, NULL) == 0 ? PERSEUS_OK : perseus__no_memory(err);
}

void
perseus__streams_fini(struct perseus__streams *streams)
{
	(void)pthread_mutex_destroy(&streams->mutex);
}
