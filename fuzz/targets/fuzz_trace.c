/*
 * Bytes → a recorded trace. What is taken is in order and reads back the same when written again; what is refused names
 * the file.
 */
#include "../require.h"
#include "device/trace.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct perseus_error none = {.message = ""};

static void
check_device(const struct perseus__trace_device *device)
{
	require(device->n_points > 0, "a device has points", &none);
	require(device->index >= 0 && device->index <= PERSEUS__TRACE_MAX_INDEX, "an index", &none);
	require(strlen(device->name) < sizeof device->name, "a name", &none);
	int64_t energy_uj = 0;
	for (size_t i = 0; i < device->n_points; i++) {
		const struct perseus__trace_point *point = &device->points[i];
		require(point->time_ns >= 0 && point->power_mw >= 0 && point->sm_clock_mhz >= 0, "not negative", &none);
		require(i == 0 || point->time_ns > device->points[i - 1].time_ns, "times ascend", &none);
		require(!point->has_energy || point->energy_uj >= energy_uj, "energies do not fall", &none);
		energy_uj = point->has_energy ? point->energy_uj : energy_uj;
	}
}

static void
check(const struct perseus__trace *trace)
{
	require(trace->n_devices > 0 && trace->n_devices <= PERSEUS__TRACE_MAX_DEVICES, "number of devices", &none);
	for (size_t i = 0; i < trace->n_devices; i++) {
		check_device(&trace->devices[i]);
		if (i == 0)
			continue;
		const struct perseus__trace_device *last = &trace->devices[i - 1];
		const struct perseus__trace_device *device = &trace->devices[i];
		require(device->kind > last->kind || (device->kind == last->kind && device->index > last->index),
				"devices in order", &none);
	}
}

static bool
is_same_point(const struct perseus__trace_point *a, const struct perseus__trace_point *b)
{
	return a->time_ns == b->time_ns && a->has_power == b->has_power && a->has_sm_clock == b->has_sm_clock
			&& a->has_energy == b->has_energy && a->power_mw == b->power_mw && a->sm_clock_mhz == b->sm_clock_mhz
			&& a->energy_uj == b->energy_uj;
}

static void
require_same(const struct perseus__trace *a, const struct perseus__trace *b)
{
	require(a->n_devices == b->n_devices, "other devices", &none);
	for (size_t i = 0; i < a->n_devices; i++) {
		const struct perseus__trace_device *first = &a->devices[i];
		const struct perseus__trace_device *second = &b->devices[i];
		require(first->kind == second->kind && first->index == second->index, "another device", &none);
		require(strcmp(first->name, second->name) == 0, "another name", &none);
		require(first->n_points == second->n_points, "other rows", &none);
		for (size_t k = 0; k < first->n_points; k++)
			require(is_same_point(&first->points[k], &second->points[k]), "another row", &none);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct perseus__trace trace;
	struct perseus__trace again;
	struct perseus_error err = {.message = ""};
	if (perseus__trace_decode((const char *)bytes, length, "t.csv", &trace, &err) != PERSEUS_OK) {
		require(strncmp(err.message, "t.csv:", 6) == 0, "refused without the file", &err);
		return 0;
	}
	check(&trace);
	struct perseus__text text = perseus__text_init((size_t)1 << 30);
	perseus__trace_write_header(&text);
	for (size_t i = 0; i < trace.n_devices; i++)
		for (size_t k = 0; k < trace.devices[i].n_points; k++)
			perseus__trace_write(&text, trace.devices[i].kind, trace.devices[i].index, trace.devices[i].name,
					&trace.devices[i].points[k]);
	require(!text.failed, "no memory to write", &none);
	require(perseus__trace_decode(text.bytes, text.length, "again", &again, &err) == PERSEUS_OK, "read again", &err);
	require_same(&trace, &again);
	perseus__text_fini(&text);
	perseus__trace_fini(&again);
	perseus__trace_fini(&trace);
	return 0;
}
