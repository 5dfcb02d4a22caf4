/* Spans of instructions and changes of the clock, and what they sum up to. */
#include "client/timeline.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

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

void
perseus__class_times_fini(struct perseus__class_times *times)
{
	perseus__free(times->items);
	*times = (struct perseus__class_times){.n = 0};
}

enum perseus_status
perseus__timeline_init(struct perseus__timeline *timeline, struct perseus_error *err)
{
	struct perseus__span *spans = perseus__new_array(PERSEUS__TIMELINE_SPANS, sizeof *spans);
	if (!spans)
		return perseus__no_memory(err);
	*timeline = (struct perseus__timeline){.spans = spans, .n_changes = 1, .complete_ns = -1};
	timeline->changes[0] = (struct perseus__clock_change){.from_ns = INT64_MIN, .until_ns = INT64_MIN};
	return PERSEUS_OK;
}

void
perseus__timeline_fini(struct perseus__timeline *timeline)
{
	perseus__free(timeline->spans);
	timeline->spans = NULL;
}

void
perseus__timeline_change(struct perseus__timeline *timeline, const struct perseus__clock_change *change)
{
	timeline->changes[timeline->n_changes++ % PERSEUS__TIMELINE_CHANGES] = *change;
}

void
perseus__timeline_add(struct perseus__timeline *timeline, const struct perseus__span *span)
{
	if (timeline->n_spans == PERSEUS__TIMELINE_SPANS) {
		/* No window came for long: the older half is of no use any more. */
		const int32_t n = timeline->n_spans / 2;
		timeline->complete_ns = timeline->spans[n - 1].end_ns;
		memmove(timeline->spans, timeline->spans + n, (size_t)(timeline->n_spans - n) * sizeof *timeline->spans);
		timeline->n_spans -= n;
	}
	timeline->spans[timeline->n_spans++] = *span;
}

/* A piece of time in which the clock was one, or unsettled. */
struct piece {
	int64_t begin_ns;
	int64_t end_ns;
	int32_t frequency_mhz;
	bool is_settled;
	double spread; /* where not: how far the clocks that it may have been are apart, as distance() */
};

/* How much the time of an instruction may differ between two clocks, as a part of it; 0 MHz is a clock not known. */
static double
distance(int32_t mhz, int32_t other_mhz)
{
	if (mhz == other_mhz)
		return 0;
	if (mhz == 0 || other_mhz == 0)
		return 1;
	const int32_t lower_mhz = mhz < other_mhz ? mhz : other_mhz;
	return (double)(mhz > other_mhz ? mhz - other_mhz : other_mhz - mhz) / lower_mhz;
}

static double
spread_of(const struct perseus__timeline *timeline, int64_t change, int64_t oldest)
{
	const struct perseus__clock_change *at = &timeline->changes[change % PERSEUS__TIMELINE_CHANGES];
	const struct perseus__clock_change *before = &timeline->changes[(change - 1) % PERSEUS__TIMELINE_CHANGES];
	if (change <= oldest || at->is_unknown || before->is_unknown || before->until_ns > at->from_ns)
		return 1;
	return distance(at->frequency_mhz, before->frequency_mhz);
}

/*
 * The last piece of [begin_ns, end_ns], looking back from change number `*change`, which becomes the one to go on with.
 * The time between a change's moments is unsettled; so is all before the oldest change that is kept.
 */
static struct piece
last_piece(const struct perseus__timeline *timeline, int64_t begin_ns, int64_t end_ns, int64_t *change)
{
	const int64_t oldest = larger(0, timeline->n_changes - PERSEUS__TIMELINE_CHANGES);
	while (*change >= oldest) {
		const struct perseus__clock_change *at = &timeline->changes[*change % PERSEUS__TIMELINE_CHANGES];
		if (at->until_ns < end_ns)
			return (struct piece){.begin_ns = larger(begin_ns, at->until_ns),
				.end_ns = end_ns,
				.frequency_mhz = at->frequency_mhz,
				.is_settled = !at->is_unknown,
				.spread = 1};
		if (at->from_ns < end_ns) {
			const struct piece piece = {.begin_ns = larger(begin_ns, at->from_ns),
				.end_ns = end_ns,
				.spread = spread_of(timeline, *change, oldest)};
			--*change;
			return piece;
		}
		--*change;
	}
	return (struct piece){.begin_ns = begin_ns, .end_ns = end_ns, .spread = 1};
}

bool
perseus__timeline_clock(const struct perseus__timeline *timeline, const struct perseus__span *span, int32_t *mhz)
{
	int64_t change = timeline->n_changes - 1;
	struct piece longest = {.begin_ns = 0, .end_ns = -1};
	double open_ns = 0; /* that other clocks may have made of it */
	int64_t end_ns = span->end_ns;
	while (end_ns > span->begin_ns) {
		struct piece piece = last_piece(timeline, span->begin_ns, end_ns, &change);
		end_ns = piece.begin_ns;
		if (piece.is_settled && piece.end_ns - piece.begin_ns > longest.end_ns - longest.begin_ns) {
			const struct piece shorter = longest;
			longest = piece;
			piece = shorter;
		}
		const double time_ns = (double)larger(0, piece.end_ns - piece.begin_ns);
		open_ns += time_ns * (piece.is_settled ? distance(piece.frequency_mhz, longest.frequency_mhz) : piece.spread);
	}
	*mhz = longest.frequency_mhz;
	return longest.is_settled && open_ns <= PERSEUS__SETTLED_SHARE * (double)(span->end_ns - span->begin_ns);
}

static struct perseus__class_time *
find(struct perseus__class_times *times, int32_t stage, enum perseus_kind kind, int32_t mhz)
{
	for (int32_t i = 0; i < times->n; i++) {
		struct perseus__class_time *item = &times->items[i];
		if (item->stage == stage && item->kind == kind && item->frequency_mhz == mhz)
			return item;
	}
	if (!perseus__reserve(&times->items, &times->capacity, (size_t)times->n + 1, sizeof *times->items) || !times->items)
		return NULL;
	times->items[times->n] = (struct perseus__class_time){.stage = stage, .kind = kind, .frequency_mhz = mhz};
	return &times->items[times->n++];
}

enum perseus_status
perseus__class_times_add(struct perseus__class_times *times, const struct perseus__span *span, int32_t mhz,
		int64_t time_ns, struct perseus_error *err)
{
	struct perseus__class_time *item = find(times, span->stage, span->kind, mhz);
	if (!item)
		return perseus__no_memory(err);
	/* Welford: no difference of large sums. */
	const double off_ns = (double)time_ns - item->mean_ns;
	item->n++;
	item->time_ns += time_ns;
	item->mean_ns += off_ns / item->n;
	item->square_ns += off_ns * ((double)time_ns - item->mean_ns);
	return PERSEUS_OK;
}

/* Adds what of `span` lies in the window; false without memory. */
static bool
add_busy(const struct perseus__timeline *timeline, const struct perseus__span *span, struct perseus__class_times *busy,
		int64_t *unsettled_ns)
{
	int64_t change = timeline->n_changes - 1;
	int64_t end_ns = span->end_ns;
	while (end_ns > span->begin_ns) {
		const struct piece piece = last_piece(timeline, span->begin_ns, end_ns, &change);
		if (span->is_unknown || !piece.is_settled)
			*unsettled_ns += piece.end_ns - piece.begin_ns;
		else if (perseus__class_times_add(busy, span, piece.frequency_mhz, piece.end_ns - piece.begin_ns, NULL)
				!= PERSEUS_OK)
			return false;
		end_ns = piece.begin_ns;
	}
	return true;
}

bool
perseus__timeline_window(struct perseus__timeline *timeline, int64_t begin_ns, int64_t end_ns,
		const struct perseus__span *running, struct perseus__class_times *busy, int64_t *unsettled_ns)
{
	bool is_known = begin_ns >= timeline->complete_ns;
	int32_t n_over = 0;
	*unsettled_ns = 0;
	for (int32_t i = 0; i <= timeline->n_spans && is_known; i++) {
		const struct perseus__span *span = i < timeline->n_spans ? &timeline->spans[i] : running;
		if (!span || span->begin_ns >= end_ns)
			continue;
		struct perseus__span part = *span;
		part.begin_ns = larger(span->begin_ns, begin_ns);
		part.end_ns = smaller(span->end_ns, end_ns);
		is_known = add_busy(timeline, &part, busy, unsettled_ns);
	}
	if (!timeline->spans)
		return is_known; /* there has been none yet */
	while (n_over < timeline->n_spans && timeline->spans[n_over].end_ns <= end_ns)
		n_over++;
	timeline->n_spans -= n_over;
	memmove(timeline->spans, timeline->spans + n_over, (size_t)timeline->n_spans * sizeof *timeline->spans);
	return is_known;
}
