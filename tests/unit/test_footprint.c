/* From joules to carbon and money, by examples worked by hand; and the run that they belong to. */
#include "meter/footprint.h"
#include "meter/run.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* Sums and products of a few doubles. */
static const double TOLERANCE = 1e-12;

static void
require_close(const char *what, double found, double expected)
{
	ck_assert_msg(found >= expected * (1 - TOLERANCE) && found <= expected * (1 + TOLERANCE),
			"%s: %.17g, expected %.17g", what, found, expected);
}

static struct perseus__factors
all_factors(void)
{
	struct perseus__factors factors = perseus__factors_default();
	factors.pue = 1.58;
	factors.has_intensity = true;
	factors.intensity.gco2e_per_kwh = 400;
	factors.has_price = true;
	factors.price_per_kwh = 0.30;
	factors.has_embodied = true;
	factors.embodied_kg = 164;
	factors.lifespan_years = 4;
	factors.share = 0.5;
	return factors;
}

/*
 * 3.6 MJ are 1 kWh, 1.58 kWh at the meter of the building, 632 g at 400 g/kWh, 0.474 at 0.30 a kWh. Four years are
 * 35040 h; 8.76 h of them are 1/4000, so that 164 kg count 41 g, and half of the hardware 20.5 g.
 */
START_TEST(computes_all_that_is_known)
{
	const struct perseus__energy energy = {.n_devices = 8, .n_measured = 8, .energy_j = 3.6e6, .error_j = 36};
	const struct perseus__factors factors = all_factors();
	const struct perseus__footprint footprint = perseus__footprint_make(&energy, 8.76 * 3600, &factors);
	ck_assert(footprint.has_facility && footprint.has_operational && footprint.has_cost && footprint.has_embodied);
	require_close("facility", footprint.facility_kwh, 1.58);
	require_close("operational", footprint.operational_gco2e, 632);
	require_close("cost", footprint.cost, 0.474);
	require_close("embodied", footprint.embodied_gco2e, 20.5);
	double sci = 0;
	ck_assert(perseus__footprint_sci(&footprint, 1000, &sci));
	require_close("SCI", sci, 0.6525);
}
END_TEST

START_TEST(computes_nothing_from_what_is_not_known)
{
	const struct perseus__energy none = {.n_devices = 2};
	const struct perseus__energy some = {.n_devices = 2, .n_measured = 1, .energy_j = 7.2e6};
	const struct perseus__factors factors = all_factors(), no_factors = perseus__factors_default();
	struct perseus__footprint footprint = perseus__footprint_make(&none, 8.76 * 3600, &factors);
	ck_assert(!footprint.has_facility && !footprint.has_operational && !footprint.has_cost);
	ck_assert(footprint.has_embodied);
	double sci = -1;
	ck_assert(!perseus__footprint_sci(&footprint, 1, &sci));

	footprint = perseus__footprint_make(&some, 8.76 * 3600, &no_factors);
	ck_assert(!footprint.has_operational && !footprint.has_cost && !footprint.has_embodied);
	require_close("facility", footprint.facility_kwh, 2);
	ck_assert(!perseus__footprint_sci(&footprint, 1, &sci));

	footprint = perseus__footprint_make(&some, 8.76 * 3600, &factors);
	ck_assert(!perseus__footprint_sci(&footprint, 0, &sci));
	footprint.has_embodied = false; /* the standard counts the hardware, too */
	ck_assert(!perseus__footprint_sci(&footprint, 1, &sci));
	ck_assert_double_eq(sci, -1);
}
END_TEST

/* Two GPUs, one of them lost, and a CPU. */
static struct perseus__run
example_run(void)
{
	struct perseus__run run = perseus__run_init();
	ck_assert_int_eq(perseus__run_set_devices(&run, 3, NULL), PERSEUS_OK);
	run.devices[0].info.kind = PERSEUS_DEVICE_GPU;
	run.devices[0].reading = (struct perseus_reading){.method = PERSEUS_METHOD_COUNTER, .energy_j = 1000, .error_j = 4};
	run.devices[1].info.kind = PERSEUS_DEVICE_GPU;
	run.devices[1].info.index = 1;
	(void)snprintf(run.devices[1].reading.reason, sizeof run.devices[1].reading.reason, "GPU is lost");
	run.devices[2].info.kind = PERSEUS_DEVICE_CPU;
	run.devices[2].reading = (struct perseus_reading){.method = PERSEUS_METHOD_POWER, .energy_j = 500, .error_j = 10};
	return run;
}

START_TEST(says_which_devices_are_missing)
{
	struct perseus__run run = example_run();
	perseus__run_account(&run);
	ck_assert_int_eq(run.footprint.energy.n_devices, 3);
	ck_assert_int_eq(run.footprint.energy.n_measured, 2);
	require_close("energy", run.footprint.energy.energy_j, 1500);
	require_close("error", run.footprint.energy.error_j, 14);
	require_close("facility", run.footprint.facility_kwh, 1500 / 3.6e6);

	const struct perseus__energy gpus = perseus__run_energy_of(&run, PERSEUS_DEVICE_GPU);
	ck_assert_int_eq(gpus.n_devices, 2);
	ck_assert_int_eq(gpus.n_measured, 1);
	require_close("GPUs", gpus.energy_j, 1000);
	ck_assert_int_eq(perseus__run_energy_of(&run, PERSEUS_DEVICE_DRAM).n_devices, 0);

	struct perseus__text missing = perseus__text_init(1000);
	perseus__run_add_missing(&run, &missing);
	ck_assert_str_eq(missing.bytes, "gpu 1 (GPU is lost)");
	perseus__text_fini(&missing);
	ck_assert(!perseus__run_is_simulated(&run));
	run.devices[2].info.is_simulated = true;
	ck_assert(perseus__run_is_simulated(&run));
	perseus__run_fini(&run);
}
END_TEST

static const struct {
	const char *text;
	const char *key;
	bool is_number;
	double number;
} good_results[] = {
	{"loss=2.91", "loss", true, 2.91},
	{"tokens=1e9", "tokens", true, 1e9},
	{"reward=-3.5", "reward", true, -3.5},
	{"reward=+3.5", "reward", true, 3.5},
	{"eval/top-1.acc_5=0", "eval/top-1.acc_5", true, 0},
	{"loss=nan", "loss", false, 0},
	{"loss=-inf", "loss", false, 0},
	{"loss=1e999", "loss", false, 0},
	{"n=--1", "n", false, 0},
	{"note=a = b", "note", false, 0},
};

START_TEST(reads_results)
{
	struct perseus__result result;
	struct perseus_error err;
	ck_assert_msg(perseus__result_parse(good_results[_i].text, &result, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_str_eq(result.key, good_results[_i].key);
	ck_assert_str_eq(result.text, strchr(good_results[_i].text, '=') + 1);
	ck_assert_msg(result.is_number == good_results[_i].is_number, "%s", good_results[_i].text);
	ck_assert_double_eq(result.number, good_results[_i].number);
}
END_TEST

#define BYTES_10 "xxxxxxxxxx"
#define BYTES_64 BYTES_10 BYTES_10 BYTES_10 BYTES_10 BYTES_10 BYTES_10 "xxxx"

static const struct {
	const char *text;
	const char *message;
} bad_results[] = {
	{"", "'' is no key=value with a key of letters, digits and _ . - /"},
	{"loss", "'loss' is no key=value with a key of letters, digits and _ . - /"},
	{"=3", "'=3' is no key=value with a key of letters, digits and _ . - /"},
	{"a b=3", "'a b=3' is no key=value with a key of letters, digits and _ . - /"},
	{"loss=", "'loss=' has no value"},
	{BYTES_64 "x=1", "the key of '" BYTES_64 "x=1' is longer than 64 bytes"},
};

START_TEST(refuses_bad_results)
{
	struct perseus__result result;
	struct perseus_error err;
	ck_assert_int_eq(perseus__result_parse(bad_results[_i].text, &result, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_results[_i].message);
}
END_TEST

START_TEST(refuses_a_long_value)
{
	char text[PERSEUS__RESULT_TEXT_BYTES + 8];
	(void)snprintf(text, sizeof text, "k=%0*d", PERSEUS__RESULT_TEXT_BYTES - 1, 0);
	struct perseus__result result;
	struct perseus_error err;
	ck_assert_int_eq(perseus__result_parse(text, &result, NULL), PERSEUS_OK);
	(void)snprintf(text, sizeof text, "k=%0*d", PERSEUS__RESULT_TEXT_BYTES, 0);
	ck_assert_int_eq(perseus__result_parse(text, &result, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "the value of 'k' is longer than 1024 bytes");
}
END_TEST

START_TEST(keeps_results_by_key)
{
	static const char *const given[] = {"tokens=1e9", "loss=3", "accuracy=0.5", "loss=2"};
	struct perseus__run run = perseus__run_init();
	struct perseus__result result;
	for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
		ck_assert_int_eq(perseus__result_parse(given[i], &result, NULL), PERSEUS_OK);
		ck_assert_int_eq(perseus__run_add_result(&run, &result, NULL), PERSEUS_OK);
	}
	ck_assert_int_eq(run.n_results, 3);
	ck_assert_str_eq(run.results[0].key, "accuracy");
	ck_assert_str_eq(run.results[1].key, "loss");
	ck_assert_str_eq(run.results[2].key, "tokens");
	ck_assert_double_eq(perseus__run_result(&run, "loss")->number, 2);
	ck_assert_ptr_null(perseus__run_result(&run, "los"));
	perseus__run_fini(&run);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("footprint");
	TCase *tcase = tcase_create("footprint");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, computes_all_that_is_known);
	tcase_add_test(tcase, computes_nothing_from_what_is_not_known);
	tcase_add_test(tcase, says_which_devices_are_missing);
	tcase_add_loop_test(tcase, reads_results, 0, sizeof good_results / sizeof *good_results);
	tcase_add_loop_test(tcase, refuses_bad_results, 0, sizeof bad_results / sizeof *bad_results);
	tcase_add_test(tcase, refuses_a_long_value);
	tcase_add_test(tcase, keeps_results_by_key);
	return run_suite(suite);
}
