/* Devices, clocks and reasons in words. */
#include "cli/device_words.h"
#include "suite.h"

#include <check.h>
#include <string.h>

enum { MAX_CLOCKS = 16 };

static const struct {
	int32_t mhz[MAX_CLOCKS]; /* descending, ends in 0 */
	const char *text;
} clocks[] = {
	{{0}, ""}, {{1593}, "1593"}, {{2619, 1593}, "1593, 2619"}, {{1410, 1395, 1380}, "1380-1410 step 15 (3)"},
	{{1980, 1965, 1950, 1935, 345}, "345, 1935-1980 step 15 (4)"},
	{{1980, 1965, 1950, 345, 330, 315, 300}, "300-345 step 15 (4), 1950-1980 step 15 (3)"},
	{{1980, 1200, 810, 405}, "405-1980 (4)"}, /* more than three pieces */
	{{1000, 900, 800, 700, 690, 680}, "680, 690, 700-1000 step 100 (4)"},
	{{1000, 900, 850, 800}, "800-900 step 50 (3), 1000"},
	{{1480, 1468, 1455, 1442, 1430, 1417, 1404, 1392, 1379}, "1379-1480 (9)"}, /* Pascal's uneven steps */
};

START_TEST(shortens_clocks)
{
	int32_t n = 0;
	while (clocks[_i].mhz[n] > 0)
		n++;
	struct perseus__text text = perseus__text_init(256);
	perseus__add_clocks(&text, clocks[_i].mhz, n);
	ck_assert_str_eq(text.length ? text.bytes : "", clocks[_i].text);
	perseus__text_fini(&text);
}
END_TEST

static const struct {
	int64_t reasons;
	const char *words[5];
} reasons[] = {
	{0, {NULL}},
	{PERSEUS_REASON_IDLE, {"idle"}},
	{PERSEUS_REASON_POWER_CAP | PERSEUS_REASON_SW_THERMAL, {"power cap", "software thermal slowdown"}},
	{0x600, {"board limit", "reliability"}},
	{0x1801, {"idle", "0x800", "0x1000"}},
	{INT64_C(1) << 62 | 0x100, {"display clocks", "0x4000000000000000"}},
	{INT64_C(0x80000000), {"0x80000000"}},
};

START_TEST(words_reasons)
{
	int64_t left = reasons[_i].reasons;
	char number[PERSEUS__REASON_BYTES];
	for (int k = 0; reasons[_i].words[k]; k++) {
		const char *word = perseus__next_reason(&left, number);
		ck_assert_ptr_nonnull(word);
		ck_assert_str_eq(word, reasons[_i].words[k]);
	}
	ck_assert_ptr_null(perseus__next_reason(&left, number));
}
END_TEST

static const struct {
	int32_t devices[8]; /* of a node of 4 A100 and then 2 A40; ends in -1 */
	const char *text;
} labels[] = {
	{{0, -1}, "GPU 0 (simulated)"},
	{{0, 1, 2, 3, -1}, "GPU 0-3 (simulated)"},
	{{0, 2, 3, -1}, "GPU 0 (simulated), GPU 2-3 (simulated)"},
	{{3, 4, -1}, "GPU 3 (simulated), GPU 0 (simulated)"},
	{{-1}, ""},
};

START_TEST(joins_labels)
{
	struct perseus_node *node = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_node_open("sim:a100x4+sim:a40x2", NULL, &node, &err) == PERSEUS_OK, "%s", err.message);
	int32_t n = 0;
	while (labels[_i].devices[n] >= 0)
		n++;
	struct perseus__text text = perseus__text_init(256);
	perseus__add_device_labels(&text, node, labels[_i].devices, n);
	ck_assert_str_eq(text.length ? text.bytes : "", labels[_i].text);
	perseus__text_fini(&text);
	perseus_node_close(node);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("device_words");
	TCase *tcase = tcase_create("device_words");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, shortens_clocks, 0, sizeof clocks / sizeof *clocks);
	tcase_add_loop_test(tcase, words_reasons, 0, sizeof reasons / sizeof *reasons);
	tcase_add_loop_test(tcase, joins_labels, 0, sizeof labels / sizeof *labels);
	return run_suite(suite);
}
