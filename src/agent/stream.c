/* Streams of power: which devices each tells of, and what it has told. */
#include "agent/stream.h"

#include "agent/topic.h"
#include "base/error.h"
#include "base/memory.h"

enum { MAX_EVENT_BYTES = 16384 };

struct power_stream {
	struct perseus__stream base;
	bool is_gpu;
	int32_t n;
	int32_t positions[PERSEUS__MAX_GPUS];
	uint64_t seen[PERSEUS__MAX_GPUS]; /* versions */
	int32_t turn;                     /* the topic to look at first, so that none is passed over for ever */
};

static struct perseus__topic *
topic_of(const struct power_stream *stream, int32_t i)
{
	struct perseus__power_streams *streams = (struct perseus__power_streams *)stream->base.streams;
	return stream->is_gpu ? &streams->gpus[stream->positions[i]] : &streams->cpus[stream->positions[i]];
}

static bool
has_unseen(const struct power_stream *stream, int32_t i)
{
	const uint64_t version = topic_of(stream, i)->version;
	return version != 0 && version != stream->seen[i];
}

/* Puts one device's news into the stream's event. */
static bool
make_single(struct power_stream *stream, struct perseus__text *event)
{
	for (int32_t k = 0; k < stream->n; k++) {
		const int32_t i = (stream->turn + k) % stream->n;
		if (!has_unseen(stream, i))
			continue;
		const struct perseus__topic *topic = topic_of(stream, i);
		stream->seen[i] = topic->version;
		stream->turn = (i + 1) % stream->n;
		perseus__topic_write_event(topic, event);
		return true;
	}
	return false;
}

/* The same for all devices at once, as soon as each has a value and one of them is news. */
static bool
make_snapshot(struct power_stream *stream, struct perseus__text *event)
{
	const struct perseus__topic *topics[PERSEUS__MAX_GPUS];
	bool is_news = false;
	for (int32_t i = 0; i < stream->n; i++) {
		topics[i] = topic_of(stream, i);
		if (topics[i]->version == 0)
			return false;
		is_news = is_news || has_unseen(stream, i);
	}
	if (!is_news)
		return false;
	for (int32_t i = 0; i < stream->n; i++)
		stream->seen[i] = topics[i]->version;
	perseus__topic_write_snapshot(topics, stream->n, event);
	return true;
}

static bool
make(struct perseus__stream *stream, struct perseus__text *event)
{
	const struct perseus__power_streams *streams = (struct perseus__power_streams *)stream->streams;
	struct power_stream *power = (struct power_stream *)stream;
	return streams->front->settings.is_snapshot ? make_snapshot(power, event) : make_single(power, event);
}

static void
leave(struct perseus__stream *stream)
{
	const struct power_stream *power = (struct power_stream *)stream;
	for (int32_t i = 0; i < power->n; i++)
		perseus__topic_unsubscribe(topic_of(power, i));
}

enum perseus_status
perseus__power_stream_new(struct perseus__streams *streams, bool is_gpu, const int32_t *positions, int32_t n,
		struct perseus__stream **out, struct perseus_error *err)
{
	struct power_stream *stream = perseus__new_array(1, sizeof *stream);
	if (!stream)
		return perseus__no_memory(err);
	stream->is_gpu = is_gpu;
	perseus__streams_lock(streams);
	perseus__stream_join(streams, &stream->base);
	enum perseus_status status = PERSEUS_OK;
	for (; stream->n < n && status == PERSEUS_OK; stream->n += status == PERSEUS_OK) {
		stream->positions[stream->n] = positions[stream->n];
		status = perseus__topic_subscribe(topic_of(stream, stream->n), err);
	}
	perseus__streams_unlock(streams);
	if (status != PERSEUS_OK) {
		perseus__stream_free(&stream->base);
		return status;
	}
	*out = &stream->base;
	return PERSEUS_OK;
}

enum perseus_status
perseus__power_streams_new(struct perseus__front *front, struct perseus__streams **out, struct perseus_error *err)
{
	static const struct perseus__stream_ops ops = {.make = make, .leave = leave};
	struct perseus__power_streams *streams = perseus__new_array(1, sizeof *streams);
	if (!streams)
		return perseus__no_memory(err);
	const enum perseus_status status = perseus__streams_init(&streams->base, &ops, MAX_EVENT_BYTES, err);
	if (status != PERSEUS_OK) {
		perseus__free(streams);
		return status;
	}
	streams->front = front;
	for (int32_t i = 0; i < PERSEUS__MAX_GPUS; i++) {
		streams->gpus[i] = (struct perseus__topic){.streams = streams, .is_gpu = true, .position = i};
		streams->cpus[i] = (struct perseus__topic){.streams = streams, .is_gpu = false, .position = i};
	}
	*out = &streams->base;
	return PERSEUS_OK;
}

void
perseus__power_streams_free(struct perseus__streams *streams)
{
	if (!streams)
		return;
	perseus__streams_fini(streams);
	perseus__free(streams);
}
