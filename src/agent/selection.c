/* Devices of a request. */
#include "agent/selection.h"

#include <inttypes.h>
#include <stdio.h>

static void
select_all(int32_t n, struct perseus__selection *selection)
{
	selection->n = n;
	for (int32_t i = 0; i < n; i++)
		selection->positions[i] = i;
}

static bool
select_listed(const struct perseus__front *front, struct perseus__exchange *exchange, const char *kind,
		int32_t (*find)(const struct perseus__front *front, int32_t id), struct perseus__selection *selection)
{
	struct perseus_error err;
	int32_t ids[PERSEUS__MAX_IDS];
	if (perseus__query_ids(perseus__call_of(exchange)->query.ids_text, ids, &selection->n, &err) != PERSEUS_OK) {
		perseus__respond_error(exchange, 400, "%s", err.message);
		return false;
	}
	for (int32_t i = 0; i < selection->n; i++) {
		selection->positions[i] = find(front, ids[i]);
		if (selection->positions[i] < 0) {
			perseus__respond_error(exchange, 400, "%s %" PRId32 " not found", kind, ids[i]);
			return false;
		}
	}
	return true;
}

bool
perseus__select_gpus(
		const struct perseus__front *front, struct perseus__exchange *exchange, struct perseus__selection *selection)
{
	if (perseus__call_of(exchange)->query.given & PERSEUS__HAS_GPU_IDS)
		return select_listed(front, exchange, "GPU", perseus__front_find_gpu, selection);
	select_all(front->n_gpus, selection);
	return true;
}

bool
perseus__select_cpus(
		const struct perseus__front *front, struct perseus__exchange *exchange, struct perseus__selection *selection)
{
	if (perseus__call_of(exchange)->query.given & PERSEUS__HAS_CPU_IDS)
		return select_listed(front, exchange, "CPU", perseus__front_find_cpu, selection);
	select_all(front->n_cpus, selection);
	return true;
}

void
perseus__failures_init(struct perseus__failures *failures)
{
	failures->code = 0;
	failures->text = perseus__text_init(PERSEUS__MAX_RESPONSE_BYTES);
}

void
perseus__failures_add(struct perseus__failures *failures, int32_t id, int code, const char *message)
{
	char key[PERSEUS__ID_BYTES];
	if (failures->code == 0) {
		failures->json = perseus__json_init(&failures->text);
		perseus__json_open_object(&failures->json, NULL, true);
		perseus__json_open_object(&failures->json, "errors", true);
	}
	if (code > failures->code) {
		failures->code = code;
		(void)snprintf(failures->first, sizeof failures->first, "%s", message);
	}
	perseus__json_string(&failures->json, perseus__id_text(id, key), message);
}

bool
perseus__failures_respond(struct perseus__failures *failures, struct perseus__exchange *exchange)
{
	if (failures->code == 0)
		return false;
	perseus__json_close_object(&failures->json);
	if (failures->code == 409)
		perseus__json_string(&failures->json, "error", failures->first);
	perseus__json_close_object(&failures->json);
	perseus__respond(exchange, failures->code);
	exchange->response.content = PERSEUS__CONTENT_JSON;
	exchange->response.asks_to_retry = failures->code == 503;
	exchange->response.body = failures->text;
	return true;
}

const char *
perseus__id_text(int32_t id, char text[PERSEUS__ID_BYTES])
{
	(void)snprintf(text, PERSEUS__ID_BYTES, "%" PRId32, id);
	return text;
}
