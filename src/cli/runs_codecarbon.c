/*
 * Runs as CodeCarbon's emissions.csv: its columns in its order, as version 3.3 has them, its units (s, kg, W, kWh), and
 * energy and power with the PUE in them, as it has it. What the ledger does not know is empty.
 */
#include "base/units.h"
#include "cli/runs.h"
#include "format/csv_writer.h"
#include "format/utc_time.h"

#include <string.h>

static const char header[] =
		"timestamp,project_name,run_id,experiment_id,duration,emissions,emissions_rate,cpu_power,gpu_power,ram_power,"
		"cpu_energy,gpu_energy,ram_energy,energy_consumed,water_consumed,country_name,country_iso_code,region,"
		"cloud_provider,cloud_region,os,python_version,codecarbon_version,cpu_count,cpu_model,gpu_count,gpu_model,"
		"longitude,latitude,ram_total_size,tracking_mode,cpu_utilization_percent,gpu_utilization_percent,"
		"ram_utilization_percent,ram_used_gb,on_cloud,pue,wue\n";

/* `n` columns that the ledger does not know. */
static void
put_unknown(struct perseus__csv_writer *csv, int n)
{
	for (int i = 0; i < n; i++)
		perseus__csv_put_text(csv, NULL);
}

static void
put_emissions(struct perseus__csv_writer *csv, const struct perseus__run *run)
{
	const struct perseus__footprint *footprint = &run->footprint;
	const double kg = footprint->operational_gco2e / PERSEUS__G_PER_KG;
	perseus__csv_put_number(csv, true, run->time_s);
	perseus__csv_put_number(csv, footprint->has_operational, kg);
	perseus__csv_put_number(csv, footprint->has_operational && run->time_s > 0, kg / run->time_s);
}

static void
put_energies(struct perseus__csv_writer *csv, const struct perseus__run *run)
{
	static const enum perseus_device_kind kinds[] = {PERSEUS_DEVICE_CPU, PERSEUS_DEVICE_GPU, PERSEUS_DEVICE_DRAM};
	enum { N_KINDS = sizeof kinds / sizeof *kinds };
	const double pue = run->factors.pue;
	struct perseus__energy energies[N_KINDS];
	for (int i = 0; i < N_KINDS; i++) {
		energies[i] = perseus__run_energy_of(run, kinds[i]);
		perseus__csv_put_number(
				csv, energies[i].n_measured > 0 && run->time_s > 0, energies[i].energy_j * pue / run->time_s);
	}
	for (int i = 0; i < N_KINDS; i++)
		perseus__csv_put_number(csv, energies[i].n_measured > 0, energies[i].energy_j * pue / PERSEUS__J_PER_KWH);
	perseus__csv_put_number(csv, run->footprint.has_facility, run->footprint.facility_kwh);
}

/* Whether device `index` is the first of its kind with its name. */
static bool
is_first_of_name(const struct perseus__run *run, int32_t index)
{
	for (int32_t i = 0; i < index; i++)
		if (run->devices[i].info.kind == run->devices[index].info.kind
				&& strcmp(run->devices[i].info.name, run->devices[index].info.name) == 0)
			return false;
	return true;
}

/* Names of the devices of a kind: of GPUs "8 x NVIDIA H100, 1 x NVIDIA A100". Simulated ones say so. */
static void
put_models(struct perseus__csv_writer *csv, const struct perseus__run *run, enum perseus_device_kind kind)
{
	struct perseus__text text = perseus__text_init((size_t)1 << 20);
	for (int32_t i = 0; i < run->n_devices; i++) {
		const struct perseus_device_info *info = &run->devices[i].info;
		if (info->kind != kind || !*info->name || !is_first_of_name(run, i))
			continue;
		int n = 0;
		for (int32_t k = i; k < run->n_devices; k++)
			n += run->devices[k].info.kind == kind && strcmp(run->devices[k].info.name, info->name) == 0;
		perseus__text_addf(&text, "%s", text.length ? ", " : "");
		if (kind == PERSEUS_DEVICE_GPU)
			perseus__text_addf(&text, "%d x ", n);
		perseus__text_addf(&text, "%s%s", info->name, info->is_simulated ? " (simulated)" : "");
	}
	perseus__csv_put_text(csv, text.failed ? NULL : text.bytes);
	csv->text->failed = csv->text->failed || text.failed;
	perseus__text_fini(&text);
}

static void
put_run(struct perseus__csv_writer *csv, const struct perseus__run *run)
{
	char end[PERSEUS__UTC_BYTES];
	perseus__utc_text(run->end_ms, end);
	end[strcspn(end, ".")] = '\0'; /* CodeCarbon's have neither fraction nor zone */
	const int32_t n_gpus = perseus__run_energy_of(run, PERSEUS_DEVICE_GPU).n_devices;
	perseus__csv_put_text(csv, end);
	put_unknown(csv, 1); /* project_name */
	perseus__csv_put_text(csv, run->uuid);
	perseus__csv_put_text(csv, run->job); /* experiment_id: what the runs of one job have in common */
	put_emissions(csv, run);
	put_energies(csv, run);
	put_unknown(csv, 10); /* water_consumed to cpu_count, which is of logical CPUs */
	put_models(csv, run, PERSEUS_DEVICE_CPU);
	perseus__csv_put_integer(csv, n_gpus > 0, n_gpus);
	put_models(csv, run, PERSEUS_DEVICE_GPU);
	put_unknown(csv, 3);                   /* longitude to ram_total_size */
	perseus__csv_put_text(csv, "machine"); /* devices are measured whole, whoever uses them */
	put_unknown(csv, 5);                   /* cpu_utilization_percent to on_cloud */
	perseus__csv_put_number(csv, true, run->factors.pue);
	put_unknown(csv, 1); /* wue */
	perseus__csv_end_row(csv);
}

void
perseus__runs_codecarbon(const struct perseus__run_list *list, struct perseus__text *text)
{
	struct perseus__csv_writer csv = perseus__csv_writer_init(text);
	perseus__text_add(text, header, sizeof header - 1);
	for (size_t i = 0; i < list->n_runs; i++)
		if (list->runs[i].state == PERSEUS__RUN_DONE)
			put_run(&csv, &list->runs[i]);
}
