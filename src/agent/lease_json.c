/* Leases as JSON. */
#include "agent/lease_json.h"

#include "agent/lease.h"

#include <perseus/device.h>

static void
write_holder(const struct perseus__holder *holder, struct perseus__json *json)
{
	perseus__json_open_object(json, "holder", true);
	perseus__json_string(json, "kind", perseus__holder_kind_name((enum perseus__holder_kind)holder->kind));
	if (holder->kind == PERSEUS__HOLDER_PROCESS) {
		perseus__json_integer(json, "pid", holder->pid);
		perseus__json_integer(json, "uid", holder->uid);
	} else {
		perseus__json_string(json, "name", holder->name);
	}
	perseus__json_close_object(json);
}

void
perseus__lease_write(const struct perseus__lease *lease, int32_t gpu_id, int64_t now_ns, struct perseus__json *json)
{
	perseus__json_open_object(json, NULL, true);
	perseus__json_integer(json, "id", (int64_t)lease->lease_id);
	perseus__json_integer(json, "gpu_id", gpu_id);
	write_holder(&lease->holder, json);
	perseus__json_open_array(json, "settings", true);
	for (int i = 0; i < PERSEUS_N_SETTINGS; i++)
		if (lease->settings & 1U << i)
			perseus__json_string(json, NULL, perseus_setting_name((enum perseus_setting)i));
	perseus__json_close_array(json);
	perseus__json_integer(json, "n_writes", (int64_t)lease->n_writes);
	perseus__json_nano(json, "age_s", now_ns - lease->begin_ns);
	if (lease->expires_ns == INT64_MAX)
		perseus__json_null(json, "expires_in_s"); /* with its process */
	else
		perseus__json_nano(json, "expires_in_s", lease->expires_ns - now_ns);
	perseus__json_close_object(json);
}
