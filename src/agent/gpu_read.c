/* Reads of GPUs. */
#include "agent/handlers.h"

#include "agent/selection.h"
#include "base/clock.h"

#include <stdio.h>

enum { MAX_VALUES = 2 };

/* One value of an answer: `key` in it, the quantity, and what to divide it by; 0: it is true or false. */
struct value {
	const char *key;
	enum perseus_quantity quantity;
	int64_t divisor;
};

struct read {
	int32_t n_values;
	struct value values[MAX_VALUES];
};

static bool
read_values(const struct perseus__front *front, const struct perseus__gpu *gpu, const struct read *read,
		int64_t values[MAX_VALUES], struct perseus__failures *failures)
{
	struct perseus_error err;
	for (int32_t i = 0; i < read->n_values; i++) {
		const enum perseus_status status =
				perseus_device_read(front->node, gpu->device, read->values[i].quantity, &values[i], &err);
		if (status != PERSEUS_OK) {
			perseus__failures_add(failures, gpu->id, perseus__http_code(status), err.message);
			return false;
		}
	}
	return true;
}

static void
add_values(const struct perseus__front *front, const struct perseus__gpu *gpu, const struct read *read,
		const int64_t values[MAX_VALUES], struct perseus__json *json)
{
	char key[PERSEUS__ID_BYTES];
	perseus__json_open_object(json, perseus__id_text(gpu->id, key), true);
	for (int32_t i = 0; i < read->n_values; i++) {
		if (read->values[i].divisor > 0)
			perseus__json_integer(json, read->values[i].key, values[i] / read->values[i].divisor);
		else
			perseus__json_boolean(json, read->values[i].key, values[i] != 0);
	}
	if (perseus_node_device(front->node, gpu->device)->is_simulated)
		perseus__json_boolean(json, "simulated", true);
	perseus__json_close_object(json);
}

/* {"<id>": {"<key>": value, ...}, ...} */
static void
answer(const struct perseus__front *front, struct perseus__exchange *exchange, const struct read *read)
{
	struct perseus__selection selection;
	struct perseus__failures failures;
	int64_t values[PERSEUS__MAX_IDS][MAX_VALUES];
	if (!perseus__select_gpus(front, exchange, &selection))
		return;
	perseus__failures_init(&failures);
	for (int32_t i = 0; i < selection.n; i++)
		(void)read_values(front, &front->gpus[selection.positions[i]], read, values[i], &failures);
	if (perseus__failures_respond(&failures, exchange))
		return;
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	for (int32_t i = 0; i < selection.n; i++)
		add_values(front, &front->gpus[selection.positions[i]], read, values[i], &json);
	perseus__json_close_object(&json);
}

void
perseus__handle_gpu_energy(struct perseus__front *front, struct perseus__exchange *exchange)
{
	static const struct read read = {1, {{"energy_mj", PERSEUS_QUANTITY_ENERGY, 1000}}};
	answer(front, exchange, &read);
}

void
perseus__handle_power_limit(struct perseus__front *front, struct perseus__exchange *exchange)
{
	static const struct read read = {1, {{"power_limit_mw", PERSEUS_QUANTITY_POWER_LIMIT, 1}}};
	answer(front, exchange, &read);
}

void
perseus__handle_power_limits(struct perseus__front *front, struct perseus__exchange *exchange)
{
	static const struct read read = {2,
		{{"min_power_limit_mw", PERSEUS_QUANTITY_POWER_LIMIT_MIN, 1},
			{"max_power_limit_mw", PERSEUS_QUANTITY_POWER_LIMIT_MAX, 1}}};
	answer(front, exchange, &read);
}

void
perseus__handle_persistence(struct perseus__front *front, struct perseus__exchange *exchange)
{
	static const struct read read = {1, {{"enabled", PERSEUS_QUANTITY_PERSISTENCE, 0}}};
	answer(front, exchange, &read);
}

void
perseus__handle_gpu_power(struct perseus__front *front, struct perseus__exchange *exchange)
{
	static const struct read read = {1, {{"power_mw", PERSEUS_QUANTITY_POWER, 1}}};
	struct perseus__selection selection;
	struct perseus__failures failures;
	int64_t power_mw[PERSEUS__MAX_IDS][MAX_VALUES];
	char key[PERSEUS__ID_BYTES];
	bool is_simulated = false;
	if (!perseus__select_gpus(front, exchange, &selection))
		return;
	perseus__failures_init(&failures);
	for (int32_t i = 0; i < selection.n; i++)
		(void)read_values(front, &front->gpus[selection.positions[i]], &read, power_mw[i], &failures);
	if (perseus__failures_respond(&failures, exchange))
		return;
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_integer(&json, "timestamp_ms", perseus__clock_wall_ms());
	perseus__json_open_object(&json, "power_mw", true);
	for (int32_t i = 0; i < selection.n; i++) {
		const struct perseus__gpu *gpu = &front->gpus[selection.positions[i]];
		perseus__json_integer(&json, perseus__id_text(gpu->id, key), power_mw[i][0]);
		is_simulated = is_simulated || perseus_node_device(front->node, gpu->device)->is_simulated;
	}
	perseus__json_close_object(&json);
	if (is_simulated)
		perseus__json_boolean(&json, "simulated", true);
	perseus__json_close_object(&json);
}
