/* Reads of CPU packages and their memory. */
#include "agent/handlers.h"

#include "agent/cpu_power.h"
#include "agent/selection.h"
#include "base/clock.h"
#include "base/memory.h"

/* Reads what the request wants of each CPU; false: the exchange has been answered. */
static bool
read_all(const struct perseus__front *front, struct perseus__exchange *exchange,
		const struct perseus__selection *selection, struct perseus__cpu_energy *energies)
{
	struct perseus__failures failures;
	struct perseus_error err;
	const bool wants_cpu = perseus__call_of(exchange)->query.values[PERSEUS__KEY_CPU];
	const bool wants_dram = perseus__call_of(exchange)->query.values[PERSEUS__KEY_DRAM];
	perseus__failures_init(&failures);
	for (int32_t i = 0; i < selection->n; i++) {
		const struct perseus__cpu *cpu = &front->cpus[selection->positions[i]];
		const enum perseus_status status = perseus__cpu_read(front, cpu, wants_cpu, wants_dram, &energies[i], &err);
		if (status != PERSEUS_OK)
			perseus__failures_add(&failures, cpu->id, perseus__http_code(status), err.message);
	}
	return !perseus__failures_respond(&failures, exchange);
}

void
perseus__handle_cpu_energy(struct perseus__front *front, struct perseus__exchange *exchange)
{
	char key[PERSEUS__ID_BYTES];
	struct perseus__selection selection;
	struct perseus__cpu_energy energies[PERSEUS__MAX_IDS];
	if (!perseus__select_cpus(front, exchange, &selection) || !read_all(front, exchange, &selection, energies))
		return;
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	for (int32_t i = 0; i < selection.n; i++) {
		perseus__json_open_object(&json, perseus__id_text(front->cpus[selection.positions[i]].id, key), true);
		perseus__cpu_energy_write(&energies[i], &json);
		perseus__json_close_object(&json);
	}
	perseus__json_close_object(&json);
}

/* The CPU that the path names. */
static bool
select_of_path(
		const struct perseus__front *front, struct perseus__exchange *exchange, struct perseus__selection *selection)
{
	selection->n = 1;
	selection->positions[0] = perseus__front_find_cpu(front, (int32_t)perseus__call_of(exchange)->path_id);
	if (selection->positions[0] >= 0)
		return true;
	perseus__respond_error(exchange, 400, "CPU %d not found", (int)perseus__call_of(exchange)->path_id);
	return false;
}

void
perseus__handle_dram_support(struct perseus__front *front, struct perseus__exchange *exchange)
{
	struct perseus__selection selection;
	if (!select_of_path(front, exchange, &selection))
		return;
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_boolean(&json, "dram_available", front->cpus[selection.positions[0]].dram_device >= 0);
	perseus__json_close_object(&json);
}

void
perseus__handle_index_energy(struct perseus__front *front, struct perseus__exchange *exchange)
{
	struct perseus__selection selection;
	struct perseus__cpu_energy energy;
	if (!select_of_path(front, exchange, &selection) || !read_all(front, exchange, &selection, &energy))
		return;
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__cpu_energy_write(&energy, &json);
	perseus__json_close_object(&json);
}

/* Power of the packages: two readings, a period apart. */
struct measurement {
	struct perseus__exchange *exchange;
	struct perseus__selection selection;
	bool has_before;
	struct perseus__cpu_energy before[PERSEUS__MAX_IDS];
	struct perseus__cpu_energy after[PERSEUS__MAX_IDS];
};

static void
answer_power(const struct measurement *measurement)
{
	char key[PERSEUS__ID_BYTES];
	const struct perseus__front *front = perseus__call_of(measurement->exchange)->front;
	struct perseus__json json = perseus__respond_json(measurement->exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_integer(&json, "timestamp_ms", perseus__clock_wall_ms());
	perseus__json_open_object(&json, "power_mw", true);
	for (int32_t i = 0; i < measurement->selection.n; i++) {
		const struct perseus__cpu *cpu = &front->cpus[measurement->selection.positions[i]];
		const struct perseus__cpu_power power = perseus__cpu_power(&measurement->before[i], &measurement->after[i]);
		perseus__json_open_object(&json, perseus__id_text(cpu->id, key), true);
		perseus__cpu_power_write(&power, &json);
		perseus__json_close_object(&json);
	}
	perseus__json_close_object(&json);
	perseus__json_close_object(&json);
}

static int64_t
measure(void *user, bool is_ending)
{
	struct measurement *measurement = user;
	struct perseus__exchange *exchange = measurement->exchange;
	struct perseus__front *front = perseus__call_of(exchange)->front;
	if (is_ending) {
		perseus__respond_unavailable(exchange, "The agent is ending.");
	} else if (read_all(front, exchange, &measurement->selection,
					   measurement->has_before ? measurement->after : measurement->before)) {
		if (!measurement->has_before) {
			measurement->has_before = true;
			return perseus__clock_mono_ns() + 1000000000 / front->settings.cpu_poll_hz;
		}
		answer_power(measurement);
	}
	perseus__free(measurement);
	exchange->finish(exchange);
	return PERSEUS__TASK_DONE;
}

void
perseus__handle_cpu_power(struct perseus__front *front, struct perseus__exchange *exchange)
{
	struct perseus_error err;
	struct measurement *measurement = perseus__new_array(1, sizeof *measurement);
	perseus__call_of(exchange)->query.values[PERSEUS__KEY_CPU] = true;
	perseus__call_of(exchange)->query.values[PERSEUS__KEY_DRAM] = true;
	if (!measurement) {
		perseus__respond_unavailable(exchange, "out of memory");
	} else if (perseus__select_cpus(front, exchange, &measurement->selection)) {
		measurement->exchange = exchange;
		if (perseus__tasks_add(front->tasks, 0, measure, measurement, &err) == PERSEUS_OK)
			return;
		perseus__respond_unavailable(exchange, err.message);
	}
	perseus__free(measurement);
	exchange->finish(exchange);
}
