/* JSON text: layout to the byte, and strings that any reader takes. */
#include "format/json_writer.h"
#include "suite.h"

#include <check.h>
#include <math.h>

START_TEST(lays_out_containers)
{
	struct perseus__text text = perseus__text_init(4096);
	struct perseus__json json = perseus__json_init(&text);
	perseus__json_open_object(&json, NULL, false);
	perseus__json_integer(&json, "n", -3);
	perseus__json_open_array(&json, "lines", false);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_nano(&json, "time_s", 1500000000);
	perseus__json_open_array(&json, "inner", false);
	perseus__json_boolean(&json, NULL, true);
	perseus__json_null(&json, NULL);
	perseus__json_close_array(&json);
	perseus__json_number(&json, "after", 2);
	perseus__json_close_object(&json);
	perseus__json_number(&json, NULL, NAN);
	perseus__json_close_array(&json);
	perseus__json_open_array(&json, "empty", false);
	perseus__json_close_array(&json);
	perseus__json_open_object(&json, "none", true);
	perseus__json_close_object(&json);
	perseus__json_close_object(&json);
	ck_assert_str_eq(text.bytes,
			"{\n"
			"  \"n\": -3,\n"
			"  \"lines\": [\n"
			"    {\"time_s\": 1.5, \"inner\": [true, null], \"after\": 2.0},\n"
			"    null\n"
			"  ],\n"
			"  \"empty\": [],\n"
			"  \"none\": {}\n"
			"}\n");
	perseus__text_fini(&text);
}
END_TEST

static const struct {
	const char *string;
	const char *quoted;
} strings[] = {
	{"", "\"\""},
	{"plain", "\"plain\""},
	{"a\"b\\c", "\"a\\\"b\\\\c\""},
	{"\n\t\x01\x1f", "\"\\u000a\\u0009\\u0001\\u001f\""},
	{"\x7f/", "\"\x7f/\""},
	{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
	{"\xff", "\"\xef\xbf\xbd\""},
	{"\xc3", "\"\xef\xbf\xbd\""},
	{"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                                 /* overlong */
	{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},                 /* half of a surrogate pair */
	{"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* beyond U+10FFFF */
	{"\xe2\x82"
	 "a",
		"\"\xef\xbf\xbd\xef\xbf\xbd"
		"a\""},
};

START_TEST(quotes_strings)
{
	struct perseus__text text = perseus__text_init(4096);
	struct perseus__json json = perseus__json_init(&text);
	perseus__json_string(&json, NULL, strings[_i].string);
	ck_assert_str_eq(text.bytes, strings[_i].quoted);
	perseus__text_fini(&text);
}
END_TEST

START_TEST(fails_with_its_text)
{
	struct perseus__text text = perseus__text_init(5);
	struct perseus__json json = perseus__json_init(&text);
	perseus__json_string(&json, NULL, "too long");
	ck_assert(text.failed);
	perseus__text_fini(&text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json_writer");
	TCase *tcase = tcase_create("json_writer");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, lays_out_containers);
	tcase_add_loop_test(tcase, quotes_strings, 0, sizeof strings / sizeof *strings);
	tcase_add_test(tcase, fails_with_its_text);
	return run_suite(suite);
}
