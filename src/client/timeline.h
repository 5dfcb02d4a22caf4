/*
 * What the GPU did when, and at which clock: spans of instructions and changes of the clock, made into the times of
 * classes in a step and the busy times of a window of the energy counter. Pure.
 *
 * A change of the clock that is asked for at t takes effect somewhere in [t + low, t + high], the bounds of the switch
 * latency as far as it was measured. In between the clock is unsettled.
 */
#ifndef PERSEUS_CLIENT_TIMELINE_H
#define PERSEUS_CLIENT_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/schedule.h>
#include <perseus/status.h>

/*
 * An instruction counts for its class where another clock than its own, or an unsettled one, cannot have changed its
 * time by more than this part of it.
 */
#define PERSEUS__SETTLED_SHARE 0.005
enum { PERSEUS__TIMELINE_CHANGES = 256, PERSEUS__TIMELINE_SPANS = 1 << 15 };

/* Instructions of one class that ran at one clock. */
struct perseus__class_time {
	int32_t stage;
	enum perseus_kind kind;
	int32_t frequency_mhz; /* 0: free */
	int32_t n;
	int64_t time_ns; /* of all */
	double mean_ns;
	double square_ns; /* sum of the squares of their distances from the mean */
};

/* Grows at its end. */
struct perseus__class_times {
	int32_t n;
	size_t capacity;
	struct perseus__class_time *items; /* owned */
};

void perseus__class_times_fini(struct perseus__class_times *times);

/* From `from_ns` on the clock may be the new one, from `until_ns` on it is. */
struct perseus__clock_change {
	int64_t from_ns;
	int64_t until_ns;
	int32_t frequency_mhz;
	bool is_unknown; /* nobody knows the clock: a request failed */
};

struct perseus__span {
	int64_t begin_ns;
	int64_t end_ns;
	int32_t stage;
	enum perseus_kind kind;
	bool is_unknown; /* nobody told what ran */
};

struct perseus__timeline {
	struct perseus__clock_change changes[PERSEUS__TIMELINE_CHANGES]; /* a ring */
	int64_t n_changes;                                               /* ever */
	struct perseus__span *spans;                                     /* ascending; owned */
	int32_t n_spans;
	int64_t complete_ns; /* windows that end before it have lost nothing: -1: no span was ever dropped */
};

/* A timeline whose clock is free. NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__timeline_init(
		struct perseus__timeline *timeline, struct perseus_error *err);
void perseus__timeline_fini(struct perseus__timeline *timeline);

/*
 * A clock (0: free) that was asked for takes effect between these moments, which do not go back. With `is_unknown` it
 * is not known from then on.
 */
void perseus__timeline_change(struct perseus__timeline *timeline, const struct perseus__clock_change *change);

/* An instruction ran; or nobody knows what. Spans ascend and do not overlap. */
void perseus__timeline_add(struct perseus__timeline *timeline, const struct perseus__span *span);

/*
 * The clock that an instruction ran at; false where it was not settled. Ask soon: changes are kept for a while only.
 */
bool perseus__timeline_clock(const struct perseus__timeline *timeline, const struct perseus__span *span, int32_t *mhz);

/* Adds the instruction, which ran at `mhz`, to `times`. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__class_times_add(struct perseus__class_times *times,
		const struct perseus__span *span, int32_t mhz, int64_t time_ns, struct perseus_error *err);

/*
 * The busy times of [begin_ns, end_ns], added to empty `busy`; `running` (may be NULL) is an instruction that has not
 * ended yet. `*unsettled_ns`: what ran at a clock, or was something, that is not known. Spans that end by `end_ns` are
 * forgotten: windows ascend. False where the window has lost spans, or there is no memory: nothing is known of it.
 */
bool perseus__timeline_window(struct perseus__timeline *timeline, int64_t begin_ns, int64_t end_ns,
		const struct perseus__span *running, struct perseus__class_times *busy, int64_t *unsettled_ns);

#endif
