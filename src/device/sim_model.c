/* The built-in models of simulated GPUs, and what all models have in common. */
#include "device/sim_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * Power of a busy GPU: static + dynamic · f/f_max · v(f)², where v is the voltage over that at f_max: a constant up to
 * the knee, then a straight line to 1. Time: fixed + (1 - fixed) · f_max/f, as memory does not follow the SM clock.
 */
struct response {
	const char *name; /* in a spec */
	const char *product;
	int32_t max_mhz;
	int32_t min_mhz;
	int32_t step_mhz;
	double static_w;
	double dynamic_w;
	int32_t knee_mhz;
	double knee_voltage;
	double fixed_share;
	double idle_w;
	double blocking_w;
	int64_t limit_min_w;
	int64_t limit_max_w;
	int32_t memory_mhz[PERSEUS__SIM_MAX_MEMORY_CLOCKS]; /* 0 behind the last */
};

/*
 * static_w to fixed_share: tools/fit-sim-models, from forward and backward of a middle stage of GPT-3 175B as measured
 * for Perseus (SOSP'24 artifact, stage profiles of the A100 80 GB SXM and the A40; ml-energy/zeus, branch kronos).
 * Fit: A100 at 855-1410 MHz, power within 3.8 %, time within 3.0 %; A40 at 855-1440 MHz, below its power limit, power
 * within 1.0 %, time within 3.4 %.
 * blocking_w: the same artifact. idle_w: A100 80 GB, chuyishang/inference-energy; A40, as its owners report it
 * (NVIDIA/open-gpu-kernel-modules #874). Clocks and limits: nvidia-smi of these products; the A100 is one of 500 W, as
 * the measured one must be.
 */
static const struct response responses[] = {
	{
		.name = "a100",
		.product = "NVIDIA A100-SXM4-80GB",
		.max_mhz = 1410,
		.min_mhz = 210,
		.step_mhz = 15,
		.static_w = 41.3,
		.dynamic_w = 454.7,
		.knee_mhz = 1095,
		.knee_voltage = 0.840,
		.fixed_share = 0.131,
		.idle_w = 62.12,
		.blocking_w = 83.64,
		.limit_min_w = 100,
		.limit_max_w = 500,
		.memory_mhz = {1593},
	},
	{
		.name = "a40",
		.product = "NVIDIA A40",
		.max_mhz = 1740,
		.min_mhz = 210,
		.step_mhz = 15,
		.static_w = 92.6,
		.dynamic_w = 288.3,
		.knee_mhz = 1125,
		.knee_voltage = 0.775,
		.fixed_share = 0.667,
		.idle_w = 30,
		.blocking_w = 70.38,
		.limit_min_w = 100,
		.limit_max_w = 300,
		.memory_mhz = {7251, 405},
	},
};

static double
busy_w(const struct response *response, int32_t mhz)
{
	const double above = fmax(0, mhz - response->knee_mhz) / (response->max_mhz - response->knee_mhz);
	const double voltage = response->knee_voltage + (1 - response->knee_voltage) * above;
	return response->static_w + response->dynamic_w * mhz / response->max_mhz * voltage * voltage;
}

static void
fill(const struct response *response, struct perseus__sim_model *model)
{
	*model = (struct perseus__sim_model){
		.architecture = "Ampere",
		.idle_uw = llround(response->idle_w * 1e6),
		.blocking_uw = llround(response->blocking_w * 1e6),
		.limit_min_mw = response->limit_min_w * 1000,
		.limit_max_mw = response->limit_max_w * 1000,
	};
	(void)snprintf(model->name, sizeof model->name, "%s", response->product);
	(void)snprintf(model->note, sizeof model->note,
			"simulated: a model of %s, fitted to published measurements of training GPT-3", response->product);
	for (int32_t mhz = response->max_mhz; mhz >= response->min_mhz; mhz -= response->step_mhz) {
		const double ratio = (double)response->max_mhz / mhz;
		model->clock_mhz[model->n_clocks] = mhz;
		model->busy_uw[model->n_clocks] = llround(busy_w(response, mhz) * 1e6);
		model->slowdown[model->n_clocks] = response->fixed_share + (1 - response->fixed_share) * ratio;
		model->n_clocks++;
	}
	while (model->n_memory_clocks < PERSEUS__SIM_MAX_MEMORY_CLOCKS && response->memory_mhz[model->n_memory_clocks]) {
		model->memory_mhz[model->n_memory_clocks] = response->memory_mhz[model->n_memory_clocks];
		model->n_memory_clocks++;
	}
}

bool
perseus__sim_model_builtin(const char *name, struct perseus__sim_model *model)
{
	for (size_t i = 0; i < sizeof responses / sizeof *responses; i++)
		if (strcmp(name, responses[i].name) == 0) {
			fill(&responses[i], model);
			return true;
		}
	return false;
}

int64_t
perseus__sim_model_power_uw(const struct perseus__sim_model *model, int32_t clock, int32_t load)
{
	if (load == PERSEUS__SIM_LOAD_BLOCKING)
		return model->blocking_uw;
	return model->idle_uw + (model->busy_uw[clock] - model->idle_uw) * load / PERSEUS__SIM_LOAD_UNITS;
}

int32_t
perseus__sim_model_clock(const struct perseus__sim_model *model, int32_t mhz)
{
	int32_t clock = 0;
	while (clock < model->n_clocks && model->clock_mhz[clock] > mhz)
		clock++;
	return clock;
}

/* FNV-1a, a byte at a time. */
static uint64_t
add_to_hash(uint64_t hash, int64_t value)
{
	for (int shift = 0; shift < 64; shift += 8)
		hash = (hash ^ ((uint64_t)value >> shift & 0xff)) * 1099511628211U;
	return hash;
}

uint64_t
perseus__sim_model_hash(const struct perseus__sim_model *model)
{
	uint64_t hash = 14695981039346656037U;
	for (int32_t i = 0; i < model->n_clocks; i++) {
		hash = add_to_hash(hash, model->clock_mhz[i]);
		hash = add_to_hash(hash, model->busy_uw[i]);
		hash = add_to_hash(hash, llround(model->slowdown[i] * 1e9));
	}
	hash = add_to_hash(hash, model->idle_uw);
	hash = add_to_hash(hash, model->blocking_uw);
	hash = add_to_hash(hash, model->limit_min_mw);
	return add_to_hash(hash, model->limit_max_mw);
}
