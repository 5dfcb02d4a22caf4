/* The job server's api without sockets: routes, access, queries, and the description of all of them. */
#include "api_client.h"
#include "suite.h"

#include "base/memory.h"
#include "format/input_file.h"
#include "server/api_route.h"
#include "server/openapi.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define KEY "integration-test-signing-key!!!!"

static struct perseus__events *events;
static struct perseus__api *api;
static struct perseus__api_settings settings;
static struct api_client client;

static void
set_up(void)
{
	settings = (struct perseus__api_settings){.zeus_needs_token = false};
	ck_assert_int_eq(perseus__events_new(&events, NULL), PERSEUS_OK);
}

static void
start(void)
{
	ck_assert_int_eq(perseus__api_new(&settings, events, &api, NULL), PERSEUS_OK);
	client = (struct api_client){.api = api, .peer = &api_client_local};
}

static void
lock(void)
{
	settings.key = (struct perseus__signing_key){(const unsigned char *)KEY, sizeof KEY - 1};
}

static void
tear_down(void)
{
	perseus__api_stop(api);
	perseus__api_free(api);
	perseus__events_free(events);
}

/* "Bearer ..." of a subject with these scopes (bits); of the last call. */
static const char *
bearer(uint32_t scopes)
{
	static char text[1024];
	const struct perseus__token token = {.subject = "alice", .scopes = scopes};
	const struct perseus__signing_key key = {(const unsigned char *)KEY, sizeof KEY - 1};
	struct perseus__text made = perseus__text_init(1000);
	ck_assert_int_eq(perseus__jwt_issue(&token, key, perseus__api_scopes, &made, NULL), PERSEUS_OK);
	(void)snprintf(text, sizeof text, "Bearer %s", made.bytes);
	perseus__text_fini(&made);
	return text;
}

static void
check_reply(const char *request, int code, const char *body)
{
	const struct reply *reply = api_client_ask(&client, request);
	ck_assert_msg(reply->code == code, "%s: %d, not %d: %s", request, reply->code, code, reply->body);
	ck_assert_msg(strstr(reply->body, body) != NULL, "%s: '%s' is not in '%s'", request, body, reply->body);
	perseus__stream_free(reply->stream);
}

START_TEST(pages_are_there)
{
	start();
	check_reply("GET /healthz", 200, "{\"status\": \"ok\"");
	check_reply("GET /version", 200, "{\"name\": \"perseus\", \"version\": ");
	check_reply("GET /info", 200, "\"auth_required\": false");
	check_reply("GET /openapi.json", 200, "\"openapi\"");
	check_reply("GET /metrics", 200, "perseus_build_info{version=");
}
END_TEST

START_TEST(what_is_not_there_is_refused_in_the_words_of_its_family)
{
	start();
	check_reply("GET /", 404, "{\"detail\": \"Not Found\"}");
	check_reply("GET /nothing", 404, "{\"detail\": \"Not Found\"}");
	check_reply("GET /v1/nothing", 404, "{\"error\": \"Not Found\"}");
	check_reply("POST /version", 405, "Method Not Allowed");
	ck_assert_str_eq(api_client_ask(&client, "POST /version")->allow, "GET");
	ck_assert_str_eq(api_client_ask(&client, "HEAD /version")->allow, "GET");
	const struct reply *reply = api_client_ask(&client, "GET /v1/events/");
	ck_assert_int_eq(reply->code, 307);
	ck_assert_str_eq(reply->location, "/v1/events");
	ck_assert_str_eq(api_client_ask(&client, "GET /schedule/a%20b//?rank=0&x")->location, "/schedule/a%20b?rank=0&x");
	ck_assert_str_eq(api_client_ask(&client, "GET /register_job/")->location, "/register_job");
	check_reply("GET //", 404, "Not Found");
}
END_TEST

START_TEST(queries_are_checked)
{
	start();
	check_reply("GET /version?x=1", 400, "unknown key 'x' in the query");
	check_reply("GET /version?", 200, "");
	check_reply("GET /version?&&", 200, "");
}
END_TEST

START_TEST(values_of_queries_are_read)
{
	static const struct {
		const char *query;
		bool is_good;
		int64_t value;
	} cases[] = {
		{NULL, true, 7},
		{"", true, 7},
		{"a=", true, 7},
		{"a=-1", true, -1},
		{"b=3&a=12", true, 12},
		{"a=100", true, 100},
		{"a=101", false, 0},
		{"a=-2", false, 0},
		{"a=1.5", false, 0},
		{"a=x", false, 0},
		{"a=1x", false, 0},
		{"a=+1", false, 0},
		{"a=%31", true, 1},
		{"a=1%00", false, 0},
		{"a=99999999999999999999999999", false, 0},
		{"a=99999999999999999999", false, 0},
		{"a=-", false, 0},
		{"a=--1", false, 0},
	};
	start();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct perseus__ask ask = {.base = {.request = {.path = "/v1/x", .query = cases[i].query}}};
		int64_t value = 0;
		ask.base.response.body = perseus__text_init(1000);
		const bool is_good = perseus__ask_integer(&ask.base, "a", -1, 100, 7, &value);
		ck_assert_msg(is_good == cases[i].is_good, "%s", cases[i].query);
		ck_assert_int_eq(ask.base.response.code, is_good ? 0 : 400);
		if (is_good)
			ck_assert_int_eq(value, cases[i].value);
		perseus__response_fini(&ask.base.response);
	}
}
END_TEST

START_TEST(numbers_and_texts_of_queries_are_read)
{
	struct perseus__ask ask = {.base = {.request = {.path = "/v1/x", .query = "p=83.5&n=-1&t=a+b%2fc"}}};
	double value = 0;
	char text[6];
	start();
	ck_assert(perseus__ask_number(&ask.base, "p", NAN, &value));
	ck_assert_double_eq_tol(value, 83.5, 1e-12);
	ck_assert(perseus__ask_number(&ask.base, "q", NAN, &value));
	ck_assert_double_nan(value);
	ck_assert(perseus__ask_text(&ask.base, "t", text, sizeof text));
	ck_assert_str_eq(text, "a b/c");
	ck_assert_int_eq(ask.base.response.code, 0);
	ask.base.response.body = perseus__text_init(1000);
	ck_assert(!perseus__ask_text(&ask.base, "t", text, sizeof text - 1));
	ck_assert(!perseus__ask_number(&ask.base, "n", NAN, &value));
	ck_assert_int_eq(ask.base.response.code, 400);
	perseus__response_fini(&ask.base.response);
}
END_TEST

START_TEST(tokens_are_asked_for)
{
	lock();
	start();
	check_reply("GET /v1/events", 401, "A token is needed");
	ck_assert(api_client_ask(&client, "GET /v1/events")->asks_for_token);
	check_reply("GET /healthz", 200, "");
	check_reply("GET /metrics", 200, "");
	client.authorization = "Bearer nonsense";
	check_reply("GET /v1/events", 401, "Invalid token");
	client.authorization = bearer(1U << PERSEUS__SCOPE_JOB_WRITE);
	check_reply("GET /v1/events", 403, "'alice' has not the scope 'job-read'");
	client.authorization = bearer(1U << PERSEUS__SCOPE_JOB_READ);
	check_reply("GET /v1/events", 200, "");
}
END_TEST

/* Every route that is not open asks for a token, and for the scope that its row says; Zeus's only if told to. */
START_TEST(every_route_keeps_its_row)
{
	lock();
	settings.zeus_needs_token = _i == 1;
	start();
	for (int32_t i = 0; perseus__api_route_at(i); i++) {
		const struct perseus__api_route *route = perseus__api_route_at(i);
		char request[256];
		const bool is_locked = route->access == PERSEUS__API_READ || route->access == PERSEUS__API_WRITE
				|| (route->access == PERSEUS__API_ZEUS && settings.zeus_needs_token);
		if (!is_locked)
			continue;
		(void)snprintf(request, sizeof request, "%s %s", perseus__method_name(route->method), route->path);
		client.authorization = NULL;
		check_reply(request, 401, "");
		const bool is_write = route->access == PERSEUS__API_WRITE
				|| (route->access == PERSEUS__API_ZEUS && route->method != PERSEUS__METHOD_GET);
		client.authorization = bearer(1U << (is_write ? PERSEUS__SCOPE_JOB_READ : PERSEUS__SCOPE_JOB_WRITE));
		check_reply(request, 403, is_write ? "job-write" : "job-read");
	}
}
END_TEST

START_TEST(identities_have_rates)
{
	enum { MANY = 100000 };
	const struct reply *reply = NULL;
	int n = 0;
	settings.requests_per_s = 1;
	start();
	check_reply("GET /version", 200, "");
	/* At once, but for a machine that stalls for a second each time. */
	do {
		reply = api_client_ask(&client, "GET /healthz");
	} while (reply->code == 200 && ++n < MANY);
	ck_assert_int_eq(reply->code, 429);
	ck_assert_ptr_nonnull(strstr(reply->body, "More than 1 requests"));
	ck_assert(reply->asks_to_retry);
	client.peer = &api_client_remote;
	check_reply("GET /version", 200, "");
}
END_TEST

START_TEST(requests_are_counted_by_route)
{
	start();
	const struct perseus__application application = perseus__api_application(api);
	struct perseus__ask ask = {.base = {.response = {.code = 404}}};
	application.done(application.user, &ask.base);
	struct perseus__path_parameters parameters;
	char allow[PERSEUS__ALLOW_BYTES];
	ask.route = perseus__api_route_find(PERSEUS__METHOD_GET, "/version", &parameters, allow);
	ask.base.response.code = 200;
	application.done(application.user, &ask.base);
	check_reply("GET /metrics", 200, "perseus_http_requests_total{route=\"GET /version\",code=\"200\"} 1\n");
	check_reply("GET /metrics", 200, "perseus_http_requests_total{route=\"none\",code=\"404\"} 1\n");
}
END_TEST

/* The parameters of an operation in the description, of one place, as " a b c". */
static void
list_parameters(const json_t *operation, const char *place, struct perseus__text *text)
{
	size_t i;
	json_t *parameter;
	perseus__text_addf(text, "%s", "");
	json_array_foreach(json_object_get(operation, "parameters"), i, parameter)
	{
		if (strcmp(json_string_value(json_object_get(parameter, "in")), place) == 0)
			perseus__text_addf(text, " %s", json_string_value(json_object_get(parameter, "name")));
	}
}

static void
check_operation(const struct perseus__api_route *route, const json_t *operation)
{
	struct perseus__text text = perseus__text_init(1024);
	ck_assert_msg(operation != NULL, "%s %s is not described", perseus__method_name(route->method), route->path);
	ck_assert(json_is_string(json_object_get(operation, "summary")));
	ck_assert(json_is_object(json_object_get(json_object_get(operation, "responses"), "200"))
			|| json_is_object(json_object_get(json_object_get(operation, "responses"), "204")));
	list_parameters(operation, "query", &text);
	if (route->query)
		ck_assert_msg(strcmp(text.bytes + (text.length > 0), route->query) == 0, "%s: '%s', not '%s'", route->path,
				text.bytes, route->query);
	text.length = 0;
	list_parameters(operation, "path", &text);
	const char *at = route->path;
	for (const char *begin = strchr(at, '{'); begin; begin = strchr(at, '{')) {
		char name[64];
		at = strchr(begin, '}');
		(void)snprintf(name, sizeof name, " %.*s", (int)(at - begin - 1), begin + 1);
		ck_assert_msg(strstr(text.bytes, name) != NULL, "%s: parameter%s", route->path, name);
	}
	ck_assert_msg(json_is_object(json_object_get(operation, "requestBody")) == (route->max_body_bytes > 0), "%s: body",
			route->path);
	const json_t *security = json_object_get(operation, "security");
	const bool is_open = route->access == PERSEUS__API_OPEN || route->access == PERSEUS__API_ZEUS;
	ck_assert_msg((json_is_array(security) && json_array_size(security) == 0) == is_open, "%s: security", route->path);
	perseus__text_fini(&text);
}

/* Both ways: what is served is described, and what is described is served. */
START_TEST(the_description_is_of_the_routes)
{
	static const char *const methods[] = {"get", "post", "put", "delete"};
	json_t *document = json_loadb(perseus__openapi, perseus__openapi_length, JSON_REJECT_DUPLICATES, NULL);
	const json_t *paths = json_object_get(document, "paths");
	size_t n_described = 0;
	int32_t n_routes = 0;
	start();
	ck_assert(json_is_object(paths));
	for (; perseus__api_route_at(n_routes); n_routes++) {
		const struct perseus__api_route *route = perseus__api_route_at(n_routes);
		check_operation(route, json_object_get(json_object_get(paths, route->path), methods[route->method]));
	}
	const char *path;
	json_t *operations;
	json_object_foreach((json_t *)(uintptr_t)paths, path, operations)
	{
		n_described += json_object_size(operations);
	}
	ck_assert_uint_eq(n_described, (size_t)n_routes);
	json_decref(document);
}
END_TEST

/* Whoever adds a route says so where users look. */
START_TEST(routes_are_documented)
{
	char *page = NULL;
	size_t length = 0;
	start();
	ck_assert_int_eq(
			perseus__input_file(PERSEUS_SOURCE_ROOT "/docs/server.md", 1 << 20, &page, &length, NULL), PERSEUS_OK);
	for (int32_t i = 0; perseus__api_route_at(i); i++) {
		const struct perseus__api_route *route = perseus__api_route_at(i);
		char name[256];
		(void)snprintf(name, sizeof name, "`%s %s`", perseus__method_name(route->method), route->path);
		ck_assert_msg(memmem(page, length, name, strlen(name)) != NULL, "%s is not in docs/server.md", name);
	}
	perseus__free(page);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("api");
	TCase *tcase = tcase_create("api");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, pages_are_there);
	tcase_add_test(tcase, what_is_not_there_is_refused_in_the_words_of_its_family);
	tcase_add_test(tcase, queries_are_checked);
	tcase_add_test(tcase, values_of_queries_are_read);
	tcase_add_test(tcase, numbers_and_texts_of_queries_are_read);
	tcase_add_test(tcase, tokens_are_asked_for);
	tcase_add_loop_test(tcase, every_route_keeps_its_row, 0, 2);
	tcase_add_test(tcase, identities_have_rates);
	tcase_add_test(tcase, requests_are_counted_by_route);
	tcase_add_test(tcase, the_description_is_of_the_routes);
	tcase_add_test(tcase, routes_are_documented);
	return run_suite(suite);
}
