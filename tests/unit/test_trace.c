/* Recorded traces: what a row becomes, what is refused and where, and that what is written reads back the same. */
#include "device/trace.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct perseus__trace
decode(const char *text)
{
	struct perseus__trace trace;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__trace_decode(text, strlen(text), "t.csv", &trace, &err) == PERSEUS_OK, "%s", err.message);
	return trace;
}

START_TEST(reads_rows)
{
	struct perseus__trace trace = decode("time_s,device,index,name,power_w,sm_clock_mhz,energy_j\n"
										 "0.0,dram,0,,,,0\n"
										 "0.0,gpu,10,\"A, \"\"B\"\"\",62.1239,210,0.0\n"
										 "0.0,gpu,2,C,62.12,210,0\n"
										 "0.100000001,gpu,10,\"A, \"\"B\"\"\",,,6.2\n");
	ck_assert_uint_eq(trace.n_devices, 3);
	const struct perseus__trace_device *c = &trace.devices[0];
	const struct perseus__trace_device *ab = &trace.devices[1];
	const struct perseus__trace_device *dram = &trace.devices[2];
	ck_assert_int_eq(c->index, 2);
	ck_assert_uint_eq(c->n_points, 1);
	ck_assert_str_eq(ab->name, "A, \"B\"");
	ck_assert_uint_eq(ab->n_points, 2);
	ck_assert_int_eq(ab->points[0].power_mw, 62123);
	ck_assert_int_eq(ab->points[0].sm_clock_mhz, 210);
	ck_assert_int_eq(ab->points[1].time_ns, 100000001);
	ck_assert(!ab->points[1].has_power && !ab->points[1].has_sm_clock && ab->points[1].has_energy);
	ck_assert_int_eq(ab->points[1].energy_uj, 6200000);
	ck_assert_int_eq(dram->kind, PERSEUS_DEVICE_DRAM);
	ck_assert_str_eq(dram->name, "");
	ck_assert(!dram->points[0].has_power && dram->points[0].has_energy);
	perseus__trace_fini(&trace);
}
END_TEST

START_TEST(takes_columns_in_any_order)
{
	struct perseus__trace trace = decode("index,power_w,note,time_s,device\r\n0,1.5,x,2,cpu\r\n\r\n0,2.5,,3e0,cpu");
	ck_assert_uint_eq(trace.n_devices, 1);
	ck_assert_uint_eq(trace.devices[0].n_points, 2);
	ck_assert_int_eq(trace.devices[0].kind, PERSEUS_DEVICE_CPU);
	ck_assert_int_eq(trace.devices[0].points[1].time_ns, 3000000000);
	ck_assert_int_eq(trace.devices[0].points[1].power_mw, 2500);
	perseus__trace_fini(&trace);
}
END_TEST

#define HEAD "time_s,device,index,name,power_w,sm_clock_mhz,energy_j\n"

static const struct {
	const char *text;
	const char *message;
} refused[] = {
	{"", "t.csv: is empty; expected a header and rows"},
	{HEAD, "t.csv: has a header but no rows"},
	{"device,index,power_w\n", "t.csv:1: no column \"time_s\" in the header"},
	{"time_s,index,power_w\n", "t.csv:1: no column \"device\" in the header"},
	{"time_s,device,power_w\n", "t.csv:1: no column \"index\" in the header"},
	{"time_s,device,index,sm_clock_mhz\n", "t.csv:1: neither column \"power_w\" nor \"energy_j\" in the header"},
	{"time_s,device,index,power_w,time_s\n", "t.csv:1: column \"time_s\" twice, as column 1 and 5"},
	{HEAD "0,gpu,0,A,1,2\n", "t.csv:2: 6 cells, but the header has 7"},
	{HEAD "\n0,gpu,0,A,1,2,3,4\n", "t.csv:3: 8 cells, but the header has 7"},
	{HEAD "x,gpu,0,A,1,2,3\n", "t.csv:2: column time_s: \"x\" is not a number"},
	{HEAD ",gpu,0,A,1,2,3\n", "t.csv:2: column time_s: \"\" is not a number"},
	{HEAD "-1,gpu,0,A,1,2,3\n", "t.csv:2: column time_s: \"-1\" is negative"},
	{HEAD "1e9,gpu,0,A,1,2,3\n", "t.csv:2: column time_s: \"1e9\" is too large"},
	{HEAD "0,tpu,0,A,1,2,3\n", "t.csv:2: column device: \"tpu\" is not gpu, cpu or dram"},
	{HEAD "0,gpu,0.5,A,1,2,3\n", "t.csv:2: column index: \"0.5\" is not a whole number"},
	{HEAD "0,gpu,65536,A,1,2,3\n", "t.csv:2: column index: \"65536\" is too large"},
	{HEAD "0,gpu,,A,1,2,3\n", "t.csv:2: column index: \"\" is not a number"},
	{HEAD "0,gpu,0,A,-,2,3\n", "t.csv:2: column power_w: \"-\" is negative"},
	{HEAD "0,gpu,0,A,nan,2,3\n", "t.csv:2: column power_w: \"nan\" is not a number"},
	{HEAD "0,gpu,0,A,1,1e10,3\n", "t.csv:2: column sm_clock_mhz: \"1e10\" is too large"},
	{HEAD "0,gpu,0,A,1,2,1e15\n", "t.csv:2: column energy_j: \"1e15\" is too large"},
	{HEAD "0,gpu,0,A,1,2,3\n0,gpu,0,A,1,2,3\n",
		"t.csv:3: column time_s: \"0\" is not after the row before of the device"},
	{HEAD "0,gpu,0,A,1,2,3\n1,gpu,0,A,1,2,\n2,gpu,0,A,1,2,2.9\n",
		"t.csv:4: column energy_j: \"2.9\" is less than in a row before"},
	{HEAD "0,gpu,0,A,1,2,3\n1,gpu,0,B,1,2,3\n",
		"t.csv:3: column name: \"B\" is not what an earlier row calls the device"},
	{HEAD "0,gpu,0,\"A,1,2,3\n", "t.csv:2: a quote is not closed"},
};

START_TEST(refuses_with_the_place)
{
	struct perseus__trace trace = {.n_devices = 99};
	struct perseus_error err = {.message = ""};
	const char *text = refused[_i].text;
	ck_assert_int_eq(perseus__trace_decode(text, strlen(text), "t.csv", &trace, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, refused[_i].message);
	ck_assert_uint_eq(trace.n_devices, 99);
}
END_TEST

START_TEST(refuses_names_that_are_too_long)
{
	char text[400];
	char name[200];
	memset(name, 'n', sizeof name);
	const int lengths[] = {PERSEUS_DEVICE_TEXT_BYTES, 150};
	for (size_t i = 0; i < 2; i++) {
		struct perseus__trace trace;
		struct perseus_error err = {.message = ""};
		(void)snprintf(text, sizeof text, HEAD "0,gpu,0,%.*s,1,2,3\n", lengths[i], name);
		ck_assert_int_eq(perseus__trace_decode(text, strlen(text), "t.csv", &trace, &err), PERSEUS_INVALID);
		ck_assert_msg(strstr(err.message, "too long") != NULL, "%s", err.message);
	}
}
END_TEST

START_TEST(says_which_file_cannot_be_read)
{
	struct perseus__trace trace;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__trace_read("/nonexistent/t.csv", &trace, &err), PERSEUS_IO);
	ck_assert_str_eq(err.message, "cannot read /nonexistent/t.csv: No such file or directory");
}
END_TEST

START_TEST(writes_what_it_reads)
{
	const char *const expected = HEAD "0,gpu,0,NVIDIA A100,62.12,210,0\n"
									  "0,cpu,1,\"Xeon, \"\"8480\"\"\",,,0.000001\n"
									  "1.5,gpu,0,NVIDIA A100,500,1410,150.25\n"
									  "2.000000001,gpu,0,NVIDIA A100,0.001,,\n";
	const struct perseus__trace_point points[] = {
		{.has_power = true, .power_mw = 62120, .has_sm_clock = true, .sm_clock_mhz = 210, .has_energy = true},
		{.has_energy = true, .energy_uj = 1},
		{.time_ns = 1500000000,
			.has_power = true,
			.power_mw = 500000,
			.has_sm_clock = true,
			.sm_clock_mhz = 1410,
			.has_energy = true,
			.energy_uj = 150250000},
		{.time_ns = 2000000001, .has_power = true, .power_mw = 1},
	};
	struct perseus__text text = perseus__text_init(4096);
	perseus__trace_write_header(&text);
	for (size_t i = 0; i < 4; i++)
		perseus__trace_write(&text, i == 1 ? PERSEUS_DEVICE_CPU : PERSEUS_DEVICE_GPU, i == 1,
				i == 1 ? "Xeon, \"8480\"" : "NVIDIA A100", &points[i]);
	ck_assert_str_eq(text.bytes, expected);
	struct perseus__trace trace = decode(text.bytes);
	ck_assert_uint_eq(trace.n_devices, 2);
	ck_assert_uint_eq(trace.devices[0].n_points, 3);
	ck_assert_int_eq(trace.devices[0].points[1].energy_uj, 150250000);
	ck_assert_int_eq(trace.devices[0].points[2].time_ns, 2000000001);
	ck_assert_str_eq(trace.devices[1].name, "Xeon, \"8480\"");
	perseus__trace_fini(&trace);
	perseus__text_fini(&text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trace");
	TCase *tcase = tcase_create("trace");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, reads_rows);
	tcase_add_test(tcase, takes_columns_in_any_order);
	tcase_add_loop_test(tcase, refuses_with_the_place, 0, sizeof refused / sizeof *refused);
	tcase_add_test(tcase, refuses_names_that_are_too_long);
	tcase_add_test(tcase, says_which_file_cannot_be_read);
	tcase_add_test(tcase, writes_what_it_reads);
	return run_suite(suite);
}
