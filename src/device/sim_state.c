/* How a simulated GPU passes in time. */
#include "device/sim_state.h"

#include "device/sim.h"

#include <math.h>

/*
 * Temperature only has to be plausible: it follows power with one time constant, to 75 °C at the highest power limit.
 */
static const double AMBIENT_C = 30;
static const double RISE_C = 45;
static const double WARMING_NS = 20e9;

/* Rounding must not make an end of work out of the moment before it: only end_work does. */
static const double LEAST_WORK_NS = 1e-3;

/* The golden ratio spreads the phases of any number of GPUs evenly. */
static const double PHASE_SPREAD = 0.6180339887498949;

struct perseus__sim_state
perseus__sim_state_new(const struct perseus__sim_rules *rules, int32_t gpu, int64_t now_ns)
{
	const double turns = PHASE_SPREAD * (gpu + 1);
	return (struct perseus__sim_state){
		.time_ns = now_ns,
		.phase_ns = now_ns + (int64_t)((turns - floor(turns)) * (double)rules->step_ns),
		.limit_mw = rules->model.limit_max_mw,
		.temperature_c = AMBIENT_C,
		.slowness = 1,
	};
}

static bool
is_free(struct perseus__sim_range range)
{
	return range.high_mhz == 0;
}

int32_t
perseus__sim_state_clock(
		const struct perseus__sim_state *state, const struct perseus__sim_rules *rules, int64_t *reasons)
{
	const struct perseus__sim_model *model = &rules->model;
	const struct perseus__sim_range range = state->in_effect;
	const int32_t lowest = model->n_clocks - 1;
	*reasons = 0;
	if (state->load == 0) {
		*reasons = PERSEUS_REASON_IDLE;
		return is_free(range) ? lowest : perseus__sim_model_clock(model, range.low_mhz);
	}
	int32_t clock = is_free(range) ? 0 : perseus__sim_model_clock(model, range.high_mhz);
	if (state->load == PERSEUS__SIM_LOAD_BLOCKING) /* what it draws does not depend on the clock */
		return clock;
	while (clock < lowest && perseus__sim_model_power_uw(model, clock, state->load) > state->limit_mw * 1000) {
		*reasons = PERSEUS_REASON_POWER_CAP;
		clock++;
	}
	return clock;
}

double
perseus__sim_state_slowdown(const struct perseus__sim_state *state, const struct perseus__sim_rules *rules)
{
	int64_t reasons;
	return rules->model.slowdown[perseus__sim_state_clock(state, rules, &reasons)] * state->slowness;
}

static int64_t
state_power_uw(const struct perseus__sim_state *state, const struct perseus__sim_rules *rules)
{
	int64_t reasons;
	const int32_t clock = perseus__sim_state_clock(state, rules, &reasons);
	return perseus__sim_model_power_uw(&rules->model, clock, state->load);
}

/* The last moment up to `time_ns` at which the counter moves. */
static int64_t
last_step(const struct perseus__sim_state *state, int64_t step_ns, int64_t time_ns)
{
	const int64_t since_ns = time_ns - state->phase_ns;
	const int64_t beyond_ns = since_ns % step_ns;
	return time_ns - (beyond_ns < 0 ? beyond_ns + step_ns : beyond_ns);
}

/* Lets time pass in which nothing changes. */
static void
integrate(struct perseus__sim_state *state, const struct perseus__sim_rules *rules, int64_t until_ns)
{
	const int64_t power_uw = state_power_uw(state, rules);
	const int64_t step_at_ns = last_step(state, rules->step_ns, until_ns);
	const bool is_stuck = (state->faults & 1U << PERSEUS__SIM_FAULT_STUCK) != 0;
	if (step_at_ns > state->time_ns && !is_stuck)
		state->counter_fj = state->energy_fj + (perseus__wide)power_uw * (step_at_ns - state->time_ns);
	const int64_t passed_ns = until_ns - state->time_ns;
	state->energy_fj += (perseus__wide)power_uw * passed_ns;
	if (state->work_ns > 0) {
		const double done_ns = (double)passed_ns / perseus__sim_state_slowdown(state, rules);
		state->work_ns = fmax(LEAST_WORK_NS, state->work_ns - done_ns);
	}
	const double goal_c = AMBIENT_C + RISE_C * (double)power_uw / (1000 * (double)rules->model.limit_max_mw);
	state->temperature_c = goal_c + (state->temperature_c - goal_c) * exp(-(double)passed_ns / WARMING_NS);
	state->time_ns = until_ns;
}

static void
apply_first_pending(struct perseus__sim_state *state)
{
	state->in_effect = state->pending[0].range;
	state->n_pending--;
	for (int32_t i = 0; i < state->n_pending; i++)
		state->pending[i] = state->pending[i + 1];
}

/* When the work is done at this clock; INT64_MAX where there is none. */
static int64_t
work_end_at_this_clock_ns(const struct perseus__sim_state *state, const struct perseus__sim_rules *rules)
{
	if (!(state->work_ns > 0))
		return INT64_MAX;
	return state->time_ns + (int64_t)ceil(state->work_ns * perseus__sim_state_slowdown(state, rules));
}

static void
end_work(struct perseus__sim_state *state)
{
	state->work_ns = 0;
	state->load = PERSEUS__SIM_LOAD_BLOCKING;
}

/* Lets time pass until the next thing happens, and has it happen; false where nothing does until `now_ns`. */
static bool
pass_event(struct perseus__sim_state *state, const struct perseus__sim_rules *rules, int64_t now_ns)
{
	const int64_t end_ns = work_end_at_this_clock_ns(state, rules);
	const int64_t change_ns = state->n_pending > 0 ? state->pending[0].at_ns : INT64_MAX;
	if (end_ns > now_ns && change_ns > now_ns)
		return false;
	integrate(state, rules, end_ns <= change_ns ? end_ns : change_ns);
	if (end_ns <= change_ns)
		end_work(state);
	else
		apply_first_pending(state);
	return true;
}

void
perseus__sim_state_advance(struct perseus__sim_state *state, const struct perseus__sim_rules *rules, int64_t now_ns)
{
	if (now_ns <= state->time_ns)
		return;
	while (pass_event(state, rules, now_ns))
		continue;
	integrate(state, rules, now_ns);
}

int64_t
perseus__sim_state_work_end_ns(const struct perseus__sim_state *state, const struct perseus__sim_rules *rules)
{
	struct perseus__sim_state ahead = *state;
	while (ahead.work_ns > 0 && pass_event(&ahead, rules, INT64_MAX - 1))
		continue;
	return ahead.time_ns;
}

void
perseus__sim_state_lock(
		struct perseus__sim_state *state, const struct perseus__sim_rules *rules, struct perseus__sim_range range)
{
	state->sm_clocks = range;
	if (rules->latency_ns == 0) {
		state->in_effect = range;
		return;
	}
	const int32_t at = state->n_pending < PERSEUS__SIM_MAX_PENDING ? state->n_pending++ : PERSEUS__SIM_MAX_PENDING - 1;
	state->pending[at] = (struct perseus__sim_change){.at_ns = state->time_ns + rules->latency_ns, .range = range};
}
