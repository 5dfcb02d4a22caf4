/* Orders from outside: what is taken, what is refused with which message, and what explicit edges do. */
#include "suite.h"

#include <perseus/schedule.h>

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INSTRUCTIONS = 64, MAX_RANKS = 8 };

/* An order in the making. */
struct draft {
	struct perseus_instruction instructions[MAX_INSTRUCTIONS];
	int32_t rank_begin[MAX_RANKS + 1];
	struct perseus_order order;
};

static const char letters[] = "FBIWR";

static struct perseus_part
read_part(const char **at)
{
	char *end;
	struct perseus_part part = {.microbatch = -1};
	part.stage = (int32_t)strtol(*at, &end, 10);
	const char letter = *end++;
	static const char constant[] = "DUXGO"; /* data load, unshard, reshard, gradient reduction, other */
	static const enum perseus_kind kinds[] = {PERSEUS_KIND_DATA_LOAD, PERSEUS_KIND_UNSHARD, PERSEUS_KIND_RESHARD,
		PERSEUS_KIND_GRAD_REDUCE, PERSEUS_KIND_OTHER};
	if (strchr(letters, letter))
		part.kind = (enum perseus_kind)(strchr(letters, letter) - letters);
	else if (letter == 'S')
		part.kind = PERSEUS_KIND_OPTIMIZER_STEP;
	else
		part.kind = kinds[strchr(constant, letter) - constant];
	*at = end;
	if (*end == '-' || (*end >= '0' && *end <= '9')) {
		part.microbatch = (int32_t)strtol(end, &end, 10);
		*at = end;
	}
	return part;
}

/* "0F0 0B0 | (1F0;1B0)": ranks, instructions, pairs; S is an optimizer step, D, U, X, G, O as in read_part. */
static void
draft_read(struct draft *draft, const char *text)
{
	*draft = (struct draft){.order = {.name = "draft", .n_ranks = 1}};
	int32_t n = 0;
	for (const char *at = text; *at;) {
		struct perseus_instruction *instruction = &draft->instructions[n];
		if (*at == ' ') {
			at++;
		} else if (*at == '|') {
			draft->rank_begin[draft->order.n_ranks++] = n;
			at++;
		} else if (*at == '(') {
			at++;
			instruction->kind = PERSEUS_KIND_OVERLAP;
			instruction->part[0] = read_part(&at);
			at++;
			instruction->part[1] = read_part(&at);
			at++;
			instruction->n_parts = 2;
			n++;
		} else {
			const struct perseus_part part = read_part(&at);
			instruction->kind = part.kind;
			instruction->stage = part.stage;
			instruction->microbatch = part.microbatch;
			n++;
		}
	}
	draft->rank_begin[draft->order.n_ranks] = n;
	draft->order.rank_begin = draft->rank_begin;
	draft->order.instructions = draft->instructions;
}

static const struct perseus_schedule *
import(const struct draft *draft)
{
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_schedule_import(&draft->order, &schedule, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_schedule_check(schedule, &err) == PERSEUS_OK, "%s", err.message);
	return schedule;
}

static const char *const good_orders[] = {
	"0F0 0B0",
	"0F0 0I0 0W0",
	"0F1 0F0 0B0 0B1",
	"0F0 1F0 1B0 0B0",
	"0F0 0F1 0B0 0B1 | 1F0 1B0 1F1 1B1",
	"0D0 0U 0F0 0X 0U 0B0 0X 0G 0S | 1F0 1B0 1G 1S",
	"0F0 1F0 (0F1;1B0) 1F1 1B1 0B0 0B1",
	"0F0 0R0 0B0 | 1F0 1O 1R0 1O0 1B0 1O0",
	"0F0 0R0 0I0 0W0 | 1F0 1B0",
	"0F0 0G0 0B0 0G",
};

START_TEST(takes_good_orders)
{
	struct draft draft;
	draft_read(&draft, good_orders[_i]);
	perseus_schedule_free(import(&draft));
}
END_TEST

static const struct {
	const char *order;
	const char *message;
} bad_orders[] = {
	{"| 0F0 0B0", "rank 0 has no instructions"},
	{"0F0 0B0 |", "rank 1 has no instructions"},
	{"0G", "no forward in the whole order"},
	{"0F0 0B0 | 2F0 2B0", "stage 1 is missing: there are stages up to 2"},
	{"0F0 0B0 | 0F1 0B1", "rank 1, position 0 (0F1): stage 0 is on rank 0 already: a stage lies on one rank"},
	{"0F0 0F0 0B0", "rank 0, position 1 (0F0): a duplicate: rank 0 has 0F0 at position 0 already"},
	{"0F0 0B0 0I0 0W0", "rank 0, position 2 (0I0): a duplicate: rank 0 has 0B0 at position 1 already"},
	{"0F0 0R0 0R0 0B0", "rank 0, position 2 (0R0): a duplicate: rank 0 has 0R0 at position 1 already"},
	{"0F0 0B0 0G 0G", "rank 0, position 3 (0REDUCE_GRAD): a duplicate: rank 0 has 0REDUCE_GRAD at position 2 already"},
	{"0F0 0B0 0S 0S3",
		"rank 0, position 3 (OPTIMIZER_STEP): a duplicate: rank 0 has OPTIMIZER_STEP at position 2 "
		"already"},
	{"0F0 0F1 0B0 0B1 | 1F0 1B0", "stage 1: 1F1 is missing: every stage needs forwards of microbatches 0 to 1"},
	{"0F0 0F2 0B0 0B2", "stage 0: 0F1 is missing: every stage needs forwards of microbatches 0 to 1"},
	{"0F0 0F1 0B0", "stage 0: 0B1 is missing: every forward needs a backward, or an input and a weight gradient"},
	{"0F0 0B0 0B1", "rank 0, position 2 (0B1): there is no forward of this microbatch"},
	{"0F0 0O5 0B0", "rank 0, position 1 (0OTHER5): there is no forward of this microbatch"},
	{"0F0 0I0", "rank 0, position 1 (0I0): lacks its 0W0"},
	{"0F0 0W0", "rank 0, position 1 (0W0): lacks its 0I0"},
	{"0F0 0B0 0W0", "rank 0, position 2 (0W0): a weight gradient beside the full 0B0"},
	{"0B0 0F0", "rank 0, position 0 (0B0): comes before its 0F0"},
	{"(0F0;0B0)", "rank 0, position 0 ((0F0;0B0)OVERLAP_F_B): comes before its 0F0"},
	{"0F0 0W0 0I0", "rank 0, position 1 (0W0): comes before its 0I0"},
	{"0R0 0F0 0B0", "rank 0, position 0 (0R0): comes before its 0F0"},
	{"0F0 0B0 0R0", "rank 0, position 2 (0R0): comes after its 0B0"},
	{"0F0 0D0 0B0", "rank 0, position 1 (0DATA_LOAD0): comes after its 0F0"},
	{"0F0 0G 0B0", "schedule draft deadlocks: rank 0: 0REDUCE_GRAD waits for 0B0"},
	{"0F-1 0B0", "rank 0, position 0 (forward): microbatch -1: expected 0 to 999999"},
	{"0F1000000 0B0", "rank 0, position 0 (forward): microbatch 1000000: expected 0 to 999999"},
	{"0U-2 0F0 0B0", "rank 0, position 0 (unshard): microbatch -2: expected none (-1) or 0 to 999999"},
	{"-1F0 0B0", "rank 0, position 0 (forward): stage -1: expected 0 to 65535"},
	{"65536F0 0B0", "rank 0, position 0 (forward): stage 65536: expected 0 to 65535"},
	{"(0F0;0G)", "rank 0, position 0 (overlap): part 1 is no forward, backward, input, weight or recompute"},
	{"0F0 0F1 0B1 0B0 | 1F0 1B0 1F1 1B1 | 2F1 2B1 2F0 2B0",
		"schedule draft deadlocks: rank 0: 0B1 waits for 1B1; rank 1: 1B0 waits for 2B0; rank 2: 2F1 waits for 1F1"},
};

START_TEST(refuses_bad_orders)
{
	struct draft draft;
	draft_read(&draft, bad_orders[_i].order);
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_schedule_import(&draft.order, &schedule, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_orders[_i].message);
	ck_assert_ptr_null(schedule);
	ck_assert_int_eq(perseus_schedule_import(&draft.order, &schedule, NULL), PERSEUS_INVALID);
}
END_TEST

static void
spoil(struct draft *draft, int how, char long_name[66])
{
	static const struct perseus_edge edges[] = {{0, 4, false}, {0, 0, false}, {0, 1, true}, {3, 0, false}};
	draft_read(draft, "0F0 0B0 | 1F0 1B0");
	switch (how) {
	case 0:
		draft->order.n_ranks = 0;
		return;
	case 1:
		draft->order.n_ranks = 4097;
		return;
	case 2:
		draft->rank_begin[0] = 1;
		return;
	case 3:
		draft->rank_begin[1] = 5;
		return;
	case 4:
		draft->rank_begin[2] = INT32_MAX;
		return;
	case 5:
		draft->instructions[1].kind = (enum perseus_kind)12;
		return;
	case 6:
		draft->instructions[1].n_parts = 2;
		return;
	case 7:
		draft->instructions[1].kind = PERSEUS_KIND_OVERLAP;
		return;
	case 8:
		draft->instructions[3].class_name = "";
		return;
	case 9:
		draft->instructions[3].class_name = "a\nb";
		return;
	case 10:
		memset(long_name, 'x', 65);
		draft->instructions[3].class_name = long_name;
		return;
	case 11:
		draft->order.n_extra_edges = -1;
		return;
	case 12:
	case 13:
	case 14:
	case 15:
		draft->order.extra_edges = &edges[how - 12];
		draft->order.n_extra_edges = 1;
		return;
	default:
		ck_abort();
	}
}

static const char *const spoil_messages[] = {
	"0 ranks: expected 1 to 4096",
	"4097 ranks: expected 1 to 4096",
	"rank 0 begins at instruction 1: expected 0",
	"rank 1 ends before it begins",
	"2147483647 instructions: expected 16777216 at most",
	"rank 0, position 1: unknown kind 12",
	"rank 0, position 1 (backward): 2 parts: expected 1",
	"rank 0, position 1 (overlap): 0 parts: expected 2",
	"rank 1, position 1 (backward): class name is empty",
	"rank 1, position 1 (backward): class name has a control character in it",
	"rank 1, position 1 (backward): class name has more than 64 bytes",
	"-1 explicit edges: expected 0 to 67108864",
	"explicit edge 0: from instruction 0 to 4: expected 0 to 3",
	"rank 0, position 0 (0F0): an explicit edge to itself",
	"rank 0, position 1 (0B0): an explicit transfer within a rank, from 0F0",
	"schedule draft deadlocks: rank 0: 0F0 waits for 1B0; rank 1: 1F0 waits for 0F0",
};

START_TEST(refuses_spoilt_orders)
{
	struct draft draft;
	char long_name[66] = "";
	spoil(&draft, _i, long_name);
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_schedule_import(&draft.order, &schedule, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, spoil_messages[_i]);
}
END_TEST

START_TEST(copies_names)
{
	char name[] = "mine", one[] = "forward_noimage", two[] = "forward_noimage";
	struct draft draft;
	draft_read(&draft, "0F0 0F1 0B0 0B1");
	draft.order.name = name;
	draft.instructions[0].class_name = one;
	draft.instructions[1].class_name = two;
	const struct perseus_schedule *schedule = import(&draft);
	name[0] = one[0] = two[0] = 'x';
	ck_assert_str_eq(schedule->name, "mine");
	ck_assert_str_eq(schedule->instructions[0].class_name, "forward_noimage");
	ck_assert_str_eq(schedule->instructions[2].class_name, "backward");
	ck_assert_ptr_eq(schedule->instructions[0].class_name, schedule->instructions[1].class_name);
	perseus_schedule_free(schedule);
	draft.order.name = NULL;
	schedule = import(&draft);
	ck_assert_str_eq(schedule->name, "imported");
	perseus_schedule_free(schedule);
}
END_TEST

static void
check_edges(const struct perseus_schedule *schedule, const struct perseus_edge *expected, int32_t n_expected)
{
	ck_assert_int_eq(schedule->n_edges, n_expected);
	for (int32_t e = 0; e < n_expected; e++) {
		ck_assert_int_eq(schedule->edges[e].from, expected[e].from);
		ck_assert_int_eq(schedule->edges[e].to, expected[e].to);
		ck_assert_int_eq(schedule->edges[e].is_transfer, expected[e].is_transfer);
	}
}

/* Extra edges join the derived ones, in order, merged where they coincide; what the rank's order implies goes. */
START_TEST(merges_extra_edges)
{
	static const struct perseus_edge extra[] = {{4, 3, false}, {0, 4, false}, {0, 3, false}, {5, 2, false}};
	static const struct perseus_edge expected[] = {{0, 1, false}, {0, 4, true}, {1, 2, false}, {1, 6, true},
		{2, 3, false}, {4, 3, false}, {4, 5, false}, {5, 2, true}, {5, 6, false}, {6, 7, false}, {7, 3, true}};
	struct draft draft;
	draft_read(&draft, "0F0 0F1 0B0 0B1 | 1F0 1B0 1F1 1B1");
	draft.order.extra_edges = extra;
	draft.order.n_extra_edges = sizeof extra / sizeof *extra;
	const struct perseus_schedule *schedule = import(&draft);
	ck_assert(schedule->has_derived_edges);
	check_edges(schedule, expected, sizeof expected / sizeof *expected);
	perseus_schedule_free(schedule);
}
END_TEST

/* Two encoders, ranks 0 and 1, feed a decoder; microbatch 1 has no image and skips the second encoder. */
START_TEST(derives_nothing_with_explicit_edges)
{
	static const struct perseus_edge extra[] = {
		{1, 8, false}, {0, 6, true}, {4, 6, true}, {7, 5, true}, {1, 8, true}, {9, 3, true}, {7, 2, true}};
	static const struct perseus_edge expected[] = {{0, 1, false}, {0, 6, true}, {1, 2, false}, {1, 8, true},
		{2, 3, false}, {4, 5, false}, {4, 6, true}, {6, 7, false}, {7, 2, true}, {7, 5, true}, {7, 8, false},
		{8, 9, false}, {9, 3, true}};
	struct draft draft;
	draft_read(&draft, "0F0 0F1 0B0 0B1 | 1F0 1B0 | 2F0 2B0 2F1 2B1");
	draft.order.extra_edges = extra;
	draft.order.n_extra_edges = sizeof extra / sizeof *extra;
	draft.order.explicit_edges_only = true;
	const struct perseus_schedule *schedule = import(&draft);
	ck_assert(!schedule->has_derived_edges);
	ck_assert_int_eq(schedule->n_stages, 3);
	ck_assert_int_eq(schedule->n_microbatches, 2);
	check_edges(schedule, expected, sizeof expected / sizeof *expected);
	perseus_schedule_free(schedule);
}
END_TEST

/* A recomputation waits for the stored input, and the pair for what both of its parts need. */
START_TEST(derives_recomputation_and_pairs)
{
	static const struct perseus_edge recompute[] = {
		{0, 1, false}, {0, 3, true}, {0, 4, false}, {1, 2, false}, {3, 4, false}, {4, 5, false}, {5, 2, true}};
	static const struct perseus_edge pair[] = {{0, 1, false}, {0, 4, true}, {1, 2, false}, {1, 5, true}, {2, 3, false},
		{4, 5, false}, {5, 2, true}, {5, 6, false}, {6, 3, true}};
	struct draft draft;
	draft_read(&draft, "0F0 0R0 0B0 | 1F0 1R0 1B0");
	const struct perseus_schedule *schedule = import(&draft);
	check_edges(schedule, recompute, sizeof recompute / sizeof *recompute);
	perseus_schedule_free(schedule);
	draft_read(&draft, "0F0 0F1 0B0 0B1 | 1F0 (1F1;1B0) 1B1");
	schedule = import(&draft);
	check_edges(schedule, pair, sizeof pair / sizeof *pair);
	ck_assert_str_eq(schedule->instructions[5].class_name, "overlap");
	ck_assert_int_eq(schedule->instructions[5].stage, 1);
	ck_assert_int_eq(schedule->instructions[5].microbatch, 1);
	perseus_schedule_free(schedule);
}
END_TEST

/* Every generated order comes back the same; DualPipe, whose stages lie on two ranks, with its edges. */
START_TEST(takes_back_what_is_generated)
{
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.name = perseus_schedule_names()[_i];
	settings.n_ranks = 4;
	settings.n_microbatches = 12;
	settings.data_load = settings.grad_reduce = settings.optimizer_step = true;
	const struct perseus_schedule *schedule = NULL, *back = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_schedule_generate(&settings, &schedule, &err) == PERSEUS_OK, "%s", err.message);
	const bool is_explicit = strcmp(settings.name, "dualpipe") == 0;
	const struct perseus_order order = {
		.name = schedule->name,
		.n_ranks = schedule->n_ranks,
		.rank_begin = schedule->rank_begin,
		.instructions = schedule->instructions,
		.extra_edges = is_explicit ? schedule->edges : NULL,
		.n_extra_edges = is_explicit ? schedule->n_edges : 0,
		.explicit_edges_only = is_explicit,
	};
	ck_assert_msg(perseus_schedule_import(&order, &back, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_schedule_check(back, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(back->n_stages, schedule->n_stages);
	ck_assert_int_eq(back->n_microbatches, schedule->n_microbatches);
	ck_assert_int_eq(back->n_instructions, schedule->n_instructions);
	check_edges(back, schedule->edges, schedule->n_edges);
	for (int32_t i = 0; i < schedule->n_instructions; i++)
		ck_assert_str_eq(back->instructions[i].class_name, schedule->instructions[i].class_name);
	perseus_schedule_free(schedule);
	perseus_schedule_free(back);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("schedule_import");
	TCase *tcase = tcase_create("schedule_import");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, takes_good_orders, 0, sizeof good_orders / sizeof *good_orders);
	tcase_add_loop_test(tcase, refuses_bad_orders, 0, sizeof bad_orders / sizeof *bad_orders);
	tcase_add_loop_test(tcase, refuses_spoilt_orders, 0, sizeof spoil_messages / sizeof *spoil_messages);
	tcase_add_test(tcase, copies_names);
	tcase_add_test(tcase, merges_extra_edges);
	tcase_add_test(tcase, derives_nothing_with_explicit_edges);
	tcase_add_test(tcase, derives_recomputation_and_pairs);
	tcase_add_loop_test(tcase, takes_back_what_is_generated, 0, 11);
	return run_suite(suite);
}
