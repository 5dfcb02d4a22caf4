/* Opening simulated GPUs, and what a workload or a test does to them. */
#include "device/sim_gpu.h"

#include "base/error.h"
#include "base/memory.h"
#include "device/sim.h"
#include "device/sim_spec.h"
#include "device/visible.h"

#include <math.h>
#include <stdio.h>

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t
mix(uint64_t value)
{
	value += 0x9e3779b97f4a7c15;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

/* The same for the same GPU of the same node, whoever opens it. */
static void
make_uuid(uint64_t seed, int32_t gpu, char uuid[PERSEUS_DEVICE_TEXT_BYTES])
{
	const uint64_t high = mix(mix(seed) + (uint64_t)gpu);
	const uint64_t low = mix(high);
	(void)snprintf(uuid, PERSEUS_DEVICE_TEXT_BYTES, "GPU-%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
			(unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff), (unsigned)(low >> 48),
			(unsigned long long)(low & 0xffffffffffff));
}

static const char *
uuid_of(void *user, int32_t gpu)
{
	const struct perseus__sim *sim = user;
	return sim->uuids[gpu];
}

static enum perseus_status
add_gpu(struct perseus_node *node, struct perseus__sim *sim, int32_t index, struct perseus_error *err)
{
	const struct perseus__sim_model *model = &sim->rules.model;
	sim->gpus[index] = (struct perseus__sim_gpu){.sim = sim, .index = index};
	struct perseus__device device = {
		.info = {.kind = PERSEUS_DEVICE_GPU,
			.index = index,
			.is_simulated = true,
			.energy_step_ns = sim->rules.step_ns},
		.ops = &perseus__sim_ops,
		.self = &sim->gpus[index],
	};
	(void)snprintf(device.info.uuid, sizeof device.info.uuid, "%s", sim->uuids[index]);
	(void)snprintf(device.info.pci_address, sizeof device.info.pci_address, "0000:%02x:00.0", (unsigned)index + 1);
	(void)snprintf(device.info.name, sizeof device.info.name, "%s", model->name);
	(void)snprintf(device.info.architecture, sizeof device.info.architecture, "%s", model->architecture);
	(void)snprintf(device.info.note, sizeof device.info.note, "%s", model->note);
	return perseus__node_add(node, &device, err);
}

static enum perseus_status
add_visible(struct perseus_node *node, struct perseus__sim *sim, const char *visible_gpus, struct perseus_error *err)
{
	for (int32_t i = 0; i < sim->n_gpus; i++)
		make_uuid(perseus__sim_store_seed(sim->store), i, sim->uuids[i]);
	const struct perseus__visible_gpus gpus = {.n_gpus = sim->n_gpus, .uuid = uuid_of, .user = sim};
	enum perseus__visible visible[PERSEUS__SIM_MAX_GPUS];
	enum perseus_status status = perseus__visible_select(visible_gpus, &gpus, visible, err);
	for (int32_t i = 0; status == PERSEUS_OK && i < sim->n_gpus; i++)
		if (visible[i] != PERSEUS__HIDDEN)
			status = add_gpu(node, sim, i, err);
	if (status != PERSEUS_OK)
		return status;
	return perseus__visible_note(node, "sim", visible_gpus, visible, sim->n_gpus, err);
}

static enum perseus_status
make_rules(const struct perseus__sim_spec *spec, struct perseus__sim_rules *rules, struct perseus_error *err)
{
	if (perseus__sim_spec_is_profile(spec)) {
		const enum perseus_status status = perseus__sim_model_profile(spec->model, &rules->model, err);
		if (status != PERSEUS_OK)
			return status;
	} else if (!perseus__sim_model_builtin(spec->model, &rules->model)) {
		return perseus__fail(err, PERSEUS_INVALID,
				"there is no model '%s': a100, a40, or the path of a profile that ends in .csv", spec->model);
	}
	struct perseus__sim_model *model = &rules->model;
	while (model->n_clocks > 0 && model->clock_mhz[model->n_clocks - 1] < spec->min_mhz)
		model->n_clocks--;
	if (model->n_clocks == 0)
		return perseus__fail(
				err, PERSEUS_INVALID, "min_mhz: the model has no clock of %lld MHz or more", (long long)spec->min_mhz);
	rules->latency_ns = spec->latency_ns;
	rules->step_ns = spec->step_ns;
	if (spec->idle_uw >= 0)
		rules->model.idle_uw = spec->idle_uw;
	if (spec->blocking_uw >= 0)
		rules->model.blocking_uw = spec->blocking_uw;
	return PERSEUS_OK;
}

static struct perseus__sim_shape
make_shape(const struct perseus__sim_spec *spec, const struct perseus__sim_rules *rules)
{
	struct perseus__sim_shape shape = {.n_gpus = spec->n_gpus};
	shape.hash = perseus__sim_model_hash(&rules->model);
	shape.hash = mix(mix(shape.hash ^ (uint64_t)rules->latency_ns) ^ (uint64_t)rules->step_ns);
	(void)snprintf(shape.text, sizeof shape.text, "%d x %.*s (latency_ms=%g, step_ms=%g)", spec->n_gpus, 60,
			rules->model.name, (double)rules->latency_ns / 1e6, (double)rules->step_ns / 1e6);
	return shape;
}

/* The states as the spec has them begin. */
static enum perseus_status
make_first(const struct perseus__sim *sim, const struct perseus__sim_spec *spec, struct perseus__sim_state *first,
		struct perseus_error *err)
{
	for (int32_t i = 0; i < sim->n_gpus; i++) {
		first[i] = perseus__sim_state_new(&sim->rules, i, perseus__sim_now_ns(sim));
		first[i].load = spec->load;
		first[i].faults = spec->faults[i];
		struct perseus_error why = {.message = ""};
		if (spec->cap_mw > 0 && perseus__sim_set_limit(&sim->rules.model, &first[i], spec->cap_mw, &why))
			return perseus__fail(err, PERSEUS_INVALID, "cap_w: %s", why.message);
	}
	return PERSEUS_OK;
}

static enum perseus_status
open_store(struct perseus__sim *sim, const struct perseus__sim_spec *spec, struct perseus_error *err)
{
	const struct perseus__sim_shape shape = make_shape(spec, &sim->rules);
	struct perseus__sim_state *first = perseus__new_array((size_t)sim->n_gpus, sizeof *first);
	if (!first)
		return perseus__no_memory(err);
	enum perseus_status status = make_first(sim, spec, first, err);
	if (status == PERSEUS_OK)
		status = perseus__sim_store_open(spec->state[0] ? spec->state : NULL, &shape, first, &sim->store, err);
	perseus__free(first);
	return status;
}

static void
close_sim(void *backend)
{
	struct perseus__sim *sim = backend;
	perseus__sim_store_close(sim->store);
	perseus__free(sim);
}

enum perseus_status
perseus__sim_open(struct perseus_node *node, const char *argument, const struct perseus_node_settings *settings,
		struct perseus_error *err)
{
	struct perseus__sim_spec spec;
	enum perseus_status status = perseus__sim_spec_parse(argument, &spec, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__sim *sim = perseus__new_array(1, sizeof *sim);
	if (!sim)
		return perseus__no_memory(err);
	sim->now_ns = settings->now_ns;
	sim->now_user = settings->now_user;
	sim->n_gpus = spec.n_gpus;
	status = make_rules(&spec, &sim->rules, err);
	if (status == PERSEUS_OK)
		status = open_store(sim, &spec, err);
	if (status == PERSEUS_OK)
		status = perseus__node_own(node, sim, close_sim, err);
	if (status != PERSEUS_OK) {
		close_sim(sim);
		return status;
	}
	return add_visible(node, sim, settings->visible_gpus, err);
}

const struct perseus__sim_gpu *
perseus__sim_find(const struct perseus_node *node, int32_t device, struct perseus_error *err)
{
	const struct perseus__device *at = perseus__node_at(node, device);
	if (at->ops == &perseus__sim_ops)
		return at->self;
	(void)perseus__fail(err, PERSEUS_INVALID, "device %d is no simulated GPU", device); /* NULL says it */
	return NULL;
}

enum perseus_status
perseus__sim_load(const struct perseus_node *node, int32_t device, double load, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = perseus__sim_find(node, device, err);
	if (!gpu)
		return PERSEUS_INVALID;
	const bool is_blocking = load < 0;
	if ((is_blocking && load > PERSEUS__SIM_BLOCKING) || load < PERSEUS__SIM_BLOCKING || !(load <= 1))
		return perseus__fail(err, PERSEUS_INVALID, "a load of %g is not within 0..1", load);
	struct perseus__sim_state *state = perseus__sim_hold(gpu);
	state->work_ns = 0;
	state->load = is_blocking ? PERSEUS__SIM_LOAD_BLOCKING : (int32_t)lround(load * (double)PERSEUS__SIM_LOAD_UNITS);
	perseus__sim_store_keep(gpu->sim->store, gpu->index);
	return PERSEUS_OK;
}

enum perseus_status
perseus__sim_fault(const struct perseus_node *node, int32_t device, enum perseus__sim_fault fault, bool is_on,
		struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = perseus__sim_find(node, device, err);
	if (!gpu)
		return PERSEUS_INVALID;
	struct perseus__sim_state *state = perseus__sim_hold(gpu);
	state->faults = is_on ? state->faults | 1U << fault : state->faults & ~(1U << fault);
	perseus__sim_store_keep(gpu->sim->store, gpu->index);
	return PERSEUS_OK;
}

enum perseus_status
perseus__sim_true_energy(const struct perseus_node *node, int32_t device, int64_t *energy_nj, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = perseus__sim_find(node, device, err);
	if (!gpu)
		return PERSEUS_INVALID;
	*energy_nj = (int64_t)(perseus__sim_look(gpu).energy_fj / 1000000);
	return PERSEUS_OK;
}

enum perseus_status
perseus__sim_slowdown(const struct perseus_node *node, int32_t device, double *slowdown, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = perseus__sim_find(node, device, err);
	if (!gpu)
		return PERSEUS_INVALID;
	const struct perseus__sim_state state = perseus__sim_look(gpu);
	*slowdown = perseus__sim_state_slowdown(&state, &gpu->sim->rules);
	return PERSEUS_OK;
}

enum perseus_status
perseus__sim_locked(const struct perseus_node *node, int32_t device, enum perseus_setting setting, int64_t *low,
		int64_t *high, struct perseus_error *err)
{
	const struct perseus__sim_gpu *gpu = perseus__sim_find(node, device, err);
	if (!gpu)
		return PERSEUS_INVALID;
	if (setting != PERSEUS_SETTING_SM_CLOCKS && setting != PERSEUS_SETTING_MEMORY_CLOCKS)
		return perseus__fail(err, PERSEUS_INVALID, "%s is no range of clocks", perseus_setting_name(setting));
	const struct perseus__sim_state state = perseus__sim_look(gpu);
	const struct perseus__sim_range range =
			setting == PERSEUS_SETTING_SM_CLOCKS ? state.sm_clocks : state.memory_clocks;
	*low = range.low_mhz;
	*high = range.high_mhz;
	return PERSEUS_OK;
}
