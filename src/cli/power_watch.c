/* Power while a command runs, see the header. */
#include "cli/power_watch.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

enum perseus_status
perseus__power_watch_init(struct perseus__power_watch *watch, int32_t n_devices, const bool *is_counted,
		bool has_history, struct perseus_error *err)
{
	*watch = (struct perseus__power_watch){
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.n_devices = n_devices,
		.is_counted = is_counted,
		.has_power = perseus__new_array((size_t)n_devices + 1, sizeof *watch->has_power),
		.power_w = perseus__new_array((size_t)n_devices + 1, sizeof *watch->power_w),
		.has_history = has_history,
	};
	enum perseus_status status = watch->has_power && watch->power_w ? PERSEUS_OK : perseus__no_memory(err);
	if (status == PERSEUS_OK && has_history)
		status = perseus__history_init(&watch->history, n_devices + 1, err);
	if (status != PERSEUS_OK)
		perseus__power_watch_fini(watch);
	return status;
}

/* The sum, not a number where a device is missing that was there before: without it the sum would seem to fall. */
static double
sum_of(const struct perseus__power_watch *watch)
{
	double sum_w = 0;
	bool is_any = false;
	for (int32_t i = 0; i < watch->n_devices; i++) {
		if (!watch->has_power[i])
			continue;
		is_any = true;
		sum_w += watch->power_w[1 + i];
	}
	return is_any ? sum_w : NAN;
}

void
perseus__power_watch_add(void *user, int64_t time_ns, const struct perseus_sample *samples, int32_t n_samples)
{
	struct perseus__power_watch *watch = user;
	(void)pthread_mutex_lock(&watch->mutex);
	for (int32_t i = 0; i < watch->n_devices; i++)
		watch->power_w[1 + i] = NAN;
	for (int32_t i = 0; i < n_samples; i++) {
		const int32_t device = samples[i].device;
		if (!samples[i].has_power || !watch->is_counted[device])
			continue;
		watch->power_w[1 + device] = (double)samples[i].power_mw / 1e3;
		watch->has_power[device] = true;
	}
	watch->power_w[0] = sum_of(watch);
	watch->has_now = !isnan(watch->power_w[0]);
	watch->now_w = watch->power_w[0];
	if (watch->has_now && (!watch->has_peak || watch->now_w > watch->peak_w)) {
		watch->has_peak = true;
		watch->peak_w = watch->now_w;
	}
	if (watch->has_history)
		perseus__history_add(&watch->history, time_ns, watch->power_w);
	(void)pthread_mutex_unlock(&watch->mutex);
	if (watch->trace)
		perseus__trace_file_add(watch->trace, time_ns, samples, n_samples, watch->is_counted);
}

bool
perseus__power_watch_now(struct perseus__power_watch *watch, double *power_w)
{
	(void)pthread_mutex_lock(&watch->mutex);
	const bool has_now = watch->has_now;
	*power_w = watch->now_w;
	(void)pthread_mutex_unlock(&watch->mutex);
	return has_now;
}

void
perseus__power_watch_fini(struct perseus__power_watch *watch)
{
	perseus__free(watch->has_power);
	perseus__free(watch->power_w);
	if (watch->has_history)
		perseus__history_fini(&watch->history);
	watch->has_power = NULL;
	watch->power_w = NULL;
	watch->has_history = false;
}
