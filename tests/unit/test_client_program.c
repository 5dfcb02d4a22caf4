/* Programs: decoding them, and which holds when. */
#include "client/program.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct perseus__program *
decode(const char *text)
{
	struct perseus__program *program = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(
			perseus__program_decode(text, strlen(text), &program, &err) == PERSEUS_OK, "%s: %s", text, err.message);
	return program;
}

START_TEST(decodes)
{
	struct perseus__program *program =
			decode("{\"revision\": 7, \"phase\": \"profile\", \"from_step\": 100, \"news\": 1,"
				   " \"segments\": [{\"steps\": 3, \"clocks_mhz\": [1410, 0]},"
				   " {\"steps\": 2, \"clocks_mhz\": [900, 800]},"
				   " {\"steps\": null, \"clocks_mhz\": [700, 600]}]}");
	ck_assert_int_eq(program->revision, 7);
	ck_assert_str_eq(program->phase, "profile");
	ck_assert_int_eq(program->n_instructions, 2);
	static const int32_t first_mhz[] = {1410, 1410, 1410, 900, 900, 700, 700, 700};
	for (int64_t i = 0; i < 8; i++)
		ck_assert_int_eq(perseus__program_clocks(program, 100 + i)[0], first_mhz[i]);
	ck_assert_int_eq(perseus__program_clocks(program, 1000000)[1], 600);
	perseus__program_free(program);
	/* After the last of a limited time its clocks stay. */
	program = decode("{\"revision\": 0, \"phase\": \"plan\", \"from_step\": null,"
					 " \"segments\": [{\"steps\": 1, \"clocks_mhz\": [5]}]}");
	ck_assert_int_eq(program->from_step, -1);
	program->from_step = 3;
	ck_assert_int_eq(perseus__program_clocks(program, 77)[0], 5);
	perseus__program_free(program);
	program = decode("{\"revision\": 1, \"phase\": \"free\", \"from_step\": 2, \"segments\": []}");
	ck_assert_ptr_null(perseus__program_clocks(program, 2));
	perseus__program_free(program);
}
END_TEST

#define HEAD "{\"revision\": 1, \"phase\": \"plan\", \"from_step\": 2, \"segments\": "
static const struct {
	const char *text;
	const char *message;
} bad[] = {
	{"", "plan:1:0: "},
	{"{", "plan:1:1: "},
	{"[]", "plan: the document: expected an object"},
	{"{\"revision\": 1, \"revision\": 1}", "plan:1:"},
	{"{}", "plan: revision: expected a whole number"},
	{"{\"revision\": -1}", "plan: revision: expected a whole number"},
	{"{\"revision\": 1.5}", "plan: revision: expected a whole number"},
	{"{\"revision\": 1}", "plan: from_step: expected a whole number or null"},
	{"{\"revision\": 1, \"from_step\": \"2\"}", "plan: from_step: expected a whole number or null"},
	{"{\"revision\": 1, \"from_step\": 2}", "plan: phase: expected \"profile\", \"plan\" or \"free\""},
	{"{\"revision\": 1, \"from_step\": 2, \"phase\": \"a phase that is too long\"}", "plan: phase: expected"},
	{"{\"revision\": 1, \"from_step\": 2, \"phase\": \"plan\"}", "plan: segments: expected a list"},
	{HEAD "{}}", "plan: segments: expected a list"},
	{HEAD "[1]}", "plan: segments[0].steps: expected a whole number or null"},
	{HEAD "[{\"steps\": 0, \"clocks_mhz\": [1]}]}", "plan: segments[0].steps: expected at least 1"},
	{HEAD "[{\"steps\": null, \"clocks_mhz\": [1]}, {\"steps\": 1, \"clocks_mhz\": [1]}]}",
		"plan: segments[0].steps: expected a whole number"},
	{HEAD "[{\"steps\": 1}]}", "plan: segments[0].clocks_mhz: expected a list of clocks"},
	{HEAD "[{\"steps\": 1, \"clocks_mhz\": [1, -1]}]}", "plan: segments[0].clocks_mhz[1]: expected a clock"},
	{HEAD "[{\"steps\": 1, \"clocks_mhz\": [\"1\"]}]}", "plan: segments[0].clocks_mhz[0]: expected a clock"},
	{HEAD "[{\"steps\": 1, \"clocks_mhz\": [1]}, {\"steps\": 1, \"clocks_mhz\": [1, 2]}]}",
		"plan: segments[1].clocks_mhz: expected as many clocks as in the first segment"},
};

START_TEST(refuses)
{
	struct perseus__program *program = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__program_decode(bad[_i].text, strlen(bad[_i].text), &program, &err), PERSEUS_INVALID);
	ck_assert_msg(
			strncmp(err.message, bad[_i].message, strlen(bad[_i].message)) == 0, "%s\n  %s", bad[_i].text, err.message);
	ck_assert_ptr_null(program);
}
END_TEST

static struct perseus__program *
revision(int64_t number, int64_t from_step)
{
	char text[128];
	(void)snprintf(text, sizeof text,
			"{\"revision\": %d, \"phase\": \"plan\", \"from_step\": %d, \"segments\": [{\"steps\": null, "
			"\"clocks_mhz\": [%d]}]}",
			(int)number, (int)(from_step < 0 ? 0 : from_step), (int)number);
	struct perseus__program *program = decode(text);
	program->from_step = from_step;
	return program;
}

static int64_t
holds(const struct perseus__programs *programs, int64_t step)
{
	const struct perseus__program *program = perseus__programs_look(programs, step);
	return program ? program->revision : -1;
}

START_TEST(the_newest_that_holds)
{
	struct perseus__programs programs = {.n = 0};
	ck_assert_int_eq(holds(&programs, 0), -1);
	perseus__programs_take(&programs, revision(1, -1));
	ck_assert_int_eq(holds(&programs, 100), -1);
	perseus__programs_take(&programs, revision(1, 5));
	ck_assert_int_eq(holds(&programs, 4), -1);
	ck_assert_int_eq(holds(&programs, 5), 1);
	ck_assert_ptr_nonnull(perseus__programs_at(&programs, 5));
	/* An offer is known and does not hold. */
	perseus__programs_take(&programs, revision(2, -1));
	ck_assert_int_eq(perseus__programs_newest(&programs)->revision, 2);
	ck_assert_int_eq(holds(&programs, 8), 1);
	perseus__programs_take(&programs, revision(2, 9));
	perseus__programs_take(&programs, revision(3, -1));
	ck_assert_int_eq(holds(&programs, 8), 1);
	ck_assert_int_eq(holds(&programs, 9), 2);
	/* One that comes late holds at once, and what is older does not come back. */
	perseus__programs_take(&programs, revision(3, 7));
	ck_assert_int_eq(holds(&programs, 8), 3);
	perseus__programs_take(&programs, revision(2, 1));
	ck_assert_int_eq(perseus__programs_newest(&programs)->revision, 3);
	ck_assert_int_eq(perseus__programs_at(&programs, 9)->revision, 3);
	ck_assert_int_eq(programs.n, 1);
	perseus__programs_fini(&programs);
}
END_TEST

START_TEST(too_many_offers)
{
	struct perseus__programs programs = {.n = 0};
	perseus__programs_take(&programs, revision(1, 0));
	for (int64_t i = 2; i < 20; i++)
		perseus__programs_take(&programs, revision(i, 10 * i));
	ck_assert_int_eq(programs.n, PERSEUS__MAX_PROGRAMS);
	ck_assert_int_eq(holds(&programs, 0), 1); /* what holds is not what makes room */
	ck_assert_int_eq(holds(&programs, 1000), 19);
	perseus__programs_fini(&programs);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client program");
	TCase *tests = tcase_create("all");
	tcase_add_test(tests, decodes);
	tcase_add_loop_test(tests, refuses, 0, (int)(sizeof bad / sizeof *bad));
	tcase_add_test(tests, the_newest_that_holds);
	tcase_add_test(tests, too_many_offers);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
