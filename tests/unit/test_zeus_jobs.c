/*
 * Life of a job of Zeus's: every row of what can go wrong, told as scripts. A step is a command and what came of it:
 * the outcome, then the polls that it answered, each with the list of clocks it got.
 */
#include "server/zeus_dump.h"
#include "server/zeus_jobs.h"
#include "server/zeus_merge.h"
#include "server/zeus_settings.h"
#include "suite.h"

#include "base/memory.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_STEPS = 40, MAX_POLLS = 26, TEXT_BYTES = 512 };

struct step {
	const char *command;
	const char *expected;
};

struct poll {
	struct perseus__zeus_poll poll;
	char name;
	bool is_gone;
};

struct world {
	struct perseus__zeus_jobs jobs;
	struct perseus__zeus_job *job;
	struct poll polls[MAX_POLLS];
	int64_t now_ns;
	char said[TEXT_BYTES];
};

/* The words of a command, between blanks. */
struct words {
	int n;
	char words[5][24];
};

static struct words
split(const char *text)
{
	struct words words = {0};
	while (*text) {
		const size_t length = strcspn(text, " ");
		ck_assert_int_lt(words.n, 5);
		(void)snprintf(words.words[words.n++], sizeof words.words[0], "%.*s", (int)length, text);
		text += length + strspn(text + length, " ");
	}
	return words;
}

static int32_t
number(const char *text)
{
	return (int32_t)strtol(text, NULL, 10);
}

static const char *
outcome_name(enum perseus__zeus_outcome outcome)
{
	switch (outcome) {
	case PERSEUS__ZEUS_DONE:
		return "done";
	case PERSEUS__ZEUS_PARKED:
		return "parked";
	case PERSEUS__ZEUS_UNKNOWN:
		return "unknown";
	case PERSEUS__ZEUS_CLASH:
		return "clash";
	case PERSEUS__ZEUS_OUTSIDE:
		return "outside";
	case PERSEUS__ZEUS_TOO_MANY:
		return "too many";
	case PERSEUS__ZEUS_FAILED:
		return "failed";
	case PERSEUS__ZEUS_UNAVAILABLE:
		return "unavailable";
	case PERSEUS__ZEUS_NO_MEMORY:
		return "no memory";
	}
	return "?";
}

static bool
is_poll_there(struct perseus__zeus_poll *poll)
{
	return !((struct poll *)poll)->is_gone;
}

static void
say(struct world *world, const char *text)
{
	const size_t length = strlen(world->said);
	(void)snprintf(world->said + length, TEXT_BYTES - length, "%s%s", length ? " " : "", text);
}

static void
say_answer(struct world *world, struct perseus__zeus_poll *poll)
{
	char text[64];
	const char name = ((struct poll *)poll)->name;
	ck_assert_ptr_null(poll->job);
	if (poll->outcome == PERSEUS__ZEUS_DONE)
		(void)snprintf(text, sizeof text, "%c:%d", name, poll->list);
	else
		(void)snprintf(text, sizeof text, "%c:%s", name, outcome_name(poll->outcome));
	say(world, text);
	perseus__zeus_plan_unref(poll->plan);
	poll->plan = NULL;
}

static int
compare_names(const void *a, const void *b)
{
	return (*(struct poll *const *)a)->name - (*(struct poll *const *)b)->name;
}

static void
say_ready(struct world *world, struct perseus__zeus_ready *ready)
{
	struct poll *answered[MAX_POLLS];
	size_t n = 0;
	for (struct perseus__zeus_poll *poll = ready->first; poll; poll = poll->next)
		answered[n++] = (struct poll *)poll;
	qsort(answered, n, sizeof *answered, compare_names);
	for (size_t i = 0; i < n; i++)
		say_answer(world, &answered[i]->poll);
}

static void
do_job(struct world *world, const char *arguments)
{
	const struct words words = split(arguments);
	struct perseus__zeus_job_info info = {
		.dp_degree = number(words.words[0]), .pp_degree = number(words.words[1]), .tp_degree = number(words.words[2])};
	info.world_size = info.dp_degree * info.pp_degree * info.tp_degree;
	say(world,
			outcome_name(perseus__zeus_jobs_add(&world->jobs, "j", &info,
					words.n > 3 ? PERSEUS__ZEUS_POINT_SOLUTION_3D : PERSEUS__ZEUS_POINT_SOLUTION, world->now_ns,
					&world->job)));
	say(world, world->job->id);
}

/* "RANK", "RANK/PP", "RANK begin", "RANK end", "RANK lose"; "RANK/PP other" has other clocks. */
static void
do_rank(struct world *world, const char *arguments)
{
	const struct words words = split(arguments);
	const char *what = words.words[1], *stage = strchr(words.words[0], '/');
	struct perseus__zeus_rank_info info = {.rank = number(words.words[0]), .pp_rank = stage ? number(stage + 1) : 0};
	const char *member = "";
	int32_t limit = 0;
	if (strcmp(what, "end") != 0 && strcmp(what, "lose") != 0) {
		struct perseus__text text = perseus__text_init(256);
		perseus__zeus_encode_rank(&text, &info);
		if (strcmp(what, "other") == 0)
			perseus__text_addf(&text, " ");
		const enum perseus__zeus_outcome outcome =
				perseus__zeus_begin_rank(world->job, &info, &text.bytes, &member, &limit);
		ck_assert_int_eq(text.bytes == NULL, outcome == PERSEUS__ZEUS_DONE);
		perseus__free(text.bytes);
		say(world, outcome_name(outcome));
		if (outcome == PERSEUS__ZEUS_OUTSIDE) {
			char where[64];
			(void)snprintf(where, sizeof where, "%s<%d", member, limit);
			say(world, where);
		}
		if (outcome != PERSEUS__ZEUS_DONE || strcmp(what, "begin") == 0)
			return;
	}
	if (perseus__zeus_end_rank(world->job, info.rank, strcmp(what, "lose") != 0, world->now_ns))
		say(world, "starts");
}

static void
do_start(struct world *world, const char *arguments)
{
	struct perseus__zeus_ready ready = {0};
	struct perseus__zeus_plan *plan;
	struct perseus__text text = perseus__text_init(65536);
	const int32_t n = perseus__zeus_n_lists(world->job);
	perseus__text_addf(&text, "[");
	for (int32_t i = 0; i < n; i++)
		perseus__text_addf(&text, "[('forward', %d)],", 1000 + i);
	perseus__text_addf(&text, "]");
	ck_assert_int_eq(*arguments ? perseus__zeus_plan_fail(arguments, &plan, NULL)
								: perseus__zeus_plan_parse("s.py", text.bytes, text.length, n, &plan, NULL),
			PERSEUS_OK);
	perseus__text_fini(&text);
	perseus__zeus_start(world->job, plan, world->now_ns, &ready);
	say_ready(world, &ready);
}

static void
do_ask(struct world *world, const char *arguments, bool waits)
{
	struct perseus__zeus_ready ready = {0};
	const struct words words = split(arguments);
	const int32_t rank = number(words.words[0]);
	const char name = words.words[1][0];
	struct poll *poll = &world->polls[name - 'a'];
	ck_assert_ptr_null(poll->poll.job);
	*poll = (struct poll){.poll = {.rank = rank, .is_there = is_poll_there}, .name = name};
	const enum perseus__zeus_outcome outcome = perseus__zeus_ask(world->job, &poll->poll, waits, world->now_ns, &ready);
	if (outcome == PERSEUS__ZEUS_DONE || outcome == PERSEUS__ZEUS_FAILED)
		say_answer(world, &poll->poll);
	else
		say(world, outcome_name(outcome));
	say_ready(world, &ready);
}

/* "RANK", "RANK begin", "RANK end", "RANK lose" */
static void
do_result(struct world *world, const char *arguments)
{
	struct perseus__zeus_ready ready = {0};
	struct perseus__zeus_round over = {0};
	const struct words words = split(arguments);
	const int32_t rank = number(words.words[0]);
	const char *what = words.words[1];
	if (strcmp(what, "end") != 0 && strcmp(what, "lose") != 0) {
		struct perseus__zeus_result *result = perseus__new_array(1, sizeof *result);
		ck_assert_ptr_nonnull(result);
		result->rank = rank;
		const enum perseus__zeus_outcome outcome = perseus__zeus_begin_result(world->job, &result);
		ck_assert_int_eq(result == NULL, outcome == PERSEUS__ZEUS_DONE);
		perseus__free(result);
		say(world, outcome_name(outcome));
		if (outcome != PERSEUS__ZEUS_DONE || strcmp(what, "begin") == 0)
			return;
	}
	if (perseus__zeus_end_result(world->job, rank, strcmp(what, "lose") != 0, world->now_ns, &over, &ready)) {
		char text[32];
		(void)snprintf(text, sizeof text, "round %d over", (int)over.number);
		say(world, text);
		for (int32_t i = 0; i < over.n_ranks; i++)
			ck_assert_int_eq(over.results[i]->rank, i);
	}
	perseus__zeus_round_fini(&over);
	say_ready(world, &ready);
}

static void
do_end(struct world *world, enum perseus__zeus_outcome outcome)
{
	struct perseus__zeus_ready ready = {0};
	if (outcome == PERSEUS__ZEUS_UNKNOWN)
		perseus__zeus_jobs_remove(&world->jobs, world->job, outcome, &ready);
	else
		perseus__zeus_answer_all(world->job, outcome, &ready);
	say_ready(world, &ready);
}

static void
do_poll(struct world *world, const char *command)
{
	struct poll *poll = &world->polls[command[strlen(command) - 1] - 'a'];
	if (strncmp(command, "gone", 4) == 0)
		poll->is_gone = true;
	else
		say(world, perseus__zeus_forget(&poll->poll) ? "forgotten" : "answered");
}

static void
run(struct world *world, const char *command)
{
	world->now_ns++;
	*world->said = '\0';
	if (strncmp(command, "job ", 4) == 0)
		do_job(world, command + 4);
	else if (strncmp(command, "rank ", 5) == 0)
		do_rank(world, command + 5);
	else if (strncmp(command, "start", 5) == 0)
		do_start(world, command[5] ? command + 6 : "");
	else if (strncmp(command, "ask ", 4) == 0)
		do_ask(world, command + 4, true);
	else if (strncmp(command, "now ", 4) == 0)
		do_ask(world, command + 4, false);
	else if (strncmp(command, "result ", 7) == 0)
		do_result(world, command + 7);
	else if (strncmp(command, "resume ", 7) == 0)
		perseus__zeus_resume(world->job, number(split(command).words[1]), number(split(command).words[2]) != 0);
	else if (strcmp(command, "end") == 0)
		do_end(world, PERSEUS__ZEUS_UNAVAILABLE);
	else if (strcmp(command, "evict") == 0)
		do_end(world, PERSEUS__ZEUS_UNKNOWN);
	else
		do_poll(world, command);
}

#define TWO {"job 1 2 1", "done j"}, {"rank 0", "done"}, {"rank 1", "done starts"}, {"start", ""}

static const struct {
	const char *name;
	struct step steps[MAX_STEPS];
} scripts[] = {
	{"all ask, all are answered",
		{TWO, {"ask 1 a", "parked"}, {"ask 0 b", "parked a:1 b:0"}, {"forget a", "answered"}}},
	{"a schedule asked for before all are registered waits",
		{{"job 1 2 1", "done j"}, {"rank 0", "done"}, {"ask 0 a", "parked"}, {"ask 1 b", "parked"},
			{"rank 1", "done starts"}, {"start", "a:0 b:1"}}},
	{"the plan comes before the last one asks",
		{{"job 1 1 1", "done j"}, {"rank 0", "done starts"}, {"ask 0 a", "parked"}, {"start", "a:0"}}},
	{"ranks outside of the job",
		{{"job 1 2 1", "done j"}, {"rank 2", "outside rank<2"}, {"ask 2 a", "outside"}, {"rank 0/7", "done"},
			{"rank 1", "done starts"}, {"start", ""}, {"ask 2 a", "outside"}, {"result 2", "outside"}}},
	{"stages outside matter where stages do", {{"job 1 2 1 3D", "done j"}, {"rank 0/2", "outside pp_rank<2"}}},
	{"registered twice is registered once",
		{{"job 1 2 1", "done j"}, {"rank 0", "done"}, {"rank 0", "done"}, {"rank 0 other", "clash"},
			{"rank 1", "done starts"}, {"rank 1", "done"}, {"rank 1 other", "clash"}, {"start", ""}, {"rank 0", "done"},
			{"rank 0 other", "clash"}}},
	{"a registration that is not durable is none",
		{{"job 1 1 1", "done j"}, {"rank 0 begin", "done"}, {"rank 0 other", "clash"}, {"rank 0 lose", ""},
			{"rank 0 other", "done starts"}}},
	{"of two equal registrations under way one is enough",
		{{"job 1 1 1", "done j"}, {"rank 0 begin", "done"}, {"rank 0 begin", "done"}, {"rank 0 lose", ""},
			{"rank 0 end", "starts"}}},
	{"a lost one after a durable one changes nothing",
		{{"job 1 1 1", "done j"}, {"rank 0 begin", "done"}, {"rank 0 begin", "done"}, {"rank 0 end", "starts"},
			{"rank 0 lose", ""}, {"start", ""}, {"ask 0 a", "parked a:0"}}},
	{"who asks again waits for the next round",
		{TWO, {"ask 0 a", "parked"}, {"ask 1 b", "parked a:0 b:1"}, {"ask 0 a", "parked"}, {"ask 1 b", "parked"},
			{"result 0", "done"}, {"result 1", "done round 0 over a:0 b:1"}, {"result 1", "done"},
			{"result 0", "done round 1 over"}, {"ask 1 a", "parked"}, {"ask 0 b", "parked a:1 b:0"}}},
	{"a rank that sends twice counts once",
		{TWO, {"ask 0 a", "parked"}, {"ask 1 b", "parked a:0 b:1"}, {"result 0", "done"}, {"result 0", "clash"},
			{"result 1", "done round 0 over"}, {"result 0", "done"}}},
	{"a result that is not durable may come again",
		{TWO, {"ask 0 a", "parked"}, {"ask 1 b", "parked a:0 b:1"}, {"result 0", "done"}, {"result 1 begin", "done"},
			{"result 1", "clash"}, {"result 1 lose", ""}, {"result 1", "done round 0 over"}}},
	{"no result before there is a schedule",
		{{"job 1 1 1", "done j"}, {"result 0", "clash"}, {"rank 0", "done starts"}, {"result 0", "clash"},
			{"start", ""}, {"result 0", "done round 0 over"}}},
	{"a peer that went counts no more",
		{TWO, {"ask 0 a", "parked"}, {"forget a", "forgotten"}, {"ask 1 b", "parked"}, {"ask 0 c", "parked b:1 c:0"},
			{"forget a", "answered"}}},
	{"nor does one that nobody has missed yet",
		{TWO, {"ask 0 a", "parked"}, {"gone a", ""}, {"ask 1 b", "parked"}, {"ask 0 c", "parked a:0 b:1 c:0"}}},
	{"the others wait until the retry is there",
		{TWO, {"ask 0 a", "parked"}, {"gone a", ""}, {"ask 1 b", "parked"}, {"forget a", "forgotten"},
			{"ask 0 c", "parked b:1 c:0"}}},
	{"two polls of one rank are one",
		{TWO, {"ask 0 a", "parked"}, {"ask 0 b", "parked"}, {"forget a", "forgotten"}, {"ask 1 c", "parked b:0 c:1"}}},
	{"errors stick",
		{{"job 1 2 1", "done j"}, {"ask 0 a", "parked"}, {"rank 0", "done"}, {"rank 1", "done starts"},
			{"start no such file", "a:failed"}, {"ask 1 b", "b:failed"}, {"ask 1 b", "b:failed"},
			{"now 0 c", "c:failed"}, {"result 0", "failed"}, {"ask 0 a", "a:failed"}}},
	{"without waiting",
		{{"job 1 2 1", "done j"}, {"now 0 a", "clash"}, {"rank 0", "done"}, {"rank 1", "done starts"},
			{"now 0 a", "clash"}, {"start", ""}, {"now 0 a", "a:0"}, {"now 0 a", "a:0"}, {"now 2 a", "outside"},
			{"ask 1 b", "parked"}, {"now 1 c", "c:1"}, {"ask 0 d", "parked b:1 d:0"}, {"now 0 a", "a:0"}}},
	{"a restart gives a lost answer again, once",
		{TWO, {"resume 3 1", ""}, {"ask 0 a", "a:0"}, {"ask 0 a", "parked"}, {"result 0", "done"}, {"ask 1 b", "b:1"},
			{"result 1", "done round 3 over"}, {"ask 1 b", "parked a:0 b:1"}}},
	{"after a restart, who has sent its result waits for the next round",
		{TWO, {"resume 0 1", ""}, {"result 0", "done"}, {"ask 0 a", "parked"}, {"result 1", "done round 0 over"},
			{"ask 1 b", "parked a:0 b:1"}}},
	{"ranks get the clocks of their stage",
		{{"job 2 2 1 3D", "done j"}, {"rank 0/0", "done"}, {"rank 1/0", "done"}, {"rank 2/1", "done"},
			{"rank 3/1", "done starts"}, {"start", ""}, {"ask 0 a", "parked"}, {"ask 1 b", "parked"},
			{"ask 2 c", "parked"}, {"ask 3 d", "parked a:0 b:0 c:1 d:1"}}},
	{"whoever waits when the server ends is told",
		{TWO, {"ask 0 a", "parked"}, {"end", "a:unavailable"}, {"forget a", "answered"}, {"ask 0 a", "parked"},
			{"end", "a:unavailable"}}},
	{"and when the job is dropped", {TWO, {"ask 0 a", "parked"}, {"evict", "a:unknown"}}},
	{"ids are unique",
		{{"job 1 1 1", "done j"}, {"job 1 1 1", "done j+2"}, {"job 1 1 1", "done j+3"}, {"rank 0", "done starts"}}},
};

START_TEST(plays)
{
	struct world world = {.now_ns = 0};
	for (const struct step *step = scripts[_i].steps; step->command; step++) {
		run(&world, step->command);
		ck_assert_msg(strcmp(world.said, step->expected) == 0, "%s: %s: '%s', expected '%s'", scripts[_i].name,
				step->command, world.said, step->expected);
	}
	for (size_t i = 0; i < MAX_POLLS; i++)
		(void)perseus__zeus_forget(&world.polls[i].poll);
	perseus__zeus_jobs_fini(&world.jobs);
}
END_TEST

static const struct {
	const char *metadata;
	const char *id;
} ids[] = {
	{NULL, "2026-11-21-19-46-40+dp1+pp2+tp1+PointSolution"},
	{"", "2026-11-21-19-46-40+dp1+pp2+tp1+PointSolution"},
	{"e", "2026-11-21-19-46-40+dp1+pp2+tp1+PointSolution+e"},
	{"gpt 1.3b+x", "2026-11-21-19-46-40+dp1+pp2+tp1+PointSolution+gpt 1.3b+x"},
	{"../a/b\\c?d#e%2F", "2026-11-21-19-46-40+dp1+pp2+tp1+PointSolution+.._a_b_c_d_e_2F"},
	{"\xc3\xa9\n\x7f\xc2\x80\xff", "2026-11-21-19-46-40+dp1+pp2+tp1+PointSolution+\xc3\xa9_____"},
};

START_TEST(names_jobs)
{
	char id[PERSEUS__ZEUS_ID_BYTES];
	const struct tm local = {.tm_year = 126, .tm_mon = 10, .tm_mday = 21, .tm_hour = 19, .tm_min = 46, .tm_sec = 40};
	char metadata[64];
	(void)snprintf(metadata, sizeof metadata, "%s", ids[_i].metadata ? ids[_i].metadata : "");
	const struct perseus__zeus_job_info info = {2, 1, 1, 2, ids[_i].metadata ? metadata : NULL};
	perseus__zeus_make_id(id, &local, &info, PERSEUS__ZEUS_POINT_SOLUTION);
	ck_assert_str_eq(id, ids[_i].id);
}
END_TEST

/* However long the metadata, the id is a file name, and so it is with a suffix. */
START_TEST(cuts_long_names)
{
	char id[PERSEUS__ZEUS_ID_BYTES], metadata[1000];
	const struct tm local = {.tm_year = 126, .tm_mon = 10, .tm_mday = 21};
	for (size_t i = 0; i + 2 < sizeof metadata; i += 2)
		memcpy(metadata + i, "\xc3\xa9", 3);
	struct perseus__zeus_job_info info = {65536, 65536, 65536, 65536, metadata};
	perseus__zeus_make_id(id, &local, &info, PERSEUS__ZEUS_POINT_SOLUTION_3D);
	ck_assert_uint_lt(strlen(id), PERSEUS__ZEUS_ID_BYTES - 8);
	ck_assert_uint_gt(strlen(id), PERSEUS__ZEUS_ID_BYTES - 20);
	ck_assert_uint_eq((unsigned char)id[strlen(id) - 1], 0xa9);
	struct perseus__zeus_jobs jobs = {0};
	struct perseus__zeus_job *job;
	for (int i = 0; i < 12; i++) {
		struct perseus__zeus_job_info small = {1, 1, 1, 1, NULL};
		ck_assert_int_eq(
				perseus__zeus_jobs_add(&jobs, id, &small, PERSEUS__ZEUS_POINT_SOLUTION, 0, &job), PERSEUS__ZEUS_DONE);
		ck_assert_ptr_eq(perseus__zeus_jobs_find(&jobs, job->id), job);
	}
	perseus__zeus_jobs_fini(&jobs);
}
END_TEST

START_TEST(bounds_jobs)
{
	struct perseus__zeus_jobs jobs = {0};
	struct perseus__zeus_job *job, *last = NULL;
	struct perseus__zeus_ready ready = {0};
	int n = 0;
	for (;; n++) {
		struct perseus__zeus_job_info info = {65536, 1, 1, 65536, NULL};
		if (perseus__zeus_jobs_add(&jobs, "j", &info, PERSEUS__ZEUS_POINT_SOLUTION, 0, &job) != PERSEUS__ZEUS_DONE)
			break;
		last = job;
	}
	ck_assert_int_eq(n, PERSEUS__ZEUS_MAX_TOTAL_RANKS / 65536);
	perseus__zeus_jobs_remove(&jobs, last, PERSEUS__ZEUS_UNKNOWN, &ready);
	struct perseus__zeus_job_info info = {65536, 1, 1, 65536, NULL};
	ck_assert_int_eq(
			perseus__zeus_jobs_add(&jobs, "j", &info, PERSEUS__ZEUS_POINT_SOLUTION, 0, &job), PERSEUS__ZEUS_DONE);
	perseus__zeus_jobs_fini(&jobs);
}
END_TEST

/* Solution files: what is used, and what is said of the others. */
static const struct {
	const char *name, *text;
	int32_t n_lists;
	const char *failure; /* its end; NULL: none */
} files[] = {
	{"a.py", "[[('forward', 1410),],[('backward', 0)]] # total cost: 1", 2, NULL},
	{"a.json", "[[[\"forward\", 1410]], [[\"backward\", 0]]]", 2, NULL},
	{"a.txt", "[[('forward', 1410)]]", 1, "a.txt: the name of a solution file ends in .py or .json"},
	{"a.py", "[[('forward', 1410)]]", 2, "a.py has the clocks of 1 ranks, but the job has 2"},
	{"a.py", "__import__('os').abort()", 1,
		"a.py: line 1, column 1: expected the list of ranks, '[' or '(', found '_'"},
	{"a.py", NULL, 1, "No such file or directory"},
};

START_TEST(loads_solutions)
{
	char directory[] = "/tmp/perseus-zeus-XXXXXX", path[64];
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof path, "%s/%s", directory, files[_i].name);
	if (files[_i].text) {
		FILE *file = fopen(path, "w");
		ck_assert_ptr_nonnull(file);
		ck_assert_int_ge(fputs(files[_i].text, file), 0);
		ck_assert_int_eq(fclose(file), 0);
	}
	struct perseus__zeus_plan *plan;
	ck_assert_int_eq(perseus__zeus_plan_load(path, files[_i].n_lists, &plan, NULL), PERSEUS_OK);
	if (files[_i].failure) {
		ck_assert_ptr_null(plan->solution);
		const size_t length = strlen(plan->failure), n = strlen(files[_i].failure);
		ck_assert_uint_ge(length, n);
		ck_assert_str_eq(plan->failure + length - n, files[_i].failure);
	} else {
		struct perseus__text text = perseus__text_init(256);
		ck_assert_ptr_null(plan->failure);
		ck_assert_str_eq(plan->text, files[_i].text);
		perseus__zeus_plan_encode(&text, plan, 0, 7);
		ck_assert_str_eq(text.bytes, "{\"rank\": 7, \"frequencies\": [[\"forward\", 1410]]}");
		perseus__text_fini(&text);
	}
	perseus__zeus_plan_unref(plan);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

static struct perseus__zeus_result
result_of(const char *json)
{
	struct perseus__zeus_result result;
	struct perseus__zeus_refusal refusal;
	const struct perseus__zeus_body body = {json, strlen(json), NULL};
	ck_assert_int_eq(perseus__zeus_decode_result(&body, &result, &refusal), PERSEUS_OK);
	return result;
}

/* Worked by hand: times by the largest, energies by the sum, cut to the shortest. */
START_TEST(merges_the_ranks_of_a_stage)
{
	struct perseus__zeus_result results[] = {
		result_of("{\"rank\":2,\"iter_time\":[1,2,3],\"iter_energy\":[10,20],"
				  "\"time_breakdown\":{\"f\":[[1,5],[2]],\"only\":[]},\"energy_breakdown\":{\"f\":[[1,5],[2]]}}"),
		result_of("{\"rank\":3,\"iter_time\":[1.5,1],\"iter_energy\":[1,2,3],"
				  "\"time_breakdown\":{\"f\":[[4]]},\"energy_breakdown\":{\"f\":[[4,1],[3],[9]]}}"),
	};
	const struct perseus__zeus_result *const pointers[] = {&results[0], &results[1]};
	struct perseus__zeus_result merged;
	struct perseus__text text = perseus__text_init(1024);
	ck_assert_int_eq(perseus__zeus_merge(pointers, 2, 1, &merged, NULL), PERSEUS_OK);
	perseus__zeus_encode_result(&text, &merged);
	ck_assert_str_eq(text.bytes,
			"{\"rank\": 1, \"iter_time\": [1.5, 2.0], \"iter_energy\": [11.0, 22.0], "
			"\"time_breakdown\": {\"f\": [[4.0]]}, \"energy_breakdown\": {\"f\": [[5.0, 6.0], [5.0]]}}");
	perseus__text_fini(&text);
	perseus__zeus_result_fini(&merged);
	perseus__zeus_result_fini(&results[0]);
	perseus__zeus_result_fini(&results[1]);
}
END_TEST

static const struct {
	const char *environment[4];
	const char *spelled; /* or the error */
} environments[] = {
	{{"PATH=/bin"}, "PointSolution - ./dump 1 604800 -"},
	{{"ZEUS_PFO_SCHEDULER=PointSolution3D", "zeus_pfo_scheduler_args={\"solution_path\": \"a b.py\"}"},
		"PointSolution3D a b.py ./dump 1 604800 -"},
	{{"ZEUS_PFO_DUMP_DATA=no", "Zeus_Pfo_Dump_Dir=/var/dump", "ZEUS_PFO_LOG_LEVEL=info"},
		"PointSolution - /var/dump 0 604800 info"},
	{{"ZEUS_PFO_DUMP_DATA=TRUE", "ZEUS_PFO_MAX_JOB_IDLE_TIME= 60 ", "ZEUS_PFO_OTHER=x"},
		"PointSolution - ./dump 1 60 -"},
	{{"ZEUS_PFO_SCHEDULER=Other"}, "ZEUS_PFO_SCHEDULER: expected PointSolution or PointSolution3D, not \"Other\""},
	{{"ZEUS_PFO_SCHEDULER_ARGS={"}, "ZEUS_PFO_SCHEDULER_ARGS: column 2: "},
	{{"ZEUS_PFO_SCHEDULER_ARGS=[]"}, "ZEUS_PFO_SCHEDULER_ARGS: expected a JSON object"},
	{{"ZEUS_PFO_SCHEDULER_ARGS={}"}, "ZEUS_PFO_SCHEDULER_ARGS: expected {\"solution_path\": \"FILE.py\"}"},
	{{"ZEUS_PFO_SCHEDULER_ARGS={\"solution_path\": \"a.py\", \"x\": 1}"},
		"ZEUS_PFO_SCHEDULER_ARGS: the schedulers take no argument \"x\""},
	{{"ZEUS_PFO_DUMP_DATA=perhaps"}, "ZEUS_PFO_DUMP_DATA: expected true or false, not \"perhaps\""},
	{{"ZEUS_PFO_MAX_JOB_IDLE_TIME=1.5"}, "ZEUS_PFO_MAX_JOB_IDLE_TIME: expected a number of seconds, not \"1.5\""},
	{{"ZEUS_PFO_MAX_JOB_IDLE_TIME=-1"}, "ZEUS_PFO_MAX_JOB_IDLE_TIME: expected a number of seconds, not \"-1\""},
};

START_TEST(reads_the_environment)
{
	struct perseus__zeus_settings settings;
	struct perseus_error err = {.message = ""};
	char spelled[256], *environment[5] = {NULL}, copies[4][128];
	for (int i = 0; i < 4 && environments[_i].environment[i]; i++) {
		(void)snprintf(copies[i], sizeof copies[i], "%s", environments[_i].environment[i]);
		environment[i] = copies[i];
	}
	ck_assert_int_eq(perseus__zeus_settings_init(&settings, &err), PERSEUS_OK);
	if (perseus__zeus_settings_read(&settings, environment, &err) == PERSEUS_OK)
		(void)snprintf(spelled, sizeof spelled, "%s %s %s %d %lld %s", perseus__zeus_scheduler_name(settings.scheduler),
				settings.solution_path ? settings.solution_path : "-", settings.dump_dir, settings.has_dumps,
				(long long)settings.max_idle_s, settings.log_level ? settings.log_level : "-");
	else
		(void)snprintf(spelled, sizeof spelled, "%.*s", (int)strlen(environments[_i].spelled), err.message);
	ck_assert_str_eq(spelled, environments[_i].spelled);
	perseus__zeus_settings_fini(&settings);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("zeus_jobs");
	TCase *tcase = tcase_create("zeus_jobs");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, plays, 0, sizeof scripts / sizeof *scripts);
	tcase_add_loop_test(tcase, names_jobs, 0, sizeof ids / sizeof *ids);
	tcase_add_test(tcase, cuts_long_names);
	tcase_add_test(tcase, bounds_jobs);
	tcase_add_loop_test(tcase, loads_solutions, 0, sizeof files / sizeof *files);
	tcase_add_test(tcase, merges_the_ranks_of_a_stage);
	tcase_add_loop_test(tcase, reads_the_environment, 0, sizeof environments / sizeof *environments);
	return run_suite(suite);
}
