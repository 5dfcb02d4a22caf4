/* A measured run as JSON, see the header. */
#include "cli/run_json.h"

#include "format/utc_time.h"

#include <stddef.h>

static void
write_text(struct perseus__json *json, const char *key, const char *text)
{
	if (text && *text)
		perseus__json_string(json, key, text);
	else
		perseus__json_null(json, key);
}

static void
write_number(struct perseus__json *json, const char *key, bool is_known, double value)
{
	if (is_known)
		perseus__json_number(json, key, value);
	else
		perseus__json_null(json, key);
}

static void
write_integer(struct perseus__json *json, const char *key, bool is_known, int64_t value)
{
	if (is_known)
		perseus__json_integer(json, key, value);
	else
		perseus__json_null(json, key);
}

static void
write_moment(struct perseus__json *json, const char *key, bool is_known, int64_t time_ms)
{
	char text[PERSEUS__UTC_BYTES];
	perseus__utc_text(time_ms, text);
	write_text(json, key, is_known ? text : NULL);
}

static void
write_what(struct perseus__json *json, const struct perseus__run *run)
{
	write_integer(json, "id", run->id > 0, run->id);
	write_text(json, "uuid", run->uuid);
	perseus__json_string(json, "state", perseus__run_state_name(run->state));
	perseus__json_open_array(json, "command", true);
	for (int32_t i = 0; i < run->n_command; i++)
		perseus__json_string(json, NULL, run->command[i]);
	perseus__json_close_array(json);
	write_text(json, "cwd", run->cwd);
	write_text(json, "host", run->host);
	write_text(json, "user", run->user);
	write_text(json, "job", run->job);
	write_integer(json, "rank", run->rank >= 0, run->rank);
	write_text(json, "perseus_version", run->version);
	write_text(json, "note", run->note);
}

static void
write_end(struct perseus__json *json, const struct perseus__run *run)
{
	const bool is_done = run->state == PERSEUS__RUN_DONE;
	write_moment(json, "begin", true, run->begin_ms);
	write_moment(json, "end", is_done, run->end_ms);
	write_number(json, "time_s", is_done, run->time_s);
	write_integer(json, "exit_code", is_done && run->exit_status >= 0, run->exit_status);
	write_integer(json, "signal", is_done && run->signal > 0, run->signal);
}

void
perseus__device_json(struct perseus__json *json, const struct perseus_device_info *info)
{
	perseus__json_string(json, "kind", perseus_device_kind_name(info->kind));
	perseus__json_integer(json, "index", info->index);
	write_text(json, "name", info->name);
	write_text(json, "uuid", info->uuid);
	perseus__json_string(json, "backend", info->backend);
	perseus__json_boolean(json, "simulated", info->is_simulated);
}

static void
write_device(struct perseus__json *json, const struct perseus__run_device *device)
{
	const struct perseus_reading *reading = &device->reading;
	const bool is_measured = reading->method != PERSEUS_METHOD_NONE;
	perseus__json_open_object(json, NULL, true);
	perseus__device_json(json, &device->info);
	write_number(json, "energy_j", is_measured, reading->energy_j);
	write_number(json, "error_j", is_measured, reading->error_j);
	write_number(json, "average_power_w", is_measured && reading->has_average_power, reading->average_power_w);
	write_number(json, "peak_power_w", is_measured && reading->has_peak_power, reading->peak_power_w);
	write_text(json, "method", is_measured ? perseus_method_name(reading->method) : NULL);
	write_text(json, "reason", reading->reason);
	write_text(json, "note", device->info.note);
	perseus__json_close_object(json);
}

static void
write_energy(struct perseus__json *json, const char *key, const struct perseus__energy *energy, double time_s)
{
	const bool is_measured = energy->n_measured > 0;
	perseus__json_open_object(json, key, true);
	perseus__json_integer(json, "devices", energy->n_devices);
	perseus__json_integer(json, "measured", energy->n_measured);
	write_number(json, "energy_j", is_measured, energy->energy_j);
	write_number(json, "error_j", is_measured, energy->error_j);
	write_number(json, "average_power_w", is_measured && time_s > 0, energy->energy_j / time_s);
	perseus__json_close_object(json);
}

static void
write_energies(struct perseus__json *json, const struct perseus__run *run)
{
	perseus__json_boolean(json, "simulated", perseus__run_is_simulated(run));
	perseus__json_open_array(json, "devices", false);
	for (int32_t i = 0; i < run->n_devices; i++)
		write_device(json, &run->devices[i]);
	perseus__json_close_array(json);
	perseus__json_open_object(json, "energy", false);
	write_energy(json, "total", &run->footprint.energy, run->time_s);
	for (int kind = PERSEUS_DEVICE_GPU; kind <= PERSEUS_DEVICE_DRAM; kind++) {
		const struct perseus__energy energy = perseus__run_energy_of(run, (enum perseus_device_kind)kind);
		write_energy(json, perseus_device_kind_name((enum perseus_device_kind)kind), &energy, run->time_s);
	}
	perseus__json_close_object(json);
	write_number(json, "peak_power_w", run->has_peak_power, run->peak_power_w);
}

static void
write_intensity(struct perseus__json *json, const struct perseus__intensity *intensity)
{
	perseus__json_open_object(json, "intensity", true);
	perseus__json_number(json, "gco2e_per_kwh", intensity->gco2e_per_kwh);
	write_text(json, "zone", intensity->zone);
	write_integer(json, "year", intensity->year != 0, intensity->year);
	write_integer(json, "hours", intensity->n_hours > 0, intensity->n_hours);
	write_text(json, "type", perseus__intensity_type_name(intensity->type));
	perseus__json_string(json, "source", intensity->source);
	perseus__json_close_object(json);
}

static void
write_embodied(struct perseus__json *json, const struct perseus__factors *factors)
{
	perseus__json_open_object(json, "embodied", true);
	perseus__json_number(json, "hardware_kgco2e", factors->embodied_kg);
	perseus__json_number(json, "lifespan_years", factors->lifespan_years);
	perseus__json_number(json, "share", factors->share);
	perseus__json_close_object(json);
}

/* Each of these is there or null: what was not asked for is not computed. */
static void
write_footprint(struct perseus__json *json, const struct perseus__run *run)
{
	const char *no_intensity = run->no_intensity;
	const struct perseus__factors *factors = &run->factors;
	const struct perseus__footprint *footprint = &run->footprint;
	const char *no_energy = footprint->has_facility ? NULL : "no energy was measured";
	perseus__json_open_object(json, "carbon", false);
	write_number(json, "operational_gco2e", footprint->has_operational, footprint->operational_gco2e);
	write_number(json, "embodied_gco2e", footprint->has_embodied, footprint->embodied_gco2e);
	perseus__json_number(json, "pue", factors->pue);
	write_number(json, "facility_energy_kwh", footprint->has_facility, footprint->facility_kwh);
	if (factors->has_intensity)
		write_intensity(json, &factors->intensity);
	else
		perseus__json_null(json, "intensity");
	if (factors->has_embodied)
		write_embodied(json, factors);
	else
		perseus__json_null(json, "embodied");
	if (!factors->has_intensity && !no_intensity)
		no_intensity = "no carbon intensity was given";
	write_text(json, "reason", no_intensity ? no_intensity : no_energy);
	perseus__json_close_object(json);
	perseus__json_open_object(json, "cost", true);
	write_number(json, "amount", footprint->has_cost, footprint->cost);
	write_text(json, "currency", factors->currency);
	write_number(json, "price_per_kwh", factors->has_price, factors->price_per_kwh);
	write_text(json, "reason", factors->has_price ? no_energy : "no price was given");
	perseus__json_close_object(json);
}

void
perseus__results_json(struct perseus__json *json, const struct perseus__run *run)
{
	perseus__json_open_object(json, "results", true);
	for (int32_t i = 0; i < run->n_results; i++) {
		const struct perseus__result *result = &run->results[i];
		if (result->is_number)
			perseus__json_number(json, result->key, result->number);
		else
			perseus__json_string(json, result->key, result->text);
	}
	perseus__json_close_object(json);
}

void
perseus__run_json(struct perseus__json *json, const struct perseus__run *run)
{
	perseus__json_integer(json, "version", 1);
	write_what(json, run);
	write_end(json, run);
	write_energies(json, run);
	write_footprint(json, run);
	perseus__results_json(json, run);
}
