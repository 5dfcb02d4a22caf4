/* Our own JSON of schedules: what it can say, and every way to say it wrong. */
#include "format/schedule_json.h"
#include "suite.h"

#include <check.h>
#include <string.h>

static const struct perseus_schedule *
parse(const char *text)
{
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__schedule_json_parse("good.json", text, strlen(text), &schedule, &err) == PERSEUS_OK, "%s",
			err.message);
	ck_assert_msg(perseus_schedule_check(schedule, &err) == PERSEUS_OK, "%s", err.message);
	return schedule;
}

START_TEST(reads_every_key)
{
	const struct perseus_schedule *schedule =
			parse("{\"version\": 1, \"name\": \"two\", \"explicit_edges_only\": false, \"ranks\": ["
				  "[{\"kind\":\"data_load\",\"stage\":0,\"microbatch\":0},"
				  " {\"kind\":\"forward\",\"stage\":0,\"microbatch\":0,\"class\":\"forward_noimage\"},"
				  " {\"kind\":\"forward\",\"stage\":0,\"microbatch\":1},"
				  " {\"kind\":\"backward\",\"stage\":0,\"microbatch\":0},"
				  " {\"kind\":\"backward\",\"stage\":0,\"microbatch\":1},"
				  " {\"kind\":\"other\",\"stage\":0,\"class\":\"log\"}],"
				  "[{\"kind\":\"forward\",\"stage\":1,\"microbatch\":0},"
				  " {\"kind\":\"overlap\",\"parts\":[{\"kind\":\"forward\",\"stage\":1,\"microbatch\":1},"
				  "                                  {\"kind\":\"backward\",\"stage\":1,\"microbatch\":0}]},"
				  " {\"kind\":\"backward\",\"stage\":1,\"microbatch\":1}]],"
				  "\"edges\": [{\"from\":[1,2],\"to\":[0,5]}, {\"from\":[0,0],\"to\":[1,0],\"transfer\":true}]}");
	ck_assert_str_eq(schedule->name, "two");
	ck_assert_int_eq(schedule->n_ranks, 2);
	ck_assert_int_eq(schedule->n_instructions, 9);
	ck_assert_str_eq(schedule->instructions[1].class_name, "forward_noimage");
	ck_assert_str_eq(schedule->instructions[2].class_name, "forward");
	ck_assert_int_eq(schedule->instructions[5].kind, PERSEUS_KIND_OTHER);
	ck_assert_str_eq(schedule->instructions[5].class_name, "log");
	ck_assert_int_eq(schedule->instructions[5].microbatch, -1);
	ck_assert_int_eq(schedule->instructions[7].n_parts, 2);
	bool has_plain = false, has_transfer = false;
	for (int32_t e = 0; e < schedule->n_edges; e++) {
		has_plain |= schedule->edges[e].from == 8 && schedule->edges[e].to == 5 && !schedule->edges[e].is_transfer;
		has_transfer |= schedule->edges[e].from == 0 && schedule->edges[e].to == 6 && schedule->edges[e].is_transfer;
	}
	ck_assert(has_plain && has_transfer);
	perseus_schedule_free(schedule);
}
END_TEST

START_TEST(derives_nothing_when_told_so)
{
	const struct perseus_schedule *schedule =
			parse("{\"version\":1,\"explicit_edges_only\":true,\"ranks\":[[{\"kind\":\"forward\",\"stage\":0,"
				  "\"microbatch\":0}],[{\"kind\":\"forward\",\"stage\":1,\"microbatch\":0}]]}");
	ck_assert_str_eq(schedule->name, "good.json");
	ck_assert_int_eq(schedule->n_edges, 0);
	ck_assert(!schedule->has_derived_edges);
	perseus_schedule_free(schedule);
}
END_TEST

/* A whole document around one instruction, one edge, or one top-level key more. */
#define F0 "{\"kind\":\"forward\",\"stage\":0,\"microbatch\":0}"
#define B0 "{\"kind\":\"backward\",\"stage\":0,\"microbatch\":0}"
#define WITH(instruction) "{\"version\":1,\"ranks\":[[" F0 "," instruction "]]}"
#define EDGE(edge) "{\"version\":1,\"ranks\":[[" F0 "," B0 "]],\"edges\":[" edge "]}"
#define TOP(more) "{\"version\":1,\"ranks\":[[" F0 "," B0 "]]," more "}"
#define KINDS                                                                                                          \
	"expected one of forward, backward, input, weight, recompute, overlap, data_load, unshard, reshard, grad_reduce, " \
	"optimizer_step, other"

static const struct {
	const char *text;
	const char *message; /* behind "bad.json" */
} bad_documents[] = {
	{"", ":1:0: '[' or '{' expected near end of file"},
	{"{\"version\":1,", ":1:13: string or '}' expected near end of file"},
	{"{\"version\":1,\n\"version\":1}", ":2:9: duplicate object key near '\"version\"'"},
	{"[1]", ": the document: expected an object"},
	{TOP("\"rank\":1"), ": the document: unknown key \"rank\""},
	{"{\"ranks\":[]}", ": version: expected 1"},
	{"{\"version\":2,\"ranks\":[]}", ": version: expected 1"},
	{"{\"version\":\"1\",\"ranks\":[]}", ": version: expected 1"},
	{TOP("\"name\":1"), ": name: expected a string"},
	{TOP("\"explicit_edges_only\":0"), ": explicit_edges_only: expected true or false"},
	{"{\"version\":1}", ": ranks: expected an array of 1 to 4096 ranks"},
	{"{\"version\":1,\"ranks\":[]}", ": ranks: expected an array of 1 to 4096 ranks"},
	{"{\"version\":1,\"ranks\":[1]}", ": ranks[0]: expected an array"},
	{"{\"version\":1,\"ranks\":[[]]}", ": rank 0 has no instructions"},
	{WITH("7"), ": ranks[0][1]: expected an object"},
	{WITH("{}"), ": ranks[0][1].kind: " KINDS},
	{WITH("{\"kind\":\"sideways\"}"), ": ranks[0][1].kind: \"sideways\": " KINDS},
	{WITH("{\"kind\":\"backward\",\"mb\":0}"), ": ranks[0][1]: unknown key \"mb\""},
	{WITH("{\"kind\":\"backward\"}"), ": ranks[0][1].stage: missing: expected an integer"},
	{WITH("{\"kind\":\"backward\",\"stage\":1.0}"), ": ranks[0][1].stage: expected an integer"},
	{WITH("{\"kind\":\"backward\",\"stage\":-7}"),
		": ranks[0][1].stage: expected an integer of 0 or more that fits 32 bits"},
	{WITH("{\"kind\":\"backward\",\"stage\":0,\"microbatch\":4294967296}"),
		": ranks[0][1].microbatch: expected an integer of 0 or more that fits 32 bits"},
	{WITH("{\"kind\":\"backward\",\"stage\":0}"),
		": rank 0, position 1 (backward): microbatch -1: expected 0 to 999999"},
	{WITH("{\"kind\":\"backward\",\"stage\":0,\"microbatch\":0,\"class\":3}"),
		": ranks[0][1]: \"class\": expected a string"},
	{WITH("{\"kind\":\"backward\",\"stage\":0,\"microbatch\":0,\"class\":\"\"}"),
		": rank 0, position 1 (backward): class name is empty"},
	{WITH("{\"kind\":\"backward\",\"stage\":0,\"microbatch\":0,\"parts\":[]}"),
		": ranks[0][1]: \"parts\": only an overlapped pair has them"},
	{WITH("{\"kind\":\"overlap\"}"), ": ranks[0][1].parts: expected an array of two objects"},
	{WITH("{\"kind\":\"overlap\",\"parts\":[" F0 "]}"), ": ranks[0][1].parts: expected an array of two objects"},
	{WITH("{\"kind\":\"overlap\",\"stage\":0,\"parts\":[" F0 "," B0 "]}"),
		": ranks[0][1]: an overlapped pair has stage and microbatch in its parts"},
	{WITH("{\"kind\":\"overlap\",\"parts\":[" F0 ",{\"kind\":\"backward\",\"stage\":0,\"class\":\"x\"}]}"),
		": ranks[0][1].parts[1]: unknown key \"class\""},
	{WITH("{\"kind\":\"overlap\",\"parts\":[" F0 ",{\"kind\":\"backward\"}]}"),
		": ranks[0][1].parts[1].stage: missing: expected an integer"},
	{WITH("{\"kind\":\"overlap\",\"parts\":[" F0 ",{\"kind\":\"reshard\",\"stage\":0}]}"),
		": rank 0, position 1 (overlap): part 1 is no forward, backward, input, weight or recompute"},
	{WITH("{\"kind\":\"weight\",\"stage\":0,\"microbatch\":0}"), ": rank 0, position 1 (0W0): lacks its 0I0"},
	{TOP("\"edges\":1"), ": edges: expected an array of at most 16777216 objects"},
	{EDGE("1"), ": edges[0]: expected an object"},
	{EDGE("{\"from\":[0,0],\"to\":[0,1],\"lag\":1}"), ": edges[0]: unknown key \"lag\""},
	{EDGE("{\"to\":[0,1]}"), ": edges[0].from: expected [rank, position]"},
	{EDGE("{\"from\":[0,0],\"to\":[0]}"), ": edges[0].to: expected [rank, position]"},
	{EDGE("{\"from\":[1,0],\"to\":[0,1]}"), ": edges[0].from: there is no such rank"},
	{EDGE("{\"from\":[0,2],\"to\":[0,1]}"), ": edges[0].from: there is no such position on this rank"},
	{EDGE("{\"from\":[0,0],\"to\":[0,-1]}"), ": edges[0].to: there is no such position on this rank"},
	{EDGE("{\"from\":[0,0],\"to\":[0,1],\"transfer\":1}"), ": edges[0].transfer: expected true or false"},
	{EDGE("{\"from\":[0,0],\"to\":[0,1],\"transfer\":true}"),
		": rank 0, position 1 (0B0): an explicit transfer within a rank, from 0F0"},
	{EDGE("{\"from\":[0,1],\"to\":[0,0]}"), ": schedule bad.json deadlocks: rank 0: 0F0 waits for 0B0"},
};

START_TEST(refuses_bad_documents)
{
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	const char *text = bad_documents[_i].text;
	ck_assert_int_eq(perseus__schedule_json_parse("bad.json", text, strlen(text), &schedule, &err), PERSEUS_INVALID);
	ck_assert_msg(strncmp(err.message, "bad.json", 8) == 0, "%s", err.message);
	ck_assert_str_eq(err.message + 8, bad_documents[_i].message);
	ck_assert_ptr_null(schedule);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("schedule_json");
	TCase *tcase = tcase_create("schedule_json");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, reads_every_key);
	tcase_add_test(tcase, derives_nothing_when_told_so);
	tcase_add_loop_test(tcase, refuses_bad_documents, 0, sizeof bad_documents / sizeof *bad_documents);
	return run_suite(suite);
}
