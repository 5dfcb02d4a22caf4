/* Smaller parts of the front: counters and routes. */
#include "agent/counters.h"
#include "agent/route.h"
#include "base/memory.h"
#include "format/input_file.h"
#include "suite.h"

#include <check.h>
#include <string.h>

START_TEST(counters_are_cumulative)
{
	static struct perseus__counters counters;
	struct perseus__text text = perseus__text_init(65536);
	perseus__count_set_time(&counters, 50000);
	perseus__count_set_time(&counters, 50001);
	perseus__count_set_time(&counters, 5000000000);
	perseus__count_request(&counters.requests, 0, 200);
	perseus__count_request(&counters.requests, PERSEUS__MAX_ROUTES, 404);
	perseus__count_request(&counters.requests, PERSEUS__MAX_ROUTES, 418);
	perseus__counters_write_set_times(&counters, &text);
	perseus__counters_write_requests(&counters, &text);
	const char *const lines[] = {"_bucket{le=\"0.00005\"} 1\n", "_bucket{le=\"0.0001\"} 2\n", "_bucket{le=\"1.0\"} 2\n",
		"_bucket{le=\"+Inf\"} 3\n", "_count 3\n", "_sum 5.000100001\n",
		"requests_total{route=\"GET /discover\",code=\"200\"} 1\n", "{route=\"none\",code=\"404\"} 1\n",
		"{route=\"none\",code=\"500\"} 1\n"};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		ck_assert_msg(strstr(text.bytes, lines[i]) != NULL, "'%s' is not in '%s'", lines[i], text.bytes);
	perseus__text_fini(&text);
}
END_TEST

START_TEST(routes_are_found)
{
	int64_t id = 0;
	ck_assert_ptr_nonnull(perseus__route_find(PERSEUS__METHOD_POST, "/gpu/12/set_power_limit", &id));
	ck_assert_int_eq(id, 12);
	const char *const none[] = {"", "/", "/gpu/x/set_power_limit", "/gpu//set_power_limit", "/gpu/1/set_power_limit/",
		"/gpu/1", "/gpu/1/", "/gpu/1234567890/set_power_limit", "/gpu/-1/set_power_limit", "/gpu/{id}/set_power_limit"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		ck_assert_msg(!perseus__route_find(PERSEUS__METHOD_POST, none[i], &id), "%s", none[i]);
}
END_TEST

/* Whoever adds a route says so where users look. */
START_TEST(routes_are_documented)
{
	char *page = NULL;
	size_t length = 0;
	struct perseus__text name = perseus__text_init(256);
	ck_assert_int_eq(
			perseus__input_file(PERSEUS_SOURCE_ROOT "/docs/agent.md", 1 << 20, &page, &length, NULL), PERSEUS_OK);
	for (int32_t i = 0; perseus__route_at(i); i++) {
		const struct perseus__route *route = perseus__route_at(i);
		perseus__text_addf(&name, "`%s %s`", perseus__method_name(route->method), route->path);
		ck_assert_msg(memmem(page, length, name.bytes, name.length) != NULL, "%s is not in docs/agent.md", name.bytes);
		perseus__text_fini(&name);
	}
	perseus__free(page);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("agent parts");
	TCase *tcase = tcase_create("agent parts");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, counters_are_cumulative);
	tcase_add_test(tcase, routes_are_found);
	tcase_add_test(tcase, routes_are_documented);
	return run_suite(suite);
}
