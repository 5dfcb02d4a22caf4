/* Hours out of files: prices in every form they come in, intensities, what is missing, every way to say it wrong. */
#include "failing_alloc.h"
#include "format/intensity_file.h"
#include "format/price_csv.h"
#include "suite.h"
#include "torture.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

static struct perseus_error err;

static const int64_t MAY_1 = 476256; /* 2024-05-01T00:00Z in hours since 1970 */

#define PLAIN                                                              \
	"hour,price_per_kwh\n2024-05-01T00:00Z,0.25\n2024-05-01T01:00Z,-0.5\n" \
	"2024-05-01T02:00Z,1e-2\n2024-05-01T04:00Z,4\n"
#define EMBER                                                              \
	"Country,ISO3 Code,Datetime (UTC),Datetime (Local),Price (EUR/MWhe)\n" \
	"Germany,DEU,2024-05-01 01:00:00,2024-05-01 03:00:00,-20.5\n"          \
	"Austria,AUT,2024-05-01 00:00:00,2024-05-01 02:00:00,70\n"             \
	"Germany,DEU,2024-05-01 00:00:00,2024-05-01 02:00:00,80\n"             \
	"\"Old, Country\",,2024-05-01 00:00:00,2024-05-01 02:00:00,90\n"       \
	"Germany,DEU,2024-05-01 02:00:00,2024-05-01 04:00:00,\n"
#define NAMED "hour,price_usd_per_mwh,note\n\n2024-05-01T00:00Z,40,a\n2024-05-01T01:00Z,30,b\n"
#define CARBON                                                                                           \
	"zone,hour,gCO2e_per_kWh,type\nDE,2024-05-01T00:00Z,400,average\nDE,2024-05-01T01:00Z,300,average\n" \
	"FR,2024-05-01T00:00Z,40,average\n"
#define YEARS "zone,year,gCO2e_per_kWh\nDE,2024,340.5\n"

static const struct {
	const char *text;
	struct perseus__hours_query query;
	int64_t first;
	int32_t n;
	double values[3];
	const char *zone;
	const char *unit;
} lookups[] = {
	{PLAIN, {NULL, PERSEUS__FIRST_HOUR, 1, 2}, 476256, 2, {0.25, -0.5}, "", ""},
	{PLAIN, {NULL, PERSEUS__FIRST_HOUR, 2, 9}, 476256, 3, {0.25, -0.5, 0.01}, "", ""},
	{PLAIN, {NULL, 476257, 1, 9}, 476257, 2, {-0.5, 0.01}, "", ""},
	{PLAIN, {NULL, 476260, 1, 9}, 476260, 1, {4}, "", ""},
	{EMBER, {"deu", PERSEUS__FIRST_HOUR, 2, 2}, 476256, 2, {0.08, -0.0205}, "DEU", "EUR"},
	{EMBER, {"AUT", PERSEUS__FIRST_HOUR, 1, 2}, 476256, 1, {0.07}, "AUT", "EUR"},
	{EMBER, {"old, country", PERSEUS__FIRST_HOUR, 1, 2}, 476256, 1, {0.09}, "Old, Country", "EUR"},
	{NAMED, {NULL, 476256, 2, 2}, 476256, 2, {0.04, 0.03}, "", "USD"},
};

static enum perseus_status
look_up(const char *text, bool is_carbon, const struct perseus__hours_query *query, struct perseus__hours *hours)
{
	enum perseus_status status;
	if (is_carbon) {
		struct perseus__intensity_table *table = NULL;
		status = perseus__intensity_table_parse("dir/file", text, strlen(text), &table, &err);
		if (status == PERSEUS_OK)
			status = perseus__intensity_hours(table, query, hours, &err);
		perseus__intensity_table_free(table);
	} else {
		struct perseus__price_table *table = NULL;
		status = perseus__price_table_parse("dir/file", text, strlen(text), &table, &err);
		if (status == PERSEUS_OK)
			status = perseus__price_hours(table, query, hours, &err);
		perseus__price_table_free(table);
	}
	return status;
}

START_TEST(finds_prices)
{
	struct perseus__hours hours = {0};
	ck_assert_msg(look_up(lookups[_i].text, false, &lookups[_i].query, &hours) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(hours.first, lookups[_i].first);
	ck_assert_int_eq(hours.n, lookups[_i].n);
	for (int32_t i = 0; i < hours.n; i++)
		ck_assert_msg(hours.values[i] == lookups[_i].values[i], "case %d, hour %d: %.17g", _i, (int)i, hours.values[i]);
	ck_assert_str_eq(hours.zone, lookups[_i].zone);
	ck_assert_str_eq(hours.unit, lookups[_i].unit);
	ck_assert_str_eq(hours.source, "file");
	perseus__hours_fini(&hours);
}
END_TEST

START_TEST(finds_intensities)
{
	const struct perseus__hours_query query = {"de", PERSEUS__FIRST_HOUR, 2, 3};
	struct perseus__hours hours = {0};
	ck_assert_msg(look_up(CARBON, true, &query, &hours) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(hours.first, MAY_1);
	ck_assert_int_eq(hours.n, 2);
	ck_assert_double_eq(hours.values[0], 400);
	ck_assert_double_eq(hours.values[1], 300);
	ck_assert_str_eq(hours.zone, "DE");
	ck_assert_str_eq(hours.unit, "gCO2e");
	ck_assert_str_eq(hours.source, "file, average");
	perseus__hours_fini(&hours);
}
END_TEST

#define P "hour,price_per_kwh\n"

static const struct {
	const char *text;
	bool is_carbon;
	struct perseus__hours_query query;
	const char *message;
} misses[] = {
	{PLAIN, false, {NULL, PERSEUS__FIRST_HOUR, 5, 5},
		"dir/file: has no value for 2024-05-01T03:00Z: 5 hours are needed, and 3 are there"},
	{PLAIN, false, {NULL, 476255, 1, 1},
		"dir/file: has no value for 2024-04-30T23:00Z: 1 hours are needed, and 0 are there"},
	{EMBER, false, {"DEU", 476256, 3, 4},
		"dir/file: zone \"DEU\" has no value for 2024-05-01T02:00Z: 3 hours are needed, and 2 are there"},
	{EMBER, false, {NULL, 476256, 1, 1}, "dir/file: name one of its 3 zones: AUT, DEU, Old, Country"},
	{EMBER, false, {"FRA", 476256, 1, 1}, "dir/file: there is no zone \"FRA\"; of 3: AUT, DEU, Old, Country"},
	{PLAIN, false, {"DE", 476256, 1, 1}, "dir/file: has no column of zones"},
	{CARBON, true, {"FR", PERSEUS__FIRST_HOUR, 2, 2},
		"dir/file: zone \"FR\" has no value for 2024-05-01T01:00Z: 2 hours are needed, and 1 are there"},
	{YEARS, true, {NULL, PERSEUS__FIRST_HOUR, 1, 1}, "dir/file: zone \"DE\" has years and no hours"},
	{"", false, {NULL, 0, 1, 1}, "dir/file:1: no column of hours in the header; expected \"hour\""},
	{"hour,cost\n", false, {NULL, 0, 1, 1},
		"dir/file:1: no column of prices in the header; expected \"price_per_kwh\" or \"price_per_mwh\""},
	{"hour,price_per_kwh,price_per_mwh\n", false, {NULL, 0, 1, 1},
		"dir/file:1: column 2, \"price_per_kwh\", and column 3, \"price_per_mwh\", could both be meant: leave one of "
		"them out"},
	{P, false, {NULL, 0, 1, 1}, "dir/file: holds no price"},
	{P "2024-05-01T00:00Z\n", false, {NULL, 0, 1, 1}, "dir/file:2: 1 cells, but the header has 2"},
	{P "2024-05-01T00:30Z,1\n", false, {NULL, 0, 1, 1},
		"dir/file:2: column hour: \"2024-05-01T00:30Z\" is not a whole hour such as 2026-08-01T13:00Z"},
	{P "2024-05-01T00:00Z,--1\n", false, {NULL, 0, 1, 1}, "dir/file:2: column price_per_kwh: \"--1\" is not a number"},
	{P "2024-05-01T00:00Z,inf\n", false, {NULL, 0, 1, 1}, "dir/file:2: column price_per_kwh: \"inf\" is not a number"},
	{P "2024-05-01T00:00Z,-2e9\n", false, {NULL, 0, 1, 1}, "dir/file:2: column price_per_kwh: \"-2e9\" is too large"},
	{P "2024-05-01T00:00Z,1\n\n2024-05-01T00:00Z,1\n", false, {NULL, 0, 1, 1},
		"dir/file:4: twice for one hour; see line 2"},
	{"zone," P "a\001b,2024-05-01T00:00Z,1\n", false, {NULL, 0, 1, 1},
		"dir/file:2: column zone: \"a\\x01b\" has a control character in it"},
	{"zone," P ",2024-05-01T00:00Z,1\n", false, {NULL, 0, 1, 1}, "dir/file:2: column zone: \"\" is no name of a zone"},
};

START_TEST(says_what_is_wrong)
{
	struct perseus__hours hours = {.n = -1};
	ck_assert_int_eq(look_up(misses[_i].text, misses[_i].is_carbon, &misses[_i].query, &hours), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, misses[_i].message);
	ck_assert_int_eq(hours.n, -1);
}
END_TEST

START_TEST(says_which_file_it_cannot_read)
{
	struct perseus__price_table *table = NULL;
	ck_assert_int_eq(perseus__price_table_read("/nowhere/prices.csv", &table, &err), PERSEUS_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/prices.csv"));
	ck_assert_ptr_null(table);
}
END_TEST

static enum perseus_status
make_table(void **out, struct perseus_error *error)
{
	struct perseus__price_table *table = *out;
	const enum perseus_status status = perseus__price_table_parse("file", EMBER, strlen(EMBER), &table, error);
	*out = table;
	return status;
}

static void
destroy_table(void *table)
{
	perseus__price_table_free(table);
}

static struct perseus__price_table *known;

static enum perseus_status
make_hours(void **out, struct perseus_error *error)
{
	static struct perseus__hours hours;
	const struct perseus__hours_query query = {"DEU", PERSEUS__FIRST_HOUR, 2, 2};
	const enum perseus_status status = perseus__price_hours(known, &query, &hours, error);
	if (status == PERSEUS_OK)
		*out = &hours;
	return status;
}

static void
destroy_hours(void *hours)
{
	perseus__hours_fini(hours);
}

static const struct torture_scenario scenarios[] = {
	{"table of prices", make_table, destroy_table},
	{"hours", make_hours, destroy_hours},
};
enum { N_SCENARIOS = sizeof scenarios / sizeof *scenarios };

START_TEST(survives_torture)
{
	known = NULL;
	ck_assert_int_eq(perseus__price_table_parse("file", EMBER, strlen(EMBER), &known, &err), PERSEUS_OK);
	torture_run(&scenarios[_i / 2], _i % 2 ? FAILING_ALLOC_REST : FAILING_ALLOC_ONE);
	perseus__price_table_free(known);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hours");
	TCase *tcase = tcase_create("hours");
	tcase_add_loop_test(tcase, finds_prices, 0, sizeof lookups / sizeof *lookups);
	tcase_add_test(tcase, finds_intensities);
	tcase_add_loop_test(tcase, says_what_is_wrong, 0, sizeof misses / sizeof *misses);
	tcase_add_test(tcase, says_which_file_it_cannot_read);
	tcase_add_loop_test(tcase, survives_torture, 0, 2 * N_SCENARIOS);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
