/* Energy counters of a CPU package and its memory, and the power between two readings of them. */
#ifndef PERSEUS_AGENT_CPU_POWER_H
#define PERSEUS_AGENT_CPU_POWER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/front.h"

struct perseus__cpu_energy {
	int64_t time_ns; /* of the node's clock, when it was read */
	bool has_cpu;
	bool has_dram;
	int64_t cpu_uj;
	int64_t dram_uj;
};

/* Reads the counters that are wanted and there. Errors: those of perseus_device_read. */
PERSEUS_MUST_USE enum perseus_status perseus__cpu_read(const struct perseus__front *front,
		const struct perseus__cpu *cpu, bool wants_cpu, bool wants_dram, struct perseus__cpu_energy *energy,
		struct perseus_error *err);

/*
 * Reads every counter that is there, for their own sake: one that begins anew after minutes goes on only as long as it
 * is read in each such time, and clients may read at both ends of hours.
 */
void perseus__cpus_keep_counting(const struct perseus__front *front);

struct perseus__cpu_power {
	bool has_cpu;
	bool has_dram;
	int64_t cpu_mw;
	int64_t dram_mw;
};

/* Mean power between two readings, by the time that really passed. */
struct perseus__cpu_power perseus__cpu_power(
		const struct perseus__cpu_energy *before, const struct perseus__cpu_energy *after);

/* Adds "cpu_energy_uj" and "dram_energy_uj", or "cpu_mw" and "dram_mw"; null where there is none. */
void perseus__cpu_energy_write(const struct perseus__cpu_energy *energy, struct perseus__json *json);
void perseus__cpu_power_write(const struct perseus__cpu_power *power, struct perseus__json *json);

#endif
