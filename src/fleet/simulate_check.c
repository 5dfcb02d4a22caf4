/*
 * Counts, events and policies in range, and sums that cannot overflow.
 */
#include "fleet/simulate_check.h"

#include "base/error.h"
#include "fleet/policy_run.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* A time whose product with a degree may be rounded to 64 bits. */
static const double max_held_ns = 0x1p62;

static enum perseus_status
check_counts(const struct perseus_simulation *simulation, struct perseus_error *err)
{
	const struct {
		const char *name;
		int64_t value;
		int64_t least;
	} counts[] = {
		{"n_pipelines", simulation->n_pipelines, 1},
		{"gpus_per_stage", simulation->gpus_per_stage, 1},
		{"n_iterations", simulation->n_iterations, 1},
		{"n_policies", simulation->n_policies, 1},
		{"n_events", simulation->n_events, 0},
		{"sync_ns", simulation->sync_ns, 0},
		{"reaction_ns", simulation->reaction_ns, 0},
	};
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
		if (counts[k].value < counts[k].least)
			return perseus__fail(err, PERSEUS_INVALID, "%s is %" PRId64 ", expected at least %" PRId64, counts[k].name,
					counts[k].value, counts[k].least);
	return PERSEUS_OK;
}

static enum perseus_status
check_events(const struct perseus_simulation *simulation, struct perseus_error *err)
{
	int64_t before = 0;
	for (int64_t e = 0; e < simulation->n_events; e++) {
		const struct perseus_straggler_event *event = &simulation->events[e];
		if (event->iteration < before)
			return perseus__fail(err, PERSEUS_INVALID,
					"event %" PRId64 ": iteration %" PRId64 ", expected %" PRId64 " or later", e, event->iteration,
					before);
		if (event->pipeline < 0 || event->pipeline >= simulation->n_pipelines)
			return perseus__fail(err, PERSEUS_INVALID, "event %" PRId64 ": pipeline %d, expected 0 to %d", e,
					(int)event->pipeline, (int)simulation->n_pipelines - 1);
		if (!(event->degree >= 1 && event->degree <= PERSEUS_MAX_DEGREE))
			return perseus__fail(err, PERSEUS_INVALID, "event %" PRId64 ": degree %g, expected 1 to %g", e,
					event->degree, PERSEUS_MAX_DEGREE);
		before = event->iteration;
	}
	return PERSEUS_OK;
}

static enum perseus_status
check_policy(const struct perseus_policy *policy, const struct perseus__work *work, struct perseus_error *err)
{
	if (policy->n_plans < 1)
		return perseus__fail(err, PERSEUS_INVALID, "policy %s has no plan", policy->name);
	for (int32_t k = 0; k < policy->n_plans; k++) {
		char whose[128];
		(void)snprintf(whose, sizeof whose, "policy %s: plan %d", policy->name, (int)k); /* a long name is cut */
		if (k > 0 && policy->plans[k].time_ns < policy->plans[k - 1].time_ns)
			return perseus__fail(err, PERSEUS_INVALID, "%s is faster than the one before it", whose);
		const enum perseus_status status = perseus__work_admits(work, &policy->plans[k], whose, err);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}

static double
greatest_degree(const struct perseus_simulation *simulation)
{
	double greatest = 1;
	for (int64_t e = 0; e < simulation->n_events; e++)
		greatest = fmax(greatest, simulation->events[e].degree);
	return greatest;
}

static perseus__wide
size_of(int64_t value)
{
	return value < 0 ? -(perseus__wide)value : value;
}

/* More than any part of the energy of one pipeline, one GPU per stage, in an iteration. */
static perseus__wide
most_energy_fj(const struct perseus_policy *policy, const struct perseus__work *work, int64_t longest_ns)
{
	const perseus__wide fj_per_nj = 1000000;
	perseus__wide most_nj = 0;
	for (int32_t k = 0; k < policy->n_plans; k++) {
		const struct perseus_policy_plan *plan = &policy->plans[k];
		const perseus__wide nj = size_of(plan->energy_nj) + 3 * size_of(plan->effective_nj)
				+ 2 * size_of(perseus__work_best_nj(work, plan->time_ns))
				+ size_of(perseus__work_best_nj(work, longest_ns));
		most_nj = nj > most_nj ? nj : most_nj;
	}
	return most_nj * fj_per_nj + (perseus__wide)work->blocking_uw * longest_ns;
}

static enum perseus_status
check_sums(const struct perseus_simulation *simulation, const struct perseus_policy *policy,
		const struct perseus__work *work, double worst, struct perseus_error *err)
{
	int64_t longest_ns = policy->plans[policy->n_plans - 1].time_ns;
	int64_t all_ns;
	if (worst * (double)longest_ns >= max_held_ns
			|| __builtin_add_overflow(perseus__held_ns(worst, longest_ns), simulation->sync_ns, &longest_ns)
			|| __builtin_mul_overflow(longest_ns, simulation->n_iterations, &all_ns))
		return perseus__fail(err, PERSEUS_INVALID,
				"policy %s: %" PRId64 " iterations may take more than 64 bits of ns, 292 years", policy->name,
				simulation->n_iterations);
	perseus__wide all_fj = most_energy_fj(policy, work, longest_ns);
	if (__builtin_mul_overflow(all_fj, (perseus__wide)simulation->n_pipelines, &all_fj)
			|| __builtin_mul_overflow(all_fj, (perseus__wide)simulation->gpus_per_stage, &all_fj)
			|| __builtin_mul_overflow(all_fj, (perseus__wide)simulation->n_iterations, &all_fj))
		return perseus__fail(err, PERSEUS_INVALID,
				"policy %s: the energy of %" PRId64 " iterations may take more than 128 bits of fJ", policy->name,
				simulation->n_iterations);
	return PERSEUS_OK;
}

enum perseus_status
perseus__simulation_check(
		const struct perseus_simulation *simulation, const struct perseus__work *work, struct perseus_error *err)
{
	enum perseus_status status = check_counts(simulation, err);
	if (status == PERSEUS_OK)
		status = check_events(simulation, err);
	const double worst = status == PERSEUS_OK ? greatest_degree(simulation) : 1;
	for (int32_t k = 0; k < simulation->n_policies && status == PERSEUS_OK; k++) {
		status = check_policy(&simulation->policies[k], work, err);
		if (status == PERSEUS_OK)
			status = check_sums(simulation, &simulation->policies[k], work, worst, err);
	}
	return status;
}
