/*
 * Instruction-level plans where changing clocks takes time: plans without latency for shorter deadlines, then runs of
 * instructions at one clock moved to a neighbour's clock or one clock up or down, judged under the true model.
 */
#include "plan/planner.h"

#include "base/error.h"
#include "base/memory.h"
#include "plan/instruction.h"

#include <string.h>

enum {
	BISECTIONS = 6,
	MAX_POLISH_VISITS = 25000000,
	MAX_KEPT_ENDS = 8, /* instructions at both ends of a run together that polishing leaves out */
};

static bool
keeps(const struct perseus__planner *planner, const struct perseus__evaluation *evaluation)
{
	return evaluation->is_steady && evaluation->makespan_ns <= planner->evaluator.deadline_ns;
}

static const struct perseus_choice *
chosen(const struct perseus__planner *planner, int32_t i)
{
	return &planner->workload->class_of[i]->choices[planner->choice[i]];
}

/* First instruction after `begin`'s run on the rank that ends at `end`; constants belong to the run they follow. */
static int32_t
run_end(const struct perseus__planner *planner, int32_t begin, int32_t end)
{
	int32_t i = begin + 1;
	while (i < end
			&& (perseus__class_is_constant(planner->workload->class_of[i])
					|| chosen(planner, i)->frequency_mhz == chosen(planner, begin)->frequency_mhz))
		i++;
	return i;
}

/* Sets a run to one clock; false, and nothing changed, where a class was not measured at it. */
static bool
set_clock(struct perseus__planner *planner, int32_t begin, int32_t end, int32_t frequency_mhz)
{
	for (int32_t i = begin; i < end; i++)
		if (!perseus__class_is_constant(planner->workload->class_of[i])
				&& perseus__class_choice(planner->workload->class_of[i], frequency_mhz) < 0)
			return false;
	for (int32_t i = begin; i < end; i++)
		if (!perseus__class_is_constant(planner->workload->class_of[i]))
			planner->choice[i] = perseus__class_choice(planner->workload->class_of[i], frequency_mhz);
	return true;
}

/* Time of the clocked instructions of a run. */
static int64_t
run_time_ns(const struct perseus__planner *planner, int32_t begin, int32_t end)
{
	int64_t time_ns = 0;
	for (int32_t i = begin; i < end; i++)
		if (!perseus__class_is_constant(planner->workload->class_of[i]))
			time_ns += chosen(planner, i)->time_ns;
	return time_ns;
}

/* Gives runs shorter than `factor` latencies the clock of a higher neighbour: fewer changes, nothing gets slower. */
static void
merge_short_runs(struct perseus__planner *planner, int factor)
{
	const int64_t latency_ns = planner->evaluator.latency_ns;
	const struct perseus_schedule *schedule = planner->workload->schedule;
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		const int32_t end = schedule->rank_begin[rank + 1];
		int32_t before_mhz = 0;
		for (int32_t i = schedule->rank_begin[rank]; i < end;) {
			const int32_t next = run_end(planner, i, end);
			const int32_t own_mhz = chosen(planner, i)->frequency_mhz;
			const int32_t after_mhz = next < end ? chosen(planner, next)->frequency_mhz : 0;
			/* The lower of two higher neighbours is enough to save one change. */
			int32_t clock_mhz = before_mhz > own_mhz ? before_mhz : 0;
			if (after_mhz > own_mhz && (clock_mhz == 0 || after_mhz < clock_mhz))
				clock_mhz = after_mhz;
			if (clock_mhz > 0 && run_time_ns(planner, i, next) / factor < latency_ns)
				(void)set_clock(planner, i, next, clock_mhz);
			before_mhz = chosen(planner, i)->frequency_mhz;
			i = next;
		}
	}
}

/* Considers the candidate, and it with short runs merged; true where any keeps the deadline. */
static bool
consider_merged(struct perseus__planner *planner)
{
	struct perseus__evaluation evaluation = perseus__planner_consider(planner, PERSEUS_GRANULARITY_INSTRUCTION);
	bool any_keeps = keeps(planner, &evaluation);
	for (int factor = 1; factor <= 16; factor *= 4) {
		merge_short_runs(planner, factor);
		evaluation = perseus__planner_consider(planner, PERSEUS_GRANULARITY_INSTRUCTION);
		any_keeps = any_keeps || keeps(planner, &evaluation);
	}
	return any_keeps;
}

/* Plans without latency for deadlines from T_min to the true one, closing in on the longest that still works. */
static enum perseus_status
shrink_deadline(struct perseus__planner *planner, struct perseus_error *err)
{
	int64_t low_ns = perseus_frontier_info(planner->frontier).t_min_ns;
	int64_t high_ns = planner->evaluator.deadline_ns;
	for (int k = 0; k < BISECTIONS && low_ns <= high_ns; k++) {
		/* Both ends once, then halves. */
		const int64_t at_ns = k == 0 ? high_ns : k == 1 ? low_ns : low_ns + (high_ns - low_ns) / 2;
		const enum perseus_status status = perseus__plan_instructions(planner->frontier, at_ns, planner->choice, err);
		if (status != PERSEUS_OK)
			return status;
		const bool works = consider_merged(planner);
		if (k == 0 && works)
			break;
		if (works)
			low_ns = at_ns;
		else if (k > 0)
			high_ns = at_ns;
	}
	return PERSEUS_OK;
}

/* Evaluates the run begin..end at another clock; true where that is the best so far, else changes it back. */
static bool
try_clock(struct perseus__planner *planner, int32_t begin, int32_t end, int32_t frequency_mhz)
{
	if (frequency_mhz == 0 || !set_clock(planner, begin, end, frequency_mhz))
		return false;
	const int64_t before_nj = planner->best_nj;
	(void)perseus__planner_consider(planner, PERSEUS_GRANULARITY_INSTRUCTION);
	if (planner->best_nj < before_nj)
		return true;
	memcpy(planner->choice + begin, planner->best + begin, (size_t)(end - begin) * sizeof *planner->choice);
	return false;
}

/* The inside of a run a clock down, up to a few instructions at either end left as they are. */
static bool
polish_inside(struct perseus__planner *planner, int32_t begin, int32_t end, int32_t lower_mhz)
{
	for (int32_t kept = 1; kept <= MAX_KEPT_ENDS; kept++)
		for (int32_t at_begin = 0; at_begin <= kept; at_begin++)
			if (begin + kept < end && try_clock(planner, begin + at_begin, end - (kept - at_begin), lower_mhz))
				return true;
	return false;
}

/* The neighbours' clocks, one clock down and one up, for the run, for each of its ends alone and for its inside. */
static bool
polish_run(struct perseus__planner *planner, int32_t begin, int32_t end, int32_t before_mhz, int32_t after_mhz)
{
	const struct perseus_class *class_ = planner->workload->class_of[begin];
	const int32_t k = planner->choice[begin];
	const int32_t lower_mhz = k + 1 < class_->n_choices ? class_->choices[k + 1].frequency_mhz : 0;
	const int32_t higher_mhz = k > 0 ? class_->choices[k - 1].frequency_mhz : 0;
	if (try_clock(planner, begin, end, lower_mhz) || try_clock(planner, begin, end, before_mhz)
			|| try_clock(planner, begin, end, after_mhz) || try_clock(planner, begin, end, higher_mhz))
		return true;
	if (end - begin < 2)
		return false;
	return try_clock(planner, begin, begin + 1, lower_mhz) || try_clock(planner, begin, begin + 1, before_mhz)
			|| try_clock(planner, end - 1, end, lower_mhz) || try_clock(planner, end - 1, end, after_mhz)
			|| try_clock(planner, begin, begin + (end - begin) / 2, lower_mhz)
			|| try_clock(planner, begin + (end - begin) / 2, end, lower_mhz)
			|| polish_inside(planner, begin, end, lower_mhz);
}

static bool
polish_rank(struct perseus__planner *planner, int32_t rank, int64_t end_visits)
{
	const int32_t end = planner->workload->schedule->rank_begin[rank + 1];
	bool improved = false;
	int32_t before_mhz = 0;
	for (int32_t i = planner->workload->schedule->rank_begin[rank]; i < end;) {
		const int32_t next = run_end(planner, i, end);
		const int32_t after_mhz = next < end ? chosen(planner, next)->frequency_mhz : 0;
		if (!perseus__class_is_constant(planner->workload->class_of[i]) && planner->evaluator.n_visits < end_visits
				&& polish_run(planner, i, next, before_mhz, after_mhz)) {
			improved = true;
			continue; /* the run has changed: look at it again */
		}
		before_mhz = chosen(planner, i)->frequency_mhz;
		i = next;
	}
	return improved;
}

static void
polish(struct perseus__planner *planner)
{
	const int64_t end_visits = planner->evaluator.n_visits + MAX_POLISH_VISITS;
	const size_t n = (size_t)planner->workload->schedule->n_instructions;
	memcpy(planner->choice, planner->best, n * sizeof *planner->choice);
	bool improved = true;
	while (improved && planner->evaluator.n_visits < end_visits) {
		improved = false;
		for (int32_t rank = 0; rank < planner->workload->schedule->n_ranks; rank++)
			improved = polish_rank(planner, rank, end_visits) || improved;
	}
}

enum perseus_status
perseus__planner_run_instructions(struct perseus__planner *planner, struct perseus_error *err)
{
	const enum perseus_status status = shrink_deadline(planner, err);
	if (status == PERSEUS_OK && planner->has_best)
		polish(planner);
	return status;
}
