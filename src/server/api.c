/* The way of a request of the job server. */
#include "server/api.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "format/number.h"
#include "server/api_access.h"
#include "server/api_route.h"
#include "server/jobs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What takes a while: pages of metrics, frontiers, profiles, and the orders of all ranks that come at once. */
enum { N_THREADS = 2, MAX_TASKS = 16384 };

enum perseus_status
perseus__api_new(const struct perseus__api_settings *settings, struct perseus__events *events,
		struct perseus__api **out, struct perseus_error *err)
{
	struct perseus__api *api = perseus__new_array(1, sizeof *api);
	if (!api)
		return perseus__no_memory(err);
	api->settings = *settings;
	api->events = events;
	api->begin_ns = perseus__clock_mono_ns();
	enum perseus_status status = PERSEUS_OK;
	if (settings->requests_per_s > 0) {
		api->rate = perseus__rate_new(settings->requests_per_s);
		status = api->rate ? PERSEUS_OK : perseus__no_memory(err);
	}
	if (status == PERSEUS_OK)
		status = perseus__tasks_new(N_THREADS, MAX_TASKS, &api->tasks, err);
	if (status != PERSEUS_OK) {
		perseus__api_free(api);
		return status;
	}
	*out = api;
	return PERSEUS_OK;
}

void
perseus__api_free(struct perseus__api *api)
{
	if (!api)
		return;
	perseus__tasks_free(api->tasks);
	perseus__rate_free(api->rate);
	perseus__free(api);
}

/* Whether the request is of Zeus's family: all but our own, which clients of Zeus's may ask for by mistake, too. */
static bool
is_zeus(const struct perseus__exchange *exchange)
{
	const struct perseus__api_route *route = ((const struct perseus__ask *)exchange)->route;
	return route ? route->access == PERSEUS__API_ZEUS : strncmp(exchange->request.path, "/v1/", 4) != 0;
}

void
perseus__ask_refuse(struct perseus__exchange *exchange, int code, const char *format, ...)
{
	char text[PERSEUS_ERROR_MESSAGE_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* a longer message is cut */
	va_end(args);
	struct perseus__json json = perseus__respond_json(exchange, code);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, is_zeus(exchange) ? "detail" : "error", text);
	perseus__json_close_object(&json);
}

/* The path without slashes at its end, with the query behind it; NULL where there is none, or no memory. */
static char *
without_slashes(const struct perseus__request *request)
{
	struct perseus__path_parameters parameters;
	char allow[PERSEUS__ALLOW_BYTES];
	size_t length = strlen(request->path);
	const size_t whole = length;
	while (length > 1 && request->path[length - 1] == '/')
		length--;
	char *shorter = length < whole ? perseus__copy_string(request->path) : NULL;
	if (!shorter)
		return NULL;
	shorter[length] = '\0';
	struct perseus__text text = perseus__text_init(PERSEUS__MAX_RESPONSE_BYTES);
	if (perseus__api_route_find(request->method, shorter, &parameters, allow) || *allow)
		perseus__text_addf(&text, "%s%s%s", shorter, request->query ? "?" : "", request->query ? request->query : "");
	perseus__free(shorter);
	return text.bytes;
}

/* No route: 307 to the path without slashes at its end where that is one, 405 for another method, else 404. */
static void
refuse_unknown(struct perseus__exchange *exchange, const char *allow)
{
	if (*allow) {
		perseus__ask_refuse(exchange, 405, "Method Not Allowed");
		exchange->response.allow = perseus__copy_string(allow);
		return;
	}
	char *shorter = without_slashes(&exchange->request);
	if (!shorter) {
		perseus__ask_refuse(exchange, 404, "Not Found");
		return;
	}
	perseus__respond(exchange, 307);
	exchange->response.location = shorter;
}

void
perseus__api_begin(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct perseus__ask *ask = perseus__ask_of(exchange);
	char allow[PERSEUS__ALLOW_BYTES];
	ask->api = api;
	ask->route = perseus__api_route_find(exchange->request.method, exchange->request.path, &ask->path, allow);
	if (!ask->route) {
		refuse_unknown(exchange, allow);
		return;
	}
	exchange->takes_body = ask->route->max_body_bytes > 0;
	if (exchange->takes_body)
		exchange->max_body_bytes = ask->route->max_body_bytes;
	perseus__api_check_access(api, exchange);
}

/* Whether `key` is a word of `keys`. */
static bool
is_key(const char *keys, const struct perseus__query_pair *pair)
{
	while (*keys) {
		const size_t length = strcspn(keys, " ");
		if (length == pair->key_length && memcmp(keys, pair->key, length) == 0)
			return true;
		keys += length + (keys[length] == ' ');
	}
	return false;
}

/* Keys are plain words: none needs percent-encoding, and one that has it is not known. */
static bool
check_query(struct perseus__exchange *exchange)
{
	const char *keys = perseus__ask_of(exchange)->route->query;
	const char *at = exchange->request.query;
	struct perseus__query_pair pair;
	while (keys && perseus__query_next(&at, &pair)) {
		const char *rest = at;
		struct perseus__query_pair other;
		const int shown = pair.key_length < 40 ? (int)pair.key_length : 40;
		if (!is_key(keys, &pair)) {
			perseus__ask_refuse(exchange, 400, "unknown key '%.*s' in the query%s%s", shown, pair.key,
					*keys ? ": there are " : "", keys);
			return false;
		}
		while (perseus__query_next(&rest, &other))
			if (other.key_length == pair.key_length && memcmp(other.key, pair.key, pair.key_length) == 0) {
				perseus__ask_refuse(exchange, 400, "key '%.*s' twice in the query", shown, pair.key);
				return false;
			}
	}
	return true;
}

static int64_t
run_later(void *user, bool is_ending)
{
	struct perseus__exchange *exchange = user;
	const struct perseus__ask *ask = perseus__ask_of(exchange);
	const bool is_own = ask->route->mode == PERSEUS__API_OWN_LATER;
	if (is_ending)
		perseus__respond_unavailable(exchange, "The server is ending.");
	else
		ask->route->handle(ask->api, exchange);
	if (is_ending || !is_own)
		exchange->finish(exchange);
	return PERSEUS__TASK_DONE;
}

static void
run(struct perseus__api *api, struct perseus__exchange *exchange)
{
	const struct perseus__api_route *route = perseus__ask_of(exchange)->route;
	struct perseus_error err;
	switch (route->mode) {
	case PERSEUS__API_NOW:
		route->handle(api, exchange);
		exchange->finish(exchange);
		return;
	case PERSEUS__API_LATER:
	case PERSEUS__API_OWN_LATER:
		if (perseus__tasks_add(api->tasks, 0, run_later, exchange, &err) == PERSEUS_OK)
			return;
		perseus__respond_unavailable(exchange, err.message);
		exchange->finish(exchange);
		return;
	case PERSEUS__API_OWN:
		route->handle(api, exchange);
		return;
	}
}

void
perseus__api_handle(struct perseus__api *api, struct perseus__exchange *exchange)
{
	if (check_query(exchange))
		run(api, exchange);
	else
		exchange->finish(exchange);
}

void
perseus__api_stop(struct perseus__api *api)
{
	perseus__streams_end(perseus__events_streams(api->events));
	if (api->settings.jobs)
		perseus__jobs_end(api->settings.jobs);
	if (api->settings.zeus)
		perseus__zeus_end(api->settings.zeus);
	perseus__tasks_end(api->tasks);
}

/* The value of a key of the query, decoded; "" where it is not there. False where it does not fit. */
static bool
find_value(const struct perseus__exchange *exchange, const char *key, char *text, size_t bytes)
{
	const char *at = exchange->request.query;
	const size_t key_length = strlen(key);
	struct perseus__query_pair pair;
	text[0] = '\0';
	while (perseus__query_next(&at, &pair)) {
		if (pair.key_length != key_length || memcmp(pair.key, key, key_length) != 0)
			continue;
		const size_t length = perseus__url_decode(pair.value, pair.value_length, true, text, bytes - 1);
		text[length < bytes ? length : 0] = '\0';
		return length < bytes && strlen(text) == length;
	}
	return true;
}

bool
perseus__ask_text(struct perseus__exchange *exchange, const char *key, char *text, size_t bytes)
{
	if (find_value(exchange, key, text, bytes))
		return true;
	perseus__ask_refuse(exchange, 400, "%s of the query is longer than %zu bytes, or has a zero byte", key, bytes - 1);
	return false;
}

bool
perseus__ask_integer(struct perseus__exchange *exchange, const char *key, int64_t least, int64_t most, int64_t fallback,
		int64_t *value)
{
	char text[24];
	char *end = text;
	const bool fits = find_value(exchange, key, text, sizeof text);
	*value = fallback;
	if (fits && !*text)
		return true;
	const char *digits = text + (*text == '-');
	const long long number = *digits >= '0' && *digits <= '9' ? strtoll(text, &end, 10) : 0;
	*value = number;
	if (fits && end != text && *end == '\0' && number >= least && number <= most)
		return true;
	perseus__ask_refuse(
			exchange, 400, "%s of the query is no whole number from %" PRId64 " to %" PRId64, key, least, most);
	return false;
}

bool
perseus__ask_number(struct perseus__exchange *exchange, const char *key, double fallback, double *value)
{
	char text[PERSEUS__NUMBER_BYTES];
	struct perseus__decimal decimal;
	const bool fits = find_value(exchange, key, text, sizeof text);
	*value = fallback;
	if (fits && !*text)
		return true;
	if (fits && perseus__decimal_parse(text, &decimal)) {
		*value = perseus__decimal_value(decimal);
		return true;
	}
	perseus__ask_refuse(exchange, 400, "%s of the query is no number of at least 0", key);
	return false;
}

static void
begin(void *user, struct perseus__exchange *exchange)
{
	perseus__api_begin(user, exchange);
}

static void
handle(void *user, struct perseus__exchange *exchange)
{
	perseus__api_handle(user, exchange);
}

static void
count(void *user, const struct perseus__exchange *exchange)
{
	struct perseus__api *api = user;
	const struct perseus__ask *ask = (const struct perseus__ask *)exchange;
	perseus__count_request(&api->requests, perseus__api_route_index(ask->route), exchange->response.code);
}

static void
stop(void *user)
{
	perseus__api_stop(user);
}

static void
tick(void *user)
{
	const struct perseus__api *api = user;
	perseus__streams_tick(perseus__events_streams(api->events));
	if (api->settings.jobs)
		perseus__jobs_tick(api->settings.jobs,
				(struct perseus__now){.mono_ns = perseus__clock_mono_ns(), .wall_ms = perseus__clock_wall_ms()});
	if (api->settings.zeus)
		perseus__zeus_tick(api->settings.zeus, perseus__clock_mono_ns());
}

struct perseus__application
perseus__api_application(struct perseus__api *api)
{
	return (struct perseus__application){
		.user = api,
		.realm = "perseus",
		.ending = "The server is ending.",
		.exchange_bytes = sizeof(struct perseus__ask),
		.peer_bytes = sizeof(struct perseus__peer),
		.begin = begin,
		.handle = handle,
		.done = count,
		.stop = stop,
		.tick = tick,
	};
}
