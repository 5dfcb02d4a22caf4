/* Carbon intensity from files: what they can say, every way to say it wrong, and what is found in them. */
#include "format/intensity_file.h"
#include "format/utc_time.h"
#include "suite.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t HOUR_MS = 3600000;

static struct perseus__intensity_table *
parse(const char *label, const char *text)
{
	struct perseus__intensity_table *table = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(
			perseus__intensity_table_parse(label, text, strlen(text), &table, &err) == PERSEUS_OK, "%s", err.message);
	return table;
}

static struct perseus__intensity
find(const char *label, const char *text, const struct perseus__intensity_query *query)
{
	struct perseus__intensity_table *table = parse(label, text);
	struct perseus__intensity intensity;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__intensity_find(table, query, &intensity, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(perseus__intensity_check(table, query, &err), PERSEUS_OK);
	perseus__intensity_table_free(table);
	return intensity;
}

#define OURS "zone,year,gCO2e_per_kWh\nDE,2023,380\nDE,2024,340.5\nFR,2024,44\nSE,,20\n"
#define OWID                                                                        \
	"Entity,Code,Year,Carbon intensity of electricity - gCO2/KWh\nAsia,,2022,570\n" \
	"Germany,DEU,2021,400\nGermany,DEU,2022,410\n"
#define MAPS                                                                                       \
	"Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO\xe2\x82\x82"                    \
	"eq/kWh (direct),Share (%)\n"                                                                  \
	"2024-05-01 00:00:00,Germany,Germany,DE,300,1\n2024-05-01 01:00:00,Germany,Germany,DE,200,2\n" \
	"2024-05-01 02:00:00,Germany,Germany,DE,100,3\n"
#define EMBER "{\"data\":{\"AAA\":123.5,\"OLD WORLD\":7},\"type\":\"average\"}"
#define OUR_JSON                                                                                    \
	" \n{\"zones\":{\"DE\":{\"gco2e_per_kwh\":344,\"year\":2024},\"FR\":{\"gco2e_per_kwh\":44.5}}," \
	"\"source\":\"the grid\",\"type\":\"marginal\"}"

static const struct {
	const char *label;
	const char *text;
	struct perseus__intensity_query query;
	struct perseus__intensity expected;
} lookups[] = {
	{"/data/ours.csv", OURS, {.zone = "DE"}, {340.5, "DE", 2024, 0, PERSEUS__INTENSITY_NOT_STATED, "ours.csv"}},
	{"ours.csv", OURS, {.zone = "de", .year = 2023}, {380, "DE", 2023, 0, PERSEUS__INTENSITY_NOT_STATED, "ours.csv"}},
	{"ours.csv", OURS, {.zone = "Se"}, {20, "SE", 0, 0, PERSEUS__INTENSITY_NOT_STATED, "ours.csv"}},
	{"o", OWID, {.zone = "deu"}, {410, "DEU", 2022, 0, PERSEUS__INTENSITY_NOT_STATED, "o"}},
	{"o", OWID, {.zone = "asia"}, {570, "Asia", 2022, 0, PERSEUS__INTENSITY_NOT_STATED, "o"}},
	{"e.json", EMBER, {.zone = "old world"}, {7, "OLD WORLD", 0, 0, PERSEUS__INTENSITY_AVERAGE, "e.json"}},
	{"d/z.json", OUR_JSON, {.zone = "de"}, {344, "DE", 2024, 0, PERSEUS__INTENSITY_MARGINAL, "z.json (the grid)"}},
	{"d/z.json", OUR_JSON, {.zone = "FR"}, {44.5, "FR", 0, 0, PERSEUS__INTENSITY_MARGINAL, "z.json (the grid)"}},
	/* the exact name goes ahead of others, wherever it stands; one zone needs no name; a quoted cell; an empty one */
	{"x",
		"gCO2 per kWh,\"zone\",gco2e_PER_kwh,Type,note,more gCO2/kWh\n9,XX,1e2,Average,\"a, b\",9\n9,YY,,Average,,9\n",
		{.zone = NULL}, {100, "XX", 0, 0, PERSEUS__INTENSITY_AVERAGE, "x"}},
};

static void
require_same(const struct perseus__intensity *found, const struct perseus__intensity *expected)
{
	ck_assert_double_eq_tol(found->gco2e_per_kwh, expected->gco2e_per_kwh, 1e-12 * expected->gco2e_per_kwh);
	ck_assert_str_eq(found->zone, expected->zone);
	ck_assert_int_eq(found->year, expected->year);
	ck_assert_int_eq(found->n_hours, expected->n_hours);
	ck_assert_int_eq(found->type, expected->type);
	ck_assert_str_eq(found->source, expected->source);
}

START_TEST(finds)
{
	const struct perseus__intensity found = find(lookups[_i].label, lookups[_i].text, &lookups[_i].query);
	require_same(&found, &lookups[_i].expected);
}
END_TEST

/* 300, 200 and 100 g/kWh in three hours from midnight on 1 May 2024. */
static const struct {
	int64_t begin_min, end_min; /* since midnight */
	double gco2e_per_kwh;
	int32_t n_hours;
} spans[] = {
	{0, 60, 300, 1}, {0, 180, 200, 3}, {30, 90, 250, 2}, {45, 135, (15 * 300 + 60 * 200 + 15 * 100) / 90.0, 3},
	{60, 120, 200, 1}, {90, 90, 200, 1}, /* no time at all */
};

START_TEST(averages_hours_by_time)
{
	int64_t midnight_ms = 0;
	ck_assert(perseus__utc_parse("2024-05-01", &midnight_ms));
	const struct perseus__intensity_query query = {.zone = "de",
		.begin_ms = midnight_ms + spans[_i].begin_min * 60000,
		.end_ms = midnight_ms + spans[_i].end_min * 60000};
	const struct perseus__intensity found = find("maps.csv", MAPS, &query);
	const struct perseus__intensity expected = {
		spans[_i].gco2e_per_kwh, "DE", 2024, spans[_i].n_hours, PERSEUS__INTENSITY_NOT_STATED, "maps.csv"};
	require_same(&found, &expected);
}
END_TEST

static const struct {
	const char *text;
	struct perseus__intensity_query query; /* times in hours since 1 May 2024 */
	const char *message;
} misses[] = {
	{OURS, {.zone = "D"}, "f: there is no zone \"D\"; near it in the alphabet, of 3: DE, FR, SE"},
	{OURS, {.zone = "ZZ\n"}, "f: there is no zone \"ZZ\\x0a\"; near it in the alphabet, of 3: DE, FR, SE"},
	{OURS, {.zone = NULL}, "f: name one of its 3 zones: DE, FR, SE, ..."},
	{OURS, {.zone = "DE", .year = 2022}, "f: zone \"DE\" has no value of 2022: its years are in 2023 to 2024"},
	{OURS, {.zone = "DE", .year = 2025}, "f: zone \"DE\" has no value of 2025: its years are in 2023 to 2024"},
	{OURS, {.zone = "SE", .year = 2024}, "f: zone \"SE\" has no value of 2024: its year is not stated"},
	{MAPS, {.zone = "DE", .year = 2024}, "f: zone \"DE\" has a series of hours: no year can be asked for"},
	{MAPS, {.zone = "DE", .begin_ms = 1, .end_ms = 5},
		"f: zone \"DE\" has no value for 2024-05-01T03:00Z; of the 4 hours of the run, 2 are missing"},
	{MAPS, {.zone = "DE", .begin_ms = -1, .end_ms = 1},
		"f: zone \"DE\" has no value for 2024-04-30T23:00Z; of the 2 hours of the run, 1 are missing"},
	{MAPS, {.zone = "DE", .begin_ms = 10, .end_ms = 11},
		"f: zone \"DE\" has no value for 2024-05-01T10:00Z; of the 1 hours of the run, 1 are missing"},
	{"zone,hour,gCO2e_per_kWh\nA,2024-05-01T00:00Z,1\nA,2024-05-01T02:00+00:00,1\nA,2024-05-01T01:00Z,\n",
		{.begin_ms = 0, .end_ms = 3},
		"f: zone \"A\" has no value for 2024-05-01T01:00Z; of the 3 hours of the run, 1 are missing"},
};

START_TEST(says_what_it_does_not_find)
{
	struct perseus__intensity_table *table = parse("f", misses[_i].text);
	struct perseus__intensity intensity = {.year = 77};
	struct perseus_error err = {.message = ""};
	struct perseus__intensity_query query = misses[_i].query;
	int64_t midnight_ms = 0;
	ck_assert(perseus__utc_parse("2024-05-01", &midnight_ms));
	query.begin_ms = midnight_ms + query.begin_ms * HOUR_MS;
	query.end_ms = midnight_ms + query.end_ms * HOUR_MS;
	ck_assert_int_eq(perseus__intensity_find(table, &query, &intensity, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, misses[_i].message);
	ck_assert_int_eq(intensity.year, 77);
	perseus__intensity_table_free(table);
}
END_TEST

#define HEADER "zone,year,hour,type,gCO2e_per_kWh\n"
#define BYTES_16 "xxxxxxxxxxxxxxxx"
#define BYTES_64 BYTES_16 BYTES_16 BYTES_16 BYTES_16

static const struct {
	const char *text;
	const char *message; /* behind "bad" */
} bad_documents[] = {
	{"", ":1: no column of zones in the header; expected \"zone\""},
	{"year,gCO2e_per_kWh\n", ":1: no column of zones in the header; expected \"zone\""},
	{"\nzone,year\n", ":2: no column of intensities in the header; expected \"gCO2e_per_kWh\""},
	{"zone,code,gCO2e_per_kWh\n",
		":1: column 1, \"zone\", and column 2, \"code\", could both be meant: leave one of them out"},
	{"zone,gCO2/kWh (direct),gCO2/kWh (LCA)\n",
		":1: column 2, \"gCO2/kWh (direct)\", and column 3, \"gCO2/kWh (LCA)\", could both be meant: leave one of them "
		"out"},
	{HEADER, ": holds no carbon intensity"},
	{HEADER "DE,2024,,,\n", ": holds no carbon intensity"},
	{HEADER "DE,2024,340\n", ":2: 3 cells, but the header has 5"},
	{HEADER "DE,2024,,,340,5\n", ":2: 6 cells, but the header has 5"},
	{HEADER "\"DE,2024,,,340\n", ":2: a quote is not closed"},
	{HEADER ",2024,,,340\n", ":2: column zone: \"\" is no name of a zone"},
	{HEADER BYTES_64 ",2024,,,340\n", ":2: column zone: \"" BYTES_64 "\" is too long for the name of a zone"},
	{HEADER BYTES_64 BYTES_64 ",2024,,,340\n",
		":2: column zone: \"" BYTES_64 BYTES_16 BYTES_16 BYTES_16 "xxxxxxxxxxxxxxx\" and more is too long"},
	{HEADER "\"D\tE\",2024,,,340\n", ":2: column zone: \"D\\x09E\" has a control character in it"},
	{HEADER "DE,2024,,,-1\n", ":2: column gCO2e_per_kWh: \"-1\" is not a number of zero or more"},
	{HEADER "DE,2024,,,nan\n", ":2: column gCO2e_per_kWh: \"nan\" is not a number of zero or more"},
	{HEADER "DE,2024,,,20001\n", ":2: column gCO2e_per_kWh: \"20001\" is not from 0 to 20000, in grams per kWh"},
	{HEADER "DE,2024,,,1e999\n", ":2: column gCO2e_per_kWh: \"1e999\" is not from 0 to 20000, in grams per kWh"},
	{HEADER "DE,24,,,340\n", ":2: column year: \"24\" is not a year from 1900 to 2999"},
	{HEADER "DE,2024.0,,,340\n", ":2: column year: \"2024.0\" is not a year from 1900 to 2999"},
	{HEADER "DE,99999999999999,,,340\n", ":2: column year: \"99999999999999\" is not a year from 1900 to 2999"},
	{HEADER "DE,,2024-05-01T00:30Z,,340\n",
		":2: column hour: \"2024-05-01T00:30Z\" is not a whole hour such as 2026-08-01T13:00Z"},
	{HEADER "DE,,13,,340\n", ":2: column hour: \"13\" is not a whole hour such as 2026-08-01T13:00Z"},
	{HEADER "DE,2024,,mean,340\n", ":2: column type: \"mean\" is neither average nor marginal"},
	{HEADER "DE,2024,,average,340\nDE,2023,,marginal,400\n",
		":3: column type: \"marginal\" is not what the rows ahead of it say"},
	{HEADER "DE,2024,,,340\nFR,2024,,,44\nde,2024,,,340\n", ":4: zone \"de\": twice for one year; see line 2"},
	{HEADER "DE,,2024-05-01T00:00,,340\nDE,2024,2024-05-01,,340\n", ":3: zone \"DE\": twice for one hour; see line 2"},
	{HEADER "DE,,2024-05-01T00:00,,340\nDE,2024,,,340\n",
		":3: zone \"DE\": has rows with an hour and rows without; see line 2"},

	{"{", ":1:1: string or '}' expected near end of file"},
	{"{\"data\":{\"A\":1,\"A\":2}}", ":1:18: duplicate object key near '\"A\"'"},
	{"{}", ": the document: expected either \"zones\" or \"data\""},
	{"{\"data\":{},\"zones\":{}}", ": the document: expected either \"zones\" or \"data\""},
	{"{\"data\":{}}", ": holds no carbon intensity"},
	{"{\"data\":{\"A\":1},\"unit\":\"g\"}", ": unit: unknown key"},
	{"{\"data\":{\"A\":1},\"type\":\"mean\"}", ": type: expected \"average\" or \"marginal\""},
	{"{\"data\":{\"A\":1},\"type\":1}", ": type: expected \"average\" or \"marginal\""},
	{"{\"data\":{\"A\":1},\"source\":1}", ": source: expected a string"},
	{"{\"data\":{\"A\":1},\"source\":\"a\\u001b[2J\"}", ": source: has a control character in it"},
	{"{\"data\":[1]}", ": data: expected an object with zones as its keys"},
	{"{\"data\":{\"A\":\"1\"}}", ": data.A: expected a number"},
	{"{\"data\":{\"A\":-1}}", ": data.A: is not from 0 to 20000, in grams per kWh"},
	{"{\"data\":{\"\":1}}", ": data: is no name of a zone"},
	{"{\"data\":{\"a\":1,\"A\":1}}", ": zone \"A\": twice for one year"},
	{"{\"zones\":{\"A\":1}}", ": zones.A: expected an object with gco2e_per_kwh"},
	{"{\"zones\":{\"A\":{}}}", ": zones.A.gco2e_per_kwh: expected a number"},
	{"{\"zones\":{\"A\":{\"gco2e_per_kwh\":1,\"years\":2}}}", ": zones.A.years: unknown key"},
	{"{\"zones\":{\"A\":{\"gco2e_per_kwh\":1,\"year\":24}}}", ": zones.A.year: expected a year from 1900 to 2999"},
	{"{\"zones\":{\"A\":{\"gco2e_per_kwh\":1,\"year\":\"2024\"}}}",
		": zones.A.year: expected a year from 1900 to 2999"},
	{"{\"zones\":{\"A\\n\":{\"gco2e_per_kwh\":1}}}", ": zones.A\\x0a: has a control character in it"},
};

START_TEST(refuses_bad_documents)
{
	struct perseus__intensity_table *table = NULL;
	struct perseus_error err = {.message = ""};
	const char *text = bad_documents[_i].text;
	ck_assert_msg(
			perseus__intensity_table_parse("bad", text, strlen(text), &table, &err) == PERSEUS_INVALID, "%s", text);
	ck_assert_msg(strncmp(err.message, "bad", 3) == 0, "%s", err.message);
	ck_assert_str_eq(err.message + 3, bad_documents[_i].message);
	ck_assert_ptr_null(table);
}
END_TEST

START_TEST(says_which_file_it_cannot_read)
{
	struct perseus__intensity_table *table = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__intensity_table_read("/nowhere/at.csv", &table, &err), PERSEUS_IO);
	ck_assert_str_eq(err.message, "cannot read /nowhere/at.csv: No such file or directory");
}
END_TEST

/* A published table of yearly averages, where the machine has it. */
START_TEST(reads_a_published_table)
{
	static const char path[] = PERSEUS_TEST_DATA "/carbon/ember_average_intensity.json";
	if (access(path, R_OK) != 0) {
		printf("# %s is not there: not read\n", path);
		return;
	}
	struct perseus__intensity_table *table = NULL;
	struct perseus__intensity intensity;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__intensity_table_read(path, &table, &err) == PERSEUS_OK, "%s", err.message);
	const struct perseus__intensity_query query = {.zone = "world"};
	ck_assert_msg(perseus__intensity_find(table, &query, &intensity, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert(intensity.gco2e_per_kwh > 400 && intensity.gco2e_per_kwh < 550);
	ck_assert_int_eq(intensity.type, PERSEUS__INTENSITY_AVERAGE);
	ck_assert_int_eq(intensity.year, 0);
	perseus__intensity_table_free(table);
}
END_TEST

static const struct {
	const char *text;
	int64_t time_ms; /* -1: it is no moment */
	const char *canonical;
} moments[] = {
	{"1970-01-01", 0, "1970-01-01T00:00:00.000Z"},
	{"2024-02-29T23:59:59.5Z", 1709251199500, "2024-02-29T23:59:59.500Z"},
	{"2026-08-01 13:00", 1785589200000, "2026-08-01T13:00:00.000Z"},
	{"2026-08-01T13:00:00.0019+00:00", 1785589200001, "2026-08-01T13:00:00.001Z"},
	{"9999-12-31T23:59:59Z", 253402300799000, "9999-12-31T23:59:59.000Z"},
	{"", -1, NULL},
	{"2023-02-29", -1, NULL},
	{"2024-13-01", -1, NULL},
	{"2024-00-01", -1, NULL},
	{"2024-1-1", -1, NULL},
	{"1969-12-31", -1, NULL},
	{"2024-01-01T", -1, NULL},
	{"2024-01-01T24:00", -1, NULL},
	{"2024-01-01T12:60", -1, NULL},
	{"2024-01-01T12:00:60Z", -1, NULL},
	{"2024-01-01T12:00.", -1, NULL},
	{"2024-01-01T12:00+01:00", -1, NULL},
	{"2024-01-01T12:00ZZ", -1, NULL},
	{"2024-01-01Z", -1, NULL},
	{"20240101", -1, NULL},
};

START_TEST(reads_moments)
{
	int64_t time_ms = -1;
	const bool is_moment = perseus__utc_parse(moments[_i].text, &time_ms);
	ck_assert_msg(is_moment == (moments[_i].time_ms >= 0), "%s", moments[_i].text);
	ck_assert_msg(time_ms == moments[_i].time_ms, "%s: %lld", moments[_i].text, (long long)time_ms);
	if (!is_moment)
		return;
	char text[PERSEUS__UTC_BYTES];
	perseus__utc_text(time_ms, text);
	ck_assert_str_eq(text, moments[_i].canonical);
}
END_TEST

START_TEST(writes_moments_out_of_range)
{
	char text[PERSEUS__UTC_BYTES];
	perseus__utc_text(-1, text);
	ck_assert_str_eq(text, "1970-01-01T00:00:00.000Z");
	perseus__utc_text(INT64_MAX, text);
	ck_assert_str_eq(text, "9999-12-31T23:59:59.000Z");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("intensity");
	TCase *tcase = tcase_create("intensity");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, finds, 0, sizeof lookups / sizeof *lookups);
	tcase_add_loop_test(tcase, averages_hours_by_time, 0, sizeof spans / sizeof *spans);
	tcase_add_loop_test(tcase, says_what_it_does_not_find, 0, sizeof misses / sizeof *misses);
	tcase_add_loop_test(tcase, refuses_bad_documents, 0, sizeof bad_documents / sizeof *bad_documents);
	tcase_add_test(tcase, says_which_file_it_cannot_read);
	tcase_add_test(tcase, reads_a_published_table);
	tcase_add_loop_test(tcase, reads_moments, 0, sizeof moments / sizeof *moments);
	tcase_add_test(tcase, writes_moments_out_of_range);
	return run_suite(suite);
}
