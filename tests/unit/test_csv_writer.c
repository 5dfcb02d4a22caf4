/* Rows of a CSV: what must be quoted is, and the reader of CSV gets back what was written. */
#include "format/csv.h"
#include "format/csv_writer.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *cell;
	const char *written;
	const char *read; /* our reader trims blanks, quoted or not */
} cells[] = {
	{NULL, "", ""},
	{"", "", ""},
	{"plain", "plain", "plain"},
	{"two words", "two words", "two words"},
	{"a,b", "\"a,b\"", "a,b"},
	{"say \"hi\"", "\"say \"\"hi\"\"\"", "say \"hi\""},
	{"\"", "\"\"\"\"", "\""},
	{"two\nlines", "\"two\nlines\"", "two\nlines"},
	{"\r", "\"\r\"", "\r"},
	{" ahead", "\" ahead\"", "ahead"},
	{"behind ", "\"behind \"", "behind"},
	{"\xc3\xa4", "\xc3\xa4", "\xc3\xa4"},
};

START_TEST(quotes_what_must_be)
{
	struct perseus__text text = perseus__text_init(1000);
	struct perseus__csv_writer csv = perseus__csv_writer_init(&text);
	perseus__csv_put_text(&csv, "first");
	perseus__csv_put_text(&csv, cells[_i].cell);
	perseus__csv_put_text(&csv, "last");
	perseus__csv_end_row(&csv);
	char expected[100];
	(void)snprintf(expected, sizeof expected, "first,%s,last\n", cells[_i].written);
	ck_assert_str_eq(text.bytes, expected);

	struct perseus__csv reader;
	struct perseus__csv_cell cell;
	bool is_last = true;
	ck_assert_int_eq(perseus__csv_init(&reader, text.bytes, text.length, "own", NULL), PERSEUS_OK);
	ck_assert(perseus__csv_find_row(&reader));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(perseus__csv_read_cell(&reader, &cell, &is_last), PERSEUS_OK);
	ck_assert_str_eq(cell.text, cells[_i].read);
	ck_assert(!is_last);
	perseus__text_fini(&text);
}
END_TEST

START_TEST(writes_numbers_and_what_is_not_there)
{
	struct perseus__text text = perseus__text_init(1000);
	struct perseus__csv_writer csv = perseus__csv_writer_init(&text);
	perseus__csv_put_number(&csv, true, 0.1);
	perseus__csv_put_number(&csv, false, 7);
	perseus__csv_put_integer(&csv, true, INT64_MIN);
	perseus__csv_put_integer(&csv, false, 7);
	perseus__csv_end_row(&csv);
	perseus__csv_put_integer(&csv, true, 0);
	perseus__csv_end_row(&csv);
	ck_assert_str_eq(text.bytes, "0.1,,-9223372036854775808,\n0\n");
	perseus__text_fini(&text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("csv_writer");
	TCase *tcase = tcase_create("csv_writer");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, quotes_what_must_be, 0, sizeof cells / sizeof *cells);
	tcase_add_test(tcase, writes_numbers_and_what_is_not_there);
	return run_suite(suite);
}
