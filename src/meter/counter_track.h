/*
 * Readings of one device's energy counter: which value it had at which moment.
 *
 * A GPU's counter moves only every 100 ms or so, and reading it may take milliseconds. What is needed is the moment of
 * a step, as only there the counter is the energy so far. So the track watches a counter until it has seen two steps in
 * a row; where these are as far apart as documented it knows when others will come and says when to read: shortly after
 * one, and now and then before and after it, which shows that it came in between. Steps that come otherwise are only
 * known to lie between two readings. docs/metering.md has it in words for users.
 */
#ifndef PERSEUS_METER_COUNTER_TRACK_H
#define PERSEUS_METER_COUNTER_TRACK_H

#include "meter/power_track.h"

#include <stdbool.h>
#include <stdint.h>

/* A counter that moves at least this often is as good as continuous: nobody looks for its steps. */
#define PERSEUS__FINE_STEP_NS INT64_C(5000000)

/*
 * Once it is known when a counter steps, nothing is lost by reading it somewhat later: at a multiple of this, so that
 * the meter's thread wakes once for several counters, or for a sample, too.
 */
#define PERSEUS__METER_GRAIN_NS INT64_C(50000000)

/* The last step seen: the counter showed this value, and its step came at `at_ns` +- `doubt_ns`. */
struct perseus__anchor {
	int64_t counter_uj;
	int64_t at_ns;
	int64_t doubt_ns;
	int64_t n_gaps;  /* while the power track has as many, power has been known all the time since */
	bool has_power;  /* in all of the doubt, too; then: */
	double energy_j; /* the integral of power in the middle of the doubt; taken off a later one, the energy since */
	double open_j;   /* taken off a later one, what that energy leaves open, the doubt included */
};

/* What is known of when steps come. */
enum perseus__step_rhythm {
	PERSEUS__RHYTHM_SOUGHT,  /* the counter is watched until it has stepped twice */
	PERSEUS__RHYTHM_REGULAR, /* the next step is expected at next_ns */
	PERSEUS__RHYTHM_NONE,    /* not as documented, too often; or it steps so often that there is no need to know */
};

struct perseus__counter_track {
	int64_t step_ns; /* as documented; 0: unknown */
	bool is_known;   /* the last reading succeeded */
	bool was_read;
	int64_t value_uj;
	int64_t before_ns; /* the last reading began */
	int64_t after_ns;  /* and ended */
	int64_t lost_ns;   /* the last reading that failed */
	int64_t read_ns;   /* what a reading takes, evened out */

	int64_t n_steps; /* seen; between two moments with the same the counter did not move, as far as is known */
	struct perseus__anchor anchor;
	int64_t oldest_ns;       /* a step is no older than that when the next comes */
	int64_t era;             /* a difference between two moments with different ones says nothing */
	const char *break_words; /* why the last era ended; "" for the first */
	bool is_stuck;

	enum perseus__step_rhythm rhythm;
	int64_t watch_end_ns; /* SOUGHT: until then */
	bool has_first;       /* SOUGHT: one step has been seen */
	int64_t first_ns;
	int64_t first_doubt_ns;
	int64_t next_ns;       /* REGULAR */
	int64_t doubt_ns;      /* REGULAR: half of the time in which the last step that was confirmed came */
	int32_t n_unconfirmed; /* REGULAR: readings since then */
	int32_t n_misses;      /* steps that did not come as expected, less those that did */
};

struct perseus__counter_track perseus__counter_track_init(int64_t step_ns);

/* Whether readings are placed around the steps, as perseus__counter_next says, and not taken with each sample. */
bool perseus__counter_is_stepped(const struct perseus__counter_track *track);

/*
 * Takes a reading that began at `before_ns` and ended at `after_ns`; `power` has been read at its end already. A
 * reading that began before the last one ended changes nothing.
 */
void perseus__counter_add(struct perseus__counter_track *track, const struct perseus__power_track *power,
		int64_t before_ns, int64_t after_ns, int64_t value_uj);

/* The counter could not be read at `at_ns`. */
void perseus__counter_lose(struct perseus__counter_track *track, int64_t at_ns);

/* When to read a stepped counter next, about once every `period_ns`; it may be past. */
int64_t perseus__counter_next(const struct perseus__counter_track *track, int64_t period_ns);

#endif
