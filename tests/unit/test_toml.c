/* The subset of TOML: what is read, and what each malformed document is told. */
#include "format/toml.h"
#include "suite.h"

#include "base/error.h"
#include "base/text.h"

#include <check.h>
#include <string.h>

/* Writes every entry as a line; refuses the key "refuse". */
static enum perseus_status
write_entry(void *user, const struct perseus__toml_entry *entry, struct perseus_error *err)
{
	struct perseus__text *text = user;
	if (strcmp(entry->key, "refuse") == 0)
		return perseus__fail(err, PERSEUS_INVALID, "as asked");
	perseus__text_addf(text, "%d %s.%s", (int)entry->line, entry->table, entry->key);
	if (entry->type == PERSEUS__TOML_INTEGER)
		perseus__text_addf(text, " %lld", (long long)entry->integer);
	for (size_t i = 0; i < entry->n_strings; i++)
		perseus__text_addf(text, " <%s>", entry->strings[i]);
	perseus__text_add(text, "\n", 1);
	return PERSEUS_OK;
}

static const struct {
	const char *document;
	const char *entries;
} good[] = {
	{"", ""},
	{"# nothing\n\n  # more", ""},
	{"a = 1", "1 .a 1\n"},
	{"a=\"x\"# why\nb-2 = 'y\\n'\n", "1 .a <x>\n2 .b-2 <y\\n>\n"},
	{"[t]\na = 12\r\n[u] # other\na = 0\n", "1 t.\n2 t.a 12\n3 u.\n4 u.a 0\n"},
	{"a = []\n", "1 .a\n"},
	{"a = [ 'x' , \"y\", ]", "1 .a <x> <y>\n"},
	{"[t]\na = [\n  \"x\", # first\n  \"y\"\n]\nb = 2", "1 t.\n2 t.a <x> <y>\n6 t.b 2\n"},
	{"a = \"q\\\"b\\\\c\\td\"", "1 .a <q\"b\\c\td>\n"},
	{"a = ''\n", "1 .a <>\n"},
	{"a = 9223372036854775807\n", "1 .a 9223372036854775807\n"},
};

START_TEST(reads)
{
	struct perseus__text text = perseus__text_init(4096);
	struct perseus_error err = {.message = ""};
	perseus__text_add(&text, "", 0);
	const enum perseus_status status =
			perseus__toml_parse(good[_i].document, strlen(good[_i].document), "f.toml", write_entry, &text, &err);
	ck_assert_msg(status == PERSEUS_OK, "%s: %s", good[_i].document, err.message);
	ck_assert_str_eq(text.bytes, good[_i].entries);
	perseus__text_fini(&text);
}
END_TEST

static const struct {
	const char *document;
	const char *message;
} bad[] = {
	{"a", "f.toml:1:2: = should be here"},
	{"a = ", "f.toml:1:5: a string, a whole number or an array should be here"},
	{"a = true", "f.toml:1:5: a string, a whole number or an array should be here"},
	{"a = -1", "f.toml:1:5: a string, a whole number or an array should be here"},
	{"a = 1.5", "f.toml:1:6: the line should end here"},
	{"a = 1 b = 2", "f.toml:1:7: the line should end here"},
	{"a = 9223372036854775808", "f.toml:1:23: the number is too large"},
	{"a = \"x", "f.toml:1:7: the string is not closed"},
	{"a = \"x\n\"", "f.toml:1:7: a string ends on its line, and holds no control characters"},
	{"a = \"\\u0041\"", "f.toml:1:7: this escape is not known; \\\" \\\\ \\n \\t and \\r are"},
	{"a = \"\"\"x\"\"\"", "f.toml:1:7: strings of several lines are not read here"},
	{"a = [1]", "f.toml:1:6: an array holds strings here"},
	{"a = [\"x\" \"y\"]", "f.toml:1:10: a comma or ] should be here"},
	{"a = [\"x\"", "f.toml:1:9: a comma or ] should be here"},
	{"[t", "f.toml:1:3: ] should be here; tables have one level"},
	{"[t.u]", "f.toml:1:3: ] should be here; tables have one level"},
	{"[[t]]", "f.toml:1:2: a name of letters, digits, _ and - should be here"},
	{"\n[t]\n[t]", "f.toml:3:3: this table was given before"},
	{"[t]\na = 1\na = 2", "f.toml:3:2: this key was given before"},
	{"= 1", "f.toml:1:1: a name of letters, digits, _ and - should be here"},
	{"\n\nrefuse = 1\nb = 2", "f.toml:3: as asked"},
	{"a01234567890123456789012345678901234567890123456789012345678901234 = 1", "f.toml:1:64: the name is too long"},
};

START_TEST(refuses)
{
	struct perseus__text text = perseus__text_init(4096);
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(
			perseus__toml_parse(bad[_i].document, strlen(bad[_i].document), "f.toml", write_entry, &text, &err),
			PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad[_i].message);
	perseus__text_fini(&text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("toml");
	TCase *tcase = tcase_create("toml");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, reads, 0, sizeof good / sizeof *good);
	tcase_add_loop_test(tcase, refuses, 0, sizeof bad / sizeof *bad);
	return run_suite(suite);
}
