/* When an energy counter steps, and what it showed then. */
#include "meter/counter_track.h"

/*
 * How far from a whole number of steps two steps may be apart, and how fast the regular may drift off what is
 * documented: one part in DRIFT. On an H100 (driver 580) counters stepped every 100.02 ms, and single steps, as far as
 * readings of 3 to 4 ms can tell, within 3 ms of that: docs/metering.md.
 */
#define JITTER_NS INT64_C(3000000)
enum { DRIFT = 2000 };
/* The narrowest pair of readings around a step, either side. */
#define AIM_NS INT64_C(2000000)
/* Readings follow one another at this pace while a counter is watched. */
#define WATCH_NS INT64_C(1000000)
/* How long a counter that does not say how often it moves may stand still. */
#define UNKNOWN_STEP_NS INT64_C(1000000000)
enum { CONFIRM_EVERY = 20, MAX_MISSES = 4, STUCK_STEPS = 5 };
/* A counter in whole mJ moves a hundred times in this energy. */
static const double stuck_j = 0.1;

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

bool
perseus__counter_is_stepped(const struct perseus__counter_track *track)
{
	return track->step_ns > PERSEUS__FINE_STEP_NS;
}

struct perseus__counter_track
perseus__counter_track_init(int64_t step_ns)
{
	struct perseus__counter_track track = {.step_ns = step_ns, .break_words = "", .rhythm = PERSEUS__RHYTHM_NONE};
	track.oldest_ns = step_ns > 0 ? step_ns + step_ns / 16 : INT64_MAX;
	return track;
}

/* Half of the distance between the two readings that confirm a step, but for the time that they take. */
static int64_t
aim_ns(const struct perseus__counter_track *track)
{
	return larger(AIM_NS, track->doubt_ns / 2);
}

static bool
wants_pair(const struct perseus__counter_track *track)
{
	return track->n_unconfirmed >= CONFIRM_EVERY || track->doubt_ns > larger(2 * AIM_NS, 3 * track->read_ns);
}

/* How far from the expected moment the step after `n` others may come. */
static int64_t
reach_ns(const struct perseus__counter_track *track, int64_t n)
{
	return track->doubt_ns + JITTER_NS + (n + 1) * track->step_ns / DRIFT;
}

/* When to look whether the step after `n` others has come. */
static int64_t
look_ns(const struct perseus__counter_track *track, int64_t n)
{
	const int64_t margin_ns = wants_pair(track) ? aim_ns(track) : reach_ns(track, n);
	return track->next_ns + n * track->step_ns + margin_ns;
}

static void
watch(struct perseus__counter_track *track, int64_t now_ns)
{
	track->rhythm = PERSEUS__RHYTHM_SOUGHT;
	track->watch_end_ns = now_ns + 2 * track->step_ns;
	track->has_first = false;
}

/* Steps come as they like. `oldest_ns`: how far apart they are at most, INT64_MAX where nothing is known. */
static void
give_up(struct perseus__counter_track *track, int64_t oldest_ns)
{
	track->rhythm = PERSEUS__RHYTHM_NONE;
	track->oldest_ns = oldest_ns;
}

/* A step came while the counter was watched. */
static void
see(struct perseus__counter_track *track, int64_t low_ns, int64_t high_ns)
{
	const int64_t at_ns = low_ns + (high_ns - low_ns) / 2;
	const int64_t doubt_ns = (high_ns - low_ns) / 2;
	if (!track->has_first) {
		track->has_first = true;
		track->first_ns = at_ns;
		track->first_doubt_ns = doubt_ns;
		track->watch_end_ns = high_ns + 2 * track->step_ns;
		return;
	}
	const int64_t apart_ns = at_ns - track->first_ns;
	const int64_t slack_ns = track->first_doubt_ns + doubt_ns + 2 * JITTER_NS + track->step_ns / DRIFT;
	if (apart_ns < track->step_ns - slack_ns) {
		give_up(track, apart_ns + slack_ns);
	} else if (apart_ns > track->step_ns + slack_ns) {
		give_up(track, INT64_MAX);
	} else {
		track->rhythm = PERSEUS__RHYTHM_REGULAR;
		track->next_ns = at_ns + track->step_ns;
		track->doubt_ns = doubt_ns;
		track->n_unconfirmed = 0;
	}
}

/* A step was not where it was expected: the counter is watched again, unless that has happened too often. */
static void
miss(struct perseus__counter_track *track, int64_t now_ns)
{
	if (++track->n_misses < MAX_MISSES)
		watch(track, now_ns);
	else
		give_up(track, INT64_MAX);
}

/* Narrows the time in which the last step came by when it was expected, and expects the next. */
static void
expect(struct perseus__counter_track *track, int64_t *low_ns, int64_t *high_ns)
{
	const int64_t beyond_ns = *high_ns + track->doubt_ns - track->next_ns;
	const int64_t n = beyond_ns > 0 ? beyond_ns / track->step_ns : 0;
	const int64_t reach = reach_ns(track, n);
	const int64_t expected_ns = track->next_ns + n * track->step_ns;
	const int64_t low = larger(*low_ns, expected_ns - reach);
	const int64_t high = smaller(*high_ns, expected_ns + reach);
	if (low >= high) {
		miss(track, *high_ns);
		return;
	}
	const int64_t width_ns = *high_ns - *low_ns;
	if (n > 0 && *high_ns < expected_ns + reach) {
		/* It was this one or the one before. */
		track->next_ns = expected_ns;
		track->n_unconfirmed++;
		*low_ns = larger(*low_ns, low - track->step_ns);
		return;
	}
	if (width_ns < track->step_ns / 2) {
		/* Two readings caught it, whatever was expected. */
		track->next_ns = *low_ns + width_ns / 2 + track->step_ns;
		track->doubt_ns = width_ns / 2;
		track->n_unconfirmed = 0;
		track->n_misses = track->n_misses > 0 ? track->n_misses - 1 : 0;
	} else {
		track->next_ns = low + (high - low) / 2 + track->step_ns;
		track->doubt_ns = larger(0, (high - low) / 2 - JITTER_NS);
		track->n_unconfirmed++;
	}
	*low_ns = low;
	*high_ns = high;
}

/* The counter made its last step after `low_ns` and by `high_ns`, and showed its value from then on. */
static void
drop_anchor(
		struct perseus__counter_track *track, const struct perseus__power_track *power, int64_t low_ns, int64_t high_ns)
{
	struct perseus__anchor *anchor = &track->anchor;
	*anchor = (struct perseus__anchor){.counter_uj = track->value_uj,
		.at_ns = low_ns + (high_ns - low_ns) / 2,
		.doubt_ns = (high_ns - low_ns + 1) / 2,
		.n_gaps = -1};
	track->n_steps++;
	struct perseus__power_point low, high;
	if (!perseus__power_at(power, high_ns, &high))
		return;
	anchor->n_gaps = power->n_gaps;
	anchor->energy_j = high.energy_j;
	anchor->has_power = perseus__power_at(power, low_ns, &low);
	if (!anchor->has_power)
		return;
	anchor->energy_j = (low.energy_j + high.energy_j) / 2;
	anchor->open_j = low.open_j - (high.energy_j - low.energy_j) / 2;
}

static void
begin_era(struct perseus__counter_track *track, const char *words)
{
	track->era++;
	track->break_words = words;
}

static bool
is_too_long_still(const struct perseus__counter_track *track, const struct perseus__power_track *power, int64_t now_ns)
{
	const struct perseus__anchor *anchor = &track->anchor;
	const int64_t patience_ns = STUCK_STEPS * (track->step_ns ? track->step_ns : UNKNOWN_STEP_NS);
	return now_ns - anchor->at_ns >= patience_ns && power->is_known && anchor->n_gaps == power->n_gaps
			&& power->now.energy_j - anchor->energy_j >= stuck_j;
}

/* The counter did not move since the last reading. */
static void
stand_still(struct perseus__counter_track *track, const struct perseus__power_track *power, int64_t before_ns)
{
	const int64_t latest_ns = track->next_ns + reach_ns(track, 0);
	if (track->rhythm == PERSEUS__RHYTHM_SOUGHT && before_ns >= track->watch_end_ns) {
		give_up(track, INT64_MAX);
	} else if (track->rhythm == PERSEUS__RHYTHM_REGULAR && before_ns >= latest_ns) {
		miss(track, before_ns);
	} else if (track->rhythm == PERSEUS__RHYTHM_REGULAR && before_ns >= look_ns(track, 0)) {
		/* The second reading of a pair came before the step: another catches it. */
		track->doubt_ns = (latest_ns - before_ns) / 2;
		track->next_ns = before_ns + track->doubt_ns;
		track->n_unconfirmed = CONFIRM_EVERY;
	}
	if (!track->is_stuck && is_too_long_still(track, power, before_ns)) {
		track->is_stuck = true;
		begin_era(track, "stood still while power was drawn");
	}
}

static void
move(struct perseus__counter_track *track, const struct perseus__power_track *power, int64_t after_ns)
{
	int64_t high_ns = after_ns;
	int64_t low_ns = track->before_ns;
	if (track->oldest_ns < after_ns - low_ns)
		low_ns = after_ns - track->oldest_ns;
	if (track->is_stuck) {
		track->is_stuck = false;
		track->n_misses = 0;
		begin_era(track, track->break_words);
		if (perseus__counter_is_stepped(track))
			watch(track, after_ns);
	}
	switch (track->rhythm) {
	case PERSEUS__RHYTHM_SOUGHT:
		see(track, low_ns, high_ns);
		break;
	case PERSEUS__RHYTHM_REGULAR:
		expect(track, &low_ns, &high_ns);
		break;
	case PERSEUS__RHYTHM_NONE:
		break;
	}
	drop_anchor(track, power, low_ns, high_ns);
}

/* The first reading, or the first of a counter that began anew: its last step is no older than one step. */
static void
restart(struct perseus__counter_track *track, const struct perseus__power_track *power, int64_t after_ns)
{
	if (perseus__counter_is_stepped(track))
		watch(track, after_ns);
	track->is_stuck = false;
	drop_anchor(track, power, after_ns - track->step_ns, after_ns);
}

void
perseus__counter_add(struct perseus__counter_track *track, const struct perseus__power_track *power, int64_t before_ns,
		int64_t after_ns, int64_t value_uj)
{
	if (track->was_read && before_ns < track->after_ns)
		return;
	const bool is_first = !track->was_read;
	const int64_t last_uj = track->value_uj;
	track->was_read = true;
	track->is_known = true;
	track->value_uj = value_uj;
	track->read_ns = is_first ? after_ns - before_ns : (3 * track->read_ns + after_ns - before_ns) / 4;
	if (!is_first && value_uj < last_uj)
		begin_era(track, "went back, as when a driver is loaded anew");
	if (is_first || value_uj < last_uj)
		restart(track, power, after_ns);
	else if (value_uj == last_uj)
		stand_still(track, power, before_ns);
	else
		move(track, power, after_ns);
	track->before_ns = before_ns;
	track->after_ns = after_ns;
}

void
perseus__counter_lose(struct perseus__counter_track *track, int64_t at_ns)
{
	track->is_known = false;
	track->lost_ns = at_ns;
}

int64_t
perseus__counter_next(const struct perseus__counter_track *track, int64_t period_ns)
{
	if (!track->is_known)
		return track->lost_ns + period_ns;
	switch (track->rhythm) {
	case PERSEUS__RHYTHM_SOUGHT:
		return track->after_ns + WATCH_NS;
	case PERSEUS__RHYTHM_NONE:
		return track->after_ns + period_ns;
	case PERSEUS__RHYTHM_REGULAR:
		break;
	}
	if (wants_pair(track)) {
		/* A reading before the step proves that it had not come; where it is too late for one, it is left out. */
		const int64_t before_ns = track->next_ns - aim_ns(track) - track->read_ns;
		return track->before_ns < before_ns ? before_ns : look_ns(track, 0);
	}
	const int64_t n = (period_ns - track->step_ns / 2) / track->step_ns;
	return (look_ns(track, n > 0 ? n : 0) / PERSEUS__METER_GRAIN_NS + 1) * PERSEUS__METER_GRAIN_NS;
}
