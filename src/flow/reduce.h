/* Reduction of an event graph by merging events that may always happen together. */
#ifndef PERSEUS_FLOW_REDUCE_H
#define PERSEUS_FLOW_REDUCE_H

#include <stdint.h>

#include <perseus/status.h>

/* A directed pair of events. */
struct perseus__pair {
	int32_t tail;
	int32_t head;
};

/*
 * An event graph while it is reduced. `activities` never vanish; `precedences` (length 0) are dropped and merged.
 * Both are rewritten in place to merged events, whose numbers are still those of the original range.
 */
struct perseus__event_graph {
	int32_t n_events;
	int32_t source;
	int32_t sink;
	int32_t n_activities;
	int32_t n_precedences;
	struct perseus__pair *activities;
	struct perseus__pair *precedences;
};

/* Merges until nothing changes. Errors: NO_MEMORY, the graph is then undefined. */
PERSEUS_MUST_USE enum perseus_status perseus__reduce(struct perseus__event_graph *graph, struct perseus_error *err);

#endif
