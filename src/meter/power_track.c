/* The integral of power over time. */
#include "meter/power_track.h"

/* Drivers count in whole mW, cut off. */
static const double resolution_w = 1e-3;
/* "Of late" is one to two times this many lags. */
static const int64_t epoch_lags = 10;

static double
seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

struct perseus__power_track
perseus__power_track_init(int64_t lag_ns)
{
	return (struct perseus__power_track){.lag_ns = lag_ns};
}

static double
larger(double a, double b)
{
	return a > b ? a : b;
}

static void
keep(struct perseus__power_track *track)
{
	track->points[track->n_points++ % PERSEUS__POWER_POINTS] = track->now;
}

static const struct perseus__power_point *
newest(const struct perseus__power_track *track)
{
	return &track->points[(track->n_points - 1) % PERSEUS__POWER_POINTS];
}

/* What two readings leave open of the power between them, in W. */
static double
open_w(struct perseus__power_track *track, int64_t at_ns, double change_w)
{
	if (track->lag_ns == 0)
		return change_w / 2;
	if (at_ns - track->epoch_ns > epoch_lags * track->lag_ns) {
		track->past_change_w = track->change_w;
		track->change_w = 0;
		track->epoch_ns = at_ns;
	}
	track->change_w = larger(track->change_w, change_w);
	return larger(track->change_w, track->past_change_w);
}

void
perseus__power_add(struct perseus__power_track *track, int64_t at_ns, int64_t power_mw)
{
	if (!track->is_known) {
		track->is_known = true;
		track->n_gaps++;
		track->n_points = 0;
		track->now.at_ns = at_ns;
		track->power_mw = power_mw;
		track->epoch_ns = at_ns;
		track->change_w = track->past_change_w = 0;
		keep(track);
		return;
	}
	if (at_ns <= track->now.at_ns)
		return;
	const double time_s = seconds(at_ns - track->now.at_ns);
	const double change_w = (double)(power_mw - track->power_mw) / 1e3;
	const double mean_w = (double)(power_mw + track->power_mw) / 2e3;
	track->now.at_ns = at_ns;
	track->now.energy_j += mean_w * time_s;
	track->now.open_j += (open_w(track, at_ns, change_w < 0 ? -change_w : change_w) + resolution_w) * time_s;
	track->power_mw = power_mw;
	if (at_ns - newest(track)->at_ns >= PERSEUS__POWER_SPACING_NS)
		keep(track);
}

void
perseus__power_lose(struct perseus__power_track *track)
{
	track->is_known = false;
}

/* The kept point at or before a moment, and in `*next` the one after it; NULL where the ring does not reach back. */
static const struct perseus__power_point *
point_before(const struct perseus__power_track *track, int64_t at_ns, const struct perseus__power_point **next)
{
	const size_t n = track->n_points < PERSEUS__POWER_POINTS ? track->n_points : PERSEUS__POWER_POINTS;
	*next = &track->now;
	for (size_t i = 1; i <= n; i++) {
		const struct perseus__power_point *point = &track->points[(track->n_points - i) % PERSEUS__POWER_POINTS];
		if (point->at_ns <= at_ns)
			return point;
		*next = point;
	}
	return NULL;
}

bool
perseus__power_at(const struct perseus__power_track *track, int64_t at_ns, struct perseus__power_point *point)
{
	if (!track->is_known)
		return false;
	if (at_ns >= track->now.at_ns) {
		const double time_s = seconds(at_ns - track->now.at_ns);
		*point = track->now;
		point->at_ns = at_ns;
		point->energy_j += (double)track->power_mw / 1e3 * time_s;
		point->open_j += resolution_w * time_s;
		return true;
	}
	const struct perseus__power_point *next;
	const struct perseus__power_point *before = point_before(track, at_ns, &next);
	if (!before)
		return false;
	/* A point kept last may be the last reading itself: then the moment is not before it, see above. */
	const double share = (double)(at_ns - before->at_ns) / (double)(next->at_ns - before->at_ns);
	point->at_ns = at_ns;
	point->energy_j = before->energy_j + share * (next->energy_j - before->energy_j);
	point->open_j = before->open_j + share * (next->open_j - before->open_j);
	return true;
}
