/* GPUs whose every reading is known beforehand. */
#include "scripted_gpu.h"

#include "base/error.h"
#include "device/device.h"

#include <stdio.h>
#include <stdlib.h>

static bool
is_in(struct scripted_span span, int64_t at_ns)
{
	return at_ns >= span.from_ns && at_ns < span.to_ns;
}

void
scripted_load(struct scripted_gpu *gpu, int64_t at_ns, int64_t power_mw)
{
	if (gpu->n_loads == SCRIPTED_MAX_LOADS)
		abort();
	int64_t energy_pj = 0;
	if (gpu->n_loads > 0) {
		const int32_t last = gpu->n_loads - 1;
		energy_pj = gpu->loads[last].energy_pj + gpu->loads[last].power_mw * (at_ns - gpu->loads[last].at_ns);
	}
	gpu->loads[gpu->n_loads].at_ns = at_ns;
	gpu->loads[gpu->n_loads].power_mw = power_mw;
	gpu->loads[gpu->n_loads++].energy_pj = energy_pj;
}

/* The load in force at a moment. */
static int32_t
load_at(const struct scripted_gpu *gpu, int64_t at_ns)
{
	int32_t low = 0;
	int32_t high = gpu->n_loads;
	while (high - low > 1) {
		const int32_t middle = low + (high - low) / 2;
		if (gpu->loads[middle].at_ns <= at_ns)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static int64_t
energy_pj(const struct scripted_gpu *gpu, int64_t at_ns)
{
	const int32_t i = load_at(gpu, at_ns);
	return gpu->loads[i].energy_pj + gpu->loads[i].power_mw * (at_ns - gpu->loads[i].at_ns);
}

double
scripted_energy_j(const struct scripted_gpu *gpu, int64_t at_ns)
{
	return (double)energy_pj(gpu, at_ns) / 1e12;
}

/* Moment of step number `k`: regular, give or take the jitter. */
static int64_t
step_at(const struct scripted_gpu *gpu, int64_t k)
{
	const uint64_t hash = ((uint64_t)k * 0x9e3779b97f4a7c15u) >> 33; /* 31 bits */
	const int64_t off_ns = gpu->jitter_ns ? (int64_t)(hash % (uint64_t)(2 * gpu->jitter_ns + 1)) - gpu->jitter_ns : 0;
	return gpu->phase_ns + k * gpu->step_ns + off_ns;
}

static int64_t
counter_uj(const struct scripted_gpu *gpu, int64_t at_ns)
{
	int64_t k = (at_ns - gpu->phase_ns) / gpu->step_ns + 2;
	while (step_at(gpu, k) > at_ns || is_in(gpu->stuck, step_at(gpu, k)))
		k--;
	const int64_t forgotten_pj =
			gpu->forgotten_ns && at_ns >= gpu->forgotten_ns ? energy_pj(gpu, gpu->forgotten_ns) : 0;
	const int64_t energy = energy_pj(gpu, step_at(gpu, k)) - forgotten_pj;
	return energy > 0 ? energy / 1000000000 * 1000 : 0; /* in whole mJ */
}

static enum perseus_status
gpu_read(void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err)
{
	struct scripted_gpu *gpu = self;
	const bool is_counter = quantity == PERSEUS_QUANTITY_ENERGY;
	if (quantity == PERSEUS_QUANTITY_POWER_LIMIT && gpu->limit_mw) {
		*value = gpu->limit_mw;
		return PERSEUS_OK;
	}
	if (!is_counter && quantity != PERSEUS_QUANTITY_POWER)
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "scripted GPUs have no %s", perseus_quantity_name(quantity));
	if (is_in(gpu->lost, *gpu->now_ns))
		return perseus__fail(err, PERSEUS_IO, "GPU is lost");
	if (is_in(is_counter ? gpu->no_counter : gpu->no_power, *gpu->now_ns))
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "no %s here", is_counter ? "counter" : "power");
	if (!is_counter) {
		gpu->n_power_reads++;
		const int64_t age_ns = gpu->refresh_ns ? *gpu->now_ns % gpu->refresh_ns : 0;
		*value = gpu->loads[load_at(gpu, *gpu->now_ns - age_ns)].power_mw;
		return PERSEUS_OK;
	}
	gpu->n_counter_reads++;
	*gpu->now_ns += gpu->read_ns / 2;
	*value = counter_uj(gpu, *gpu->now_ns);
	*gpu->now_ns += gpu->read_ns - gpu->read_ns / 2;
	return PERSEUS_OK;
}

static const struct perseus__device_ops ops = {.read = gpu_read};

static int64_t
read_clock(void *user)
{
	return *(int64_t *)user;
}

struct perseus_node *
scripted_node(struct scripted_gpu *gpus, int32_t n, int64_t *now_ns)
{
	/* What the machine itself has is not looked for. */
	const struct perseus_node_settings settings = {
		.visible_gpus = "", .rapl_root = "/nonexistent", .now_ns = read_clock, .now_user = now_ns};
	struct perseus_node *node = NULL;
	if (perseus_node_open("auto", &settings, &node, NULL) != PERSEUS_OK || perseus_node_n_devices(node) != 0)
		abort();
	for (int32_t i = 0; i < n; i++) {
		gpus[i].now_ns = now_ns;
		struct perseus__device device = {.ops = &ops, .self = &gpus[i]};
		device.info.kind = PERSEUS_DEVICE_GPU;
		device.info.index = i;
		device.info.energy_step_ns = gpus[i].documented_ns;
		device.info.power_step_ns = gpus[i].refresh_ns;
		(void)snprintf(device.info.backend, sizeof device.info.backend, "scripted");
		if (perseus__node_add(node, &device, NULL) != PERSEUS_OK)
			abort();
	}
	return node;
}
