/* Every allocation of our own fails in turn, in the front and in what it reads; see torture.h. */
#include "failing_alloc.h"
#include "suite.h"
#include "torture.h"

#include "agent/front.h"
#include "agent/group.h"
#include "agent/stream.h"
#include "base/memory.h"
#include "service/jwt.h"
#include "sim_node.h"

#include <check.h>

static const struct perseus__front_settings settings = {
	.groups = 7, .writes_per_s = 10, .gpu_poll_hz = 1, .cpu_poll_hz = 1};
static const struct perseus__signing_key key = {(const unsigned char *)"key", 3};

static struct perseus_node *node;
static struct perseus__front *front;

static void
set_up(void)
{
	node = sim_node_open("sim:a100x2");
	ck_assert_int_eq(perseus__front_new(node, NULL, &settings, &front, NULL), PERSEUS_OK);
}

static void
tear_down(void)
{
	perseus__front_stop(front);
	perseus__front_free(front);
	perseus_node_close(node);
}

static enum perseus_status
make_front(void **out, struct perseus_error *err)
{
	struct perseus__front *made = *out;
	const enum perseus_status status = perseus__front_new(node, NULL, &settings, &made, err);
	*out = made;
	return status;
}

static void
destroy_front(void *made)
{
	perseus__front_free(made);
}

/* Streams poll by tasks, which do not allocate. */
static enum perseus_status
make_stream(void **out, struct perseus_error *err)
{
	static const int32_t positions[] = {0, 1};
	struct perseus__stream *made = *out;
	const enum perseus_status status = perseus__power_stream_new(front->streams, true, positions, 2, &made, err);
	*out = made;
	return status;
}

static void
destroy_stream(void *made)
{
	perseus__stream_free(made);
}

static enum perseus_status
make_token(void **out, struct perseus_error *err)
{
	const struct perseus__token token = {.subject = "alice", .scopes = perseus__group_bit(PERSEUS__GROUP_CPU_READ)};
	struct perseus__text text = perseus__text_init(4096);
	const enum perseus_status status = perseus__jwt_issue(&token, key, perseus__agent_scopes, &text, err);
	if (status == PERSEUS_OK)
		*out = text.bytes;
	else
		perseus__text_fini(&text);
	return status;
}

static void
destroy_token(void *made)
{
	perseus__free(made);
}

static const struct torture_scenario scenarios[] = {
	{"a front", make_front, destroy_front},
	{"a stream", make_stream, destroy_stream},
	{"a token", make_token, destroy_token},
};

enum { N_SCENARIOS = sizeof scenarios / sizeof *scenarios };

START_TEST(one_allocation_fails)
{
	torture_run(&scenarios[_i], FAILING_ALLOC_ONE);
}
END_TEST

START_TEST(all_that_follow_fail)
{
	torture_run(&scenarios[_i], FAILING_ALLOC_REST);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("torture agent");
	TCase *tcase = tcase_create("torture agent");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, one_allocation_fails, 0, N_SCENARIOS);
	tcase_add_loop_test(tcase, all_that_follow_fail, 0, N_SCENARIOS);
	return run_suite(suite);
}
