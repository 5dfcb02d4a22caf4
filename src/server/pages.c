/* What the server says of itself. */
#include "server/handlers.h"

#include "base/clock.h"
#include "server/openapi.h"
#include "server/store.h"

#include <perseus/version.h>

void
perseus__serve_version(struct perseus__api *api, struct perseus__exchange *exchange)
{
	(void)api;
	perseus__respond_version(exchange);
}

void
perseus__serve_info(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "name", "perseus");
	perseus__json_string(&json, "version", perseus_version());
	perseus__json_nano(&json, "uptime_s", perseus__clock_mono_ns() - api->begin_ns);
	perseus__json_boolean(&json, "auth_required", api->settings.key.length > 0);
	perseus__json_boolean(
			&json, "auth_required_for_zeus", api->settings.key.length > 0 && api->settings.zeus_needs_token);
	if (api->settings.requests_per_s > 0)
		perseus__json_integer(&json, "requests_per_s", api->settings.requests_per_s);
	else
		perseus__json_null(&json, "requests_per_s");
	perseus__json_close_object(&json);
}

void
perseus__serve_health(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct perseus__store_state state = {.is_writable = true};
	if (api->settings.store)
		perseus__store_state(api->settings.store, &state);
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "status", state.is_writable ? "ok" : "degraded");
	if (!state.is_writable) /* what is asked without change is answered as ever */
		perseus__json_string(&json, "problem", state.fault.message);
	perseus__json_close_object(&json);
}

void
perseus__serve_openapi(struct perseus__api *api, struct perseus__exchange *exchange)
{
	(void)api;
	perseus__respond(exchange, 200);
	exchange->response.content = PERSEUS__CONTENT_JSON;
	perseus__text_add(&exchange->response.body, perseus__openapi, perseus__openapi_length);
}
