/* Models of simulated GPUs: from profiles, by examples worked by hand; the built-in ones beside what was measured. */
#include "device/sim_model.h"
#include "suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEAD "stage,instruction,frequency,time,energy\n"

static struct perseus__sim_model model;

/* Makes a model of a profile with this text; the name of its file goes into `path`. */
static enum perseus_status
read_model(const char *text, char path[64], struct perseus_error *err)
{
	(void)snprintf(path, 64, "/tmp/perseus-model-XXXXXX.csv");
	const int file = mkstemps(path, 4);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(close(file), 0);
	const enum perseus_status status = perseus__sim_model_profile(path, &model, err);
	ck_assert_int_eq(unlink(path), 0);
	return status;
}

static void
make_model(const char *text)
{
	char path[64];
	struct perseus_error err = {.message = ""};
	ck_assert_msg(read_model(text, path, &err) == PERSEUS_OK, "%s", err.message);
}

/* 300 W at 1000 MHz, 200 W at 500, where work takes 1.5 times as long. */
START_TEST(divides_energy_by_time)
{
	make_model(HEAD "0,forward,500,3,600\n0,forward,1000,2,600\n");
	ck_assert_int_eq(model.n_clocks, 2);
	ck_assert_int_eq(model.clock_mhz[0], 1000);
	ck_assert_int_eq(model.busy_uw[0], 300000000);
	ck_assert_double_eq(model.slowdown[0], 1);
	ck_assert_int_eq(model.clock_mhz[1], 500);
	ck_assert_int_eq(model.busy_uw[1], 200000000);
	ck_assert_double_eq(model.slowdown[1], 1.5);
	ck_assert_int_eq(model.limit_max_mw, 350000);
	ck_assert_int_eq(model.limit_min_mw, 70000);
	ck_assert_int_eq(model.blocking_uw, 74000000);
	ck_assert_int_eq(model.idle_uw, 74000000);
	ck_assert_int_eq(model.n_memory_clocks, 0);
	ck_assert(strncmp(model.name, "GPU of perseus-model-", 21) == 0);
	ck_assert(strncmp(model.note, "simulated: busy as the profile perseus-model-", 45) == 0);
}
END_TEST

/* 600 J in 4 s, 640 J in 5 s. What was measured at one clock, and at none, does not follow it. */
START_TEST(weighs_classes_by_their_time)
{
	make_model(HEAD "0,forward,1000,1,300\n0,forward,500,2,400\n"
					"0,backward,1000,3,300\n0,backward,500,3,240\n"
					"0,optimizer,1000,9,9\n0,transfer,0,7,7\n");
	ck_assert_int_eq(model.n_clocks, 2);
	ck_assert_int_eq(model.busy_uw[0], 150000000);
	ck_assert_int_eq(model.busy_uw[1], 128000000);
	ck_assert_double_eq(model.slowdown[1], 1.25);
}
END_TEST

/* At 750 MHz forward lies half way (1.5 s, 350 J); backward was measured there, and is held at 1000 and 500. */
START_TEST(interpolates_between_clocks)
{
	make_model(HEAD "0,forward,1000,1,300\n0,forward,500,2,400\n0,backward,750,1,100\n0,backward,600,2,150\n");
	ck_assert_int_eq(model.n_clocks, 4);
	ck_assert_int_eq(model.clock_mhz[1], 750);
	ck_assert_int_eq(model.busy_uw[0], 200000000);            /* 400 J in 2 s */
	ck_assert_int_eq(model.busy_uw[1], 180000000);            /* 450 J in 2.5 s */
	ck_assert_int_eq(model.busy_uw[2], llround(530e6 / 3.8)); /* 380 + 150 J in 1.8 + 2 s */
	ck_assert_int_eq(model.busy_uw[3], llround(550e6 / 4));   /* 400 + 150 J in 2 + 2 s */
	ck_assert_double_eq_tol(model.slowdown[2], 3.8 / 2, 1e-12);
}
END_TEST

/* Measured times have steps; no clock is faster than the highest here. */
START_TEST(is_never_faster_than_at_the_highest_clock)
{
	make_model(HEAD "0,forward,1000,2,600\n0,forward,900,1.9,500\n");
	ck_assert_double_eq(model.slowdown[1], 1);
}
END_TEST

static const struct {
	const char *text;
	const char *message; /* behind the name of the file */
} refused[] = {
	{HEAD "0,forward,1000,1,300\n", ": no class was measured at two clocks or more"},
	{HEAD "0,forward,1000,1,300\n0,transfer,0,2,300\n", ": no class was measured at two clocks or more"},
	{HEAD "1,forward,1000,1,300\n",
		": stage 0 has no rows, but stage 1 has (line 2): stages must be 0, 1, 2, … without holes"},
	{HEAD "0,forward,1000,1e-6,300\n0,forward,900,1,3\n", ": 3e+08 W at 1000 MHz is too much"},
	{HEAD "0,forward,1000,x,300\n", ":2: column time: \"x\" is not a number"},
};

START_TEST(refuses_profiles_without_a_response)
{
	struct perseus_error err = {.message = ""};
	char path[64];
	ck_assert_int_eq(read_model(refused[_i].text, path, &err), PERSEUS_INVALID);
	ck_assert_msg(strncmp(err.message, path, strlen(path)) == 0, "%s", err.message);
	ck_assert_str_eq(err.message + strlen(path), refused[_i].message);
}
END_TEST

START_TEST(refuses_too_many_clocks)
{
	char text[40 * (PERSEUS_MAX_CLOCKS + 2)] = HEAD;
	size_t length = strlen(text);
	for (int i = 0; i <= PERSEUS_MAX_CLOCKS; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "0,forward,%d,1,1\n", 100 + i);
	struct perseus_error err = {.message = ""};
	char path[64];
	ck_assert_int_eq(read_model(text, path, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message + strlen(path), ": more than 512 clocks");
}
END_TEST

START_TEST(finds_clocks)
{
	ck_assert(perseus__sim_model_builtin("a100", &model));
	ck_assert_int_eq(perseus__sim_model_clock(&model, 5000), 0);
	ck_assert_int_eq(perseus__sim_model_clock(&model, 1410), 0);
	ck_assert_int_eq(perseus__sim_model_clock(&model, 1409), 1);
	ck_assert_int_eq(perseus__sim_model_clock(&model, 210), 80);
	ck_assert_int_eq(perseus__sim_model_clock(&model, 209), 81);
	ck_assert(!perseus__sim_model_builtin("h100", &model));
}
END_TEST

START_TEST(tells_models_apart)
{
	ck_assert(perseus__sim_model_builtin("a100", &model));
	const uint64_t hash = perseus__sim_model_hash(&model);
	model.blocking_uw++;
	ck_assert(perseus__sim_model_hash(&model) != hash);
	ck_assert(perseus__sim_model_builtin("a40", &model));
	ck_assert(perseus__sim_model_hash(&model) != hash);
}
END_TEST

/* More power and less time at every higher clock, as physics has it. */
START_TEST(rises_with_the_clock)
{
	const char *const names[] = {"a100", "a40"};
	ck_assert(perseus__sim_model_builtin(names[_i], &model));
	for (int32_t i = 1; i < model.n_clocks; i++) {
		ck_assert_int_eq(model.clock_mhz[i - 1] - model.clock_mhz[i], 15);
		ck_assert_int_gt(model.busy_uw[i - 1], model.busy_uw[i]);
		ck_assert_double_lt(model.slowdown[i - 1], model.slowdown[i]);
	}
	ck_assert_int_lt(model.idle_uw, model.blocking_uw);
	ck_assert_int_lt(model.blocking_uw, model.busy_uw[model.n_clocks - 1]);
}
END_TEST

/*
 * The whole pipeline's profile, of which the model was fitted to one stage: power within 6 %, and of the A100, which no
 * power limit holds, time within 4 %.
 */
START_TEST(is_what_was_measured)
{
	const char *const names[] = {"a100", "a40"};
	const char *const files[] = {"gpt3-175b+a100_sxm_bf16.csv", "gpt3-175b+a40_bf16.csv"};
	static struct perseus__sim_model builtin;
	char path[1024];
	(void)snprintf(path, sizeof path, "%s/sosp24/stage_profile/%s", PERSEUS_TEST_DATA, files[_i]);
	if (access(path, R_OK) != 0) {
		printf("# skipped: %s is not there\n", path);
		return;
	}
	ck_assert_int_eq(perseus__sim_model_profile(path, &model, NULL), PERSEUS_OK);
	ck_assert(perseus__sim_model_builtin(names[_i], &builtin));
	for (int32_t i = 0; i < model.n_clocks; i++) {
		const int32_t at = perseus__sim_model_clock(&builtin, model.clock_mhz[i]);
		const double limit_uw = (double)builtin.limit_max_mw * 1000;
		const double power = fmin((double)builtin.busy_uw[at], limit_uw) / (double)model.busy_uw[i];
		ck_assert_msg(
				fabs(power - 1) < 0.06, "%s, %d MHz: power %.3f of the measured", names[_i], model.clock_mhz[i], power);
		const double time = builtin.slowdown[at] / model.slowdown[i];
		ck_assert_msg(_i > 0 || fabs(time - 1) < 0.04, "%s, %d MHz: time %.3f of the measured", names[_i],
				model.clock_mhz[i], time);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sim_model");
	TCase *tcase = tcase_create("sim_model");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, divides_energy_by_time);
	tcase_add_test(tcase, weighs_classes_by_their_time);
	tcase_add_test(tcase, interpolates_between_clocks);
	tcase_add_test(tcase, is_never_faster_than_at_the_highest_clock);
	tcase_add_loop_test(tcase, refuses_profiles_without_a_response, 0, sizeof refused / sizeof *refused);
	tcase_add_test(tcase, refuses_too_many_clocks);
	tcase_add_test(tcase, finds_clocks);
	tcase_add_test(tcase, tells_models_apart);
	tcase_add_loop_test(tcase, rises_with_the_clock, 0, 2);
	tcase_add_loop_test(tcase, is_what_was_measured, 0, 2);
	return run_suite(suite);
}
