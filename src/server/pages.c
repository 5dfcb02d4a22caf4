/* What the server says of itself. */
#include "server/handlers.h"

#include "base/clock.h"
#include "server/api_route.h"
#include "server/jobs.h"
#include "server/openapi.h"
#include "server/store.h"
#include "service/metrics.h"

#include <perseus/version.h>

#include <stdio.h>

void
perseus__serve_version(struct perseus__api *api, struct perseus__exchange *exchange)
{
	(void)api;
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "name", "perseus");
	perseus__json_string(&json, "version", perseus_version());
	perseus__json_close_object(&json);
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

/* "GET /v1/jobs": one path may have several methods. */
static void
write_route_name(int32_t index, char *name, size_t bytes)
{
	const struct perseus__api_route *route = perseus__api_route_at(index);
	if (route)
		(void)snprintf(name, bytes, "%s %s", perseus__method_name(route->method), route->path);
}

static void
write_zeus(struct perseus__zeus *zeus, struct perseus__text *text)
{
	struct perseus__zeus_counts counts;
	perseus__zeus_count(zeus, &counts);
	const struct {
		const char *name, *kind, *help;
		int64_t value;
	} metrics[] = {
		{"perseus_zeus_jobs", "gauge", "Jobs of Zeus's clients.", counts.n_jobs},
		{"perseus_zeus_ranks", "gauge", "Ranks of those that are registered.", counts.n_ranks},
		{"perseus_zeus_waiting_ranks", "gauge", "Ranks of those that wait for a schedule.", counts.n_waiters},
		{"perseus_zeus_rounds_total", "counter", "Rounds of results that were complete.", counts.n_rounds},
	};
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
		perseus__metric_head(text, metrics[i].name, metrics[i].kind, metrics[i].help);
		perseus__metric_integer(text, metrics[i].name, NULL, 0, (uint64_t)metrics[i].value);
	}
}

static void
write_store(struct perseus__store *store, struct perseus__text *text)
{
	struct perseus__store_state state;
	perseus__store_state(store, &state);
	const struct {
		const char *name, *kind, *help;
		uint64_t value;
	} metrics[] = {
		{"perseus_store_writable", "gauge", "Whether the last write was made durable.", state.is_writable},
		{"perseus_store_waiting_writes", "gauge", "Writes that wait for the disk.", state.n_waiting},
		{"perseus_store_writes_total", "counter", "Writes that were made durable.", state.n_writes},
		{"perseus_store_failed_writes_total", "counter", "Writes that could not be made durable.", state.n_failed},
		{"perseus_store_commits_total", "counter", "Commits, each of many writes.", state.n_commits},
	};
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
		perseus__metric_head(text, metrics[i].name, metrics[i].kind, metrics[i].help);
		perseus__metric_integer(text, metrics[i].name, NULL, 0, metrics[i].value);
	}
}

static void
write_jobs(struct perseus__jobs *jobs, struct perseus__text *text)
{
	struct perseus__jobs_counts counts;
	perseus__jobs_counts(jobs, &counts);
	const struct {
		const char *name, *kind, *help;
		double value;
	} metrics[] = {
		{"perseus_jobs", "gauge", "Jobs that have not ended.", counts.n_jobs},
		{"perseus_jobs_profiling", "gauge", "Jobs that are being profiled.", counts.n_profiling},
		{"perseus_jobs_planned", "gauge", "Jobs that have a plan.", counts.n_planned},
		{"perseus_ranks", "gauge", "Ranks that are present.", counts.n_ranks},
		{"perseus_waiting_polls", "gauge", "Ranks that wait for news.", counts.n_waiting},
		{"perseus_reports_total", "counter", "Reports of ranks.", (double)counts.n_reports},
		{"perseus_reported_steps_total", "counter", "Steps in them.", (double)counts.n_steps},
		{"perseus_revisions_total", "counter", "Revisions of plans that began.", (double)counts.n_revisions},
		{"perseus_stragglers_total", "counter", "Stragglers announced or detected.", (double)counts.n_stragglers},
		{"perseus_measured_joules_total", "counter", "Energy of steps under a plan, as measured.", counts.measured_j},
		{"perseus_predicted_joules_total", "counter", "The same as predicted.", counts.predicted_j},
		{"perseus_baseline_joules_total", "counter", "The same at the highest clocks, as predicted.",
			counts.baseline_j},
	};
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
		perseus__metric_head(text, metrics[i].name, metrics[i].kind, metrics[i].help);
		perseus__metric_number(text, metrics[i].name, NULL, 0, metrics[i].value);
	}
}

void
perseus__serve_metrics(struct perseus__api *api, struct perseus__exchange *exchange)
{
	const struct perseus__label version = {"version", perseus_version()};
	struct perseus__text *text = &exchange->response.body;
	perseus__respond(exchange, 200);
	exchange->response.content = PERSEUS__CONTENT_METRICS;
	perseus__metric_head(text, "perseus_build_info", "gauge", "What runs here; always 1.");
	perseus__metric_integer(text, "perseus_build_info", &version, 1, 1);
	perseus__metric_head(text, "perseus_event_streams", "gauge", "Streams of events that are open.");
	perseus__metric_integer(text, "perseus_event_streams", NULL, 0, (uint64_t)perseus__events_n_streams(api->events));
	if (api->settings.store)
		write_store(api->settings.store, text);
	if (api->settings.jobs)
		write_jobs(api->settings.jobs, text);
	if (api->settings.zeus)
		write_zeus(api->settings.zeus, text);
	perseus__request_counters_write(&api->requests, write_route_name, text);
}
