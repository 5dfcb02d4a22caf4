/* What the agent says of itself and of its devices without reading them. */
#include "agent/handlers.h"

#include "base/clock.h"

static bool
has_group(const struct perseus__front *front, enum perseus__group group)
{
	return front->settings.groups & perseus__group_bit(group);
}

static void
add_gpus(const struct perseus__front *front, int32_t n_gpus, struct perseus__json *json)
{
	perseus__json_open_array(json, "gpus", true);
	for (int32_t i = 0; i < n_gpus; i++) {
		const struct perseus_device_info *info = perseus_node_device(front->node, front->gpus[i].device);
		perseus__json_open_object(json, NULL, true);
		perseus__json_integer(json, "id", front->gpus[i].id);
		perseus__json_string(json, "name", info->name);
		perseus__json_string(json, "pci_address", info->pci_address);
		perseus__json_boolean(json, "cumulative_energy_available", front->gpus[i].has_counter);
		perseus__json_string(json, "uuid", info->uuid);
		perseus__json_boolean(json, "simulated", info->is_simulated);
		perseus__json_close_object(json);
	}
	perseus__json_close_array(json);
	perseus__json_open_array(json, "gpu_ids", true);
	for (int32_t i = 0; i < n_gpus; i++)
		perseus__json_integer(json, NULL, front->gpus[i].id);
	perseus__json_close_array(json);
}

static void
add_cpus(const struct perseus__front *front, int32_t n_cpus, struct perseus__json *json)
{
	perseus__json_open_array(json, "cpus", true);
	for (int32_t i = 0; i < n_cpus; i++) {
		perseus__json_open_object(json, NULL, true);
		perseus__json_integer(json, "id", front->cpus[i].id);
		perseus__json_boolean(json, "dram_available", front->cpus[i].dram_device >= 0);
		perseus__json_close_object(json);
	}
	perseus__json_close_array(json);
	perseus__json_open_array(json, "cpu_ids", true);
	for (int32_t i = 0; i < n_cpus; i++)
		perseus__json_integer(json, NULL, front->cpus[i].id);
	perseus__json_close_array(json);
	perseus__json_open_array(json, "dram_available", true);
	for (int32_t i = 0; i < n_cpus; i++)
		perseus__json_boolean(json, NULL, front->cpus[i].dram_device >= 0);
	perseus__json_close_array(json);
}

/* The union of what Zeus' clients of 0.14 and later look for; each ignores what it does not know. */
void
perseus__handle_discover(struct perseus__front *front, struct perseus__exchange *exchange)
{
	const bool has_gpus = has_group(front, PERSEUS__GROUP_GPU_CONTROL) || has_group(front, PERSEUS__GROUP_GPU_READ);
	const bool has_cpus = has_group(front, PERSEUS__GROUP_CPU_READ);
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	add_gpus(front, has_gpus ? front->n_gpus : 0, &json);
	add_cpus(front, has_cpus ? front->n_cpus : 0, &json);
	perseus__json_open_array(&json, "enabled_api_groups", true);
	for (int i = 0; i < PERSEUS__N_GROUPS; i++)
		if (has_group(front, (enum perseus__group)i))
			perseus__json_string(&json, NULL, perseus__group_name((enum perseus__group)i));
	perseus__json_close_array(&json);
	perseus__json_boolean(&json, "auth_required", front->settings.key.length > 0);
	perseus__json_close_object(&json);
}

void
perseus__handle_time(struct perseus__front *front, struct perseus__exchange *exchange)
{
	(void)front;
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_integer(&json, "timestamp_ms", perseus__clock_wall_ms());
	perseus__json_close_object(&json);
}

void
perseus__handle_whoami(struct perseus__front *front, struct perseus__exchange *exchange)
{
	(void)front;
	const struct perseus__token *token = &exchange->token;
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "sub", token->subject);
	perseus__json_open_array(&json, "scopes", true);
	for (int i = 0; i < PERSEUS__N_GROUPS; i++)
		if (token->scopes & perseus__group_bit((enum perseus__group)i))
			perseus__json_string(&json, NULL, perseus__group_name((enum perseus__group)i));
	perseus__json_close_array(&json);
	if (token->has_expiry)
		perseus__json_integer(&json, "exp", token->expires_s);
	perseus__json_close_object(&json);
}

void
perseus__handle_version(struct perseus__front *front, struct perseus__exchange *exchange)
{
	(void)front;
	perseus__respond_version(exchange);
}

void
perseus__handle_health(struct perseus__front *front, struct perseus__exchange *exchange)
{
	if (!perseus__front_is_healthy(front)) {
		perseus__respond_error(exchange, 503, "The executor does not answer.");
		return;
	}
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "status", "ok");
	perseus__json_boolean(&json, "can_write", front->link != NULL);
	perseus__json_close_object(&json);
}
