/*
 * One line on the terminal that says what a running command takes: power now, energy and emissions so far. It is drawn
 * on standard error at most twice a second and cleared at the end; nothing is drawn in a pipe or in the background.
 */
#ifndef PERSEUS_CLI_LIVE_LINE_H
#define PERSEUS_CLI_LIVE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PERSEUS__LIVE_PERIOD_NS = 500000000 };

struct perseus__live_line {
	bool is_on;
	bool is_shown; /* something is on the line */
};

/* What there is to say; what is not known is left out. */
struct perseus__live_values {
	int64_t time_ns;
	bool has_power;
	double power_w;
	bool has_energy;
	double energy_j;
	bool has_carbon;
	double carbon_g;
	bool is_simulated;
};

/* Off where `is_quiet`, or where standard error is no terminal. */
struct perseus__live_line perseus__live_line_init(bool is_quiet);

/* The words, cut to `columns`: "1:02:03  2.401 kW  12.34 kJ  1.311 gCO2e (simulated)". Terminates `text`. */
void perseus__live_text(const struct perseus__live_values *values, int columns, char *text, size_t size);

void perseus__live_line_show(struct perseus__live_line *line, const struct perseus__live_values *values);

/* Clears the line; `line` is a struct perseus__live_line. */
void perseus__live_line_clear(void *line);

#endif
