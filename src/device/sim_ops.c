/* The operations of simulated GPUs, over states that processes share. */
#include "device/sim_gpu.h"

#include "base/clock.h"
#include "base/error.h"
#include "device/sim.h"

#include <math.h>
#include <stddef.h>

int64_t
perseus__sim_now_ns(const struct perseus__sim *sim)
{
	return sim->now_ns ? sim->now_ns(sim->now_user) : perseus__clock_mono_ns();
}

struct perseus__sim_state *
perseus__sim_hold(const struct perseus__sim_gpu *gpu)
{
	struct perseus__sim_state *state = perseus__sim_store_hold(gpu->sim->store, gpu->index);
	perseus__sim_state_advance(state, &gpu->sim->rules, perseus__sim_now_ns(gpu->sim));
	return state;
}

struct perseus__sim_state
perseus__sim_look(const struct perseus__sim_gpu *gpu)
{
	const struct perseus__sim_state state = *perseus__sim_hold(gpu);
	perseus__sim_store_drop(gpu->sim->store, gpu->index);
	return state;
}

static bool
has_fault(const struct perseus__sim_state *state, enum perseus__sim_fault fault)
{
	return (state->faults & 1U << fault) != 0;
}

static enum perseus_status
fail_lost(struct perseus_error *err)
{
	return perseus__fail(err, PERSEUS_IO, "GPU is lost");
}

static enum perseus_status
fail_unsupported(struct perseus_error *err)
{
	return perseus__fail(err, PERSEUS_UNSUPPORTED, "Not Supported");
}

/* The counter, in whole mJ as the driver has it. */
static int64_t
counter_uj(const struct perseus__sim_state *state)
{
	const perseus__wide fj_per_mj = 1000000000000;
	return (int64_t)(state->counter_fj / fj_per_mj) * 1000;
}

static int32_t
memory_mhz(const struct perseus__sim *sim, const struct perseus__sim_state *state)
{
	const struct perseus__sim_model *model = &sim->rules.model;
	if (state->memory_clocks.high_mhz > 0)
		return state->load == 0 ? state->memory_clocks.low_mhz : state->memory_clocks.high_mhz;
	return state->load == 0 ? model->memory_mhz[model->n_memory_clocks - 1] : model->memory_mhz[0];
}

static enum perseus_status
read_value(const struct perseus__sim *sim, const struct perseus__sim_state *state, enum perseus_quantity quantity,
		int64_t *value, struct perseus_error *err)
{
	const struct perseus__sim_model *model = &sim->rules.model;
	int64_t reasons;
	const int32_t clock = perseus__sim_state_clock(state, &sim->rules, &reasons);
	switch (quantity) {
	case PERSEUS_QUANTITY_ENERGY:
		if (has_fault(state, PERSEUS__SIM_FAULT_NO_COUNTER))
			return fail_unsupported(err);
		*value = counter_uj(state);
		return PERSEUS_OK;
	case PERSEUS_QUANTITY_POWER:
		if (has_fault(state, PERSEUS__SIM_FAULT_NO_POWER))
			return fail_unsupported(err);
		*value = perseus__sim_model_power_uw(model, clock, state->load) / 1000;
		return PERSEUS_OK;
	case PERSEUS_QUANTITY_SM_CLOCK:
		*value = model->clock_mhz[clock];
		return PERSEUS_OK;
	case PERSEUS_QUANTITY_MEMORY_CLOCK:
		if (model->n_memory_clocks == 0)
			return fail_unsupported(err);
		*value = memory_mhz(sim, state);
		return PERSEUS_OK;
	case PERSEUS_QUANTITY_CLOCK_REASONS:
		*value = reasons;
		return PERSEUS_OK;
	case PERSEUS_QUANTITY_TEMPERATURE:
		*value = llround(state->temperature_c);
		return PERSEUS_OK;
	case PERSEUS_QUANTITY_POWER_LIMIT:
		*value = state->limit_mw;
		return PERSEUS_OK;
	case PERSEUS_QUANTITY_POWER_LIMIT_MIN:
		*value = model->limit_min_mw;
		return PERSEUS_OK;
	case PERSEUS_QUANTITY_POWER_LIMIT_MAX:
	case PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT:
		*value = model->limit_max_mw;
		return PERSEUS_OK;
	case PERSEUS_QUANTITY_PERSISTENCE:
		*value = state->persistence;
		return PERSEUS_OK;
	}
	return fail_unsupported(err);
}

static enum perseus_status
sim_read(void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = self;
	const struct perseus__sim_state state = perseus__sim_look(gpu);
	if (has_fault(&state, PERSEUS__SIM_FAULT_LOST))
		return fail_lost(err);
	return read_value(gpu->sim, &state, quantity, value, err);
}

/* Whether a setting can be set at all. */
static enum perseus_status
check_state(const struct perseus__sim *sim, const struct perseus__sim_state *state, enum perseus_setting setting,
		struct perseus_error *err)
{
	if (has_fault(state, PERSEUS__SIM_FAULT_LOST))
		return fail_lost(err);
	if (setting == PERSEUS_SETTING_MEMORY_CLOCKS
			&& (has_fault(state, PERSEUS__SIM_FAULT_NO_MEMORY_CLOCKS) || sim->rules.model.n_memory_clocks == 0))
		return fail_unsupported(err);
	if (has_fault(state, PERSEUS__SIM_FAULT_DENIED))
		return perseus__fail(err, PERSEUS_DENIED, "Insufficient Permissions");
	return PERSEUS_OK;
}

static enum perseus_status
sim_check(void *self, enum perseus_setting setting, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = self;
	const struct perseus__sim_state state = perseus__sim_look(gpu);
	return check_state(gpu->sim, &state, setting, err);
}

static enum perseus_status
sim_clocks(void *self, enum perseus_setting setting, int32_t *mhz, int32_t *n, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = self;
	const struct perseus__sim_model *model = &gpu->sim->rules.model;
	const struct perseus__sim_state state = perseus__sim_look(gpu);
	if (has_fault(&state, PERSEUS__SIM_FAULT_LOST))
		return fail_lost(err);
	const bool is_memory = setting == PERSEUS_SETTING_MEMORY_CLOCKS;
	if (is_memory && (has_fault(&state, PERSEUS__SIM_FAULT_NO_MEMORY_CLOCKS) || model->n_memory_clocks == 0))
		return fail_unsupported(err);
	*n = is_memory ? model->n_memory_clocks : model->n_clocks;
	for (int32_t i = 0; i < *n; i++)
		mhz[i] = is_memory ? model->memory_mhz[i] : model->clock_mhz[i];
	return PERSEUS_OK;
}

/* low..high in clocks of the GPU, each the next at or below what was asked for. */
static enum perseus_status
round_range(const int32_t *clock_mhz, int32_t n_clocks, int64_t low, int64_t high, struct perseus__sim_range *range,
		struct perseus_error *err)
{
	if (low < clock_mhz[n_clocks - 1] || high > clock_mhz[0])
		return perseus__fail(err, PERSEUS_INVALID, "Invalid Argument: %lld..%lld MHz is not within %d..%d MHz",
				(long long)low, (long long)high, clock_mhz[n_clocks - 1], clock_mhz[0]);
	for (int32_t i = n_clocks - 1; i >= 0; i--) {
		range->low_mhz = clock_mhz[i] <= low ? clock_mhz[i] : range->low_mhz;
		range->high_mhz = clock_mhz[i] <= high ? clock_mhz[i] : range->high_mhz;
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__sim_set_limit(const struct perseus__sim_model *model, struct perseus__sim_state *state, int64_t limit_mw,
		struct perseus_error *err)
{
	if (limit_mw < model->limit_min_mw || limit_mw > model->limit_max_mw)
		return perseus__fail(err, PERSEUS_INVALID, "Invalid Argument: %lld mW is not within %lld..%lld mW",
				(long long)limit_mw, (long long)model->limit_min_mw, (long long)model->limit_max_mw);
	state->limit_mw = limit_mw;
	return PERSEUS_OK;
}

static enum perseus_status
set_state(const struct perseus__sim_rules *rules, struct perseus__sim_state *state, enum perseus_setting setting,
		const int64_t value[2], struct perseus_error *err)
{
	const struct perseus__sim_model *model = &rules->model;
	struct perseus__sim_range range = {0, 0};
	enum perseus_status status = PERSEUS_OK;
	switch (setting) {
	case PERSEUS_SETTING_SM_CLOCKS:
		status = round_range(model->clock_mhz, model->n_clocks, value[0], value[1], &range, err);
		if (status == PERSEUS_OK)
			perseus__sim_state_lock(state, rules, range);
		break;
	case PERSEUS_SETTING_MEMORY_CLOCKS:
		status = round_range(model->memory_mhz, model->n_memory_clocks, value[0], value[1], &range, err);
		if (status == PERSEUS_OK)
			state->memory_clocks = range;
		break;
	case PERSEUS_SETTING_POWER_LIMIT:
		status = perseus__sim_set_limit(model, state, value[0], err);
		break;
	case PERSEUS_SETTING_PERSISTENCE:
		state->persistence = (int32_t)value[0];
		break;
	}
	return status;
}

static void
reset_state(const struct perseus__sim_rules *rules, struct perseus__sim_state *state, enum perseus_setting setting)
{
	const struct perseus__sim_range free_range = {0, 0};
	switch (setting) {
	case PERSEUS_SETTING_SM_CLOCKS:
		perseus__sim_state_lock(state, rules, free_range);
		break;
	case PERSEUS_SETTING_MEMORY_CLOCKS:
		state->memory_clocks = free_range;
		break;
	case PERSEUS_SETTING_POWER_LIMIT:
		state->limit_mw = rules->model.limit_max_mw;
		break;
	case PERSEUS_SETTING_PERSISTENCE:
		state->persistence = 0;
		break;
	}
}

/* `value` NULL: resets. */
static enum perseus_status
change(const struct perseus__sim_gpu *gpu, enum perseus_setting setting, const int64_t value[2],
		struct perseus_error *err)
{
	struct perseus__sim *sim = gpu->sim;
	struct perseus__sim_state *state = perseus__sim_hold(gpu);
	enum perseus_status status = check_state(sim, state, setting, err);
	if (status == PERSEUS_OK && value)
		status = set_state(&sim->rules, state, setting, value, err);
	else if (status == PERSEUS_OK)
		reset_state(&sim->rules, state, setting);
	if (status == PERSEUS_OK)
		perseus__sim_store_keep(sim->store, gpu->index);
	else
		perseus__sim_store_drop(sim->store, gpu->index);
	return status;
}

static enum perseus_status
sim_set(void *self, enum perseus_setting setting, int64_t low, int64_t high, struct perseus_error *err)
{
	const int64_t value[2] = {low, high};
	return change(self, setting, value, err);
}

static enum perseus_status
sim_reset(void *self, enum perseus_setting setting, struct perseus_error *err)
{
	return change(self, setting, NULL, err);
}

const struct perseus__device_ops perseus__sim_ops = {
	.read = sim_read,
	.clocks = sim_clocks,
	.check = sim_check,
	.set = sim_set,
	.reset = sim_reset,
};
