/* Parameters of requests: what is taken, and the words in which the rest is refused, which zeusd's tests look for. */
#include "agent/query.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum {
	GPUS = PERSEUS__HAS_GPU_IDS,
	BLOCK = PERSEUS__HAS_BLOCK,
	ENABLED = PERSEUS__HAS_ENABLED,
	LIMIT = PERSEUS__HAS_POWER_LIMIT_MW,
};

START_TEST(reads_all_kinds)
{
	struct perseus__query query;
	ck_assert_int_eq(perseus__query_parse(
							 "gpu_ids=0%2C1&power_limit_mw=250000&block=true", GPUS | LIMIT | BLOCK, 0, &query, NULL),
			PERSEUS_OK);
	ck_assert_str_eq(query.ids_text, "0,1");
	ck_assert_int_eq(query.values[PERSEUS__KEY_POWER_LIMIT_MW], 250000);
	ck_assert_int_eq(query.values[PERSEUS__KEY_BLOCK], 1);
	ck_assert_uint_eq(query.given, GPUS | LIMIT | BLOCK);
}
END_TEST

static const struct {
	const char *text;
	const char *ids; /* as decoded */
} decoded[] = {
	{"gpu_ids=0,1", "0,1"},
	{"gpu_ids=0%2c1", "0,1"},
	{"gpu%5Fids=3", "3"},
	{"gpu_ids=0%2C+1", "0, 1"},
	{"gpu_ids=%", "%"},
	{"gpu_ids=%4", "%4"},
	{"gpu_ids=%zz", "%zz"},
	{"gpu_ids=%%31", "%1"},
	{"gpu_ids=", ""},
	{"gpu_ids", ""},
	{"gpu_ids=a=b", "a=b"},
	{"&&gpu_ids=7&", "7"},
};

START_TEST(decodes)
{
	struct perseus__query query;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__query_parse(decoded[_i].text, GPUS, 0, &query, &err) == PERSEUS_OK, "%s: %s",
			decoded[_i].text, err.message);
	ck_assert_str_eq(query.ids_text, decoded[_i].ids);
}
END_TEST

START_TEST(optional_keys_may_be_missing)
{
	struct perseus__query query;
	ck_assert_int_eq(perseus__query_parse(NULL, 0, GPUS, &query, NULL), PERSEUS_OK);
	ck_assert_uint_eq(query.given, 0);
	ck_assert_int_eq(perseus__query_parse("", 0, GPUS, &query, NULL), PERSEUS_OK);
}
END_TEST

static const struct {
	const char *text;
	uint32_t required;
	const char *message;
} bad[] = {
	{"gpu_ids=0&blok=true", GPUS | BLOCK, "unknown field `blok`, expected `gpu_ids` or `block`"},
	{"x=1", 0, "unknown field `x`, expected none"},
	{"x=1", GPUS, "unknown field `x`, expected `gpu_ids`"},
	{"cpu_ids=0", GPUS | BLOCK | ENABLED, "unknown field `cpu_ids`, expected one of `gpu_ids`, `enabled`, `block`"},
	{"%ff%00=1", GPUS, "unknown field `\\xff\\x00`"},
	{"gpu_ids=0", GPUS | BLOCK, "missing field `block`"},
	{"", GPUS | BLOCK, "missing field `gpu_ids`"},
	{"gpu_ids=0&gpu_ids=1", GPUS, "duplicate field `gpu_ids`"},
	{"enabled=1", ENABLED, "provided string was not `true` or `false`"},
	{"enabled=True", ENABLED, "not `true` or `false`"},
	{"enabled=", ENABLED, "not `true` or `false`"},
	{"power_limit_mw=abc", LIMIT, "invalid digit found in string"},
	{"power_limit_mw=-1", LIMIT, "invalid digit found in string"},
	{"power_limit_mw=1.5", LIMIT, "invalid digit found in string"},
	{"power_limit_mw=+1", LIMIT, "invalid digit found in string"},
	{"power_limit_mw=", LIMIT, "cannot parse integer from empty string"},
	{"power_limit_mw=4294967296", LIMIT, "number too large to fit in target type"},
	{"power_limit_mw=99999999999999999999999999", LIMIT, "number too large to fit in target type"},
	{"gpu_ids=0%00", GPUS, "zero byte"},
};

START_TEST(refuses)
{
	struct perseus__query query;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__query_parse(bad[_i].text, bad[_i].required, 0, &query, &err), PERSEUS_INVALID);
	ck_assert_msg(strstr(err.message, bad[_i].message) != NULL, "%s: %s", bad[_i].text, err.message);
}
END_TEST

START_TEST(long_values_are_refused)
{
	static char text[4096] = "gpu_ids=";
	struct perseus__query query;
	memset(text + 8, '1', sizeof text - 9);
	ck_assert_int_eq(perseus__query_parse(text, GPUS, 0, &query, NULL), PERSEUS_INVALID);
	memcpy(text, "block=", 6);
	ck_assert_int_eq(perseus__query_parse(text, BLOCK, 0, &query, NULL), PERSEUS_INVALID);
	memset(text, '0', sizeof text - 1);
	memcpy(text, "power_limit_mw=", 15);
	text[sizeof text - 2] = '5';
	ck_assert_int_eq(perseus__query_parse(text, LIMIT, 0, &query, NULL), PERSEUS_INVALID);
}
END_TEST

static const struct {
	const char *text;
	const char *ids; /* NULL: refused */
} lists[] = {
	{"0", "0 "},
	{"2,0,1", "0 1 2 "},
	{" 1 , 0 ", "0 1 "},
	{"3,3,3", "3 "},
	{"00", "0 "},
	{"2147483647", "2147483647 "},
	{"", NULL},
	{",", NULL},
	{"0,", NULL},
	{"0,,1", NULL},
	{"a", NULL},
	{"-1", NULL},
	{"1 2", NULL},
	{"2147483648", NULL},
	{"99999999999999999999", NULL},
	{"1;2", NULL},
};

START_TEST(reads_ids)
{
	int32_t ids[PERSEUS__MAX_IDS];
	int32_t n_ids = 0;
	char found[256] = "";
	const enum perseus_status status = perseus__query_ids(lists[_i].text, ids, &n_ids, NULL);
	ck_assert_msg((status == PERSEUS_OK) == (lists[_i].ids != NULL), "'%s'", lists[_i].text);
	if (status != PERSEUS_OK)
		return;
	for (int32_t i = 0; i < n_ids; i++) {
		const size_t length = strlen(found);
		(void)snprintf(found + length, sizeof found - length, "%d ", (int)ids[i]);
	}
	ck_assert_str_eq(found, lists[_i].ids);
}
END_TEST

START_TEST(ids_are_bounded)
{
	char text[1024] = "";
	int32_t ids[PERSEUS__MAX_IDS];
	int32_t n_ids = 0;
	for (int i = PERSEUS__MAX_IDS; i > 0; i--)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", *text ? "," : "", i);
	ck_assert_int_eq(perseus__query_ids(text, ids, &n_ids, NULL), PERSEUS_OK);
	ck_assert_int_eq(n_ids, PERSEUS__MAX_IDS);
	ck_assert_int_eq(ids[0], 1);
	(void)snprintf(text + strlen(text), sizeof text - strlen(text), ",999");
	ck_assert_int_eq(perseus__query_ids(text, ids, &n_ids, NULL), PERSEUS_INVALID);
}
END_TEST

static const struct {
	const char *text;
	const char *message; /* NULL: taken */
} bodies[] = {
	{"{\"power_limit_mw\": 250000, \"block\": true}", NULL},
	{"{\"power_limit_mw\": 250000}", "missing field `block`"},
	{"{\"power_limit_mw\": 250000, \"block\": true, \"more\": 1}", "unknown field `more`"},
	{"{\"power_limit_mw\": 250000, \"block\": 1}", "invalid type of `block`, expected a boolean"},
	{"{\"power_limit_mw\": \"250000\", \"block\": true}", "invalid type of `power_limit_mw`, expected u32"},
	{"{\"power_limit_mw\": -1, \"block\": true}", "invalid type"},
	{"{\"power_limit_mw\": 4294967296, \"block\": true}", "invalid type"},
	{"{\"power_limit_mw\": 1.5, \"block\": true}", "invalid type"},
	{"{\"block\": true, \"block\": false}", "invalid JSON"},
	{"[]", "it is no object"},
	{"", "invalid JSON"},
	{"{", "invalid JSON"},
};

START_TEST(reads_json)
{
	struct perseus__query query;
	struct perseus_error err = {.message = ""};
	const enum perseus_status status =
			perseus__query_parse_json(bodies[_i].text, strlen(bodies[_i].text), LIMIT | BLOCK, &query, &err);
	ck_assert_msg((status == PERSEUS_OK) == !bodies[_i].message, "%s: %s", bodies[_i].text, err.message);
	if (bodies[_i].message)
		ck_assert_msg(strstr(err.message, bodies[_i].message) != NULL, "%s: %s", bodies[_i].text, err.message);
	else
		ck_assert_int_eq(query.values[PERSEUS__KEY_POWER_LIMIT_MW], 250000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("query");
	TCase *tcase = tcase_create("query");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, reads_all_kinds);
	tcase_add_loop_test(tcase, decodes, 0, sizeof decoded / sizeof *decoded);
	tcase_add_test(tcase, optional_keys_may_be_missing);
	tcase_add_loop_test(tcase, refuses, 0, sizeof bad / sizeof *bad);
	tcase_add_test(tcase, long_values_are_refused);
	tcase_add_loop_test(tcase, reads_ids, 0, sizeof lists / sizeof *lists);
	tcase_add_test(tcase, ids_are_bounded);
	tcase_add_loop_test(tcase, reads_json, 0, sizeof bodies / sizeof *bodies);
	return run_suite(suite);
}
