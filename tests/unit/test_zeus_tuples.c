/* The tuples Zeus keeps its clocks in: what is taken, what is refused and where; and what is written reads back. */
#include "format/zeus_tuples.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* From an exact copy without a NUL at the end, so that a sanitizer sees any step beyond it. */
static enum perseus_status
parse(const char *text, size_t length, struct perseus__zeus_solution **solution, struct perseus_error *err)
{
	char *copy = malloc(length > 0 ? length : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, length);
	const enum perseus_status status = perseus__zeus_parse(copy, length, solution, err);
	free(copy);
	return status;
}

/* A solution in one line: "forward:1410 backward:1065|forward:0|". */
static char *
spell(const struct perseus__zeus_solution *solution)
{
	struct perseus__text text = perseus__text_init(4096);
	for (int32_t rank = 0; rank < solution->n_ranks; rank++) {
		for (size_t i = solution->rank_begin[rank]; i < solution->rank_begin[rank + 1]; i++)
			perseus__text_addf(&text, "%s%s:%d", i > solution->rank_begin[rank] ? " " : "", solution->entries[i].name,
					solution->entries[i].frequency_mhz);
		perseus__text_addf(&text, "|");
	}
	ck_assert(!text.failed);
	return text.bytes;
}

static const struct {
	const char *text;
	const char *spelled;
} good[] = {
	{"[[('forward', 1410), ('backward', 1065)], [('forward', 0)]]", "forward:1410 backward:1065|forward:0|"},
	{"[[('forward', 1410), ('backward', 1065),],\n [('forward', 0),],\n]\n", "forward:1410 backward:1065|forward:0|"},
	{"((('forward', 1410), ('backward', 1065)), (('forward', 0),))", "forward:1410 backward:1065|forward:0|"},
	{"[[[\"forward\", 1410], [\"backward\", 1065]], [[\"forward\", 0]]]", "forward:1410 backward:1065|forward:0|"},
	{"# a\n[ # b\n[('f' # c\n,1),],] # Iteration 3 cost change: 1\n# total cost: 2\n", "f:1|"},
	{"\n\t [[('f',1,)]]\r\n", "f:1|"},
	{"[[('f','1410'),('b',\"900\")]]", "f:1410 b:900|"},
	{"[[('it\\'s', 1), (\"say \\\"x\\\"\", 2), ('back\\\\slash', 3), ('# no comment', 4)]]",
		"it's:1 say \"x\":2 back\\slash:3 # no comment:4|"},
	{"[[]]", "|"},
	{"[[], ()]", "||"},
	{"(([]),)", NULL}, /* a parenthesis around one rank is no tuple in Python either */
	{"[[('f', 007)]]", "f:7|"},
	{"[[('', 5)]]", ":5|"},
	{"[[('f', 100000)]]", "f:100000|"},
};

START_TEST(takes_good_text)
{
	struct perseus__zeus_solution *solution = NULL;
	struct perseus_error err = {.message = ""};
	const enum perseus_status status = parse(good[_i].text, strlen(good[_i].text), &solution, &err);
	if (!good[_i].spelled) {
		ck_assert_int_eq(status, PERSEUS_INVALID);
		return;
	}
	ck_assert_msg(status == PERSEUS_OK, "%s: %s", good[_i].text, err.message);
	char *spelled = spell(solution);
	ck_assert_str_eq(spelled, good[_i].spelled);
	free(spelled);
	perseus__zeus_free(solution);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} bad[] = {
	{"", "line 1, column 1: expected the list of ranks, '[' or '(', found the end of the text"},
	{"# only a comment", "line 1, column 17: expected the list of ranks, '[' or '(', found the end of the text"},
	{"[]", "line 1, column 1: there is no rank in the list"},
	{"[[('f', 1)]", "line 1, column 12: expected ',' or the end of the list of ranks, found the end of the text"},
	{"[[('f', 1)]]]", "line 1, column 13: expected nothing after the list of ranks, found ']'"},
	{"[[('f', 1)],\n [('b' 2)]]", "line 2, column 8: expected ',' after the name of the instruction, found '2'"},
	{"[[('f', 1)\n ('b', 2)]]", "line 2, column 2: expected ',' or the end of the rank's list, found '('"},
	{"[[('f', 1)] [('b', 2)]]", "line 1, column 13: expected ',' or the end of the list of ranks, found '['"},
	{"[('f', 1)]", "line 1, column 3: expected ('instruction', MHz) or the end of the rank's list, found '''"},
	{"[['f', 1]]", "line 1, column 3: expected ('instruction', MHz) or the end of the rank's list, found '''"},
	{"[[(forward, 1)]]", "line 1, column 4: expected the name of an instruction in quotes, found 'f'"},
	{"[[('f', )]]", "line 1, column 9: expected a clock in MHz, an integer from 0 to 100000, found ')'"},
	{"[[('f', -5)]]", "line 1, column 9: expected a clock in MHz, an integer from 0 to 100000, found '-'"},
	{"[[('f', 1.5)]]", "line 1, column 9: the clock must be an integer from 0 to 100000 MHz"},
	{"[[('f', '1.5')]]", "line 1, column 9: the clock must be an integer from 0 to 100000 MHz"},
	{"[[('f', '')]]", "line 1, column 9: the clock must be an integer from 0 to 100000 MHz"},
	{"[[('f', 100001)]]", "line 1, column 9: the clock must be an integer from 0 to 100000 MHz"},
	{"[[('f', 99999999999999999999)]]", "line 1, column 9: the clock must be an integer from 0 to 100000 MHz"},
	{"[[('f', 1e3)]]", "line 1, column 10: expected ')' after the clock, found 'e'"},
	{"[[('f', 1]]]", "line 1, column 10: expected ')' after the clock, found ']'"},
	{"[[['f', 1)]]", "line 1, column 10: expected ']' after the clock, found ')'"},
	{"[[('f', 1, 2)]]", "line 1, column 12: expected ')' after the clock, found '2'"},
	{"[[('f, 1)]]", "line 1, column 4: this string does not end on its line"},
	{"[[('f\n', 1)]]", "line 1, column 4: this string does not end on its line"},
	{"[[('\\n', 1)]]", "line 1, column 5: only \\\\, \\' and \\\" are understood after a backslash"},
	{"[[('f', 1)],,]", "line 1, column 13: expected the list of a rank, '[' or '(', found ','"},
	{"[,]", "line 1, column 2: expected the list of a rank, '[' or '(', found ','"},
	{"((('f', 1)),)", "line 1, column 2: a tuple of one needs a comma: (x,)"},
	{"([('f', 1)])", "line 1, column 1: a tuple of one needs a comma: (x,)"},
	{"__import__('os')", "line 1, column 1: expected the list of ranks, '[' or '(', found '_'"},
	{"[[('f', 1)]].pop()", "line 1, column 13: expected nothing after the list of ranks, found '.'"},
	{"[[('f', 1)]\x01]", "line 1, column 12: expected ',' or the end of the list of ranks, found byte 0x01"},
	{"{'a': 1}", "line 1, column 1: expected the list of ranks, '[' or '(', found '{'"},
};

START_TEST(refuses_bad_text)
{
	struct perseus__zeus_solution *solution = NULL;
	struct perseus_error err = {.message = ""};
	const enum perseus_status status = parse(bad[_i].text, strlen(bad[_i].text), &solution, &err);
	ck_assert_msg(status == PERSEUS_INVALID, "%s was taken", bad[_i].text);
	ck_assert_ptr_null(solution);
	ck_assert_str_eq(err.message, bad[_i].message);
}
END_TEST

START_TEST(refuses_a_zero_byte_in_a_name)
{
	static const char text[] = "[[('f\0', 1)]]";
	struct perseus__zeus_solution *solution = NULL;
	struct perseus_error err;
	ck_assert_int_eq(parse(text, sizeof text - 1, &solution, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "line 1, column 6: a name cannot hold a zero byte");
}
END_TEST

/* "[[('x…', 1), …" with names of a length, or so many of them. */
static enum perseus_status
parse_generated(int n_names, int name_length, struct perseus_error *err)
{
	struct perseus__text text = perseus__text_init(1 << 20);
	perseus__text_addf(&text, "[[");
	for (int i = 0; i < n_names; i++)
		perseus__text_addf(&text, "('%0*d', 1),", name_length, i);
	perseus__text_addf(&text, "]]");
	struct perseus__zeus_solution *solution = NULL;
	const enum perseus_status status = parse(text.bytes, text.length, &solution, err);
	if (status == PERSEUS_OK)
		ck_assert_int_eq(solution->n_names, n_names);
	perseus__zeus_free(solution);
	perseus__text_fini(&text);
	return status;
}

START_TEST(bounds_names)
{
	struct perseus_error err;
	ck_assert_int_eq(parse_generated(1, PERSEUS__ZEUS_MAX_NAME_BYTES, &err), PERSEUS_OK);
	ck_assert_int_eq(parse_generated(1, PERSEUS__ZEUS_MAX_NAME_BYTES + 1, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "line 1, column 4: this name is longer than 255 bytes");
	ck_assert_int_eq(parse_generated(PERSEUS__ZEUS_MAX_NAMES, 1, &err), PERSEUS_OK);
	ck_assert_int_eq(parse_generated(PERSEUS__ZEUS_MAX_NAMES + 1, 1, &err), PERSEUS_INVALID);
}
END_TEST

/* A schedule of two ranks with an instruction of every kind, and clocks that tell them apart. */
START_TEST(writes_what_it_reads)
{
#define X(name, text) {.kind = PERSEUS_KIND_##name, .class_name = "it's", .n_parts = 1},
	const struct perseus_instruction instructions[] = {
		PERSEUS_KIND_MAP(X){
			.kind = PERSEUS_KIND_BACKWARD, .rank = 1, .class_name = PERSEUS_FORWARD_BACKWARD_CLASS, .n_parts = 1}
	};
#undef X
	enum { N = sizeof instructions / sizeof *instructions };
	struct perseus_step steps[N] = {{0}};
	for (int i = 0; i < N; i++)
		steps[i].frequency_mhz = 900 + i;
	const int32_t rank_begin[] = {0, N - 1, N};
	const struct perseus_schedule schedule = {
		.n_ranks = 2, .n_instructions = N, .instructions = instructions, .rank_begin = rank_begin};
	const struct perseus_plan plan = {.n_ranks = 2,
		.n_instructions = N,
		.steps = steps,
		.outcome = {.iteration_time_ns = 1500000000, .energy_nj = 2250000000}};
	struct perseus__text text = perseus__text_init(4096);
	perseus__zeus_write(&text, &schedule, &plan);
	ck_assert(!text.failed);
	ck_assert_ptr_nonnull(strstr(text.bytes, "# iteration time: 1.5 s\n"));
	ck_assert_ptr_nonnull(strstr(text.bytes, "# total energy of one GPU per stage: 2.25 J\n"));

	struct perseus__zeus_solution *solution = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(parse(text.bytes, text.length, &solution, &err) == PERSEUS_OK, "%s", err.message);
	char *spelled = spell(solution);
	ck_assert_str_eq(spelled,
			"forward:900 backward:901 input:902 weight:903 recompute:904 overlap:905 it's:911|"
			"backward:912|");
	free(spelled);
	perseus__zeus_free(solution);
	perseus__text_fini(&text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("zeus_tuples");
	TCase *tcase = tcase_create("zeus_tuples");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, takes_good_text, 0, sizeof good / sizeof *good);
	tcase_add_loop_test(tcase, refuses_bad_text, 0, sizeof bad / sizeof *bad);
	tcase_add_test(tcase, refuses_a_zero_byte_in_a_name);
	tcase_add_test(tcase, bounds_names);
	tcase_add_test(tcase, writes_what_it_reads);
	return run_suite(suite);
}
