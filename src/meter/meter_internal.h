/*
 * What the files of the meter share. The thread alone reads counters of devices that tell their power, since a reading
 * may take milliseconds; beginning and ending a window reads power, and the counter only where there is no power.
 * Drivers are called without the lock; what they said is taken in under it.
 */
#ifndef PERSEUS_METER_METER_INTERNAL_H
#define PERSEUS_METER_METER_INTERNAL_H

#include "meter/counter_track.h"
#include "meter/power_track.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <perseus/meter.h>

/* A device as the readings show it. Owner: the meter's lock; but for the flags, which are read without it. */
struct perseus__metered {
	bool is_fine;     /* the counter moves all the time; does not change */
	int64_t limit_mw; /* power limit when the meter began; 0: not known */
	struct perseus__power_track power;
	struct perseus__counter_track counter;
	char power_words[PERSEUS_DEVICE_NOTE_BYTES]; /* the driver's, of the last reading that failed */
	char counter_words[PERSEUS_DEVICE_NOTE_BYTES];
	struct perseus__anchor sampled; /* of the counter at the last sample, for the mean since then */
	int64_t sampled_era;
	atomic_bool tells_power; /* the last reading succeeded */
	atomic_bool tells_counter;
};

/* What the driver said about a device. */
struct perseus__observation {
	bool asked_power;
	bool asked_counter;
	bool has_power;
	bool has_counter;
	int64_t before_ns; /* the counter was read between these, power at the latter */
	int64_t after_ns;
	int64_t power_mw;
	int64_t counter_uj;
};

/* What is known of a device's energy up to a moment. */
struct perseus__moment {
	int64_t at_ns;
	bool has_power;
	bool has_counter;
	bool has_since; /* power was known all the time since the counter's last step */
	int64_t n_gaps;
	int64_t era;
	int64_t n_steps;
	struct perseus__power_point power;
	int64_t counter_uj;
	int64_t step_at_ns;
	int64_t doubt_ns; /* of step_at_ns */
	double since_j;   /* energy since that step */
	double since_open_j;
};

/* A device's part in a window. */
struct perseus__share {
	struct perseus__moment begin;
	int64_t peak_mw; /* of the samples since; -1: there was none */
};

struct perseus__window {
	int64_t id; /* 0: not open */
	int64_t begin_ns;
	int32_t depth;
	char name[PERSEUS_DEVICE_TEXT_BYTES];
	struct perseus__share *shares; /* length n_devices */
	struct perseus__window *next;  /* among those that are open, or free */
	struct perseus__window *previous;
	int32_t slot;
};

/* Windows come in blocks, each twice as large as the one before, so that none ever moves. */
enum { PERSEUS__WINDOW_BLOCKS = 20, PERSEUS__FIRST_BLOCK = 16 };

struct perseus__window_table {
	struct perseus__window *blocks[PERSEUS__WINDOW_BLOCKS];
	struct perseus__share *shares[PERSEUS__WINDOW_BLOCKS];
	int32_t n_blocks;
	int32_t n_open;
	int64_t n_begun;
	struct perseus__window *open;
	struct perseus__window *free;
};

struct perseus_meter {
	const struct perseus_node *node;
	struct perseus_meter_settings settings;
	int32_t n_devices;
	struct perseus__metered *devices;
	struct perseus_sample *samples; /* the thread's own */
	int64_t next_sample_ns;         /* the thread's own */
	struct perseus__window_table windows;
	pthread_mutex_t mutex; /* of devices and windows */
	pthread_cond_t wake;   /* the thread is to stop, or it knows when the counters step */
	pthread_t thread;
	bool has_thread;
	bool is_ready;
	bool must_stop;
};

/* A meter without a thread: nothing happens but by perseus__meter_step. For tests on a clock of their own. */
PERSEUS_MUST_USE enum perseus_status perseus__meter_new_manual(const struct perseus_node *node,
		const struct perseus_meter_settings *settings, struct perseus_meter **out, struct perseus_error *err);

/* Does what is due now, and returns when to be called again. One thread only. */
int64_t perseus__meter_step(struct perseus_meter *meter);

/* Reads the devices for a window's begin or end at `now_ns`, and takes the lock. */
void perseus__meter_read_and_lock(struct perseus_meter *meter, int64_t now_ns);

/* Under the lock: what is known of a device's energy up to `at_ns`. */
struct perseus__moment perseus__moment_at(const struct perseus__metered *device, int64_t at_ns);

/* Under the lock: the energy of a device since its share in a window began; all of `reading` but the device. */
void perseus__meter_judge(const struct perseus__metered *device, const struct perseus__share *share,
		const struct perseus__moment *end, struct perseus_reading *reading);

/* Under the lock: a sample of power belongs to all windows that are open. */
void perseus__windows_note_power(struct perseus__window_table *windows, int32_t device, int64_t power_mw);

/* The first windows, ahead of their use. NO_MEMORY */
PERSEUS_MUST_USE enum perseus_status perseus__windows_init(struct perseus_meter *meter, struct perseus_error *err);
void perseus__windows_fini(struct perseus__window_table *windows);

#endif
