/* Parts of jobs that decide alone: rollouts, programs, profiles as documents, steps put together. */
#include "base/memory.h"
#include "base/text.h"
#include "server/profile_document.h"
#include "server/program.h"
#include "server/rollout.h"
#include "server/steps.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { MAX_BYTES = 1 << 20 };

static struct perseus__program *
make_program(int32_t mhz)
{
	struct perseus__program *program = perseus__program_new(PERSEUS__PHASE_PLAN, false, 1, 3);
	ck_assert_ptr_nonnull(program);
	for (int i = 0; i < 3; i++)
		program->mhz[i] = mhz + i;
	program->promise = (struct perseus__promise){.is_there = true, .time_ns = mhz, .lower_bound_j = 0.1};
	return program;
}

/* Takes the coming revision through all its states. */
static void
go_through(struct perseus__rollout *rollout, int64_t begun, int64_t margin)
{
	rollout->coming.state = PERSEUS__REVISION_OFFERED;
	perseus__rollout_fix(rollout, begun, margin);
	ck_assert_int_eq(rollout->coming.state, PERSEUS__REVISION_TO_START);
	rollout->coming.state = PERSEUS__REVISION_STARTED;
	perseus__rollout_start(rollout);
}

static void
require_news(const struct perseus__rollout *rollout, int64_t have, int64_t start, int64_t number, int64_t from_step)
{
	bool with_start = false;
	const struct perseus__revision *news = perseus__rollout_news(rollout, have, start, &with_start);
	if (number < 0) {
		ck_assert_msg(news == NULL, "have %lld: revision %lld", (long long)have, (long long)(news ? news->number : 0));
		return;
	}
	ck_assert_ptr_nonnull(news);
	ck_assert_int_eq(news->number, number);
	ck_assert_int_eq(with_start, from_step >= 0);
	if (with_start)
		ck_assert_int_eq(news->from_step, from_step);
}

START_TEST(a_revision_is_offered_and_then_started)
{
	struct perseus__rollout rollout = {.started = {.from_step = -1}, .coming = {.from_step = -1}};
	require_news(&rollout, -1, -1, -1, -1);
	ck_assert_int_eq(perseus__rollout_add(&rollout, make_program(1000))->number, 0);
	require_news(&rollout, -1, -1, -1, -1); /* not durable yet */
	rollout.coming.state = PERSEUS__REVISION_OFFERED;
	require_news(&rollout, -1, -1, 0, -1);
	require_news(&rollout, 0, -1, -1, -1);
	perseus__rollout_fix(&rollout, 41, 0);
	require_news(&rollout, 0, -1, -1, -1); /* its start is not durable yet */
	rollout.coming.state = PERSEUS__REVISION_STARTED;
	perseus__rollout_start(&rollout);
	require_news(&rollout, 0, -1, 0, 42);
	require_news(&rollout, 0, 42, -1, -1);
	require_news(&rollout, -1, -1, 0, 42);
	require_news(&rollout, 77, 3, 0, 42); /* a number of another store */
	perseus__rollout_fini(&rollout);
}
END_TEST

START_TEST(a_newer_revision_takes_the_place_of_one_on_its_way)
{
	struct perseus__rollout rollout = {.started = {.from_step = -1}, .coming = {.from_step = -1}};
	perseus__rollout_add(&rollout, make_program(1000));
	go_through(&rollout, -1, 0);
	perseus__rollout_add(&rollout, make_program(1100))->not_before = 100;
	rollout.coming.state = PERSEUS__REVISION_OFFERED;
	perseus__rollout_add(&rollout, make_program(1200));
	require_news(&rollout, 1, -1, -1, -1);
	rollout.coming.state = PERSEUS__REVISION_OFFERED;
	require_news(&rollout, 1, -1, 2, -1); /* who has the one before */
	require_news(&rollout, -1, -1, 0, 0); /* who has none begins with what is in force */
	go_through(&rollout, 9, 2);
	require_news(&rollout, 1, -1, 2, 12);
	ck_assert_int_eq(perseus__rollout_at(&rollout, 11)->number, 0);
	ck_assert_int_eq(perseus__rollout_at(&rollout, 12)->number, 2);
	perseus__rollout_fini(&rollout);
}
END_TEST

START_TEST(a_start_waits_for_what_is_planned)
{
	struct perseus__rollout rollout = {.started = {.from_step = -1}, .coming = {.from_step = -1}};
	perseus__rollout_add(&rollout, make_program(1000))->not_before = 30;
	go_through(&rollout, 9, 0);
	ck_assert_int_eq(rollout.started.from_step, 30);
	perseus__rollout_add(&rollout, make_program(1000))->not_before = 30;
	go_through(&rollout, 40, 1);
	ck_assert_int_eq(rollout.started.from_step, 42);
	perseus__rollout_fini(&rollout);
}
END_TEST

START_TEST(counting_anew_makes_another_revision_of_the_same)
{
	struct perseus__rollout rollout = {.started = {.from_step = -1}, .coming = {.from_step = -1}};
	perseus__rollout_restart(&rollout);
	ck_assert_ptr_null(perseus__rollout_latest(&rollout));
	perseus__rollout_add(&rollout, make_program(1000));
	go_through(&rollout, 900, 0);
	perseus__rollout_restart(&rollout);
	ck_assert_ptr_null(rollout.started.program);
	ck_assert_int_eq(rollout.coming.number, 1);
	ck_assert_int_eq(rollout.coming.state, PERSEUS__REVISION_NEW);
	rollout.coming.state = PERSEUS__REVISION_OFFERED;
	require_news(&rollout, 0, 901, 1, -1); /* another process that goes on */
	require_news(&rollout, -1, -1, 1, -1); /* the one that began anew */
	perseus__rollout_restart(&rollout);
	ck_assert_int_eq(rollout.coming.number, 2);
	go_through(&rollout, -1, 0);
	ck_assert_int_eq(rollout.started.from_step, 0);
	perseus__rollout_clear(&rollout);
	ck_assert_ptr_null(perseus__rollout_latest(&rollout));
	ck_assert_int_eq(perseus__rollout_add(&rollout, make_program(1))->number, 3);
	perseus__rollout_fini(&rollout);
}
END_TEST

START_TEST(programs_come_back_from_text)
{
	struct perseus__program *program = make_program(1395), *again = NULL;
	struct perseus__text text = perseus__text_init(MAX_BYTES), promise = perseus__text_init(MAX_BYTES);
	struct perseus_error err = {.message = ""};
	program->n_steps[0] = 5;
	program->promise.energy_nj = INT64_C(1234567890123456789);
	perseus__program_write(program, &text);
	perseus__promise_write(&program->promise, &promise);
	ck_assert_str_eq(text.bytes, "{\"by_class\":false,\"columns\":3,\"steps\":[5],\"mhz\":[1395,1396,1397]}");
	const enum perseus_status status =
			perseus__program_read(PERSEUS__PHASE_PLAN, text.bytes, promise.bytes, &again, &err);
	ck_assert_msg(status == PERSEUS_OK, "%s", err.message);
	ck_assert(perseus__program_equals(program, again));
	ck_assert(again->promise.is_there);
	ck_assert_int_eq(again->promise.energy_nj, program->promise.energy_nj);
	again->mhz[2]++;
	ck_assert(!perseus__program_equals(program, again));
	perseus__program_unref(again);
	static const char *const bad[] = {"", "{}", "[]", "{\"columns\":3,\"steps\":[1],\"mhz\":[1,2]}",
		"{\"columns\":1,\"steps\":[1],\"mhz\":[-1]}", "{\"columns\":1,\"steps\":[1],\"mhz\":[1],\"more\":1}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_int_eq(perseus__program_read(PERSEUS__PHASE_PLAN, bad[i], NULL, &again, &err), PERSEUS_INVALID);
	perseus__text_fini(&text);
	perseus__text_fini(&promise);
	perseus__program_unref(program);
}
END_TEST

/* Ranks get the clocks of their own instructions, by class or one by one. */
START_TEST(ranks_get_their_part_of_a_program)
{
	const struct perseus_schedule *schedule = NULL;
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.n_ranks = 2;
	settings.n_microbatches = 2;
	ck_assert_int_eq(perseus_schedule_generate(&settings, &schedule, NULL), PERSEUS_OK);
	ck_assert_int_eq(schedule->n_instructions, 8);
	const int32_t class_of[] = {0, 0, 1, 1, 2, 3, 2, 3};
	struct perseus__program *program = perseus__program_new(PERSEUS__PHASE_PROFILE, true, 2, 4);
	ck_assert_ptr_nonnull(program);
	program->n_steps[0] = 3;
	for (int i = 0; i < 8; i++)
		program->mhz[i] = 100 + i;
	ck_assert_str_eq(perseus__program_text(program, schedule, class_of, 1),
			"[{\"steps\":3,\"clocks_mhz\":[102,103,102,103]},{\"steps\":null,\"clocks_mhz\":[106,107,106,107]}]");
	ck_assert_str_eq(perseus__program_text(program, schedule, class_of, 0),
			"[{\"steps\":3,\"clocks_mhz\":[100,100,101,101]},{\"steps\":null,\"clocks_mhz\":[104,104,105,105]}]");
	perseus__program_unref(program);
	program = perseus__program_new(PERSEUS__PHASE_PLAN, false, 1, 8);
	ck_assert_ptr_nonnull(program);
	for (int i = 0; i < 8; i++)
		program->mhz[i] = 100 * i;
	ck_assert_str_eq(perseus__program_text(program, schedule, class_of, 1),
			"[{\"steps\":null,\"clocks_mhz\":[400,500,600,700]}]");
	perseus__program_unref(program);
	perseus_schedule_free(schedule);
}
END_TEST

static const char csv[] = "stage,instruction,frequency,time,energy\n"
						  "0,forward,1410,0.1,20\n0,forward,1410,0.3,40\n0,backward,1410,0.2,50\n"
						  "0,forward,1395,0.25,28\n1,forward,1410,0.125,31\n";

START_TEST(profiles_come_back_from_text)
{
	struct perseus__profile_document profile, again;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__profile_document_from_csv(csv, strlen(csv), 80.5, &profile, &err) == PERSEUS_OK, "%s",
			err.message);
	ck_assert_uint_eq(profile.n_rows, 4);
	ck_assert_int_eq(profile.n_stages, 2);
	const struct perseus__profile_row *row = perseus__profile_document_find(&profile, 0, "forward", 1410);
	ck_assert_ptr_nonnull(row);
	ck_assert_double_eq_tol(row->time_s, 0.2, 1e-12); /* of two ranks */
	ck_assert_double_eq_tol(row->energy_j, 30, 1e-12);
	ck_assert_ptr_eq(perseus__profile_document_find(&profile, 0, "forward", -1), row);
	ck_assert_ptr_null(perseus__profile_document_find(&profile, 0, "forward", 1380));
	ck_assert_double_eq(perseus__profile_document_blocking_w(&profile), 80.5);
	profile.rows[1].energy_j = NAN;
	profile.overhead_s = 0.01;
	profile.baseline_time_s = 1.5;
	profile.baseline_energy_j = 321.25;
	struct perseus__text text = perseus__text_init(MAX_BYTES), table = perseus__text_init(MAX_BYTES);
	perseus__profile_document_write(&profile, &text);
	const enum perseus_status status = perseus__profile_document_read(text.bytes, text.length, &again, &err);
	ck_assert_msg(status == PERSEUS_OK, "%s", err.message);
	ck_assert_uint_eq(again.n_rows, 4);
	ck_assert(isnan(again.rows[1].energy_j));
	ck_assert(isnan(again.transfer_s));
	ck_assert_double_eq(again.overhead_s, 0.01);
	ck_assert_double_eq(again.baseline_energy_j, 321.25);
	ck_assert_double_eq(again.blocking_power_w[1], 80.5);
	perseus__profile_document_csv(&again, &table);
	ck_assert_ptr_nonnull(strstr(table.bytes, "0,backward,1410,0.2,50.0,,\n"));
	ck_assert_ptr_nonnull(strstr(table.bytes, "stage,instruction,frequency,time,energy,time_error,energy_error\n"));
	perseus__text_fini(&text);
	perseus__text_fini(&table);
	perseus__profile_document_fini(&again);
	/* What could not come back is found before it is written. */
	ck_assert_int_eq(perseus__profile_document_check(&profile, &err), PERSEUS_OK);
	profile.rows[2].time_s = 1e6;
	ck_assert_int_eq(perseus__profile_document_check(&profile, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "rows[2].time_s: expected a number from 1e-12 to 100000");
	profile.rows[2].time_s = 0.25;
	profile.baseline_energy_j = -1;
	ck_assert_int_eq(perseus__profile_document_check(&profile, &err), PERSEUS_INVALID);
	perseus__profile_document_fini(&profile);
}
END_TEST

START_TEST(steps_are_put_together_within_bounds)
{
	struct perseus__steps steps;
	ck_assert_int_eq(perseus__steps_init(&steps, 2, 3, NULL), PERSEUS_OK);
	struct perseus__step *step = perseus__steps_open(&steps, 5);
	ck_assert_ptr_nonnull(step);
	step->pipelines[1].energy_j = 7;
	step->classes[5].measured_s = 1;
	ck_assert_ptr_eq(perseus__steps_open(&steps, 5), step);
	ck_assert_double_eq(step->pipelines[1].energy_j, 7);
	struct perseus__step *later = perseus__steps_open(&steps, 5 + PERSEUS__N_OPEN_STEPS);
	ck_assert_ptr_eq(later, step);
	ck_assert_double_eq(later->pipelines[1].energy_j, 0);
	ck_assert_double_eq(later->classes[5].measured_s, 0);
	ck_assert_int_eq(later->classes[5].mhz, -1);
	ck_assert_ptr_null(perseus__steps_open(&steps, 5));
	ck_assert_int_eq(steps.latest, 5 + PERSEUS__N_OPEN_STEPS);
	perseus__steps_reset(&steps);
	ck_assert_ptr_nonnull(perseus__steps_open(&steps, 5));
	perseus__steps_fini(&steps);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("job parts");
	TCase *tcase = tcase_create("job parts");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, a_revision_is_offered_and_then_started);
	tcase_add_test(tcase, a_newer_revision_takes_the_place_of_one_on_its_way);
	tcase_add_test(tcase, a_start_waits_for_what_is_planned);
	tcase_add_test(tcase, counting_anew_makes_another_revision_of_the_same);
	tcase_add_test(tcase, programs_come_back_from_text);
	tcase_add_test(tcase, ranks_get_their_part_of_a_program);
	tcase_add_test(tcase, profiles_come_back_from_text);
	tcase_add_test(tcase, steps_are_put_together_within_bounds);
	return run_suite(suite);
}
