/*
 * What a command's meter reads meanwhile: power of all its devices together, now and at its peak, and each device's for
 * the chart and the trace. Fed by the meter's thread, asked by the command's.
 */
#ifndef PERSEUS_CLI_POWER_WATCH_H
#define PERSEUS_CLI_POWER_WATCH_H

#include "chart/history.h"
#include "cli/trace_file.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <perseus/meter.h>
#include <perseus/status.h>

/* Devices are told by their index in the node. perseus__power_watch_init before, perseus__power_watch_fini after. */
struct perseus__power_watch {
	pthread_mutex_t mutex; /* over all that changes */
	int32_t n_devices;
	const bool *is_counted; /* length n_devices; borrowed; the others are left out */
	bool *has_power;        /* length n_devices: whether its power was ever read; owned */
	double *power_w;        /* of one sample, length 1 + n_devices, the sum first; owned */
	bool has_now;
	double now_w; /* sum over all devices whose power can be read, where each was at the last sample */
	bool has_peak;
	double peak_w; /* the highest such sum */
	bool has_history;
	struct perseus__history history;   /* where one is kept: series 0 is the sum */
	struct perseus__trace_file *trace; /* borrowed, and the meter thread's as long as there is one; NULL: none */
};

/* Keeps a history where `has_history`. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__power_watch_init(struct perseus__power_watch *watch, int32_t n_devices,
		const bool *is_counted, bool has_history, struct perseus_error *err);

/* As the meter's settings want it; `user` is a struct perseus__power_watch. */
void perseus__power_watch_add(void *user, int64_t time_ns, const struct perseus_sample *samples, int32_t n_samples);

/* Power of all devices now; false where it is not known. */
bool perseus__power_watch_now(struct perseus__power_watch *watch, double *power_w);

/* No meter may feed it any more. */
void perseus__power_watch_fini(struct perseus__power_watch *watch);

#endif
