/*
 * Time and energy of given clocks: longest paths over true durations, and per rank the clock that rules while a change
 * is on its way. All integers; every quotient is rounded once.
 */
#include "plan/evaluate.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

enum {
	/* One nanosecond of one microwatt in nJ is 1e-6. */
	UW_NS_PER_NJ = 1000000,
	/* Each round shortens the distance to the steady state by about 1 - (ratio of two clocks' times). */
	MAX_ROUNDS = 100,
};

/* numerator / denominator rounded to nearest for any sign of `numerator`; `denominator` > 0. Ties away from zero. */
static perseus__wide
divide_nearest(perseus__wide numerator, perseus__wide denominator)
{
	const perseus__wide half = denominator / 2;
	return numerator >= 0 ? (numerator + half) / denominator : -((-numerator + half) / denominator);
}

bool
perseus__class_is_constant(const struct perseus_class *class_)
{
	return class_->n_choices == 1 && class_->choices[0].frequency_mhz == 0;
}

/* Index of the first choice whose clock is not above `frequency_mhz`; n_choices where all are. */
static int32_t
first_not_above(const struct perseus_class *class_, int32_t frequency_mhz)
{
	int32_t low = 0;
	int32_t high = class_->n_choices;
	while (low < high) {
		const int32_t middle = low + (high - low) / 2;
		if (class_->choices[middle].frequency_mhz > frequency_mhz)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int32_t
perseus__class_choice(const struct perseus_class *class_, int32_t frequency_mhz)
{
	const int32_t k = first_not_above(class_, frequency_mhz);
	return k < class_->n_choices && class_->choices[k].frequency_mhz == frequency_mhz ? k : -1;
}

enum perseus_status
perseus__evaluator_init(struct perseus__evaluator *evaluator, const struct perseus__workload *workload,
		int64_t deadline_ns, int64_t latency_ns, struct perseus_error *err)
{
	const size_t n = (size_t)workload->schedule->n_instructions;
	const size_t n_ranks = (size_t)workload->schedule->n_ranks;
	struct perseus__evaluator made = {.workload = workload, .deadline_ns = deadline_ns, .latency_ns = latency_ns};
	made.start_ns = perseus__new_array(n, sizeof *made.start_ns);
	made.time_ns = perseus__new_array(n, sizeof *made.time_ns);
	made.energy_nj = perseus__new_array(n, sizeof *made.energy_nj);
	made.clock = perseus__new_array(n_ranks, sizeof *made.clock);
	made.clock_then = perseus__new_array(n_ranks, sizeof *made.clock_then);
	if (!made.start_ns || !made.time_ns || !made.energy_nj || !made.clock || !made.clock_then) {
		perseus__evaluator_fini(&made);
		return perseus__no_memory(err);
	}
	*evaluator = made;
	return PERSEUS_OK;
}

void
perseus__evaluator_fini(struct perseus__evaluator *evaluator)
{
	perseus__free(evaluator->start_ns);
	perseus__free(evaluator->time_ns);
	perseus__free(evaluator->energy_nj);
	perseus__free(evaluator->clock);
	perseus__free(evaluator->clock_then);
	*evaluator = (struct perseus__evaluator){0};
}

/* Instructions' energy, transfers, and blocking of every rank while it is not busy. */
static void
add_up(struct perseus__evaluator *evaluator, struct perseus__evaluation *evaluation)
{
	const struct perseus__workload *workload = evaluator->workload;
	const struct perseus_schedule *schedule = workload->schedule;
	const int64_t period_ns =
			evaluation->makespan_ns > evaluator->deadline_ns ? evaluation->makespan_ns : evaluator->deadline_ns;
	perseus__wide energy_nj = workload->transfer_nj;
	perseus__wide blocking = 0;
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		int64_t busy_ns = 0;
		for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
			busy_ns += evaluator->time_ns[i];
			energy_nj += evaluator->energy_nj[i];
		}
		blocking += (perseus__wide)workload->rank_blocking_uw[rank] * (period_ns - busy_ns);
	}
	energy_nj += divide_nearest(blocking, UW_NS_PER_NJ);
	evaluation->overflows = energy_nj > INT64_MAX;
	evaluation->energy_nj = evaluation->overflows ? INT64_MAX : (int64_t)energy_nj;
}

struct perseus__evaluation
perseus__evaluate_plain(struct perseus__evaluator *evaluator, const int32_t *choice)
{
	const struct perseus__workload *workload = evaluator->workload;
	const int32_t n = workload->schedule->n_instructions;
	for (int32_t i = 0; i < n; i++) {
		const struct perseus_choice *chosen = &workload->class_of[i]->choices[choice[i]];
		evaluator->time_ns[i] = chosen->time_ns;
		evaluator->energy_nj[i] = chosen->energy_nj;
	}
	struct perseus__evaluation evaluation = {.is_steady = true};
	evaluation.makespan_ns =
			perseus__dag_earliest(&workload->dag, evaluator->time_ns, workload->lag_ns, evaluator->start_ns);
	evaluator->n_visits += n;
	add_up(evaluator, &evaluation);
	return evaluation;
}

/* What the class does at a clock that may not have been measured. */
static const struct perseus_choice *
choice_near(const struct perseus_class *class_, int32_t frequency_mhz)
{
	const int32_t k = first_not_above(class_, frequency_mhz);
	return &class_->choices[k < class_->n_choices ? k : class_->n_choices - 1];
}

/* Asks for the clock of instruction `i` after `idle_ns` of the rank's doing nothing that needs one. */
static void
ask(struct perseus__rank_clock *clock, int32_t frequency_mhz, int64_t idle_ns, int64_t latency_ns)
{
	if (frequency_mhz != clock->asked_mhz) {
		clock->asked_mhz = frequency_mhz;
		clock->remaining_ns = frequency_mhz == clock->ruling_mhz ? 0 : latency_ns;
	}
	clock->remaining_ns = clock->remaining_ns > idle_ns ? clock->remaining_ns - idle_ns : 0;
	if (clock->remaining_ns == 0)
		clock->ruling_mhz = clock->asked_mhz;
}

/* Runs instruction `i`, whose clock was asked for: time, energy, and what is left of the change. */
static void
run(struct perseus__evaluator *evaluator, int32_t i, const struct perseus_choice *chosen,
		struct perseus__rank_clock *clock)
{
	evaluator->time_ns[i] = chosen->time_ns;
	evaluator->energy_nj[i] = chosen->energy_nj;
	if (clock->remaining_ns == 0)
		return;
	const struct perseus_choice *old = choice_near(evaluator->workload->class_of[i], clock->ruling_mhz);
	if (old->time_ns <= clock->remaining_ns) {
		evaluator->time_ns[i] = old->time_ns;
		evaluator->energy_nj[i] = old->energy_nj;
		clock->remaining_ns -= old->time_ns;
	} else {
		const int64_t left_ns = old->time_ns - clock->remaining_ns; /* of the work, as time at the old clock */
		const perseus__wide rest = (perseus__wide)left_ns * chosen->time_ns + old->time_ns - 1;
		evaluator->time_ns[i] = clock->remaining_ns + (int64_t)(rest / old->time_ns);
		evaluator->energy_nj[i] = (int64_t)divide_nearest(
				(perseus__wide)clock->remaining_ns * old->energy_nj + (perseus__wide)left_ns * chosen->energy_nj,
				old->time_ns);
		clock->remaining_ns = 0;
	}
	if (clock->remaining_ns == 0)
		clock->ruling_mhz = clock->asked_mhz;
}

static int64_t
ready_ns(const struct perseus__evaluator *evaluator, int32_t i)
{
	const struct perseus__workload *workload = evaluator->workload;
	const struct perseus__dag *dag = &workload->dag;
	int64_t ready = 0;
	for (int32_t k = dag->predecessor_begin[i]; k < dag->predecessor_begin[i + 1]; k++) {
		const struct perseus__link link = dag->predecessors[k];
		const int64_t end =
				evaluator->start_ns[link.node] + evaluator->time_ns[link.node] + workload->lag_ns[link.edge];
		if (end > ready)
			ready = end;
	}
	return ready;
}

/* One iteration, from the clocks in `clock`, whose ends lie at or before 0. Returns the makespan. */
static int64_t
run_iteration(struct perseus__evaluator *evaluator, const int32_t *choice)
{
	const struct perseus__workload *workload = evaluator->workload;
	int64_t makespan_ns = 0;
	for (int32_t k = 0; k < workload->dag.n_ordered; k++) {
		const int32_t i = workload->dag.order[k];
		const struct perseus_class *class_ = workload->class_of[i];
		const struct perseus_choice *chosen = &class_->choices[choice[i]];
		const int64_t start_ns = ready_ns(evaluator, i);
		evaluator->start_ns[i] = start_ns;
		evaluator->time_ns[i] = chosen->time_ns;
		evaluator->energy_nj[i] = chosen->energy_nj;
		if (!perseus__class_is_constant(class_)) {
			struct perseus__rank_clock *clock = &evaluator->clock[workload->schedule->instructions[i].rank];
			ask(clock, chosen->frequency_mhz, start_ns - clock->end_ns, evaluator->latency_ns);
			run(evaluator, i, chosen, clock);
			clock->end_ns = start_ns + evaluator->time_ns[i];
		}
		if (start_ns + evaluator->time_ns[i] > makespan_ns)
			makespan_ns = start_ns + evaluator->time_ns[i];
	}
	evaluator->n_visits += workload->dag.n_ordered;
	return makespan_ns;
}

/* The clock of the rank's last clocked instruction, in force since forever; 0 where no instruction needs one. */
static struct perseus__rank_clock
clock_of_last(const struct perseus__workload *workload, const int32_t *choice, int32_t rank)
{
	const struct perseus_schedule *schedule = workload->schedule;
	struct perseus__rank_clock clock = {0};
	for (int32_t i = schedule->rank_begin[rank + 1] - 1; i >= schedule->rank_begin[rank]; i--)
		if (!perseus__class_is_constant(workload->class_of[i])) {
			clock.asked_mhz = workload->class_of[i]->choices[choice[i]].frequency_mhz;
			break;
		}
	clock.ruling_mhz = clock.asked_mhz;
	return clock;
}

/* Moves the end of an iteration to before the start of the next; true where it is as it was the last time. */
static bool
turn_over(struct perseus__evaluator *evaluator, int64_t period_ns)
{
	bool is_same = true;
	for (int32_t rank = 0; rank < evaluator->workload->schedule->n_ranks; rank++) {
		struct perseus__rank_clock *now = &evaluator->clock[rank];
		struct perseus__rank_clock *then = &evaluator->clock_then[rank];
		if (now->asked_mhz == 0)
			continue; /* no instruction needs a clock, so none ever ends */
		now->end_ns -= period_ns;
		if (now->ruling_mhz != then->ruling_mhz || now->asked_mhz != then->asked_mhz
				|| now->remaining_ns != then->remaining_ns || now->end_ns != then->end_ns)
			is_same = false;
		*then = *now;
	}
	return is_same;
}

struct perseus__evaluation
perseus__evaluate(struct perseus__evaluator *evaluator, const int32_t *choice)
{
	if (evaluator->latency_ns == 0)
		return perseus__evaluate_plain(evaluator, choice);
	const struct perseus__workload *workload = evaluator->workload;
	const int32_t n_ranks = workload->schedule->n_ranks;
	struct perseus__evaluation evaluation = {0};
	for (int32_t rank = 0; rank < n_ranks; rank++) {
		evaluator->clock[rank] = clock_of_last(workload, choice, rank);
		evaluator->clock[rank].end_ns = -evaluator->latency_ns; /* at first all is hidden */
		evaluator->clock_then[rank] = evaluator->clock[rank];
	}
	for (int round = 0; round < MAX_ROUNDS && !evaluation.is_steady; round++) {
		evaluation.makespan_ns = run_iteration(evaluator, choice);
		evaluation.is_steady = turn_over(evaluator,
				evaluation.makespan_ns > evaluator->deadline_ns ? evaluation.makespan_ns : evaluator->deadline_ns);
	}
	if (!evaluation.is_steady) {
		for (int32_t rank = 0; rank < n_ranks; rank++)
			evaluator->clock[rank] = clock_of_last(workload, choice, rank);
		evaluation.makespan_ns = run_iteration(evaluator, choice);
	}
	add_up(evaluator, &evaluation);
	return evaluation;
}

void
perseus__count_changes(const struct perseus__workload *workload, const int32_t *choice, int32_t *changes)
{
	const struct perseus_schedule *schedule = workload->schedule;
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		int32_t clock_mhz = clock_of_last(workload, choice, rank).asked_mhz;
		changes[rank] = 0;
		for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
			if (perseus__class_is_constant(workload->class_of[i]))
				continue;
			const int32_t needed_mhz = workload->class_of[i]->choices[choice[i]].frequency_mhz;
			changes[rank] += needed_mhz != clock_mhz;
			clock_mhz = needed_mhz;
		}
	}
}
