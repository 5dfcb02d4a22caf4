/* What the job runs next: segments in batches, when a class stops, when the walk ends. */
#include "server/walk_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

enum {
	BASELINE_STEPS = 5, /* at the highest clock, of which the first are often slow */
	FREE_STEPS = 20,    /* where clocks cannot be set: all there is to do */
	MAX_PASSES = 8,
	/* A class stops when so many clocks below its best one are worse. */
	WORSE_CLOCKS = 2,
	/* However few windows a step brings, so many clocks are walked, if the GPU has them. */
	MIN_CLOCKS = 8,
	/* However late batches come, not more than this part of the budget is planned ahead. */
	LARGEST_LOOKAHEAD_PART = 4,
	/* This part of it is not planned for. */
	RESERVE_PART = 32,
};

/* By so many standard errors of the difference lower clocks must be worse. */
#define WORSE_ERRORS 2.0

/* Whether the class at `point` takes longer, and more effective energy, than at `best`, beyond doubt. */
static bool
is_worse(const struct perseus__walk *walk, const struct perseus__walk_class *class_,
		const struct perseus__walk_point *point, const struct perseus__walk_point *best)
{
	const struct perseus__walk_energy there = perseus__walk_energy(walk, class_, point);
	const struct perseus__walk_energy here = perseus__walk_energy(walk, class_, best);
	return point->time.mean_s - best->time.mean_s > WORSE_ERRORS * hypot(point->time.error_s, best->time.error_s)
			&& there.effective_j - here.effective_j > WORSE_ERRORS * hypot(there.error_j, here.error_j);
}

/* The clock of least effective energy; NULL where no energy is known. */
static const struct perseus__walk_point *
find_best(const struct perseus__walk *walk, const struct perseus__walk_class *class_)
{
	const struct perseus__walk_point *best = NULL;
	double least_j = (double)INFINITY;
	for (int32_t i = 0; i < class_->n_points; i++) {
		const struct perseus__walk_energy energy = perseus__walk_energy(walk, class_, &class_->points[i]);
		if (energy.effective_j < least_j) {
			least_j = energy.effective_j;
			best = &class_->points[i];
		}
	}
	return best;
}

/* Whether the class takes so long at its lowest clock that nobody would wait for it. */
static bool
is_too_slow(const struct perseus__walk *walk, const struct perseus__walk_class *class_)
{
	double shortest_s = (double)INFINITY;
	double longest_s = 0;
	for (int32_t i = 0; i < class_->n_points; i++) {
		shortest_s = fmin(shortest_s, class_->points[i].time.mean_s);
		longest_s = fmax(longest_s, class_->points[i].time.mean_s);
	}
	return longest_s >= walk->settings.largest_slowdown * shortest_s;
}

static bool
stops(const struct perseus__walk *walk, const struct perseus__walk_class *class_)
{
	if (is_too_slow(walk, class_))
		return true;
	const struct perseus__walk_point *best = find_best(walk, class_);
	int32_t n_worse = 0;
	for (int32_t i = 0; best && i < class_->n_points; i++)
		n_worse += class_->points[i].frequency_mhz < best->frequency_mhz
				&& is_worse(walk, class_, &class_->points[i], best);
	return n_worse >= WORSE_CLOCKS;
}

/* Effective energy of a position's step at a clock; NaN where some class was not measured there. */
static double
effective_of_position_j(const struct perseus__walk *walk, int32_t pp, int32_t mhz)
{
	double sum_j = 0;
	for (int32_t i = 0; i < walk->settings.n_classes; i++) {
		const struct perseus__walk_class *class_ = &walk->classes[i];
		if (class_->class_.pp != pp || class_->is_constant)
			continue;
		const struct perseus__walk_point *point = perseus__walk_find(class_, mhz);
		sum_j +=
				point ? class_->class_.n_per_step * perseus__walk_energy(walk, class_, point).effective_j : (double)NAN;
	}
	return sum_j;
}

/* All kinds of a GPU have one clock at a time, so that instructions are settled: it stops when all of them have. */
static void
stop_positions(struct perseus__walk *walk)
{
	for (int32_t pp = 0; pp < walk->settings.n_pp; pp++) {
		struct perseus__walk_position *position = &walk->positions[pp];
		bool have_all_stopped = true;
		for (int32_t i = 0; i < walk->settings.n_classes; i++) {
			struct perseus__walk_class *class_ = &walk->classes[i];
			if (class_->class_.pp != pp)
				continue;
			class_->has_stopped = class_->has_stopped || stops(walk, class_);
			have_all_stopped = have_all_stopped && class_->has_stopped;
		}
		if (position->has_stopped || !have_all_stopped)
			continue;
		position->has_stopped = true;
		double least_j = (double)INFINITY;
		for (int32_t i = 0; i < walk->n_clocks; i++) {
			const double effective_j = effective_of_position_j(walk, pp, walk->clocks_mhz[i]);
			if (effective_j < least_j) {
				least_j = effective_j;
				position->good_mhz = walk->clocks_mhz[i];
			}
		}
	}
}

static bool
have_all_stopped(const struct perseus__walk *walk)
{
	for (int32_t i = 0; i < walk->settings.n_pp; i++)
		if (!walk->positions[i].has_stopped)
			return false;
	return true;
}

/* Whether a segment at this clock is still to come or to be reported. */
static bool
is_ahead(const struct perseus__walk *walk, int32_t clock)
{
	for (int32_t i = walk->n_ended; i < walk->n_given; i++)
		if (walk->given[i].clock == clock)
			return true;
	return false;
}

/* Whether every class of the position has times at a clock, and windows came while it ran there. */
static bool
is_measured(const struct perseus__walk *walk, int32_t pp, int32_t mhz)
{
	int32_t n_classes = 0;
	int32_t n_windows = 0;
	for (int32_t i = 0; i < walk->settings.n_classes; i++) {
		const struct perseus__walk_class *class_ = &walk->classes[i];
		if (class_->class_.pp != pp || class_->is_constant)
			continue;
		const struct perseus__walk_point *point = perseus__walk_find(class_, mhz);
		if (!point || point->times.n == 0)
			return false;
		n_classes++;
		n_windows += point->n_windows;
	}
	const bool has_windows = walk->positions[pp].n_windows > 0;
	return n_classes == 0 || !has_windows || n_windows >= PERSEUS__WALK_WINDOWS_PER_CLOCK / 4;
}

/* Whether anything is to be learned of a position at a clock. */
static bool
is_wanted(const struct perseus__walk *walk, int32_t pp, int32_t mhz)
{
	if (walk->positions[pp].has_stopped && mhz < walk->positions[pp].good_mhz)
		return false;
	if (!is_measured(walk, pp, mhz))
		return true;
	for (int32_t i = 0; i < walk->settings.n_classes; i++)
		if (walk->classes[i].class_.pp == pp && perseus__walk_is_poor(walk, &walk->classes[i], mhz))
			return true;
	return false;
}

static bool
is_candidate(const struct perseus__walk *walk, int32_t clock)
{
	const int32_t mhz = walk->clocks_mhz[clock];
	for (int32_t pp = 0; pp < walk->settings.n_pp; pp++)
		if (walk->n_passes == 0 ? !is_measured(walk, pp, mhz) : is_wanted(walk, pp, mhz))
			return !is_ahead(walk, clock);
	return false;
}

/*
 * The first pass goes down through what is not measured, to where all positions stop. Those behind it go down again
 * through what it left out or left uncertain.
 */
static void
begin_pass(struct perseus__walk *walk)
{
	walk->n_candidates = 0;
	walk->next_candidate = 0;
	for (int32_t clock = 0; clock < walk->n_clocks; clock++)
		if (is_candidate(walk, clock))
			walk->candidates[walk->n_candidates++] = clock;
	walk->n_passes += walk->n_passes == 0 || walk->n_candidates > 0;
}

/* What may still be planned: the last segment runs on while its reports come in. */
static int32_t
budget_left(const struct perseus__walk *walk)
{
	const int32_t least = walk->settings.max_steps / RESERVE_PART;
	const int32_t reserve = walk->n_late > least ? walk->n_late : least;
	return walk->settings.max_steps - reserve - walk->n_steps_run - walk->n_steps_ahead;
}

/* Steps at a clock that bring as many windows as are wanted, as far as is known how many a step brings. */
static int32_t
steps_per_clock(const struct perseus__walk *walk)
{
	int64_t n_windows = INT64_MAX;
	for (int32_t i = 0; i < walk->settings.n_pp; i++)
		if (walk->positions[i].n_windows < n_windows)
			n_windows = walk->positions[i].n_windows;
	const int32_t least = walk->settings.min_steps_per_clock;
	if (n_windows == 0 || walk->n_steps_run == 0)
		return least;
	const int32_t share = walk->settings.max_steps / MIN_CLOCKS;
	const int32_t most = share > least ? share : least;
	const double wanted = ceil((double)PERSEUS__WALK_WINDOWS_PER_CLOCK * walk->n_steps_run / (double)n_windows);
	return wanted < least ? least : wanted > most ? most : (int32_t)wanted;
}

/* Takes the next clock of the pass, leaving out as many as the budget makes necessary; -1 where there is none. */
static int32_t
take_candidate(struct perseus__walk *walk, int32_t n_steps)
{
	const int64_t n_left = walk->n_candidates - walk->next_candidate;
	const int32_t left = budget_left(walk);
	if (n_left <= 0 || left <= 0)
		return -1;
	const int64_t stride = (n_left * n_steps + left - 1) / left;
	/* The highest clock is the baseline: it is never left out. */
	const int64_t skipped = walk->next_candidate == 0 ? 0 : stride - 1;
	const int32_t index = skipped < n_left ? walk->next_candidate + (int32_t)skipped : walk->n_candidates - 1;
	walk->next_candidate = index + 1;
	return walk->candidates[index];
}

static int32_t
steps_at(const struct perseus__walk *walk, int32_t clock, int32_t n_steps)
{
	if (!walk->is_settable)
		n_steps = n_steps > FREE_STEPS ? n_steps : FREE_STEPS;
	else if (clock == 0 && walk->n_passes == 1 && n_steps < BASELINE_STEPS)
		n_steps = BASELINE_STEPS;
	const int32_t left = budget_left(walk);
	return n_steps < left ? n_steps : left;
}

static void
fill_clocks(const struct perseus__walk *walk, int32_t clock, int32_t *class_mhz)
{
	for (int32_t i = 0; i < walk->settings.n_classes; i++) {
		const struct perseus__walk_class *class_ = &walk->classes[i];
		const struct perseus__walk_position *position = &walk->positions[class_->class_.pp];
		const int32_t mhz = walk->clocks_mhz[clock];
		class_mhz[i] = position->has_stopped && mhz < position->good_mhz ? position->good_mhz : mhz;
		if (class_->is_constant)
			class_mhz[i] = 0;
	}
}

/* Room for one more batch of at most `n` segments; NULL where there is no memory. */
static struct perseus__walk_batch *
make_batch(struct perseus__walk *walk, int32_t n)
{
	if (!perseus__reserve(&walk->batches, &walk->cap_batches, (size_t)walk->n_batches + 1, sizeof *walk->batches)
			|| !perseus__reserve(&walk->given, &walk->cap_given, (size_t)(walk->n_given + n), sizeof *walk->given))
		return NULL;
	struct perseus__walk_batch *batch = &walk->batches[walk->n_batches];
	*batch = (struct perseus__walk_batch){
		.segments = perseus__new_array((size_t)n, sizeof *batch->segments),
		.clocks_mhz = perseus__new_array((size_t)n * (size_t)walk->settings.n_classes, sizeof *batch->clocks_mhz),
	};
	if (!batch->segments || !batch->clocks_mhz) {
		perseus__free(batch->segments);
		perseus__free(batch->clocks_mhz);
		return NULL;
	}
	walk->n_batches++;
	return batch;
}

static void
append(struct perseus__walk *walk, struct perseus__walk_batch *batch, int32_t clock, int32_t n_steps)
{
	int32_t *class_mhz = batch->clocks_mhz + (size_t)batch->n * (size_t)walk->settings.n_classes;
	fill_clocks(walk, clock, class_mhz);
	batch->segments[batch->n++] = (struct perseus__walk_segment){
		.n_steps = n_steps,
		.class_mhz = class_mhz,
		.is_baseline = clock == 0 && walk->is_settable,
	};
	walk->given[walk->n_given++] = (struct perseus__walk_given){.n_steps = n_steps, .clock = clock};
	walk->n_steps_ahead += n_steps;
}

static void
fill_batch(struct perseus__walk *walk, struct perseus__walk_batch *batch)
{
	const int32_t wanted = steps_per_clock(walk);
	int32_t n_steps = 0;
	while (n_steps < walk->n_lookahead) {
		const int32_t clock = take_candidate(walk, wanted);
		if (clock < 0)
			break;
		const int32_t steps = steps_at(walk, clock, wanted);
		append(walk, batch, clock, steps);
		n_steps += steps;
	}
}

/* Goes on with the pass, or begins one, where there is something to do. */
static bool
find_work(struct perseus__walk *walk)
{
	if (walk->n_passes == 1 && have_all_stopped(walk))
		walk->next_candidate = walk->n_candidates;
	if (walk->n_passes == 0)
		begin_pass(walk);
	if (walk->next_candidate >= walk->n_candidates && walk->n_passes < MAX_PASSES)
		begin_pass(walk);
	return walk->next_candidate < walk->n_candidates && budget_left(walk) > 0;
}

enum perseus__walk_state
perseus__walk_state(const struct perseus__walk *walk)
{
	if (walk->is_done)
		return PERSEUS__WALK_DONE;
	if (walk->is_idle || walk->n_steps_ahead > walk->n_lookahead)
		return PERSEUS__WALK_WAITING;
	return PERSEUS__WALK_RUNNING;
}

enum perseus_status
perseus__walk_next(struct perseus__walk *walk, const struct perseus__walk_segment **segments, int32_t *n,
		struct perseus_error *err)
{
	*n = 0;
	if (perseus__walk_state(walk) != PERSEUS__WALK_RUNNING)
		return PERSEUS_OK;
	const enum perseus_status status = perseus__walk_learn(walk, err);
	if (status)
		return status;
	stop_positions(walk);
	if (find_work(walk)) {
		struct perseus__walk_batch *batch = make_batch(walk, walk->n_lookahead);
		if (!batch)
			return perseus__no_memory(err);
		fill_batch(walk, batch);
		*segments = batch->segments;
		*n = batch->n;
	} else {
		walk->is_idle = true;
		walk->is_done = walk->n_ended == walk->n_given;
	}
	return PERSEUS_OK;
}

void
perseus__walk_end_segment(struct perseus__walk *walk, int32_t n_steps)
{
	const int32_t planned = walk->given[walk->n_ended++].n_steps;
	walk->n_steps_ahead -= planned;
	walk->n_steps_run += n_steps;
	/* The next batch came too late by what was run beyond the program. */
	const int32_t late = n_steps > planned ? n_steps - planned : 0;
	const int32_t most = walk->settings.max_steps / LARGEST_LOOKAHEAD_PART;
	if (late > walk->n_late)
		walk->n_late = late;
	if (late > 0 && walk->n_lookahead < most)
		walk->n_lookahead = late < most - walk->n_lookahead ? walk->n_lookahead + late : most;
	walk->is_idle = false;
}
