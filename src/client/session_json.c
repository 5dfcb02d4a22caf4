/* Bodies that register a job and a rank. */
#include "client/session_json.h"

#include "format/instruction_text.h"
#include "format/json_writer.h"

#include <string.h>

static int32_t
degree(int32_t n)
{
	return n > 0 ? n : 1;
}

static void
write_target(struct perseus__json *json, const struct perseus_client_settings *settings)
{
	if (!settings->target)
		return;
	perseus__json_open_object(json, "target", true);
	perseus__json_string(json, "kind", settings->target);
	if (strcmp(settings->target, "slowdown") == 0)
		perseus__json_number(json, "slowdown", settings->target_slowdown);
	if (strcmp(settings->target, "power") == 0)
		perseus__json_number(json, "power_w", settings->target_power_w);
	perseus__json_close_object(json);
}

static void
write_profiling(struct perseus__json *json, const struct perseus_client_settings *settings)
{
	if (settings->max_profiling_steps <= 0 && !(settings->blocking_power_w > 0))
		return;
	perseus__json_open_object(json, "profiling", true);
	if (settings->max_profiling_steps > 0)
		perseus__json_integer(json, "max_steps", settings->max_profiling_steps);
	if (settings->blocking_power_w > 0)
		perseus__json_number(json, "blocking_power_w", settings->blocking_power_w);
	perseus__json_close_object(json);
}

void
perseus__write_job(const struct perseus_client_settings *settings, struct perseus__text *body)
{
	struct perseus__json json = perseus__json_init(body);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "name", settings->job_name);
	if (settings->job_key)
		perseus__json_string(&json, "key", settings->job_key);
	perseus__json_open_object(&json, "parallel", true);
	perseus__json_integer(&json, "dp", degree(settings->n_dp));
	perseus__json_integer(&json, "pp", degree(settings->n_pp));
	perseus__json_integer(&json, "tp", degree(settings->n_tp));
	perseus__json_integer(&json, "cp", degree(settings->n_cp));
	perseus__json_integer(&json, "ep", degree(settings->n_ep));
	perseus__json_close_object(&json);
	if (settings->n_fingerprint > 0) {
		perseus__json_open_object(&json, "fingerprint", true);
		for (int32_t i = 0; i < settings->n_fingerprint; i++)
			perseus__json_string(&json, settings->fingerprint_keys[i], settings->fingerprint_values[i]);
		perseus__json_close_object(&json);
	}
	write_target(&json, settings);
	write_profiling(&json, settings);
	if (settings->granularity)
		perseus__json_string(&json, "granularity", settings->granularity);
	perseus__json_close_object(&json);
}

static void
write_place(struct perseus__json *json, const struct perseus_client_settings *settings)
{
	perseus__json_integer(json, "rank", settings->rank);
	perseus__json_integer(json, "dp", settings->dp);
	perseus__json_integer(json, "pp", settings->pp);
	perseus__json_integer(json, "tp", settings->tp);
	perseus__json_integer(json, "cp", settings->cp);
	perseus__json_integer(json, "ep", settings->ep);
}

void
perseus__write_rank(const struct perseus_client_settings *settings, const struct perseus__rank_facts *facts,
		struct perseus__text *body)
{
	struct perseus__json json = perseus__json_init(body);
	perseus__json_open_object(&json, NULL, true);
	write_place(&json, settings);
	perseus__json_open_object(&json, "gpu", true);
	perseus__json_string(&json, "name", facts->gpu_name);
	perseus__json_string(&json, "uuid", facts->gpu_uuid);
	perseus__json_string(&json, "driver", facts->gpu_driver);
	perseus__json_boolean(&json, "is_simulated", facts->is_simulated);
	perseus__json_close_object(&json);
	perseus__json_open_array(&json, "clocks_mhz", true);
	for (int32_t i = 0; i < facts->n_clocks; i++)
		perseus__json_integer(&json, NULL, facts->clocks_mhz[i]);
	perseus__json_close_array(&json);
	perseus__json_string(&json, "control", facts->control);
	if (facts->switch_latency_ns > 0)
		perseus__json_nano(&json, "switch_latency_s", facts->switch_latency_ns);
	else
		perseus__json_null(&json, "switch_latency_s");
	perseus__json_open_array(&json, "order", true);
	for (int32_t i = 0; i < facts->order->n; i++) {
		char text[PERSEUS__INSTRUCTION_BYTES];
		perseus_instruction_text(&facts->order->instructions[i], text, sizeof text);
		perseus__json_string(&json, NULL, text);
	}
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
