/*
 * Generated schedules: orders against the golden vectors and against orders written out, dependencies, shapes that are
 * refused, deadlocks, and that the checker notices tampering.
 */
#include "dag/dag.h"
#include "suite.h"

#include <perseus/schedule.h>

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 4096, ROW_BYTES = 8192, MAX_FIELDS = 32 };

static const struct perseus_schedule *
generate(struct perseus_schedule_settings settings)
{
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_schedule_generate(&settings, &schedule, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_schedule_check(schedule, &err) == PERSEUS_OK, "%s %d/%d/%d: %s", settings.name,
			settings.n_ranks, settings.stages_per_rank, settings.n_microbatches, err.message);
	return schedule;
}

static struct perseus_schedule_settings
shape(const char *name, int32_t n_ranks, int32_t stages_per_rank, int32_t n_microbatches)
{
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.name = name;
	settings.n_ranks = n_ranks;
	settings.stages_per_rank = stages_per_rank;
	settings.n_microbatches = n_microbatches;
	return settings;
}

static int64_t
makespan(const struct perseus_schedule *schedule, const int64_t cost[4])
{
	const size_t n = (size_t)schedule->n_instructions;
	int64_t *duration = calloc(n, sizeof *duration);
	int64_t *start = calloc(n, sizeof *start);
	ck_assert(duration && start);
	for (size_t i = 0; i < n; i++)
		for (int32_t p = 0; p < schedule->instructions[i].n_parts; p++)
			duration[i] += cost[schedule->instructions[i].part[p].kind];
	struct perseus__dag dag;
	ck_assert(
			perseus__dag_init(&dag, schedule->n_instructions, schedule->edges, schedule->n_edges, NULL) == PERSEUS_OK);
	ck_assert_int_eq(dag.n_ordered, dag.n_nodes);
	const int64_t span = perseus__dag_earliest(&dag, duration, NULL, start);
	perseus__dag_fini(&dag);
	free(duration);
	free(start);
	return span;
}

static uint64_t
fnv1a(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash;
}

static uint64_t
hash_of_rank(const struct perseus_schedule *schedule, int32_t rank)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
		char text[128];
		perseus_instruction_text(&schedule->instructions[i], text, sizeof text);
		if (i > schedule->rank_begin[rank])
			hash = fnv1a(hash, " ");
		hash = fnv1a(hash, text);
	}
	return hash;
}

/* Costs of forward, backward, input and weight gradient, in the order of the kinds. */
static const int64_t cost_vectors[3][4] = {{1, 2, 1, 1}, {2, 5, 3, 2}, {3, 7, 4, 3}};

static const char *const golden_names[][2] = {
	{"GPipe", "gpipe"},
	{"1F1B", "1f1b"},
	{"LoopedBFS", "looped-bfs"},
	{"Interleaved1F1B", "interleaved"},
	{"MegatronInterleaved", "interleaved"},
	{"ZBH1", "zb-h1"},
	{"ZBH2", "zb-h2"},
	{"InterleavedZeroBubble", "zb1p"},
	{"ZBVZeroBubble", "zbv"},
	{"DualPipeV", "dualpipev"},
};

static const char *
our_name(const char *theirs)
{
	for (size_t i = 0; i < sizeof golden_names / sizeof *golden_names; i++)
		if (strcmp(golden_names[i][0], theirs) == 0)
			return golden_names[i][1];
	ck_abort_msg("no schedule \"%s\"", theirs);
	return NULL;
}

static void
check_golden_row(char *fields[], int n_fields, bool with_group)
{
	struct perseus_schedule_settings settings = shape(our_name(fields[0]), (int32_t)strtol(fields[1], NULL, 10),
			(int32_t)strtol(fields[2], NULL, 10), (int32_t)strtol(fields[3], NULL, 10));
	settings.group_size = with_group ? (int32_t)strtol(fields[4], NULL, 10) : 0;
	const struct perseus_schedule *schedule = generate(settings);
	ck_assert_int_eq(schedule->n_instructions, strtol(fields[5], NULL, 10));
	for (int c = 0; c < 3; c++)
		ck_assert_msg(makespan(schedule, cost_vectors[c]) == strtol(fields[6 + c], NULL, 10), "%s P=%s V=%s M=%s: %s",
				fields[0], fields[1], fields[2], fields[3], fields[6 + c]);
	ck_assert_int_eq(n_fields, 9 + settings.n_ranks);
	for (int32_t rank = 0; rank < settings.n_ranks; rank++)
		ck_assert_msg(hash_of_rank(schedule, rank) == strtoull(fields[9 + rank], NULL, 16),
				"%s P=%s V=%s M=%s: order of rank %d", fields[0], fields[1], fields[2], fields[3], rank);
	perseus_schedule_free(schedule);
}

START_TEST(equals_the_golden_vectors)
{
	FILE *file = fopen(PERSEUS_TEST_DATA "/schedules/sched_golden.csv", "r");
	if (!file) {
		printf("# SKIP the golden vectors are not at hand\n");
		return;
	}
	char line[LINE_BYTES];
	int n_rows = 0;
	ck_assert(fgets(line, sizeof line, file));
	ck_assert_msg(strncmp(line, "schedule,P,V,M,group,n_instr,", 29) == 0, "header %s", line);
	while (fgets(line, sizeof line, file)) {
		char *fields[MAX_FIELDS], *rest = line;
		int n_fields = 0;
		line[strcspn(line, "\r\n")] = '\0';
		while (rest && n_fields < MAX_FIELDS)
			fields[n_fields++] = strsep(&rest, ",");
		/* PyTorch's group size is the one that we choose when none is given. */
		if (strcmp(fields[0], "MegatronInterleaved") != 0)
			check_golden_row(fields, n_fields, false);
		if (*fields[4])
			check_golden_row(fields, n_fields, true);
		n_rows++;
	}
	(void)fclose(file);
	ck_assert_int_eq(n_rows, 225);
}
END_TEST

static void
append(char row[ROW_BYTES], const char *text)
{
	const size_t length = strlen(row);
	(void)snprintf(row + length, ROW_BYTES - length, "%s", text);
}

/* "F0", "FB3" where forward and backward are fused, and F0' for DualPipe's second half of the microbatches. */
static void
add_short_part(char *row, const struct perseus_instruction *instruction, int32_t p, int32_t n_first)
{
	static const char letters[] = "FBIWR";
	const struct perseus_part *part = &instruction->part[p];
	const bool is_fused = strcmp(instruction->class_name, PERSEUS_FORWARD_BACKWARD_CLASS) == 0;
	const bool is_second = part->microbatch >= n_first;
	ck_assert_int_le(part->kind, PERSEUS_KIND_RECOMPUTE);
	const size_t length = strlen(row);
	(void)snprintf(row + length, ROW_BYTES - length, "%s%c%d%s", is_fused ? "F" : "", letters[part->kind],
			part->microbatch - (is_second ? n_first : 0), is_second ? "'" : "");
}

static void
check_short_row(const struct perseus_schedule *schedule, int32_t rank, int32_t n_first, const char *expected)
{
	char row[ROW_BYTES] = "";
	for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
		const struct perseus_instruction *instruction = &schedule->instructions[i];
		if (i > schedule->rank_begin[rank])
			append(row, " ");
		if (instruction->n_parts == 2)
			append(row, "(");
		add_short_part(row, instruction, 0, n_first);
		if (instruction->n_parts == 2) {
			append(row, ";");
			add_short_part(row, instruction, 1, n_first);
			append(row, ")");
		}
	}
	ck_assert_str_eq(row, expected);
}

static const struct {
	const char *name;
	int32_t n_first; /* microbatches of DualPipe's first direction */
	const char *rows[4];
} orders[] = {
	{"gpipe", 8,
		{"F0 F1 F2 F3 F4 F5 F6 F7 B0 B1 B2 B3 B4 B5 B6 B7", "F0 F1 F2 F3 F4 F5 F6 F7 B0 B1 B2 B3 B4 B5 B6 B7",
			"F0 F1 F2 F3 F4 F5 F6 F7 B0 B1 B2 B3 B4 B5 B6 B7", "F0 F1 F2 F3 F4 F5 F6 F7 B0 B1 B2 B3 B4 B5 B6 B7"}},
	{"1f1b", 8,
		{"F0 F1 F2 F3 B0 F4 B1 F5 B2 F6 B3 F7 B4 B5 B6 B7", "F0 F1 F2 B0 F3 B1 F4 B2 F5 B3 F6 B4 F7 B5 B6 B7",
			"F0 F1 B0 F2 B1 F3 B2 F4 B3 F5 B4 F6 B5 F7 B6 B7", "F0 B0 F1 B1 F2 B2 F3 B3 F4 B4 F5 B5 F6 B6 F7 B7"}},
	{"early-recompute-1f1b", 8,
		{"F0 F1 F2 F3 FB0 F4 FB1 F5 FB2 F6 FB3 F7 FB4 R5 B5 R6 B6 R7 B7",
			"F0 F1 F2 FB0 F3 FB1 F4 FB2 F5 FB3 F6 FB4 F7 FB5 R6 B6 R7 B7",
			"F0 F1 FB0 F2 FB1 F3 FB2 F4 FB3 F5 FB4 F6 FB5 F7 FB6 R7 B7",
			"F0 FB0 F1 FB1 F2 FB2 F3 FB3 F4 FB4 F5 FB5 F6 FB6 F7 FB7"}},
	{"zb-h1", 8,
		{"F0 F1 F2 F3 I0 W0 F4 I1 W1 F5 I2 W2 F6 I3 W3 F7 I4 W4 I5 W5 I6 W6 I7 W7",
			"F0 F1 F2 I0 F3 I1 W0 F4 I2 W1 F5 I3 W2 F6 I4 W3 F7 I5 W4 I6 W5 I7 W6 W7",
			"F0 F1 I0 F2 I1 F3 I2 W0 F4 I3 W1 F5 I4 W2 F6 I5 W3 F7 I6 W4 I7 W5 W6 W7",
			"F0 I0 F1 I1 F2 I2 F3 I3 W0 F4 I4 W1 F5 I5 W2 F6 I6 W3 F7 I7 W4 W5 W6 W7"}},
	{"zb-h2", 8,
		{"F0 F1 F2 F3 F4 F5 F6 I0 W0 F7 I1 W1 I2 W2 I3 W3 I4 W4 I5 W5 I6 W6 I7 W7", NULL, NULL,
			"F0 I0 F1 I1 F2 I2 F3 I3 F4 I4 F5 I5 F6 I6 W0 F7 I7 W1 W2 W3 W4 W5 W6 W7"}},
	{"dualpipe", 4,
		{"F0 F1 F2 F0' I0' W0' F1' (F3;B1') (F2';B0) B2' (F3';B1) B3' I2 W2 I3 W3",
			"F0 F0' F1 F1' F2 B0' (F2';B0) (F3;B1') (F3';B1) B2' B2 I3' I3 W3' W3",
			"F0' F0 F1' F1 F2' B0 (F2;B0') (F3';B1) (F3;B1') B2 B2' I3 I3' W3 W3'",
			"F0' F1' F2' F0 I0 W0 F1 (F3';B1) (F2;B0') B2 (F3;B1') B3 I2' W2' I3' W3'"}},
};

START_TEST(equals_the_orders_written_out)
{
	const struct perseus_schedule *schedule = generate(shape(orders[_i].name, 4, 0, 8));
	ck_assert_str_eq(schedule->name, orders[_i].name);
	ck_assert_int_eq(schedule->n_stages, 4);
	ck_assert_int_eq(schedule->n_microbatches, 8);
	for (int32_t rank = 0; rank < 4; rank++)
		if (orders[_i].rows[rank])
			check_short_row(schedule, rank, orders[_i].n_first, orders[_i].rows[rank]);
	perseus_schedule_free(schedule);
}
END_TEST

static const struct {
	const char *name;
	int32_t rank;
	const char *row; /* PyTorch's spelling; P=4, V=2, M=8 */
} long_orders[] = {
	{"looped-bfs", 3,
		"3F0 3F1 3F2 3F3 3F4 3F5 3F6 3F7 7F0 7F1 7F2 7F3 7F4 7F5 7F6 7F7 7B7 7B6 7B5 7B4 7B3 7B2 7B1 7B0 3B7 3B6 "
		"3B5 3B4 3B3 3B2 3B1 3B0"},
	{"interleaved", 0,
		"0F0 0F1 0F2 0F3 4F0 4F1 4F2 4F3 0F4 0F5 0F6 4B0 0F7 4B1 4F4 4B2 4F5 4B3 4F6 0B0 4F7 0B1 0B2 0B3 4B4 4B5 "
		"4B6 4B7 0B4 0B5 0B6 0B7"},
	{"zb1p", 3,
		"3F0 3F1 3F2 3F3 7F0 7I0 7F1 7I1 7F2 7I2 7F3 7I3 7W0 3F4 3I0 7W1 3F5 3I1 7W2 3F6 3I2 7W3 3F7 3I3 3W0 7F4 "
		"7I4 3W1 7F5 7I5 3W2 7F6 7I6 3W3 7F7 7I7 7W4 3I4 7W5 3I5 7W6 3I6 7W7 3I7 3W4 3W5 3W6 3W7"},
	{"zbv", 2,
		"2F0 2F1 2F2 5F0 2F3 5F1 2F4 5F2 5I0 5W0 5F3 5I1 5W1 2F5 2I0 2W0 5F4 5I2 5W2 2F6 2I1 2W1 5F5 5I3 5W3 2F7 "
		"2I2 2W2 5F6 5I4 5W4 2I3 2W3 5F7 5I5 5W5 2I4 5I6 2I5 5I7 2I6 2W4 2I7 2W5 5W6 5W7 2W6 2W7"},
	{"dualpipev", 2,
		"2F0 2F1 2F2 5F0 2F3 5F1 2F4 5F2 5I0 5W0 5F3 (2F5;5B1)OVERLAP_F_B (5F4;2B0)OVERLAP_F_B "
		"(2F6;5B2)OVERLAP_F_B (5F5;2B1)OVERLAP_F_B (2F7;5B3)OVERLAP_F_B (5F6;2B2)OVERLAP_F_B 5B4 "
		"(5F7;2B3)OVERLAP_F_B 5B5 2B4 5B6 2I5 5I7 2I6 2W5 2I7 5W7 2W6 2W7"},
};

START_TEST(equals_the_orders_of_many_stages)
{
	const struct perseus_schedule *schedule = generate(shape(long_orders[_i].name, 4, 2, 8));
	const int32_t rank = long_orders[_i].rank;
	char row[ROW_BYTES] = "";
	for (int32_t i = schedule->rank_begin[rank]; i < schedule->rank_begin[rank + 1]; i++) {
		char text[128];
		perseus_instruction_text(&schedule->instructions[i], text, sizeof text);
		if (i > schedule->rank_begin[rank])
			append(row, " ");
		append(row, text);
	}
	ck_assert_str_eq(row, long_orders[_i].row);
	ck_assert_int_eq(schedule->n_stages, 8);
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

/* 0F0 0F1 0B0 0B1 | 1F0 1B0 1F1 1B1 */
START_TEST(derives_the_edges_of_1f1b)
{
	static const struct perseus_edge expected[] = {{0, 1, false}, {0, 4, true}, {1, 2, false}, {1, 6, true},
		{2, 3, false}, {4, 5, false}, {5, 2, true}, {5, 6, false}, {6, 7, false}, {7, 3, true}};
	const struct perseus_schedule *schedule = generate(shape("1f1b", 2, 1, 2));
	check_edges(schedule, expected, sizeof expected / sizeof *expected);
	perseus_schedule_free(schedule);
}
END_TEST

/* 0DATA_LOAD0 0F0 0B0 0REDUCE_GRAD OPTIMIZER_STEP | 1F0 1B0 1REDUCE_GRAD OPTIMIZER_STEP; then without reductions */
START_TEST(derives_the_edges_of_constant_instructions)
{
	static const struct perseus_edge with_reduce[] = {{0, 1, false}, {1, 2, false}, {1, 5, true}, {2, 3, false},
		{3, 4, false}, {3, 8, false}, {5, 6, false}, {6, 2, true}, {6, 7, false}, {7, 4, false}, {7, 8, false}};
	static const struct perseus_edge without[] = {{0, 1, false}, {1, 2, false}, {1, 4, true}, {2, 3, false},
		{2, 6, false}, {4, 5, false}, {5, 2, true}, {5, 3, false}, {5, 6, false}};
	struct perseus_schedule_settings settings = shape("1f1b", 2, 1, 1);
	settings.data_load = true;
	settings.grad_reduce = true;
	settings.optimizer_step = true;
	const struct perseus_schedule *schedule = generate(settings);
	check_edges(schedule, with_reduce, sizeof with_reduce / sizeof *with_reduce);
	perseus_schedule_free(schedule);
	settings.grad_reduce = false;
	schedule = generate(settings);
	check_edges(schedule, without, sizeof without / sizeof *without);
	perseus_schedule_free(schedule);
}
END_TEST

static int32_t
count_kind(const struct perseus_schedule *schedule, enum perseus_kind kind)
{
	int32_t n = 0;
	for (int32_t i = 0; i < schedule->n_instructions; i++)
		n += schedule->instructions[i].kind == kind;
	return n;
}

/* Every family with all constant instructions: how many there are, and where they stand. */
START_TEST(adds_constant_instructions)
{
	const char *name = perseus_schedule_names()[_i];
	struct perseus_schedule_settings settings = shape(name, 4, 0, 8);
	const struct perseus_schedule *bare = generate(settings);
	settings.data_load = settings.grad_reduce = settings.optimizer_step = true;
	const struct perseus_schedule *schedule = generate(settings);
	const int32_t n_reductions = strcmp(name, "dualpipe") == 0 ? 2 * schedule->n_stages : schedule->n_stages;
	ck_assert_int_eq(count_kind(schedule, PERSEUS_KIND_DATA_LOAD), 8);
	ck_assert_int_eq(count_kind(schedule, PERSEUS_KIND_GRAD_REDUCE), n_reductions);
	ck_assert_int_eq(count_kind(schedule, PERSEUS_KIND_OPTIMIZER_STEP), 4);
	ck_assert_int_eq(schedule->n_instructions, bare->n_instructions + 8 + n_reductions + 4);
	for (int32_t i = 0; i < schedule->n_instructions; i++) {
		const struct perseus_instruction *instruction = &schedule->instructions[i];
		if (instruction->kind == PERSEUS_KIND_DATA_LOAD)
			ck_assert_int_eq(instruction->microbatch, schedule->instructions[i + 1].microbatch);
		if (instruction->kind == PERSEUS_KIND_OPTIMIZER_STEP) {
			ck_assert_int_eq(i + 1, schedule->rank_begin[instruction->rank + 1]);
			ck_assert_int_eq(instruction->stage, instruction->rank);
			ck_assert_int_eq(instruction->microbatch, -1);
		}
		ck_assert_str_eq(instruction->class_name,
				instruction->class_name[0] == 'f' && instruction->kind == PERSEUS_KIND_BACKWARD
						? PERSEUS_FORWARD_BACKWARD_CLASS
						: perseus_kind_name(instruction->kind));
	}
	perseus_schedule_free(bare);
	perseus_schedule_free(schedule);
}
END_TEST

/* What EnvPipe does: more forwards ahead of the first backward. */
START_TEST(takes_extra_warmup)
{
	static const int32_t extra[] = {2, 1, 0, 0};
	struct perseus_schedule_settings settings = shape("1f1b", 4, 1, 8);
	settings.extra_warmup = extra;
	const struct perseus_schedule *schedule = generate(settings);
	check_short_row(schedule, 0, 8, "F0 F1 F2 F3 F4 F5 B0 F6 B1 F7 B2 B3 B4 B5 B6 B7");
	check_short_row(schedule, 1, 8, "F0 F1 F2 F3 B0 F4 B1 F5 B2 F6 B3 F7 B4 B5 B6 B7");
	check_short_row(schedule, 3, 8, "F0 B0 F1 B1 F2 B2 F3 B3 F4 B4 F5 B5 F6 B6 F7 B7");
	perseus_schedule_free(schedule);
}
END_TEST

/* PyTorch wants M >= P of 1F1B; nothing breaks where there are fewer. */
START_TEST(takes_odd_shapes)
{
	static const struct {
		const char *name;
		int32_t n_ranks, stages_per_rank, n_microbatches, group_size;
		enum perseus_layout layout;
	} shapes[] = {
		{"1f1b", 8, 1, 2, 0, PERSEUS_LAYOUT_DEFAULT},
		{"early-recompute-1f1b", 8, 1, 3, 0, PERSEUS_LAYOUT_DEFAULT},
		{"zb-h1", 7, 1, 11, 0, PERSEUS_LAYOUT_LOOP},
		{"zb-h2", 7, 1, 3, 0, PERSEUS_LAYOUT_DEFAULT},
		{"zbv", 5, 2, 2, 0, PERSEUS_LAYOUT_V},
		{"interleaved", 2, 2, 5, 3, PERSEUS_LAYOUT_DEFAULT},
		{"interleaved", 4, 2, 12, 6, PERSEUS_LAYOUT_DEFAULT},
		{"interleaved", 4, 3, 3, 0, PERSEUS_LAYOUT_DEFAULT},
		{"looped-bfs", 4, 2, 6, 0, PERSEUS_LAYOUT_V},
		{"dualpipe", 2, 1, 4, 0, PERSEUS_LAYOUT_DEFAULT},
		{"dualpipe", 8, 1, 20, 0, PERSEUS_LAYOUT_DEFAULT},
	};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct perseus_schedule_settings settings =
				shape(shapes[i].name, shapes[i].n_ranks, shapes[i].stages_per_rank, shapes[i].n_microbatches);
		settings.group_size = shapes[i].group_size;
		settings.layout = shapes[i].layout;
		perseus_schedule_free(generate(settings));
	}
}
END_TEST

static const int32_t negative_warmup[] = {0, -1};
static const int32_t no_warmup[] = {0, 0};

static const struct {
	struct perseus_schedule_settings settings;
	const char *message;
} bad_shapes[] = {
	{{.name = "2f2b", .n_ranks = 1, .n_microbatches = 1},
		"unknown schedule \"2f2b\": expected one of gpipe, 1f1b, looped-bfs, interleaved, zb-h1, zb-h2, zb1p, zbv, "
		"dualpipev, dualpipe, early-recompute-1f1b"},
	{{.name = "1f1b", .n_ranks = 0, .n_microbatches = 1}, "schedule 1f1b: 0 ranks: expected 1 to 4096"},
	{{.name = "1f1b", .n_ranks = 4097, .n_microbatches = 1}, "schedule 1f1b: 4097 ranks: expected 1 to 4096"},
	{{.name = "1f1b", .n_ranks = 2, .n_microbatches = 0}, "schedule 1f1b: 0 microbatches: expected 1 to 1000000"},
	{{.name = "1f1b", .n_ranks = 2, .n_microbatches = INT32_MAX},
		"schedule 1f1b: 2147483647 microbatches: expected 1 to 1000000"},
	{{.name = "1f1b", .n_ranks = 64, .n_microbatches = 1000000},
		"schedule 1f1b: 64 ranks with 1 stage each and 1000000 microbatches make up to 128000000 instructions: "
		"expected 16777216 at most"},
	{{.name = "1f1b", .n_ranks = 2, .n_microbatches = 2, .stages_per_rank = 2},
		"schedule 1f1b: 2 stages per rank: it has 1"},
	{{.name = "dualpipe", .n_ranks = 2, .n_microbatches = 4, .stages_per_rank = 2},
		"schedule dualpipe: 2 stages per rank: it has 1 in each direction"},
	{{.name = "zbv", .n_ranks = 2, .n_microbatches = 2, .stages_per_rank = 1},
		"schedule zbv: 1 stages per rank: it has 2"},
	{{.name = "interleaved", .n_ranks = 2, .n_microbatches = 2, .stages_per_rank = -1},
		"schedule interleaved: -1 stages per rank, groups of 0: neither may be negative"},
	{{.name = "interleaved", .n_ranks = 4096, .n_microbatches = 4096, .stages_per_rank = INT32_MAX},
		"schedule interleaved: 4096 ranks with 2147483647 stages each: expected 65536 stages at most"},
	{{.name = "zbv", .n_ranks = 2, .n_microbatches = 2, .layout = PERSEUS_LAYOUT_LOOP},
		"schedule zbv: loop layout: it is defined for the V layout"},
	{{.name = "interleaved", .n_ranks = 2, .n_microbatches = 2, .stages_per_rank = 3, .layout = PERSEUS_LAYOUT_V},
		"schedule interleaved: V layout with 3 stages per rank: it needs 2"},
	{{.name = "gpipe", .n_ranks = 2, .n_microbatches = 2, .layout = PERSEUS_LAYOUT_V},
		"schedule gpipe: V layout with 1 stage per rank: it needs 2"},
	{{.name = "gpipe", .n_ranks = 2, .n_microbatches = 2, .group_size = 2},
		"schedule gpipe: a group size of 2: it has no groups of microbatches"},
	{{.name = "interleaved", .n_ranks = 4, .n_microbatches = 9, .stages_per_rank = 2},
		"schedule interleaved: 9 microbatches on 4 ranks: they do not split into 2 equal groups; give a group size"},
	{{.name = "interleaved", .n_ranks = 4, .n_microbatches = 8, .stages_per_rank = 2, .group_size = 3},
		"schedule interleaved: a group size of 3: expected 4 (ranks) to 8 (microbatches)"},
	{{.name = "interleaved", .n_ranks = 4, .n_microbatches = 8, .stages_per_rank = 2, .group_size = 9},
		"schedule interleaved: a group size of 9: expected 4 (ranks) to 8 (microbatches)"},
	{{.name = "interleaved", .n_ranks = 4, .n_microbatches = 8, .stages_per_rank = 2, .group_size = 5},
		"schedule interleaved: groups of 5 leave a last one of 3 microbatches: it needs 4 (ranks) at least"},
	{{.name = "dualpipev", .n_ranks = 4, .n_microbatches = 7},
		"schedule dualpipev: 7 microbatches on 4 ranks: it needs 8 (twice the ranks) at least"},
	{{.name = "dualpipe", .n_ranks = 3, .n_microbatches = 8},
		"schedule dualpipe: 8 microbatches on 3 ranks: it needs an even number of ranks and an even number of "
		"microbatches, at least twice the ranks"},
	{{.name = "dualpipe", .n_ranks = 4, .n_microbatches = 6},
		"schedule dualpipe: 6 microbatches on 4 ranks: it needs an even number of ranks and an even number of "
		"microbatches, at least twice the ranks"},
	{{.name = "gpipe", .n_ranks = 2, .n_microbatches = 2, .extra_warmup = no_warmup},
		"schedule gpipe: extra warm-up: only 1f1b takes it"},
	{{.name = "1f1b", .n_ranks = 2, .n_microbatches = 2, .extra_warmup = negative_warmup},
		"schedule 1f1b: extra warm-up of rank 1 is -1: expected 0 or more"},
};

START_TEST(refuses_bad_shapes)
{
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_schedule_generate(&bad_shapes[_i].settings, &schedule, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_shapes[_i].message);
	ck_assert_ptr_null(schedule);
	ck_assert_int_eq(perseus_schedule_generate(&bad_shapes[_i].settings, &schedule, NULL), PERSEUS_INVALID);
}
END_TEST

/* Rank 2 wants six forwards before its first backward, but rank 1 has sent three when it waits for that. */
START_TEST(names_the_blocked_heads_of_a_deadlock)
{
	static const int32_t extra[] = {0, 0, 3, 0};
	struct perseus_schedule_settings settings = shape("1f1b", 4, 1, 8);
	settings.extra_warmup = extra;
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_schedule_generate(&settings, &schedule, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message,
			"schedule 1f1b deadlocks: rank 0: 0B0 waits for 1B0; rank 1: 1B0 waits for 2B0; "
			"rank 2: 2F3 waits for 1F3; rank 3: 3F3 waits for 2F3");
}
END_TEST

START_TEST(shortens_the_message_of_a_wide_deadlock)
{
	enum { N_RANKS = 300 };
	int32_t extra[N_RANKS] = {0};
	extra[N_RANKS - 1] = 5;
	struct perseus_schedule_settings settings = shape("1f1b", N_RANKS, 1, 400);
	settings.extra_warmup = extra;
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_schedule_generate(&settings, &schedule, &err), PERSEUS_INVALID);
	const char *begin = "schedule 1f1b deadlocks: rank 0: 0B0 waits for 1B0; rank 1: 1B0 waits for 2B0; ";
	ck_assert_msg(strncmp(err.message, begin, strlen(begin)) == 0, "%s", err.message);
	const char *tail = strstr(err.message, "; and ");
	ck_assert_msg(tail != NULL, "%s", err.message);
	int heads = 0;
	for (const char *at = err.message; (at = strstr(at, " waits for ")); at++)
		heads++;
	char expected[64];
	(void)snprintf(expected, sizeof expected, "; and %d more ranks", N_RANKS - heads);
	ck_assert_str_eq(tail, expected);
}
END_TEST

/* A step of every rank waits for all ranks: 256 · 256 edges, and nothing worse. */
START_TEST(takes_large_schedules)
{
	struct perseus_schedule_settings settings = shape("1f1b", 256, 1, 512);
	settings.optimizer_step = true;
	const struct perseus_schedule *schedule = generate(settings);
	ck_assert_int_eq(schedule->n_instructions, 256 * 512 * 2 + 256);
	ck_assert_int_eq(schedule->n_edges, (256 * 1025 - 256) + 2 * 255 * 512 + 256 * 255);
	perseus_schedule_free(schedule);
	perseus_schedule_free(generate(shape("1f1b", 1, 1, 1000000)));
	perseus_schedule_free(generate(shape("zb-h1", 4096, 1, 16)));
}
END_TEST

START_TEST(writes_instructions)
{
	static const struct {
		struct perseus_instruction instruction;
		const char *text;
	} cases[] = {
		{{.part = {{PERSEUS_KIND_FORWARD, 0, 1}}, .n_parts = 1}, "0F1"},
		{{.part = {{PERSEUS_KIND_BACKWARD, 12, 34}}, .n_parts = 1}, "12B34"},
		{{.part = {{PERSEUS_KIND_INPUT, 2, 3}}, .n_parts = 1}, "2I3"},
		{{.part = {{PERSEUS_KIND_WEIGHT, 1, 0}}, .n_parts = 1}, "1W0"},
		{{.part = {{PERSEUS_KIND_RECOMPUTE, 3, 5}}, .n_parts = 1}, "3R5"},
		{{.part = {{PERSEUS_KIND_DATA_LOAD, 0, 2}}, .n_parts = 1}, "0DATA_LOAD2"},
		{{.part = {{PERSEUS_KIND_UNSHARD, 4, -1}}, .n_parts = 1}, "4UNSHARD"},
		{{.part = {{PERSEUS_KIND_RESHARD, 4, -1}}, .n_parts = 1}, "4RESHARD"},
		{{.part = {{PERSEUS_KIND_GRAD_REDUCE, 4, -1}}, .n_parts = 1}, "4REDUCE_GRAD"},
		{{.part = {{PERSEUS_KIND_OPTIMIZER_STEP, 4, -1}}, .n_parts = 1}, "OPTIMIZER_STEP"},
		{{.part = {{PERSEUS_KIND_OTHER, 4, 2}}, .n_parts = 1}, "4OTHER2"},
		{{.kind = PERSEUS_KIND_OVERLAP,
			 .part = {{PERSEUS_KIND_FORWARD, 0, 7}, {PERSEUS_KIND_BACKWARD, 7, 3}},
			 .n_parts = 2},
			"(0F7;7B3)OVERLAP_F_B"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[64], cut[4] = "xxx";
		perseus_instruction_text(&cases[i].instruction, text, sizeof text);
		ck_assert_str_eq(text, cases[i].text);
		perseus_instruction_text(&cases[i].instruction, cut, sizeof cut);
		ck_assert(strlen(cut) == 3 && strncmp(cut, text, 3) == 0);
	}
}
END_TEST

/* A schedule that may be changed; everything else is shared with the real one. */
struct tampered {
	struct perseus_schedule view;
	struct perseus_instruction *instructions;
	struct perseus_edge *edges;
};

static void
drop_edge(struct tampered *t, int32_t from, int32_t to)
{
	int32_t kept = 0;
	for (int32_t e = 0; e < t->view.n_edges; e++)
		if (t->edges[e].from != from || t->edges[e].to != to)
			t->edges[kept++] = t->edges[e];
	ck_assert_int_eq(kept, t->view.n_edges - 1);
	t->view.n_edges = kept;
}

/* Of 1f1b with P=2, M=2: 0F0 0F1 0B0 0B1 | 1F0 1B0 1F1 1B1, edges as in derives_the_edges_of_1f1b. */
static void
tamper(struct tampered *t, int how)
{
	switch (how) {
	case 0:
		drop_edge(t, 0, 4);
		return;
	case 1:
		drop_edge(t, 1, 2);
		return;
	case 2:
		t->edges[1].is_transfer = false;
		return;
	case 3:
		t->edges[0].is_transfer = true;
		return;
	case 4:
		t->edges[2] = t->edges[1];
		return;
	case 5:
		t->edges[0].to = 8;
		return;
	case 6:
		t->instructions[5].rank = 0;
		return;
	case 7:
		t->instructions[5].part[0].microbatch = 2;
		t->instructions[5].microbatch = 2;
		return;
	case 8:
		t->instructions[5].stage = 0;
		return;
	case 9:
		t->instructions[1].microbatch = 0;
		t->instructions[1].part[0].microbatch = 0;
		return;
	case 10:
		t->instructions[0].class_name = "";
		return;
	case 11:
		t->instructions[0].n_parts = 2;
		return;
	case 12:
		t->edges[1] = (struct perseus_edge){0, 7, true};
		return;
	case 13:
		t->view.n_stages = 3;
		return;
	case 14:
		t->view.n_microbatches = 3;
		return;
	case 15:
		t->edges[9] = (struct perseus_edge){7, 1, true};
		return;
	default:
		ck_abort();
	}
}

static const char *const tamper_messages[] = {
	"instruction 4 (1F0) does not wait for 0F0",
	"5 edges make up the order within ranks: expected 6",
	"instruction 4 (1F0) does not wait for 0F0 by a transfer",
	"edge 0 is a transfer within rank 0",
	"edge 2 is not behind the one before it",
	"edge 0 leads from 0 to 8",
	"instruction 5 of rank 1 lies on another rank than it says",
	"instruction 5 of rank 1 has a microbatch out of range",
	"instruction 5 of rank 1 differs from its first part",
	"instructions 0 and 1 are the same",
	"instruction 0 of rank 0 has no class",
	"instruction 0 of rank 0 has a wrong number of parts",
	"instruction 4 (1F0) does not wait for 0F0",
	"stage 2 has no instruction",
	"4 forwards and 4 backwards: expected 6 of each",
	"5 of 8 instructions can never start",
};

START_TEST(the_checker_notices_tampering)
{
	const struct perseus_schedule *schedule = generate(shape("1f1b", 2, 1, 2));
	struct perseus_instruction instructions[8];
	struct perseus_edge edges[10];
	memcpy(instructions, schedule->instructions, sizeof instructions);
	memcpy(edges, schedule->edges, sizeof edges);
	struct tampered t = {*schedule, instructions, edges};
	t.view.instructions = instructions;
	t.view.edges = edges;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_schedule_check(&t.view, &err), PERSEUS_OK);
	tamper(&t, _i);
	ck_assert_int_eq(perseus_schedule_check(&t.view, &err), PERSEUS_INTERNAL);
	ck_assert_str_eq(err.message, tamper_messages[_i]);
	perseus_schedule_free(schedule);
}
END_TEST

START_TEST(names_are_those_that_can_be_generated)
{
	const char *const *names = perseus_schedule_names();
	int n = 0;
	for (; names[n]; n++)
		perseus_schedule_free(generate(shape(names[n], 2, 0, 4)));
	ck_assert_int_eq(n, 11);
	ck_assert_str_eq(perseus_schedule_settings_default().name, "1f1b");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("schedule");
	TCase *tcase = tcase_create("schedule");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, equals_the_golden_vectors);
	tcase_add_loop_test(tcase, equals_the_orders_written_out, 0, sizeof orders / sizeof *orders);
	tcase_add_loop_test(tcase, equals_the_orders_of_many_stages, 0, sizeof long_orders / sizeof *long_orders);
	tcase_add_test(tcase, derives_the_edges_of_1f1b);
	tcase_add_test(tcase, derives_the_edges_of_constant_instructions);
	tcase_add_loop_test(tcase, adds_constant_instructions, 0, 11);
	tcase_add_test(tcase, takes_extra_warmup);
	tcase_add_test(tcase, takes_odd_shapes);
	tcase_add_loop_test(tcase, refuses_bad_shapes, 0, sizeof bad_shapes / sizeof *bad_shapes);
	tcase_add_test(tcase, names_the_blocked_heads_of_a_deadlock);
	tcase_add_test(tcase, shortens_the_message_of_a_wide_deadlock);
	tcase_add_test(tcase, takes_large_schedules);
	tcase_add_test(tcase, writes_instructions);
	tcase_add_loop_test(tcase, the_checker_notices_tampering, 0, sizeof tamper_messages / sizeof *tamper_messages);
	tcase_add_test(tcase, names_are_those_that_can_be_generated);
	return run_suite(suite);
}
