/*
 * Readings of one device's power and their integral over time. Between two readings power is taken to lie between the
 * two values read: the integral takes the middle, and half the difference is left open. Where a driver refreshes its
 * value only now and then, a change may be under way that does not show: there as much is left open as power changed
 * of late.
 */
#ifndef PERSEUS_METER_POWER_TRACK_H
#define PERSEUS_METER_POWER_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Readings closer together than this are not kept apart for later. */
#define PERSEUS__POWER_SPACING_NS INT64_C(1000000)
enum { PERSEUS__POWER_POINTS = 256 };

/* The integral up to a moment, from an arbitrary origin. */
struct perseus__power_point {
	int64_t at_ns;
	double energy_j;
	double open_j; /* the true energy between two points differs by no more than the difference of these */
};

struct perseus__power_track {
	int64_t lag_ns; /* a reading may be as old as this; 0: it is of the moment */
	bool is_known;  /* the last reading succeeded */
	int64_t n_gaps; /* times that power came to be known; between two points with the same it was never lost */
	int64_t power_mw;
	/* With a lag: the largest change between two readings of late, since epoch_ns and in the epoch before. */
	double change_w;
	double past_change_w;
	int64_t epoch_ns;
	struct perseus__power_point now;                           /* at the last reading */
	struct perseus__power_point points[PERSEUS__POWER_POINTS]; /* a ring of points since the last gap */
	size_t n_points;                                           /* ever put into the ring */
};

struct perseus__power_track perseus__power_track_init(int64_t lag_ns);

/* Takes a reading. One that is older than the last one changes nothing. */
void perseus__power_add(struct perseus__power_track *track, int64_t at_ns, int64_t power_mw);

/* Power cannot be read any more. */
void perseus__power_lose(struct perseus__power_track *track);

/*
 * The integral up to `at_ns`, a moment since the last gap that the ring still covers; beyond the last reading power
 * goes on as it was. False for any other moment.
 */
bool perseus__power_at(const struct perseus__power_track *track, int64_t at_ns, struct perseus__power_point *point);

#endif
