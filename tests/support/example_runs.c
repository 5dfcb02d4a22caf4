/* Runs for tests. */
#include "example_runs.h"

#include <stdio.h>
#include <stdlib.h>

/* 12:00 UTC on 1 August 2026 */
static const int64_t BEGIN_MS = 1785585600000;
static const int64_t DAY_MS = 86400000;

static void
require(enum perseus_status status)
{
	if (status == PERSEUS_OK)
		return;
	(void)fputs("example_runs: out of memory\n", stderr);
	exit(EXIT_FAILURE);
}

static void
add_result(struct perseus__run *run, const char *text)
{
	struct perseus__result result;
	require(perseus__result_parse(text, &result, NULL));
	require(perseus__run_add_result(run, &result, NULL));
}

static void
fill_device(struct perseus__run_device *device, enum perseus_device_kind kind, int32_t index, double energy_j,
		double time_s)
{
	static const char *const names[] = {
		[PERSEUS_DEVICE_GPU] = "NVIDIA A100-SXM4-80GB", [PERSEUS_DEVICE_CPU] = "package", [PERSEUS_DEVICE_DRAM] = ""};
	struct perseus_device_info *info = &device->info;
	info->kind = kind;
	info->index = index;
	(void)snprintf(info->name, sizeof info->name, "%s", names[kind]);
	(void)snprintf(info->backend, sizeof info->backend, "%s", kind == PERSEUS_DEVICE_GPU ? "nvml" : "rapl");
	if (kind == PERSEUS_DEVICE_GPU) {
		(void)snprintf(info->uuid, sizeof info->uuid, "GPU-00000000-0000-0000-0000-%012d", index);
		(void)snprintf(info->pci_address, sizeof info->pci_address, "0000:%02x:00.0", index + 1);
		(void)snprintf(info->architecture, sizeof info->architecture, "Ampere");
	}
	device->reading = (struct perseus_reading){
		.device = index,
		.method = kind == PERSEUS_DEVICE_GPU ? PERSEUS_METHOD_COUNTER : PERSEUS_METHOD_POWER,
		.energy_j = energy_j,
		.error_j = energy_j / 1000,
		.has_average_power = true,
		.average_power_w = energy_j / time_s,
		.has_peak_power = kind == PERSEUS_DEVICE_GPU,
		.peak_power_w = kind == PERSEUS_DEVICE_GPU ? 400 : 0,
	};
}

/* Two simulated GPUs, a CPU and a DRAM that could not be read. */
static void
fill_training(struct perseus__run *run, double time_s, double gpu_j)
{
	static const char *const command[] = {"python", "train.py", "--name", "a \"b\" \xc3\xa4"};
	char *argv[sizeof command / sizeof *command];
	for (size_t i = 0; i < sizeof command / sizeof *command; i++)
		argv[i] = (char *)(uintptr_t)command[i];
	require(perseus__run_set_command(run, sizeof command / sizeof *command, argv, NULL));
	run->time_s = time_s;
	run->end_ms = run->begin_ms + (int64_t)(time_s * 1000);
	run->exit_status = 0;
	require(perseus__run_set_devices(run, 4, NULL));
	for (int32_t i = 0; i < 2; i++) {
		fill_device(&run->devices[i], PERSEUS_DEVICE_GPU, i, gpu_j + i * 1000, time_s);
		run->devices[i].info.is_simulated = true;
		(void)snprintf(run->devices[i].info.backend, sizeof run->devices[i].info.backend, "sim");
	}
	fill_device(&run->devices[2], PERSEUS_DEVICE_CPU, 0, 100 * time_s, time_s);
	fill_device(&run->devices[3], PERSEUS_DEVICE_DRAM, 0, 0, time_s);
	run->devices[3].reading = (struct perseus_reading){.device = 3, .reason = "energy_uj: Permission denied"};
	(void)snprintf(run->devices[1].info.note, sizeof run->devices[1].info.note, "a slice of it was asked for");
	run->has_peak_power = true;
	run->peak_power_w = 905;
	run->factors = (struct perseus__factors){
		.pue = 1.2,
		.has_intensity = true,
		.intensity = {400, "XA", 2025, 0, PERSEUS__INTENSITY_AVERAGE, "zones.csv"},
		.has_price = true,
		.price_per_kwh = 0.3,
		.currency = "EUR",
		.has_embodied = true,
		.embodied_kg = 328,
		.lifespan_years = 4,
		.share = 1,
	};
}

/* A command that a signal ended, on two GPUs and a CPU. */
static void
fill_signalled(struct perseus__run *run)
{
	static char command[] = "./bench";
	static char *const argv[] = {command};
	require(perseus__run_set_command(run, 1, argv, NULL));
	run->time_s = 12.5;
	run->end_ms = run->begin_ms + 12500;
	run->signal = 9;
	require(perseus__run_set_devices(run, 3, NULL));
	fill_device(&run->devices[0], PERSEUS_DEVICE_GPU, 0, 3000, run->time_s);
	fill_device(&run->devices[1], PERSEUS_DEVICE_GPU, 1, 3100, run->time_s);
	fill_device(&run->devices[2], PERSEUS_DEVICE_CPU, 0, 900, run->time_s);
	require(perseus__run_set_text(&run->no_intensity, "zones.csv: there is no value for 2026-08-04T12:00Z", NULL));
}

static void
fill_deviceless(struct perseus__run *run)
{
	static char command[] = "true";
	static char *const argv[] = {command};
	require(perseus__run_set_command(run, 1, argv, NULL));
	run->time_s = 0.002;
	run->end_ms = run->begin_ms + 2;
	run->exit_status = 1;
	run->job = NULL;
}

static void
fill(struct perseus__run *run, int index)
{
	switch (index) {
	case 0:
		fill_training(run, 3600, 1.0e6);
		add_result(run, "loss=2.91");
		add_result(run, "tokens=1e9");
		add_result(run, "dataset=c4");
		require(perseus__run_set_text(&run->job, "slurm 17.0", NULL));
		require(perseus__run_set_text(&run->note, "all at the highest clock", NULL));
		run->rank = 0;
		break;
	case 1:
		fill_training(run, 3700, 0.8e6);
		add_result(run, "loss=2.93");
		add_result(run, "tokens=1e9");
		break;
	case 2:
		fill_training(run, 3900, 1.1e6);
		add_result(run, "loss=2.95");
		add_result(run, "tokens=0.9e9");
		break;
	case 3:
		fill_signalled(run);
		break;
	default:
		fill_deviceless(run);
	}
}

struct perseus__run
example_run(int index)
{
	struct perseus__run run = perseus__run_init();
	(void)snprintf(run.uuid, sizeof run.uuid, "%x%07x-0000-4000-8000-%012x", index + 10, 0, index);
	run.state = PERSEUS__RUN_DONE;
	run.begin_ms = BEGIN_MS + index * DAY_MS;
	require(perseus__run_set_text(&run.cwd, "/work/train", NULL));
	require(perseus__run_set_text(&run.host, index == 3 ? "node2" : "node1", NULL));
	require(perseus__run_set_text(&run.user, "ada", NULL));
	require(perseus__run_set_text(&run.version, "0.1.0", NULL));
	fill(&run, index);
	perseus__run_account(&run);
	return run;
}
