/* A measured run in words and as JSON: every line and key, and what is said of what was not measured. */
#include "cli/run_json.h"
#include "cli/run_report.h"
#include "example_runs.h"
#include "suite.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static struct perseus__text text;
static struct perseus__run run;

static void
make(int index)
{
	text = perseus__text_init(1 << 20);
	run = example_run(index);
}

static void
teardown(void)
{
	perseus__text_fini(&text);
	perseus__run_fini(&run);
}

static void
check_text(const char *expected)
{
	ck_assert(!text.failed);
	ck_assert_msg(strcmp(text.bytes, expected) == 0, "found:\n%s\nexpected:\n%s", text.bytes, expected);
}

static void
check_contains(const char *part)
{
	ck_assert(!text.failed);
	ck_assert_msg(strstr(text.bytes, part) != NULL, "'%s' is not in:\n%s", part, text.bytes);
}

START_TEST(says_everything)
{
	make(0);
	run.id = 7;
	perseus__run_report(&run, &text);
	check_text("python train.py --name 'a \"b\" \xc3\xa4': exit code 0\n"
			   "\n"
			   "time      3600.0 s from 2026-08-01T12:00:00.000Z\n"
			   "energy    2.3610 MJ +/- 0.0024 MJ (partly simulated), 1 of 4 devices not measured\n"
			   "          GPU 2.0010 MJ, CPU 0.3600 MJ, DRAM not measured\n"
			   "power     655.8 W average, 905.0 W peak (partly simulated)\n"
			   "carbon    314.80 gCO2e (partly simulated) = 0.787 kWh (PUE 1.2) x 400 gCO2e/kWh (XA, 2025, average,"
			   " zones.csv)\n"
			   "embodied  9.3607 gCO2e = 328 kgCO2e x 1 x 3600 s / 4 years\n"
			   "cost      0.2361 EUR (partly simulated) = 0.787 kWh (PUE 1.2) x 0.3 EUR/kWh\n"
			   "results   dataset=c4, loss=2.91, tokens=1e9\n"
			   "job       slurm 17.0, rank 0\n"
			   "note      all at the highest clock\n"
			   "ledger    run 7 (a0000000)\n"
			   "\n"
			   "device                                       energy MJ  +/- MJ  average W  peak W  from\n"
			   "GPU 0 (simulated)  NVIDIA A100-SXM4-80GB        1.0000  0.0010      277.8   400.0  counter\n"
			   "GPU 1 (simulated)  NVIDIA A100-SXM4-80GB        1.0010  0.0011      278.1   400.0  counter\n"
			   "CPU 0              package                      0.3600  0.0004      100.0          power\n"
			   "DRAM 0                                    not measured                             energy_uj:"
			   " Permission denied\n"
			   "GPU 1: a slice of it was asked for\n");
}
END_TEST

START_TEST(leaves_out_what_was_not_asked_for)
{
	make(3);
	ck_assert_int_eq(perseus__run_set_text(&run.no_intensity, NULL, NULL), PERSEUS_OK);
	perseus__run_report(&run, &text);
	check_text("./bench: ended by signal 9 (Killed)\n"
			   "\n"
			   "time      12.500 s from 2026-08-04T12:00:00.000Z\n"
			   "energy    7.0000 kJ +/- 0.0070 kJ\n"
			   "          GPU 6.1000 kJ, CPU 0.9000 kJ\n"
			   "power     560.0 W average\n"
			   "\n"
			   "device                         energy kJ  +/- kJ  average W  peak W  from\n"
			   "GPU 0   NVIDIA A100-SXM4-80GB     3.0000  0.0030      240.0   400.0  counter\n"
			   "GPU 1   NVIDIA A100-SXM4-80GB     3.1000  0.0031      248.0   400.0  counter\n"
			   "CPU 0   package                   0.9000  0.0009       72.0          power\n");
}
END_TEST

/* A run that measured nothing shows no number of energy, carbon or money, and says why. */
static const struct {
	double cost;
	const char *text;
} costs[] = {
	{0.000023251, "cost      2.325e-05 EUR"},
	{1.23456, "cost      1.235 EUR"},
	{99.987, "cost      99.99 EUR"},
	{100, "cost      100 EUR"},
	{1234.567, "cost      1234.57 EUR"},
	{12345.678, "cost      12345.68 EUR"},
	{4600000, "cost      4600000 EUR"},
};

START_TEST(counts_money_to_the_hundredth)
{
	make(0);
	run.footprint.cost = costs[_i].cost;
	perseus__run_report(&run, &text);
	check_contains(costs[_i].text);
}
END_TEST

START_TEST(shows_texts_in_one_line)
{
	static const char wild[] = "a\x1b[2J\nb";
	make(0);
	ck_assert_int_eq(perseus__run_set_text(&run.note, wild, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__run_set_text(&run.job, wild, NULL), PERSEUS_OK);
	(void)snprintf(run.results[0].text, sizeof run.results[0].text, "%s", wild);
	(void)snprintf(run.factors.intensity.zone, sizeof run.factors.intensity.zone, "%s", wild);
	(void)snprintf(run.factors.intensity.source, sizeof run.factors.intensity.source, "%s", wild);
	perseus__run_report(&run, &text);
	const char *const parts[] = {"results   dataset=a\\x1b[2J\\nb, ", "job       a\\x1b[2J\\nb, rank",
		"note      a\\x1b[2J\\nb\n", "gCO2e/kWh (a\\x1b[2J\\nb, 2025", ", a\\x1b[2J\\nb)\n"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		check_contains(parts[i]);
	ck_assert_ptr_null(strchr(text.bytes, '\x1b'));
}
END_TEST

START_TEST(invents_no_values)
{
	make(0);
	for (int32_t i = 0; i < run.n_devices; i++)
		run.devices[i].reading = (struct perseus_reading){.reason = "GPU is lost"};
	perseus__run_account(&run);
	ck_assert_int_eq(perseus__run_set_text(&run.no_intensity, "zones.csv: no hour 12", NULL), PERSEUS_OK);
	run.factors.has_intensity = false;
	perseus__run_account(&run);
	perseus__run_report(&run, &text);
	check_contains("energy    not measured: no device could be read\n");
	check_contains("carbon    not computed: zones.csv: no hour 12\n");
	check_contains("cost      not computed: no energy was measured\n");
	check_contains("GPU is lost");
	ck_assert_ptr_null(strstr(text.bytes, "power "));
	ck_assert_ptr_null(strstr(text.bytes, "kWh"));
}
END_TEST

START_TEST(says_that_there_is_no_device)
{
	make(4);
	perseus__run_report(&run, &text);
	check_text("true: exit code 1\n\ntime      2.0000 ms from 2026-08-05T12:00:00.000Z\n"
			   "energy    not measured: there is no device\n");
}
END_TEST

START_TEST(says_that_a_run_goes_on)
{
	make(4);
	run.state = PERSEUS__RUN_RUNNING;
	perseus__run_report(&run, &text);
	check_text("true: running\n\ntime      since 2026-08-05T12:00:00.000Z\n");
}
END_TEST

static const struct {
	const char *argument;
	const char *shown;
} arguments[] = {
	{"--lr=1e-3", "--lr=1e-3"},
	{"", "''"},
	{"a b", "'a b'"},
	{"$HOME", "'$HOME'"},
	{"it's", "\"it's\""},
	{"print(1)\nprint(2)", "'print(1)\\nprint(2)'"},
	{"\033[31mred\177", "'\\x1b[31mred\\x7f'"},
	{"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x99\x82", "'\xc3\xa4 \xe2\x82\xac \xf0\x9f\x99\x82'"},
	{"\xff\xc3", "'\\xff\\xc3'"},
	{"\xc2\x9b"
	 "31m",
		"'\\xc2\\x9b31m'"},
};

START_TEST(shows_arguments_in_one_line)
{
	char *argv[] = {(char *)(uintptr_t)arguments[_i].argument};
	text = perseus__text_init(4096);
	run = perseus__run_init();
	ck_assert_int_eq(perseus__run_set_command(&run, 1, argv, NULL), PERSEUS_OK);
	perseus__command_line(&run, &text);
	check_text(arguments[_i].shown);
}
END_TEST

static void
write_json(void)
{
	struct perseus__json json = perseus__json_init(&text);
	perseus__json_open_object(&json, NULL, false);
	perseus__run_json(&json, &run);
	perseus__json_close_object(&json);
}

static const char *const json_parts[] = {
	"{\n  \"version\": 1,\n  \"id\": null,\n  \"uuid\": \"a0000000-0000-4000-8000-000000000000\",\n",
	"  \"command\": [\"python\", \"train.py\", \"--name\", \"a \\\"b\\\" \xc3\xa4\"],\n",
	"  \"job\": \"slurm 17.0\",\n  \"rank\": 0,\n",
	"  \"begin\": \"2026-08-01T12:00:00.000Z\",\n  \"end\": \"2026-08-01T13:00:00.000Z\",\n  \"time_s\": 3600.0,\n"
	"  \"exit_code\": 0,\n  \"signal\": null,\n  \"simulated\": true,\n",
	"\"backend\": \"sim\", \"simulated\": true, \"energy_j\": 1001000.0, \"error_j\": 1001.0,",
	"{\"kind\": \"dram\", \"index\": 0, \"name\": null, \"uuid\": null, \"backend\": \"rapl\", \"simulated\": false,"
	" \"energy_j\": null, \"error_j\": null, \"average_power_w\": null, \"peak_power_w\": null, \"method\": null,"
	" \"reason\": \"energy_uj: Permission denied\", \"note\": null}\n",
	"    \"total\": {\"devices\": 4, \"measured\": 3, \"energy_j\": 2361000.0, \"error_j\": 2361.0,",
	"    \"dram\": {\"devices\": 1, \"measured\": 0, \"energy_j\": null, \"error_j\": null,"
	" \"average_power_w\": null}\n  },\n  \"peak_power_w\": 905.0,\n",
	"    \"operational_gco2e\": 314.8,\n",
	"    \"intensity\": {\"gco2e_per_kwh\": 400.0, \"zone\": \"XA\", \"year\": 2025, \"hours\": null, \"type\":"
	" \"average\", \"source\": \"zones.csv\"},\n",
	"  \"cost\": {\"amount\": 0.2361, \"currency\": \"EUR\", \"price_per_kwh\": 0.3, \"reason\": null},\n",
	"  \"results\": {\"dataset\": \"c4\", \"loss\": 2.91, \"tokens\": 1000000000.0}\n}\n",
};

START_TEST(writes_every_key)
{
	make(0);
	write_json();
	check_contains(json_parts[_i]);
}
END_TEST

START_TEST(writes_null_and_why)
{
	make(3);
	ck_assert_int_eq(perseus__run_set_text(&run.no_intensity, NULL, NULL), PERSEUS_OK);
	write_json();
	check_contains("  \"exit_code\": null,\n  \"signal\": 9,\n");
	check_contains("\"operational_gco2e\": null,");
	check_contains("\"reason\": \"no carbon intensity was given\"");
	check_contains(
			"\"cost\": {\"amount\": null, \"currency\": null, \"price_per_kwh\": null, \"reason\": \"no price was"
			" given\"}");
	perseus__text_fini(&text);
	ck_assert_int_eq(perseus__run_set_text(&run.no_intensity, "zones.csv: no hour 12", NULL), PERSEUS_OK);
	write_json();
	check_contains("\"reason\": \"zones.csv: no hour 12\"");
}
END_TEST

START_TEST(writes_that_nothing_was_measured)
{
	make(4);
	run.factors.has_intensity = run.factors.has_price = true;
	write_json();
	check_contains("\"facility_energy_kwh\": null,");
	check_contains("    \"reason\": \"no energy was measured\"\n");
	check_contains("\"reason\": \"no energy was measured\"},\n");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("run_report");
	TCase *tcase = tcase_create("run_report");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, says_everything);
	tcase_add_test(tcase, leaves_out_what_was_not_asked_for);
	tcase_add_loop_test(tcase, counts_money_to_the_hundredth, 0, sizeof costs / sizeof *costs);
	tcase_add_test(tcase, shows_texts_in_one_line);
	tcase_add_test(tcase, invents_no_values);
	tcase_add_test(tcase, says_that_there_is_no_device);
	tcase_add_test(tcase, says_that_a_run_goes_on);
	tcase_add_loop_test(tcase, shows_arguments_in_one_line, 0, sizeof arguments / sizeof *arguments);
	tcase_add_loop_test(tcase, writes_every_key, 0, sizeof json_parts / sizeof *json_parts);
	tcase_add_test(tcase, writes_null_and_why);
	tcase_add_test(tcase, writes_that_nothing_was_measured);
	return run_suite(suite);
}
