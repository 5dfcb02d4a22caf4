/* The time of a transfer: found again where it was put in, by an event loop that knows nothing of graphs. */
#include "server/lag.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>

#include "random.h"

static const struct perseus_schedule *
generate(const char *name, int32_t n_ranks, int32_t n_microbatches, int32_t stages_per_rank)
{
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.name = name;
	settings.n_ranks = n_ranks;
	settings.n_microbatches = n_microbatches;
	settings.stages_per_rank = stages_per_rank;
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_schedule_generate(&settings, &schedule, &err) == PERSEUS_OK, "%s", err.message);
	return schedule;
}

/* Longest span of any rank: instructions begin when all that they wait for has come, until nothing moves any more. */
static int64_t
simulate(const struct perseus_schedule *schedule, const int64_t *duration_ns, int64_t transfer_ns)
{
	int64_t *start_ns = calloc((size_t)schedule->n_instructions, sizeof *start_ns);
	ck_assert_ptr_nonnull(start_ns);
	for (bool has_moved = true; has_moved;) {
		has_moved = false;
		for (int32_t i = 0; i < schedule->n_edges; i++) {
			const struct perseus_edge *edge = &schedule->edges[i];
			const int64_t earliest_ns =
					start_ns[edge->from] + duration_ns[edge->from] + (edge->is_transfer ? transfer_ns : 0);
			if (start_ns[edge->to] < earliest_ns) {
				start_ns[edge->to] = earliest_ns;
				has_moved = true;
			}
		}
	}
	int64_t longest_ns = 0;
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		const int32_t last = schedule->rank_begin[rank + 1] - 1;
		const int64_t span_ns = start_ns[last] + duration_ns[last] - start_ns[schedule->rank_begin[rank]];
		longest_ns = span_ns > longest_ns ? span_ns : longest_ns;
	}
	free(start_ns);
	return longest_ns;
}

START_TEST(finds_the_transfer_again)
{
	static const char *const names[] = {"1f1b", "gpipe", "interleaved", "zb-h1"};
	uint64_t random = 17;
	for (int i = 0; i < 60; i++) {
		const char *name = names[random_below(&random, 4)];
		const int32_t n_ranks = 2 + (int32_t)random_below(&random, 4);
		const struct perseus_schedule *schedule =
				generate(name, n_ranks, n_ranks * (1 + (int32_t)random_below(&random, 3)), name[0] == 'i' ? 2 : 0);
		int64_t *duration_ns = calloc((size_t)schedule->n_instructions, sizeof *duration_ns);
		ck_assert_ptr_nonnull(duration_ns);
		for (int32_t j = 0; j < schedule->n_instructions; j++)
			duration_ns[j] = 1000000 + random_below(&random, 30000000);
		const int64_t transfer_ns = random_below(&random, 5000000);
		const int64_t span_ns = simulate(schedule, duration_ns, transfer_ns);
		int64_t found_ns = -1;
		int64_t predicted_ns = -1;
		struct perseus_error err = {.message = ""};
		ck_assert_msg(
				perseus__lag_calibrate(schedule, duration_ns, span_ns, &found_ns, &predicted_ns, &err) == PERSEUS_OK,
				"%s", err.message);
		ck_assert_msg(
				found_ns >= transfer_ns, "%s: %lld ns, was %lld ns", name, (long long)found_ns, (long long)transfer_ns);
		ck_assert_int_eq(predicted_ns, span_ns);
		ck_assert_int_eq(simulate(schedule, duration_ns, found_ns), span_ns);
		ck_assert_int_gt(simulate(schedule, duration_ns, found_ns + 1), span_ns);
		free(duration_ns);
		perseus_schedule_free(schedule);
	}
}
END_TEST

/* Shorter than without any transfer; one rank, which has none. */
START_TEST(takes_none_where_there_is_none)
{
	const struct perseus_schedule *schedule = generate("1f1b", 2, 2, 0);
	const int64_t duration_ns[] = {10, 10, 20, 20, 10, 20, 10, 20};
	int64_t found_ns = -1;
	int64_t predicted_ns = -1;
	ck_assert_int_eq(schedule->n_instructions, 8);
	ck_assert_int_eq(perseus__lag_calibrate(schedule, duration_ns, 5, &found_ns, &predicted_ns, NULL), PERSEUS_OK);
	ck_assert_int_eq(found_ns, 0);
	ck_assert_int_eq(predicted_ns, simulate(schedule, duration_ns, 0));
	perseus_schedule_free(schedule);
	schedule = generate("1f1b", 1, 2, 0);
	ck_assert_int_eq(perseus__lag_calibrate(schedule, duration_ns, 1000, &found_ns, &predicted_ns, NULL), PERSEUS_OK);
	ck_assert_int_eq(found_ns, 0);
	perseus_schedule_free(schedule);
}
END_TEST

START_TEST(refuses_what_is_out_of_range)
{
	const struct perseus_schedule *schedule = generate("1f1b", 2, 2, 0);
	int64_t duration_ns[] = {10, 10, 20, 20, 10, 20, 10, 20};
	int64_t found_ns = -1;
	int64_t predicted_ns = -1;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__lag_calibrate(schedule, duration_ns, 0, &found_ns, &predicted_ns, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "a span of 0 ns: must be above 0");
	ck_assert_int_eq(perseus__lag_calibrate(schedule, duration_ns, INT64_MAX / 2, &found_ns, &predicted_ns, &err),
			PERSEUS_INVALID);
	duration_ns[3] = -1;
	ck_assert_int_eq(
			perseus__lag_calibrate(schedule, duration_ns, 100, &found_ns, &predicted_ns, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "instruction 3 takes -1 ns: out of range");
	duration_ns[3] = INT64_MAX;
	ck_assert_int_eq(
			perseus__lag_calibrate(schedule, duration_ns, 100, &found_ns, &predicted_ns, &err), PERSEUS_INVALID);
	ck_assert_int_eq(found_ns, -1);
	perseus_schedule_free(schedule);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lag");
	TCase *tcase = tcase_create("lag");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, finds_the_transfer_again);
	tcase_add_test(tcase, takes_none_where_there_is_none);
	tcase_add_test(tcase, refuses_what_is_out_of_range);
	return run_suite(suite);
}
