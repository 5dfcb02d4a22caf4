/* Streams of power: subscribers, and the events each has not seen. */
#include "agent/stream.h"

#include "agent/topic.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <poll.h>
#include <string.h>

enum { MAX_EVENT_BYTES = 16384 };

/* A comment now and then finds peers that are gone without having said so. */
static const int64_t SILENCE_NS = 15 * (int64_t)1000000000;

struct perseus__stream {
	struct perseus__streams *streams;
	struct perseus__stream *previous;
	struct perseus__stream *next;
	bool is_gpu;
	int32_t n;
	int32_t positions[PERSEUS__MAX_GPUS];
	uint64_t seen[PERSEUS__MAX_GPUS]; /* versions */
	int32_t turn;                     /* the topic to look at first, so that none is passed over for ever */
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

static struct perseus__topic *
topic_of(struct perseus__streams *streams, bool is_gpu, int32_t position)
{
	return is_gpu ? &streams->gpus[position] : &streams->cpus[position];
}

static bool
has_unseen(const struct perseus__stream *stream, int32_t i)
{
	const uint64_t version = topic_of(stream->streams, stream->is_gpu, stream->positions[i])->version;
	return version != 0 && version != stream->seen[i];
}

/* Puts one device's news into the stream's event. */
static bool
make_single(struct perseus__stream *stream)
{
	for (int32_t k = 0; k < stream->n; k++) {
		const int32_t i = (stream->turn + k) % stream->n;
		if (!has_unseen(stream, i))
			continue;
		const struct perseus__topic *topic = topic_of(stream->streams, stream->is_gpu, stream->positions[i]);
		stream->seen[i] = topic->version;
		stream->turn = (i + 1) % stream->n;
		perseus__topic_write_event(topic, &stream->event);
		return true;
	}
	return false;
}

/* The same for all devices at once, as soon as each has a value and one of them is news. */
static bool
make_snapshot(struct perseus__stream *stream)
{
	const struct perseus__topic *topics[PERSEUS__MAX_GPUS];
	bool is_news = false;
	for (int32_t i = 0; i < stream->n; i++) {
		topics[i] = topic_of(stream->streams, stream->is_gpu, stream->positions[i]);
		if (topics[i]->version == 0)
			return false;
		is_news = is_news || has_unseen(stream, i);
	}
	if (!is_news)
		return false;
	for (int32_t i = 0; i < stream->n; i++)
		stream->seen[i] = topics[i]->version;
	perseus__topic_write_snapshot(topics, stream->n, &stream->event);
	return true;
}

/* Makes sure that the stream's event has bytes left, if there is anything to say. */
static bool
fill(struct perseus__stream *stream)
{
	if (stream->n_taken < stream->event.length)
		return true;
	stream->n_taken = 0;
	stream->event.length = 0;
	const bool is_snapshot = stream->streams->front->settings.is_snapshot;
	if (is_snapshot ? make_snapshot(stream) : make_single(stream)) {
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

/* Wakes the streams that have something to say about a topic. */
void
perseus__streams_publish(struct perseus__topic *topic)
{
	struct perseus__streams *streams = topic->streams;
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

enum perseus_status
perseus__stream_new(struct perseus__streams *streams, bool is_gpu, const int32_t *positions, int32_t n,
		struct perseus__stream **out, struct perseus_error *err)
{
	struct perseus__stream *stream = perseus__new_array(1, sizeof *stream);
	if (!stream)
		return perseus__no_memory(err);
	stream->streams = streams;
	stream->is_gpu = is_gpu;
	stream->event = perseus__text_init(MAX_EVENT_BYTES);
	(void)pthread_mutex_lock(&streams->mutex);
	stream->next = streams->first;
	if (streams->first)
		streams->first->previous = stream;
	streams->first = stream;
	enum perseus_status status = PERSEUS_OK;
	for (; stream->n < n && status == PERSEUS_OK; stream->n += status == PERSEUS_OK) {
		stream->positions[stream->n] = positions[stream->n];
		status = perseus__topic_subscribe(topic_of(streams, is_gpu, positions[stream->n]), err);
	}
	(void)pthread_mutex_unlock(&streams->mutex);
	if (status != PERSEUS_OK) {
		perseus__stream_free(stream);
		return status;
	}
	*out = stream;
	return PERSEUS_OK;
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
	for (int32_t i = 0; i < stream->n; i++)
		perseus__topic_unsubscribe(topic_of(streams, stream->is_gpu, stream->positions[i]));
	(void)pthread_mutex_unlock(&streams->mutex);
	perseus__text_fini(&stream->event);
	perseus__free(stream);
}

enum perseus_status
perseus__streams_new(struct perseus__front *front, struct perseus__streams **out, struct perseus_error *err)
{
	struct perseus__streams *streams = perseus__new_array(1, sizeof *streams);
	if (!streams || pthread_mutex_init(&streams->mutex, NULL) != 0) {
		perseus__free(streams);
		return perseus__no_memory(err);
	}
	streams->front = front;
	for (int32_t i = 0; i < PERSEUS__MAX_GPUS; i++) {
		streams->gpus[i] = (struct perseus__topic){.streams = streams, .is_gpu = true, .position = i};
		streams->cpus[i] = (struct perseus__topic){.streams = streams, .is_gpu = false, .position = i};
	}
	*out = streams;
	return PERSEUS_OK;
}

void
perseus__streams_free(struct perseus__streams *streams)
{
	if (!streams)
		return;
	(void)pthread_mutex_destroy(&streams->mutex);
	perseus__free(streams);
}
