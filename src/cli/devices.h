/* What `perseus devices` reports: everything that a device says and takes, at one moment, or why not. */
#ifndef PERSEUS_CLI_DEVICES_H
#define PERSEUS_CLI_DEVICES_H

#include <stdint.h>

#include "base/text.h"

#include <perseus/device.h>
#include <perseus/status.h>

enum { PERSEUS__N_CLOCK_SETTINGS = PERSEUS_SETTING_MEMORY_CLOCKS + 1 };

struct perseus__device_report {
	int64_t values[PERSEUS_N_QUANTITIES];
	struct perseus_error not_read[PERSEUS_N_QUANTITIES]; /* status OK: it was read */
	struct perseus_error not_set[PERSEUS_N_SETTINGS];    /* status OK: this process could set it */
	int32_t mhz[PERSEUS__N_CLOCK_SETTINGS][PERSEUS_MAX_CLOCKS];
	int32_t n_mhz[PERSEUS__N_CLOCK_SETTINGS]; /* 0: the device does not tell */
};

/* Writes tables and what holds for each device. */
void perseus__devices_text(
		struct perseus__text *text, const struct perseus_node *node, const struct perseus__device_report *reports);

/*
 * Writes one object:
 *
 *     version  1
 *     devices  [{kind, index, backend, simulated, name, architecture, uuid, pci_address, driver, mig, module, note,
 *               energy_step_s, power_step_s, readings: {energy_j, power_w, sm_clock_mhz, memory_clock_mhz,
 *               clock_reasons: [words], temperature_c, power_limit_w, power_limit_min_w, power_limit_max_w,
 *               power_limit_default_w, persistence_mode}, not_measured: {reading: why}, settings: {sm_clocks:
 *               {settable, why_not, clocks_mhz: [ascending]}, memory_clocks: the same, power_limit: {settable,
 *               why_not}, persistence: the same}}]
 *     notes    [what was not found or left out, and why]
 *
 * A reading that there is not is null, and not_measured says why. Texts that the hardware does not give are null, and
 * so are steps that are not known, or where every reading is anew.
 */
void perseus__devices_json(
		struct perseus__text *text, const struct perseus_node *node, const struct perseus__device_report *reports);

#endif
