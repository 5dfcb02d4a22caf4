/*
 * The handlers of the routes, by file. Each answers an exchange whose access and parameters are in order; how it is
 * finished is said by the mode of its route.
 */
#ifndef PERSEUS_AGENT_HANDLERS_H
#define PERSEUS_AGENT_HANDLERS_H

#include "agent/front.h"

typedef void perseus__handler(struct perseus__front *front, struct perseus__exchange *exchange);

/* info.c */
perseus__handler perseus__handle_discover;
perseus__handler perseus__handle_time;
perseus__handler perseus__handle_whoami;
perseus__handler perseus__handle_version;
perseus__handler perseus__handle_health;

/* gpu_read.c */
perseus__handler perseus__handle_gpu_energy;
perseus__handler perseus__handle_gpu_power;
perseus__handler perseus__handle_power_limit;
perseus__handler perseus__handle_power_limits;
perseus__handler perseus__handle_persistence;

/* cpu_read.c; the last two are those of zeusd up to 0.2 */
perseus__handler perseus__handle_cpu_energy;
perseus__handler perseus__handle_cpu_power;
perseus__handler perseus__handle_dram_support;
perseus__handler perseus__handle_index_energy;

/* write.c: what its route's operation says */
perseus__handler perseus__handle_write;
extern const struct perseus__operation perseus__set_power_limit, perseus__set_persistence, perseus__set_sm_clocks,
		perseus__reset_sm_clocks, perseus__set_memory_clocks, perseus__reset_memory_clocks, perseus__reset_all_clocks,
		perseus__begin_lease, perseus__end_lease;

/* leases.c */
perseus__handler perseus__handle_leases;
perseus__handler perseus__handle_lease_end;

/* events.c */
perseus__handler perseus__handle_gpu_stream;
perseus__handler perseus__handle_cpu_stream;

/* metrics_page.c */
perseus__handler perseus__handle_metrics;

#endif
