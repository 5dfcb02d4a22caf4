/*
 * The run of a job: events as they happen, and every policy after them.
 */
#include "base/error.h"
#include "base/memory.h"
#include "fleet/policy_run.h"
#include "fleet/simulate_check.h"

#include <perseus/simulate.h>

struct fleet {
	const struct perseus_simulation *simulation;
	struct perseus__work work;
	double *degree;        /* length n_pipelines */
	int64_t *latest_event; /* length n_pipelines: that set its degree */
	int32_t n_stragglers;
	int64_t n_happened; /* events */
	struct perseus__policy_run *runs;
	int32_t n_runs;
};

static void
fleet_fini(struct fleet *fleet)
{
	for (int32_t k = 0; k < fleet->n_runs; k++)
		perseus__policy_run_fini(&fleet->runs[k]);
	perseus__free(fleet->runs);
	perseus__free(fleet->degree);
	perseus__free(fleet->latest_event);
}

/* On failure the fleet is to be freed all the same. */
static enum perseus_status
fleet_init(struct fleet *fleet, struct perseus_error *err)
{
	const struct perseus_simulation *simulation = fleet->simulation;
	fleet->degree = perseus__new_array((size_t)simulation->n_pipelines, sizeof *fleet->degree);
	fleet->latest_event = perseus__new_array((size_t)simulation->n_pipelines, sizeof *fleet->latest_event);
	fleet->runs = perseus__new_array((size_t)simulation->n_policies, sizeof *fleet->runs);
	if (!fleet->degree || !fleet->latest_event || !fleet->runs)
		return perseus__no_memory(err);
	for (int32_t p = 0; p < simulation->n_pipelines; p++)
		fleet->degree[p] = 1;
	for (; fleet->n_runs < simulation->n_policies; fleet->n_runs++) {
		const enum perseus_status status = perseus__policy_run_init(&fleet->runs[fleet->n_runs], simulation,
				&fleet->work, fleet->n_runs, fleet->degree, fleet->latest_event, err);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}

/* The events of this iteration. */
static enum perseus_status
happen(struct fleet *fleet, int64_t iteration, struct perseus_error *err)
{
	const struct perseus_simulation *simulation = fleet->simulation;
	const int64_t begin = fleet->n_happened;
	for (; fleet->n_happened < simulation->n_events; fleet->n_happened++) {
		const struct perseus_straggler_event *event = &simulation->events[fleet->n_happened];
		if (event->iteration > iteration)
			break;
		double *degree = &fleet->degree[event->pipeline];
		fleet->n_stragglers += (event->degree > 1) - (*degree > 1);
		*degree = event->degree;
		fleet->latest_event[event->pipeline] = fleet->n_happened;
	}
	enum perseus_status status = PERSEUS_OK;
	for (int32_t k = 0; k < fleet->n_runs && begin < fleet->n_happened && status == PERSEUS_OK; k++)
		status = perseus__policy_run_happen(&fleet->runs[k], begin, fleet->n_happened, err);
	return status;
}

static enum perseus_status
run_all(struct fleet *fleet, bool (*each)(const struct perseus_simulated_iteration *iteration, void *user), void *user,
		struct perseus_error *err)
{
	for (int64_t i = 0; i < fleet->simulation->n_iterations; i++) {
		const enum perseus_status status = happen(fleet, i, err);
		if (status != PERSEUS_OK)
			return status;
		for (int32_t k = 0; k < fleet->n_runs; k++) {
			perseus__policy_run_step(&fleet->runs[k], i, fleet->n_stragglers);
			if (each && !each(&fleet->runs[k].iteration, user))
				return perseus__fail(err, PERSEUS_CANCELLED, "the simulation was stopped");
		}
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus_simulate(const struct perseus_simulation *simulation,
		bool (*each)(const struct perseus_simulated_iteration *iteration, void *user), void *user,
		struct perseus_simulated_total *totals, struct perseus_error *err)
{
	struct fleet fleet = {.simulation = simulation, .work = perseus__work_of(simulation->frontier)};
	enum perseus_status status = perseus__simulation_check(simulation, &fleet.work, err);
	if (status != PERSEUS_OK)
		return status;
	status = fleet_init(&fleet, err);
	if (status == PERSEUS_OK)
		status = run_all(&fleet, each, user, err);
	for (int32_t k = 0; k < fleet.n_runs && status == PERSEUS_OK; k++)
		totals[k] = perseus__policy_run_total(&fleet.runs[k]);
	fleet_fini(&fleet);
	return status;
}
