/* Numbers as text: shortest decimals that read back the same, exact decimals in, the same in every locale. */
#include "format/number.h"
#include "random.h"
#include "suite.h"

#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	double value;
	const char *text;
} texts[] = {
	{0, "0.0"},
	{-0.0, "0.0"},
	{1, "1.0"},
	{-1.5, "-1.5"},
	{0.1, "0.1"},
	{1.0 / 3, "0.3333333333333333"},
	{2.0 / 3, "0.6666666666666666"},
	{0.1 + 0.2, "0.30000000000000004"},
	{15.679123456, "15.679123456"},
	{1410, "1410.0"},
	{123456789012345.0, "123456789012345.0"},
	{1e15, "1000000000000000.0"},
	{1e16, "1e16"},
	{1.25e22, "1.25e22"},
	{0.0001, "0.0001"},
	{0.00001, "0.00001"},
	{0.000001, "1e-6"},
	{1.5e-7, "1.5e-7"},
	{5e-324, "5e-324"},
	{2.2250738585072014e-308, "2.2250738585072014e-308"},
	{1.7976931348623157e308, "1.7976931348623157e308"},
	{9007199254740993.0, "9007199254740992.0"},
};

START_TEST(writes_the_shortest)
{
	char text[PERSEUS__NUMBER_BYTES];
	perseus__double_text(texts[_i].value, text);
	ck_assert_str_eq(text, texts[_i].text);
}
END_TEST

START_TEST(has_no_word_for_what_is_not_finite)
{
	const double values[] = {NAN, INFINITY, -INFINITY};
	char text[PERSEUS__NUMBER_BYTES];
	for (size_t i = 0; i < 3; i++) {
		perseus__double_text(values[i], text);
		ck_assert_str_eq(text, "null");
	}
}
END_TEST

/* Bit patterns spread over all doubles. */
START_TEST(reads_back_the_same)
{
	uint64_t state = 1;
	for (int i = 0; i < 20000; i++) {
		double value, back;
		const uint64_t bits = random_next(&state);
		memcpy(&value, &bits, sizeof value);
		if (!isfinite(value))
			continue;
		char text[PERSEUS__NUMBER_BYTES];
		perseus__double_text(value, text);
		back = strtod(text, NULL);
		ck_assert_msg(memcmp(&back, &value, sizeof value) == 0, "%.17g became %s", value, text);
	}
}
END_TEST

START_TEST(does_not_depend_on_the_locale)
{
	const bool has_comma = setlocale(LC_NUMERIC, "de_DE.UTF-8") != NULL;
	char text[PERSEUS__NUMBER_BYTES];
	perseus__double_text(0.1 + 0.2, text);
	ck_assert_str_eq(text, "0.30000000000000004");
	struct perseus__decimal decimal;
	ck_assert(perseus__decimal_parse("1.5", &decimal));
	ck_assert_double_eq(perseus__decimal_value(decimal), 1.5);
	ck_assert(!perseus__decimal_parse("1,5", &decimal));
	(void)setlocale(LC_NUMERIC, "C");
	if (!has_comma)
		printf("# locale de_DE.UTF-8 is not installed: tried in C only\n");
}
END_TEST

static const struct {
	const char *text;
	int64_t factor;
	int64_t product; /* -1: does not fit */
} products[] = {
	{"2.836512345", 1000000000, 2836512345}, /* in doubles one less */
	{"0.5", 3, 1},
	{"1", 15679000001, 15679000001},
	{"1.0000000001", 15679000001, 15679000002},
	{"1.05", 100, 105},
	{"1e-3", 1000000, 1000},
	{"1E3", 2, 2000},
	{"1e+3", 2, 2000},
	{".5", 4, 2},
	{"5.", 4, 20},
	{"0", 1000, 0},
	{"0e9999", 1000, 0},
	{"1e-9999", 1000, 0},
	{"9223372036.854775807", 1000000000, 9223372036854775800}, /* 18 digits are kept */
	{"123456789012345678901234567890e-20", 1, 1234567890},
	{"9223372036854775808", 1, 9223372036854775800},
	{"1e19", 1, -1},
	{"1e9999", 1, -1},
	{"922337203.6854775", 10000000000, 9223372036854775000},
	{"923337203.6854775", 10000000000, -1},
};

START_TEST(multiplies_exactly)
{
	struct perseus__decimal decimal;
	int64_t product = -1;
	ck_assert_msg(perseus__decimal_parse(products[_i].text, &decimal), "%s", products[_i].text);
	const bool fits = perseus__decimal_times(decimal, products[_i].factor, &product);
	ck_assert_msg(fits == (products[_i].product >= 0), "%s", products[_i].text);
	ck_assert_msg(product == products[_i].product, "%s x %lld: %lld, expected %lld", products[_i].text,
			(long long)products[_i].factor, (long long)product, (long long)products[_i].product);
}
END_TEST

static const char *const no_decimals[] = {
	"", ".", "-1", "+1", "1x", "x1", "1e", "1e+", "1e1.5", "0x10", "inf", "nan", "1 ", " 1", "1.2.3", "1,5", "e5"};

START_TEST(refuses_what_is_no_decimal)
{
	struct perseus__decimal decimal;
	ck_assert_msg(!perseus__decimal_parse(no_decimals[_i], &decimal), "'%s' was taken", no_decimals[_i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("number");
	TCase *tcase = tcase_create("number");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, writes_the_shortest, 0, sizeof texts / sizeof *texts);
	tcase_add_test(tcase, has_no_word_for_what_is_not_finite);
	tcase_add_test(tcase, reads_back_the_same);
	tcase_add_test(tcase, does_not_depend_on_the_locale);
	tcase_add_loop_test(tcase, multiplies_exactly, 0, sizeof products / sizeof *products);
	tcase_add_loop_test(tcase, refuses_what_is_no_decimal, 0, sizeof no_decimals / sizeof *no_decimals);
	return run_suite(suite);
}
