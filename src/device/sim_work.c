/* Work that simulated GPUs do in real time. */
#include "device/sim_gpu.h"

#include "base/error.h"
#include "base/units.h"
#include "device/sim.h"

#include <math.h>
#include <time.h>

/* A sleep ends as late as the timer is slack, by default up to 50 µs: that much is spun. */
static const int64_t SPIN_NS = 80000;
/* By a clock that a test turns nobody knows how long to sleep. */
static const int64_t FOREIGN_NAP_NS = 100000;
static const double MAX_SLOWNESS = 1000;
static const int64_t MAX_WORK_NS = (int64_t)3600 * PERSEUS__NS_PER_S;

static enum perseus_status
check_work(double load, int64_t work_ns, struct perseus_error *err)
{
	if (!(load >= 0 && load <= 1))
		return perseus__fail(err, PERSEUS_INVALID, "a load of %g is not within 0..1", load);
	if (work_ns < 0 || work_ns > MAX_WORK_NS)
		return perseus__fail(err, PERSEUS_INVALID, "work of %lld ns is not within an hour", (long long)work_ns);
	return PERSEUS_OK;
}

enum perseus_status
perseus__sim_start(
		const struct perseus_node *node, int32_t device, double load, int64_t work_ns, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = perseus__sim_find(node, device, err);
	if (!gpu)
		return PERSEUS_INVALID;
	const enum perseus_status status = check_work(load, work_ns, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__sim_state *state = perseus__sim_hold(gpu);
	state->work_ns = (double)work_ns;
	state->load = work_ns > 0 ? (int32_t)lround(load * (double)PERSEUS__SIM_LOAD_UNITS) : PERSEUS__SIM_LOAD_BLOCKING;
	perseus__sim_store_keep(gpu->sim->store, gpu->index);
	return PERSEUS_OK;
}

enum perseus_status
perseus__sim_work_end(
		const struct perseus_node *node, int32_t device, bool *is_done, int64_t *end_ns, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = perseus__sim_find(node, device, err);
	if (!gpu)
		return PERSEUS_INVALID;
	const struct perseus__sim_state state = perseus__sim_look(gpu);
	*is_done = !(state.work_ns > 0);
	*end_ns = perseus__sim_state_work_end_ns(&state, &gpu->sim->rules);
	return PERSEUS_OK;
}

static void
sleep_until(int64_t time_ns)
{
	const struct timespec time = {.tv_sec = time_ns / PERSEUS__NS_PER_S, .tv_nsec = time_ns % PERSEUS__NS_PER_S};
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL); /* whoever wakes early looks again */
}

/*
 * The next moment to look at the GPU again. A clock change that is asked for later takes effect a latency later, and
 * even then nothing ends before what is left is done at the highest clock: until either there is nothing to see.
 */
static int64_t
next_look_ns(const struct perseus__sim_state *state, const struct perseus__sim_rules *rules)
{
	const int64_t end_ns = perseus__sim_state_work_end_ns(state, rules);
	const int64_t soonest_ns = state->time_ns + (int64_t)state->work_ns;
	const int64_t certain_ns = state->time_ns + rules->latency_ns;
	const int64_t blind_ns = soonest_ns > certain_ns ? soonest_ns : certain_ns;
	return end_ns < blind_ns ? end_ns : blind_ns;
}

static void
wait_until(const struct perseus__sim *sim, int64_t look_ns)
{
	if (sim->now_ns) {
		const struct timespec nap = {.tv_nsec = FOREIGN_NAP_NS};
		(void)nanosleep(&nap, NULL); /* whoever wakes early looks again */
		return;
	}
	if (perseus__sim_now_ns(sim) < look_ns - SPIN_NS)
		sleep_until(look_ns - SPIN_NS);
	while (perseus__sim_now_ns(sim) < look_ns)
		;
}

enum perseus_status
perseus__sim_wait(const struct perseus_node *node, int32_t device, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = perseus__sim_find(node, device, err);
	if (!gpu)
		return PERSEUS_INVALID;
	struct perseus__sim_state state = perseus__sim_look(gpu);
	while (state.work_ns > 0) {
		wait_until(gpu->sim, next_look_ns(&state, &gpu->sim->rules));
		state = perseus__sim_look(gpu);
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__sim_run(
		const struct perseus_node *node, int32_t device, double load, int64_t work_ns, struct perseus_error *err)
{
	const enum perseus_status status = perseus__sim_start(node, device, load, work_ns, err);
	return status == PERSEUS_OK ? perseus__sim_wait(node, device, err) : status;
}

enum perseus_status
perseus__sim_slow(const struct perseus_node *node, int32_t device, double slowness, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = perseus__sim_find(node, device, err);
	if (!gpu)
		return PERSEUS_INVALID;
	if (!(slowness >= 1 && slowness <= MAX_SLOWNESS))
		return perseus__fail(err, PERSEUS_INVALID, "a slowness of %g is not within 1..%g", slowness, MAX_SLOWNESS);
	struct perseus__sim_state *state = perseus__sim_hold(gpu);
	state->slowness = slowness;
	perseus__sim_store_keep(gpu->sim->store, gpu->index);
	return PERSEUS_OK;
}

enum perseus_status
perseus__sim_truth(const struct perseus_node *node, int32_t device, const struct perseus__sim_work *work,
		int64_t *time_ns, int64_t *energy_nj, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = perseus__sim_find(node, device, err);
	if (!gpu)
		return PERSEUS_INVALID;
	const enum perseus_status status = check_work(work->load, work->work_ns, err);
	if (status != PERSEUS_OK)
		return status;
	const struct perseus__sim_model *model = &gpu->sim->rules.model;
	const int32_t clock = perseus__sim_model_clock(model, work->clock_mhz);
	if (clock == model->n_clocks || model->clock_mhz[clock] != work->clock_mhz)
		return perseus__fail(err, PERSEUS_INVALID, "the GPU has no clock of %d MHz", work->clock_mhz);
	const int32_t load = (int32_t)lround(work->load * (double)PERSEUS__SIM_LOAD_UNITS);
	*time_ns = llround((double)work->work_ns * model->slowdown[clock]);
	*energy_nj = (int64_t)((perseus__wide)perseus__sim_model_power_uw(model, clock, load) * *time_ns / 1000000);
	return PERSEUS_OK;
}
