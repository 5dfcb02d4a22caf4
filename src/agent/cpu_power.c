/* Energy and power of CPU packages. */
#include "agent/cpu_power.h"

#include "base/wide.h"

enum perseus_status
perseus__cpu_read(const struct perseus__front *front, const struct perseus__cpu *cpu, bool wants_cpu, bool wants_dram,
		struct perseus__cpu_energy *energy, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	*energy = (struct perseus__cpu_energy){
		.time_ns = perseus_node_now_ns(front->node),
		.has_cpu = wants_cpu && cpu->device >= 0,
		.has_dram = wants_dram && cpu->dram_device >= 0,
	};
	if (energy->has_cpu)
		status = perseus_device_read(front->node, cpu->device, PERSEUS_QUANTITY_ENERGY, &energy->cpu_uj, err);
	if (status == PERSEUS_OK && energy->has_dram)
		status = perseus_device_read(front->node, cpu->dram_device, PERSEUS_QUANTITY_ENERGY, &energy->dram_uj, err);
	return status;
}

/* What fails is told to whoever asks. */
static void
touch(const struct perseus__front *front, int32_t device)
{
	int64_t energy_uj;
	if (device < 0 || perseus_device_read(front->node, device, PERSEUS_QUANTITY_ENERGY, &energy_uj, NULL) != PERSEUS_OK)
		return;
}

void
perseus__cpus_keep_counting(const struct perseus__front *front)
{
	if (!(front->settings.groups & perseus__group_bit(PERSEUS__GROUP_CPU_READ)))
		return;
	for (int32_t i = 0; i < front->n_cpus; i++) {
		touch(front, front->cpus[i].device);
		touch(front, front->cpus[i].dram_device);
	}
}

static int64_t
power_mw(int64_t energy_uj, int64_t time_ns)
{
	/* 1 uJ / ns = 10^6 mW */
	return time_ns > 0 ? (int64_t)((perseus__wide)energy_uj * 1000000 / time_ns) : 0;
}

struct perseus__cpu_power
perseus__cpu_power(const struct perseus__cpu_energy *before, const struct perseus__cpu_energy *after)
{
	const int64_t time_ns = after->time_ns - before->time_ns;
	return (struct perseus__cpu_power){
		.has_cpu = after->has_cpu,
		.has_dram = after->has_dram,
		.cpu_mw = power_mw(after->cpu_uj - before->cpu_uj, time_ns),
		.dram_mw = power_mw(after->dram_uj - before->dram_uj, time_ns),
	};
}

static void
write_one(const char *key, bool is_there, int64_t value, struct perseus__json *json)
{
	if (is_there)
		perseus__json_integer(json, key, value);
	else
		perseus__json_null(json, key);
}

void
perseus__cpu_power_write(const struct perseus__cpu_power *power, struct perseus__json *json)
{
	write_one("cpu_mw", power->has_cpu, power->cpu_mw, json);
	write_one("dram_mw", power->has_dram, power->dram_mw, json);
}

void
perseus__cpu_energy_write(const struct perseus__cpu_energy *energy, struct perseus__json *json)
{
	write_one("cpu_energy_uj", energy->has_cpu, energy->cpu_uj, json);
	write_one("dram_energy_uj", energy->has_dram, energy->dram_uj, json);
}
