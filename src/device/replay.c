/*
 * Devices of a recorded trace, played from the moment that the node is opened. At each moment a device shows the power
 * and the clock of its last row up to then; an empty cell was not measured. Its energy counter moves evenly between the
 * rows that have one; in a trace without energies it is the integral of power, by the mean of both ends of each gap.
 * Ahead of the first row that row is shown. The last stands as long as the gap before it, as another row would have
 * come only then; its power flows on meanwhile. After that nothing is known, and every reading fails.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "device/device.h"
#include "device/trace.h"

#include <stdio.h>
#include <string.h>

struct replay;

struct player {
	const struct replay *replay;
	const struct perseus__trace_device *device;
	bool has_energy; /* then every point has */
};

struct replay {
	struct perseus__trace trace;
	int64_t (*now_ns)(void *user); /* NULL: the system's monotonic clock */
	void *now_user;
	int64_t origin_ns;      /* of that clock, where the trace's time is 0 */
	struct player *players; /* length trace.n_devices */
};

static int64_t
now_ns(const struct replay *replay)
{
	return replay->now_ns ? replay->now_ns(replay->now_user) : perseus__clock_mono_ns();
}

/* Number of points up to `time_ns`. */
static size_t
count_until(const struct perseus__trace_device *device, int64_t time_ns)
{
	size_t low = 0;
	size_t high = device->n_points;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (device->points[middle].time_ns <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Between two points, whose energies do not fall. */
static int64_t
interpolate(const struct perseus__trace_point *from, const struct perseus__trace_point *to, int64_t time_ns)
{
	const perseus__wide rise_uj = to->energy_uj - from->energy_uj;
	return from->energy_uj + (int64_t)(rise_uj * (time_ns - from->time_ns) / (to->time_ns - from->time_ns));
}

/* Behind a point; of no power where it has none. */
static int64_t
beyond(const struct perseus__trace_point *last, int64_t time_ns)
{
	const perseus__wide energy_pj = (perseus__wide)last->power_mw * (time_ns - last->time_ns);
	const perseus__wide energy_uj = last->energy_uj + energy_pj / 1000000;
	return energy_uj > INT64_MAX ? INT64_MAX : (int64_t)energy_uj;
}

static bool
has_ended(const struct perseus__trace_device *device, int64_t time_ns)
{
	const int64_t last_ns = device->points[device->n_points - 1].time_ns;
	const int64_t gap_ns = device->n_points > 1 ? last_ns - device->points[device->n_points - 2].time_ns : 0;
	return time_ns > last_ns + gap_ns;
}

static enum perseus_status
read_energy(const struct player *player, int64_t time_ns, int64_t *value, struct perseus_error *err)
{
	const struct perseus__trace_device *device = player->device;
	if (!player->has_energy)
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "neither energy nor power over time is in the trace");
	const size_t n_until = count_until(device, time_ns);
	if (n_until == 0)
		*value = device->points[0].energy_uj;
	else if (n_until == device->n_points)
		*value = beyond(&device->points[n_until - 1], time_ns);
	else
		*value = interpolate(&device->points[n_until - 1], &device->points[n_until], time_ns);
	return PERSEUS_OK;
}

static enum perseus_status
replay_read(void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err)
{
	const struct player *player = self;
	const struct perseus__trace_device *device = player->device;
	const int64_t time_ns = now_ns(player->replay) - player->replay->origin_ns;
	if (has_ended(device, time_ns))
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "the trace ended %g s after it began",
				(double)device->points[device->n_points - 1].time_ns / 1e9);
	if (quantity == PERSEUS_QUANTITY_ENERGY)
		return read_energy(player, time_ns, value, err);
	const size_t n_until = count_until(device, time_ns);
	const struct perseus__trace_point *at = &device->points[n_until > 0 ? n_until - 1 : 0];
	if (quantity == PERSEUS_QUANTITY_POWER && at->has_power)
		*value = at->power_mw;
	else if (quantity == PERSEUS_QUANTITY_SM_CLOCK && at->has_sm_clock)
		*value = at->sm_clock_mhz;
	else
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "the trace has no %s at %g s", perseus_quantity_name(quantity),
				(double)at->time_ns / 1e9);
	return PERSEUS_OK;
}

static const struct perseus__device_ops replay_ops = {.read = replay_read};

/* Makes energies of powers; false where there are not two. INVALID where they are too much for any counter. */
static enum perseus_status
integrate(struct perseus__trace_device *device, bool *has_energy, struct perseus_error *err)
{
	perseus__wide energy_pj = 0; /* mW · ns */
	struct perseus__trace_point *last = NULL;
	*has_energy = false;
	for (size_t i = 0; i < device->n_points; i++) {
		struct perseus__trace_point *point = &device->points[i];
		if (!point->has_power)
			continue;
		if (last)
			energy_pj += (perseus__wide)(last->power_mw + point->power_mw) * (point->time_ns - last->time_ns) / 2;
		if (energy_pj / 1000000 > INT64_MAX)
			return perseus__fail(err, PERSEUS_INVALID, "%s %d: the energy of its power is too large",
					perseus_device_kind_name(device->kind), device->index);
		point->energy_uj = (int64_t)(energy_pj / 1000000);
		point->has_energy = true;
		*has_energy = *has_energy || last;
		last = point;
	}
	return PERSEUS_OK;
}

/* Gives every point an energy; some point has one. */
static void
fill_gaps(struct perseus__trace_device *device)
{
	size_t first = 0;
	while (!device->points[first].has_energy)
		first++;
	for (size_t i = 0; i < first; i++)
		device->points[i].energy_uj = device->points[first].energy_uj;
	size_t last = first;
	for (size_t i = first + 1; i < device->n_points; i++) {
		if (!device->points[i].has_energy)
			continue;
		for (size_t k = last + 1; k < i; k++)
			device->points[k].energy_uj =
					interpolate(&device->points[last], &device->points[i], device->points[k].time_ns);
		last = i;
	}
	for (size_t i = last + 1; i < device->n_points; i++)
		device->points[i].energy_uj = device->points[last].energy_uj;
}

static enum perseus_status
prepare(struct player *player, struct perseus__trace_device *device, struct perseus_error *err)
{
	player->device = device;
	for (size_t i = 0; i < device->n_points && !player->has_energy; i++)
		player->has_energy = device->points[i].has_energy;
	if (!player->has_energy) {
		const enum perseus_status status = integrate(device, &player->has_energy, err);
		if (status != PERSEUS_OK)
			return status;
	}
	if (player->has_energy)
		fill_gaps(device);
	return PERSEUS_OK;
}

static enum perseus_status
add_player(struct perseus_node *node, struct player *player, const char *path, struct perseus_error *err)
{
	const struct perseus__trace_device *recorded = player->device;
	/* The counter is continuous: it moves every ns. */
	struct perseus__device device = {
		.info = {.kind = recorded->kind, .index = recorded->index, .is_simulated = true, .energy_step_ns = 1},
		.ops = &replay_ops,
		.self = player,
	};
	memcpy(device.info.name, recorded->name, sizeof device.info.name);
	(void)snprintf(device.info.note, sizeof device.info.note, "replayed from %.*s: a trace of %g s",
			PERSEUS_DEVICE_NOTE_BYTES - 64, path, (double)recorded->points[recorded->n_points - 1].time_ns / 1e9);
	return perseus__node_add(node, &device, err);
}

static void
close_replay(void *backend)
{
	struct replay *replay = backend;
	perseus__trace_fini(&replay->trace);
	perseus__free(replay->players);
	perseus__free(replay);
}

static enum perseus_status
load(struct replay *replay, const char *path, struct perseus_error *err)
{
	enum perseus_status status = perseus__trace_read(path, &replay->trace, err);
	if (status != PERSEUS_OK)
		return status;
	replay->players = perseus__new_array(replay->trace.n_devices, sizeof *replay->players);
	if (!replay->players)
		return perseus__no_memory(err);
	for (size_t i = 0; i < replay->trace.n_devices && status == PERSEUS_OK; i++) {
		replay->players[i].replay = replay;
		status = prepare(&replay->players[i], &replay->trace.devices[i], err);
	}
	return status;
}

enum perseus_status
perseus__replay_open(struct perseus_node *node, const char *argument, const struct perseus_node_settings *settings,
		struct perseus_error *err)
{
	if (!argument || *argument == '\0')
		return perseus__fail(err, PERSEUS_INVALID, "no file: replay:TRACE.csv");
	struct replay *replay = perseus__new_array(1, sizeof *replay);
	if (!replay)
		return perseus__no_memory(err);
	replay->now_ns = settings->now_ns;
	replay->now_user = settings->now_user;
	enum perseus_status status = load(replay, argument, err);
	if (status == PERSEUS_OK)
		status = perseus__node_own(node, replay, close_replay, err);
	if (status != PERSEUS_OK) {
		close_replay(replay);
		return status;
	}
	replay->origin_ns = now_ns(replay);
	for (size_t i = 0; i < replay->trace.n_devices && status == PERSEUS_OK; i++)
		status = add_player(node, &replay->players[i], argument, err);
	return status;
}
