/* Events in a ring, and their subscribers. */
#include "server/events.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "format/json_writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Of one event's name; those there are have at most nine letters. */
enum { NAME_BYTES = 32 };

/* An event as it is kept: `text` is all of it on the wire, `job` the beginning of the same allocation. */
struct event {
	char *job; /* owned, with the text behind it; NULL: not kept any more */
	const char *text;
	size_t bytes; /* of both */
};

struct perseus__events {
	struct perseus__streams base;
	int64_t epoch_ms; /* when this server began */
	uint64_t n;       /* published so far: the newest has this number */
	uint64_t n_gone;  /* the ring holds those after this one */
	size_t bytes;     /* of the events kept */
	struct event ring[PERSEUS__EVENTS_KEPT];
};

struct subscriber {
	struct perseus__stream base;
	char *job;     /* owned; NULL: all */
	uint64_t seen; /* the number of the last event that it was told of or that is not for it */
	bool has_begun;
};

static struct event *
event_of(struct perseus__events *events, uint64_t number)
{
	return &events->ring[number % PERSEUS__EVENTS_KEPT];
}

static void
forget(struct perseus__events *events, struct event *event)
{
	events->bytes -= event->bytes;
	perseus__free(event->job);
	*event = (struct event){.job = NULL};
}

/* What a subscriber has missed, as an event of its own. It has the id of the last one missed. */
static void
write_gap(const struct perseus__events *events, uint64_t n_missed, struct perseus__text *text)
{
	perseus__text_addf(text, "id: %" PRId64 "-%" PRIu64 "\nevent: gap\ndata: {\"missed\": %" PRIu64 "}\n\n",
			events->epoch_ms, events->n_gone, n_missed);
}

/* Streams begin with how soon to come back when the connection is lost, in ms. */
static bool
make(struct perseus__stream *stream, struct perseus__text *text)
{
	struct perseus__events *events = (struct perseus__events *)stream->streams;
	struct subscriber *subscriber = (struct subscriber *)stream;
	if (!subscriber->has_begun) {
		subscriber->has_begun = true;
		perseus__text_addf(text, "retry: 2000\n\n");
		return true;
	}
	if (subscriber->seen < events->n_gone) {
		write_gap(events, events->n_gone - subscriber->seen, text);
		subscriber->seen = events->n_gone;
		return true;
	}
	while (subscriber->seen < events->n) {
		const struct event *event = event_of(events, ++subscriber->seen);
		if (subscriber->job && strcmp(subscriber->job, event->job) != 0)
			continue;
		perseus__text_add(text, event->text, strlen(event->text));
		return true;
	}
	return false;
}

static void
leave(struct perseus__stream *stream)
{
	perseus__free(((struct subscriber *)stream)->job);
}

enum perseus_status
perseus__events_new(struct perseus__events **out, struct perseus_error *err)
{
	static const struct perseus__stream_ops ops = {.make = make, .leave = leave};
	struct perseus__events *events = perseus__new_array(1, sizeof *events);
	if (!events)
		return perseus__no_memory(err);
	const enum perseus_status status =
			perseus__streams_init(&events->base, &ops, 2 * (size_t)PERSEUS__EVENT_MAX_BYTES, err);
	if (status != PERSEUS_OK) {
		perseus__free(events);
		return status;
	}
	events->epoch_ms = perseus__clock_wall_ms();
	*out = events;
	return PERSEUS_OK;
}

void
perseus__events_free(struct perseus__events *events)
{
	if (!events)
		return;
	for (size_t i = 0; i < PERSEUS__EVENTS_KEPT; i++)
		forget(events, &events->ring[i]);
	perseus__streams_fini(&events->base);
	perseus__free(events);
}

/* All of an event on the wire. With the lock, as it has the next number. */
static void
write_event(const struct perseus__events *events, const char *job, const char *name, const char *details,
		struct perseus__text *text)
{
	perseus__text_addf(
			text, "id: %" PRId64 "-%" PRIu64 "\nevent: %.*s\ndata: ", events->epoch_ms, events->n, NAME_BYTES, name);
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "job", job);
	perseus__json_integer(&json, "time_ms", perseus__clock_wall_ms());
	perseus__text_addf(text, ", \"details\": %s}\n\n", details);
}

/* Puts the event in the ring, in place of the oldest, and of more where they would hold too many bytes together. */
static void
keep(struct perseus__events *events, const char *job, const char *name, const char *details)
{
	const size_t job_bytes = strlen(job) + 1;
	struct perseus__text text = perseus__text_init(2 * (size_t)PERSEUS__EVENT_MAX_BYTES);
	events->n++;
	perseus__text_add(&text, job, job_bytes);
	write_event(events, job, name, details, &text);
	if (text.failed) {
		/* The number stays, without an event: whoever has not seen all before it is told of a gap. */
		perseus__text_fini(&text);
		events->n_gone = events->n;
		for (size_t i = 0; i < PERSEUS__EVENTS_KEPT; i++)
			forget(events, &events->ring[i]);
		return;
	}
	while (events->n - events->n_gone > PERSEUS__EVENTS_KEPT
			|| (events->n_gone < events->n - 1 && events->bytes + text.length > PERSEUS__EVENTS_MAX_BYTES))
		forget(events, event_of(events, ++events->n_gone));
	*event_of(events, events->n) =
			(struct event){.job = text.bytes, .text = text.bytes + job_bytes, .bytes = text.length};
	events->bytes += text.length;
}

void
perseus__events_publish(struct perseus__events *events, const char *job, const char *event, const char *details)
{
	if (strlen(details) > PERSEUS__EVENT_MAX_BYTES || strlen(job) > PERSEUS__EVENT_MAX_BYTES / 4)
		return;
	perseus__streams_lock(&events->base);
	keep(events, job, event, details);
	perseus__streams_unlock(&events->base);
	perseus__streams_publish(&events->base);
}

/* Where to go on after an id: its number where it is of this server, all that is kept where it is of another. */
static uint64_t
resume_after(const struct perseus__events *events, const char *last_event_id)
{
	char *end = NULL;
	if (!last_event_id || *last_event_id < '0' || *last_event_id > '9')
		return events->n;
	const long long epoch_ms = strtoll(last_event_id, &end, 10);
	if (*end != '-' || end[1] < '0' || end[1] > '9')
		return events->n;
	const uint64_t number = strtoull(end + 1, &end, 10);
	if (*end != '\0')
		return events->n;
	if (epoch_ms != events->epoch_ms)
		return events->n_gone;
	return number < events->n ? number : events->n;
}

enum perseus_status
perseus__events_subscribe(struct perseus__events *events, const char *job, const char *last_event_id,
		struct perseus__stream **out, struct perseus_error *err)
{
	struct subscriber *subscriber = perseus__new_array(1, sizeof *subscriber);
	char *copy = job ? perseus__copy_string(job) : NULL;
	if (!subscriber || (job && !copy)) {
		perseus__free(subscriber);
		perseus__free(copy);
		return perseus__no_memory(err);
	}
	subscriber->job = copy;
	perseus__streams_lock(&events->base);
	const bool has_room = events->base.n < PERSEUS__EVENTS_MAX_STREAMS;
	if (has_room) {
		perseus__stream_join(&events->base, &subscriber->base);
		subscriber->seen = resume_after(events, last_event_id);
	}
	perseus__streams_unlock(&events->base);
	if (!has_room) {
		perseus__free(copy);
		perseus__free(subscriber);
		return perseus__fail(err, PERSEUS_BUSY, "there are %d streams of events, and no more are served",
				PERSEUS__EVENTS_MAX_STREAMS);
	}
	*out = &subscriber->base;
	return PERSEUS_OK;
}

struct perseus__streams *
perseus__events_streams(struct perseus__events *events)
{
	return &events->base;
}

int32_t
perseus__events_n_streams(struct perseus__events *events)
{
	perseus__streams_lock(&events->base);
	const int32_t n = events->base.n;
	perseus__streams_unlock(&events->base);
	return n;
}
