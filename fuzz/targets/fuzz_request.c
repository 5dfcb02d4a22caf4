/*
 * Bytes → a request's target, its parameters, its body. The first line is the target, the rest is the body; every
 * method is tried. What is taken keeps its bounds and means the same when it is written plainly and read again.
 */
#include "agent/counters.h"
#include "agent/query.h"
#include "agent/route.h"
#include "base/memory.h"
#include "base/text.h"
#include "require.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *const names[] = {
#define X(name, text, kind) text,
	PERSEUS__KEY_MAP(X)
#undef X
};

enum kind { IDS, BOOLEAN, NUMBER };

static const enum kind kinds[] = {
#define X(name, text, kind) kind,
	PERSEUS__KEY_MAP(X)
#undef X
};

/* Every byte as %XX. */
static void
add_encoded(struct perseus__text *text, const char *value)
{
	for (const char *at = value; *at; at++)
		perseus__text_addf(text, "%%%02x", (unsigned)(unsigned char)*at);
}

static void
write_query(const struct perseus__query *query, struct perseus__text *text)
{
	for (int key = 0; key < PERSEUS__N_KEYS; key++) {
		if (!(query->given & 1U << key))
			continue;
		perseus__text_addf(text, "&%s=", names[key]);
		if (kinds[key] == IDS)
			add_encoded(text, query->ids_text);
		else if (kinds[key] == BOOLEAN)
			perseus__text_addf(text, "%s", query->values[key] ? "true" : "false");
		else
			perseus__text_addf(text, "%lld", (long long)query->values[key]);
	}
}

static void
check_query(const struct perseus__query *query, uint32_t required, uint32_t optional)
{
	struct perseus_error err = {.message = ""};
	struct perseus__query again;
	struct perseus__text text = perseus__text_init(65536);
	require((query->given & required) == required, "a required key is missing", &err);
	require((query->given & ~(required | optional)) == 0, "an unknown key was taken", &err);
	for (int key = 0; key < PERSEUS__N_KEYS; key++)
		require(query->values[key] >= 0 && query->values[key] <= UINT32_MAX, "a value out of range", &err);
	write_query(query, &text);
	require(perseus__query_parse(text.bytes, required, optional, &again, &err) == PERSEUS_OK, "not read again", &err);
	require(again.given == query->given && memcmp(again.values, query->values, sizeof again.values) == 0
					&& strcmp(again.ids_text, query->ids_text) == 0,
			"other values", &err);
	perseus__text_fini(&text);
}

static void
check_ids(const char *text)
{
	struct perseus_error err = {.message = ""};
	int32_t ids[PERSEUS__MAX_IDS];
	int32_t n = 0;
	if (perseus__query_ids(text, ids, &n, &err) != PERSEUS_OK) {
		require(*err.message != '\0', "refused without a word", &err);
		return;
	}
	require(n > 0 && n <= PERSEUS__MAX_IDS, "number of ids", &err);
	for (int32_t i = 0; i < n; i++)
		require(ids[i] >= 0 && (i == 0 || ids[i - 1] < ids[i]), "ids in order", &err);
}

static void
check_parameters(const struct perseus__route *route, const char *query_text, const char *body)
{
	struct perseus_error err = {.message = ""};
	struct perseus__query query;
	enum perseus_status status = PERSEUS_OK;
	if (route->source == PERSEUS__ROUTE_PLAIN)
		return;
	if (route->source == PERSEUS__ROUTE_QUERY)
		status = perseus__query_parse(query_text, route->required, route->optional, &query, &err);
	else
		status = perseus__query_parse_json(body, strlen(body), route->required, &query, &err);
	if (status == PERSEUS_OK)
		check_query(&query, route->required, route->optional);
	else
		require(status == PERSEUS_INVALID && *err.message != '\0', "refused without a word", &err);
	if (status == PERSEUS_OK && query.given & (PERSEUS__HAS_GPU_IDS | PERSEUS__HAS_CPU_IDS))
		check_ids(query.ids_text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *text = perseus__new_array(length + 1, 1);
	struct perseus_error err = {.message = ""};
	require(text != NULL, "no memory", &err);
	if (length > 0)
		memcpy(text, bytes, length);
	char *body = strchr(text, '\n');
	if (body)
		*body++ = '\0';
	char *query = strchr(text, '?');
	if (query)
		*query++ = '\0';
	for (int method = 0; method <= PERSEUS__METHOD_OTHER; method++) {
		int64_t id = 0;
		const struct perseus__route *route = perseus__route_find((enum perseus__method)method, text, &id);
		require(id >= 0 && id <= 999999999, "a number of the path out of range", &err);
		if (!route)
			continue;
		require(route->method == (enum perseus__method)method, "another method's route", &err);
		require(perseus__route_at(perseus__route_index(route)) == route, "another route's index", &err);
		check_parameters(route, query, body ? body : "");
	}
	check_ids(text);
	perseus__free(text);
	return 0;
}
