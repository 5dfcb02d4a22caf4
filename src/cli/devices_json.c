/* The devices of a machine as JSON. */
#include "cli/device_words.h"
#include "cli/devices.h"
#include "format/json_writer.h"

#include <stddef.h>

/* Keys, and what one unit of theirs is in the quantity's own; 0: not written as a number. */
static const struct {
	const char *key;
	double unit;
} readings[PERSEUS_N_QUANTITIES] = {
	[PERSEUS_QUANTITY_ENERGY] = {"energy_j", 1e6},
	[PERSEUS_QUANTITY_POWER] = {"power_w", 1e3},
	[PERSEUS_QUANTITY_SM_CLOCK] = {"sm_clock_mhz", 1},
	[PERSEUS_QUANTITY_MEMORY_CLOCK] = {"memory_clock_mhz", 1},
	[PERSEUS_QUANTITY_CLOCK_REASONS] = {"clock_reasons", 0},
	[PERSEUS_QUANTITY_TEMPERATURE] = {"temperature_c", 1},
	[PERSEUS_QUANTITY_POWER_LIMIT] = {"power_limit_w", 1e3},
	[PERSEUS_QUANTITY_POWER_LIMIT_MIN] = {"power_limit_min_w", 1e3},
	[PERSEUS_QUANTITY_POWER_LIMIT_MAX] = {"power_limit_max_w", 1e3},
	[PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT] = {"power_limit_default_w", 1e3},
	[PERSEUS_QUANTITY_PERSISTENCE] = {"persistence_mode", 0},
};

static void
write_text(struct perseus__json *json, const char *key, const char *text)
{
	if (*text)
		perseus__json_string(json, key, text);
	else
		perseus__json_null(json, key);
}

static void
write_step(struct perseus__json *json, const char *key, int64_t step_ns)
{
	if (step_ns > 0)
		perseus__json_nano(json, key, step_ns);
	else
		perseus__json_null(json, key);
}

static void
write_info(struct perseus__json *json, const struct perseus_device_info *info)
{
	perseus__json_string(json, "kind", perseus_device_kind_name(info->kind));
	perseus__json_integer(json, "index", info->index);
	perseus__json_string(json, "backend", info->backend);
	perseus__json_boolean(json, "simulated", info->is_simulated);
	write_text(json, "name", info->name);
	write_text(json, "architecture", info->architecture);
	write_text(json, "uuid", info->uuid);
	write_text(json, "pci_address", info->pci_address);
	write_text(json, "driver", info->driver);
	perseus__json_boolean(json, "mig", info->is_mig);
	perseus__json_boolean(json, "module", info->is_module);
	write_text(json, "note", info->note);
	write_step(json, "energy_step_s", info->energy_step_ns);
	write_step(json, "power_step_s", info->power_step_ns);
}

static void
write_reasons(struct perseus__json *json, const char *key, int64_t reasons)
{
	char number[PERSEUS__REASON_BYTES];
	perseus__json_open_array(json, key, true);
	for (const char *word; (word = perseus__next_reason(&reasons, number));)
		perseus__json_string(json, NULL, word);
	perseus__json_close_array(json);
}

static void
write_readings(struct perseus__json *json, const struct perseus__device_report *report)
{
	perseus__json_open_object(json, "readings", false);
	for (int i = 0; i < PERSEUS_N_QUANTITIES; i++) {
		if (report->not_read[i].status != PERSEUS_OK)
			perseus__json_null(json, readings[i].key);
		else if (i == PERSEUS_QUANTITY_CLOCK_REASONS)
			write_reasons(json, readings[i].key, report->values[i]);
		else if (i == PERSEUS_QUANTITY_PERSISTENCE)
			perseus__json_boolean(json, readings[i].key, report->values[i] != 0);
		else if (readings[i].unit > 1)
			perseus__json_number(json, readings[i].key, (double)report->values[i] / readings[i].unit);
		else
			perseus__json_integer(json, readings[i].key, report->values[i]);
	}
	perseus__json_close_object(json);
	perseus__json_open_object(json, "not_measured", false);
	for (int i = 0; i < PERSEUS_N_QUANTITIES; i++)
		if (report->not_read[i].status != PERSEUS_OK)
			perseus__json_string(json, readings[i].key, report->not_read[i].message);
	perseus__json_close_object(json);
}

static void
write_settings(struct perseus__json *json, const struct perseus__device_report *report)
{
	perseus__json_open_object(json, "settings", false);
	for (int i = 0; i < PERSEUS_N_SETTINGS; i++) {
		const bool is_settable = report->not_set[i].status == PERSEUS_OK;
		perseus__json_open_object(json, perseus_setting_name((enum perseus_setting)i), true);
		perseus__json_boolean(json, "settable", is_settable);
		write_text(json, "why_not", is_settable ? "" : report->not_set[i].message);
		if (i < PERSEUS__N_CLOCK_SETTINGS) {
			perseus__json_open_array(json, "clocks_mhz", true);
			for (int32_t k = report->n_mhz[i]; k > 0; k--)
				perseus__json_integer(json, NULL, report->mhz[i][k - 1]);
			perseus__json_close_array(json);
		}
		perseus__json_close_object(json);
	}
	perseus__json_close_object(json);
}

void
perseus__devices_json(
		struct perseus__text *text, const struct perseus_node *node, const struct perseus__device_report *reports)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, false);
	perseus__json_integer(&json, "version", 1);
	perseus__json_open_array(&json, "devices", false);
	for (int32_t device = 0; device < perseus_node_n_devices(node); device++) {
		perseus__json_open_object(&json, NULL, false);
		write_info(&json, perseus_node_device(node, device));
		write_readings(&json, &reports[device]);
		write_settings(&json, &reports[device]);
		perseus__json_close_object(&json);
	}
	perseus__json_close_array(&json);
	perseus__json_open_array(&json, "notes", false);
	for (int32_t i = 0; i < perseus_node_n_notes(node); i++)
		perseus__json_string(&json, NULL, perseus_node_note(node, i));
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
