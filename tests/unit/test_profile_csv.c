/* Profile CSV: what is taken, what is refused and in which words, and the measured profiles where they are at hand. */
#include "format/profile_csv.h"
#include "random.h"
#include "suite.h"

#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEADER "stage,instruction,frequency,time,energy\n"

/* From an exact copy without a NUL at the end, so that a sanitizer sees any step beyond it. */
static enum perseus_status
decode(const char *text, size_t length, struct perseus__measurements *rows, struct perseus_error *err)
{
	char *copy = malloc(length > 0 ? length : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, length);
	const enum perseus_status status = perseus__profile_csv_decode(copy, length, "p.csv", rows, err);
	free(copy);
	return status;
}

/* Every one says the same: two rows, of which the second has the line given. */
static const struct {
	const char *name;
	const char *text;
	int64_t line;
} good_files[] = {
	{"plain", HEADER "0,forward,1410,0.25,3\n1,backward,0,5e-1,0.75\n", 3},
	{"no newline at the end", HEADER "0,forward,1410,0.25,3\n1,backward,0,5e-1,0.75", 3},
	{"CRLF", "stage,instruction,frequency,time,energy\r\n0,forward,1410,0.25,3\r\n1,backward,0,0.5,0.75\r\n", 3},
	{"CR at the end", HEADER "0,forward,1410,0.25,3\r\n1,backward,0,0.5,0.75\r", 3},
	{"byte order mark", "\xef\xbb\xbf" HEADER "0,forward,1410,0.25,3\n1,backward,0,0.5,0.75\n", 3},
	{"blank lines", "\n" HEADER "\n0,forward,1410,0.25,3\n  \n\r\n1,backward,0,0.5,0.75\n\n\n", 7},
	{"other order", "energy,time,frequency,instruction,stage\n3,.25,1410,forward,0\n0.75,0.5,0,backward,1\n", 3},
	{"extra columns",
		"gpu,stage,time,note,energy,frequency,instruction,\n"
		"a,0,0.25,,3,1410,forward,x\n"
		"b,1,0.5,,0.75,0,backward,\n",
		3},
	{"extra column twice",
		"note,stage,instruction,frequency,time,energy,note\n"
		",0,forward,1410,0.25,3,\n"
		",1,backward,0,0.5,0.75,\n",
		3},
	{"quotes",
		"\"stage\",\"instruction\",frequency,time,energy,\"a \"\"note\"\", long\"\n"
		"0,\"forward\",\"1410\",0.25,3,\"two\nlines, a \"\"quote\"\"\"\n"
		"1, \" backward \" ,0,0.5,0.75,\n",
		4},
	{"blanks around",
		" stage , instruction,frequency\t,time,energy \n 0,\tforward , 1410 ,0.25, 3 \n"
		"1, backward,0,0.5,0.75\n",
		3},
	{"whole numbers with a fraction", HEADER "0.0,forward,1410.0,0.25,3.\n1e0,backward,0,+0.5,7.5e-1\n", 3},
};

START_TEST(takes_good_files)
{
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	const char *name = good_files[_i].name;
	ck_assert_msg(decode(good_files[_i].text, strlen(good_files[_i].text), &rows, &err) == PERSEUS_OK, "%s: %s", name,
			err.message);
	ck_assert_msg(rows.n_rows == 2, "%s: %zu rows", name, rows.n_rows);
	const struct perseus_measurement *a = &rows.rows[0];
	const struct perseus_measurement *b = &rows.rows[1];
	ck_assert_msg(a->stage == 0 && a->frequency_mhz == 1410 && b->stage == 1 && b->frequency_mhz == 0, "%s", name);
	ck_assert_str_eq(a->instruction, "forward");
	ck_assert_str_eq(b->instruction, "backward");
	ck_assert_msg(a->time_s == 0.25 && a->energy_j == 3.0, "%s: %g s, %g J", name, a->time_s, a->energy_j);
	ck_assert_msg(b->time_s == 0.5 && b->energy_j == 0.75, "%s: %g s, %g J", name, b->time_s, b->energy_j);
	ck_assert_msg(b->line == good_files[_i].line, "%s: line %lld", name, (long long)b->line);
	perseus__measurements_fini(&rows);
}
END_TEST

#define TEXT_OF_150                                                                                                \
	"123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678" \
	"901234567890123456789012345678901234567890"
#define FIRST_127                                                                                                   \
	"1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" \
	"012345678901234567"

static const struct {
	const char *text;
	const char *message;
} bad_files[] = {
	{"", "p.csv: is empty; expected the header stage,instruction,frequency,time,energy and rows"},
	{"\n \r\n", "p.csv: is empty; expected the header stage,instruction,frequency,time,energy and rows"},
	{"\xef\xbb\xbf", "p.csv: is empty; expected the header stage,instruction,frequency,time,energy and rows"},
	{HEADER, "p.csv: has a header but no rows"},
	{"stage,instruction,frequency,time\n0,forward,1410,1\n",
		"p.csv:1: no column \"energy\" in the header \"stage,instruction,frequency,time\""},
	{"\nstage;instruction;frequency;time;energy\r\n",
		"p.csv:2: no column \"stage\" in the header \"stage;instruction;frequency;time;energy\""},
	{"Stage,Instruction,\x01\xff", "p.csv:1: no column \"stage\" in the header \"Stage,Instruction,\\x01\\xff\""},
	{"stage,instruction,frequency,time,energy,time\n", "p.csv:1: column \"time\" twice, as column 4 and 6"},
	{HEADER "0,forward,1410,1,1\n0,forward,1410,abc,1\n", "p.csv:3: column time: \"abc\" is not a number"},
	{HEADER "0,forward,1410,1.5s,1\n", "p.csv:2: column time: \"1.5s\" is not a number"},
	{HEADER "0,forward,1410,,1\n", "p.csv:2: column time: \"\" is not a number"},
	{HEADER "0,forward,1410,.,1\n", "p.csv:2: column time: \".\" is not a number"},
	{HEADER "0,forward,1410,1e,1\n", "p.csv:2: column time: \"1e\" is not a number"},
	{HEADER "0,forward,1410,--1,1\n", "p.csv:2: column time: \"--1\" is not a number"},
	{HEADER "0,forward,1410,1 2,1\n", "p.csv:2: column time: \"1 2\" is not a number"},
	{HEADER "0,forward,1410,0x10,1\n", "p.csv:2: column time: \"0x10\" is not a number"},
	{HEADER "0,forward,1410,\"0,5\",1\n", "p.csv:2: column time: \"0,5\" is not a number"},
	{HEADER "0,forward,1410,1\r2,1\n", "p.csv:2: column time: \"1\\x0d2\" is not a number"},
	{HEADER "0,forward,1410,NaN,1\n", "p.csv:2: column time: \"NaN\" must be finite"},
	{HEADER "0,forward,1410,1,-inf\n", "p.csv:2: column energy: \"-inf\" must be finite"},
	{HEADER "0,forward,1410,1,Infinity\n", "p.csv:2: column energy: \"Infinity\" must be finite"},
	{HEADER "0,forward,1410,1,nan(1)\n", "p.csv:2: column energy: \"nan(1)\" is not a number"},
	{HEADER "0,forward,1410,-1,1\n", "p.csv:2: column time: \"-1\" must be above 0"},
	{HEADER "0,forward,1410,0.0,1\n", "p.csv:2: column time: \"0.0\" must be above 0"},
	{HEADER "0,forward,1410,-0,1\n", "p.csv:2: column time: \"-0\" must be above 0"},
	{HEADER "0,forward,1410,1e-400,1\n", "p.csv:2: column time: \"1e-400\" must be above 0"},
	{HEADER "0,forward,1410,9e-10,1\n", "p.csv:2: column time: \"9e-10\" must be at least 1 ns"},
	{HEADER "0,forward,1410,100001,1\n", "p.csv:2: column time: \"100001\" must be at most 1e5 s"},
	{HEADER "0,forward,1410,1e999,1\n", "p.csv:2: column time: \"1e999\" is too large"},
	{HEADER "0,forward,1410,1,-0.5\n", "p.csv:2: column energy: \"-0.5\" must not be negative"},
	{HEADER "0,forward,1410,1,1e10\n", "p.csv:2: column energy: \"1e10\" must be at most 1e9 J"},
	{HEADER "0,forward,1410.5,1,1\n", "p.csv:2: column frequency: \"1410.5\" is not a whole number"},
	{HEADER "0,forward,-15,1,1\n", "p.csv:2: column frequency: \"-15\" must be in 0..100000 MHz"},
	{HEADER "0,forward,1e9,1,1\n", "p.csv:2: column frequency: \"1e9\" must be in 0..100000 MHz"},
	{HEADER "0,forward,1e300,1,1\n", "p.csv:2: column frequency: \"1e300\" must be in 0..100000 MHz"},
	{HEADER "zero,forward,1410,1,1\n", "p.csv:2: column stage: \"zero\" is not a number"},
	{HEADER "0.5,forward,1410,1,1\n", "p.csv:2: column stage: \"0.5\" is not a whole number"},
	{HEADER "-1,forward,1410,1,1\n", "p.csv:2: column stage: \"-1\" must be in 0..65535"},
	{HEADER "65536,forward,1410,1,1\n", "p.csv:2: column stage: \"65536\" must be in 0..65535"},
	{HEADER "0,,1410,1,1\n", "p.csv:2: column instruction: \"\" must not be empty"},
	{HEADER "0,\"  \",1410,1,1\n", "p.csv:2: column instruction: \"\" must not be empty"},
	{HEADER "0,\"a\nb\",1410,1,1\n", "p.csv:2: column instruction: \"a\\x0ab\" must not have control characters"},
	{HEADER "0,a\xffz,1410,1,1\n", "p.csv:2: column instruction: \"a\\xffz\" must be UTF-8"},
	{HEADER "0,a2345678901234567890123456789012345678901234567890123456789012345,1410,1,1\n",
		"p.csv:2: column instruction: \"a2345678901234567890123456789012345678901234567890123456789012345\" must be at "
		"most 64 bytes long"},
	{HEADER "0,forward,1410," TEXT_OF_150 ",1\n", "p.csv:2: column time: \"" FIRST_127 "\" and more is too long"},
	{HEADER "0,forward,1410,1\n", "p.csv:2: 4 cells, but the header has 5"},
	{HEADER "0\n", "p.csv:2: 1 cells, but the header has 5"},
	{HEADER "0,forward,1410,0,5,1\n", "p.csv:2: 6 cells, but the header has 5 (decimals need a point, not a comma)"},
	{HEADER "\n0,\"forward,1410,1,1\n0,forward,1410,1,1\n", "p.csv:3: a quote is not closed"},
	{HEADER "0,\"forward\"s,1410,1,1\n", "p.csv:2: text behind a closing quote"},
};

START_TEST(refuses_bad_files)
{
	struct perseus__measurements rows = {.n_rows = 99};
	struct perseus_error err = {.message = ""};
	const char *text = bad_files[_i].text;
	ck_assert_msg(decode(text, strlen(text), &rows, &err) == PERSEUS_INVALID, "%s", text);
	ck_assert_str_eq(err.message, bad_files[_i].message);
	ck_assert_int_eq(err.status, PERSEUS_INVALID);
	ck_assert_uint_eq(rows.n_rows, 99);
	ck_assert_int_eq(decode(text, strlen(text), &rows, NULL), PERSEUS_INVALID);
}
END_TEST

START_TEST(refuses_nul_bytes)
{
	static const char text[] = HEADER "0,forward,1410,1,1\n0,for\0ward,1410,1,1\n";
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(decode(text, sizeof text - 1, &rows, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "p.csv:3: a NUL byte; the file must be text in UTF-8");
}
END_TEST

START_TEST(keeps_long_names_and_interns)
{
	static const char text[] =
			HEADER "0,a234567890123456789012345678901234567890123456789012345678901234,1,1,1\n0,Vorwärts,1,1,1\n"
				   "1,Vorwärts,1,1,1\n";
	struct perseus__measurements rows;
	ck_assert_int_eq(decode(text, sizeof text - 1, &rows, NULL), PERSEUS_OK);
	ck_assert_uint_eq(strlen(rows.rows[0].instruction), 64);
	ck_assert_str_eq(rows.rows[1].instruction, "Vorwärts");
	ck_assert_ptr_eq(rows.rows[1].instruction, rows.rows[2].instruction);
	perseus__measurements_fini(&rows);
}
END_TEST

/* More distinct names than fit one block of them, and more than are looked for among earlier ones. */
START_TEST(keeps_many_names)
{
	enum { N = 5000, ROW_BYTES = 64 };
	char *text = malloc((size_t)N * ROW_BYTES);
	ck_assert_ptr_nonnull(text);
	size_t length = strlen(HEADER);
	memcpy(text, HEADER, length);
	for (int i = 0; i < N; i++)
		length += (size_t)snprintf(text + length, ROW_BYTES, "0,name %d,1410,1,1\n", i);
	struct perseus__measurements rows;
	ck_assert_int_eq(decode(text, length, &rows, NULL), PERSEUS_OK);
	ck_assert_uint_eq(rows.n_rows, N);
	for (int i = 0; i < N; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "name %d", i);
		ck_assert_str_eq(rows.rows[i].instruction, name);
	}
	struct perseus_profile *profile = NULL;
	ck_assert_int_eq(perseus_profile_new(rows.rows, rows.n_rows, NULL, &profile, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus_profile_n_classes(profile), N);
	perseus_profile_free(profile);
	perseus__measurements_fini(&rows);
	free(text);
}
END_TEST

/* Random doubles written with 17 digits come back to the last bit, in a locale with a decimal comma too. */
START_TEST(numbers_do_not_depend_on_the_locale)
{
	static const char *const locales[] = {"C", "de_DE.UTF-8"};
	const char *locale = setlocale(LC_ALL, locales[_i]);
	if (!locale) {
		printf("# SKIP locale %s is not installed\n", locales[_i]);
		return;
	}
	uint64_t state = 3;
	for (int round = 0; round < 2000; round++) {
		const double time_s = ldexp(random_fraction(&state), 13 - (int)random_below(&state, 13));
		char number[64];
		char text[200];
		(void)snprintf(number, sizeof number, "%.17g", time_s);
		for (char *at = number; *at; at++)
			*at = *at == ',' ? '.' : *at;
		(void)snprintf(text, sizeof text, HEADER "0,forward,1410,%s,1\n", number);
		struct perseus__measurements rows;
		struct perseus_error err = {.message = ""};
		ck_assert_msg(decode(text, strlen(text), &rows, &err) == PERSEUS_OK, "%s", err.message);
		ck_assert_msg(rows.rows[0].time_s == time_s, "%s became %.17g", number, rows.rows[0].time_s);
		perseus__measurements_fini(&rows);
	}
}
END_TEST

START_TEST(reads_files)
{
	char path[] = "/tmp/perseus-test-XXXXXX";
	const int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	FILE *file = fdopen(fd, "wb");
	if (!file)
		ck_abort_msg("fdopen failed");
	fputs(HEADER "0,forward,1410,1,2\n0,forward,1395,bad,2\n", file);
	fclose(file);
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	char expected[200];
	ck_assert_int_eq(perseus__profile_csv_read(path, &rows, &err), PERSEUS_INVALID);
	(void)snprintf(expected, sizeof expected, "%s:3: column time: \"bad\" is not a number", path);
	ck_assert_str_eq(err.message, expected);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(perseus__profile_csv_read(path, &rows, &err), PERSEUS_IO);
	(void)snprintf(expected, sizeof expected, "cannot read %s: No such file or directory", path);
	ck_assert_str_eq(err.message, expected);
	ck_assert_int_eq(perseus__profile_csv_read("/tmp", &rows, &err), PERSEUS_IO);
	ck_assert_str_eq(err.message, "cannot read /tmp: Is a directory");
}
END_TEST

/* That it works is asserted, not how fast: the time goes into the log. */
START_TEST(takes_a_million_rows)
{
	enum { N = 1000000, ROW_BYTES = 80 };
	char *text = malloc((size_t)N * ROW_BYTES);
	ck_assert_ptr_nonnull(text);
	size_t length = strlen(HEADER);
	memcpy(text, HEADER, length);
	for (int i = 0; i < N; i++)
		length += (size_t)snprintf(text + length, ROW_BYTES, "%d,%s,%d,%.17g,%.17g\n", i % 64,
				i % 3 ? "forward" : "backward", 1410 - 15 * (i / 64 % 80), 0.1 + i * 1e-7 / 3, 30 + i * 1e-5 / 7);
	struct timespec begin, middle, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__profile_csv_decode(text, length, "p.csv", &rows, &err) == PERSEUS_OK, "%s", err.message);
	clock_gettime(CLOCK_MONOTONIC, &middle);
	ck_assert_uint_eq(rows.n_rows, N);
	struct perseus_profile *profile = NULL;
	ck_assert_msg(perseus_profile_new(rows.rows, rows.n_rows, NULL, &profile, &err) == PERSEUS_OK, "%s", err.message);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ck_assert_int_eq(perseus_profile_n_classes(profile), 128);
	ck_assert_msg(perseus_profile_check(profile, &err) == PERSEUS_OK, "%s", err.message);
	printf("# 10^6 rows, %zu MB: decoded in %.3f s, profile in %.3f s\n", length / 1000000,
			(double)(middle.tv_sec - begin.tv_sec) + (double)(middle.tv_nsec - begin.tv_nsec) * 1e-9,
			(double)(end.tv_sec - middle.tv_sec) + (double)(end.tv_nsec - middle.tv_nsec) * 1e-9);
	perseus_profile_free(profile);
	perseus__measurements_fini(&rows);
	free(text);
}
END_TEST

/* The paper's artifact; blocking powers and counts of hull points are those of an independent reading of it. */
static const struct {
	const char *file;
	double blocking_power_w;
	double mean_hull;
} measured[] = {
	{"gpt3-175b+a100_sxm_bf16.csv", 83.64, 10.9},
	{"gpt3-175b+a40_bf16.csv", 70.38, 8.4},
};

START_TEST(takes_measured_profiles)
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/sosp24/stage_profile/%s", PERSEUS_TEST_DATA, measured[_i].file);
	if (access(path, R_OK) != 0) {
		printf("# SKIP measured profile %s is not at hand\n", measured[_i].file);
		return;
	}
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__profile_csv_read(path, &rows, &err) == PERSEUS_OK, "%s", err.message);
	const struct perseus_profile_settings settings = {
		.blocking_power_w = &measured[_i].blocking_power_w, .n_blocking_power = 1};
	struct perseus_profile *profile = NULL;
	ck_assert_msg(
			perseus_profile_new(rows.rows, rows.n_rows, &settings, &profile, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_profile_check(profile, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(perseus_profile_n_stages(profile), 8);
	ck_assert_int_eq(perseus_profile_n_classes(profile), 16);
	double mean_hull = 0;
	for (int32_t c = 0; c < 16; c++) {
		const struct perseus_class *class_ = perseus_profile_class(profile, c);
		if (_i == 0)
			ck_assert_int_eq(class_->n_choices, 38);
		mean_hull += class_->n_hull / 16.0;
		struct perseus_exp_fit fit;
		ck_assert_msg(perseus_class_fit(class_, &fit, &err) == PERSEUS_OK, "%s", err.message);
		ck_assert_double_lt(fit.b, 0);
		ck_assert_double_lt(fit.rmse_j, 0.03 * (double)class_->pareto[0].effective_nj * 1e-9);
	}
	ck_assert_msg(fabs(mean_hull - measured[_i].mean_hull) < 0.05, "%g hull points on average", mean_hull);
	perseus_profile_free(profile);
	perseus__measurements_fini(&rows);
}
END_TEST

START_TEST(takes_the_example)
{
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	const char *path = PERSEUS_SOURCE_ROOT "/examples/gpt3-xl-a100-model.csv";
	ck_assert_msg(perseus__profile_csv_read(path, &rows, &err) == PERSEUS_OK, "%s", err.message);
	const double power_w = 83.64;
	const struct perseus_profile_settings settings = {.blocking_power_w = &power_w, .n_blocking_power = 1};
	struct perseus_profile *profile = NULL;
	ck_assert_msg(
			perseus_profile_new(rows.rows, rows.n_rows, &settings, &profile, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(perseus_profile_n_stages(profile), 4);
	ck_assert_int_eq(perseus_profile_n_classes(profile), 8);
	for (int32_t c = 0; c < 8; c++) {
		const struct perseus_class *class_ = perseus_profile_class(profile, c);
		ck_assert_int_eq(class_->n_choices, 38);
		ck_assert_int_eq(class_->n_pareto, 38);
		ck_assert_int_ge(class_->n_hull, 36); /* the model is convex; rounding to 1 µs may cost a point or two */
		ck_assert_uint_eq(class_->oddities, 0);
	}
	perseus_profile_free(profile);
	perseus__measurements_fini(&rows);
}
END_TEST

static enum perseus_status
decode_layers(const char *text, struct perseus__measurements *rows, struct perseus_error *err)
{
	return perseus__layer_csv_decode(text, strlen(text), "l.csv", rows, err);
}

START_TEST(takes_layers)
{
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(
			decode_layers("layer,instruction,frequency,time,energy,stage\n7,forward,1410,0.25,3,x\n", &rows, &err),
			PERSEUS_OK);
	ck_assert_int_eq(rows.rows[0].stage, 7);
	ck_assert_double_eq(rows.rows[0].energy_j, 3);
	perseus__measurements_fini(&rows);
	ck_assert_int_eq(decode_layers("time,layer,frequency,instruction\n0.25,7,1410,forward\n", &rows, &err), PERSEUS_OK);
	ck_assert_int_eq(rows.rows[0].stage, 7);
	ck_assert_double_eq(rows.rows[0].time_s, 0.25);
	ck_assert(isnan(rows.rows[0].energy_j));
	perseus__measurements_fini(&rows);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} bad_layers[] = {
	{"", "l.csv: is empty; expected the header layer,instruction,frequency,time,energy and rows"},
	{HEADER "0,forward,1410,1,1\n",
		"l.csv:1: no column \"layer\" in the header \"stage,instruction,frequency,time,energy\""},
	{"layer,instruction,frequency,time,energy\n-1,forward,1410,1,1\n",
		"l.csv:2: column layer: \"-1\" must be in 0..65535"},
	{"layer,instruction,frequency,time,energy\n1,forward,1410,1,\n", "l.csv:2: column energy: \"\" is not a number"},
	{"layer,instruction,frequency,time,layer\n", "l.csv:1: column \"layer\" twice, as column 1 and 5"},
};

START_TEST(refuses_bad_layers)
{
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(decode_layers(bad_layers[_i].text, &rows, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_layers[_i].message);
}
END_TEST

START_TEST(reads_what_it_writes)
{
	const struct perseus_measurement written[] = {
		{.stage = 0, .instruction = "for,ward \"x\"", .frequency_mhz = 1410, .time_s = 0.1, .energy_j = 1.0 / 3},
		{.stage = 65535, .instruction = "backward", .frequency_mhz = 0, .time_s = 1e-9, .energy_j = 0},
	};
	struct perseus__text text = perseus__text_init(1000);
	perseus__profile_csv_write(&text, written, 2);
	ck_assert_str_eq(
			text.bytes, HEADER "0,\"for,ward \"\"x\"\"\",1410,0.1,0.3333333333333333\n65535,backward,0,1e-9,0.0\n");
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(decode(text.bytes, text.length, &rows, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_uint_eq(rows.n_rows, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(rows.rows[i].stage, written[i].stage);
		ck_assert_str_eq(rows.rows[i].instruction, written[i].instruction);
		ck_assert_int_eq(rows.rows[i].frequency_mhz, written[i].frequency_mhz);
		ck_assert_double_eq(rows.rows[i].time_s, written[i].time_s);
		ck_assert_double_eq(rows.rows[i].energy_j, written[i].energy_j);
	}
	perseus__measurements_fini(&rows);
	perseus__text_fini(&text);
}
END_TEST

START_TEST(writes_times_alone)
{
	const struct perseus_measurement row = {.instruction = "forward", .time_s = 0.5, .energy_j = (double)NAN};
	struct perseus__text text = perseus__text_init(1000);
	perseus__profile_csv_write(&text, &row, 1);
	ck_assert_str_eq(text.bytes, "stage,instruction,frequency,time\n0,forward,0,0.5\n");
	perseus__text_fini(&text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("profile_csv");
	TCase *tcase = tcase_create("profile_csv");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, takes_good_files, 0, sizeof good_files / sizeof *good_files);
	tcase_add_loop_test(tcase, refuses_bad_files, 0, sizeof bad_files / sizeof *bad_files);
	tcase_add_test(tcase, refuses_nul_bytes);
	tcase_add_test(tcase, keeps_long_names_and_interns);
	tcase_add_test(tcase, keeps_many_names);
	tcase_add_loop_test(tcase, numbers_do_not_depend_on_the_locale, 0, 2);
	tcase_add_test(tcase, reads_files);
	tcase_add_test(tcase, takes_a_million_rows);
	tcase_add_loop_test(tcase, takes_measured_profiles, 0, 2);
	tcase_add_test(tcase, takes_the_example);
	tcase_add_test(tcase, takes_layers);
	tcase_add_loop_test(tcase, refuses_bad_layers, 0, sizeof bad_layers / sizeof *bad_layers);
	tcase_add_test(tcase, reads_what_it_writes);
	tcase_add_test(tcase, writes_times_alone);
	return run_suite(suite);
}
