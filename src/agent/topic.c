/* Polling of devices for streams, and the events. */
#include "agent/topic.h"

#include "agent/selection.h"
#include "base/clock.h"

static int64_t
period_ns(const struct perseus__topic *topic)
{
	const struct perseus__front_settings *settings = &topic->streams->front->settings;
	return 1000000000 / (topic->is_gpu ? settings->gpu_poll_hz : settings->cpu_poll_hz);
}

/* With the lock. */
static void
set_value(struct perseus__topic *topic, int64_t power_mw, const struct perseus__cpu_power *cpu)
{
	const bool is_same =
			topic->power_mw == power_mw && topic->cpu.cpu_mw == cpu->cpu_mw && topic->cpu.dram_mw == cpu->dram_mw;
	if (topic->version != 0 && is_same)
		return;
	topic->power_mw = power_mw;
	topic->cpu = *cpu;
	topic->time_ms = perseus__clock_wall_ms();
	topic->version = ++topic->streams->n_versions;
}

static void
poll_gpu(struct perseus__topic *topic)
{
	static const struct perseus__cpu_power none = {.has_cpu = false};
	const struct perseus__front *front = topic->streams->front;
	int64_t power_mw;
	if (perseus_device_read(front->node, front->gpus[topic->position].device, PERSEUS_QUANTITY_POWER, &power_mw, NULL)
			!= PERSEUS_OK)
		return; /* the value stays as old as its time stamp says */
	perseus__streams_lock(&topic->streams->base);
	set_value(topic, power_mw, &none);
	perseus__streams_unlock(&topic->streams->base);
}

static void
poll_cpu(struct perseus__topic *topic)
{
	const struct perseus__front *front = topic->streams->front;
	struct perseus__cpu_energy energy;
	if (perseus__cpu_read(front, &front->cpus[topic->position], true, true, &energy, NULL) != PERSEUS_OK)
		return;
	perseus__streams_lock(&topic->streams->base);
	if (topic->has_before) {
		const struct perseus__cpu_power power = perseus__cpu_power(&topic->before, &energy);
		set_value(topic, 0, &power);
	}
	topic->before = energy;
	topic->has_before = true;
	perseus__streams_unlock(&topic->streams->base);
}

static int64_t
poll(void *user, bool is_ending)
{
	struct perseus__topic *topic = user;
	perseus__streams_lock(&topic->streams->base);
	topic->is_polled = !is_ending && topic->n_subscribers > 0;
	const bool is_wanted = topic->is_polled;
	if (!is_wanted) { /* not as soon as the last subscriber goes: a reading may be under way then */
		topic->version = 0;
		topic->has_before = false;
	}
	perseus__streams_unlock(&topic->streams->base);
	if (!is_wanted)
		return PERSEUS__TASK_DONE;
	if (topic->is_gpu)
		poll_gpu(topic);
	else
		poll_cpu(topic);
	perseus__streams_publish(&topic->streams->base);
	return perseus__clock_mono_ns() + period_ns(topic);
}

enum perseus_status
perseus__topic_subscribe(struct perseus__topic *topic, struct perseus_error *err)
{
	if (!topic->is_polled) {
		const enum perseus_status status = perseus__tasks_add(topic->streams->front->tasks, 0, poll, topic, err);
		if (status != PERSEUS_OK)
			return status;
		topic->is_polled = true;
	}
	topic->n_subscribers++;
	return PERSEUS_OK;
}

void
perseus__topic_unsubscribe(struct perseus__topic *topic)
{
	topic->n_subscribers--;
}

static void
write_end(const struct perseus__topic *topic, struct perseus__json *json)
{
	const struct perseus__front *front = topic->streams->front;
	if (topic->is_gpu && perseus_node_device(front->node, front->gpus[topic->position].device)->is_simulated)
		perseus__json_boolean(json, "simulated", true);
	perseus__json_close_object(json);
	perseus__text_addf(json->text, "\n"); /* the second: an empty line ends an event */
}

void
perseus__topic_write_event(const struct perseus__topic *topic, struct perseus__text *text)
{
	const struct perseus__front *front = topic->streams->front;
	perseus__text_addf(text, "data: ");
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_integer(&json, "timestamp_ms", topic->time_ms);
	if (topic->is_gpu) {
		perseus__json_integer(&json, "gpu_id", front->gpus[topic->position].id);
		perseus__json_integer(&json, "power_mw", topic->power_mw);
	} else {
		perseus__json_integer(&json, "cpu_id", front->cpus[topic->position].id);
		perseus__cpu_power_write(&topic->cpu, &json);
	}
	write_end(topic, &json);
}

static void
write_of_snapshot(const struct perseus__topic *topic, struct perseus__json *json)
{
	char key[PERSEUS__ID_BYTES];
	const struct perseus__front *front = topic->streams->front;
	if (topic->is_gpu) {
		perseus__json_integer(json, perseus__id_text(front->gpus[topic->position].id, key), topic->power_mw);
		return;
	}
	perseus__json_open_object(json, perseus__id_text(front->cpus[topic->position].id, key), true);
	perseus__cpu_power_write(&topic->cpu, json);
	perseus__json_close_object(json);
}

void
perseus__topic_write_snapshot(const struct perseus__topic *const *topics, int32_t n, struct perseus__text *text)
{
	int64_t time_ms = 0;
	for (int32_t i = 0; i < n; i++)
		time_ms = topics[i]->time_ms > time_ms ? topics[i]->time_ms : time_ms;
	perseus__text_addf(text, "data: ");
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_integer(&json, "timestamp_ms", time_ms);
	perseus__json_open_object(&json, "power_mw", true);
	for (int32_t i = 0; i < n; i++)
		write_of_snapshot(topics[i], &json);
	perseus__json_close_object(&json);
	write_end(topics[0], &json);
}
