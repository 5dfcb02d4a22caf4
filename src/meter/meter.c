/* The meter: its thread, and what it reads of the devices. */
#include "meter/meter_internal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SAMPLE_PERIOD_NS INT64_C(100000000)
/* A wait is no more exact than this, so that what is due within it is done together. */
#define WAIT_NS INT64_C(250000)
enum { DEVICES_AT_ONCE = 32 };

static int64_t
now(const struct perseus_meter *meter)
{
	return perseus_node_now_ns(meter->node);
}

static int64_t
round_up(int64_t ns, int64_t unit_ns)
{
	return (ns + unit_ns - 1) / unit_ns * unit_ns;
}

static void
note_words(struct perseus_meter *meter, char words[PERSEUS_DEVICE_NOTE_BYTES], const struct perseus_error *err)
{
	(void)pthread_mutex_lock(&meter->mutex);
	(void)snprintf(words, PERSEUS_DEVICE_NOTE_BYTES, "%.*s", PERSEUS_DEVICE_NOTE_BYTES - 1, err->message);
	(void)pthread_mutex_unlock(&meter->mutex);
}

/* Without the lock. Where a reading fails, the driver's words are kept. */
static bool
read_quantity(struct perseus_meter *meter, int32_t i, enum perseus_quantity quantity, int64_t *value)
{
	struct perseus__metered *device = &meter->devices[i];
	const bool is_power = quantity == PERSEUS_QUANTITY_POWER;
	struct perseus_error err;
	const bool is_read = perseus_device_read(meter->node, i, quantity, value, &err) == PERSEUS_OK;
	if (!is_read)
		note_words(meter, is_power ? device->power_words : device->counter_words, &err);
	atomic_store_explicit(is_power ? &device->tells_power : &device->tells_counter, is_read, memory_order_relaxed);
	return is_read;
}

/* Without the lock: the counter, where `with_counter`, and power right after. */
static struct perseus__observation
observe(struct perseus_meter *meter, int32_t i, bool with_counter)
{
	struct perseus__observation seen = {.asked_power = true, .asked_counter = with_counter};
	if (with_counter) {
		seen.before_ns = now(meter);
		seen.has_counter = read_quantity(meter, i, PERSEUS_QUANTITY_ENERGY, &seen.counter_uj);
	}
	seen.after_ns = now(meter);
	seen.has_power = read_quantity(meter, i, PERSEUS_QUANTITY_POWER, &seen.power_mw);
	return seen;
}

/*
 * Without the lock, for a window's begin or end: power as of `now_ns`, which costs next to nothing; the counter where
 * that moves all the time, or where there is no power.
 */
static struct perseus__observation
observe_quickly(struct perseus_meter *meter, int32_t i, int64_t now_ns)
{
	struct perseus__observation seen = {.after_ns = now_ns};
	struct perseus__metered *device = &meter->devices[i];
	if (atomic_load_explicit(&device->tells_power, memory_order_relaxed)) {
		seen.asked_power = true;
		seen.has_power = read_quantity(meter, i, PERSEUS_QUANTITY_POWER, &seen.power_mw);
	}
	const bool wants_counter = !seen.has_power || device->is_fine;
	if (wants_counter && atomic_load_explicit(&device->tells_counter, memory_order_relaxed)) {
		seen.asked_counter = true;
		seen.before_ns = now(meter);
		seen.has_counter = read_quantity(meter, i, PERSEUS_QUANTITY_ENERGY, &seen.counter_uj);
		seen.after_ns = now(meter);
	}
	return seen;
}

/* Under the lock. Power first: the energy since a step is measured by it. */
static void
take_in(struct perseus__metered *device, const struct perseus__observation *seen)
{
	if (seen->has_power)
		perseus__power_add(&device->power, seen->after_ns, seen->power_mw);
	else if (seen->asked_power)
		perseus__power_lose(&device->power);
	if (seen->has_counter)
		perseus__counter_add(&device->counter, &device->power, seen->before_ns, seen->after_ns, seen->counter_uj);
	else if (seen->asked_counter)
		perseus__counter_lose(&device->counter, seen->after_ns);
}

void
perseus__meter_read_and_lock(struct perseus_meter *meter, int64_t now_ns)
{
	struct perseus__observation seen[DEVICES_AT_ONCE];
	int32_t first = 0;
	for (;;) {
		const int32_t left = meter->n_devices - first;
		const int32_t n = left < DEVICES_AT_ONCE ? left : DEVICES_AT_ONCE;
		for (int32_t i = 0; i < n; i++)
			seen[i] = observe_quickly(meter, first + i, now_ns);
		(void)pthread_mutex_lock(&meter->mutex);
		for (int32_t i = 0; i < n; i++)
			take_in(&meter->devices[first + i], &seen[i]);
		first += n;
		if (first == meter->n_devices)
			return;
		(void)pthread_mutex_unlock(&meter->mutex);
	}
}

/* Under the lock: power of a device that does not tell it, the mean between the last steps before two samples. */
static bool
mean_power(struct perseus__metered *device, int64_t *power_mw)
{
	const struct perseus__anchor last = device->sampled;
	const int64_t last_era = device->sampled_era;
	device->sampled = device->counter.anchor;
	device->sampled_era = device->counter.era;
	const int64_t time_ns = device->sampled.at_ns - last.at_ns;
	const int64_t doubt_ns = device->sampled.doubt_ns + last.doubt_ns;
	if (!device->counter.is_known || last_era != device->sampled_era || time_ns <= 0 || doubt_ns > time_ns / 4)
		return false;
	const double energy_uj = (double)(device->sampled.counter_uj - last.counter_uj);
	*power_mw = (int64_t)(energy_uj * 1e6 / (double)time_ns + 0.5);
	return true;
}

static void
sample_device(struct perseus_meter *meter, int32_t i)
{
	struct perseus__metered *device = &meter->devices[i];
	struct perseus_sample *sample = &meter->samples[i];
	const struct perseus__observation seen = observe(meter, i, !perseus__counter_is_stepped(&device->counter));
	*sample = (struct perseus_sample){.device = i, .has_power = seen.has_power, .power_mw = seen.power_mw};
	if (meter->settings.with_clocks)
		sample->has_sm_clock =
				perseus_device_read(meter->node, i, PERSEUS_QUANTITY_SM_CLOCK, &sample->sm_clock_mhz, NULL)
				== PERSEUS_OK;
	(void)pthread_mutex_lock(&meter->mutex);
	take_in(device, &seen);
	if (!sample->has_power)
		sample->has_power = mean_power(device, &sample->power_mw);
	if (sample->has_power)
		perseus__windows_note_power(&meter->windows, i, sample->power_mw);
	(void)pthread_mutex_unlock(&meter->mutex);
}

static void
sample(struct perseus_meter *meter, int64_t now_ns)
{
	for (int32_t i = 0; i < meter->n_devices; i++)
		sample_device(meter, i);
	if (meter->settings.on_samples)
		meter->settings.on_samples(meter->settings.user, now_ns, meter->samples, meter->n_devices);
	meter->next_sample_ns += meter->settings.sample_period_ns;
	if (meter->next_sample_ns <= now_ns) /* some were missed, as when the machine slept */
		meter->next_sample_ns = now_ns + meter->settings.sample_period_ns;
}

/* When the counter of a device is to be read apart from the samples; the lock is held for that only. */
static int64_t
next_read_ns(struct perseus_meter *meter, const struct perseus__metered *device)
{
	if (!perseus__counter_is_stepped(&device->counter))
		return INT64_MAX;
	(void)pthread_mutex_lock(&meter->mutex);
	const int64_t next_ns = perseus__counter_next(&device->counter, meter->settings.sample_period_ns);
	(void)pthread_mutex_unlock(&meter->mutex);
	return next_ns;
}

/* Reads the counters that are due now, and returns when the next is. */
static int64_t
read_counters(struct perseus_meter *meter)
{
	int64_t due_ns = INT64_MAX - WAIT_NS;
	for (int32_t i = 0; i < meter->n_devices; i++) {
		struct perseus__metered *device = &meter->devices[i];
		int64_t next_ns = next_read_ns(meter, device);
		if (next_ns <= now(meter)) {
			const struct perseus__observation seen = observe(meter, i, true);
			(void)pthread_mutex_lock(&meter->mutex);
			take_in(device, &seen);
			(void)pthread_mutex_unlock(&meter->mutex);
			next_ns = next_read_ns(meter, device);
		}
		due_ns = next_ns < due_ns ? next_ns : due_ns;
	}
	return round_up(due_ns, WAIT_NS);
}

int64_t
perseus__meter_step(struct perseus_meter *meter)
{
	const int64_t now_ns = now(meter);
	if (now_ns >= meter->next_sample_ns)
		sample(meter, now_ns);
	const int64_t due_ns = read_counters(meter);
	return due_ns < meter->next_sample_ns ? due_ns : meter->next_sample_ns;
}

/* Sleeps until the node's clock shows `due_ns`; false where the meter is to stop. */
static bool
wait_until(struct perseus_meter *meter, int64_t due_ns)
{
	const int64_t wake_ns = perseus__clock_mono_ns() + (due_ns - now(meter));
	const struct timespec wake = {.tv_sec = wake_ns / 1000000000, .tv_nsec = wake_ns % 1000000000};
	(void)pthread_mutex_lock(&meter->mutex);
	while (!meter->must_stop && pthread_cond_timedwait(&meter->wake, &meter->mutex, &wake) == 0) {
		/* Woken for nothing, or to stop; at the end of the time it returns ETIMEDOUT. */
	}
	const bool goes_on = !meter->must_stop;
	(void)pthread_mutex_unlock(&meter->mutex);
	return goes_on;
}

/* Every counter's step has been seen, or it is of no use to wait for it. */
static bool
is_located(struct perseus_meter *meter)
{
	bool is_located = true;
	for (int32_t i = 0; i < meter->n_devices; i++) {
		const struct perseus__counter_track *counter = &meter->devices[i].counter;
		const bool is_searching = counter->is_known && counter->rhythm == PERSEUS__RHYTHM_SOUGHT;
		is_located = is_located && !is_searching;
	}
	return is_located;
}

static void *
run(void *user)
{
	struct perseus_meter *meter = user;
	bool goes_on = true;
	while (goes_on && !is_located(meter))
		goes_on = wait_until(meter, read_counters(meter));
	(void)pthread_mutex_lock(&meter->mutex);
	meter->is_ready = true;
	(void)pthread_cond_broadcast(&meter->wake);
	(void)pthread_mutex_unlock(&meter->mutex);
	while (goes_on)
		goes_on = wait_until(meter, perseus__meter_step(meter));
	return NULL;
}

/* Signals are the program's: the thread takes none. */
static enum perseus_status
start_thread(struct perseus_meter *meter, struct perseus_error *err)
{
	sigset_t all, before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	const int failure = pthread_create(&meter->thread, NULL, run, meter);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failure)
		return perseus__fail(err, PERSEUS_IO, "no thread for the meter: %s", strerror(failure));
	meter->has_thread = true;
	(void)pthread_mutex_lock(&meter->mutex);
	while (!meter->is_ready)
		(void)pthread_cond_wait(&meter->wake, &meter->mutex);
	(void)pthread_mutex_unlock(&meter->mutex);
	return PERSEUS_OK;
}

static void
init_locks(struct perseus_meter *meter)
{
	/* On Linux none of these can fail for want of anything. */
	pthread_condattr_t attributes;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&meter->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	(void)pthread_mutex_init(&meter->mutex, NULL);
}

static void
first_readings(struct perseus_meter *meter)
{
	for (int32_t i = 0; i < meter->n_devices; i++) {
		struct perseus__metered *device = &meter->devices[i];
		const struct perseus_device_info *info = perseus_node_device(meter->node, i);
		device->counter = perseus__counter_track_init(info->energy_step_ns);
		device->power = perseus__power_track_init(info->power_step_ns);
		device->is_fine = info->energy_step_ns > 0 && !perseus__counter_is_stepped(&device->counter);
		if (perseus_device_read(meter->node, i, PERSEUS_QUANTITY_POWER_LIMIT, &device->limit_mw, NULL) != PERSEUS_OK)
			device->limit_mw = 0;
		const struct perseus__observation seen = observe(meter, i, true);
		take_in(device, &seen);
		device->sampled = device->counter.anchor;
	}
	meter->next_sample_ns = round_up(now(meter) + meter->settings.sample_period_ns, PERSEUS__METER_GRAIN_NS);
}

enum perseus_status
perseus__meter_new_manual(const struct perseus_node *node, const struct perseus_meter_settings *settings,
		struct perseus_meter **out, struct perseus_error *err)
{
	struct perseus_meter *meter = perseus__new_array(1, sizeof *meter);
	if (!meter)
		return perseus__no_memory(err);
	meter->node = node;
	if (settings)
		meter->settings = *settings;
	if (meter->settings.sample_period_ns <= 0)
		meter->settings.sample_period_ns = SAMPLE_PERIOD_NS;
	meter->n_devices = perseus_node_n_devices(node);
	init_locks(meter);
	meter->devices = perseus__new_array((size_t)meter->n_devices, sizeof *meter->devices);
	meter->samples = perseus__new_array((size_t)meter->n_devices, sizeof *meter->samples);
	if (!meter->devices || !meter->samples || perseus__windows_init(meter, NULL) != PERSEUS_OK) {
		perseus_meter_free(meter);
		return perseus__no_memory(err);
	}
	first_readings(meter);
	*out = meter;
	return PERSEUS_OK;
}

enum perseus_status
perseus_meter_new(const struct perseus_node *node, const struct perseus_meter_settings *settings,
		struct perseus_meter **out, struct perseus_error *err)
{
	struct perseus_meter *meter = NULL;
	enum perseus_status status = perseus__meter_new_manual(node, settings, &meter, err);
	if (status != PERSEUS_OK)
		return status;
	status = start_thread(meter, err);
	if (status != PERSEUS_OK) {
		perseus_meter_free(meter);
		return status;
	}
	*out = meter;
	return PERSEUS_OK;
}

void
perseus_meter_free(struct perseus_meter *meter)
{
	if (!meter)
		return;
	if (meter->has_thread) {
		(void)pthread_mutex_lock(&meter->mutex);
		meter->must_stop = true;
		(void)pthread_cond_broadcast(&meter->wake);
		(void)pthread_mutex_unlock(&meter->mutex);
		(void)pthread_join(meter->thread, NULL);
	}
	perseus__windows_fini(&meter->windows);
	(void)pthread_cond_destroy(&meter->wake);
	(void)pthread_mutex_destroy(&meter->mutex);
	perseus__free(meter->samples);
	perseus__free(meter->devices);
	perseus__free(meter);
}
