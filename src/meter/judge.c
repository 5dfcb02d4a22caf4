/* The energy of a device in a window, out of what is known at its two ends. */
#include "meter/meter_internal.h"

#include <stdio.h>
#include <string.h>

/* Drivers' counters have units of up to 1 mJ, cut off. */
static const double resolution_j = 1e-3;

struct estimate {
	bool is_possible;
	double energy_j;
	double error_j;
};

const char *
perseus_method_name(enum perseus_method method)
{
	static const char *const names[] = {
#define X(name, text) text,
		PERSEUS_METHOD_MAP(X)
#undef X
	};
	return names[method];
}

struct perseus__moment
perseus__moment_at(const struct perseus__metered *device, int64_t at_ns)
{
	const struct perseus__power_track *power = &device->power;
	const struct perseus__counter_track *counter = &device->counter;
	const struct perseus__anchor *anchor = &counter->anchor;
	struct perseus__moment moment = {.at_ns = at_ns,
		.n_gaps = power->n_gaps,
		.has_counter = counter->is_known,
		.era = counter->era,
		.n_steps = counter->n_steps,
		.counter_uj = anchor->counter_uj,
		.step_at_ns = anchor->at_ns,
		.doubt_ns = anchor->doubt_ns};
	moment.has_power = perseus__power_at(power, at_ns, &moment.power);
	moment.has_since = moment.has_power && anchor->has_power && anchor->n_gaps == power->n_gaps;
	moment.since_j = moment.power.energy_j - anchor->energy_j;
	moment.since_open_j = moment.power.open_j - anchor->open_j;
	return moment;
}

/*
 * What a driver that takes power anew only now and then cannot have shown by the end of a window: in the last such time
 * power may have gone to the limit or to nothing. On an H100 that had been idle, 20 ms at 700 W read as 145 W.
 */
static double
unseen_j(const struct perseus__metered *device, int64_t time_ns)
{
	const struct perseus__power_track *power = &device->power;
	const int64_t unseen_ns = time_ns < power->lag_ns ? time_ns : power->lag_ns;
	const int64_t above_mw = device->limit_mw - power->power_mw;
	const int64_t swing_mw = above_mw > power->power_mw ? above_mw : power->power_mw;
	return (double)swing_mw / 1e3 * ((double)unseen_ns / 1e9);
}

static struct estimate
by_power(const struct perseus__metered *device, const struct perseus__moment *begin, const struct perseus__moment *end)
{
	if (!begin->has_power || !end->has_power || begin->n_gaps != end->n_gaps)
		return (struct estimate){.is_possible = false};
	const double open_j = end->power.open_j - begin->power.open_j;
	const double least_j = unseen_j(device, end->at_ns - begin->at_ns);
	return (struct estimate){.is_possible = true,
		.energy_j = end->power.energy_j - begin->power.energy_j,
		.error_j = open_j > least_j ? open_j : least_j};
}

/*
 * Energy from the counter's last step to a moment. Without power: at the mean power of the window, give or take as much
 * as its peak.
 */
static struct estimate
since_step(const struct perseus__moment *moment, double mean_w, double peak_w)
{
	if (moment->has_since)
		return (struct estimate){.energy_j = moment->since_j, .error_j = moment->since_open_j};
	const double age_s = (double)(moment->at_ns - moment->step_at_ns) / 1e9;
	const double doubt_s = (double)moment->doubt_ns / 1e9;
	return (struct estimate){.energy_j = mean_w * age_s, .error_j = peak_w * ((age_s < 0 ? -age_s : age_s) + doubt_s)};
}

static struct estimate
by_counter(const struct perseus__share *share, const struct perseus__moment *end)
{
	const struct perseus__moment *begin = &share->begin;
	if (!begin->has_counter || !end->has_counter || begin->era != end->era || begin->n_steps == end->n_steps)
		return (struct estimate){.is_possible = false};
	const double counter_j = (double)(end->counter_uj - begin->counter_uj) / 1e6;
	const int64_t between_ns = end->step_at_ns - begin->step_at_ns;
	const double mean_w = between_ns > 0 ? counter_j / ((double)between_ns / 1e9) : 0;
	const double sampled_w = (double)share->peak_mw / 1e3;
	const double peak_w = sampled_w > mean_w ? sampled_w : mean_w;
	const struct estimate before = since_step(begin, mean_w, peak_w);
	const struct estimate after = since_step(end, mean_w, peak_w);
	const double energy_j = counter_j + after.energy_j - before.energy_j;
	return (struct estimate){.is_possible = true,
		.energy_j = energy_j > 0 ? energy_j : 0,
		.error_j = before.error_j + after.error_j + resolution_j};
}

static const char *
why_no_counter(
		const struct perseus__metered *device, const struct perseus__moment *begin, const struct perseus__moment *end)
{
	if (!begin->has_counter || !end->has_counter)
		return device->counter_words;
	if (begin->era != end->era || device->counter.is_stuck)
		return device->counter.break_words;
	return "did not move in the window";
}

static const char *
why_no_power(
		const struct perseus__metered *device, const struct perseus__moment *begin, const struct perseus__moment *end)
{
	return begin->has_power && end->has_power ? "was lost in between" : device->power_words;
}

/* Why there is no energy, or why the counter was not good for it; "" where the window was only too short for it. */
static void
explain(const struct perseus__metered *device, const struct perseus__moment *begin, const struct perseus__moment *end,
		struct perseus_reading *reading)
{
	reading->reason[0] = '\0';
	if (reading->method == PERSEUS_METHOD_COUNTER)
		return;
	const bool is_usable =
			begin->has_counter && end->has_counter && begin->era == end->era && !device->counter.is_stuck;
	if (reading->method == PERSEUS_METHOD_POWER && is_usable)
		return;
	const char *counter = why_no_counter(device, begin, end);
	const char *power = why_no_power(device, begin, end);
	const size_t size = sizeof reading->reason;
	if (reading->method == PERSEUS_METHOD_POWER)
		(void)snprintf(reading->reason, size, "energy counter: %.200s", counter); /* a driver's words may be cut */
	else if (strcmp(counter, power) == 0)
		(void)snprintf(reading->reason, size, "%s", counter);
	else
		(void)snprintf(reading->reason, size, "energy counter: %.100s; power: %.100s", counter, power);
}

void
perseus__meter_judge(const struct perseus__metered *device, const struct perseus__share *share,
		const struct perseus__moment *end, struct perseus_reading *reading)
{
	const struct estimate power = by_power(device, &share->begin, end);
	const struct estimate counter = by_counter(share, end);
	const int64_t time_ns = end->at_ns - share->begin.at_ns;
	/* Within one step the counter says little: there the one that leaves less open is better. */
	const bool is_counted = counter.is_possible
			&& (!power.is_possible || time_ns >= device->counter.step_ns || counter.error_j < power.error_j);
	const struct estimate *chosen = is_counted ? &counter : &power;
	reading->method = is_counted ? PERSEUS_METHOD_COUNTER
			: power.is_possible  ? PERSEUS_METHOD_POWER
								 : PERSEUS_METHOD_NONE;
	const bool is_measured = reading->method != PERSEUS_METHOD_NONE;
	reading->energy_j = is_measured ? chosen->energy_j : 0;
	reading->error_j = is_measured ? chosen->error_j : 0;
	reading->has_average_power = is_measured && time_ns > 0;
	reading->average_power_w = reading->has_average_power ? reading->energy_j / ((double)time_ns / 1e9) : 0;
	const int64_t last_mw = device->power.is_known ? device->power.power_mw : -1;
	const int64_t peak_mw = last_mw > share->peak_mw ? last_mw : share->peak_mw;
	reading->has_peak_power = peak_mw >= 0;
	reading->peak_power_w = reading->has_peak_power ? (double)peak_mw / 1e3 : 0;
	explain(device, &share->begin, end, reading);
}
