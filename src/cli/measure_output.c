/* What a measured command took, in words, as JSON and as a picture. */
#include "cli/measure.h"

#include "base/error.h"
#include "base/memory.h"
#include "chart/power_chart.h"
#include "cli/device_words.h"
#include "cli/quantity.h"
#include "cli/run_json.h"
#include "cli/run_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Calls `take` with each line of the notes. */
static void
each_note(const struct perseus__measurement *measurement, void (*take)(void *user, const char *line), void *user)
{
	char line[PERSEUS_ERROR_MESSAGE_BYTES];
	const char *at = measurement->notes.bytes;
	for (const char *end; at && (end = strchr(at, '\n')); at = end + 1) {
		(void)snprintf(line, sizeof line, "%.*s", (int)(end - at), at);
		take(user, line);
	}
}

static void
note_in_words(void *user, const char *line)
{
	perseus__text_addf(user, "note: %s\n", line);
}

static void
note_in_json(void *user, const char *line)
{
	perseus__json_string(user, NULL, line);
}

/* "GPU 1-7, CPU 0: counted by rank 3 (pid 4711)", for each rank that counts some. */
static void
add_others(const struct perseus__measurement *measurement, struct perseus__text *text)
{
	const int32_t n_devices = perseus_node_n_devices(measurement->node);
	int32_t *devices = perseus__new_array((size_t)n_devices + 1, sizeof *devices);
	text->failed = text->failed || !devices;
	for (int32_t first = 0; first < n_devices && devices; first++) {
		const struct perseus__claimant *claimant = &measurement->claimant[first];
		int32_t n = 0;
		bool is_said = measurement->is_counted[first];
		for (int32_t i = 0; i < n_devices && !is_said; i++) {
			if (measurement->is_counted[i] || measurement->claimant[i].pid != claimant->pid)
				continue;
			is_said = i < first;
			devices[n++] = i;
		}
		if (is_said)
			continue;
		perseus__add_device_labels(text, measurement->node, devices, n);
		if (claimant->rank >= 0)
			perseus__text_addf(
					text, ": counted by rank %" PRId32 " (pid %" PRId64 ")\n", claimant->rank, claimant->pid);
		else
			perseus__text_addf(text, ": counted by another rank\n");
	}
	perseus__free(devices);
}

void
perseus__measurement_report(const struct perseus__measurement *measurement, struct perseus__text *text)
{
	perseus__run_report(measurement->run, text);
	add_others(measurement, text);
	if (measurement->notes.length > 0)
		perseus__text_addf(text, "\n");
	each_note(measurement, note_in_words, text);
}

static void
write_others(const struct perseus__measurement *measurement, struct perseus__json *json)
{
	perseus__json_open_array(json, "counted_by_others", false);
	for (int32_t i = 0; i < perseus_node_n_devices(measurement->node); i++) {
		if (measurement->is_counted[i])
			continue;
		const struct perseus__claimant *claimant = &measurement->claimant[i];
		perseus__json_open_object(json, NULL, true);
		perseus__device_json(json, perseus_node_device(measurement->node, i));
		if (claimant->rank >= 0)
			perseus__json_integer(json, "rank", claimant->rank);
		else
			perseus__json_null(json, "rank");
		if (claimant->pid > 0)
			perseus__json_integer(json, "pid", claimant->pid);
		else
			perseus__json_null(json, "pid");
		perseus__json_close_object(json);
	}
	perseus__json_close_array(json);
}

void
perseus__measurement_json(const struct perseus__measurement *measurement, struct perseus__text *text)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, false);
	perseus__run_json(&json, measurement->run);
	perseus__json_number(&json, "sample_rate_hz", measurement->options->rate_hz);
	write_others(measurement, &json);
	perseus__json_open_array(&json, "notes", false);
	each_note(measurement, note_in_json, &json);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}

static enum perseus__power_group
group_of(enum perseus_device_kind kind)
{
	switch (kind) {
	case PERSEUS_DEVICE_GPU:
		return PERSEUS__POWER_GPU;
	case PERSEUS_DEVICE_CPU:
		return PERSEUS__POWER_CPU;
	case PERSEUS_DEVICE_DRAM:
		return PERSEUS__POWER_DRAM;
	}
	return PERSEUS__POWER_TOTAL;
}

/* The words of a lane. */
struct lane_words {
	char label[64];
	char detail[64];
	char absent[PERSEUS_DEVICE_NOTE_BYTES + 32];
};

static struct perseus__power_lane
total_lane(const struct perseus__run *run, struct lane_words *words)
{
	const struct perseus__energy *energy = &run->footprint.energy;
	(void)snprintf(
			words->label, sizeof words->label, "together%s", perseus__run_is_simulated(run) ? " (simulated)" : "");
	if (energy->n_measured > 0)
		(void)snprintf(words->detail, sizeof words->detail, "%.1f W average", energy->energy_j / run->time_s);
	return (struct perseus__power_lane){
		.label = words->label, .detail = words->detail, .group = PERSEUS__POWER_TOTAL, .absent = "no power was read"};
}

static struct perseus__power_lane
device_lane(const struct perseus__run_device *device, struct lane_words *words)
{
	const struct perseus_reading *reading = &device->reading;
	const char *why = *reading->reason ? reading->reason : "no power was read";
	struct perseus__text label = perseus__text_init(sizeof words->label);
	perseus__device_label(&device->info, &label);
	(void)snprintf(words->label, sizeof words->label, "%s%s", label.failed ? "" : label.bytes,
			device->info.is_simulated ? " (simulated)" : "");
	perseus__text_fini(&label);
	if (reading->method != PERSEUS_METHOD_NONE && reading->has_average_power)
		(void)snprintf(words->detail, sizeof words->detail, "%.1f W average", reading->average_power_w);
	(void)snprintf(words->absent, sizeof words->absent, "not measured: %s", why);
	return (struct perseus__power_lane){
		.series = 1 + reading->device,
		.label = words->label,
		.detail = *words->detail ? words->detail : NULL,
		.absent = words->absent,
		.group = group_of(device->info.kind),
	};
}

/* The command, what it took and how long. */
static void
add_heading(const struct perseus__run *run, struct perseus__text *text)
{
	const struct perseus__energy *energy = &run->footprint.energy;
	perseus__command_line(run, text);
	perseus__text_addf(text, "  |  ");
	if (energy->n_measured > 0)
		perseus__quantity_add(text, energy->energy_j, perseus__energy_column(energy->energy_j));
	else
		perseus__text_addf(text, "energy not measured");
	perseus__text_addf(text, " in ");
	perseus__quantity_add(text, run->time_s, perseus__time_column(run->time_s));
	if (perseus__run_is_simulated(run))
		perseus__text_addf(text, "  |  simulated devices");
}

enum perseus_status
perseus__measurement_chart(const struct perseus__measurement *measurement, struct perseus_error *err)
{
	const struct perseus__run *run = measurement->run;
	struct lane_words *words = perseus__new_array((size_t)run->n_devices + 1, sizeof *words);
	struct perseus__power_lane *lanes = perseus__new_array((size_t)run->n_devices + 1, sizeof *lanes);
	struct perseus__text heading = perseus__text_init(65536);
	enum perseus_status status = PERSEUS_NO_MEMORY;
	add_heading(run, &heading);
	if (words && lanes && !heading.failed) {
		/* Of one device alone the sum would say the same again. */
		int32_t n = 0;
		if (run->n_devices != 1) {
			lanes[n] = total_lane(run, &words[n]);
			n++;
		}
		for (int32_t i = 0; i < run->n_devices; i++, n++)
			lanes[n] = device_lane(&run->devices[i], &words[n]);
		const struct perseus__power_picture picture = {
			.heading = heading.bytes,
			.history = &measurement->watch.history,
			.lanes = lanes,
			.n_lanes = n,
			.begin_ns = measurement->begin_ns,
			.end_ns = measurement->begin_ns + (int64_t)(run->time_s * 1e9),
		};
		status = perseus__chart_power(measurement->options->chart, &picture, NULL, err);
	} else {
		(void)perseus__no_memory(err);
	}
	perseus__text_fini(&heading);
	perseus__free(lanes);
	perseus__free(words);
	return status;
}
