/* PyTorch's pipeline CSV: both forms, old files, everything that is refused, and writing it. */
#include "format/pytorch_csv.h"
#include "suite.h"

#include <perseus/schedule.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 1 << 16 };

static const struct perseus_schedule *
parse(const char *label, const char *text, char note[PERSEUS__PYTORCH_NOTE_BYTES])
{
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__pytorch_csv_parse(label, text, strlen(text), &schedule, note, &err) == PERSEUS_OK, "%s",
			err.message);
	ck_assert_msg(perseus_schedule_check(schedule, &err) == PERSEUS_OK, "%s: %s", label, err.message);
	return schedule;
}

static const struct perseus_schedule *
generate(const char *name, int32_t n_ranks, int32_t stages_per_rank, int32_t n_microbatches)
{
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.name = name;
	settings.n_ranks = n_ranks;
	settings.stages_per_rank = stages_per_rank;
	settings.n_microbatches = n_microbatches;
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_schedule_generate(&settings, &schedule, &err) == PERSEUS_OK, "%s", err.message);
	return schedule;
}

static bool
is_kept(const struct perseus_instruction *instruction)
{
	return instruction->kind <= PERSEUS_KIND_OVERLAP;
}

/* Next edge between ranks, at or behind `e`; n_edges where there is none. */
static int32_t
next_cross_edge(const struct perseus_schedule *schedule, int32_t e)
{
	while (e < schedule->n_edges
			&& schedule->instructions[schedule->edges[e].from].rank
					== schedule->instructions[schedule->edges[e].to].rank)
		e++;
	return e;
}

/* The same computations in the same order, and the same edges between ranks; `new_index` of `a` into `b`. */
static void
check_same(const struct perseus_schedule *a, const struct perseus_schedule *b)
{
	int32_t *new_index = calloc((size_t)a->n_instructions, sizeof *new_index);
	ck_assert_ptr_nonnull(new_index);
	ck_assert_int_eq(a->n_ranks, b->n_ranks);
	ck_assert_int_eq(a->n_stages, b->n_stages);
	ck_assert_int_eq(a->n_microbatches, b->n_microbatches);
	int32_t n = 0;
	for (int32_t i = 0; i < a->n_instructions; i++) {
		if (!is_kept(&a->instructions[i]))
			continue;
		ck_assert_int_lt(n, b->n_instructions);
		char left[64], right[64];
		perseus_instruction_text(&a->instructions[i], left, sizeof left);
		perseus_instruction_text(&b->instructions[n], right, sizeof right);
		ck_assert_str_eq(left, right);
		ck_assert_int_eq(a->instructions[i].rank, b->instructions[n].rank);
		ck_assert_str_eq(a->instructions[i].class_name, b->instructions[n].class_name);
		new_index[i] = n++;
	}
	ck_assert_int_eq(n, b->n_instructions);
	int32_t e = next_cross_edge(a, 0), f = next_cross_edge(b, 0);
	while (e < a->n_edges && f < b->n_edges) {
		ck_assert_int_eq(new_index[a->edges[e].from], b->edges[f].from);
		ck_assert_int_eq(new_index[a->edges[e].to], b->edges[f].to);
		ck_assert_int_eq(a->edges[e].is_transfer, b->edges[f].is_transfer);
		e = next_cross_edge(a, e + 1);
		f = next_cross_edge(b, f + 1);
	}
	ck_assert(e == a->n_edges && f == b->n_edges);
	free(new_index);
}

static const struct {
	const char *file;
	const char *name;
	int32_t n_ranks, stages_per_rank, n_microbatches;
} dumps[] = {
	{"LoopedBFS_p2v2m4", "looped-bfs", 2, 2, 4},
	{"LoopedBFS_p4v2m8", "looped-bfs", 4, 2, 8},
	{"Interleaved1F1B_p2v2m4", "interleaved", 2, 2, 4},
	{"Interleaved1F1B_p4v2m8", "interleaved", 4, 2, 8},
	{"InterleavedZeroBubble_p2v1m4", "zb1p", 2, 1, 4},
	{"InterleavedZeroBubble_p2v2m4", "zb1p", 2, 2, 4},
	{"InterleavedZeroBubble_p4v1m8", "zb-h1", 4, 1, 8},
	{"InterleavedZeroBubble_p4v2m8", "zb1p", 4, 2, 8},
	{"ZBVZeroBubble_p2v2m4", "zbv", 2, 2, 4},
	{"ZBVZeroBubble_p4v2m8", "zbv", 4, 2, 8},
	{"DualPipeV_p2v2m4", "dualpipev", 2, 2, 4},
	{"DualPipeV_p4v2m8", "dualpipev", 4, 2, 8},
};

static bool
read_dump(const char *file, const char *form, char text[FILE_BYTES])
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/schedules/pytorch_csv/%s.%s.csv", PERSEUS_TEST_DATA, file, form);
	FILE *stream = fopen(path, "rb");
	if (!stream)
		return false;
	const size_t n = fread(text, 1, FILE_BYTES - 1, stream);
	(void)fclose(stream);
	text[n] = '\0';
	return true;
}

/* What torch wrote, in both forms, is what we generate. */
START_TEST(equals_the_dumps_of_torch)
{
	static char text[FILE_BYTES];
	const struct perseus_schedule *ours =
			generate(dumps[_i].name, dumps[_i].n_ranks, dumps[_i].stages_per_rank, dumps[_i].n_microbatches);
	static const char *const forms[] = {"compute_only", "compute_comms"};
	for (int f = 0; f < 2; f++) {
		if (!read_dump(dumps[_i].file, forms[f], text)) {
			printf("# SKIP the dump %s.%s is not at hand\n", dumps[_i].file, forms[f]);
			continue;
		}
		char note[PERSEUS__PYTORCH_NOTE_BYTES];
		const struct perseus_schedule *theirs = parse(dumps[_i].file, text, note);
		ck_assert_str_eq(note, "");
		check_same(theirs, ours);
		ck_assert(f == 0 ? theirs->n_instructions == ours->n_instructions
						 : theirs->n_instructions > ours->n_instructions);
		perseus_schedule_free(theirs);
	}
	perseus_schedule_free(ours);
}
END_TEST

/* The orders that torch holds in memory; GPipe and 1F1B are in no CSV of its own. "R0: 0F0 . 0B0" is row 0. */
START_TEST(equals_the_orders_of_torch)
{
	static const char *const sections[][2] = {{"## GPipe_p4v1m8\n", "gpipe"}, {"## 1F1B_p4v1m8\n", "1f1b"}};
	static char text[FILE_BYTES];
	FILE *stream = fopen(PERSEUS_TEST_DATA "/schedules/pytorch_csv/ALL_orders_torch2.14.1.txt", "rb");
	if (!stream) {
		printf("# SKIP the orders of torch are not at hand\n");
		return;
	}
	text[fread(text, 1, FILE_BYTES - 1, stream)] = '\0';
	(void)fclose(stream);
	const char *at = strstr(text, sections[_i][0]);
	ck_assert_ptr_nonnull(at);
	char rows[2048] = "", note[PERSEUS__PYTORCH_NOTE_BYTES];
	size_t n = 0;
	for (at = strchr(at, '\n') + 1; *at == 'R'; at++) {
		for (at += strlen("R0: "); *at != '\n'; at++)
			rows[n++] = (char)(*at == ' ' ? ',' : *at);
		rows[n++] = '\n';
	}
	const struct perseus_schedule *theirs = parse("order.csv", rows, note);
	const struct perseus_schedule *ours = generate(sections[_i][1], 4, 1, 8);
	ck_assert_str_eq(note, _i ? "forwards of stage 3 are counted from 1: read from 0" : "");
	check_same(theirs, ours);
	perseus_schedule_free(theirs);
	perseus_schedule_free(ours);
}
END_TEST

/* Whatever can be written comes back the same. */
START_TEST(reads_back_what_it_writes)
{
	const char *name = perseus_schedule_names()[_i];
	const struct perseus_schedule *schedule = generate(name, 4, 0, 8);
	struct perseus__text text = perseus__text_init(FILE_BYTES);
	struct perseus_error err = {.message = ""};
	const enum perseus_status status = perseus__pytorch_csv_write(schedule, &text, &err);
	if (strcmp(name, "dualpipe") == 0) {
		ck_assert_int_eq(status, PERSEUS_INVALID);
		ck_assert_str_eq(err.message, "rank 2: 1F4: stage 1 is on rank 1 too: PyTorch's CSV has a stage on one rank");
	} else if (strcmp(name, "early-recompute-1f1b") == 0) {
		ck_assert_int_eq(status, PERSEUS_INVALID);
		ck_assert_str_eq(err.message, "rank 0: 0R5: PyTorch's CSV has no word for it");
	} else {
		ck_assert_msg(status == PERSEUS_OK, "%s", err.message);
		const struct perseus_schedule *back = parse(name, text.bytes, NULL);
		check_same(back, schedule);
		perseus_schedule_free(back);
	}
	perseus__text_fini(&text);
	perseus_schedule_free(schedule);
}
END_TEST

START_TEST(writes_as_python_does)
{
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.n_ranks = settings.n_microbatches = 2;
	settings.data_load = settings.grad_reduce = settings.optimizer_step = true;
	const struct perseus_schedule *schedule = NULL;
	ck_assert_int_eq(perseus_schedule_generate(&settings, &schedule, NULL), PERSEUS_OK);
	struct perseus__text text = perseus__text_init(100);
	ck_assert_int_eq(perseus__pytorch_csv_write(schedule, &text, NULL), PERSEUS_OK);
	ck_assert_str_eq(text.bytes, "0F0,0F1,0B0,0B1\r\n1F0,1B0,1F1,1B1\r\n");
	perseus__text_fini(&text);
	text = perseus__text_init(10);
	ck_assert_int_eq(perseus__pytorch_csv_write(schedule, &text, NULL), PERSEUS_NO_MEMORY);
	perseus__text_fini(&text);
	perseus_schedule_free(schedule);
}
END_TEST

#define COMMS                                                                                \
	"0UNSHARD,0F0,0SEND_F0,0F1,0SEND_F1,0RECV_B0,0B0,0RECV_B1,0B1,0REDUCE_GRAD,0RESHARD\r\n" \
	"1UNSHARD,1RECV_F0,1F0,1B0,1SEND_B0,1RECV_F1,1F1,1B1,1SEND_B1,1REDUCE_GRAD,1RESHARD\r\n"

static const struct {
	const char *text;
	const char *same_as; /* of PyTorch's compute_only form */
	const char *note;
} good_files[] = {
	{"0F0,0F1,0B0,0B1\r\n1F0,1B0,1F1,1B1\r\n", "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1", ""},
	{COMMS, "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1", ""},
	{"\xef\xbb\xbf"
	 "0F0,0F1,,, 0B0 ,\t0B1,\n\"\",1F0,1B0,,1F1,1B1\n\n\n",
		"0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1", ""},
	{"0F0,0B0,0W0", "0F0,0I0,0W0", "written by torch before 2.6: B with a W beside it read as I"},
	{"0F0,0B0,0W0,0F1,0B1", "0F0,0I0,0W0,0F1,0B1", "written by torch before 2.6: B with a W beside it read as I"},
	{"0F0,0F1,0B0,0B1\n1F1,1B0,1F2,1B1", "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1",
		"forwards of stage 1 are counted from 1: read from 0"},
	{"0F0,0F1,0B0,0B1,0REDUCE_GRAD\n1F1,1B0,1F2,1B1,1REDUCE_GRAD", "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1",
		"forwards of stage 1 are counted from 1: read from 0"},
	{"0F0,1F0,(0F1;1B0)OVERLAP_F_B,1F1,1B1,0B0,0B1", "0F0,1F0,(0F1;1B0)OVERLAP_F_B,1F1,1B1,0B0,0B1", ""},
};

START_TEST(takes_good_files)
{
	char note[PERSEUS__PYTORCH_NOTE_BYTES] = "old";
	const struct perseus_schedule *schedule = parse("good.csv", good_files[_i].text, note);
	const struct perseus_schedule *same = parse("same.csv", good_files[_i].same_as, NULL);
	ck_assert_str_eq(note, good_files[_i].note);
	ck_assert_str_eq(schedule->name, "good.csv");
	check_same(schedule, same);
	perseus_schedule_free(schedule);
	perseus_schedule_free(same);
}
END_TEST

START_TEST(keeps_what_is_no_computation)
{
	const struct perseus_schedule *schedule = parse("comms.csv", COMMS, NULL);
	ck_assert_int_eq(schedule->n_instructions, 14);
	ck_assert_int_eq(schedule->instructions[0].kind, PERSEUS_KIND_UNSHARD);
	ck_assert_str_eq(schedule->instructions[5].class_name, "grad_reduce");
	ck_assert_int_eq(schedule->instructions[6].kind, PERSEUS_KIND_RESHARD);
	ck_assert_int_eq(schedule->instructions[6].microbatch, -1);
	perseus_schedule_free(schedule);
}
END_TEST

#define STAGE_FIRST "expected a stage number of at most nine digits first"
#define WORD_NEXT \
	"expected F, I, B, W, UNSHARD, RESHARD, REDUCE_GRAD, SEND_F, RECV_F, SEND_B or RECV_B behind the stage"
#define MICROBATCH_NEXT "expected a microbatch number of at most nine digits behind the action"

static const struct {
	const char *text;
	const char *message;
} bad_files[] = {
	{"", "bad.csv: empty: expected one row per pipeline rank"},
	{"\r\n\r\n", "bad.csv: empty: expected one row per pipeline rank"},
	{"0F0,0B0\r\n0F1xyz\r\n", "bad.csv:2: rank 1, column 1: \"0F1xyz\": unexpected text at the end"},
	{"0F0,,0BW0", "bad.csv:1: rank 0, column 3: \"0BW0\": " WORD_NEXT},
	{"F0", "bad.csv:1: rank 0, column 1: \"F0\": " STAGE_FIRST},
	{"0F_s1", "bad.csv:1: rank 0, column 1: \"0F_s1\": " WORD_NEXT},
	{"0", "bad.csv:1: rank 0, column 1: \"0\": " WORD_NEXT},
	{"0f0", "bad.csv:1: rank 0, column 1: \"0f0\": " WORD_NEXT},
	{"0F", "bad.csv:1: rank 0, column 1: \"0F\": " MICROBATCH_NEXT},
	{"0F-1", "bad.csv:1: rank 0, column 1: \"0F-1\": " MICROBATCH_NEXT},
	{"0F1234567890", "bad.csv:1: rank 0, column 1: \"0F1234567890\": " MICROBATCH_NEXT},
	{"99999999999F0", "bad.csv:1: rank 0, column 1: \"99999999999F0\": " STAGE_FIRST},
	{"0UNSHARD0", "bad.csv:1: rank 0, column 1: \"0UNSHARD0\": unexpected text at the end"},
	{"(0F0;0B0)", "bad.csv:1: rank 0, column 1: \"(0F0;0B0)\": expected \"OVERLAP_F_B\" behind the overlapped actions"},
	{"(0F0)OVERLAP_F_B",
		"bad.csv:1: rank 0, column 1: \"(0F0)OVERLAP_F_B\": expected \";\" between two overlapped actions"},
	{"(0F0;0B0;0B1)OVERLAP_F_B",
		"bad.csv:1: rank 0, column 1: \"(0F0;0B0;0B1)OVERLAP_F_B\": expected \")\" behind two overlapped actions"},
	{"(0F0;0SEND_F0)OVERLAP_F_B",
		"bad.csv:1: rank 0, column 1: \"(0F0;0SEND_F0)OVERLAP_F_B\": only F, I, B and W can overlap"},
	{"0F0 0B0", "bad.csv:1: rank 0, column 1: \"0F0 0B0\": unexpected text at the end"},
	{"\"0F0\"", "bad.csv:1: rank 0, column 1: \"\"0F0\"\": " STAGE_FIRST},
	{"0F\x01", "bad.csv:1: rank 0, column 1: \"0F\\x01\": " MICROBATCH_NEXT},
	{"\n0F0,0B0", "bad.csv: rank 0 has no instructions"},
	{"0F0,0B0\n\n1F0,1B0", "bad.csv: rank 1 has no instructions"},
	{"0F0,0B0\n2F0,2B0", "bad.csv: stage 1 is missing: there are stages up to 2"},
	{"0F1,0F3,0B0,0B1", "bad.csv: stage 0: 0F0 is missing: every stage needs forwards of microbatches 0 to 1"},
	{"0F0,0I0,0W0,0F1,0B1,0W1", "bad.csv: rank 0, position 5 (0W1): a weight gradient beside the full 0B1"},
	{"0F0,0B0,0F0", "bad.csv: rank 0, position 2 (0F0): a duplicate: rank 0 has 0F0 at position 0 already"},
	{"0F0,0B0,70000F0", "bad.csv: rank 0, position 2 (forward): stage 70000: expected 0 to 65535"},
	{"1F0,1B0\n0B0,0F0", "bad.csv: rank 1, position 0 (0B0): comes before its 0F0"},
	{"0F0,0SEND_F0,0B0\n1F0,1B0", "bad.csv:1: rank 0, column 2: \"0SEND_F0\": nothing receives this"},
	{"0F0,0B0\n1RECV_F0,1F0,1B0", "bad.csv:2: rank 1, column 1: \"1RECV_F0\": nothing sends this"},
	{"0F0,0SEND_F0,1RECV_F0,1F0,1B0,0B0",
		"bad.csv:1: rank 0, column 2: \"0SEND_F0\": sent and received by the same rank"},
	{"0SEND_F0,0F0,0RECV_B0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0",
		"bad.csv:1: rank 0, column 1: \"0SEND_F0\": sent before it is computed"},
	{"0F0,0SEND_F0,0RECV_B0,0B0\n1F0,1RECV_F0,1B0,1SEND_B0",
		"bad.csv:2: rank 1, column 2: \"1RECV_F0\": received after it is needed"},
	{"0F0,0SEND_F0,0SEND_F0,0RECV_B0,0B0\n1RECV_F0,1F0,1B0,1SEND_B0",
		"bad.csv:1: rank 0, column 3: \"0SEND_F0\": a duplicate"},
	{"0F0,0SEND_F0,0B0\n1RECV_F0,1F0,1B0",
		"bad.csv:1: rank 0, column 3: stage 0, microbatch 0: its gradient comes from rank 1, but is never received"},
	{"0F0,0RECV_B0,0B0\n1F0,1B0,1SEND_B0",
		"bad.csv:2: rank 1, column 1: stage 1, microbatch 0: its activation comes from rank 0, but is never received"},
	{"0F0,0B0,0SEND_F5\n1F0,1B0,1RECV_F5",
		"bad.csv:1: rank 0, column 3: \"0SEND_F5\": its rank has no computation of this stage and microbatch"},
	{"0F0,0B0,0F1,0B1\n1F1,1B1,1F0,1B0",
		"bad.csv: schedule bad.csv deadlocks: rank 0: 0B0 waits for 1B0; rank 1: 1F1 waits for 0F1"},
};

START_TEST(refuses_bad_files)
{
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	const char *text = bad_files[_i].text;
	ck_assert_int_eq(perseus__pytorch_csv_parse("bad.csv", text, strlen(text), &schedule, NULL, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_files[_i].message);
	ck_assert_ptr_null(schedule);
}
END_TEST

START_TEST(refuses_nul_bytes)
{
	static const char text[] = "0F0\0,0B0";
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(
			perseus__pytorch_csv_parse("nul.csv", text, sizeof text - 1, &schedule, NULL, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "nul.csv:1: rank 0, column 1: \"0F0\\x00\": unexpected text at the end");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pytorch_csv");
	TCase *tcase = tcase_create("pytorch_csv");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, equals_the_dumps_of_torch, 0, sizeof dumps / sizeof *dumps);
	tcase_add_loop_test(tcase, equals_the_orders_of_torch, 0, 2);
	tcase_add_loop_test(tcase, reads_back_what_it_writes, 0, 11);
	tcase_add_test(tcase, writes_as_python_does);
	tcase_add_loop_test(tcase, takes_good_files, 0, sizeof good_files / sizeof *good_files);
	tcase_add_test(tcase, keeps_what_is_no_computation);
	tcase_add_loop_test(tcase, refuses_bad_files, 0, sizeof bad_files / sizeof *bad_files);
	tcase_add_test(tcase, refuses_nul_bytes);
	return run_suite(suite);
}
