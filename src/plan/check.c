/*
 * Proves a plan from profile and schedule: nothing here is shared with what made it. Where the planner computes a
 * value, this tests the inequality that defines it.
 */
#include "plan/check_internal.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* No plan has longer times, and sums of three of them fit. */
static const int64_t LONGEST_NS = INT64_C(1) << 61;

/* Relative tolerance of what a plan holds as doubles: a few roundings of sums that are exact before. */
static const double DOUBLE_TOLERANCE = 1e-9;

int64_t
perseus__check_period_ns(const struct perseus_plan *plan)
{
	return plan->outcome.iteration_time_ns > plan->deadline_ns ? plan->outcome.iteration_time_ns : plan->deadline_ns;
}

bool
perseus__check_needs_clock(const struct perseus_class *class_)
{
	return !(class_->n_choices == 1 && class_->choices->frequency_mhz == 0);
}

enum perseus_status
perseus__check_fail(const struct perseus__checker *checker, int32_t i, const char *what)
{
	char text[64];
	perseus_instruction_text(&checker->schedule->instructions[i], text, sizeof text);
	return perseus__fail(checker->err, PERSEUS_INVALID, "plan: rank %d, instruction %d (%s): %s",
			(int)checker->schedule->instructions[i].rank, (int)i, text, what);
}

static enum perseus_status
check_shape(const struct perseus__checker *checker)
{
	const struct perseus_plan *plan = checker->plan;
	if (plan->n_ranks != checker->schedule->n_ranks || plan->n_instructions != checker->schedule->n_instructions)
		return perseus__fail(checker->err, PERSEUS_INVALID,
				"plan: is of %d ranks and %d instructions, the schedule of %d and %d", (int)plan->n_ranks,
				(int)plan->n_instructions, (int)checker->schedule->n_ranks, (int)checker->schedule->n_instructions);
	if (plan->switch_latency_ns < 0)
		return perseus__fail(checker->err, PERSEUS_INVALID, "plan: the switch latency is negative");
	if (plan->deadline_ns < 0 || plan->deadline_ns > LONGEST_NS || plan->switch_latency_ns > LONGEST_NS)
		return perseus__fail(checker->err, PERSEUS_INVALID, "plan: the deadline or the switch latency is out of range");
	return PERSEUS_OK;
}

static enum perseus_status
check_clocks(const struct perseus__checker *checker)
{
	for (int32_t i = 0; i < checker->plan->n_instructions; i++) {
		const struct perseus_step *step = &checker->plan->steps[i];
		const struct perseus_class *class_ = perseus_frontier_class(checker->frontier, i);
		if (step->choice < 0 || step->choice >= class_->n_choices)
			return perseus__check_fail(checker, i, "the choice is none of its class");
		if (step->frequency_mhz != class_->choices[step->choice].frequency_mhz)
			return perseus__check_fail(checker, i, "the clock is not that of its choice");
	}
	return PERSEUS_OK;
}

static enum perseus_status
check_order(const struct perseus__checker *checker)
{
	const struct perseus_step *steps = checker->plan->steps;
	int64_t last_end_ns = 0;
	for (int32_t i = 0; i < checker->plan->n_instructions; i++) {
		if (steps[i].start_ns < 0)
			return perseus__check_fail(checker, i, "starts before the iteration");
		if (steps[i].start_ns > LONGEST_NS || steps[i].time_ns < 0 || steps[i].time_ns > LONGEST_NS)
			return perseus__check_fail(checker, i, "start or time is out of range");
		const int64_t end_ns = steps[i].start_ns + steps[i].time_ns;
		last_end_ns = end_ns > last_end_ns ? end_ns : last_end_ns;
	}
	for (int32_t e = 0; e < checker->schedule->n_edges; e++) {
		const struct perseus_edge *edge = &checker->schedule->edges[e];
		const struct perseus_step *from = &steps[edge->from];
		if (steps[edge->to].start_ns < from->start_ns + from->time_ns + checker->workload->lag_ns[e])
			return perseus__check_fail(checker, edge->to, "starts before what it waits for is done");
	}
	if (last_end_ns != checker->plan->outcome.iteration_time_ns)
		return perseus__fail(checker->err, PERSEUS_INVALID,
				"plan: the last instruction ends at %" PRId64 " ns, the iteration is said to take %" PRId64 " ns",
				last_end_ns, checker->plan->outcome.iteration_time_ns);
	if (last_end_ns > checker->plan->deadline_ns)
		return perseus__fail(checker->err, PERSEUS_INVALID,
				"plan: takes %" PRId64 " ns, longer than its deadline of %" PRId64 " ns", last_end_ns,
				checker->plan->deadline_ns);
	return PERSEUS_OK;
}

static enum perseus_status
check_energy(const struct perseus__checker *checker, const struct perseus_outcome *outcome, const int64_t *energy_nj,
		const int64_t *time_ns, const char *what)
{
	const struct perseus_plan *plan = checker->plan;
	const int64_t until_ns =
			outcome->iteration_time_ns > plan->deadline_ns ? outcome->iteration_time_ns : plan->deadline_ns;
	/* In µW·ns, of which 1e6 are a nanojoule. */
	perseus__wide total = (perseus__wide)checker->workload->transfer_nj * 1000000;
	for (int32_t i = 0; i < plan->n_instructions; i++) {
		const int64_t blocking_uw = checker->workload->rank_blocking_uw[checker->schedule->instructions[i].rank];
		total += (perseus__wide)energy_nj[i] * 1000000 - (perseus__wide)blocking_uw * time_ns[i];
	}
	for (int32_t rank = 0; rank < plan->n_ranks; rank++)
		total += (perseus__wide)checker->workload->rank_blocking_uw[rank] * until_ns;
	const perseus__wide off = (perseus__wide)outcome->energy_nj * 1000000 - total;
	if (off > 500000 || off < -500000)
		return perseus__fail(checker->err, PERSEUS_INVALID,
				"plan: the energy of the %s is said to be %" PRId64 " nJ, its parts sum to %" PRId64 " nJ", what,
				outcome->energy_nj, (int64_t)(total / 1000000));
	return PERSEUS_OK;
}

/* Longest path with every class at its first choice, by relaxing the edges out of each instruction. */
static int64_t
highest_makespan_ns(const struct perseus__checker *checker, const int64_t *time_ns, int64_t *start_ns)
{
	const struct perseus__dag *dag = &checker->workload->dag;
	int64_t makespan_ns = 0;
	memset(start_ns, 0, (size_t)checker->plan->n_instructions * sizeof *start_ns);
	for (int32_t k = 0; k < dag->n_ordered; k++) {
		const int32_t i = dag->order[k];
		const int64_t end_ns = start_ns[i] + time_ns[i];
		makespan_ns = end_ns > makespan_ns ? end_ns : makespan_ns;
		for (int32_t s = dag->successor_begin[i]; s < dag->successor_begin[i + 1]; s++) {
			const struct perseus__link link = dag->successors[s];
			const int64_t ready_ns = end_ns + checker->workload->lag_ns[link.edge];
			if (ready_ns > start_ns[link.node])
				start_ns[link.node] = ready_ns;
		}
	}
	return makespan_ns;
}

static enum perseus_status
check_outcomes(const struct perseus__checker *checker)
{
	const struct perseus_plan *plan = checker->plan;
	const size_t n = (size_t)plan->n_instructions;
	int64_t *room = perseus__new_array(3 * n, sizeof *room);
	if (!room)
		return perseus__no_memory(checker->err);
	int64_t *energy_nj = room;
	int64_t *time_ns = room + n;
	for (size_t i = 0; i < n; i++) {
		energy_nj[i] = plan->steps[i].energy_nj;
		time_ns[i] = plan->steps[i].time_ns;
	}
	enum perseus_status status = check_energy(checker, &plan->outcome, energy_nj, time_ns, "plan");
	for (int32_t i = 0; i < plan->n_instructions; i++) {
		energy_nj[i] = perseus_frontier_class(checker->frontier, i)->choices[0].energy_nj;
		time_ns[i] = perseus_frontier_class(checker->frontier, i)->choices[0].time_ns;
	}
	if (status == PERSEUS_OK)
		status = check_energy(checker, &plan->baseline, energy_nj, time_ns, "baseline");
	if (status == PERSEUS_OK && highest_makespan_ns(checker, time_ns, room + 2 * n) != plan->baseline.iteration_time_ns)
		status = perseus__fail(checker->err, PERSEUS_INVALID, "plan: the baseline does not take %" PRId64 " ns",
				plan->baseline.iteration_time_ns);
	perseus__free(room);
	return status;
}

static enum perseus_status
check_changes(const struct perseus__checker *checker)
{
	for (int32_t rank = 0; rank < checker->plan->n_ranks; rank++) {
		int32_t clock_mhz = 0;
		int32_t n = 0;
		for (int32_t i = checker->schedule->rank_begin[rank]; i < checker->schedule->rank_begin[rank + 1]; i++)
			if (perseus__check_needs_clock(perseus_frontier_class(checker->frontier, i)))
				clock_mhz = checker->plan->steps[i].frequency_mhz;
		for (int32_t i = checker->schedule->rank_begin[rank]; i < checker->schedule->rank_begin[rank + 1]; i++)
			if (perseus__check_needs_clock(perseus_frontier_class(checker->frontier, i))
					&& checker->plan->steps[i].frequency_mhz != clock_mhz) {
				clock_mhz = checker->plan->steps[i].frequency_mhz;
				n++;
			}
		if (n != checker->plan->clock_changes[rank])
			return perseus__fail(checker->err, PERSEUS_INVALID,
					"plan: rank %d changes its clock %d times in an iteration, not %d", (int)rank, (int)n,
					(int)checker->plan->clock_changes[rank]);
	}
	return PERSEUS_OK;
}

/* Whether two instructions of one stage must share a clock. */
static bool
may_differ(enum perseus_granularity granularity, const struct perseus_class *a, const struct perseus_class *b)
{
	switch (granularity) {
	case PERSEUS_GRANULARITY_AUTO:
	case PERSEUS_GRANULARITY_INSTRUCTION:
		return true;
	case PERSEUS_GRANULARITY_KIND:
		return strcmp(a->name, b->name) != 0;
	case PERSEUS_GRANULARITY_ENDS: /* see check_sharing */
	case PERSEUS_GRANULARITY_STAGE:
	case PERSEUS_GRANULARITY_JOB:
		return false;
	}
	return false;
}

/*
 * Every instruction against the first of its kind in its stage, or of the job: quadratic only in the number of classes.
 * ENDS allows a stage two clocks, one of which at most two instructions have.
 */
static enum perseus_status
check_sharing(const struct perseus__checker *checker)
{
	const struct perseus_plan *plan = checker->plan;
	int32_t *first = perseus__new_array((size_t)plan->n_instructions, sizeof *first);
	if (!first)
		return perseus__no_memory(checker->err);
	int32_t n_first = 0;
	int32_t wrong = -1;
	for (int32_t i = 0; i < plan->n_instructions && wrong < 0; i++) {
		const struct perseus_class *class_ = perseus_frontier_class(checker->frontier, i);
		if (!perseus__check_needs_clock(class_))
			continue;
		int32_t k = 0;
		for (; k < n_first; k++) {
			const bool is_near = plan->granularity == PERSEUS_GRANULARITY_JOB
					|| checker->schedule->instructions[first[k]].stage == checker->schedule->instructions[i].stage;
			if (is_near && !may_differ(plan->granularity, perseus_frontier_class(checker->frontier, first[k]), class_))
				break;
		}
		if (k == n_first)
			first[n_first++] = i;
		else if (plan->steps[first[k]].frequency_mhz != plan->steps[i].frequency_mhz)
			wrong = i;
	}
	perseus__free(first);
	return wrong < 0 ? PERSEUS_OK
					 : perseus__check_fail(checker, wrong, "has another clock than the granularity allows");
}

/* Of a stage's instructions, those of its rarer clock: two at most for every rank that runs the stage. */
static enum perseus_status
check_ends(const struct perseus__checker *checker)
{
	const struct perseus_plan *plan = checker->plan;
	for (int32_t stage = 0; stage < checker->schedule->n_stages; stage++) {
		int32_t mhz[2] = {0, 0};
		int32_t count[2] = {0, 0};
		int32_t n_ranks = 0;
		int32_t last_rank = -1;
		for (int32_t i = 0; i < plan->n_instructions; i++) {
			if (checker->schedule->instructions[i].stage != stage
					|| !perseus__check_needs_clock(perseus_frontier_class(checker->frontier, i)))
				continue;
			n_ranks += checker->schedule->instructions[i].rank != last_rank;
			last_rank = checker->schedule->instructions[i].rank;
			const int32_t clock_mhz = plan->steps[i].frequency_mhz;
			const int32_t which = count[0] == 0 || mhz[0] == clock_mhz ? 0 : 1;
			if (which == 1 && count[1] > 0 && mhz[1] != clock_mhz)
				return perseus__check_fail(checker, i, "is at the third clock of its stage");
			mhz[which] = clock_mhz;
			count[which]++;
		}
		if (count[0] > 2 * n_ranks && count[1] > 2 * n_ranks)
			return perseus__fail(checker->err, PERSEUS_INVALID,
					"plan: stage %d has %d instructions at %d MHz and %d at %d MHz: not its ends against the rest",
					(int)stage, (int)count[0], (int)mhz[0], (int)count[1], (int)mhz[1]);
	}
	return PERSEUS_OK;
}

static bool
is_near(double value, double expected, double scale)
{
	return isfinite(value) && fabs(value - expected) <= DOUBLE_TOLERANCE * (fabs(scale) + 1);
}

/* The bound, from the certificate of the frontier and its own proof, and what follows from it. */
static enum perseus_status
check_bound(const struct perseus__checker *checker)
{
	const struct perseus_plan *plan = checker->plan;
	struct perseus_certificate *certificate = NULL;
	const int64_t until_ns = perseus__check_period_ns(plan);
	enum perseus_status status = perseus_frontier_certificate(checker->frontier, until_ns, &certificate, checker->err);
	if (status != PERSEUS_OK)
		return status;
	double proven_j;
	double relaxed_j;
	status = perseus_certificate_check(certificate, perseus_frontier_profile(checker->frontier), checker->schedule, 1.0,
			&proven_j, &relaxed_j, checker->err);
	perseus_certificate_free(certificate);
	if (status != PERSEUS_OK)
		return status;
	const double rest_j = (double)checker->workload->blocking_uw * (double)until_ns * 1e-15
			+ (double)checker->workload->transfer_nj * 1e-9;
	const double energy_j = (double)plan->outcome.energy_nj / 1e9;
	const double scale_j = fabs(relaxed_j) + rest_j + energy_j;
	if (!is_near(plan->lower_bound_j, proven_j + rest_j, scale_j))
		return perseus__fail(checker->err, PERSEUS_INVALID,
				"plan: the lower bound is said to be %.9g J, proven is %.9g J", plan->lower_bound_j, proven_j + rest_j);
	/* Effective energies are rounded to 1 nJ choice by choice, which counts in jobs of less than a joule. */
	const double rounding_j = 1e-9 * (double)plan->n_instructions;
	if (energy_j < plan->lower_bound_j - DOUBLE_TOLERANCE * scale_j - rounding_j)
		return perseus__fail(checker->err, PERSEUS_INVALID, "plan: its energy of %.9g J is below the bound of %.9g J",
				energy_j, plan->lower_bound_j);
	const double baseline_j = (double)plan->baseline.energy_nj / 1e9;
	if (plan->lower_bound_j > 0 && !is_near(plan->gap * plan->lower_bound_j, energy_j - plan->lower_bound_j, scale_j))
		return perseus__fail(checker->err, PERSEUS_INVALID, "plan: the gap is not %.9g", plan->gap);
	if (baseline_j > 0 && !is_near(plan->saving * baseline_j, baseline_j - energy_j, scale_j))
		return perseus__fail(checker->err, PERSEUS_INVALID, "plan: the saving is not %.9g", plan->saving);
	return PERSEUS_OK;
}

enum perseus_status
perseus_plan_check(const struct perseus_plan *plan, const struct perseus_frontier *frontier, struct perseus_error *err)
{
	const struct perseus__checker checker = {.plan = plan,
		.frontier = frontier,
		.workload = perseus__frontier_workload(frontier),
		.schedule = perseus_frontier_schedule(frontier),
		.err = err};
	enum perseus_status (*const checks[])(const struct perseus__checker *) = {
		check_shape, check_clocks, check_order, perseus__check_steps, check_outcomes, check_changes, check_bound};
	for (size_t k = 0; k < sizeof checks / sizeof *checks; k++) {
		const enum perseus_status status = checks[k](&checker);
		if (status != PERSEUS_OK)
			return status;
	}
	if (plan->granularity == PERSEUS_GRANULARITY_ENDS)
		return check_ends(&checker);
	if (plan->granularity == PERSEUS_GRANULARITY_AUTO || plan->granularity == PERSEUS_GRANULARITY_INSTRUCTION)
		return PERSEUS_OK;
	return check_sharing(&checker);
}
