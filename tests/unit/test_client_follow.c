/* Following the order of instructions. */
#include "client/follow.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Events in words: "[" and "]" begin and end a step, "0F1" is an instruction that begins and ends, "+0F1" only begins,
 * "-" ends, "0F" leaves the microbatch to be counted, "!" before a word: events were lost before it.
 * What comes of them: "[" "]" as well ("]=" where the step matched, "]0" where it was empty), "0F@3" the begin of the
 * instruction at position 3 (or @?), "." its end, "*" after what broke the step, "N" a new order.
 */
struct run {
	struct perseus__follow follow;
	int64_t now_ns;
	int32_t n_steps;
	char out[1024];
};

static void
add(struct run *run, const char *text)
{
	const size_t length = strlen(run->out);
	(void)snprintf(run->out + length, sizeof run->out - length, "%s%s", length ? " " : "", text);
}

static void
note(struct run *run, const struct perseus__followed *followed)
{
	char text[64] = "";
	char at[16] = "?";
	switch (followed->what) {
	case PERSEUS__FOLLOWED_NOTHING:
		break;
	case PERSEUS__FOLLOWED_STEP_BEGIN:
		(void)snprintf(text, sizeof text, "[");
		break;
	case PERSEUS__FOLLOWED_BEGIN:
		if (followed->position >= 0)
			(void)snprintf(at, sizeof at, "%d", followed->position);
		(void)snprintf(text, sizeof text, "%d%c@%s", followed->stage,
				followed->kind == PERSEUS_KIND_OVERLAP ? 'O' : *perseus_kind_name(followed->kind) - 'a' + 'A', at);
		break;
	case PERSEUS__FOLLOWED_END:
		ck_assert_int_lt(followed->begin_ns, followed->at_ns);
		(void)snprintf(text, sizeof text, ".");
		break;
	case PERSEUS__FOLLOWED_STEP_END:
		(void)snprintf(text, sizeof text, "]%s", followed->is_matched ? "=" : followed->is_empty ? "0" : "");
		break;
	}
	char marked[sizeof text + 1];
	(void)snprintf(marked, sizeof marked, "%s%s", text, followed->breaks ? "*" : "");
	if (marked[0])
		add(run, marked);
}

static void
give(struct run *run, struct perseus__event event, bool is_after_loss)
{
	event.at_ns = ++run->now_ns;
	event.is_after_loss = is_after_loss;
	if (event.what == PERSEUS__EVENT_STEP_BEGIN)
		event.stage = run->n_steps++;
	const struct perseus__followed followed = perseus__follow_take(&run->follow, &event);
	note(run, &followed);
	if (run->follow.has_new_order) {
		perseus__follow_adopt(&run->follow);
		add(run, "N");
	}
}

static enum perseus_kind
kind_of(char letter)
{
	switch (letter) {
	case 'F':
		return PERSEUS_KIND_FORWARD;
	case 'B':
		return PERSEUS_KIND_BACKWARD;
	case 'O':
		return PERSEUS_KIND_OVERLAP;
	default:
		return PERSEUS_KIND_OPTIMIZER_STEP;
	}
}

static void
give_word(struct run *run, const char *word)
{
	const bool is_after_loss = *word == '!';
	word += is_after_loss;
	const bool is_open = *word == '+';
	word += is_open;
	if (*word == '[') {
		give(run, (struct perseus__event){.what = PERSEUS__EVENT_STEP_BEGIN}, is_after_loss);
	} else if (*word == ']') {
		give(run, (struct perseus__event){.what = PERSEUS__EVENT_STEP_END}, is_after_loss);
	} else if (*word == '-') {
		give(run, (struct perseus__event){.what = PERSEUS__EVENT_END}, is_after_loss);
	} else {
		char *rest = NULL;
		struct perseus__event event = {.what = PERSEUS__EVENT_BEGIN, .microbatch = -1};
		event.stage = (int32_t)strtol(word, &rest, 10);
		event.kind = (uint8_t)kind_of(*rest);
		if (rest[1])
			event.microbatch = (int32_t)strtol(rest + 1, NULL, 10);
		give(run, event, is_after_loss);
		if (!is_open)
			give(run, (struct perseus__event){.what = PERSEUS__EVENT_END}, false);
	}
}

static const struct {
	const char *order; /* "": to be seen */
	const char *events;
	const char *out;
} cases[] = {
	/* followed */
	{"0F0 0B0", "[ 0F0 0B0 ]", "[ 0F@0 . 0B@1 . ]="},
	{"0F0 0B0", "[ 0F0 0B0 ] [ 0F0 0B0 ]", "[ 0F@0 . 0B@1 . ]= [ 0F@0 . 0B@1 . ]="},
	{"0F0 0F1", "[ 0F 0F ]", "[ 0F@0 . 0F@1 . ]="},
	{"0F0 OPTIMIZER_STEP", "[ 0F0 5S ]", "[ 0F@0 . 0O@1 . ]="},
	/* nothing told: as an evaluation */
	{"0F0 0B0", "[ ] [ 0F0 0B0 ]", "[ ]0 [ 0F@0 . 0B@1 . ]="},
	/* what is told outside of steps is not looked at */
	{"0F0", "0F0 - ] [ 0F0 ] 0F7", "[ 0F@0 . ]="},
	/* ends without a begin */
	{"0F0", "[ - 0F0 - ]", "[ 0F@0 . ]="},
	/* pairs as one, and as their halves */
	{"0F0 (0F1;1B0)OVERLAP_F_B 1B1", "[ 0F0 0O1 1B1 ]", "[ 0F@0 . 0O@1 . 1B@2 . ]="},
	{"0F0 (0F1;1B0)OVERLAP_F_B 1B1", "[ 0F0 0F1 1B0 1B1 ]", "[ 0F@0 . 0O@1 . 1B@2 . ]="},
	{"(0F1;1B0)OVERLAP_F_B", "[ 1B0 0F1 ]", "[ 1B@?* . 0F@? . ]"},
	{"(0F1;1B0)OVERLAP_F_B", "[ 0F1 0O1 ]", "[ 0O@0 0O@?* . ]"},
	{"(0F1;1B0)OVERLAP_F_B", "[ 0F1 ]", "[ 0O@0 ]*"},
	/* broken: another instruction, too few, too many, one within another */
	{"0F0 0B0", "[ 0F0 0F1 0B0 ]", "[ 0F@0 . 0F@?* . 0B@? . ]"},
	{"0F0 0B0", "[ 0F0 ]", "[ 0F@0 . ]*"},
	{"0F0 0B0", "[ 0F0 0B0 0B1 ]", "[ 0F@0 . 0B@1 . 0B@?* . ]"},
	{"0F0 0B0", "[ +0F0 0B0 - ]", "[ 0F@0 0B@?* . ]"},
	{"0F0 0B0", "[ 0F0 +0B0 ]", "[ 0F@0 . 0B@1 ]*"},
	{"0F0 0B0", "[ 1F0 0B0 ] [ 0F0 0B0 ]", "[ 1F@?* . 0B@? . ] [ 0F@0 . 0B@1 . ]="},
	/* a step that never ended */
	{"0F0 0B0", "[ 0F0 [ 0F0 0B0 ]", "[ 0F@0 . [ 0F@0 . 0B@1 . ]="},
	/* lost events */
	{"0F0 0B0", "[ 0F0 !0B0 ] [ 0F0 0B0 ]", "[ 0F@0 . 0B@?* . ] [ 0F@0 . 0B@1 . ]="},
	{"0F0 0B0", "[ 0F0 ![ 0F0 0B0 ]", "[ 0F@0 . [* 0F@0 . 0B@1 . ]="},
	/* an order that is seen */
	{"", "[ ] [ 0F0 0B0 ] [ 0F0 0B0 ]", "[ ]0 [ 0F@? . 0B@? . ] N [ 0F@0 . 0B@1 . ]="},
	{"", "[ 0F 0F 0B 0B ] [ 0F0 0F1 0B0 0B1 ]", "[ 0F@? . 0F@? . 0B@? . 0B@? . ] N [ 0F@0 . 0F@1 . 0B@2 . 0B@3 . ]="},
	{"", "[ 0F0 !0B0 ] [ 0F0 0B0 ]", "[ 0F@? . 0B@? . ] [ 0F@? . 0B@? . ] N"},
	{"", "[ +0F0 0B0 ] [ 0F0 ]", "[ 0F@? 0B@? . ] [ 0F@? . ] N"},
	/* a new one after three alike */
	{"0F0", "[ 0B0 ] [ 0B0 ] [ 0B0 ] [ 0B0 ]", "[ 0B@?* . ] [ 0B@?* . ] [ 0B@?* . ] N [ 0B@0 . ]="},
	{"0F0", "[ 0B0 ] [ 0B0 ] [ 0F0 ] [ 0B0 ] [ 0B0 ]", "[ 0B@?* . ] [ 0B@?* . ] [ 0F@0 . ]= [ 0B@?* . ] [ 0B@?* . ]"},
	{"0F0", "[ 0B0 ] [ 0B0 ] [ 0B1 ] [ 0B1 ]", "[ 0B@?* . ] [ 0B@?* . ] [ 0B@?* . ] [ 0B@?* . ]"},
	{"0F0", "[ 0B0 ] [ ] [ 0B0 ] [ 0B0 ]", "[ 0B@?* . ] [ ]0 [ 0B@?* . ] [ 0B@?* . ] N"},
};

static void
split(const char *text, void (*take)(struct run *run, const char *word), struct run *run)
{
	char copy[256];
	(void)snprintf(copy, sizeof copy, "%s", text);
	char *state = NULL;
	for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
		take(run, word);
}

static void
take_order_word(struct run *run, const char *word)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__order_read(&run->follow.order, &word, 1, &err) == PERSEUS_OK, "%s", err.message);
}

START_TEST(follows)
{
	struct run run = {.follow = perseus__follow_init()};
	split(cases[_i].order, take_order_word, &run);
	split(cases[_i].events, give_word, &run);
	ck_assert_msg(strcmp(run.out, cases[_i].out) == 0, "%s\n  gives  %s\n  not    %s", cases[_i].events, run.out,
			cases[_i].out);
	perseus__follow_fini(&run.follow);
}
END_TEST

START_TEST(tells_what_differed)
{
	struct run run = {.follow = perseus__follow_init()};
	const struct perseus__mismatch *mismatch = &run.follow.mismatch;
	split("0F0 0B0", take_order_word, &run);
	split("[ 0F0 3F2 ]", give_word, &run);
	ck_assert_int_eq(mismatch->why, PERSEUS__MISMATCH_ORDER);
	ck_assert_int_eq(mismatch->position, 1);
	ck_assert(mismatch->has_wanted && mismatch->has_seen);
	ck_assert_int_eq(mismatch->wanted.kind, PERSEUS_KIND_BACKWARD);
	ck_assert_int_eq(mismatch->seen.stage, 3);
	split("[ 0F0 ]", give_word, &run);
	ck_assert(mismatch->has_wanted && !mismatch->has_seen);
	split("[ 0F0 0B0 0B0 ]", give_word, &run);
	ck_assert(!mismatch->has_wanted && mismatch->has_seen);
	split("[ 0F0 !0B0 ]", give_word, &run);
	ck_assert_int_eq(mismatch->why, PERSEUS__MISMATCH_LOSS);
	split("[ +0F0 0B0 ]", give_word, &run);
	ck_assert_int_eq(mismatch->why, PERSEUS__MISMATCH_NESTED);
	perseus__follow_fini(&run.follow);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client follow");
	TCase *tests = tcase_create("all");
	tcase_add_loop_test(tests, follows, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tests, tells_what_differed);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
