/* The power of one device as streams see it: polled while there are subscribers. Part of stream.h's module. */
#ifndef PERSEUS_AGENT_TOPIC_H
#define PERSEUS_AGENT_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/cpu_power.h"
#include "agent/front.h"
#include "agent/stream.h"

/* All but the first three fields are guarded by the streams' lock. */
struct perseus__topic {
	struct perseus__power_streams *streams;
	bool is_gpu;
	int32_t position;
	int32_t n_subscribers;
	bool is_polled;   /* there is a task */
	uint64_t version; /* of the value, ascending over all topics; 0: there is none yet */
	int64_t time_ms;
	int64_t power_mw;              /* of a GPU */
	struct perseus__cpu_power cpu; /* of a CPU */
	bool has_before;
	struct perseus__cpu_energy before;
};

struct perseus__power_streams {
	struct perseus__streams base;
	struct perseus__front *front;
	uint64_t n_versions;
	struct perseus__topic gpus[PERSEUS__MAX_GPUS];
	struct perseus__topic cpus[PERSEUS__MAX_CPUS];
};

/* With the lock. BUSY where there is no room for polling. */
PERSEUS_MUST_USE enum perseus_status perseus__topic_subscribe(struct perseus__topic *topic, struct perseus_error *err);
void perseus__topic_unsubscribe(struct perseus__topic *topic);

/* Adds an event with the topic's value, or with those of several topics of one kind. With the lock. */
void perseus__topic_write_event(const struct perseus__topic *topic, struct perseus__text *text);
void perseus__topic_write_snapshot(const struct perseus__topic *const *topics, int32_t n, struct perseus__text *text);

#endif
