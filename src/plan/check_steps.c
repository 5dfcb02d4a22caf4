/*
 * Proves times and energies of a plan's steps: rank by rank, what the clock that rules makes of every instruction.
 */
#include "plan/check_internal.h"

#include "base/wide.h"

/* What a rank's clock does between two of its clocked instructions. */
struct state {
	int32_t ruling_mhz;
	int32_t asked_mhz;
	int64_t left_ns; /* of a change under way, at `since_ns` */
	int64_t since_ns;
};

/* The measured choice that stands for the class at a clock: nearest from below, else the lowest. */
static const struct perseus_choice *
stand_in(const struct perseus_class *class_, int32_t frequency_mhz)
{
	const struct perseus_choice *found = &class_->choices[class_->n_choices - 1];
	for (int32_t k = class_->n_choices - 1; k >= 0; k--)
		if (class_->choices[k].frequency_mhz <= frequency_mhz)
			found = &class_->choices[k];
	return found;
}

/* Whether a step is `first_ns` at the old clock and the rest of the work at the new. */
static bool
is_mixture(const struct perseus_step *step, const struct perseus_choice *old, const struct perseus_choice *new_,
		int64_t first_ns)
{
	/* In units of 1/old->time_ns: time rounded up, energy to nearest. */
	const perseus__wide second = (perseus__wide)(old->time_ns - first_ns) * new_->time_ns;
	const perseus__wide over = (perseus__wide)(step->time_ns - first_ns) * old->time_ns - second;
	const perseus__wide energy =
			(perseus__wide)first_ns * old->energy_nj + (perseus__wide)(old->time_ns - first_ns) * new_->energy_nj;
	const perseus__wide off = (perseus__wide)step->energy_nj * old->time_ns - energy;
	return over >= 0 && over < old->time_ns && 2 * off <= old->time_ns && -2 * off <= old->time_ns;
}

/* Follows one clocked instruction; false where its time or energy is not what the state makes of it. */
static bool
follow(const struct perseus_class *class_, const struct perseus_step *step, int64_t latency_ns, struct state *state)
{
	const struct perseus_choice *new_ = &class_->choices[step->choice];
	if (step->frequency_mhz != state->asked_mhz) {
		state->asked_mhz = step->frequency_mhz;
		state->left_ns = state->asked_mhz == state->ruling_mhz ? 0 : latency_ns;
	}
	const int64_t waited_ns = step->start_ns - state->since_ns;
	state->left_ns = state->left_ns <= waited_ns ? 0 : state->left_ns - waited_ns;
	state->since_ns = step->start_ns + step->time_ns;
	const int64_t at_old_ns = state->left_ns;
	if (at_old_ns == 0) {
		state->ruling_mhz = state->asked_mhz;
		return step->time_ns == new_->time_ns && step->energy_nj == new_->energy_nj;
	}
	const struct perseus_choice *old = stand_in(class_, state->ruling_mhz);
	if (old->time_ns <= at_old_ns) {
		state->left_ns -= old->time_ns;
		if (state->left_ns == 0)
			state->ruling_mhz = state->asked_mhz;
		return step->time_ns == old->time_ns && step->energy_nj == old->energy_nj;
	}
	state->left_ns = 0;
	state->ruling_mhz = state->asked_mhz;
	return is_mixture(step, old, new_, at_old_ns);
}

/* Runs a rank's iteration; returns the first instruction that is wrong, or -1. */
static int32_t
follow_rank(const struct perseus__checker *checker, int32_t rank, struct state *state)
{
	int32_t wrong = -1;
	for (int32_t i = checker->schedule->rank_begin[rank]; i < checker->schedule->rank_begin[rank + 1]; i++) {
		const struct perseus_class *class_ = perseus_frontier_class(checker->frontier, i);
		const struct perseus_step *step = &checker->plan->steps[i];
		const bool is_right = perseus__check_needs_clock(class_)
				? follow(class_, step, checker->plan->switch_latency_ns, state)
				: step->time_ns == class_->choices[0].time_ns && step->energy_nj == class_->choices[0].energy_nj;
		if (!is_right && wrong < 0)
			wrong = i;
	}
	return wrong;
}

/* The clock of the rank's last clocked instruction, settled; `*end_ns` is where that ends. */
static struct state
settled(const struct perseus__checker *checker, int32_t rank, int64_t *end_ns)
{
	struct state state = {0};
	*end_ns = 0;
	for (int32_t i = checker->schedule->rank_begin[rank]; i < checker->schedule->rank_begin[rank + 1]; i++)
		if (perseus__check_needs_clock(perseus_frontier_class(checker->frontier, i))) {
			state.ruling_mhz = state.asked_mhz = checker->plan->steps[i].frequency_mhz;
			*end_ns = checker->plan->steps[i].start_ns + checker->plan->steps[i].time_ns;
		}
	return state;
}

/*
 * Follows iterations that go like the plan from a state at the end of one until the next ends in the same state; false
 * where that does not happen soon or an instruction is not as the plan says, the first of which is `*wrong`.
 */
static bool
settles(const struct perseus__checker *checker, int32_t rank, struct state before, int32_t *wrong)
{
	enum { MAX_ROUNDS = 4 }; /* a state depends on the one an iteration ago through what is left of a change alone */
	for (int round = 0; round < MAX_ROUNDS; round++) {
		struct state after = before;
		after.since_ns -= perseus__check_period_ns(checker->plan);
		*wrong = follow_rank(checker, rank, &after);
		if (after.ruling_mhz == before.ruling_mhz && after.asked_mhz == before.asked_mhz
				&& after.left_ns == before.left_ns)
			return *wrong < 0;
		before = after;
	}
	return false;
}

/*
 * An iteration that starts as the one before it ended goes like the plan and ends so again. Where a latency is longer
 * than instructions there may be several such states: any clock of the rank may be the one that rules at the end.
 * Returns the first instruction that is wrong, or -1.
 */
static int32_t
follow_steadily(const struct perseus__checker *checker, int32_t rank)
{
	int64_t end_ns;
	struct state state = settled(checker, rank, &end_ns);
	state.since_ns = end_ns;
	int32_t first_wrong = -1;
	if (settles(checker, rank, state, &first_wrong))
		return -1;
	int32_t tried_mhz = state.ruling_mhz;
	state.left_ns = checker->plan->switch_latency_ns;
	for (int32_t i = checker->schedule->rank_begin[rank]; i < checker->schedule->rank_begin[rank + 1]; i++) {
		int32_t wrong;
		if (checker->plan->steps[i].frequency_mhz == tried_mhz)
			continue;
		state.ruling_mhz = tried_mhz = checker->plan->steps[i].frequency_mhz;
		if (settles(checker, rank, state, &wrong))
			return -1;
	}
	return first_wrong >= 0 ? first_wrong : checker->schedule->rank_begin[rank];
}

/* Times and energies of all steps: steady, or else with changes asked for from the iteration's start on. */
enum perseus_status
perseus__check_steps(const struct perseus__checker *checker)
{
	int32_t wrong = -1;
	for (int32_t rank = 0; rank < checker->plan->n_ranks && wrong < 0; rank++)
		wrong = follow_steadily(checker, rank);
	if (wrong < 0)
		return PERSEUS_OK;
	bool is_right = checker->plan->switch_latency_ns > 0;
	for (int32_t rank = 0; rank < checker->plan->n_ranks && is_right; rank++) {
		int64_t end_ns;
		struct state state = settled(checker, rank, &end_ns);
		is_right = follow_rank(checker, rank, &state) < 0;
	}
	return is_right ? PERSEUS_OK
					: perseus__check_fail(
							  checker, wrong, "time or energy do not follow from profile, clock and switch latency");
}
