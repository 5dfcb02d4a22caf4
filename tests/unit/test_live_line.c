/* The live line: what it says, how it is cut, and that it stays off where nobody looks. */
#include "cli/live_line.h"
#include "suite.h"

#include <check.h>
#include <fcntl.h>
#include <unistd.h>

static const struct {
	struct perseus__live_values values;
	int columns;
	const char *text;
} lines[] = {
	{{.time_ns = 999999999}, 79, "0 s  not measured"},
	{{.time_ns = 12500000000, .has_power = true, .power_w = 2401.4, .has_energy = true, .energy_j = 29555.2}, 79,
		"12 s  2.401 kW  29.56 kJ"},
	{{.time_ns = 3723000000000,
		 .has_power = true,
		 .power_w = 99.96,
		 .has_energy = true,
		 .energy_j = 372111,
		 .has_carbon = true,
		 .carbon_g = 41.234,
		 .is_simulated = true},
		79, "1:02:03  99.96 W  372.1 kJ  41.23 gCO2e (simulated)"},
	{{.time_ns = 60000000000, .has_energy = true, .energy_j = 5}, 79, "0:01:00  5.000 J"},
	{{.time_ns = 360000000000000, .has_power = true}, 79, "100:00:00  0.000 mW"},
	{{.time_ns = 12500000000, .has_power = true, .power_w = 2401.4}, 9, "12 s  2.4"},
	{{.time_ns = 12500000000}, 0, ""},
	{{.time_ns = 12500000000}, -1, ""},
};

START_TEST(says_what_is_known)
{
	char text[160];
	perseus__live_text(&lines[_i].values, lines[_i].columns, text, sizeof text);
	ck_assert_str_eq(text, lines[_i].text);
}
END_TEST

START_TEST(stays_off_where_it_is_not_seen)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	struct perseus__live_line line = perseus__live_line_init(false);
	ck_assert(!line.is_on);
	perseus__live_line_show(&line, &lines[1].values);
	perseus__live_line_clear(&line);
	char byte;
	ck_assert_int_eq(read(ends[0], &byte, 1), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("live_line");
	TCase *tcase = tcase_create("live_line");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, says_what_is_known, 0, sizeof lines / sizeof *lines);
	tcase_add_test(tcase, stays_off_where_it_is_not_seen);
	return run_suite(suite);
}
